"""Each piece straight to where it belongs, all at once: n - 1 flows of size / n an end point."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.solver.collectives.algorithm import Algorithm, Make
from unifiedbus_dsl.solver.collectives.steps import Rows, Step
from unifiedbus_dsl.solver.demand import pairs


def _at_once(collective: str) -> Make:
    return lambda rows: [Step(f"{collective}: to all at once", rows.each_to_each(), 1.0 / rows.n)]


def _from_first(rows: Rows) -> list[Step]:
    others = rows.members[:, 1:]
    return [Step("to all at once", pairs(np.broadcast_to(rows.members[:, :1], others.shape), others), 1.0)]


DIRECT = Algorithm(
    "direct", _at_once("allgather"), _at_once("reducescatter"), _at_once("alltoall"), broadcast=_from_first
)
