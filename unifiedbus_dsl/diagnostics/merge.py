"""One finding for one mistake: a name that is unknown in ten places is said once, with the other places labelled."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from attrs import evolve

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Diagnostic, Fix, Label

__all__ = ["merge_repeated"]

OF_FILE = frozenset(("UB0206", "UB0207", "UB0222", "UB0223", "UB0224", "UB0225"))
"""Codes about names of a whole file: the same word is the same mistake anywhere in it."""
OF_TYPE = frozenset(("UB0201", "UB0212", "UB0220", "UB0230", "UB0231"))
"""Codes about names that may mean something else in another type."""
OF_MESSAGE = frozenset(("UB0401", "UB0403", "UB0512"))
"""Codes where the sentence says what is wrong with which array: the same sentence is the same mistake."""
SHOWN = 3
"""Further places that get a label; the others are counted."""

Enclosing = Callable[[Span], Hashable]


def merge_repeated(diagnostics: Iterable[Diagnostic], enclosing: Enclosing) -> list[Diagnostic]:
    """Return the findings, those of one mistake made one. `enclosing` gives the type that a place is in."""
    groups: dict[Hashable, list[Diagnostic]] = {}
    for each in diagnostics:
        groups.setdefault(_key(each, enclosing), []).append(each)
    return [_one(group) for group in groups.values()]


def _key(diagnostic: Diagnostic, enclosing: Enclosing) -> Hashable:
    if diagnostic.primary is None:
        return diagnostic.key
    span = diagnostic.primary.span
    source = id(span.source)
    if diagnostic.code in OF_FILE:
        return (diagnostic.code, source, span.text)
    if diagnostic.code in OF_TYPE:
        return (diagnostic.code, source, span.text, enclosing(span))
    if diagnostic.code in OF_MESSAGE:
        return (diagnostic.code, source, diagnostic.message, enclosing(span))
    return diagnostic.key


def _one(group: list[Diagnostic]) -> Diagnostic:
    first, *others = group
    if not others:
        return first
    labels = tuple(Label(each.primary.span, "and here") for each in others[:SHOWN] if each.primary is not None)
    more = len(others) - len(labels)
    notes = (f"and in {more} more place{'s' * (more != 1)}",) if more else ()
    return evolve(first, labels=(*first.labels, *labels), notes=(*first.notes, *notes), fix=_fix(group))


def _fix(group: list[Diagnostic]) -> Fix | None:
    """Return the fix of the first, done in every place, where all say the same."""
    fixes = [each.fix for each in group if each.fix is not None]
    if len(fixes) < len(group) or len({fix.title for fix in fixes}) != 1:
        return group[0].fix
    return Fix(fixes[0].title, tuple(edit for fix in fixes for edit in fix.edits))
