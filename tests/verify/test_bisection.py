"""Certificates of a bisection's lower bound: each kind on random machines, against the least of all cuts counted one by
one, and refused once it is broken."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.attack.draw import Drawn, irregular, regular
from tests.attack.oracle import Oracle
from tests.verify.machines import HEAD
from unifiedbus_dsl.base.arrays import Bools
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.symmetry import trivial_symmetry
from unifiedbus_dsl.measures.certified import cables_of
from unifiedbus_dsl.solver.bisection import cut_graph, embedding_bound, expander_flow_bound, sdp_bound
from unifiedbus_dsl.solver.bisection.branch_and_bound import branch_and_bound, every_half
from unifiedbus_dsl.solver.bisection.cut_sums import lattice
from unifiedbus_dsl.solver.bisection.flow_bound import bisection_flow_lp
from unifiedbus_dsl.solver.bisection.flow_certificates import flows_proof, shortest_flows
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.flow.terminals import flow_symmetry
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.alike import Generator
from unifiedbus_dsl.verify.bisection import LessLosses, LowerBound, OneCable, StatedBound, WholeUnits, is_stated
from unifiedbus_dsl.verify.cables import Cables
from unifiedbus_dsl.verify.class_flows import FlowBound
from unifiedbus_dsl.verify.counted_cuts import EveryCut, EveryHalf, SearchTree
from unifiedbus_dsl.verify.eigenvalues import CarriedBound
from unifiedbus_dsl.verify.halving_graph import halving_graph
from unifiedbus_dsl.verify.mixed_flows import MixedFlows


class Case:
    """A drawn machine with the least of its halving cuts, and what bounds are proved of."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.drawn: Drawn = (regular if seed % 3 == 0 else irregular)(draw, 8)
        self.machine = NetworkContext(compile_text(self.drawn.text).fabric())
        self.truth = Oracle(self.drawn).bisection()
        kinds = [device.kind for device in self.machine.fabric.plan.devices.values()]
        network = self.machine.network
        npu = np.array([kind == "npu" for kind in kinds])[self.machine.fabric.device_type]
        self.members: Bools = npu[network.end_device]
        self.graph = cut_graph.cut_graph(network, self.members)

    def proved(self, bound: LowerBound) -> float:
        return bound.prove(cables_of(self.machine), self.members)

    @property
    def connected(self) -> bool:
        matrix, count = Oracle(self.drawn).weights
        return set(range(count)) <= nx.node_connected_component(nx.from_numpy_array(matrix), 0)

    @property
    def half(self) -> Bools:
        return np.cumsum(self.members) <= self.members.sum() // 2


def cases(count: int) -> list[Case]:
    return [each for each in map(Case, range(count)) if each.truth]


CASES = cases(36)


@pytest.mark.parametrize("case", CASES)
def test_each_kind_shows_what_the_solver_says_and_no_more_than_the_least_cut(case: Case) -> None:
    halves, tree = every_half(case.graph), branch_and_bound(case.graph, case.half, 0.0)
    spectrum, (value, proof) = (
        sdp_bound.bisection_sdp_bound(case.graph),
        expander_flow_bound.expander_flow_bound(case.graph),
    )
    assert halves is not None
    assert spectrum is not None
    bounds = [(halves.lower_Bps, halves.proof), (spectrum.bound, spectrum.proof), (value, proof)]
    bounds += [] if tree is None else [(tree.lower_Bps, tree.proof)]
    bounds.append(embedding_bound.embedding_bound(case.graph))
    assert not is_stated(bounds[-1][1])
    for said, shown in bounds:
        assert said * (1 - 1e-7) <= case.proved(shown) <= case.truth * (1 + 1e-9)
    assert halves.lower_Bps == pytest.approx(case.truth)
    if halving_graph(cables_of(case.machine), case.members).nodes <= 14:
        assert case.proved(EveryCut()) == pytest.approx(case.truth)
    if case.connected:
        assert 0 < case.proved(OneCable()) <= case.truth * (1 + 1e-12)
    assert case.proved(WholeUnits(halves.proof)) == pytest.approx(case.truth)
    sums = lattice(case.graph)
    assert sums is not None
    stepped = branch_and_bound(case.graph, case.half, sums.step)
    if stepped is not None:  # what the tree leaves open is less than the next sum of cables
        assert case.proved(WholeUnits(stepped.proof)) == pytest.approx(case.truth)


