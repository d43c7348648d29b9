"""Hops, latency, islands and disjoint paths. (The paths of a single pair are in `ways`.)

Each sum or extreme over pairs takes one target of each orbit; `restricted` keeps the symmetries that keep the two
selections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths.bfs import bellman_ford
from unifiedbus_dsl.solver.paths.many_targets import hops_to_each

RESOLUTION_S = 1e-15
"""Latencies that differ by less are the same line of a histogram, but for machines of next to no latency."""


Labels: TypeAlias = Mapping[float, Floats]
"""Distances of each vertex from a target, [V] each, over cables of at least so many byte/s."""
Witness: TypeAlias = Callable[[int, int, Labels, float], None]
"""Is told of each target with the number of those like it, its labels, and how finely values are told apart."""


@frozen(eq=False)
class Histogram:
    """How many ordered pairs of different end points have each value (hops, or seconds); values ascend and are whole
    numbers of `resolution`. `unreachable` pairs have none. The pair (`source`, `target`) has the largest value.
    `symmetry` is what targets were found alike by."""

    value: Floats
    pairs: Ints
    unreachable: int
    source: int
    target: int
    symmetry: Symmetry = field(repr=False)
    resolution: float = 1.0

    @property
    def largest(self) -> float:
        """The greatest value; for hops the diameter.

        Raises:
            NotAdmittedError: a pair has no path, or there is no pair.
        """
        self.require_complete()
        return float(self.value[-1])

    @property
    def mean(self) -> float:
        self.require_complete()
        return float((self.value * self.pairs).sum() / self.pairs.sum())

    def require_complete(self) -> None:
        """Refuse where a pair has no path, or there is no pair.

        Raises:
            NotAdmittedError: so it is.
        """
        if self.unreachable:
            raise NotAdmittedError(f"{self.unreachable} ordered pairs of end points have no path")
        if not len(self.value):
            raise NotAdmittedError("there is no pair of different end points")


# ---- hops -----------------------------------------------------------------------------------------------------------


def hop_histogram(
    symmetry: Symmetry,
    source: ArrayLike | None = None,
    target: ArrayLike | None = None,
    witness: Witness | None = None,
) -> Histogram:
    """Return cables on a shortest path, over all ordered pairs (s in source, t in target, s != t); default all end
    points."""
    network = symmetry.network

    def labels(ends: Sequence[int]) -> Iterator[Labels]:
        for hops in hops_to_each(network, ends):
            yield {0.0: np.where(hops < 0, np.inf, hops)}

    return _histogram(symmetry, source, target, labels, 1.0, witness)


def latency_histogram(
    symmetry: Symmetry,
    source: ArrayLike | None = None,
    target: ArrayLike | None = None,
    message_bytes: float = 0.0,
    witness: Witness | None = None,
) -> Histogram:
    """Return least zero-load time in seconds, cut-through, over ordered pairs:

    least over paths of sum(arc latency) + sum(latency of vertices passed) + message / narrowest cable on the path.
    """
    network = symmetry.network

    def labels(ends: Sequence[int]) -> Iterator[Labels]:
        return (times_by_width(network, network.vertices_of(end), message_bytes) for end in ends)

    resolution = resolution_s(network.kinds.latency_s, network.latency_s)
    return _histogram(symmetry, source, target, labels, resolution, witness, message_bytes)


def resolution_s(cables_s: Floats, vertices_s: Floats) -> float:
    """Return what two latencies may differ by on one line of a histogram: little beside the least of a cable or
    vertex."""
    parts = np.concatenate([cables_s, vertices_s])
    return min(RESOLUTION_S, 1e-3 * float(parts[parts > 0].min(initial=1.0)))


def _histogram(
    symmetry: Symmetry,
    source: ArrayLike | None,
    target: ArrayLike | None,
    labels: Callable[[Sequence[int]], Iterator[Labels]],
    resolution: float,
    witness: Witness | None,
    message_bytes: float = 0.0,
) -> Histogram:
    network = symmetry.network
    senders, receivers = network.selected(source), network.selected(target)
    if not network.ends:
        return Histogram(np.empty(0), np.empty(0, dtype=np.int64), 0, -1, -1, symmetry)
    group = symmetry.restricted(colour=senders + 2 * receivers)
    values: dict[float, int] = {}
    unreachable, worst = 0, (-1.0, -1, -1)
    ends = list(_representatives(group, receivers))
    far = labels([end for end, _ in ends])
    for (end, size), distance in zip(track(ends, "paths to each end point"), far, strict=True):
        some = senders.copy()
        some[end] = False
        members = np.flatnonzero(some)
        if witness is not None:
            witness(end, size, distance, resolution)
        time = endpoint_latencies(network, with_message(distance, message_bytes))[members]
        joined = np.isfinite(time)
        unreachable += size * int((~joined).sum())
        distinct, count = np.unique(np.round(time[joined] / resolution), return_counts=True)
        for value, pairs in zip(distinct.tolist(), count.tolist(), strict=True):
            values[value] = values.get(value, 0) + size * pairs
        if len(distinct) and distinct[-1] > worst[0]:
            at = members[joined][np.argmax(time[joined])]
            worst = (distinct[-1], int(at), end)
    order = sorted(values)
    return Histogram(
        frozen_array(np.array(order) * resolution),
        frozen_array(np.array([values[v] for v in order], dtype=np.int64)),
        unreachable,
        worst[1],
        worst[2],
        group,
        resolution,
    )


def _representatives(symmetry: Symmetry, chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    first, size = symmetry.representatives(np.flatnonzero(chosen))
    yield from zip(first.tolist(), size.tolist(), strict=True)


# ---- latency --------------------------------------------------------------------------------------------------------


def latencies_to(network: Network, target: NDArray[np.integer], message_bytes: float = 0.0) -> Floats:
    """Return least time from each vertex to the target's vertices, infinite where there is no path, [V] s."""
    best = with_message(times_by_width(network, target, message_bytes), message_bytes)
    best[target] = 0.0
    return best


