"""Where commands write: files beside and renamed, folders, standard output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from unifiedbus_dsl.base.drafts import beside, folder_beside, make_folder, scratch_folder
from unifiedbus_dsl.cli.terminal import say

__all__ = ["beside", "folder_beside", "make_folder", "say_or_write", "to_standard_output", "write_bytes"]


@contextmanager
def to_standard_output() -> Iterator[Path]:
    """Yield a file whose bytes go to standard output when all went well."""
    with scratch_folder() as folder:
        draft = folder / "draft"
        draft.touch()
        yield draft
        with draft.open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                click.echo(piece, nl=False)


def say_or_write(text: str, output: str | None) -> None:
    """Write a text to a file, or to standard output where it is None or `-`."""
    if output in (None, "-"):
        say(text, nl=False)
    else:
        write_bytes(Path(output), text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, beside and renamed."""
    with beside(path) as draft:
        draft.write_bytes(data)
