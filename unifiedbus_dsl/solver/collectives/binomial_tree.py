"""Steps of a binomial tree from the first member of a group: broadcast, reduce, scatter, gather."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.solver.collectives.steps import Rows, Step
from unifiedbus_dsl.solver.demand import Pairs, pairs


def _rounds(n: int) -> Iterator[tuple[int, Ints]]:
    """Binomial tree from member 0, the furthest first: (k, members i that send to i + 2^k)."""
    for k in range((n - 1).bit_length() - 1, -1, -1):
        senders = np.arange(0, n, 2 << k)
        yield k, senders[senders + (1 << k) < n]


def spread(rows: Rows) -> list[Step]:
    """Return a broadcast from the first member: the whole size in each of ceil(log2 n) steps."""
    return [
        Step(f"spread at {1 << k}", pairs(rows.members[:, i], rows.members[:, i + (1 << k)]), 1.0)
        for k, i in _rounds(rows.n)
    ]


def reduce(rows: Rows) -> list[Step]:
    return mirrored(spread(rows), "reduce")


def scatter(rows: Rows) -> list[Step]:
    """Return a scatter from the first member: to each the pieces of all that it passes on to."""
    steps = []
    for k, i in _rounds(rows.n):
        there = i + (1 << k)
        pieces = np.minimum(1 << k, rows.n - there) / rows.n
        rate = np.broadcast_to(pieces, (len(rows.members), len(i)))
        steps.append(Step(f"scatter at {1 << k}", pairs(rows.members[:, i], rows.members[:, there], rate), 1.0))
    return steps


def mirrored(steps: Sequence[Step], name: str) -> list[Step]:
    """Return the same backwards: each flow the other way, the last step first."""
    steps_back = []
    for step in reversed(steps):
        assert isinstance(step.shape, Pairs)
        shape = Pairs(step.shape.target, step.shape.source, step.shape.rate)
        steps_back.append(Step(f"{name} {step.name.split(' ', 1)[1]}", shape, step.part, step.times))
    return steps_back


def gather(rows: Rows) -> list[Step]:
    """Return a gather to the first member: the scatter backwards."""
    return mirrored(scatter(rows), "gather")
