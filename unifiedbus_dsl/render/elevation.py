"""The elevation of racks: what is mounted where, unit by unit, from the front and from the rear.

One drawing for each type of rack that states its `height`. Needs the plan alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.ir.plan import Child, Plan
from unifiedbus_dsl.ir.plan.elevation import (
    SIDES,
    UNIT,
    Mounted,
    Side,
    height_of,
    mounted,
    racks_with_height,
    units_text,
)
from unifiedbus_dsl.ir.plan.labels import element_text
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.detail import TooManyMarksError
from unifiedbus_dsl.render.floor import NothingPlacedError
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, clipped, identifier, moved, straight
from unifiedbus_dsl.render.plan_summary import (
    PlanSummary,
    assembly_named,
    has_npu,
    kind_name,
    type_called,
    type_name,
)
from unifiedbus_dsl.render.sheet import bounds, box_entry, sheet, text_entry

_TALL = 15.0
"""Points of a unit."""
_WIDE = 150.0
"""Points of a side."""
_SCALE = 24.0
"""Points for the numbers of units."""
_BETWEEN = 26.0
_IN_A_ROW = 2
_MOST = 2000
"""Parts of a drawing."""


def elevation_picture(plan: Plan, type_key: str | None = None, shared: PlanSummary | None = None) -> Picture:
    """Return the elevation of a rack, or of each type of rack in an assembly (the whole system if none is named).

    Raises:
        NothingPlacedError: no rack in it has a height and a part with a height and a place.
        TooManyMarksError: its racks have too many parts.
        NotAnAssemblyError: it has no parts.
    """
    key = type_key or plan.root
    survey = shared or PlanSummary(plan)
    assembly = assembly_named(plan, key)
    parts = {each: list(mounted(plan, plan.assemblies[each])) for each in _racks(plan, key)}
    parts = {each: found for each, found in parts.items() if found}
    if not parts:
        raise NothingPlacedError(
            f"no rack in `{key}` has an elevation: state the `height` of the rack and of its parts, such as 2 U, and "
            "where they are: `place tray as at(origin = [0 m, 10 U])`"
        )
    many = sum(map(len, parts.values()))
    if many > _MOST:
        raise TooManyMarksError(f"`{key}` has racks with {many:,} parts, more than the {_MOST:,} of an elevation")
    drawings = [_rack(plan, each, found) for each, found in parts.items()]
    notes = [said for each, found in parts.items() for said in _not_drawn(plan, each, found)]
    legend = [*_kinds(plan, parts.values()), text_entry("legend-units", "units are counted from below")]
    if any(part.sides == SIDES for found in parts.values() for part in found):
        legend.append(text_entry("legend-sides", "what goes through the whole depth is on both sides"))
    legend += [text_entry(f"legend-said-{i}", said) for i, said in enumerate(notes)]
    head = head_of(survey, key, f"{assembly.kind} · elevation")
    tiles = [(f"{plan.in_service[each]:,}", f"{type_called(each)}, {_used(plan, each, parts[each])}") for each in parts]
    shown = [*survey.look.notes, *((note, "") for note in head.notes[-1:])]
    return sheet(head.title, head.kind, shown, tiles, _arranged(drawings), legend, assembly.doc or "")


def _racks(plan: Plan, key: str) -> Iterator[str]:
    """Yield the types of racks with a height in an assembly, itself too."""
    inside, todo = set[str](), [key]
    while todo:
        each = todo.pop()
        if each in plan.assemblies and each not in inside:
            inside.add(each)
            todo += [child.type for child in plan.assemblies[each].children]
    yield from (each for each in racks_with_height(plan) if each in inside)


def _arranged(drawings: Sequence[Sequence[Mark]]) -> list[Mark]:
    """Return the drawings side by side, in as many rows as they need, each on the ground of its row."""
    marks: list[Mark] = []
    y = 0.0
    for first in range(0, len(drawings), _IN_A_ROW):
        row = drawings[first : first + _IN_A_ROW]
        areas = [bounds(each) for each in row]
        tall = max(bottom - top for _, top, _, bottom in areas)
        x = 0.0
        for each, (left, _, right, bottom) in zip(row, areas, strict=True):
            marks += moved(each, x - left, y + tall - bottom)
            x += right - left + _BETWEEN
        y += tall + _BETWEEN
    return marks


# ---- a rack -----------------------------------------------------------------------------------------------------


@frozen
class _Spot:
    """A part on a side: which of how many beside each other it is."""

    part: Mounted
    slot: int
    slots: int


def _rack(plan: Plan, key: str, parts: Sequence[Mounted]) -> list[Mark]:
    """Return both sides of a rack, with its units below each other; the last unit begins at y = 0."""
    units = _height(plan, key) / UNIT
    tall, id = float(units) * _TALL, identifier(key)
    marks: list[Mark] = []
    for n in range(ceil(units)):
        y = tall - (n + 0.5) * _TALL
        marks.append(
            Text(f"{id}-u{n + 1}", _SCALE - 6, y, str(n + 1), 9, colour=palette.QUIET, anchor="end", role="unit")
        )
    for number, side in enumerate(SIDES):
        left = _SCALE + number * (_WIDE + 12)
        marks += _side(plan, f"{id}-{side}", left, tall, side, parts)
    called = clipped(f"{type_called(key)}, {units_text(_height(plan, key))}", 12, 2 * _WIDE, bold=True)
    marks.append(Text(f"{id}-called", _SCALE, -32, called, 12, True, anchor="start", role="array-name"))
    return marks


def _side(plan: Plan, id: str, left: float, tall: float, side: Side, parts: Sequence[Mounted]) -> Iterator[Mark]:
    yield Text(f"{id}-title", left + _WIDE / 2, -12, side, 11, colour=palette.QUIET, role="side")
    yield Box(id, left, 0, _WIDE, tall, palette.LEVELS[0], palette.FRAME, 1.2, "square", behind=True, role="rack")
    for n in range(1, ceil(tall / _TALL)):
        y = tall - n * _TALL
        yield Line(f"{id}-line-{n}", straight((left, y), (left + _WIDE, y)), palette.HAIR, 0.5, role="rule")
    for spot in _spots([part for part in parts if side in part.sides]):
        yield from _part(plan, id, left, tall, side, spot)


def _spots(parts: Sequence[Mounted]) -> Iterator[_Spot]:
    """Yield the parts with those beside each: from left to right by their x."""
    for part in parts:
        beside = sorted({other.x for other in parts if other.meets(part)})
        yield _Spot(part, beside.index(part.x), len(beside))


def _part(plan: Plan, id: str, left: float, tall: float, side: Side, spot: _Spot) -> Iterator[Mark]:
    part, width = spot.part, _WIDE / spot.slots
    slot = spot.slot if side == "front" else spot.slots - 1 - spot.slot
    high = float(part.height / UNIT) * _TALL
    look = _look(plan, part.child.type)
    name = _name(part.child, part.element)
    box = Box(
        f"{id}-{identifier(name)}",
        left + slot * width + 1,
        tall - float(part.high / UNIT) * _TALL + 0.5,
        width - 2,
        high - 1,
        look.fill,
        look.stroke,
        0.8,
        "square",
        role="mounted",
        tip=f"{name} : {type_called(part.child.type)}\n{units_text(part.height)}, {_units_of(part)}",
    )
    yield box
    if high >= 12 and width > 30:
        text = clipped(f"{name} · {type_name(part.child.type)}", 9, width - 8)
        yield Text(f"{box.id}-name", *box.center, text, 9, colour=look.ink, role="name", tip=box.tip)


def _name(child: Child, element: int) -> str:
    return child.text_name + element_text(child, np.unravel_index(element, child.shape) if child.shape else ())


def _units_of(part: Mounted) -> str:
    """`unit 3`, `units 3 to 4`: which units a part is in, wholly or in part."""
    first, last = int(part.low / UNIT) + 1, ceil(part.high / UNIT)
    return f"unit {first}" if first >= last else f"units {first} to {last}"


def _look(plan: Plan, key: str) -> palette.KindStyle:
    """Return how a part looks: by its kind, of an assembly by what is most telling in it."""
    return evolve(palette.kind_style(_kind(plan, key)), shape="square")


def _kind(plan: Plan, key: str) -> str:
    if key in plan.devices:
        return plan.devices[key].kind
    kinds = _kinds_inside(plan, key)
    return "npu" if has_npu(plan, key) else next((kind for kind in palette.KINDS if kind in kinds), "device")


def _kinds_inside(plan: Plan, key: str) -> frozenset[str]:
    if key in plan.devices:
        return frozenset((plan.devices[key].kind,))
    return frozenset(kind for child in plan.assemblies[key].children for kind in _kinds_inside(plan, child.type))


# ---- what is said of it -----------------------------------------------------------------------------------------


def _kinds(plan: Plan, racks: Iterable[Sequence[Mounted]]) -> list[list[Mark]]:
    """Return a legend entry for each kind of part that is drawn."""
    types = dict.fromkeys(part.child.type for parts in racks for part in parts)
    looks = {_kind(plan, key): _look(plan, key) for key in types}
    return [box_entry(f"legend-{kind}", f"with {kind_name(kind, 2)}", look) for kind, look in looks.items()]


def _height(plan: Plan, key: str) -> Fraction:
    height = height_of(plan, key)
    assert height is not None
    return height


def _used(plan: Plan, key: str, parts: Sequence[Mounted]) -> str:
    """Return how much of a rack is taken from either side."""
    end = taken = Fraction(0)
    for part in sorted(parts, key=lambda part: part.low):
        taken += max(Fraction(0), part.high - max(end, part.low))
        end = max(end, part.high)
    return f"{units_text(taken).removesuffix(' U')} of {units_text(_height(plan, key))} taken"


def _not_drawn(plan: Plan, key: str, parts: Sequence[Mounted]) -> Iterator[str]:
    """Yield what of a rack has no height or no place."""
    shown = {part.child.name for part in parts}
    for child in plan.assemblies[key].children:
        if child.name not in shown:
            height = height_of(plan, child.type)
            why = "no height" if height is None else f"{units_text(height)}, no place"
            yield f"not drawn: {child.count:,} × {type_name(child.type)} ({child.text_name}; {why})"
