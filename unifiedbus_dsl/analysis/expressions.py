"""Expressions over answers: `throughput(t) / bandwidth(all npu)`, with proved bounds, also of several systems."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import chain
from math import isfinite
from typing import TypeAlias

from attrs import define, evolve, field

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import NUMBER, Dimension, Quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.answers import EXPRESSION, Answer
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.measures.surviving_aggregates import SurvivingAggregates
from unifiedbus_dsl.semantic.types.expectations import undecided
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.messages import expected_value
from unifiedbus_dsl.semantic.values.operators import Undecided
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, Interval, Poison
from unifiedbus_dsl.solver.bounds import Kind
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk

Systems: TypeAlias = Callable[[str], MeasureEvaluator | None]
"""Who answers about the system of a name; None where there is none."""
MEET = 1e-6
"""Relative width up to which rounded ends are one number: a small difference of large ones is wider."""
ROUNDING = 1e-9
"""Relative rounding of what is exact but worked out in floats."""


@define(eq=False)
class _Parts:
    """The answers that an expression is worked out of, as they are asked."""

    found: dict[str, Answer] = field(factory=dict)

    def keep(self, answer: Answer, home: str) -> None:
        """Keep an answer under its text, with the system where that is another one."""
        of = "" if answer.system == home else f" of {answer.system}"
        self.found[f"{answer.label}{of}"] = answer


def answer_of(node: tree.Expr, asker: MeasureEvaluator, systems: Systems, sink: Sink) -> Answer | None:
    """Return the answer to a line that is worked out of measures; None after a diagnostic.

    It is exact where all of them are, and an estimate where one is; else its ends are proved as theirs are.
    """
    began = time.perf_counter()
    parts = _Parts()
    seen: dict[Span, EvalValue] = {}
    evaluator = evolve(evaluator_of_answers(asker, systems, parts), seen=seen)
    try:
        value = evaluator.eval(node)
    except Undecided:
        undecided(node, seen, sink)
        return None
    if isinstance(value, Poison):
        return None
    if not isinstance(value, Quantity | Interval | bool):
        expected_value(sink, node, value, "a number or a condition")
        return None
    alone = parts.found.get(node.span.one_line)
    made = evolve(alone or _answer(value), system=asker.system, block=asker.block, arguments=node.span.one_line)
    if alone is not None:  # `throughput(t) of b`: what it is says the answer itself
        return evolve(made, measure=EXPRESSION, seconds=time.perf_counter() - began)
    parts.found.update(_lets(node, asker))
    lines = tuple(f"{text}: {part.shown}, {part.kind}" for text, part in parts.found.items())
    detail = {**made.detail, "parts": {text: _part(part) for text, part in parts.found.items()}}
    origins = {part.origin for part in parts.found.values() if part.measure != EXPRESSION}
    if origins == {"plan"}:
        made = evolve(made, origin="plan")
    reasons = dict.fromkeys(chain.from_iterable(part.estimate for part in parts.found.values()))
    if reasons and not made.estimate:  # of a truth value
        made = made.estimated(*reasons)
    return evolve(made, lines=lines, detail=detail, seconds=time.perf_counter() - began)


def _lets(node: tree.Expr, asker: MeasureEvaluator) -> dict[str, Answer]:
    """Return the values of the `let`s that an expression names, as answers."""
    names = {each.text for each in walk(node) if isinstance(each, tree.Name)}
    values = {name: value for name, value in asker.evaluator.extra.items() if name in names}
    known = {name: value for name, value in values.items() if isinstance(value, Quantity | Interval | bool)}
    return {name: evolve(_answer(value), system=asker.system) for name, value in known.items()}


def _answer(value: Quantity | Interval | bool) -> Answer:
    """Return the answer that a value is, asked by nobody yet."""
    if isinstance(value, bool):
        said = _of(float(value), NUMBER, "exact", float(value), float(value))
        return evolve(said, detail={"truth": value}, text="yes" if value else "no")
    if isinstance(value, Quantity):
        number = float(value)
        return _of(number, value.dimension, "exact", number, number)
    low, high = float(value.lower), float(value.upper)
    if value.estimate:
        middle = (low + high) / 2 if value.meet else low
        return _of(middle, value.lower.dimension, "exact", low, high).estimated(*value.estimate)
    if value.meet and high - low <= MEET * max(abs(low), abs(high)):
        return _of((low + high) / 2, value.lower.dimension, "exact", low, high)
    return _of(low, value.lower.dimension, "interval", low, high)


def _of(value: float, dimension: Dimension, kind: Kind, low: float, high: float) -> Answer:
    return Answer("", "", EXPRESSION, "", value, dimension, kind, low, high)


def _part(answer: Answer) -> dict[str, EvalValue]:
    """Return what JSON says of an answer that another is worked out of."""
    said = answer.to_json()
    return {name: said[name] for name in ("system", "value", "unit", "kind", "lower", "upper", "assumptions")}


# ---- evaluators that ask -----------------------------------------------------------------------------------------


def evaluator_of_answers(asker: MeasureEvaluator, systems: Systems, parts: _Parts | None = None) -> Evaluator:
    """Return an evaluator in which measures have their values, of other systems too."""
    kept = parts or _Parts()

    def asked(someone: MeasureEvaluator, evaluator: Evaluator) -> Evaluator:
        with_values = asked_of(someone, evaluator, _keeping(kept, asker.system))
        return evolve(with_values, measure=_keeping_sums(kept, someone, asker.system, with_values.measure))

    def there(name: str, evaluator: Evaluator) -> Evaluator | None:
        other = systems(name)
        return None if other is None else asked(other, evaluator)

    return evolve(asked(asker, asker.evaluator), systems=there)


def _keeping(parts: _Parts, home: str) -> Callable[[MeasureEvaluator, tree.Call], EvalValue]:
    """Return the value of a measure, whose answer is kept among the parts: what is there already is not asked again."""

    def value(asker: MeasureEvaluator, call: tree.Call) -> EvalValue:
        known = next(
            (a for a in parts.found.values() if (a.system, a.label) == (asker.system, call.span.one_line)), None
        )
        answer = asker.answer(call) if known is None else known
        if answer is None:
            return POISON
        parts.keep(answer, home)
        return value_of(answer, call, asker.evaluator.sink)

    return value


def _keeping_sums(
    parts: _Parts, asker: MeasureEvaluator, home: str, sums: Callable[[tree.Call, Evaluator], EvalValue] | None
) -> Callable[[tree.Call, Evaluator], EvalValue]:
    """Return the same for the measures that are sums."""
    assert sums is not None

    def value(call: tree.Call, evaluator: Evaluator) -> EvalValue:
        total = sums(call, evaluator)
        if isinstance(total, Quantity):
            parts.keep(evolve(_answer(total), system=asker.system, arguments=call.span.one_line), home)
        return total

    return value


def asked_of(
    asker: MeasureEvaluator, evaluator: Evaluator, value: Callable[[MeasureEvaluator, tree.Call], EvalValue]
) -> Evaluator:
    """Return the evaluator with its measures asked of someone."""
    there = knowing(asker, evaluator.extra)
    sums = SurvivingAggregates(there.machine, there.selector)
    return evolve(evaluator, measure=sums, solved=lambda call, _: value(there, call))


def knowing(asker: MeasureEvaluator, values: Mapping[str, EvalValue]) -> MeasureEvaluator:
    """Return one who answers questions that use these values by name."""
    evaluator = evolve(asker.evaluator, extra={**asker.evaluator.extra, **values})
    return evolve(asker, selector=evolve(asker.selector, evaluator=evaluator))


def solved(asker: MeasureEvaluator, call: tree.Call) -> EvalValue:
    """Return the value of a measure for a condition: a quantity, a truth value, or proved bounds."""
    answer = asker.answer(call)
    return POISON if answer is None else value_of(answer, call, asker.evaluator.sink)


def value_of(answer: Answer, call: tree.Call, sink: Sink) -> EvalValue:
    """Return the value of an answer; POISON after a diagnostic about one that is no number."""
    truth = answer.detail.get("truth")
    if truth is not None:
        return bool(truth)
    if not (isfinite(answer.lower) and isfinite(answer.upper) and isfinite(answer.value)):
        message = f"`{call.span.one_line}` is {answer.shown} here, and nothing can be worked out of that"
        sink.error("UB0706", message, call.span, "no number")
        return POISON
    estimate = answer.estimate
    if answer.kind == "interval" or (estimate and answer.upper - answer.lower > ROUNDING * abs(answer.value)):
        return Interval(_quantity(answer.lower, answer), _quantity(answer.upper, answer), False, estimate)
    if not estimate and answer.dimension == NUMBER and answer.value == int(answer.value):
        return _quantity(answer.value, answer)
    rounding = ROUNDING * abs(answer.value)
    low, high = min(answer.lower, answer.value - rounding), max(answer.upper, answer.value + rounding)
    return Interval(_quantity(low, answer), _quantity(high, answer), True, estimate)


def _quantity(value: float, answer: Answer) -> Quantity:
    return Quantity(Fraction(value), answer.dimension)
