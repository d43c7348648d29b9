"""Collectives along each dimension of the arrays that the end points stand in, one dimension after another.

A reduce-scatter goes from the innermost dimension outwards, each over what the last one left; an all-gather comes back
the same way; an all-to-all and a broadcast carry the whole size in every dimension.
"""

from __future__ import annotations

from itertools import accumulate
from math import prod

import numpy as np

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives.algorithms.direct import DIRECT
from unifiedbus_dsl.solver.collectives.algorithms.halving_doubling import HALVING_DOUBLING
from unifiedbus_dsl.solver.collectives.algorithms.ring import RING
from unifiedbus_dsl.solver.collectives.steps import Phase, Rows, Step

ALONG_LINES = (DIRECT, RING, HALVING_DOUBLING)
"""Ways to do one dimension, of which the fastest is taken."""


def fill_box(members: Ints, place: Ints, rooted: bool) -> Ints:
    """Members as an array over the dimensions in which they differ, [groups, …], outermost first.

    Raises:
        NotAdmittedError: a group doesn't fill a box, or has a root that is not its first member.
    """
    sides: tuple[int, ...] | None = None
    rows = []
    for row in members:
        where = place[row]
        if (where < 0).any():
            raise NotAdmittedError("some end points stand in no array")
        axes = [np.unique(column, return_inverse=True) for column in where.T]
        lengths = tuple(len(values) for values, _ in axes)
        if sides is not None and lengths != sides:
            raise NotAdmittedError("the groups differ in shape")
        sides = lengths
        flat = np.ravel_multi_index([place_ for _, place_ in axes], lengths)
        if prod(lengths) != len(row) or len(np.unique(flat)) != len(row):
            raise NotAdmittedError("the end points of a group don't fill a box of their dimensions")
        box = np.empty(len(row), dtype=np.int64)
        box[flat] = row
        if rooted and box[0] != row[0]:
            box = np.roll(box.reshape(lengths), [-int(x) for x in np.argwhere(box.reshape(lengths) == row[0])[0]],
                          axis=tuple(range(len(lengths)))).ravel()  # fmt: skip
        rows.append(box)
    assert sides is not None
    kept = tuple(side for side in sides if side > 1)
    return np.stack(rows).reshape(len(rows), *kept)


def phases_by_dimension(collective: str, grid: Ints, ends: int) -> list[Phase]:
    sides = grid.shape[1:]
    inner = range(len(sides) - 1, -1, -1)
    if collective == "alltoall":
        return [_phase("alltoall", grid, k, 1.0, ends) for k in inner]
    if collective == "broadcast":
        stages = []
        for k in range(len(sides)):
            some = grid[(slice(None),) * (k + 2) + (0,) * (len(sides) - k - 1)]
            stages.append(_phase("broadcast", some, k, 1.0, ends))
        return stages
    size = dict(zip(inner, accumulate((1.0 / sides[k] for k in inner), lambda a, b: a * b, initial=1.0), strict=False))
    scatter = [_phase("reducescatter", grid, k, size[k], ends) for k in inner]
    gather = [_phase("allgather", grid, k, size[k], ends) for k in reversed(inner)]
    if collective == "allreduce":
        return [*scatter, *gather]
    return scatter if collective == "reducescatter" else gather


def _phase(collective: str, grid: Ints, k: int, size: float, ends: int) -> Phase:
    """Return one dimension in all lines along it at once; `size` is the part of the whole that it is about."""
    lines = Rows(np.moveaxis(grid, k + 1, -1).reshape(-1, grid.shape[k + 1]), ends)
    ways = {}
    for way in ALONG_LINES:
        try:
            steps = way.steps(collective, lines)
        except NotAdmittedError:
            continue
        ways[way.name] = tuple(Step(f"dimension {k}, {s.name}", s.shape, s.part * size, s.times) for s in steps)
    return ways
