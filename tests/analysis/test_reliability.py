"""How often something fails, against the sum written out; and conditions on what is known as an interval."""

from __future__ import annotations

import pytest

from tests.analysis.test_language import HEAD, LEAVES, asked, values
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures import collectives

PLANT = """
link Fibre : UB { medium = optical; reach = 50 m; delay = 5 ns/m; afr = 0.004 }
npu Chip { afr = 0.02; port p : UB x4 }
switch Leaf { afr = 0.01; port down[3] : UB x4; port up : UB x4 }
switch Spine { port p[2] : UB x4 }
rack Box {
  afr = 0.5
  npu[3] : Chip
  leaf : Leaf
  connect npu[i].p -- leaf.down[i] over Wire(1 m) for i
  port up = leaf.up
}
module Pod {
  box[2] : Box
  spine : Spine
  connect box[b].up -- spine.p[b] over Fibre(20 m) for b
}
system m : Pod
"""


LINE = """
npu Chip { port x[2] : UB x4 @open; transit x }
rack Line { npu[24] : Chip; connect npu[i].x[1] -- npu[i + 1].x[0] over Wire(1 m) for i in 0..22 }
system m : Line
"""


def test_mean_time_between_failures_of_all_that_can_fail() -> None:
    """Six chips, two leaves, two fibres and two racks; wires and the spine state nothing."""
    between, share = values(PLANT, "mtbf(); availability(mttr = 2 h)")
    hours = 8760 / (6 * 0.02 + 2 * 0.01 + 2 * 0.004 + 2 * 0.5)
    assert between.value == pytest.approx(hours * 3600)
    assert share.value == pytest.approx(hours / (hours + 2))


def test_a_condition_on_an_interval_is_decided_where_all_of_it_agrees() -> None:
    measure = "optimal_time(allreduce(all npu, size = 1 GB))"
    (found,) = values(LINE, measure)
    assert found.kind == "interval"
    assert found.lower < found.upper
    inside = (found.lower + found.upper) / 2
    bounds = (found.upper * 1.01, inside, found.lower * 0.99)
    _, report = asked(LINE, "; ".join(f"expect {measure} <= {bound * 1e3:.6f} ms" for bound in bounds))
    assert [each.holds for each in report.expectations] == [True, False]
    assert [each.code for each in report.diagnostics] == ["UB0707", "UB0701"]


def test_against_base_the_worst_case_is_compared_with_the_worst_case() -> None:
    """With cables of half the capacity both ends double; what is compared are the lower bounds."""
    measure = "optimal_time(allreduce(all npu, size = 1 GB))"
    (found,) = values(LINE, measure)
    assert found.upper > 1.1 * found.lower
    sums = (f"{measure} == base + {end * 1e3:.6f} ms within 1%" for end in (found.lower, found.upper))
    lines = "; ".join(f"expect {each}" for each in sums)
    done = compile_text(f"{HEAD}{LINE}\nscenario Half of m {{ degrade all link to 50%; {lines} }}\n")
    assert done.ok, [each.message for each in done.diagnostics]
    report = analyze(done, "m")
    assert [each.holds for each in report.expectations] == [True, False]


def test_a_load_without_a_rate_is_of_all_that_an_end_point_can_send() -> None:
    """The end of the line has one cable of 56 GB/s: half of it by its injection, and all of it where it states none."""
    less, all_of_it = (
        values(LINE.replace("transit x", f"transit x{more}"), "load(pairs(npu[0] -> npu[1]))")[0].value
        for more in ("; injection = 28 GB/s", "")
    )
    assert less == pytest.approx(0.5)
    assert all_of_it == pytest.approx(1.0)


@pytest.mark.parametrize("asked_for", ["time", "sweep"])
def test_beyond_the_end_points_whose_cables_are_counted_the_time_lies_between_its_bounds(
    monkeypatch: pytest.MonkeyPatch, asked_for: str
) -> None:
    size = ", size = 64 KiB" if asked_for == "time" else ""
    question = f"{asked_for}(allreduce(all npu{size}), algorithm = ring)"
    (exact,) = values(LEAVES, question, "thin")
    monkeypatch.setattr(collectives, "MOST_TIMED", 0)
    (found,) = values(LEAVES, question, "thin")
    assert (exact.kind, found.kind) == ("exact", "interval")
    assert found.lower <= exact.value * (1 + 1e-9)
    assert exact.value <= found.upper * (1 + 1e-9)
    assert found.lower < found.upper
