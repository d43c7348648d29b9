"""Short ways to read a text in a test."""

from __future__ import annotations

from typing import Any

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse


def read_with_errors(text: str) -> tuple[tree.File, list[Diagnostic]]:
    sink = Sink()
    return parse(Source("t.ubus", text), sink), list(sink)


def read(text: str) -> tree.File:
    """The tree of a text without errors."""
    file, errors = read_with_errors(text)
    assert not errors, [(error.code, error.message, error.primary) for error in errors]
    assert not file.damage
    return file


def statement(text: str) -> Any:
    """The only statement of a file."""
    (found,) = read(f"ubus 1\n{text}\n").statements
    return found


def in_body(text: str) -> Any:
    """The only statement in the body of a type."""
    (found,) = statement(f"rack R {{\n{text}\n}}").body
    return found


def value(text: str) -> Any:
    """An expression."""
    return statement(f"let v = {text}").value


def found(text: str) -> list[tuple[str, int, str]]:
    """Code, line and underlined text of each error."""
    places = []
    for error in read_with_errors(text)[1]:
        assert error.primary is not None
        places.append((error.code, error.primary.span.line, error.primary.span.text))
    return places
