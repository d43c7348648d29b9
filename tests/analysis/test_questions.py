"""Routings with options, loads in parts, tiers, paths and sums, as the language asks them."""

from __future__ import annotations

import pytest

from tests.analysis.test_language import LEAVES, LINK, asked, refused, values
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.solver.network_context import NetworkContext

GRID = """
npu Chip { port p[4] : UB x4; transit p }
rack Grid {
  npu[4, 6] : Chip
  connect npu[i, j].p[0] -- npu[(i + 1) mod 4, j].p[1] over Wire(1 m) for i, j
  connect npu[i, j].p[2] -- npu[i, (j + 1) mod 6].p[3] over Wire(1 m) for i, j
}
system m : Grid
"""


def test_each_routing_names_itself_with_its_options() -> None:
    found = values(
        GRID,
        "; ".join(
            f"throughput(alltoall(all npu), routing = {routing})"
            for routing in ("ecmp", "wcmp", "valiant", "valiant(via = end)", "dor", "dor(order = [1, 0])", "minimal")
        ),
    )
    said = [answer.assumptions[0].removeprefix("routing ") for answer in found]
    assert said == ["ecmp", "wcmp", "valiant", "valiant", "dor", "dor(order = [1, 0])", "minimal"]
    # mean hops along 6, with the pair (v, v), are 9/6: 36 of 23 partners' paths over two cables each way
    assert [a.value for a in (found[4], found[5], found[6])] == pytest.approx([2 * 23 / 36 * LINK] * 3)
    assert found[2].value == pytest.approx(found[4].value / 2 * 24 / 23)


def test_valiant_over_switches() -> None:
    """Four leaves and a spine alone: every leg over a leaf or the spine, in closed form over the uplinks."""
    over, ends = values(
        LEAVES,
        "throughput(alltoall(all npu), routing = valiant(via = switch));"
        "throughput(alltoall(all npu), routing = valiant)",
        "thin",
    )
    assert over.assumptions[0] == "routing valiant(via = switch)"
    assert 0 < over.value < LINK
    assert over.value != pytest.approx(ends.value)


def test_order_of_dimensions_matters_where_traffic_is_lopsided() -> None:
    """From one row to one column: along the row first all share its end, along the column first they do not."""
    one, two = values(
        GRID,
        "throughput(pairs(npu[0, *] -> npu[3, 0]), routing = dor(order = [1, 0]));"
        "throughput(pairs(npu[0, *] -> npu[3, 0]), routing = dor(order = [0, 1]))",
    )
    # rows first: all 6 meet at (0, 0) and take the one cable to (3, 0); columns first: 1 there, 5 arrive along the row
    assert one.value == pytest.approx(LINK / 6)
    assert two.value == pytest.approx(LINK / 2.5)


def test_without_symmetry_dimensions_are_known_too() -> None:
    from unifiedbus_dsl.analysis.run import analyze

    done, report = asked(GRID, "throughput(alltoall(all npu), routing = dor)")
    plain = analyze(done, "m", symmetric=False)
    assert plain.answers[0].value == pytest.approx(report.answers[0].value)


@pytest.mark.parametrize(
    ("routing", "code", "words"),
    [
        ("valiant(vya = switch)", "UB0705", "takes `via`"),
        ("valiant(via = spine)", "UB0705", "one of end, switch"),
        ("valiant(via = switch)", "UB0706", "no switch"),
        ("dor(order = [1, 1])", "UB0705", "each dimension once"),
        ("dor(order = [0])", "UB0706", "2 dimensions"),
        ("dor(order = 1)", "UB0705", "a list"),
        ("dor(order = [x, 0])", "UB0201", "x"),
        ("ecmp(via = switch)", "UB0705", "takes no named argument"),
        ("quickest(via = switch)", "UB0705", "one of"),
        ("updown", "UB0706", "does not lead"),
        ("3", "UB0705", "one of"),
    ],
)
def test_wrong_routings(routing: str, code: str, words: str) -> None:
    (found,) = refused(GRID, f"throughput(alltoall(all npu), routing = {routing})")
    assert found.code == code
    assert words in found.message


@pytest.mark.parametrize("routing", ["ecmp", "minimal", "optimal", "updown", "valiant(via = switch)"])
def test_loads_of_every_routing_are_those_of_its_throughput(routing: str) -> None:
    most, load = values(
        LEAVES,
        f"throughput(alltoall(all npu), routing = {routing});"
        f"load(alltoall(all npu), routing = {routing}, rate = 7 GB/s)",
        "thin",
    )
    assert load.value == pytest.approx(7e9 / most.value, rel=1e-6)


def test_the_mean_of_fair_rates_counts_every_flow() -> None:
    """Thin Clos: 108 flows leave a leaf over two cables, and the 5 inside share what an NPU's cable has left."""
    (found,) = values(LEAVES, "fair(alltoall(all npu))", "thin")
    assert found.value == pytest.approx(2 * LINK / 108)
    assert found.detail["max"] == pytest.approx((LINK - 18 * 2 * LINK / 108) / 5)
    assert found.detail["mean"] == pytest.approx(LINK / 23)
    assert found.detail["flows"] == 24 * 23


def test_loads_by_tier() -> None:
    """Thin Clos, 18 of 23 partners behind another leaf: NPU cables 7/56, uplinks 3 times 18/23 of that."""
    (load,) = values(LEAVES, "load(alltoall(all npu), rate = 7 GB/s)", "thin")
    up = 3 * 18 / 23 * 7 / 56
    assert load.detail["by_tier"]["0 to 1"] == pytest.approx({"most": 7 / 56, "mean": 7 / 56})
    assert load.detail["by_tier"]["1 to 2"] == pytest.approx({"most": up, "mean": up})
    assert load.detail["by_link"]["Wire"]["mean"] == pytest.approx((24 * 7 / 56 + 8 * up) / 32)
    assert load.detail["busiest"][0]["utilisation"] == pytest.approx(up)


