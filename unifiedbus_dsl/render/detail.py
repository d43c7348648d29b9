"""The picture of an assembly down to each device, with positions of our own.

Every device is drawn. Cables are drawn one line for each two devices that they join; where that is more than an eye can
follow, one for each two parts, then those of the first part only, and the legend says so. Needs the plan alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import hypot

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric.names import part_name
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.ir.plan.labels import element_text
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Point, Text, hanging, identifier, straight, text_width
from unifiedbus_dsl.render.places import HEAD, Layout, Part, bow_depth, layout, rule_ends, sizes_for
from unifiedbus_dsl.render.plan_summary import PlanSummary, assembly_named, bundle_name, medium, plain_name
from unifiedbus_dsl.render.sheet import (
    figure_tiles,
    kind_entries,
    line_entry,
    sheet,
    summary,
    text_entry,
    wiring_entries,
)
from unifiedbus_dsl.render.svg import svg

MOST_DEVICES = 20_000
MOST_LINES = 3_000
"""Lines of one assembly type, all its instances together, that are drawn in full."""

MOST_STRESSED = 0.25
"""Part of the cables that may be drawn wider for being the busiest: more would hide all else."""
MOST_STATEMENTS = 6
"""Colours by which cables of one medium are told apart."""

_PAGE = 880.0
_SMALLEST = 9.0


class TooManyMarksError(ValueError):
    """The picture would have more marks than anyone can look at."""


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


@frozen(eq=False)
class Pairs:
    """What one rule of an assembly type joins: devices counted within the type, shape (pairs,), and how many cables
    there are for each pair."""

    child: str | None
    medium: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    cables: NDArray[np.int64]


def detail(plan: Plan, type_key: str | None = None) -> str:
    """The picture of an assembly type of the plan (the whole system if none is named) down to each device, as SVG.

    Raises:
        TooManyMarksError: it has more than `MOST_DEVICES` devices.
        NoGraphvizError: there is nothing to draw with.
    """
    return svg(detail_picture(plan, type_key))


def detail_picture(plan: Plan, type_key: str | None = None, shared: PlanSummary | None = None) -> Picture:
    """The same as values."""
    key = type_key or plan.root
    assembly = assembly_named(plan, key)
    survey = _told_apart(plan, key, shared or PlanSummary(plan))
    drawing, notes = detail_drawing(plan, key, survey)
    figures = survey.figures[key]
    legend = [
        *(survey.look.legend or wiring_entries(survey, figures)),
        *survey.look.part_legend,
        *kind_entries(figures),
    ]
    legend += [text_entry(f"legend-note-{i}", note) for i, note in enumerate(notes)]
    kind = survey.look.kind(key, f"{assembly.kind} · every device")
    return sheet(
        survey.look.title or key,
        kind,
        [*survey.look.notes, (summary(assembly.doc), "")],
        figure_tiles(figures),
        drawing,
        legend,
        assembly.doc or "",
    )


def _told_apart(plan: Plan, key: str, survey: PlanSummary) -> PlanSummary:
    """Where all cables are of one medium, those of each statement in a colour of their own: a mesh along the boards is
    then seen beside that across them."""
    look = survey.look
    if look.legend or look.loads or look.lost:
        return survey
    inside = set(evolve(plan, root=key).bottom_up)
    statements = [(n, bundle) for n in reversed(plan.bottom_up) if n in inside for bundle in survey.bundles[n]]
    media = {bundle.medium for _, bundle in statements}
    if len(media) != 1 or not 1 < len(statements) <= MOST_STATEMENTS:
        return survey
    others = [colour for colour in palette.LINES if colour != survey.colours[next(iter(media))]]
    colours = [survey.colours[next(iter(media))], *others][: len(statements)]
    legend: list[list[Mark]] = []
    for i, ((name, bundle), colour) in enumerate(zip(statements, colours, strict=True)):
        where = "" if name == key else f"in {plain_name(name)}: "
        text = f"{where}{bundle_name(plan, name, bundle)} · {bundle.text}"
        legend.append(line_entry(f"legend-statement-{i}", text, colour))
    chosen = {
        (name, rule.origin): colour
        for (name, bundle), colour in zip(statements, colours, strict=True)
        for rule in bundle.rules
    }
    return evolve(survey, look=evolve(look, statement_colours=chosen, legend=legend))


def detail_drawing(plan: Plan, key: str, survey: PlanSummary) -> tuple[list[Mark], list[str]]:
    """The drawing without the sheet around it, and what was left out of it.

    Raises:
        TooManyMarksError: as `detail`.
    """
    devices = plan.device_count[key]
    if devices > MOST_DEVICES:
        raise TooManyMarksError(
            f"`{key}` has {devices:,} devices, more than the {MOST_DEVICES:,} that can be drawn one by one: "
            "draw its overview, or one of its parts"
        )
    sizes = sizes_for(devices)
    root = layout(survey, key, sizes)
    scale = min(1.0, _PAGE / root.width)
    if scale < 0.9:  # names must stay readable
        sizes = evolve(sizes, head=min(60.0, HEAD / scale))
        root = layout(survey, key, sizes)
    seen = tuple(_walk(plan, root, Seen(root, "", 0.0, 0.0, 0)))
    lines, notes = _lines(survey, key, seen, scale, inside=not sizes.tiny)
    boxes = [mark for one in seen[1:] for mark in _box(survey, one, scale, sizes.head * scale)]
    behind = [mark for mark in boxes if isinstance(mark, Box) and mark.behind]
    front = [mark for mark in boxes if not (isinstance(mark, Box) and mark.behind)]
    return [*behind, *lines, *front], notes


def _walk(plan: Plan, root: Layout, at: Seen) -> Iterator[Seen]:
    """Every part below, parents first, devices in the order of the plan."""
    yield at
    children = plan.assemblies[at.layout.key].by_name if at.layout.parts else {}
    start = at.start
    for part in at.layout.parts:
        path = _joined(at.path, part, children[part.child])
        below = Seen(part.layout, path, at.x + part.x, at.y + part.y, at.depth + 1, start)
        start += plan.device_count[part.layout.key]
        yield from _walk(plan, root, below)


def _joined(path: str, part: Part, child: Child) -> str:
    at: list[int] = []
    rest = part.element
    for size in reversed(child.shape):
        rest, place = divmod(rest, size)
        at.insert(0, place)
    own = part.child + element_text(child, at)
    return f"{path}.{own}" if path else own


def _box(survey: PlanSummary, seen: Seen, scale: float, head: float) -> list[Mark]:
    """A part: a device as a square, an assembly as a frame, named where there is room."""
    key = seen.layout.key
    device = survey.plan.devices.get(key)
    x, y = seen.x * scale, seen.y * scale
    width, height = seen.layout.width * scale, seen.layout.height * scale
    look = (
        palette.kind_style(device.kind)
        if device
        else palette.KindStyle(palette.LEVELS[(seen.depth + 1) % 2], palette.FRAME)
    )
    if device:
        look = survey.look.part_looks.get(key, look)
    gone = _is_gone(survey, seen)
    if gone:
        look = palette.GONE if width > 12 or not device else palette.KindStyle(palette.INK, palette.INK)
    box = Box(
        identifier(seen.path),
        x,
        y,
        width,
        height,
        look.fill,
        look.stroke,
        line=1.0 if width > 12 else 0.5,
        shape="rounded" if width > 12 else "square",
        dashed=gone,
        behind=device is None,
        role="device" if device else "part",
        tip=f"{part_name(survey.plan, seen.path)} : {key}" + (" (lost)" if gone else ""),
    )
    called = part_name(survey.plan, seen.path)
    own = seen.path.rpartition(".")[2] if called == seen.path else called
    label = _label(own, box, None if device else head, survey.look.part_texts.get(key))
    if gone and device and width > 12:
        return [
            box,
            Text(
                box.id + "-lost",
                *box.center,
                "×",
                min(28.0, max(_SMALLEST, width * 0.7)),
                True,
                role="lost",
                tip=box.tip,
            ),
        ]
    return [box, *label]


def _is_gone(survey: PlanSummary, seen: Seen) -> bool:
    """Whether a scenario has taken all of a part."""
    if survey.look.lost is None:
        return False
    count = survey.plan.device_count[seen.layout.key]
    return survey.look.lost.within(seen.start, count) == count


def _label(name: str, box: Box, head: float | None, said: str | None) -> list[Mark]:
    """The name of a device (or what a view wants there) in its middle, of an assembly in its head: as much as fits."""
    own = name if said is None else said
    short = own[own.find("[") :].strip("[]").replace(" ", "") if "[" in own else own
    room = box.height if head is None else head
    if head is not None and box.height < 2 * head:
        return []
    for text, size in ((own, 11.0), (own, 9.5), (short, 10.0), (short, _SMALLEST)):
        if text_width(text, size) <= box.width - 2 and size * 1.3 <= room:
            id = box.id + "-name"
            if head is None:
                return [Text(id, *box.center, text, size, role="name", tip=box.tip)]
            left = box.x + min(8.0, (box.width - text_width(text, size)) / 2)
            return [Text(id, left, box.y + room / 2 + 0.5, text, size, anchor="start", role="frame-name", tip=box.tip)]
    return []


# ---- cables -----------------------------------------------------------------------------------------------------


def _lines(
    survey: PlanSummary, key: str, seen: Sequence[Seen], scale: float, inside: bool
) -> tuple[list[Mark], list[str]]:
    """The cables of every assembly in the picture (or of the outermost only), and what was left out."""
    notes: list[str] = []
    whole = key == survey.plan.root
    if survey.look.loads is not None and (not whole or survey.whole is not None):
        notes.append("a cable is coloured as the busiest of its like in the system")
    marks: list[Mark] = []
    instances: dict[str, list[Seen]] = {}
    for one in seen:
        if one.layout.parts:
            instances.setdefault(one.layout.key, []).append(one)
    for name, places in instances.items():
        if name != key and not inside:
            if survey.bundles[name]:
                notes.append(f"cables inside {name} are in its own picture")
            continue
        drawn, note = _type_lines(survey, survey.plan.assemblies[name], places, name == key, scale, whole)
        marks += drawn
        notes += note
    return marks, notes


def _type_lines(
    survey: PlanSummary, assembly: AssemblyType, places: Sequence[Seen], top: bool, scale: float, whole: bool
) -> tuple[list[Mark], list[str]]:
    found = pairs_of(survey.plan, assembly)
    notes: list[str] = []
    count = sum(len(pairs.left) for pairs in found)
    element_level = False
    if top and count > MOST_LINES:
        found, element_level = tuple(_by_element(survey.plan, assembly, pairs) for pairs in found), True
        notes.append(f"one line for all cables between two parts of {assembly.key}")
        count = sum(len(pairs.left) for pairs in found)
    if any(_too_many(pairs) for pairs in found) and top:
        found = tuple(_of_first(survey.plan, assembly, pairs) if _too_many(pairs) else pairs for pairs in found)
        notes.append("cables drawn of the first part of each array only")
    if not top and count * len(places) > MOST_LINES:
        notes.append(f"cables inside {assembly.key} drawn in the first of {len(places):,} only")
        places = places[:1]
    marks: list[Mark] = []
    for number, pairs in sorted(enumerate(found), key=lambda item: item[1].child is not None):
        colour = survey.rule_colour(assembly.key, assembly.rules[number])
        for one in places:
            of_pair = _pair_colours(survey, one, whole) if not element_level else None
            marks += _pair_lines(assembly, one, pairs, number, colour, scale, element_level, of_pair)
    return marks, notes


def _too_many(pairs: Pairs) -> bool:
    """Lines from tier to tier all cross each other, lines along rows and columns do not."""
    return len(pairs.left) > (MOST_LINES if pairs.child is not None else MOST_LINES // 2)


def pairs_of(plan: Plan, assembly: AssemblyType) -> tuple[Pairs, ...]:
    """What the rules of an assembly type join, device by device."""
    size = plan.device_count[assembly.key]
    found = []
    for number, rule in enumerate(assembly.rules):
        left, right = rule_ends(plan, assembly, number)
        codes, cables = np.unique(left * size + right, return_counts=True)
        child = rule.left.child if rule.left.child == rule.right.child else None
        found.append(Pairs(child, medium(plan, rule.link), codes // size, codes % size, cables))
    return tuple(found)


def _elements(plan: Plan, assembly: AssemblyType) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each device the number of its part (all child arrays counted through), and of each part its first device."""
    counts = np.concatenate([np.full(c.count, plan.device_count[c.type], np.int64) for c in assembly.children])
    return np.repeat(np.arange(len(counts)), counts), np.concatenate([[0], np.cumsum(counts)[:-1]])


