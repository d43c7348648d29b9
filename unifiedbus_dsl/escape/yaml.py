"""Text in YAML 1.1 and 1.2 (yaml.org/spec/1.2.2, 5.7 Escaped characters): in double quotes always, so that `no`,
`null`, `1e3` and dates are texts."""

from __future__ import annotations

import re

_SPECIAL = re.compile("[^ !#-\\[\\]-~]")


def string(value: str) -> str:
    """Return a text as a scalar, with its quotes."""
    return f'"{_SPECIAL.sub(_escaped, value)}"'


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
