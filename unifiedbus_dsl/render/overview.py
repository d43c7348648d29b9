"""The picture of an assembly from the plan alone: what it is made of, and what joins the parts.

Reads like the drawing on a whiteboard: NPUs below, switches above, equal siblings folded into first, …, last, the first
one opened to show what is inside. All cables between two arrays of parts are one bundle with one label. The work
depends on the size of the text, not of the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import count
from math import prod, sqrt
from typing import Literal, TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.plan.index import evaluate, open_grid
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.facts import (
    PATTERN_NAMES,
    Bundle,
    Outlet,
    Survey,
    cell_meetings,
    child_named,
    holders,
    inner_meetings,
    moving_dimensions,
    outlets,
    rate_text,
)
from unifiedbus_dsl.render.marks import (
    Box,
    Line,
    Mark,
    Picture,
    Point,
    Text,
    clipped,
    hanging,
    identifier,
    moved,
    polyline,
    straight,
    text_width,
)
from unifiedbus_dsl.render.sheet import (
    LINE_SAMPLES,
    figure_tiles,
    kind_entries,
    sheet,
    text_entry,
    width_entry,
    wiring_entries,
)
from unifiedbus_dsl.render.svg import svg
from unifiedbus_dsl.render.tiers import tiers

DEEPEST = 2
"""How many levels below the children of the assembly are opened; the last of them shows arrays as stacks."""

_KEEP = (8, 4)
_CELL = 44.0
_TALL = 34.0
_GAP = 10.0
_HEAD = 20.0
_PAD = 9.0
_LONGEST_LABEL = 190.0


@frozen
class Scope:
    """Where we draw: the assembly, how deep below the picture's own type, and a prefix that makes ids unique."""

    survey: Survey
    assembly: AssemblyType
    level: int
    path: str
    files: Mapping[str, str]

    @property
    def plan(self) -> Plan:
        return self.survey.plan

    def inner(self, key: str, path: str) -> Scope:
        return Scope(self.survey, self.plan.assemblies[key], self.level + 1, path, self.files)

    def id(self, *parts: str) -> str:
        return identifier("-".join([self.path, *parts]))


@frozen
class Cell:
    """Where lines can end: one element (or one row of elements) of an array, or all those that are not shown."""

    x: float
    y: float
    width: float
    height: float
    gap: bool = False

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    def moved(self, dx: float, dy: float) -> Cell:
        return evolve(self, x=self.x + dx, y=self.y + dy)


@frozen
class Block:
    """A piece of the picture with its own origin. `cell_of[i]` is the cell of subscript i of the first dimension."""

    width: float
    height: float
    marks: tuple[Mark, ...] = ()
    cells: tuple[Cell, ...] = ()
    cell_of: tuple[int, ...] = (0,)

    def moved(self, dx: float, dy: float) -> Block:
        cells = tuple(cell.moved(dx, dy) for cell in self.cells)
        return evolve(self, marks=moved(self.marks, dx, dy), cells=cells)


def fold(size: int, keep: int) -> tuple[int | None, ...]:
    """Which of `size` siblings are shown; None stands for those that are not."""
    if size <= keep:
        return tuple(range(size))
    return (*range(keep - 2), None, size - 1)


def cells_of(size: int, shown: Sequence[int | None]) -> tuple[int, ...]:
    """The place in `shown` of each of `size` siblings."""
    gap = shown.index(None) if None in shown else 0
    places = {index: place for place, index in enumerate(shown) if index is not None}
    return tuple(places.get(index, gap) for index in range(size))


def element_name(child: Child, prefix: Sequence[int], more: int | None = None) -> str:
    """`npu[0, 3]`; with subscripts left over, `npu[0, *]`."""
    subscripts = [*prefix, *([] if more is None else [more])]
    if not child.shape:
        return child.name
    stars = ["*"] * (len(child.shape) - len(subscripts))
    return f"{child.name}[{', '.join([*map(str, subscripts), *stars])}]"


def type_name(key: str) -> str:
    """A type without its arguments."""
    return key.partition("(")[0].rstrip() or key


def counted_type(child: Child) -> str:
    """`8 × Ascend950DT`."""
    return f"{child.count:,} × {type_name(child.type)}" if child.shape else type_name(child.type)


# ---- one array --------------------------------------------------------------------------------------------------


