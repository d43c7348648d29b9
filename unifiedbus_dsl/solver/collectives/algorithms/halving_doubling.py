"""log2 n exchanges with the member 1, 2, 4, … away, the largest with the nearest (recursive halving and doubling)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedbus_dsl.solver.collectives.algorithm import Algorithm, Make
from unifiedbus_dsl.solver.collectives.steps import Rows, Step
from unifiedbus_dsl.solver.demand import pairs


def _exchanges(collective: str, part: Callable[[int], float]) -> Make:
    """Return exchanges with the member 2^k away, the nearest first, each of `part(k)` of the size."""

    def make(rows: Rows) -> list[Step]:
        at = np.arange(rows.n)
        return [
            Step(f"{collective}: exchange at {1 << k}", pairs(rows.members, rows.members[:, at ^ (1 << k)]), part(k))
            for k in range(rows.n.bit_length() - 1)
        ]

    return make


def _gather_exchanges(rows: Rows) -> list[Step]:
    return _exchanges("allgather", _halved)(rows)[::-1]


def _halved(k: int) -> float:
    return 0.5 ** (k + 1)


def _no_power_of_two(n: int) -> str | None:
    return f"wants a power of two members, found {n}" if n & (n - 1) else None


HALVING_DOUBLING = Algorithm(
    "halving_doubling",
    _gather_exchanges,
    _exchanges("reducescatter", _halved),
    _exchanges("alltoall", lambda k: 0.5),
    refusal=_no_power_of_two,
)
