"""What a damaged machine has lost: end points, what joins them, capacity by tier, and how far the worst pair is."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.network import Bools, Ints, Network
from unifiedbus_dsl.solver import paths
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.tiers import tiers
from unifiedbus_dsl.symmetry import trivial


@frozen(eq=False)
class Tier:
    """Cables between vertices `low` and `high` hops from the nearest end point: capacity one way, all together."""

    low: int
    high: int
    before_Bps: float  # noqa: N815
    after_Bps: float  # noqa: N815


@frozen(eq=False)
class Losses:
    """What is gone of the end points asked about.

    `lost` end points are gone themselves; `cut_off` are there, and no longer joined to any of the largest island of
    those that are left, though they were before; `left` are all others. `tiers` in order. The pair (`source`,
    `target`) is the one furthest apart of those that still have a path: `hops_before`, `hops_after`; -1 where there
    is none.
    """

    lost: Ints
    cut_off: Ints
    left: int
    tiers: tuple[Tier, ...]
    source: int
    target: int
    hops_before: int
    hops_after: int


def losses(base: Machine, damaged: Machine, members: ArrayLike | None = None) -> Losses:
    """Return what the damage has taken from the end points `members` (default: all) and from the cables."""
    chosen, gone = base.network.selected(members), base.network.selected(damaged.lost_ends)
    chosen[base.lost_ends] = False
    left = np.flatnonzero(chosen & ~gone)
    cut_off = np.zeros(0, dtype=np.int64)
    source = target = before = after = -1
    if len(left) > 1:
        far = paths.hops(damaged.symmetry, left, left)
        source, target = far.source, far.target
        if far.unreachable:
            whole, parts = paths.islands(base.network), paths.islands(damaged.network)
            island = _largest(parts, chosen & ~gone)
            # an end point beside another one that does not forward was never joined to what is beyond that
            cut_off = left[np.isin(left, _joined_to(whole, island)) & ~np.isin(left, _joined_to(parts, island))]
        if len(far.value):
            after = int(far.value[-1])
            before = int(paths.hops(trivial(base.network), [source], [target]).largest)
    return Losses(
        np.flatnonzero(gone & chosen),
        cut_off,
        len(left) - len(cut_off),
        _by_tier(base.network, damaged.network, np.flatnonzero(chosen)),
        source,
        target,
        before,
        after,
    )


def _joined_to(islands: tuple[Ints, Ints], inside: Ints) -> Ints:
    """The end points that share an island with any of `inside`."""
    end, island = islands
    return end[np.isin(island, island[np.isin(end, inside)])]


def _largest(islands: tuple[Ints, Ints], chosen: Bools) -> Ints:
    """The chosen end points of the island that has most of them, the first of several."""
    end, island = islands
    of = chosen[end]
    return np.asarray(end[of & (island == np.argmax(np.bincount(island[of])))])


def _by_tier(before: Network, after: Network, members: Ints) -> tuple[Tier, ...]:
    """Return the capacity of cables by the tiers that they join, counted from the members in the whole machine."""
    whole = tiers(before, members)
    columns = (whole.low, whole.high, whole.capacity_Bps, whole.left_Bps(after))
    return tuple(Tier(*row) for row in zip(*(column.tolist() for column in columns), strict=True))
