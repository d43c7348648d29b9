"""Diagnostics on their way out: once each, in the format asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TextIO

import click

from unifiedbus_dsl.cli.terminal import text_width, wants_colour

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics import Diagnostic

WARNINGS = "warnings"
FORMATS = ("text", "json", "sarif", "github")

WRONG_FILE, WRONG_USAGE = 1, 2
ANSWERS = ("UB0701", "UB0702", "UB0706", "UB0707", "UB0801")
"""Errors that answer a question which is put well: an expectation that does not hold, no answer on this machine, a
picture of too many marks."""

limit_option = click.option(
    "--limit", type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
    help="Write out at most N diagnostics as text; 0 means all.",
)  # fmt: skip


def _denied(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """`warnings` and codes, as they are spelt here.

    Raises:
        click.UsageError: there is no such code.
    """
    from unifiedbus_dsl.diagnostics import catalogue

    denied = tuple(each if each == WARNINGS else catalogue.normal(each) for each in given)
    for each in denied:
        if each != WARNINGS and catalogue.find(each) is None:
            raise click.UsageError(f"`--deny {each}`: it is `{WARNINGS}`, or a code that `ubusc explain` lists")
    return denied


deny_option = click.option(
    "--deny", callback=_denied, multiple=True, metavar="WHAT",
    help="Make the exit status 1 for this too: `warnings`, or the code of a warning or note; can be repeated.",
)  # fmt: skip


def once(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return each finding once, though several files that were given import the same one; in file order."""
    first_of: dict[tuple[object, ...], Diagnostic] = {}
    for diagnostic in diagnostics:
        first_of.setdefault(_identity(diagnostic), diagnostic)
    return sorted(first_of.values(), key=lambda d: d.order)


def _identity(diagnostic: Diagnostic) -> tuple[object, ...]:
    if diagnostic.primary is None:
        return (diagnostic.code, diagnostic.message)
    span = diagnostic.primary.span
    place = span.source.path.resolve() if span.source.path else id(span.source)
    return (diagnostic.code, place, span.start, span.end)


def as_text(diagnostics: Iterable[Diagnostic], limit: int, stream: TextIO | None) -> str:
    """As people read it, with colour where `stream` shows it."""
    from unifiedbus_dsl.diagnostics.text import render

    return render(diagnostics, colour=wants_colour(stream), limit=limit or None, width=text_width(stream))


def in_format(name: str, diagnostics: list[Diagnostic], limit: int) -> str:
    """In one of `FORMATS`, for standard output."""
    return as_text(diagnostics, limit, sys.stdout) if name == "text" else _renderer(name)(diagnostics)


def _renderer(name: str) -> Callable[[Iterable[Diagnostic]], str]:
    from unifiedbus_dsl.diagnostics import github, json, sarif
    from unifiedbus_dsl.version import VERSION

    if name == "sarif":
        return lambda diagnostics: sarif.render(diagnostics, version=VERSION)
    return json.render if name == "json" else github.render


def status(diagnostics: Iterable[Diagnostic], deny: Iterable[str] = ()) -> int:
    """1 where there is an error, or what is denied (`warnings`, or a code); 2 where `--set` is to blame; else 0."""
    from unifiedbus_dsl.diagnostics import Severity
    from unifiedbus_dsl.semantic.names.settings import of_settings

    denied = set(deny)
    bad = {Severity.ERROR, Severity.WARNING} if WARNINGS in denied else {Severity.ERROR}
    bad_ones = [each for each in diagnostics if each.severity in bad or each.code in denied]
    return WRONG_USAGE if any(map(of_settings, bad_ones)) else WRONG_FILE if bad_ones else 0


def question_status(diagnostics: Iterable[Diagnostic]) -> int:
    """Of questions on the command line: 2 where one is put wrongly, else as `status`."""
    from unifiedbus_dsl.diagnostics import Severity

    listed = list(diagnostics)
    wrong = any(d.severity is Severity.ERROR and d.code not in ANSWERS and not _in_a_file(d) for d in listed)
    return WRONG_USAGE if wrong else status(listed)


def _in_a_file(diagnostic: Diagnostic) -> bool:
    return diagnostic.primary is not None and diagnostic.primary.span.source.path is not None
