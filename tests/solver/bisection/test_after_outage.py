"""What is known of a bisection after an outage, against the least of all cuts of random machines before and after."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest
from attrs import evolve

from tests.attack.draw import Drawn, damage, irregular, regular
from tests.attack.oracle import Oracle
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.measures.certified import cables_of
from unifiedbus_dsl.solver.bisection.after_outage import chances, halved_again
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.counted_cuts import EveryCut


def struck(seed: int) -> tuple[Drawn, NetworkContext, NetworkContext]:
    """A machine in which cables and devices have failed, and the same before and after."""
    draw = random.Random(seed)
    machine = (regular if seed % 3 == 0 else irregular)(draw, 8)
    whole = NetworkContext(compile_text(machine.text).fabric())
    if seed % 2:
        damage(draw, machine)
    npus = [each for each in machine.devices if each.kind == "npu"]
    for each in machine.devices:
        each.lost = each.kind != "npu" and draw.random() < 0.3
    for each in draw.sample(npus, min(draw.choice((0, 0, 1, 2, 3)), len(npus) - 2)):
        each.lost = True
    a, b = whole.fabric.end_names(np.arange(whole.fabric.cable_count))
    health = {
        frozenset(f"{machine.devices[d].name}.{port}" for d, port in (each.a, each.b)): each.health
        for each in machine.cables
    }
    of = np.array([health[frozenset(str(end).removeprefix("pod.") for end in ends)] for ends in zip(a, b, strict=True)])
    lost = [whole.fabric.device_id(each.name) for each in machine.devices if each.lost]
    return machine, whole, whole.damaged(lost, np.flatnonzero(of == 0), (np.flatnonzero(of == 0.5), 0.5))


def npus_of(machine: NetworkContext) -> Ints:
    kinds = [device.kind for device in machine.fabric.plan.devices.values()]
    chosen = np.array([kind == "npu" for kind in kinds])[machine.fabric.device_type]
    return machine.ends(np.flatnonzero(chosen & ~machine.lost_devices))


@pytest.mark.parametrize("seed", range(60))
def test_what_is_known_after_an_outage_holds_the_least_of_all_cuts(seed: int) -> None:
    machine, whole, left = struck(seed)
    before, ends = npus_of(whole), npus_of(left)
    truth = Oracle(machine).bisection()
    for cable in machine.cables:
        cable.health = 1.0
    for device in machine.devices:
        device.lost = False
    base_truth = Oracle(machine).bisection()
    if truth is None or base_truth is None:
        pytest.skip("too many vertices to try every side")
    base = whole.bisection(before)
    assert base.capacity.lower <= base_truth * (1 + 1e-9)
    outage = left.outage(ends, before)
    assert outage is not None
    known = outage.known(base)
    assert known.lower.value <= truth * (1 + 1e-9)
    cables = cables_of(left)
    proved = known.lower.proof.prove(cables, left.network.selected(ends))
    assert known.lower.value <= proved * (1 + 1e-9) <= truth * (1 + 1e-8)
    (half,) = known.halves
    assert int(half.sum()) == len(ends) // 2
    assert not half[np.setdiff1d(np.arange(len(half)), ends)].any()
    low, high = outage.share(base)
    assert low * base_truth <= truth * (1 + 1e-9)
    assert high * base_truth >= truth * (1 - 1e-9)
    found = left.bisection(ends, before).capacity
    assert found.lower <= truth * (1 + 1e-9)
    assert found.upper >= truth * (1 - 1e-9)
    if not set(before) - set(ends):
        assert found.upper <= base.capacity.upper * (1 + 1e-9)


@pytest.mark.parametrize(("n", "k"), [(n, k) for n in range(2, 9) for k in range(1, n - 1)])
def test_chances_are_those_of_all_ways_to_place_what_is_lost(n: int, k: int) -> None:
    """Members 0 … n - k - 1 are left, the first half of them on the near side; the others are placed in every way."""
    near = (n - k) // 2
    beside, within = chances(n, k)
    best = []
    for goal in {n // 2, n - n // 2}:
        ways = list(combinations(range(k), goal - near))
        across = [sum(0 in way for way in ways) / len(ways), sum(0 not in way for way in ways) / len(ways)]
        apart = sum((0 in way) != (1 in way) for way in ways) / len(ways) if k > 1 else 0.0
        best.append((across, apart))
    mean = [sum(side[j] for side, _ in best) / len(best) for j in (0, 1)]
    choices = [(max(side), apart) for side, apart in best]
    if n % 2 and k % 2:  # either goal as often as the other
        choices = [(max(mean), apart) for _, apart in best]
    assert (beside, within) == pytest.approx(min(choices))


def ring(count: int) -> NetworkContext:
    text = f"""ubus 1
