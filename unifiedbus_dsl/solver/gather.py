"""Times that no schedule of a collective can beat; end points may store and forward whatever they have received.

All-gather of n shards of m bytes takes at least m / x, where x is the largest rate at which the network can bring each
of the other shards to an end point v at once, for the v where it is least; schedules that reach it exist (ForestColl,
arXiv 2402.06787). Each v is one commodity, so it may be solved on the classes of a plain equitable partition: the
programme of a single commodity is the same for networks that such a partition does not tell apart.
"""

from __future__ import annotations

from math import inf
from time import monotonic

import numpy as np
from attrs import evolve
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Bools, Floats, Network, frozen_array, row_chunks, tally
from unifiedbus_dsl.progress import track
from unifiedbus_dsl.solver.classes import Commodity, Optimum, optimum
from unifiedbus_dsl.solver.demand import all_to_all
from unifiedbus_dsl.solver.ecmp import ecmp
from unifiedbus_dsl.solver.limits import MEETS_WITHIN, flow_symmetry
from unifiedbus_dsl.solver.paths import end_points_only
from unifiedbus_dsl.solver.result import NotAdmittedError, Number, interval
from unifiedbus_dsl.symmetry import Symmetry, dense, refine, vertex_kinds

PROGRAMMES, PROGRAMMES_ARCS = 64, 5_000_000
"""Programmes of one source that any question is worth, and of how many arcs in all where it takes more of them."""
FEW = "few end points are alike: from below what one can take, from above flows on shortest paths, end points relay"
NOT_JOINED = "some of its end points are not joined"


