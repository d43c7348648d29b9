"""What a source sends over classes of arcs, and the lengths that bound it, added up again.

A class of arcs carries `flow` in all. Rows are what has to balance: classes of vertices, or the devices whose vertices
they are; what comes in less what goes out of a row is `wanted`. No path may rise by more than the lengths of its arcs,
so `distance` is no more than what a class is apart from the source.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Floats, Ints

NOISE = 1e-7
"""Part of all that is sent up to which a balance is rounding."""


@frozen(eq=False)
class StatedFlow:
    """Arcs [K] from class `tail` to `head`, `open` where a path may take them; `row` [C] is what each class balances
    in (-1: the source), `wanted` [rows] what is to stay there."""

    tail: Ints
    head: Ints
    open: Bools
    row: Ints
    wanted: Floats
    flow: Floats
    length: Floats
    distance: Floats


def check(stated: StatedFlow) -> None:
    """Hold a flow and its lengths to their claims.

    Raises:
        VerificationError: it does not balance, or leaves what is open, or a distance is too large.
    """
    require((stated.flow >= 0).all() and not stated.flow[~stated.open].any(), "a flow leaves its paths")
    rows = len(stated.wanted)
    into, out = stated.row[stated.head], stated.row[stated.tail]
    got = np.bincount(into[into >= 0], stated.flow[into >= 0], rows)
    got -= np.bincount(out[out >= 0], stated.flow[out >= 0], rows)
    require(np.abs(got - stated.wanted).max(initial=0.0) <= NOISE * stated.wanted.sum(), "a flow does not balance")
    require(not stated.distance[stated.row < 0].any(), "the source is apart from itself")
    low, high = stated.distance[stated.tail[stated.open]], stated.distance[stated.head[stated.open]]
    there = np.isfinite(low)
    bound = low[there] + stated.length[stated.open][there]
    require((high[there] <= bound * (1 + 1e-12)).all(), "lengths do not bound the distances")