@pytest.mark.parametrize("case", CASES)
def test_flows_show_what_the_solver_says_and_no_more_than_the_least_cut(case: Case) -> None:
    """With the symmetries of the machine, and with none."""
    network = case.machine.network
    for group in (case.machine.symmetry, trivial_symmetry(network)):
        hubs = flow_symmetry(group).restricted(colour=case.members)
        flows = bisection_flow_lp(hubs, case.members, 400_000)
        found = [(flows.lower, flows_proof(network, hubs, flows))]
        with suppress(NotAdmittedError):
            found.append(shortest_flows(group, case.members, np.inf))
        for said, shown in found:
            assert isinstance(shown, FlowBound)
            assert said * (1 - 1e-7) <= case.proved(shown) <= case.truth * (1 + 1e-8)


def test_flows_within_the_elements_of_an_array() -> None:
    """Three boxes of two NPUs around a switch: a half parts one of them."""
    text = HEAD + "npu N { port p : UB x1; port q : UB x4 }\nswitch S { port d[6] : UB x1 }\n"
    text += "rack B { n[2] : N; connect n[0].q -- n[1].q over Wide(1 m); port out = n.p }\n"
    text += (
        "superpod P { b[3] : B; s : S\n  connect b[i].out[j] -- s.d[2 * i + j] over Wide(1 m) for i in 0..2, j in 0..1"
    )
    machine, members = NetworkContext(compile_text(text + "\n}\nsystem p : P\n").fabric()), np.ones(6, dtype=bool)
    hubs = flow_symmetry(machine.symmetry).restricted(colour=members)
    flows = bisection_flow_lp(hubs, members, 400_000)
    proof = flows_proof(machine.network, hubs, flows)
    assert isinstance(proof, FlowBound)
    within = [rates for rates in proof.rates if rates.of is not None]
    assert any(rates.pair > 0 for rates in within)
    assert proof.prove(cables_of(machine), members) == pytest.approx(flows.lower)
    uneven = evolve(within[0], of=np.where(np.arange(7) == 0, 1, within[0].of))
    for rates, message in (
        (uneven, "tears apart|unequally"),
        (evolve(within[0], of=np.full(7, -1)), "in none"),
    ):
        with pytest.raises(VerificationError, match=message):
            evolve(proof, rates=(proof.rates[0], rates)).prove(cables_of(machine), members)


def test_the_graph_of_a_verifier_is_that_of_the_solver() -> None:
    """Made by two programs: the same nodes, and the same capacities between them."""
    for case in CASES:
        mine = halving_graph(cables_of(case.machine), case.members)
        order = np.argsort(case.graph.vertex)
        assert mine.vertex.tolist() == case.graph.vertex[order].tolist()
        assert mine.matrix() == pytest.approx(case.graph.weight.toarray()[np.ix_(order, order)])
        assert mine.member.tolist() == (case.graph.members[order] > 0).tolist()


def chain(switches: int) -> NetworkContext:
    text = HEAD + "npu N { port p : UB x4 }\nswitch S { port a : UB x4; port b : UB x4 }\n"
    text += f"rack R {{ n[2] : N; s[{switches}] : S\n  connect n[0].p -- s[0].a over Wide(1 m)\n"
    text += f"  connect s[i].b -- s[i + 1].a over Wide(1 m) for i in 0..{switches - 2}\n"
    text += f"  connect n[1].p -- s[{switches - 1}].b over Wide(1 m)\n}}\nsystem r : R\n"
    return NetworkContext(compile_text(text).fabric())


def test_a_long_chain_of_switches_is_one_link() -> None:
    """In few rounds, whichever way its switches are numbered."""
    machine = chain(20_000)
    graph = halving_graph(cables_of(machine), np.ones(2, dtype=bool))
    assert (graph.nodes, graph.capacity.tolist()) == (2, [40e9])
    assert cut_graph.cut_graph(machine.network, np.ones(2, dtype=bool)).nodes == 2


