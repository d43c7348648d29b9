"""A lower bound of the bisection: its value, what proves it in words, and a certificate that a verifier adds up."""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.verify.bisection import LowerBound, NoBound


@frozen(eq=False)
class ProvedBound:
    """A proved lower bound, byte/s, and what proves it."""

    value: float
    reason: str
    proof: LowerBound


NOTHING = ProvedBound(0.0, "a cut carries no less than nothing", NoBound())


def max_bound(a: ProvedBound, b: ProvedBound) -> ProvedBound:
    """Return the better of two lower bounds, the first where they are the same."""
    return b if b.value > a.value else a
