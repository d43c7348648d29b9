"""The bisection as an interval with both certificates: what any halving cut must carry, and a cut."""

from __future__ import annotations

from itertools import islice
from math import fsum, inf
from time import monotonic

import numpy as np
from attrs import define, field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, chunks_of_rows, connected_components
from unifiedbus_dsl.graph.symmetry import Symmetry, refine_once
from unifiedbus_dsl.solver.bisection.branch_and_bound import branch_and_bound, every_half
from unifiedbus_dsl.solver.bisection.candidate_partitions import along_arrays, by_distances, exchange_boundary
from unifiedbus_dsl.solver.bisection.canonical_labels import canonical_form
from unifiedbus_dsl.solver.bisection.cut_graph import (
    CutGraph,
    contract_leaves,
    cut_graph,
    kernighan_lin,
    threshold_partition,
)
from unifiedbus_dsl.solver.bisection.cut_sums import in_units, islands, lattice
from unifiedbus_dsl.solver.bisection.embedding_bound import embedding_bound
from unifiedbus_dsl.solver.bisection.expander_flow_bound import expander_flow_bound
from unifiedbus_dsl.solver.bisection.flow_bound import bisection_flow_lp
from unifiedbus_dsl.solver.bisection.flow_certificates import flows_proof, shortest_flows
from unifiedbus_dsl.solver.bisection.lower_bounds import NOTHING, ProvedBound, max_bound
from unifiedbus_dsl.solver.bisection.one_vertex import bounds_of
from unifiedbus_dsl.solver.bisection.sdp_bound import bisection_sdp_bound
from unifiedbus_dsl.solver.bounds import BoundedValue, DeadlineError, NotAdmittedError, bounded
from unifiedbus_dsl.solver.deadline import Deadline
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN
from unifiedbus_dsl.solver.flow.min_cut import minimum_cut
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError
from unifiedbus_dsl.solver.flow.terminals import flow_symmetry
from unifiedbus_dsl.verify.bisection import LowerBound, OneCable, StatedBound, WholeUnits, is_stated

TRIED_ARCS = 200_000_000
"""How many arcs the cuts that a bisection tries may have together (six are tried in any case where there is time)."""
MOST_ARCS = 4_000_000
"""Arcs up to which a cut is bettered where the proved bounds don't meet."""
MAX_SWEPT_ARCS = 40_000_000
"""Arcs up to which halves by distances are tried."""
SWEEPS = 3
"""Of the halves by distances those that are improved, the best first."""
MOST_EXCHANGED = 3_000
"""Nodes up to which halves are bettered by exchanges."""
MOST_SWEPT = 2_000_000_000
"""Arcs that may be swept for a lower bound by shortest paths."""
CUT_ARCS_PER_S = 200_000
"""Arcs of a network for which a minimum cut, at the slowest, takes a second."""
QUICK = 100_000_000
"""Arcs that shortest paths may sweep before a linear program is made at all."""
LATE = 10_000_000
"""The same when the time is over."""
FEW_SORTS = 8
"""Sorts of end points up to which a linear program on classes comes first where time is short."""
GRACE_S = 0.05
"""Seconds after its time that a bisection may take for flows on shortest paths."""
ARC_S = 1e-6
"""Seconds that it takes at the most to make a graph or a linear program of a network, for each of its arcs."""
ROUNDS = 4
"""How often vertices without a side take that of most of their neighbours, where there is no time for a minimum cut."""
NOT_ANEW = "; the proof from below is not added up anew"
"""Said of a lower bound that no certificate shows."""
DIRECTIONS = 48
"""Halves that are tried near the vectors of a spectrum."""


@frozen(eq=False)
class Bisection:
    """Least capacity one way, byte/s, of a cut that halves the members. `side` [E] is the half of the cut that gives
    the upper bound (False for those that are no members); `vertex_side` [V] the side of each vertex there.
    """

    capacity: BoundedValue
    side: Bools
    vertex_side: Bools
    cut: Ints
    """The arcs that the cut goes through: from the half to the others."""
    proof: LowerBound
    """What shows the lower bound."""
    reason_below: str
    """The same in words."""


@frozen(eq=False)
class Known:
    """What is known before anything is worked out: a lower bound, and halves [E] and sides [V] that are worth a cut."""

    lower: ProvedBound = NOTHING
    halves: tuple[Bools, ...] = ()
    sides: tuple[Bools, ...] = ()


