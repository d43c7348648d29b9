"""Questions asked in the language, against closed forms worked out cable by cable.

A link of these machines is x4 of 112 Gbps, 56 GB/s each way.
"""

from __future__ import annotations

import numpy as np
import pytest

from unifiedbus_dsl.analysis.run import Report, analyze
from unifiedbus_dsl.base.random import StablePermutation
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Diagnostic
from unifiedbus_dsl.measures.answers import Answer

LINK = 56e9

HEAD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m; latency = 50 ns }
"""

MESH = """
npu Chip { port x[7] : UB x4; port y[7] : UB x4; transit x, y; latency = 30 ns }
rack Mesh {
  npu[8, 8] : Chip
  connect npu[b, *].x as fullmesh over Wire(1 m) for b
  connect npu[*, s].y as fullmesh over Wire(1 m) for s
}
system m : Mesh
"""

LEAVES = """
npu Chip { port p : UB x4 }
switch Leaf(up) { latency = 200 ns; port down[6] : UB x4; port up[up] : UB x4 }
switch Spine { latency = 300 ns; port p[4] : UB x4 }
rack Clos(up = 6) {
  npu[4, 6]  : Chip
  leaf[4]    : Leaf(up = up)
  spine[up]  : Spine
  connect npu[l, n].p -- leaf[l].down[n] over Wire(1 m) for l, n
  connect leaf[l].up[s] -- spine[s].p[l] over Wire(2 m) for l, s
}
system even : Clos
system thin : Clos(up = 2)
"""


def asked(machine: str, questions: str, of: str = "m") -> tuple[Compilation, Report]:
    done = compile_text(f"{HEAD}{machine}\nanalyze q of {of} {{ {questions} }}\n")
    assert not done.diagnostics, [d.message for d in done.diagnostics]
    report = analyze(done, of)
    return done, report


def refused(machine: str, questions: str, of: str = "m") -> list[Diagnostic]:
    """What is said of wrong questions, by the compiler or by who answers."""
    done = compile_text(f"{HEAD}{machine}\nanalyze q of {of} {{ {questions} }}\n")
    if done.diagnostics:
        return list(done.diagnostics)
    report = analyze(done, of)
    assert not report.answers
    return list(report.diagnostics)


def values(machine: str, questions: str, of: str = "m") -> list[Answer]:
    _, report = asked(machine, questions, of)
    assert not report.diagnostics, [d.message for d in report.diagnostics]
    return list(report.answers)


def test_full_mesh_in_two_dimensions() -> None:
    found = values(
        MESH,
        "diameter(all npu); mean_hops(all npu); disjoint_paths(all npu); bisection(all npu);"
        "throughput(alltoall(all npu)); throughput(alltoall(all npu), routing = optimal);"
        "throughput(pairs(npu[0, 0] -> npu[3, 4]), routing = optimal)",
    )
    assert [a.value for a in found[:3]] == pytest.approx([2, 112 / 63, 14])
    assert [a.value for a in found[3:]] == pytest.approx([7168e9, 441e9, 441e9, 784e9], rel=1e-6)
    assert all(a.kind == "exact" for a in found)


def test_latency_adds_up_its_parts() -> None:
    """Two cables of 100 + 50 + 5 ns and one NPU passed, 30 ns; the message once over the narrowest cable."""
    direct, far, message = values(
        MESH,
        "latency(npu[0, 0] -> npu[0, 1]); latency(all npu); latency(npu[0, 0] -> npu[0, 1], message = 56 kB)",
    )
    assert direct.value == pytest.approx(155e-9)
    assert far.value == pytest.approx(2 * 155e-9 + 30e-9)
    assert message.value == pytest.approx(155e-9 + 1e-6)


def test_hop_histogram_counts_every_ordered_pair() -> None:
    (found,) = values(MESH, "diameter(all npu)")
    assert found.detail["histogram"] == [[1.0, 64 * 14], [2.0, 64 * 49]]


KINDS = """
npu Chip { port p : UB x4; memory = 144 GB }
npu Lean extends Chip { memory = 128 GB }
npu Chipset { port p : UB x4 }
switch Hub { latency = 200 ns; port p[9] : UB x4 }
rack Mixed {
  full[4] : Chip
  lean[2] : Lean
  other[3] : Chipset
  hub : Hub
  connect full[i].p -- hub.p[i] over Wire(1 m) for i in 0..3
  connect lean[i].p -- hub.p[4 + i] over Wire(1 m) for i in 0..1
  connect other[i].p -- hub.p[6 + i] over Wire(1 m) for i in 0..2
}
system m : Mixed
"""


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        ("all Chip", 6),
        ("all Lean", 2),
        ("all Chipset", 3),
        ("all npu", 9),
        ("all npu where memory >= 128 GB", 6),
        ("all npu where memory < 144 GB", 2),
    ],
)
def test_a_selection_by_name_takes_what_extends_it_and_nothing_that_sounds_like_it(chosen: str, count: int) -> None:
    """Bisection through one switch: the smaller half, each with one cable."""
    (found,) = values(KINDS, f"bisection({chosen})")
    assert found.value == pytest.approx(count // 2 * LINK)


TRUNK = """
npu Chip { port p[3] : UB x4 }
rack Pair {
  npu[2] : Chip
  connect npu[0].p[k] -- npu[1].p[k] over Wire(1 m) for k
}
system m : Pair
"""


@pytest.mark.parametrize(
    ("lost", "left"),
    [
        ("npu[0].p[0] -- npu[1].p[0]", 2),
        ("npu[1].p[0..1] -- npu[0]", 1),
        ("npu[0].p[1..] -- npu[1].p", 1),
        ("npu[0].ports -- npu[1].p[0]", 2),
    ],
)
def test_single_cables_fail_by_their_ports(lost: str, left: int) -> None:
    done = compile_text(
        f"{HEAD}{TRUNK}scenario cut of m {{ fail {lost}; expect bisection(all npu) == {left} * 56 GB/s }}"
    )
    report = analyze(done, "m")
    assert not done.diagnostics
    assert [d.message for d in report.diagnostics] == []
    assert [result.holds for result in report.expectations] == [True]


@pytest.mark.parametrize(
    ("lost", "code"),
    [("npu[0].p[0] -- npu[1].p[1]", "UB0417"), ("npu[0].p[3] -- npu[1]", "UB0401"), ("npu[0].q -- npu[1]", "UB0220")],
)
def test_cables_that_are_none_can_not_fail(lost: str, code: str) -> None:
    done = compile_text(f"{HEAD}{TRUNK}scenario cut of m {{ fail {lost} }}")
    assert [d.code for d in done.diagnostics] == [code]


@pytest.mark.parametrize(("system", "ups"), [("even", 6), ("thin", 2)])
def test_clos_is_limited_by_its_wall(system: str, ups: int) -> None:
    """All-to-all over 24 NPUs on four leaves: 18 of 23 partners are behind other leaves."""
    found = values(
        LEAVES,
        "throughput(alltoall(all npu)); throughput(alltoall(all npu), routing = optimal); bisection(all npu)",
        system,
    )
    wall = min(LINK, ups / 6 * LINK * 23 / 18)
    assert [a.value for a in found[:2]] == pytest.approx([wall, wall], rel=1e-6)
    assert found[2].value == pytest.approx(min(12, 2 * ups) * LINK, rel=1e-6)
    assert found[2].kind == "exact"


def test_oversubscription_of_a_wall() -> None:
    pods = """
    rack Leafs(up) { npu[6] : Chip; leaf : Leaf(up = up); connect npu[n].p -- leaf.down[n] over Wire(1 m) for n
      port up = leaf.up }
    superpod Pod(up = 2) { r[4] : Leafs(up = up); spine[up] : Spine
      connect r[l].up[s] -- spine[s].p[l] over Wire(2 m) for l, s }
    system pod : Pod
    """
    (found,) = values(LEAVES + pods, "oversubscription(all rack, from = all npu)", "pod")
    assert found.value == pytest.approx(3.0)
    assert found.shown == "3 : 1"


def test_the_worst_walls_are_named_and_counted() -> None:
    """Two racks with two cables out and two with one, of six NPUs each."""
    pods = """
    switch Hub { port p[6] : UB x4 }
    rack Leafs(up) { npu[6] : Chip; leaf : Leaf(up = up); connect npu[n].p -- leaf.down[n] over Wire(1 m) for n
      port up = leaf.up }
    superpod Pod { wide[2] : Leafs(up = 2); thin[2] : Leafs(up = 1); hub : Hub
      connect wide[l].up[s] -- hub.p[2 * l + s] over Wire(2 m) for l, s
      connect thin[l].up[0] -- hub.p[l + 4] over Wire(2 m) for l }
    system pod : Pod
    """
    (found,) = values(LEAVES + pods, "oversubscription(all rack)", "pod")
    assert (found.shown, found.binding) == ("6 : 1", ("thin[0] and 1 more",))
    assert (found.detail["inside"], found.detail["wall"]) == pytest.approx((6 * LINK, LINK))


def test_groups_within_and_across() -> None:
    """Groups of one leaf never leave it; groups across leaves share the wall of 2 uplinks a leaf."""
    pods = """
    rack Leafs { npu[6] : Chip; leaf : Leaf(up = 2); connect npu[n].p -- leaf.down[n] over Wire(1 m) for n
      port up = leaf.up }
    superpod Pod { r[4] : Leafs; spine[2] : Spine
      connect r[l].up[s] -- spine[s].p[l] over Wire(2 m) for l, s }
    system pod : Pod
    """
    inside, across, cut = values(
        LEAVES + pods,
        "throughput(alltoall(all npu, within = rack)); throughput(alltoall(all npu, across = rack));"
        "throughput(alltoall(all npu, groups = 12, stride = 3))",
        "pod",
    )
    assert inside.value == pytest.approx(LINK)
    assert across.value == pytest.approx(2 / 6 * LINK)
    assert cut.value == pytest.approx(LINK)  # pairs (0, 3), (1, 4), … stay on their leaf


def test_an_assembly_whose_first_device_is_spare_or_lost_is_still_there() -> None:
    pods = """
    rack Leafs { spare again : Chip; npu[6] : Chip; leaf : Leaf(up = 2); open again.p
      connect npu[n].p -- leaf.down[n] over Wire(1 m) for n
      port up = leaf.up }
    superpod Pod { r[4] : Leafs; spine[2] : Spine
      connect r[l].up[s] -- spine[s].p[l] over Wire(2 m) for l, s }
    system pod : Pod
    """
    (inside,) = values(LEAVES + pods, "throughput(alltoall(all npu, within = rack))", "pod")
    assert inside.value == pytest.approx(LINK)


def test_load_at_a_rate_and_its_worst_cable() -> None:
    load, worst = values(
        LEAVES, "load(alltoall(all npu), rate = 28 GB/s); worst(load(alltoall(all npu), rate = 28 GB/s))", "even"
    )
    assert load.value == pytest.approx(0.5)
    assert worst.value == load.value


def test_fair_shares_of_an_incast() -> None:
    (found,) = values(LEAVES, "fair(incast(all npu -> npu[0, 0]))", "even")
    assert found.value == pytest.approx(LINK / 23)


def test_a_broadcast_goes_from_the_end_point_that_is_named() -> None:
    star = """
    npu Hub { port p[3] : UB x4; port q : UB x8; transit p, q }
    npu Tip { port p[2] : UB x4; transit p }
    rack Star { hub : Hub; tip[3] : Tip; far : Hub; open far.p, tip[*].p[1]
      connect hub.p[n] -- tip[n].p[0] over Wire(1 m) for n
      connect hub.q -- far.q over Wide(1 m) }
    link Wide : UB { medium = copper; delay = 5 ns/m }
    system star : Star
    """
    roots = ("hub", "far", "tip[2]")  # a cable for each target; all on one of twice the rate; all on one
    ask = "time(broadcast(all npu, size = 56 MB{}), algorithm = direct)"
    found = values(star, "; ".join(ask.format(root) for root in ("", *(f", from = {r}" for r in roots))), "star")
    assert [each.value for each in found] == pytest.approx([2e-3, 1e-3, 2e-3, 4e-3], rel=1e-3)
    assert [each.assumptions[1] for each in found[:2]] == ["from far, the first of the end points", "from hub"]


def test_expectations_use_solved_measures() -> None:
    done, report = asked(
        MESH,
        'expect bisection(all npu) == 7.168 TB/s "closed form"; expect diameter(all npu) <= 1;'
        "expect connected(all npu); expect bisection(all npu) > 7.168 TB/s; expect bisection(all npu) >= 7168 GB/s",
    )
    assert done.ok
    assert [r.holds for r in report.expectations] == [True, False, True, False, True]
    assert [d.code for d in report.diagnostics] == ["UB0701", "UB0701"]


def test_expectation_of_a_type_is_solved_on_that_type_alone() -> None:
    done = compile_text(HEAD + MESH.replace("rack Mesh {", "rack Mesh {\n  expect mean_hops(all npu) == 112/63"))
    assert not done.diagnostics
    assert [r.needs for r in done.expectations] == ["mean_hops"]
    report = analyze(done)
    assert [r.holds for r in report.expectations] == [True]


def test_without_symmetry_the_numbers_are_the_same() -> None:
    questions = "diameter(all npu); latency(all npu); throughput(alltoall(all npu)); bisection(all npu)"
    done, report = asked(LEAVES, questions, "thin")
    plain = analyze(done, "thin", symmetric=False)
    assert [a.value for a in plain.answers] == pytest.approx([a.value for a in report.answers], rel=1e-7)
    assert plain.orbits["thin"][0] > report.orbits["thin"][0]


@pytest.mark.parametrize(
    ("question", "code", "words"),
    [
        ("diameter(all switch)", "UB0709", "no end points"),
        ("throughput(allreduce(all npu))", "UB0709", "steps of a schedule"),
        ("bisection(npu[0, 0])", "UB0706", "two end points"),
        ("throughput(alltoall(npu[0, 0]))", "UB0706", "nothing is sent"),
        ("throughput(alltoall(npu[0, 0]), routing = valiant)", "UB0706", "nothing is sent"),
        ("worst(load(alltoall(npu[0, 0])))", "UB0706", "nothing is sent"),
        ("fair(alltoall(npu[0, 0]))", "UB0706", "nothing is sent"),
        ("time(broadcast(all npu, from = all npu, size = 1 MiB))", "UB0710", "24 are named"),
        ("time(broadcast(all npu, from = npu[0, 0], groups = 2, size = 1 MiB))", "UB0710", "each of the 2 groups"),
        ("time(broadcast(npu[1, *], from = npu[0, 0], size = 1 MiB))", "UB0710", "0 are named"),
        ("fair(alltoall(all npu, groups = 7))", "UB0710", "can't be cut"),
        ("fair(transpose(all npu))", "UB0710", "square"),
        ("availability(mttr = 1 h)", "UB0705", "afr"),
    ],
)
def test_a_wrong_question_says_what_is_wrong(question: str, code: str, words: str) -> None:
    (found,) = refused(LEAVES, question, "even")
    assert found.code == code
    assert words in found.message


def test_datasheet_where_nothing_is_asked() -> None:
    done = compile_text(HEAD + MESH)
    report = analyze(done)
    names = [a.measure for a in report.answers]
    assert names[:3] == ["tiers", "bisection", "diameter"]
    assert names[-4:] == ["throughput", "throughput", "time", "optimal_time"]
    assert not report.diagnostics
    assert all(a.system == "m" and a.block == "datasheet" and a.seconds > 0 for a in report.answers)


def test_a_permutation_on_a_full_clos_is_not_slowed_down() -> None:
    """Spread over all spines, every flow of a permutation has a link's worth on a Clos without oversubscription."""
    found = values(LEAVES, "fair(permutation(all npu, seed = 7)); hops(npu[0, 0] -> npu[3, 5])", "even")
    assert found[0].value == pytest.approx(LINK)
    assert found[1].value == 4


