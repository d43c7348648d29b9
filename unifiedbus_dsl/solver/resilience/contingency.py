"""Surveys of damaged machines: every single failure, one of each orbit, or many failures at random.

Two parts that a symmetry of the whole machine carries to each other leave machines that are images of each other, so
one is solved for all: this holds for a measure that the symmetry keeps as well (see `Parts`). Random draws take a seed
and are the same for ever. Who solves, here or elsewhere and in which order, is the engine's business; the results are
the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Generic, Protocol, TypeVar

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Ints, concatenate_ranges, frozen_array
from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.base.random import StablePermutation
from unifiedbus_dsl.graph.from_fabric import cable_ends, merge_by_link_and_width
from unifiedbus_dsl.graph.symmetry import Symmetry, merge_labels, relabel
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.physical import first_of_cables, has_cages, one_a_cable, whole_cables
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# ---- parts that may fail ------------------------------------------------------------------------------------------


@frozen(eq=False)
class Outage:
    """What fails at once: devices `start[i] … stop[i] - 1`, and cables, each by one of its links. Small, and can be
    sent to another process."""

    start: Ints
    stop: Ints
    cables: Ints

    def taken(self, machine: NetworkContext) -> NetworkContext:
        """Return the machine without it; the machine itself where nothing fails."""
        if not len(self.start) and not len(self.cables):
            return machine
        return machine.damaged(concatenate_ranges(self.start, self.stop), whole_cables(machine.fabric, self.cables))


NO_OUTAGE = Outage(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


@frozen(eq=False)
class Components:
    """Parts of one noun: either devices `start[i] … stop[i] - 1` of part i, or the cable `cable[i]`.

    Parts of one `orbit` are images of each other under the symmetry that they were made with. What is measured must be
    kept by it too: a traffic that goes to one end point tells the parts near it from the others.
    """

    noun: str
    start: Ints
    stop: Ints
    cable: Ints
    orbit: Ints

    @property
    def count(self) -> int:
        return len(self.orbit)

    def loss(self, which: ArrayLike) -> Outage:
        """Return the loss of these parts."""
        some = np.asarray(which, dtype=np.int64)
        if len(self.cable):
            return Outage(NO_OUTAGE.start, NO_OUTAGE.stop, self.cable[some])
        return Outage(self.start[some], self.stop[some], NO_OUTAGE.cables)

    def failed(self, machine: NetworkContext, which: ArrayLike) -> NetworkContext:
        """Return the machine without these parts."""
        return self.loss(which).taken(machine)


def switches(machine: NetworkContext, symmetry: Symmetry | None = None) -> Components:
    """Return every switch. `symmetry` here and below: by default that of the machine, in which lengths don't matter."""
    kinds = np.array([device.kind == "switch" for device in machine.fabric.plan.devices.values()], dtype=bool)
    devices = np.flatnonzero(kinds[machine.fabric.device_type])
    return blocks(machine, "switch", devices, devices + 1, symmetry)


def blocks(
    machine: NetworkContext, noun: str, start: ArrayLike, stop: ArrayLike, symmetry: Symmetry | None = None
) -> Components:
    """Return devices or assemblies, at least one device in each: devices `start[i] … stop[i] - 1`. Parts are joined
    where a generator carries one as a whole to another."""
    symmetry = symmetry or machine.symmetry
    begins, ends = frozen_array(np.asarray(start, dtype=np.int64)), frozen_array(np.asarray(stop, dtype=np.int64))
    network = symmetry.network
    first, last = network.device_start[begins], network.device_start[ends]
    part = np.full(network.vertices + 1, -1, dtype=np.int64)
    size = last - first
    inside = concatenate_ranges(first, last)
    part[inside] = np.repeat(np.arange(len(begins)), size)
    begin = np.cumsum(size) - size
    orbit = np.arange(len(begins), dtype=np.int32)
    full = np.arange(network.vertices)
    for generator in symmetry.generators if len(begins) else ():
        full[generator.moved] = generator.image
        goes = part[full[inside]]
        full[generator.moved] = generator.moved
        low, high = np.minimum.reduceat(goes, begin), np.maximum.reduceat(goes, begin)
        whole = (low == high) & (low >= 0)
        whole &= size[low] == size
        orbit = merge_labels(orbit, orbit[whole], orbit[low[whole]])
    return Components(noun, begins, ends, NO_OUTAGE.cables, relabel(orbit).astype(np.int64))


