"""Names of frames through which cables run get a ground of their own, over the cables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Mark, Text
from unifiedbus_dsl.render.sheet import bounds

_SAMPLES = 32
"""Points of each piece of a curve at which it is looked at."""


@frozen(eq=False)
class Passed:
    """Points along lines, by their height."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def meets(self, left: float, top: float, right: float, bottom: float) -> bool:
        """Return whether a line passes a rectangle."""
        x = self.x[np.searchsorted(self.y, top) : np.searchsorted(self.y, bottom, side="right")]
        return bool(((left < x) & (x < right)).any())


def passed_by(lines: Iterable[Mark]) -> Passed:
    """Return the points along all cables among some marks."""
    share = np.linspace(0, 1, _SAMPLES)[:, None, None]
    rest = 1 - share
    pieces = [np.empty((0, 2))]
    for line in lines:
        if isinstance(line, Line) and line.role.startswith("cable"):
            at = np.array(line.points)
            a, b, c, d = at[:-1:3], at[1::3], at[2::3], at[3::3]
            curve = rest**3 * a + 3 * rest**2 * share * b + 3 * rest * share**2 * c + share**3 * d
            pieces.append(curve.reshape(-1, 2))
    points = np.concatenate(pieces)
    x, y = points[np.argsort(points[:, 1])].T
    return Passed(x, y)


def with_grounds(marks: Sequence[Mark], lines: Sequence[Mark]) -> Iterator[Mark]:
    """Yield the marks, before each name of a frame that a line passes a ground in the colour of the frame; of one that
    has no frame, in that of the page."""
    frames = {f"{mark.id}-name": mark.fill for mark in marks if isinstance(mark, Box) and mark.behind}
    boxes = {f"{mark.id}-name" for mark in marks if isinstance(mark, Box)}
    passed = passed_by(lines)
    for mark in marks:
        alone = mark.id.endswith("-name") and mark.id not in boxes
        if isinstance(mark, Text) and (alone or mark.id in frames):
            left, top, right, bottom = bounds([mark])
            if passed.meets(left, top, right, bottom):
                fill = frames.get(mark.id, palette.PAPER)
                yield Box(mark.id + "-ground", left, top, right - left, bottom - top, fill, fill, role="ground")
        yield mark
