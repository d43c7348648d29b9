"""The optimum over all routings: the full linear program, closed forms, certificates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.solver import machines, twins
from tests.solver.routing.test_loads import matrix
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network, build_network
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.flow import flow_deviation, max_concurrent_flow, quotient_lp, terminals
from unifiedbus_dsl.solver.routing import ecmp, throughput
from unifiedbus_dsl.verify import VerificationError

X4 = machines.X4
REGULAR = [*machines.REGULAR, ("star", (5,)), ("superpod", (2, 2, 2, 2))]
SIZES = {"ends": 5, "switches": 2, "cables": 22}


@pytest.mark.parametrize("seed", machines.random_joined(60, **SIZES))
def test_optimum_of_random_networks_against_the_full_linear_program(seed: int) -> None:
    net = machines.random_network(seed, **SIZES)
    rng = np.random.default_rng(seed)
    d = demand.all_to_all(net) if seed % 2 else demand.pairs(*rng.integers(0, 5, (2, 7)), rng.integers(1, 4, 7))
    for minimal in (False, True):
        got = max_concurrent_flow.max_concurrent_flow(symmetry.trivial_symmetry(net), d, minimal=minimal)
        assert got.throughput.scale.value == pytest.approx(twins.full_optimum(net, matrix(d, 5), minimal), rel=1e-7)
        assert got.throughput.scale.kind == "exact"
        assert (got.throughput.load_Bps <= net.capacity_Bps * (1 + 1e-9)).all()


@pytest.mark.parametrize(("name", "sizes"), REGULAR)
@pytest.mark.parametrize("number", range(4))
def test_optimum_of_symmetric_networks_against_the_full_linear_program(
    name: str, sizes: tuple[int, ...], number: int
) -> None:
    """All-to-all, groups, shift and a scrambled numbering, folded as far as symmetry allows."""
    net, arrays = getattr(machines, name)(*sizes)
    end = np.arange(net.ends)
    d: demand.Demand = demand.all_to_all(net)
    if number == 1:
        d = demand.Groups(end % 2)
    elif number == 2:
        d = demand.pairs(end, (end + 1) % net.ends)
    elif number == 3:
        net, _, _ = machines.renumbered(net, seed=1)
        arrays = []
    found = symmetry.find_symmetry(net, arrays)
    want = twins.full_optimum(net, matrix(d, net.ends))
    got = max_concurrent_flow.max_concurrent_flow(found, d)
    assert got.throughput.scale.value == pytest.approx(want, rel=1e-7)
    assert got.optimum.upper == pytest.approx(want, rel=1e-7)
    minimal = max_concurrent_flow.max_concurrent_flow(found, d, minimal=True).throughput.scale.value
    assert minimal == pytest.approx(twins.full_optimum(net, matrix(d, net.ends), True), rel=1e-7)
    shared = throughput.throughput_under(ecmp.ecmp(found, d), d).scale.value
    assert want * (1 + 1e-9) >= minimal
    assert minimal * (1 + 1e-9) >= shared


def test_what_has_no_path_has_no_optimum() -> None:
    """Refused as `ecmp` refuses it, which sends over every path; free of symmetry and with all that there is."""
    refused = []
    for seed in range(30):
        net = machines.random_network(seed, ends=4, switches=3, cables=7)
        for d in (demand.all_to_all(net), demand.Groups(np.arange(4) % 2), demand.all_to_all(net, [0, 3])):
            for found in (symmetry.trivial_symmetry(net), symmetry.find_symmetry(net, [])):
                reasons = []
                for ask in (ecmp.ecmp, max_concurrent_flow.max_concurrent_flow):
                    try:
                        ask(found, d)
                        reasons.append("")
                    except NotAdmittedError as why:
                        reasons.append(str(why))
                assert reasons[0] == reasons[1]
                refused.append(bool(reasons[0]))
    assert 0.2 < np.mean(refused) < 0.8


def test_colours_are_not_taken_for_orbits() -> None:
    """A random 6-regular graph of 32 is one colour; folded by it the all-to-all optimum would be too high."""
    import networkx as nx

    edges = np.array(nx.random_regular_graph(6, 32, seed=1).edges())
    net = machines.plain(32, 32, [(edges[:, 0], edges[:, 1])])
    d = demand.all_to_all(net)
    honest = max_concurrent_flow.max_concurrent_flow(symmetry.find_symmetry(net, [symmetry.Array(0, (), (32,), 1)]), d)
    assert honest.throughput.scale.kind == "exact"
    plain = symmetry.trivial_symmetry(net)
    false = symmetry.Symmetry(net, (), np.zeros(32, np.int32), np.zeros(net.arcs, np.int32), 0)
    folded = quotient_lp.solve_concurrent_flow(
        false, max_concurrent_flow.commodities(false, d, np.arange(32)), np.ones(1)
    )
    assert folded.upper > honest.optimum.upper * 1.02
    assert plain.vertex_orbits == 32


def test_certificates_are_of_the_whole_network() -> None:
    """Prices: their volume over the distances they make, by NetworkX; loads: what is sent times the hops at least."""
    import networkx as nx

    net, arrays = machines.superpod(2, 2, 3, 2)
    d = demand.all_to_all(net)
    got = max_concurrent_flow.max_concurrent_flow(symmetry.find_symmetry(net, arrays), d)
    graph = nx.DiGraph()
    for a in range(net.arcs):
        graph.add_edge(int(net.tail[a]), int(net.head[a]), length=got.price[a])
    far = dict(nx.all_pairs_dijkstra_path_length(graph, weight="length"))
    ends = net.end_order.tolist()
    total = sum(far[s][t] for s in ends for t in ends if s != t)
    bound = (got.price * net.capacity_Bps).sum() / total
    assert got.throughput.scale.value == pytest.approx(bound)
    assert len(got.throughput.binding)
    assert (got.throughput.load_Bps[got.throughput.binding] >= net.capacity_Bps[got.throughput.binding] * 0.999).all()


@pytest.mark.parametrize("seed", machines.random_joined(40, **SIZES))
@pytest.mark.parametrize("minimal", [False, True])
def test_two_ways_to_the_optimum_agree(seed: int, minimal: bool) -> None:
    """Prices and the LP, without what end points may inject: that hides a side which is too high or too low."""
    plain = symmetry.trivial_symmetry(machines.random_network(seed, **SIZES))
    d = demand.all_to_all(plain.network)
    exact = max_concurrent_flow.max_concurrent_flow(plain, d, minimal=minimal).optimum
    by_prices = max_concurrent_flow.max_concurrent_flow(plain, d, minimal=minimal, most=10).optimum
    assert by_prices.lower <= exact.upper * (1 + 1e-7)
    assert by_prices.upper >= exact.lower * (1 - 1e-7)
    assert by_prices.upper <= by_prices.lower * 1.01


@pytest.mark.parametrize("seed", machines.random_joined(12, **SIZES))
@pytest.mark.parametrize("minimal", [False, True])
def test_what_is_too_large_is_an_interval_that_holds_the_optimum(seed: int, minimal: bool) -> None:
    net = machines.random_network(seed, **SIZES)
    d = demand.all_to_all(net)
    got = max_concurrent_flow.max_concurrent_flow(
        symmetry.trivial_symmetry(net), d, minimal=minimal, most=10
    ).throughput
    want = twins.full_optimum(net, matrix(d, 5), minimal)
    assert got.scale.lower <= want * (1 + 1e-9)
    assert got.scale.upper >= want * (1 - 1e-9)
    assert (got.load_Bps <= net.capacity_Bps * (1 + 1e-9)).all()
    assert got.scale.upper <= got.scale.lower * 1.01
    assert "prices" in got.scale.reason
    with pytest.raises(quotient_lp.TooLargeError):
        quotient_lp.solve_concurrent_flow(
            symmetry.trivial_symmetry(terminals.without_super_terminals(net)),
            max_concurrent_flow.commodities(
                symmetry.trivial_symmetry(terminals.without_super_terminals(net)), d, np.arange(5)
            ),
            np.ones(1),
            most=10,
        )


# ---- closed forms ---------------------------------------------------------------------------------------------------


def rate(net: machines.Network, arrays: list[symmetry.Array], d: demand.Demand) -> float:
    return max_concurrent_flow.max_concurrent_flow(symmetry.find_symmetry(net, arrays), d).throughput.rate_min_Bps


def test_mesh_of_eight_by_eight() -> None:
    net, arrays = machines.mesh(8, 8)
    assert rate(net, arrays, demand.all_to_all(net)) == pytest.approx(441e9)
    assert rate(net, arrays, demand.pairs(0, 63)) == pytest.approx(784e9)  # all 14 cables
    assert rate(net, arrays, demand.pairs(0, 1)) == pytest.approx(784e9)


def test_superpod_beats_ecmp() -> None:
    net, arrays = machines.superpod(128)
    found = symmetry.find_symmetry(net, arrays)
    d = demand.all_to_all(net)
    best = max_concurrent_flow.max_concurrent_flow(found, d)
    assert best.throughput.scale.kind == "exact"
    assert best.throughput.rate_min_Bps > throughput.throughput_under(ecmp.ecmp(found, d), d).rate_min_Bps * 1.003
    assert best.throughput.rate_min_Bps == pytest.approx(X4 * 256 * 8191 / (64 * 8128))  # the planes' ports out


@pytest.mark.parametrize(
    ("name", "sizes", "cut", "orbits"),
    [("cluster", (2, 3, 2, 2, 1, 2), 26, 18), ("clos", (4, 3, 3), 17, 4), ("superpod", (3, 2, 3, 2), 7, 14)],
)
def test_what_a_failure_leaves_of_symmetry_is_used(name: str, sizes: tuple[int, ...], cut: int, orbits: int) -> None:
    """One switch without cables: few orbits still, and the optimum of the full linear program."""
    net, arrays = getattr(machines, name)(*sizes)
    assert net.end[cut] < 0
    hurt = machines.without(net, [cut])
    found = symmetry.find_symmetry(hurt, arrays, colour=np.zeros(net.vertices))
    assert found.vertex_orbits <= orbits
    d = demand.all_to_all(hurt)
    got = max_concurrent_flow.max_concurrent_flow(found, d).throughput.scale
    assert got.kind == "exact"
    assert got.value == pytest.approx(twins.full_optimum(hurt, matrix(d, net.ends)), rel=1e-7)
    folded, plain = ecmp.ecmp(found, d), ecmp.ecmp(symmetry.trivial_symmetry(hurt), d)
    assert folded.load_Bps == pytest.approx(plain.load_Bps)
    assert folded.sweeps < plain.sweeps


@pytest.mark.parametrize("seed", range(20))
def test_hubs_are_put_in_as_if_built_with_them(seed: int) -> None:
    """Rows in order of head and kind, and each end point one vertex: what `build` makes of the same cables."""
    net = terminals.without_super_terminals(machines.random_network(seed, **SIZES))
    once = net.tail < net.head
    again = build_network(
        device_start=net.device_start,
        end=net.end,
        forwards=net.forwards,
        a=np.repeat(net.tail[once], net.count[once]),
        b=np.repeat(net.head[once], net.count[once]),
        kind=np.repeat(net.kind[once], net.count[once]),
        kinds=net.kinds,
    )
    for column in ("indptr", "head", "kind", "count"):
        assert np.array_equal(getattr(net, column), getattr(again, column)), column
    assert net.simple


@pytest.mark.parametrize("seed", range(2))
def test_prices_hold_the_optimum_and_prove_their_ends(seed: int) -> None:
    """A random machine of 24 end points against the LP; the upper bound by shortest paths of NetworkX under the
    prices, the lower bound by balance and capacity on every vertex and arc."""
    import networkx as nx

    edges = np.array(nx.random_regular_graph(5, 24, seed=seed).edges())
    net = machines.plain(24, 24, [(part[:, 0], part[:, 1]) for part in (edges[::2], edges[1::2])], [X4, X4 / 3])
    plain, d = symmetry.trivial_symmetry(net), demand.all_to_all(net)
    want = max_concurrent_flow.max_concurrent_flow(plain, d).throughput.scale
    found = max_concurrent_flow.max_concurrent_flow(plain, d, most=10, budget=2.0)
    scale = found.throughput.scale
    assert (want.kind, scale.kind) == ("exact", "interval")
    assert scale.lower <= want.value * (1 + 1e-7)
    assert scale.upper >= want.value * (1 - 1e-7)
    assert scale.upper <= scale.lower * 2
    graph = nx.DiGraph()
    graph.add_weighted_edges_from(zip(net.tail.tolist(), net.head.tolist(), found.price.tolist(), strict=True))
    far = sum(sum(row.values()) for _, row in nx.all_pairs_dijkstra_path_length(graph))
    assert (found.price * net.capacity_Bps).sum() / far == pytest.approx(scale.upper)
    load = found.throughput.load_Bps
    assert (load <= net.capacity_Bps * (1 + 1e-9)).all()
    gain = np.bincount(net.head, load, 24) - np.bincount(net.tail, load, 24)
    assert gain == pytest.approx(np.zeros(24), abs=1e-6 * load.max())
    hops = sum(sum(row.values()) for _, row in nx.all_pairs_shortest_path_length(graph))
    assert load.sum() >= scale.lower * hops * (1 - 1e-9)


def test_a_budget_that_is_too_small_for_the_linear_program_still_gives_an_interval() -> None:
    import networkx as nx

    edges = np.array(nx.random_regular_graph(6, 40, seed=0).edges())
    net = machines.plain(40, 40, [(edges[:, 0], edges[:, 1])])
    scale = max_concurrent_flow.max_concurrent_flow(
        symmetry.trivial_symmetry(net), demand.all_to_all(net), budget=0.02
    ).throughput.scale
    assert scale.kind == "interval"
    assert 0 < scale.lower < scale.upper < np.inf


# ---- certificates that are none are refused --------------------------------------------------------------------------


def solve_linear_program(net: Network, d: demand.Demand, *, minimal: bool = False) -> quotient_lp.Optimum:
    plain = symmetry.trivial_symmetry(net)
    return quotient_lp.solve_concurrent_flow(
        plain, max_concurrent_flow.commodities(plain, d, np.arange(net.ends)), np.ones(1), minimal=minimal
    )


def test_flows_that_do_not_balance_are_no_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    net, _ = machines.torus(4, 3)
    solve = quotient_lp._solve

    def leaking(*given: Any) -> Any:
        flows, *rest = solve(*given)
        flows[0] = flows[0] * (np.arange(len(flows[0])) != np.argmax(flows[0]))
        return flows, *rest

    monkeypatch.setattr(quotient_lp, "_solve", leaking)
    with pytest.raises(ArithmeticError, match="does not balance"):
        solve_linear_program(net, demand.all_to_all(net))


def test_distances_that_prices_do_not_bound_are_no_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    net, _ = machines.torus(4, 3)
    far = quotient_lp._class_distances
    monkeypatch.setattr(quotient_lp, "_class_distances", lambda *given: far(*given) * 1.0001)
    with pytest.raises(ArithmeticError, match="prices do not bound"):
        solve_linear_program(net, demand.all_to_all(net))


def test_flows_off_their_paths_are_no_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a ring of five a pair of neighbours sends the long way as well; of paths of fewest hops it may not."""
    net, _ = machines.torus(5)
    d = demand.pairs([0], [1])
    assert solve_linear_program(net, d).lower == pytest.approx(2 * machines.X4)
    assert solve_linear_program(net, d, minimal=True).lower == pytest.approx(machines.X4)
    block = quotient_lp._block

    def anywhere(group: symmetry.Symmetry, commodity: quotient_lp.Commodity, minimal: bool) -> Any:
        return evolve(block(group, commodity, False), hops=block(group, commodity, True).hops)

    monkeypatch.setattr(quotient_lp, "_block", anywhere)
    with pytest.raises(ArithmeticError, match="leaves its paths"):
        solve_linear_program(net, d)


