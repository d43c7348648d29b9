"""UGAL: the published shape, fixed points that plain loops confirm, a triangle by hand; nothing calls it exact."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from attrs import evolve

from tests.solver import machines, twins
from tests.solver.routing.test_dragonfly import Loops, answers, dragonfly, refusal
from tests.solver.routing.test_interface import MESH, Bare, routing_on
from unifiedbus_dsl import compile_text, solve
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import find_symmetry, trivial_symmetry
from unifiedbus_dsl.measures.certified import cables_of
from unifiedbus_dsl.measures.rates import certify_throughput
from unifiedbus_dsl.solver.bounds import NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.demand import all_to_all, pairs, scaled
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing import traversals, ugal
from unifiedbus_dsl.solver.routing.ugal import FixedPoint, Ugal, cost_integral, hop_cost
from unifiedbus_dsl.solver.routing.ugal_choices import MatrixLegs, SteppedLegs, choices_over, choices_over_groups
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.loads import FeasibleCertificate

RATE = 100e9
BARE = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 9 m }
npu Chip { port x[4] : UB x1; transit x }
rack Mesh {
  npu[5] : Chip
  connect npu.x as fullmesh over Wire(1 m)
}
system s : Mesh
"""
OVER_GROUPS = "routing = ugal(via = group)"


def hyperx(s1: int, s2: int, t: int) -> str:
    return f"""ubus 1
use std.hyperx
protocol Unit {{ lane = 100 GB/s }}
link Wire : Unit {{ medium = copper; reach = 100 m }}
npu Host {{ port p : Unit x1 }}
switch Router(ports) {{ port p[ports] : Unit x1 }}
module Machine {{
  host[{s1}, {s2}, {t}] : Host
  fabric : std.hyperx.HyperX(dims = [{s1}, {s2}], hosts = {t}, switch = Router, link = Wire, length = 10 m)
  connect host[x, y, i].p -- fabric.host[x, y, i] over Wire(2 m) for x, y, i
}}
system s : Machine
"""


# ---- the published shape --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_dragonfly_is_near_minimal_or_near_valiant(p: int) -> None:
    """Kim et al., 2008, figure 8: uniform traffic as minimal routing, the worst one about a half, as Valiant's."""
    worst = f"shift(all npu, k = {2 * p * p})"
    uniform, minimal, bad, low, valiant = answers(
        dragonfly(p),
        f"throughput(alltoall(all npu), {OVER_GROUPS})",
        "throughput(alltoall(all npu), routing = group_minimal)",
        f"throughput({worst}, {OVER_GROUPS})",
        f"throughput({worst}, routing = group_minimal)",
        f"throughput({worst}, routing = valiant(via = group))",
    )
    assert (uniform.kind, bad.kind, minimal.kind, valiant.kind) == ("estimate", "estimate", "exact", "exact")
    assert 0.99 * minimal.value <= uniform.value <= minimal.value * (1 + 1e-9)
    assert bad.value == pytest.approx(valiant.value, rel=0.05)
    assert bad.value > (p + 1) * low.value
    assert uniform.value > 1.7 * bad.value


@pytest.mark.parametrize(("s1", "s2", "t"), [(4, 4, 4), (5, 3, 3), (6, 2, 6)])
def test_a_hyperx_is_near_minimal_or_near_valiant(s1: int, s2: int, t: int) -> None:
    """Ahn et al., 2009: along one dimension all hosts of a switch share the cable to the next one under minimal
    routing; over all switches it is what Valiant's is."""
    across = f"shift(all npu, k = {s2 * t})"
    uniform, minimal, bad, low, valiant = answers(
        hyperx(s1, s2, t),
        "throughput(alltoall(all npu), routing = ugal)",
        "throughput(alltoall(all npu))",
        f"throughput({across}, routing = ugal)",
        f"throughput({across})",
        f"throughput({across}, routing = valiant(via = switch))",
    )
    assert low.value == pytest.approx(RATE / t)
    assert uniform.value == pytest.approx(minimal.value, rel=0.02)
    assert bad.value >= 0.95 * max(valiant.value, low.value)
    assert bad.value >= 1.5 * low.value


def test_at_low_rates_everything_is_minimal_and_loads_are_in_no_proportion() -> None:
    low, high, minimal = answers(
        dragonfly(2),
        f"load(shift(all npu, k = 8), {OVER_GROUPS}, rate = 1 GB/s)",
        f"load(shift(all npu, k = 8), {OVER_GROUPS}, rate = 40 GB/s)",
        "load(shift(all npu, k = 8), routing = group_minimal, rate = 1 GB/s)",
    )
    assert low.value == pytest.approx(minimal.value) == pytest.approx(0.08)
    assert "100% goes minimally" in low.assumptions[-1]
    assert 0.8 < high.value < 1.0
    assert {low.kind, high.kind} == {"estimate"}


