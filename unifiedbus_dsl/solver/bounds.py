"""What a measure gives: a number with its kind, and columns aligned to the network."""

from __future__ import annotations

from math import isfinite
from time import monotonic
from typing import Literal

from attrs import frozen

from unifiedbus_dsl.verify import VerificationError

Kind = Literal["exact", "interval", "estimate"]


@frozen
class BoundedValue:
    """A value that lies in [lower, upper]. `exact`: the bounds meet, but for rounding. `interval`: both are proved.
    `estimate`: it rests on a model or an assumption, which the reason has. `reason` says where the number comes
    from."""

    value: float
    kind: Kind
    lower: float
    upper: float
    reason: str

    def __float__(self) -> float:
        return self.value


def exact(value: float, reason: str) -> BoundedValue:
    return BoundedValue(float(value), "exact", float(value), float(value), reason)


def estimated(value: float, reason: str) -> BoundedValue:
    """Return an estimate; `reason` says of which model, with its constants."""
    return BoundedValue(float(value), "estimate", float(value), float(value), reason)


def bounded(lower: float, upper: float, reason: str, tolerance: float = 1e-9) -> BoundedValue:
    """Exact where the ends meet within the relative tolerance. The value is the proved lower bound.

    Raises:
        VerificationError: the lower bound is above the upper one.
    """
    hold_order(lower, upper, tolerance)
    if isfinite(upper) and upper - lower <= tolerance * abs(upper):
        return BoundedValue(float(lower), "exact", float(min(lower, upper)), float(max(lower, upper)), reason)
    return BoundedValue(float(lower), "interval", float(lower), float(upper), reason)


def hold_order(lower: float, upper: float, tolerance: float = 1e-7) -> None:
    """Hold two proved bounds of one quantity to their order, but for a relative rounding.

    Raises:
        VerificationError: they contradict each other: one of them is wrong.
    """
    if not lower <= upper * (1 + tolerance):
        raise VerificationError(f"the proved lower bound {lower:.9g} is above the proved upper bound {upper:.9g}")


class NotAdmittedError(ValueError):
    """The question has no answer on this network: a pair without a path, a routing that doesn't reach."""


class DeadlineError(NotAdmittedError):
    """What was asked is not solved in the time that is allowed."""


def check_deadline(deadline_s: float) -> None:
    """Refuse to go on after `deadline_s`, a time of the clock that `monotonic` reads."""
    if monotonic() > deadline_s:
        raise DeadlineError("not solved in the time allowed")


class NoPathError(NotAdmittedError):
    """Some end point sends to one to which it has no path."""