def test_a_seed_means_the_same_order_for_ever() -> None:
    assert StablePermutation(7)(np.arange(8)).tolist() == [6, 3, 4, 0, 2, 7, 5, 1]


STAR = """
npu Chip { port p : UB x4 }
switch Hub { port p[8] : UB x4 }
rack Star { npu[8] : Chip; hub : Hub; connect npu[n].p -- hub.p[n] over Wire(1 m) for n }
system star : Star
"""
HOP = 2 * 155e-9
"""Two cables, and a hub without a delay of its own."""


def test_time_of_a_ring_is_its_closed_form() -> None:
    """2 (n - 1) steps of size / n at link rate, and the latency of each."""
    (found,) = values(STAR, "time(allreduce(all npu, size = 56 MB), algorithm = ring)", "star")
    assert found.value == pytest.approx(14 * (1e-3 / 8 + HOP))
    assert found.detail["busbw"] == pytest.approx(56e6 / found.value * 14 / 8)


def test_time_takes_the_fastest_algorithm_where_none_is_named() -> None:
    small, large = values(STAR, "time(allreduce(all npu, size = 1 kB)); time(allreduce(all npu, size = 1 GB))", "star")
    for answer in (small, large):
        assert answer.value <= min(answer.detail["others"].values())


def test_no_algorithm_beats_the_optimum() -> None:
    """All-gather on one switch: each NPU takes in 7/8 of the result over its one cable."""
    best, ring = values(
        STAR, "optimal_time(allgather(all npu, size = 56 MB)); time(allgather(all npu, size = 56 MB))", "star"
    )
    assert best.value == pytest.approx(7 / 8 * 1e-3, rel=1e-6)
    assert best.value <= ring.value


