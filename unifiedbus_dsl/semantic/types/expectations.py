"""Expectations: evaluated once per type, with the values of their parts kept for whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from fractions import Fraction

from attrs import evolve, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import Quantity, format_quantity
from unifiedbus_dsl.diagnostics import Edit, Fix, Label, Sink
from unifiedbus_dsl.semantic.select.aggregates import Aggregates
from unifiedbus_dsl.semantic.select.check_names import NameChecker
from unifiedbus_dsl.semantic.select.type_scope import TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator, NeedsSolver
from unifiedbus_dsl.semantic.values.messages import no_condition
from unifiedbus_dsl.semantic.values.operators import Undecided
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, Interval, Poison, reasons_of, value_text
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.expression_text import is_of_system
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary.signatures import MEASURES


@frozen(eq=False)
class ExpectResult:
    """What became of an `expect` line.

    `holds` is None where the measure named in `needs` must be solved first. `value` and `wanted` are the two sides of
    a comparison, as far as there is one. `subject` is the type or system that it is about. `estimate` says why
    something that it was held against is an estimate: then nothing is proved by it.
    """

    subject: str
    text: str
    span: Span
    holds: bool | None
    value: EvalValue | None = None
    wanted: EvalValue | None = None
    source: str | None = None
    differs: str | None = None
    needs: str | None = None
    estimate: tuple[str, ...] = ()

    @property
    def held_against(self) -> tuple[str, ...]:
        """Return a sentence for each reason of an estimate that it was held against."""
        return held_against(self.estimate)


def evaluate_expectation(
    subject: str,
    node: tree.Expect,
    scope: Scope,
    machine: TypeScope,
    sink: Sink,
    solved: Callable[[tree.Call, Evaluator], EvalValue] | None = None,
    extra: Mapping[str, EvalValue] | None = None,
    sums: Callable[[tree.Call, Evaluator], EvalValue] | None = None,
    systems: Callable[[str, Evaluator], Evaluator | None] | None = None,
    asked: NameChecker | None = None,
) -> ExpectResult | None:
    """Evaluate one line; None after a diagnostic about the line itself. One that fails is reported as UB0701.

    `solved` answers the measures that only the solver can; without it they are left open. `extra` are names with a
    value here only. `sums` answers the measures that are sums, by default of the whole machine. `systems` gives who
    evaluates about the system of a name. `asked` checks the names in measures, by default with those of
    parts alone.
    """
    seen: dict[Span, EvalValue] = {}
    evaluator = Evaluator(
        scope,
        sink,
        sums or Aggregates(machine),
        asked=asked or NameChecker(machine),
        solved=solved,
        extra=extra or {},
        systems=systems,
        seen=seen,
    )
    text = node.condition.span.one_line
    source = node.source.value if node.source else None
    differs = node.differs.value if node.differs else None
    try:
        holds = evaluator.eval(node.condition)
    except NeedsSolver as solver:
        if not fits_any_value(node.condition, scope, machine, sink):
            return None
        return ExpectResult(subject, text, node.span, None, None, None, source, differs, solver.measure)
    except Undecided:
        undecided(node.condition, seen, sink)
        return None
    if isinstance(holds, Poison):
        return None
    if not isinstance(holds, bool):
        no_condition(node.condition, holds, sink)
        return None
    left = right = None
    if isinstance(node.condition, tree.Compare):
        left, right = seen.get(node.condition.left.span), seen.get(node.condition.right.span)
    estimate = reasons_of(seen.values())
    result = ExpectResult(subject, text, node.span, holds, left, right, source, differs, estimate=estimate)
    if differs is None and not holds:
        _failed(subject, node, seen, sink)
    elif differs is not None and holds:
        sink.error(
            "UB0702",
            f"this figure is marked as one that the model does not meet, and it does: `{text}`",
            node.condition.span,
            "holds",
            help=("take the `differs` away",),
            fix=_without_differs(node),
        )
    return result


def held_against(reasons: Iterable[str]) -> tuple[str, ...]:
    """Return sentences for a line that was held against an estimate, by the reasons for which it is one."""
    return tuple(f"held against an estimate ({reason})" for reason in reasons)


def fits_any_value(condition: tree.Expr, scope: Scope, machine: TypeScope, sink: Sink) -> bool:
    """Return whether the sides of a condition can be compared, whatever its measures give; else say so."""
    own_sink = Sink()
    evaluator = Evaluator(scope, Sink(), unknown_value, solved=unknown_value, systems=lambda name, there: there)
    with suppress(Undecided, NeedsSolver):
        evolve(evaluator, sink=own_sink).eval(condition)
    wrong = [each for each in own_sink if each.code in ("UB0309", "UB0303")]
    for diagnostic in wrong:
        sink.add(diagnostic)
    return not wrong


def unknown_value(node: tree.Call, _: Evaluator) -> EvalValue:
    """Return what stands for a measure that nobody has answered: a quantity between next to nothing and more than there
    is."""
    measure = MEASURES.get(".".join(dotted_name(node.function)))
    dimension = None if measure is None else measure.dimension
    if dimension is None:
        return POISON
    return Interval(Quantity(Fraction(1, 10**30), dimension), Quantity(Fraction(10**30), dimension))


def _without_differs(node: tree.Expect) -> Fix:
    assert node.differs is not None
    before = node.source.span if node.source is not None else node.condition.span
    span = Span(before.source, before.end, node.differs.span.end)
    return Fix("take the `differs` away", (Edit(span, ""),))


def names_of_expectation(
    node: tree.Expect, scope: Scope, machine: TypeScope, sink: Sink, systems: Collection[str] = ()
) -> None:
    """Check the names in a line about a machine that is in error, and say nothing about its value; nor about what is
    asked of one of these systems."""
    names = NameChecker(machine)

    def of_system(name: str, evaluator: Evaluator) -> Evaluator | None:
        return evolve(evaluator, sink=Sink()) if name in systems else None

    evaluator = Evaluator(scope, sink, names.instead, asked=names, systems=of_system)
    with suppress(NeedsSolver):
        evaluator.eval(node.condition)


def undecided(condition: tree.Expr, seen: dict[Span, EvalValue], sink: Sink) -> None:
    """Say that a condition holds at one end of an interval and fails at the other."""
    labels = tuple(Label(part.span, shown(seen[part.span])) for part in parts(condition) if part.span in seen)
    sink.error(
        "UB0707",
        f"undecided: the proved bounds are too far apart for `{condition.span.one_line}`",
        condition.span,
        "holds at one end, fails at the other",
        labels=labels,
        notes=held_against(reasons_of(seen.values())),
        help=("ask for less, or say what is proved: compare with the lower bound",),
    )


def _failed(subject: str, node: tree.Expect, seen: dict[Span, EvalValue], sink: Sink) -> None:
    condition = node.condition
    labels = tuple(
        Label(part.span, shown(seen[part.span]))
        for part in parts(condition)
        if part.span in seen and part.span != condition.span
    )
    message = f"expectation failed: `{condition.span.one_line}`"
    if isinstance(condition, tree.Compare):
        a, b = seen.get(condition.left.span), seen.get(condition.right.span)
        if a is not None and b is not None:
            message += f": {shown(a)} {_NOT[condition.op]} {shown(b)}"
    notes: tuple[str, ...] = (f"in `{subject}`",) if "(" in subject else ()
    notes += (f"the figure is from: {node.source.value}",) if node.source else ()
    notes += held_against(reasons_of(seen.values()))
    sink.error("UB0701", message, condition.span, "does not hold", labels=labels, notes=notes)


_NOT = {
    "==": "is not",
    "!=": "is",
    "<=": "is more than",
    ">=": "is less than",
    "<": "is not less than",
    ">": "is not more than",
}


def parts(node: tree.Expr) -> list[tree.Expr]:
    """Return the parts of a condition whose values explain it: what is no literal, outermost first."""
    match node:
        case tree.Compare():
            inner = [node.left, node.right]
        case tree.Binary() if is_of_system(node):
            return [node]
        case tree.Binary():
            inner = [node.left, node.right]
        case tree.Unary():
            inner = [node.operand]
        case tree.Number() | tree.Quantity() | tree.String() | tree.Bool():
            return []
        case _:
            return [node]
    return [part for each in inner for part in parts(each)]


def shown(value: EvalValue) -> str:
    """Return a value for a reader: a rate also with both directions added."""
    if isinstance(value, Interval) and value.meet:
        return shown(Quantity((value.lower.value + value.upper.value) / 2, value.lower.dimension))
    if isinstance(value, Quantity) and value.dimension == units.RATE:
        both = format_quantity(Quantity(value.value * 2, units.RATE), 5)
        return f"{format_quantity(value, 5)} ({both} bidir)"
    return value_text(value)
