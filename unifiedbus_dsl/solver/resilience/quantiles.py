"""Quantiles of random draws by order statistics, with intervals that hold for any distribution."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats

METHOD = "order statistics, ranks from the binomial distribution"


@frozen(eq=False)
class Quantile:
    """The `q` quantile of what is drawn, with an interval that covers it with at least the confidence asked for
    (infinite where the draws are too few to say)."""

    q: float
    value: float
    lower: float
    upper: float


def quantile(values: Floats, q: float, confidence: float = 0.95) -> Quantile:
    """Return the quantile of n independent draws, x_(ceil(q n)) of the draws in order, with the interval [x_(l),
    x_(u)]:

    l largest with P(Bin(n, q) < l) <= (1 - confidence) / 2,  u smallest with P(Bin(n, q) >= u) <= (1 - confidence) / 2

    At least l draws are at most the true quantile unless fewer than l of n fell there, which is the first probability;
    the second in the same way. No distribution is assumed (David and Nagaraja, Order Statistics, 7.1).

    Raises:
        ValueError: no draw, or `q` or `confidence` not between 0 and 1.
    """
    from scipy.special import bdtr

    if not len(values) or not 0 < q < 1 or not 0 < confidence < 1:
        raise ValueError("a quantile wants draws, and shares between 0 and 1")
    n, tail = len(values), (1.0 - confidence) / 2
    x = np.sort(values)
    below = np.concatenate([[0.0], bdtr(np.arange(n, dtype=np.float64), n, q)])  # P(Bin < k) for k = 0 … n
    low = int(np.flatnonzero(below <= tail)[-1])
    enough = np.flatnonzero(1.0 - below <= tail)
    at = max(0, int(np.ceil(q * n)) - 1)
    return Quantile(
        q,
        float(x[at]),
        float(x[low - 1]) if low >= 1 else float("-inf"),
        float(x[enough[0] - 1]) if len(enough) else float("inf"),
    )