def array_block(scope: Scope, child: Child, prefix: tuple[int, ...] = ()) -> Block:
    """A row of cells: the elements of an array, or one dimension of it, with the cables inside it as arcs below."""
    dimension = len(prefix)
    size = child.shape[dimension] if child.shape else 1
    keep = _keep(scope, child, dimension)
    shown = fold(size, keep)
    inner = _opened(scope, child, prefix)
    height = inner.height + _HEAD + _PAD if inner else _TALL
    marks: list[Mark] = []
    cells: list[Cell] = []
    x = 0.0
    for place, index in enumerate(shown):
        if index is None:
            cell, drawn = _gap_cell(scope, child, prefix, x, height, size - keep + 1)
        elif place == 0 and inner:
            cell, drawn = _open_cell(scope, child, prefix, inner, x, height)
        else:
            cell, drawn = _closed_cell(scope, child, (*prefix, index) if child.shape else (), x, height)
        marks += drawn
        cells.append(cell)
        x += cell.width + _GAP
    row = Block(x - _GAP, height, tuple(marks), tuple(cells), cells_of(size, shown))
    return _with_arcs(scope, child, dimension, row) if child.shape else row


def _keep(scope: Scope, child: Child, dimension: int) -> int:
    last = dimension + 1 >= len(child.shape)
    opens = not last or child.type in scope.plan.assemblies
    return _KEEP[1] if opens or (dimension and scope.level) else _KEEP[min(scope.level, 1)] if not last else 8


def _opened(scope: Scope, child: Child, prefix: tuple[int, ...]) -> Block | None:
    """What the first element of this dimension shows inside, if it is opened."""
    first = (*prefix, 0) if child.shape else ()
    if len(first) < len(child.shape):
        return array_block(scope, child, first)
    if child.type in scope.plan.assemblies and scope.level < DEEPEST:
        path = scope.id(element_name(child, first))
        return assembly_block(scope.inner(child.type, path))
    return None


def _open_cell(
    scope: Scope, child: Child, prefix: tuple[int, ...], inner: Block, x: float, height: float
) -> tuple[Cell, list[Mark]]:
    first = (*prefix, 0) if child.shape else ()
    name = element_name(child, first)
    width = max(inner.width, text_width(name, 11, bold=True)) + 2 * _PAD
    box = _part_box(scope, child, name, x, 0, width, height, behind=True)
    label = Text(
        scope.id(name, "name"), x + _PAD, 11, name, 11, True, anchor="start", role="name", href=box.href, tip=box.tip
    )
    return Cell(x, 0, width, height), [box, label, *moved(inner.marks, x + (width - inner.width) / 2, _HEAD)]


def _closed_cell(scope: Scope, child: Child, at: tuple[int, ...], x: float, height: float) -> tuple[Cell, list[Mark]]:
    name = element_name(child, at)
    texts = [name, *_summary(scope, child, at)]
    sizes = [11.0, *([10.0] * (len(texts) - 1))]
    width = max([_CELL, *(text_width(t, s, bold=False) + 10 for t, s in zip(texts, sizes, strict=True))])
    box = _part_box(scope, child, name, x, 0, width, height, behind=False)
    top = height / 2 - 7.0 * (len(texts) - 1)
    lines = [
        Text(
            scope.id(name, "text", str(i)),
            x + width / 2,
            top + 14 * i,
            text,
            size,
            colour=palette.QUIET if i else palette.INK,
            role="note" if i else "name",
            href=box.href,
            tip=box.tip,
        )
        for i, (text, size) in enumerate(zip(texts, sizes, strict=True))
    ]
    return Cell(x, 0, width, height), [box, *lines]


def _summary(scope: Scope, child: Child, at: tuple[int, ...]) -> tuple[str, ...]:
    """What stands below the name of a closed cell."""
    left = child.shape[len(at) :]
    if left:
        return (clipped(f"{prod(left):,} × {type_name(child.type)}", 10, 140),)
    if child.type in scope.plan.devices:
        return () if child.shape else (clipped(type_name(child.type), 10, _LONGEST_LABEL),)
    return scope.survey.figures[child.type].contents


def _gap_cell(
    scope: Scope, child: Child, prefix: tuple[int, ...], x: float, height: float, hidden: int
) -> tuple[Cell, list[Mark]]:
    text = f"{hidden:,} more"
    width = max(_CELL, text_width(text, 10) + 10)
    id = scope.id(element_name(child, prefix), "more")
    return Cell(x, 0, width, height, gap=True), [
        Box(id + "-ground", x, 0, width, height, palette.LEVELS[0], palette.HAIR, dashed=True, role="gap"),
        Text(id + "-dots", x + width / 2, height / 2 - 6, "· · ·", 14, True, palette.QUIET, role="dots"),
        Text(id, x + width / 2, height / 2 + 9, text, 10, colour=palette.QUIET, role="more"),
    ]


