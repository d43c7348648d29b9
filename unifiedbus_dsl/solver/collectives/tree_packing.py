"""Collectives of small machines as packings of trees: times that schedules reach, and times that none beats.

Only an end point copies and adds up; what lies between passes on. So a schedule is known by the links c(u, w): how much
goes from the memory of u to that of w, over cables and gates that all links share. In such links, for each receiver v:

    broadcast     c carries x from the root to v
    all-gather    c carries x from each other member to v, all at once
    all-reduce    two sets of links: one carries x(r) from v to each r, the other x(r) from each r to v;
                  maximise sum of x(r), r the end point at which an element is first added up

By Edmonds' theorem that is what trees reach that are packed into c. It bounds every broadcast and all-gather: what is
on one side of a cut must get to the other. Of an all-reduce every schedule does the first part, up to the moment at
which an end point first holds the sum of an element; of the second part only that every other member then receives
something, and of both together that they carry all of an element between any two members: the bound from above takes
these.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError
from unifiedbus_dsl.solver.linear_program import solve_linear_program
from unifiedbus_dsl.verify.relayed import RelayPrices
from unifiedbus_dsl.verify.trees import LinkPrices, Links, PackedTrees, TreeProof

MAX_COLUMNS = 12_000
"""Columns that a linear program may have."""
TOLERANCE = 1e-7
"""Relative error of a constraint that is rounding."""
Packing = Literal["broadcast", "allgather", "allreduce"]


@frozen(eq=False)
class PackedRates:
    """A rate that trees reach, and one that no schedule exceeds, byte/s, with what shows both."""

    reached: float
    beyond: float
    proof: TreeProof


def pack_trees(
    network: Network, members: Bools, packing: Packing, root: int = -1, budget: float | None = None
) -> PackedRates:
    """Return a rate x that trees reach, and one that no schedule exceeds.

    In the `network` end points are one vertex each and relay within their gates. Those that are no `members` [E] copy
    nothing in what is reached.

    Raises:
        TooLargeError: the linear program has too many columns, or takes more than `budget` seconds.
    """
    trees = bounds = _Trees.of(network, np.flatnonzero(members), members, packing, root, beyond=False)
    ends = np.flatnonzero(np.diff(network.indptr)[network.end_order] > 0)
    if len(ends) != members.sum() or packing == "allreduce":
        bounds = _Trees.of(network, ends, members, packing, root, beyond=True)
    reached = trees.made.solve(budget)
    beyond = reached if bounds is trees else bounds.made.solve(budget)
    proof = TreeProof(trees.packed(reached), bounds.priced(beyond))
    return PackedRates(reached.value * trees.unit_Bps, beyond.bound * trees.unit_Bps, proof)


@frozen(eq=False)
class _Solution:
    """Largest sum of the goal: `value` by the columns `x`, and `bound` by the price of each row of `below`, [rows]."""

    value: float
    bound: float
    x: Floats
    price: Floats


@define(eq=False)
class _Programme:
    """Maximise the columns `goal`; rows as lists of (row, column, value)."""

    columns: int = 0
    goal: Ints = field(factory=lambda: np.zeros(0, dtype=np.int64))
    equal: list[tuple[Ints, Ints, Floats]] = field(factory=list)
    below: list[tuple[Ints, Ints, Floats]] = field(factory=list)
    equal_rows: int = 0
    limits: list[float] = field(factory=list)

    def new(self, *shape: int) -> Ints:
        """New columns, numbered in this shape."""
        count = int(np.prod(shape))
        if self.columns + count > MAX_COLUMNS:
            raise TooLargeError(f"more than {MAX_COLUMNS} columns")
        self.columns += count
        return np.arange(self.columns - count, self.columns).reshape(shape)

    def zero(self, terms: list[tuple[Ints, float]]) -> None:
        """The sum of columns times factors is 0."""
        self._row(self.equal, self.equal_rows, terms)
        self.equal_rows += 1

    def within(self, terms: list[tuple[Ints, float]], limit: float) -> int:
        """The sum of columns times factors is `limit` at the most; return the number of the row."""
        self._row(self.below, len(self.limits), terms)
        self.limits.append(limit)
        return len(self.limits) - 1

    def _row(self, rows: list[tuple[Ints, Ints, Floats]], row: int, terms: list[tuple[Ints, float]]) -> None:
        columns = np.concatenate([np.atleast_1d(some).ravel() for some, _ in terms]).astype(np.int64)
        values = np.concatenate([np.full(np.size(some), factor) for some, factor in terms])
        rows.append((np.full(len(columns), row), columns, values))

    def solve(self, budget: float | None) -> _Solution:
        """Return the largest sum of the goal; solution and prices are put into the rows anew.

        Raises:
            TooLargeError: it takes more than `budget` seconds.
            ArithmeticError: they do not hold.
        """

        equal, below = self._matrix(self.equal, self.equal_rows), self._matrix(self.below, len(self.limits))
        limits, cost = np.array(self.limits), np.zeros(self.columns)
        cost[self.goal] = -1.0
        linear_program = solve_linear_program(
            cost,
            A_ub=below,
            b_ub=limits,
            A_eq=equal,
            b_eq=np.zeros(self.equal_rows),
            method="highs-ds",
            options={} if budget is None else {"time_limit": max(budget, 1e-3), "presolve": False},
        )
        if linear_program.status == 1:
            raise TooLargeError(f"not solved in {budget} s")
        if linear_program.status != 0:
            raise ArithmeticError(f"the linear program was not solved: {linear_program.message}")
        x = np.maximum(linear_program.x, 0.0)
        value, size = float(x[self.goal].sum()), max(1.0, float(x.max()))
        prices, potentials = np.minimum(linear_program.ineqlin.marginals, 0.0), linear_program.eqlin.marginals
        worth = cost - below.T @ prices - equal.T @ potentials
        over, off = float((below @ x - limits).max()), float(np.abs(equal @ x).max())
        if max(over, off) > TOLERANCE * size or float(worth.min()) < -TOLERANCE:
            raise ArithmeticError("the flows of the trees do not balance, or prices do not bound them")
        return _Solution(value, float(-(prices @ limits)), x, -prices)

    def _matrix(self, rows: list[tuple[Ints, Ints, Floats]], count: int) -> Any:
        from scipy.sparse import csr_matrix

        row, column, value = (np.concatenate(part) for part in zip(*rows, strict=True))
        return csr_matrix((value, (row, column)), shape=(count, self.columns))


@define(eq=False)
class _Trees:
    """A program of links among the end points `nodes`; all other vertices pass on. Its columns are what node u begins,
    `rate` [N] (-1: nothing), flows `spread` and `gather` (turned round) on arcs, [N, A]; its rows the `room` of arcs
    [A], of `gates` out of and into end points [2, E], what is `carried` to a receiver, by `both` sets too, [N, N] each,
    and what a node is to take in, `taken` [N]."""

    network: Network
    nodes: Ints
    members: Bools
    unit_Bps: float  # noqa: N815
    made: _Programme
    rate: Ints
    room: Ints
    gates: Ints
    taken: Ints
    carried: list[Ints]
    both: list[Ints]
    spread: Ints
    gather: Ints | None = None

    @classmethod
    def of(cls, network: Network, nodes: Ints, members: Bools, packing: Packing, root: int, *, beyond: bool) -> _Trees:
        n, own = len(nodes), int(np.diff(network.indptr)[network.end_order[nodes]].sum())
        if n * (n - 1 + network.arcs - own) > MAX_COLUMNS:  # all other arcs may take the flows of each node
            raise TooLargeError(f"more than {MAX_COLUMNS} columns")
        unit = float(network.capacity_Bps[np.isfinite(network.capacity_Bps)].max())
        made, none = _Programme(), np.full(n, -1, dtype=np.int64)
        rooms = np.full(network.arcs, -1, dtype=np.int64), np.full((2, network.ends), -1, dtype=np.int64)
        rate = none.copy()
        if packing == "allreduce":
            rate[:] = made.new(n)
        elif packing == "broadcast":
            rate[nodes == root] = made.new(1)
        else:
            rate[members[nodes]] = made.new(1)[0]
        made.goal = np.unique(rate[rate >= 0])
        trees = cls(network, nodes, members, unit, made, rate, *rooms, none.copy(), [], [], none)
        spread, trees.spread = trees._links()
        if packing != "allreduce":
            trees._rooms()
            trees._branch(spread)
            return trees
        gather, trees.gather = trees._links()
        trees._rooms()
        trees._branch(gather)  # turned round: towards the roots
        if beyond:
            trees._received(spread)
            trees._parted(spread, gather)
        else:
            trees._branch(spread)
        return trees

    def packed(self, solution: _Solution) -> PackedTrees:
        """Return the links of a solution."""
        rate = np.where(self.rate >= 0, solution.x[self.rate], 0.0) * self.unit_Bps
        gather = (
            None if self.gather is None else self._loads(solution, self.gather[:, self.network.opposite], back=True)
        )
        return PackedTrees(rate, self._loads(solution, self.spread), gather)

    def _loads(self, solution: _Solution, flow: Ints, *, back: bool = False) -> Links:
        load = np.where(flow >= 0, solution.x[flow], 0.0)[:, self._cables] * self.unit_Bps
        return Links(self.nodes, load, back)

    def priced(self, solution: _Solution) -> LinkPrices:
        """Return the prices of a solution."""

        def of(rows: Any) -> Floats:
            where = np.asarray(rows)
            return np.where(where >= 0, solution.price[where], 0.0)

        cables = np.arange(int(self._cables.sum()), dtype=np.int32)
        prices = RelayPrices(cables, of(self.room[self._cables]), *of(self.gates))
        receivers = np.flatnonzero(self.members[self.nodes])
        sums = {"both": of(self.both), "taken": of(self.taken)} if self.both else {}
        return LinkPrices(prices, self.nodes, receivers, of(self.carried), **sums)

    @property
    def _cables(self) -> Bools:
        """Which arcs are cables, [A]."""
        return np.asarray(np.isfinite(self.network.kinds.capacity_Bps)[self.network.kind])

    def _links(self) -> tuple[Ints, Ints]:
        """Return columns c(u, w) [N, N], and of the flows on arcs that make them, [N, A]; -1 where there is none."""
        network, n, made = self.network, len(self.nodes), self.made
        link, flow = np.full((n, n), -1, dtype=np.int64), np.full((n, network.arcs), -1, dtype=np.int64)
        vertex = network.end_order[self.nodes]
        node = np.full(network.vertices, -1, dtype=np.int64)
        node[vertex] = np.arange(n)
        for u in range(n):
            link[u, np.arange(n) != u] = made.new(n - 1)
            open_ = ((node[network.tail] < 0) | (network.tail == vertex[u])) & (network.head != vertex[u])
            flow[u, open_] = made.new(int(open_.sum()))
            for v in range(network.vertices):
                if v == vertex[u]:
                    continue
                into, out = flow[u, network.head == v], flow[u, network.tail == v]
                terms = [(into[into >= 0], 1.0), (out[out >= 0], -1.0)]
                if node[v] >= 0:
                    terms.append((link[u, node[v]], -1.0))
                if any(np.size(some) for some, _ in terms):
                    made.zero(terms)
        return link, flow

    def _rooms(self) -> None:
        """Arcs and gates hold what flows, and what flows the other way towards the roots."""
        network = self.network
        all_flows = [self.spread, *([] if self.gather is None else [self.gather[:, network.opposite]])]

        def limit(arcs: Any, room: float) -> int:
            some = np.concatenate([each[:, arcs].ravel() for each in all_flows])
            if not (np.isfinite(room) and (some >= 0).any()):
                return -1
            return self.made.within([(some[some >= 0], 1.0)], room / self.unit_Bps)

        for arc, capacity in enumerate(network.capacity_Bps.tolist()):
            self.room[arc] = limit([arc], capacity)
        gates = np.full(network.vertices, np.inf) if network.gate_Bps is None else network.gate_Bps
        for v in np.flatnonzero(np.isfinite(gates)).tolist():
            room = float(gates[v])
            self.gates[:, network.end[v]] = limit(network.tail == v, room), limit(network.head == v, room)

    def _carries(self, links: list[Ints], given: Ints, sink: int) -> Ints:
        """The links, several sets together, carry `given` [N] (columns, -1: nothing) from each node to one; return the
        row of each, [N, N]."""
        n, made = len(self.nodes), self.made
        flow, rows = np.full((2, n, n), -1, dtype=np.int64)
        for u in range(n):
            heads = np.flatnonzero((np.arange(n) != u) & (u != sink))
            flow[u, heads] = made.new(len(heads))
            for w in heads.tolist():
                rows[u, w] = made.within([(flow[u, w], 1.0), *((each[u, w], -1.0) for each in links)], 0.0)
        for u in range(n):
            if u != sink:
                into = flow[:, u]
                terms = [(into[into >= 0], 1.0), (flow[u, flow[u] >= 0], -1.0)]
                made.zero([*terms, *([(given[u], 1.0)] if given[u] >= 0 else [])])
        return np.asarray(rows)

    def _branch(self, link: Ints) -> None:
        """Each member is brought what all others of positive rate begin with."""
        none = np.full((len(self.nodes),) * 2, -1, dtype=np.int64)
        for v in np.flatnonzero(self.members[self.nodes]).tolist():
            given = self.rate.copy()
            given[v] = -1
            self.carried.append(self._carries([link], given, v) if (given >= 0).any() else none)

    def _received(self, link: Ints) -> None:
        """Each member receives as much as others begin with."""
        for v in np.flatnonzero(self.members[self.nodes]).tolist():
            others = np.arange(len(self.nodes)) != v
            self.taken[v] = self.made.within([(self.rate[others], 1.0), (link[others, v], -1.0)], 0.0)

    def _parted(self, spread: Ints, gather: Ints) -> None:
        """Both sets of links together carry everything between the first member and each other one, both ways."""
        first, *rest = np.flatnonzero(self.members[self.nodes]).tolist()
        total = self.made.new(1)
        self.made.zero([(total, 1.0), (self.rate, -1.0)])
        for source, sink in [(first, v) for v in rest] + [(v, first) for v in rest]:
            given = np.full(len(self.nodes), -1, dtype=np.int64)
            given[source] = total[0]
            self.both.append(self._carries([spread, gather.T], given, sink))
