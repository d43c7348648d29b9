"""Reachability: which end points have a path to each other.

Having a path is symmetric but not transitive: an end point that doesn't forward has paths to the end points on both
its sides, and they have none to each other through it. So nothing is said of "the" component of an end point: of each
one is counted how many it reaches. All of n are connected exactly where each reaches n.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Bools, Ints, concatenate_ranges, frozen_array, take, unique_rows
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.graph.symmetry import relabel, splitmix64
from unifiedbus_dsl.solver.paths.one_way import turned_islands

MAX_SORTS = 2_000
"""Sorts of members up to which the largest connected set is sought."""
MAX_CLIQUE = 60
"""Sorts that are joined to some of the others only, up to which a clique is sought."""
MAX_PAIRS = 20_000_000
"""Pairs (end point, reached end point) that are held at a time."""


@frozen(eq=False, slots=False)
class Reachability:
    """`reached[e]` is how many members end point e has a path to, itself counted, [E]; 0 for those that are no
    members. (`end`, `island`) are the members by the islands that they touch, in order of end point."""

    members: Bools
    reached: Ints
    end: Ints
    island: Ints

    @property
    def connected(self) -> bool:
        """Whether each member has a path to each other."""
        return bool((self.reached[self.members] == self.members.sum()).all())

    @cached_property
    def largest(self) -> tuple[int, int]:
        """Bounds on the largest number of members of which each has a path to each other; they meet but on machines
        with very many sorts of end points that don't forward."""
        count = int(self.members.sum())
        if not count or self.connected:
            return count, count
        if not len(self.end):
            return 1, 1  # no member has a cable at all
        return _largest_connected(self.end, self.island, int(self.reached.max()))

    def reached_from(self, end: int) -> Bools:
        """Return which members `end` has a path to, itself counted, [E]."""
        touched = np.isin(self.island, self.island[self.end == end])
        reached = np.zeros(len(self.members), dtype=bool)
        reached[self.end[touched]] = True
        reached[end] = self.members[end]
        return reached


def islands(network: Network) -> tuple[Ints, Ints]:
    """Return the parts that forwarding vertices join, as pairs (end point, island), sorted by end point and each once.

    An end point that doesn't forward may touch several islands. Two end points with a cable straight between vertices
    that don't forward are an island of their own.

    Raises:
        NotAdmittedError: lines between two sides join too many pairs of end points past every island.
    """
    if network.turned is not None:
        return turned_islands(network)
    n = network.vertices
    out, into = np.repeat(network.forwards, np.diff(network.indptr)), take(network.forwards, network.head)
    inner = out & into
    part = connected_components(n, network.tail[inner], network.head[inner])
    ends, parts = network.end[network.end_order], part[network.end_order]
    mixed = ~out & into
    direct = np.flatnonzero(~out & ~into)
    direct = direct[network.tail[direct] < network.head[direct]]
    end = np.concatenate(
        [ends, network.end[network.tail[mixed]], network.end[network.tail[direct]], network.end[network.head[direct]]]
    )
    own = n + np.arange(len(direct))
    island = np.concatenate([parts, part[network.head[mixed]], own, own])
    count = n + len(direct)
    one, two = np.divmod(unique_rows(end.astype(np.int64) * count + island), count)
    return one, two


def reachability(network: Network, members: ArrayLike | None = None) -> Reachability:
    """Return how many of the members (default: all end points) each of them has a path to."""
    end, island = islands(network)
    chosen = network.selected(members)
    inside = chosen[end]
    end, island = end[inside], relabel(island[inside]).astype(np.int64)
    reached = chosen.astype(np.int64)
    size = np.bincount(island)
    shared = size[island] > 1
    touching, touched = end[shared], island[shared]
    start = np.searchsorted(touching, np.arange(network.ends + 1))
    degree = np.diff(start)
    single = degree == 1
    reached[single] = size[touched[start[:-1][single]]]
    several = np.flatnonzero(degree > 1)
    first, image = _equal_rows(touched, start, several)
    reached[several] = _union_sizes(touching, touched, start, first, network.ends)[image]
    return Reachability(frozen_array(chosen), frozen_array(reached), end, island)