def test_dimension_order_on_a_torus_equals_ecmp_in_one_dimension() -> None:
    ring = """
    npu Chip { port p[2] : UB x4; transit p }
    rack Ring { npu[6] : Chip; connect npu.p as ring over Wire(1 m) }
    system ring : Ring
    """
    dor, ecmp = values(
        ring, "throughput(alltoall(all npu), routing = dor); throughput(alltoall(all npu), routing = ecmp)", "ring"
    )
    assert dor.value == pytest.approx(ecmp.value)


def test_hashed_flows_share_what_they_meet() -> None:
    (found,) = values(LEAVES, "fair(incast(all npu -> npu[0, 0]), hash = 3)", "even")
    assert found.value == pytest.approx(LINK / 23)


def broken(machine: str, scenario: str, of: str) -> Report:
    done = compile_text(f"{HEAD}{machine}\n{scenario}\n")
    assert not done.diagnostics, [d.message for d in done.diagnostics]
    return analyze(done, of)


def test_a_lost_spine_takes_its_share_of_the_bisection() -> None:
    report = broken(
        LEAVES,
        """scenario SpineDown of even { fail spine[0]
          expect connected(all npu)
          expect bisection(all npu) == 5/6 * base
          expect bisection(all npu) >= 84% of base
          expect diameter(all npu) == base }""",
        "even",
    )
    assert [r.holds for r in report.expectations] == [True, True, False, True]
    assert [d.code for d in report.diagnostics] == ["UB0701"]
    (name, said), *_ = report.scenarios
    assert name == "SpineDown"
    assert said[:2] == (
        "lost: 1 device and 4 cables",
        "left: 24 end points, connected as before",
    )