def times_by_width(network: Network, target: NDArray[np.integer], message_bytes: float = 0.0) -> Labels:
    """Return least latency to the target over cables of at least each capacity c that there is; without a message, over
    all.

    With message / c on top, the least over c is the least over all paths, as a path is counted at its narrowest cable
    and never for less than it takes.
    """
    widths = network.widths_Bps.tolist() if message_bytes else [0.0]
    return {width: minimum_latencies(network, target, width) for width in widths}


def with_message(far: Labels, message_bytes: float) -> Floats:
    """Return least time of a message, [V]."""
    best: Floats | None = None
    for width, time in far.items():
        whole = time + message_bytes / width if message_bytes else time
        best = whole if best is None else np.minimum(best, whole)
    assert best is not None
    return best


def minimum_latencies(network: Network, target: NDArray[np.integer], width: float) -> Floats:
    """Return least latency to the target over cables of at least `width` byte/s, [V] s."""
    wide = network.kinds.capacity_Bps >= width
    return bellman_ford(network, target, np.where(wide, network.kinds.latency_s, np.inf), network.latency_s)


def endpoint_latencies(network: Network, time: Floats) -> Floats:
    """Return least over the vertices of each end point, [E]."""
    if network.simple:
        return time[network.end_order]
    return np.asarray(np.minimum.reduceat(time[network.end_order], network.end_start[:-1]))


# ---- disjoint paths -------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Disjoint:
    """The fewest cables whose loss parts a pair: `paths`, for the pair (`source`, `target`) that has fewest. `symmetry`
    is what sources were found alike by, `sources` are these with the symmetries that keep each; with `neighbours` only
    pairs that a cable joins were solved."""

    paths: int
    source: int
    target: int
    flows: int
    symmetry: Symmetry = field(repr=False)
    sources: tuple[tuple[int, Symmetry], ...] = field(repr=False)
    neighbours: bool


@frozen(eq=False)
class DisjointPaths:
    """Paths between two end points that share no cable: `amount[i]` from vertex `tail[i]` to `head[i]`, where the
    source is V and the target V + 1; `side` [V + 2] are those on the side of the source of a cut of as many cables."""

    count: int
    tail: Ints
    head: Ints
    amount: Ints
    side: Bools


PairWitness: TypeAlias = Callable[[int, int, int, DisjointPaths], None]
"""Is told of each pair with the number of targets like it, and its paths."""


