"""Planes: questions confined to cables of a protocol or link, and answers where no plane is named.

Beside the closed forms, a plane is held against the machine written without the cables of the others.
"""

from __future__ import annotations

import numpy as np
import pytest

from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.analysis.evaluators import items_of, make_evaluator
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.query_symmetry import invariant_subgroup
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree

FAST, SLOW = 100e9, 10e9

TWO_PLANES = """ubus 1
protocol Fast { lane = 800 Gbps; latency = 100 ns }
protocol Slow { lane = RATE; latency = 100 ns }
link F : Fast { medium = copper; reach = 9 m }
link S : Slow { medium = copper; reach = 9 m }
npu C { port f : Fast x1; port s : Slow x1 }
switch L { port d[2] : Fast x1; port u[2] : Fast x1 }
switch Top { port p[4] : Fast x1 }
switch Flat { port p[4] : Slow x1 }
rack R {
  npu[2, 2] : C
  leaf[2]   : L
  top       : Top
  flat      : Flat
  connect npu[a, i].f -- leaf[a].d[i] over F(1 m) for a, i
  connect leaf[a].u[k] -- top.p[2*a + k] over F(1 m) for a, k
  connect npu[a, i].s -- flat.p[2*a + i] over S(1 m) for a, i
}
system s : R
traffic named of s = alltoall(all npu, over = Fast)
traffic plain of s = alltoall(all npu)
traffic job of s = allreduce(all npu, size = 1 GB, over = Fast)
"""


def compiled(rate: str = "80 Gbps", rest: str = "") -> Compilation:
    return compile_text(TWO_PLANES.replace("RATE", rate) + rest)


def answers(questions: str, rate: str = "80 Gbps") -> list[Answer]:
    done = compiled(rate, f"analyze q of s {{ {questions} }}\n")
    assert not done.diagnostics, [each.message for each in done.diagnostics]
    report = analyze(done, "s")
    assert not report.diagnostics, [each.message for each in report.diagnostics]
    return list(report.answers)


def refused(text: str) -> str:
    done = compiled(rest=text)
    if not done.diagnostics:
        return "\n".join(". ".join((each.message, *each.help)) for each in analyze(done, "s").diagnostics)
    return "\n".join(". ".join((each.message, *each.help)) for each in done.diagnostics)


def test_throughput_of_each_plane_in_closed_form() -> None:
    """Each NPU has one cable in each plane, and both planes are non-blocking: the rate of that cable. With both, two of
    three partners are only nearest over the slow switch and the third shares: 3 / (2 + 1/2) of the slow cable."""
    both, fast, slow, link, listed = answers(
        "throughput(plain); throughput(named); throughput(plain, over = Slow); throughput(plain, over = S);"
        "throughput(plain, over = [Fast, Slow])"
    )
    assert [each.value for each in (both, fast, slow, link)] == pytest.approx([1.2 * SLOW, FAST, SLOW, SLOW])
    assert listed.value == pytest.approx(both.value)


def test_every_measure_of_paths_takes_a_plane() -> None:
    found = answers(
        "hops(all npu); hops(all npu, over = Fast); diameter(all npu, over = F); mean_hops(all npu, over = Fast);"
        "disjoint_paths(all npu); disjoint_paths(all npu, over = Slow); connected(all npu, over = Slow);"
        "reachable(all npu, over = S); bisection(all npu, over = Slow); bisection(all npu, over = Fast);"
        "tiers(all npu, over = Slow); latency(all npu, over = Fast); paths(npu[0, 0] -> npu[1, 0], over = Fast)"
    )
    values = [each.value for each in found]
    assert values[:4] == [2, 4, 4, pytest.approx((2 * 1 + 4 * 2) / 3)]
    assert values[4:8] == [2, 1, 1, 4]
    assert values[8:10] == [pytest.approx(2 * SLOW), pytest.approx(2 * FAST)]
    assert values[10] == 2  # tiers of the plane: NPUs and the flat switch; what the plane does not reach is apart
    assert values[12] == 4  # two cables up of each leaf, two down


