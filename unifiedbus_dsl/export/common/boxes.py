"""The plan as boxes in boxes with lines between them: what diagram languages draw.

One box for each child array, so a machine of any size is as small as its text.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from unifiedbus_dsl.base.units import RATE, Quantity, format_quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput, too_large
from unifiedbus_dsl.ir.plan import Child, Plan, PortRef
from unifiedbus_dsl.ir.plan.labels import shape_text

Path = tuple[str, ...]

MOST_BOXES = 200
"""Renderers lay out no more in a way that anyone can read."""


@frozen
class Box:
    """A child array; `boxes` are those inside it."""

    path: Path
    label: str
    kind: str
    boxes: tuple[Box, ...]

    def walk(self) -> Iterator[Box]:
        yield self
        for box in self.boxes:
            yield from box.walk()


@frozen
class Line:
    """Cables between the devices of two boxes, in one instance of the assembly that lays them."""

    a: Path
    b: Path
    label: str


@frozen
class Drawing:
    title: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawing(subject: ExportInput, sink: Sink, form: str) -> Drawing:
    """Return the boxes and lines of a plan.

    Raises:
        CannotExportError: there are too many boxes.
    """
    plan = subject.plan
    if plan.root in plan.devices:
        boxes: tuple[Box, ...] = (Box((plan.system,), f"{plan.system} : {plan.root}", plan.type(plan.root).kind, ()),)
    else:
        boxes = tuple(_box(plan, child, ()) for child in plan.assemblies[plan.root].children)
    count = sum(1 for box in boxes for _ in box.walk())
    if count > MOST_BOXES:
        raise too_large(sink, f"{count} boxes are more than {form} can draw ({MOST_BOXES})", "use `ubusc compile`")
    return Drawing(f"{plan.system} : {plan.root}", boxes, tuple(_lines(plan)))


def _box(plan: Plan, child: Child, above: Path) -> Box:
    path = (*above, child.name)
    label = f"{'spare ' if child.spare else ''}{child.text_name}{shape_text(child)} : {child.type}"
    inside = plan.assemblies[child.type].children if child.type in plan.assemblies else ()
    return Box(path, label, plan.type(child.type).kind, tuple(_box(plan, inner, path) for inner in inside))


def _lines(plan: Plan) -> Iterator[Line]:
    if plan.root in plan.assemblies:
        yield from _lines_in(plan, plan.root, ())


def _lines_in(plan: Plan, key: str, above: Path) -> Iterator[Line]:
    of = plan.assemblies[key]
    for child in of.children:
        if child.type in plan.assemblies:
            yield from _lines_in(plan, child.type, (*above, child.name))
    counts: dict[tuple[Path, Path, str, int], int] = {}
    for number, rule in enumerate(of.rules):
        ends = sorted((_device(plan, key, rule.left, above), _device(plan, key, rule.right, above)))
        at = (ends[0], ends[1], rule.link, rule.lanes)
        counts[at] = counts.get(at, 0) + plan.numbering.rule_size(key, number)
    for (a, b, link, lanes), count in counts.items():
        rate = plan.protocols[plan.links[link].protocol].lane_rate * lanes
        if count:
            yield Line(a, b, f"{count:,} × {link}, {format_quantity(Quantity(rate, RATE))}")


def _device(plan: Plan, key: str, ref: PortRef, above: Path) -> Path:
    """Return the box of the devices whose ports a reference names, through any number of exports."""
    child = next(c for c in plan.assemblies[key].children if c.name == ref.child)
    path = (*above, child.name)
    if child.type in plan.devices:
        return path
    export = next(e for e in plan.assemblies[child.type].exports if e.name == ref.port)
    return _device(plan, child.type, export.ref, path)
