"""The bisection of the end points of some places, where flows on classes and a cut by digits meet.

From below as on a fabric (`solver.bisection.flow_bound`): alpha from each member to each other, beta from each to each
vertex of an orbit of others, and where a half goes through an element of an array the same within elements. From above:
members parted by the half of a digit, all other vertices on the better side by a minimum cut of the orbits.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import lcm

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.quotient.group import Parting
from unifiedbus_dsl.solver.bounds import BoundedValue, bounded
from unifiedbus_dsl.solver.from_plan.concurrent_flow import Commodity, Optimum, solve
from unifiedbus_dsl.solver.from_plan.minimum_cut import minimum_cut
from unifiedbus_dsl.solver.from_plan.partition import joined, refine
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient

MEETS_WITHIN = 1e-7
REASON = "from below flows between all end points and to switches, from above a cut"
MOST_NODES = 3_000
"""Orbits of vertices up to which a cut is looked for."""


@frozen(eq=False)
class Half:
    """Members whose digits at a place put them into one half: for each digit, from the first that decides, the values
    below `below`, and of those at `at` what the next digits say."""

    strides: tuple[int, ...]
    below: tuple[int, ...]

    def holds(self, columns: list[Ints]) -> Bools:
        """Return which rows of digits, in the order of `strides`, are in the half."""
        held = np.zeros(len(columns[0]), dtype=bool)
        level = np.ones(len(columns[0]), dtype=bool)
        for column, below in zip(columns, self.below, strict=True):
            held |= level & (column < below)
            level &= column == below
        return held


@frozen(eq=False)
class Cut:
    """A cut of a network whose orbits it parts: `side` [nodes] is True for those in the half, `orbits` are of the arcs
    that lead out of it, `capacity_Bps` what these carry."""

    network: PlanNetwork
    half: Half
    side: Bools
    orbits: Ints
    capacity_Bps: Floats  # noqa: N815


@frozen(eq=False)
class PlanBisection:
    """Both bounds of a bisection, which meet; the flows that prove the lower one, and the cut."""

    capacity: BoundedValue
    flows: Optimum
    cut: Cut


def bisection(network: PlanNetwork, members: frozenset[int]) -> PlanBisection:
    """Return the bisection of the devices of some places.

    Raises:
        NotProvedError: the bounds do not meet.
    """
    if network.lost:
        raise NotProvedError("parts are lost")
    if not len(network.orbit_capacity_Bps):
        raise NotProvedError("no cables")
    flows = flow_bound(network, members)
    best: Cut | None = None
    for half in halves(network, members):
        cut = halving_cut(network, members, half)
        if best is None or float(cut.capacity_Bps.sum()) < float(best.capacity_Bps.sum()):
            best = cut
        upper = float(best.capacity_Bps.sum())
        if upper <= flows.lower * (1 + MEETS_WITHIN):
            return PlanBisection(bounded(flows.lower, upper, REASON, MEETS_WITHIN), flows, best)
    raise NotProvedError("the bounds of the bisection do not meet")


# ---- from above -----------------------------------------------------------------------------------------------------


def halves(network: PlanNetwork, members: frozenset[int]) -> Iterator[Half]:
    """Yield halves of the devices of a place: each digit in turn decides first, then the others from the highest."""
    if len(members) != 1:
        raise NotProvedError("end points of several places")
    place = next(iter(members))
    digits = sorted(network.group.places[place], key=lambda digit: -digit.stride)
    for first in range(len(digits)):
        order = [digits[first], *digits[:first], *digits[first + 1 :]]
        strides, below = [], []
        for digit in order:  # of the middle value of one digit the next ones take half
            strides.append(digit.stride)
            below.append(digit.size // 2)
            if digit.size % 2 == 0:
                break
        yield Half(tuple(strides), tuple(below))


def halving_cut(network: PlanNetwork, members: frozenset[int], half: Half) -> Cut:
    """Return the least cut between a half of the members and the others, all other vertices on the better side."""
    place = next(iter(members))
    size = {digit.stride: digit.size for digit in network.group.places[place]}
    partings = tuple(
        Parting(place, stride, tuple(int(v > below) + int(v >= below) for v in range(size[stride])))
        for stride, below in zip(half.strides, half.below, strict=True)
    )
    parted = network.parted(partings)
    base = parted.base
    if base.nodes > MOST_NODES:
        raise NotProvedError("too many orbits for a cut")
    order = [digit.stride for digit in parted.group.places[place]]
    rows = base.cells.members[place].digits
    inside = half.holds([rows[:, order.index(stride)] for stride in half.strides])
    member = base.cells.place == place
    near = member & inside[np.where(member, base.cells.row, 0)]
    passes = base.forwards | member
    # a member is one vertex
    node = np.where(member, base.first[base.device], np.arange(base.nodes))
    arcs = np.flatnonzero(passes[base.tail] & passes[base.head])
    units = cable_units(parted)
    capacity = [int(base.size[base.tail[a]]) * int(base.count[a]) * units[int(base.kind[a])] for a in arcs.tolist()]
    side = minimum_cut(
        base.nodes, node[base.tail[arcs]], node[base.head[arcs]], capacity, np.unique(node[near]),
        np.unique(node[member & ~near]),
    )[node]  # fmt: skip
    through = arcs[side[base.tail[arcs]] & ~side[base.head[arcs]]]
    each = base.size[base.tail[through]] * base.count[through] * parted.capacity_Bps[base.kind[through]]
    return Cut(parted, half, side, np.unique(base.orbit[through]), np.asarray(each, dtype=np.float64))


def cable_units(network: PlanNetwork) -> list[int]:
    """Return the capacity of a cable of each kind in whole units of what divides them all."""
    protocols = [(network.protocol(kind.link), kind.lanes) for kind in network.wiring.kinds]
    exact = [of.lane_rate * lanes * of.efficiency for of, lanes in protocols]
    unit = lcm(*(value.denominator for value in exact)) if exact else 1
    return [int(value * unit) for value in exact]


# ---- from below -----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class _Level:
    """An array whose elements no half is made of: by place the stride of an element, how many members each has, and
    how many of one are left."""

    stride: dict[int, int]
    size: int
    left: int


def flow_bound(network: PlanNetwork, members: frozenset[int]) -> Optimum:
    """Return the best flows that a halving cut has to carry.

    Raises:
        NotProvedError: the linear program is too large.
    """
    base = network.base
    n = sum(network.wiring.places[p].count for p in members)
    if n < 2:
        raise NotProvedError("nothing to halve")
    member = np.isin(base.cells.place, list(members))
    degree = bincount(base.tail, base.count.astype(np.float64), base.nodes)
    goals = np.flatnonzero(base.forwards & ~member & (degree > 0)).tolist()
    levels = _levels(network, members, n)
    worth = [float((n // 2) * (n - n // 2)), *[(n // 2) * float(base.size[goal]) / 2 for goal in goals]]
    parted: list[tuple[_Level, int]] = []
    for level in levels:
        parted.append((level, -1))
        worth.append(float(level.left * (level.size - level.left)))
        for goal in goals:
            p = int(base.cells.place[goal])
            if p in level.stride:
                parted.append((level, goal))
                each = float(_within(network, goal, level))
                worth.append(min(level.left, level.size - level.left) * each / 2)
    both = np.minimum(np.arange(len(network.mirror)), network.mirror)
    merged, orbit_of = np.unique(both, return_inverse=True)
    orbit_capacity = bincount(orbit_of.ravel(), network.orbit_capacity_Bps, len(merged))
    made = []
    for source, copies in network.sources(members):
        made.append(_commodity(network, source, copies, members, goals, parted, orbit_of.ravel()))
    return solve(made, orbit_capacity, np.array(worth))


def _commodity(
    network: PlanNetwork,
    source: int,
    copies: int,
    members: frozenset[int],
    goals: list[int],
    parted: list[tuple[_Level, int]],
    orbit_of: Ints,
) -> Commodity:
    quotient = network.around(source)
    member = np.isin(quotient.cells.place, list(members))
    whole = _base_nodes(network, quotient)
    peers = np.where(quotient.members(members), quotient.device_size, 0).astype(np.float64)
    peers[quotient.source] = 0.0
    none_d, none_n = np.zeros(quotient.devices), np.zeros(quotient.nodes)
    to_devices, to_nodes = [peers], [none_n]
    for goal in goals:
        to_devices.append(none_d)
        to_nodes.append(np.where(whole == goal, quotient.size, 0).astype(np.float64))
    for level, goal in parted:
        near = _beside(network, quotient, level)
        if goal < 0:
            to_devices.append(np.where(near[quotient.first], peers, 0.0))
            to_nodes.append(none_n)
        else:
            to_devices.append(none_d)
            to_nodes.append(np.where((whole == goal) & near, quotient.size, 0).astype(np.float64))
    demand = np.stack([*[d[quotient.device] for d in to_devices], *to_nodes])
    _, colour = np.unique(np.concatenate([demand > 0, [member]]), axis=1, return_inverse=True)
    classes = joined(refine(quotient, colour.ravel().astype(np.int64)), member)
    classes = evolve(classes, orbit=orbit_of[classes.orbit])
    return Commodity(classes, copies, np.stack(to_devices), np.stack(to_nodes), member)


def _base_nodes(network: PlanNetwork, quotient: Quotient) -> Ints:
    """Return the node of the whole network that each node around a source is part of, [nodes]."""
    base = network.base
    base_nodes = np.empty(quotient.nodes, dtype=np.int64)
    for p in range(len(network.wiring.places)):
        here = np.flatnonzero(quotient.cells.place == p)
        row = base.cells.row_of(p, quotient.cells.members[p].digits)
        base_nodes[here] = [
            base.cells.node(p, int(row[r]), int(v))
            for r, v in zip(quotient.cells.row[here].tolist(), quotient.cells.vertex[here].tolist(), strict=True)
        ]
    return base_nodes


def _levels(network: PlanNetwork, members: frozenset[int], n: int) -> list[_Level]:
    """Arrays of assemblies whose elements hold equally many members, of which floor(n / 2) is no multiple."""
    wiring = network.wiring
    places = [wiring.places[p] for p in sorted(members)]
    levels: list[_Level] = []
    depth = min(len(place.path) for place in places)
    for k in range(1, depth):
        prefix = places[0].path[:k]
        if any(place.path[:k] != prefix for place in places):
            break
        count = int(np.prod(places[0].counts[:k]))
        size = n // count
        if count < 2 or size < 2 or (n // 2) % size == 0 or any(size == level.size for level in levels):
            continue
        stride = {p: place.count // count for p, place in enumerate(wiring.places) if place.path[:k] == prefix}
        upper = {p: _upper(network, p, inside) for p, inside in stride.items()}
        wanted = upper[min(members)]
        if wanted is None or any(upper[p] != wanted for p in members):
            continue
        stride = {p: inside for p, inside in stride.items() if upper[p] == wanted}
        levels.append(_Level(stride, size, n // 2 % size))
    return levels


def _upper(network: PlanNetwork, place: int, inside: int) -> list[tuple[int, int, int]] | None:
    """Return the digits of a place that say which element a device is in; None where no digits do."""
    digits = network.group.places[place]
    if inside > 1 and not any(d.stride == inside for d in digits) and inside != network.wiring.places[place].count:
        return None
    return [(d.stride // inside, d.size, d.of) for d in digits if d.stride >= inside]


def _within(network: PlanNetwork, goal: int, level: _Level) -> int:
    """Return how many vertices of an orbit each element has; 0 where they are not as many in each."""
    base = network.base
    p = int(base.cells.place[goal])
    digits = network.group.places[p]
    blocks = [network.group.classes[d.of] for d in digits if d.stride >= level.stride[p]]
    if any(not group.cyclic and group.blocks > 1 for group in blocks):
        return 0
    count = network.wiring.places[p].count // level.stride[p]
    size = int(base.size[goal])
    return size // count if size % count == 0 else 0


def _beside(network: PlanNetwork, quotient: Quotient, level: _Level) -> Bools:
    """Return which nodes are in the element that the source is in, [nodes]."""
    assert quotient.cells.source is not None
    place, digits = quotient.cells.source
    strides = [digit.stride for digit in network.group.places[place]]
    own = [v for stride, v in zip(strides, digits.tolist(), strict=True) if stride >= level.stride[place]]
    beside = np.zeros(quotient.nodes, dtype=bool)
    for p, inside in level.stride.items():
        columns = [k for k, d in enumerate(network.group.places[p]) if d.stride >= inside]
        same = (quotient.cells.members[p].digits[:, columns] == own).all(axis=1)
        here = quotient.cells.place == p
        beside[here] = same[quotient.cells.row[here]]
    return beside
