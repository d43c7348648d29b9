"""The few colours of a diagnostic; `PLAIN` has none."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from unifiedbus_dsl.diagnostics import Severity

Paint = Callable[[str], str]


def _plain(text: str) -> str:
    return text


def _sgr(codes: str) -> Paint:
    def paint(text: str) -> str:
        return f"\x1b[{codes}m{text}\x1b[0m" if text else text

    return paint


@frozen
class Style:
    """How each part is painted."""

    severity: Paint
    strong: Paint
    gutter: Paint
    primary: Paint
    secondary: Paint


PLAIN = Style(_plain, _plain, _plain, _plain, _plain)

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}


def ansi(severity: Severity) -> Style:
    """Return the style of a terminal with the 16 standard colours."""
    main = _sgr(_COLOURS[severity])
    blue = _sgr("1;34")
    return Style(main, _sgr("1"), blue, main, blue)
