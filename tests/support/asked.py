"""The shipped specs, each compiled once and asked once: its own questions, and those of the comparison.

What a run of the tests asks of a machine it asks in one go, so that symmetries are searched once.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis.run import Report, analyze
from unifiedbus_dsl.compiler import Compilation

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
VENDORS = {
    "huawei": "Huawei",
    "nvidia": "NVIDIA",
    "google": "Google",
    "aws": "AWS",
    "amd": "AMD",
    "others": "Others",
    "textbook": "Textbook networks",
}
"""Folders of machines, in order of the pages, with their names."""


MACHINES = (
    ("huawei/atlas-850", "cluster", "Atlas 850, 1,024 NPUs"),
    ("huawei/atlas-900-superpod", "superpod", "Atlas 900 A3 SuperPoD"),
    ("huawei/atlas-950-1024", "superpod", "Atlas 950 SuperPoD, 1,024 NPUs"),
    ("huawei/atlas-950-superpod", "superpod", "Atlas 950 SuperPoD"),
    ("huawei/atlas-950-supercluster", "cluster", "Atlas 950 SuperCluster"),
    ("huawei/atlas-960-superpod", "superpod", "Atlas 960 SuperPoD"),
    ("huawei/atlas-960-supercluster", "cluster", "Atlas 960 SuperCluster"),
    ("huawei/taishan-950", "superpod", "TaiShan 950 SuperPoD"),
    ("huawei/ub-mesh", "pod", "UB-Mesh pod"),
    ("huawei/ub-mesh", "mesh", "UB-Mesh SuperPod"),
    ("nvidia/dgx", "h100", "DGX H100"),
    ("nvidia/dgx", "b200", "DGX B200"),
    ("nvidia/dgx-superpod", "h100_4su", "DGX SuperPOD H100, 4 SU"),
    ("nvidia/dgx-superpod", "b200_4su", "DGX SuperPOD B200, 4 SU"),
    ("nvidia/dgx-superpod", "b200_16su", "DGX SuperPOD B200, 16 SU"),
    ("nvidia/gb200-nvl72", "rack", "GB200 NVL72"),
    ("nvidia/vera-rubin", "nvl72", "Vera Rubin NVL72"),
    ("nvidia/vera-rubin", "nvl576", "Rubin Ultra NVL576"),
    ("google/tpu", "v4", "TPU v4 pod"),
    ("google/tpu", "v5p", "TPU v5p pod"),
    ("google/tpu", "ironwood", "Ironwood pod"),
    ("google/tpu-8i", "pod", "TPU 8i pod"),
    ("aws/trn2-ultraserver", "ultraserver", "Trn2 UltraServer"),
    ("amd/mi300x", "platform", "MI300X platform"),
    ("amd/helios", "rack", "Helios"),
    ("others/alibaba-hpn", "pod", "Alibaba HPN 7.0 pod"),
    ("others/frontier", "frontier", "Frontier"),
    ("others/meta-24k", "cluster", "Meta 24K"),
)
"""What is compared: spec, system, and its name on the page."""
REDUCED = "1 GiB"
"""Size of the all-reduce that the machines are compared by."""
SHEET = "comparison"
"""Name of the block that asks what the machines are compared by."""


ALL = ("tiers", "bisection", "diameter", "latency", "throughput", "optimal_time")
ONCE = {
    "google/tpu": ("optimal_time",),
    "others/frontier": ("optimal_time",),
    "huawei/atlas-950-supercluster": ("bisection", "latency", "optimal_time"),
    "huawei/atlas-960-supercluster": ("bisection", "latency", "optimal_time"),
}
"""What takes minutes: asked when the page is made, while the tests hold the row against sums by hand
(`test_superclusters.py`, `test_pages.py`)."""
CORNER = {
    "huawei/atlas-950-supercluster": "pod[56].cabinet[112].npu[0, 0]",
    "huawei/atlas-960-supercluster": "pod[63].cabinet[160].npu[0, 0]",
}
"""An NPU in a corner of the site, opposite which stands the farthest. Lengths make each of the thousands of cabinets
another case, so latency is asked to this one only; the tests add up the length of such a path by hand."""


PLANES = {"huawei/atlas-900-superpod": "UB"}
"""The plane that carries all-to-all where the machine has another with fewer cables on a path, which is slower."""


def end_points(spec: str) -> str:
    """What a machine is built for."""
    return "all cpu" if spec == "huawei/taishan-950" else "all npu"


def sheet(spec: str, *, whole: bool = False) -> str:
    """The questions of the comparison about the systems of a spec, as text in the language; with `whole` those that
    take minutes too."""
    ends = end_points(spec)
    asked = {
        "latency": f"{ends} -> {CORNER[spec]}" if spec in CORNER else ends,
        "throughput": f"alltoall({ends}, over = {PLANES[spec]})" if spec in PLANES else f"alltoall({ends})",
        "optimal_time": f"allreduce({ends}, size = {REDUCED})",
    }
    measures = [each for each in ALL if whole or each not in ONCE.get(spec, ())]
    lines = "".join(f"  {measure}({asked.get(measure, ends)})\n" for measure in measures)
    systems = [system for name, system, _ in MACHINES if name == spec]
    return "".join(f"\nanalyze {SHEET}_{system} of {system} {{\n{lines}}}\n" for system in systems)


def specs() -> list[str]:
    """All machines and parts, such as `huawei/ascend`, in order of the pages; the standard library is none."""
    return [f"{vendor}/{path.stem}" for vendor in VENDORS for path in sorted((SPECS / vendor).glob("*.ubus"))]


@cache
def compiled(spec: str) -> Compilation:
    """A spec, compiled."""
    return compiler.compile(SPECS / f"{spec}.ubus")


@cache
def report(spec: str, *, whole: bool = False) -> Report:
    """The answers to the questions of a spec and to those of the comparison, all scenarios included."""
    path = SPECS / f"{spec}.ubus"
    text = path.read_text(encoding="utf-8") + sheet(spec, whole=whole)
    done = compiler.compile_text(text, path.name, search=[path.parent])
    assert not done.diagnostics, [each.message for each in done.diagnostics]
    return analyze(done)
