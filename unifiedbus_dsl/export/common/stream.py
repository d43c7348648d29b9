"""Writing machines of any size in bounded memory: piece by piece, with progress."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.export.base import OutageMask
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import Texts, device_names, device_paths, port_names
from unifiedbus_dsl.ir.plan.unknown import without

PIECE = 1 << 15
"""Rows that are in memory at a time."""


def pieces(total: int, title: str) -> Iterator[tuple[int, int]]:
    """Ranges of at most `PIECE` rows, telling of progress after each."""
    with task(title, total) as step:
        for start in range(0, total, PIECE):
            stop = min(total, start + PIECE)
            yield start, stop
            step(stop - start)


def write_text(path: Path, parts: Iterable[str]) -> None:
    """Write texts one after another, as UTF-8 with LF line ends."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(parts)


def number(value: float, digits: int = 12) -> str:
    """`12.5`, `0.4`, `56000000000`: without an exponent, without a tail of zeros."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@frozen(eq=False)
class Cables:
    """A run of cables with their ends by name: columns of equal length, as plain Python values."""

    ids: list[int]
    a: list[int]
    a_name: list[str]
    a_port: list[str]
    b: list[int]
    b_name: list[str]
    b_port: list[str]
    kind: list[int]


def cable_runs(
    fabric: Fabric, title: str, keep: Sequence[bool] | None = None, gone: OutageMask | None = None
) -> Iterator[Cables]:
    """Yield all cables in order of id; with `keep`, those of the kinds that are to be kept; without those that are
    gone."""
    ports = [port_names(fabric.plan, key) for key in fabric.plan.devices]
    wanted = None if keep is None else np.asarray(keep, dtype=bool)
    for start, stop in pieces(fabric.cable_count, title):
        ids = np.arange(start, stop)
        if wanted is not None:
            ids = ids[wanted[fabric.kind[start:stop]]]
        if gone is not None:
            ids = ids[~gone.cables[ids]]
        if len(ids):
            a, b = fabric.a_device[ids], fabric.b_device[ids]
            yield Cables(
                ids.tolist(),
                a.tolist(),
                device_names(fabric.plan, a).tolist(),
                _ports(fabric, ports, a, fabric.a_port[ids]),
                b.tolist(),
                device_names(fabric.plan, b).tolist(),
                _ports(fabric, ports, b, fabric.b_port[ids]),
                fabric.kind[ids].tolist(),
            )


def _ports(fabric: Fabric, ports: list[Texts], device: Any, port: Any) -> list[str]:
    types = fabric.device_type[device]
    names = np.empty(len(port), dtype=object)
    for number_ in np.unique(types):
        chosen = types == number_
        names[chosen] = ports[number_][port[chosen]]
    texts: list[str] = names.tolist()
    return texts


def site_facts(fabric: Fabric, ids: NDArray[np.int64]) -> list[dict[str, str]]:
    """Return what the site knows besides of each device: `guid`, and `host`, the name of the computer that it is in."""
    site = fabric.plan.site
    if site is None or not (site.ids or site.parts):
        return [{}] * len(ids)
    hosts = [site.parts.get(path.rpartition(".")[0], "") for path in device_paths(fabric.plan, ids).tolist()]
    guids = [site.ids[device] if site.ids else "" for device in ids.tolist()]
    return [
        {key: text for key, text in (("guid", guid), ("host", host)) if text}
        for guid, host in zip(guids, hosts, strict=True)
    ]


def device_runs(fabric: Fabric, gone: OutageMask | None = None) -> Iterator[NDArray[np.int64]]:
    """Yield all devices in order of id, piece by piece; without those that are gone."""
    for start, stop in pieces(fabric.device_count, "write devices"):
        ids = np.arange(start, stop)
        if gone is not None:
            ids = ids[~gone.devices[ids]]
        if len(ids):
            yield ids


@frozen
class KindFacts:
    """What a kind of cable is: words and SI units. `rate` and `length` are None where there is none; then `capacity` is
    what stands for the rate."""

    link: str
    medium: str
    lanes: int
    rate: float | None
    capacity: float
    latency: float
    length: float | None


def kind_facts(fabric: Fabric) -> list[KindFacts]:
    """Return one row for each kind of cable; `rate` raw and `capacity` after coding, byte/s each way."""
    from unifiedbus_dsl.graph.from_fabric import arc_kinds

    table, links = arc_kinds(fabric), list(fabric.plan.links.values())
    unknown = without(fabric.plan, "rate", fabric.kinds.link).tolist()
    rows = []
    for n, length in enumerate(fabric.kinds.length_m.tolist()):
        link = links[int(fabric.kinds.link[n])]
        medium = link.fields.get("medium")
        rows.append(
            KindFacts(
                link.name,
                medium if isinstance(medium, str) else "",
                int(fabric.kinds.lanes[n]),
                None if unknown[n] else float(table.rate_Bps[n]),
                float(table.capacity_Bps[n]),
                float(table.latency_s[n]),
                None if isnan(length) else float(length),
            )
        )
    return rows