def _part_box(
    scope: Scope, child: Child, name: str, x: float, y: float, width: float, height: float, behind: bool
) -> Box:
    """The box of a part: an element, a row of elements or a stack."""
    device = scope.plan.devices.get(child.type)
    look = palette.KINDS[device.kind] if device else palette.Look(palette.LEVELS[scope.level + 1], palette.FRAME)
    return Box(
        scope.id(name),
        x,
        y,
        width,
        height,
        fill=palette.PAPER if device and behind else look.fill,
        stroke=look.stroke,
        dashed=child.spare,
        behind=behind,
        role="part",
        tip=_tip(scope, child, name),
        href=scope.files.get(child.type, ""),
    )


def _tip(scope: Scope, child: Child, name: str) -> str:
    kind = scope.plan.type(child.type).kind
    doc = child.doc or scope.plan.type(child.type).doc
    head = f"{'spare ' if child.spare else ''}{name} : {child.type} ({kind})"
    return "\n".join([head, *scope.survey.figures[child.type].contents, *([doc] if doc else [])])


def _with_arcs(scope: Scope, child: Child, dimension: int, row: Block) -> Block:
    """The row with an arc for each two of its cells that cables join directly."""
    arcs: list[Line] = []
    for number, bundle in enumerate(_inner_bundles(scope, child)):
        joined = inner_meetings(bundle, child, dimension, row.cell_of)
        if joined is None:
            continue
        for a in range(len(row.cells)):
            for b in range(a + 1, len(row.cells)):
                if joined[a, b]:
                    name = scope.id(child.name, "arc", str(dimension), str(number), f"{a}-{b}")
                    arcs.append(_arc(scope, name, row, (a, b), bundle, int(joined[a, b])))
    depth = max((max(y for _, y in arc.points) for arc in arcs), default=row.height)
    height = max(cell.y + cell.height for cell in row.cells)
    return evolve(row, height=max(height, height + (depth - height) * 0.76), marks=(*row.marks, *arcs))


def _arc(scope: Scope, id: str, row: Block, pair: tuple[int, int], bundle: Bundle, cables: int) -> Line:
    a, b = row.cells[pair[0]], row.cells[pair[1]]
    span = pair[1] - pair[0]
    lean = 0.75 - 0.6 * (span - 1) / max(1, len(row.cells) - 1)
    start = a.middle + min(a.width, 90) / 2 * lean, a.y + a.height
    end = b.middle - min(b.width, 90) / 2 * lean, b.y + b.height
    return Line(
        id,
        hanging(start, end, 5 + 6.5 * span),
        colour=scope.survey.colours[bundle.medium],
        dashed=a.gap or b.gap,
        tip=f"{cables:,} × {bundle.link}",
        rate=float(cables * bundle.rate),
    )


def stack_block(scope: Scope, child: Child) -> Block:
    """A whole array as one box: `8 × npu`."""
    name = f"{child.count:,} × {child.name}" if child.shape else child.name
    name = clipped(name, 10, _LONGEST_LABEL)
    width, height = max(_CELL, text_width(name, 10) + 12), 22.0
    box = _part_box(scope, child, child.name, 0, 6, width, height, behind=False)
    shadow = [
        evolve(box, id=f"{box.id}-behind-{i}", x=3.0 * i, y=6 - 3.0 * i, role="shadow", href="", tip="")
        for i in (2, 1)
        if child.count > 1
    ]
    label = Text(f"{box.id}-text", width / 2, 6 + height / 2, name, 10, role="name", tip=box.tip, href=box.href)
    cells = (Cell(0, 0, width, height + 6),)
    size = child.shape[0] if child.shape else 1
    return Block(width + 6, height + 6, (*shadow, box, label), cells, (0,) * size)


# ---- one array with what is written beside it -------------------------------------------------------------------


Side: TypeAlias = Literal["above", "left", "below"]


def group_block(scope: Scope, child: Child, caption: Side) -> Block:
    """An array with its caption, where no lines pass."""
    if scope.level >= DEEPEST:
        return _noted_stack(scope, child)
    row = array_block(scope, child)
    return _framed(scope, child, row) if scope.level == 0 else _captioned(scope, child, row, caption)


def _inner_notes(scope: Scope, child: Child) -> list[tuple[str, str]]:
    """A sentence and a colour for each bundle inside the array."""
    return [
        (_inner_text(child, bundle, scope.level), scope.survey.colours[bundle.medium])
        for bundle in _inner_bundles(scope, child)
    ]


def _inner_bundles(scope: Scope, child: Child) -> list[Bundle]:
    return [b for b in scope.survey.bundles[scope.assembly.key] if b.left == child.name == b.right]