def links(machine: NetworkContext, cables: ArrayLike | None = None, symmetry: Symmetry | None = None) -> Components:
    """These cables (default: every one), both ways at once; those of several links as a whole."""
    fabric, symmetry = machine.fabric, symmetry or machine.symmetry
    network = symmetry.network
    some = np.arange(fabric.cable_count) if cables is None else np.asarray(cables, dtype=np.int64)
    some = one_a_cable(fabric, some)
    kind = fabric.kind.astype(np.int64)
    if network is not machine.timed_network:
        kind = merge_by_link_and_width(fabric)[1][kind]
    a, b = (column[some].astype(np.int64) for column in cable_ends(fabric))
    kinds, n = len(network.kinds.link), network.vertices
    key = (network.tail.astype(np.int64) * n + network.head) * kinds + network.kind
    sides = []
    for tail, head in ((a, b), (network.turn(b), network.turn(a))):
        wanted = (tail * n + head) * kinds + kind[some]
        arc = np.searchsorted(key, wanted)
        there = np.isin(wanted, key)
        side = np.zeros(len(some), dtype=np.int64)
        side[there] = symmetry.arc_orbit[arc[there]].astype(np.int64) + 1
        sides.append(side)
    low, high = np.minimum(*sides), np.maximum(*sides)
    orbit = relabel(low * (symmetry.arc_orbits + 1) + high).astype(np.int64)
    if has_cages(fabric):
        orbit = _apart_where_several(fabric, some, orbit)
    return Components("link", NO_OUTAGE.start, NO_OUTAGE.stop, frozen_array(some), orbit)


def _apart_where_several(fabric: Fabric, cables: Ints, orbit: Ints) -> Ints:
    """Return the orbits with each cable of several links in one of its own, but where it joins the same devices as
    another: a symmetry of links need not be one of cables."""
    legs = whole_cables(fabric, cables)
    owner = np.searchsorted(first_of_cables(fabric)[cables], first_of_cables(fabric)[legs])
    count = np.bincount(owner, minlength=len(cables))
    ends = np.sort(np.stack([fabric.a_device[legs], fabric.b_device[legs]]).astype(np.int64), axis=0)
    rows = np.stack([*ends, fabric.kind[legs].astype(np.int64)], axis=1)
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0], owner))
    stop = np.cumsum(count)
    seen: dict[bytes, int] = {}
    result, following = orbit.copy(), int(orbit.max(initial=-1)) + 1
    for cable in np.flatnonzero(count > 1).tolist():
        joined = rows[order[stop[cable] - count[cable] : stop[cable]]].tobytes()
        result[cable] = seen.setdefault(joined, following + len(seen))
    return relabel(result).astype(np.int64)


# ---- who solves ---------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Outcome(Generic[T_co]):
    """What a measure gave; None where there is no answer, for a `reason`."""

    value: T_co | None
    reason: str = ""


def evaluate_outcome(measure: Callable[[NetworkContext], T], machine: NetworkContext) -> Outcome[T]:
    """Return what the measure gives on a machine."""
    try:
        return Outcome(measure(machine))
    except NotAdmittedError as why:
        return Outcome(None, str(why))


class Engine(Protocol):
    """Measures a machine after each of some losses, and gives (number of the loss, outcome) in any order.

    Raises `EngineError` where the work can't go on.
    """

    def run(
        self, machine: NetworkContext, measure: Callable[[NetworkContext], T], losses: Sequence[Outage]
    ) -> Generator[tuple[int, Outcome[T]], None, None]: ...


class EngineError(ConnectionError):
    """The work can't be done where it was to be done; the sentence says why and what to do."""


class SerialExecutor:
    """One after another in this process."""

    def run(
        self, machine: NetworkContext, measure: Callable[[NetworkContext], T], losses: Sequence[Outage]
    ) -> Generator[tuple[int, Outcome[T]], None, None]:
        for number, loss in enumerate(losses):
            yield number, evaluate_outcome(measure, loss.taken(machine))


@frozen(eq=False)
class Progress(Generic[T]):
    """Outcomes by number of the loss, as far as they came: `error` says why no further, None if nobody was asked on
    (the work is whole, or was interrupted)."""

    outcomes: dict[int, Outcome[T]]
    complete: bool
    error: EngineError | None = None


