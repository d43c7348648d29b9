"""`transit A -- B`: random machines against loops and LPs over ports, and machines with symmetries against the
same ones taken without."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest

from tests.solver import sided
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.symmetry import arrays_of, trivial_symmetry
from unifiedbus_dsl.measures.certified import arcs_of, cables_of
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.bisection.one_vertex import bounds_of
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import pairs
from unifiedbus_dsl.solver.flow import max_concurrent_flow
from unifiedbus_dsl.solver.flow.ecmp_hashing import arcs_and_cables, hash_flows
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances
from unifiedbus_dsl.solver.paths.bidirectional_bfs import pair_loads
from unifiedbus_dsl.solver.paths.reachability import reachability
from unifiedbus_dsl.solver.routing import ecmp
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.arcs import match
from unifiedbus_dsl.verify.halving_graph import halving_graph
from unifiedbus_dsl.verify.reach import Reach

SEEDS = [*range(16), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(16, 400))]


class Case:
    """A random machine, as it was drawn and as it was compiled."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        while True:
            self.drawn = sided.draw_machine(draw)
            done = compile_text(self.drawn.text())
            if done.ok:
                break
            assert {each.code for each in done.diagnostics if each.severity.name == "ERROR"} == {"UB0509"}  # islands
        self.machine = NetworkContext(done.fabric())
        fabric = self.machine.fabric
        names = list(fabric.device_names(np.arange(fabric.device_count)))
        self.device = [names.index(f"d{k}") for k in range(len(self.drawn.devices))]
        self.ends = self.drawn.ends
        self.end = {d: int(self.machine.end_of_device[self.device[d]]) for d in self.ends}
        self.far = sided.hop_matrix(self.drawn)
        self.joined = [
            (s, t) for i, s in enumerate(self.ends) for j, t in enumerate(self.ends) if 0 < self.far[i, j] < np.inf
        ]

    def numbers(self, some: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
        return [self.end[s] for s, _ in some], [self.end[t] for _, t in some]

    def on_arcs(self, load: dict[tuple[sided.Port, sided.Port], float]) -> dict[int, float]:
        """Loads of ways of cables on the arcs that they are."""
        fabric, found = self.machine.fabric, dict[int, float]()
        at = {device: d for d, device in enumerate(self.device)}
        for c, (forth, back) in enumerate(zip(*(each.tolist() for each in self.machine.cable_arcs()), strict=True)):
            a = at[int(fabric.a_device[c])], int(fabric.a_port[c])
            b = at[int(fabric.b_device[c])], int(fabric.b_port[c])
            found[forth] = found.get(forth, 0.0) + load.get((a, b), 0.0)
            found[back] = found.get(back, 0.0) + load.get((b, a), 0.0)
        return found


@pytest.mark.parametrize("seed", SEEDS)
def test_random_machines(seed: int) -> None:
    case = Case(seed)
    machine, drawn, ends = case.machine, case.drawn, case.ends
    match(arcs_of(machine.network), cables_of(machine))
    for i, s in enumerate(ends):
        for j, t in enumerate(ends):
            if s == t:
                continue
            some = [case.end[s]], [case.end[t]]
            found, timed = (
                distances.hop_histogram(machine.symmetry, *some),
                distances.latency_histogram(machine.timed_symmetry, *some),
            )
            assert [*found.value, *[np.inf] * found.unreachable] == [case.far[i, j]]
            assert [*timed.value, *[np.inf] * timed.unreachable] == pytest.approx([sided.latency(drawn, s, t)])
    reached, finite = reachability(machine.network), np.isfinite(case.far)
    assert [int(reached.reached[case.end[s]]) for s in ends] == finite.sum(axis=1).tolist()
    sizes = range(1, len(ends) + 1)
    best = max(len(c) for k in sizes for c in combinations(range(len(ends)), k) if finite[np.ix_(c, c)].all())
    assert reached.largest == (best, best)
    verified = Reach.of(cables_of(machine), np.ones(machine.network.ends, dtype=bool))
    assert np.array_equal(verified.reached(np.ones(machine.network.ends, dtype=bool)), reached.reached)
    assert verified.largest() == (best, best)
    if not case.joined:
        return
    want = case.on_arcs(sided.ecmp_loads(drawn, case.joined))
    demand = pairs(*case.numbers(case.joined), 1.0)
    pair_by_pair = pair_loads(
        machine.network, machine.network.count.astype(float), demand.source, demand.target, demand.rate
    )
    for load in (ecmp.ecmp(machine.symmetry, demand).load_Bps, pair_by_pair):
        assert load.sum() == pytest.approx(sum(want.values()))
        assert {arc: load[arc] for arc in want} == pytest.approx(want, abs=1e-9)
    flows = hash_flows(machine.network, *case.numbers(case.joined), seed)
    for f, (s, t) in enumerate(case.joined):
        used = flows.resource[flows.start[f] : flows.start[f + 1]]
        arcs = arcs_and_cables(machine.network, used)[0]
        arcs = arcs[arcs >= 0]
        assert len(arcs) == case.far[ends.index(s), ends.index(t)]
        tails, heads = machine.network.tail[arcs], machine.network.head[arcs]
        assert (heads[:-1] == tails[1:]).all()
        assert machine.network.forwards[heads[:-1]].all()
        assert (machine.network.end[tails[0]], machine.network.end[heads[-1]]) == (case.end[s], case.end[t])
    some = case.joined[:5]
    demand = pairs(*case.numbers(some), 1.0)
    for minimal in (False, True):
        right = sided.throughput(drawn, some, minimal)
        scale = max_concurrent_flow.max_concurrent_flow(machine.symmetry, demand, minimal=minimal).throughput.scale
        assert scale.kind == "exact"
        assert scale.lower == pytest.approx(right, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_cuts(seed: int) -> None:
    """Bisections lie between their bounds, which meet as a rule; where a cable may be used both ways, disjoint paths
    are refused, else they are the fewest cables that part a pair."""
    case = Case(seed)
    machine, members = case.machine, case.ends[:6]
    right = sided.bisection(case.drawn, members)
    found = bisection(machine.symmetry, [case.end[d] for d in members]).capacity
    assert found.lower <= right * (1 + 1e-6)
    assert found.upper >= right * (1 - 1e-6)
    for s, t in case.joined[:2]:
        try:
            cables = distances.disjoint_paths(machine.symmetry, [case.end[s]], [case.end[t]]).paths
        except NotAdmittedError:
            assert machine.network.turned is not None
            return
        assert min(cables, 4) == sided.parted_by(case.drawn, s, t, 3)


def test_bisections_meet_as_a_rule() -> None:
    """Of the machines that keep ports of a side apart nearly all have an exact bisection."""
    kinds = []
    for seed in range(40):
        drawn = sided.draw_machine(random.Random(seed))
        done = compile_text(drawn.text())
        if done.ok and NetworkContext(done.fabric()).network.turned is not None:
            kinds.append(bisection(NetworkContext(done.fabric()).symmetry).capacity.kind)
    assert kinds.count("exact") >= 0.9 * len(kinds) > 5


# ---- a pod of two planes --------------------------------------------------------------------------------------------

POD = """ubus 1
protocol Pcie { lane = 32 Gbps; latency = 100 ns }
protocol Eth { lane = 100 Gbps; latency = 100 ns }
link Slot : Pcie { medium = pcb; reach = 1 m }
link Access : Eth { medium = optical; reach = 50 m; delay = 5 ns/m }
npu Gpu { port pcie : Pcie x16 }
nic Dual { port host : Pcie x16; port net[2] : Eth x2; LINE }
switch Tor { port host[3] : Eth x2; port up : Eth x4 }
switch Agg { port down[3] : Eth x4 }
node Host { gpu : Gpu; nic : Dual; connect gpu.pcie -- nic.host over Slot(0.2 m); port net = nic.net }
module Segment {
  host[3] : Host
  tor[2]  : Tor
  connect host[n].net[k] -- tor[k].host[n] over Access(20 m) for n, k
  port up = tor.up
}
module Pod {
  segment[3] : Segment
  agg[2]     : Agg
  connect segment[s].up[k] -- agg[k].down[s] over Access(30 m) for s, k
}
system pod : Pod
"""
CROSSED = """scenario Crossed of pod {
  fail segment[0].tor[1] -- agg[1]
  fail segment[1].tor[0] -- agg[0]
  expect CONNECTED
  reachable(all npu)
}
"""
QUESTIONS = """hops(all npu); mean_hops(all npu); latency(all npu, message = 8 KiB); mean_latency(all npu)
throughput(alltoall(all npu)); throughput(alltoall(all npu), routing = wcmp)
throughput(alltoall(all npu), routing = optimal); throughput(alltoall(all npu), routing = minimal)
throughput(alltoall(all npu), routing = valiant); throughput(alltoall(all npu), routing = valiant(via = switch))
throughput(permutation(all npu, seed = 3)); fair(alltoall(all npu)); fair(shift(all npu, k = 2))
load(alltoall(all npu)); load(alltoall(all npu), rate = 10 GB/s)
time(allreduce(all npu, size = 64 MiB), algorithm = ring); time(alltoall(all npu, size = 64 MiB))
time(allreduce(all npu, size = 64 MiB), algorithm = hierarchical)
optimal_time(allgather(all npu, size = 64 MiB)); optimal_time(allreduce(all npu, size = 64 MiB))
bisection(all npu); bisection(all nic); disjoint_paths(all npu); reachable(all npu); connected(all npu); tiers(all npu)
oversubscription(all node); oversubscription(all module); hops(all nic); throughput(alltoall(all nic))"""


def pod(line: str) -> str:
    return POD.replace("LINE", line)


def test_a_nic_does_not_join_its_planes() -> None:
    """Segment 0 is left in plane 0 alone and segment 1 in plane 1: only a NIC that passes on from one network port to
    the other would join them."""
    for line, connected, reached in (("transit host -- net", False, 6), ("transit host, net", True, 9)):
        wanted = "connected(all npu)" if connected else "not connected(all npu)"
        done = compile_text(pod(line) + CROSSED.replace("CONNECTED", wanted))
        assert done.ok
        report = analyze(done, "pod")
        assert [each.holds for each in report.expectations] == [True]
        (found,) = (each for each in report.answers if each.block == "scenario Crossed")
        assert found.value == reached


@pytest.mark.slow
def test_symmetries_change_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every measure, with what symmetries the arrays have and with none; after losses too."""
    lost = "scenario q of pod { fail segment[2].tor[1]; bisection(all npu); reachable(all npu); tiers(all npu); HERE }"
    inside = "throughput(alltoall(all npu in segment[0], size = 1 MB)); fair(alltoall(all npu in segment[2]))"
    for text in (f"analyze q of pod {{ {QUESTIONS} }}", lost.replace("HERE", inside)):
        done = compile_text(pod("transit host -- net") + text.replace("\n", "; ") + "\n")
        assert done.ok, [each.message for each in done.diagnostics]
        folded = analyze(done, "pod")
        assert not folded.diagnostics, [each.message for each in folded.diagnostics]
        assert NetworkContext(done.fabric()).symmetry.generators
        with monkeypatch.context() as patched:
            patched.setattr(
                NetworkContext,
                "_symmetry",
                lambda self, network: trivial_symmetry(network, arrays_of(self.fabric.plan)),
            )
            plain = analyze(done, "pod")
        assert len(plain.answers) == len(folded.answers) > 4
        for one, two in zip(folded.answers, plain.answers, strict=True):
            assert (one.lower, one.upper) == pytest.approx((two.lower, two.upper), rel=1e-6), one.label


def test_walls_and_relays_in_closed_form() -> None:
    """Three hosts of 50 GB/s send to two uplinks of 50 GB/s, whatever a NIC does between its ports. With an injection
    of 20 GB/s in a host, an all-gather of nine shards takes at least eight of them at that rate."""
    for line in ("transit host -- net", "transit host, net"):
        text = pod(line) + "analyze q of pod { oversubscription(all node); oversubscription(all module) }\n"
        node, module = analyze(compile_text(text), "pod").answers
        assert (node.value, module.value) == (pytest.approx(1), pytest.approx(1.5))
    slow = pod("transit host -- net").replace("npu Gpu {", "npu Gpu { injection = 20 GB/s;")
    text = slow + "analyze q of pod { optimal_time(allgather(all npu, size = 900 MB)) }\n"
    (found,) = analyze(compile_text(text), "pod").answers
    assert found.lower == pytest.approx(800e6 / 20e9)


def test_lines_of_one_port_a_side_are_plain_where_no_other_keeps_ports_apart() -> None:
    """`host -- net` of a NIC with one port each forbids nothing then, and the network is as without it."""
    one = pod("transit host -- net[0]").replace("port net[2] : Eth x2", "port net[2] : Eth x2 @open")
    two = one.replace("host -- net[0]", "host, net[0]")
    made = [NetworkContext(compile_text(text).fabric()).network for text in (one, two)]
    assert made[0].turned is None
    assert np.array_equal(made[0].head, made[1].head)
    assert np.array_equal(made[0].forwards, made[1].forwards)


def test_bounds_hold_the_real_network_between_them() -> None:
    """Each cable has all its capacity in both, in parts or as one."""
    machine = NetworkContext(compile_text(pod("transit host -- net")).fabric())
    bounds = bounds_of(machine.symmetry)
    for made in (bounds.wider.network, bounds.narrower.network):
        assert made.turned is None
        assert made.capacity_Bps.sum() == pytest.approx(machine.network.capacity_Bps.sum())
        assert made.ends == machine.network.ends


def test_what_takes_a_line_for_one_vertex_is_refused() -> None:
    """A bound by every cut would miss that a cut may part the two ways of a line."""
    machine = NetworkContext(compile_text(pod("transit host -- net")).fabric())
    with pytest.raises(VerificationError, match="one vertex"):
        halving_graph(cables_of(machine), machine.network.selected())


SHARED = """ubus 1
protocol P { lane = 1 GB/s; latency = 100 ns }
link W : P { medium = copper; reach = 9 m }
npu Gpu { port p : P x1 }
nic Shared { port host[2] : P x1; port net : P x1; transit host -- net }
switch Hub { port p : P x1 }
rack R {
  gpu[2] : Gpu
  nic    : Shared
  hub    : Hub
  connect gpu[i].p -- nic.host[i] over W(1 m) for i
  connect nic.net -- hub.p over W(1 m)
}
system s : R
"""


def test_a_cable_that_is_used_both_ways_is_told() -> None:
    """Two GPUs that share a NIC meet at the switch behind it, there and back by one cable: a path, and not a count of
    disjoint ones."""
    done = compile_text(SHARED + "analyze q of s { hops(all npu); disjoint_paths(all npu) }\n")
    report = analyze(done, "s")
    assert [each.value for each in report.answers] == [4]
    (said,) = report.diagnostics
    assert "come back by a cable that they went out by" in said.message
