"""Cables by the tiers that they join. The tier of a vertex is its distance from the end points."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints, bincount, frozen_array
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.network import Network


@frozen(eq=False)
class Tiers:
    """`tier` [V] of each vertex, -1 where no end point is reached. Band b is the cables between tier `low[b]` and tier
    `high[b]`: `cables[b]` of them, which carry `capacity_Bps[b]` one way (where both tiers are the same, half of what
    they carry both ways). `band` [A] is the band of each arc."""

    network: Network
    tier: Ids
    band: Ints
    low: Ints
    high: Ints
    cables: Ints
    capacity_Bps: Floats  # noqa: N815

    @property
    def names(self) -> list[str]:
        """`0 to 1` of each band; `apart` where no end point is reached."""
        return [band_name(low, high) for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True)]

    def left_Bps(self, damaged: Network) -> Floats:  # noqa: N802
        """Return what each band carries one way in the same network with some of its cables lost or weakened,
        byte/s."""
        bands = _code(self.tier, self.low, self.high)
        band = np.searchsorted(bands, _code(self.tier, self.tier[damaged.tail], self.tier[damaged.head]))
        return bincount(band, damaged.capacity_Bps, len(bands)) / 2


def band_name(low: int, high: int) -> str:
    """Return `0 to 1` of a band between two tiers; `apart` where no end point is reached."""
    return f"{low} to {high}" if low >= 0 else "apart"


def levels(network: Network, members: ArrayLike | None = None) -> Ids:
    """Return hops from each vertex to the nearest of the end points (default: all), passing through anything, -1 where
    there is none, [V]."""
    return symmetry.tiers_of_vertices(network, network.on_vertices(network.selected(members)))


def tiers(network: Network, members: ArrayLike | None = None) -> Tiers:
    """Return cables by the tiers that they join, lowest first; tiers are counted from some end points (default:
    all)."""
    tier = levels(network, members)
    code = _code(tier, tier[network.tail], tier[network.head])
    base = _base(tier)
    codes = np.flatnonzero(np.bincount(code, minlength=base * base))
    number = np.zeros(base * base, dtype=np.int64)
    number[codes] = np.arange(len(codes))
    band = number[code]
    cables = bincount(band, network.count.astype(np.float64), len(codes))
    capacity = bincount(band, network.capacity_Bps, len(codes))
    return Tiers(
        network,
        tier,
        frozen_array(band),
        frozen_array(codes // base - 1),
        frozen_array(codes % base - 1),
        frozen_array(np.rint(cables / 2).astype(np.int64)),
        frozen_array(capacity / 2),
    )


def _base(tier: Ids) -> int:
    """More than any tier and one."""
    return int(tier.max(initial=0)) + 2


def _code(tier: Ids, one: NDArray[np.integer], two: NDArray[np.integer]) -> Ints:
    """Return a number for each two tiers, of one band whichever comes first, below the square of `_base`."""
    low, high = np.minimum(one, two).astype(np.int64), np.maximum(one, two).astype(np.int64)
    return np.asarray((low + 1) * _base(tier) + high + 1)
