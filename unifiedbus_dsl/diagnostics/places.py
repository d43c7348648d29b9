"""Places as the machine formats give them: file, and lines and columns from 1, the end exclusive."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import quote

from attrs import frozen

from unifiedbus_dsl.base.source import Source, Span


@frozen
class Region:
    """Lines and columns from 1, in Unicode code points; the end column is the one behind the last character."""

    start_line: int
    start_column: int
    end_line: int
    end_column: int


def region(span: Span) -> Region:
    return Region(*span.source.position(span.start), *span.source.position(max(span.start, span.end)))


def file_name(source: Source) -> str:
    """Return the name it is shown under, with forward slashes where it is a path."""
    return source.name if source.path is None else PurePath(source.name).as_posix()


def file_uri(source: Source) -> str:
    """Return a relative reference for a relative name, `file:///…` for an absolute one."""
    name = file_name(source)
    path = PurePath(name)
    return path.as_uri() if path.is_absolute() else quote(name, errors="surrogateescape")