def test_arcs_of_no_class_are_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the short way on a ring of five the long one is as long as nothing allows that knows the short one."""
    net, _ = machines.torus(5)
    block = quotient_lp._block

    def without(group: symmetry.Symmetry, commodity: quotient_lp.Commodity, minimal: bool) -> Any:
        made = block(group, commodity, minimal)
        stay = (made.tail != made.part[0]) | (made.head != made.part[1])
        return evolve(made, **{name: getattr(made, name)[stay] for name in ("key", "tail", "head", "orbit", "size")})

    monkeypatch.setattr(quotient_lp, "_block", without)
    with pytest.raises(ArithmeticError, match="prices do not bound"):
        solve_linear_program(net, demand.pairs([0], [1]))


def test_classes_of_arcs_are_the_same_from_a_table() -> None:
    net, arrays = machines.mesh(8, 8)
    found = symmetry.find_symmetry(net, arrays)
    (commodity,) = max_concurrent_flow.commodities(found, demand.all_to_all(net), np.arange(net.ends))
    block = quotient_lp._block(found, commodity, False)
    key = quotient_lp._keys(found, block.part, block.classes, net.tail, slice(None))
    table, search = (quotient_lp._numbers(block, arcs, found.arc_orbits)(key) for arcs in (net.arcs, 0))
    assert table.tolist() == search.tolist()
    assert (table == len(block.key)).sum() == (net.head == commodity.source).sum()  # nothing flows back to the source
    assert len(block.key) == len(set(table.tolist())) - 1


def test_loads_that_do_not_carry_the_demand_are_no_certificate() -> None:
    net, _ = machines.torus(4, 3)
    plain, d = symmetry.trivial_symmetry(net), demand.all_to_all(net)
    commodities, load = max_concurrent_flow.commodities(plain, d, np.arange(net.ends)), ecmp.ecmp(plain, d).load_Bps
    assert flow_deviation.bound_concurrent_flow(plain, commodities, load, budget=0).lower > 0
    with pytest.raises(VerificationError, match="above the proved upper"):  # nothing is gained, whatever flows
        flow_deviation.bound_concurrent_flow(plain, commodities, load * 0.99, budget=0)
    d = demand.pairs([0, 1], [5, 7])
    commodities, load = max_concurrent_flow.commodities(plain, d, np.arange(2)), ecmp.ecmp(plain, d).load_Bps
    with pytest.raises(ArithmeticError, match="do not balance"):
        flow_deviation.bound_concurrent_flow(plain, commodities, load * 0.99, budget=0)


@pytest.mark.parametrize("minimal", [False, True])
def test_costs_that_are_no_distances_are_no_certificate(monkeypatch: pytest.MonkeyPatch, minimal: bool) -> None:
    net, _ = machines.torus(4, 3)
    plain, d = symmetry.trivial_symmetry(net), demand.all_to_all(net)
    commodities, load = max_concurrent_flow.commodities(plain, d, np.arange(net.ends)), ecmp.ecmp(plain, d).load_Bps
    parted = flow_deviation._ShortestPathOracle._parted

    def further(paths: flow_deviation._ShortestPathOracle, cost: Any, length: Any) -> Any:
        far, hops = parted(paths, cost, length)
        return far * 1.001, hops

    monkeypatch.setattr(flow_deviation._ShortestPathOracle, "_parted", further)
    with pytest.raises(ArithmeticError, match="prices do not bound"):
        flow_deviation.bound_concurrent_flow(plain, commodities, load, minimal=minimal, budget=0)