# ---- broken on purpose ----------------------------------------------------------------------------------------------

MESH = """
npu N { port x[5] : UB x1; port up : UB x2; transit x, up }
switch S { port down[6] : UB x2 }
rack R {
  n[6] : N
  s : S
  connect n.x as fullmesh over Wide(1 m)
  connect n[i].up -- s.down[i] over Wide(1 m) for i in 0..5
}
system r : R
"""
"""Six NPUs, 9 cables of 10 GB/s between halves, and a switch over which three of 20 GB/s lead: 150 GB/s."""


@pytest.fixture(scope="module")
def mesh() -> NetworkContext:
    return NetworkContext(compile_text(HEAD + MESH).fabric())


def refused(proof: LowerBound, cables: Cables, message: str, **change: Any) -> None:
    with pytest.raises(VerificationError, match=message):
        evolve(proof, **change).prove(cables, np.ones(6, dtype=bool))


def graph_of(mesh: NetworkContext) -> cut_graph.CutGraph:
    return cut_graph.cut_graph(mesh.network, np.ones(6, dtype=bool))


def test_flows_for_each_half(mesh: NetworkContext) -> None:
    cables, found = cables_of(mesh), every_half(graph_of(mesh))
    assert found is not None
    proof = found.proof
    assert isinstance(proof, EveryHalf)
    assert proof.prove(cables, np.ones(6, dtype=bool)) == pytest.approx(150e9)
    refused(proof, cables, "above the capacity", flow=proof.flow * 1.01)
    refused(proof, cables, "one flow for each half", flow=proof.flow[1:])
    to_switch = cables.end[proof.head] < 0
    assert to_switch.any()
    refused(proof, cables, "does not balance", flow=np.where(to_switch & (proof.flow > 0), 0.0, proof.flow))
    refused(proof, cables, "no nodes", tail=proof.tail + 100)
    refused(proof, cables, "two flows", tail=np.repeat(proof.tail[:1], len(proof.tail)),
            head=np.repeat(proof.head[:1], len(proof.tail)))  # fmt: skip
    less = evolve(proof, flow=proof.flow * 0.5)
    assert less.prove(cables, np.ones(6, dtype=bool)) == pytest.approx(75e9)


def test_a_tree_of_part_cuts(mesh: NetworkContext) -> None:
    cables, members = cables_of(mesh), np.ones(6, dtype=bool)
    found = branch_and_bound(graph_of(mesh), np.arange(6) < 3, 0.0)
    assert found is not None
    proof = found.proof
    assert isinstance(proof, SearchTree)
    assert proof.prove(cables, members) == pytest.approx(150e9)
    keep = np.arange(len(proof.depth)) != 1
    refused(proof, cables, "leave cuts out", depth=proof.depth[keep], code=proof.code[keep])
    refused(proof, cables, "leaves of a tree", depth=proof.depth[:0], code=proof.code[:0])
    refused(proof, cables, "more sides", depth=np.maximum(proof.depth - 1, 1))
    refused(proof, cables, "order of all nodes", order=np.roll(proof.order, 1)[:-1])
    refused(proof, cables, "negative eigenvalue", d=proof.d + 30e9)
    # every leaf is bounded anew: a tree that ends early shows little
    early = evolve(proof, depth=np.array([1]), code=np.array([1 << 63], dtype=np.uint64))
    assert early.prove(cables, members) < 150e9


