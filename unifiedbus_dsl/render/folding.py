"""Which of many equal siblings are shown."""

from __future__ import annotations

from itertools import pairwise

from attrs import frozen


@frozen
class Folding:
    """`size` siblings in at most `keep` cells: the first ones, one cell for those that are not shown, and the last.
    Two cells are the first and the others. The `chosen` siblings are shown in any case, each beside cells for those
    between; with two cells they stand in place of the first."""

    size: int
    keep: int
    chosen: tuple[int, ...] = ()

    @property
    def folded(self) -> bool:
        return self.size > self.keep

    @property
    def cells(self) -> int:
        return len(self.runs)

    @property
    def runs(self) -> tuple[range, ...]:
        """The siblings in each cell: one, or several that are not shown."""
        alone = sorted({*self._usual, *self.chosen})
        bounds = [-1, *alone, self.size]
        gaps = [range(a + 1, b) for a, b in pairwise(bounds) if b - a > 1]
        return tuple(sorted([*(range(i, i + 1) for i in alone), *gaps], key=lambda run: run.start))

    @property
    def _usual(self) -> range | tuple[int, ...]:
        if not self.folded:
            return range(self.size)
        if self.keep <= 2:
            return (0,) if self.keep == 2 and not self.chosen else ()
        if set(self.chosen) - {0, self.size - 1}:
            return 0, self.size - 1
        return (*range(self.keep - 2), self.size - 1)
