"""Orbits of a plan are held to its rules: right ones pass, each sort of wrong ones is found."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from attrs import evolve

from tests.support.plans import draw_plan
from unifiedbus_dsl.compiler import compile, compile_text
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.quotient.cells import candidates
from unifiedbus_dsl.graph.quotient.group import ClassGroup
from unifiedbus_dsl.measures.state_orbits import stated_orbits
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.plan_orbits import StatedOrbits, check

EVERY = 10_000


def statements(network: PlanNetwork) -> list[StatedOrbits]:
    base = network.base
    around = [network.around(device) for device in range(min(base.devices, 3))]
    return [stated_orbits(network, quotient) for quotient in (base, *around)]


def test_orbits_of_random_plans_hold_at_every_device_drawn() -> None:
    held = 0
    for seed in range(40):
        done = compile_text(draw_plan(random.Random(seed)), "plan")
        if not done.ok:
            continue
        try:
            found = statements(PlanNetwork.of(done.plan))
        except NotProvedError:
            continue
        for stated in found:
            check(stated, EVERY, seed)
        held += 1
    assert held > 20


@pytest.fixture(scope="module")
def pod() -> list[StatedOrbits]:
    return statements(PlanNetwork.of(compile("specs/huawei/atlas-950-superpod.ubus").plan))


def _more(values: np.ndarray, by: int = 1) -> np.ndarray:
    changed = values.copy()
    changed[0] += by
    return changed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: evolve(s, count=_more(s.count)),
        lambda s: evolve(s, size=_more(s.size)),
        lambda s: evolve(s, head=np.roll(s.head, 1)),
        lambda s: evolve(s, kind=_more(s.kind)),
        lambda s: evolve(s, labels=tuple(np.arange(len(each)) for each in s.labels)),
        lambda s: evolve(s, tail=s.tail[1:], head=s.head[1:], kind=s.kind[1:], count=s.count[1:]),
    ],
    ids=["count", "size", "head", "kind", "labels", "one fewer"],
)
def test_what_is_wrong_is_found(pod: list[StatedOrbits], spoil: Callable[[StatedOrbits], StatedOrbits]) -> None:
    for stated in pod:
        check(stated, EVERY)
        with pytest.raises(VerificationError):
            check(spoil(stated), EVERY)


def test_a_symmetry_that_is_none_is_found() -> None:
    """A row of five: were all alike, a member drawn at random would have other cables."""
    text = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
link Wide : UB { medium = copper; reach = 9 m }
npu Chip { port p[2] : UB x1 @open; transit p }
rack Row { npu[5] : Chip; connect npu[i].p[0] -- npu[i + 1].p[1] over Wide(1 m) for i in 0..3 }
system m : Row
"""
    network = PlanNetwork.of(compile_text(text, "row").plan)
    stated = stated_orbits(network, network.base)
    check(stated, EVERY)
    one = {"place": 0, "vertex": 0, "size": 5, "member": 1, "tail": 0, "head": 0, "kind": 0, "count": 2}
    alike = evolve(
        stated,
        labels=(np.zeros(5, dtype=np.int64),),
        **{name: np.array([value], dtype=np.int64) for name, value in one.items()},
    )
    with pytest.raises(VerificationError):
        check(alike, EVERY)


@pytest.mark.parametrize("cyclic", [False, True])
def test_orbits_that_are_too_many_are_not_listed(cyclic: bool) -> None:
    """A million values in a million rows: refused before any of them is made, whether or not values go to others."""
    whole = ClassGroup.of(np.zeros(10**6, dtype=np.int64) if cyclic else np.arange(10**6), cyclic)
    known = [np.zeros(10**6, dtype=np.int64)]
    with pytest.raises(NotProvedError, match="too many orbits of digits"):
        candidates(whole, known, 10**6, 10**6)
    row, value, size = candidates(whole, [known[0][:2]], 2, 5)
    assert (len(row), value.tolist(), size.tolist()) == (10, [0, 1, 2, 3, 4] * 2, [1] * 10)
