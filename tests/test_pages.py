"""The pages that the build makes of the shipped specs say what the specs say now.

Each spec is solved once: its own expectations and scenarios, its part of the table of figures, and its lines of the
comparison.
"""

from __future__ import annotations

import re

import pytest

from tests import comparison, published
from tests.support import asked, near
from unifiedbus_dsl.base.units import RATE

SLOW = frozenset(
    (
        "google/tpu",
        "google/tpu-8i",
        "huawei/atlas-950-superpod",
        "huawei/atlas-950-supercluster",
        "huawei/atlas-960-superpod",
        "huawei/atlas-960-supercluster",
        "huawei/ub-mesh",
        "huawei/atlas-850",
        "huawei/atlas-900-superpod",
        "textbook/three-tier",
        "others/dojo",
        "others/fugaku",
        "nvidia/dgx-superpod",
        "others/alibaba-hpn",
        "others/frontier",
        "others/meta-24k",
    )
)
"""More than about a second."""
MACHINES = [spec for spec in asked.specs() if asked.compiled(spec).systems]
FIGURES = published.PAGE.read_text(encoding="utf-8")
COMPARED = comparison.PAGE.read_text(encoding="utf-8")
WRITE = "run `python -m tests.published` and `python -m tests.comparison`, and look at what changed"


def section(spec: str) -> str:
    """The part of the page of figures that is about a spec; empty where there is none."""
    found = re.search(rf"^### [^\n]+\n\n\[`specs/{spec}\.ubus`\].*?(?=^##|\Z)", FIGURES, re.MULTILINE | re.DOTALL)
    return found[0].rstrip() + "\n" if found else ""


@pytest.mark.parametrize("spec", asked.specs())
def test_counted_figures(spec: str) -> None:
    shown = [line for line in section(spec).splitlines() if line.startswith("| `") and " | count | " in line]
    assert shown == [row.cells() for row in published.rows(spec, solved=False)], WRITE


@pytest.mark.parametrize(
    ("text", "touches"),
    [
        ("512 * 200 Gbps / (73 * 4 * 200 Gbps) == 1.753 within 0.05%", False),
        ("98.5 h / (98.5 h + 13 min) == 99.78%", False),
        ("share == 98.8%", False),  # a name for a constant
        ("max(share, ceil(2.5)) == 3", False),
        ("counted == 3", True),  # a name for what is counted
        ("fp8 == 919 TFLOPS", True),  # a field of the type that the line stands in
        ("count(all npu in pod) / 144 == 56.8", True),
        ("availability(mttr = 75 min) == 98.8%", True),
    ],
)
def test_a_row_must_touch_a_machine(text: str, touches: bool) -> None:
    """A published constant beside an assumed one says nothing of a model."""
    lets = published.lets_of("let share = 98.5 h / (98.5 h + 75 min)\nlet counted = count(all npu)\n")
    assert published.touches_machine(text, lets) is touches


def test_every_figure_is_summed_up() -> None:
    assert published.page({spec: section(spec) for spec in asked.specs()}) == FIGURES, WRITE


def test_the_plots_show_the_tables() -> None:
    found = comparison.lines_of(COMPARED)
    assert comparison.page(found) == COMPARED, WRITE
    assert {path.stem for path in comparison.PLOTS.iterdir()} == set(comparison.PLOTTED)
    for name in comparison.PLOTTED:
        shown = (comparison.PLOTS / f"{name}.svg").read_text(encoding="utf-8")
        assert shown == comparison.plot(name, found), WRITE
        assert not re.search(r"\de[+-]\d", shown), "numbers are written without powers of ten"