def test_what_fails_leaves_every_selection() -> None:
    report = broken(
        LEAVES,
        """scenario LeafDown of even { fail leaf[0]; expect connected(all npu); expect reachable(all npu) == 18 }
        scenario ChipsDown of even { fail npu[0, *]; expect connected(all npu); expect reachable(all npu) == 18 }
        scenario Both of even extends LeafDown { fail npu[0, *]; expect reachable(all npu) == 18 }""",
        "even",
    )
    held = {(r.subject, r.text): r.holds for r in report.expectations}
    assert held["even: LeafDown", "connected(all npu)"] is False
    assert held["even: ChipsDown", "connected(all npu)"] is True
    assert held["even: Both", "connected(all npu)"] is True
    assert all(holds for (_, text), holds in held.items() if text.startswith("reachable"))


def test_where_all_cables_fail_nothing_passes() -> None:
    report = broken(
        LEAVES,
        """traffic moe of even = alltoall(all npu)
        scenario Dark of even {
          fail all link
          expect bisection(all npu) == 0 GB/s
          expect reachable(all npu) == 1
          expect throughput(moe) > 0 GB/s
          expect throughput(moe, routing = optimal) > 0 GB/s
          expect throughput(moe, routing = valiant) > 0 GB/s
          expect fair(moe) > 0 GB/s
        }""",
        "even",
    )
    assert [d.code for d in report.diagnostics] == ["UB0706"] * 4
    assert [r.holds for r in report.expectations if r.holds is not None] == [True, True]