# ---- the fixed point ------------------------------------------------------------------------------------------------


def test_the_cost_of_a_hop_is_the_derivative_of_its_integral() -> None:
    used = np.array([0.0, 0.2, 0.7, 0.95, ugal.FULL, 0.99, 1.2, 7.0])
    step = 1e-6
    slope = (cost_integral(used + step) - cost_integral(np.maximum(used - step, 0))) / np.where(used, 2 * step, step)
    assert slope == pytest.approx(hop_cost(used), rel=1e-5)
    assert hop_cost(np.array([0.0, ugal.FULL])) == pytest.approx([1.0, 1.0 + ugal.BUFFER])
    assert hop_cost(np.array([0.5])) == pytest.approx(1 + 0.25)  # M/D/1: half full, a quarter of a packet waits


def triangle() -> Network:
    """An end point on each of three switches that are joined to each other; cables of 1 byte/s, to switches of 100."""
    return machines.plain(6, 3, [([0, 1, 2], [3, 4, 5]), ([3, 3, 4], [4, 5, 5])], (100.0, 1.0), forward=False)


@pytest.mark.parametrize("rate", [0.2, 0.7, 1.2, 2.5])
def test_a_triangle_by_hand(rate: float) -> None:
    """From one to another: minimal over one cable, Valiant over the third switch in one of three draws, by the cable in
    the others. Where both are used a cable costs as much as the two of the way around."""

    def cost(used: float) -> float:
        if used < ugal.FULL:
            return 1 + used**2 / (2 * (1 - used))
        return 1 + ugal.BUFFER + (used - ugal.FULL) * ugal.FULL * (2 - ugal.FULL) / (2 * (1 - ugal.FULL) ** 2)

    low, high = 0.0, rate / 3  # what goes around
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if cost(rate - middle) > 2 * cost(middle) else (low, middle)
    loads = Ugal("ugal", "ugal", "switch", None).loads(Bare(triangle()), pairs([0], [1], rate))
    net = loads.network
    direct, around = (
        loads.load_Bps[(net.tail == 3) & (net.head == 4)].item(),
        loads.load_Bps[(net.tail == 3) & (net.head == 5)].item(),
    )
    assert (direct, around) == pytest.approx((rate - low, low), abs=2e-3 * rate)
    assert "not converged" not in loads.estimate


@pytest.mark.parametrize("seed", range(12))
def test_shares_are_a_fixed_point_by_loops(seed: int) -> None:
    """Loads and costs of each pair added up from plain loops: no pair would rather take the other kind of path."""
    net = machines.random_network(seed, ends=6, cables=30)
    if (twins.hop_matrix(net) < 0).any():
        return
    rng = np.random.default_rng(seed)
    source, target = (each.ravel() for each in np.indices((6, 6)))
    keep = (source != target) & (rng.random(36) < 0.6)
    keep |= (target - source) % 6 == 1  # all take part
    demand = pairs(source[keep], target[keep], rng.integers(1, 5, int(keep.sum())).astype(float))
    point = FixedPoint(choices_over(trivial_symmetry(net), demand, "end"))
    point.solve(scale := 0.8 * float(net.capacity_Bps.min()))
    used = np.zeros(net.arcs)
    both = []
    for s, t, rate in zip(demand.source.tolist(), demand.target.tolist(), demand.rate.tolist(), strict=True):
        straight = np.zeros((6, 6))
        straight[s, t] = 1.0
        over = np.zeros((6, 6))
        for i in range(6):
            over[s, i] += i != s
            over[i, t] += i != t
        way = int(np.flatnonzero(point.choices.minimal.steps[:, net.vertices_of(t)[0]] == 0)[0])
        (pair,) = np.flatnonzero((point.choices.pairs[0] == way) & (point.choices.pairs[1] == s))
        x = float(point.shares[pair])
        kinds = twins.ecmp_loads(net, straight), twins.ecmp_loads(net, over) / 6
        both.append((x, rate, *kinds))
        used += rate * scale * (x * kinds[0] + (1 - x) * kinds[1])
    assert used == pytest.approx(point.loads * scale, rel=1e-9)
    cost = hop_cost(used / net.capacity_Bps)
    paid = sum(rate * (x * kinds[0] + (1 - x) * kinds[1]) @ cost for x, rate, *kinds in both)
    best = sum(rate * min(kind @ cost for kind in kinds) for _, rate, *kinds in both)
    assert best <= paid * (1 + 1e-9)
    assert paid - best <= 1.01 * ugal.GAP * paid
    assert any(x < 1 for x, *_ in both)


