"""What a scenario has taken, marked in a folded picture: red, with a cross."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Point, along, cross

_REACH = 4.0


def with_losses(line: Line, lost: int, cables: int) -> Line:
    """Return a line of so many cables as it is where some of them are lost: red where all are."""
    if not lost:
        return line
    if lost < cables:
        return evolve(line, tip=f"{line.tip}\n{lost:,} of these lost")
    return evolve(line, colour=palette.LOST + line.colour[7:], role="cable lost", tip=f"{line.tip}, lost")


def crosses(lines: Sequence[Line], labels: Sequence[Box]) -> list[Mark]:
    """Return a cross on each line, where no label covers it."""
    return [mark for line in lines for mark in cross(f"{line.id}-cross", *_seen(line, labels), _REACH, palette.LOST)]


def _seen(line: Line, labels: Sequence[Box]) -> Point:
    """Return a point of a line that no label covers, near to its middle."""
    spots = [along(line.points, share) for share in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8)]
    return next((spot for spot in spots if not any(_covers(box, spot) for box in labels)), spots[0])


def _covers(box: Box, at: Point) -> bool:
    x, y = at
    reach = _REACH + 1
    return box.x - reach < x < box.x + box.width + reach and box.y - reach < y < box.y + box.height + reach


def crossed_out(box: Box) -> list[Mark]:
    """Return the box of a part that is lost, with a cross over it."""
    look, (x, y) = palette.GONE, box.center
    gone = evolve(box, behind=True, fill=look.fill, stroke=look.stroke, line=1.5, tip=f"{box.tip}\nlost")
    strokes = cross(f"{box.id}-cross", x, y, box.width / 2 - 3, palette.LOST, box.height / 2 - 3, 0.8)
    return [gone, *strokes]
