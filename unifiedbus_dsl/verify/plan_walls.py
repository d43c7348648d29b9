"""What is sent toward the wall of an assembly, and the width that is reached, on orbits, added up again.

The flow is held to the arcs that it may take, and to a cut of as much; the width to what the senders reach.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Floats, Ints

NOISE = 1e-9
"""Part of all that is sent up to which a difference is rounding."""


@frozen(eq=False)
class StatedWall:
    """Arcs [A] from node `tail` to `head`, whose cables have `room_Bps` together; nodes are marked `inside`, of a
    `member`, of what carries for members, and as what passes `on`. Of the arcs that lead out some are `exits`; `back`
    are those that a member sends nothing by. Device d may send `injection_Bps[d]`. Members send `own_Bps` by an arc of
    their own, and `on_Bps` is passed on by it. `side` [nodes] and `side_devices` are on the side of the members of a
    cut."""

    tail: Ints
    head: Ints
    room_Bps: Floats  # noqa: N815
    inside: Bools
    member: Bools
    carry: Bools
    on: Bools
    exits: Bools
    back: Bools
    device: Ints
    injection_Bps: Floats  # noqa: N815
    own_Bps: Floats  # noqa: N815
    on_Bps: Floats  # noqa: N815
    side: Bools
    side_devices: Bools
    inside_Bps: float  # noqa: N815
    wall_Bps: float  # noqa: N815


def check_wall(stated: StatedWall) -> None:
    """Hold what is sent toward a wall, and its width, to the arcs.

    Raises:
        VerificationError: less is sent, or more would be; or the width is another.
    """
    tail, head, exits, own, on = stated.tail, stated.head, stated.exits, stated.own_Bps, stated.on_Bps
    noise = NOISE * max(stated.inside_Bps, 1.0)
    leaves = stated.inside[tail] & ~stated.inside[head]
    require(not (exits & ~leaves).any(), "an exit does not lead out")
    leads = exits | (stated.inside[tail] & stated.inside[head] & stated.on[head])
    may_send = stated.member[tail] & leads & ~stated.back
    may_pass = stated.on[tail] & leads & ((tail != head) | exits)
    limited = stated.carry[tail] | (stated.carry[head] & ~exits)
    require(bool((own >= 0).all() and (on >= 0).all()), "a flow is negative")
    require(not own[~may_send].any() and not on[~may_pass].any(), "a flow leaves its ways")
    require(bool((own <= stated.room_Bps + noise).all()), "a member sends more than its cables carry")
    require(bool((on[limited] <= stated.room_Bps[limited] + noise).all()), "a carrier passes on too much")
    sent = np.bincount(stated.device[tail], own, len(stated.injection_Bps))
    require(bool((sent <= stated.injection_Bps + noise).all()), "a device sends more than its injection")
    got = np.zeros(len(stated.inside))
    np.add.at(got, head[~exits], (own + on)[~exits])
    np.add.at(got, tail, -on)
    require(bool((np.abs(got) <= noise).all()), "a flow ends on the way")
    require(abs(float((own + on)[exits].sum()) - stated.inside_Bps) <= noise, "another rate is sent")
    require(_cut(stated, may_send, may_pass, limited) <= stated.inside_Bps + noise, "more could be sent")
    reached = np.zeros(len(stated.inside), dtype=bool)
    reached[head[may_send & ~exits]] = True
    while (new := may_pass & ~exits & reached[tail] & ~reached[head]).any():
        reached[head[new]] = True
    used = exits & (stated.member[tail] | (stated.on[tail] & reached[tail]))
    wall = float(stated.room_Bps[used].sum())
    require(abs(wall - stated.wall_Bps) <= NOISE * max(wall, 1.0), "the wall has another width")


def _cut(stated: StatedWall, may_send: Bools, may_pass: Bools, limited: Bools) -> float:
    """Return what gets out of the side of the members at most; the outside is on the other."""
    beyond = stated.exits | ~stated.side[stated.head]
    members = np.unique(stated.device[stated.member])
    held = float(stated.injection_Bps[members[~stated.side_devices[members]]].sum())
    own = may_send & stated.side_devices[stated.device[stated.tail]] & beyond
    passed = may_pass & stated.side[stated.tail] & beyond
    return held + float(stated.room_Bps[own].sum()) + float(np.where(limited, stated.room_Bps, np.inf)[passed].sum())
