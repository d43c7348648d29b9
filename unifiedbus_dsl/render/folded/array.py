"""An array of parts as a row of cells: the first opened, equal ones folded away."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from attrs import evolve

from unifiedbus_dsl.ir.plan import Child
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.arcs import with_arcs
from unifiedbus_dsl.render.folded.block import (
    DEEPEST,
    LONGEST_LABEL,
    Block,
    Cell,
    Scope,
    Side,
    counted,
    element_label,
    element_name,
    range_name,
)
from unifiedbus_dsl.render.folded.losses import crossed_out
from unifiedbus_dsl.render.folding import Folding
from unifiedbus_dsl.render.marks import Box, Mark, Text, clipped, moved, text_width
from unifiedbus_dsl.render.plan_summary import type_called, type_name

_KEEP = (8, 4)
_CELL = 44.0
_TALL = 34.0
_GAP = 10.0
_HEAD = 20.0
_PAD = 9.0


def array_block(scope: Scope, child: Child, prefix: tuple[int, ...] = ()) -> Block:
    """Return a row of cells: the elements of an array, or one dimension of it, with the cables inside it as arcs
    below."""
    dimension = len(prefix)
    size = child.shape[dimension] if child.shape else 1
    keep = _keep(scope, child, dimension)
    losing = _losing(scope, child, prefix, size)
    folding = Folding(size, keep, tuple(losing[: scope.look.opened]))
    opened = losing[0] if losing else 0
    inner = _opened(scope, child, prefix, opened)
    height = inner.height + _HEAD + _PAD if inner else _TALL
    if folding.cells > (1 if inner else 0):
        lines = 1 + len(_summary(scope, child, (*prefix, 0) if child.shape else ()))
        height = max(height, 14.0 * lines + 6)
    marks: list[Mark] = []
    cells: list[Cell] = []
    x = 0.0
    for run in folding.runs:
        at = (*prefix, run.start) if child.shape else ()
        if len(run) > 1:
            again = any(each.gap for each in cells)
            cell, drawn = _gap_cell(scope, child, prefix, x, height, run, again)
        elif run.start == opened and inner:
            cell, drawn = _open_cell(scope, child, at, inner, x, height)
        else:
            cell, drawn = _closed_cell(scope, child, at, x, height)
        marks += drawn
        cells.append(evolve(cell, first=scope.first(child, _number(child, at)) - scope.start))
        x += cell.width + _GAP
    row = Block(x - _GAP, height, tuple(marks), tuple(cells))
    return with_arcs(scope, child, dimension, row) if child.shape else row


def _keep(scope: Scope, child: Child, dimension: int) -> int:
    wish = scope.look.kept.get((scope.assembly.key, child.name))
    if wish is not None:
        return wish
    last = dimension + 1 >= len(child.shape)
    opens = not last or child.type in scope.plan.assemblies
    usual = _KEEP[1] if opens or (dimension and scope.level) else _KEEP[min(scope.level, 1)] if not last else 8
    return max(2, min(usual, _KEEP[0] - scope.look.tight))


def _losing(scope: Scope, child: Child, prefix: tuple[int, ...], size: int) -> Sequence[int]:
    """Return the subscripts of this dimension at which a scenario takes something."""
    return scope.losing(child, _number(child, prefix), prod(child.shape[len(prefix) + 1 :]), size)


def _opened(scope: Scope, child: Child, prefix: tuple[int, ...], index: int) -> Block | None:
    """Return what the opened element of this dimension shows inside, if there is something to open."""
    at = (*prefix, index) if child.shape else ()
    if (scope.assembly.key, child.name) in scope.look.closed:
        return None
    if len(at) < len(child.shape):
        return array_block(scope, child, at)
    if child.type in scope.plan.assemblies and (scope.level < DEEPEST or scope.loses_in(child)):
        name = element_name(child, at)
        return scope.draw(scope.inner(child, scope.id(name), name, _number(child, at)))
    return None


def _open_cell(
    scope: Scope, child: Child, at: tuple[int, ...], inner: Block, x: float, height: float
) -> tuple[Cell, list[Mark]]:
    name, shown = element_name(child, at), element_label(child, at)
    room, side = text_width(shown, 11, bold=True), _name_side(scope, child, at)
    beside = room + _PAD if side == "left" else 0.0
    width = max(inner.width + beside, room) + 2 * _PAD
    box = part_box(scope, child, name, x, 0, width, height, behind=True)
    if _is_lost(scope, child, at):
        box = evolve(box, stroke=palette.LOST, line=1.5, tip=f"{box.tip}\nlost")
    label = Text(
        scope.id(name, "name"),
        x + _PAD,
        {"above": 11.0, "left": height / 2, "below": height - 11}[side],
        shown,
        11,
        True,
        anchor="start",
        role="open-name",
        href=box.href,
        tip=box.tip,
    )
    left, top = x + beside + (width - beside - inner.width) / 2, _HEAD if side == "above" else _PAD
    cell = Cell(x, 0, width, height, name=name, inner=inner.shifted(left, top))
    return cell, [box, label, *moved(inner.marks, left, top)]


def _name_side(scope: Scope, child: Child, at: tuple[int, ...]) -> Side:
    """Return where the name of an opened element, or row of elements, stands: where no cables leave it. An assembly
    that they leave on both sides has most often room above."""
    ways = scope.ways_of(child)
    if "up" not in ways:
        return "above"
    return "below" if "down" not in ways else "left" if len(at) < len(child.shape) else "above"


def _closed_cell(scope: Scope, child: Child, at: tuple[int, ...], x: float, height: float) -> tuple[Cell, list[Mark]]:
    name = element_name(child, at)
    rest = prod(child.shape[len(at) :])
    element = _number(child, at)
    gone, size = scope.gone(child, element, element + rest), rest * scope.plan.device_count[child.type]
    texts = [element_label(child, at), *_summary(scope, child, at), *_gone_note(gone, size)]
    sizes = [11.0, *([10.0] * (len(texts) - 1))]
    width = max([_CELL, *(text_width(t, s, bold=False) + 10 for t, s in zip(texts, sizes, strict=True))])
    if scope.look.losses is None and gone:
        texts, sizes, gone = texts[:-1], sizes[:-1], 0
    box = part_box(scope, child, name, x, 0, width, height, behind=False)
    ground = crossed_out(box) if gone == size else [box]
    top = height / 2 - 7.0 * (len(texts) - 1)
    ink = palette.KindStyle(box.fill, box.stroke).ink
    lines = [
        Text(
            scope.id(name, "text", str(i)),
            x + width / 2,
            top + 14 * i,
            text,
            size,
            bold=gone > 0 and i == len(texts) - 1,
            colour=palette.LOST
            if gone and i == len(texts) - 1
            else ink
            if ink != palette.INK
            else palette.QUIET
            if 0 < i < len(texts) - (gone > 0)
            else palette.INK,
            role="lost" if gone and i == len(texts) - 1 else "note" if i else "name",
            href=box.href,
            tip=box.tip,
        )
        for i, (text, size) in enumerate(zip(texts, sizes, strict=True))
    ]
    return Cell(x, 0, width, height, name=name), [*ground, *lines]


def _is_lost(scope: Scope, child: Child, at: tuple[int, ...]) -> bool:
    """Return whether all of an element, or of a row of elements, is lost, and to be marked."""
    element, rest = _number(child, at), prod(child.shape[len(at) :])
    size = rest * scope.plan.device_count[child.type]
    return scope.look.losses is not None and scope.gone(child, element, element + rest) == size


def _summary(scope: Scope, child: Child, at: tuple[int, ...]) -> tuple[str, ...]:
    """Return what stands below the name of a closed cell."""
    left = child.shape[len(at) :]
    if child.spare and scope.level:
        return ("spare", *_contents_of(scope, child, left))
    return _contents_of(scope, child, left)


def _contents_of(scope: Scope, child: Child, left: tuple[int, ...]) -> tuple[str, ...]:
    if left:
        return (clipped(f"{prod(left):,} × {type_name(child.type)}", 10, 140),)
    own = scope.look.part_texts.get(child.type)
    if own is not None:
        return (clipped(own, 10, LONGEST_LABEL),) if own else ()
    if child.type in scope.plan.devices:
        return () if child.shape else (clipped(type_name(child.type), 10, LONGEST_LABEL),)
    return scope.survey.figures[child.type].contents


def _gap_cell(
    scope: Scope, child: Child, prefix: tuple[int, ...], x: float, height: float, run: range, again: bool
) -> tuple[Cell, list[Mark]]:
    text = f"{len(run):,} more"
    lost = _gone_note(*_gone_between(scope, child, prefix, run.start, run.stop))
    if lost and height < _TALL + 20:
        text, lost = f"{text}, {lost[0].partition(' of ')[0]} lost" if " of " in lost[0] else f"{text}, lost", ()
    width = max(_CELL, text_width(text, 10) + 10, *(text_width(each, 10, bold=True) + 10 for each in lost))
    if scope.look.losses is None:
        text, lost = f"{len(run):,} more", ()
    id = scope.id(element_name(child, prefix), "more", *([str(run.start)] if again else []))
    below = [
        Text(f"{id}-lost", x + width / 2, height / 2 + 23, each, 10, True, palette.LOST, role="lost") for each in lost
    ]
    name = range_name(child, prefix, run.start, run.stop - 1) if child.shape else child.text_name
    tip = f"{scope.named(name)} : {type_called(child.type)}"
    return Cell(x, 0, width, height, gap=True, name=name), [
        Box(
            id + "-ground",
            x,
            0,
            width,
            height,
            palette.LEVELS[0],
            palette.HAIR,
            dashed=True,
            role="gap",
            tip=tip,
            name=scope.named(name),
        ),
        Text(id + "-dots", x + width / 2, height / 2 - 6, "· · ·", 14, True, palette.QUIET, role="dots"),
        Text(id, x + width / 2, height / 2 + 9, text, 10, colour=palette.QUIET, role="more"),
        *below,
    ]


def _number(child: Child, at: tuple[int, ...]) -> int:
    """Return the element with these subscripts, the rest of which are 0, in row-major order."""
    number = 0
    for size, subscript in zip(child.shape, (*at, *([0] * len(child.shape))), strict=False):
        number = number * size + subscript
    return number


def _gone_between(scope: Scope, child: Child, prefix: tuple[int, ...], low: int, high: int) -> tuple[int, int]:
    """Return devices that are lost, and all, of the subscripts `low` to `high` (not included) after a prefix."""
    if not child.shape:
        return 0, 1
    size = prod(child.shape[len(prefix) + 1 :])
    first = _number(child, (*prefix, low))
    count = (high - low) * size
    return scope.gone(child, first, first + count), count * scope.plan.device_count[child.type]


def _gone_note(gone: int, size: int) -> tuple[str, ...]:
    if not gone:
        return ()
    return ("lost",) if gone == size else (f"{gone:,} of {size:,} lost",)


def part_box(
    scope: Scope, child: Child, name: str, x: float, y: float, width: float, height: float, behind: bool
) -> Box:
    """Return the box of a part: an element, a row of elements or a stack."""
    device = scope.plan.devices.get(child.type)
    look = (
        palette.kind_style(device.kind)
        if device
        else palette.KindStyle(palette.LEVELS[(scope.level + 1) % len(palette.LEVELS)], palette.FRAME)
    )
    if not (device is None and behind):
        look = evolve(scope.look.part_looks.get(child.type, look), shape=look.shape)
    return Box(
        scope.id(name),
        x,
        y,
        width,
        height,
        fill=palette.PAPER if device and (behind or child.spare) else look.fill,
        stroke=look.stroke,
        shape="rounded" if behind else look.shape,
        behind=behind,
        role="part",
        tip=part_tip(scope, child, name),
        name=scope.named(name),
        href=scope.files.get(child.type, ""),
    )


def part_tip(scope: Scope, child: Child, name: str) -> str:
    kind = scope.plan.type(child.type).kind
    doc = child.doc or scope.plan.type(child.type).doc
    head = f"{'spare ' if child.spare else ''}{scope.named(name)} : {type_called(child.type)} ({kind})"
    inside = () if "*" in name else scope.survey.figures[child.type].contents
    return "\n".join([head, *inside, *([doc] if doc else [])])


def stack_block(scope: Scope, child: Child) -> Block:
    """Return a whole array as one box: `8 × npu`."""
    name = f"{counted(child)} × {child.text_name}" if child.shape else child.text_name
    name = clipped(name, 10, LONGEST_LABEL)
    width, height = max(_CELL, text_width(name, 10) + 12), 22.0
    box = part_box(scope, child, stack_name(child), 0, 6, width, height, behind=False)
    shadow = [
        evolve(box, id=f"{box.id}-behind-{i}", x=3.0 * i, y=6 - 3.0 * i, role="shadow", href="", tip="", name="")
        for i in (2, 1)
        if child.count > 1
    ]
    ink = palette.KindStyle(box.fill, box.stroke).ink
    middle = width / 2, 6 + height / 2
    label = Text(f"{box.id}-text", *middle, name, 10, colour=ink, role="name", tip=box.tip, href=box.href)
    first = scope.first(child) - scope.start
    cells = (Cell(0, 0, width, height + 6, first=first, name=stack_name(child)),)
    return Block(width + 6, height + 6, (*shadow, box, label), cells)


def stack_name(child: Child) -> str:
    """`npu[*]`: all of an array."""
    return element_name(child, ())
