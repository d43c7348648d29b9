"""Connected components, by hooking and pointer jumping (Shiloach and Vishkin 1982)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.verify.cables import Ints


def components(count: int, a: NDArray[np.integer], b: NDArray[np.integer]) -> Ints:
    """Return the least number of those that each of `count` things is joined to, where `a[i]` is joined to `b[i]`.

    Every tree hooks onto a smaller one next to it, then all point to their roots: half of the trees at the least are
    gone after each round.
    """
    label = np.arange(count)
    while len(a):
        low, high = np.minimum(label[a], label[b]), np.maximum(label[a], label[b])
        apart = low != high
        a, b = a[apart], b[apart]
        np.minimum.at(label, high[apart], low[apart])
        while (label[label] != label).any():
            label = label[label]
    return label


def joined(label: Ints, one: NDArray[np.integer], two: NDArray[np.integer]) -> Ints:
    """Return the labels after those of the places `one[i]` and `two[i]` were made the same."""
    return components(len(label), label[one], label[two])[label]
