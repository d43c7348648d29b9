"""The cables of a detail picture: a line for each two devices that they join, or for each two parts where that is more
than an eye can follow, or those of the first part only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric.names import part_name
from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.cable_colours import MOST_LINES
from unifiedbus_dsl.render.marks import Line, Mark, cross, identifier, middle
from unifiedbus_dsl.render.places import Layout, rule_ends
from unifiedbus_dsl.render.plan_summary import PlanSummary, type_called, type_name
from unifiedbus_dsl.render.style import Added
from unifiedbus_dsl.render.ways import Path, Slots, end_at, way_between

MOST_CROSSED = 60
"""Lost cables that have a cross each; of more the parts that they end at have one."""

MOST_STRESSED = 0.25
"""Part of the cables that may be drawn wider for being the busiest: more would hide all else."""


@frozen
class Seen:
    """A type's instance in the picture: where it stands."""

    layout: Layout
    path: str
    x: float
    y: float
    depth: int
    start: int = 0
    """The first device of the picture that is in it."""
    bare: bool = False
    """Whether its frame is left out."""
    spare: bool = False
    """Whether it is a spare part, or in one."""


@frozen(eq=False)
class Drawn:
    """Lines, what was left out of them, and the names of the parts that alone have theirs."""

    marks: Sequence[Mark]
    notes: Sequence[str]
    alone: frozenset[str]


@frozen(eq=False)
class Pairs:
    """What one rule of an assembly type joins: devices counted within the type, shape (pairs,), and how many cables
    there are for each pair."""

    child: str | None
    link: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    cables: NDArray[np.int64]


def cable_lines(survey: PlanSummary, key: str, seen: Sequence[Seen], scale: float, inside: bool) -> Drawn:
    """Return the cables of every assembly in the picture, or of the outermost only."""
    notes: list[str] = []
    alone: set[str] = set()
    whole = key == survey.plan.root
    if survey.look.loads is not None and (not whole or survey.whole is not None):
        notes.append("a cable is coloured as the busiest of its like in the system")
    marks: list[Mark] = []
    instances: dict[str, list[Seen]] = {}
    devices = {one.start: part_name(survey.plan, one.path) for one in seen if not one.layout.parts}
    parts = {one.start: part_name(survey.plan, one.path) for one in seen if one.depth == 1}
    for one in seen:
        if one.layout.parts:
            instances.setdefault(one.layout.key, []).append(one)
    for name, places in instances.items():
        if name != key and not inside:
            note = f"cables inside {type_name(name)} are in its own picture"
            if survey.bundles[name] and note not in notes:
                notes.append(note)
            continue
        names = (devices, parts)
        drawn = _type_lines(survey, survey.plan.assemblies[name], places, names, name == key, scale, whole)
        marks += drawn.marks
        notes += drawn.notes
        alone |= drawn.alone
    marks += _added_lines(survey, seen, devices, scale)
    return Drawn(marks, notes, frozenset(alone))


def _added_lines(survey: PlanSummary, seen: Sequence[Seen], names: Mapping[int, str], scale: float) -> list[Mark]:
    """Return the lines that a picture has beside the cables of its plan, each within the smallest part that holds both
    of its ends."""
    held: dict[int, list[Added]] = {}
    for line in survey.look.added:
        both = (line.left, line.right)
        holders = [
            number
            for number, one in enumerate(seen)
            if one.layout.parts and all(one.start <= d < one.start + sum(one.layout.counts) for d in both)
        ]
        held.setdefault(max(holders, key=lambda number: seen[number].depth), []).append(line)
    marks: list[Mark] = []
    for number, lines in held.items():
        one = seen[number]
        left, right = (
            np.array([d - one.start for d in ends]) for ends in zip(*((a.left, a.right) for a in lines), strict=True)
        )
        paths = _paths(one.layout, [Pairs(None, "", left, right, np.ones(len(lines), np.int64))], False)[0]
        for k, (line, path) in enumerate(zip(lines, paths, strict=True)):
            points = tuple(((one.x + x) * scale, (one.y + y) * scale) for x, y in path)
            tip = line.words.format(names[line.left], names[line.right])
            id = f"added-{identifier(one.path)}-{k}"
            missing = line.colour == palette.LOST
            marks.append(Line(id, points, line.colour, 1.2 if missing else 2.4, role="added", tip=tip))
            marks += cross(f"{id}-cross", *middle(points), 3.5, palette.LOST) if missing else ()
    return marks


