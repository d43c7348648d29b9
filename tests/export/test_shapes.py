"""Rings and toruses for Slurm, trees without what a scenario takes."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.export.label_sheets import sheets
from tests.export.machines import PODS, compiled
from unifiedbus_dsl import export
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.export.base import ExportInput, OutageMask
from unifiedbus_dsl.export.common.hostlist import unfold
from unifiedbus_dsl.export.formats.slurm_shapes import boxes, torus_dims

NODES = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 9 m; delay = 4.5 ns/m }
npu Chip { port x[6] : UB x4; transit x }
node Server { npu : Chip; port x = npu.x }
"""
TORUS = NODES + ("rack R { server[2, 3, 4] : Server; connect server.x as torus over Copper(1 m) }\nsystem r : R\n")


def ring(count: int) -> str:
    """Two rings, and a switch that joins them."""
    return NODES + (
        "switch Hub { port p[2] : UB x4 }\n"
        f"rack R {{ server[{count}] : Server; connect server.x[0..1] as ring over Copper(1 m)\n"
        f"  port up = server[0].x[5]\n  open server[0].x[2..4], server[1..{count - 1}].x[2..5] }}\n"
        "module Two { rack[2] : R; hub : Hub; connect rack[r].up -- hub.p[r] over Copper(1 m) for r }\n"
        "system two : Two\n"
    )


def written(text: str, form: str, tmp_path: Path) -> Any:
    export.write(compiled(text).fabric(), form, tmp_path / "t.yaml")
    (topology,) = yaml.safe_load((tmp_path / "t.yaml").read_text())
    assert next(iter(topology)) == "topology"
    return topology


def joined(text: str) -> set[frozenset[str]]:
    """Pairs of servers with a cable between them, from the names of cables."""
    graph = compiled(text).fabric().to_networkx()
    legal = {
        name: "-".join(part.replace("[", "").replace("]", "").replace(", ", "-") for part in name.split(".")[:-1])
        for name in graph
        if name.endswith("npu")
    }
    return {frozenset((legal[a], legal[b])) for a, b in graph.edges() if a in legal and b in legal}


def test_rings_are_in_order(tmp_path: Path) -> None:
    topology = written(ring(6), "slurm-ring", tmp_path)
    cables = joined(ring(6))
    rings = topology["ring"]["rings"]
    assert [each["ring"] for each in rings] == ["rack0-server0-ring", "rack1-server0-ring"]
    for each in rings:
        nodes = unfold(each["nodes"])
        assert len(nodes) == 6
        assert all(frozenset(pair) in cables for pair in pairwise([*nodes, nodes[0]]))


def test_a_torus_has_x_fastest(tmp_path: Path) -> None:
    (torus,) = written(TORUS, "slurm-torus", tmp_path)["torus3d"]["toruses"]
    x, y, z = (torus["dims"][axis] for axis in "xyz")
    assert (x, y, z) == (4, 3, 2)
    nodes = np.asarray(unfold(torus["nodes"])).reshape(z, y, x)
    wanted = {
        frozenset((str(a), str(b)))
        for axis in range(3)
        for a, b in zip(nodes.ravel(), np.roll(nodes, -1, axis).ravel(), strict=True)
    }
    assert wanted == joined(TORUS)
    found = [tuple(p["dims"].values()) for p in torus["placements"]]
    assert found == boxes((4, 3, 2))
    assert set(found) == {(x, y, z) for x in (1, 2, 4) for y in (1, 3) for z in (1, 2)}


def anchors(torus: tuple[int, int, int], box: tuple[int, int, int]) -> list[set[int]]:
    """The nodes of each place that Slurm gives a job of the size of a box, whose anchors are as far apart as it is wide
    (`_build_placement_anchors` in torus3d_record.c)."""
    at = np.arange(np.prod(torus)).reshape(torus[::-1])
    spread = product(*(range(0, side, step) for side, step in zip(torus, box, strict=True)))
    reach = [np.ogrid[tuple(slice(a, a + step) for a, step in zip(anchor, box, strict=True))] for anchor in spread]
    return [set(at[z % torus[2], y % torus[1], x % torus[0]].ravel().tolist()) for x, y, z in reach]


@pytest.mark.parametrize("torus", [(4, 3, 2), (8, 6, 4), (7, 1, 1), (16, 16, 24)])
def test_every_size_of_box_runs_wherever_nodes_are_free(torus: tuple[int, int, int]) -> None:
    """Of each box the places cover every node once, so that no free node is out of reach of the smaller jobs."""
    found = boxes(torus)
    sizes = [x * y * z for x, y, z in found]
    assert sizes == sorted(sizes, reverse=True)
    assert {torus, (1, 1, 1)} <= set(found)
    for box in found:
        places = anchors(torus, box)
        assert {len(place) for place in places} == {box[0] * box[1] * box[2]}
        assert sum(map(len, places)) == np.prod(torus) == len(set().union(*places))


