"""Files are written beside their place and then renamed: a reader sees the old or the new one, never half of one."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

LONGEST_FILE_NAME = 255
"""Bytes, on the usual disks."""


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A new file beside `path` to be written; it takes the place of `path` when all went well, else it goes away.

    Keeps the rights of the file it replaces, and follows a link instead of replacing it. The name keeps the suffix.

    Raises:
        OSError: with `path` as its file name, where it can't be written.
    """
    target = path.resolve()
    if _is_device(target):
        with _copied_into(target, path) as draft:
            yield draft
        return
    draft = target.with_name(f".{target.stem[:40]}.{os.getpid()}{target.suffix}")
    try:
        draft.touch(mode=target.stat().st_mode & 0o777 if target.exists() else 0o666)
        yield draft
        _settle(draft)
        os.replace(draft, target)
    except OSError as error:
        raise _named(error, path) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _is_device(target: Path) -> bool:
    """Whether there is a device, a pipe or a socket by this name."""
    try:
        mode = target.stat().st_mode
    except OSError:  # nothing there, or nothing that can be: writing will say so
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def _copied_into(target: Path, path: Path) -> Iterator[Path]:
    """A file whose bytes go into a device or a pipe, which stays what it is."""
    with _elsewhere(path.suffix) as draft:
        yield draft
        try:
            with draft.open("rb") as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        except OSError as error:
            raise _named(error, path) from error


@contextmanager
def to_standard_output() -> Iterator[Path]:
    """A file whose bytes go to standard output when all went well."""
    with _elsewhere() as draft:
        yield draft
        with draft.open("rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                click.echo(piece, nl=False)


@contextmanager
def _elsewhere(suffix: str = "") -> Iterator[Path]:
    """An empty file in the folder for temporary files, for what nothing can be written beside."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"draft{suffix}"
        draft.touch()
        yield draft


@contextmanager
def folder_beside(target: Path, move_in: Callable[[Path, Path], None]) -> Iterator[Path]:
    """An empty folder beside `target`, whose files `move_in` moves there when all went well; else it goes away.

    Where `target` is there already, it is inside: what is beside may be another disk, or not be ours to write.

    Raises:
        OSError: a folder can't be made, or can't be written into.
    """
    if len(os.fsencode(target.name)) > LONGEST_FILE_NAME or target.exists():
        make_folder(target)  # says what is wrong with it before anything is worked out
    draft = (target if target.exists() else target.parent) / f".{target.name[:40]}.{os.getpid()}"
    try:
        make_folder(draft)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
    try:
        yield draft
        make_folder(target)
        move_in(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _settle(draft: Path) -> None:
    """Make sure that the bytes are on the disk before the name is."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())


def _named(error: OSError, path: Path) -> OSError:
    reason = (error.strerror or str(error)).lower()
    if error.errno == errno.ENAMETOOLONG:
        size = len(os.fsencode(path.name))
        reason += f" ({size} bytes, and a disk takes about {LONGEST_FILE_NAME}); say a shorter one by `-o`"
    return OSError(error.errno, f"can't write: {reason}", str(path))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file, beside and renamed."""
    with beside(path) as draft:
        draft.write_bytes(data)


def make_folder(path: Path) -> Path:
    """The folder, made with its parents where it isn't there.

    Raises:
        OSError: it can't be made, or can't be written into.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OSError(error.errno, "is a file, not a folder", str(path)) from error
    except OSError as error:
        raise _named(error, path) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(13, "can't write into this folder: permission denied", str(path))
    return path