def test_fair_rates_loads_and_collectives_stay_on_the_plane() -> None:
    fair, load, inner, best = answers(
        "fair(named); load(named, rate = 50 GB/s); worst(load(named, rate = 25 GB/s)); optimal_time(job)"
    )
    assert fair.value == pytest.approx(FAST / 3)
    assert (load.value, inner.value) == (pytest.approx(0.5), pytest.approx(0.25))
    assert "by_link" in load.detail
    assert set(load.detail["by_link"]) == {"F"}
    # all-reduce of 1 GB among 4 end points with one cable each: at least 2 (n - 1) / n of it leaves each
    assert best.lower == pytest.approx(1.5 * 1e9 / FAST, rel=1e-6)


def test_an_answer_says_its_plane() -> None:
    both, named, several = answers("throughput(plain); throughput(named); hops(all npu, over = [F, Slow])")
    assert "carried by `Fast` and `Slow`" in both.assumptions
    assert "over cables of `Fast` alone" in named.assumptions
    assert "over cables of `F` and `Slow` alone" in several.assumptions
    assert not any(each.startswith("carried by") for each in named.assumptions)


def test_times_of_collectives_say_which_planes_carried_them() -> None:
    """In a ring of single steps to the next end point 0 -> 1 -> 2 -> 3 -> 0, the neighbours of a leaf have two cables
    between them over either plane, the others are nearer over the slow one; rows alone are carried by both planes."""
    ring, apart, swept, best, named = answers(
        "time(allreduce(all npu, size = 1 GB), algorithm = ring);"
        "time(alltoall(all npu, groups = 2, stride = 2, size = 1 GB), algorithm = direct);"
        "sweep(allreduce(all npu), algorithm = direct); optimal_time(allreduce(all npu, size = 1 GB)); time(job)"
    )
    assert "carried by `Fast` and `Slow`" in ring.assumptions
    assert "carried by `Slow`" in apart.assumptions  # npu[0, i] and npu[1, i]: four cables by the leaves, two past them
    assert "carried by `Fast` and `Slow`" in swept.assumptions
    assert "free to take cables of `Fast` and `Slow`" in best.assumptions
    assert not any("carried" in each for each in named.assumptions)


TWO_RACKS = """
switch FastOut { port p[2] : Fast x1 }
switch SlowOut { port p[4] : Slow x1 }
module M {
  r[2]     : R
  fast_out : FastOut
  slow_out : SlowOut
  connect r[i].fast -- fast_out.p[i] over F(1 m) for i
  connect r[i].slow[k] -- slow_out.p[2*i + k] over S(1 m) for i, k
}
system s : M
analyze q of s {
  oversubscription(all rack)
  oversubscription(all rack, over = Fast)
  oversubscription(all rack, over = S)
}
"""


def test_oversubscription_of_a_plane() -> None:
    """Four NPUs have one fast cable out of their rack, and two slow ones."""
    rack = TWO_PLANES.partition("system s")[0].replace("RATE", "80 Gbps")
    rack = rack.replace("p[4] : Fast x1 }", "p[4] : Fast x1; port up : Fast x1 }")
    rack = rack.replace("p[4] : Slow x1 }", "p[4] : Slow x1; port up[2] : Slow x1 }")
    rack = rack.replace(": Flat\n", ": Flat\n  port fast = top.up\n  port slow = flat.up\n")
    done = compile_text(rack + TWO_RACKS)
    assert not done.diagnostics, [each.message for each in done.diagnostics]
    both, fast, slow = analyze(done, "s").answers
    assert [each.value for each in (both, fast, slow)] == [4, 4, 2]
    for each, plane in ((both, "Fast"), (fast, "Fast"), (slow, "Slow")):
        assert f"of the cables of {plane}, the worst plane of that wall" in each.assumptions
    assert "over cables of `S` alone" in slow.assumptions


def test_an_idle_faster_plane_is_a_warning() -> None:
    plain, load, best = answers("throughput(plain); load(plain); throughput(plain, routing = optimal)")
    for each in (plain, load):
        (line,) = [text for text in each.lines if text.startswith("warning:")]
        assert "`over = Fast`" in line
        assert "100 GB/s" in line
        assert "12 GB/s" in line
    assert not any(text.startswith("warning:") for text in best.lines)


