"""Paths of a pair that share no cable, and cables whose loss parts it, on orbits around both, added up again.

Source and target are nodes of one device each. An arc of a node stands for `cables` from all of its vertices, which
the symmetries that keep the pair make alike: a flow on nodes is one on vertices, spread evenly, and where all
capacities are whole there is one in whole paths. So as many cables as a cut has, no more and no fewer, part the pair.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Ints


@frozen(eq=False)
class StatedPaths:
    """Arcs [A] from node `tail` to `head` of so many `cables` in all, which carry `flow`. Nodes are marked by `source`,
    `target`, `forwards`, and `side`, which are those on the side of the source of a cut."""

    tail: Ints
    head: Ints
    cables: Ints
    source: Bools
    target: Bools
    forwards: Bools
    flow: Ints
    side: Bools
    paths: int


def check_paths(stated: StatedPaths) -> None:
    """Hold the paths and the cut of a pair to the arcs.

    Raises:
        VerificationError: the paths are not there, or a cut has other cables.
    """
    tail, head, flow, side = stated.tail, stated.head, stated.flow, stated.side
    require(not (stated.source & stated.target).any(), "a pair is one device")
    require(bool(((flow >= 0) & (flow <= stated.cables)).all()), "more paths than cables")
    passes = stated.forwards | stated.source | stated.target
    used = flow > 0
    require(bool(passes[tail[used]].all() and passes[head[used]].all()), "a path leads through what does not forward")
    balance = np.zeros(len(side), dtype=np.int64)
    np.add.at(balance, tail, flow)
    np.add.at(balance, head, -flow)
    between = ~(stated.source | stated.target)
    require(not balance[between].any(), "a path ends on the way")
    require(int(balance[stated.source].sum()) == stated.paths, "there are fewer paths")
    require(bool(side[stated.source].all()) and not side[stated.target].any(), "the cut does not part the pair")
    cut = side[tail] & ~side[head] & passes[tail] & passes[head]
    require(int(stated.cables[cut].sum()) == stated.paths, "a cut has other cables")