def _inner_text(child: Child, bundle: Bundle, level: int) -> str:
    name = PATTERN_NAMES.get(bundle.pattern or "", bundle.pattern or "cables")
    moving = moving_dimensions(bundle, child) or ()
    if len(moving) == 1 and len(child.shape) > 1:
        name += f" along index {moving[0] + 1}"
    text = bundle.text if level == 0 else bundle.text.partition(" = ")[0]
    medium = f" · {palette.medium_name(bundle.medium)}" if level == 0 else ""
    return f"{name} · {text}{medium}"


def _noted_stack(scope: Scope, child: Child) -> Block:
    stack = stack_block(scope, child)
    notes = _inner_notes(scope, child)[:2]
    texts = [
        Text(
            scope.id(child.name, "inner", str(i)), 0, stack.height + 9 + 13 * i, text, 10, colour=colour, role="bundle"
        )
        for i, (text, colour) in enumerate(notes)
    ]
    width = max([stack.width, *(text_width(t.text, 10) for t in texts)])
    placed = stack.moved((width - stack.width) / 2, 0)
    marks = (*placed.marks, *moved(texts, width / 2, 0))
    return evolve(placed, width=width, height=stack.height + 13 * len(texts) + (3 if texts else 0), marks=marks)


def _captioned(scope: Scope, child: Child, row: Block, side: Side) -> Block:
    """The row with a small caption."""
    kind = clipped(counted_type(child), 10, _LONGEST_LABEL)
    notes = [(kind, palette.QUIET), *_inner_notes(scope, child)]
    height = 14.0 * len(notes)
    room = max(text_width(text, 10) for text, _ in notes)
    if side == "left":
        width, tall = row.width + 2 * (room + 8), max(row.height, height)
        place, corner = (room / 2, (tall - height) / 2 + 7), (room + 8, (tall - row.height) / 2)
    else:
        width, tall = max(row.width, room), row.height + height + 3
        place = width / 2, 7.0 if side == "above" else row.height + 10
        corner = (width - row.width) / 2, height + 2 if side == "above" else 0.0
    texts = [
        Text(
            scope.id(child.name, "caption", str(i)), place[0], place[1] + 14 * i, text, 10, False, colour, role="bundle"
        )
        for i, (text, colour) in enumerate(notes)
    ]
    placed = row.moved(*corner)
    return evolve(placed, width=width, height=tall, marks=(*placed.marks, *texts))


def _framed(scope: Scope, child: Child, row: Block) -> Block:
    """The array in a frame of its own with its name at the left and the cables inside it below."""
    title = clipped(child.name, 15, _LONGEST_LABEL, bold=True)
    arguments = child.type.removeprefix(type_name(child.type))
    each = scope.survey.figures[child.type].contents if child.type in scope.plan.assemblies else ()
    lines = [
        (title, 15.0, True, palette.INK),
        (clipped(counted_type(child), 11, _LONGEST_LABEL), 11.0, False, palette.INK),
        *([(clipped(arguments, 10, _LONGEST_LABEL), 10.0, False, palette.QUIET)] if arguments else []),
        *((f"{'each ' if child.shape else ''}{text}", 10.0, False, palette.QUIET) for text in each),
    ]
    if child.spare:
        lines.append(("spare", 10.0, False, palette.QUIET))
    column = max(text_width(text, size, bold) for text, size, bold, _ in lines) + 16
    notes = _inner_notes(scope, child)
    below = 20.0 * len(notes)
    width = 12 + column + max([row.width, *(text_width(text, 11) + 20 for text, _ in notes)]) + 12
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
                tip=_tip(scope, child, child.name),
                href=scope.files.get(child.type, ""),
            )
            for i, (text, size, bold, colour) in enumerate(lines)
        ),
        *placed.marks,
    ]
    center = 12 + column + (width - 24 - column) / 2
    for i, (text, colour) in enumerate(notes):
        marks += pill(
            scope.id(child.name, "inner", str(i)), center, 12 + body + 14 + 20 * i, (text,), colour, plain=True
        )
    return evolve(placed, width=width, height=height, marks=tuple(marks))


def pill(
    id: str, x: float, y: float, lines: Sequence[str], colour: str, plain: bool = False, tip: str = ""
) -> list[Mark]:
    """A label with its own ground, centred on (x, y)."""
    width, height = pill_size(lines)
    box = Box(
        id + "-ground", x - width / 2, y - height / 2, width, height, palette.PAPER, colour, 0.8 if not plain else 0.5,
        role="pill", tip=tip,
    )  # fmt: skip
    top = y - 7.5 * (len(lines) - 1)
    texts = [
        Text(
            id if i == 0 else f"{id}-line-{i}",
            x,
            top + 15 * i,
            text,
            11 if i == 0 else 10,
            i == 0 and not plain,
            colour if i == 0 else palette.QUIET,
            role="bundle" if i == 0 else "bundle-note",
            tip=tip,
        )
        for i, text in enumerate(lines)
    ]
    return [box, *texts]


