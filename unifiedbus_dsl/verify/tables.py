"""Forwarding tables, followed on the fabric: every pair arrives, no packet goes round, and no lane waits in a
circle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Cables, Ids, Ints


@frozen(eq=False)
class StatedTables:
    """To the vertices `goals[g]`: vertex `on[v, g]` follows vertex v (-1: none), source s begins at `begin[s, g]` (-1:
    it sends nothing there) and is on lane `lane[s, g]`."""

    goals: Sequence[NDArray[Any]]
    on: Ids
    begin: Ids
    lane: Ids


def check_tables(cables: Cables, tables: StatedTables) -> int:
    """Hold tables to what is claimed of them; return how many lanes they use.

    Raises:
        VerificationError: a row is no cable, a pair does not arrive, or a lane has a cycle of dependencies.
    """
    n = cables.vertices
    left = np.ones(len(cables.a), dtype=bool) if cables.health is None else cables.health > 0
    joined = np.unique(np.concatenate([
        cables.a[left].astype(np.int64) * n + cables.b[left], cables.b_out[left].astype(np.int64) * n +
        cables.a_in[left],
    ]))  # fmt: skip
    waits: dict[int, list[Ints]] = {}
    for g, goal in enumerate(tables.goals):
        on, begin = tables.on[:, g].astype(np.int64), tables.begin[:, g].astype(np.int64)
        rows = np.flatnonzero(on >= 0)
        require(np.isin(rows * n + on[rows], joined).all(), "a row of a table is no cable")
        there = np.zeros(n, dtype=bool)
        there[goal] = True
        sends = np.flatnonzero(begin >= 0)
        for number in np.unique(tables.lane[sends, g]).tolist():
            mine = sends[tables.lane[sends, g] == number]
            waits.setdefault(number, []).append(_followed(cables, on, begin[mine], there))
    for pairs in waits.values():
        require(_falls_apart(np.unique(np.concatenate(pairs), axis=0)), "channels of a lane wait in a circle")
    return max(waits, default=0) + 1


def _followed(cables: Cables, on: Ints, at: Ints, goal: Bools) -> Ints:
    """Channels that packets hold with those that they want, [n, 3]: three vertices in a row.

    Raises:
        VerificationError: a packet does not arrive at its goal, or passes what does not forward.
    """
    followed = [np.zeros((0, 3), dtype=np.int64)]
    here = np.unique(at)
    require(not goal[here].any(), "a packet begins where it is to go")
    for _ in range(cables.vertices + 1):
        there = on[here]
        require((there >= 0).all(), "a table ends before the goal")
        onward = there[~goal[there]]
        require(cables.forwards[onward].all(), "a packet passes through what does not forward")
        held = here[~goal[there]]
        after = on[onward]
        require((after >= 0).all(), "a table ends before the goal")
        followed.append(np.stack([held, onward, after], axis=1))
        if not len(onward):
            return np.concatenate(followed)
        here = np.unique(onward)
    require(False, "packets go round for ever")
    return followed[0]


def _falls_apart(waits: Ints) -> bool:
    """Return whether channels are used up when those that wait for nothing are taken away again and again."""
    channels, place = np.unique(np.concatenate([waits[:, :2], waits[:, 1:]]), axis=0, return_inverse=True)
    held, wanted = place.ravel()[: len(waits)], place.ravel()[len(waits) :]
    while len(held):
        waiting = np.zeros(len(channels), dtype=bool)
        waiting[held] = True
        stays = waiting[wanted]
        if stays.all():
            return False
        held, wanted = held[stays], wanted[stays]
    return True
