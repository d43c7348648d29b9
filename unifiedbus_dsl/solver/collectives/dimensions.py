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
    where = place[members]
    if (where < 0).any():
        raise NotAdmittedError("some end points stand in no array")
    axes = [_ranks_in_rows(where[:, :, k]) for k in range(where.shape[2])]
    lengths = np.array([at.max(axis=1) + 1 for at in axes]).reshape(len(axes), len(members))
    if (lengths != lengths[:, :1]).any():
        raise NotAdmittedError("the groups differ in shape")
    sides = tuple(lengths[:, 0].tolist())
    if rooted:
        axes = [(at - at[:, :1]) % side for at, side in zip(axes, sides, strict=True)]
    flat = np.zeros(members.shape, dtype=np.int64)
    for at, side in zip(axes, sides, strict=True):
        flat = flat * side + at
    size = members.shape[1]
    if prod(sides) != size or (np.sort(flat, axis=1) != np.arange(size)).any():
        raise NotAdmittedError("the end points of a group don't fill a box of their dimensions")
    box = np.empty_like(members)
    np.put_along_axis(box, flat, members, axis=1)
    return box.reshape(len(box), *(side for side in sides if side > 1))


def _ranks_in_rows(values: Ints) -> Ints:
    """Return the place of each value among the different ones of its row, in order."""
    order = np.argsort(values, axis=1, kind="stable")
    inside = np.take_along_axis(values, order, axis=1)
    rank = np.zeros(values.shape, dtype=np.int64)
    rank[:, 1:] = np.cumsum(inside[:, 1:] != inside[:, :-1], axis=1)
    back = np.empty_like(rank)
    np.put_along_axis(back, order, rank, axis=1)
    return back


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
