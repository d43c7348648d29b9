"""Verifiers of answers: each recomputes what an answer claims from the fabric's own columns, by another way.

Nothing here imports the network, the symmetries or the solver, so a fault there can't hide itself. A measure gives its
answer with a **certificate** (a cut, loads, distances, prices) in terms of the fabric's cables; `prove` adds it up anew
in a few passes of array operations, gives the interval that it shows, and raises `VerificationError` where the claim
does not hold. `accept` then holds the answer's bounds to that interval: the one place where a lower bound above an
upper bound is seen.

Vertices are numbered device by device, in each forwarding set by forwarding set (a switch has one, another device one
for each `transit` line, and a last one of its ports in no line). A line `A -- B` has two, what comes in by A and what
comes in by B, behind the other lines. End points are the devices that are no switches, in
order.
"""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from unifiedbus_dsl.verify.cables import Cables

__all__ = ["Both", "Certificate", "Proved", "Stated", "VerificationError", "accept", "require"]

ROUNDING = 1e-7
"""Relative difference of two numbers that are the same but for rounding, theirs and that of a linear program."""


class VerificationError(RuntimeError):
    """An answer failed its verification: a fault of the compiler, never a number to be shown."""


@frozen
class Proved:
    """The interval that a certificate shows, in SI units; `unverified` says what of it is believed alone."""

    lower: float
    upper: float
    unverified: tuple[str, ...] = ()

    @classmethod
    def exactly(cls, value: float, *unverified: str) -> Proved:
        return cls(float(value), float(value), tuple(each for each in unverified if each))


@frozen
class Stated:
    """Bounds that their finder has shown; they are held to their order alone, and `why` says what nobody checked."""

    lower: float
    upper: float
    why: str

    def prove(self, cables: Cables) -> Proved:
        says_nothing = self.lower <= 0 and self.upper == float("inf")
        return Proved(self.lower, self.upper, () if says_nothing else (self.why,))


class Certificate(Protocol):
    """What shows an answer."""

    def prove(self, cables: Cables) -> Proved:
        """Return the interval that is shown.

        Raises:
            VerificationError: the certificate does not hold.
        """
        ...


@frozen(eq=False)
class Both:
    """A lower bound that one certificate shows, and an upper bound that another does; either may be missing."""

    below: Certificate | None
    above: Certificate | None

    def prove(self, cables: Cables) -> Proved:
        low = self.below.prove(cables) if self.below else Proved(0.0, inf)
        high = self.above.prove(cables) if self.above else Proved(0.0, inf)
        return Proved(low.lower, high.upper, tuple(dict.fromkeys((*low.unverified, *high.unverified))))


def require(holds: object, claim: str) -> None:
    """Raise where a claim does not hold."""
    if not holds:
        raise VerificationError(claim)


def accept(proved: Proved, lower: float, upper: float) -> None:
    """Hold the bounds of an answer to the interval that was proved: both are in order, and none claims more.

    Raises:
        VerificationError: they are not.
    """
    require(not any(map(isnan, (lower, upper, proved.lower, proved.upper))), "a bound is not a number")
    for low, high, which in (
        (proved.lower, proved.upper, "the proved lower bound {:.9g} is above the proved upper bound {:.9g}"),
        (lower, upper, "the lower bound {:.9g} is above the upper bound {:.9g}"),
        (lower, proved.lower, "the answer's lower bound {:.9g} is above what is proved, {:.9g}"),
        (proved.upper, upper, "an upper bound of {:.9g} is proved, and the answer claims {:.9g}"),
    ):
        scale = max(abs(low), abs(high)) if abs(high) != float("inf") else 0.0
        require(low <= high + ROUNDING * scale, which.format(low, high))
