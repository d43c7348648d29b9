"""Round a ring of the members: n - 1 steps of size / n to the next."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedbus_dsl.solver.collectives.algorithm import Algorithm, Make
from unifiedbus_dsl.solver.collectives.steps import Rows, Step
from unifiedbus_dsl.solver.demand import pairs


def _around(collective: str, part: Callable[[int], float]) -> Make:
    """Return n - 1 steps to the next member, in all of which each sends `part(n)` of the size."""

    def make(rows: Rows) -> list[Step]:
        shape = pairs(rows.members, np.roll(rows.members, -1, axis=1))
        return [Step(f"{collective}: to the next", shape, part(rows.n), rows.n - 1)]

    return make


def _all_but_own(n: int) -> float:
    return (n - 1) / n


def _all_that_goes_further(n: int) -> float:
    """Return the sum of n - k pieces over all steps k of an all-to-all around a ring."""
    return (n - 1) / 2


RING = Algorithm(
    "ring",
    _around("allgather", _all_but_own),
    _around("reducescatter", _all_but_own),
    _around("alltoall", _all_that_goes_further),
)
