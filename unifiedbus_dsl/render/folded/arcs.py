"""Cables inside one array, as arcs below its row of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve, frozen

from unifiedbus_dsl.ir.plan import Child
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.folded.block import Block, Cell, Scope
from unifiedbus_dsl.render.folded.losses import with_losses
from unifiedbus_dsl.render.folded.routes import Channels, out_of
from unifiedbus_dsl.render.folded.terminals import Join, Terminal, joins, row_terminals, spans_of
from unifiedbus_dsl.render.marks import Line, Mark, Point, cross, hanging, polyline
from unifiedbus_dsl.render.plan_summary import Bundle


@frozen(eq=False)
class _End:
    """Where an arc ends: at a cell of the row (its number), or at a box inside it."""

    cell: int
    terminal: Terminal | None

    def path(self, row: Block) -> str:
        return self.terminal.path if self.terminal else row.cells[self.cell].name


def inner_bundles(scope: Scope, child: Child) -> list[Bundle]:
    """Return the bundles inside an array."""
    return [b for b in scope.survey.bundles[scope.assembly.key] if b.left == child.name == b.right]


def with_arcs(scope: Scope, child: Child, dimension: int, row: Block) -> Block:
    """Return the row with an arc for each two of its boxes that cables join directly."""
    ends_of_row = row_terminals(row)
    size = scope.plan.device_count[child.type]
    for extent in child.shape[dimension:]:
        size *= extent
    arcs: list[Line] = []
    crosses: list[Mark] = []
    for number, bundle in enumerate(inner_bundles(scope, child)):
        meetings = joins(scope.plan, scope.assembly.key, bundle, ends_of_row, row.cells[0].first + size)
        name = scope.id(child.name, "arc", str(dimension), str(number))
        spans = spans_of(ends_of_row, row.cells[0].first + size)
        lost = [scope.lost_between(spans[join.left], spans[join.right], bundle) for join in meetings or ()]
        tints = [scope.tint(spans[join.left], spans[join.right], bundle) for join in meetings or ()]
        told = list(zip(lost, tints, strict=True))
        for arc, gone, cables, lowest in _arcs(scope, name, row, bundle, ends_of_row, meetings or (), told):
            arcs.append(with_losses(arc, gone, cables))
            crosses += cross(f"{arc.id}-cross", *lowest, 4.0, palette.LOST) if gone else ()
    depth = max((max(y for _, y in arc.points) for arc in arcs), default=row.height)
    height = max(cell.y + cell.height for cell in row.cells)
    return evolve(row, height=max(height, height + (depth - height) * 0.76), marks=(*row.marks, *arcs, *crosses))


def _arcs(
    scope: Scope,
    id: str,
    row: Block,
    bundle: Bundle,
    found: Sequence[Terminal],
    meetings: Sequence[Join],
    told: Sequence[tuple[int, str]],
) -> list[tuple[Line, int, int, Point]]:
    """Return the arcs of a bundle, each with how many of its cables are lost, how many there are, and its lowest
    point. `told` has how many cables of each meeting are lost, and their colour."""
    ends = list(_ends(row, found, meetings, told))
    channels = Channels()
    for _ in range(2):
        lines = [_arc(scope, id, row, a, b, bundle, cables, tint, channels) for a, b, cables, _, tint in ends]
        channels.settle()
    return [(line, gone, cables, at) for (line, at), (_, _, cables, gone, _) in zip(lines, ends, strict=True)]


def _ends(
    row: Block, found: Sequence[Terminal], meetings: Sequence[Join], told: Sequence[tuple[int, str]]
) -> Iterator[tuple[_End, _End, int, int, str]]:
    """Yield both ends of each arc, its cables, how many of these are lost, and their colour. All boxes of a slice of
    the array that meet the same are one end."""
    number = {id(cell): at for at, cell in enumerate(row.cells)}
    cell_of = [number[id(terminal.cells[0])] for terminal in found]
    by_cells: dict[tuple[int, int], dict[tuple[int, int], tuple[int, int, str]]] = {}
    for join, (gone, tint) in zip(meetings, told, strict=True):
        pair = cell_of[join.left], cell_of[join.right]
        if pair[0] != pair[1]:
            by_cells.setdefault(pair, {})[join.left, join.right] = join.cables, gone, tint
    for pair, counts in by_cells.items():
        sides = []
        for side, at in enumerate(pair):
            here = {both[side] for both in counts}
            every = {i for i, cell in enumerate(cell_of) if cell == at}
            inner = row.cells[at].inner
            together = len(every) == 1 if inner is None else bool(inner.cells) and here == every
            sides.append(dict.fromkeys(here, None) if together else {i: i for i in here})
        total: dict[tuple[int | None, int | None], tuple[int, int, str]] = {}
        for (a, b), (cables, gone, tint) in counts.items():
            key = sides[0][a], sides[1][b]
            before = total.get(key, (0, 0, tint))
            total[key] = before[0] + cables, before[1] + gone, tint if before[2] == tint else palette.QUIET
        for (a_end, b_end), (cables, gone, tint) in total.items():
            yield (
                _End(pair[0], None if a_end is None else found[a_end]),
                _End(pair[1], None if b_end is None else found[b_end]),
                cables,
                gone,
                tint,
            )


def _arc(
    scope: Scope,
    id: str,
    row: Block,
    one: _End,
    other: _End,
    bundle: Bundle,
    cables: int,
    tint: str,
    channels: Channels,
) -> tuple[Line, Point]:
    """Return an arc, and its lowest point."""
    one, other = sorted((one, other), key=lambda end: end.cell)
    a, b = row.cells[one.cell], row.cells[other.cell]
    span = other.cell - one.cell
    lean = 0.75 - 0.6 * (span - 1) / max(1, len(row.cells) - 1)
    inside = _inside(one, a, b.middle, lean, channels), _inside(other, b, a.middle, -lean, channels)
    depth = 5 + 6.5 * span
    arc = hanging(inside[0][-1], inside[1][-1], depth)
    lowest = (arc[0][0] + arc[-1][0]) / 2, (arc[0][1] + arc[-1][1]) / 2 + depth
    path = (*polyline(*inside[0])[:-1], *arc, *polyline(*reversed(inside[1]))[1:])
    joined = scope.named(one.path(row)), scope.named(other.path(row))
    line = Line(
        f"{id}-{one.cell}-{other.cell}",
        path,
        colour=tint,
        dashed=a.gap or b.gap,
        tip=f"{cables:,} × {bundle.link}: {joined[0]} -- {joined[1]}",
        ends=joined,
        rate=float(cables * bundle.rate),
    )
    return line, lowest


def _inside(end: _End, cell: Cell, wish: float, lean: float, channels: Channels) -> list[Point]:
    """From the box where an arc ends down to the lower edge of its cell in the row."""
    if end.terminal is None:
        return [(cell.middle + min(cell.width, 90) / 2 * lean, cell.y + cell.height)]
    box = end.terminal.cell
    points = out_of(end.terminal, end.terminal.trail, "down", box.middle + box.width * 0.3 * lean, wish, channels)
    return [*points, (points[-1][0], cell.y + cell.height)]