def pill_size(lines: Sequence[str]) -> tuple[float, float]:
    width = max(text_width(text, 11 if i == 0 else 10, i == 0) for i, text in enumerate(lines))
    return width + 16, 15.0 * len(lines) + 4


# ---- an assembly: tiers of arrays, and the bundles between them ---------------------------------------------------


@frozen
class Placed:
    """An array in its place."""

    child: Child
    tier: int
    x: float
    y: float
    block: Block

    @property
    def middle(self) -> float:
        return sum(cell.middle for cell in (self.block.cells[0], self.block.cells[-1])) / 2


def assembly_block(scope: Scope) -> Block:
    """The parts of an assembly in tiers, with the bundles between them."""
    bundles = scope.survey.bundles[scope.assembly.key]
    rows = tiers(scope.plan, scope.assembly, bundles)
    blocks = {
        child.name: group_block(scope, child, _caption_side(number, len(rows)))
        for number, row in enumerate(rows)
        for child in row
    }
    cross = [bundle for bundle in bundles if not bundle.inner]
    tier_of = {child.name: number for number, row in enumerate(rows) for child in row}
    exits = outlets(scope.plan, scope.assembly) if scope.level == 0 else ()
    placed, height, width = _place(scope, rows, blocks, cross, tier_of)
    marks: list[Mark] = [mark for group in placed.values() for mark in group.block.marks]
    side = width
    pills: list[Box] = []
    for bundle in cross:
        a, b = placed[bundle.left], placed[bundle.right]
        distance = abs(a.tier - b.tier)
        if distance == 1:
            drawn = _fan(scope, bundle, a, b, pills)
        elif distance == 0:
            drawn = _beneath(scope, bundle, a, b, pills)
        else:
            drawn, side = _around(scope, bundle, a, b, width, side, pills)
        marks += drawn
        pills += [mark for mark in drawn if isinstance(mark, Box)]
    block = Block(max(width, side), height, tuple(marks))
    return _with_exits(scope, block, placed, exits, len(rows) - 1) if exits else block


def _caption_side(tier: int, tiers: int) -> Side:
    if tier == 0:
        return "below"
    return "above" if tier == tiers - 1 else "left"


def _place(
    scope: Scope,
    rows: Sequence[Sequence[Child]],
    blocks: Mapping[str, Block],
    cross: Sequence[Bundle],
    tier_of: Mapping[str, int],
) -> tuple[dict[str, Placed], float, float]:
    """Rows of arrays, the nearest to the NPUs at the bottom, with room between them for lines and labels."""
    between = 28.0 if scope.level == 0 else 18.0
    widths = [sum(blocks[c.name].width for c in row) + between * (len(row) - 1) for row in rows]
    width = max(widths, default=0.0)
    placed: dict[str, Placed] = {}
    y = 0.0
    for number in range(len(rows) - 1, -1, -1):
        row = rows[number]
        x = (width - widths[number]) / 2
        tall = max(blocks[child.name].height for child in row)
        for child in row:
            block = blocks[child.name]
            if scope.level == 0 and len(row) == 1:
                block, x = _stretched(block, width), 0.0
            top = y + (tall - block.height if number else 0.0)
            placed[child.name] = Placed(child, number, x, top, block.moved(x, top))
            x += block.width + between
        y += tall + _beneath_room(scope, cross, tier_of, number)
        if number:
            y += _gutter(scope, cross, tier_of, number)
    return placed, y, width


def _stretched(block: Block, width: float) -> Block:
    """The framed array with a wider frame and its cells in the middle."""
    extra = (width - block.width) / 2
    marks: list[Mark] = []
    for mark in block.marks:
        if isinstance(mark, Box) and mark.role == "array":
            marks.append(evolve(mark, width=width))
        else:
            marks += moved([mark], 0.0 if mark.role in ("array-name", "array-note") else extra, 0)
    cells = tuple(cell.moved(extra, 0) for cell in block.cells)
    return evolve(block, width=width, marks=tuple(marks), cells=cells)


def _beneath_room(scope: Scope, cross: Sequence[Bundle], tier_of: Mapping[str, int], tier: int) -> float:
    count = sum(1 for b in cross if tier_of[b.left] == tier_of[b.right] == tier)
    return count * (46.0 if scope.level == 0 else 20.0)


