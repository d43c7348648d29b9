"""UB-Mesh's racks (arXiv:2503.20377) re-derived: training on three of them against a Clos."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from tests.workload.test_model import LLAMA
from unifiedbus_dsl import solve
from unifiedbus_dsl.compiler import compile as compile_file
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.training import Training

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "workloads.md"
LLAMA2 = evolve(LLAMA["70B"], vocab=32000)
PAPER = {"mesh2d": ("2D-FM", 95.5), "mesh1da": ("1D-FM-A", 98.1), "mesh1db": ("1D-FM-B", 99.2)}
"""Throughput for sequences of 8,192 to 32,768 tokens, of that of a Clos."""


@pytest.fixture(scope="module")
def racks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fabric]:
    """The racks with an NPU of the 950DT in each place."""
    folder = tmp_path_factory.mktemp("racks")
    text = (ROOT / "specs/huawei/ub-mesh-racks.ubus").read_text(encoding="utf-8")
    (folder / "racks.ubus").write_text(text.replace(": Ascend950\n", ": Ascend950DT\n"))
    (folder / "ascend.ubus").symlink_to(ROOT / "specs/huawei/ascend.ubus")
    made = compile_file(folder / "racks.ubus")
    return {system: made.fabric(system) for system in ("clos", *PAPER)}


def step_s(fabric: Fabric, sequence: int) -> float:
    """Eight tensor ranks on a board, eight context ranks across the boards."""
    asked = Training(LLAMA2, 64, sequence, 1, Layout(tensor=8, context=8), shard="optimizer")
    return solve.training_step(fabric, asked, "all npu").step_s


def test_racks_against_a_clos(racks: dict[str, Fabric]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for system, (name, claimed) in PAPER.items():
        shares = [100 * step_s(racks["clos"], n) / step_s(racks[system], n) for n in (8192, 32768)]
        assert all(90 < share <= 100 for share in shares)
        error = sum(shares) / 2 - claimed
        line = f"| {name} | {shares[0]:.1f} % | {shares[1]:.1f} % | {claimed} % | {error:+.1f} |"
        assert line in text, line
