"""Files of other tools on the command line: where they come from, and what they leave in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.importer import Doubts
    from unifiedbus_dsl.importer.source import Source


@contextmanager
def source_of(name: str | None, command: str = "import") -> Iterator[Source]:
    """Yield the file that was named; `-` is standard input, kept on disk while it is read.

    Raises:
        click.UsageError: nothing was named, or there is no such file.
    """
    from unifiedbus_dsl.base.drafts import scratch_folder
    from unifiedbus_dsl.cli.arguments import source_file
    from unifiedbus_dsl.importer.source import Source

    if name != "-":
        yield Source.of(source_file(name, command))
        return
    with scratch_folder() as folder:
        path = folder / "stdin"
        with path.open("wb") as file, click.open_file("-", "rb") as stream:
            for piece in iter(lambda: stream.read(1 << 20), b""):
                file.write(piece)
        yield Source(path, "standard input", "stdin")


def told(doubts: Doubts, sink: Sink, *, strict: bool = False) -> None:
    """Put what is in doubt, and in which sense things were taken, into a sink."""
    from unifiedbus_dsl.diagnostics import Severity

    severity = Severity.ERROR if strict else Severity.WARNING
    for sentence, lines in doubts.said():
        sink.error("UB0808", sentence, None, notes=lines, severity=severity)
    for text in doubts.remarks:
        sink.error("UB0806", text, None, severity=Severity.NOTE)
