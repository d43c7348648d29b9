"""Diagnostics as JSON, for scripts and editors.

Lines and columns count from 1 in Unicode code points, `end` is exclusive, `offset` counts from 0 from the start of
the text without its byte-order mark. A change that breaks a reader raises `version`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Diagnostic, Fix, Label, Severity
from unifiedbus_dsl.diagnostics.places import file_name, region
from unifiedbus_dsl.escape.json import indented

__all__ = ["VERSION", "render", "to_data"]

VERSION = 1


def render(diagnostics: Iterable[Diagnostic]) -> str:
    """Return all diagnostics in file order as one JSON object, ended by a newline."""
    return indented(to_data(diagnostics))


def to_data(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    ordered = sorted(diagnostics, key=lambda d: d.order)
    summary = {f"{severity}s": sum(d.severity is severity for d in ordered) for severity in Severity}
    return {"version": VERSION, "summary": summary, "diagnostics": [_diagnostic(d) for d in ordered]}


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "primary": None if diagnostic.primary is None else _label(diagnostic.primary),
        "labels": [_label(label) for label in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "help": list(diagnostic.help),
        "fix": None if diagnostic.fix is None else _fix(diagnostic.fix),
    }


def _label(label: Label) -> dict[str, Any]:
    return {**_place(label.span), "text": label.text}


def _fix(fix: Fix) -> dict[str, Any]:
    return {"title": fix.title, "edits": [{**_place(edit.span), "replacement": edit.text} for edit in fix.edits]}


def _place(span: Span) -> dict[str, Any]:
    at = region(span)
    return {
        "file": file_name(span.source),
        "start": {"line": at.start_line, "column": at.start_column, "offset": span.start},
        "end": {"line": at.end_line, "column": at.end_column, "offset": span.end},
    }
