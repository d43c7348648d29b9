"""How much more the end points inside an assembly can send than the cables through its wall can carry."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Floats, Network, frozen_array, tally


@frozen(eq=False)
class Oversubscription:
    """One row an assembly: raw rates one way, byte/s; `ratio` is inside over wall (infinite without a wall)."""

    inside_Bps: Floats  # noqa: N815
    wall_Bps: Floats  # noqa: N815
    ratio: Floats


def oversubscription(network: Network, part: NDArray[np.integer], members: ArrayLike | None = None) -> Oversubscription:
    """Of each assembly g = 0 … G - 1, where vertex v stands in assembly `part[v]` ([V], -1: in none).

    inside(g) = sum over the members (end points, default all) in g of min(injection, raw rate of their cables);
    wall(g) = raw rate of the cables with one end in g, one way.
    """
    raw = network.kinds.rate_Bps[network.kind] * network.count
    groups = int(part.max(initial=-1)) + 1
    out = tally(network.tail, raw, network.vertices)
    order = network.end_order
    sends = np.minimum(tally(network.end[order], out[order], network.ends), network.injection_Bps)
    home = part[network.end_order[network.end_start[:-1]]]
    counted = network.selected(members) & (home >= 0)
    inside = tally(home[counted], sends[counted], groups)
    leaves = (part[network.tail] != part[network.head]) & (part[network.tail] >= 0)
    wall = tally(part[network.tail[leaves]], raw[leaves], groups)
    ratio = np.divide(inside, wall, out=np.full(groups, np.inf), where=wall > 0)
    return Oversubscription(frozen_array(inside), frozen_array(wall), frozen_array(ratio))
