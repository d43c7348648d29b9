"""A pair of which none can have fewer disjoint paths, found without a flow for each orbit of pairs.

A pair without a path has none, and where all have a path, a pair with an end of one cable has one: so a found network,
with its hosts of one cable and no symmetry, is answered by one flow.
"""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.base.arrays import Bools
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.paths.reachability import Reachability, reachability


def pair_of_fewest(network: Network, senders: Bools, receivers: Bools) -> tuple[int, int] | None:
    """Return such a pair of different end points; None where ends and connections alone show none."""
    if not senders.any() or not receivers.any() or (senders | receivers).sum() < 2 or network.turned is not None:
        return None
    reach = reachability(network, np.flatnonzero(senders | receivers))
    if not reach.connected:
        return _parted(reach, senders, receivers)
    size = network.ends
    ends = network.end[network.tail], network.end[network.head]
    out, into = (np.bincount(e[e >= 0], network.count[e >= 0], size) for e in ends)
    for mine, others, cables, turned in ((senders, receivers, out, False), (receivers, senders, into, True)):
        for one in np.flatnonzero(mine & (cables == 1)).tolist():
            other = next((o for o in np.flatnonzero(others)[:2].tolist() if o != one), None)
            if other is not None:
                return (other, one) if turned else (one, other)
    return None


def _parted(reach: Reachability, senders: Bools, receivers: Bools) -> tuple[int, int] | None:
    """Return the first pair that touches no island in common."""
    own = np.arange(len(senders))
    for source in np.flatnonzero(senders & (reach.reached < reach.members.sum())).tolist():
        unreached = np.flatnonzero(receivers & ~reach.reached_from(source) & (own != source))
        if len(unreached):
            return source, int(unreached[0])
    return None
