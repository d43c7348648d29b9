"""Diagnostics are values: made here, collected in a sink, rendered elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from attrs import define, field, frozen

from unifiedbus_dsl.source import Span

__all__ = ["Diagnostic", "Edit", "Fix", "Label", "Severity", "Sink", "rename"]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Label:
    """A place and what is to be said about it; an empty text underlines without words."""

    span: Span
    text: str = ""


@frozen
class Edit:
    """Replace the text of a span; an empty span inserts."""

    span: Span
    text: str


@frozen
class Fix:
    """A change that a machine can make. `title` says what it does, in the imperative."""

    title: str
    edits: tuple[Edit, ...]


def rename(span: Span, word: str | None) -> Fix | None:
    """The change that writes `word` in place of what stands there; None where no word is meant."""
    return None if word is None else Fix(f"write `{word}`", (Edit(span, word),))


@frozen
class Diagnostic:
    """One finding: a code, one sentence that stands alone, where, and what to do about it.

    `primary` is None only where no text is to blame (a missing file). `notes` are facts (how many instances), `help`
    is what the reader can type.
    """

    code: str
    message: str
    primary: Label | None
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    fix: Fix | None = None
    severity: Severity = Severity.ERROR

    @property
    def key(self) -> tuple[object, ...]:
        """Two diagnostics with one key say the same thing of the same place."""
        if self.primary is None:
            return (self.code, self.message)
        span = self.primary.span
        return (self.code, id(span.source), span.start, span.end)

    @property
    def order(self) -> tuple[object, ...]:
        """File order: by source name, then place, then code."""
        if self.primary is None:
            return ("", 0, 0, self.code, self.message)
        span = self.primary.span
        return (span.source.name, span.start, span.end, self.code, self.message)


@define
class Sink:
    """Where stages put what they find. The first of several findings with one key is kept."""

    _found: dict[tuple[object, ...], Diagnostic] = field(factory=dict)

    def add(self, diagnostic: Diagnostic) -> None:
        self._found.setdefault(diagnostic.key, diagnostic)

    def error(
        self,
        code: str,
        message: str,
        span: Span | None,
        label: str = "",
        *,
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: tuple[str, ...] = (),
        fix: Fix | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        primary = None if span is None else Label(span, label)
        self.add(Diagnostic(code, message, primary, labels, notes, help, fix, severity))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(sorted(self._found.values(), key=lambda d: d.order))

    def __len__(self) -> int:
        return len(self._found)

    @property
    def has_errors(self) -> bool:
        return any(d.severity is Severity.ERROR for d in self._found.values())
