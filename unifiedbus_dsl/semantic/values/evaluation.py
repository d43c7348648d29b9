"""What the value of a list or of an element asks of the evaluator that it is part of: an interface."""

from __future__ import annotations

from typing import Protocol

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.semantic.values.values import EvalValue
from unifiedbus_dsl.syntax import tree


class Evaluation(Protocol):
    """Evaluates expressions in a scope; what is wrong goes to the sink."""

    scope: Scope
    sink: Sink

    def eval(self, node: tree.Expr) -> EvalValue:
        """Return the value of an expression; POISON after a diagnostic."""

    def constant(self, node: tree.Expr) -> EvalValue:
        """Return the value of an expression in which no measure may be; POISON after a diagnostic."""

    def integer(self, node: tree.Expr, low: int | None = None) -> int | None:
        """Return the whole number that an expression stands for; None after a diagnostic."""

    def no_value(self, node: tree.Node) -> EvalValue:
        """Say that this is no value; POISON."""