def test_eigenvalues(mesh: NetworkContext) -> None:
    cables, found = cables_of(mesh), sdp_bound.bisection_sdp_bound(graph_of(mesh))
    assert found is not None
    proof = found.proof
    assert 149e9 < found.bound <= proof.prove(cables, np.ones(6, dtype=bool)) * (1 + 1e-9) <= 150e9 * (1 + 2e-9)
    refused(proof, cables, "negative eigenvalue", d=proof.d * 1.01)
    refused(proof, cables, "one number for each", d=proof.d[:-1])
    refused(proof, cables, "alike are not", alike=np.zeros(7, dtype=np.int64), d=np.zeros(7))
    leaves = evolve(proof, d=np.zeros(6), alike=np.array([0, 0, 0, 0, 1, 2]))  # of two switches
    with pytest.raises(VerificationError, match="alike are not"):
        leaves.prove(cables_of(two_leaves()), np.ones(4, dtype=bool))
    twins = evolve(proof, d=np.zeros(6), alike=np.array([0, 0, 1, 1, 2, 3]))
    assert twins.prove(cables_of(two_leaves()), np.ones(4, dtype=bool)) == 0.0
    apart = evolve(twins, d=np.array([15e9, 15e9, 0, 0, 0, 0]), pull=1e15)  # seen by vectors on twins alone
    with pytest.raises(VerificationError, match="negative eigenvalue"):
        apart.prove(cables_of(two_leaves()), np.ones(4, dtype=bool))


def two_leaves() -> NetworkContext:
    text = HEAD + "npu N { port p : UB x1 }\nswitch S { port d[2] : UB x1; port u[3] : UB x1 }\n"
    text += "rack R { n[4] : N; s[2] : S; connect n[2 * i + j].p -- s[i].d[j] over Wide(1 m) for i in 0..1, j in 0..1\n"
    text += "  connect s[0].u -- s[1].u over Wide(1 m) }\nsystem r : R\n"
    return NetworkContext(compile_text(text).fabric())


RING = """
npu N { port a : UB x1; port b : UB x1; transit a, b }
rack R { n[6] : N; connect n[i].a -- n[(i + 1) mod 6].b over Wide(1 m) for i in 0..5 }
system r : R
"""


def test_flows_target_by_target(mesh: NetworkContext) -> None:
    cables, members = cables_of(mesh), np.ones(6, dtype=bool)
    value, proof = embedding_bound.embedding_bound(graph_of(mesh))
    assert isinstance(proof, MixedFlows)
    assert 140e9 < value <= proof.prove(cables, members) * (1 + 1e-9) <= 150e9 * (1 + 2e-9)
    refused(proof, cables, "above the capacity", flow=proof.flow * 1.5)
    refused(proof, cables, "is negative", flow=-proof.flow)
    refused(proof, cables, "no nodes", tail=proof.tail + 100)
    refused(proof, cables, "two flows", target=np.zeros_like(proof.target))
    refused(proof, cables, "rate to a member", free=np.ones_like(proof.free))
    refused(proof, cables, "nothing is sent", target=proof.target[1:], flow=proof.flow[1:], free=proof.free[1:])
    refused(proof, cables, "not those of the graph", tail=proof.tail[1:], head=proof.head[1:], flow=proof.flow[..., 1:])
    more = evolve(proof, pair=proof.pair * 2)  # what is not sent is taken from what is shown
    assert more.prove(cables, members) <= 150e9
    assert evolve(proof, flow=proof.flow * 0.5).prove(cables, members) < value / 2 * (1 + 1e-6)


def test_flows_keep_to_the_link_of_a_member() -> None:
    """Two leaves of two NPUs: each sends to three others over its one cable of 10 GB/s."""
    machine, members = two_leaves(), np.ones(4, dtype=bool)
    value, proof = embedding_bound.embedding_bound(cut_graph.cut_graph(machine.network, members))
    assert isinstance(proof, MixedFlows)
    assert value == pytest.approx(proof.prove(cables_of(machine), members))
    narrow = evolve(cables_of(machine), health=np.where(cables_of(machine).end[cables_of(machine).a] >= 0, 0.5, 1.0))
    with pytest.raises(VerificationError, match="the link of a member"):
        proof.prove(narrow, members)


