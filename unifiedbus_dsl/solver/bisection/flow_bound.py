"""A lower bound of the bisection by flows on classes: what any cut that halves the end points has to carry.

At once go alpha from each of the n members to each other, beta_O from each member to each vertex of O and back, for
each orbit O of other forwarding vertices, and all of it through members as well. One way, a halving cut carries at
least alpha · floor(n/2) · ceil(n/2) + sum of beta_O · floor(n/2) · |O|, whichever side each vertex of O is on.

Turned round, these flows are as many of the same sort, and the mean of both loads the two ways of a cable alike. So
only members send in the LP, alpha to each other and 2 beta_O to each vertex of O, and what both ways of a cable
carry of that has to fit both together.

Where the elements of an array (SuperPoDs of a cluster, nodes of a rack) hold equally many members, `size`, and
floor(n/2) is no multiple of that, every half goes through an element. With a_i members of element i in it, gamma from
each member to each other of its element makes gamma · sum of a_i · (size - a_i), and delta_O from each member to each
of the c vertices of O in its element and back makes delta_O · c · sum of min(a_i, size - a_i). Both sums are concave,
so under their one constraint they are least where all a_i but one are 0 or size: then that one is
left = floor(n/2) mod size.
"""

from __future__ import annotations

from math import prod

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array, take
from unifiedbus_dsl.graph.symmetry import Automorphism, Symmetry, locate_arrays, relabel
from unifiedbus_dsl.solver.flow.quotient_lp import Commodity, Optimum, TooLargeError, solve_concurrent_flow
from unifiedbus_dsl.verify.class_flows import Rates

LOOKED_FOR = 1_000
"""Arcs of which those of all opposites are found sooner than that of one is looked for."""
MOST_NUMBERS = 1_600_000_000
"""Truth values in the demands of the linear program: 1.6 GB."""


@frozen(eq=False)
class _Level:
    """An array whose elements no half is made of: the element of each vertex ([V], -1: in none), how many there are,
    how many members each has, and how many of one are left."""

    of: Ints
    elements: int
    size: int
    left: int


@frozen(eq=False)
class Crossing:
    """The best of these flows: what members send, on classes of arcs with `both[k]` in place of orbit k, the same for
    opposite ones; `mirror[k]` is the opposite. And the rates at which they go, of all and within each array's elements.
    """

    flows: Optimum
    rates: tuple[Rates, ...]
    mirror: Ints
    both: Ints

    @property
    def lower(self) -> float:
        return self.flows.lower


