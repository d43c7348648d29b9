"""Files are written beside their place and then renamed: a reader sees the old or the new one, never half of one.

A draft is locked as long as its writer lives. The lock goes with the process, however it ends, so whoever writes into
a folder next removes the drafts there that nobody holds any more: what is killed leaves no litter that grows.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there, drafts that nobody holds are known by their age
    fcntl = None  # type: ignore[assignment]

PREFIX = ".ubusc-draft-"
LONGEST_FILE_NAME = 255
"""Bytes, on the usual disks."""
_STALE_S = 24 * 3600.0
"""Age of a draft without a writer where there are no locks."""
_swept: set[Path] = set()
"""Folders that this process has swept."""
_held: set[Path] = set()
"""Drafts of this process: what is written beside one of them is written into it."""


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Yield a new file beside `path` to be written; it takes the place of `path` when all went well, else it goes away.

    Keeps the rights of the file it replaces, and follows a link instead of replacing it. The name keeps the suffix.

    Raises:
        OSError: with `path` as its file name, where it can't be written.
    """
    target = path.resolve()
    if target in _held:
        yield target
        return
    if _is_device(target):
        with _copied_into(target, path) as draft:
            yield draft
        return
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666
        with _draft(target.parent, target.stem, target.suffix, mode) as draft:
            yield draft
            _settle(draft)
            os.replace(draft, target)
    except OSError as error:
        raise named(error, path) from error


@contextmanager
def folder_beside(target: Path, move_in: Callable[[Path, Path], None]) -> Iterator[Path]:
    """Yield an empty folder beside `target`, whose files `move_in` moves there when all went well; else it goes away.

    Where `target` is there already, it is inside: what is beside may be another disk, or not be ours to write.

    Raises:
        OSError: a folder can't be made, or can't be written into.
    """
    if len(os.fsencode(target.name)) > LONGEST_FILE_NAME or target.exists():
        make_folder(target)  # says what is wrong with it before anything is worked out
    parent = target if target.exists() else target.parent
    try:
        make_folder(parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error
    with _draft(parent, target.name, "", None) as draft:
        yield draft
        make_folder(target)
        move_in(draft, target)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder among the temporary files, for what nothing can be written beside; it goes away."""
    with _draft(Path(tempfile.gettempdir()).resolve(), "", "", None) as folder:
        folder.chmod(0o700)
        yield folder


def make_folder(path: Path) -> Path:
    """Return the folder, made with its parents where it isn't there.

    Raises:
        OSError: it can't be made, or can't be written into.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OSError(error.errno, "is a file, not a folder", str(path)) from error
    except OSError as error:
        raise named(error, path) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(13, "can't write into this folder: permission denied", str(path))
    return path


def named(error: OSError, path: Path) -> OSError:
    """Return the error with what could not be written."""
    reason = (error.strerror or str(error)).lower()
    if error.errno == errno.ENAMETOOLONG:
        size = len(os.fsencode(path.name))
        reason += f" ({size} bytes, and a disk takes about {LONGEST_FILE_NAME}); say a shorter one by `-o`"
    return OSError(error.errno, f"can't write: {reason}", str(path))


# ---- drafts and their locks -------------------------------------------------------------------------------------


@contextmanager
def _draft(folder: Path, stem: str, suffix: str, mode: int | None) -> Iterator[Path]:
    """Yield a file with these rights, or for None a folder, that is ours until it is renamed or removed."""
    if len(os.fsencode(stem + suffix)) > LONGEST_FILE_NAME:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    _sweep(folder)
    draft, lock = _locked(folder, stem, suffix if len(suffix) < 20 else "", mode)
    _held.add(draft)
    try:
        yield draft
    finally:
        _held.discard(draft)
        _remove(draft)
        if lock is not None:
            os.close(lock)


def _locked(folder: Path, stem: str, suffix: str, mode: int | None) -> tuple[Path, int | None]:
    """Return a new draft, and the descriptor that holds its lock; again where a sweep was faster than the lock."""
    readable = "".join(c if c.isalnum() else "-" for c in stem[:40])
    while True:
        draft = folder / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}-{readable}{suffix}"
        if mode is None:
            draft.mkdir()
        else:
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        lock = _take_lock(draft)
        if draft.exists():
            return draft, lock
        if lock is not None:
            os.close(lock)


def _take_lock(draft: Path) -> int | None:
    """Return the descriptor that holds the lock of a draft; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        lock = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # gone, or not ours to read
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a disk without locks
        os.close(lock)
        return None
    return lock


def _sweep(folder: Path) -> None:
    """Remove the drafts in a folder whose writers are gone."""
    if folder in _swept:
        return
    _swept.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX):
                with suppress(OSError):
                    _sweep_away(Path(entry.path))


def _sweep_away(draft: Path) -> None:
    status = draft.lstat()
    if stat.S_ISLNK(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
        return
    if fcntl is None:
        if time.time() - status.st_mtime > _STALE_S:
            _remove(draft)
        return
    lock = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an error where its writer lives
        _remove(draft)
    finally:
        os.close(lock)


def _remove(draft: Path) -> None:
    if draft.is_dir() and not draft.is_symlink():
        shutil.rmtree(draft, ignore_errors=True)
        return
    with suppress(OSError):
        draft.unlink()


def _settle(draft: Path) -> None:
    """Make sure that the bytes are on the disk before the name is. Windows wants a handle that may write."""
    with draft.open("r+b") as file:
        os.fsync(file.fileno())


# ---- devices and pipes ------------------------------------------------------------------------------------------


def _is_device(target: Path) -> bool:
    """Return whether there is a device, a pipe or a socket by this name."""
    try:
        mode = target.stat().st_mode
    except OSError:  # nothing there, or nothing that can be: writing will say so
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def _copied_into(target: Path, path: Path) -> Iterator[Path]:
    """Yield a file whose bytes go into a device or a pipe, which stays what it is."""
    with scratch_folder() as folder:
        draft = folder / f"draft{path.suffix}"
        draft.touch()
        yield draft
        try:
            with draft.open("rb") as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        except OSError as error:
            raise named(error, path) from error
