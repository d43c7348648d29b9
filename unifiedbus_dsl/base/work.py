"""Work is counted before it is done, and refused where it is too much: no text keeps the compiler busy for ever.

A step is about 10 nanoseconds: one number of an array. What costs more says so by more steps. Outside of `limited`
nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import define

from unifiedbus_dsl.base.source import Span

__all__ = [
    "CABLE",
    "COUNTED",
    "HOLED",
    "LARGEST",
    "LINE",
    "LISTED",
    "PICKED",
    "QUESTION",
    "READ",
    "SORTED",
    "STATEMENT",
    "SYSTEM",
    "TOKEN",
    "VISITED",
    "OverLimitError",
    "about",
    "limited",
    "may_guess",
    "spend",
]

TOKEN = 350
"""Steps of a token that is read."""
LINE = 3_000
"""Steps of a statement that is read, bound and evaluated."""
QUESTION = 10_000
"""Steps of a question that is checked."""
STATEMENT = 10_000
"""Steps of a statement that makes a rule, besides what it lists."""
READ = 5
"""Statements that one is worth for each table that it reads."""
COUNTED = 1
"""Steps of a number that is worked out."""
LISTED = 4
"""Steps of a number that is kept in a list of ports."""
SORTED = 16
"""Steps of a number that is sorted among others."""
HOLED = 9
"""Steps of an element of an array that others are left out of: its label and its place are kept."""
SYSTEM = 15_000
"""Steps of a system, whose totals and islands are checked."""
CABLE = 4_000
"""Steps of a line of a cable list."""
VISITED = 400
"""Steps of a thing of the text, such as a line or a name, that is looked at once more."""
PICKED = 2_000
"""Steps of the elements of an array that one word of a path selects."""
LARGEST = 1 << 25
"""Numbers of one array: 256 MiB."""
GUESSES = 100_000
"""Candidates that are looked at for all questions of the sort `did you mean`."""


class OverLimitError(Exception):
    """More work than is taken on: `needed` steps so far, with a `limit`, for what stands at `span`."""

    def __init__(self, needed: int, limit: int, span: Span | None) -> None:
        super().__init__(f"{needed:,} steps, and the limit is {limit:,}")
        self.needed, self.limit, self.span = needed, limit, span


@define(eq=False)
class _Meter:
    limit: int
    done: int = 0
    guesses: int = 0
    span: Span | None = None


_meter: ContextVar[_Meter | None] = ContextVar("work_meter", default=None)


@contextmanager
def limited(limit: int) -> Iterator[None]:
    """Count what is done inside; one run within another has a count of its own."""
    token = _meter.set(_Meter(limit))
    try:
        yield
    finally:
        _meter.reset(token)


def about(span: Span | None) -> None:
    """Say which text the work that follows is for."""
    meter = _meter.get()
    if meter is not None and span is not None:
        meter.span = span


def spend(count: int, steps: int = COUNTED) -> None:
    """Take so many numbers on, each of so many steps: call it before they are worked out.

    Raises:
        OverLimitError: with what was taken on before it is more than the limit, or one array would be too large.
    """
    meter = _meter.get()
    if meter is None:
        return
    meter.done += count * steps
    if meter.done > meter.limit:
        raise OverLimitError(meter.done, meter.limit, meter.span)
    if count > LARGEST:
        raise OverLimitError(max(meter.done, meter.limit + 1), meter.limit, meter.span)


def may_guess(candidates: int) -> bool:
    """Return whether so many more names may be compared with one that is unknown."""
    meter = _meter.get()
    if meter is None:
        return True
    meter.guesses += candidates
    return meter.guesses <= GUESSES
