"""Diagnostics as GitHub workflow commands, one line each: they appear beside the changed lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from unifiedbus_dsl.diagnostics import Diagnostic, Label, Severity
from unifiedbus_dsl.diagnostics.places import file_name, region
from unifiedbus_dsl.escape.terminal import clean_lines

__all__ = ["render"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Return one `::error …::message` line for each diagnostic, in file order."""
    return "".join(_line(d) + "\n" for d in sorted(diagnostics, key=lambda d: d.order))


def _line(diagnostic: Diagnostic) -> str:
    properties = {**_place(diagnostic.primary), "title": diagnostic.code}
    head = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[diagnostic.severity]} {head}::{_escape(_message(diagnostic))}"


def _message(diagnostic: Diagnostic) -> str:
    words = diagnostic.primary.text if diagnostic.primary else ""
    first = f"{diagnostic.message}: {words}" if words else diagnostic.message
    notes = [f"note: {note}" for note in diagnostic.notes]
    return "\n".join([first, *notes, *(f"help: {text}" for text in diagnostic.help)])


def _place(label: Label | None) -> dict[str, str]:
    if label is None:
        return {}
    at = region(label.span)
    place = {"file": file_name(label.span.source), "line": str(at.start_line), "endLine": str(at.end_line)}
    if at.start_line == at.end_line:  # GitHub refuses columns of a range of lines
        place |= {"col": str(at.start_column), "endColumn": str(max(at.start_column, at.end_column - 1))}
    return place


def _escape(text: str) -> str:
    safe = clean_lines(text.replace("\r", "\n"))
    return safe.replace("%", "%25").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
