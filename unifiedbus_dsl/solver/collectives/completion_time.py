"""When a collective of a stated size is done, step by step on the fabric, and how near that is to the least time.

    time(size) = sum over phases of min over its ways of sum over steps of part · size · per_byte_s + times · latency_s
    algbw = size / time,  busbw = algbw · factor (nccl-tests: 2 (n - 1) / n for all-reduce, 1 for broadcast, else
    (n - 1) / n)

All groups run at once and contend. A shape of step is solved once, whatever its sizes and however often it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from math import prod

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Bools, Ints, frozen_array, unique_rows
from unifiedbus_dsl.graph.symmetry import Array, Symmetry, locate_arrays
from unifiedbus_dsl.solver.bounds import DeadlineError, NoPathError, NotAdmittedError
from unifiedbus_dsl.solver.collectives.block_decomposition import BlockDecomposition
from unifiedbus_dsl.solver.collectives.schedules import (
    SCHEDULES,
    Schedule,
    busbw_factor,
    members_of,
    phases,
)
from unifiedbus_dsl.solver.collectives.step_time import StepTiming, step_timing
from unifiedbus_dsl.solver.collectives.steps import Phase, Step
from unifiedbus_dsl.solver.demand import Demand, Groups

SIZES = tuple(2.0**k for k in range(10, 35))
"""1 KiB to 16 GiB."""


@frozen(eq=False)
class StepTime:
    """One line of a collective: `times` steps of one `shape`, in which a flow of rate 1 carries `unit_bytes` in all.
    Seconds are of all of them together."""

    name: str
    shape: Demand
    unit_bytes: float
    times: int
    bandwidth_s: float
    latency_s: float
    timing: StepTiming

    @property
    def duration_s(self) -> float:
        return self.bandwidth_s + self.latency_s


@frozen(eq=False)
class CollectiveTime:
    """A collective of `size_bytes` by one algorithm over groups of `members`; `steps` in order. `passed` are the ways
    of its phases that were left out: they cross what is not joined."""

    collective: str
    algorithm: str
    size_bytes: float
    members: int
    steps: tuple[StepTime, ...]
    passed: tuple[str, ...] = ()

    @property
    def time_s(self) -> float:
        return sum(step.duration_s for step in self.steps)

    @property
    def bandwidth_s(self) -> float:
        return sum(step.bandwidth_s for step in self.steps)

    @property
    def latency_s(self) -> float:
        return sum(step.latency_s for step in self.steps)

    @property
    def algbw_Bps(self) -> float:  # noqa: N802
        return self.size_bytes / self.time_s

    @property
    def busbw_Bps(self) -> float:  # noqa: N802
        return self.algbw_Bps * busbw_factor(self.collective, self.members)

    @property
    def links(self) -> Ints:
        """The links of the plan, by number, whose cables carry anything."""
        return unique_rows(np.concatenate([step.timing.links for step in self.steps]))

    @property
    def longest(self) -> StepTime:
        """The line that takes most of the time: its binding arcs bind the whole."""
        return max(self.steps, key=lambda step: step.duration_s)


@frozen(eq=False, slots=False)
class CollectiveTimer:
    """Collectives over the groups of end points `group` ([E], -1: in none), with all that has been solved for them.

    `symmetry` is that of the network for rates; `timed` that of the network which knows every length (default: the
    same). `roots` [groups] broadcast; default the first member of each. `arrays` say where end points stand; default
    those that the symmetry was sought in. No step is solved after `deadline_s`. `schedules` are the algorithms by name.
    `blocks`: the blocks of the same network, and `solved` what steps on it took, where several timers share them.
    """

    symmetry: Symmetry
    group: Ints
    timed: Symmetry | None = None
    roots: Ints | None = None
    arrays: Sequence[Array] | None = None
    deadline_s: float = np.inf
    schedules: Mapping[str, Schedule] = field(factory=lambda: SCHEDULES)
    blocks: BlockDecomposition | None = None
    solved: dict[bytes, StepTiming | NoPathError] = field(factory=dict, repr=False)
    _of_shape: dict[int, StepTiming | NoPathError] = field(factory=dict, init=False, repr=False)
    _phases: dict[tuple[str, str], list[Phase]] = field(factory=dict, init=False, repr=False)

    @cached_property
    def members(self) -> Ints:
        return members_of(self.group)

    def time(self, collective: str, algorithm: str, size_bytes: float) -> CollectiveTime:
        """Finish time of a collective of a size.

        Raises:
            NotAdmittedError: the groups don't admit the algorithm, or each way of a phase crosses what is not joined.
            TooLateError: a step is not solved in the time allowed.
        """
        steps: list[StepTime] = []
        passed: list[str] = []
        for phase in self._phases_of(collective, algorithm):
            ways, refused = self._ways(phase, size_bytes)
            if not ways:
                raise NoPathError("; ".join(dict.fromkeys(refused.values())))
            steps += min(ways, key=lambda way: sum(step.duration_s for step in way))
            passed += refused
        return CollectiveTime(
            collective, algorithm, float(size_bytes), self.members.shape[1], tuple(steps), tuple(dict.fromkeys(passed))
        )

    def _ways(self, phase: Phase, size_bytes: float) -> tuple[list[list[StepTime]], dict[str, str]]:
        """Return the steps of each way of a phase, and why others are left out: they cross what is not joined."""
        ways, refused = [], {}
        for name, way in phase.items():
            try:
                ways.append(self._steps(way, size_bytes))
            except NoPathError as why:
                refused[f"{way[0].name.split(',')[0]} by {name}"] = str(why)
        return ways, refused

    def _phases_of(self, collective: str, algorithm: str) -> list[Phase]:
        key = collective, algorithm
        if algorithm not in self.schedules:
            raise NotAdmittedError(f"there is no algorithm `{algorithm}`")
        if key not in self._phases:
            self._phases[key] = phases(
                self.schedules[algorithm],
                collective,
                self.members,
                self.symmetry.network.ends,
                self._places,
                self.roots,
            )
        return self._phases[key]

    def _places(self, by_level: bool) -> Ints:
        arrays = self.symmetry.arrays if self.arrays is None else self.arrays
        return places(arrays, self.symmetry.network.end_device, by_level)

    @cached_property
    def _blocks(self) -> BlockDecomposition:
        return self.blocks or BlockDecomposition(
            self.symmetry, self.symmetry.arrays if self.arrays is None else self.arrays
        )

    def _steps(self, steps: Sequence[Step], size_bytes: float) -> list[StepTime]:
        times = []
        for step in steps:
            solved = self._timing(step.shape)
            unit = step.part * size_bytes
            times.append(
                StepTime(
                    step.name, step.shape, unit, step.times, solved.per_byte_s * unit, solved.latency_s * step.times,
                    solved,
                )
            )  # fmt: skip
        return times

    def _timing(self, shape: Demand) -> StepTiming:
        # the shapes live as long as the phases that hold them, so their ids stay theirs
        if id(shape) not in self._of_shape:
            key = _key(shape)
            if key not in self.solved:
                self.solved[key] = self._found(shape)
            self._of_shape[id(shape)] = self.solved[key]
        timing = self._of_shape[id(shape)]
        if isinstance(timing, NoPathError):
            raise timing
        return timing

    def _found(self, shape: Demand) -> StepTiming | NoPathError:
        try:
            if self.timed is None and self.symmetry.network.turned is None:
                return self._blocks.timing(shape, self.deadline_s)
            return step_timing(self.symmetry, shape, self.timed or self.symmetry, self.deadline_s)
        except NoPathError as why:
            return why


def _key(shape: Demand) -> bytes:
    """Return a digest, equal for shapes with the same flows."""
    if isinstance(shape, Groups):
        return _digest(shape.group, np.array([shape.rate]))
    order = np.lexsort((shape.target, shape.source))
    return _digest(shape.source[order], shape.target[order], shape.rate[order])


def _digest(*columns: NDArray[np.generic]) -> bytes:
    digest = blake2b(str(len(columns)).encode())
    for column in columns:
        digest.update(np.ascontiguousarray(column).data)
    return digest.digest()


def time(
    symmetry: Symmetry,
    group: ArrayLike,
    collective: str,
    algorithm: str,
    size_bytes: float,
    timed: Symmetry | None = None,
) -> CollectiveTime:
    """Finish time of one collective; ask `Collectives` where there are several questions about the same groups."""
    return CollectiveTimer(symmetry, np.asarray(group, dtype=np.int64), timed).time(collective, algorithm, size_bytes)


# ---- sizes --------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class SizeSweep:
    """Times of a collective, [sizes, algorithms] s, over `sizes_bytes` and `algorithms` (those that are admitted; why
    the others are not is in `refused`; those that are not solved in the time allowed are `late`, too). `bound_s`
    [sizes]: a time that no schedule beats, None where none is known."""

    collective: str
    members: int
    sizes_bytes: tuple[float, ...]
    algorithms: tuple[str, ...]
    refused: Mapping[str, str]
    times: tuple[tuple[CollectiveTime, ...], ...]
    bound_s: tuple[float, ...] | None
    late: tuple[str, ...] = ()

    @property
    def best(self) -> tuple[CollectiveTime, ...]:
        """The fastest for each size."""
        return tuple(min(row, key=lambda found: found.time_s) for row in self.times)

    @property
    def efficiency(self) -> tuple[float, ...] | None:
        """Bound over time of the fastest, for each size: at most 1."""
        if self.bound_s is None:
            return None
        return tuple(bound / found.time_s for bound, found in zip(self.bound_s, self.best, strict=True))


def size_sweep(
    collectives: CollectiveTimer,
    collective: str,
    bound_per_byte_s: float | None,
    sizes_bytes: Sequence[float] = SIZES,
    algorithms: Sequence[str] | None = None,
) -> SizeSweep:
    """Return all sizes by all algorithms that the groups admit. The bound is that of the bandwidth (see
    `optimal_time`), and grows with the size.

    Raises:
        NotAdmittedError: the groups admit none of the algorithms.
    """
    refused: dict[str, str] = {}
    admitted: list[str] = []
    late: list[str] = []
    for algorithm in collectives.schedules if algorithms is None else algorithms:
        try:
            collectives.time(collective, algorithm, sizes_bytes[0])
        except NotAdmittedError as why:
            refused[algorithm] = str(why)
            late += [algorithm] if isinstance(why, DeadlineError) else []
        else:
            admitted.append(algorithm)
    if not admitted:
        raise NotAdmittedError("; ".join(refused.values()))
    rows = tuple(tuple(collectives.time(collective, algorithm, size) for algorithm in admitted) for size in sizes_bytes)
    return SizeSweep(
        collective,
        collectives.members.shape[1],
        tuple(float(size) for size in sizes_bytes),
        tuple(admitted),
        refused,
        rows,
        None if bound_per_byte_s is None else tuple(bound_per_byte_s * size for size in sizes_bytes),
        tuple(late),
    )


# ---- where end points stand ---------------------------------------------------------------------------------------


def places(arrays: Sequence[Array], device: Ints, by_level: bool) -> Ints:
    """Index of each device along the dimensions of the arrays that it stands in, outermost first, [devices,
    dimensions], 0 for those that are missing; -1 for a device in none. With `by_level` the dimensions of one array
    count as one."""
    paths: list[tuple[Bools, list[Ints]]] = []
    for array in arrays:
        if array.size != 1:
            continue
        columns, rest, inside = locate_arrays(array, device)
        count = prod(array.shape)
        inside &= rest < count
        if not inside.any():
            continue
        path: list[Ints] = []
        for level, ((length, _), at) in enumerate(zip(array.loops, columns, strict=True)):
            sides = (length,) if by_level else _sides(array, level, arrays)
            path += _split(np.clip(at, 0, length - 1), sides)
        path += _split(np.clip(rest, 0, count - 1), (count,) if by_level else array.shape)
        paths.append((inside, path))
    depth = max((len(path) for _, path in paths), default=0)
    table = np.full((len(device), depth), -1, dtype=np.int64)
    for inside, path in paths:
        table[inside] = 0
        for k, part in enumerate(path):
            table[inside, k] = part[inside]
    return frozen_array(table)


def _split(index: Ints, sides: tuple[int, ...]) -> list[Ints]:
    """Index along each side of a row-major number; none where there are no sides."""
    if not sides:
        return []
    return [np.asarray(part, dtype=np.int64) for part in np.unravel_index(index, sides)]


def _sides(array: Array, level: int, arrays: Sequence[Array]) -> tuple[int, ...]:
    """Return the shape of the array that loop `level` around an array runs over."""
    around, (count, stride) = array.loops[:level], array.loops[level]
    for other in arrays:
        same = other.loops == around and other.size == stride and prod(other.shape) == count
        if same and other.base <= array.base < other.base + count * stride:
            return other.shape
    return (count,)
