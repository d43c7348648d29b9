"""Which of many equal siblings are shown."""

from __future__ import annotations

from attrs import frozen


@frozen
class Folding:
    """`size` siblings in at most `keep` cells: the first ones, one cell for those that are not shown, and the last.
    Two cells are the first and the others."""

    size: int
    keep: int

    @property
    def folded(self) -> bool:
        return self.size > self.keep

    @property
    def cells(self) -> int:
        return self.keep if self.folded else self.size

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return self.size - self.keep + 1 if self.folded else 0

    @property
    def shown(self) -> tuple[int | None, ...]:
        """The sibling in each cell; None stands for those that are not shown."""
        if not self.folded:
            return tuple(range(self.size))
        if self.keep == 1:
            return (None,)
        if self.keep == 2:
            return (0, None)
        return (*range(self.keep - 2), None, self.size - 1)
