"""Random orders that a seed means for ever.

Random numbers are the raw 64-bit outputs of PCG64, seeded through NumPy's `SeedSequence`; both are fixed by NumPy's
compatibility policy. What is made of them is written here, and pinned by tests: changing it changes machines and
traffic that people have published.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class StablePermutation:
    """Random orders one after another: sort by one raw output for each element."""

    def __init__(self, seed: int | Sequence[int]) -> None:
        self._source = np.random.PCG64(seed)

    def __call__(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values in a random order."""
        keys = self._source.random_raw(len(values))
        return np.asarray(values[np.argsort(keys, kind="stable")])
