"""Islands where a line forwards between two sides: what passes it goes from one side to the other, and not back.

Switches and ordinary lines that cables join are one part. Parts between which there is a way through such lines are
one, too, for there is one back: what they join is an island. A path that meets no switch and no ordinary line joins two
end points alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.verify.cables import Bools, Cables, Ints
from unifiedbus_dsl.verify.components import components


def sided_islands(cables: Cables) -> tuple[Ints, Ints]:
    """Return the pairs of an end point and an island that it touches."""
    n = cables.vertices
    left = np.ones(len(cables.a), dtype=bool) if cables.health is None else cables.health > 0
    tail = np.concatenate([cables.a[left], cables.b_out[left]]).astype(np.int64)
    head = np.concatenate([cables.b[left], cables.a_in[left]]).astype(np.int64)
    order = np.argsort(tail, kind="stable")
    tail, head = tail[order], head[order]
    plain = cables.forwards & (cables.turned == np.arange(n))
    line = cables.forwards & ~plain
    both = plain[tail] & plain[head]
    part = components(n, tail[both], head[both])
    while True:
        first = np.flatnonzero(plain[tail] & line[head])
        joined = [part[tail[first]] * n + head[first]]
        one, two = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for who, at in _onward(joined[0], tail, head, line):
            arrives = plain[at]
            one.append(who[arrives])
            two.append(part[at[arrives]])
        merged = components(n, np.concatenate(one), np.concatenate(two))[part]
        if np.array_equal(merged, part):
            break
        part = merged

    at = np.flatnonzero(cables.end >= 0)
    end = cables.end[at].astype(np.int64)
    ends, islands = [end[plain[at]]], [part[at[plain[at]]]]
    pairs = [np.zeros(0, np.int64)]
    start = end[~plain[at]] * n + at[~plain[at]]
    for who, there in _onward(start, tail, head, line, own=True):
        arrives = plain[there]
        ends.append(who[arrives])
        islands.append(part[there[arrives]])
        other = ~arrives & (cables.end[there] >= 0) & (cables.end[there] != who)
        pairs.append(who[other] * cables.ends + cables.end[there[other]])
    low, high = np.divmod(np.unique(np.concatenate(pairs)), cables.ends)
    alone = n + np.arange(len(low))
    return np.concatenate([*ends, low, high]), np.concatenate([*islands, alone, alone])


def _onward(
    start: Ints, tail: Ints, head: Ints, line: Bools, *, own: bool = False
) -> Iterator[tuple[Ints, NDArray[np.int64]]]:
    """Yield what is met on the way from (who, vertex) pairs, `who · V + vertex`, through lines of two sides, step by
    step; the start may be any vertex where it is `own`."""
    n, seen, front = len(line), np.zeros(0, dtype=np.int64), np.unique(start)
    begin = np.searchsorted(tail, np.arange(n + 1))
    while len(front):
        seen = np.union1d(seen, front)
        who, at = np.divmod(front, n)
        if not own:
            who, at = who[line[at]], at[line[at]]
        own = False
        many = begin[at + 1] - begin[at]
        arc = np.repeat(begin[at] - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
        who, there = np.repeat(who, many), head[arc]
        yield who, there
        front = np.setdiff1d((who * n + there)[line[there]], seen)
