"""Maximum concurrent flow on classes of a plan (see `solver.flow.quotient_lp` for the same on a fabric).

For a source s with c images, F_s(K) is what s sends over all arcs of class K. With w(D) what a device class D gets of s
for a unit of t:

    maximise t
    each s, class of devices D: inflow - outflow of its vertices = t · w(D)
    each s, class of vertices that only pass on: inflow = outflow
    each orbit E of arcs: sum over s of c · F_s(K), K within E  <=  cables(E) · capacity

A length for each orbit bounds t from above: sum of length · room over what all pairs are apart under these lengths.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.solver.bounds import hold_order
from unifiedbus_dsl.solver.from_plan.partition import Classes
from unifiedbus_dsl.solver.from_plan.shortest import FAR, levels_to_source
from unifiedbus_dsl.verify import plan_flows
from unifiedbus_dsl.verify.plan_flows import StatedFlow

MOST_COLUMNS = 60_000
SMALL = 20_000
"""Columns up to which the dual simplex solves the linear program."""


@frozen(eq=False)
class Commodity:
    """What the source of some classes sends: `wanted` [parameters, D] to all devices of each orbit together, for a unit
    of each parameter, and `to_nodes` [parameters, nodes] to vertices; there are `copies` images of it. `through` marks
    nodes that are passed through though their vertices do not forward, [nodes]."""

    classes: Classes
    copies: int
    wanted: Floats
    to_nodes: Floats | None = None
    through: Bools | None = None

    @property
    def total(self) -> Floats:
        """What it sends in all, [parameters]."""
        to_devices = self.wanted.sum(axis=1)
        return np.asarray(to_devices if self.to_nodes is None else to_devices + self.to_nodes.sum(axis=1))


@frozen(eq=False)
class Sent:
    """What a source sends at the lower bound: `flow` [K] on classes of arcs, and the `distance` of each class of
    vertices under the lengths, [C]."""

    commodity: Commodity
    flow: Floats
    distance: Floats


@frozen(eq=False)
class Optimum:
    """Bounds on the best objective; `parameters` and the `load_Bps` of all arcs of each orbit at the lower one, the
    `length` of an arc of each orbit that proves the upper one, and what each source sends."""

    lower: float
    upper: float
    parameters: Floats
    load_Bps: Floats  # noqa: N815
    length: Floats
    sent: tuple[Sent, ...]
    columns: int


@frozen(eq=False)
class _Block:
    """The usable arcs of a commodity, and the balances that they enter."""

    commodity: Commodity
    arc: Ints
    row_of: Ints
    """The balance of each class of vertices, -1 for the source."""
    taken: Ints
    """Classes of vertices of receivers of several vertices: a column each for what ends there."""
    taker: Ints
    rows: int
    wanted: Floats
    """[parameters, rows]"""
    ends: Bools
    """Nodes that what is sent to their devices may end at."""


def solve(commodities: Sequence[Commodity], room: Floats, objective: Floats, *, minimal: bool = False) -> Optimum:
    """Return the best of `objective` · parameters, with both bounds proved on all classes of arcs; `room` [orbits] is
    what all arcs of an orbit carry together.

    Raises:
        NotProvedError: the linear program is too large, or is not solved.
        VerificationError: the two bounds contradict each other.
    """
    import scipy.sparse as sp
    from scipy.optimize import linprog

    blocks = [_block(each, minimal) for each in commodities]
    parameters = len(objective)
    columns = sum(len(block.arc) + len(block.taken) for block in blocks)
    if columns > MOST_COLUMNS:
        raise NotProvedError("the linear program is too large")
    room = np.where(room > 0, room, np.inf)  # of orbits that have no cables left
    unit = float(room[np.isfinite(room)].max(initial=0.0)) or 1.0
    scale, units = _units(commodities, unit)
    balances, demands, loads = [], [], []
    for block, own in zip(blocks, units, strict=True):
        classes, k = block.commodity.classes, np.arange(len(block.arc))
        tail, head = block.row_of[classes.tail[block.arc]], block.row_of[classes.head[block.arc]]
        out, into = tail >= 0, head >= 0
        end = len(k) + np.arange(len(block.taken))
        rows = np.concatenate([head[into], tail[out], block.row_of[block.taken], block.taker])
        cols = np.concatenate([k[into], k[out], end, end])
        sign = np.concatenate([np.ones(into.sum()), -np.ones(out.sum()), -np.ones(len(end)), np.ones(len(end))])
        wide = len(k) + len(block.taken)
        balances.append(sp.csr_matrix((sign, (rows, cols)), shape=(block.rows, wide)))
        demands.append(-block.wanted.T * block.commodity.copies * scale / own)
        orbit = classes.orbit[block.arc]
        loads.append(sp.csr_matrix((own / room[orbit], (orbit, k)), shape=(len(room), wide)))
    equal = sp.hstack([sp.block_diag(balances), sp.csr_matrix(np.concatenate(demands))]).tocsr()
    below = sp.hstack([*loads, sp.csr_matrix((len(room), parameters))]).tocsr()
    weight = objective * scale
    cost = np.zeros(equal.shape[1])
    cost[-parameters:] = -weight / weight.max()
    solution = linprog(
        cost, A_ub=below, b_ub=np.ones(len(room)), A_eq=equal, b_eq=np.zeros(equal.shape[0]),
        method="highs-ds" if columns <= SMALL else "highs-ipm",
    )  # fmt: skip
    if solution.status != 0:
        raise NotProvedError("the linear program is not solved")
    theta = np.maximum(solution.x[-parameters:] * scale, 0.0)
    length = np.maximum(-solution.ineqlin.marginals, 0.0) / room
    total, worth, sent, begin = np.zeros(len(room)), np.zeros(parameters), [], 0
    for block, own in zip(blocks, units, strict=True):
        classes = block.commodity.classes
        flow = np.zeros(len(classes.tail))
        flow[block.arc] = np.maximum(solution.x[begin : begin + len(block.arc)], 0.0) * own
        begin += len(block.arc) + len(block.taken)
        total += bincount(classes.orbit, flow, len(room))
        distance = _distances(block, length)
        plan_flows.check(_stated(block, flow, theta, length, distance))
        worth += block.commodity.copies * _worth(block, distance)
        sent.append((block, flow, distance))
    over = max(1.0, float((total / room).max()))
    ratios = np.divide(objective, worth, out=np.full(parameters, np.inf), where=worth > 0)
    there = np.isfinite(room)
    lower = float(objective @ theta) / over
    upper = float((length[there] * room[there]).sum() * ratios[objective > 0].max())
    hold_order(lower, upper)
    return Optimum(
        lower, upper, theta / over, total / over, length,
        tuple(Sent(block.commodity, flow / block.commodity.copies / over, distance) for block, flow, distance in sent),
        columns,
    )  # fmt: skip


def _units(commodities: Sequence[Commodity], unit: float) -> tuple[float, list[float]]:
    """Return what a parameter of 1 is in the program, and the unit of the flows of each source: what it sends of the
    whole, so that small ones balance as well as large ones."""
    sent = [float(each.copies * each.total.sum()) for each in commodities]
    most = max(sent, default=0.0) or 1.0
    return unit / most, [(own or most) / most * unit for own in sent]


def _block(commodity: Commodity, minimal: bool) -> _Block:
    classes = commodity.classes
    quotient = classes.quotient
    source = np.zeros(classes.count, dtype=bool)
    source[classes.of[quotient.nodes_of(quotient.source)]] = True
    forwards = np.zeros(classes.count, dtype=bool)
    forwards[classes.of] = quotient.forwards
    if commodity.through is not None:
        forwards[classes.of[commodity.through]] = True
    open_ = (forwards[classes.tail] | source[classes.tail]) & ~source[classes.head]
    nearest = np.ones(quotient.nodes, dtype=bool)
    if minimal:
        levels = levels_to_source(quotient)  # each cable leads both ways
        nearest = levels.hops == levels.device_hops()[quotient.device]
        hops = np.zeros(classes.count, dtype=np.int64)
        hops[classes.of] = levels.hops
        open_ &= (hops[classes.tail] != FAR) & (hops[classes.head] == hops[classes.tail] + 1)
    several = classes.of[quotient.first] != classes.of[np.append(quotient.first[1:], quotient.nodes) - 1]
    device_class = _device_classes(classes)
    device_of_node = device_class[quotient.device]
    gets = np.zeros(int(device_class.max()) + 1, dtype=bool)
    gets[device_class[(commodity.wanted > 0).any(axis=0)]] = True
    row_of = np.cumsum(~source) - 1
    row_of[source] = -1
    rows = int((~source).sum())
    at_hub = several[quotient.device] & gets[device_of_node] & ~source[classes.of] & nearest
    taken, first = np.unique(classes.of[at_hub], return_index=True)
    hubs, taker = np.unique(device_of_node[at_hub][first], return_inverse=True)
    wanted = np.zeros((len(commodity.wanted), rows + len(hubs)))
    hub_row = np.full(len(gets), -1, dtype=np.int64)
    hub_row[hubs] = rows + np.arange(len(hubs))
    for d in np.flatnonzero((commodity.wanted > 0).any(axis=0)).tolist():
        row = hub_row[device_class[d]]
        row = int(row if row >= 0 else row_of[classes.of[quotient.first[d]]])
        wanted[:, row] += commodity.wanted[:, d]
    if commodity.to_nodes is not None:
        np.add.at(wanted.T, row_of[classes.of], commodity.to_nodes.T)
    arcs = np.flatnonzero(open_)
    return _Block(commodity, arcs, row_of, taken, rows + taker.ravel(), rows + len(hubs), wanted, nearest)


def _stated(block: _Block, flow: Floats, theta: Floats, length: Floats, far: Floats) -> StatedFlow:
    """Return what a source sends, with all its copies, as its verifier takes it."""
    classes = block.commodity.classes
    open_ = np.zeros(len(classes.tail), dtype=bool)
    open_[block.arc] = True
    row = block.row_of.copy()
    row[block.taken] = block.taker
    wanted = (theta @ block.wanted) * block.commodity.copies
    return StatedFlow(classes.tail, classes.head, open_, row, wanted, flow, length[classes.orbit], far)


def _device_classes(classes: Classes) -> Ints:
    """Return a class for each orbit of devices, [D]: the one of its first vertex stands for it."""
    return classes.of[classes.quotient.first]


def _distances(block: _Block, length: Floats) -> Floats:
    """Return least sum of lengths from the source to each class of vertices, over arcs that may be used; [C]."""
    classes = block.commodity.classes
    distance = np.full(classes.count, np.inf)
    distance[block.row_of < 0] = 0.0
    tail, head, cost = classes.tail[block.arc], classes.head[block.arc], length[classes.orbit[block.arc]]
    while True:
        before = distance.copy()
        np.minimum.at(distance, head, distance[tail] + cost)
        if (distance == before).all():
            return distance


def _worth(block: _Block, far: Floats) -> Floats:
    """Return what the receivers of a source are apart from it, weighted by what they want, [parameters]."""
    quotient = block.commodity.classes.quotient
    node = np.where(block.ends, far[block.commodity.classes.of], np.inf)
    min_length = np.minimum.reduceat(node, quotient.first)
    wanted = block.commodity.wanted
    weighted = _weighted(wanted, min_length)
    to_nodes = block.commodity.to_nodes
    return weighted if to_nodes is None else weighted + _weighted(to_nodes, far[block.commodity.classes.of])


def _weighted(wanted: Floats, far: Floats) -> Floats:
    """Return distances weighted by what is wanted there; where nothing is they may be infinite."""
    whole = np.broadcast_to(far, wanted.shape)
    return np.asarray(np.multiply(wanted, whole, out=np.zeros(wanted.shape), where=wanted > 0).sum(axis=1))
