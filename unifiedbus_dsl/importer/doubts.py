"""What a file leaves in doubt: counted by sort, with the first lines of each."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field, frozen

SHOWN = 20
"""Lines of a sort that are kept; the rest is counted."""


@frozen
class Sort:
    """A sort of doubt: what is said of one and of several, and what was done."""

    one: str
    several: str
    done: str

    def said(self, count: int) -> str:
        """Return the sentence for so many."""
        return f"{count:,} {self.one if count == 1 else self.several}: {self.done}"


STRANGE = Sort("line is none of the format", "lines are none of the format", "left out")
NO_TEXT = Sort("line has bytes that are not UTF-8", "lines have bytes that are not UTF-8", "written as `\\x..`")
CUT_OFF = Sort("record is cut off", "records are cut off", "what is whole was taken")
ONE_END = Sort("cable is told of by one end only", "cables are told of by one end only", "taken")
UNKNOWN_END = Sort(
    "device has cables and no record of its own", "devices have cables and no record of their own", "taken"
)
TWO_RATES = Sort("cable has two rates", "cables have two rates", "the slower one was taken")
ONE_RATE = Sort("cable has its rate at one end only", "cables have their rate at one end only", "taken")
BAD_VALUE = Sort("value can't be", "values can't be", "taken as unknown")
CONTRADICTION = Sort("cable is contradicted by another line", "cables are contradicted by other lines", "left out")
SELF = Sort("cable goes from a port to the same port", "cables go from a port to the same port", "left out")
TWICE = Sort("record stands twice", "records stand twice", "taken as one")
NO_END = Sort("cable has an end without a device", "cables have an end without a device", "left out")
TWO_KINDS = Sort("device is of two kinds", "devices are of two kinds", "the first was taken")
BEYOND = Sort(
    "port has a number beyond the ports of its device", "ports have a number beyond the ports of their device", "taken"
)


@frozen
class Doubt:
    """A line of the file, 0 where there is none, and what is in doubt there."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line:,}: {self.text}" if self.line else self.text


@define
class Doubts:
    """The doubts of a file by their sort, and remarks: what was taken in which sense."""

    counts: dict[Sort, int] = field(factory=dict)
    first: dict[Sort, list[Doubt]] = field(factory=dict)
    remarks: list[str] = field(factory=list)

    def add(self, sort: Sort, line: int, text: str) -> None:
        """Count a doubt, and keep it if it is one of the first of its sort."""
        self.counts[sort] = self.counts.get(sort, 0) + 1
        kept = self.first.setdefault(sort, [])
        if len(kept) < SHOWN:
            kept.append(Doubt(line, text))

    def remark(self, text: str) -> None:
        """Say once in which sense something was taken."""
        if text not in self.remarks:
            self.remarks.append(text)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __bool__(self) -> bool:
        return bool(self.counts)

    def said(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """For each sort its sentence and the first lines."""
        for sort, count in self.counts.items():
            lines = [str(doubt) for doubt in self.first[sort]]
            more = [f"and {count - len(lines):,} more"] if count > len(lines) else []
            yield sort.said(count), (*lines, *more)


def shown(text: str, most: int = 60) -> str:
    """Return the beginning of a text, in one line."""
    line = " ".join(text.split())
    return f"`{line[:most]}{'…' * (len(line) > most)}`"
