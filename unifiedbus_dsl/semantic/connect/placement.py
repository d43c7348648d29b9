"""Places on the floor: `place cabinet as grid(columns = 16, pitch = [0.6 m, 2.4 m])`.

`grid` fills rows of `columns` elements, `row` is a grid of one row, `at` puts a single element. Coordinates are metres
in the frame of the assembly, x along a row, y from row to row.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy as np

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Placement
from unifiedbus_dsl.ir.plan.labels import text_shape, to_labels
from unifiedbus_dsl.semantic.connect.references import AssemblyScope
from unifiedbus_dsl.semantic.values.values import EvalValue, Poison, is_whole, value_text
from unifiedbus_dsl.syntax import tree

Point = tuple[Fraction, Fraction]

MAX_PLACED = 1 << 17
MAX_METRES = 10**7
"""No floor is wider."""
NOWHERE: Point = (Fraction(0), Fraction(0))

METHODS: dict[str, tuple[str, ...]] = {
    "grid": ("columns", "pitch", "origin"),
    "row": ("pitch", "origin"),
    "at": ("origin",),
}
LENGTHS = frozenset(("pitch", "origin"))
"""The arguments that are lengths."""


def evaluate_placement(node: tree.Place, wall: AssemblyScope) -> Placement | None:
    """Return the places of the elements of a child; None after a diagnostic."""
    if not isinstance(node.target, tree.Name):
        wall.sink.error(
            "UB0516", "`place` takes a part with all its elements", node.target.span, "not a part",
            help=("write `place cabinet as grid(columns = 16, pitch = [0.6 m, 2.4 m])`",),
        )  # fmt: skip
        return None
    child = wall.child(tree.Word(node.target.text, span=node.target.span))
    method = node.method.text
    if method not in METHODS:
        guess = did_you_mean(method, METHODS)
        wall.sink.error(
            "UB0516", f"there is no way to place called `{method}`", node.method.span, "unknown",
            help=(f"did you mean `{guess}`?" if guess else "there are `grid`, `row` and `at`",),
            fix=rename(node.method.span, guess),
        )  # fmt: skip
        return None
    values = _arguments(node, method, wall)
    if child is None or values is None:
        return None
    if method == "at" and child.count != 1:
        wall.sink.error("UB0516", f"`at` places one element, and `{child.name}` has {child.count}", node.method.span)
        return None
    if child.count > MAX_PLACED:
        wall.sink.error(
            "UB0516", f"`{child.name}` has {child.count:,} elements; at most {MAX_PLACED:,} are placed one by one",
            node.target.span, "too many to place", help=("place racks, and let what is in them stand where they do",),
        )  # fmt: skip
        return None
    labels = to_labels(child, np.arange(child.count)).tolist()
    columns = values.get("columns", prod(text_shape(child)))
    origin, pitch = values.get("origin", NOWHERE), values.get("pitch", NOWHERE)
    assert isinstance(columns, int)
    assert isinstance(origin, tuple)
    assert isinstance(pitch, tuple)
    (x, y), (dx, dy) = origin, pitch
    places = tuple((x + e % columns * dx, y + e // columns * dy) for e in labels)
    return Placement(child.name, places, method, node.span)


def _arguments(node: tree.Place, method: str, wall: AssemblyScope) -> dict[str, int | Point] | None:
    names = METHODS[method]
    read: dict[str, int | Point] = {}
    for at, arg in enumerate(node.args):
        name = arg.name.text if arg.name else names[at] if at < len(names) else None
        if name is None or name not in names:
            guess = did_you_mean(name, names) if name else None
            takes = ", ".join(f"`{n}`" for n in names)
            known = f"`{method}` has no argument `{name}`" if name else f"`{method}` takes {takes} only"
            wall.sink.error(
                "UB0602" if name else "UB0603", known, arg.span, f"takes {takes}",
                help=(f"did you mean `{guess}`?",) if guess else (),
                fix=rename(arg.name.span, guess) if arg.name else None,
            )  # fmt: skip
            return None
        value = wall.evaluator.eval(arg.value)
        if isinstance(value, Poison):
            return None
        one = _columns(value) if name == "columns" else _lengths(value, name == "pitch" and method == "row")
        if one is None:
            wanted = (
                "a whole number from 1"
                if name == "columns"
                else f"two lengths such as `[0.6 m, 2.4 m]`, neither of more than {MAX_METRES:,} m"
            )
            wall.sink.error("UB0310", f"`{name}` wants {wanted}, found {value_text(value)}", arg.value.span, "here")
            return None
        read[name] = one
    for name in {"grid": ("columns", "pitch"), "row": ("pitch",), "at": ("origin",)}[method]:
        if name not in read:
            example = "[0.6 m, 2.4 m]" if name != "columns" else "8"
            help = f"write `{method}({name} = {example})`"
            label = f"`{name}` is missing"
            wall.sink.error("UB0601", f"`{method}` needs `{name}`", node.method.span, label, help=(help,))
            return None
    return read


def _columns(value: EvalValue) -> int | None:
    return int(value.value) if is_whole(value) and value.value >= 1 else None


def _lengths(value: EvalValue, one: bool) -> Point | None:
    if one and isinstance(value, Quantity) and value.dimension == units.LENGTH:
        return (value.value, Fraction(0)) if abs(value.value) <= MAX_METRES else None
    if isinstance(value, tuple) and len(value) == 2:
        x, y = value
        if isinstance(x, Quantity) and isinstance(y, Quantity) and x.dimension == y.dimension == units.LENGTH:
            return (x.value, y.value) if max(abs(x.value), abs(y.value)) <= MAX_METRES else None
    return None
