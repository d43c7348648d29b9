"""Mermaid, D2, draw.io, containerlab and Parquet."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

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


def test_drawio(tmp_path: Path) -> None:
    """Every cell has its parent before it, every edge its ends; boxes lie in their container and not on each other."""
    export.write(compiled(PODS).plan, "drawio", tmp_path / "a")
    cells = {cell.get("id"): cell for cell in ElementTree.parse(tmp_path / "a").getroot().iter("mxCell")}
    seen: set[str | None] = {None}
    inside: dict[str | None, list[tuple[int, int, int, int]]] = {}
    for name, cell in cells.items():
        assert cell.get("parent") in seen
        seen.add(name)
        if cell.get("vertex"):
            geometry = cell[0]
            x, y, width, height = (int(geometry.get(side) or "") for side in ("x", "y", "width", "height"))
            inside.setdefault(cell.get("parent"), []).append((x, y, x + width, y + height))
        if cell.get("edge"):
            assert cells[cell.get("source")].get("vertex") == cells[cell.get("target")].get("vertex") == "1"
    labels = [cell.get("value") for cell in cells.values()]
    assert "cabinet[4] : Cabinet" in labels
    assert labels.count("32 × Copper, 56 GB/s") == 1
    assert len([cell for cell in cells.values() if cell.get("edge")]) == 3
    for parent, boxes in inside.items():
        for one, two in combinations(boxes, 2):
            assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
        if parent != "1":
            room = cells[parent][0]
            assert max(box[2] for box in boxes) <= int(room.get("width") or "")
            assert max(box[3] for box in boxes) <= int(room.get("height") or "")


def test_containerlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields of the published schema (schemas/clab.schema.json); an interface has one link, and eth0 none."""
    found = export.write(fabric(), "containerlab", tmp_path / "a")
    assert [d.code for d in found] == ["UB0805", "UB0806"]
    lab = yaml.safe_load((tmp_path / "a").read_text())
    assert lab.keys() == {"name", "topology"}
    topology = lab["topology"]
    assert topology.keys() == {"kinds", "groups", "nodes", "links"}
    assert len(topology["nodes"]) == fabric().device_count
    assert (
        {node["group"] for node in topology["nodes"].values()} == set(topology["groups"]) == {"chip", "leaf", "spine"}
    )
    ends = [end for link in topology["links"] for end in link["endpoints"]]
    assert len(topology["links"]) == fabric().cable_count
    assert len(set(ends)) == len(ends)
    for end in ends:
        node, _, interface = end.partition(":")
        assert node in topology["nodes"]
        assert re.fullmatch(r"eth[1-9]\d*", interface)
    device, port = int(fabric().a_device[5]), int(fabric().a_port[5])
    assert topology["links"][5]["endpoints"][0].endswith(f":eth{port + 1}")
    assert list(topology["nodes"])[device] == topology["links"][5]["endpoints"][0].split(":")[0]
    from unifiedbus_dsl.export.formats import containerlab

    monkeypatch.setattr(containerlab, "MOST_DEVICES", 10)
    with pytest.raises(export.CannotExportError, match="more containers"):
        export.write(fabric(), "containerlab", tmp_path / "b")


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