def one_source(network: Network, source: int, demand: Floats) -> Optimum:
    """Largest x such that `source` can send x · demand[v] to each vertex v at once ([V]), with both certificates."""
    alone = np.arange(network.vertices) == source
    colour = vertex_kinds(network, dense(demand).astype(np.int64) * 2 + alone)
    part = refine(network, colour, network.label)
    classes, labels = int(part.max()) + 1, int(network.label.max()) + 1
    key = np.empty(network.arcs, dtype=np.int64)
    for begin, end in row_chunks(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        tails = np.repeat(part[begin:end], network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        key[arcs] = (tails.astype(np.int64) * classes + part[network.head[arcs]]) * labels + network.label[arcs]
    folded = Symmetry(network, (), part, dense(key), 0)
    return optimum(folded, [Commodity(source, 1, (demand,))], np.ones(1))


def relaying(symmetry: Symmetry) -> Symmetry:
    """The symmetry on the network in which every end point forwards."""
    group = flow_symmetry(symmetry)
    every = frozen_array(np.ones(group.network.vertices, dtype=bool))
    return evolve(group, network=evolve(group.network, forwards=every))


def gather_rate(symmetry: Symmetry, members: ArrayLike | None = None) -> Number:
    """Largest rate, byte/s, at which an end point can be brought a stream from every other member at once; the least
    over the members. What an end point may inject bounds what it receives, not what it relays.

    Where so few members are alike that each would take a programme, an interval: from what each can take at all, and
    from flows of all to all on shortest paths.
    """
    return _gather_rate(*_members(symmetry, members), *_at_most(symmetry.network))


def _gather_rate(group: Symmetry, chosen: Bools, sent: Floats, taken: Floats, until: float = inf) -> Number:
    """The rate of `gather_rate`; no programme but the first is made after `until`. `sent` and `taken` ([E], byte/s) are
    what each end point can send and take at most."""
    network = group.network
    lower, upper = np.inf, np.inf
    reason = "flows and prices on every arc, end points relay"
    sorts, _ = group.representatives(np.flatnonzero(chosen))
    if _too_many(network, len(sorts)):
        lower = _everyone(group, chosen)
        # each sends its stream to some other one: two members or more, so the slowest is among those that send
        upper = min(float(taken[chosen].min()) / (int(chosen.sum()) - 1), float(sent[chosen].min()))
        return interval(lower, upper, FEW, MEETS_WITHIN)
    for number, v in enumerate(track(sorts, "rates of gathering")):
        if number and monotonic() > until:
            lower = min(lower, _everyone(group, chosen)) if upper > 0 else 0.0
            reason += ", as far as the time allowed"
            break
        others = chosen.copy()
        others[v] = False
        found = one_source(network, int(network.vertices_of(int(v))[0]), network.on_vertices(others.astype(float)))
        own = network.injection_Bps[v] / others.sum()
        slowest = min(own, float(network.injection_Bps[others].min()))
        lower, upper = min(lower, found.lower, slowest), min(upper, found.upper, slowest)
    return interval(lower, upper, reason, MEETS_WITHIN)


def _everyone(group: Symmetry, chosen: Bools) -> float:
    """A rate at which each member can be brought a stream from every other one: that at which all are at once, on
    shortest paths."""
    use = ecmp(group, all_to_all(group.network, np.flatnonzero(chosen))).utilisation
    own = float(group.network.injection_Bps[chosen].min()) / (int(chosen.sum()) - 1)
    return min(1.0 / float(use.max()), own)


def allgather_time(
    symmetry: Symmetry, size_bytes: float, members: ArrayLike | None = None, *, budget: float | None = None
) -> Number:
    """Least time, s, of an all-gather whose whole result has `size_bytes` (reduce-scatter, its mirror, takes the same):
    n shards of size / n at the gather rate. After `budget` seconds no further programme is made."""
    until = _until(budget)
    group, chosen = _members(symmetry, members)
    return _allgather_time(_gather_rate(group, chosen, *_at_most(symmetry.network), until), chosen, size_bytes)


def _allgather_time(rate: Number, chosen: Bools, size_bytes: float) -> Number:
    if rate.lower <= 0:
        raise NotAdmittedError(NOT_JOINED)
    shard = size_bytes / int(chosen.sum())
    return interval(shard / rate.upper, shard / rate.lower, rate.reason, MEETS_WITHIN)


def _until(budget: float | None) -> float:
    return inf if budget is None else monotonic() + budget


def allreduce_time(
    symmetry: Symmetry, size_bytes: float, members: ArrayLike | None = None, *, budget: float | None = None
) -> Number:
    """Bounds on the least time, s, of an all-reduce of `size_bytes` at each member.

    At most a reduce-scatter and an all-gather one after the other. At least the size over the least capacity, one way,
    that parts two members: the result on either side depends on all the data of the other; of those about a single
    member where so few are alike that each would take a programme. And at least 2 (n - 1) times the size over what all
    end points together can send: until one end point first holds the sum of an element, at least n - 1 others have sent
    something of it, and from then on n - 1 have still to receive it (Patarasuk and Yuan, J. Parallel Distrib. Comput.
    69, 2009). After `budget` seconds no further programme is made for either end.
    """
    until = _until(budget)
    group, chosen = _members(symmetry, members)
    network = group.network
    sent, taken = _at_most(symmetry.network)
    narrowest = float(np.minimum(sent, taken)[chosen].min())
    asked = _parted(group, chosen)
    for number, (a, b) in enumerate(track(asked or [], "narrowest cut")):
        if number and monotonic() > until:
            break
        goal = network.on_vertices(network.selected(b).astype(float))
        narrowest = min(narrowest, one_source(network, int(network.vertices_of(a)[0]), goal).upper)
    if narrowest <= 0:
        raise NotAdmittedError(NOT_JOINED)
    lower, reason = size_bytes / narrowest, "the narrowest cut" + ("" if asked else " about one end point")
    sending = 2 * (int(chosen.sum()) - 1) * size_bytes / float(sent.sum())
    if sending > lower:
        lower, reason = sending, "what end points can send"
    rate = _gather_rate(group, chosen, sent, taken, until)
    twice = _allgather_time(rate, chosen, size_bytes)
    reason = f"from below {reason}, from above two phases" + (" on shortest paths" if rate.reason == FEW else "")
    reason += ", as far as the time allowed" if monotonic() > until else ""
    return interval(lower, 2 * twice.upper, reason, MEETS_WITHIN)


def sent_at_most(network: Network) -> Floats:
    """What each end point can send at once, byte/s: its injection, or all its cables, [E]."""
    return np.minimum(network.injection_Bps, _cables(network, network.tail))


def _at_most(network: Network) -> tuple[Floats, Floats]:
    """What each end point can send and take at once, byte/s, [E]; `injection` bounds both."""
    return sent_at_most(network), np.minimum(network.injection_Bps, _cables(network, network.head))


def _cables(network: Network, side: NDArray[np.integer]) -> Floats:
    """All that the arcs with their tail, or head, at an end point carry, byte/s, [E]."""
    at = tally(side, network.capacity_Bps, network.vertices)
    return tally(network.end[network.end_order], at[network.end_order], network.ends)


def _parted(group: Symmetry, chosen: Bools) -> list[tuple[int, int]] | None:
    """Pairs of members one of which is parted by the narrowest cut that parts any; None where they are too many.

    Such a cut parts the first member from one of the others, of each sort one; all alike, one way says it for both.
    Where each vertex is a member, it parts two that a cable joins.
    """
    network = group.network
    if chosen.all() and end_points_only(network):
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


def _too_many(network: Network, programmes: int) -> bool:
    return programmes > PROGRAMMES and programmes * network.arcs > PROGRAMMES_ARCS


def _members(symmetry: Symmetry, members: ArrayLike | None) -> tuple[Symmetry, Bools]:
    chosen = symmetry.network.selected(members)
    if chosen.sum() < 2:
        raise NotAdmittedError("a collective needs two end points")
    return relaying(symmetry).restricted(colour=chosen), chosen