def _type_lines(
    survey: PlanSummary,
    assembly: AssemblyType,
    places: Sequence[Seen],
    names: tuple[Mapping[int, str], Mapping[int, str]],
    top: bool,
    scale: float,
    whole: bool,
) -> Drawn:
    type_lines = pairs_of(survey.plan, assembly)
    notes: list[str] = []
    alone: set[str] = set()
    count = sum(len(pairs.left) for pairs in type_lines)
    element_level = False
    if top and count > MOST_LINES:
        type_lines, element_level = tuple(_by_element(survey.plan, assembly, pairs) for pairs in type_lines), True
        notes.append(f"one line for all cables between two parts of {type_called(assembly.key)}")
        count = sum(len(pairs.left) for pairs in type_lines)
    many = [len(pairs.left) > MOST_LINES for pairs in type_lines]
    if any(many) and top:
        type_lines = tuple(
            _of_first(survey.plan, assembly, p) if each else p for p, each in zip(type_lines, many, strict=True)
        )
        notes.append("* cables drawn of this part only, the first of its array")
        starts = survey.plan.numbering.child_starts[assembly.key]
        alone |= {names[1].get(start, "") for start in starts[:-1]}
    if not top and count * len(places) > MOST_LINES:
        notes.append(f"* of {len(places):,} {type_called(assembly.key)}, cables inside are drawn in this one only")
        places = [_telling(survey, places)]
        alone.add(part_name(survey.plan, places[0].path))
    marks: list[Mark] = []
    paths = _paths(places[0].layout, type_lines, element_level)
    for number, pairs in sorted(enumerate(type_lines), key=lambda item: item[1].child is not None):
        colour = survey.rule_colour(assembly.key, assembly.rules[number])
        for one in places:
            of_pair = _pair_colours(survey, one, whole) if not element_level else _part_colours(survey, one)
            marks += _pair_lines(one, pairs, number, colour, scale, paths[number], names[element_level], of_pair)
    return Drawn(marks, notes, frozenset(alone))


def _telling(survey: PlanSummary, places: Sequence[Seen]) -> Seen:
    """Return the first instance in which a scenario takes something, or the first."""
    if survey.look.lost is None:
        return places[0]
    size = survey.plan.device_count[places[0].layout.key]
    lost = survey.look.lost
    return next((one for one in places if lost.places(one.start, size, 1)), places[0])


