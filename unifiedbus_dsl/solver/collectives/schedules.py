"""The schedules of collectives: phases of steps over all groups at once.

An algorithm over the members of a group in their order is one phase; `hierarchical` (reduce-scatter in the innermost
blocks, then across them, …, and back) and `per_dimension` (along each dimension of an array for itself) have one for
each dimension in which the members of a group differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Ints, frozen_array
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives.algorithms import ALGORITHMS
from unifiedbus_dsl.solver.collectives.dimensions import fill_box, phases_by_dimension
from unifiedbus_dsl.solver.collectives.steps import COLLECTIVES, Phase, Rows


def busbw_factor(collective: str, n: int) -> float:
    """Bus bandwidth over algorithm bandwidth, as nccl-tests define it."""
    if collective == "broadcast":
        return 1.0
    return (2.0 if collective == "allreduce" else 1.0) * (n - 1) / n


def members_of(group: ArrayLike) -> Ints:
    """End points of each group in order, [groups, n], from the group of each end point ([E], -1: in none).

    Raises:
        NotAdmittedError: groups of different size, or of less than two.
    """
    of = np.asarray(group, dtype=np.int64)
    ends = np.flatnonzero(of >= 0)
    _, size = np.unique(of[ends], return_counts=True)
    if not len(size) or size.min() != size.max() or size[0] < 2:
        raise NotAdmittedError("a collective wants groups of one size, of at least two end points")
    return frozen_array(ends[np.argsort(of[ends], kind="stable")].reshape(len(size), -1))


@frozen(eq=False)
class ScheduleCall:
    """A collective over the rows of `members` ([groups, n]) among `ends` end points; the root of a broadcast is the
    first of each row, and `rooted` says that roots were named. `places(by_level)` says where each end point stands, [E,
    dimensions], outermost dimension first, with `by_level` the dimensions of an array as one."""

    collective: str
    members: Ints
    ends: int
    rooted: bool
    places: Callable[[bool], Ints] | None = None

    def steps(self, algorithm: str) -> list[Phase]:
        """Return the one phase of an algorithm that knows no dimensions."""
        rows = Rows(self.members, self.ends)
        return [{algorithm: tuple(ALGORITHMS[algorithm].steps(self.collective, rows))}]

    def dimensions(self, by_level: bool) -> list[Phase]:
        """Return a phase for each dimension in which the members differ, each done by the fastest of some ways."""
        if self.places is None:
            raise NotAdmittedError("the places of the end points are not known")
        box = fill_box(self.members, self.places(by_level), self.rooted)
        return phases_by_dimension(self.collective, box, self.ends)


Schedule = Callable[[ScheduleCall], list[Phase]]


def _along_rows(algorithm: str) -> Schedule:
    return lambda call: call.steps(algorithm)


SCHEDULES: Mapping[str, Schedule] = {
    **{name: _along_rows(name) for name in ALGORITHMS},
    "hierarchical": lambda call: call.dimensions(by_level=True),
    "per_dimension": lambda call: call.dimensions(by_level=False),
}
"""By name, in the order in which they are tried."""


def phases(
    schedule: Schedule,
    collective: str,
    members: Ints,
    ends: int,
    places: Callable[[bool], Ints] | None = None,
    roots: ArrayLike | None = None,
) -> list[Phase]:
    """Return the phases of a collective by a schedule over the rows of `members` ([groups, n]) among `ends` end points.

    `roots` [groups] are the members that broadcast, default the first.

    Raises:
        NotAdmittedError: there is no such collective, or the groups do not admit the schedule.
    """
    if collective not in COLLECTIVES:
        raise NotAdmittedError(f"there is no collective `{collective}`")
    rooted = members if roots is None else _from_root(members, np.asarray(roots, dtype=np.int64))
    return schedule(ScheduleCall(collective, rooted, ends, roots is not None, places))


def _from_root(members: Ints, roots: Ints) -> Ints:
    """Return each row turned until its root comes first."""
    rows, at = np.nonzero(members == roots[:, None])
    if len(rows) != len(members):
        raise NotAdmittedError("a root is no member of its group")
    turn = (np.arange(members.shape[1]) + at[:, None]) % members.shape[1]
    return np.take_along_axis(members, turn, axis=1)
