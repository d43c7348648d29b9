"""Least times to a target on orbits of vertices, held to their definition arc by arc.

No arc that may be taken shortens a time, so none is too long; from each node there are arcs that attain its time and
lead to the target, so none is too short.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Floats, Ints

NOISE = 1e-12
"""Part of the longest time up to which a difference is rounding."""


@frozen(eq=False)
class StatedTimes:
    """Arcs [A] from node `tail` to `head` that take `arc_s`; `target` and `forwards` mark nodes, which take `passing_s`
    to pass; `time_s` [nodes] is infinite where there is no path."""

    tail: Ints
    head: Ints
    target: Bools
    forwards: Bools
    arc_s: Floats
    passing_s: Floats
    time_s: Floats


def check_times(stated: StatedTimes) -> None:
    """Hold times to the arcs.

    Raises:
        VerificationError: they are not the least.
    """
    time, target = stated.time_s, stated.target
    require(bool((time[target] == 0).all() and (time >= 0).all()), "times do not begin at the target")
    taken = np.flatnonzero((stated.forwards[stated.head] | target[stated.head]) & np.isfinite(time[stated.head]))
    tail, head = stated.tail[taken], stated.head[taken]
    through = time[head] + np.where(target[head], 0.0, stated.passing_s[head]) + stated.arc_s[taken]
    noise = NOISE * float(time[np.isfinite(time)].max(initial=0.0))
    require(bool((time[tail] <= through + noise).all()), "an arc shortens the time of its tail")
    attains = through <= time[tail] + noise
    tail, head = tail[attains], head[attains]
    reached, before = target.copy(), -1
    while int(reached.sum()) > before:
        before = int(reached.sum())
        reached[tail[reached[head]]] = True
    require(bool((reached == np.isfinite(time)).all()), "no path attains the time of a node")
