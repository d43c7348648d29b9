"""From a path to a source text."""

from __future__ import annotations

import re
import stat
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean

__all__ = ["MAX_BYTES", "STDIN", "TABLES", "begins_as_text", "is_file", "load", "load_stream", "unreadable"]

STDIN = "<stdin>"
"""The name that a text from standard input is shown under."""
MAX_BYTES = 4 * 1024 * 1024
"""The largest text that is read unless the caller says otherwise; a machine fits on two pages."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def load(path: Path | str, sink: Sink, *, max_bytes: int = MAX_BYTES) -> Source | None:
    """Return the text of a file, without its byte-order mark and with the line ends it was written with.

    None where it can't be had; the sink is told why: UB0110 too large, UB0112 not there or not to be read, UB0113 not
    text. Raises nothing.
    """
    name, path = str(path), Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a file"
            sink.error("UB0112", f"can't read {_shown(name)}: it is {what}", None)
            return None
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        sink.error("UB0112", f"there is no file {_shown(name)}", None, help=_neighbour(path))
        return None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        sink.error("UB0112", f"can't read {_shown(name)}: {reason[:1].lower()}{reason[1:]}", None)
        return None
    if len(data) > max_bytes:
        message = f"{_shown(name)} is too large: {status.st_size:,} bytes, and a text may have {max_bytes:,}"
        sink.error("UB0110", message, None, help=("split it, or raise the limit with `--max-source`",))
        return None
    text = _decode(name, data.removeprefix(_BYTE_ORDER_MARK), sink)
    return None if text is None else Source(name, text, path)


def load_stream(stream: BinaryIO, sink: Sink, *, max_bytes: int = MAX_BYTES) -> Source | None:
    """Return the text that comes from standard input, as `load` reads a file; None where it can't be had."""
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        message = f"standard input is too large: a text may have {max_bytes:,} bytes"
        sink.error("UB0110", message, None, help=("split it into files that `use` each other",))
        return None
    text = _decode(STDIN, data.removeprefix(_BYTE_ORDER_MARK), sink)
    return None if text is None else Source(STDIN, text)


TABLES = (".csv", ".tsv", ".txt")
"""Suffixes of lists that a text may name."""
_BEGINNING = re.compile(r"(?:\s+|#[^\n]*(?:\n|\Z))*ubus\b")


def unreadable(path: Path, suffixes: tuple[str, ...]) -> str | None:
    """Return why a text may not name this file, None if it may.

    A text names files by their suffix, that of what a link leads to included: a text from elsewhere can't have any file
    of this computer read, and shown in a message.
    """
    real = path.resolve().suffix.lower()
    if path.suffix.lower() in suffixes and real in suffixes:
        return None
    listed = " or ".join(suffixes) if len(suffixes) < 3 else f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
    return f"its name does not end in {listed}, so it is not read"


def is_file(path: Path) -> bool:
    """Return whether there is a file of this path, which a text has named: it may be too long to be one."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def begins_as_text(text: str) -> bool:
    """Return whether a text begins, after remarks, with the word `ubus`: what does not is shown to nobody."""
    return _BEGINNING.match(text) is not None


def _neighbour(path: Path) -> tuple[str, ...]:
    try:
        names = [entry.name for entry in islice(path.parent.iterdir(), 1000)]
    except (OSError, ValueError):
        return ()
    meant = did_you_mean(path.name, names)
    return () if meant is None else (f"did you mean {_shown(str(path.with_name(meant)))}?",)


def _decode(name: str, data: bytes, sink: Sink) -> str | None:
    help_lines = ("save it as UTF-8",)
    if data.startswith(_UTF16_MARKS):
        sink.error("UB0113", f"{_shown(name)} is in UTF-16, not in UTF-8", None, help=help_lines)
        return None
    if b"\0" in data:
        sink.error("UB0113", f"{_shown(name)} is not a text: it has a zero byte in line {_line(data)}", None)
        return None
    if b"\r" in data.rstrip() and b"\n" not in data:
        message = f"{_shown(name)} ends its lines with carriage returns alone, so it is a single line"
        sink.error("UB0113", message, None, help=("save it with line feeds (LF or CR LF)",))
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{_shown(name)} is not in UTF-8: byte 0x{data[error.start]:02x} in line {line}"
        sink.error("UB0113", message, None, help=help_lines)
        return None


def _line(data: bytes) -> int:
    return data.count(b"\n", 0, data.index(b"\0")) + 1


def _shown(name: str) -> str:
    """Return a path as it may be shown: without control characters that would disturb a terminal."""
    return "`" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name) + "`"
