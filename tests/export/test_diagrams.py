"""Mermaid, D2 and Parquet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.export.machines import PODS, compiled, fabric
from unifiedbus_dsl import export


def test_mermaid(tmp_path: Path) -> None:
    export.write(compiled(PODS).plan, "mermaid", tmp_path / "a")
    text = (tmp_path / "a").read_text()
    assert "flowchart TB\n" in text
    assert len(re.findall(r"^ *subgraph ", text, re.M)) == len(re.findall(r"^ *end$", text, re.M)) == 2
    named = set(re.findall(r"^ *(?:subgraph )?(n_\w+)[\[(]", text, re.M))
    lines = re.findall(r'^  (n_\w+) ---\|"([^"]*)"\| (n_\w+)$', text, re.M)
    assert {end for a, _, b in lines for end in (a, b)} <= named
    assert ("n_cabinet__leaf", "32 × Copper, 56 GB/s", "n_cabinet__server__npu") in lines
    assert len(lines) == 3


def test_d2(tmp_path: Path) -> None:
    export.write(compiled(PODS).plan, "d2", tmp_path / "a")
    text = (tmp_path / "a").read_text()
    assert text.count("{") == text.count("}")
    assert 'cabinet_.leaf_ -- cabinet_.server_.npu_: "32 × Copper, 56 GB/s"\n' in text
    assert 'cabinet_: "cabinet[4] : Cabinet" {\n' in text


def test_a_plan_with_too_many_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export.common import boxes

    monkeypatch.setattr(boxes, "MOST_BOXES", 4)
    with pytest.raises(export.CannotExportError, match="5 boxes"):
        export.write(compiled(PODS).plan, "d2", tmp_path / "a")


def test_pyarrow_reads_the_tables(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    export.write(fabric(), "parquet", tmp_path)
    devices = parquet.read_table(tmp_path / "devices.parquet").to_pydict()
    cables = parquet.read_table(tmp_path / "cables.parquet").to_pydict()
    machine = fabric()
    assert devices["name"] == machine.device_names(range(machine.device_count)).tolist()
    assert cables["a"] == machine.a_device.tolist()
    assert cables["length"] == pytest.approx(machine.kinds.length_m[machine.kind].tolist())
    assert set(cables["rate"]) == {56e9}
