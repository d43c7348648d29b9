"""Patterns in which every member of a group meets every other: `fullmesh`, `hyperx`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from unifiedbus_dsl.ir.plan import Const, IndexExpr, Op, Var
from unifiedbus_dsl.ir.plan.algebra import add
from unifiedbus_dsl.semantic.patterns.base import (
    DIMS,
    WIDTH,
    Arguments,
    Edges,
    Lowered,
    Pattern,
    Shape,
    axis,
    dims_argument,
    row_major,
)

_BEFORE = Op("<", Var("i"), Var("j"))


def lower_fullmesh(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """Every member is cabled to every other.

    Ports: n - 1; member i meets member j at port j if j < i, else at port j - 1.
    Cables: n (n - 1) / 2.
    Symmetries: all permutations of the members.
    """
    count = prod(shapes[0])
    axes = (axis("i", count), axis("j", count))
    return Lowered(
        (max(0, count - 1),), (Edges(Var("i"), add(Var("j"), Const(-1)), Var("j"), Var("i"), axes, _BEFORE),)
    )


def lower_hyperx(shapes: Sequence[Shape], arguments: Arguments) -> Lowered:
    """A grid with a full mesh along every row of every dimension (HyperX, nD full mesh, flattened butterfly).

    Ports: the sum of (size - 1) over the dimensions; those of a dimension come after those of the dimensions before it
    and are ordered as in `fullmesh`.
    Cables: n * ports / 2.
    Symmetries: all permutations within each dimension, and of dimensions of equal size.
    """
    dims = dims_argument("hyperx", shapes[0], arguments)
    edges, base = [], 0
    for d, size in enumerate(dims):
        others = [axis(f"x{k}", n) for k, n in enumerate(dims) if k != d]
        at: list[IndexExpr] = [Var(f"x{k}") for k in range(len(dims))]
        left, right = ([*at[:d], Var(name), *at[d + 1 :]] for name in ("i", "j"))
        edges.append(
            Edges(
                row_major(left, dims),
                add(Var("j"), Const(base - 1)),
                row_major(right, dims),
                add(Var("i"), Const(base)),
                (*others, axis("i", size), axis("j", size)),
                _BEFORE,
            )
        )
        base += size - 1
    return Lowered((base,), tuple(edges))


FULLMESH = Pattern("fullmesh", 1, (WIDTH,), lower_fullmesh, "circle", symmetric=True)
HYPERX = Pattern("hyperx", 1, (DIMS, WIDTH), lower_hyperx, "grid", symmetric=True)
