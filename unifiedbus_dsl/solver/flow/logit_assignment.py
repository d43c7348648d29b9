"""Routings of the most entropy: the largest throughput nearly, on all walks of few arcs at once.

A walk of length L has the weight exp(-L), and what goes from a source to a target is shared out among its walks by
their weights (logit assignment: Dial, Transportation Research 5, 1971, here on all walks of at most `most` arcs). With
F(s, t) the sum of the weights, the loads are the slopes of V = - sum of demand · log F(s, t), a concave function of the
lengths, and the lengths >= 0 that make

    V - sum(length · capacity) / goal

largest are those under which no arc carries more than its capacity at `goal` times the demand: the dual of the routing
of most entropy among those. That is a smooth problem as long as the goal can be met, so it is brought nearer to the
optimum step by step: between what was reached (from below) and what lengths prove (from above). The optimiser is a
projected L-BFGS (Nocedal, Mathematics of Computation 35, 1980).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ids, Ints, bincount
from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.solver.flow.shared_resources import SharedResources
from unifiedbus_dsl.solver.linear_program import solve_linear_program
from unifiedbus_dsl.solver.rounding import round_mantissa

EXTRA_ARCS = (2, 1)
"""Arcs that a walk may have beyond those of the furthest pair, and where that is too much work: with fewer the ends
meet sooner, but may not meet at all."""
SOURCES = 64
"""Sources that are worked on at a time."""
MEMORY, TRIALS = 20, 12
"""Steps that the optimiser remembers, and how often it shortens one."""
STAGE, LOOK = 40, 10
"""Steps towards one goal at most, and after how many of them the lengths are asked what they prove."""
NEARER = 0.4
"""How far between what is reached and what is proved the next goal is, on a logarithmic scale."""
FIRST = 10.0
"""The mean distance of a pair at the start: detours of a tenth of it weigh 1/e."""
MIXED, ENTRIES = 40, 2_000_000
"""How many of the last routings are mixed, and of how many loads in all at most."""


@frozen(eq=False)
class WalkKernel:
    """Arcs [A] between nodes, the node where each source starts, and what is sent from sources to nodes:
    `demand(begin, end)` is [sources, nodes]. Walks have at most `most` arcs."""

    nodes: int
    tail: Ints
    head: Ints
    start: Ints
    demand: Callable[[int, int], Floats]
    most: int
    outward: tuple[Ints, Ints, Ints] = field(init=False)
    inward: tuple[Ints, Ints, Ints] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "outward", _rows(self.tail, self.head, self.nodes))
        object.__setattr__(self, "inward", _rows(self.head, self.tail, self.nodes))

    @property
    def work(self) -> int:
        """Arcs that are looked at to find all loads once."""
        return len(self.start) * len(self.tail) * self.most

    def loads(self, length: Floats) -> tuple[Floats, float]:
        """Load of each arc under these lengths ([A]), and V; infinite where a weight is too small for a number."""
        # not to the last digit, which is not the same on all processors
        part, power = np.frexp(np.exp(-length))
        weight = np.ldexp(np.rint(part * 2.0**30), power - 30)
        onward, back = self._matrix(self.inward, weight), self._matrix(self.outward, weight)
        load = np.zeros(len(length))
        value = 0.0
        for begin in range(0, len(self.start), SOURCES):
            start = self.start[begin : begin + SOURCES]
            of = np.arange(len(start))
            reached = np.zeros((self.nodes, len(start)))
            reached[start, of] = 1.0
            steps = [reached]
            for _ in range(self.most):
                reached = onward @ reached
                reached[start, of] += 1.0
                steps.append(reached)
            demand = self.demand(begin, begin + len(start)).T
            there = demand > 0
            if reached[there].min(initial=1.0) < 1e-290:
                return load, np.inf
            value -= float((demand[there] * np.log(reached[there])).sum())
            pull = np.divide(demand, reached, out=np.zeros_like(reached), where=there)
            for before in steps[-2::-1]:
                load += np.einsum("as,as->a", before[self.tail], pull[self.head])
                pull = back @ pull
        return load * weight, value

    def _matrix(self, rows: tuple[Ints, Ints, Ints], weight: Floats) -> Any:
        from scipy.sparse import csr_matrix

        start, columns, arc = rows
        return csr_matrix((weight[arc], columns, start), shape=(self.nodes, self.nodes))


def _rows(row: Ints, column: Ints, nodes: int) -> tuple[Ints, Ints, Ints]:
    """Where rows start, columns, and the arc of each entry."""
    arc = np.lexsort((column, row))
    return np.concatenate([[0], np.cumsum(np.bincount(row, minlength=nodes))]), column[arc], arc


@define(eq=False)
class BoundPair:
    """What was reached: `loads` [R] that route the whole demand, with `lower` = 1 / their largest utilisation, and
    `length` [R] that prove `upper`."""

    lower: float
    loads: Floats
    upper: float
    length: Floats

    def carry(self, loads: Floats, room: Floats) -> None:
        """Take these loads if they reach more."""
        cable = np.isfinite(room)
        reached = 1.0 / float((loads[cable] / room[cable]).max())
        if reached > self.lower:
            self.lower, self.loads = reached, loads


def maximize_dual(
    walks: WalkKernel,
    found: BoundPair,
    orbit: Ids,
    rooms: SharedResources,
    prove: Callable[[Floats], float],
    *,
    gap: float,
    most: int,
    done: Callable[[], bool],
) -> None:
    """Bring the ends of `found` nearer to each other, until they are within `gap`, `most` times all loads were found,
    or it is `done`.

    `orbit` [A] is that of each arc; loads and lengths are of the `rooms`. `prove` says what lengths ([R]) prove.
    """
    room, size = rooms.capacity_Bps, rooms.size
    cable = np.isfinite(room)
    unit = float(np.median(room[cable]))
    capacity = (room * size)[cable] / unit
    root = np.sqrt(capacity)
    routings: list[Floats] = []

    def lengths(y: Floats) -> Floats:
        length = np.zeros(len(room))
        length[cable] = y / root
        return length

    def proved(y: Floats) -> None:
        length = round_mantissa(lengths(y))
        if length.any():
            upper = prove(length)
            if upper < found.upper:
                found.upper, found.length = upper, length

    def slope(y: Floats) -> tuple[float, Floats]:
        step()
        load, value = walks.loads(rooms.lengths(lengths(y))[orbit])
        if not np.isfinite(value):
            return np.inf, np.zeros_like(y)
        mean = rooms.means(bincount(orbit, load, rooms.arcs) / size[: rooms.arcs])
        routings.append(mean)
        del routings[: -max(1, min(MIXED, ENTRIES // len(room)))]
        found.carry(mean, room)
        price = unit / goal / sent
        return price * float((y * root).sum()) - value / sent, price * root - (mean * size)[cable] / root / sent

    flat = np.where(cable, 1.0, 0.0)
    flat[cable] /= room[cable]
    proof = prove(flat)  # their volume is the number of cables
    if proof < found.upper:
        found.upper, found.length = proof, flat
    sent = sum(float(walks.demand(i, i + SOURCES).sum()) for i in range(0, len(walks.start), SOURCES))
    y = root * flat[cable] * FIRST * sent * proof / float(size[cable].sum())
    count = 0

    def enough(now: Floats) -> bool:
        nonlocal count
        count += 1
        if count % LOOK == 0:
            proved(now)
        near = found.lower > goal * (1 - (found.upper / found.lower - 1) / 10)
        return near or found.upper < goal or count >= most or done()

    with task("balance loads", most) as step:
        while found.upper > found.lower * (1 + gap) and count < most and not done():
            goal = found.lower ** (1 - NEARER) * found.upper**NEARER
            before = count
            y = _descend(slope, y, root, enough)
            proved(y)
            if len(routings) > 1:
                found.carry(mixed(routings, room, size)[0], room)
            if count == before:  # no way down: numbers give out
                break


def _descend(
    slope: Callable[[Floats], tuple[float, Floats]], y: Floats, root: Floats, enough: Callable[[Floats], bool]
) -> Floats:
    """Steps of L-BFGS towards the least value over y >= 0. What is at 0 and would fall stays; no length changes by more
    than 1 in a step, as the logarithm of a weight."""
    value, fall = slope(y)
    steps: list[tuple[Floats, Floats]] = []
    for _ in range(STAGE):
        free = (y > 0) | (fall < 0)
        way = -np.where(free, _scaled(steps, fall, free), 0.0)
        if _dot(way, fall) >= 0:
            way = np.where(free, -fall, 0.0)
        far = float(np.abs(way / root).max())
        if not far > 0:
            break
        part = min(1.0, 1.0 / far)
        for _ in range(TRIALS):
            there = np.maximum(y + part * way, 0.0)
            after, then = slope(there)
            if after <= value + 1e-4 * _dot(fall, there - y):
                break
            part *= 0.4
        else:
            if not steps:
                break
            steps = []
            continue
        moved, turned = there - y, then - fall
        if _dot(moved, turned) > 1e-10 * np.sqrt(_dot(moved, moved) * _dot(turned, turned)):
            steps = [*steps[1 - MEMORY :], (moved, turned)]
        y, value, fall = there, after, then
        if enough(y):
            break
    return y


def _scaled(steps: list[tuple[Floats, Floats]], fall: Floats, free: Bools) -> Floats:
    """Return the slope times what the last steps say of the inverse of the curvature, among what is free."""
    way = np.where(free, fall, 0.0)
    inner = [_dot(moved[free], turned[free]) for moved, turned in steps]
    used: list[tuple[Floats, Floats, float, float]] = []
    for (moved, turned), curve in zip(reversed(steps), reversed(inner), strict=True):
        if curve > 1e-12 * np.sqrt(_dot(moved, moved) * _dot(turned, turned)):
            share = _dot(moved[free], way[free]) / curve
            way = way - share * turned
            used.append((moved, turned, curve, share))
    if steps:
        moved, turned = steps[-1]
        way = way * (_dot(moved, turned) / _dot(turned, turned))
    for moved, turned, curve, share in reversed(used):
        way = way + (share - _dot(turned[free], way[free]) / curve) * moved
    return way


def _dot(one: Floats, other: Floats) -> float:
    """Added up in the same order on all processors."""
    return float((one * other).sum())


def mixed(routings: list[Floats], room: Floats, size: Ints) -> tuple[Floats, Floats]:
    """Return the mix of routings whose largest utilisation is least, and the lengths that prove that no other mix is
    better: a linear program of one column a routing."""

    cable = np.isfinite(room)
    share = np.stack([loads[cable] / room[cable] for loads in routings], axis=1)
    top = share.max(axis=0).min()
    columns = share.shape[1]
    linear_program = solve_linear_program(
        np.append(np.zeros(columns), 1.0),
        A_ub=np.hstack([share / top, -np.ones((len(share), 1))]),
        b_ub=np.zeros(len(share)),
        A_eq=np.append(np.ones(columns), 0.0)[None],
        b_eq=[1.0],
        method="highs-ds",
    )
    if linear_program.status != 0:
        raise ArithmeticError(f"the linear program was not solved: {linear_program.message}")
    length = np.zeros(len(room))
    length[cable] = np.maximum(-linear_program.ineqlin.marginals, 0.0) / (room[cable] * size[cable])
    part = np.maximum(linear_program.x[:columns], 0.0)
    mix = np.zeros(len(room))
    for weight, loads in zip(part / part.sum(), routings, strict=True):
        mix += weight * loads
    return mix, length
