"""Random machines of `python -m tests.attack`, and the same attack on answers that are made wrong."""

from __future__ import annotations

import random

import numpy as np
import pytest
from attrs import evolve

from tests.attack import counting, large, routes
from tests.attack.__main__ import Asked, attack, compare
from tests.attack.draw import Cable, Device, Drawn, irregular
from tests.attack.least import Relaying
from tests.attack.oracle import Oracle
from tests.attack.sharing import Sharing, schedules
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.verify import VerificationError

SEED = 1


def test_random_machines_get_the_right_answers() -> None:
    counts, found = attack(SEED, 24)
    assert not found, "\n".join(found)
    assert len({kind.split()[0] for kind in counts}) >= 24, counts


@pytest.mark.parametrize(
    ("seed", "number"), [(31, 65), (31, 79), (31, 83), (78, 91), (78, 99), (79, 19), (2030, 359), (2122, 31)]
)
def test_machines_that_once_got_wrong_answers_get_right_ones(seed: int, number: int) -> None:
    """Of seeds 78 and 2030: racks whose ways out lead through lines of two sides. Of 79: exchanges that never ended.
    Of 2122: a plane in which no end point has a cable."""
    _, found = attack(seed, 1, first=number)
    assert not found, "\n".join(found)


@pytest.mark.scale
def test_a_thousand_random_machines_get_the_right_answers() -> None:
    _, found = attack(SEED, 1000, first=24)
    assert not found, "\n".join(found)


@pytest.mark.slow
def test_large_machines_keep_to_bounds_that_need_no_solver() -> None:
    small = [k for k in range(40) if len(large.drawn(SEED, k).a) < 200][:4]
    for number in small:
        counts, found = large.attack(SEED, 1, number)
        assert not found, "\n".join(found)
        assert counts["bisection"] == 1


def test_bounds_of_a_ring_of_ends_are_known() -> None:
    """Twelve NPUs that forward, each to the next: 3 hops on average of 1 to 6, two of each, and one of 6."""
    ring = large.Large(12, 0, True, np.arange(12), (np.arange(12) + 1) % 12, np.ones(12, int), np.zeros(12, bool))
    bounds = large.Bounds(ring)
    assert bounds.pairs.max() == 6
    assert bounds.pairs.mean() == pytest.approx(36 / 11)
    assert bounds.moore() == (6, pytest.approx(36 / 11))
    assert bounds.halves(np.random.default_rng(0)) >= 20e9
    assert 0 < bounds.single_path() * 36 <= 20e9
    assert {said for question, said in large.compare(ring, 0)} == {""}


def triangle() -> Drawn:
    """Three NPUs in a triangle, one side of which is twice as wide; only the first forwards."""
    ends = [Device(f"n{k}", "npu", ports=["p", "q"], lines=[["p", "q"]] if k == 0 else []) for k in range(3)]
    cables = [Cable((k, "q"), ((k + 1) % 3, "p"), 2 if k == 0 else 1, "Wide") for k in range(3)]
    return Drawn("", ends, cables)


def test_the_oracle_says_what_is_known_of_a_triangle() -> None:
    """By hand: a cable is 10 GB/s, the first 20; who sends to both others sends one share over each of its cables."""
    oracle = Oracle(triangle())
    assert oracle.pairs(timed=False) == [1.0] * 6
    assert oracle.bisection() == 20e9  # the third alone
    assert oracle.disjoint_paths() == 1  # of the first and any: no other forwards
    alltoall = [(s, t) for s in range(3) for t in range(3) if s != t]
    assert oracle.ecmp(alltoall)[0] == 10e9
    assert oracle.best(alltoall, minimal=True) == pytest.approx(10e9)
    # through the first passes x of 1 -> 2 (and back): 1 + x on its narrow cable, 1 - x on the direct one
    assert oracle.best(alltoall, minimal=False) == pytest.approx(10e9)
    assert oracle.best([(1, 2)], minimal=False) == pytest.approx(20e9)


def test_a_machine_that_lost_a_cable_is_asked_as_such() -> None:
    broken = triangle()
    broken.cables[0].health = 0.0
    assert Oracle(broken).pairs(timed=False) == [float("inf"), 1.0, float("inf"), 1.0, 1.0, 1.0]
    assert Oracle(broken).largest_connected() == 2


