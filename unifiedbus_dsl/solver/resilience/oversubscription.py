"""How much more the end points inside an assembly can send toward its wall than the cables through it carry.

What an end point offers toward a wall is what it could send there if the network limited nothing: through those of its
own ports from which the wall can be reached, within its `injection`, and through the carriers on its way, such as a
NIC, whose ports it may share with others. Switches, and end points that forward, count as the network: they are what
the ratio judges. So a GPU behind a NIC offers what the NIC carries, a port of a scale-up network that does not lead out
counts nothing, and a wall above other walls is compared with the end points below all of them.

    inside(g) = max flow  end points -> own ports -> (carriers ->)* wall, switches and the wall itself unlimited
    wall(g)   = raw rate of the cables through the wall that the end points reach, one way
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount, frozen_array, unique_rows
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.solver.flow.quotient_max_flow import FlowGraph, max_flow_value, split_supply


@frozen(eq=False)
class Oversubscription:
    """One row an assembly, that of its worst plane: raw rates one way, byte/s; `ratio` is inside over wall, infinite
    where end points inside reach no cable through the wall. `plane` is the number of the plane; `ratios` [planes, G]
    are those of each, 0 where nothing is sent."""

    inside_Bps: Floats  # noqa: N815
    wall_Bps: Floats  # noqa: N815
    ratio: Floats
    plane: Ints
    ratios: Floats


def oversubscription(
    network: Network,
    part: NDArray[np.integer],
    members: ArrayLike | None = None,
    carriers: ArrayLike = (),
    plane: Ints | None = None,
    groups: int | None = None,
) -> Oversubscription:
    """Return a row for each assembly g = 0 … G - 1, where vertex v stands in assembly `part[v]` ([V], -1: in none).

    `members` are the end points that send (default all), `carriers` those that carry for others; `plane` is the network
    that cables of each kind belong to ([K], default one): walls are compared plane by plane. `groups` is G, by default
    as many as occur in `part`.
    """
    groups = int(part.max(initial=-1)) + 1 if groups is None else groups
    planes = np.zeros(len(network.kinds.rate_Bps), dtype=np.int64) if plane is None else plane
    of_arc = planes[network.kind]
    leaves = (part[network.tail] >= 0) & (part[network.tail] != part[network.head])
    walls = _Walls(network, np.asarray(part), network.selected(members), _mask(network, carriers))
    rows = [walls.compare(leaves & (of_arc == number), groups) for number in range(int(planes.max(initial=0)) + 1)]
    inside, wall = (np.array([row[side] for row in rows]) for side in (0, 1))
    return worst_planes(inside, wall, walls.width(leaves, groups), walls.has_members(groups))


def worst_planes(inside_Bps: Floats, wall_Bps: Floats, width_Bps: Floats, sends: Bools) -> Oversubscription:  # noqa: N803
    """Return the row of each assembly, from what is sent toward its wall and the width that is reached by plane,
    [planes, G], the width of all its cables, and whether anything inside sends, [G]."""
    ratios = np.divide(inside_Bps, wall_Bps, out=np.zeros_like(inside_Bps), where=(wall_Bps > 0) & (inside_Bps > 0))
    worst = np.argmax(ratios, axis=0)
    # where nothing gets out, the whole wall is shown
    offered = np.take_along_axis(inside_Bps, worst[None], axis=0)[0]
    width = np.where(offered > 0, np.take_along_axis(wall_Bps, worst[None], axis=0)[0], width_Bps)
    ratio = np.where((offered > 0) | ~sends, ratios.max(axis=0, initial=0.0), np.inf)
    return Oversubscription(*map(frozen_array, (offered, width, ratio, worst, ratios)))


def _mask(network: Network, ends: ArrayLike) -> Bools:
    return network.selected(np.asarray(ends, dtype=np.int64))


@frozen(eq=False)
class _Arcs:
    """What can be sent in the assemblies: node e of [E] are end points, E + v carriers, E + V + c what forwarding
    vertices join, the last one what is outside. An arc into the network is as wide as the cable, one out of it has no
    limit, but to a carrier."""

    tail: Ints
    head: Ints
    rate_Bps: Floats  # noqa: N815
    outside: int


@frozen(eq=False, slots=False)
class _Walls:
    """The walls of disjoint assemblies: `part` [V], senders `members` [E], `carriers` [E]."""

    network: Network
    part: NDArray[np.integer]
    members: Bools
    carriers: Bools

    @cached_property
    def home(self) -> Ints:
        """The assembly of each end point, [E]."""
        return np.asarray(self.part[self.network.end_order[self.network.end_start[:-1]]], dtype=np.int64)

    def has_members(self, groups: int) -> Bools:
        """Return which assemblies have a sender inside, [G]."""
        return np.asarray(np.bincount(self.home[self.members & (self.home >= 0)], minlength=groups) > 0)

    def width(self, arcs: Bools, groups: int) -> Floats:
        """Return the raw rate of the marked arcs ([A]) by the assembly of their tails, [G] byte/s."""
        return bincount(self.part[self.network.tail[arcs]], self._rate(np.flatnonzero(arcs)), groups)

    def compare(self, exits: Bools, groups: int) -> tuple[Floats, Floats]:
        """Return what is offered toward the arcs `exits` ([A]) of each assembly, and the width of those that senders
        reach, [G] byte/s each."""
        if not exits.any():
            return np.zeros(groups), np.zeros(groups)
        arcs = self._arcs(exits)
        offered = _offered(arcs, self.members, self.network.injection_Bps)
        counted = self.members & (self.home >= 0)
        first = np.zeros(arcs.outside + 1, dtype=bool)
        first[: self.network.ends] = self.members
        marked = max_flow_value(first, arcs.tail, arcs.head)
        end = self.network.end
        own = (end >= 0) & self.members[end] & ~self._carrier
        used = (
            exits
            & (own | (self._node >= 0) & marked[self._node] | (self._carrier & self.members[end]))[self.network.tail]
        )
        return bincount(self.home[counted], offered[counted], groups), self.width(used, groups)

    def _rate(self, arcs: Ints) -> Floats:
        network = self.network
        return np.asarray(network.kinds.rate_Bps[network.kind[arcs]] * network.count[arcs])

    @cached_property
    def _carrier(self) -> Bools:
        """Which vertices are of carriers, [V]."""
        return np.asarray((self.network.end >= 0) & self.carriers[self.network.end])

    @cached_property
    def _passes(self) -> Bools:
        """Which vertices are of the network between, [V]."""
        return np.asarray(self.network.forwards & ~self._carrier)

    @cached_property
    def _within(self) -> Bools:
        """Which arcs stay inside an assembly, [A]."""
        network, part = self.network, self.part
        return np.asarray((part[network.tail] >= 0) & (part[network.tail] == part[network.head]))

    @cached_property
    def _node(self) -> Ints:
        """The node of each vertex as something that passes on, -1 for one that does not, [V]."""
        network = self.network
        free = self._passes & (network.turn(np.arange(network.vertices)) == np.arange(network.vertices))
        links = self._within & free[network.tail] & free[network.head]
        component = connected_components(network.vertices, network.tail[links], network.head[links])
        carried = np.where(self._carrier & network.forwards, network.ends + np.arange(network.vertices), -1)
        return np.where(self._passes, network.ends + network.vertices + component.astype(np.int64), carried)

    def _arcs(self, exits: Bools) -> _Arcs:
        network, node = self.network, self._node
        tail, head = network.tail, network.head
        outside = network.ends + 2 * network.vertices
        into = np.where(exits, outside, np.where(self._within, node[head], -1))
        member = (network.end >= 0) & self.members[network.end]
        own = np.flatnonzero((member & ~self._carrier)[tail] & (into >= 0))
        on = np.flatnonzero((node[tail] >= 0) & (into >= 0) & (node[tail] != into))
        own = own[~self._leads_back(own, exits)]
        # a carrier that sends on its own account, and forwards or not
        sends = np.flatnonzero(member & self._carrier)
        alone = np.flatnonzero((member & self._carrier & (node < 0))[tail] & (into >= 0))
        free = self._passes[tail[on]] & ((into[on] == outside) | ~self._carrier[head[on]])
        starts = network.end.astype(np.int64)
        entry = sends[node[sends] >= 0]
        rates = (self._rate(own), np.where(free, np.inf, self._rate(on)), self._rate(alone))
        return _Arcs(
            np.concatenate([starts[tail[own]], node[tail[on]], starts[tail[alone]], starts[entry]]),
            np.concatenate([into[own], into[on], into[alone], node[entry]]),
            np.concatenate([*rates, np.full(len(entry), np.inf)]),
            outside,
        )

    def _leads_back(self, own: Ints, exits: Bools) -> Bools:
        """Return which of the arcs `own` lead from an end point that forwards to where every way out comes back to it.

        Such a line of an end point dominates the other side, seen from outside. Of two vertices that lead on to each
        other it is then the immediate dominator: where the other side is not further out by hops, or has a second
        neighbour that is nearer, it is not. One of two sides leads on one way only: it may dominate from further away,
        or its two vertices together.
        """
        network, passes, on = self.network, self._passes, self._node >= 0
        tail, head = network.tail, network.head
        back = np.zeros(len(own), dtype=bool)
        through = passes[tail[own]] & on[head[own]] & ~exits[own]
        if not through.any():
            return back
        links = self._within & on[tail] & on[head]
        door = np.zeros(network.vertices, dtype=bool)
        door[tail[exits & on[tail]]] = True
        doors = network.turn(np.flatnonzero(door))
        inward = _hops_from_outside(network, links, doors)
        opposite = network.on_turned(inward)
        through &= np.isfinite(opposite[head[own]])
        nearer = np.flatnonzero(links & (inward[tail] + 1 == inward[head]))
        pairs = unique_rows(tail[nearer].astype(np.int64) * network.vertices + head[nearer])
        ways = np.bincount(pairs % network.vertices, minlength=network.vertices)
        ways[doors] += 1
        sides = [network.turn(side[own]) for side in (tail, head)]
        both_ways = (sides[0] == tail[own]) & (sides[1] == head[own])
        alone = (opposite[tail[own]] + 1 == opposite[head[own]]) & (network.on_turned(ways)[head[own]] == 1)
        suspect = through & (alone | ~both_ways)
        sided = suspect & (sides[0] != tail[own])
        for line in np.unique(np.minimum(sides[0], tail[own])[sided]):
            gone = np.isin(np.arange(network.vertices), (line, network.turn(line)))
            past = _hops_from_outside(network, links & ~gone[tail] & ~gone[head], doors[~gone[doors]])
            of_line = sided & gone[tail[own]]
            back[of_line] = np.isinf(past[sides[1][of_line]])
        suspect &= ~sided
        if suspect.any():
            dominator = _dominators(network, links, doors)
            back[suspect] = [
                _dominates(dominator, v, w) for v, w in zip(*(side[suspect].tolist() for side in sides), strict=True)
            ]
        return back


def _hops_from_outside(network: Network, links: Bools, doors: NDArray[np.integer]) -> Floats:
    """Return the least number of arcs from the outside, which the vertices `doors` are joined to, [V]."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    count = network.vertices
    tail = np.concatenate([network.tail[links], np.full(len(doors), count)])
    head = np.concatenate([network.head[links], doors])
    graph = csr_matrix((np.ones(len(tail)), (tail, head)), shape=(count + 1, count + 1))
    return np.asarray(dijkstra(graph, indices=count, unweighted=True)[:count])


