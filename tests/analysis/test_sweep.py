"""Collectives by the size of the message: closed forms, groups that contend, and what is shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.analysis.test_language import HEAD, LEAVES, LINK, refused, values
from tests.cli.conftest import Run, run  # noqa: F401 - a fixture
from unifiedbus_dsl.figures.plots import by_size

HOP = 155e-9
"""One cable of 1 m: protocol 100 ns, link 50 ns, 5 ns of copper."""

BOARD = """
npu Chip { port x[7] : UB x4; transit x }
rack Board { npu[8] : Chip; connect npu.x as fullmesh over Wire(1 m) }
system m : Board
"""

STAR = """
npu Chip { port p : UB x4 }
switch Leaf { latency = 200 ns; port down[8] : UB x4 }
rack Star { npu[8] : Chip; leaf : Leaf; connect npu[n].p -- leaf.down[n] over Wire(1 m) for n }
system m : Star
"""


def test_full_mesh_by_size() -> None:
    """Direct: two steps of one hop, n - 1 pieces of size / n at once over a cable each; ring: 2 (n - 1) steps over one.

    The bound is 2 (n - 1) / n · size over the seven cables, which direct meets but for the latency."""
    (found,) = values(BOARD, "sweep(allreduce(all npu))")
    rows = found.detail["sweep"]
    assert [row["size"] for row in rows] == [2.0**k for k in range(10, 35)]
    for row in rows:
        size = row["size"]
        direct, ring = row["algorithms"]["direct"], row["algorithms"]["ring"]
        assert direct["time"] == pytest.approx(2 * (HOP + size / 8 / LINK))
        assert ring["time"] == pytest.approx(14 * (HOP + size / 8 / LINK))
        assert direct["algbw"] == pytest.approx(size / direct["time"])
        assert direct["busbw"] == pytest.approx(14 / 8 * direct["algbw"])
        assert row["best"] == "direct"
        assert row["efficiency"] == pytest.approx(14 / 8 * size / (7 * LINK) / direct["time"])
    assert found.value == pytest.approx(rows[-1]["busbw"])


def test_switch_by_size() -> None:
    """All-gather: n - 1 pieces over one port, two cables and a switch away; tree: gather pieces, spread the whole."""
    (found,) = values(STAR, "sweep(allgather(all npu))")
    path = 2 * HOP + 200e-9
    for row in found.detail["sweep"]:
        size = row["size"]
        assert row["algorithms"]["direct"]["time"] == pytest.approx(path + 7 / 8 * size / LINK)
        assert row["algorithms"]["ring"]["time"] == pytest.approx(7 * (path + size / 8 / LINK))
        gather = sum(path + pieces / 8 * size / LINK for pieces in (1, 2, 4))
        assert row["algorithms"]["tree"]["time"] == pytest.approx(gather + 3 * (path + size / LINK))


def test_small_messages_want_few_steps_and_large_ones_few_bytes() -> None:
    """Broadcast on a switch: the tree sends all of it three times, a scatter and a ring the pieces once each way."""
    (found,) = values(STAR, "sweep(broadcast(all npu))")
    names = [row["best"] for row in found.detail["sweep"]]
    assert names[0] == "direct"
    assert names[-1] != "direct"
    by = {name: names.index(name) for name in names}
    assert names == sorted(names, key=lambda name: by[name]), "an algorithm is the fastest over a range of sizes"


def test_groups_across_contend_and_groups_within_do_not() -> None:
    """Two cables up a leaf of six hosts: a ring in each leaf has its own ports, rings across share the two cables, so
    each of six has a third of one."""
    ring = ", algorithm = ring, size = 3 GB"
    within, across, alone = values(
        LEAVES,
        f"time(allgather(all npu, groups = 4){ring}); time(allgather(all npu, groups = 6, stride = 6){ring});"
        f"time(allgather(npu[*, 0]){ring})",
        "thin",
    )
    assert within.detail["bandwidth_s"] == pytest.approx(5 * 0.5e9 / LINK)
    assert across.detail["bandwidth_s"] == pytest.approx(3 * 0.75e9 * 3 / LINK)
    assert alone.detail["bandwidth_s"] == pytest.approx(3 * 0.75e9 / LINK)


def test_what_the_table_shows() -> None:
    (found,) = values(BOARD, "sweep(allreduce(all npu), algorithm = direct)")
    assert found.lines[0].split() == [
        "size",
        "fastest",
        "time",
        "algbw",
        "GB/s",
        "busbw",
        "GB/s",
        "efficiency",
        "direct",
    ]
    assert len(found.lines) == 26
    assert found.lines[1].split()[:5] == ["1", "KiB", "direct", "314.6", "ns"]
    assert found.lines[-1].split()[:3] == ["16", "GiB", "direct"]
    assert "99.9996%" in found.lines[-1]
    assert len({len(line) for line in found.lines}) == 1


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("sweep(shift(all npu))", "no collective"),
        ("sweep(allreduce(all npu), algorithm = fast)", "`algorithm` is one of"),
        ("sweep(allreduce(all npu), size = 1 GiB)", "takes `algorithm`"),
        ("sweep(alltoall(all npu), algorithm = tree)", "no tree"),
    ],
)
def test_what_cannot_be_swept(question: str, words: str) -> None:
    (found,) = refused(BOARD, question)
    assert words in found.message


def test_from_the_command_line(run: Run, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "m.ubus").write_text(HEAD + STAR + "traffic dp of m = allreduce(all npu, size = 1 MiB)\n")
    text = run("analyze", "m.ubus", "--ask", "sweep(dp)")
    assert text.status == 0
    assert "16 GiB" in text.out
    data = json.loads(run("analyze", "m.ubus", "--ask", "sweep(dp)", "--json").out)
    row = data["measures"][0]["detail"]["sweep"][20]
    assert row["size"] == 2**30
    assert row["busbw"] == pytest.approx(14 / 8 * 2**30 / row["time"])


def test_plot(run: Run, tmp_path: Path) -> None:  # noqa: F811
    pytest.importorskip("matplotlib")
    (tmp_path / "m.ubus").write_text(HEAD + STAR + "traffic dp of m = allreduce(all npu)\n")
    assert run("render", "m.ubus", "--plot", "dp").out == "m.sweep.svg\n"
    drawn = (tmp_path / "m.sweep.svg").read_text()
    for name in ("halving_doubling", "ring", "no schedule beats", "16 GiB", "m: dp"):
        assert name in drawn
    assert run("render", "m.ubus", "--plot", "allgather(all npu)", "-o", "a.png").status == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    wrong = run("render", "m.ubus", "--plot", "shift(all npu)", "-o", "b.svg")
    assert wrong.status == 2
    assert "no collective" in wrong.err
    assert not (tmp_path / "b.svg").exists()
    (found,) = values(STAR, "sweep(allreduce(all npu))")
    assert by_size(found.detail["sweep"], "t", "svg") == by_size(found.detail["sweep"], "t", "svg")
