"""Diagnostics as text, in the style of rustc.

Colour is the caller's choice (terminal, `NO_COLOR`, `FORCE_COLOR`); nothing here looks at the environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Diagnostic, Label, Severity
from unifiedbus_dsl.diagnostics.display_width import clean
from unifiedbus_dsl.diagnostics.snippet import Mark, snippet
from unifiedbus_dsl.diagnostics.style import PLAIN, Style, ansi

__all__ = ["render", "render_one", "select", "summary_line"]

WIDTH = 140
"""Cells of a source line that are shown at most; a longer line is cut to a window around its marks."""


def render(
    diagnostics: Iterable[Diagnostic], *, colour: bool = False, limit: int | None = 20, width: int = WIDTH
) -> str:
    """Return all diagnostics in file order, then the summary line; empty where there are none.

    At most `limit` are written out, errors before the rest, and a line says how many more there are; None: all.
    """
    ordered = sorted(diagnostics, key=lambda d: d.order)
    if not ordered:
        return ""
    shown = select(ordered, limit)
    blocks = [render_one(d, colour=colour, width=width) for d in shown]
    if len(shown) < len(ordered):
        blocks.append(f"... and {len(ordered) - len(shown):,} more\n")
    return "\n".join([*blocks, summary_line(ordered) + "\n"])


def select(diagnostics: Sequence[Diagnostic], limit: int | None) -> list[Diagnostic]:
    """At most `limit` of them in the order given; errors are kept before warnings, warnings before notes."""
    if limit is None or len(diagnostics) <= limit:
        return list(diagnostics)
    rank = list(Severity)
    kept = sorted(range(len(diagnostics)), key=lambda i: (rank.index(diagnostics[i].severity), i))[:limit]
    return [diagnostics[i] for i in sorted(kept)]


def summary_line(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; `no errors` where there is nothing to count."""
    counts = dict.fromkeys(Severity, 0)
    for diagnostic in diagnostics:
        counts[diagnostic.severity] += 1
    parts = [f"{n:,} {severity}{'' if n == 1 else 's'}" for severity, n in counts.items() if n]
    return ", ".join(parts) or "no errors"


def render_one(diagnostic: Diagnostic, *, colour: bool = False, width: int = WIDTH) -> str:
    """Return one diagnostic as lines, each ended by a newline."""
    style = ansi(diagnostic.severity) if colour else PLAIN
    groups = _by_source(diagnostic)
    gutter = max((len(str(_last_line(group.marks))) for group in groups), default=1)
    lines = [_header(diagnostic, style)]
    for number, group in enumerate(groups):
        lines += _group(group, gutter, style, first=number == 0, width=width)
    for word, texts in (("note", diagnostic.notes), ("help", _help(diagnostic))):
        for text in texts:
            lines += _remark(word, text, gutter, style)
    return "".join(line.rstrip() + "\n" for line in lines)


def _header(diagnostic: Diagnostic, style: Style) -> str:
    head = style.severity(f"{diagnostic.severity}[{diagnostic.code}]")
    return head + style.strong(f": {clean(diagnostic.message)}")


def _help(diagnostic: Diagnostic) -> tuple[str, ...]:
    """Return the help lines; the title of the fix stands in where there are none."""
    if diagnostic.help or diagnostic.fix is None:
        return diagnostic.help
    return (f"{diagnostic.fix.title} (`ubusc check --fix` does it)",)


@frozen
class _Group:
    """What is to be shown of one source."""

    source: Source
    marks: tuple[Mark, ...]


def _by_source(diagnostic: Diagnostic) -> list[_Group]:
    """Return the primary's source first, the others in order of their labels."""
    if diagnostic.primary is None:
        labelled = [(label, False) for label in diagnostic.labels]
    else:
        labelled = [(diagnostic.primary, True), *((label, False) for label in diagnostic.labels)]
    groups: dict[int, tuple[Source, list[Mark]]] = {}
    for label, primary in labelled:
        source = label.span.source
        groups.setdefault(id(source), (source, []))[1].append(_mark(label, primary))
    return [_Group(source, tuple(marks)) for source, marks in groups.values()]


def _mark(label: Label, primary: bool) -> Mark:
    """Where the label stands. A span that ends in a line end is shown up to the end of its line."""
    source, start, end = label.span.source, label.span.start, label.span.end
    line, column = source.position(start)
    end_line, end_column = source.position(max(start, end - 1))
    shown = min(end_column, max(len(source.line(end_line)), 1)) if end_line > line else end_column
    return Mark(line, column - 1, end_line, shown, clean(label.text), primary)


def _last_line(marks: Sequence[Mark]) -> int:
    return max(mark.end_line for mark in marks)


def _group(group: _Group, gutter: int, style: Style, *, first: bool, width: int) -> list[str]:
    lead = next((m for m in group.marks if m.primary), group.marks[0])
    arrow = "-->" if first else ":::"
    place = f"{clean(group.source.name)}:{lead.line}:{lead.column + 1}"
    rows = [] if first else [" " * (gutter + 1) + style.gutter("|")]
    rows += [" " * gutter + style.gutter(arrow) + f" {place}", " " * (gutter + 1) + style.gutter("|")]
    for row in snippet(group.source, group.marks, style, width):
        number = "..." if row.gap else str(row.number or "")
        if row.gap:
            rows.append(style.gutter(number) + " " * gutter + row.text)
        else:
            rows.append(style.gutter(f"{number:>{gutter}} |") + (" " + row.text if row.text else ""))
    return rows


def _remark(word: str, text: str, gutter: int, style: Style) -> list[str]:
    """`= note: …`; further lines of the text stand below its first word."""
    first, *more = text.split("\n")
    indent = " " * (gutter + 1)
    rows = [indent + style.gutter("=") + " " + style.strong(f"{word}:") + f" {clean(first)}"]
    return rows + [f"{indent}{' ' * (len(word) + 4)}{clean(line)}" for line in more]
