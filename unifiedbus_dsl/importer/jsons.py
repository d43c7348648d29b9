"""JSON that may be cut off: what is whole of it."""

from __future__ import annotations

import json
import re
from typing import Any

from unifiedbus_dsl.importer.doubts import CUT_OFF, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source

MOST_BYTES = 1 << 30
"""About five times as much in memory."""
_HALF = re.compile("[\ud800-\udfff]")
_BEGIN = re.compile(r"(?:\A|\n)[\ufeff \t]*([\[{])")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|"', re.DOTALL)


def load(source: Source, doubts: Doubts) -> Any:
    """Return the data of a file; of one that is cut off, what is whole.

    Raises:
        ImportFailed: it is no JSON, or too large.
        OSError: the file can't be read.
    """
    text = source.text(MOST_BYTES)
    if text is None:
        raise ImportFailed(
            f"`{source.title}` has more than {MOST_BYTES:,} bytes; JSON is read as a whole: use GraphML or a cable list"
        )
    begin = _BEGIN.search(text)
    before, text = (text[: begin.start(1)], text[begin.start(1) :]) if begin else ("", text)
    try:
        data, end = json.JSONDecoder().raw_decode(text)
        if before.strip("\ufeff \t\r\n"):
            doubts.add(STRANGE, 1, f"{shown(before)} before the first bracket")
        if text[end:].strip():
            doubts.add(STRANGE, text[:end].count("\n") + 1, f"{shown(text[end:])} behind the last bracket")
    except json.JSONDecodeError as error:
        whole = _whole(text)
        if whole is None:
            raise ImportFailed(f"`{source.title}` is no JSON: {error}") from error
        try:
            data = json.loads(whole)
        except json.JSONDecodeError:
            raise ImportFailed(f"`{source.title}` is no JSON: {error}") from error
        doubts.add(CUT_OFF, text.count("\n") + 1, "the file ends in the middle")
    half = _HALF.search(json.dumps(data, ensure_ascii=False)) if "\\ud" in text.lower() else None
    if half is not None:
        raise ImportFailed(f"`{source.title}`: a text has half a character in it, \\u{ord(half[0]):04x}")
    return data


def _whole(text: str) -> str | None:
    """Return the text up to the last object or list that ends, with what is open closed; None where nothing is open."""
    stack: list[str] = []
    end, closing = 0, ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "[{":
            stack.append("]" if token == "[" else "}")
        elif token in "]}" and stack:
            if stack.pop() != token:
                return None
            end, closing = match.end(), "".join(reversed(stack))
    return text[:end] + closing if stack and end else None
