"""Whether a picture can be read."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.render.marks import Picture, Text
from unifiedbus_dsl.render.sheet import bounds


def readable(drawn: Picture) -> None:
    """No text is smaller than 8 pixels on a page of 838, none lies on another, and none leaves the sheet."""
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


def tight(mark: Text) -> tuple[float, float, float, float]:
    """The rectangle that the letters fill, by the widths of the font."""
    low, _, high, _ = bounds([mark])
    return low, mark.y - 0.5 * mark.size, high, mark.y + 0.45 * mark.size