def test_a_dragonfly_by_loops() -> None:
    """The paths of the paper, enumerated, and their equilibrium by best responses with exact steps (Frank-Wolfe)."""
    loops, rate = Loops(2), 0.3
    routers = [(g, r) for g, r in product(range(9), range(4))]
    cables: dict[str, int] = {}
    kinds = np.zeros((2, 36, 1000))
    for number, (g, r) in enumerate(routers):
        to = ((g + 1) % 9, r)
        for which, ways in enumerate((loops.minimal((g, r), to), loops.over_groups((g, r), to))):
            for way, chance in ways:
                for cable in way:
                    kinds[which, number, cables.setdefault(str(cable), len(cables))] += 2 * rate * float(chance)
    kinds = kinds[:, :, : len(cables)]
    share = np.ones(36)

    def load(share: np.ndarray) -> np.ndarray:
        return np.asarray(share @ kinds[0] + (1 - share) @ kinds[1])

    for _ in range(3000):
        cost = hop_cost(load(share))
        toward = (kinds[0] @ cost <= kinds[1] @ cost) - share
        change = toward @ (kinds[0] - kinds[1])
        low, high = 0.0, 1.0
        for _ in range(40):
            step = (low + high) / 2
            low, high = (step, high) if hop_cost(load(share) + step * change) @ change < 0 else (low, step)
        share = share + low * toward
    (found,) = answers(dragonfly(2), f"load(shift(all npu, k = 8), {OVER_GROUPS}, rate = {rate * 100} GB/s)")
    assert found.value == pytest.approx(load(share).max(), rel=3e-3)
    said = next(each for each in found.assumptions if "goes minimally" in each)
    assert float(said.split("; ")[-1].split("%")[0]) == pytest.approx(100 * share.mean(), abs=0.5)


@pytest.mark.parametrize(
    ("name", "sizes", "via"), [("mesh", (4, 3), "end"), ("torus", (4, 4), "end"), ("clos", (3, 2, 2), "switch"),
                               ("fat_tree", (4,), "switch"), ("superpod", (3, 2, 2, 2), "switch")],
)  # fmt: skip
def test_symmetry_changes_no_load(name: str, sizes: tuple[int, ...], via: str) -> None:
    net, arrays = getattr(machines, name)(*sizes)
    demand = scaled(all_to_all(net), 3 * float(net.capacity_Bps.min()) / net.ends)
    plain, folded = (
        FixedPoint(choices_over(symmetry, demand, via))
        for symmetry in (trivial_symmetry(net), find_symmetry(net, arrays))
    )
    for point in (plain, folded):
        point.solve(1.0)
        assert point.gap <= ugal.GAP
    group = folded.choices.group
    each = (folded.loads / group.arc_orbit_size)[group.arc_orbit]
    assert each == pytest.approx(plain.loads, rel=0.03, abs=0.01 * float(plain.loads.max()))
    assert folded.minimal_share == pytest.approx(plain.minimal_share, abs=0.02)


