"""From a syntax tree to its canonical text.

There are no options. Statements stand one to a line, two spaces in; a block that was written on one line stays there if
it fits. Names of neighbouring fields, ports and parts are padded so that their `=` or `:` stand below each other. Blank
lines are kept, one at most; comments keep their place: before the statement they precede, or at the end of its line.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from attrs import define

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import statement_text, tree
from unifiedbus_dsl.syntax.expression_text import argument, arguments, expression
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.syntax.raw import RawText

__all__ = ["WIDTH", "FormatError", "format"]

WIDTH = 120
"""Longer lines are broken where there is a place to: a block into its statements, a `connect` into its clauses."""

_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


class FormatError(ValueError):
    """The tree has no canonical text: its text is damaged, or the tree is none that a text has."""


def format(file: tree.File) -> str:
    """Return the canonical text of a file: `parse` makes the same tree of it, and `format` the same text.

    Raises:
        FormatError: the file has damage, or the text would not read as the tree again.
    """
    if file.damage:
        raise FormatError(f"{file.source.name} has statements that can't be read")
    try:
        printed = _Printer(file).run()
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{file.source.name} has a node where no text has one: {error}") from error
    _check(file, printed)
    return printed


def _check(file: tree.File, printed: str) -> None:
    """Formatting must not change what a text says, whatever it says: so read it again and compare.

    Raises:
        FormatError: it would change.
    """
    sink = Sink()
    again = parse(Source(file.source.name, printed), sink)
    if again.damage or again != file or _comment_texts(again) != _comment_texts(file):
        raise FormatError(f"{file.source.name} would not read the same after formatting")


def _comment_texts(file: tree.File) -> Counter[str]:
    return Counter(comment.text for comment in file.comments)


@define
class _Line:
    """One line of the result. `padded` is the kind of statement whose sign is lined up, at `sign_at` of the text."""

    indent: int
    text: str
    comment: str = ""
    padded: type[tree.Statement] | None = None
    sign_at: int = 0

    def __str__(self) -> str:
        comment = f"  {self.comment}" if self.comment else ""
        return f"{'  ' * self.indent}{self.text}{comment}" if self.text or self.comment else ""


class _Printer:
    def __init__(self, file: tree.File) -> None:
        self.file = file
        self.source_text = file.source.text
        self.comments = sorted(file.comments, key=lambda comment: comment.span.start)
        self.comment_starts = [comment.span.start for comment in self.comments]
        self.lines: list[_Line] = []
        self.raw = RawText(self.source_text) if self.comments else None

    def run(self) -> str:
        end = len(self.source_text)
        first = 0
        if self.file.edition is not None:
            first = self.file.edition.span.end
            self.statements((), 0, self.file.edition.span.start, 0)
            self.lines.append(_Line(0, f"ubus {self.file.edition.text}"))
        self.statements(self.file.statements, first, end, 0, after_edition=self.file.edition is not None)
        _line_up(self.lines)
        return "".join(f"{line}\n" for line in self.lines)

    # ---- statements and the comments between them -----------------------------------------------------------------

    def statements(
        self, nodes: Sequence[tree.Statement], start: int, end: int, indent: int, *, after_edition: bool = False
    ) -> None:
        """The lines of a list of statements that stands between two offsets, with the comments around them."""
        previous = start
        is_first = not after_edition
        for item in self.in_order(nodes, start, end):
            if isinstance(item, tree.Comment) and not self.begins_line(item):
                self.trail(item, indent)
                continue
            force = after_edition and previous == start
            if not is_first and (force or _BLANK_LINE.search(self.source_text, previous, item.span.start)):
                self.lines.append(_Line(0, ""))
            if isinstance(item, tree.Comment):
                self.lines.append(_Line(indent, item.text))
            else:
                self.statement(item, indent)
            is_first = False
            previous = item.span.end

    def in_order(self, nodes: Sequence[tree.Statement], start: int, end: int) -> list[tree.Statement | tree.Comment]:
        """Statements with the comments between them, as they were written."""
        comments = self.comments_in(start, end)
        if not comments:
            return list(nodes)
        items: list[tree.Statement | tree.Comment] = []
        number = 0
        for node in nodes:
            while number < len(comments) and comments[number].span.start < node.span.end:
                if comments[number].span.start < node.span.start:
                    items.append(comments[number])
                number += 1
            items.append(node)
        return items + comments[number:]

    def comments_in(self, start: int, end: int) -> list[tree.Comment]:
        return self.comments[bisect_left(self.comment_starts, start) : bisect_left(self.comment_starts, end)]

    def begins_line(self, comment: tree.Comment) -> bool:
        line_start = self.source_text.rfind("\n", 0, comment.span.start) + 1
        return not self.source_text[line_start : comment.span.start].strip(" \t\r\f\v\ufeff")

    def trail(self, comment: tree.Comment, indent: int) -> None:
        """Put a comment at the end of the line before, or on one of its own where there is one already."""
        if self.lines and self.lines[-1].text and not self.lines[-1].comment:
            self.lines[-1].comment = comment.text
        else:
            self.lines.append(_Line(indent, comment.text))

    def statement(self, node: tree.Statement, indent: int) -> None:
        for comment in self.comments_in(node.span.start, self.head_end(node)):
            self.lines.append(_Line(indent, comment.text))
        if node.doc is not None:
            self.lines += [_Line(indent, f"## {line}".rstrip()) for line in node.doc.split("\n")]
        inline = self.inline(node)
        if inline is not None and (statement_text.leaf(node) is not None or 2 * indent + len(inline) <= WIDTH):
            self.simple(node, inline, indent)
        else:
            self.block_statement(node, indent)

    def simple(self, node: tree.Statement, line: str, indent: int) -> None:
        if isinstance(node, (tree.Connect, tree.ConnectPattern, tree.ConnectCables)) and 2 * indent + len(line) > WIDTH:
            first, *rest = statement_text.clauses(node)
            self.lines += [_Line(indent, first), *(_Line(indent + 2, clause) for clause in rest)]
            return
        line, *rest = _wrapped(node, line, WIDTH - 2 * indent)
        sign_at = statement_text.sign_at(node)
        padding = () if sign_at is None else (type(node), sign_at)
        self.lines += [_Line(indent, line, "", *padding), *(_Line(indent, more) for more in rest)]

    # ---- statements with blocks -----------------------------------------------------------------------------------

    def inline(self, node: tree.Statement) -> str | None:
        """Return a statement on one line; None where its block was written on several, or holds what wants lines."""
        line = statement_text.leaf(node)
        if line is not None:
            return line
        if self.comments_in(node.span.start, node.span.end) or "\n" in node.span.text:
            return None
        first, *rest = _blocks(node)
        parts = [self.inline_block(first), *(self.inline_else(block) for block in rest)]
        return (
            None if None in parts else f"{statement_text.header(node)} {' else '.join(part for part in parts if part)}"
        )

    def inline_else(self, nodes: Sequence[tree.Statement]) -> str | None:
        chained = nodes[0]
        if len(nodes) == 1 and isinstance(chained, tree.If) and chained.doc is None:
            return self.inline(chained)
        return self.inline_block(nodes)

    def inline_block(self, nodes: Sequence[tree.Statement]) -> str | None:
        if not nodes:
            return "{}"
        items = [None if node.doc is not None else self.inline(node) for node in nodes]
        return None if None in items else f"{{ {'; '.join(item for item in items if item is not None)} }}"

    def block_statement(self, node: tree.Statement, indent: int, before: str = "") -> None:
        blocks = _blocks(node)
        start, end = self.head_end(node), node.span.end
        middle = self.middle(node, blocks)
        self.open(f"{before}{statement_text.header(node)}", blocks[0], start, middle, indent)
        if len(blocks) == 1:
            return
        self.lines.pop()
        chained = blocks[1][0]
        if len(blocks[1]) == 1 and isinstance(chained, tree.If) and self.can_chain(chained, middle, end):
            self.block_statement(chained, indent, "} else ")
        else:
            self.open("} else", blocks[1], middle, end, indent)

    def open(self, head: str, nodes: Sequence[tree.Statement], start: int, end: int, indent: int) -> None:
        """A header, its block and the closing bracket."""
        self.lines.append(_Line(indent, f"{head} {{"))
        self.statements(nodes, start, end, indent + 1)
        self.lines.append(_Line(indent, "}"))

    def can_chain(self, node: tree.If, start: int, end: int) -> bool:
        """May `else { if … }` be `else if …`? Not where documentation or a comment stands between."""
        around = [*self.comments_in(start, self.head_end(node)), *self.comments_in(node.span.end, end)]
        return node.doc is None and not around

    def head_end(self, node: tree.Statement) -> int:
        """Where the header of a statement ends: behind the `{` of its first block, or at its end."""
        if self.raw is None or statement_text.leaf(node) is not None:
            return node.span.end
        first = next((inner for block in _blocks(node) for inner in block), None)
        limit = node.span.end if first is None else first.span.start
        if isinstance(node, tree.If) and not node.then and node.otherwise:
            limit = self.last_piece("else", node.span.start, limit)
        return self.last_piece("{", node.span.start, limit) + 1

    def middle(self, node: tree.Statement, blocks: Sequence[Sequence[tree.Statement]]) -> int:
        """Where the first block of an `if` ends and its `else` begins; the end of any other statement."""
        if self.raw is None or len(blocks) == 1:
            return node.span.end
        return self.last_piece("else", node.span.start, blocks[1][0].span.start)

    def last_piece(self, wanted: str, start: int, end: int) -> int:
        """Return the offset of the last sign or word of this text between two offsets, `end` where there is none."""
        assert self.raw is not None
        pieces = self.raw.pieces[self.raw.at(start) : self.raw.at(end)]
        return next((piece.start for piece in reversed(pieces) if piece.text == wanted), end)


def _blocks(node: Any) -> list[Sequence[tree.Statement]]:
    """Return the lists of statements inside a statement, one or two."""
    match node:
        case tree.ProtocolDef() | tree.LinkDef() | tree.ModelDef():
            return [node.fields]
        case tree.TypeDef():
            return [node.body]
        case tree.If():
            return [node.then, node.otherwise] if node.otherwise else [node.then]
        case _:
            return [node.items]


def _wrapped(node: tree.Statement, line: str, width: int) -> list[str]:
    """Return the lines of a statement whose value is a list or a call that does not fit on one, or a table that was
    written in rows."""
    if not isinstance(node, tree.Let | tree.Field | tree.Traffic | tree.Workload):
        return [line]
    value = node.value
    if isinstance(value, tree.Call) and value.args and len(line) > width:
        inside = arguments(value.args)
        head = line.removesuffix(inside)
        return [f"{head}(", *(f"  {inner}" for inner in _side_by_side(value.args, width - 2)), ")"]
    if not isinstance(value, tree.ListExpr) or not value.items:
        return [line]
    in_rows = isinstance(value.items[0], tree.ListExpr) and "\n" in value.span.text
    if len(line) <= width and not in_rows:
        return [line]
    head = line.removesuffix(expression(value))
    return [f"{head}[", *(f"  {inner}" for inner in _filled(value.items, width - 2)), "]"]


def _side_by_side(args: Sequence[tree.Arg], width: int) -> list[str]:
    """Return arguments on lines of at most this width."""
    lines: list[str] = []
    for at, arg in enumerate(args):
        shown = argument(arg) + ("," if at + 1 < len(args) else "")
        if lines and len(lines[-1]) + 1 + len(shown) <= width:
            lines[-1] += f" {shown}"
        else:
            lines.append(shown)
    return lines


def _filled(items: tuple[tree.Expr, ...], width: int) -> list[str]:
    """Return the elements of a list on lines of at most this width: rows on lines of their own, others side by side."""
    lines: list[str] = []
    for at, item in enumerate(items):
        shown = expression(item) + ("," if at + 1 < len(items) else "")
        if isinstance(item, tree.ListExpr):
            if len(shown) <= width:
                lines.append(shown)
            else:
                inner = _filled(item.items, width - 2)
                lines += ["[", *(f"  {line}" for line in inner), "]" + shown[-1].removeprefix("]")]
        elif lines and not lines[-1].endswith("],") and len(lines[-1]) + 1 + len(shown) <= width:
            lines[-1] += f" {shown}"
        else:
            lines.append(shown)
    return lines


def _line_up(lines: list[_Line]) -> None:
    """Pad the names of neighbouring statements of one kind, so that their signs stand below each other."""
    for (kind, _), group in groupby(lines, key=lambda line: (line.padded, line.indent)):
        if kind is None:
            continue
        neighbours = list(group)
        column = max(line.sign_at for line in neighbours)
        for line in neighbours:
            line.text = line.text[: line.sign_at].ljust(column) + line.text[line.sign_at :]
