"""Pipeline schedules: the order of each stage's passes, and when each begins and ends.

A schedule is for each of p stages a row of passes: forward, backward, or the weight part of backward, of one microbatch
and one chunk of layers. Chunk c of stage s is part c * p + s of the model. A pass waits for the one before it in its
row, and for the data: forward for forward of the part before, backward for backward of the part after and for its own
forward.

GPipe: Huang et al., arXiv:1811.06965. 1F1B: Narayanan et al., arXiv:1806.03377. Interleaved 1F1B: arXiv:2104.04473,
2.2. Zero bubble (ZB-H1): Qi et al., arXiv:2401.10241.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints

Name: TypeAlias = Literal["gpipe", "1f1b", "interleaved", "zero_bubble"]
FORWARD: Final = 0
BACKWARD: Final = 1
WEIGHT: Final = 2


@frozen(eq=False)
class Schedule:
    """The passes of each stage in order, [p, n]: their sort, microbatch and chunk."""

    sort: Ints
    microbatch: Ints
    chunk: Ints
    microbatches: int
    chunks: int

    @property
    def stages(self) -> int:
        return len(self.sort)


@frozen(eq=False)
class Timeline:
    """When each pass of a schedule begins and ends, seconds, [p, n]; `step_s` is when the last one ends."""

    schedule: Schedule
    begin_s: Floats
    end_s: Floats

    @property
    def step_s(self) -> float:
        return float(self.end_s.max())

    @property
    def busy_s(self) -> Floats:
        """Time that each stage computes, [p]."""
        return np.asarray((self.end_s - self.begin_s).sum(axis=1))

    @property
    def bubble_s(self) -> float:
        """Time that the busiest stage waits."""
        return self.step_s - float(self.busy_s.max())

    def in_flight(self) -> Ints:
        """Return how many forward passes each stage holds activations of at the most, [p]: those whose backward has not
        run."""
        change = np.select([self.schedule.sort == FORWARD, self.schedule.sort == BACKWARD], [1, -1], 0)
        return np.asarray(np.cumsum(change, axis=1).max(axis=1))


def make_schedule(name: Name, stages: int, microbatches: int, chunks: int = 1) -> Schedule:
    """Return the schedule of a name.

    Args:
        name: which one.
        stages: p.
        microbatches: of a step.
        chunks: parts of the model a stage has; more than one only when interleaved.

    Raises:
        ValueError: chunks without interleaving, or microbatches that the stages don't divide, when interleaved.
    """
    if chunks > 1 and name != "interleaved":
        raise ValueError(f"`{name}` has one chunk a stage, not {chunks}")
    if name == "interleaved" and chunks > 1:
        if microbatches % stages:
            raise ValueError(f"{microbatches} microbatches are no multiple of {stages} stages")
        return _interleaved(stages, microbatches, chunks)
    warm = np.minimum(np.arange(stages)[::-1], microbatches)
    if name == "gpipe":
        warm = np.full(stages, microbatches)
    rows = [_one_forward_one_backward(int(w), microbatches) for w in warm]
    if name == "zero_bubble":
        rows = [_with_weights(row, delay) for delay, row in enumerate(rows)]
    sort, microbatch = (np.array([[each[k] for each in row] for row in rows]) for k in range(2))
    return Schedule(sort, microbatch, np.zeros_like(sort), microbatches, 1)


def _one_forward_one_backward(warm: int, microbatches: int) -> list[tuple[int, int]]:
    """Return sort and microbatch of the passes of a stage that begins with `warm` forward ones."""
    row = [(FORWARD, m) for m in range(warm)]
    for m in range(microbatches - warm):
        row += [(FORWARD, warm + m), (BACKWARD, m)]
    return row + [(BACKWARD, m) for m in range(microbatches - warm, microbatches)]


def _with_weights(row: list[tuple[int, int]], delay: int) -> list[tuple[int, int]]:
    """Return the passes with the weight part of each backward `delay` backwards later, the rest at the end."""
    out = []
    for sort, microbatch in row:
        out.append((sort, microbatch))
        if sort == BACKWARD and microbatch >= delay:
            out.append((WEIGHT, microbatch - delay))
    done = sum(sort == WEIGHT for sort, _ in out)
    return out + [(WEIGHT, m) for m in range(done, len(row) // 2)]


def _interleaved(stages: int, microbatches: int, chunks: int) -> Schedule:
    """Return interleaved 1F1B: groups of p microbatches go through all chunks of a stage, one after another."""
    total = microbatches * chunks
    number = np.arange(total)
    group, place = np.divmod(number, stages * chunks)
    chunk, inside = np.divmod(place, stages)
    microbatch = group * stages + inside
    warm = np.minimum((stages - 1 - np.arange(stages)) * 2 + (chunks - 1) * stages, total)
    if microbatches == stages:
        warm = np.full(stages, total)
    orders = [_one_forward_one_backward(int(w), total) for w in warm]
    sort, virtual = (np.array([[each[k] for each in row] for row in orders]) for k in range(2))
    forth = np.where(sort == FORWARD, chunk[virtual], chunks - 1 - chunk[virtual])
    return Schedule(sort, microbatch[virtual], forth, microbatches, chunks)


def passes_in_flight(name: Name, stages: int, microbatches: int, chunks: int = 1) -> Ints:
    """Return what `Timeline.in_flight` counts, by the order of a schedule's passes alone, [p]."""
    place = np.arange(stages)[::-1]
    if name == "gpipe":
        return np.full(stages, microbatches)
    if chunks == 1:
        return np.minimum(place + 1, microbatches)
    total = microbatches * chunks
    if microbatches == stages:
        return np.full(stages, total)
    return np.minimum(place * 2 + (chunks - 1) * stages + 1, total)


