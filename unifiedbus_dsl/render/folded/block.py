"""What a folded picture is put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Literal, TypeAlias, TypeVar

from attrs import evolve, field, frozen

from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.ir.plan.labels import element_text, groups_of, text_shape
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Mark, Text, clipped, identifier, moved, text_width
from unifiedbus_dsl.render.plan_summary import Bundle, PlanSummary, child_named, type_name
from unifiedbus_dsl.render.style import Style

T = TypeVar("T")

DEEPEST = 2
"""How many levels below the children of the assembly are opened; the last of them shows arrays as stacks."""

WIDEST = (1240.0, 900.0, 500.0)
"""At each level: parts that need more are put on several shelves."""

LONGEST_LABEL = 190.0
"""Longer ones are cut."""

_LONGEST_ELEMENT = 90.0


Way: TypeAlias = Literal["up", "down"]
Side: TypeAlias = Literal["above", "left", "below"]
"""Where words stand beside what they name."""
Ways: TypeAlias = Mapping[str, frozenset[Way]]
"""By the name of a port."""


@frozen
class Scope:
    """Where we draw: the assembly, how deep below the picture's own type, and a prefix that makes ids unique."""

    survey: PlanSummary
    assembly: AssemblyType
    level: int
    path: str
    files: Mapping[str, str]
    draw: Callable[[Scope], Block] = field(eq=False, repr=False)
    """Draws what is inside a part."""
    start: int = 0
    """The first device of the picture's type that is in the assembly: the first instance is the one that is opened, or
    the first that loses something."""
    leaving: Ways = field(factory=dict)
    """Where the cables at the ports of the assembly go, outside of it."""
    ways: Mapping[str, Ways] = field(factory=dict)
    """The same of each of its arrays, by name."""
    across: Mapping[str, Ways] = field(factory=dict)
    """The same without cables inside an array."""
    name: str = ""
    """The path of the assembly in the picture."""
    repeated: bool = False
    """Whether there are more of the assembly than the one that is shown."""

    @property
    def plan(self) -> Plan:
        return self.survey.plan

    @property
    def look(self) -> Style:
        return self.survey.look

    def inner(self, child: Child, path: str, name: str, element: int) -> Scope:
        """Inside an element of a child array."""
        inside = self.plan.assemblies[child.type]
        leaving = self.ways.get(child.name, {})
        first, named = self.first(child, element), self.named(name)
        return Scope(
            self.survey,
            inside,
            self.level + 1,
            path,
            self.files,
            self.draw,
            first,
            leaving=leaving,
            name=named,
            repeated=self.repeated or child.count > 1,
        )

    def named(self, name: str) -> str:
        """Return the path in the picture of a part of the assembly."""
        return f"{self.name}.{name}" if self.name else name

    def ways_of(self, child: Child) -> frozenset[Way]:
        """Where cables leave an array: up, down, or both."""
        return frozenset(way for found in self.across.get(child.name, {}).values() for way in found)

    def each(self, text: str) -> str:
        """Return a text with a number, which is that of one of several assemblies where there are more than one."""
        return f"{text} in each" if self.repeated else text

    def first(self, child: Child, element: int = 0) -> int:
        """Return the first device of an element, which is counted in row-major order."""
        numbering = self.plan.numbering
        starts = numbering.child_starts[self.assembly.key]
        at = numbering.child_number(self.assembly.key, child.name)
        return self.start + int(starts[at]) + element * self.plan.device_count[child.type]

    def gone(self, child: Child, first: int, last: int) -> int:
        """Return how many devices of the elements `first` to `last` (not included) a scenario has taken."""
        if self.look.lost is None:
            return 0
        size = self.plan.device_count[child.type]
        return self.look.lost.within(self.first(child, first), (last - first) * size)

    def losing(self, child: Child, first: int, size: int, count: int) -> Sequence[int]:
        """Return in which of `count` groups of `size` elements each, from the element `first` on, a scenario takes
        something."""
        if self.look.lost is None:
            return ()
        return self.look.lost.places(self.first(child, first), size * self.plan.device_count[child.type], count)

    def loses_in(self, child: Child) -> bool:
        """Return whether a scenario takes something of an array."""
        return bool(self.losing(child, 0, child.count, 1))

    def lost_between(self, a: range, b: range, bundle: Bundle) -> int:
        """Return how many cables of a bundle between devices of the assembly, counted within it, are lost and to be
        marked."""
        return self._lost(a, b, bundle) if self.look.losses is not None else 0

    def _lost(self, a: range, b: range, bundle: Bundle) -> int:
        if self.look.lost is None:
            return 0
        a, b = (range(self.start + each.start, self.start + each.stop) for each in (a, b))
        return self.look.lost.cables(a, b, bundle.link, bundle.lanes)

    def tint(self, a: range, b: range, bundle: Bundle) -> str:
        """Return the colour of the cables of a bundle between devices of the assembly, counted within it."""
        if self.look.groups is None or self.look.loads is not None:
            return bundle.colour
        a, b = (range(self.start + each.start, self.start + each.stop) for each in (a, b))
        return self.look.groups.colour(a, b)

    def lost_note(self, bundle: Bundle) -> str:
        """Return how many cables of a bundle are lost, or will be, in the assembly that is shown."""
        sides = [child_named(self.assembly, name) for name in (bundle.left, bundle.right)]
        spans = [range(self.first(child) - self.start, self.first(child, child.count) - self.start) for child in sides]
        lost = self._lost(spans[0], spans[1], bundle)
        return f"{lost:,} lost{' in this one' if self.repeated else ''}" if lost else ""

    def id(self, *parts: str) -> str:
        return identifier("-".join([self.path, *parts]))


