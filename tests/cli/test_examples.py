"""The examples in the help of each command run, on a machine that has all that they name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.conftest import Run
from unifiedbus_dsl.cli.app import group
from unifiedbus_dsl.cli.commands import COMMANDS

MACHINE = """ubus 1
protocol NDR { lane = 100 Gbps; latency = 100 ns }
link NdrFibre : NDR { medium = optical; reach = 100 m; delay = 5 ns/m; cost = 300 USD }
link Copper : NDR { medium = copper; reach = 3 m; delay = 5 ns/m; cost = 40 USD }
npu Chip {
  port up : NDR x4; cost = 100 USD; bf16 = 400 TFLOPS; memory = 640 GB; hbm = 2 TB/s
  gemm_efficiency = 60%; hbm_efficiency = 60%; launch = 5 us; fabric_efficiency = 60%
}
model Tiny { layers = 8; hidden = 2048; heads = 16; ffn = 8192; vocab = 32000 }
switch Leaf(uplinks) { latency = 200 ns; cost = 50 USD; port down[4] : NDR x4; port up[uplinks] : NDR x4 }
switch Spine(ports) { latency = 200 ns; cost = 90 USD; port p[ports] : NDR x4 }
rack Cabinet(uplinks = 2) {
  npu[4] : Chip
  leaf   : Leaf(uplinks = uplinks)
  connect npu[i].up -- leaf.down[i] over Copper(1 m) for i
  port up = leaf.up
}
superpod Pod(racks = 18, uplinks = 2) {
  npu[4, 2]   : Chip
  rack[racks] : Cabinet(uplinks = uplinks)
  spine[uplinks] : Spine(ports = racks + 8)
  connect rack[r].up[u] -- spine[u].p[r] over NdrFibre(20 m) for r in 0..<racks, u
  connect npu[i, j].up -- spine[0].p[racks + 2*i + j] over NdrFibre(20 m) for i, j
  open spine[1..<uplinks].p
}
system full : Pod
system half : Pod(racks = 9)
system lab : Pod
traffic moe of full = alltoall(all npu)
workload pretrain of full = train(Tiny, batch = 330, sequence = 512, tensor = 8)
scenario Cut of full { fail rack[3].leaf.up[1] }
view plan of full { title "the plan" }
explore uplinks of full {
  vary uplinks in 1..3
  minimize cost()
  maximize bisection(all npu)
}
"""
DISCOVERED = """\
switchguid=0x51(51)
Switch\t4 "S-0000000000000051"\t\t# "leaf0" base port 0 lid 1 lmc 0
[1]\t"H-00000000000000a1"[1](a1) \t\t# "host0 mlx5_0" lid 2 4xNDR
[2]\t"H-00000000000000a2"[1](a2) \t\t# "host1 mlx5_0" lid 3 4xNDR

caguid=0xa1
Ca\t1 "H-00000000000000a1"\t\t# "host0 mlx5_0"
[1](a1) \t"S-0000000000000051"[1]\t\t# lid 2 lmc 0 "leaf0" lid 1 4xNDR

caguid=0xa2
Ca\t1 "H-00000000000000a2"\t\t# "host1 mlx5_0"
[1](a2) \t"S-0000000000000051"[2]\t\t# lid 3 lmc 0 "leaf0" lid 1 4xNDR
"""
"""What `ibnetdiscover` prints of two hosts at a switch."""
SERVES = ("watch", "lsp")
"""What runs until it is stopped; `test_watch` and the tests of the editor do so."""


def examples() -> Iterator[tuple[str, str]]:
    """Yield the command of each help with each line of it that shows a use."""
    with click.Context(group, info_name="ubusc") as whole:
        for name in ("ubusc", *COMMANDS):
            command = group if name == "ubusc" else group.get_command(whole, name)
            assert command is not None
            for line in (command.help or "").splitlines():
                if line.strip().startswith("ubusc "):
                    yield name, re.split(r" {2,}(?=\S)", line.strip())[0]


def words_of(line: str) -> tuple[list[str], str | None]:
    """Return what `ubusc` is given of a line, and the file that stands for its input; few draws in place of many."""
    line = re.sub(r"--(draws|samples) \d+", r"--\1 3", line)
    line, _, source = re.sub(r" (\||>) .*", "", line).partition(" < ")
    return [each.replace("~", "home") for each in shlex.split(line)[1:]], source or None


CASES = [line for name, line in examples() if name not in SERVES and "dask://" not in line]


def test_there_are_many() -> None:
    assert len(CASES) > 45
    assert {name for name, _ in examples()} >= {*COMMANDS, "ubusc"} - {"completion"}


@pytest.fixture
def folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("machine", "old", "new", "specs/one", "racks/a/one"):
        (tmp_path / f"{name}.ubus").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{name}.ubus").write_text(MACHINE)
    assert run("fmt", "machine.ubus", "old.ubus", "new.ubus", "specs", "racks").status == 0
    (tmp_path / "ibnetdiscover.txt").write_text(DISCOVERED)
    for form, name in (("graphml", "discovered.graphml"), ("cables", "discovered.csv")):
        assert run("export", "machine.ubus", "--to", form, "-o", name).status == 0
    assert run("import", "discovered.graphml", "-o", "found.npz").status == 0
    (tmp_path / "site.csv").write_text("path,name\nrack[3].leaf,leaf0\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("line", CASES)
def test_runs(line: str, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    words, source = words_of(line)
    with (folder / (source or "machine.ubus")).open() as given:
        monkeypatch.setattr("sys.stdin", given)
        done = run(*words)
    assert done.status in ((0, 1) if words[0] == "diff" else (0,)), done.err
    assert "error" not in done.err
