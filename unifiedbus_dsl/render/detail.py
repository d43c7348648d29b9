"""The picture of an assembly down to each device, with positions of our own.

Every device is drawn. Cables are drawn one line for each two devices that they join; where that is more than an eye can
follow, one for each two parts, then those of the first part only, and the legend says so. Needs the plan alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from attrs import evolve

from unifiedbus_dsl.ir.fabric.names import part_name
from unifiedbus_dsl.ir.plan import Child, Plan
from unifiedbus_dsl.ir.plan.labels import element_text
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.cable_colours import DEVICES, coloured
from unifiedbus_dsl.render.detail_cables import Seen, cable_lines
from unifiedbus_dsl.render.halo import halo_layout
from unifiedbus_dsl.render.head import head_of
from unifiedbus_dsl.render.marks import Box, Mark, Picture, Text, identifier, text_width
from unifiedbus_dsl.render.places import HEAD, Layout, Part, Sizes, layout, sizes_for
from unifiedbus_dsl.render.plan_summary import (
    PlanSummary,
    assembly_named,
    type_called,
)
from unifiedbus_dsl.render.sheet import (
    figure_tiles,
    kind_entries,
    sheet,
    text_entry,
    wiring_entries,
)
from unifiedbus_dsl.render.struck import with_grounds
from unifiedbus_dsl.render.svg import svg

MOST_DEVICES = 20_000

_SMALL: Mapping[palette.Shape, palette.Shape] = {"rounded": "square", "note": "square", "octagon": "ellipse"}
"""Shapes of devices that are too small for theirs."""

_PAGE = 880.0
_SMALLEST = 9.0


class TooManyMarksError(ValueError):
    """The picture would have more marks than anyone can look at."""


def detail(plan: Plan, type_key: str | None = None) -> str:
    """Return the picture of an assembly type of the plan (the whole system if none is named) down to each device, as
    SVG.

    Raises:
        TooManyMarksError: it has more than `MOST_DEVICES` devices.
        NoGraphvizError: there is nothing to draw with.
    """
    return svg(detail_picture(plan, type_key))


def detail_picture(plan: Plan, type_key: str | None = None, shared: PlanSummary | None = None) -> Picture:
    """Return the same as values."""
    key = type_key or plan.root
    assembly = assembly_named(plan, key)
    survey = coloured(shared or PlanSummary(plan), key, DEVICES)
    drawing, notes = detail_drawing(plan, key, survey)
    figures = survey.figures[key]
    legend = [
        *(survey.look.legend or wiring_entries(survey, figures, drawing)),
        *survey.look.part_legend,
        *kind_entries(figures),
    ]
    legend += [text_entry(f"legend-note-{i}", note) for i, note in enumerate(notes)]
    head = head_of(survey, key, f"{assembly.kind} · every device")
    return sheet(
        head.title,
        head.kind,
        [*survey.look.notes, *((note, "") for note in head.notes)],
        figure_tiles(survey, key),
        drawing,
        legend,
        assembly.doc or "",
    )


def detail_drawing(plan: Plan, key: str, survey: PlanSummary) -> tuple[list[Mark], list[str]]:
    """Return the drawing without the sheet around it, and what was left out of it.

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
    root = _laid_out(survey, key, sizes)
    scale = min(1.0, _PAGE / root.width)
    if scale < 0.9:  # names must stay readable
        sizes = evolve(sizes, head=min(60.0, HEAD / scale))
        root = _laid_out(survey, key, sizes)
        scale = min(1.0, _PAGE / root.width)
    seen = tuple(_walk(plan, root, Seen(root, "", 0.0, 0.0, 0)))
    cables = cable_lines(survey, key, seen, scale, inside=not sizes.tiny)
    parts = [mark for one in seen[1:] for mark in _box(survey, one, scale, sizes.head * scale, cables.alone)]
    boxes = list(with_grounds(parts, cables.marks))
    behind = [mark for mark in boxes if isinstance(mark, Box) and mark.behind]
    front = [mark for mark in boxes if not (isinstance(mark, Box) and mark.behind)]
    return [*behind, *cables.marks, *front], list(cables.notes)


