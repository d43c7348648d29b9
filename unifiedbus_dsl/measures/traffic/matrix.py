"""A traffic matrix from a list: the columns `from`, `to` and `rate`, a line for each pair of end points by name."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.fabric.names import device_id, device_type_at
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.syntax import tree

COLUMNS = ("from", "to", "rate")
BEGIN = "begin it with `from,to,rate`"


@frozen(eq=False)
class Listed:
    """Device `source[i]` sends device `target[i]` `rate_Bps[i]`."""

    source: Ints
    target: Ints
    rate_Bps: Floats  # noqa: N815


def read_matrix(node: tree.String, plan: Plan, sink: Sink) -> Listed | None:
    """Return what a file lists, the file beside the text that names it; None after a diagnostic.

    A rate is a number with a unit (`56 GB/s`) or of byte/s. A pair may stand in several lines, which add up.
    """
    reader = _Reader(node, plan, sink)
    source = reader.open()
    rows = list(_rows(source)) if source is not None else []
    order = reader.header(*rows[0]) if rows else None
    if source is not None and not rows:
        reader.wrong(Span(source, 0, 0), "the list is empty", "nothing here", BEGIN)
    if order is None:
        return None
    matrix = [reader.line(cells, span, order) for cells, span in rows[1:]]
    if not matrix:
        reader.wrong(rows[0][1], "the list names no pair", "nothing below", "write a line for each pair")
    good = [line for line in matrix if line is not None]
    if not matrix or len(good) < len(matrix):
        return None
    one, two, rate = (np.array(column) for column in zip(*good, strict=True))
    return Listed(one.astype(np.int64), two.astype(np.int64), rate.astype(np.float64))


def _rows(source: Source) -> Iterator[tuple[list[str], Span]]:
    """Yield the cells of each line that is not empty, with the span of the line."""
    for number, start in enumerate(source.line_starts, 1):
        text = source.line(number)
        if text.strip():
            yield next(csv.reader([text]), []), Span(source, start, start + len(text))


@frozen(eq=False)
class _Reader:
    node: tree.String
    plan: Plan
    sink: Sink
    ends: dict[str, int | None] = field(factory=dict)
    """What each name has turned out to be: names come again and again."""

    def wrong(self, span: Span, message: str, label: str, help: str = "") -> None:
        asked = Label(self.node.span, "asked for here")
        self.sink.error(
            "UB0710", f"traffic matrix: {message}", span, label, labels=(asked,), help=(help,) if help else ()
        )

    def open(self) -> Source | None:
        from unifiedbus_dsl.syntax.load import TABLES, is_file, load, unreadable

        beside = self.node.span.source.path
        path = (beside.parent if beside else Path()) / self.node.value
        if not is_file(path):
            message = f"there is no traffic matrix `{self.node.value}`"
            self.sink.error("UB0710", message, self.node.span, "not found", notes=(f"looked for {path}",))
            return None
        reason = unreadable(path, TABLES)
        if reason is not None:
            message = f"can't take a traffic matrix from `{self.node.value}`: {reason}"
            self.sink.error("UB0710", message, self.node.span, "not read")
            return None
        return load(path, self.sink)

    def header(self, cells: list[str], span: Span) -> list[int] | None:
        """Where each of the columns is."""
        names = [cell.strip().lower() for cell in cells]
        if not set(names) & set(COLUMNS):  # nothing is shown of what may be any file
            message = f"`{self.node.value}` has none of the columns `from`, `to` and `rate`"
            self.sink.error(
                "UB0710", message, self.node.span, "no traffic matrix", help=("begin it with `from,to,rate`",)
            )
            return None
        for name in names:
            if name not in COLUMNS:
                guess = did_you_mean(name, COLUMNS)
                help = f"did you mean `{guess}`?" if guess else "begin it with `from,to,rate`"
                self.wrong(span, f"there is no column `{name}`", "unknown column", help)
                return None
        for name in COLUMNS:
            if names.count(name) != 1:
                said = "is missing" if name not in names else "stands there twice"
                self.wrong(span, f"the column `{name}` {said}", "the header", BEGIN)
                return None
        return [names.index(name) for name in COLUMNS]

    def line(self, cells: list[str], span: Span, order: list[int]) -> tuple[int, int, float] | None:
        if len(cells) != len(order):
            message = f"this line has {len(cells)} cells, and the list has 3 columns"
            help = 'put a name with a comma in quotes: `"npu[1, 2]"`' if len(cells) > len(order) else ""
            self.wrong(span, message, "too many" if len(cells) > len(order) else "too few", help)
            return None
        one, two, text = (cells[at].strip() for at in order)
        for name in (one, two):
            if name not in self.ends:
                self.ends[name] = self.end(name, span)
        source, target, rate = self.ends[one], self.ends[two], self.rate(text, span)
        if source is None or target is None or rate is None:
            return None
        if source == target and rate > 0:
            self.wrong(span, f"`{one}` sends to itself", "crosses no cable", "delete the line")
            return None
        return source, target, rate

    def end(self, name: str, span: Span) -> int | None:
        """Return id of an end point by its path."""
        try:
            device = device_id(self.plan, name)
        except ValueError as problem:
            self.wrong(span, str(problem), "in this line")
            return None
        kind = self.plan.devices[device_type_at(self.plan, device)].kind
        if kind == "switch":
            self.wrong(span, f"`{name}` is a switch, which neither sends nor receives", "no end point")
            return None
        return device

    def rate(self, text: str, span: Span) -> float | None:
        """byte/s of `56 GB/s`, or of a bare number."""
        number, _, unit = text.partition(" ")
        try:
            factor, dimension = units.parse_unit(unit.strip() or "B/s")
            value = float(Fraction(number) * factor)
        except (ValueError, ZeroDivisionError, OverflowError):
            self.wrong(span, f"`{text}` is not a rate", "in this line", "such as `56 GB/s`, or byte/s without a unit")
            return None
        if dimension != units.RATE:
            self.wrong(span, f"`{text}` is not a rate", "another dimension", "such as `56 GB/s`")
            return None
        if value < 0:
            self.wrong(span, f"the rate `{text}` is negative", "below zero", "swap `from` and `to`")
            return None
        return value
