"""A lower bound of the bisection by eigenvalues: no halving cut is less, by a matrix proved to have none below 0.

Put x = +1 on one side of a cut and -1 on the other. With the Laplacian L of the capacities, 4 · cut = x'Lx, x_i^2 = 1,
and the x of the n end points add up to s = 0 (n even) or ±1 (n odd). So for any numbers d and t >= 0 with

    L - diag(d) + t · m m'  positive semidefinite   (m_i = 1 for end points, 0 for other nodes)

every halving cut is at least (sum d - t s^2) / 4. With d = lambda_2 and end points alone this is n lambda_2 / 4, as
Donath and Hoffman found (IBM J. Res. Dev. 17, 1973); free d is Poljak and Rendl's (Math. Programming 62, 1993).
Here d comes from unit vectors in place of the ±1 (Burer and Monteiro, Math. Programming 95, 2003), which also tell
where to cut. How good d is does not matter for the proof; only that the matrix is semidefinite does: its Cholesky
factorisation must succeed after more was taken from the diagonal than rounding can hide (Rump, BIT 46, 2006).

Nodes with the same neighbours over the same capacities (the end points of one switch) are folded: with k such nodes
the matrix falls apart into one of the classes, with the entries times sqrt(k_i k_j), and the numbers degree_i - d_i,
k_i - 1 times each.
"""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.graph.symmetry import relabel, segment_sums, splitmix64
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph
from unifiedbus_dsl.verify.eigenvalues import EigenvalueBound

MOST_CLASSES = 3_000
"""Classes up to which the matrix is made and factorised: 72 MB, some seconds."""
MAX_UNTIMED = 200
"""Classes up to which the matrix is factorised also when the time is over."""
CLASSES_OF_A_SECOND = 1_200
"""Classes of which a matrix is factorised in a second; the time grows with the cube."""
RANK = 8
"""Most dimensions of the vectors. Fewer than the theory asks for only make the bound a little lower."""
ROUNDS = 1_000
DEFINITE = 1e-9
"""Taken from the diagonal, in units of the largest capacity of a node, so that the matrix has a factor."""


@frozen(eq=False)
class SdpBound:
    """`bound` byte/s, shown by `proof`; `vectors` [N, r] of unit length, near each other for nodes that are best on one
    side."""

    bound: float
    vectors: Floats
    proof: EigenvalueBound


def bisection_sdp_bound(graph: CutGraph, deadline_s: float = inf) -> SdpBound | None:
    """Return the bound and the vectors, which are not improved after `deadline_s`; None where the graph has more than
    `MOST_CLASSES` classes of nodes, or more than can be factorised by then."""
    of = twin_classes(graph)
    classes = int(of.max(initial=-1)) + 1
    if classes > MOST_CLASSES or graph.weight.nnz == 0:
        return None
    if classes > MAX_UNTIMED and monotonic() + (classes / CLASSES_OF_A_SECOND) ** 3 > deadline_s:
        return None
    _, first, size = np.unique(of, return_index=True, return_counts=True)
    k = size.astype(np.float64)
    unit = float(graph.degree.max())
    weight = graph.weight[first][:, first] / unit  # between one of each class; within a class there is none
    degree = graph.degree[first] / unit
    member = (graph.members[first] > 0).astype(np.float64)
    n = int(graph.members.sum())
    pull = 20.0 / n
    vectors = _low_rank_sdp(weight, degree, k, member, pull, deadline_s)
    total = (k * member) @ vectors
    product = degree[:, None] * vectors - weight @ (k[:, None] * vectors) + pull * member[:, None] * total
    d = (vectors * product).sum(axis=1)
    d = np.where(size > 1, np.minimum(d, degree), d)
    root = np.sqrt(k)
    matrix = -(root[:, None] * weight.toarray()) * root
    matrix += pull * np.outer(root * member, root * member)
    d, proved = _verified_psd_shift(matrix, degree, d)
    bound = (float(k @ d) - pull * (n % 2)) / 4 * unit * (1 - 1e-12) if proved else 0.0
    by_vertex = np.argsort(graph.vertex)
    proof = EigenvalueBound((d[of] * unit)[by_vertex], pull * unit, of[by_vertex])
    return SdpBound(max(bound, 0.0), vectors[of], proof)


def semidefinite(graph: CutGraph, deadline_s: float = inf) -> tuple[Floats, float, float] | None:
    """Return d [N], t and the unit of capacity, byte/s, in which L - diag(d) + t m m' is proved to be positive
    definite; None where that fails. Nodes are not folded."""
    unit = float(graph.degree.max())
    weight, degree = graph.weight / unit, graph.degree / unit
    member = (graph.members > 0).astype(np.float64)
    pull = 20.0 / int(graph.members.sum())
    vectors = _low_rank_sdp(weight, degree, np.ones(graph.nodes), member, pull, deadline_s)
    product = degree[:, None] * vectors - weight @ vectors + pull * member[:, None] * (member @ vectors)
    matrix = pull * np.outer(member, member) - weight.toarray()
    d, proved = _verified_psd_shift(matrix, degree, (vectors * product).sum(axis=1))
    return (d - DEFINITE, pull, unit) if proved else None


