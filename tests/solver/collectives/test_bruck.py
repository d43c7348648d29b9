"""Bruck's all-to-all and all-gather: pieces followed one by one, and the closed forms of the paper on a switch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.attack.sharing import schedules as followed
from tests.solver import machines
from tests.solver.collectives.test_completion_time import HOP, SIZE, X4, ask
from unifiedbus_dsl.solver.collectives.schedules import COLLECTIVES, SCHEDULES, phases
from unifiedbus_dsl.solver.demand import Pairs


@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 8, 12, 13, 16])
@pytest.mark.parametrize("collective", COLLECTIVES)
def test_steps_are_those_of_pieces_that_are_followed(collective: str, n: int) -> None:
    members = np.random.default_rng(n).permutation(n)
    ((way, steps),) = phases(SCHEDULES["bruck"], collective, members[None, :], n)[0].items()
    said = []
    for step in steps:
        assert isinstance(step.shape, Pairs)
        assert step.times == 1
        rate = np.broadcast_to(step.shape.rate, step.shape.source.shape) * step.part
        said.append(sorted(zip(step.shape.source.tolist(), step.shape.target.tolist(), rate.tolist(), strict=True)))
    expected = dict(followed(collective, members.tolist()))["bruck"]
    assert way == "bruck"
    assert [np.array(flows) for flows in said] == [pytest.approx(np.array(sorted(flows))) for flows, _ in expected]


@pytest.mark.parametrize(("n", "rounds", "pieces"), [(4, 2, 4), (5, 3, 5), (6, 3, 7), (7, 3, 9), (8, 3, 12)])
def test_the_closed_forms_on_a_switch(n: int, rounds: int, pieces: int) -> None:
    """ceil(log2 n) rounds; an all-gather moves n - 1 pieces, an all-to-all one for each 1 in 0 … n - 1."""
    timer = ask(*machines.star(n))
    way = 2 * HOP
    gather = timer.time("allgather", "bruck", SIZE)
    assert len(gather.steps) == rounds
    assert gather.time_s == pytest.approx(rounds * way + (n - 1) / n * SIZE / X4, rel=1e-12)
    assert timer.time("reducescatter", "bruck", SIZE).time_s == pytest.approx(gather.time_s, rel=1e-12)
    assert timer.time("alltoall", "bruck", SIZE).time_s == pytest.approx(
        rounds * way + pieces / n * SIZE / X4, rel=1e-12
    )