def pairs_of(plan: Plan, assembly: AssemblyType) -> tuple[Pairs, ...]:
    """Return what the rules of an assembly type join, device by device."""
    size = plan.device_count[assembly.key]
    pairs = []
    for number, rule in enumerate(assembly.rules):
        left, right = rule_ends(plan, assembly, number)
        codes, cables = np.unique(left * size + right, return_counts=True)
        child = rule.left.child if rule.left.child == rule.right.child else None
        pairs.append(Pairs(child, rule.link, codes // size, codes % size, cables))
    return tuple(pairs)


def _elements(plan: Plan, assembly: AssemblyType) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each device the number of its part (all child arrays counted through), and of each part its first device."""
    counts = np.concatenate([np.full(c.count, plan.device_count[c.type], np.int64) for c in assembly.children])
    return np.repeat(np.arange(len(counts)), counts), np.concatenate([[0], np.cumsum(counts)[:-1]])


def _by_element(plan: Plan, assembly: AssemblyType, pairs: Pairs) -> Pairs:
    """Return the same between parts: each known by its first device."""
    part, first = _elements(plan, assembly)
    left, right = part[pairs.left], part[pairs.right]
    codes, at = np.unique(left * len(first) + right, return_inverse=True)
    cables = np.bincount(at, weights=pairs.cables).astype(np.int64)
    return Pairs(pairs.child, pairs.link, first[codes // len(first)], first[codes % len(first)], cables)


def _of_first(plan: Plan, assembly: AssemblyType, pairs: Pairs) -> Pairs:
    """Only those with an end in the first part of a child array."""
    starts = plan.numbering.child_starts[assembly.key]
    firsts = np.zeros(plan.device_count[assembly.key], dtype=bool)
    for start, child in zip(starts, assembly.children, strict=False):
        firsts[start : start + plan.device_count[child.type]] = True
    keep = firsts[pairs.left] | firsts[pairs.right]
    return Pairs(pairs.child, pairs.link, pairs.left[keep], pairs.right[keep], pairs.cables[keep])


PairColour: TypeAlias = Callable[[int, int], tuple[str, bool] | None]
"""Of two devices of a part: the colour of the cables between them (none of their own: ``""``), and whether they are the
busiest; None where all are lost."""


def _part_colours(survey: PlanSummary, seen: Seen) -> PairColour | None:
    """Return the colours of the cables between two parts, each known by its first device, where groups of devices tell
    cables apart."""
    groups = survey.look.groups
    if groups is None or survey.look.loads is not None:
        return None
    last = dict(zip(seen.layout.starts, seen.layout.counts, strict=True))
    return lambda a, b: (groups.colour(range(a, a + last[a]), range(b, b + last[b])), False)


def _pair_colours(survey: PlanSummary, seen: Seen, whole: bool) -> PairColour | None:
    """Return the colours of the cables between two devices of a part, where a view asks for loads or losses.

    Of a part alone no instance is meant, so its cables are as those of the busiest one are."""
    loads, lost, groups = survey.look.loads, survey.look.losses, survey.look.groups
    if groups is not None and loads is None and lost is None:
        return lambda a, b: (groups.colour(*(range(seen.start + d, seen.start + d + 1) for d in (a, b))), False)
    if survey.whole is not None or not whole or (loads is None and lost is None):
        return None

    def colour(a: int, b: int) -> tuple[str, bool] | None:
        pair = seen.start + a, seen.start + b
        if lost is not None and lost.between(*pair):
            return None
        if loads is None:
            return "", False
        load = loads.of_pair(*pair)
        return loads.colour(load), loads.is_busiest(load)

    return colour


def _paths(layout: Layout, pairs: Sequence[Pairs], whole: bool) -> list[list[Path]]:
    """Return the path of each line in the frame of the layout; `whole` means that it ends at parts, not at devices in
    them."""
    slots = Slots()
    for _ in range(2):
        paths = [
            [
                way_between(layout, end_at(layout, a, whole), end_at(layout, b, whole), slots)
                for a, b in zip(each.left.tolist(), each.right.tolist(), strict=True)
            ]
            for each in pairs
        ]
        slots.settle()
    return paths


def _pair_lines(
    seen: Seen,
    pairs: Pairs,
    number: int,
    colour: str,
    scale: float,
    paths: Sequence[Path],
    names: Mapping[int, str],
    of_pair: PairColour | None = None,
) -> list[Mark]:
    width, shade = _weight(pairs)
    marks: list[Mark] = []
    ends = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    owns = [of_pair(a, b) if of_pair else (colour, False) for a, b in ends]
    busiest = sum(own is not None and own[1] for own in owns)
    lost = sum(own is None for own in owns)
    crosses: list[Mark] = []
    stress = 2.5 if busiest <= MOST_STRESSED * len(owns) else 1.0
    for k, ((a, b), cables, own) in enumerate(zip(ends, pairs.cables.tolist(), owns, strict=True)):
        points = tuple(((seen.x + x) * scale, (seen.y + y) * scale) for x, y in paths[k])
        id = f"{identifier(seen.path) if seen.path else 'cables'}-{number}-{k}"
        joined = names[seen.start + a], names[seen.start + b]
        tip = f"{cables:,} × {pairs.link}: {joined[0]} -- {joined[1]}"
        if own is None:
            marks.append(Line(id, points, palette.LOST, 0.8, role="cable lost", tip=f"{tip}, lost", ends=joined))
            crosses += cross(f"{id}-cross", *middle(points), 3.5, palette.LOST) if lost <= MOST_CROSSED else ()
            continue
        shown, is_busiest = own
        tall = stress * width if is_busiest else width
        marks.append(Line(id, points, (shown or colour) + shade, tall, role="cable", tip=tip, ends=joined))
    lines = sorted(marks, key=lambda mark: isinstance(mark, Line) and (mark.role == "cable lost", mark.width > width))
    return [*lines, *crosses]


def _weight(pairs: Pairs) -> tuple[float, str]:
    """Width and opacity of a line: those that climb from tier to tier are many and lie under the others."""
    many = len(pairs.left)
    if pairs.child is None and many > 100:
        return (0.8, "a0") if many <= 400 else (0.6, "78")
    return (1.2, "") if many <= 64 else (0.8, "cc") if many <= 400 else (0.6, "99")