def _by_element(plan: Plan, assembly: AssemblyType, pairs: Pairs) -> Pairs:
    """The same between parts: each known by its first device."""
    part, first = _elements(plan, assembly)
    left, right = part[pairs.left], part[pairs.right]
    codes, at = np.unique(left * len(first) + right, return_inverse=True)
    cables = np.bincount(at, weights=pairs.cables).astype(np.int64)
    return Pairs(pairs.child, pairs.medium, first[codes // len(first)], first[codes % len(first)], cables)


def _of_first(plan: Plan, assembly: AssemblyType, pairs: Pairs) -> Pairs:
    """Only those with an end in the first part of a child array."""
    starts = plan.numbering.child_starts[assembly.key]
    firsts = np.zeros(plan.device_count[assembly.key], dtype=bool)
    for start, child in zip(starts, assembly.children, strict=False):
        firsts[start : start + plan.device_count[child.type]] = True
    keep = firsts[pairs.left] | firsts[pairs.right]
    return Pairs(pairs.child, pairs.medium, pairs.left[keep], pairs.right[keep], pairs.cables[keep])


def _pair_colours(survey: PlanSummary, seen: Seen, whole: bool) -> Callable[[int, int], str | None] | None:
    """The colour of the cables between two devices of a part, where a view asks for loads: None where all are lost.

    Of a part alone no instance is meant, so its cables are as those of the busiest one are."""
    loads, lost = survey.look.loads, survey.look.lost
    if survey.whole is not None or not whole or (loads is None and lost is None):
        return None

    def colour(a: int, b: int) -> str | None:
        pair = seen.start + a, seen.start + b
        if lost is not None and lost.between(*pair):
            return None
        return loads.colour(loads.of_pair(*pair)) if loads is not None else ""

    return colour


def _pair_lines(
    assembly: AssemblyType,
    seen: Seen,
    pairs: Pairs,
    number: int,
    colour: str,
    scale: float,
    element_level: bool,
    of_pair: Callable[[int, int], str | None] | None = None,
) -> list[Mark]:
    arcs = pairs.child is not None and seen.layout.styles[pairs.child] not in ("circle", "orbit")
    centres = np.add(seen.layout.centres, (seen.x, seen.y)) * scale
    frames = _frames(seen, scale) if element_level else None
    width, shade = _weight(pairs)
    pitch = _pitch(centres)
    apart = centres[pairs.left] - centres[pairs.right]
    slanted = np.abs(apart).min(axis=1) > 1
    near = float(np.hypot(*apart[slanted].T).min()) if slanted.any() else 0.0
    marks: list[Mark] = []
    ends = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    owns = [of_pair(a, b) if of_pair else colour for a, b in ends]
    busiest = owns.count(palette.LOADS[-1])
    stress = 2.5 if busiest <= MOST_STRESSED * len(owns) else 1.0
    for k, ((a, b), cables, own) in enumerate(zip(ends, pairs.cables.tolist(), owns, strict=True)):
        if frames is not None:
            points = straight(*_between(frames[a], frames[b]))
        else:
            tips = _point(centres[a]), _point(centres[b])
            points = _bowed(*tips, pitch, near) if arcs else straight(*tips)
        id = f"{identifier(seen.path) if seen.path else 'cables'}-{number}-{k}"
        tip = f"{cables:,} {pairs.medium}"
        if own is None:
            marks.append(Line(id, points, palette.GONE_LINE, 0.6, True, role="cable lost", tip=f"{tip}, lost"))
            continue
        tall = stress * width if own == palette.LOADS[-1] else width
        marks.append(Line(id, points, (own or colour) + shade, tall, role="cable", tip=tip))
    return sorted(marks, key=lambda mark: isinstance(mark, Line) and (not mark.dashed, mark.width > width))


def _weight(pairs: Pairs) -> tuple[float, str]:
    """Width and opacity of a line: those that climb from tier to tier are many and lie under the others."""
    many = len(pairs.left)
    if pairs.child is None and many > 100:
        return (0.8, "a0") if many <= 400 else (0.6, "78")
    return (1.2, "") if many <= 64 else (0.8, "cc") if many <= 400 else (0.6, "99")


def _frames(seen: Seen, scale: float) -> Mapping[int, tuple[float, float, float, float]]:
    """Rectangle (left, top, right, bottom) of each part, by its first device."""
    found: dict[int, tuple[float, float, float, float]] = {}
    start = 0
    for part in seen.layout.parts:
        x, y = (seen.x + part.x) * scale, (seen.y + part.y) * scale
        found[start] = (x, y, x + part.layout.width * scale, y + part.layout.height * scale)
        start += max(1, len(part.layout.centres))
    return found


def _between(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> tuple[Point, Point]:
    """From the edge of one rectangle to that of the other: up and down where one is above, else sideways."""
    if a[3] <= b[1]:
        return ((a[0] + a[2]) / 2, a[3]), ((b[0] + b[2]) / 2, b[1])
    if b[3] <= a[1]:
        return ((a[0] + a[2]) / 2, a[1]), ((b[0] + b[2]) / 2, b[3])
    left, right = (a, b) if a[0] <= b[0] else (b, a)
    return (left[2], (left[1] + left[3]) / 2), (right[0], (right[1] + right[3]) / 2)


def _point(row: NDArray[np.float64]) -> Point:
    return float(row[0]), float(row[1])


def _pitch(centres: NDArray[np.float64]) -> float:
    """The distance from one device to the next."""
    if len(centres) < 2:
        return 1.0
    return float(min(np.hypot(*(centres[1] - centres[0])), np.hypot(*(centres[-1] - centres[-2]))))


def _bowed(a: Point, b: Point, pitch: float, near: float) -> tuple[Point, ...]:
    """Along a row or a column: straight to the neighbour, else an arc that passes beside what lies between. `near` is
    the distance from plane to plane of a grid of more dimensions."""
    (ax, ay), (bx, by) = a, b
    distance = hypot(bx - ax, by - ay)
    if abs(ay - by) > 1 and abs(ax - bx) > 1:
        return straight(a, b) if distance < 1.4 * near else hanging(a, b, -0.45 * pitch)
    if distance < 1.4 * pitch:
        return straight(a, b)
    depth = bow_depth(pitch, distance)
    if abs(ay - by) <= 1:
        return hanging(min(a, b), max(a, b), depth)
    (ax, ay), (bx, by) = sorted((a, b), key=lambda point: point[1])
    side = depth * 4 / 3
    return (ax, ay), (ax + side, ay + (by - ay) * 0.1), (bx + side, by - (by - ay) * 0.1), (bx, by)