def run_schedule(
    schedule: Schedule,
    forward_s: Floats,
    backward_s: Floats,
    send_s: Floats | float = 0.0,
    weight_s: Floats | None = None,
) -> Timeline:
    """Return when each pass begins and ends.

    Args:
        schedule: the passes of each stage.
        forward_s: time of a forward pass, by part of the model, [chunks * p].
        backward_s: the same of a backward pass, without the weight part where the schedule has it.
        send_s: time of what a part sends to the next, and back, seconds, or [chunks * p]: by the earlier of the two.
        weight_s: time of the weight part, [chunks * p], where the schedule has it.

    Raises:
        ValueError: the passes wait for each other in a circle.
    """
    stages, passes = schedule.sort.shape
    parts = stages * schedule.chunks
    send = np.broadcast_to(np.asarray(send_s, dtype=np.float64), (parts,))
    took = np.stack([forward_s, backward_s, np.zeros(parts) if weight_s is None else weight_s])
    part = schedule.chunk * stages + np.arange(stages)[:, None]
    time = took[schedule.sort, part]
    ends = np.full((3, parts, schedule.microbatches), np.nan)
    begin, end = np.empty(time.shape), np.empty(time.shape)
    at, free = np.zeros(stages, dtype=np.int64), np.zeros(stages)
    rows = np.arange(stages)
    while True:
        live = rows[at < passes]
        if not len(live):
            return Timeline(schedule, begin, end)
        place = at[live]
        sort, which, number = schedule.sort[live, place], part[live, place], schedule.microbatch[live, place]
        ready = _ready(ends, send, sort, which, number)
        go = ~np.isnan(ready)
        if not go.any():
            raise ValueError("passes of this schedule wait for each other in a circle")
        live, place, sort, which, number = live[go], place[go], sort[go], which[go], number[go]
        begin[live, place] = np.maximum(free[live], ready[go])
        end[live, place] = begin[live, place] + time[live, place]
        ends[sort, which, number] = free[live] = end[live, place]
        at[live] += 1


def _ready(ends: Floats, send: Floats, sort: Ints, part: Ints, microbatch: Ints) -> NDArray[np.float64]:
    """Return when the data of passes is there, NaN where it is not known yet."""
    last = len(send) - 1
    before, after = np.maximum(part - 1, 0), np.minimum(part + 1, last)
    forward = np.where(part == 0, 0.0, ends[FORWARD, before, microbatch] + send[before])
    own = ends[FORWARD, part, microbatch]
    backward = np.where(part == last, own, np.maximum(own, ends[BACKWARD, after, microbatch] + send[part]))
    return np.select([sort == FORWARD, sort == BACKWARD], [forward, backward], ends[BACKWARD, part, microbatch])