protocol UB {{ lane = 80 Gbps; latency = 100 ns }}
link Wire : UB {{ medium = copper; reach = 9 m }}
npu N {{ port a : UB x1; port b : UB x1; transit a, b }}
rack R {{ n[{count}] : N; connect n[i].a -- n[(i + 1) mod {count}].b over Wire(1 m) for i in 0..{count - 1} }}
system r : R
"""
    return NetworkContext(compile_text(text).fabric())


def mesh() -> NetworkContext:
    text = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 9 m }
npu N { port x[7] : UB x1; transit x }
rack R { n[8] : N; connect n.x as fullmesh over Wire(1 m) }
system r : R
"""
    return NetworkContext(compile_text(text).fabric())


def test_what_is_lost_costs_no_more_than_it_had() -> None:
    """One of the 28 cables of a full mesh of 8, 10 GB/s each: 16 were cut, and with no time for a proof of its own a
    machine without one of them has 150 GB/s all the same, since any cut was 160 GB/s before."""
    whole, ends = mesh(), np.arange(8)
    assert whole.bisection(ends).capacity.lower == pytest.approx(160e9)
    hurried = evolve(whole.damaged(lost_cables=[7]), budget_s=1e-9)
    found = hurried.bisection(ends, ends)
    assert found.capacity.lower == pytest.approx(150e9)
    assert 150e9 * (1 - 1e-9) <= found.capacity.upper <= 160e9 * (1 + 1e-9)
    assert "less what is lost" in found.reason_below
    outage = hurried.outage(ends, ends)
    assert outage is not None
    assert outage.share(whole.bisection(ends)) == pytest.approx((150 / 160, 1.0))
    assert evolve(whole.damaged(lost_cables=[7])).bisection(ends, ends).capacity.kind == "exact"


def test_the_whole_machine_is_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.solver.bisection import bisection as module

    whole, ends, solved = ring(12), np.arange(12), list[Network]()
    real = module.bisection

    def counted(symmetry, *args, **more):  # type: ignore[no-untyped-def]
        solved.append(symmetry.network)
        return real(symmetry, *args, **more)

    monkeypatch.setattr(module, "bisection", counted)
    for cable in range(4):
        whole.damaged(lost_cables=[cable]).bisection(ends, ends)
    assert sum(network is whole.network for network in solved) == 1
    assert len(solved) == 5


def test_end_points_that_are_not_lost_are_not_left_out() -> None:
    whole = ring(8)
    left = whole.damaged(lost_cables=[0])
    assert left.outage(np.arange(6), np.arange(8)) is None
    assert whole.outage(np.arange(8), np.arange(8)) is None


def test_a_certificate_after_an_outage_is_refused_where_it_says_too_little_is_lost() -> None:
    whole, ends = mesh(), np.arange(8)
    left = whole.damaged(lost_devices=[3])
    outage = left.outage(np.delete(ends, 3), ends)
    assert outage is not None
    proof = outage.known(whole.bisection(ends)).lower.proof
    members = np.arange(8) != 3
    value = proof.prove(cables_of(left), members)
    assert value == pytest.approx(90e9)  # 160 GB/s, less the seven cables of the one that is lost
    with pytest.raises(VerificationError, match="was not before"):
        evolve(proof, before=np.arange(8) != 2).prove(cables_of(left), members)
    with pytest.raises(VerificationError, match="has a cable"):
        proof.prove(cables_of(left), np.arange(8) != 5)
    bare = evolve(proof, bound=EveryCut(), health=cables_of(left).health)  # it stood without a cable before as well
    assert bare.prove(cables_of(left), members) == pytest.approx(120e9)


def test_a_half_that_lost_end_points_is_filled_up() -> None:
    whole = ring(10)
    side = np.arange(10) < 5
    for lost in ([0, 1], [7, 8, 9], [2], [6]):
        left = np.isin(np.arange(10), lost, invert=True)
        half = halved_again(whole.damaged(lost).network, side, left)
        assert int(half.sum()) == int(left.sum()) // 2
        assert not half[~left].any()
