"""The pattern `hypercube`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from unifiedbus_dsl.ir.plan import Const, Var
from unifiedbus_dsl.ir.plan.algebra import add, mul
from unifiedbus_dsl.semantic.patterns.base import WIDTH, Arguments, Edges, Lowered, Pattern, PatternError, Shape, axis


def lower_hypercube(shapes: Sequence[Shape], _: Arguments) -> Lowered:
    """Members whose numbers differ in one bit are cabled.

    Ports: log2 n; port d crosses bit d.
    Cables: n log2(n) / 2.
    Symmetries: flipping any bit, permuting the bits.
    """
    count = prod(shapes[0])
    if count < 1 or count & (count - 1):
        raise PatternError(f"`hypercube` wants a power of two of members, there are {count}")
    edges = []
    for bit in range(count.bit_length() - 1):
        half = 1 << bit
        low = add(mul(Const(2 * half), Var("h")), Var("l") if bit else Const(0))
        axes = (axis("h", count // (2 * half)), *([axis("l", half)] if bit else []))
        edges.append(Edges(low, Const(bit), add(low, Const(half)), Const(bit), axes))
    return Lowered((len(edges),), tuple(edges))


HYPERCUBE = Pattern("hypercube", 1, (WIDTH,), lower_hypercube, "grid", symmetric=True)
