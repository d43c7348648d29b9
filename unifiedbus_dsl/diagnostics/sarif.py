"""Diagnostics as SARIF 2.1.0 (OASIS), for code scanning: rules from the catalogue, results, related places, fixes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Diagnostic, Fix, Label, Severity
from unifiedbus_dsl.diagnostics.catalogue import Page, find
from unifiedbus_dsl.diagnostics.places import file_uri, region
from unifiedbus_dsl.escape.json import indented

__all__ = ["SCHEMA", "render", "to_data"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(diagnostics: Iterable[Diagnostic], *, version: str = "") -> str:
    """Return all diagnostics as one SARIF log with one run, ended by a newline; `version` is that of the tool."""
    return indented(to_data(diagnostics, version=version))


def to_data(diagnostics: Iterable[Diagnostic], *, version: str = "") -> dict[str, Any]:
    ordered = sorted(diagnostics, key=lambda d: d.order)
    codes = sorted({d.code for d in ordered})
    driver: dict[str, Any] = {"name": "ubusc", "rules": [_rule(code) for code in codes]}
    if version:
        driver["semanticVersion"] = version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d, codes.index(d.code)) for d in ordered],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    page = find(code)
    return {"id": code} if page is None else {"id": code, **_rule_texts(page)}


def _rule_texts(page: Page) -> dict[str, Any]:
    return {
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": page.meaning},
        "help": {"text": page.fix, "markdown": page.text},
    }


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, Any]:
    message = "\n".join([diagnostic.message, *diagnostic.notes, *(f"help: {text}" for text in diagnostic.help)])
    entry: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": message},
    }
    if diagnostic.primary is not None:
        entry["locations"] = [_location(diagnostic.primary)]
    if diagnostic.labels:
        entry["relatedLocations"] = [{"id": n, **_location(label)} for n, label in enumerate(diagnostic.labels)]
    if diagnostic.fix is not None:
        entry["fixes"] = [_fix(diagnostic.fix)]
    return entry


def _location(label: Label) -> dict[str, Any]:
    span = label.span
    physical = {"artifactLocation": _artifact(span.source), "region": _region(span)}
    location: dict[str, Any] = {"physicalLocation": physical}
    if label.text:
        location["message"] = {"text": label.text}
    return location


def _artifact(source: Source) -> dict[str, str]:
    return {"uri": file_uri(source)}


def _region(span: Span) -> dict[str, int]:
    at = region(span)
    return {
        "startLine": at.start_line,
        "startColumn": at.start_column,
        "endLine": at.end_line,
        "endColumn": at.end_column,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    sources: list[Source] = []
    for edit in fix.edits:
        if not any(source is edit.span.source for source in sources):
            sources.append(edit.span.source)
    return {"description": {"text": fix.title}, "artifactChanges": [_change(s, fix) for s in sources]}


def _change(source: Source, fix: Fix) -> dict[str, Any]:
    edits = [edit for edit in fix.edits if edit.span.source is source]
    replacements = [{"deletedRegion": _region(e.span), "insertedContent": {"text": e.text}} for e in edits]
    return {"artifactLocation": _artifact(source), "replacements": replacements}