def star(ends: int = 4, lanes: int = 1, injection: int = 0) -> Drawn:
    """NPUs on one switch, in two racks without it."""
    devices = [
        Device(f"n{k}", "npu", injection_GBps=injection, ports=[f"p_x{lanes}"], rack=2 * k // ends) for k in range(ends)
    ]
    devices.append(Device("s", "switch", latency_ns=50, ports=[f"d_x{lanes}[{k}]" for k in range(ends)]))
    cables = [Cable((k, f"p_x{lanes}"), (ends, f"d_x{lanes}[{k}]"), lanes, "Wide") for k in range(ends)]
    return Drawn("", devices, cables, ["r0", "r1"])


def test_collectives_of_a_star_take_what_is_known() -> None:
    """A cable is 10 GB/s, a way 100 + 50 + 100 ns: the closed forms of alpha and beta."""
    sharing = Sharing(Oracle(star()))
    time = {
        (c, name): sharing.time(steps, 1e6)
        for c in ("allreduce", "allgather", "alltoall", "broadcast")
        for name, steps in schedules(c, [0, 1, 2, 3])
    }
    way, beta = 250e-9, 1e6 / 10e9
    assert time["allgather", "ring"] == pytest.approx(3 * way + 0.75 * beta)
    assert time["allgather", "direct"] == pytest.approx(way + 0.75 * beta)
    assert time["allreduce", "halving_doubling"] == pytest.approx(4 * way + 1.5 * beta)
    assert time["allreduce", "tree"] == pytest.approx(4 * way + 4 * beta)
    assert time["alltoall", "ring"] == pytest.approx(3 * way + 1.5 * beta)
    assert time["alltoall", "halving_doubling"] == pytest.approx(2 * way + beta)
    assert time["broadcast", "tree"] == pytest.approx(2 * way + 2 * beta)
    assert time["broadcast", "direct"] == pytest.approx(way + 3 * beta)
    assert time["broadcast", "ring"] == pytest.approx(2 * way + 0.75 * beta + 3 * way + 0.75 * beta)


def test_rates_of_a_star_are_fair() -> None:
    """Two flows to one and one to another: 5, 5 and what the first sender has left."""
    assert Sharing(Oracle(star())).rates([(0, 2), (1, 2), (0, 3)]) == pytest.approx([5e9, 5e9, 5e9])
    assert Sharing(Oracle(star())).rates([(0, 2), (1, 2), (1, 3), (1, 0)]) == pytest.approx([20e9 / 3, *[10e9 / 3] * 3])
    assert Sharing(Oracle(star(injection=6))).rates([(0, 1)]) == pytest.approx([6e9])


def test_best_times_of_a_hub_count_what_it_sends_again() -> None:
    """Three leaves of 100 GB/s on a hub that injects 100 GB/s: 1/3 of it for each of two copies and its own."""
    hub = Device("n0", "npu", injection_GBps=100, ports=["a_x10", "b_x10", "c_x10"])
    leaves = [Device(f"n{k}", "npu", ports=["p_x10"]) for k in (1, 2, 3)]
    cables = [Cable((k, "p_x10"), (0, f"{'abc'[k - 1]}_x10"), 10, "Wide") for k in (1, 2, 3)]
    relaying = Relaying(Oracle(Drawn("", [hub, *leaves], cables)))
    assert relaying.shared_gate
    assert relaying.narrowest(1, [0, 1, 2, 3]) == pytest.approx(100)
    assert relaying.gather([0, 1, 2, 3]) == pytest.approx(100 / 3)  # one receiver alone, no copies
    # the hub passes x of each leaf to two others, and sends and takes three of its own
    assert relaying.exchange([0, 1, 2, 3]) == pytest.approx(100 / 9)
    assert not Relaying(Oracle(star(injection=6))).shared_gate


def test_what_a_star_counts_is_known() -> None:
    machine = star(lanes=2)
    said = dict(counting.sums(machine))
    assert said["bandwidth(all npu)"] == 80e9
    assert said["cost()"] == 200
    assert said["mtbf()"] == counting.YEAR_S / (5 * 0.125 + 4 * 0.25)
    assert counting.tiers(Oracle(machine)) == (2, {"0 to 1": 80e9})
    assert counting.oversubscription(Oracle(machine)) == 1.0
    machine.cables[0].health = 0.5
    assert counting.oversubscription(Oracle(machine)) == 1.0  # its own port is slower too
    assert dict(routes.throughputs(Oracle(star()), [(0, 1), (1, 0)])) == {"wcmp": 10e9, "valiant": 10e9, "updown": 10e9}


def joined_machine() -> Drawn:
    return next(each for k in range(99) if max(Oracle(each := irregular(random.Random(k))).pairs(timed=False)) < 99)


def test_the_attack_sees_answers_that_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Asked.answer

    def further(self: Asked, question: str) -> Answer | str:
        answer = real(self, question)
        if isinstance(answer, str) or "hops" not in question:
            return answer
        return evolve(answer, lower=answer.lower * 2, upper=answer.upper * 2)

    monkeypatch.setattr(Asked, "answer", further)
    wrong = {question.partition("(")[0] for question, said in compare(joined_machine(), random.Random(0)) if said}
    assert wrong == {"hops", "mean_hops"}


def test_the_attack_sees_answers_that_fail_their_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    def certify(*args: object) -> object:
        raise VerificationError("made to fail")

    monkeypatch.setattr("unifiedbus_dsl.measures.rates.certify_throughput", certify)
    with pytest.raises(VerificationError):
        list(compare(joined_machine(), random.Random(0)))