def test_no_warning_where_the_other_plane_is_no_faster() -> None:
    """With 800 Gbps in both, fewest hops give 120 GB/s: more than either plane alone."""
    (plain,) = answers("throughput(plain)", rate="800 Gbps")
    assert plain.value == pytest.approx(1.2 * FAST)
    assert not any(text.startswith("warning:") for text in plain.lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("analyze q of s { hops(all npu, over = Fats) }", "did you mean `Fast`?"),
        ("traffic t of s = alltoall(all npu, over = Ethernet)", "`F`, `Fast`, `S`, `Slow`"),
        ("analyze q of s { hops(all npu, over = [Fast, Fast]) }", "twice"),
        ("analyze q of s { hops(all npu, over = 3) }", "a plane is named by a protocol or a link"),
        ("analyze q of s { hops(all npu, over = []) }", "no plane"),
        ("analyze q of s { throughput(named, over = Slow) }", "the traffic names its plane already"),
        ("analyze q of s { mtbf(over = Slow) }", "`mtbf` takes"),
    ],
)
def test_wrong_planes_are_refused(text: str, said: str) -> None:
    assert said in refused(text)


def test_a_plane_that_does_not_reach_says_so() -> None:
    text = "analyze q of s { throughput(pairs(npu[0, 0] -> npu[1, 0], over = Fast)) }"
    cut = TWO_PLANES.replace("RATE", "80 Gbps").replace(
        "leaf[a].u[k] -- top.p[2*a + k] over F(1 m) for a, k",
        "leaf[a].u[k] -- top.p[2*a + k] over F(1 m) for a in 0..0, k",
    )
    cut = cut.replace("port u[2] : Fast x1 }", "port u[2] : Fast x1 @open }").replace(
        "port p[4] : Fast x1 }", "port p[4] : Fast x1 @open }"
    )
    done = compile_text(cut + text)
    assert not any(each.severity.name == "ERROR" for each in done.diagnostics), [d.message for d in done.diagnostics]
    (said,) = analyze(done, "s").diagnostics
    assert said.code == "UB0706"
    assert "over cables of `Fast` alone" in said.message


def test_a_plane_is_the_machine_without_the_other_cables() -> None:
    """Every cable's load over the fast plane is that of the same machine written without the slow one."""
    text = TWO_PLANES.replace("RATE", "80 Gbps").split("traffic")[0]
    whole = compile_text(text).fabric()
    alone = [
        line for line in text.splitlines() if not any(word in line for word in ("Slow", "link S", "flat", "S(1 m)"))
    ]
    only = compile_text("\n".join(alone).replace("system", "npu C { port f : Fast x1 }\nsystem")).fabric()
    confined = api.loads(whole, "alltoall(all npu, over = Fast)", rate_Bps=1e9)
    plain = api.loads(only, "alltoall(all npu)", rate_Bps=1e9)
    fast = np.array(
        ["->" not in str(name) and "flat" not in str(name) for name in whole.cable_names(np.arange(whole.cable_count))]
    )
    assert confined.forth_Bps[~fast] == pytest.approx(0)
    assert np.sort(confined.forth_Bps[fast]) == pytest.approx(np.sort(plain.forth_Bps))


def test_a_survey_keeps_only_symmetries_that_keep_the_plane() -> None:
    """Where both planes are of one rate a symmetry may exchange them, unless the question is confined to one."""
    text = """ubus 1
protocol A { lane = 80 Gbps }
protocol B { lane = 80 Gbps }
link LA : A { medium = copper; reach = 9 m }
link LB : B { medium = copper; reach = 9 m }
npu C { port p : A x1; port q : B x1 }
switch S { port p[2] : A x1 }
switch T { port p[2] : B x1 }
rack R {
  npu[2] : C
  s : S
  t : T
  connect npu[i].p -- s.p[i] over LA(1 m) for i
  connect npu[i].q -- t.p[i] over LB(1 m) for i
}
system s : R
"""
    done = compile_text(text)
    machine, sink = NetworkContext(done.fabric("s")), Sink()
    asker = make_evaluator(done, machine, sink, "s")
    for over in ("", ", over = A"):
        (item,) = items_of(f"throughput(alltoall(all npu{over}))", sink)
        assert isinstance(item, tree.Measure)
        assert isinstance(item.value, tree.Call)
        kept = invariant_subgroup(machine.symmetry, asker.call(item.value), ends_fail=False)
        assert kept is not None
        plane = machine.network.kinds.link[machine.network.kind]
        mixed = [len(np.unique(plane[kept.arc_orbit == orbit])) for orbit in range(kept.arc_orbits)]
        assert not over or max(mixed) == 1
