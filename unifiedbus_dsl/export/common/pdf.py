"""A PDF (ISO 32000-1) of lines of text, written page by page: the fonts that each viewer has, no pictures.

Latin is in Courier, whose characters are all 0.6 of its size wide, so that what fits is known without a table. All else
is in the Asian font of the viewer: `STSong-Light` by the CMap `UniGB-UTF16-H`, which is not embedded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from unifiedbus_dsl.diagnostics.display_width import text_width
from unifiedbus_dsl.escape.pdf import ASIAN, runs

CELL = 0.6
"""Width of a character of Courier, of its size."""
A4 = 595.28, 841.89
"""Width and height in points of 1/72 inch."""
FONTS = (
    "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold /Encoding /WinAnsiEncoding >>",
    "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UTF16-H /DescendantFonts [6 0 R] >>",
    "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 7 0 R /DW 1000"
    " /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>",
    "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0"
    " /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
)
FIRST_FONT = 3
RESOURCES = "<< /Font << /R 3 0 R /B 4 0 R /A 5 0 R >> >>"


@frozen
class Line:
    """A line of text with its left end and base line in points, from the lower left corner of the page."""

    text: str
    x: float
    y: float
    size: float
    bold: bool = False


def document(pages: Iterable[Iterable[Line]]) -> Iterator[str]:
    """Yield a PDF in parts, all of them ASCII."""
    offsets: dict[int, int] = {}
    at = 0
    kids: list[int] = []
    for number, text in _objects(pages, kids):
        if number:
            offsets[number] = at
        at += len(text)
        yield text
    yield "xref\n" + f"0 {len(offsets) + 1}\n0000000000 65535 f \n"
    yield "".join(f"{offsets[number]:010d} 00000 n \n" for number in sorted(offsets))
    yield f"trailer\n<< /Size {len(offsets) + 1} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF\n"


def _objects(pages: Iterable[Iterable[Line]], kids: list[int]) -> Iterator[tuple[int, str]]:
    """Yield each object with its number; the head of the file has none. `kids` gets the numbers of the pages."""
    yield 0, "%PDF-1.4\n"
    yield 1, _object(1, "<< /Type /Catalog /Pages 2 0 R >>")
    for number, font in enumerate(FONTS, FIRST_FONT):
        yield number, _object(number, font)
    number = FIRST_FONT + len(FONTS)
    for lines in pages:
        content = "".join(map(_shown, lines))
        page = f"<< /Type /Page /Parent 2 0 R /Resources {RESOURCES} /Contents {number + 1} 0 R >>"
        yield number, _object(number, page)
        stream = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
        yield number + 1, _object(number + 1, stream)
        kids.append(number)
        number += 2
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    size = f"[0 0 {A4[0]} {A4[1]}]"
    yield 2, _object(2, f"<< /Type /Pages /MediaBox {size} /Count {len(kids)} /Kids [{listed}] >>")


def _object(number: int, text: str) -> str:
    return f"{number} 0 obj\n{text}\nendobj\n"


def _shown(line: Line) -> str:
    """Return the operators that show a line."""
    roman = "B" if line.bold else "R"
    parts = [f"/{'A' if font == ASIAN else roman} {line.size:g} Tf {text} Tj" for font, text in runs(line.text)]
    return f"BT {line.x:.2f} {line.y:.2f} Td {' '.join(parts)} ET\n"


def wrapped(text: str, cells: int) -> list[str]:
    """Return a text in lines of at most so many cells, broken behind what ends a name where there is any."""
    lines, line, width = [], "", 0
    for character in text:
        wide = text_width(character)
        if width + wide > cells:
            cut = max((line.rfind(end) for end in " .,]>-"), default=-1) + 1
            cut = cut if cut > cells // 2 else len(line)
            lines.append(line[:cut].rstrip())
            line = line[cut:].lstrip()
            width = text_width(line)
        line, width = line + character, width + wide
    return [*lines, line] if line.strip() or not lines else lines
