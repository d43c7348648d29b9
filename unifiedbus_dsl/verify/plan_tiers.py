"""Tiers of orbits, and what the cables between them carry, held to the arcs one by one."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Floats, Ints
from unifiedbus_dsl.verify.tiers import check_bands


@frozen(eq=False)
class StatedTiers:
    """Arcs [A] from node `tail` to `head`, each of so many `cables` in all, one of which carries `capacity_Bps`;
    `start` marks the nodes of the end points, `tier` [nodes] is -1 where none is reached. Bands are (low, high, cables,
    capacity of them one way)."""

    tail: Ints
    head: Ints
    cables: Ints
    capacity_Bps: Floats  # noqa: N815
    start: Bools
    tier: Ints
    bands: tuple[tuple[int, int, int, float], ...]


def check_tiers(stated: StatedTiers) -> None:
    """Hold tiers and bands to the arcs.

    Raises:
        VerificationError: a tier is not the distance from the end points, or a band is added up wrongly.
    """
    tier, tail, head = stated.tier, stated.tail, stated.head
    require(bool(((tier == 0) == stated.start).all()), "the tiers do not begin at the end points")
    one, two = tier[tail], tier[head]
    require(not (((one < 0) != (two < 0)) | (np.abs(one - two) > 1)).any(), "a cable skips a tier")
    below = stated.start | (tier < 0)
    below[tail[one > two]] = True
    require(bool(below.all()), "a tier has nothing below it")
    found: dict[tuple[int, int], tuple[int, float]] = {}
    rows = zip(one.tolist(), two.tolist(), stated.cables.tolist(), stated.capacity_Bps.tolist(), strict=True)
    for a, b, cables, each in rows:
        key = min(a, b), max(a, b)
        before = found.get(key, (0, 0.0))
        found[key] = before[0] + cables, before[1] + cables * each / 2
    require(all(cables % 2 == 0 for cables, _ in found.values()), "a cable has one direction alone")
    halved = {key: (cables // 2, carried) for key, (cables, carried) in found.items()}
    columns = list(zip(*stated.bands, strict=True)) or [(), (), (), ()]
    pairs = list(zip(columns[0], columns[1], strict=True))
    check_bands(halved, pairs, np.array(columns[3], dtype=np.float64), np.array(columns[2], dtype=np.int64))
