"""Estimates: no bounds are claimed; what is held is that they are made of their parts and beat no proved bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from unifiedbus_dsl.verify import Proved, require

if TYPE_CHECKING:
    from unifiedbus_dsl.verify.cables import Cables

ROUNDING = 1e-6


@frozen
class EstimateCertificate:
    """An estimate `value` that rests on a sum `total` of `parts`, which is no less than a proved bound `least`."""

    value: float
    total: float
    least: float
    parts: tuple[float, ...]

    def prove(self, cables: Cables) -> Proved:
        whole = sum(self.parts)
        require(abs(whole - self.total) <= ROUNDING * abs(self.total), "the parts of an estimate don't add up to it")
        require(self.least <= self.total * (1 + ROUNDING), "an estimate is below what nothing can be below")
        return Proved.exactly(self.value)