def test_bandwidth_by_tier() -> None:
    (found,) = values(LEAVES, "tiers(all npu)", "thin")
    assert found.value == 3
    bands = found.detail["bands"]
    assert [(b["tiers"], b["cables"], b["links"]) for b in bands] == [("0 to 1", 24, ["Wire"]), ("1 to 2", 8, ["Wire"])]
    assert [b["bandwidth"] for b in bands] == pytest.approx([24 * LINK, 8 * LINK])


def test_paths_of_a_pair() -> None:
    """Through one of six spines: four cables of 155 to 160 ns, two leaves of 200 ns and a spine of 300 ns."""
    far, near = values(LEAVES, "paths(npu[0, 0] -> npu[3, 5]); paths(npu[0, 0] -> npu[0, 1], message = 56 kB)", "even")
    assert (far.value, far.detail["hops"], len(far.detail["paths"])) == (6, 4, 4)
    first = far.detail["paths"][0]
    assert first["devices"] == ["npu[0, 0]", "leaf[0]", "spine[0]", "leaf[3]", "npu[3, 5]"]
    assert first["cable_s"] == pytest.approx([155e-9, 160e-9, 160e-9, 155e-9])
    assert first["device_s"] == pytest.approx([200e-9, 300e-9, 200e-9])
    assert first["time"] == pytest.approx(1.33e-6)
    assert "… and 2 more of 4 cables" in far.lines[-1]
    assert near.detail["paths"][0]["transfer_s"] == pytest.approx(1e-6)
    assert near.detail["fastest"]["time"] == pytest.approx(1.51e-6)
    (counted,) = values(LEAVES, "paths(npu[0, 0] -> npu[3, 5], show = 0)", "even")
    assert (counted.value, counted.lines, counted.detail["paths"]) == (6, (), [])


def test_the_fastest_path_may_have_more_cables() -> None:
    slow = """
    link Slow : UB { medium = copper; reach = 5 m; delay = 5 ns/m; latency = 9 us }
    npu Chip { port p[2] : UB x4; transit p }
    rack Ring { npu[3] : Chip
      connect npu[i].p[0] -- npu[i + 1].p[1] over Wire(1 m) for i in 0..1
      connect npu[2].p[0] -- npu[0].p[1] over Slow(1 m) }
    system m : Ring
    """
    (found,) = values(slow, "paths(npu[0] -> npu[2], show = 0)")
    assert [line.split(":")[0] for line in found.lines] == ["fastest"]
    (found,) = values(slow, "paths(npu[0] -> npu[2])")
    assert (found.value, found.detail["hops"]) == (1, 1)
    assert found.lines[0].startswith("fastest: 310 ns: npu[0]")
    assert found.lines[1].startswith("9.105 us: npu[0] -[Slow")


@pytest.mark.parametrize(
    ("question", "code", "words"),
    [
        ("paths(all npu)", "UB0709", "one pair"),
        ("paths(npu[0, *] -> npu[1, 0])", "UB0709", "6 end points"),
        ("paths(npu[0, 0] -> npu[0, 0])", "UB0706", "to another"),
        ("paths(npu[0, 0] -> npu[0, 1], show = -1)", "UB0310", ""),
    ],
)
def test_wrong_questions(question: str, code: str, words: str) -> None:
    _, report = asked(LEAVES, question, "even")
    assert not report.answers
    (found,) = report.diagnostics
    assert words in found.message
    assert found.code == code


def test_sums_are_asked_like_any_measure() -> None:
    count, bandwidth = values(LEAVES, "count(all npu); bandwidth(all npu)", "even")
    assert (count.value, count.kind) == (24, "exact")
    assert bandwidth.value == pytest.approx(24 * LINK)


def test_a_histogram_of_many_values_is_told_in_quantiles() -> None:
    line = """
    npu Chip { port p[2] : UB x4; transit p }
    rack Line { npu[14] : Chip; connect npu.p as line over Wire(1 m) }
    system m : Line
    """
    (found,) = values(line, "diameter(all npu)")
    assert found.value == 13
    # d cables apart are 14 - d of 91 pairs: 46 at most 4, 81 at most 9, 85 at most 10, 90 at most 12
    assert found.lines[0].startswith(
        "of the pairs 1% within 1, 10% within 1, 50% within 4, 90% within 10, 99% within 13"
    )


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("latency(all npu, message = (10^300)*1 B)", "`message` is at most"),
        ("availability(mttr = (10^12)*1 s)", "`mttr` is at most"),
        ("load(alltoall(all npu), rate = (10^300)*1 B/s)", "`rate` is at most"),
        ("throughput(uniform(all npu, rate = (10^300)*1 B/s))", "`rate` is out of range"),
        ("time(allreduce(all npu, size = (10^300)*1 B))", "`size` is out of range"),
    ],
)
def test_arguments_beyond_all_machines_are_refused_where_they_stand(question: str, says: str) -> None:
    ring = compile_text(
        "ubus 1\nprotocol P { lane = 80 Gbps; latency = 1 ns }\nlink L : P { reach = 2 m }\n"
        "npu C { port x[2] : P x4; transit x; afr = 0.1 }\n"
        "superpod R { npu[4] : C; connect npu.x as ring over L(1 m) }\nsystem s : R\n"
    )
    sink = Sink()
    asker = make_evaluator(ring, NetworkContext(ring.fabric()), sink)
    assert asker.answer(measure_calls(question, sink)[0]) is None
    (found,) = sink
    assert says in found.message
    assert found.primary is not None
    assert "10^" in found.primary.span.text
