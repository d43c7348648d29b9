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

MAX_END_POINTS = 12_000
"""Columns that a linear program may have."""
TOLERANCE = 1e-7
"""Relative error of a constraint that is rounding."""
Packing = Literal["broadcast", "allgather", "allreduce"]


def pack_trees(
    network: Network, members: Bools, packing: Packing, root: int = -1, budget: float | None = None
) -> tuple[float, float]:
    """Return a rate x that trees reach, and one that no schedule exceeds, byte/s.

    In the `network` end points are one vertex each and relay within their gates. Those that are no `members` [E] copy
    nothing in what is reached.

    Raises:
        TooLargeError: the linear program has too many columns, or takes more than `budget` seconds.
    """
    reached = _Trees(network, np.flatnonzero(members), members).solve(packing, root, False, budget)
    ends = np.flatnonzero(np.diff(network.indptr)[network.end_order] > 0)
    if len(ends) == members.sum() and packing != "allreduce":
        return reached
    return reached[0], _Trees(network, ends, members).solve(packing, root, True, budget)[1]


@define(eq=False)
class _Programme:
    """Maximise the columns `goal`; rows as lists of (row, column, value)."""

    columns: int = 0
    equal: list[tuple[Ints, Ints, Floats]] = field(factory=list)
    below: list[tuple[Ints, Ints, Floats]] = field(factory=list)
    equal_rows: int = 0
    limits: list[float] = field(factory=list)

    def new(self, *shape: int) -> Ints:
        """New columns, numbered in this shape."""
        count = int(np.prod(shape))
        if self.columns + count > MAX_END_POINTS:
            raise TooLargeError(f"more than {MAX_END_POINTS} columns")
        self.columns += count
        return np.arange(self.columns - count, self.columns).reshape(shape)

    def zero(self, terms: list[tuple[Ints, float]]) -> None:
        """The sum of columns times factors is 0."""
        self._row(self.equal, self.equal_rows, terms)
        self.equal_rows += 1

    def within(self, terms: list[tuple[Ints, float]], limit: float) -> None:
        """The sum of columns times factors is `limit` at the most."""
        self._row(self.below, len(self.limits), terms)
        self.limits.append(limit)

    def _row(self, rows: list[tuple[Ints, Ints, Floats]], row: int, terms: list[tuple[Ints, float]]) -> None:
        columns = np.concatenate([np.atleast_1d(some).ravel() for some, _ in terms]).astype(np.int64)
        values = np.concatenate([np.full(np.size(some), factor) for some, factor in terms])
        rows.append((np.full(len(columns), row), columns, values))

    def solve(self, goal: Ints, budget: float | None) -> tuple[float, float]:
        """Return the largest sum of the goal: from a solution, and from prices; both are put into the rows anew.

        Raises:
            TooLargeError: it takes more than `budget` seconds.
            ArithmeticError: they do not hold.
        """

        equal, below = self._matrix(self.equal, self.equal_rows), self._matrix(self.below, len(self.limits))
        limits, cost = np.array(self.limits), np.zeros(self.columns)
        cost[goal] = -1.0
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
        value, size = float(x[goal].sum()), max(1.0, float(x.max()))
        prices, potentials = np.minimum(linear_program.ineqlin.marginals, 0.0), linear_program.eqlin.marginals
        worth = cost - below.T @ prices - equal.T @ potentials
        over, off = float((below @ x - limits).max()), float(np.abs(equal @ x).max())
        if max(over, off) > TOLERANCE * size or float(worth.min()) < -TOLERANCE:
            raise ArithmeticError("the flows of the trees do not balance, or prices do not bound them")
        return value, float(-(prices @ limits))

    def _matrix(self, rows: list[tuple[Ints, Ints, Floats]], count: int) -> Any:
        from scipy.sparse import csr_matrix

        row, column, value = (np.concatenate(part) for part in zip(*rows, strict=True))
        return csr_matrix((value, (row, column)), shape=(count, self.columns))


