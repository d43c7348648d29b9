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
from numpy.typing import ArrayLike

from unifiedbus_dsl.network import Bools, Floats, Ints, Network, frozen_array, row_chunks, tally
from unifiedbus_dsl.progress import track
from unifiedbus_dsl.solver.classes import Commodity, Optimum, TooLargeError, optimum
from unifiedbus_dsl.solver.demand import all_to_all
from unifiedbus_dsl.solver.ecmp import ecmp
from unifiedbus_dsl.solver.limits import MEETS_WITHIN, flow_symmetry
from unifiedbus_dsl.solver.result import NotAdmittedError, Number, interval
from unifiedbus_dsl.symmetry import Symmetry, dense, refine, vertex_kinds

MOST_PROGRAMMES = 2_000
"""Most programmes of one source that a question is worth."""
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

    Raises:
        TooLargeError: too few members are alike.
    """
    return _gather_rate(*_members(symmetry, members))


def _gather_rate(group: Symmetry, chosen: Bools, until: float = inf) -> Number:
    """The rate of `gather_rate`; no programme but the first is made after `until`."""
    network = group.network
    lower, upper = np.inf, np.inf
    reason = "flows and prices on every arc, end points relay"
    for number, v in enumerate(track(_few(group, np.flatnonzero(chosen)), "rates of gathering")):
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
    return _allgather_time(*_members(symmetry, members), size_bytes, until)


def _allgather_time(group: Symmetry, chosen: Bools, size_bytes: float, until: float) -> Number:
    rate = _gather_rate(group, chosen, until)
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
    that parts two members: the result on either side depends on all the data of the other. And at least 2 (n - 1) times
    the size over what all end points together can send: until one end point first holds the sum of an element, at least
    n - 1 others have sent something of it, and from then on n - 1 have still to receive it (Patarasuk and Yuan, J.
    Parallel Distrib. Comput. 69, 2009). After `budget` seconds no further programme is made for either end.
    """
    until = _until(budget)
    group, chosen = _members(symmetry, members)
    network = group.network
    starts = _few(group, np.flatnonzero(chosen))
    # whatever parts two members parts the first from one of them; where all are alike, one way says it for both
    first, both = int(starts[0]), len(starts) > 1
    others = chosen.copy()
    others[first] = False
    narrowest = float(network.injection_Bps[chosen].min())
    for number, t in enumerate(track(_few(group.stabiliser([first]), np.flatnonzero(others)), "narrowest cut")):
        if number and monotonic() > until:
            break
        for a, b in ((first, int(t)), (int(t), first)) if both else ((first, int(t)),):
            goal = network.on_vertices(network.selected(b).astype(float))
            narrowest = min(narrowest, one_source(network, int(network.vertices_of(a)[0]), goal).upper)
    if narrowest <= 0:
        raise NotAdmittedError(NOT_JOINED)
    lower, reason = size_bytes / narrowest, "the narrowest cut"
    sending = 2 * (int(chosen.sum()) - 1) * size_bytes / float(sent_at_most(symmetry.network).sum())
    if sending > lower:
        lower, reason = sending, "what end points can send"
    twice = _allgather_time(group, chosen, size_bytes, until)
    reason = f"from below {reason}, from above two phases"
    reason += ", as far as the time allowed" if monotonic() > until else ""
    return interval(lower, 2 * twice.upper, reason, MEETS_WITHIN)


def sent_at_most(network: Network) -> Floats:
    """What each end point can send at once, byte/s: its injection, or all its cables, [E]."""
    out = tally(network.tail, network.capacity_Bps, network.vertices)
    cables = tally(network.end[network.end_order], out[network.end_order], network.ends)
    return np.minimum(network.injection_Bps, cables)


def _few(group: Symmetry, ends: Ints) -> Ints:
    """One end point of each sort, each of which will be a programme of its own."""
    found, _ = group.representatives(ends)
    if len(found) > MOST_PROGRAMMES:
        raise TooLargeError(f"{len(found):,} programmes, one for each end point that no proved symmetry makes equal")
    return found


def _members(symmetry: Symmetry, members: ArrayLike | None) -> tuple[Symmetry, Bools]:
    chosen = symmetry.network.selected(members)
    if chosen.sum() < 2:
        raise NotAdmittedError("a collective needs two end points")
    return relaying(symmetry).restricted(colour=chosen), chosen
