"""Look for circles of garbage less often than Python does."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (100_000, 20, 100)
"""Objects more before the youngest are looked at, and how many such looks before one at the older ones."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect circles of garbage at `THRESHOLDS` meanwhile.

    The tree of a text is a million objects that stay and lie in no circle; to look at all of them again and again took
    two fifths of the time of a text of a megabyte.
    """
    before = gc.get_threshold()
    gc.set_threshold(*(max(pair) for pair in zip(before, THRESHOLDS, strict=True)))
    try:
        yield
    finally:
        gc.set_threshold(*before)
