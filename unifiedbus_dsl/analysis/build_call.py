"""Measures as values: a call of the language made of a measure's name, selections as text and arguments as numbers.

What a person writes as text (a selection, a traffic, a routing with options) is read as the language reads it; the
question around it is made of nodes and never of text.
"""

from __future__ import annotations

from collections.abc import Mapping

from unifiedbus_dsl.analysis.evaluators import measure_calls
from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.units import DELAY, LENGTH, MONEY, POWER, RATE, SIZE, TIME
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.signatures import MEASURES, Argument, Takes

SI_UNITS = {RATE: "B/s", SIZE: "B", TIME: "s", LENGTH: "m", POWER: "W", MONEY: "USD", DELAY: "s/m"}
"""The unit in which Python gives a quantity of each dimension."""


def read_arguments(text: str, sink: Sink) -> tuple[tree.Arg, ...] | None:
    """Return what stands in the brackets of a question; None after a diagnostic."""
    calls = measure_calls(f"question({text})", sink)
    return calls[0].args if len(calls) == 1 and not sink.has_errors else None


def check_text(name: str, text: object) -> None:
    """Refuse what is no text of the language.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(text, str):
        raise TypeError(f"`{name}` takes a text of the language, such as `all npu`, not {type(text).__name__}")


def build_call(name: str, text: str, named: Mapping[str, object], sink: Sink) -> tree.Call | None:
    """Return the call `name(text, …)`; None after a diagnostic.

    `named` are values in SI units, words, or texts of the language; one that is None is left out.

    Raises:
        TypeError: a value is of a type that the argument does not take.
    """
    check_text(name, text)
    args = read_arguments(text, sink) if text else ()
    if args is None:
        return None
    given = {word.removesuffix("_"): value for word, value in named.items() if value is not None}
    shown = f"{name}({', '.join([text] * bool(text) + [f'{word} = {value}' for word, value in given.items()])})"
    span = Span(Source("<python>", shown), 0, len(shown))
    made: list[tree.Arg] = []
    for word, value in given.items():
        node = _value_node(name, word, value, span, sink)
        if node is None:
            return None
        made.append(tree.Arg(tree.Word(word, span=span), node, span=_named_span(word, value)))
    function = tree.Name(name, span=Span(span.source, 0, len(name)))
    return tree.Call(function, (*args, *made), span=span)


def _named_span(word: str, value: object) -> Span:
    text = f"{word} = {value}"
    return Span(Source("<python>", text), 0, len(text))


def _value_node(measure: str, word: str, value: object, span: Span, sink: Sink) -> tree.Expr | None:
    argument = MEASURES[measure].argument(word) if measure in MEASURES else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"`{word}` of `{measure}` takes a number or a text, not {type(value).__name__}")
    if isinstance(value, str):
        args = read_arguments(value, sink)
        return args[0].value if args else None
    number = tree.Number(repr(value), span=span)
    unit = _unit(argument)
    return tree.Quantity(number, unit, span=span) if unit else number


def _unit(argument: Argument | None) -> str:
    if argument is None or argument.takes is not Takes.QUANTITY or argument.dimension is None:
        return ""
    return SI_UNITS.get(argument.dimension, "")
