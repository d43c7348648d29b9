"""Reads label sheets back from their PDF, each object by the cross-reference table."""

from __future__ import annotations

import re
from pathlib import Path


def objects(path: Path) -> dict[int, str]:
    """The objects of a file, each found by its offset in the table at its end."""
    text = path.read_bytes().decode("ascii")
    at = int(re.search(r"startxref\n(\d+)\n%%EOF\n\Z", text)[1])  # type: ignore[index]
    head, _, rows = text[at:].partition("\n")[2].partition("\n")
    first, count = map(int, head.split())
    assert first == 0
    found = {}
    for number in range(1, count):
        row = rows[20 * number : 20 * number + 20]
        assert row.endswith(" 00000 n \n")
        body = text[int(row[:10]) :]
        assert body.startswith(f"{number} 0 obj\n")
        found[number] = body.partition("\nendobj\n")[0]
    return found


def sheets(path: Path) -> list[list[tuple[float, float, bool, str]]]:
    """The lines of each page: place in points, whether bold, text."""
    known = objects(path)
    pages = re.search(r"/Count (\d+) /Kids \[(.*?)\]", known[2])
    assert pages is not None
    kids = [int(kid) for kid in re.findall(r"(\d+) 0 R", pages[2])]
    assert len(kids) == int(pages[1])
    read = []
    for kid in kids:
        stream = known[int(re.search(r"/Contents (\d+) 0 R", known[kid])[1])]  # type: ignore[index]
        size, content = re.search(r"/Length (\d+) >>\nstream\n(.*)\nendstream", stream, re.DOTALL).groups()  # type: ignore[union-attr]
        assert len(content) == int(size)
        lines = re.findall(r"BT ([\d.]+) ([\d.]+) Td (.*?) ET", content)
        read.append([(float(x), float(y), "/B " in shown, _text(shown)) for x, y, shown in lines])
    return read


def _text(shown: str) -> str:
    parts = re.findall(r"/([RBA]) [\d.]+ Tf <([0-9a-f]*)> Tj", shown)
    return "".join(bytes.fromhex(code).decode("utf-16-be" if font == "A" else "cp1252") for font, code in parts)
