"""Diagnostics are values: made here, collected in a sink, rendered elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from attrs import define, field, frozen

from unifiedbus_dsl.base.source import Span

__all__ = ["Diagnostic", "Edit", "Fix", "Label", "Severity", "Sink", "TooManyErrorsError", "rename"]


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
    """Return the change that writes `word` in place of what stands there; None where no word is meant."""
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


class TooManyErrorsError(Exception):
    """A sink has taken as many errors as it takes: the rest of the text need not be looked at."""


@define
class Sink:
    """Where stages put what they find. The first of several findings with one key is kept.

    At most `limit` errors and as many warnings are kept, all without a limit. Warnings beyond it are counted only; an
    error beyond it ends the run.
    """

    limit: int | None = None
    _found: dict[tuple[object, ...], Diagnostic] = field(factory=dict, init=False)
    _errors: int = field(default=0, init=False)
    left_out: int = field(default=0, init=False)
    """Warnings and notes that were not kept."""

    def add(self, diagnostic: Diagnostic) -> None:
        """Take a finding.

        Raises:
            TooManyErrorsError: there are as many errors as are taken.
        """
        if diagnostic.key in self._found:
            return
        is_error = diagnostic.severity is Severity.ERROR
        if self.limit is not None:
            if is_error and self._errors >= self.limit:
                raise TooManyErrorsError
            if not is_error and len(self._found) - self._errors >= self.limit:
                self.left_out += 1
                return
        self._errors += is_error
        self._found[diagnostic.key] = diagnostic

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
        return self._errors > 0