@pytest.mark.parametrize("via", ["end", "switch", "group"])
@pytest.mark.parametrize("folded", [True, False])
def test_matrices_say_what_a_pass_over_all_ways_says(via: str, folded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads and costs of random shares and prices, of all pairs and of some, and the throughput they lead to."""
    machine, routing = routing_on(dragonfly(2), "ugal(via = group)")
    assert isinstance(routing, Ugal)
    net, rng = machine.network, np.random.default_rng(3)
    some = rng.permutation(net.ends)
    for demand in (all_to_all(net), pairs(np.arange(net.ends), some, 1e9 * rng.integers(1, 4, net.ends))):
        symmetry = machine.symmetry if folded else trivial_symmetry(net)
        choices = (
            choices_over_groups(symmetry, demand, routing.groups(net))
            if via == "group"
            else choices_over(symmetry, demand, via)
        )
        legs, stepped = MatrixLegs.of(choices), SteppedLegs(choices)
        assert isinstance(choices.legs, MatrixLegs)
        straight = choices.amount * rng.random(len(choices.amount))
        around = choices.amount - straight
        assert legs.loads(straight, around) == pytest.approx(stepped.loads(straight, around), rel=1e-9)
        cost = rng.random(choices.group.arc_orbits)
        for one, other in zip(legs.costs(cost), stepped.costs(cost), strict=True):
            assert one == pytest.approx(other, rel=1e-9)


def test_matrices_that_are_too_large_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, routing = routing_on(dragonfly(2), "ugal(via = group)")
    demand = pairs(np.arange(72), (np.arange(72) + 8) % 72, 30e9)
    quick = routing.loads(machine, demand)
    monkeypatch.setattr(traversals, "MAX_ENTRIES", 100)
    slow = routing.loads(machine, demand)
    assert slow.load_Bps == pytest.approx(quick.load_Bps, rel=1e-6)


def test_hosts_of_a_switch_share_their_rows() -> None:
    """Sixteen switches of a HyperX with four hosts each: their ways differ in the cables of the hosts alone."""
    machine, _ = routing_on(hyperx(4, 4, 4), "ugal")
    net = machine.network
    demand = pairs(np.arange(64), np.random.default_rng(1).permutation(64), 1e9)
    legs = MatrixLegs.of(choices_over(trivial_symmetry(net), demand, "switch"))
    assert [each.matrix.shape[0] for each in legs.around] == [len(demand.source), 16, 64, 16]


# ---- what an answer says --------------------------------------------------------------------------------------------


def test_what_does_not_converge_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ugal, "GAP", -1.0)
    monkeypatch.setattr(ugal, "MOST_ITERATIONS", 6)
    (found,) = answers(dragonfly(2), f"load(shift(all npu, k = 8), {OVER_GROUPS}, rate = 30 GB/s)")
    assert found.kind == "estimate"
    assert "; not converged after " in found.assumptions[-1]
    assert "the relative gap is " in found.assumptions[-1]


def test_a_budget_ends_the_iteration() -> None:
    machine, routing = routing_on(dragonfly(2), "ugal(via = group)")
    demand = pairs(np.arange(72), (np.arange(72) + 8) % 72, 30e9)
    assert "not converged" in routing.loads(evolve(machine, budget_s=0.0), demand).estimate
    assert "not converged" not in routing.loads(machine, demand).estimate


def test_every_measure_that_takes_a_routing_says_that_it_is_an_estimate() -> None:
    done = compile_text(dragonfly(2))
    fabric, traffic = done.fabric(), "shift(all npu, k = 8)"
    found = answers(
        dragonfly(2),
        f"throughput({traffic}, {OVER_GROUPS})",
        f"load({traffic}, {OVER_GROUPS})",
        f"worst(load({traffic}, {OVER_GROUPS}))",
        f"throughput({traffic}, {OVER_GROUPS}) / throughput({traffic})",
    )
    assert [each.kind for each in found] == ["estimate"] * 4
    assert all(any("UGAL-G" in said for said in each.assumptions) for each in found)
    assert found[0].lower == found[0].value == found[0].upper
    rates = solve.throughput(fabric, traffic, "ugal(via = group)")
    assert rates.scale.kind == "estimate"
    assert rates.mean_Bps == pytest.approx(found[0].value, rel=1e-6)
    used = solve.loads(fabric, traffic, "ugal(via = group)", rate_Bps=rates.mean_Bps)
    assert used.utilisation.max() == pytest.approx(1.0, abs=2e-4)


def test_loads_of_an_estimate_are_held_to_the_cables() -> None:
    machine, routing = routing_on(dragonfly(2), "ugal(via = group)")
    demand = pairs(np.arange(72), (np.arange(72) + 8) % 72)
    found = routing.throughput(machine, demand)
    certificate = certify_throughput(machine, demand, routing, found)
    shown = certificate.prove(cables_of(machine))
    assert (shown.lower, shown.upper) == pytest.approx((float(found.scale),) * 2)
    assert isinstance(certificate, FeasibleCertificate)
    for wrong, said in (
        (evolve(certificate, load_Bps=certificate.load_Bps * 1.1, scale=certificate.scale * 1.1), "of its capacity"),
        (evolve(certificate, scale=certificate.scale * 1.01), "less goes out of an end point"),
        (evolve(certificate, load_Bps=np.roll(certificate.load_Bps, 1)), "does not go out"),
    ):
        with pytest.raises(VerificationError, match=said):
            wrong.prove(cables_of(machine))


@pytest.mark.parametrize(
    ("routing", "said"),
    [
        ("ugal(via = switch)", "there is no switch to route over"),
        ("ugal(via = group)", "no array of assemblies holds all switches"),
        ("ugal(via = ends)", "did you mean `end`?"),
        ("ugal(seed = 1)", "`ugal` takes `via`, `groups`"),
        ("ugal(groups = all rack)", "write `ugal(via = group, groups = …)`"),
    ],
)
def test_what_is_asked_wrongly(routing: str, said: str) -> None:
    assert said in refusal(BARE, f"throughput(alltoall(all npu), routing = {routing})")


def test_what_has_no_path_is_refused() -> None:
    apart = machines.plain(4, 4, [([0], [1]), ([2], [3])], 1.0)
    with pytest.raises(NoPathError):
        choices_over(trivial_symmetry(apart), all_to_all(apart), "end")
    with pytest.raises(NotAdmittedError, match="to each intermediate"):
        choices_over(trivial_symmetry(apart), pairs([0, 2], [1, 3]), "end")


def test_a_machine_without_switches_goes_over_end_points() -> None:
    machine, routing = routing_on(BARE, "ugal")
    assert isinstance(machine, NetworkContext)
    assert routing.relays
    assert not routing_on(MESH, "ugal")[1].relays
