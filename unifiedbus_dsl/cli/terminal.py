"""What is at the other end: a terminal, a pipe, nothing."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

import click

from unifiedbus_dsl.escape.terminal import clean_painted


def prepare_streams() -> None:
    """Characters that the locale can't write come out as `?` instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter doesn't stumble over it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            _point_at(stream, nowhere)
    os.close(nowhere)


def _point_at(stream: TextIO | None, descriptor: int) -> None:
    try:
        if stream is not None:
            os.dup2(descriptor, stream.fileno())
    except (OSError, ValueError):
        pass  # not a real file: nothing is left to be written


def is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def wants_colour(stream: TextIO | None) -> bool:
    """Colour on a terminal, unless `NO_COLOR` is set; elsewhere only with `FORCE_COLOR` (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return is_terminal(stream) and os.environ.get("TERM") != "dumb"


def columns(stream: TextIO, default: int = 80) -> int:
    """Cells of a line of the terminal behind a stream."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or default
    except (OSError, ValueError):  # it is none
        return default


def text_width(stream: TextIO | None, default: int = 140) -> int:
    """Cells for a line of source: what the terminal has left beside the line numbers."""
    if stream is None or not is_terminal(stream):
        return default
    return max(40, columns(stream) - 8)


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Write a text for people: what a file says in it can do nothing to the terminal."""
    click.echo(clean_painted(text), err=err, nl=nl)