def bisection(
    symmetry: Symmetry,
    members: ArrayLike | None = None,
    *,
    most: int = 400_000,
    budget: float | None = None,
    known: Known | None = None,
) -> Bisection:
    """Both proved bounds of the bisection.

    From below: flows on classes (`crossing`). Where that is too large an LP or does not meet the cut: flows by
    mixed routings (`spread_bound`) and eigenvalues (`spectrum`). From above: halves along the axes of the arrays, every
    other vertex on its better side (a minimum cut), then halves near the eigenvectors, both bettered by exchanges.

    After `budget` seconds neither end is bettered any more. One cut and one lower bound are found in any case.

    Raises:
        NotAdmittedError: fewer than two members.
    """
    network = symmetry.network
    chosen = network.selected(members)
    n = int(chosen.sum())
    if n < 2:
        raise NotAdmittedError("a bisection needs two end points")
    if network.turned is not None:
        return _between_two(symmetry, chosen, most, budget, known or Known())
    deadline = Deadline.of(budget)
    upper = Incumbent(network, chosen, deadline)
    joined = _join_halves(network, chosen)
    lower = max_bound(_narrowest_cable(network) if joined else NOTHING, known.lower if known else NOTHING)
    if known is not None:
        for side in known.sides:
            upper.offer_side(side)
        for half in known.halves:
            if not upper.meets(lower.value):
                upper.try_half(half)
    if joined and not upper.meets(lower.value) and network.arcs <= MOST_ARCS:
        lower = _few_cables(upper, lower, next(along_arrays(symmetry, chosen)))
    if joined and not (network.forwards & (network.end < 0)).any() and not upper.meets(lower.value):
        # on a torus, a hypercube or a full mesh this is all that it takes, whatever the size
        lower = max_bound(lower, _shortest_paths(symmetry, chosen, QUICK, deadline))
    tries = max(6, TRIED_ARCS // max(1, network.arcs))
    for half in islice(along_arrays(symmetry, chosen), tries):
        if upper.meets(lower.value) or (upper.tried and not deadline.allows()):
            break
        upper.try_half(half)
    # a linear program of a machine without symmetries is large: where time is short it comes last
    hurried = budget is not None and len(symmetry.representatives(np.flatnonzero(chosen))[0]) > FEW_SORTS
    flows = None if hurried or not joined else _by_programme(symmetry, upper, lower, most)
    lower = lower if flows is None else max_bound(lower, flows)
    if not upper.meets(lower.value) and deadline.allows(ARC_S * network.arcs):
        lower = _improve_bounds(symmetry, upper, lower, flows is not None)
    if hurried and joined:
        lower = max_bound(lower, _by_programme(symmetry, upper, lower, most) or NOTHING)
    late = deadline.short and not upper.meets(lower.value)
    if late and joined:
        lower = max_bound(lower, _shortest_paths(symmetry, chosen, LATE, deadline))
    reason = f"from below {lower.reason}, from above a cut" + (", as far as the time allowed" if late else "")
    reason += NOT_ANEW if is_stated(lower.proof) else ""
    passes = network.forwards | network.on_vertices(chosen)
    near, far = upper.vertex_side & passes, ~upper.vertex_side & passes
    cut = np.flatnonzero(near[network.tail] & far[network.head])
    capacity = bounded(lower.value, upper.best, reason, MEETS_WITHIN)
    return Bisection(capacity, upper.half, upper.vertex_side, cut, lower.proof, lower.reason)


def _few_cables(upper: Incumbent, lower: ProvedBound, half: Bools) -> ProvedBound:
    """Try a half; where it cuts two of the narrowest cables at the most, what cuts are sums of may say it all."""
    upper.try_half(half)
    few = upper.best <= 2 * lower.value * (1 + MEETS_WITHIN) and not upper.meets(lower.value)
    if not few or not upper.deadline.allows(ARC_S * upper.network.arcs):
        return lower
    return in_units(cut_graph(upper.network, upper.chosen), lower)


def _by_programme(symmetry: Symmetry, upper: Incumbent, lower: ProvedBound, most: int) -> ProvedBound | None:
    """From below by flows on classes, for half of the time; nothing where the ends meet, None where it is too much."""
    deadline, chosen = upper.deadline, upper.chosen
    if upper.meets(lower.value):
        return NOTHING
    if not deadline.allows(ARC_S * symmetry.network.arcs):
        return None
    part = None if deadline.left is None else deadline.left / 2
    hubs = flow_symmetry(symmetry).restricted(colour=chosen)
    try:
        found = bisection_flow_lp(hubs, chosen, most, part)
    except TooLargeError:
        return None
    if found.lower <= lower.value:
        return NOTHING
    return ProvedBound(
        found.lower, "flows between all end points and to switches", flows_proof(symmetry.network, hubs, found)
    )


def _stated(value: float, reason: str) -> ProvedBound:
    return ProvedBound(value, reason, StatedBound(value))


def _between_two(symmetry: Symmetry, chosen: Bools, most: int, budget: float | None, known: Known) -> Bisection:
    """Return the same where lines forward between two sides: the cut with each line as one vertex, and what the network
    in which each is parted carries at the least."""
    network, bounds = symmetry.network, bounds_of(symmetry)
    half, members = None if budget is None else budget / 2, np.flatnonzero(chosen)
    above = bisection(bounds.wider, members, most=most, budget=half, known=Known(halves=known.halves))
    below = bisection(bounds.narrower, members, most=most, budget=half)
    lower = max_bound(known.lower, _stated(below.capacity.lower, "flows with each line between two sides parted"))
    side = above.vertex_side[bounds.whole]
    passes = network.forwards | network.on_vertices(chosen)
    cut = np.flatnonzero((side & passes)[network.tail] & (~side & passes)[network.head])
    reason = f"from below {lower.reason}, from above a cut with each as one vertex"
    reason += NOT_ANEW if is_stated(lower.proof) else ""
    capacity = bounded(lower.value, above.capacity.upper, reason, MEETS_WITHIN)
    return Bisection(capacity, above.side, side, cut, lower.proof, lower.reason)


def _join_halves(network: Network, chosen: Bools) -> bool:
    """Return whether all chosen end points are connected, if through each other."""
    member = network.on_vertices(chosen)
    passes = network.forwards | member
    open_ = passes[network.tail] & passes[network.head]
    # the vertices of a member are one
    inside = network.end_order[member[network.end_order]]
    first = network.end_order[network.end_start[network.end[inside]]]
    tail, head = np.append(network.tail[open_], inside), np.append(network.head[open_], first)
    component = connected_components(network.vertices, tail, head)[inside]
    return bool((component == component[0]).all())


def _narrowest_cable(network: Network) -> ProvedBound:
    """Return the lower bound for end points that are connected: a cut goes through a cable at the least."""
    used = np.flatnonzero(np.bincount(network.kind, minlength=len(network.kinds.capacity_Bps)))
    narrowest = float(network.kinds.capacity_Bps[used].min(initial=inf))
    return ProvedBound(narrowest, "a cut of what is connected cuts a cable", OneCable())


@define(eq=False)
class Incumbent:
    """The best cut so far: its half [E], the side of each vertex [V], and its capacity, byte/s; how many halves were
    tried."""

    network: Network
    chosen: Bools
    deadline: Deadline
    half: Bools = field(init=False)
    vertex_side: Bools = field(init=False)
    best: float = field(default=np.inf, init=False)
    tried: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the half of the narrowest end points alone on its side: what their ports carry."""
        network = self.network
        ports = bincount(network.end[network.tail[network.end[network.tail] >= 0]], _of_ends(network), network.ends)
        members = np.flatnonzero(self.chosen)
        narrow = members[np.argsort(ports[members], kind="stable")[: len(members) // 2]]
        self._offer(network.selected(narrow), network.on_vertices(network.selected(narrow)))

    def try_half(self, half: Bools) -> None:
        """Take the minimum cut of a half where it is less; where there is no time for that, a cut of the half in which
        the other vertices go with most of their neighbours."""
        self.tried += 1
        if self.has_time():
            side = halving_cut(self.network, half, self.chosen & ~half)[1]
        else:
            side = majority_side(self.network, half, self.chosen & ~half)
        self._offer(half, side)

    def offer_side(self, side: Bools) -> None:
        """Take a cut ([V]) where it halves the end points, and is less."""
        network = self.network
        half = self.chosen & network.selected(np.unique(network.end[network.on_vertices(self.chosen) & side]))
        if int(half.sum()) > len(np.flatnonzero(self.chosen)) // 2:
            half, side = self.chosen & ~half, ~side
        if int(half.sum()) == int(self.chosen.sum()) // 2:
            self._offer(half, side)

    def _offer(self, half: Bools, side: Bools) -> None:
        passes = self.network.forwards | self.network.on_vertices(self.chosen)
        value = cut_capacity(self.network, side & passes, ~side & passes)
        if value < self.best:
            self.half, self.vertex_side, self.best = half, side, value

    def has_time(self) -> bool:
        """Whether another minimum cut will be made in time."""
        return self.deadline.allows(self.network.arcs / CUT_ARCS_PER_S)

    def meets(self, lower: float) -> bool:
        return self.best <= lower * (1 + MEETS_WITHIN)


def _of_ends(network: Network) -> Floats:
    """Return the capacities of the arcs out of end points."""
    return np.asarray(network.capacity_Bps[network.end[network.tail] >= 0])


def _improve_bounds(symmetry: Symmetry, upper: Incumbent, lower: ProvedBound, programme: bool) -> ProvedBound:
    """Bring the ends nearer to each other: better cuts go into `upper`, a better lower bound is given back. No step
    begins after the deadline."""
    network, chosen, deadline = symmetry.network, upper.chosen, upper.deadline
    if network.arcs > MOST_ARCS:
        if network.arcs <= MAX_SWEPT_ARCS:
            _try_sweeps(cut_graph(network, chosen), upper, lower)
        if programme or lower.value > 0:
            return lower
        return max_bound(lower, _shortest_paths(symmetry, chosen, MOST_SWEPT, deadline))
    graph = canonical_form(cut_graph(network, chosen))
    balanced = islands(graph)
    if balanced is not None:
        upper.try_half(balanced)
        if upper.best == 0:
            return lower
    small = contract_leaves(graph)
    if small.nodes <= MOST_EXCHANGED:
        upper.try_half(kernighan_lin(small, upper.half, deadline.until))
    lower = max_bound(lower, _every_cut(graph, upper))
    if upper.meets(lower.value):
        return lower
    _try_sweeps(graph, upper, lower)
    if not programme and deadline.allows():
        mixed, proof = embedding_bound(graph, deadline.until)
        lower = max_bound(lower, ProvedBound(mixed, "flows between all end points by mixed routings", proof))
        if mixed == 0.0 and deadline.allows():
            lower = max_bound(lower, _shortest_paths(symmetry, chosen, MOST_SWEPT, deadline))
    lower = in_units(graph, lower)
    if upper.meets(lower.value) or not deadline.allows():
        return lower
    found = bisection_sdp_bound(graph, deadline.until)
    if found is None:
        return lower
    if found.bound > lower.value:
        lower = in_units(graph, ProvedBound(found.bound, "eigenvalues of the capacities", found.proof))
    _round_embedding(found.vectors, graph, small, upper, lower)
    if upper.meets(lower.value) or not deadline.allows():
        return lower
    bound, proof = expander_flow_bound(graph, deadline.until)
    if bound > lower.value:
        lower = in_units(graph, ProvedBound(bound, "eigenvalues of what flows can carry", proof))
    return lower


def _every_cut(graph: CutGraph, upper: Incumbent) -> ProvedBound:
    """Try or bound every cut of a small graph; its best half goes into `upper`."""
    least = None
    if upper.deadline.allows():
        until, sums = upper.deadline.until, lattice(graph)
        least = every_half(graph, until) or branch_and_bound(graph, upper.half, sums.step if sums else 0.0, until)
    if least is None:
        return NOTHING
    upper.try_half(least.half)
    return ProvedBound(least.lower_Bps, "every cut", WholeUnits(least.proof) if sums else least.proof)


def _try_sweeps(graph: CutGraph, upper: Incumbent, lower: ProvedBound) -> None:
    """Try the best halves by distances, and what exchanges make of them."""
    small = contract_leaves(graph)
    for _, half in by_distances(small, upper.deadline.until)[:SWEEPS]:
        if upper.meets(lower.value) or not upper.has_time():
            return
        upper.try_half(half)
        if not upper.meets(lower.value):
            better = kernighan_lin if small.nodes <= MOST_EXCHANGED else exchange_boundary
            upper.try_half(better(small, half, upper.deadline.until))


def _round_embedding(vectors: Floats, graph: CutGraph, small: CutGraph, upper: Incumbent, lower: ProvedBound) -> None:
    """Try halves near the vectors of a spectrum."""
    size = int(upper.chosen.sum()) // 2
    rng = np.random.Generator(np.random.PCG64(0))
    seen: set[bytes] = set()
    for _ in range(DIRECTIONS):
        key = (vectors * rng.standard_normal(vectors.shape[1])).sum(axis=1)
        half = threshold_partition(graph, key, size)
        if upper.meets(lower.value) or not upper.deadline.allows():
            break
        if half.tobytes() in seen:
            continue
        seen.add(half.tobytes())
        better = kernighan_lin(small, half, upper.deadline.until) if small.nodes <= MOST_EXCHANGED else half
        if better.tobytes() not in seen or better is half:
            seen.add(better.tobytes())
            upper.try_half(better)


def _shortest_paths(symmetry: Symmetry, chosen: Bools, most: int, deadline: Deadline) -> ProvedBound:
    """From below by flows on shortest paths from each member to each other, as long as they are found by the deadline
    and in `GRACE_S`."""
    orbits = len(symmetry.representatives(np.flatnonzero(chosen))[0])
    if orbits * symmetry.network.arcs > most:
        return NOTHING
    try:
        value, proof = shortest_flows(symmetry, chosen, max(deadline.until, monotonic() + GRACE_S))
    except (NotAdmittedError, DeadlineError):
        deadline.allows()
        return NOTHING
    return ProvedBound(value, "flows between all end points on shortest paths", proof)


def majority_side(network: Network, half: Bools, rest: Bools) -> Bools:
    """The side of each vertex, [V], where those that are of neither half ([E] each) go with most of the capacity of
    their neighbours, from the end points outward."""
    fixed = network.on_vertices(half) | network.on_vertices(rest)
    pull = np.where(network.on_vertices(half), 1.0, 0.0) - network.on_vertices(rest)
    for _ in range(ROUNDS):
        passed = bincount(network.tail, network.capacity_Bps * pull[network.head], network.vertices)
        pull = np.where(fixed, pull, np.sign(passed) * network.forwards)
    return np.asarray(pull > 0)


def halving_cut(network: Network, half: Bools, rest: Bools) -> tuple[float, Bools]:
    """Least capacity from the end points `half` to the end points `rest` ([E] each) over the sides of all other
    vertices, byte/s, and the side of each vertex there.

    Vertices of one colour of the coarsest equitable partition that parts the halves are on one side in some minimum
    cut, so the cut is sought on classes and then measured on every arc.
    """
    colour = np.zeros(network.vertices, dtype=np.int64)
    real = network.end_order
    colour[real] = np.where(half[network.end[real]], 1, np.where(rest[network.end[real]], 2, 0))
    passes = network.forwards | (colour > 0)
    if not (network.forwards & (colour == 0)).any():
        side = colour == 1  # nothing else has a side
        return cut_capacity(network, side, ~side & passes), side
    part = refine_once(network, colour * 2 + network.forwards, network.label)
    side = _class_cut(network, part, colour, passes)
    return cut_capacity(network, side & passes, ~side & passes), side


def cut_capacity(network: Network, side: Bools, rest: Bools) -> float:
    """Return the capacity of all cables from the vertices `side` to the vertices `rest` ([V] each), byte/s: cables of
    each kind are counted, so that it does not depend on the order of the arcs."""
    cables = np.zeros(len(network.kinds.capacity_Bps), dtype=np.int64)
    for begin, end in chunks_of_rows(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        tails = np.repeat(np.arange(begin, end), network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        crossing = side[tails] & rest[network.head[arcs]]
        some = np.flatnonzero(crossing) + arcs.start
        cables += bincount(network.kind[some], network.count[some].astype(np.float64), len(cables)).astype(np.int64)
    return fsum((cables * network.kinds.capacity_Bps).tolist())


def _class_cut(network: Network, part: NDArray[np.int32], colour: Ints, passes: Bools) -> Bools:
    """Side of each vertex in a minimum cut between colour 1 and colour 2 where the vertices of a part stay together.

    The arcs of one vertex of each part tell those of the others.
    """
    classes = int(part.max()) + 1
    held = np.zeros(classes, dtype=np.int64)
    held[part] = colour
    joined = np.where(held == 1, classes, np.where(held == 2, classes + 1, np.arange(classes)))
    first = np.zeros(classes, dtype=np.int64)
    first[part] = np.arange(len(part))
    members = np.bincount(part, minlength=classes)
    arcs = arcs_of_rows(network, first)
    of = np.repeat(np.arange(classes), network.indptr[first + 1] - network.indptr[first])
    tail, head = joined[of], joined[part[network.head[arcs]]]
    apart = (tail != head) & passes[first[of]] & passes[network.head[arcs]]
    rate = network.kinds.capacity_Bps[network.kind[arcs]] * network.count[arcs] * members[of]
    pair, place = np.unique(tail[apart] * (classes + 2) + head[apart], return_inverse=True)
    capacity = bincount(place, rate[apart], len(pair))
    tails, heads = np.divmod(pair, classes + 2)
    return np.asarray(minimum_cut(classes + 2, tails, heads, capacity, classes, classes + 1)[joined[part]])