def test_what_capacities_carry() -> None:
    """A ring of six: two cables of 10 GB/s, which eigenvalues alone fall short of."""
    ring = NetworkContext(compile_text(HEAD + RING).fabric())
    cables, members = cables_of(ring), np.ones(6, dtype=bool)
    value, proof = expander_flow_bound.expander_flow_bound(cut_graph.cut_graph(ring.network, members))
    assert isinstance(proof, CarriedBound)
    assert proof.prove(cables, members) == pytest.approx(value)
    assert 19e9 < value <= 20e9
    refused(proof, cables, "do not fit", rate=proof.rate * 4)
    refused(proof, cables, "demands between nodes", rate=-proof.rate)
    refused(proof, cables, "negative eigenvalue", rate=proof.rate * 0.5)
    refused(proof, cables, "negative eigenvalue", rest=evolve(proof.rest, d=proof.rest.d + 1e9))


def test_flows_of_all_sorts(mesh: NetworkContext) -> None:
    cables, members = cables_of(mesh), np.ones(6, dtype=bool)
    hubs = flow_symmetry(mesh.symmetry).restricted(colour=members)
    proof = flows_proof(mesh.network, hubs, bisection_flow_lp(hubs, members, 400_000))
    assert isinstance(proof, FlowBound)
    assert proof.prove(cables, members) == pytest.approx(150e9)
    assert len(proof.flows) == 1
    more = tuple(evolve(flow, value=flow.value * 1.01) for flow in proof.flows)
    refused(proof, cables, "above the capacity", flows=more)
    refused(proof, cables, "is negative", flows=(evolve(more[0], value=-more[0].value),))
    refused(proof, cables, "has no flow", flows=proof.flows[1:])
    refused(proof, cables, "has no flow, or two", flows=(proof.flows[0], *proof.flows))
    refused(proof, cables, "no flows go back", mirror=None)
    refused(proof, cables, "opposite of each label", mirror=proof.mirror[1:])
    refused(proof, cables, "opposite of each label|other labels", mirror=np.arange(len(proof.mirror)))
    refused(proof, cables, "rate is negative", rates=(evolve(proof.rates[0], pair=-1.0),))
    refused(proof, cables, "alike differ", rates=(evolve(proof.rates[0], vertex=np.arange(7.0)),))
    # what is not sent is taken from what is shown
    claims = evolve(proof, rates=(evolve(proof.rates[0], pair=proof.rates[0].pair * 1.1),))
    assert claims.prove(cables, members) <= 150e9 * (1 + 1e-9)
    half = tuple(evolve(flow, value=flow.value * 0.5) for flow in proof.flows)
    assert evolve(proof, flows=half).prove(cables, members) <= 75e9 * (1 + 1e-9)


def test_renumberings_that_are_none(mesh: NetworkContext) -> None:
    cables, members = cables_of(mesh), np.ones(6, dtype=bool)
    hubs = flow_symmetry(mesh.symmetry).restricted(colour=members)
    proof = flows_proof(mesh.network, hubs, bisection_flow_lp(hubs, members, 400_000))
    assert isinstance(proof, FlowBound)
    alike = proof.alike

    def changed(message: str, **change: Any) -> None:
        refused(proof, cables, message, alike=evolve(alike, **change))

    switch = int(np.flatnonzero(cables.end < 0)[0])
    swap = np.array([0, switch], dtype=np.int32)
    changed("unlike vertices|tears apart|as they are", generators=(*alike.generators, Generator(swap, swap[::-1])))
    twice = Generator(swap, swap[[0, 0]])
    changed("a number twice", generators=(*alike.generators, twice))
    changed("in order", generators=(*alike.generators, Generator(swap[::-1], swap[::-1])))
    changed("a generator that is none|in a circle", by=np.where(alike.by >= 0, 99, -1).astype(np.int16))
    changed("in a circle|without rank", rank=np.zeros_like(alike.rank))
    changed("unlike arcs have one label|as they are", label=np.zeros_like(alike.label))
    changed("not carried to each other", stabilise=())
    changed("other vertices|a label for each", label=alike.label[1:])
    lone = evolve(alike, by=np.full_like(alike.by, -1), rank=np.zeros_like(alike.rank), stabilise=())
    refused(proof, cables, "unlike vertices have one label|not carried", alike=lone)


