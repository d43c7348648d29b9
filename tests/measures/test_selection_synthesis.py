"""Sets of end points by name: what a name says, read back by the language, is the set."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.compiler import of_fabric
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import spares
from unifiedbus_dsl.measures.selection_synthesis import describe_devices
from unifiedbus_dsl.solver.network_context import NetworkContext

MACHINE = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port up : UB x4 }
cpu Host { port up : UB x4 }
switch Plane { port p[14] : UB x4; port up : UB x4 }
switch Top { port p[6] : UB x4 }
board Blade { npu[2, 2] : Chip; port up = npu.up }
rack Cabinet {
  blade[3] : Blade
  host[2]  : Host
  plane    : Plane
  connect blade[b].up[i, j] -- plane.p[4*b + 2*i + j] over Wire(1 m) for b, i, j
  connect host[h].up -- plane.p[12 + h] over Wire(1 m) for h
  port up = plane.up
}
superpod Pod {
  cabinet[6] : Cabinet
  top : Top
  connect cabinet[c].up -- top.p[c] over Wire(2 m) for c
}
system pod : Pod
"""


@pytest.fixture(scope="module")
def fabric() -> Fabric:
    return compiler.compile_text(MACHINE).fabric()


def matching(fabric: Fabric, pattern: str) -> np.ndarray:
    names = fabric.device_names(np.arange(fabric.device_count))
    return np.flatnonzero([re.fullmatch(pattern, name) is not None for name in names.tolist()])


def meant(fabric: Fabric, text: str) -> np.ndarray:
    """The devices of a selection, as the language understands it."""
    asker = make_evaluator(of_fabric(fabric), NetworkContext(fabric), Sink())
    call = asker.call(measure_calls(f"bisection({text})", Sink())[0])
    return np.asarray(call.selector.devices(call.one()))


NPU = r"\.blade\[.\]\.npu.*"


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        (rf"cabinet\[[0-2]\]{NPU}", ["all npu in cabinet[0..2]"]),
        (rf"cabinet\[[0-2]\](\.host.*|{NPU})", ["cabinet[0..2]"]),
        (rf"cabinet\[[024]\]{NPU}", ["all npu in cabinet[0..4 step 2]"]),
        (rf"cabinet\[.\]{NPU}", ["all npu in cabinet"]),
        (rf"cabinet\[(0|1|2|5)\]{NPU}", []),
        (r"cabinet\[.\]\.blade\[[12]\]\.npu.*", ["cabinet.blade[1..2]"]),
        (r"cabinet\[3\]\.blade\[1\]\.npu\[1, 0\]", ["cabinet[3].blade[1].npu[1, 0]"]),
        (r"cabinet\[.\]\.blade\[.\]\.npu\[., 1\]", ["cabinet.blade.npu[*, 1]"]),
        (r"cabinet\[.\]\.host\[0\]", ["cabinet.host[0]"]),
        (
            r"cabinet\[[0-2]\]\.blade.*|cabinet\[3\]\.blade\[0\].*",
            ["all npu in cabinet[0..2]", "cabinet[3].blade[0]"],
        ),
        (r"cabinet\[0\]\.(host\[1\]|blade\[0\].*)", ["cabinet[0].blade[0]", "cabinet[0].host[1]"]),
        (r"cabinet\[.\]\.plane", ["all switch in cabinet"]),
    ],
)
def test_a_set_by_name(fabric: Fabric, pattern: str, texts: list[str]) -> None:
    wanted = matching(fabric, pattern)
    assert len(wanted)
    found = describe_devices(fabric, wanted, spares(fabric.plan))
    assert list(found) == texts
    if texts:
        assert np.sort(np.concatenate([meant(fabric, text) for text in found])).tolist() == wanted.tolist()


@pytest.mark.parametrize("seed", range(30))
def test_a_name_says_no_more_and_no_less(fabric: Fabric, seed: int) -> None:
    """Boxes of ranges, some devices of them away, spare ones at random."""
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(0, 6, 2))
    picked = matching(fabric, rf"cabinet\[[{low}-{high}]\]\.blade\[[{rng.integers(0, 2)}-2]\].*")
    picked = np.setdiff1d(picked, rng.choice(picked, rng.integers(0, 3)))
    skipped = np.zeros(fabric.device_count, dtype=bool)
    skipped[rng.choice(fabric.device_count, rng.integers(0, 3))] = True
    found = describe_devices(fabric, np.setdiff1d(picked, np.flatnonzero(skipped)), skipped)
    kept = [np.setdiff1d(meant(fabric, text), np.flatnonzero(skipped) if "npu[" not in text else []) for text in found]
    if kept:
        assert np.sort(np.concatenate(kept)).tolist() == np.setdiff1d(picked, np.flatnonzero(skipped)).tolist()


def test_an_answer_names_a_half(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pod.ubus"
    path.write_text(MACHINE, encoding="utf-8")
    assert main(("analyze", str(path), "--system", "pod", "--ask", "bisection(all npu)")) == 0
    assert "one half is all npu in cabinet[0..2]" in capsys.readouterr().out
    assert main(("analyze", str(path), "--system", "pod", "--ask", "bisection(cabinet[1].blade)", "--json")) == 0
    [found] = json.loads(capsys.readouterr().out)["measures"]
    assert found["detail"]["half"] == ["cabinet[1].blade[0]", "cabinet[1].blade[1].npu[0]"]
