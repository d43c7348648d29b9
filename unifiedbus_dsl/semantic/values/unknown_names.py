"""Messages about names that mean nothing, or no value, where they stand, with what may have been meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import is_unit
from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import foreign
from unifiedbus_dsl.vocabulary.signatures import MEASURES


def unknown_name(
    scope: Scope, sink: Sink, name: str, span: Span, words: frozenset[str], extra: Mapping[str, EvalValue]
) -> EvalValue:
    """Say that nothing has this name, or nothing with a value; POISON."""
    if scope.is_quiet(name):
        return POISON
    if words and not extra:
        return _no_word(sink, name, span, words)
    what = scope.structure.get(name)
    if what is not None:
        sink.error(
            "UB0210",
            f"`{name}` is {what}, not a value",
            span,
            "no value",
            help=(
                f"ports that forward among themselves: `transit {name}`"
                if _TRANSIT.search(span.source.text[max(0, span.start - 40) : span.start])
                else f"to count or add up, write `count({name})` or `bandwidth({name})`",
            ),
        )
        return POISON
    values = chain(scope.values(), extra, words)
    is_read = span.source.text[span.end : span.end + 1] == "["
    guess = did_you_mean(name, values) or (None if is_read else did_you_mean(name, scope.candidates()))
    other = _other_reading(name, span) or (_tables_of(scope) if is_read and guess is None else None)
    if other is not None:
        sink.error("UB0201", f"nothing here is called `{name}`", span, "unknown name", help=(other,))
        return POISON
    sink.error(
        "UB0201",
        f"nothing here is called `{name}`",
        span,
        "unknown name",
        labels=_defined_here(scope, guess),
        help=(f"did you mean `{guess}`?",) if guess else (),
        fix=rename(span, guess),
    )
    return POISON


def _no_word(sink: Sink, name: str, span: Span, words: frozenset[str]) -> EvalValue:
    guess = did_you_mean(name, words)
    sink.error(
        "UB0307",
        f"`{name}` is not one of the words that can stand here",
        span,
        "not one of them",
        notes=("they are " + ", ".join(sorted(words)),),
        help=(f"did you mean `{guess}`?",) if guess else (),
        fix=rename(span, guess),
    )
    return POISON


def _defined_here(scope: Scope, name: str | None) -> tuple[Label, ...]:
    if name is None:
        return ()
    local: Lazy | None = scope.local(name)
    definition = scope.definition(tuple(name.split(".")))
    span = local.span if local else definition.span if definition else None
    return (Label(span, f"`{name}` is defined here"),) if span else ()


def no_system(scope: Scope, sink: Sink, name: tree.Name, extra: Mapping[str, EvalValue]) -> EvalValue:
    """Say that `of` is followed by no system and no value; POISON."""
    systems = scope.module.systems
    guess = did_you_mean(name.text, [*systems, *scope.values(), *extra])
    if not scope.is_quiet(name.text):
        sink.error(
            "UB0206",
            f"there is no system `{name.text}`, and no value of this name",
            name.span,
            "unknown",
            labels=(Label(systems[guess][0].name.span, "defined here"),) if guess in systems else (),
            help=(f"did you mean `{guess}`?" if guess else f"systems are {', '.join(f'`{each}`' for each in systems)}",)
            if guess or systems
            else (),
            fix=rename(name.span, guess),
        )
    return POISON


def no_machine(sink: Sink, node: tree.Node, name: str) -> EvalValue:
    """Say that a measure stands where there is no machine; POISON."""
    sink.error(
        "UB0211",
        f"`{name}(…)` asks about a machine, and there is none here",
        node.span,
        "not a constant",
        help=("measures belong in `expect` lines and `analyze` blocks",),
    )
    return POISON


def unknown_function(scope: Scope, sink: Sink, node: tree.Call, name: str, legal: tuple[str, ...]) -> None:
    """Say that no function, measure or traffic has this name."""
    first, _, rest = name.partition(".")
    if not name or (rest in legal and first in scope.module.systems):
        asked = rest or node.function.span.one_line
        call = f"{asked}({_inside(node)})" if rest else asked
        message = f"`{node.span.one_line}` is no call of a function or measure"
        of = first or "SYSTEM"
        sink.error("UB0207", message, node.function.span, "unknown", help=(f"of a system: `{call} of {of}`",))
        return
    if scope.local(name) is not None or scope.definition((name,)) is not None:
        text = f"`{name}[{_inside(node)}]`"
        message = f"`{name}` is a value, and no function"
        sink.error("UB0207", message, node.function.span, "no function", help=(f"an element of a table is {text}",))
        return
    guess = foreign.CALLS.get(name.casefold()) or did_you_mean(name, legal)
    guess = guess if guess in legal else None
    if not scope.is_quiet(name):
        sink.error(
            "UB0207",
            f"there is no function or measure `{name}`",
            node.function.span,
            "unknown",
            help=(f"did you mean `{guess}`?",) if guess else (),
            fix=rename(node.function.span, guess),
        )


def _inside(node: tree.Call) -> str:
    """Return the arguments of a call as they are written."""
    return ", ".join(arg.span.one_line for arg in node.args)


def unknown_argument(sink: Sink, definition: Definition, arg: tree.Arg, params: list[str]) -> None:
    """Say that a type takes no such argument, or not so many."""
    takes = ", ".join(f"`{p}`" for p in params) or "none"
    label = Label(definition.span, f"takes {takes}")
    if arg.name is None:
        count = f"{len(params)} argument{'s' * (len(params) != 1)}"
        message = f"`{definition.name}` takes {count}, and more are given"
        sink.error("UB0603", message, arg.span, "one too many", labels=(label,))
        return
    guess = did_you_mean(arg.name.text, params)
    sink.error(
        "UB0602",
        f"`{definition.name}` has no parameter `{arg.name.text}`",
        arg.name.span,
        "unknown parameter",
        labels=(label,),
        help=(f"did you mean `{guess}`?",) if guess else (),
        fix=rename(arg.name.span, guess),
    )


_PART = re.compile(r"[ \t]*(?:spare[ \t]+)?\w+\[[^\]]*\][ \t]*:(?!.*\bfor\b)")
_TRANSIT = re.compile(r"\btransit[ \t]*=[ \t]*$")
_TIMES = re.compile(r"\d[ \t]*\*[ \t]*$")
_PER = re.compile(r"(?P<rate>[\d.]+[ \t]*[A-Za-z]+)[ \t]*/[ \t]*$")


def _other_reading(name: str, span: Span) -> str | None:
    """Return what a name that means nothing is where it stands, if it is one of a few that are often written."""
    if name in MEASURES:
        return f"a measure is asked with what it is about: `{name}(all npu)`"
    if name == "base":
        return "`base` is the undamaged system in a `scenario`, on the right of a comparison"
    if name.casefold() in foreign.VALUES or name in foreign.TRUTH:
        return f"that is `{foreign.TRUTH.get(name) or foreign.VALUES[name.casefold()]}` here"
    if _TIMES.search(span.source.text[max(0, span.start - 40) : span.start]) and is_unit(name):
        return f"a quantity is a number with its unit, without a sign between: `144 {name}`"
    before = _PER.search(span.source.text[max(0, span.start - 40) : span.start])
    if before is not None and foreign.UNITS.get(name, name) in ("s", "m"):
        return f"a unit has no blanks in it: `{before['rate']}/{foreign.UNITS.get(name, name)}`"
    if len(name) == 1 and _PART.match(_line_around(span)):
        return f"an index of the elements stands at the end: `… for {name}`"
    return None


def _tables_of(scope: Scope) -> str | None:
    """Return which tables there are to read."""
    lets = scope.module.of_sort(tree.Let)
    tables = [
        name
        for name, let in lets.items()
        if isinstance(let.node, tree.Let) and isinstance(let.node.value, tree.ListExpr)
    ]
    return f"tables are {', '.join(f'`{name}`' for name in tables)}" if tables else None


def _line_around(span: Span) -> str:
    """Return the line of the text that a span begins on, without what stands before it in the same line's statement."""
    text = span.source.text
    start = max(text.rfind("\n", 0, span.start), text.rfind(";", 0, span.start)) + 1
    stop = text.find("\n", span.start)
    return text[start : len(text) if stop < 0 else stop]