def _dominators(network: Network, links: Bools, doors: NDArray[np.integer]) -> dict[int, int]:
    """Return the immediate dominator of each vertex, as seen from outside."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_edges_from(zip(network.tail[links].tolist(), network.head[links].tolist(), strict=True))
    graph.add_edges_from((-1, door) for door in doors.tolist())
    dominators: dict[int, int] = nx.immediate_dominators(graph, -1)
    return dominators


def _dominates(dominator: dict[int, int], one: int, other: int) -> bool:
    """Return whether every way from outside (-1) to the vertex `other` leads through `one`."""
    while other in dominator and other not in (-1, one):
        other = dominator[other]
    return other == one


def _offered(arcs: _Arcs, members: Bools, injection_Bps: Floats) -> Floats:  # noqa: N803
    """Return what each member sends to the outside in a maximum flow, 0 for other end points, [E] byte/s."""
    ends, nodes = len(members), arcs.outside + 1
    outside = np.arange(nodes) == arcs.outside
    # the network with a way out has no limit, however far it is: it is the outside
    unlimited = np.isinf(arcs.rate_Bps) & (arcs.tail >= ends)
    outside = max_flow_value(outside, arcs.head[unlimited], arcs.tail[unlimited])
    useful = max_flow_value(outside, arcs.head, arcs.tail)
    keep = useful[arcs.head] & ~outside[arcs.tail]
    tail, head, rate = arcs.tail[keep], arcs.head[keep], arcs.rate_Bps[keep]
    last = outside[head]
    drain = bincount(tail[last], rate[last], nodes)
    sends = np.where(members, np.minimum(drain[:ends], injection_Bps), 0.0)
    if last.all():
        return sends
    supply = np.zeros(nodes)
    supply[:ends] = np.where(members, injection_Bps, 0.0)
    active = np.zeros(nodes, dtype=bool)
    active[:ends][members] = True
    mixed = ~last & (tail < ends)
    start = np.zeros(nodes, dtype=bool)
    start[tail[mixed]] = True
    taken = max_flow_value(start & active, tail[~last], head[~last])
    number = np.cumsum(taken) - 1
    inner = ~last & taken[tail]
    enough = float(rate[np.isfinite(rate)].sum()) + 1.0
    graph = FlowGraph(
        number[tail[inner]],
        number[head[inner]],
        np.minimum(rate[inner], enough),
        supply[taken],
        drain[taken],
    )
    flows = split_supply(graph)
    of_ends = np.flatnonzero(taken[:ends])
    sends[of_ends] = flows[number[of_ends]]
    return np.where(members, sends, 0.0)
