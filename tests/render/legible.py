"""Whether a picture can be read."""

from __future__ import annotations

import re

import numpy as np

from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text
from unifiedbus_dsl.render.sheet import bounds


def readable(drawn: Picture) -> None:
    """No text is smaller than 8 pixels on a page of 838, none lies on another or under a label of cables, none leaves
    the sheet, and the legend explains only what is drawn."""
    assert unexplained(drawn) == []
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


PARTS_OF_ENTRIES = ("legend-width", "legend-lost")
"""Samples that stand with others in one entry, of which one is enough."""


def _look(mark: Mark) -> tuple[str, ...]:
    if isinstance(mark, Line):
        return ("line", mark.colour[:7])
    return ("box", mark.fill, mark.stroke) if isinstance(mark, Box) else ("text",)
