"""Certificates of a bisection's lower bound: each kind on random machines, against the least of all cuts counted one by
one, and refused once it is broken."""

from __future__ import annotations

import random
from typing import Any

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.attack.draw import Drawn, irregular, regular
from tests.attack.oracle import Oracle
from tests.verify.machines import HEAD
from unifiedbus_dsl.analysis.certified import cables_of
from unifiedbus_dsl.network import Bools
from unifiedbus_dsl.pipeline import compile_text
from unifiedbus_dsl.solver import carried, halving, spectral
from unifiedbus_dsl.solver.branch_and_bound import branch_and_bound, every_half
from unifiedbus_dsl.solver.cut_sums import lattice
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.bisection import LowerBound, OneCable, WholeUnits
from unifiedbus_dsl.verify.cables import Cables
from unifiedbus_dsl.verify.counted_cuts import EveryCut, EveryHalf, SearchTree
from unifiedbus_dsl.verify.eigenvalues import CarriedBound
from unifiedbus_dsl.verify.halving_graph import halving_graph


class Case:
    """A drawn machine with the least of its halving cuts, and what bounds are proved of."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        self.drawn: Drawn = (regular if seed % 3 == 0 else irregular)(draw, 8)
        self.machine = Machine(compile_text(self.drawn.text).fabric())
        self.truth = Oracle(self.drawn).bisection()
        kinds = [device.kind for device in self.machine.fabric.plan.devices.values()]
        network = self.machine.network
        npu = np.array([kind == "npu" for kind in kinds])[self.machine.fabric.device_type]
        self.members: Bools = npu[network.end_device]
        self.graph = halving.graph_of(network, self.members)

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
    spectrum, (value, proof) = spectral.spectrum(case.graph), carried.carried(case.graph)
    assert halves is not None
    assert spectrum is not None
    bounds = [(halves.lower_Bps, halves.proof), (spectrum.bound, spectrum.proof), (value, proof)]
    bounds += [] if tree is None else [(tree.lower_Bps, tree.proof)]
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


def test_the_graph_of_a_verifier_is_that_of_the_solver() -> None:
    """Made by two programs: the same nodes, and the same capacities between them."""
    for case in CASES:
        mine = halving_graph(cables_of(case.machine), case.members)
        order = np.argsort(case.graph.vertex)
        assert mine.vertex.tolist() == case.graph.vertex[order].tolist()
        assert mine.matrix() == pytest.approx(case.graph.weight.toarray()[np.ix_(order, order)])
        assert mine.member.tolist() == (case.graph.members[order] > 0).tolist()


def chain(switches: int) -> Machine:
    text = HEAD + "npu N { port p : UB x4 }\nswitch S { port a : UB x4; port b : UB x4 }\n"
    text += f"rack R {{ n[2] : N; s[{switches}] : S\n  connect n[0].p -- s[0].a over Wide(1 m)\n"
    text += f"  connect s[i].b -- s[i + 1].a over Wide(1 m) for i in 0..{switches - 2}\n"
    text += f"  connect n[1].p -- s[{switches - 1}].b over Wide(1 m)\n}}\nsystem r : R\n"
    return Machine(compile_text(text).fabric())


def test_a_long_chain_of_switches_is_one_link() -> None:
    """In few rounds, whichever way its switches are numbered."""
    machine = chain(20_000)
    graph = halving_graph(cables_of(machine), np.ones(2, dtype=bool))
    assert (graph.nodes, graph.capacity.tolist()) == (2, [40e9])
    assert halving.graph_of(machine.network, np.ones(2, dtype=bool)).nodes == 2


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
def mesh() -> Machine:
    return Machine(compile_text(HEAD + MESH).fabric())


def refused(proof: LowerBound, cables: Cables, message: str, **change: Any) -> None:
    with pytest.raises(VerificationError, match=message):
        evolve(proof, **change).prove(cables, np.ones(6, dtype=bool))


def graph_of(mesh: Machine) -> halving.Graph:
    return halving.graph_of(mesh.network, np.ones(6, dtype=bool))


def test_flows_for_each_half(mesh: Machine) -> None:
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


def test_a_tree_of_part_cuts(mesh: Machine) -> None:
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


def test_eigenvalues(mesh: Machine) -> None:
    cables, found = cables_of(mesh), spectral.spectrum(graph_of(mesh))
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


def two_leaves() -> Machine:
    text = HEAD + "npu N { port p : UB x1 }\nswitch S { port d[2] : UB x1; port u[3] : UB x1 }\n"
    text += "rack R { n[4] : N; s[2] : S; connect n[2 * i + j].p -- s[i].d[j] over Wide(1 m) for i in 0..1, j in 0..1\n"
    text += "  connect s[0].u -- s[1].u over Wide(1 m) }\nsystem r : R\n"
    return Machine(compile_text(text).fabric())


RING = """
npu N { port a : UB x1; port b : UB x1; transit a, b }
rack R { n[6] : N; connect n[i].a -- n[(i + 1) mod 6].b over Wide(1 m) for i in 0..5 }
system r : R
"""


def test_what_capacities_carry() -> None:
    """A ring of six: two cables of 10 GB/s, which eigenvalues alone fall short of."""
    ring = Machine(compile_text(HEAD + RING).fabric())
    cables, members = cables_of(ring), np.ones(6, dtype=bool)
    value, proof = carried.carried(halving.graph_of(ring.network, members))
    assert isinstance(proof, CarriedBound)
    assert proof.prove(cables, members) == pytest.approx(value)
    assert 19e9 < value <= 20e9
    refused(proof, cables, "do not fit", rate=proof.rate * 4)
    refused(proof, cables, "demands between nodes", rate=-proof.rate)
    refused(proof, cables, "negative eigenvalue", rate=proof.rate * 0.5)
    refused(proof, cables, "negative eigenvalue", rest=evolve(proof.rest, d=proof.rest.d + 1e9))


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


def test_a_bound_is_rounded_up_to_whole_units_only(mesh: Machine) -> None:
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
