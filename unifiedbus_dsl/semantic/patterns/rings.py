"""Patterns in which members meet their neighbours in some order: `ring`, `line`, `mesh`, `torus`, `circulant`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from unifiedbus_dsl.ir.plan import Const, IndexExpr, Var
from unifiedbus_dsl.ir.plan.algebra import add, mod
from unifiedbus_dsl.semantic.patterns.base import (
    DIMS,
    WIDTH,
    Arguments,
    Edges,
    Lowered,
    Parameter,
    Pattern,
    PatternError,
    Shape,
    axis,
    dims_argument,
    list_argument,
    row_major,
)


def lower_ring(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """Each member is cabled to the next, the last to the first.

    Ports: 2; port 0 to the next member, port 1 to the previous.
    Cables: n. Two members get two cables, as the ports say; one member gets none.
    Symmetries: rotations and reflections.
    """
    return _grid((prod(shapes[0]),), wraps=True)


def lower_line(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """Each member is cabled to the next.

    Ports: 2; port 0 to the next member, port 1 to the previous; the outer ones of both ends are open by nature.
    Cables: n - 1.
    Symmetries: the reflection.
    """
    return _grid((prod(shapes[0]),), wraps=False)


def lower_mesh(shapes: Sequence[Shape], arguments: Arguments) -> Lowered:
    """A grid: each member is cabled to the next in every dimension.

    Ports: 2 a dimension; ports 2d and 2d + 1 to the next and the previous member of dimension d; those at the rim are
    open by nature.
    Cables: the sum of n - n / size over the dimensions.
    Symmetries: reflections of each dimension.
    """
    return _grid(dims_argument("mesh", shapes[0], arguments), wraps=False)


def lower_torus(shapes: Sequence[Shape], arguments: Arguments) -> Lowered:
    """A grid whose every dimension closes to a ring.

    Ports: 2 a dimension; ports 2d and 2d + 1 to the next and the previous member of dimension d.
    Cables: n a dimension. A dimension of size 2 has two cables on each pair (the next is also the previous); one of
    size 1 has none, and its ports are open by nature.
    Symmetries: rotations and reflections of each dimension, and of dimensions of equal size.
    """
    return _grid(dims_argument("torus", shapes[0], arguments), wraps=True)


def _grid(dims: Shape, *, wraps: bool) -> Lowered:
    edges = []
    at: list[IndexExpr] = [Var("i" if len(dims) == 1 else f"x{d}") for d in range(len(dims))]
    for d, size in enumerate(dims):
        if size == 1:
            continue
        after = add(at[d], Const(1))
        neighbour = [*at[:d], mod(after, Const(size)) if wraps else after, *at[d + 1 :]]
        axes = (
            axis("i" if len(dims) == 1 else f"x{k}", n - 1 if k == d and not wraps else n) for k, n in enumerate(dims)
        )
        left, right = row_major(at, dims), row_major(neighbour, dims)
        edges.append(Edges(left, Const(2 * d), right, Const(2 * d + 1), tuple(axes)))
    return Lowered((2 * len(dims),), tuple(edges), leaves_open=not wraps or 1 in dims)


def lower_circulant(shapes: Sequence[Shape], arguments: Arguments) -> Lowered:
    """Member i is cabled to the members i + s and i - s for each offset s, around a circle.

    Ports: 2 an offset in the order given; the first to i + s, the second to i - s. The offset n / 2 has one port, as
    both are the same member.
    Cables: n an offset, n / 2 for the offset n / 2.
    Symmetries: rotations and the reflection.
    """
    count, offsets = prod(shapes[0]), list_argument(arguments, "offsets")
    _check_offsets(count, offsets)
    edges, base = [], 0
    for offset in offsets:
        here, there = Var("i"), add(Var("i"), Const(offset))
        if 2 * offset == count:
            edges.append(Edges(here, Const(base), there, Const(base), (axis("i", offset),)))
            base += 1
        else:
            there = mod(there, Const(count))
            edges.append(Edges(here, Const(base), there, Const(base + 1), (axis("i", count),)))
            base += 2
    return Lowered((base,), tuple(edges))


def _check_offsets(count: int, offsets: tuple[int, ...]) -> None:
    seen: dict[int, int] = {}
    for offset in offsets:
        if not 1 <= offset < count:
            raise PatternError(f"offset {offset} of `circulant` is outside 1..{count - 1} for {count} members")
        same = min(offset, count - offset)
        if same in seen:
            other = seen[same]
            reason = "" if other == offset else f", which is {other} the other way around {count} members"
            raise PatternError(f"offset {offset} of `circulant` is given twice{reason}")
        seen[same] = offset


OFFSETS = Parameter("offsets", "how many members further each cable goes", many=True)
RING = Pattern("ring", 1, (WIDTH,), lower_ring, "circle", symmetric=True)
LINE = Pattern("line", 1, (WIDTH,), lower_line, "row", symmetric=False)
MESH = Pattern("mesh", 1, (DIMS, WIDTH), lower_mesh, "grid", symmetric=False)
TORUS = Pattern("torus", 1, (DIMS, WIDTH), lower_torus, "grid", symmetric=True)
CIRCULANT = Pattern("circulant", 1, (OFFSETS, WIDTH), lower_circulant, "circle", symmetric=True)
