"""What a pattern is: arrays of members with bundles of ports in, index rules out, such as a writer could write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Var
from unifiedbus_dsl.ir.plan.algebra import add, mul
from unifiedbus_dsl.ir.plan.index import substitute

Argument: TypeAlias = int | tuple[int, ...]
Arguments: TypeAlias = Mapping[str, Argument]
Shape: TypeAlias = tuple[int, ...]


class PatternError(ValueError):
    """A pattern that cannot be built; the sentence stands alone."""


class TooFewPortsError(PatternError):
    """The bundle of a member is too small: `needed` ports, `given` there are, on `side` 0 or 1."""

    def __init__(self, name: str, needed: int, given: int, side: int) -> None:
        super().__init__(f"`{name}` needs {_ports(needed)} on each member, there are {given}")
        self.needed, self.given, self.side = needed, given, side


def _ports(count: int) -> str:
    return "1 port" if count == 1 else f"{count} ports"


@frozen
class Edges:
    """One rule: a cable for each point of the axes where the condition holds.

    `left` and `right` are row-major numbers of members, `left_port` and `right_port` places in their bundles.
    """

    left: IndexExpr
    left_port: IndexExpr
    right: IndexExpr
    right_port: IndexExpr
    axes: tuple[Axis, ...]
    where: IndexExpr | None = None


@frozen
class Lowered:
    """A pattern over given members.

    `ports[side]` is what each member needs, side 0 being the only one or the left one of two. `leaves_open` says that
    the pattern leaves some of these free by nature (the ends of a line), which is then no error.
    """

    ports: tuple[int, ...]
    edges: tuple[Edges, ...]
    leaves_open: bool = False


@frozen
class Parameter:
    """An argument of a pattern: `many` if it is a list of numbers; without a default it must be given."""

    name: str
    doc: str
    many: bool = False
    required: bool = True


@frozen
class Pattern:
    """One entry of the table of patterns.

    `sides` is 1 for `connect A as …` and 2 for `connect A to B as …`. `lower(shapes, arguments)` gets the shape of the
    members of each side. `layout` is how a picture lays the members out: `circle`, `row`, `grid` or `columns` (two).
    `symmetric` says that every member looks like every other.
    """

    name: str
    sides: int
    parameters: tuple[Parameter, ...]
    lower: Callable[[Sequence[Shape], Arguments], Lowered]
    layout: str
    symmetric: bool

    @property
    def doc(self) -> str:
        """Ports, cables and symmetries, for the manual."""
        return self.lower.__doc__ or ""


WIDTH = Parameter("width", "parallel cables on each pair", required=False)
DIMS = Parameter("dims", "sizes of the dimensions; the shape of the members if left out", many=True, required=False)


# ---- arguments --------------------------------------------------------------------------------------------------


def number_argument(arguments: Arguments, name: str) -> int:
    value = arguments[name]
    assert isinstance(value, int)
    return value


def list_argument(arguments: Arguments, name: str) -> tuple[int, ...]:
    """Return a list; a single number counts as a list of one."""
    value = arguments[name]
    return (value,) if isinstance(value, int) else tuple(value)


def dims_argument(name: str, members: Shape, arguments: Arguments) -> Shape:
    """`dims`, which defaults to the shape of the members and must have as many elements."""
    dims = list_argument(arguments, "dims") if "dims" in arguments else members
    for size in dims:
        if size < 1:
            raise PatternError(f"a dimension of `{name}` has {size} members; it wants at least 1")
    if prod(dims) != prod(members):
        sizes = " x ".join(map(str, dims))
        raise PatternError(f"`{name}` of {sizes} wants {prod(dims)} members, there are {prod(members)}")
    return dims


# ---- edges ------------------------------------------------------------------------------------------------------


def axis(name: str, count: int) -> Axis:
    """`name` in 0..<count."""
    return Axis(name, 0, count - 1)


def row_major(at: Sequence[IndexExpr], dims: Sequence[int]) -> IndexExpr:
    """Return the row-major number of an element: `8*b + s`."""
    total: IndexExpr = Const(0)
    for position, (expr, _) in enumerate(zip(at, dims, strict=True)):
        total = add(total, mul(Const(prod(dims[position + 1 :])), expr))
    return total


def widen(lowered: Lowered, width: int) -> Lowered:
    """`width` parallel cables instead of each one: port p becomes the ports `width*p + t`."""
    if width < 1:
        raise PatternError(f"`width` is {width}; it wants at least 1")
    if width == 1:
        return lowered
    lane = Var("t")

    def port(base: IndexExpr) -> IndexExpr:
        return add(mul(Const(width), base), lane)

    edges = tuple(
        evolve(e, left_port=port(e.left_port), right_port=port(e.right_port), axes=(*e.axes, axis("t", width)))
        for e in lowered.edges
    )
    return evolve(lowered, ports=tuple(width * count for count in lowered.ports), edges=edges)


def rename(edges: Edges, taken: set[str]) -> Edges:
    """Return the same rule with axes whose names are not taken: `i` becomes `i_`, …"""
    names: dict[str, str] = {}
    used = set(taken)
    for old in edges.axes:
        new = old.name
        while new in used:
            new += "_"
        used.add(new)
        names[old.name] = new
    variables: dict[str, IndexExpr] = {old: Var(new) for old, new in names.items()}
    return Edges(
        substitute(edges.left, variables),
        substitute(edges.left_port, variables),
        substitute(edges.right, variables),
        substitute(edges.right_port, variables),
        tuple(evolve(a, name=names[a.name]) for a in edges.axes),
        None if edges.where is None else substitute(edges.where, variables),
    )
