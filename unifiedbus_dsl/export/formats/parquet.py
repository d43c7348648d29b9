"""Apache Parquet: `devices.parquet` and `cables.parquet`, for pandas, DuckDB, Spark. Wants pyarrow (the extra
`parquet`).

Columns of few values (kinds, types, ports, links) are dictionaries. Written in row groups, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, Format, OutageMask, too_large
from unifiedbus_dsl.export.common.stream import cable_runs, device_runs, kind_facts
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names, spares

DEVICES = {"device": "int64", "name": "string", "kind": "word", "type": "word", "spare": "bool_"}
CABLES = {
    "cable": "int64", "a": "int64", "a_name": "string", "a_port": "word", "b": "int64", "b_name": "string",
    "b_port": "word", "link": "word", "medium": "word", "lanes": "int32", "rate": "float64", "latency": "float64",
    "length": "float64",
}  # fmt: skip
"""Rates in byte/s each way, latencies in seconds, lengths in metres."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise too_large(
            sink, "Parquet wants pyarrow, which is not here", "pip install 'unifiedbus-dsl[parquet]'"
        ) from None
    _table(path / "devices.parquet", DEVICES, _devices(subject.fabric, subject.gone))
    _table(path / "cables.parquet", CABLES, _cables(subject.fabric, subject.gone))


def _table(path: Path, columns: dict[str, str], parts: Iterator[dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    word = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([(name, word if kind == "word" else getattr(pa, kind)()) for name, kind in columns.items()])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(pa.table(part, schema=schema))


def _devices(fabric: Fabric, gone: OutageMask | None) -> Iterator[dict[str, Any]]:
    types, idle = list(fabric.plan.devices.values()), spares(fabric.plan)
    for ids in device_runs(fabric, gone):
        numbers = fabric.device_type[ids].tolist()
        yield {
            "device": ids.tolist(),
            "name": device_names(fabric.plan, ids).tolist(),
            "kind": [types[t].kind for t in numbers],
            "type": [types[t].key for t in numbers],
            "spare": idle[ids].tolist(),
        }


def _cables(fabric: Fabric, gone: OutageMask | None) -> Iterator[dict[str, Any]]:
    facts = kind_facts(fabric)
    for run in cable_runs(fabric, "write cables", gone=gone):
        own = [facts[kind] for kind in run.kind]
        yield {
            "cable": run.ids, "a": run.a, "a_name": run.a_name, "a_port": run.a_port,
            "b": run.b, "b_name": run.b_name, "b_port": run.b_port,
            "link": [k.link for k in own], "medium": [k.medium for k in own], "lanes": [k.lanes for k in own],
            "rate": [k.rate for k in own], "latency": [k.latency for k in own], "length": [k.length for k in own],
        }  # fmt: skip


FORMAT = Format(
    "parquet",
    "devices and cables as Parquet tables (wants pyarrow)",
    "fabric",
    "parquet",
    write,
    ("arrays and rules (each cable stands alone)", "transit lines", "places"),
    supports_outages=True,
    file_patterns=("devices.parquet", "cables.parquet"),
)
