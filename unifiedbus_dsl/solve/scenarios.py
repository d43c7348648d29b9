"""What a damaged machine has lost, and surveys: every single failure, one of each orbit, or many at random.

Two parts that a symmetry of the whole machine carries to each other leave machines that are images of each other, so
one is solved for all. Random draws take a seed and are the same for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.network import (
    Bools,
    Floats,
    Ints,
    Network,
    cable_ends,
    frozen_array,
    lengthless,
    ranges,
    tally,
)
from unifiedbus_dsl.progress import track
from unifiedbus_dsl.shuffle import Shuffle
from unifiedbus_dsl.solve import paths
from unifiedbus_dsl.solve.machine import Machine
from unifiedbus_dsl.solve.result import NotAdmittedError
from unifiedbus_dsl.symmetry import Symmetry, dense, joined, tiers

Measure: TypeAlias = Callable[[Machine], float]
"""A number of a machine, damaged or not; `NotAdmittedError` where it has none."""

# ---- what was lost ------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Tier:
    """Cables between vertices `low` and `high` hops from the nearest end point: capacity one way, all together."""

    low: int
    high: int
    before_Bps: float  # noqa: N815
    after_Bps: float  # noqa: N815


@frozen(eq=False)
class Losses:
    """`lost` end points are gone; `cut_off` are there but not in the island that most are in, which has `left`. `tiers`
    in order. The pair (`source`, `target`) of what is left is the one furthest apart: `hops_before`, `hops_after`;
    -1 where nothing is left."""

    lost: Ints
    cut_off: Ints
    left: int
    tiers: tuple[Tier, ...]
    source: int
    target: int
    hops_before: int
    hops_after: int


def losses(base: Machine, damaged: Machine, members: ArrayLike | None = None) -> Losses:
    """What the damage has taken from the end points `members` (default: all) and from the cables."""
    ends = base.network.ends
    chosen = np.ones(ends, dtype=bool)
    if members is not None:
        chosen[:] = False
        chosen[np.asarray(members, dtype=np.int64)] = True
    gone = np.zeros(ends, dtype=bool)
    gone[damaged.lost_ends] = True
    island = largest_island(damaged.network, chosen & ~gone)
    source = target = before = after = -1
    inside = np.flatnonzero(island)
    if len(inside) > 1:
        far = paths.hops(damaged.symmetry, inside, inside)
        source, target = far.source, far.target
        after = int(far.value[-1])
        before = int(paths.hops(base.symmetry, [source], [target]).largest)
    return Losses(
        np.flatnonzero(gone & chosen),
        np.flatnonzero(chosen & ~gone & ~island),
        int(island.sum()),
        by_tier(base.network, damaged.network),
        source,
        target,
        before,
        after,
    )


def largest_island(network: Network, chosen: Bools) -> Bools:
    """The chosen end points of the island that has most of them, the first of several, [E]."""
    end, island = paths.islands(network)
    of = chosen[end]
    inside = np.zeros(network.ends, dtype=bool)
    if of.any():
        inside[end[of & (island == np.argmax(np.bincount(island[of])))]] = True
    return inside


def by_tier(before: Network, after: Network) -> tuple[Tier, ...]:
    """Capacity of cables by the tiers that they join, as the whole machine has them."""
    tier = tiers(before).astype(np.int64)
    most = int(tier.max(initial=0)) + 2
    columns = []
    for network in (before, after):
        one, two = tier[network.tail], tier[network.head]
        up = one <= two
        up &= (one < two) | (network.tail < network.head)
        key = (one[up] + 1) * most + two[up] + 1
        columns.append(tally(key, network.capacity_Bps[up], most * most))
    return tuple(
        Tier(int(key // most) - 1, int(key % most) - 1, float(columns[0][key]), float(columns[1][key]))
        for key in np.flatnonzero(columns[0])
    )


# ---- parts that may fail ------------------------------------------------------------------------------------------


@frozen(eq=False)
class Parts:
    """Parts of one noun: either devices `start[i] … stop[i] - 1` of part i, or the cable `cable[i]`. Parts of one
    `orbit` are images of each other in the whole machine."""

    noun: str
    start: Ints
    stop: Ints
    cable: Ints
    orbit: Ints

    @property
    def count(self) -> int:
        return len(self.orbit)

    def failed(self, machine: Machine, which: ArrayLike) -> Machine:
        """The machine without these parts."""
        some = np.asarray(which, dtype=np.int64)
        if len(self.cable):
            return machine.damaged(lost_cables=self.cable[some])
        return machine.damaged(ranges(self.start[some], self.stop[some]))


def switches(machine: Machine, timed: bool = False) -> Parts:
    """Every switch. With `timed`, parts that differ by lengths of cables only are told apart, here and below."""
    kinds = np.array([device.kind == "switch" for device in machine.fabric.plan.devices.values()], dtype=bool)
    devices = np.flatnonzero(kinds[machine.fabric.device_type])
    return _parts("switch", devices, devices + 1, _symmetry(machine, timed))


def blocks(machine: Machine, noun: str, start: ArrayLike, stop: ArrayLike, timed: bool = False) -> Parts:
    """Instances of an assembly: devices `start[i] … stop[i] - 1` each."""
    return _parts(noun, np.asarray(start, dtype=np.int64), np.asarray(stop, dtype=np.int64), _symmetry(machine, timed))


def links(machine: Machine, cables: ArrayLike | None = None, timed: bool = False) -> Parts:
    """These cables (default: every one), both ways at once."""
    fabric, symmetry = machine.fabric, _symmetry(machine, timed)
    network = symmetry.network
    some = np.arange(fabric.cable_count) if cables is None else np.asarray(cables, dtype=np.int64)
    kind = fabric.kind.astype(np.int64)
    if network is not machine.timed_network:
        kind = lengthless(fabric)[1][kind]
    a, b = (column[some].astype(np.int64) for column in cable_ends(fabric))
    kinds, n = len(network.kinds.link), network.vertices
    key = (network.tail.astype(np.int64) * n + network.head) * kinds + network.kind
    sides = []
    for tail, head in ((a, b), (b, a)):
        wanted = (tail * n + head) * kinds + kind[some]
        arc = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        sides.append(np.where(key[arc] == wanted, symmetry.arc_orbit[arc], -1).astype(np.int64) + 1)
    low, high = np.minimum(*sides), np.maximum(*sides)
    none = np.zeros(0, dtype=np.int64)
    return Parts("link", none, none, frozen_array(some), dense(low * (symmetry.arc_orbits + 1) + high).astype(np.int64))


def _symmetry(machine: Machine, timed: bool) -> Symmetry:
    return machine.timed_symmetry if timed else machine.symmetry


def _parts(noun: str, start: Ints, stop: Ints, symmetry: Symmetry) -> Parts:
    """Ranges of devices, joined where a generator carries one as a whole to another."""
    network = symmetry.network
    first, last = network.device_start[start], network.device_start[stop]
    part = np.full(network.vertices + 1, -1, dtype=np.int64)
    size = last - first
    inside = ranges(first, last)
    owner = np.repeat(np.arange(len(start)), size)
    part[inside] = owner
    begin = np.cumsum(size) - size
    orbit = np.arange(len(start), dtype=np.int32)
    full = np.arange(network.vertices)
    for generator in symmetry.generators:
        full[generator.moved] = generator.image
        goes = part[full[inside]]
        full[generator.moved] = generator.moved
        low, high = np.minimum.reduceat(goes, begin), np.maximum.reduceat(goes, begin)
        whole = (low == high) & (low >= 0)
        whole &= size[low] == size
        orbit = joined(orbit, orbit[whole], orbit[low[whole]])
    none = np.zeros(0, dtype=np.int64)
    return Parts(noun, frozen_array(start), frozen_array(stop), none, dense(orbit).astype(np.int64))


# ---- every single failure -----------------------------------------------------------------------------------------


@frozen(eq=False)
class Failure:
    """The loss of `part`, and of `copies` - 1 others like it, leaves `value`; NaN where there is none, for a
    `reason`."""

    part: int
    copies: int
    value: float
    reason: str


@frozen(eq=False)
class Survey:
    """Every single failure, worst first, and the value of the whole machine. Not `complete` if it was stopped."""

    noun: str
    base: float
    failures: tuple[Failure, ...]
    complete: bool


def survey(machine: Machine, parts: Parts, measure: Measure, *, more_is_better: bool = True) -> Survey:
    """The measure after each single failure, one of each orbit. On Ctrl-C what is finished is returned."""
    _, first, copies = np.unique(parts.orbit, return_index=True, return_counts=True)
    found: list[Failure] = []
    complete = True
    try:
        for part, count in track(list(zip(first.tolist(), copies.tolist(), strict=True)), f"fail each {parts.noun}"):
            value, reason = _measured(parts.failed(machine, [part]), measure)
            found.append(Failure(part, count, value, reason))
    except KeyboardInterrupt:
        complete = False
    sign = 1.0 if more_is_better else -1.0
    found.sort(key=lambda each: (not np.isnan(each.value), sign * each.value, each.part))
    return Survey(parts.noun, measure(machine), tuple(found), complete)


def _measured(machine: Machine, measure: Measure) -> tuple[float, str]:
    try:
        return float(measure(machine)), ""
    except NotAdmittedError as why:
        return float("nan"), str(why)


# ---- many at random -----------------------------------------------------------------------------------------------


@frozen(eq=False)
class Quantile:
    """The `q` quantile of the measure over all ways to fail, with an interval that covers it with the confidence asked
    for (infinite where the draws are too few)."""

    q: float
    value: float
    lower: float
    upper: float


@frozen(eq=False)
class Draws:
    """`values` of the measure, draw by draw; NaN where there is none. `picked` are the parts of each draw."""

    noun: str
    fail: int
    seed: int
    picked: tuple[Ints, ...]
    values: Floats
    complete: bool

    def quantiles(self, levels: Sequence[float] = (0.05, 0.5, 0.95), confidence: float = 0.95) -> list[Quantile]:
        """Quantiles; a draw without a value counts as the least."""
        return [quantile(np.where(np.isnan(self.values), -np.inf, self.values), q, confidence) for q in levels]


def draws(machine: Machine, parts: Parts, measure: Measure, *, fail: int, count: int, seed: int) -> Draws:
    """The measure after `fail` random failures at once, `count` times; draw i depends on the seed and i alone.

    Raises:
        NotAdmittedError: more failures than there are parts.
    """
    if fail > parts.count:
        raise NotAdmittedError(f"{fail} can't fail of {parts.count}")
    picked, values = [], []
    complete = True
    known: dict[int, float] = {}
    try:
        for number in track(range(count), f"fail {fail} at random", count):
            some = np.sort(Shuffle((seed, number))(np.arange(parts.count))[:fail])
            orbit = int(parts.orbit[some[0]]) if fail == 1 else -1
            value = known[orbit] if orbit in known else _measured(parts.failed(machine, some), measure)[0]
            if orbit >= 0:
                known[orbit] = value
            picked.append(some)
            values.append(value)
    except KeyboardInterrupt:
        complete = False
    return Draws(parts.noun, fail, seed, tuple(picked), frozen_array(np.array(values)), complete)


def quantile(values: Floats, q: float, confidence: float = 0.95) -> Quantile:
    """Quantile by order statistics, with the distribution-free interval [x_(l), x_(u)] of n draws:

    l largest with P(Bin(n, q) < l) <= (1 - confidence) / 2,  u smallest with P(Bin(n, q) >= u) <= (1 - confidence) / 2
    """
    from scipy.special import bdtr

    n, tail = len(values), (1.0 - confidence) / 2
    x = np.sort(values)
    below = np.concatenate([[0.0], bdtr(np.arange(n, dtype=np.float64), n, q)])  # P(Bin < k) for k = 0 … n
    low = int(np.flatnonzero(below <= tail)[-1])
    enough = np.flatnonzero(1.0 - below <= tail)
    at = min(n - 1, max(0, int(np.ceil(q * n)) - 1))
    return Quantile(
        q,
        float(x[at]),
        float(x[low - 1]) if low >= 1 else float("-inf"),
        float(x[enough[0] - 1]) if len(enough) else float("inf"),
    )
