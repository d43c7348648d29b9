"""Names of files made of names in a machine: no name of a file that was read is ever a path.

What is not a letter, a digit, `_`, `-` or `.` becomes a hyphen. A name that this changes, that
Windows keeps for a device (`CON`, `NUL`), that is too long or that another one would meet gets a part of its hash, so
distinct names have distinct files, on disks that don't tell capitals apart as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from unicodedata import normalize

LONGEST = 255
"""Bytes of a file's name on the usual disks."""
_HASH = 8
_UNSAFE = re.compile(r"[^\w.-]")
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN|CONOUT|CLOCK|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3])\Z", re.IGNORECASE)


def file_name(stem: str, suffix: str = "") -> str:
    """Return a file name for a name of the machine: the name itself where it is harmless.

    `suffix`, such as `.plan.txt`, is ours; it stays as it is.
    """
    safe = _UNSAFE.sub("-", stem).lstrip("-.").rstrip("-.")
    max_bytes = LONGEST - len(suffix.encode())
    if safe == stem and safe and not _RESERVED.match(safe.split(".")[0]) and len(safe.encode()) <= max_bytes:
        return safe + suffix
    return _with_hash(safe, stem, max_bytes) + suffix


def file_names(stems: Iterable[str], suffix: str = "") -> dict[str, str]:
    """Return a file name for each of several names, no two alike but for capitals or composed letters."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for stem in dict.fromkeys(stems):
        name = file_name(stem, suffix)
        if _folded(name) in taken:
            name = _with_hash(name.removesuffix(suffix), stem, LONGEST - len(suffix.encode())) + suffix
        taken.add(_folded(name))
        names[stem] = name
    return names


def _with_hash(safe: str, stem: str, room: int) -> str:
    digest = hashlib.sha256(stem.encode(errors="surrogatepass")).hexdigest()[:_HASH]
    short = safe.encode()[: room - _HASH - 1].decode(errors="ignore").rstrip("-.").split(".")
    base = short[0] or "machine"
    return ".".join([f"{base}~{digest}", *short[1:]])


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()
