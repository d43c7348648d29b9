"""Random machines of `python -m tests.attack`, and the same attack on answers that are made wrong."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.attack.__main__ import attack, compare
from tests.attack.draw import Cable, Device, Drawn, irregular
from tests.attack.oracle import Oracle
from unifiedbus_dsl.verify import VerificationError

SEED = 1


def test_random_machines_get_the_right_answers() -> None:
    counts, found = attack(SEED, 50)
    assert not found, "\n".join(found)
    assert min(counts.values()) >= 25, counts


@pytest.mark.slow
def test_a_thousand_random_machines_get_the_right_answers() -> None:
    _, found = attack(SEED, 1000, first=50)
    assert not found, "\n".join(found)


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


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("unifiedbus_dsl.analysis.measures.rates.certify_throughput", None),
        ("unifiedbus_dsl.analysis.measures.paths.far.hops", "hops"),
    ],
)
def test_the_attack_sees_answers_that_are_wrong(place: str, wrong: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    from attrs import evolve

    module, _, name = place.rpartition(".")
    owner: object = importlib.import_module("unifiedbus_dsl.analysis.measures.paths" if wrong else module)
    owner = vars(owner)["far"] if wrong else owner
    real = getattr(owner, name)

    def changed(*args: object) -> object:
        if wrong:
            histogram = real(*args)
            return evolve(histogram, value=np.asarray(histogram.value) + 1.0)
        raise VerificationError("made to fail")

    monkeypatch.setattr(owner, name, changed)
    machine = next(each for k in range(99) if max(Oracle(each := irregular(random.Random(k))).pairs(timed=False)) < 99)
    if wrong is None:
        with pytest.raises(VerificationError):
            list(compare(machine, random.Random(0)))
    else:
        assert {question for question, said in compare(machine, random.Random(0)) if said} >= {"diameter(all npu)"}