@pytest.mark.parametrize(
    "spec", [pytest.param(spec, marks=[pytest.mark.slow] if spec in SLOW else []) for spec in MACHINES]
)
def test_solved(spec: str) -> None:
    """All questions have answers, all expectations come out as the text says, and the pages say what came out."""
    report = asked.report(spec)
    assert [each.message for each in report.diagnostics] == []
    for each in report.expectations:
        assert each.holds is (each.differs is None), each.text
    for each in report.answers:
        assert 0 <= each.lower <= each.upper * (1 + 1e-9), each.label
    assert report.answers or report.expectations
    made, figures = (text.splitlines() for text in (published.section(spec), section(spec)))
    assert len(made) == len(figures), WRITE
    assert [line for line, old in zip(made, figures, strict=True) if not near.same(line, old)] == [], WRITE
    machines = [comparison.machine(*each) for each in asked.MACHINES if each[0] == spec]
    shown = comparison.lines_of(COMPARED)
    for title, lines in comparison.tables(machines).items():
        rows = {old.split(" | ")[0].removeprefix("| "): comparison.quick(spec, title, old) for old in shown[title]}
        made = {line.split(" | ")[0].removeprefix("| "): comparison.quick(spec, title, line) for line in lines}
        assert [line for name, line in made.items() if not near.same(line, rows.get(name, ""))] == [], WRITE


@pytest.mark.parametrize(
    ("made", "same"),
    [
        ("| Pod | 30.85 GB/s to 38.24 GB/s | 69 GB/s | - |", True),
        ("| Pod | 30.65 GB/s to 38.05 GB/s | 69 GB/s | - |", True),
        ("| Pod | 30.85 GB/s to 37.75 GB/s | 69 GB/s | - |", False),  # an end is off by more than a hundredth
        ("| Pod | 30.45 GB/s to 38.24 GB/s | 69 GB/s | - |", False),
        ("| Pod | 30.85 GB/s to 38.24 GB/s | 69.01 GB/s | - |", False),  # an exact figure is, by less
        ("| Pod | 30.85 GB/s to 38.24 TB/s | 69 GB/s | - |", False),
        ("| Pod | 30.85 GB/s | 69 GB/s | - |", False),
        ("| Cod | 30.85 GB/s to 38.24 GB/s | 69 GB/s | - |", False),
        ("| Pod | 30.85 GB/s to 38.24 GB/s | 69 GB/s |", False),
    ],
)
def test_only_the_ends_of_intervals_may_be_a_little_off(made: str, same: bool) -> None:
    assert near.same(made, "| Pod | 30.85 GB/s to 38.24 GB/s | 69 GB/s | - |") is same


@pytest.mark.parametrize(("name", "rate"), [("v4", 300e9), ("v5p", 600e9), ("Ironwood", 600e9)])
def test_the_all_reduce_of_a_torus_is_a_sum(name: str, rate: float) -> None:
    """Each chip has to send 2 (n - 1) / n of the data, the factor of its bus bandwidth, on all six cables at once."""
    title, heads, _ = next(each for each in comparison.TABLES if "all-reduce" in each[1])
    (row,) = (line for line in comparison.lines_of(COMPARED)[title] if name in line)
    cells = row.removeprefix("| ").removesuffix(" |").split(" | ")
    assert cells[heads.index("all-reduce")] == comparison.amount(rate, RATE), WRITE


def test_the_all_reduce_of_frontier_is_between_two_sums() -> None:
    """Both phases at the rate of all-to-all, and the 16 lanes of PCIe 4 that part a GPU from the rest."""
    title, heads, _ = next(each for each in comparison.TABLES if "all-reduce" in each[1])
    (row,) = (line for line in comparison.lines_of(COMPARED)[title] if line.startswith("| Frontier"))
    cells = dict(zip(heads, row.removeprefix("| ").removesuffix(" |").split(" | "), strict=True))
    gpus = 9408 * 4
    able = 2 * (gpus - 1) / gpus * 16 * 2e9 * 0.984
    assert cells["all-reduce"] == f"{cells['all-to-all']} to {comparison.amount(able, RATE)}", WRITE


def test_every_machine_has_questions_scenarios_and_views() -> None:
    for spec in MACHINES:
        model = asked.compiled(spec).model
        assert model is not None
        for kind in ("traffic", "analyze block", "scenario", "view"):
            assert model.main.questions.get(kind), f"{spec} has no {kind}"


def test_fibre_says_its_optics() -> None:
    """Every optical link says how many modules its ends have."""
    for spec in MACHINES:
        for plan in asked.compiled(spec).plans.values():
            for name, link in plan.links.items():
                assert link.fields["medium"] != "optical" or "optics" in link.fields, (spec, name)
