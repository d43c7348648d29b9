"""Where commands write: files beside and renamed, folders, standard output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from unifiedbus_dsl.base.drafts import beside, folder_beside, make_folder, scratch_folder

__all__ = ["beside", "folder_beside", "make_folder", "to_standard_output", "write_bytes"]


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


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, beside and renamed."""
    with beside(path) as draft:
        draft.write_bytes(data)
