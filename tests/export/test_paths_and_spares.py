"""What simulators are told of pairs without a path and of spares: neither may be taken for a working sender."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.export.machines import compiled
from unifiedbus_dsl import export

HEAD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
protocol PC { lane = 32 Gbps; latency = 50 ns }
link Wire : UB { medium = copper; reach = 5 m }
link Slot : PC { medium = pcb; reach = 1 m }
npu Chip { port p : UB x4 }
npu Line { port p[2] : UB x4 @open }
switch Sw { latency = 300 ns; port p[16] : UB x4 @open }
"""
SPARES = """
node Server {
  npu[4] : Chip
  spare backup[2] : Chip
  sw : Sw
  connect npu[i].p -- sw.p[i] over Wire(1 m) for i in 0..3
  connect backup[i].p -- sw.p[4 + i] over Wire(1 m) for i in 0..1
  port up = sw.p[8..11]
}
rack Pair { server[2] : Server; connect server[0].up[k] -- server[1].up[k] over Wire(2 m) for k }
system s : Pair
"""
LINE = """
rack Row { npu[4] : Line; connect npu[i].p[1] -- npu[i + 1].p[0] over Wire(1 m) for i in 0..2 }
system s : Row
"""
RAILS = """
npu Host { port p : UB x4; port e : PC x16 }
nic Card { latency = 200 ns; port e : PC x16; port n : UB x4; transit e, n }
node Server {
  npu[2] : Host
  nic[2] : Card
  sw     : Sw
  connect npu[i].p -- sw.p[i] over Wire(0.5 m) for i in 0..1
  connect npu[i].e -- nic[i].e over Slot(0.1 m) for i
  port up = nic.n
}
rack Rails {
  server[2] : Server
  leaf[2]   : Sw
  connect server[s].up[i] -- leaf[i].p[s] over Wire(2 m) for s in 0..1, i in 0..1
}
system s : Rails
"""
"""Two rails that nothing joins: what is not in a server or on a rail has no path."""


def written(text: str, form: str, folder: Path) -> tuple[Path, list[str]]:
    """What is written, and what is told."""
    path = folder / form
    said = export.write(compiled(HEAD + text).fabric("s"), form, path)
    return path, [each.message for each in said]


def flows(folder: Path) -> list[tuple[int, int]]:
    with (folder / "traffic.csv").open(encoding="utf-8", newline="") as file:
        return [(int(row["sourceNode"]), int(row["destNode"])) for row in csv.DictReader(file)]


def test_spares_are_no_npus_of_simulators_that_count_them(tmp_path: Path) -> None:
    text, said = written(SPARES, "astra-sim", tmp_path)
    assert "npus_count: [ 8 ]" in text.read_text()
    assert "4 spare NPUs are left out, as ASTRA-sim would count them as working" in said
    text, said = written(SPARES, "hpcc", tmp_path)
    lines = text.read_text().splitlines()
    assert lines[0] == "10 2 9"  # 8 hosts and 2 switches: 8 links down and one of four cables between
    assert "4 spare NPUs are left out, as HPCC would count them as working" in said
    text, said = written(SPARES, "simai", tmp_path)
    assert text.read_text().splitlines()[0] == "10 4 2 0 9 CHIP"
    assert "4 spare NPUs are left out, as SimAI would count them as working" in said


def test_spares_of_ns3_are_there_and_send_nothing(tmp_path: Path) -> None:
    folder, _ = written(SPARES, "ns3", tmp_path)
    working = [2, 3, 4, 5, 9, 10, 11, 12]  # `backup` comes before `npu`, and `sw` after it
    assert (folder / "topology.csv").read_text().count("\n") == 1 + 12 + 4
    assert flows(folder) == list(zip(working, [*working[1:], working[0]], strict=True))


@pytest.mark.parametrize("form", ["ns3", "booksim", "sst", "hpcc"])
def test_pairs_without_a_path_are_told_with_one_of_them(form: str, tmp_path: Path) -> None:
    _, said = written(RAILS, form, tmp_path)
    told = [message for message in said if "no path" in message]
    # each NPU reaches the other one of its server and that of its rail: four have one that they do not reach
    assert len(told) == 1
    assert told[0].startswith(
        "4 ordered pairs of end points have no path, such as server[1].npu[1] -> server[0].npu[0]"
    )


def test_ns3_starts_no_flow_without_a_path_and_none_from_a_nic(tmp_path: Path) -> None:
    folder, _ = written(LINE, "ns3", tmp_path)
    assert flows(folder) == [(0, 1), (1, 2), (2, 3)]
    folder, _ = written(RAILS, "ns3", tmp_path / "rails")
    assert flows(folder) == [(4, 5), (9, 10)]  # of 4 -> 5 -> 9 -> 10 -> 4 those in a server


def test_tables_name_a_pair_without_a_path(tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match=r"no path to another one, such as npu\[2\] -> npu\[0\]"):
        written(LINE, "routes", tmp_path)


@pytest.mark.parametrize(("text", "told"), [(LINE, "this machine has none"), (SPARES, "this machine has 1")])
def test_htsim_says_how_many_tiers_there_are(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(export.CannotExportError, match=told):
        written(text, "htsim", tmp_path)