def ring_of_two_widths() -> tuple[NetworkContext, Bools]:
    """Eight NPUs in a ring whose cables are wide and narrow by turns: turned by one it is another machine."""
    text = HEAD + "npu N { port a : UB x1; port b : UB x1; port c : UB x2; port d : UB x2; transit a, b, c, d }\n"
    text += "rack R { n[8] : N\n  connect n[2 * i].a -- n[2 * i + 1].b over Wide(1 m) for i in 0..3\n"
    text += "  connect n[2 * i + 1].c -- n[(2 * i + 2) mod 8].d over Wide(1 m) for i in 0..3\n"
    text += "  open n.a, n.b, n.c, n.d }\nsystem r : R\n"
    return NetworkContext(compile_text(text).fabric()), np.ones(8, dtype=bool)


def test_a_turn_that_changes_widths_is_refused() -> None:
    machine, members = ring_of_two_widths()
    value, proof = shortest_flows(machine.symmetry, members, np.inf)
    assert isinstance(proof, FlowBound)
    assert proof.prove(cables_of(machine), members) == pytest.approx(value)
    at = np.arange(8, dtype=np.int32)
    turned = evolve(proof.alike, generators=(*proof.alike.generators, Generator(at, np.roll(at, -1))))
    with pytest.raises(VerificationError, match="does not leave the cables as they are"):
        evolve(proof, alike=turned).prove(cables_of(machine), members)


def test_no_answer_rests_on_what_nobody_adds_up() -> None:
    """Of drawn machines, with the proofs that the loop ends with."""
    for case in CASES:
        found = case.machine.bisection(np.flatnonzero(case.members))
        assert not is_stated(found.proof), found.capacity.reason
        assert found.capacity.lower * (1 - 1e-7) <= case.proved(found.proof) <= case.truth * (1 + 1e-8)


def test_a_long_ring_is_two_cables() -> None:
    """Exact by the parity of sums of cables, without a flow: one renumbering after another would be 5,000 of them."""
    machine = NetworkContext(compile_text(HEAD + RING.replace("6", "5000").replace("0..5", "0..4999")).fabric())
    found = machine.bisection(np.arange(5000))
    assert found.capacity.kind == "exact"
    assert isinstance(found.proof, WholeUnits)
    assert found.proof.prove(cables_of(machine), np.ones(5000, dtype=bool)) == 20e9
    assert is_stated(shortest_flows(machine.symmetry, np.ones(5000, dtype=bool), np.inf)[1])


def test_what_nobody_adds_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unifiedbus_dsl.solver.bisection.flow_certificates.MAX_STATED", 0)
    machine, members = ring_of_two_widths()
    assert is_stated(shortest_flows(machine.symmetry, members, np.inf)[1])
    assert is_stated(WholeUnits(LessLosses(StatedBound(1.0), members, None)))
    assert not is_stated(WholeUnits(OneCable()))


def test_one_cable_and_whole_units() -> None:
    case = next(case for case in CASES if case.members.sum() > 2)
    cables = cables_of(case.machine)
    health = np.ones(len(cables.a))
    member = np.flatnonzero(cables.members(case.members))
    last = cables.end[member[-1]]
    health[(cables.end[cables.a] == last) | (cables.end[cables.b] == last)] = 0.0
    with pytest.raises(VerificationError, match="not connected"):
        OneCable().prove(evolve(cables, health=health), case.members)
    thirds = evolve(cables, capacity_Bps=cables.capacity_Bps / 3)
    with pytest.raises(VerificationError, match="whole numbers"):
        WholeUnits(OneCable()).prove(thirds, case.members)


def test_a_bound_is_rounded_up_to_whole_units_only(mesh: NetworkContext) -> None:
    """Degrees of the mesh are 7 units of 10 GB/s at an NPU and 12 at the switch: halves of three are odd."""
    cables, members = cables_of(mesh), np.ones(6, dtype=bool)
    assert WholeUnits(OneCable()).prove(cables, members) == 10e9
    assert WholeUnits(_Says(11e9)).prove(cables, members) == 30e9
    assert WholeUnits(_Says(30e9)).prove(cables, members) == 30e9


class _Says:
    """A bound that is what it is told."""

    def __init__(self, value: float) -> None:
        self.value = value

    def prove(self, cables: Cables, members: Bools) -> float:
        return self.value
