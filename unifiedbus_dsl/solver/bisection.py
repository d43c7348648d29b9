"""The bisection as an interval with both certificates: flows that any halving cut must carry, and a cut."""

from __future__ import annotations

from itertools import islice
from math import ceil, fsum, inf
from time import monotonic

import numpy as np
from attrs import define, field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Bools, Floats, Ints, Network, components, row_arcs, row_chunks, tally
from unifiedbus_dsl.solver.branch_and_bound import branch_and_bound, every_half
from unifiedbus_dsl.solver.candidate_partitions import along_arrays, by_distances, exchange_boundary
from unifiedbus_dsl.solver.canonical import canonical
from unifiedbus_dsl.solver.carried import carried
from unifiedbus_dsl.solver.classes import TooLargeError
from unifiedbus_dsl.solver.crossing import crossing
from unifiedbus_dsl.solver.demand import all_to_all
from unifiedbus_dsl.solver.ecmp import ecmp
from unifiedbus_dsl.solver.halving import Graph, blocks, exchanged, graph_of, split
from unifiedbus_dsl.solver.limits import MEETS_WITHIN, flow_symmetry
from unifiedbus_dsl.solver.max_flow import minimum_cut
from unifiedbus_dsl.solver.result import NotAdmittedError, Number, interval
from unifiedbus_dsl.solver.spectral import spectrum
from unifiedbus_dsl.solver.spread import spread_bound
from unifiedbus_dsl.symmetry import Symmetry, refine

TRIED_ARCS = 200_000_000
"""How many arcs the cuts that a bisection tries may have together (six are tried in any case where there is time)."""
MOST_ARCS = 4_000_000
"""Arcs up to which a cut is bettered where the proved ends don't meet."""
MAX_SWEPT_ARCS = 40_000_000
"""Arcs up to which halves by distances are tried."""
SWEEPS = 3
"""Of the halves by distances those that are improved, the best first."""
MOST_EXCHANGED = 3_000
"""Nodes up to which halves are bettered by exchanges."""
MOST_SWEPT = 2_000_000_000
"""Arcs that may be swept for a lower end by shortest paths."""
LATE = 10_000_000
"""Arcs that shortest paths may sweep when the time is over."""
CUT_ARCS_PER_S = 200_000
"""Arcs of a network for which a minimum cut, at the slowest, takes a second."""
QUICK = 100_000_000
"""Arcs that shortest paths may sweep before a programme is made at all."""
MOST_BITS = 1_000_000_000
"""Bits in the table of what islands add up to: 125 MB."""
DIRECTIONS = 48
"""Halves that are tried near the vectors of a spectrum."""


@frozen(eq=False)
class Bisection:
    """Least capacity one way, byte/s, of a cut that halves the members. `side` [E] is the half of the cut that gives
    the upper end (False for those that are no members); `vertex_side` [V] the side of each vertex there. `shares` are
    the rates whose flows prove the lower end (see `crossing`); empty where something else proves it.
    """

    capacity: Number
    side: Bools
    vertex_side: Bools
    shares: Floats
    cut: Ints
    """The arcs that the cut goes through: from the half to the others."""