@pytest.mark.parametrize("routing", ["ecmp", "valiant", "minimal", "optimal"])
def test_no_throughput_between_islands(routing: str) -> None:
    report = broken(
        LEAVES,
        f"""traffic moe of even = alltoall(all npu)
        scenario Island of even {{
          fail leaf[0]
          expect throughput(moe, routing = {routing}) > 0 GB/s
          expect bisection(all npu) < base
        }}""",
        "even",
    )
    assert ["no path" in d.message for d in report.diagnostics] == [True]


def test_degraded_cables_carry_less() -> None:
    report = broken(
        LEAVES,
        """scenario Slow of even { degrade spine to 50%; expect bisection(all npu) == 50% of base }
        scenario Cables of even { degrade leaf[*] -- spine[*] to 50%; expect bisection(all npu) == 50% of base }""",
        "even",
    )
    assert not report.diagnostics
    assert [r.holds for r in report.expectations] == [True, True]


def test_random_failures_are_those_of_the_seed() -> None:
    text = "scenario Dirty of even { let seed = 5; fail any 3 of all link; expect mean_hops(all npu) > base }"
    one, two = (broken(LEAVES, text, "even").scenarios for _ in range(2))
    assert one == two
    assert "3 cables" in one[0][1][0]


def test_the_datasheet_of_a_single_end_point_leaves_out_what_has_no_answer() -> None:
    text = "npu Chip { port p : UB x4 }\nswitch Hub { port p : UB x4 }\n"
    text += "rack One { npu : Chip; hub : Hub; connect npu.p -- hub.p over Wire(1 m) }\nsystem one : One\n"
    report = analyze(compile_text(HEAD + text))
    assert not report.diagnostics


