"""Whether a picture can be read."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text
from unifiedbus_dsl.render.sheet import bounds


def readable(drawn: Picture) -> None:
    """No text is smaller than 8 pixels on a page of 838, none lies on another, under a label of cables or
    below a cable, none leaves the sheet, and the legend explains only what is drawn."""
    assert unexplained(drawn) == []
    assert struck_through(drawn) == []
    texts = [mark for mark in drawn.marks if isinstance(mark, Text) and mark.text]
    assert texts
    assert drawn.smallest_text() >= 8
    left, top, right, bottom = np.array([tight(mark) for mark in texts]).T
    assert min(left.min(), top.min()) >= 0
    assert right.max() <= drawn.width
    assert bottom.max() <= drawn.height
    for k in range(len(texts)):
        over = (left < right[k]) & (left[k] < right) & (top < bottom[k]) & (top[k] < bottom)
        over[k] = False
        assert not over.any(), (texts[k].text, [texts[n].text for n in np.flatnonzero(over)])
    for label in drawn.by_role("pill"):
        own = re.compile(re.escape(label.id.removesuffix("-ground")) + r"(-line-\d+)?")
        low_x, low_y, high_x, high_y = bounds([label])
        under = (left < high_x) & (low_x < right) & (top < high_y) & (low_y < bottom)
        assert all(own.fullmatch(texts[n].id) for n in np.flatnonzero(under)), label.id


def tight(mark: Text) -> tuple[float, float, float, float]:
    """The rectangle that the letters fill, by the widths of the font."""
    low, _, high, _ = bounds([mark])
    return low, mark.y - 0.5 * mark.size, high, mark.y + 0.45 * mark.size


def unexplained(drawn: Picture) -> list[str]:
    """Return the samples of the legend that nothing in the drawing looks like."""
    samples = [m for m in drawn.by_role("legend") if not isinstance(m, Text) and not m.id.startswith(PARTS_OF_ENTRIES)]
    looks = {_look(mark) for mark in drawn.marks if mark.role != "legend"}
    return [mark.id for mark in samples if _look(mark) not in looks]


def struck_through(drawn: Picture) -> list[str]:
    """Return the words through which a cable runs: those on a ground of their own lie over it."""
    grounds = [mark for mark in drawn.marks if isinstance(mark, Box) and not mark.behind]
    left, top, right, bottom = np.array([bounds([mark]) for mark in grounds]).reshape(-1, 4).T
    x, y = _points(drawn).T
    found = []
    for mark in drawn.marks:
        if not isinstance(mark, Text) or not mark.text:
            continue
        low, up, high, down = tight(mark)
        spare = 0.06 * (high - low)  # the font's widths are given with room to spare
        inside = (low + spare < x) & (x < high - spare) & (up < y) & (y < down)
        middle = (low + high) / 2
        own = (left < middle) & (middle < right) & (top < mark.y) & (mark.y < bottom)
        if inside.any() and not own.any():
            found.append(mark.text)
    return found


def _points(drawn: Picture) -> NDArray[np.float64]:
    """Points along all cables, shape [n, 2]."""
    share = np.linspace(0, 1, 40)[:, None, None]
    pieces = [np.empty((0, 2))]
    for mark in drawn.marks:
        if isinstance(mark, Line) and mark.role.startswith("cable"):
            at = np.array(mark.points)
            a, b, c, d = at[:-1:3], at[1::3], at[2::3], at[3::3]
            rest = 1 - share
            curve = rest**3 * a + 3 * rest**2 * share * b + 3 * rest * share**2 * c + share**3 * d
            pieces.append(curve.reshape(-1, 2))
    return np.concatenate(pieces)


PARTS_OF_ENTRIES = ("legend-width", "legend-lost")
"""Samples that stand with others in one entry, of which one is enough."""


def _look(mark: Mark) -> tuple[str, ...]:
    if isinstance(mark, Line):
        return ("line", mark.colour[:7])
    return ("box", mark.fill, mark.stroke) if isinstance(mark, Box) else ("text",)
