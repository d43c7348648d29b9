"""Ways of lines through a folded picture: out of the boxes that hold their ends, between shelves, and beside arrays
that they pass, never behind a box that is not around one of their ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from attrs import define, field

from unifiedbus_dsl.render.folded.block import Cell, Placed, Shelf, Way, element_name
from unifiedbus_dsl.render.folded.terminals import Terminal
from unifiedbus_dsl.render.marks import Point

_TRACK = 4.0
_LEAST = 4.0

Levels = Sequence[tuple[tuple[Shelf, ...], int]]


@define(eq=False)
class Channels:
    """Room between arrays, shared by the lines that pass there. The same lines are routed twice: first to see who
    passes where, then, after `settle`, for good."""

    _wishes: dict[tuple[int, int], list[float]] = field(factory=lambda: defaultdict(list))
    _given: dict[tuple[int, int], list[float]] | None = None
    _shelves: dict[int, Shelf] = field(factory=dict)

    def pass_by(self, shelf: Shelf, wish: float) -> float:
        """Return the x at which a line passes a shelf."""
        gaps = _gaps(shelf)
        number = min(range(len(gaps)), key=lambda i: abs(min(max(wish, gaps[i][0]), gaps[i][1]) - wish))
        key = id(shelf), number
        if self._given is not None:
            return self._given[key].pop(0)
        self._shelves[id(shelf)] = shelf
        self._wishes[key].append(wish)
        return sum(gaps[number]) / 2

    def settle(self) -> None:
        """Give each line that passes a place of its own, in the order of where they wish to go."""
        self._given = {key: self._places(key, wishes) for key, wishes in self._wishes.items()}

    def _places(self, key: tuple[int, int], wishes: Sequence[float]) -> list[float]:
        low, high = _gaps(self._shelves[key[0]])[key[1]]
        step = min(_TRACK, (high - low) / (len(wishes) + 1))
        ranks = {at: rank for rank, at in enumerate(sorted(range(len(wishes)), key=lambda i: wishes[i]))}
        start = (low + high - step * (len(wishes) - 1)) / 2 if high - low < 100 else low + step
        return [start + step * ranks[i] for i in range(len(wishes))]


def _gaps(shelf: Shelf) -> list[tuple[float, float]]:
    """Where lines may pass: between the arrays, and on the right."""
    spans = sorted((group.x, group.x + group.block.width) for group in shelf.groups)
    gaps = [(a[1] + 3, b[0] - 3) for a, b in pairwise(spans) if b[0] - a[1] - 6 >= _LEAST]
    last = spans[-1][1] + 5
    return [*gaps, (last, max(last + _LEAST, shelf.right))]


def edge(shelf: Shelf, way: Way) -> float:
    return shelf.top if way == "up" else shelf.bottom


def beyond(shelves: Sequence[Shelf], at: int, way: Way) -> Sequence[Shelf]:
    """Return the shelves that a line meets on its way out, in order."""
    return list(reversed(shelves[:at])) if way == "up" else shelves[at + 1 :]


def passed(shelves: Sequence[Shelf], way: Way, wish: float, channels: Channels) -> list[Point]:
    """Points of a line that passes some shelves in this order."""
    points: list[Point] = []
    for shelf in shelves:
        x = channels.pass_by(shelf, wish)
        near, far = (shelf.bottom, shelf.top) if way == "up" else (shelf.top, shelf.bottom)
        points += [(x, near), (x, far)]
    return points


def out_of(terminal: Terminal, levels: Levels, way: Way, x: float, wish: float, channels: Channels) -> list[Point]:
    """Points of a line from the edge of a box out of all assemblies that hold it; `levels` are their shelves."""
    cell = terminal.cell
    points = [(x, cell.y if way == "up" else cell.y + cell.height)]
    for shelves, at in reversed(levels):
        points.append((points[-1][0], edge(shelves[at], way)))
        points += passed(beyond(shelves, at, way), way, wish, channels)
    return points


def whole(shelves: tuple[Shelf, ...], at: int, group: Placed) -> Terminal:
    """Return an array as a box of its own, for cables of which nobody can say where in it they end."""
    block = group.block
    cell = Cell(group.x, group.y, block.width, block.height, name=element_name(group.child, ()))
    return Terminal(-1, cell.name, cell, ((shelves, at),), (cell,))
