"""What a damaged machine has lost: end points, what joins them, capacity by tier, and how far the worst pair is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry, trivial_symmetry
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances
from unifiedbus_dsl.solver.paths.reachability import reachability
from unifiedbus_dsl.solver.paths.tiers import Tiers, tiers


@frozen(eq=False)
class Tier:
    """Cables between vertices `low` and `high` hops from the nearest end point: capacity one way, all together."""

    low: int
    high: int
    before_Bps: float  # noqa: N815
    after_Bps: float  # noqa: N815


@frozen(eq=False)
class OutageImpact:
    """What is gone of the end points asked about.

    `lost` end points are gone themselves; `cut_off` are there, and have no path any more to the one that reaches most
    (of several the one that reached most before), though they had one; `left` are all others. `pairs_cut` counts the
    pairs of those that are there (either way one pair) which had a path and have none. `tiers` in order. The pair
    (`source`, `target`) is the one furthest apart of those that still have a path: `hops_before`, `hops_after`; -1
    where there is none.
    """

    lost: Ints
    cut_off: Ints
    left: int
    pairs_cut: int
    tiers: tuple[Tier, ...]
    source: int
    target: int
    hops_before: int
    hops_after: int
    best: int
    """The end point that most have a path to; -1 where no pair lost its path."""
    pair_ids: tuple[int, int] | None = None
    """The devices of the pair where the plan has told it; `source` and `target` are 0 then."""


Hops: TypeAlias = Callable[[NetworkContext, Symmetry, ArrayLike, ArrayLike], distances.Histogram]
"""Finds the hops from some end points of a machine to others, by symmetries of its network."""


def find_hops(machine: NetworkContext, symmetry: Symmetry, source: ArrayLike, target: ArrayLike) -> distances.Histogram:
    """Return the hops of all ordered pairs."""
    return distances.hop_histogram(symmetry, source, target)


def outage_impact(
    base: NetworkContext,
    damaged: NetworkContext,
    members: ArrayLike | None = None,
    hops: Hops = find_hops,
) -> OutageImpact:
    """Return what the damage has taken from the end points `members` (default: all) and from the cables."""
    chosen, gone = base.network.selected(members), base.network.selected(damaged.lost_ends)
    chosen[base.lost_ends] = False
    left = np.flatnonzero(chosen & ~gone)
    cut_off = np.zeros(0, dtype=np.int64)
    source = target = before = after = best = -1
    pairs_cut = 0
    if len(left) > 1:
        distance = hops(damaged, damaged.symmetry, left, left)
        source, target = distance.source, distance.target
        if distance.unreachable:
            now, once = reachability(damaged.network, left), reachability(base.network, left)
            pairs_cut = int(once.reached.sum() - now.reached.sum()) // 2
            # an end point beside another one that does not forward was never joined to what is beyond that
            best = int(left[np.lexsort((-once.reached[left], -now.reached[left]))[0]])
            cut_off = np.flatnonzero(once.reached_from(best) & ~now.reached_from(best))
        if len(distance.value):
            after = int(distance.value[-1])
            before = int(hops(base, trivial_symmetry(base.network), [source], [target]).largest)
    whole = tiers(base.network, np.flatnonzero(chosen))
    return OutageImpact(
        np.flatnonzero(gone & chosen),
        cut_off,
        len(left) - len(cut_off),
        pairs_cut,
        _by_tier(whole, damaged.network),
        source,
        target,
        before,
        after,
        best,
    )


def _by_tier(whole: Tiers, after: Network) -> tuple[Tier, ...]:
    """Return the capacity of cables by the tiers that they join, counted from the members in the whole machine."""
    columns = (whole.low, whole.high, whole.capacity_Bps, whole.left_Bps(after))
    return tuple(Tier(*row) for row in zip(*(column.tolist() for column in columns), strict=True))
