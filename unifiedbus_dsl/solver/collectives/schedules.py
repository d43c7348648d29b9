"""The steps of collectives: who sends how much of the data to whom, one step after another, in all groups at once.

`size` is as in nccl-tests: what each end point holds at the end (all-gather, all-reduce, broadcast) or at the start
(reduce-scatter, all-to-all); a step's `part` is what a flow of rate 1 carries, as a part of it. n members a group:

    direct            each piece straight to where it belongs, all at once: (n - 1) flows of size / n an end point
    ring              n - 1 steps of size / n to the next member
    halving_doubling  log2 n exchanges with the member 1, 2, 4, … away, the largest with the nearest
    tree              binomial: to the first member and back from it
    hierarchical      reduce-scatter in the innermost blocks, then across them, …, and back
    per_dimension     the same along each dimension of the arrays that the end points stand in

All-reduce is a reduce-scatter and an all-gather, but for `tree`. Broadcast by `ring` or `halving_doubling` scatters
by a binomial tree first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Ints, frozen_array
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, Groups, Pairs, pairs

COLLECTIVES = ("allreduce", "allgather", "reducescatter", "alltoall", "broadcast")


@frozen(eq=False)
class Step:
    """`times` steps of one shape after another. In all of them together a flow of rate 1 carries `part` of the size."""

    name: str
    shape: Demand
    part: float
    times: int = 1


Phase = Mapping[str, tuple[Step, ...]]
"""Steps by the name of the way they are done: of several ways the faster one is taken."""


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
        return [{algorithm: tuple(_Maker(self.ends).make(self.collective, algorithm, self.members))}]

    def dimensions(self, by_level: bool) -> list[Phase]:
        """Return a phase for each dimension in which the members differ, each done by the fastest of some ways."""
        if self.places is None:
            raise NotAdmittedError("the places of the end points are not known")
        grid = _grid(self.members, self.places(by_level), self.rooted)
        return _by_dimension(_Maker(self.ends), self.collective, grid)


def direct(call: ScheduleCall) -> list[Phase]:
    """Return the phases of `direct`."""
    return call.steps("direct")


def ring(call: ScheduleCall) -> list[Phase]:
    """Return the phases of `ring`."""
    return call.steps("ring")


def halving_doubling(call: ScheduleCall) -> list[Phase]:
    """Return the phases of `halving_doubling`."""
    return call.steps("halving_doubling")


def tree(call: ScheduleCall) -> list[Phase]:
    """Return the phases of `tree`."""
    return call.steps("tree")


def hierarchical(call: ScheduleCall) -> list[Phase]:
    """Return the phases of `hierarchical`."""
    return call.dimensions(by_level=True)


def per_dimension(call: ScheduleCall) -> list[Phase]:
    """Return the phases of `per_dimension`."""
    return call.dimensions(by_level=False)


Schedule = Callable[[ScheduleCall], list[Phase]]
SCHEDULES: Mapping[str, Schedule] = {
    each.__name__: each for each in (direct, ring, halving_doubling, tree, hierarchical, per_dimension)
}
"""The algorithms of this file, in the order in which they are tried."""


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


# ---- one dimension --------------------------------------------------------------------------------------------------


@frozen(eq=False)
class _Maker:
    """Makes steps among `ends` end points."""

    ends: int

    def make(self, collective: str, algorithm: str, members: Ints) -> list[Step]:
        n = members.shape[1]
        if algorithm == "halving_doubling" and n & (n - 1):
            raise NotAdmittedError(f"`halving_doubling` wants a power of two members, found {n}")
        if collective == "allreduce":
            if algorithm == "tree":
                return [*self._reduce(members), *self._spread(members)]
            return [
                *self.make("reducescatter", algorithm, members),
                *self.make("allgather", algorithm, members),
            ]
        if collective == "broadcast":
            return self._broadcast(algorithm, members)
        if algorithm == "tree":
            return self._tree(collective, members)
        ways: dict[str, Callable[[str, Ints], list[Step]]] = {
            "direct": self._direct,
            "ring": self._ring,
            "halving_doubling": self._halving_doubling,
        }
        return ways[algorithm](collective, members)

    def _direct(self, collective: str, members: Ints) -> list[Step]:
        return [Step(f"{collective}: to all at once", self._all(members), 1.0 / members.shape[1])]

    def _all(self, members: Ints) -> Groups:
        group = np.full(self.ends, -1, dtype=np.int64)
        group[members] = np.arange(len(members))[:, None]
        return Groups(frozen_array(group))

    def _ring(self, collective: str, members: Ints) -> list[Step]:
        """All-to-all around the ring: in step k each passes on the n - k pieces that go further."""
        n = members.shape[1]
        part = (n - 1) / 2 if collective == "alltoall" else (n - 1) / n
        return [Step(f"{collective}: to the next", pairs(members, np.roll(members, -1, axis=1)), part, n - 1)]

    def _halving_doubling(self, collective: str, members: Ints) -> list[Step]:
        n = members.shape[1]
        at = np.arange(n)
        steps = []
        for k in range(n.bit_length() - 1):
            part = 0.5 if collective == "alltoall" else 0.5 ** (k + 1)
            shape = pairs(members, members[:, at ^ (1 << k)])
            steps.append(Step(f"{collective}: exchange at {1 << k}", shape, part))
        return steps[::-1] if collective == "allgather" else steps

    # -- trees

    def _tree(self, collective: str, members: Ints) -> list[Step]:
        if collective == "alltoall":
            raise NotAdmittedError("`alltoall` has no tree")
        if collective == "allgather":
            return [*_mirrored(self._scatter(members), "gather"), *self._spread(members)]
        return [*self._reduce(members), *self._scatter(members)]

    def _spread(self, members: Ints) -> list[Step]:
        """Binomial broadcast from the first member: the whole size in each of ceil(log2 n) steps."""
        return [
            Step(f"spread at {1 << k}", pairs(members[:, i], members[:, i + (1 << k)]), 1.0)
            for k, i in _rounds(members.shape[1])
        ]

    def _reduce(self, members: Ints) -> list[Step]:
        return _mirrored(self._spread(members), "reduce")

    def _scatter(self, members: Ints) -> list[Step]:
        """Binomial scatter from the first member: to each the pieces of all that it passes on to."""
        n = members.shape[1]
        steps = []
        for k, i in _rounds(n):
            there = i + (1 << k)
            pieces = np.minimum(1 << k, n - there) / n
            rate = np.broadcast_to(pieces, (len(members), len(i)))
            steps.append(Step(f"scatter at {1 << k}", pairs(members[:, i], members[:, there], rate), 1.0))
        return steps

    def _broadcast(self, algorithm: str, members: Ints) -> list[Step]:
        if algorithm == "tree":
            return self._spread(members)
        if algorithm == "direct":
            others = members[:, 1:]
            return [Step("to all at once", pairs(np.broadcast_to(members[:, :1], others.shape), others), 1.0)]
        return [*self._scatter(members), *self.make("allgather", algorithm, members)]


def _rounds(n: int) -> list[tuple[int, Ints]]:
    """Binomial tree from member 0, the furthest first: (k, members i that send to i + 2^k)."""
    rounds = []
    for k in range((n - 1).bit_length() - 1, -1, -1):
        senders = np.arange(0, n, 2 << k)
        rounds.append((k, senders[senders + (1 << k) < n]))
    return rounds


def _mirrored(steps: Sequence[Step], name: str) -> list[Step]:
    """Return the same backwards: each flow the other way, the last step first."""
    steps_back = []
    for step in reversed(steps):
        assert isinstance(step.shape, Pairs)
        shape = Pairs(step.shape.target, step.shape.source, step.shape.rate)
        steps_back.append(Step(f"{name} {step.name.split(' ', 1)[1]}", shape, step.part, step.times))
    return steps_back


# ---- several dimensions ---------------------------------------------------------------------------------------------


def _grid(members: Ints, place: Ints, rooted: bool) -> Ints:
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


def _by_dimension(maker: _Maker, collective: str, grid: Ints) -> list[Phase]:
    sides = grid.shape[1:]
    inner = range(len(sides) - 1, -1, -1)
    if collective == "alltoall":
        return [_phase(maker, "alltoall", grid, k, 1.0) for k in inner]
    if collective == "broadcast":
        stages = []
        for k in range(len(sides)):
            some = grid[(slice(None),) * (k + 2) + (0,) * (len(sides) - k - 1)]
            stages.append(_phase(maker, "broadcast", some, k, 1.0))
        return stages
    size = dict(zip(inner, accumulate((1.0 / sides[k] for k in inner), lambda a, b: a * b, initial=1.0), strict=False))
    scatter = [_phase(maker, "reducescatter", grid, k, size[k]) for k in inner]
    gather = [_phase(maker, "allgather", grid, k, size[k]) for k in reversed(inner)]
    if collective == "allreduce":
        return [*scatter, *gather]
    return scatter if collective == "reducescatter" else gather


def _phase(maker: _Maker, collective: str, grid: Ints, k: int, size: float) -> Phase:
    """Return one dimension in all lines along it at once; `size` is the part of the whole that it is about."""
    lines = np.moveaxis(grid, k + 1, -1).reshape(-1, grid.shape[k + 1])
    ways = {}
    for way in ("direct", "ring", "halving_doubling"):
        try:
            steps = maker.make(collective, way, lines)
        except NotAdmittedError:
            continue
        ways[way] = tuple(Step(f"dimension {k}, {s.name}", s.shape, s.part * size, s.times) for s in steps)
    return ways
