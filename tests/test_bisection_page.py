"""The table of bisections in the documentation: what it says of a shipped machine is what is worked out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.solver.bisection.bisection import METHODS, bisection
from unifiedbus_dsl.solver.bisection.search import Heuristic
from unifiedbus_dsl.solver.network_context import NetworkContext

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (\w+/[\w-]+\.ubus) \| (\w+) \| ([\d,.]+) \| (exact|[\d,.]+) \|$", re.MULTILINE)
TABLE = ROW.findall((ROOT / "docs" / "bisection.md").read_text(encoding="utf-8"))
SMALL = (
    "mi300x", "trn2", "twisted", "helios", "dgx.ubus", "ub-mesh-racks", "gb200", "nvl72", "textbook", "taishan",
)  # fmt: skip
SLOWER = ("4x8x8", "rail-only", "three-tier")
LARGE = ("supercluster", "frontier.ubus | frontier", "tpu-8i")
"""Many seconds or gigabytes each: they were asked once, for the page."""


def rows() -> list[object]:
    found = []
    for file, system, lower, upper in TABLE:
        name = f"{file} | {system}"
        if any(word in name for word in LARGE):
            continue
        small = any(word in name for word in SMALL) and not any(word in name for word in SLOWER)
        marks = () if small else (pytest.mark.slow,)
        found.append(pytest.param(file, system, lower, upper, id=f"{file}-{system}", marks=marks))
    return found


def number(text: str) -> float:
    return float(text.replace(",", "")) * 1e9


@pytest.mark.parametrize(("file", "system", "lower", "upper"), rows())
def test_the_table(file: str, system: str, lower: str, upper: str) -> None:
    compilation = compile(ROOT / "specs" / file)
    machine = NetworkContext(compilation.fabric(system))
    kinds = [device.kind for device in machine.fabric.plan.devices.values()]
    kind = "npu" if "npu" in kinds else "cpu"
    chosen = np.array([each == kind for each in kinds])[machine.fabric.device_type[machine.network.end_device]]
    found = bisection(machine.symmetry, np.flatnonzero(chosen)).capacity
    assert found.kind == ("exact" if upper == "exact" else "interval")
    assert found.lower == pytest.approx(number(lower), abs=0.06e9)
    assert found.upper == pytest.approx(number(lower if upper == "exact" else upper), abs=0.06e9)


def test_every_shipped_system_is_in_the_table() -> None:
    said = {(file, system) for file, system, _, _ in TABLE}
    for path in sorted((ROOT / "specs").glob("*/*.ubus")):
        for system in re.findall(r"^system (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert (str(path.relative_to(ROOT / "specs")), system) in said


def test_the_order_of_the_methods_is_that_of_the_page() -> None:
    page = (ROOT / "docs" / "bisection.md").read_text(encoding="utf-8")
    ways = ["from above" if isinstance(method, Heuristic) else "from below" for method in METHODS]
    told = [f"{n}. {way}: {method.name}\n" for n, (way, method) in enumerate(zip(ways, METHODS, strict=True), 1)]
    assert "".join(told) in page
