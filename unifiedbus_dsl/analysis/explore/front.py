"""The Pareto front of designs whose values are known exactly, between proved bounds, or by an estimate.

Values are turned so that less is better. Design j *certainly* dominates i where it is no worse in every objective and
better in one, whatever the values within their bounds are; it *possibly* does where some values within the bounds say
so. A design is certainly on the front where it is feasible and nothing possibly dominates it, possibly where nothing
certainly does, and else not on it. Where all is exact the two are one.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints

TOLERANCE = 1e-9
"""Relative: what differs by less is equal, as answers are rounded."""
CHUNK = 256


class Standing(Enum):
    """Whether a design is on the front."""

    ON = "on the front"
    POSSIBLY = "possibly on the front"
    OFF = "dominated"


def standings(lower: Floats, upper: Floats, certain: Bools) -> list[Standing]:
    """Return where each design stands.

    Args:
        lower, upper: bounds on each objective, less being better, [designs, objectives].
        certain: whether a design is known to be feasible, [designs]; the others may be.
    """
    beaten = _dominated(lower, upper[certain], None)
    # what is certainly beaten is never the only one that possibly beats: what beats it does too
    contenders = np.flatnonzero(~beaten)
    at_risk = _dominated(upper[contenders], lower[contenders], np.arange(len(contenders)))
    on = np.zeros(len(lower), dtype=bool)
    on[contenders[~at_risk]] = True
    on &= certain
    return [Standing.ON if a else Standing.OFF if b else Standing.POSSIBLY for a, b in zip(on, beaten, strict=True)]


def _dominated(values: Floats, by: Floats, own: Ints | None) -> Bools:
    """Return which rows a row of `by` is at most equal to in every objective, and less than in one; `own` is the place
    of a row among `by`, which doesn't count."""
    result = np.zeros(len(values), dtype=bool)
    if not len(by) or not values.shape[1]:
        return result
    archive = by if own is not None else _undominated(by)
    for start in range(0, len(values), CHUNK):
        rows = values[start : start + CHUNK, None, :]
        wins = _beats(at_most(archive[None], rows), less(archive[None], rows))
        if own is not None:
            wins[np.arange(len(rows)), own[start : start + CHUNK]] = False
        result[start : start + CHUNK] = wins.any(axis=1)
    return result


def _undominated(points: Floats) -> Floats:
    """Return the points that no other of them dominates: what these dominate is all that any does."""
    order = np.lexsort(points.T[::-1])
    kept = np.zeros((0, points.shape[1]))
    for start in range(0, len(order), CHUNK):
        some = points[order[start : start + CHUNK]]
        both = np.concatenate([kept, some])
        wins = _beats(both[None] <= both[:, None], both[None] < both[:, None])
        kept = both[~wins.any(axis=1)]
    return kept


def _beats(no_worse: Bools, better: Bools) -> Bools:
    """Return where one is no worse in all objectives, and better in one, [rows, others]."""
    return np.asarray(np.all(no_worse, axis=2) & np.any(better, axis=2))


def slack(a: Floats, b: Floats) -> Floats:
    """Return how far apart values count as equal."""
    size = np.maximum(np.abs(a), np.abs(b))
    return np.where(np.isfinite(size), TOLERANCE * size, 0.0)


def at_most(a: Floats, b: Floats) -> Bools:
    """Return whether values are no larger, but for rounding."""
    return np.asarray(a <= b + slack(a, b))


def less(a: Floats, b: Floats) -> Bools:
    """Return whether values are smaller by more than rounding."""
    return np.asarray(a < b - slack(a, b))