def solve_all(
    machine: NetworkContext,
    measure: Callable[[NetworkContext], T],
    losses: Sequence[Outage],
    title: str,
    engine: Engine,
) -> Progress[T]:
    """Return every outcome, or on Ctrl-C or where the engine fails, what there is."""
    outcomes: dict[int, Outcome[T]] = {}
    try:
        with task(title, len(losses)) as step, closing(engine.run(machine, measure, losses)) as coming:
            for number, outcome in coming:
                outcomes[number] = outcome
                step()
    except KeyboardInterrupt:
        return Progress(outcomes, complete=False)
    except EngineError as error:
        return Progress(outcomes, complete=False, error=error)
    return Progress(outcomes, complete=True)


# ---- every single failure -----------------------------------------------------------------------------------------


@frozen(eq=False)
class Contingency(Generic[T]):
    """What the loss of `part`, and of `copies` - 1 others like it, leaves."""

    part: int
    copies: int
    outcome: Outcome[T]


@frozen(eq=False)
class Survey(Generic[T]):
    """Every single failure in order of part. `orbits` is how many there are to solve: more than there are `failures`
    if the survey was stopped."""

    noun: str
    failures: tuple[Contingency[T], ...]
    orbits: int
    complete: bool
    error: EngineError | None = None


def survey_single_outages(
    machine: NetworkContext, parts: Components, measure: Callable[[NetworkContext], T], *, engine: Engine | None = None
) -> Survey[T]:
    """Return the measure after each single failure, one of each orbit."""
    _, first, copies = np.unique(parts.orbit, return_index=True, return_counts=True)
    tasks = [parts.loss([part]) for part in first.tolist()]
    done = solve_all(machine, measure, tasks, f"fail each {parts.noun}", engine or SerialExecutor())
    failures = [
        Contingency(part, count, done.outcomes[number])
        for number, (part, count) in enumerate(zip(first.tolist(), copies.tolist(), strict=True))
        if number in done.outcomes
    ]
    return Survey(parts.noun, tuple(failures), len(first), done.complete, done.error)


# ---- many at random -----------------------------------------------------------------------------------------------


@frozen(eq=False)
class Sample(Generic[T]):
    """The `number`-th draw: the parts that failed at once, ascending, and what is left."""

    number: int
    picked: Ints
    outcome: Outcome[T]


@frozen(eq=False)
class Samples(Generic[T]):
    """`fail` random failures at once, draw by draw; `count` were asked for."""

    noun: str
    fail: int
    seed: int
    draws: tuple[Sample[T], ...]
    count: int
    complete: bool
    error: EngineError | None = None


def pick_components(parts: Components, fail: int, seed: int, number: int) -> Ints:
    """Return the parts that fail in a draw, ascending, each set as likely as any other; of the seed and the number
    alone.

    Raises:
        ValueError: more failures than there are parts.
    """
    if not 0 <= fail <= parts.count:
        raise ValueError(f"{fail} can't fail of {parts.count}")
    return np.sort(StablePermutation((seed, number))(np.arange(parts.count))[:fail])


def sample_outages(
    machine: NetworkContext,
    parts: Components,
    measure: Callable[[NetworkContext], T],
    *,
    fail: int,
    count: int,
    seed: int,
    engine: Engine | None = None,
) -> Samples[T]:
    """Return the measure after `fail` random failures at once, `count` times. Draws that are images of each other, as
    single failures of one orbit are, are solved once.

    Raises:
        ValueError: more failures than there are parts.
    """
    picked = [pick_components(parts, fail, seed, number) for number in range(count)]
    places: dict[bytes, int] = {}
    tasks: list[Outage] = []
    at = []
    for some in picked:
        key = (parts.orbit[some] if fail == 1 else some).tobytes()
        if key not in places:
            places[key] = len(tasks)
            tasks.append(parts.loss(some))
        at.append(places[key])
    done = solve_all(machine, measure, tasks, f"fail {fail} at random", engine or SerialExecutor())
    samples = [
        Sample(number, some, done.outcomes[place])
        for number, (some, place) in enumerate(zip(picked, at, strict=True))
        if place in done.outcomes
    ]
    return Samples(parts.noun, fail, seed, tuple(samples), count, done.complete, done.error)