@frozen(eq=False)
class _Trees:
    """Links among the end points `nodes`; all other vertices pass on."""

    network: Network
    nodes: Ints
    members: Bools

    def solve(self, packing: Packing, root: int, beyond: bool, budget: float | None) -> tuple[float, float]:
        made = _Programme()
        unit = float(self.network.capacity_Bps[np.isfinite(self.network.capacity_Bps)].max())
        n = len(self.nodes)
        rate = np.full(n, -1, dtype=np.int64)
        if packing == "allreduce":
            rate[:] = made.new(n)
        elif packing == "broadcast":
            rate[self.nodes == root] = made.new(1)
        else:
            rate[self.members[self.nodes]] = made.new(1)[0]
        goal = np.unique(rate[rate >= 0])
        spread, flows = self._links(made)
        if packing != "allreduce":
            self._rooms(made, flows, unit)
            self._branch(made, spread, rate)
        else:
            gather, back = self._links(made)
            self._rooms(made, flows, unit, back)
            self._branch(made, gather, rate)  # turned round: towards the roots
            if beyond:
                self._received(made, spread, rate)
                self._parted(made, spread, gather, rate)
            else:
                self._branch(made, spread, rate)
        lower, upper = made.solve(goal, budget)
        return lower * unit, upper * unit

    def _links(self, made: _Programme) -> tuple[Ints, Ints]:
        """Return columns c(u, w) [N, N], and of the flows on arcs that make them, [N, A]; -1 where there is none."""
        network, n = self.network, len(self.nodes)
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

    def _rooms(self, made: _Programme, flow: Ints, unit: float, back: Ints | None = None) -> None:
        """Arcs and gates hold what flows, and flows `back` the other way."""
        network = self.network
        all_flows = [flow] if back is None else [flow, back[:, network.opposite]]

        def limit(arcs: Any, room: float) -> None:
            some = np.concatenate([each[:, arcs].ravel() for each in all_flows])
            if np.isfinite(room) and (some >= 0).any():
                made.within([(some[some >= 0], 1.0)], room / unit)

        for arc, capacity in enumerate(network.capacity_Bps.tolist()):
            limit([arc], capacity)
        if network.gate_Bps is not None:
            for v in np.flatnonzero(np.isfinite(network.gate_Bps)).tolist():
                limit(network.tail == v, float(network.gate_Bps[v]))
                limit(network.head == v, float(network.gate_Bps[v]))

    def _carries(self, made: _Programme, links: list[Ints], given: Ints, sink: int) -> None:
        """The links, several sets together, carry `given` [N] (columns, -1: nothing) from each node to one."""
        n = len(self.nodes)
        flow = np.full((n, n), -1, dtype=np.int64)
        for u in range(n):
            heads = np.flatnonzero((np.arange(n) != u) & (u != sink))
            flow[u, heads] = made.new(len(heads))
            for w in heads.tolist():
                made.within([(flow[u, w], 1.0), *((each[u, w], -1.0) for each in links)], 0.0)
        for u in range(n):
            if u != sink:
                into = flow[:, u]
                terms = [(into[into >= 0], 1.0), (flow[u, flow[u] >= 0], -1.0)]
                made.zero([*terms, *([(given[u], 1.0)] if given[u] >= 0 else [])])

    def _branch(self, made: _Programme, link: Ints, rate: Ints) -> None:
        """Each member is brought what all others of positive rate begin with."""
        for v in np.flatnonzero(self.members[self.nodes]).tolist():
            given = rate.copy()
            given[v] = -1
            if (given >= 0).any():
                self._carries(made, [link], given, v)

    def _received(self, made: _Programme, link: Ints, rate: Ints) -> None:
        """Each member receives as much as others begin with."""
        for v in np.flatnonzero(self.members[self.nodes]).tolist():
            others = np.arange(len(self.nodes)) != v
            made.within([(rate[others], 1.0), (link[others, v], -1.0)], 0.0)

    def _parted(self, made: _Programme, spread: Ints, gather: Ints, rate: Ints) -> None:
        """Both sets of links together carry everything between the first member and each other one, both ways."""
        first, *rest = np.flatnonzero(self.members[self.nodes]).tolist()
        total = made.new(1)
        made.zero([(total, 1.0), (rate, -1.0)])
        for v in rest:
            for source, sink in ((first, v), (v, first)):
                given = np.full(len(self.nodes), -1, dtype=np.int64)
                given[source] = total[0]
                self._carries(made, [spread, gather.T], given, sink)