def _gutter(scope: Scope, cross: Sequence[Bundle], tier_of: Mapping[str, int], upper: int) -> float:
    count = sum(1 for b in cross if {tier_of[b.left], tier_of[b.right]} == {upper, upper - 1})
    if scope.level == 0:
        return 96.0 + 44.0 * max(1, count)
    return 34.0 + 20.0 * max(1, count) if scope.level == 1 else 26.0


def _bundle_lines(scope: Scope, bundle: Bundle) -> tuple[str, ...]:
    if scope.level:
        return (bundle.text.partition(" = ")[0],)
    medium = palette.medium_name(bundle.medium)
    notes = [bundle.link if bundle.link.lower() == medium.lower() else f"{bundle.link} ({medium})"]
    for name in (bundle.left, bundle.right):
        child = child_named(scope.assembly, name)
        if child.count > 1 and bundle.cables % child.count == 0:
            notes.append(f"{bundle.cables // child.count:,} per {name}")
    return (bundle.text, " · ".join(notes))


def _fan(scope: Scope, bundle: Bundle, a: Placed, b: Placed, pills: Sequence[Box]) -> list[Mark]:
    """Lines from cell to cell between neighbouring tiers, and the label on them."""
    joined = cell_meetings(bundle, a.child, b.child, a.block.cell_of, b.block.cell_of)
    upper, lower = (a, b) if a.tier > b.tier else (b, a)
    counts: dict[tuple[int, int], int] = {}
    if joined is None:
        counts[0, 0] = bundle.cables
    else:
        table = joined if upper is a else joined.T
        counts = {(int(i), int(k)): int(table[i, k]) for i, k in zip(*table.nonzero(), strict=True)}
    marks: list[Mark] = []
    for (i, k), cables in counts.items():
        up, down = upper.block.cells[i], lower.block.cells[k]
        start = _attach(up, k, [other for this, other in counts if this == i], lower.block.cells)
        end = _attach(down, i, [other for other, this in counts if this == k], upper.block.cells)
        id = scope.id(upper.child.name, lower.child.name, bundle.link, str(bundle.lanes), f"{i}-{k}")
        marks.append(_fan_line(scope, id, bundle, (up, start), (down, end), cables))
    low = max(cell.y + cell.height for cell in upper.block.cells)
    high = min(cell.y for cell in lower.block.cells)
    lines = _bundle_lines(scope, bundle)
    x, y = _free_spot(lines, ((upper.middle + lower.middle) / 2, (low + high) / 2), pills)
    if scope.level < DEEPEST:
        marks += _bundle_pill(scope, bundle, lines, x, y)
    return marks


def _bundle_pill(scope: Scope, bundle: Bundle, lines: Sequence[str], x: float, y: float) -> list[Mark]:
    id = scope.id("bundle", bundle.left, bundle.right, bundle.link, str(bundle.lanes))
    return pill(id, x, y, lines, scope.survey.colours[bundle.medium], tip=_bundle_tip(bundle))


def _bundle_tip(bundle: Bundle) -> str:
    return f"{bundle.left} – {bundle.right}: {bundle.text} in each direction\nover {bundle.link}, {bundle.lanes} lanes"


def _fan_line(
    scope: Scope, id: str, bundle: Bundle, top: tuple[Cell, float], bottom: tuple[Cell, float], cables: int
) -> Line:
    (up, start), (down, end) = top, bottom
    hidden = up.gap or down.gap
    return Line(
        id,
        straight((start, up.y + up.height), (end, down.y)),
        colour=scope.survey.colours[bundle.medium] + ("88" if hidden else "dd"),
        dashed=hidden,
        tip=f"{cables:,} × {bundle.link}",
        rate=float(cables * bundle.rate),
    )


def _attach(cell: Cell, towards: int, others: Sequence[int], cells: Sequence[Cell]) -> float:
    """Where on the edge of a cell the line to `towards` ends: all its lines side by side, in the order of their other
    ends."""
    order = sorted(others, key=lambda k: cells[k].middle)
    reach = min(cell.width * 0.36, 150)
    return cell.middle + reach * (2 * (order.index(towards) + 0.5) / len(order) - 1)


def _free_spot(lines: Sequence[str], wish: Point, taken: Sequence[Box]) -> Point:
    """The place nearest to the wish, straight above or below it, where a label covers no other."""
    width, height = pill_size(lines)
    x, y = wish
    for step in range(24):
        for shift in (step * 10.0, -step * 10.0):
            top, left = y + shift - height / 2, x - width / 2
            if not any(
                left < box.x + box.width + 6
                and box.x < left + width + 6
                and top < box.y + box.height + 5
                and box.y < top + height + 5
                for box in taken
            ):
                return x, y + shift
    return wish


