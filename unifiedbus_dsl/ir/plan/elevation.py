"""Where parts are mounted in a rack: how high above its lowest unit, how high they are themselves, and from which side
they are seen.

A rack that states its `height` has an elevation. There, `place` says where in the rack a part is: its y is the height
of its lower edge above the lower edge of the first unit, and parts at different x stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Literal, TypeAlias

from attrs import frozen

from unifiedbus_dsl.base.units import UNITS, Quantity, format_number
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan

Side: TypeAlias = Literal["front", "rear"]
SIDES: tuple[Side, ...] = ("front", "rear")

UNIT = UNITS["U"][0]
"""Metres of a rack unit."""


@frozen
class Mounted:
    """An element of a child array in its place: `low` and `height` in metres, `sides` from which it is seen; through
    the whole depth of the rack where these are both."""

    child: Child
    element: int
    x: Fraction
    low: Fraction
    height: Fraction
    sides: tuple[Side, ...]

    @property
    def high(self) -> Fraction:
        return self.low + self.height

    def meets(self, other: Mounted) -> bool:
        """Return whether the two share some height on a side."""
        return self.low < other.high and other.low < self.high and bool(set(self.sides) & set(other.sides))


def height_of(plan: Plan, key: str) -> Fraction | None:
    """Return the height of a type in metres, if it states one."""
    value = plan.type(key).fields.get("height")
    return value.value if isinstance(value, Quantity) else None


def sides_of(plan: Plan, key: str) -> tuple[Side, ...]:
    """Return from which sides of a rack parts of a type are seen."""
    face = plan.type(key).fields.get("face")
    return tuple(side for side in SIDES if face is None or face == side)


def mounted(plan: Plan, rack: AssemblyType) -> Iterator[Mounted]:
    """Yield the parts of a rack that state a height and have a place, in the order of its arrays."""
    places = {each.child: each.positions for each in rack.elevation_places}
    for child in rack.children:
        height = height_of(plan, child.type)
        if height is not None and child.name in places:
            sides = sides_of(plan, child.type)
            for element, (x, y) in enumerate(places[child.name]):
                yield Mounted(child, element, x, y, height, sides)


def alone(parts: Iterable[Mounted]) -> list[Mounted]:
    """Return the parts that have their height to themselves, on the sides from which they are seen."""
    shared: set[Mounted] = set()
    ordered = sorted(parts, key=lambda part: part.low)
    for side in SIDES:
        highest: Mounted | None = None
        for part in (each for each in ordered if side in each.sides):
            if highest is not None and part.low < highest.high:
                shared |= {highest, part}
            highest = part if highest is None or part.high > highest.high else highest
    return [part for part in ordered if part not in shared]


def racks_with_height(plan: Plan) -> tuple[str, ...]:
    """Return the types of racks that state a height."""
    return tuple(key for key, of in plan.assemblies.items() if of.has_elevation)


def units_text(metres: Fraction) -> str:
    """`42 U`."""
    return f"{format_number(metres / UNIT)} U"