def bisection(
    symmetry: Symmetry, members: ArrayLike | None = None, *, most: int = 400_000, budget: float | None = None
) -> Bisection:
    """Both proved ends of the bisection.

    From below: flows on classes (`crossing`). Where that is too large a programme or does not meet the cut: flows by
    mixed routings (`spread_bound`) and eigenvalues (`spectrum`). From above: halves along the axes of the arrays, every
    other vertex on its better side (a minimum cut), then halves near the eigenvectors, both bettered by exchanges.

    After `budget` seconds neither end is bettered any more. One cut and one lower end are found in any case.

    Raises:
        NotAdmittedError: fewer than two members.
    """
    network = symmetry.network
    chosen = network.selected(members)
    n = int(chosen.sum())
    if n < 2:
        raise NotAdmittedError("a bisection needs two end points")
    upper = _Upper(network, chosen)
    until = inf if budget is None else monotonic() + budget
    shares, programme = np.zeros(0), True
    joined = _joined(network, chosen)
    lower = _narrowest_cable(network) if joined else _Lower(0.0, "a cut carries no less than nothing")
    if joined and not (network.forwards & (network.end < 0)).any():
        # on a torus, a hypercube or a full mesh this is all that it takes, whatever the size
        lower = _larger(lower, _shortest_paths(symmetry, chosen, QUICK if budget is None else LATE))
    tries = max(6, TRIED_ARCS // max(1, network.arcs))
    for half in islice(along_arrays(symmetry, chosen), tries):
        if upper.meets(lower.value) or not upper.has_time(until):
            break
        upper.try_half(half)
    if joined and not upper.meets(lower.value) and monotonic() <= until:
        try:
            part = None if budget is None else (until - monotonic()) / 2
            found = crossing(flow_symmetry(symmetry).restricted(colour=chosen), chosen, most, part)
            if found.lower > lower.value:
                lower, shares = _Lower(found.lower, "flows between all end points and to switches"), found.parameters
        except TooLargeError:
            programme = False
    if not upper.meets(lower.value) and monotonic() <= until:
        closer = _closer(symmetry, chosen, upper, lower, programme, until)
        lower, shares = closer, shares if closer is lower else np.zeros(0)
    late = monotonic() > until and not upper.meets(lower.value)
    if late and joined:
        lower = _larger(lower, _shortest_paths(symmetry, chosen, LATE))
    reason = f"from below {lower.reason}, from above a cut" + (", as far as the time allowed" if late else "")
    passes = network.forwards | network.on_vertices(chosen)
    near, far = upper.vertex_side & passes, ~upper.vertex_side & passes
    cut = np.flatnonzero(near[network.tail] & far[network.head])
    capacity = interval(lower.value, upper.best, reason, MEETS_WITHIN)
    return Bisection(capacity, upper.half, upper.vertex_side, shares, cut)


def _joined(network: Network, chosen: Bools) -> bool:
    """Return whether all chosen end points are connected, if through each other."""
    member = network.on_vertices(chosen)
    passes = network.forwards | member
    open_ = passes[network.tail] & passes[network.head]
    # the vertices of a member are one
    inside = network.end_order[member[network.end_order]]
    first = network.end_order[network.end_start[network.end[inside]]]
    tail, head = np.append(network.tail[open_], inside), np.append(network.head[open_], first)
    component = components(network.vertices, tail, head)[inside]
    return bool((component == component[0]).all())


@frozen
class _Lower:
    """A proved lower end, byte/s, and what proves it."""

    value: float
    reason: str


def _larger(a: _Lower, b: _Lower) -> _Lower:
    return b if b.value > a.value else a


def _narrowest_cable(network: Network) -> _Lower:
    """Return the lower bound for end points that are connected: a cut goes through a cable at the least."""
    used = np.flatnonzero(np.bincount(network.kind, minlength=len(network.kinds.capacity_Bps)))
    return _Lower(float(network.kinds.capacity_Bps[used].min(initial=inf)), "a cut of what is connected cuts a cable")


@define(eq=False)
class _Upper:
    """The best cut so far: its half [E], the side of each vertex [V], and its capacity, byte/s."""

    network: Network
    chosen: Bools
    half: Bools = field(init=False)
    vertex_side: Bools = field(init=False)
    best: float = field(default=np.inf, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with the half of the narrowest end points alone on its side: what their ports carry."""
        network = self.network
        ports = tally(network.end[network.tail[network.end[network.tail] >= 0]], _of_ends(network), network.ends)
        members = np.flatnonzero(self.chosen)
        narrow = members[np.argsort(ports[members], kind="stable")[: len(members) // 2]]
        self._offer(network.selected(narrow), network.on_vertices(network.selected(narrow)))

    def try_half(self, half: Bools) -> None:
        """Take the minimum cut of a half where it is less."""
        self._offer(half, halving_cut(self.network, half, self.chosen & ~half)[1])

    def _offer(self, half: Bools, side: Bools) -> None:
        passes = self.network.forwards | self.network.on_vertices(self.chosen)
        value = cut_capacity(self.network, side & passes, ~side & passes)
        if value < self.best:
            self.half, self.vertex_side, self.best = half, side, value

    def has_time(self, until: float) -> bool:
        """Whether another minimum cut will be made before `until`."""
        return until == inf or monotonic() + self.network.arcs / CUT_ARCS_PER_S <= until

    def meets(self, lower: float) -> bool:
        return self.best <= lower * (1 + MEETS_WITHIN)


def _of_ends(network: Network) -> Floats:
    """Return the capacities of the arcs out of end points."""
    return np.asarray(network.capacity_Bps[network.end[network.tail] >= 0])


def _closer(symmetry: Symmetry, chosen: Bools, upper: _Upper, lower: _Lower, programme: bool, until: float) -> _Lower:
    """Bring the ends nearer to each other: better cuts go into `upper`, a better lower end is given back. No step
    begins after `until`."""
    network = symmetry.network
    if network.arcs > MOST_ARCS:
        if network.arcs <= MAX_SWEPT_ARCS:
            _try_sweeps(graph_of(network, chosen), upper, lower, until)
        return lower if programme or lower.value > 0 else _larger(lower, _shortest_paths(symmetry, chosen, MOST_SWEPT))
    graph = canonical(graph_of(network, chosen))
    balanced = _islands(graph)
    if balanced is not None:
        upper.try_half(balanced)
        if upper.best == 0:
            return lower
    small = blocks(graph)
    if small.nodes <= MOST_EXCHANGED:
        upper.try_half(exchanged(small, upper.half, until))
    lower = _larger(lower, _every_cut(graph, upper, until))
    if upper.meets(lower.value):
        return lower
    _try_sweeps(graph, upper, lower, until)
    if not programme and monotonic() <= until:
        mixed = spread_bound(graph, until)
        lower = _larger(lower, _Lower(mixed, "flows between all end points by mixed routings"))
        if mixed == 0.0 and monotonic() <= until:
            lower = _larger(lower, _shortest_paths(symmetry, chosen, MOST_SWEPT))
    lower = _in_units(graph, lower)
    if upper.meets(lower.value) or monotonic() > until:
        return lower
    found = spectrum(graph, until)
    if found is None:
        return lower
    if found.bound > lower.value:
        lower = _in_units(graph, _Lower(found.bound, "eigenvalues of the capacities"))
    _try_near(found.vectors, graph, small, upper, lower, until)
    if upper.meets(lower.value) or monotonic() > until:
        return lower
    bound = carried(graph, until)
    if bound > lower.value:
        lower = _in_units(graph, _Lower(bound, "eigenvalues of what flows can carry"))
    return lower


def _every_cut(graph: Graph, upper: _Upper, until: float) -> _Lower:
    """Try or bound every cut of a small graph; its best half goes into `upper`."""
    least = None
    if monotonic() <= until:
        lattice = _lattice(graph)
        least = every_half(graph) or branch_and_bound(graph, upper.half, lattice.step if lattice else 0.0, until)
    if least is None:
        return _Lower(0.0, "nothing: there are too many cuts")
    upper.try_half(least.half)
    return _Lower(least.lower_Bps, "every cut")


def _try_sweeps(graph: Graph, upper: _Upper, lower: _Lower, until: float) -> None:
    """Try the best halves by distances, and what exchanges make of them."""
    small = blocks(graph)
    for _, half in by_distances(small, until)[:SWEEPS]:
        if upper.meets(lower.value) or not upper.has_time(until):
            return
        upper.try_half(half)
        if not upper.meets(lower.value):
            better = exchanged if small.nodes <= MOST_EXCHANGED else exchange_boundary
            upper.try_half(better(small, half, until))


def _try_near(vectors: Floats, graph: Graph, small: Graph, upper: _Upper, lower: _Lower, until: float) -> None:
    """Try halves near the vectors of a spectrum."""
    size = int(upper.chosen.sum()) // 2
    rng = np.random.Generator(np.random.PCG64(0))
    seen: set[bytes] = set()
    for _ in range(DIRECTIONS):
        key = (vectors * rng.standard_normal(vectors.shape[1])).sum(axis=1)
        half = split(graph, key, size)
        if upper.meets(lower.value) or monotonic() > until:
            break
        if half.tobytes() in seen:
            continue
        seen.add(half.tobytes())
        better = exchanged(small, half, until) if small.nodes <= MOST_EXCHANGED else half
        if better.tobytes() not in seen or better is half:
            seen.add(better.tobytes())
            upper.try_half(better)


def _shortest_paths(symmetry: Symmetry, chosen: Bools, most: int) -> _Lower:
    """From below by flows on shortest paths from each member to each other."""
    n, network = int(chosen.sum()), symmetry.network
    orbits = len(symmetry.representatives(np.flatnonzero(chosen))[0])
    if orbits * network.arcs > most:
        return _Lower(0.0, "nothing: the machine is too large and has too little symmetry")
    try:
        use = ecmp(symmetry, all_to_all(network, np.flatnonzero(chosen))).utilisation
    except NotAdmittedError:
        return _Lower(0.0, "nothing: some end points are not joined")
    return _Lower((n // 2) * (n - n // 2) / float(use.max()), "flows between all end points on shortest paths")


def _islands(graph: Graph) -> Bools | None:
    """Half of the end points, [E], made of whole islands; None where islands don't add up to it.

    Which sums the islands reach is a row of bits, shifted and joined island by island; the way back says which are in.
    """
    from scipy.sparse.csgraph import connected_components

    count, island = connected_components(graph.weight, directed=False)
    size = np.bincount(island, weights=graph.members, minlength=count).astype(np.int64)
    filled = np.flatnonzero(size)
    if len(filled) < 2:
        return None
    goal = int(size.sum()) // 2
    reached = [1]
    for k in filled.tolist():
        reached.append((reached[-1] | reached[-1] << int(size[k])) & ((1 << (goal + 1)) - 1))
        if len(reached) * goal > MOST_BITS:
            return None
    if not reached[-1] >> goal & 1:
        return None
    inside, left = np.zeros(count, dtype=bool), goal
    for place in range(len(filled) - 1, -1, -1):
        if not reached[place] >> left & 1:
            inside[filled[place]] = True
            left -= int(size[filled[place]])
    return np.asarray((graph.node >= 0) & inside[island[graph.node]])


@frozen
class _Lattice:
    """What halving cuts can be: `unit` times whole numbers that leave `rest` when divided by `parity`."""

    unit: int
    parity: int
    rest: int

    @property
    def step(self) -> float:
        """By how much two cuts differ at the least, byte/s."""
        return float(self.unit * self.parity)


def _lattice(graph: Graph) -> _Lattice | None:
    """Return the capacities that a cut can have at all; None where capacities are no whole numbers.

    Where all capacities are multiples of one unit, cuts are too. And a cut is the sum of the degrees on one side less
    twice what stays inside: where free nodes have an even degree, in units, and the degrees of all end points have one
    parity, every halving cut has the same parity.
    """
    whole = graph.weight.data.astype(np.int64)
    if (whole != graph.weight.data).any() or not len(whole):
        return None
    unit = int(np.gcd.reduce(whole))
    row = np.repeat(np.arange(graph.nodes), np.diff(graph.weight.indptr))
    degree = np.zeros(graph.nodes, dtype=np.int64)
    np.add.at(degree, row, whole // unit)
    odd = degree % 2
    ends = graph.members > 0
    n = int(graph.members.sum())
    halves_alike = odd[ends].min() == odd[ends].max() and (n % 2 == 0 or not odd[ends].any())
    if odd[~ends].any() or not halves_alike:
        return _Lattice(unit, 1, 0)
    return _Lattice(unit, 2, int(odd[ends].max()) * (n // 2) % 2)


def _in_units(graph: Graph, lower: _Lower) -> _Lower:
    """Return the next capacity that a cut can have."""
    lattice = _lattice(graph)
    if lattice is None:
        return lower
    steps = ceil(lower.value / lattice.unit * (1 - 1e-12))
    steps += (lattice.rest - steps) % lattice.parity
    if steps * lattice.unit <= lower.value * (1 + MEETS_WITHIN):
        return lower
    return _Lower(float(steps * lattice.unit), f"{lower.reason}, up to the next sum of whole cables")


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
    part = refine(network, colour * 2 + network.forwards, network.label)
    side = _class_cut(network, part, colour, passes)
    return cut_capacity(network, side & passes, ~side & passes), side


def cut_capacity(network: Network, side: Bools, rest: Bools) -> float:
    """Return the capacity of all cables from the vertices `side` to the vertices `rest` ([V] each), byte/s: cables of
    each kind are counted, so that it does not depend on the order of the arcs."""
    cables = np.zeros(len(network.kinds.capacity_Bps), dtype=np.int64)
    for begin, end in row_chunks(network):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        tails = np.repeat(np.arange(begin, end), network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
        crossing = side[tails] & rest[network.head[arcs]]
        some = np.flatnonzero(crossing) + arcs.start
        cables += tally(network.kind[some], network.count[some].astype(np.float64), len(cables)).astype(np.int64)
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
    arcs = row_arcs(network, first)
    of = np.repeat(np.arange(classes), network.indptr[first + 1] - network.indptr[first])
    tail, head = joined[of], joined[part[network.head[arcs]]]
    apart = (tail != head) & passes[first[of]] & passes[network.head[arcs]]
    rate = network.kinds.capacity_Bps[network.kind[arcs]] * network.count[arcs] * members[of]
    pair, place = np.unique(tail[apart] * (classes + 2) + head[apart], return_inverse=True)
    capacity = tally(place, rate[apart], len(pair))
    tails, heads = np.divmod(pair, classes + 2)
    return np.asarray(minimum_cut(classes + 2, tails, heads, capacity, classes, classes + 1)[joined[part]])