def _beneath(scope: Scope, bundle: Bundle, a: Placed, b: Placed, pills: Sequence[Box]) -> list[Mark]:
    """Between two arrays of one tier: a line that passes below both."""
    left, right = sorted((a, b), key=lambda group: group.x)
    lines = _bundle_lines(scope, bundle)
    floor = max(g.y + g.block.height for g in (left, right)) + (26 if scope.level == 0 else 12)
    x, y = _free_spot(lines, ((left.middle + right.middle) / 2, floor), pills)
    start, end = (left.middle, left.y + left.block.height), (right.middle, right.y + right.block.height)
    path = polyline(start, (start[0], y), (end[0], y), end)
    return [_trunk(scope, bundle, path), *(_bundle_pill(scope, bundle, lines, x, y) if scope.level < DEEPEST else [])]


def _around(
    scope: Scope, bundle: Bundle, a: Placed, b: Placed, width: float, side: float, pills: Sequence[Box]
) -> tuple[list[Mark], float]:
    """Between tiers that are not neighbours: a line around the right side. Also gives the new right edge."""
    upper, lower = (a, b) if a.tier > b.tier else (b, a)
    lines = _bundle_lines(scope, bundle)
    room = pill_size(lines)[0]
    x = side + 20 + (room / 2 if scope.level < DEEPEST else 0)
    start = upper.x + upper.block.width, upper.y + upper.block.height / 2
    end = lower.x + lower.block.width, lower.y + lower.block.height / 2
    path = polyline(start, (x, start[1]), (x, end[1]), end)
    marks: list[Mark] = [_trunk(scope, bundle, path)]
    if scope.level < DEEPEST:
        marks += _bundle_pill(scope, bundle, lines, *_free_spot(lines, (x, (start[1] + end[1]) / 2), pills))
    return marks, x + (room / 2 if scope.level < DEEPEST else 0)


def _trunk(scope: Scope, bundle: Bundle, path: tuple[Point, ...]) -> Line:
    return Line(
        scope.id("trunk", bundle.left, bundle.right, bundle.link, str(bundle.lanes)),
        path,
        colour=scope.survey.colours[bundle.medium],
        tip=_bundle_tip(bundle),
        rate=float(bundle.total),
    )


# ---- ports that leave -------------------------------------------------------------------------------------------


def _with_exits(scope: Scope, block: Block, placed: Mapping[str, Placed], exits: Sequence[Outlet], top: int) -> Block:
    """The block with a chip above it for each exported port array, joined with the parts that have these ports."""
    chips = [(outlet, (f"port {outlet.name}", outlet.text)) for outlet in exits]
    chips.sort(key=lambda chip: (placed[chip[0].child].middle, chip[0].name))
    width = sum(pill_size(lines)[0] for _, lines in chips) + 16 * (len(chips) - 1)
    full = max(width, block.width)
    drop = 34 + 70.0
    shift = (full - block.width) / 2
    marks: list[Mark] = list(moved(block.marks, shift, drop))
    x = _start(chips, placed, shift, full, width)
    for number, (outlet, lines) in enumerate(chips):
        room, tall = pill_size(lines)
        group = placed[outlet.child]
        chip = x + room / 2
        cells = [group.block.cells[i].moved(shift, drop) for i in _exporting(outlet, group)]
        marks += pill(scope.id("port", outlet.name), chip, tall / 2, lines, palette.INK, tip=_outlet_tip(outlet))
        if group.tier == top:
            marks += [
                Line(
                    scope.id("port", outlet.name, str(i)),
                    straight((chip, tall), (cell.middle + _shift(chip, cell), cell.y)),
                    colour=palette.QUIET + "aa",
                    dashed=cell.gap,
                    role="exit",
                )
                for i, cell in enumerate(cells)
            ]
        else:
            below = group.block.moved(shift, drop)
            marks.append(_exit_around(scope, outlet, below, group.x + shift, (chip, tall), number))
        x += room + 16
    return evolve(block, width=full, height=block.height + drop, marks=tuple(marks))


def _start(
    chips: Sequence[tuple[Outlet, tuple[str, str]]],
    placed: Mapping[str, Placed],
    shift: float,
    full: float,
    width: float,
) -> float:
    """Where the row of chips begins: above the parts that it belongs to, as far as there is room."""
    centre = sum(placed[outlet.child].middle for outlet, _ in chips) / len(chips) + shift
    return max(0.0, min(full - width, centre - width / 2))


