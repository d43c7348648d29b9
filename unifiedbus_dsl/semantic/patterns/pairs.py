"""Patterns between two arrays: `all`, `rails`, `pairwise`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from unifiedbus_dsl.ir.plan import Const, Var
from unifiedbus_dsl.ir.plan.algebra import add, mul
from unifiedbus_dsl.semantic.patterns.base import WIDTH, Arguments, Edges, Lowered, Pattern, PatternError, Shape, axis


def lower_all(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """Every member of the left is cabled to every member of the right.

    Ports: left as many as the right has members, right as many as the left has; left member i meets right member j at
    its port j, which meets it at port i.
    Cables: the product of both sizes.
    Symmetries: all permutations of either side.
    """
    left, right = (prod(shape) for shape in shapes)
    axes = (axis("i", left), axis("j", right))
    return Lowered((right, left), (Edges(Var("i"), Var("j"), Var("j"), Var("i"), axes),))


def lower_rails(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """The last dimension of the left selects the member of the right: position k of every group is on rail k.

    Ports: left 1, right as many as the left has groups; the port is the row-major number of the group.
    Cables: one for each left member.
    Symmetries: all permutations of the groups, and of the rails.
    """
    left, right = shapes
    if not left:
        raise PatternError("`rails` wants an array on the left, whose last dimension selects the rail")
    if left[-1] != prod(right):
        raise PatternError(f"`rails` joins a last dimension of {left[-1]} on the left to {prod(right)} on the right")
    groups, rails = prod(left[:-1]), left[-1]
    if groups == 1:
        return Lowered((1, 1), (Edges(Var("k"), Const(0), Var("k"), Const(0), (axis("k", rails),)),))
    member = add(mul(Const(rails), Var("g")), Var("k"))
    return Lowered((1, groups), (Edges(member, Const(0), Var("k"), Var("g"), (axis("g", groups), axis("k", rails))),))


def lower_pairwise(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """Member i of the left is cabled to member i of the right.

    Ports: 1 on either side.
    Cables: one for each pair.
    Symmetries: all permutations of the pairs.
    """
    left, right = (prod(shape) for shape in shapes)
    if left != right:
        raise PatternError(f"`pairwise` wants as many members on both sides, found {left} and {right}")
    return Lowered((1, 1), (Edges(Var("i"), Const(0), Var("i"), Const(0), (axis("i", left),)),))


ALL = Pattern("all", 2, (WIDTH,), lower_all, "columns", symmetric=False)
RAILS = Pattern("rails", 2, (WIDTH,), lower_rails, "columns", symmetric=False)
PAIRWISE = Pattern("pairwise", 2, (WIDTH,), lower_pairwise, "columns", symmetric=False)