@frozen(eq=False)
class Cell:
    """Where lines can end: one element (or one row of elements) of an array, or all those that are not shown. `first`
    is its first device, counted from the assembly; `inner` is what is shown inside, in place."""

    x: float
    y: float
    width: float
    height: float
    gap: bool = False
    first: int = 0
    name: str = ""
    inner: Block | None = None

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    def moved(self, dx: float, dy: float) -> Cell:
        inner = self.inner.shifted(dx, dy) if self.inner else None
        return evolve(self, x=self.x + dx, y=self.y + dy, inner=inner)


@frozen(eq=False)
class Block:
    """A piece of the picture with its own origin. A row of an array has `cells`; an assembly has `shelves`, the
    uppermost first."""

    width: float
    height: float
    marks: tuple[Mark, ...] = ()
    cells: tuple[Cell, ...] = ()
    shelves: tuple[Shelf, ...] = ()

    def moved(self, dx: float, dy: float) -> Block:
        """Return the block elsewhere."""
        return evolve(self.shifted(dx, dy), marks=moved(self.marks, dx, dy))

    def shifted(self, dx: float, dy: float) -> Block:
        """Return the same without its marks."""
        cells = tuple(cell.moved(dx, dy) for cell in self.cells)
        shelves = tuple(shelf.moved(dx, dy) for shelf in self.shelves)
        return evolve(self, marks=(), cells=cells, shelves=shelves)


@frozen(eq=False)
class Shelf:
    """Arrays side by side: nothing else lies between its `top` and its `bottom`. `right` is as far as cables that
    pass beside the arrays may go."""

    top: float
    bottom: float
    right: float
    groups: tuple[Placed, ...]

    def moved(self, dx: float, dy: float) -> Shelf:
        groups = tuple(group.shifted(dx, dy) for group in self.groups)
        return Shelf(self.top + dy, self.bottom + dy, self.right + dx, groups)


def element_name(child: Child, prefix: Sequence[int]) -> str:
    """`npu[0, 3]`; with subscripts left over, `npu[0, *]`."""
    return child.text_name + element_text(child, prefix)


def range_name(child: Child, prefix: Sequence[int], low: int, high: int) -> str:
    """`npu[0, 2..6]`: the elements from `low` to `high` after a prefix; `npu[0, 3] … [2, 1]` where these run through
    rows of subscripts."""
    first, last = (element_name(child, (*prefix, at))[len(child.text_name) + 1 : -1].split(", ") for at in (low, high))
    differ = [n for n, (a, b) in enumerate(zip(first, last, strict=True)) if a != b]
    within = sum(len(labels.sizes) for labels in groups_of(child)[: len(prefix) + 1])
    if differ and differ != [within - 1]:
        return f"{child.text_name}[{', '.join(first)}] … [{', '.join(last)}]"
    return f"{child.text_name}[{', '.join(a if a == b else f'{a}..{b}' for a, b in zip(first, last, strict=True))}]"


def element_label(child: Child, prefix: Sequence[int]) -> str:
    """Return the same with a long name cut: subscripts stay."""
    name = clipped(child.text_name, 11, _LONGEST_ELEMENT if child.shape else LONGEST_LABEL)
    return name + element_name(child, prefix)[len(child.text_name) :]


def counted_type(child: Child) -> str:
    """`8 × Ascend950DT`, `7 of 8 × Cabinet` where one is left out."""
    return f"{counted(child)} × {type_name(child.type)}" if child.shape else type_name(child.type)


def counted(child: Child) -> str:
    """Return how many elements there are, and of how many where some are left out."""
    return f"{child.count:,} of {prod(text_shape(child)):,}" if child.labels else f"{child.count:,}"


@frozen(eq=False)
class Placed:
    """An array in its place."""

    child: Child
    tier: int
    x: float
    y: float
    block: Block

    @property
    def middle(self) -> float:
        return sum(cell.middle for cell in (self.block.cells[0], self.block.cells[-1])) / 2

    def shifted(self, dx: float, dy: float) -> Placed:
        return evolve(self, x=self.x + dx, y=self.y + dy, block=self.block.shifted(dx, dy))


def shelves(items: Sequence[T], widths: Sequence[float], gap: float, most: float) -> list[list[T]]:
    """Return the items in order on as many shelves of width `most` as they need."""
    shelves_filled: list[list[T]] = []
    x = most
    for item, width in zip(items, widths, strict=True):
        if x + gap + width > most or not shelves_filled:
            shelves_filled.append([])
            x = -gap
        shelves_filled[-1].append(item)
        x += gap + width
    return shelves_filled


def pill(
    id: str, x: float, y: float, lines: Sequence[str], colour: str, plain: bool = False, tip: str = ""
) -> list[Mark]:
    """Return a label with its own ground, centred on (x, y)."""
    width, height = pill_size(lines)
    box = Box(
        id + "-ground", x - width / 2, y - height / 2, width, height, palette.PAPER, colour, 0.8 if not plain else 0.5,
        role="pill", tip=tip,
    )  # fmt: skip
    top = y - 7.5 * (len(lines) - 1)
    texts = [
        Text(
            id if i == 0 else f"{id}-line-{i}",
            x,
            top + 15 * i,
            text,
            11 if i == 0 else 10,
            i == 0 and not plain,
            palette.ink(colour) if i == 0 else palette.QUIET,
            role="bundle" if i == 0 else "bundle-note",
            tip=tip,
        )
        for i, text in enumerate(lines)
    ]
    return [box, *texts]


def pill_size(lines: Sequence[str]) -> tuple[float, float]:
    width = max(text_width(text, 11 if i == 0 else 10, i == 0) for i, text in enumerate(lines))
    return width + 16, 15.0 * len(lines) + 4