def _laid_out(survey: PlanSummary, key: str, sizes: Sizes) -> Layout:
    return halo_layout(survey, key, sizes) or layout(survey, key, sizes)


def _walk(plan: Plan, root: Layout, at: Seen) -> Iterator[Seen]:
    """Yield every part below, parents first, devices in the order of the plan."""
    yield at
    children = plan.assemblies[at.layout.key].by_name if at.layout.parts else {}
    start = at.start
    for part in at.layout.parts:
        child = children[part.child]
        path, spare = _joined(at.path, part, child), at.spare or child.spare
        below = Seen(part.layout, path, at.x + part.x, at.y + part.y, at.depth + 1, start, part.bare, spare)
        start += plan.device_count[part.layout.key]
        yield from _walk(plan, root, below)


def _joined(path: str, part: Part, child: Child) -> str:
    at: list[int] = []
    rest = part.element
    for size in reversed(child.shape):
        rest, place = divmod(rest, size)
        at.insert(0, place)
    own = child.text_name + element_text(child, at)
    return f"{path}.{own}" if path else own


def _box(survey: PlanSummary, seen: Seen, scale: float, head: float, alone: Collection[str]) -> list[Mark]:
    """Return a part: a device as a square, an assembly as a frame, named where there is room; those `alone` with a
    star."""
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
        look = evolve(survey.look.part_looks.get(key, look), shape=look.shape)
        look = evolve(look, fill=palette.PAPER) if seen.spare else look
    gone = _is_gone(survey, seen)
    if gone:
        lost = palette.GONE if width > 12 or not device else palette.KindStyle(palette.LOST, palette.LOST)
        look = evolve(lost, shape=look.shape)
    called = part_name(survey.plan, seen.path)
    box = Box(
        identifier(seen.path),
        x,
        y,
        width,
        height,
        look.fill,
        look.stroke,
        line=0.5 if width <= 12 else 1.5 if gone else 1.0,
        shape=look.shape if width > 12 else _SMALL.get(look.shape, look.shape),
        behind=device is None,
        role="device" if device else "part",
        tip=f"{'spare ' if seen.spare else ''}{called} : {type_called(key)}" + (" (lost)" if gone else ""),
        name=called,
    )
    own = seen.path.rpartition(".")[2] if called == seen.path else called
    own = f"{own} *" if called in alone else own
    ink = look.ink if device else palette.INK
    label = _label(own, box, None if device else head, survey.look.part_texts.get(key), ink)
    if gone and device and width > 12:
        return [
            box,
            Text(
                box.id + "-lost",
                *box.center,
                "×",
                min(28.0, max(_SMALLEST, width * 0.7)),
                True,
                palette.LOST,
                role="lost",
                tip=box.tip,
            ),
        ]
    return label if seen.bare else [box, *label]


def _is_gone(survey: PlanSummary, seen: Seen) -> bool:
    """Return whether a scenario has taken all of a part."""
    if survey.look.losses is None:
        return False
    count = survey.plan.device_count[seen.layout.key]
    return survey.look.losses.within(seen.start, count) == count


def _label(name: str, box: Box, head: float | None, said: str | None, ink: str) -> list[Mark]:
    """Return the name of a device (or what a view wants there) in its middle, of an assembly in its head: as much as
    fits."""
    own = name if said is None else said
    plain, star, _ = own.partition(" *")
    short = (plain[plain.find("[") :].strip("[]").replace(" ", "") if "[" in plain else plain) + star
    height = box.height if head is None else head
    width = box.width * (0.8 if box.shape == "ellipse" else 1.0)
    if head is not None and box.height < 2 * head:
        return []
    for text, size in ((own, 11.0), (own, 9.5), (short, 10.0), (short, _SMALLEST)):
        if text_width(text, size) <= width - 2 and size * 1.3 <= height:
            id = box.id + "-name"
            if head is None:
                return [Text(id, *box.center, text, size, colour=ink, role="name", tip=box.tip)]
            left = box.x + min(8.0, (box.width - text_width(text, size)) / 2)
            return [
                Text(id, left, box.y + height / 2 + 0.5, text, size, anchor="start", role="frame-name", tip=box.tip)
            ]
    return []
