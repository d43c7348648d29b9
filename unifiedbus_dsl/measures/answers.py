"""What a question gives: a number that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.table import Tabular
from unifiedbus_dsl.base.units import Dimension, Quantity, dimension_symbol, format_quantity
from unifiedbus_dsl.solver.bounds import Kind

EXPRESSION = "expression"
"""Stands for the measure of an answer that is worked out of others; its `arguments` are the expression."""


@frozen(eq=False)
class Answer(Tabular):
    """One measure, answered.

    `value`, `lower` and `upper` are in SI base units (byte/s, s, 1) of `dimension`. `kind` is exact, or an interval
    [lower, upper] of proved bounds, or an estimate where it rests on a model or on something that is not known, which
    stands among the assumptions.
    `binding` names what limits it. `detail` holds what belongs to it and is no single number (a histogram, loads by
    tier)."""

    system: str
    block: str
    measure: str
    arguments: str
    value: float
    dimension: Dimension
    kind: Kind
    lower: float
    upper: float
    binding: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    seconds: float = 0.0
    detail: dict[str, Any] = field(factory=dict)
    text: str = ""
    """What a reader sees in place of the bare number, where there is more to say."""
    lines: tuple[str, ...] = ()
    """Of `detail` what a reader sees below, a line each."""
    binds: str = "limited by"
    """The words before what is in `binding`."""
    origin: Literal["plan", "fabric"] = "fabric"
    """What was asked: the plan, by its symmetries, or every device and cable."""
    of_base: tuple[float, float] | None = None
    """Bounds on the part that is left of what the whole machine had, where more is known than both answers."""

    unverified: tuple[str, ...] = ()
    """What of it rests on its finder alone: no verifier worked it out anew."""
    estimate: tuple[str, ...] = ()
    """Why it is an estimate, where it is one; these stand among the assumptions too."""

    def estimated(self, *reasons: str) -> Answer:
        """Return the answer as an estimate for these reasons."""
        return evolve(
            self, kind="estimate", estimate=(*self.estimate, *reasons), assumptions=(*self.assumptions, *reasons)
        )

    def headline(self) -> str:
        return f"{self.label} of {self.system}: {self.shown} ({self.standing})"

    def row_ids(self) -> Ints:
        return np.arange(1)

    def columns(self, rows: Ints) -> dict[str, Any]:
        return answer_columns([self for _ in rows])

    @property
    def label(self) -> str:
        return self.arguments if self.measure == EXPRESSION else f"{self.measure}({self.arguments})"

    @property
    def standing(self) -> str:
        """The kind for a reader, and whether all of it is verified."""
        return f"{self.kind}, unverified" if self.unverified else str(self.kind)

    @property
    def shown(self) -> str:
        """The value for a reader, an interval with both bounds."""
        if self.text:
            return self.text
        if self.kind == "interval":
            return f"{shown(self.lower, self.dimension)} to {shown(self.upper, self.dimension)}"
        return shown(self.value, self.dimension)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON holds them; a truth value is one, and a number that is not finite is null."""
        truth = self.detail.get("truth")
        return {
            "system": self.system,
            "block": self.block,
            "measure": self.measure,
            "arguments": self.arguments,
            "value": truth if truth is not None else _finite(self.value),
            "unit": dimension_symbol(self.dimension),
            "kind": self.kind,
            "from": self.origin,
            "lower": _finite(self.lower),
            "upper": _finite(self.upper),
            **({"unverified": list(self.unverified)} if self.unverified else {}),
            "binding": list(self.binding),
            "assumptions": list(self.assumptions),
            "seconds": round(self.seconds, 6),
            **(
                {"detail": {k: v for k, v in self.detail.items() if k != "truth"}}
                if set(self.detail) - {"truth"}
                else {}
            ),
        }


def answer_columns(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the columns of a table with a row for each answer."""
    return {
        "system": [each.system for each in answers],
        "block": [each.block for each in answers],
        "measure": [each.label for each in answers],
        "value": [each.value for each in answers],
        "unit": [dimension_symbol(each.dimension) for each in answers],
        "kind": [each.kind for each in answers],
        "lower": [each.lower for each in answers],
        "upper": [each.upper for each in answers],
        "shown": [each.shown for each in answers],
        "binding": ["; ".join(each.binding) for each in answers],
        "assumptions": ["; ".join(each.assumptions) for each in answers],
    }


def _finite(value: float) -> float | None:
    return value if abs(value) != float("inf") and value == value else None  # noqa: PLR0124 - NaN is not itself


def _exact(value: float) -> Fraction:
    """Return the fraction that a float between a billionth and 1 was rounded from, if it has a small denominator."""
    return Fraction(value).limit_denominator(10**12) if 1e-9 <= abs(value) < 1 else Fraction(value)


def shown(value: float, dimension: Dimension) -> str:
    """Return a value in SI units as a reader sees it."""
    if _finite(value) is None:
        return "unbounded" if value == float("inf") else "none"
    quantity = Quantity(_exact(value), dimension)
    if dimension == units.NUMBER and value != int(value):
        return f"{value:.4g}"
    return format_quantity(quantity)