def disjoint_paths(
    symmetry: Symmetry,
    source: ArrayLike | None = None,
    target: ArrayLike | None = None,
    witness: PairWitness | None = None,
) -> Disjoint:
    """Smallest max-flow, each cable of capacity one each way, over pairs (s in source, t in target).

    One s out of each orbit; for it, one t out of each orbit under the symmetries that keep s. Where each vertex is an
    end point that forwards, neighbours are enough: the fewest cables that part any two end points part two that a
    cable joins, on the way from one to the other.
    """
    network = symmetry.network
    senders, receivers = network.selected(source), network.selected(target)
    group = symmetry.restricted(colour=senders + 2 * receivers)
    neighbours = bool(senders.all() and receivers.all() and endpoints_only(network))
    sources: list[tuple[int, Symmetry]] = []
    best, flows = (np.iinfo(np.int64).max, -1, -1), 0
    pairs = _neighbours(group) if neighbours else _all_pairs(group, senders, receivers, sources)
    for s, t, size in pairs:
        flows += 1
        paths = pair_paths(network, s, t)
        if witness is not None:
            witness(s, t, size, paths)
        best = min(best, (paths.count, s, t))
    if not flows:
        raise NotAdmittedError("there is no pair of different end points")
    return Disjoint(int(best[0]), best[1], best[2], flows, group, tuple(sources), neighbours)


def _neighbours(group: Symmetry) -> Iterator[tuple[int, int, int]]:
    """Yield a pair that a cable joins, of each orbit of arcs."""
    network = group.network
    _, first = np.unique(group.arc_orbit, return_index=True)
    ends = network.end[network.tail[first]], network.end[network.head[first]]
    for s, t in track(sorted(zip(*(each.tolist() for each in ends), strict=True)), "disjoint paths"):
        yield s, t, 1


def _all_pairs(
    group: Symmetry, senders: Bools, receivers: Bools, sources: list[tuple[int, Symmetry]]
) -> Iterator[tuple[int, int, int]]:
    """Yield a pair of each orbit, and to `sources` the symmetries that keep each source."""
    for s, _ in track(list(_representatives(group, senders)), "disjoint paths"):
        others = receivers.copy()
        others[s] = False
        around = group.stabiliser([s])
        sources.append((s, around))
        for t, size in _representatives(around, others):
            yield s, t, size


def endpoints_only(network: Network) -> bool:
    """Return whether each vertex is all of an end point and forwards, and cables join them all."""
    if (
        network.vertices != network.ends
        or not network.forwards.all()
        or (network.end < 0).any()
        or network.turned is not None
    ):
        return False
    return network.ends > 1 and bool((connected_components(network.vertices, network.tail, network.head) == 0).all())


def pair_cables(network: Network, source: int, target: int) -> int:
    """Return the fewest cables that part two end points."""
    return pair_paths(network, source, target).count


def pair_paths(network: Network, source: int, target: int) -> DisjointPaths:
    """Max-flow between two end points with one unit for each cable each way, and a cut of as many cables.

    Raises:
        NotAdmittedError: behind a line between two sides the flow uses a cable both ways, and so counts it twice.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    n = network.vertices
    vertex = np.arange(n)
    vertex[network.vertices_of(source)] = n
    vertex[network.vertices_of(target)] = n + 1
    tail, head = vertex[network.tail], vertex[network.head]
    usable = (network.forwards[network.tail] | (tail == n)) & (head != n) & (tail != n + 1) & (tail != head)
    graph = csr_matrix(
        (network.count[usable].astype(np.int32), (tail[usable], head[usable])), shape=(n + 2, n + 2), dtype=np.int32
    )
    max_flow = maximum_flow(graph, n, n + 1)
    left = graph - max_flow.flow
    left.eliminate_zeros()
    side = np.zeros(n + 2, dtype=bool)
    side[breadth_first_order(left, n, return_predecessors=False)] = True
    flow = max_flow.flow.tocoo()
    some = flow.data > 0
    tails, heads, amount = flow.row[some].astype(np.int64), flow.col[some].astype(np.int64), flow.data[some]
    if network.turned is not None:
        _must_not_return(network, graph, tails, heads, amount)
    return DisjointPaths(int(max_flow.flow_value), tails, heads, amount, side)


def _must_not_return(network: Network, cables: Any, tail: Ints, head: Ints, amount: Ints) -> None:
    """Refuse paths that use more of the cables (a sparse matrix) between two vertices, both ways, than there are."""
    from scipy.sparse import csr_matrix

    size = network.vertices + 2
    turned = np.append(network.turned if network.turned is not None else np.zeros(0), [size - 2, size - 1]).astype(
        np.int64
    )
    back = csr_matrix((amount, (turned[head], turned[tail])), shape=(size, size))
    used = csr_matrix((amount, (tail, head)), shape=(size, size))
    both = used + back.multiply(used > 0)
    if (both > cables).nnz:
        raise NotAdmittedError(
            "there are paths that come back by a cable that they went out by, behind a `transit` line `A -- B`, and "
            "that cable would count twice"
        )