def _largest_connected(end: Ints, island: Ints, max_reached: int) -> tuple[int, int]:
    """Return bounds on the largest set that is pairwise joined, of members by the islands that they touch.

    Those with the same islands are one, with their number as weight. Who is joined to all others is in every largest
    set; where being joined is transitive among the rest, it is the heaviest class, else a clique of most weight.
    """
    import networkx as nx
    from scipy.sparse import csr_matrix

    biggest = int(np.bincount(island).max())
    members, row = np.unique(end, return_inverse=True)
    start = np.searchsorted(end, np.append(members, members[-1] + 1))
    first, image = _equal_rows(island, start, np.arange(len(members)))
    if len(first) > MAX_SORTS:
        return biggest, max_reached
    weight = np.bincount(image, minlength=len(first))
    touch = csr_matrix((np.ones(len(island), np.int64), (image[row], island)))
    joined = (touch @ touch.T).toarray() > 0
    universal = joined.all(axis=1)
    sure, rest = int(weight[universal].sum()), np.flatnonzero(~universal)
    if not len(rest):
        return sure, sure
    inner, heavy = joined[np.ix_(rest, rest)], weight[rest]
    if ((inner.astype(np.int64) @ inner > 0) == inner).all():
        best = sure + int((inner @ heavy).max())
        return best, best
    if len(rest) > MAX_CLIQUE:
        return max(biggest, sure + int(heavy.max())), max_reached
    graph = nx.Graph()
    graph.add_nodes_from((k, {"weight": int(w)}) for k, w in enumerate(heavy.tolist()))
    graph.add_edges_from(zip(*(side.tolist() for side in np.nonzero(np.triu(inner, 1))), strict=True))
    best = sure + int(nx.max_weight_clique(graph)[1])
    return best, best


def _equal_rows(touched: Ints, start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Return one row of each set of rows that touch the same islands, and for each row the position of that one.

    Rows are told apart by a hash; one that differs from the first of its hash stands for itself.
    """
    degree = start[rows + 1] - start[rows]
    flat = touched[concatenate_ranges(start[rows], start[rows + 1])]
    begin = np.append(0, np.cumsum(degree))[:-1]
    hashes = splitmix64(flat.astype(np.uint64))
    total = np.add.reduceat(hashes, begin) if len(rows) else np.zeros(0, dtype=np.uint64)
    _, first, image = np.unique(
        np.stack([total, degree.astype(np.uint64)]), axis=1, return_index=True, return_inverse=True
    )
    image = image.ravel()
    other = first[image]
    unlike = degree != degree[other]
    same = np.flatnonzero(~unlike)
    there = flat[concatenate_ranges(begin[other[same]], begin[other[same]] + degree[same])]
    here = flat[concatenate_ranges(begin[same], begin[same] + degree[same])]
    wrong = np.zeros(len(rows), dtype=bool)
    np.logical_or.at(wrong, np.repeat(same, degree[same]), there != here)
    own = np.flatnonzero(unlike | wrong)
    image[own] = len(first) + np.arange(len(own))
    return rows[np.append(first, own)], image


def _union_sizes(touching: Ints, touched: Ints, start: Ints, rows: Ints, ends: int) -> Ints:
    """Return how many end points touch any of the islands that each of these rows touches, [rows]."""
    order = np.argsort(touched, kind="stable")
    by_island, bounds = touching[order], np.searchsorted(touched[order], np.arange(int(touched.max(initial=-1)) + 2))
    size = np.diff(bounds)
    degree = start[rows + 1] - start[rows]
    flat = touched[concatenate_ranges(start[rows], start[rows + 1])]
    work = np.add.reduceat(size[flat], np.append(0, np.cumsum(degree))[:-1]) if len(rows) else np.zeros(0, np.int64)
    piece = np.cumsum(work) // MAX_PAIRS
    sizes = np.zeros(len(rows), dtype=np.int64)
    for number in np.unique(piece).tolist():
        some = np.flatnonzero(piece == number)
        islands_of = touched[concatenate_ranges(start[rows[some]], start[rows[some] + 1])]
        owner = np.repeat(np.repeat(some, degree[some]), size[islands_of])
        pair = owner * ends + by_island[concatenate_ranges(bounds[islands_of], bounds[islands_of + 1])]
        sizes += np.bincount(unique_rows(pair) // ends, minlength=len(rows))
    return sizes
