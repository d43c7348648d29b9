"""Matrices of capacities, read by SciPy, against a loop over the cables."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from scipy.io import mmread

from tests.export.machines import fabric
from unifiedbus_dsl import export
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.from_fabric import arc_kinds
from unifiedbus_dsl.ir.fabric import Fabric

TEXT = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper }
npu Chip { port x[4] : UB x2 @open }
switch Hub { port x[8] : UB x2 }
rack Pair {
  chip[2] : Chip
  hub : Hub
  connect chip[i].x[j] -- hub.x[4*i + j] over Wire(1 m) for i, j
}
system pair : Pair
scenario Cut of pair { fail chip[1] }
"""


def by_cables(machine: Fabric, gone: frozenset[int] = frozenset()) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The matrix cable by cable."""
    capacity = arc_kinds(machine).capacity_Bps
    matrix = np.zeros((machine.device_count, machine.device_count))
    for a, b, kind in zip(machine.a_device.tolist(), machine.b_device.tolist(), machine.kind.tolist(), strict=True):
        if not {a, b} & gone:
            matrix[a, b] += capacity[kind]
            matrix[b, a] += capacity[kind] if a != b else 0.0
    return matrix


def names_in(path: Path) -> list[str]:
    lines = path.read_text("ascii").splitlines()
    return [line.split(" ", 2)[2] for line in lines if line.startswith("% ") and line.split(" ", 2)[1].isdigit()]


@pytest.mark.parametrize("machine", [fabric(), compile_text(TEXT).fabric("pair")], ids=["pod", "pair"])
def test_scipy_reads_what_the_cables_carry(machine: Fabric, tmp_path: Path) -> None:
    path = tmp_path / "machine.mtx"
    export.write(machine, "mtx", path)
    read = mmread(path)
    assert read.shape == (machine.device_count, machine.device_count)
    assert np.array_equal(read.toarray(), by_cables(machine))
    assert names_in(path) == [f'"{name}"' for name in machine.device_names(np.arange(machine.device_count))]


def test_what_a_scenario_takes_is_left_out_and_rows_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pair.ubus").write_text(TEXT)
    machine = compile_text(TEXT).fabric("pair")
    assert main(["export", "pair.ubus", "--to", "mtx", "--scenario", "Cut", "-o", "-"]) == 0
    written = capsys.readouterr().out
    assert "chip[0]" in written
    assert "chip[1]" not in written
    read = mmread(io.StringIO(written)).toarray()
    gone = frozenset({machine.device_id("chip[1]")})
    assert np.array_equal(read, by_cables(machine, gone))
    assert read.any()
