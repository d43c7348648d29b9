"""A row of the table, and the table as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen


@frozen
class Row:
    """One measure against its goal. `most` says whether the goal is an upper bound; `note` is what it came from."""

    measure: str
    value: float
    unit: str
    goal: float
    most: bool = True
    note: str = ""

    @property
    def holds(self) -> bool:
        return self.near(1)

    def near(self, slack: float) -> bool:
        """Whether the goal would be met if it were easier by this factor."""
        return self.value <= self.goal * slack if self.most else self.value * slack >= self.goal

    def cells(self) -> tuple[str, ...]:
        bound = "at most" if self.most else "at least"
        verdict = "holds" if self.holds else "MISSED"
        return (
            self.measure,
            f"{bound} {number(self.goal)} {self.unit}",
            f"{number(self.value)} {self.unit}",
            verdict,
            self.note,
        )


def number(value: float) -> str:
    """Three digits, as people write them."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def seconds(value: float) -> str:
    return f"{number(value)} s" if value >= 1 else f"{number(value * 1e3)} ms"


def megabytes(count: float) -> str:
    return f"{number(count / 1e6)} MB"


def text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    body = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in body
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]) + "\n"


def goals(rows: Iterable[Row]) -> str:
    return text(("measure", "goal", "measured", "verdict", "from"), (row.cells() for row in rows))
