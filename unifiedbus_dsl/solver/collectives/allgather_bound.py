"""Times that no schedule of a collective can beat; end points may store and forward whatever they have received.

All-gather of n shards of m bytes takes at least m / x, where x is the largest rate at which the network can bring each
of the other shards to an end point v at once, for the v where it is least; schedules that reach it exist (ForestColl,
arXiv 2402.06787). Each v is one commodity, so it may be solved on the classes of a plain equitable partition: the
linear program of a single commodity is the same for networks that such a partition does not tell apart.

What end points inject counts for what they relay as well (see `relays`). A gate that several neighbours share is the
one case in which a schedule need not reach x: the copies that are sent through it count then, and what is reached is
found with the gate shared out among its cables.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from time import monotonic

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network, chunks_of_rows
from unifiedbus_dsl.graph.symmetry import Symmetry, refine_to_stable, relabel, vertex_kinds
from unifiedbus_dsl.solver.bounds import BoundedValue, DeadlineError, NoPathError, NotAdmittedError, bounded, hold_order
from unifiedbus_dsl.solver.collectives.tree_packing import Packing, pack_trees
from unifiedbus_dsl.solver.demand import all_to_all
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN
from unifiedbus_dsl.solver.flow.quotient_lp import Commodity, Optimum, TooLargeError, solve_concurrent_flow
from unifiedbus_dsl.solver.flow.relays import evened, parts_without, ports_Bps, shared_gates, with_forwarding_endpoints
from unifiedbus_dsl.solver.flow.shared_resources import shared_resources_of
from unifiedbus_dsl.solver.paths.distances import endpoints_only
from unifiedbus_dsl.solver.routing.ecmp import ecmp
from unifiedbus_dsl.verify.trees import TreeProof

MAX_LPS, MAX_LP_ARCS = 64, 5_000_000
"""Programmes of one source that any question is worth, and of how many arcs in all where it takes more of them."""
MAX_MEMBERS = (
    "few end points are alike: from below what one can take, from above flows on shortest paths, end points relay"
)
NOT_JOINED = "some of its end points are not joined"


GRACE_S = 1.0
"""Seconds after its time that a question may take for some upper bound."""
SHORT = ", as far as the time allowed"


def broadcast_rate(network: Network, source: int, demand: Floats, deadline_s: float = inf) -> Optimum:
    """Return largest x such that `source` can send x · demand[v] to each vertex v at once ([V]), with both
    certificates.

    Raises:
        TooLargeError: it is not found by then.
    """
    alone = np.arange(network.vertices) == source
    colour = vertex_kinds(network, relabel(demand).astype(np.int64) * 2 + alone)
    part = refine_to_stable(network, colour, network.label, deadline_s)
    if part is None or monotonic() > deadline_s:
        raise TooLargeError("the time is over")
    classes, labels = int(part.max()) + 1, int(network.label.max()) + 1
    key = np.empty(network.arcs, dtype=np.int64)
    for begin, end in chunks_of_rows(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        tails = np.repeat(part[begin:end], network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        key[arcs] = (tails.astype(np.int64) * classes + part[network.head[arcs]]) * labels + network.label[arcs]
    folded = Symmetry(network, (), part, relabel(key), 0)
    return solve_concurrent_flow(
        folded, [Commodity(source, 1, (demand,))], np.ones(1), budget=remaining_capacity(deadline_s)
    )


def remaining_capacity(deadline_s: float) -> float | None:
    """Return seconds until then, None for ever."""
    return None if deadline_s == inf else max(0.0, deadline_s - monotonic())


def gather_rate(symmetry: Symmetry, members: ArrayLike | None = None) -> BoundedValue:
    """Return largest rate, byte/s, at which an end point can be brought a stream from every other member at once, all
    of them being brought the same streams; the least over the members.

    Where so few members are alike that each would take an LP, an interval: from what each can take at all, and
    from flows of all to all on shortest paths.
    """
    group, chosen = _members(symmetry, members)
    return _gather_rate(group, chosen, *upper_bound(symmetry.network))


def _gather_rate(group: Symmetry, chosen: Bools, sent: Floats, taken: Floats, deadline_s: float = inf) -> BoundedValue:
    """Return the rate of `gather_rate`, as far as it is known `deadline_s` then. `sent` and `taken` ([E], byte/s) are
    what each end point can send and take at most."""
    network, n = group.network, int(chosen.sum())
    shared = shared_gates(network)
    even = evened(group, shared).network if len(shared) else network
    # each sends its stream to some other one: two members or more, so the slowest is among those that send
    lower, upper = np.inf, min(float(taken[chosen].min()) / (n - 1), float(sent[chosen].min()))
    if len(shared):
        upper = min(upper, float(sent.sum()) / (n * (n - 1)), _copied(group, chosen, shared, deadline_s))
    sorts, _ = group.representatives(np.flatnonzero(chosen))
    if _too_many(network, len(sorts)):
        return bounded(_all_to_all_rate(group, chosen, deadline_s), upper, MAX_MEMBERS, MEETS_WITHIN)
    reason = "flows and prices on every arc, end points relay"
    for v in track(sorts, "rates of gathering"):
        others = chosen.copy()
        others[v] = False
        source, streams = int(network.vertices_of(int(v))[0]), network.on_vertices(others.astype(float))
        try:
            optimum = broadcast_rate(network, source, streams, deadline_s)
            hold_order(optimum.lower, float(sent[v]) / (n - 1))
            upper = min(upper, optimum.upper)
            lower = min(
                lower, (optimum if even is network else broadcast_rate(even, source, streams, deadline_s)).lower
            )
        except TooLargeError:
            lower = min(lower, _all_to_all_rate(group, chosen, deadline_s))
            reason += SHORT
            break
    found = bounded(lower, upper, reason, MEETS_WITHIN)
    if wants_trees(network, found):
        return with_trees(found, network, chosen, "allgather", deadline_s)
    return found


def wants_trees(network: Network, found: BoundedValue) -> bool:
    """Return whether packed trees may say more of a rate than cuts: where a gate is shared, or what goes the other way
    passes other vertices, so that cuts of single receivers need not be reached."""
    open_ = found.upper > found.lower * (1 + MEETS_WITHIN)
    return network.turned is not None or (open_ and bool(len(shared_gates(network))))


@frozen
class TreeBound(BoundedValue):
    """Bounds, of a rate or a time, and packed trees that they may rest on."""

    trees: tuple[TreeProof, ...] = ()


def with_trees(
    known: BoundedValue,
    network: Network,
    chosen: Bools,
    packing: Packing,
    deadline_s: float,
    root: int = -1,
) -> BoundedValue:
    """Return what is known of a rate, byte/s, with what packed trees say of it where they are few."""
    try:
        packed = pack_trees(network, chosen, packing, root, remaining_capacity(deadline_s))
    except TooLargeError:
        return known
    hold_order(packed.reached, packed.beyond)
    reason = "trees packed into what end points send, and prices"
    if packed.reached <= known.lower and packed.beyond >= known.upper:
        reason = known.reason
    rate = bounded(max(known.lower, packed.reached), min(known.upper, packed.beyond), reason, MEETS_WITHIN)
    return TreeBound(rate.value, rate.kind, rate.lower, rate.upper, reason, (packed.proof,))


def resting_on(found: BoundedValue, *others: BoundedValue) -> TreeBound:
    """Return bounds with the packed trees that others rest on."""
    trees = tuple(tree for each in others if isinstance(each, TreeBound) for tree in each.trees)
    return TreeBound(found.value, found.kind, found.lower, found.upper, found.reason, trees)


def _copied(group: Symmetry, chosen: Bools, shared: Ints, deadline_s: float) -> float:
    """Return an upper bound on the rate of gathering from the copies that shared gates pass: a stream from one of k
    parts that only a gate joins goes out of it to each of the k - 1 others, one of the end point itself to all."""
    n, upper = int(chosen.sum()), np.inf
    for _, gate, parts, own in gate_cut_bound(group, chosen, shared, deadline_s):
        copies = (n - own) * (parts - 1) + own * parts
        upper = min(upper, gate / copies if copies else np.inf)
    return upper


def gate_cut_bound(
    group: Symmetry, chosen: Bools, shared: Ints, deadline_s: float
) -> Iterator[tuple[int, float, int, bool]]:
    """Yield the first of each sort of shared gates, its capacity, byte/s, in how many parts with members the network
    falls without it, and whether its end point is a member; of so many sorts as a question is worth."""
    network = group.network
    if network.gate_Bps is None:
        return
    _, first = np.unique(group.vertex_orbit[shared], return_index=True)
    for v in shared[first][:MAX_LPS].tolist():
        if monotonic() > deadline_s:
            return
        yield v, float(network.gate_Bps[v]), parts_without(network, v, chosen), bool(chosen[network.end[v]])


def spread_at_most(group: Symmetry, chosen: Bools, root: int, shared: Ints, sent: Floats, deadline_s: float) -> float:
    """Return an upper bound on the rate, byte/s, at which a root can send the same to all other members, from what all
    end points send and from the copies that shared gates pass: one for each part that only a gate joins to the root."""
    upper = float(sent.sum()) / (int(chosen.sum()) - 1)
    end = group.network.end
    around = group.restricted(colour=chosen.astype(np.int64) + group.network.selected(root))
    for v, gate, parts, _ in gate_cut_bound(around, chosen, shared, deadline_s):
        copies = parts - int(end[v] != root)
        upper = min(upper, gate / copies if copies else np.inf)
    return upper


def _all_to_all_rate(group: Symmetry, chosen: Bools, deadline_s: float) -> float:
    """Return a rate at which each member can be brought a stream from every other one: that at which all are at once,
    on shortest paths; 0 where they are not joined, or it is not found by `deadline_s` and in `GRACE_S` more."""
    try:
        everyone = all_to_all(group.network, np.flatnonzero(chosen))
        load = ecmp(group, everyone, max(deadline_s, monotonic() + GRACE_S)).load_Bps
    except (NoPathError, DeadlineError):
        return 0.0
    rooms = shared_resources_of(group)
    mean = bincount(group.arc_orbit, load, rooms.arcs) / group.arc_orbit_size
    return 1.0 / float((rooms.means(mean) / rooms.capacity_Bps).max())


def allgather_time(
    symmetry: Symmetry, size_bytes: float, members: ArrayLike | None = None, *, budget: float | None = None
) -> BoundedValue:
    """Return least time, s, of an all-gather whose whole result has `size_bytes` (reduce-scatter, its mirror, takes the
    same): n shards of size / n at the gather rate. What is not solved within `budget` seconds is an interval."""
    deadline_s = _until(budget)
    group, chosen = _members(symmetry, members)
    rate = _gather_rate(group, chosen, *upper_bound(symmetry.network), deadline_s)
    return _allgather_time(rate, chosen, parts_without(group.network, -1, chosen), size_bytes)


def _allgather_time(rate: BoundedValue, chosen: Bools, parts: int, size_bytes: float) -> BoundedValue:
    if rate.upper <= 0 or (rate.lower <= 0 and parts > 1):
        raise NotAdmittedError(NOT_JOINED)
    shard = size_bytes / int(chosen.sum())
    above = shard / rate.lower if rate.lower > 0 else inf
    return resting_on(bounded(shard / rate.upper, above, rate.reason, MEETS_WITHIN), rate)


def _until(budget: float | None) -> float:
    return inf if budget is None else monotonic() + budget


def allreduce_time(
    symmetry: Symmetry, size_bytes: float, members: ArrayLike | None = None, *, budget: float | None = None
) -> BoundedValue:
    """Return bounds on the least time, s, of an all-reduce of `size_bytes` at each member.

    At most a reduce-scatter and an all-gather one after the other. At least the size over the least capacity, one way,
    that parts two members: the result on either side depends on all the data of the other; of those about a single
    member where so few are alike that each would take an LP. And at least 2 (n - 1) times the size over what all
    end points together can send: until one end point first holds the sum of an element, at least n - 1 others have sent
    something of it, and from then on n - 1 have still to receive it (Patarasuk and Yuan, J. Parallel Distrib. Comput.
    69, 2009). A gate without which the members fall into k >= 2 parts takes in something of each of them, and where it
    is that of a member also of a single one. What is not solved within `budget` seconds is an interval.
    """
    deadline_s = _until(budget)
    group, chosen = _members(symmetry, members)
    sent, taken = upper_bound(symmetry.network)
    rate = narrowest(group, chosen, sent, taken, deadline_s)
    if rate.upper <= 0:
        raise NotAdmittedError(NOT_JOINED)
    lower, reason = size_bytes / rate.upper, rate.reason
    sending = 2 * (int(chosen.sum()) - 1) * size_bytes / float(sent.sum())
    if sending > lower:
        lower, reason = sending, "what end points can send"
    for _, gate, parts, own in gate_cut_bound(group, chosen, shared_gates(group.network), deadline_s):
        if parts + own > 1 and parts * size_bytes / gate > lower:
            lower, reason = parts * size_bytes / gate, "what an end point that parts others can take"
    gathered = _gather_rate(group, chosen, sent, taken, deadline_s)
    twice = _allgather_time(gathered, chosen, 1, size_bytes)
    reason = f"from below {reason}, from above two phases" + (
        " on shortest paths" if gathered.reason == MAX_MEMBERS else ""
    )
    known = bounded(size_bytes / (2 * twice.upper), size_bytes / lower, reason, MEETS_WITHIN)
    if known.upper > known.lower * (1 + MEETS_WITHIN) or group.network.turned is not None:
        known = with_trees(known, group.network, chosen, "allreduce", deadline_s)
    reason = known.reason + (SHORT if monotonic() > deadline_s else "")
    above = size_bytes / known.lower if known.lower > 0 else inf
    return resting_on(bounded(size_bytes / known.upper, above, reason, MEETS_WITHIN), twice, known)


def narrowest(group: Symmetry, chosen: Bools, sent: Floats, taken: Floats, deadline_s: float) -> BoundedValue:
    """Return the least capacity, byte/s, one way, that parts two members; what is not solved by `deadline_s` counts
    from above only."""
    network = group.network
    if parts_without(network, -1, chosen) > 1:
        return bounded(0.0, 0.0, NOT_JOINED)
    lower, upper = np.inf, float(np.minimum(sent, taken)[chosen].min())
    pairs = _min_cut_pairs(group, chosen)
    reason = "the narrowest cut" + (" about one end point" if pairs is None else "")
    for a, b in track(pairs or [], "narrowest cut"):
        goal = network.on_vertices(network.selected(b).astype(float))
        try:
            optimum = broadcast_rate(network, int(network.vertices_of(a)[0]), goal, deadline_s)
        except TooLargeError:
            return bounded(0.0, upper, reason + SHORT, MEETS_WITHIN)
        hold_order(optimum.lower, float(min(sent[a], taken[b])))
        lower, upper = min(lower, optimum.lower), min(upper, optimum.upper)
    return bounded(0.0 if pairs is None else lower, upper, reason, MEETS_WITHIN)


def egress_capacity(network: Network) -> Floats:
    """Return what each end point can send at once, byte/s: its injection, or all its cables, [E]."""
    return np.minimum(network.injection_Bps, ports_Bps(network, network.tail))


def upper_bound(network: Network) -> tuple[Floats, Floats]:
    """Return what each end point can send and take at once, byte/s, [E]; `injection` bounds both."""
    return egress_capacity(network), np.minimum(network.injection_Bps, ports_Bps(network, network.head))


def _min_cut_pairs(group: Symmetry, chosen: Bools) -> list[tuple[int, int]] | None:
    """Return pairs of members one of which is parted by the narrowest cut that parts any; None where they are too many.

    Such a cut parts the first member from one of the others, of each sort one; all alike, one way says it for both.
    Where each vertex is a member, it parts two that a cable joins.
    """
    network = group.network
    if chosen.all() and endpoints_only(network):
        _, arcs = np.unique(group.arc_orbit, return_index=True)
        tails, heads = network.end[network.tail[arcs]], network.end[network.head[arcs]]
        pairs = list(zip(tails.tolist(), heads.tolist(), strict=True))
    else:
        starts, _ = group.representatives(np.flatnonzero(chosen))
        first = int(starts[0])
        others = chosen.copy()
        others[first] = False
        ends, _ = group.stabiliser([first]).representatives(np.flatnonzero(others))
        pairs = [(first, t) for t in ends.tolist()]
        if len(starts) > 1:
            pairs += [(t, s) for s, t in pairs]
    return None if _too_many(network, len(pairs)) else pairs


def _too_many(network: Network, linear_programs: int) -> bool:
    return linear_programs > MAX_LPS and linear_programs * network.arcs > MAX_LP_ARCS


def _members(symmetry: Symmetry, members: ArrayLike | None) -> tuple[Symmetry, Bools]:
    chosen = symmetry.network.selected(members)
    if chosen.sum() < 2:
        raise NotAdmittedError("a collective needs two end points")
    return with_forwarding_endpoints(symmetry).restricted(colour=chosen), chosen