def _exporting(outlet: Outlet, group: Placed) -> list[int]:
    """The cells that have ports of the outlet."""
    ref = outlet.export.ref
    if not ref.at:
        return [0]
    used = evaluate(ref.at[0], open_grid(outlet.export.axes)).ravel()
    return sorted({group.block.cell_of[i] for i in set(used.tolist())})


def _exit_around(scope: Scope, outlet: Outlet, block: Block, left: float, chip: Point, number: int) -> Line:
    """From a lower tier around the left side up to the chip."""
    x = -14.0 - 8 * number
    height = block.cells[0].y + block.cells[0].height / 2
    start = left, height
    path = polyline(start, (x, height), (x, chip[1] + 12), (chip[0], chip[1] + 12), chip)
    return Line(scope.id("port", outlet.name), path, colour=palette.QUIET + "aa", role="exit")


def _shift(chip: float, cell: Cell) -> float:
    """Lines from different chips end side by side."""
    reach = cell.width * 0.3
    return max(-reach, min(reach, (chip - cell.middle) * 0.1))


def _outlet_tip(outlet: Outlet) -> str:
    return f"{outlet.ports:,} ports of {outlet.lanes} lanes {outlet.protocol} leave here, from {outlet.child}"


# ---- widths -----------------------------------------------------------------------------------------------------

_UNIT_RATE = Fraction(50 * 10**9)


def line_width(rate: Fraction | float) -> float:
    """Points for a rate in byte/s: grows with its square root, the same in every picture."""
    return min(6.0, 0.7 + 0.25 * sqrt(float(rate) / float(_UNIT_RATE)))


def weighted(mark: Mark) -> Mark:
    """A line as wide as its rate says; a line to what is not shown stays thin."""
    if not isinstance(mark, Line) or mark.rate is None:
        return mark
    return evolve(mark, width=1.0 if mark.dashed else line_width(mark.rate))


# ---- the picture ------------------------------------------------------------------------------------------------


def file_names(plan: Plan) -> Mapping[str, str]:
    """The file of each assembly type's picture: that of the system is named after the system."""
    names: dict[str, str] = {plan.root: identifier(plan.system)}
    for key in reversed(plan.bottom_up):
        if key not in names:
            base = identifier(key)
            taken = {name.lower() for name in names.values()}
            free = (base if i == 1 else f"{base}-{i}" for i in count(1))
            names[key] = next(name for name in free if name.lower() not in taken)
    return {key: f"{name}.svg" for key, name in names.items()}


def overview_picture(plan: Plan, type_key: str | None = None, survey: Survey | None = None) -> Picture:
    """The picture of an assembly type of the plan (the whole system if none is named) as values."""
    key = type_key or plan.root
    shared = survey or Survey(plan)
    assembly = plan.assemblies[key]
    files = file_names(plan)
    figures = shared.figures[key]
    block = assembly_block(Scope(shared, assembly, 0, "", files))
    samples = [(rate_text(rate), line_width(rate)) for rate in LINE_SAMPLES]
    legend = [*wiring_entries(shared, figures), *kind_entries(figures)]
    if figures.cables:
        legend.append(width_entry(samples))
    legend.append(text_entry("legend-fold", "equal parts are folded; a click on a part opens its own picture"))
    drawing = [weighted(mark) for mark in block.marks]
    notes, tiles = _notes(plan, key, files), figure_tiles(figures)
    return sheet(key, assembly.kind, notes, tiles, drawing, legend, assembly.doc or "")


def _notes(plan: Plan, key: str, files: Mapping[str, str]) -> list[tuple[str, str]]:
    """What stands below the title: what it is, and where it is used."""
    assembly = plan.assemblies[key]
    notes = [(line, "") for line in (assembly.doc or "").strip().splitlines()[:2]]
    if key == plan.root:
        return [*notes, (f"system {plan.system}", "")]
    number = plan.instances[key]
    for upper in holders(plan, key):
        notes.append((f"{number:,} in system {plan.system} · part of {upper}", files[upper]))
    return notes


def overview(plan: Plan, type_key: str | None = None) -> str:
    """The picture of an assembly type of the plan (the whole system if none is named) as SVG.

    Raises:
        NoGraphvizError: there is nothing to draw with.
    """
    return svg(overview_picture(plan, type_key))


def overview_set(plan: Plan) -> Mapping[str, str]:
    """A picture for the system and for each assembly type in it, by file name; each links to the others."""
    survey = Survey(plan)
    files = file_names(plan)
    return {files[key]: svg(overview_picture(plan, key, survey)) for key in files}
