"""Progress on a terminal: one line on standard error, from the first second on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

from unifiedbus_dsl.base.progress import listen
from unifiedbus_dsl.cli.terminal import columns, is_terminal
from unifiedbus_dsl.escape.terminal import clean

PATIENCE = 1.0
"""Seconds of silence before anything is shown."""
EVERY = 0.1
"""Seconds between two pictures."""


class ProgressBar:
    """A listener that paints the line, and wipes it away when a task has ended."""

    def __init__(self, stream: TextIO, patience: float = PATIENCE) -> None:
        self.stream = stream
        self.next = monotonic() + patience
        self.shown = 0

    def __call__(self, title: str, done: int, total: int | None) -> None:
        if done < 0:
            self.wipe()
        elif monotonic() >= self.next:
            self.next = monotonic() + EVERY
            self.paint(_line(title, done, total))

    def paint(self, line: str) -> None:
        line = line[: columns(self.stream) - 1]  # a line that wraps can't be painted over
        self.stream.write("\r" + clean(line).ljust(self.shown))
        self.stream.flush()
        self.shown = len(line)

    def wipe(self) -> None:
        if self.shown:
            self.stream.write("\r" + " " * self.shown + "\r")
            self.stream.flush()
            self.shown = 0


def _line(title: str, done: int, total: int | None) -> str:
    if not total:
        return f"{title} … {done:,}" if done else f"{title} …"
    return f"{title} … {done:,} of {total:,} ({done * 100 // total} %)"


@contextmanager
def progress_bar() -> Iterator[Callable[[], None]]:
    """Show the progress of what runs inside, where a terminal can show it; gives what wipes it away for other lines."""
    stream = sys.stderr
    if not is_terminal(stream):
        yield lambda: None
        return
    painter = ProgressBar(stream)
    try:
        with listen(painter):
            yield painter.wipe
    finally:
        painter.wipe()
