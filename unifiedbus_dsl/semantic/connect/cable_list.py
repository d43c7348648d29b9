"""`connect cables("cables.csv")`: cables that no rule describes, read from a list.

The file has a header with the columns `a` and `b` (ports by name: `cabinet[0].z[1, 2]`) and, where the link states no
length, `length` (`12.5 m`, or a bare number of metres). Each group of lines between the same port arrays at the same
length becomes one rule whose subscripts are looked up in tables.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from attrs import frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.units import Quantity, format_quantity
from unifiedbus_dsl.base.work import CABLE, about, spend
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Axis, Const, Lookup, Rule, Var
from unifiedbus_dsl.semantic.connect.ends import Cable, ChooseLink
from unifiedbus_dsl.semantic.connect.holes import misses_holes
from unifiedbus_dsl.semantic.connect.leaves import Side, cut_rule
from unifiedbus_dsl.semantic.connect.placement import MAX_METRES
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Reference
from unifiedbus_dsl.syntax import tree


@frozen
class Line:
    """One cable of the list: both ends with their element numbers, and its length in metres."""

    left: Reference
    left_at: tuple[int, ...]
    right: Reference
    right_at: tuple[int, ...]
    length: Fraction | None
    span: Span


def listed_rules(
    node: tree.ConnectCables, wall: AssemblyScope, choose: ChooseLink, max_bytes: int
) -> tuple[Rule, ...] | None:
    """Return the rules of a cable list, which has no more than so many bytes; None after a diagnostic."""
    cable = choose(node.over, node, wall)
    source = _open(node.file, wall.sink, max_bytes)
    if source is None:
        return None
    lines = _lines(source, node.file, wall)
    if lines is None or cable is None:
        return None
    if not lines:
        wall.sink.error("UB0519", f"the cable list `{node.file.value}` is empty", node.file.span, "no cables")
        return None
    groups: dict[tuple[str, str, str, str, Fraction | None], list[Line]] = {}
    for line in lines:
        length = line.length if line.length is not None else cable.length
        key = (line.left.child.name, line.left.port, line.right.child.name, line.right.port, length)
        groups.setdefault(key, []).append(line)
    near = [_reaches(line, cable, wall) for line in lines]
    if not all(near):
        return None
    made = list[Rule]()
    for key, group in sorted(groups.items(), key=lambda item: str(item[0])):
        rules = _rules(group, cable, key[4], node, wall)
        if rules is None:
            return None
        made += rules
    return tuple(made)


def _reaches(line: Line, cable: Cable, wall: AssemblyScope) -> bool:
    """Return whether a length of the list is within the reach of the link."""
    reach = cable.link.fields.get("reach")
    if line.length is None or not isinstance(reach, Quantity) or line.length <= reach.value:
        return True
    length = format_quantity(Quantity(line.length, units.LENGTH))
    wall.sink.error(
        "UB0504", f"a cable of {length} is beyond the reach of `{cable.link.name}`", line.span, "in this line",
        labels=(Label(cable.span, f"`{cable.link.name}` reaches {format_quantity(reach)}"),),
    )  # fmt: skip
    return False


def _rules(
    group: list[Line], cable: Cable, length: Fraction | None, node: tree.ConnectCables, wall: AssemblyScope
) -> tuple[Rule, ...] | None:
    first = group[0]
    left = tuple(Lookup(column, Var("_e")) for column in zip(*(line.left_at for line in group), strict=True))
    right = tuple(Lookup(column, Var("_e")) for column in zip(*(line.right_at for line in group), strict=True))
    rule = Rule(
        first.left.ref(left),
        first.right.ref(right),
        (Axis("_e", 0, len(group) - 1),),
        None,
        cable.link.name,
        cable.lanes,
        length,
        "cables",
        span=node.span,
        left_span=node.file.span,
        right_span=node.file.span,
        link_span=cable.span,
    )
    said = frozenset({"_e"})
    return cut_rule(rule, (Side(first.left, left, said), Side(first.right, right, said)), cable, wall)


def _open(file: tree.String, sink: Sink, max_bytes: int) -> Source | None:
    from unifiedbus_dsl.syntax.load import TABLES, is_file, load, unreadable

    beside = file.span.source.path
    path = (beside.parent if beside else Path()) / file.value
    if not is_file(path):
        sink.error("UB0515", f"there is no cable list `{file.value}`", file.span, "not found",
                   notes=(f"looked for {path}",))  # fmt: skip
        return None
    reason = unreadable(path, TABLES)
    if reason is not None:
        sink.error("UB0515", f"can't take cables from `{file.value}`: {reason}", file.span, "not read")
        return None
    return load(path, sink, max_bytes=max_bytes)


def _lines(source: Source, file: tree.String, wall: AssemblyScope) -> list[Line] | None:
    about(file.span)
    spend(len(source.line_starts), CABLE)
    rows = _rows(source)
    header, span = next(rows, ([], Span(source, 0, 0)))
    columns = [name.strip().lower() for name in header]
    for needed in ("a", "b"):
        if needed not in columns:
            wall.sink.error(
                "UB0519", f"a cable list needs the columns `a` and `b`; `{needed}` is missing", file.span,
                "the header of this file", help=("begin the file with `a,b` or `a,b,length`",),
            )  # fmt: skip
            return None
    for name in columns:
        if name not in ("a", "b", "length"):
            guess = did_you_mean(name, ["length"])
            wall.sink.error(
                "UB0519", f"a cable list has no column `{name}`", span, "unknown column",
                help=(f"did you mean `{guess}`?" if guess else "its columns are `a`, `b` and `length`",),
            )  # fmt: skip
            return None
    lines = [_cells(columns, row, at, wall) for row, at in rows]
    good = [line for line in lines if line is not None]
    return good if len(good) == len(lines) else None


def _cells(columns: list[str], row: list[str], span: Span, wall: AssemblyScope) -> Line | None:
    """Return a line of the list; None after a diagnostic."""
    if len(row) > len(columns):
        wall.sink.error(
            "UB0520", f"this line has {len(row)} cells, and the list has {len(columns)} columns", span, "too many",
            help=('put a port with a comma in quotes: `"cabinet[0].z[1, 2]"`',),
        )  # fmt: skip
        return None
    return _line(dict(zip(columns, row, strict=False)), span, wall)


def _rows(source: Source) -> Iterator[tuple[list[str], Span]]:
    """Yield the cells of each line with the span of the line."""
    for number, start in enumerate(source.line_starts, 1):
        text = source.line(number)
        if text.strip() or number == 1:
            yield _split(text), Span(source, start, start + len(text))


def _split(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:  # a cell beyond all measure
        return []


def _line(cells: dict[str, str], span: Span, wall: AssemblyScope) -> Line | None:
    ends = []
    for column in ("a", "b"):
        end = _end(cells.get(column, "").strip(), span, wall)
        if end is None:
            return None
        ends.append(end)
    length = _length(cells.get("length", "").strip(), span, wall.sink)
    if length is not None and length <= 0:
        return None
    return Line(ends[0][0], ends[0][1], ends[1][0], ends[1][1], length, span)


def _end(text: str, span: Span, wall: AssemblyScope) -> tuple[Reference, tuple[int, ...]] | None:
    at = span.source.text.find(text, span.start, span.end) if text else -1
    place = Span(span.source, at, at + len(text)) if at >= 0 else span
    node = _path(text, place)
    if node is None:
        wall.sink.error("UB0520", f"`{text}` is not the name of a port", place, "not a port",
                        help=("write `cabinet[0].z[1, 2]`",))  # fmt: skip
        return None
    ref = wall.reference(node)
    if ref is None:
        return None
    numbers: list[int] = []
    for dimension in ref.dimensions:
        value = int(dimension.subscript.value) if isinstance(dimension.subscript, tree.Number) else -1
        if not 0 <= value < dimension.size:
            wall.sink.error(
                "UB0520", f"`{text}` is not one port of `{ref.child.name}`", place,
                f"each subscript is a number; this one 0..{dimension.size - 1}",
                labels=(Label(ref.child.span, "defined here"),) if ref.child.span else (),
            )  # fmt: skip
            return None
        numbers.append(value)
    if not misses_holes(ref, [Const(number) for number in numbers], (), None, wall):
        return None
    return ref, tuple(numbers)


_PORT = re.compile(r"([A-Za-z_]\w*)\s*(\[[\d,\s]*\])?\s*\.\s*([A-Za-z_]\w*)\s*(\[[\d,\s]*\])?")


def _path(text: str, span: Span) -> tree.Expr | None:
    """`cabinet[0].z[1, 2]` as an expression; None if the text is nothing of the sort."""
    match = _PORT.fullmatch(text)
    if match is None:
        return None
    child, at, port, port_at = match.groups()
    base: tree.Expr = _subscripted(tree.Name(child, span=span), at, span)
    return _subscripted(tree.Member(base, tree.Word(port, span=span), span=span), port_at, span)


def _subscripted(base: tree.Expr, brackets: str | None, span: Span) -> tree.Expr:
    numbers = re.findall(r"\d+", brackets or "")
    if not numbers:
        return base
    return tree.Index(base, tuple(tree.Number(number, span=span) for number in numbers), span=span)


_NUMBER = re.compile(r"\d{1,12}(\.\d{1,12})?")


def _length(text: str, span: Span, sink: Sink) -> Fraction | None:
    if not text:
        return None
    number, _, unit = text.partition(" ")
    number = number if _NUMBER.fullmatch(number) else ""
    try:
        factor, dimension = units.parse_unit(unit.strip() or "m")
        value = Fraction(number) * factor
    except (ValueError, ZeroDivisionError):
        value, dimension = Fraction(0), units.LENGTH
    if dimension != units.LENGTH or not 0 < value <= MAX_METRES:
        sink.error("UB0520", f"`{text}` is not a length", span, "in this line", help=("write `12.5 m`",))
        return Fraction(-1)
    return value
