"""Text in CSV (RFC 4180) that people open with a spreadsheet: no cell is a formula.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end as an order, whatever quotes are
around it (owasp.org, "CSV Injection"). Such a cell gets an apostrophe before it, which spreadsheets take as "this is a
text"; so does one that begins with an apostrophe, and `cell` takes it off again. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_ORDER = re.compile("['=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MAYBE = re.compile("""(?:^|[,"\n])(?!-[0-9.]+(?:[,\n]|$))['=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]|[;\t]""")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\Z")


def table(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as lines ended by LF; None is an empty field."""
    every = list(rows)
    text = _written(every, csv.QUOTE_MINIMAL)
    if _MAYBE.search(text) is None:
        return text
    return "".join(_line(row) for row in every)


def cell(text: str) -> str:
    """Return the text that a cell of `table` holds."""
    return text[1:] if text[:1] == "'" and _ORDER.match(text, 1) else text


def _written(rows: Iterable[Sequence[object]], quoting: int) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def _line(row: Sequence[object]) -> str:
    """Return a row; the texts of one with a separator of another country's spreadsheet in it are all in quotes."""
    texts = ["" if value is None else str(value) for value in row]
    safe = [f"'{text}" if _ORDER.match(text) and not _NUMBER.match(text) else text for text in texts]
    split = any(";" in text or "\t" in text for text in safe)
    return _written([safe], csv.QUOTE_ALL if split else csv.QUOTE_MINIMAL)
