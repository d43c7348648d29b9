"""Throughput over all paths by prices: an interval with both certificates where a linear program would be too large.

Flow deviation (Fratta, Gerla and Kleinrock, Networks 3, 1973) on the largest utilisation, smoothed: each arc has a
length that grows with its utilisation, everything is sent along shortest paths under these lengths, and the loads so
far are mixed with the new ones by a line search. What is mixed routes the whole demand, so its fullest arc bounds the
optimum from below; any lengths bound it from above:

    t <= sum(length · capacity) / sum over pairs of demand · distance

Where that is not too much work, it begins from what routings on walks reach and prove (see `walks`): much nearer.
Only one source of each orbit is routed, and loads are averaged over the orbits of arcs: an average over the group.
Gates of vertices are filled and priced as arcs are (see `rooms`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import hold_order
from unifiedbus_dsl.solver.flow.logit_assignment import EXTRA_ARCS, BoundPair, WalkKernel, maximize_dual, mixed
from unifiedbus_dsl.solver.flow.quotient_lp import Commodity, Optimum
from unifiedbus_dsl.solver.flow.shared_resources import shared_resources_of
from unifiedbus_dsl.solver.rounding import round_mantissa

GAP = 1e-3
"""Relative distance of the two ends at which it stops."""
MAX_ITERATIONS = 2_000
"""Rounds at most."""
MAX_WORK = 1_200_000_000
"""Where no budget is given: rounds, times sources, times nodes and arcs, at most. It never stops by the clock then, so
that the same machine has the same ends wherever it is asked, and whatever else runs."""
MAX_WORK_OF_ASSIGNMENT = 25_000_000_000
"""The same for loads on walks: how often all are found, times sources, times arcs, times arcs of a walk."""
SPEED = 500_000_000
"""As much of that as a second is good for, about: what is not worth beginning in a budget."""
FEWEST, MOST = 20, 400
"""How often all loads on walks are found at the least, for it to be begun at all, and at the most."""
PART_OF_ROUNDS_LEFT = 8
"""After that there is a part of the rounds left."""
MIX_EVERY, ROUTINGS, MIXED = 4, 100, 2_000_000
"""After how many rounds the last routings are mixed anew, how many of them, and of how many loads in all at most."""
ROUNDING = 1e-11
"""By how much, in parts of the largest length, a distance may be off by rounding."""
ENTRIES = 1 << 22
"""Pairs of source and vertex that are worked on at a time."""


def bound_concurrent_flow(
    symmetry: Symmetry,
    commodities: Sequence[Commodity],
    load: Floats,
    *,
    minimal: bool = False,
    budget: float | None = None,
) -> Optimum:
    """Return both sides of the largest throughput of commodities with one parameter.

    `load` ([A], byte/s) are the loads of any routing of the demand, within what is allowed (`minimal`: paths of fewest
    hops). At least one round is made, however small the budget in seconds.

    Raises:
        ArithmeticError: the loads do not add up to the demand, or prices do not bound the distances.
        VerificationError: the two sides contradict each other.
    """
    deadline_s = np.inf if budget is None else monotonic() + budget
    paths = _ShortestPathOracle.of(symmetry.network, commodities, minimal)
    rounds = MAX_ITERATIONS if budget is not None else max(1, min(MAX_ITERATIONS, MAX_WORK // paths.size))
    rooms, orbit = shared_resources_of(symmetry), symmetry.arc_orbit
    room, size = rooms.capacity_Bps, rooms.size
    cable = np.isfinite(room)

    def averaged(one: Floats) -> Floats:
        return rooms.means(bincount(orbit, one, rooms.arcs) / symmetry.arc_orbit_size)

    def along(price: Floats) -> Floats:
        return rooms.lengths(price)[orbit]

    def used(loads: Floats) -> Floats:
        return np.divide(loads, room, out=np.zeros(len(room)), where=cable)

    def volume(length: Floats) -> float:
        return float((length[cable] * room[cable] * size[cable]).sum())

    now = averaged(load)
    bound_pair = BoundPair(1.0 / float(used(now).max()), now, np.inf, np.where(cable, 1.0, 0.0))
    walks = None if minimal else paths.walks(MAX_WORK_OF_ASSIGNMENT if budget is None else budget * SPEED)
    if walks is not None:
        maximize_dual(
            walks,
            bound_pair,
            orbit,
            rooms,
            lambda length: volume(length) / paths.worth(along(length)),
            gap=GAP,
            most=min(MOST, MAX_WORK_OF_ASSIGNMENT // walks.work) if budget is None else MOST,
            done=lambda: monotonic() > deadline_s,
        )
        rounds = max(1, rounds // PART_OF_ROUNDS_LEFT)
    now, upper, best = bound_pair.loads, bound_pair.upper, bound_pair.length
    routings = [now]
    for number in track(range(rounds), "prices", rounds):
        length = None
        if number % MIX_EVERY == MIX_EVERY - 1 and len(room) * len(routings) <= MIXED:
            now, length = mixed([now, *routings], room, size)
            length = round_mantissa(length)
        use = used(now)
        lower = 1.0 / float(use.max())
        if upper <= lower * (1 + GAP) or (np.isfinite(upper) and monotonic() > deadline_s):
            break
        if length is None:
            sharp = np.log(len(use) + 1) / (max((upper / lower - 1) / 4, GAP / 2) if np.isfinite(upper) else 0.25)
            weight = np.exp(sharp * (use * lower - 1)) * cable
            length = round_mantissa(np.divide(weight, room, out=np.zeros(len(room)), where=cable))
        worth, fresh = paths.routed(along(length))
        if volume(length) < upper * worth:  # there may be ways around all that has a length
            upper, best = volume(length) / worth, length
        there = averaged(fresh)
        routings = [*routings[-ROUTINGS:], there]
        now = now + _step(use, used(there), sharp * lower, size) * (there - now)
    lower = 1.0 / float(used(now).max())
    paths.check(now[orbit], symmetry)
    upper = volume(best) / paths.proved_worth(along(best))
    hold_order(lower, upper)  # loads that balance may still be less than what is sent
    load = now[: rooms.arcs] * lower
    return Optimum(lower, max(upper, lower), np.array([lower]), load, rooms.lengths(best), best, 0, 0)


def _step(use: Floats, other: Floats, sharp: float, size: Ints) -> float:
    """Return the part of the new loads that makes the sum of size · exp(sharp · utilisation) least, by bisection of its
    slope."""
    low, high = 0.0, 1.0
    change = other - use
    for _ in range(30):
        middle = (low + high) / 2
        mixed = sharp * (use + middle * change)
        slope = float((size * np.exp(mixed - mixed.max()) * change).sum())
        low, high = (low, middle) if slope > 0 else (middle, high)
    return low


@frozen(eq=False)
class _ShortestPathOracle:
    """Shortest paths from each commodity's source to all vertices, on the network with one vertex more for each vertex
    that does not forward: the arcs out of it leave from there, so that no path passes through it.

    `edge[a]` [A] numbers the pairs (tail, head); parallel arcs are one edge, `first` [edges] the first of them. `rows`,
    `cols` [edges] are its ends, and `keys` = rows · nodes + cols in order, of the edges `sorter`. With `minimal` a hop
    costs `hop_cost` times the largest length.
    """

    network: Network
    commodities: Sequence[Commodity]
    minimal: bool
    nodes: int
    start: Ints
    edge: Ints
    first: Ints
    rows: Ints
    cols: Ints
    keys: Ints
    sorter: Ints
    hop_cost: float

    @classmethod
    def of(cls, network: Network, commodities: Sequence[Commodity], minimal: bool) -> _ShortestPathOracle:
        n = network.vertices
        out = np.arange(n)
        stay = np.flatnonzero(~network.forwards)
        out[stay] = n + np.arange(len(stay))
        tail, head = out[network.tail], network.head.astype(np.int64)
        new = np.ones(network.arcs, dtype=bool)
        new[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
        first = np.flatnonzero(new)
        start = np.array([out[c.source] for c in commodities])
        key = tail[first] * (n + len(stay)) + head[first]
        sorter = np.argsort(key)
        return cls(
            network,
            commodities,
            minimal,
            n + len(stay),
            start,
            np.cumsum(new) - 1,
            first,
            tail[first],
            head[first],
            key[sorter],
            sorter,
            2.0 * n,  # more than any path is long, with lengths of 1 at most
        )

    @property
    def size(self) -> int:
        """What is worked on in a round."""
        return len(self.start) * (self.nodes + len(self.first))

    def routed(self, length: Floats) -> tuple[float, Floats]:
        """Sum over all pairs of demand · distance under these lengths ([A]), and the load of each arc when everything
        goes along one shortest path a pair; copies of sources count as often as they are, [A]."""
        chosen = self._narrowest(length)
        longest = float(length.max())
        load = np.zeros(self.network.arcs)
        worth = 0.0
        for begin, end in self._chunks():
            cost, before = self._cheapest(chosen, length, begin, end)
            demand = self._demand(begin, end)
            there = demand > 0
            worth += float((demand[there] * self._parted(cost, longest)[0][there]).sum())
            load[chosen] += self._tree_loads(before, demand)
        return worth, load

    def worth(self, length: Floats) -> float:
        """Sum over all pairs of demand · distance under these lengths ([A])."""
        chosen = self._narrowest(length)
        longest = float(length.max())
        worth = 0.0
        for begin, end in self._chunks():
            cost, _ = self._cheapest(chosen, length, begin, end)
            demand = self._demand(begin, end)
            there = demand > 0
            worth += float((demand[there] * self._parted(cost, longest)[0][there]).sum())
        return worth

    def walks(self, work: float) -> WalkKernel | None:
        """Return the same sources and arcs, for walks of a few arcs more than the furthest pair needs; None where the
        loads would not be found often enough with so much `work`."""
        tail, head = self.rows[self.edge], self.cols[self.edge]
        if work < FEWEST * len(self.start) * len(tail):
            return None
        furthest = 0
        for begin, end in self._chunks():
            hops = self._hops(begin, end)
            furthest = max(furthest, int(hops[self._demand(begin, end) > 0].max(initial=0.0)))
        long, short = (
            WalkKernel(self.nodes, tail, head, self.start, self._demand, furthest + more) for more in EXTRA_ARCS
        )
        chosen = long if long.work * MOST <= work else short
        return chosen if chosen.work * FEWEST <= work else None

    def check(self, load: Floats, symmetry: Symmetry) -> None:
        """Whether each orbit of vertices gains what is sent to it less what it sends, all commodities and their copies
        together: the loads, added up once more on every arc.

        Raises:
            ArithmeticError: it does not, to 1e-7 of all that is sent.
        """
        network, orbit = self.network, symmetry.vertex_orbit
        gain = bincount(network.head, load, network.vertices) - bincount(network.tail, load, network.vertices)
        wanted = np.zeros(symmetry.vertex_orbits)
        for commodity in self.commodities:
            wanted += commodity.copies * bincount(orbit, commodity.demand[0], len(wanted))
            wanted[orbit[commodity.source]] -= commodity.copies * commodity.demand[0].sum()
        sent = sum(float(c.copies * c.demand[0].sum()) for c in self.commodities)
        if np.abs(bincount(orbit, gain, len(wanted)) - wanted).max() > 1e-7 * sent:
            raise ArithmeticError("the loads do not balance")

    def proved_worth(self, length: Floats) -> float:
        """Sum over all pairs of demand times a potential that rises by no more than the length along any arc that a
        path may take, so that it is at most the distance: checked on every arc for every source.

        Raises:
            ArithmeticError: it rises by more, beyond rounding.
        """
        chosen = self._narrowest(length)
        along, longest = length[chosen], float(length.max())
        worth = 0.0
        for begin, end in self._chunks():
            cost, _ = self._cheapest(chosen, length, begin, end)
            potential, hops = self._parted(cost, longest)
            for row in range(end - begin):
                usable = np.isfinite(cost[row, self.rows])
                if self.minimal:
                    usable &= hops[row, self.cols] == hops[row, self.rows] + self._hop(chosen)
                low, high = potential[row, self.rows[usable]], potential[row, self.cols[usable]]
                if (high - low > along[usable] + ROUNDING * longest).any():
                    raise ArithmeticError("prices do not bound the distances")
            demand = self._demand(begin, end)
            there = demand > 0
            worth += float((demand[there] * potential[there]).sum())
        return worth

    def _chunks(self) -> list[tuple[int, int]]:
        step = max(1, ENTRIES // self.nodes)
        return [(i, min(i + step, len(self.start))) for i in range(0, len(self.start), step)]

    def _demand(self, begin: int, end: int) -> Floats:
        wanted = np.zeros((end - begin, self.nodes))
        for row, commodity in enumerate(self.commodities[begin:end]):
            wanted[row, : self.network.vertices] = commodity.copies * commodity.demand[0]
        return wanted

    def _narrowest(self, length: Floats) -> Ints:
        """Return the shortest arc of each edge; with `minimal` a free arc before all cables."""
        if len(self.first) == self.network.arcs:
            return self.first
        every = np.arange(self.network.arcs)
        keys = (length, self._hop(every), self.edge) if self.minimal else (length, self.edge)
        order = np.lexsort(keys)
        return np.asarray(order[self.first])

    def _hop(self, arcs: Ints) -> Floats:
        """Return the hops of arcs: a cable is one, a free arc none."""
        hop: Floats = np.isfinite(self.network.kinds.capacity_Bps).astype(np.float64)
        return np.asarray(hop[self.network.kind[arcs]])

    def _cheapest(self, arcs: Ints, length: Floats, begin: int, end: int) -> tuple[Floats, Ids]:
        """Return least costs from these sources and predecessors on the way, [sources, nodes] each, over one of the
        `arcs` for each edge: lengths ([A]), and with `minimal` hops before lengths. SciPy takes a cost of 0 for no
        edge, so costs are a trifle above."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        longest = float(length.max())
        cost = np.maximum(length[arcs], 1e-16 * longest)
        if self.minimal:
            cost += self.hop_cost * longest * self._hop(arcs)
        graph = csr_matrix((cost, (self.rows, self.cols)), shape=(self.nodes, self.nodes))
        far, before = dijkstra(graph, indices=self.start[begin:end], return_predecessors=True)
        return far, before

    def _hops(self, begin: int, end: int) -> Floats:
        """Return fewest arcs from these sources, [sources, nodes]."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import dijkstra

        graph = csr_matrix((np.ones(len(self.rows)), (self.rows, self.cols)), shape=(self.nodes, self.nodes))
        return np.asarray(dijkstra(graph, indices=self.start[begin:end], unweighted=True))

    def _parted(self, cost: Floats, longest: float) -> tuple[Floats, Floats]:
        """Lengths and hops of paths of these costs."""
        if not self.minimal:
            return cost, np.zeros_like(cost)
        unit = self.hop_cost * longest
        hops = np.floor(cost / unit + 0.25)  # lengths are at most half a unit in all, and hops may round to less
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(cost), cost - hops * unit, np.inf), hops

    def _tree_loads(self, before: Ids, demand: Floats) -> Floats:
        """Load of each edge when each source sends its demand along its tree of predecessors, [edges]."""
        count, nodes = before.shape
        rooted = before >= 0
        node = np.arange(count * nodes).reshape(before.shape)
        parent = np.where(rooted, before + np.arange(count)[:, None] * nodes, node).ravel()
        depth = rooted.ravel().astype(np.int64)
        above = parent
        while (above != above[above]).any():
            depth = depth + depth[above]
            above = above[above]
        carried = demand.ravel().copy()
        order = np.argsort(-depth, kind="stable")
        bounds = np.searchsorted(-depth[order], -np.arange(int(depth.max()), -1, -1))
        for begin, end in pairwise(bounds.tolist()):
            some = order[begin:end]
            np.add.at(carried, parent[some], carried[some])
        moving = np.flatnonzero(rooted.ravel() & (carried > 0))
        key = (parent[moving] % nodes) * nodes + moving % nodes
        edge = self.sorter[np.searchsorted(self.keys, key)]
        return bincount(edge, carried[moving], len(self.first))