def bisection_flow_lp(symmetry: Symmetry, chosen: Bools, most: int, budget: float | None = None) -> Crossing:
    """Return the best of these flows. Each end point is a single vertex.

    Raises:
        TooLargeError: more than `most` columns, or not solved within `budget` seconds.
    """
    network = symmetry.network
    member = network.on_vertices(chosen)
    # a half holds all of an end point, so what passes through one crosses no less
    every = frozen_array(network.forwards | member)
    symmetry = evolve(symmetry, network=evolve(network, forwards=every))
    network = symmetry.network
    other = network.forwards & ~member & (np.diff(network.indptr) > 0)
    orbit_of = symmetry.vertex_orbit
    inner, outer = np.unique(orbit_of[other]), np.unique(orbit_of[member])
    # a commodity has a class of arcs for each orbit of them that it can use at the least
    if len(outer) * symmetry.arc_orbits > 4 * most or len(inner) * network.vertices > MOST_NUMBERS:
        raise TooLargeError(f"more than {most} columns")
    n = int(chosen.sum())
    goals = [other & (orbit_of == orbit) for orbit in inner]
    worth = [float((n // 2) * (n - n // 2)), *[float((n // 2) * goal.sum()) / 2 for goal in goals]]
    levels = _levels(symmetry, member)
    parted: list[tuple[_Level, int]] = []
    """The array and the place of the orbit in `inner` (-1: the members) of each parameter after alpha and the betas."""
    for level in levels:
        parted.append((level, -1))
        worth.append(float(level.left * (level.size - level.left)))
        for place, goal in enumerate(goals):
            each = _in_each(level, goal)
            if each:
                parted.append((level, place))
                worth.append(float(min(level.left, level.size - level.left) * each) / 2)
    mirror = _mirror(symmetry)
    both = relabel(np.minimum(np.arange(len(mirror)), mirror)).astype(np.int64)
    turned = evolve(symmetry, arc_orbit=take(both.astype(np.int32), symmetry.arc_orbit))
    commodities = []
    for orbit in outer:
        these = np.flatnonzero(member & (orbit_of == orbit))
        peers = member.copy()
        peers[these[0]] = False
        beside = [(level.of == level.of[these[0]]) & (peers if k < 0 else goals[k]) for level, k in parted]
        commodities.append(Commodity(int(these[0]), len(these), (peers, *goals, *beside)))
    optimum = solve_concurrent_flow(turned, commodities, np.array(worth), most=most, budget=budget, above=False)
    each = (optimum.parameters / np.array([1, *[2] * len(goals), *[1 if k < 0 else 2 for _, k in parted]])).tolist()
    rates = [Rates(each[0], _at(goals, each[1 : 1 + len(goals)], network.vertices))]
    for level in levels:
        mine = [(k, rate) for (of, k), rate in zip(parted, each[1 + len(goals) :], strict=True) if of is level]
        deltas = {k: rate for k, rate in mine if k >= 0}
        vertex = _at([goals[k] for k in deltas], list(deltas.values()), network.vertices)
        rates.append(Rates(dict(mine)[-1], vertex, level.of.astype(np.int32)))
    return Crossing(optimum, tuple(rates), mirror, both)


def _mirror(symmetry: Symmetry) -> Ints:
    """Return the orbit of the opposites of the arcs of each orbit."""
    network, orbit = symmetry.network, symmetry.arc_orbit
    first = np.empty(symmetry.arc_orbits, dtype=np.int64)
    first[orbit[::-1]] = np.arange(network.arcs)[::-1]
    if len(first) * LOOKED_FOR > network.arcs:
        return orbit[network.opposite[first]].astype(np.int64)
    mirror = np.empty(len(first), dtype=np.int64)
    for k, arc in enumerate(first.tolist()):
        tail, head = int(np.searchsorted(network.indptr, arc, side="right")) - 1, int(network.head[arc])
        row = slice(int(network.indptr[head]), int(network.indptr[head + 1]))
        same = (network.head[row] == tail) & (network.kind[row] == network.kind[arc])
        mirror[k] = orbit[row.start + int(np.argmax(same))]
    return mirror


def _at(goals: list[Bools], rates: list[float], vertices: int) -> Floats:
    """Return the rate of each vertex, [V], that is among some goals."""
    rate_of = np.zeros(vertices)
    for goal, rate in zip(goals, rates, strict=True):
        rate_of[goal] = rate
    return rate_of


def _levels(symmetry: Symmetry, member: Bools) -> list[_Level]:
    """Return the arrays that part an element of every half, each number of members once, where all symmetries keep
    elements together."""
    network, n = symmetry.network, int(member.sum())
    device = np.repeat(np.arange(len(network.device_start) - 1), np.diff(network.device_start))
    levels = list[_Level]()
    for array in symmetry.arrays:
        columns, rest, inside = locate_arrays(array, device)
        element, count = rest // array.size, prod(array.shape)
        inside &= element < count
        if not inside[member].all():
            continue
        for column, (length, _) in zip(columns, array.loops, strict=True):
            element = element + column * count
            count *= length
        of = np.where(inside, element, -1)
        sizes = np.bincount(of[member], minlength=count)
        size = int(sizes[0])
        if count < 2 or size < 2 or (sizes != size).any() or any(size == level.size for level in levels):
            continue
        level = _Level(of, count, size, n // 2 % size)
        if level.left and all(_keeps(generator, of) for generator in symmetry.generators):
            levels.append(level)
    return levels


def _keeps(generator: Automorphism, of: Ints) -> bool:
    """Return whether the images of the vertices of each element are an element."""
    before, after = of[generator.moved], of[generator.image]
    if (before == after).all():
        return True
    goes = of.copy()
    goes[generator.moved] = after
    if ((goes < 0) != (of < 0)).any():
        return False
    inside = of >= 0
    image = np.full(int(of.max()) + 1, -1, dtype=np.int64)
    image[of[inside]] = goes[inside]
    return bool((image[of[inside]] == goes[inside]).all()) and len(np.unique(image)) == len(image)


def _in_each(level: _Level, goal: Bools) -> int:
    """Return how many of these vertices each element has; 0 where they are not as many in each, or some are in none."""
    of = level.of[goal]
    if (of < 0).any():
        return 0
    counts = np.bincount(of, minlength=level.elements)
    return int(counts[0]) if (counts == counts[0]).all() else 0
