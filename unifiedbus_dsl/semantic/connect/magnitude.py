"""How large index arithmetic can grow: values are 64 bits wide where they are worked out for all indices at once."""

from __future__ import annotations

from collections.abc import Sequence

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Lookup, Not, Op, Var

MAX_VALUE = 1 << 62
MAX_DIVISIONS = 12
"""To prove something of more of them in one another takes the fourth power of their number."""


def stay_small(exprs: Sequence[IndexExpr], axes: Sequence[Axis], span: Span, sink: Sink) -> bool:
    """Return whether no part of the expressions can leave 64 bits; if one can, it is said of the place."""
    if any(_divisions(expr) > MAX_DIVISIONS for expr in exprs):
        message = f"more than {MAX_DIVISIONS} divisions stand in one another"
        sink.error("UB0407", message, span, "too many to see through")
        return False
    if all(_largest(expr, axes) < MAX_VALUE for expr in exprs):
        return True
    sink.error("UB0407", "a subscript can grow beyond 64 bits", span, "too large")
    return False


def _divisions(expr: IndexExpr) -> int:
    """Return how deep `div` and `mod` stand in one another."""
    match expr:
        case Op(op, left, right):
            return max(_divisions(left), _divisions(right)) + (op in ("div", "mod"))
        case Not(inner) | Lookup(_, inner):
            return _divisions(inner)
    return 0


def _largest(expr: IndexExpr, axes: Sequence[Axis]) -> int:
    """Return a bound of the absolute value of any part of an expression."""
    match expr:
        case Const(value):
            return abs(value)
        case Var(name):
            return max((max(abs(axis.low), abs(axis.high)) for axis in axes if axis.name == name), default=0)
        case Op(op, left, right):
            a, b = _largest(left, axes), _largest(right, axes)
            return max(a, b, a * b if op == "*" else a + b)
        case Not(operand):
            return _largest(operand, axes)
        case Lookup(table, at):
            return max(_largest(at, axes), *map(abs, table))
    return 0
