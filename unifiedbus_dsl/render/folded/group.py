"""An array with what is written beside it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from unifiedbus_dsl.ir.plan import Child
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.arcs import inner_bundles
from unifiedbus_dsl.render.folded.array import array_block, part_tip, stack_block
from unifiedbus_dsl.render.folded.block import DEEPEST, LONGEST_LABEL, Block, Scope, Side, counted_type, pill, pill_size
from unifiedbus_dsl.render.marks import Box, Mark, Text, clipped, text_width
from unifiedbus_dsl.render.plan_summary import Bundle, pattern_name, split_type

_PILL = 23.0
"""From one label below an array to the next."""


def group_block(scope: Scope, child: Child) -> Block:
    """Return an array with its caption, where no lines pass."""
    if scope.level >= DEEPEST and not scope.loses_in(child):
        return _noted_stack(scope, child)
    row = array_block(scope, child)
    return _framed(scope, child, row) if scope.level == 0 else _captioned(scope, child, row)


def _free_side(scope: Scope, child: Child) -> Side:
    """Where no cables leave an array."""
    ways = scope.ways_of(child)
    return "below" if "down" not in ways else "above" if "up" not in ways else "left"


def _inner_notes(scope: Scope, child: Child) -> list[tuple[str, str]]:
    """Return a sentence and a colour for each bundle inside the array, and for what is lost of it: nothing is said
    there before it is lost, where it has its room."""
    notes: list[tuple[str, str]] = []
    for bundle in inner_bundles(scope, child):
        lost = scope.lost_note(bundle)
        notes.append((_inner_text(scope, child, bundle), bundle.colour))
        notes += [(lost if scope.look.losses else "", palette.LOST)] if lost else []
    return notes


def _inner_text(scope: Scope, child: Child, bundle: Bundle) -> str:
    text = bundle.text if scope.level == 0 else scope.each(bundle.text.partition(" = ")[0])
    medium = f" · {palette.medium_name(bundle.medium)}" if scope.level == 0 else ""
    return f"{pattern_name(bundle, child)} · {text}{medium}"


def _noted_stack(scope: Scope, child: Child) -> Block:
    """Return the array as a stack, with what is inside it."""
    return _worded(scope, child, stack_block(scope, child), _inner_notes(scope, child)[:2], "inner")


def _captioned(scope: Scope, child: Child, row: Block) -> Block:
    """Return the row with a small caption."""
    kind = clipped(counted_type(child), 10, LONGEST_LABEL)
    kind = scope.each(kind) if child.shape else kind
    return _worded(scope, child, row, [(kind, palette.QUIET), *_inner_notes(scope, child)], "caption")


def _worded(scope: Scope, child: Child, block: Block, notes: Sequence[tuple[str, str]], role: str) -> Block:
    """Return the block with lines of words and their colours on the side where no cables leave the array."""
    if not notes:
        return block
    side = _free_side(scope, child)
    height = 14.0 * len(notes)
    room = max(text_width(text, 10) for text, _ in notes)
    if side == "left":
        width, tall = block.width + room + 8, max(block.height, height)
        place, corner = (room / 2, (tall - height) / 2 + 7), (room + 8, (tall - block.height) / 2)
    else:
        width, tall = max(block.width, room), block.height + height + 3
        place = width / 2, 7.0 if side == "above" else block.height + 10
        corner = (width - block.width) / 2, height + 2 if side == "above" else 0.0
    texts = [
        Text(
            scope.id(child.name, role, str(i)),
            place[0],
            place[1] + 14 * i,
            text,
            10,
            False,
            palette.ink(colour),
            role="bundle",
        )
        for i, (text, colour) in enumerate(notes)
        if text
    ]
    placed = block.moved(*corner)
    return evolve(placed, width=width, height=tall, marks=(*placed.marks, *texts))


def _framed(scope: Scope, child: Child, row: Block) -> Block:
    """Return the array in a frame of its own with its name at the left and the cables inside it below."""
    title = clipped(child.text_name, 15, LONGEST_LABEL, bold=True)
    arguments = split_type(child.type)[1]
    each = scope.survey.figures[child.type].contents if child.type in scope.plan.assemblies else ()
    lines = [
        (title, 15.0, True, palette.INK),
        (clipped(counted_type(child), 11, LONGEST_LABEL), 11.0, False, palette.INK),
        *([(clipped(arguments, 10, LONGEST_LABEL), 10.0, False, palette.QUIET)] if arguments else []),
        *((f"{'each ' if child.shape else ''}{text}", 10.0, False, palette.QUIET) for text in each),
    ]
    if child.spare:
        lines.append(("spare", 10.0, False, palette.QUIET))
    column = max(text_width(text, size, bold) for text, size, bold, _ in lines) + 16
    notes = _inner_notes(scope, child)
    below = _PILL * len(notes)
    width = 12 + column + max([row.width, *(pill_size((text,))[0] + 4 for text, _ in notes)]) + 12
    body = max(row.height, 17.0 * len(lines))
    height = 12 + body + (below + 4 if notes else 0) + 12
    placed = row.moved(12 + column + (width - 24 - column - row.width) / 2, 12 + (body - row.height) / 2)
    top = 12 + body / 2 - 8.5 * (len(lines) - 1)
    marks: list[Mark] = [
        Box(
            scope.id(child.name, "frame"),
            0,
            0,
            width,
            height,
            palette.LEVELS[0],
            palette.HAIR,
            behind=True,
            role="array",
        ),
        *(
            Text(
                scope.id(child.name, "label", str(i)),
                14,
                top + 17 * i,
                text,
                size,
                bold,
                colour,
                "start",
                role="array-name" if i == 0 else "array-note",
                tip=part_tip(scope, child, child.text_name),
                href=scope.files.get(child.type, ""),
            )
            for i, (text, size, bold, colour) in enumerate(lines)
        ),
        *placed.marks,
    ]
    center = 12 + column + (width - 24 - column) / 2
    for i, (text, colour) in enumerate(notes):
        id, y = scope.id(child.name, "inner", str(i)), 12 + body + 14 + _PILL * i
        marks += pill(id, center, y, (text,), colour, plain=True) if text else []
    return evolve(placed, width=width, height=height, marks=tuple(marks))