def test_a_scenario_that_leaves_nothing_says_so() -> None:
    report = broken(STAR, "scenario Fire of star { fail npu; expect connected(all npu) }", "star")
    assert report.scenarios[0][1][1] == "left: no end point"
    assert [d.message for d in report.diagnostics] == ["nothing of this selection is left after the failures"]


def test_end_points_that_no_cable_joins_any_more() -> None:
    report = broken(STAR, "scenario HubDown of star { fail hub; expect not connected(all npu) }", "star")
    assert report.scenarios[0][1][1] == "left: 8 end points, none joined to another"
    assert [r.holds for r in report.expectations] == [True]


def test_an_end_point_without_a_cable_still_reaches_itself() -> None:
    """Beside lines of two sides, whose islands are found by walks: who has no cable walks nowhere."""
    text = """
npu Chip { port p : UB x4 }
npu Relay { port up : UB x4; port down[2] : UB x4; transit up -- down }
switch Hub { port p[4] : UB x4 @open }
rack Shelf {
  alone : Chip; relay : Relay; hub[2] : Hub
  connect alone.p -- hub[0].p[0] over Wire(1 m)
  connect relay.down[k] -- hub[0].p[1 + k] over Wire(1 m) for k in 0..1
  connect relay.up -- hub[1].p[0] over Wire(1 m)
  connect hub[1].p[1] -- hub[0].p[3] over Wire(1 m)
}
system shelf : Shelf
"""
    report = broken(text, "scenario Cut of shelf { fail alone.p; expect not connected(all npu) }", "shelf")
    assert report.scenarios[0][1][:2] == ("lost: 1 cable", "left: 2 end points, none joined to another")
    assert [r.holds for r in report.expectations] == [True]
