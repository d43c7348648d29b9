"""The heaviest assignment of senders to receivers where classes of them are alike, with prices that show it.

    maximise    sum of weight[i, j] · x[i, j],   sum over j of x[i, j] <= size[i],   sum over i of x[i, j] <= size[j]

Prices u, v >= 0 with u[i] + v[j] >= weight[i, j] bound it by the sum of size · (u + v); the best of them meet it.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.linear_program import solve_linear_program

ONE_BY_ONE = 1_500
"""Senders up to which each is assigned by itself; of more, classes are."""
MOST_CLASSES = 600
"""Classes of a linear program."""
SETTLED = 1e-13
"""Relative rise of a price that is rounding."""


@frozen(eq=False)
class Prices:
    """Of each class as a sender and as a receiver, [classes]; `bound` is what no assignment is above."""

    out: Floats
    into: Floats
    bound: float


def priced(size: Ints, out: Floats, into: Floats) -> Prices:
    """Return prices with their bound."""
    return Prices(out, into, float(size @ out + size @ into))


def rough_prices(weight: Floats, size: Ints) -> Prices:
    """Return the heaviest receiver of each sender, or the heaviest sender of each receiver, whichever is less."""
    nothing = np.zeros(len(size))
    one, two = priced(size, weight.max(axis=1), nothing), priced(size, nothing, weight.max(axis=0))
    return one if one.bound <= two.bound else two


def best_prices(weight: Floats, size: Ints) -> Prices:
    """Return the prices of the heaviest assignment of classes of some sizes, [classes, classes] weights of at least 0.

    Raises:
        NotAdmittedError: there are too many classes.
    """
    if size.sum() <= ONE_BY_ONE:
        return _one_by_one(weight, size)
    if len(size) > MOST_CLASSES:
        raise NotAdmittedError(
            f"{int(size.sum()):,} end points of which {len(size):,} are told apart are too many to be assigned to each "
            "other: select fewer end points"
        )
    return _by_classes(weight, size)


def _one_by_one(weight: Floats, size: Ints) -> Prices:
    """The prices of a best assignment are longest paths through it; the mean over a class is as good."""
    from scipy.optimize import linear_sum_assignment

    of = np.repeat(np.arange(len(size)), size)
    each = weight[of][:, of]
    _, to = linear_sum_assignment(each, maximize=True)
    gain = each - each[np.arange(len(of)), to][:, None]  # of sending elsewhere
    into = np.zeros(len(of))
    for _ in range(len(of)):
        raised = np.maximum(into, (into[to][:, None] + gain).max(axis=0))
        if (raised - into).max() <= SETTLED * weight.max(initial=0.0):
            break
        into = raised
    into -= into.min()
    into_class = np.bincount(of, weights=into) / size
    return _tightened(weight, size, into_class)


def _by_classes(weight: Floats, size: Ints) -> Prices:
    from scipy.sparse import identity, kron, vstack

    n, ones = len(size), np.ones((1, len(size)))
    rows = vstack([kron(identity(n), ones), kron(ones, identity(n))]).tocsr()
    limits = np.concatenate([size, size]).astype(np.float64)
    solved = solve_linear_program(-weight.ravel(), A_ub=rows, b_ub=limits, bounds=(0, None), method="highs")
    if solved.status != 0:
        raise NotAdmittedError(f"the assignment was not solved: {solved.message}")
    return _tightened(weight, size, np.maximum(-solved.ineqlin.marginals[n:], 0.0))


def _tightened(weight: Floats, size: Ints, into: Floats) -> Prices:
    """Return the least prices of senders that hold with those of receivers: so they hold whatever was rounded."""
    return priced(size, np.maximum((weight - into[None]).max(axis=1), 0.0), into)
