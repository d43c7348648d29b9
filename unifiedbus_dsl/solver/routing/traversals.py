"""How often ways cross each arc, as matrices: for those who ask for loads and costs of the same ways many times.

    crossed[r, a] = expected times that arc a is crossed by what begins in the states of row r
    loads         = crossedᵀ · amounts          costs = crossed · cost

A row stands for many senders where these are alike but for arcs that only one of them crosses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount
from unifiedbus_dsl.solver.routing.stacked_dags import StackedDags

MAX_ENTRIES = 30_000_000
"""Entries of a matrix that are held."""


class TooManyEntriesError(Exception):
    """The matrices are too large to be held."""


@frozen(eq=False)
class Traversals:
    """The arcs that pairs cross: pair d crosses those of row `row[d]` ([D]) of `matrix` [R, columns]."""

    matrix: Any
    turned: Any
    row: Ints

    @classmethod
    def of(cls, matrix: Any, row: Ints) -> Traversals:
        """Return the arcs of pairs by their rows."""
        return cls(matrix.tocsr(), matrix.T.tocsr(), row)

    def loads(self, amount: Floats) -> Floats:
        """Return the load of each column when pair d sends `amount[d]`."""
        return np.asarray(self.turned @ bincount(self.row, amount, self.matrix.shape[0]))

    def costs(self, cost: Floats) -> Floats:
        """Return what each pair pays, [D], at the cost of each column."""
        return np.asarray((self.matrix @ cost)[self.row])


def crossed_arcs(ways: StackedDags, start: Any, weight: Floats | None = None) -> Any:
    """Return the expected times that each arc is crossed, sparse [R, A], where row r begins with `start[r, state]`
    (sparse, [R, K V]) in the states of the ways, of which way k counts `weight[k]` times.

    Raises:
        TooManyEntriesError: so it is.
    """
    from scipy.sparse import csr_matrix

    states = ways.count * ways.network.vertices
    share = ways.share if weight is None else ways.share * weight[ways.way]
    onto = csr_matrix((share, (ways.tail, ways.arc)), shape=(states, ways.network.arcs))
    step = csr_matrix((ways.share, (ways.tail, ways.head)), shape=(states, states))
    degree = np.diff(step.indptr)
    at, crossed = start.tocsr(), csr_matrix((start.shape[0], ways.network.arcs))
    while at.nnz:
        if at.nnz + crossed.nnz + int(degree[at.indices].sum(dtype=np.int64)) > MAX_ENTRIES:
            raise TooManyEntriesError
        crossed = crossed + at @ onto
        at = at @ step
    return crossed


def shared_rows(matrix: Any, row: Ints) -> Sequence[Traversals]:
    """Return the arcs of pairs in two parts: what one row alone crosses, and the others' rows, each that is there more
    than once only once."""
    matrix = matrix.tocsr()
    alone = np.bincount(matrix.indices, minlength=matrix.shape[1]) == 1
    apart, rest = matrix.copy(), matrix.copy()
    apart.data[~alone[apart.indices]] = 0.0
    rest.data[alone[rest.indices]] = 0.0
    apart.eliminate_zeros()
    rest.eliminate_zeros()
    first, of = _alike(rest)
    return Traversals.of(apart, row), Traversals.of(rest[first], of[row])


def _alike(matrix: Any) -> tuple[Ints, Ints]:
    """Return a row of each sort of equal rows, and the sort of each row."""
    rows = matrix.shape[0]
    drawn = matrix @ np.random.default_rng(0).random((matrix.shape[1], 2))
    size = np.abs(drawn).max(initial=1e-300)
    _, first, of = np.unique(np.round(drawn / size, 11), axis=0, return_index=True, return_inverse=True)
    of = of.reshape(-1)
    far = abs(matrix - matrix[first[of]])
    if far.nnz and far.max() > 1e-12 * abs(matrix).max():
        return np.arange(rows), np.arange(rows)
    return first, of