def twin_classes(graph: CutGraph) -> Ints:
    """Return the same number for nodes with as many end points, the same neighbours and the same capacities to them,
    [N]."""
    weight = graph.weight
    weight.sort_indices()
    degree = np.diff(weight.indptr)
    value = splitmix64(np.arange(graph.nodes))[weight.indices]
    value *= relabel(weight.data).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    key = segment_sums(value, degree)
    order = np.lexsort((np.arange(graph.nodes), key, graph.members, degree))
    same = (key[order[1:]] == key[order[:-1]]) & (graph.members[order[1:]] == graph.members[order[:-1]])
    same &= degree[order[1:]] == degree[order[:-1]]
    for place in np.flatnonzero(same).tolist():  # a hash only says where to look
        a, b = (slice(weight.indptr[v], weight.indptr[v + 1]) for v in order[place : place + 2])
        same[place] = (weight.indices[a] == weight.indices[b]).all() and (weight.data[a] == weight.data[b]).all()
    of = np.empty(graph.nodes, dtype=np.int64)
    of[order] = np.concatenate([[0], np.cumsum(~same)])
    return relabel(of).astype(np.int64)


def _low_rank_sdp(weight: Any, degree: Floats, k: Floats, member: Floats, pull: float, deadline_s: float) -> Floats:
    """Unit vectors y, [classes, r], with a small sum of k_i k_j w_ij |y_i - y_j|^2 / 2 + pull |sum of k y|^2.

    Steps down the gradient on the unit spheres, scaled by the degrees, as long as Barzilai and Borwein's (IMA J. Numer.
    Anal. 8, 1988); the best of all is taken.
    """
    classes = len(k)
    rank = min(RANK, int(np.sqrt(2 * classes)) + 2)
    # a thousand steps blow up a last digit: nothing here is a product by a library for matrices, nor is the start exact
    y = np.random.Generator(np.random.PCG64(1)).standard_normal((classes, rank)).round(6)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    heavy = k * member
    scale = (k * (degree + pull * heavy.sum() * member))[:, None]
    best, min_value = y, np.inf
    before: tuple[Floats, Floats] | None = None
    for step in range(ROUNDS):
        near = weight @ (k[:, None] * y)
        total = (heavy[:, None] * y).sum(axis=0)
        value = -float((k[:, None] * y * near).sum()) + pull * float((total * total).sum())
        if value < min_value:
            best, min_value = y, value
        slope = -2 * k[:, None] * near + 2 * pull * heavy[:, None] * total
        slope = (slope - (slope * y).sum(axis=1, keepdims=True) * y) / scale
        if float(np.abs(slope).max()) < 1e-9 or monotonic() > deadline_s:
            break
        far = 0.25
        if before is not None:
            moved, turned = y - before[0], slope - before[1]
            inner = abs(float((scale * moved * turned).sum()))
            if inner > 0:
                long = float((scale * moved * moved).sum()) / inner
                short = inner / float((scale * turned * turned).sum())
                far = long if step % 2 else short
        before = y, slope
        y = y - far * slope
        y = y / np.linalg.norm(y, axis=1, keepdims=True)
    return best


def _verified_psd_shift(matrix: Floats, degree: Floats, d: Floats) -> tuple[Floats, bool]:
    """Return the largest d - constant found for which matrix + diag(degree - d) is proved to be positive
    semidefinite."""
    from scipy.linalg import eigvalsh

    n = len(d)
    diagonal = np.diagonal(matrix).copy()
    at = np.diag_indices(n)
    trial = matrix.copy()
    trial[at] = diagonal + degree - d
    min_eigenvalue = float(eigvalsh(trial, subset_by_index=[0, 0])[0])
    trace = float(np.abs(diagonal + degree - d).sum())
    # Rump, theorem 2.3 for order n, doubled for the rounding of the entries
    rounding = 4 * (n + 2) * 2.0**-53 * (trace + n * float(np.abs(matrix).max(initial=0.0)))
    for slack in (0.0, 1e-12, 1e-9, 1e-6):
        lowered = d - (max(0.0, -min_eigenvalue) + 4 * rounding + slack)
        trial[:] = matrix
        trial[at] = diagonal + degree - lowered - rounding
        try:
            np.linalg.cholesky(trial)
        except np.linalg.LinAlgError:
            continue
        return lowered, True
    return d, False