def test_sizes_that_slurm_refuses_are_told(tmp_path: Path) -> None:
    (told,) = [d for d in export.write(compiled(TORUS).plan, "slurm-torus", tmp_path / "t") if d.code == "UB0806"]
    assert "any other number of nodes: 1, 2, 3, 4, 6, 8, 12, 24 run" in told.message


def test_what_is_no_such_shape(tmp_path: Path) -> None:
    for text, form, words in (
        (PODS, "slurm-ring", "join directly"),
        (TORUS, "slurm-ring", "are no ring"),
        (ring(17), "slurm-ring", "at most 16"),
        (ring(6).replace("as ring", "as line"), "slurm-torus", "no torus"),
    ):
        with pytest.raises(export.CannotExportError, match=words):
            export.write(compiled(text).plan, form, tmp_path / "no")
    assert torus_dims(4, np.asarray([[0, 1], [0, 3], [1, 2], [2, 3]])) == (4, 1, 1)
    assert torus_dims(4, np.asarray([[0, 1], [0, 2], [1, 3], [2, 3]])) == (2, 2, 1)
    assert torus_dims(4, np.asarray([[0, 1], [0, 2], [0, 3]])) is None


# ---- after a failure ------------------------------------------------------------------------------------------


def test_a_failed_rack_leaves_a_gap(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names of all others stay as they are without the scenario."""
    path = tmp_path / "pod.ubus"
    path.write_text(PODS + "scenario Down of pod { fail cabinet[1]; fail cabinet[2].server[0].npu[0] }\n")
    lists = []
    for extra in ([], ["--scenario", "Down"]):
        assert main(["export", str(path), "--to", "slurm-tree", "-o", "-", *extra]) == 0
        lists.append(capsys.readouterr().out.splitlines())
    assert lists[1][0] == "SwitchName=pod Switches=cabinet[0,2-3]"
    assert lists[1][1:] == [line for line in lists[0][1:] if "cabinet1" not in line]
    assert main(["export", str(path), "--to", "json", "--scenario", "Down", "-o", str(tmp_path / "left.json")]) == 0
    assert main(["export", str(path), "--to", "simgrid", "--scenario", "Down"]) == 1
    assert "formats that can: cables" in capsys.readouterr().err
    assert main(["diff", str(path), str(tmp_path / "left.json")]) == 1
    said = capsys.readouterr().out
    # a rack of 16 NPUs and 2 switches, and one NPU; their 24 + 32 + 4 cables, and 3 + 2
    assert "19 missing devices" in said
    assert "65 missing cables" in said
    assert "extra" not in said


@pytest.mark.parametrize("form", [name for name in export.FORMATS if export.find(name).supports_outages])
def test_every_format_that_leaves_out_does(form: str, tmp_path: Path) -> None:
    machine = compiled(PODS).fabric()
    devices = np.zeros(machine.device_count, dtype=bool)
    start, stop = machine.blocks("rack")
    devices[start[1] : stop[1]] = True
    cables = devices[machine.a_device] | devices[machine.b_device]
    sink = export.Sink()
    subject = ExportInput(machine.plan, lambda: machine, gone=OutageMask("Down", devices, cables, 3))
    found = export.find(form)
    target = tmp_path / "out"
    if found.is_folder:
        target.mkdir()
    export.write_subject(subject, found, target, sink)
    assert "3 cables that are only slower" in " ".join(d.message for d in sink)
    if form == "parquet":  # compressed
        parquet = pytest.importorskip("pyarrow.parquet")
        names = parquet.read_table(target / "devices.parquet")["name"].to_pylist()
        left = [machine.device_name(device) for device in np.flatnonzero(~devices).tolist()]
        assert names == left
        assert parquet.read_table(target / "cables.parquet").num_rows == int((~cables).sum())
        return
    files = list(target.iterdir()) if found.is_folder else [target]
    data = b"".join(file.read_bytes() for file in files)
    if form == "labels":  # texts are in codes of their fonts
        data = "".join(line[3] for page in sheets(target) for line in page).encode()
    assert b"cabinet[1]" not in data
    assert b"cabinet1" not in data
    assert b"cabinet[2]" in data or b"cabinet2" in data or b"2-3" in data
