"""What devices and assemblies have alike: fields, sizes of arrays, annotations, and lines that belong elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Value
from unifiedbus_dsl.semantic.types.body import Body, ScopedStatement
from unifiedbus_dsl.semantic.types.context import Elaboration
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import EvalValue, Poison, article, describe, same_sort, value_text
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes


def evaluate_fields(elaborator: Elaboration, kind: str, name: str, body: Body) -> dict[str, Value]:
    """Return the fields of a type by name, each checked against the table of known ones."""
    known = attributes.attributes(attributes.owner_of(kind))
    fields: dict[str, Value] = {}
    for placed in body.statements:
        if isinstance(placed.statement, tree.Field):
            value = body.members[placed.statement.name.text].get(elaborator.sink)
            checked = elaborator.technology.checked(placed.statement, value, known, placed.scope, f"{kind} `{name}`")
            if placed.statement.name.text not in known:
                _same_dimension(placed, value, elaborator.sink)
            if checked is not None:
                fields[placed.statement.name.text] = checked
            else:
                elaborator.failed_fields.setdefault(name, set()).add(placed.statement.name.text)
    return dict(sorted(fields.items()))


def _same_dimension(placed: ScopedStatement, value: EvalValue, sink: Sink) -> None:
    """An override keeps the dimension of what it replaces."""
    if placed.replaces is None or isinstance(value, Poison):
        return
    first = placed.replaces.statement
    assert isinstance(first, tree.Field)
    old = Evaluator(placed.replaces.scope, Sink(), words=annotation_words("npu", first.name.text)).eval(first.value)
    if not isinstance(old, Poison) and not same_sort(value, old):
        assert isinstance(placed.statement, tree.Field)
        sink.error(
            "UB0606",
            f"`{first.name.text}` is {describe(old)} in the type that is extended, and {describe(value)} here",
            placed.statement.value.span,
            f"is {describe(value)}",
            labels=(Label(first.value.span, f"is {describe(old)}"),),
        )


def annotation_words(kind: str, name: str) -> frozenset[str]:
    """Return the words that a field of a kind of type may stand for."""
    attribute = attributes.attributes(attributes.owner_of(kind)).get(name)
    return frozenset(attribute.words) if attribute else frozenset()


def evaluate_shape(dims: Sequence[tree.Expr], evaluator: Evaluator, name: str, limit: int) -> tuple[int, ...] | None:
    """Return the sizes of an array, each at least 1 and together at most `limit` elements; None after a diagnostic."""
    sizes: list[int] = []
    for dim in dims:
        value = evaluator.constant(dim)
        if isinstance(value, Poison):
            return None
        parts = value if isinstance(value, tuple) else (value,)
        for part in parts:
            if not isinstance(part, Quantity) or not part.is_integer or part.value < 1:
                evaluator.sink.error(
                    "UB0410",
                    f"an array of `{name}` needs at least one element in each dimension, found {value_text(part)}",
                    dim.span,
                    f"is {value_text(part)}",
                    labels=evaluator.origins(dim),
                    help=("write a whole number from 1; for none at all, put the statement into `if`",),
                )
                return None
            sizes.append(int(part.value))
    if prod(sizes) > limit:
        evaluator.sink.error(
            "UB0411",
            f"the array `{name}` would have {prod(sizes):,} elements, and the limit is {limit:,}",
            dims[0].span.to(dims[-1].span),
            "too many elements",
            labels=tuple(label for dim in dims for label in evaluator.origins(dim)),
            help=("build it from assemblies of assemblies, or raise the limit with `--max-array`",),
        )
        return None
    return tuple(sizes)


def evaluate_cage(placed: ScopedStatement, shape: Sequence[int], sink: Sink) -> int | None:
    """Return how many consecutive ports of a port of this shape share a cage: with `@cage` those of the last dimension,
    with `@cage(2)` two; None after a diagnostic."""
    statement = placed.statement
    assert isinstance(statement, tree.PortDecl | tree.PortExport)
    annotation = next((each for each in statement.annotations if each.name.text == "cage"), None)
    last = shape[-1] if shape else 1
    if annotation is None or not annotation.args:
        return 1 if annotation is None else last
    only = annotation.args[0]
    if len(annotation.args) > 1 or only.name is not None:
        sink.error(
            "UB0229", "`@cage` takes one number: how many ports a cage has", annotation.span, "not one number",
            help=("write `@cage(2)`, or `@cage` where the last dimension of the port is a cage",),
        )  # fmt: skip
        return None
    evaluator = Evaluator(placed.scope, sink)
    count = evaluator.integer(only.value, low=1)
    if count is not None and last % count:
        sink.error(
            "UB0526",
            f"{last:,} ports of `{statement.name.text}` are no whole number of cages of {count:,}",
            annotation.span,
            f"{last % count:,} over" if last > count else f"only {last:,}",
            labels=evaluator.origins(only.value),
            help=("cages divide the last dimension of a port",),
        )
        return None
    return count


def misplaced_statement(statement: tree.BodyStatement, kind: str, sink: Sink) -> None:
    """Say that a statement has no place in a type of this kind."""
    what = {
        tree.Instance: "parts",
        tree.Connect: "cables",
        tree.ConnectPattern: "cables",
        tree.ConnectCables: "cables",
        tree.PortExport: "ports of parts",
        tree.Place: "places of parts",
        tree.Open: "`open` lines",
        tree.PortDecl: "ports of its own",
        tree.Transit: "`transit` lines",
    }.get(type(statement), "such lines")
    owner = "a device" if kind in attributes.KINDS_OF_DEVICE else "an assembly"
    help = {
        tree.PortDecl: "export a port of a part: `port up = npu.up`",
        tree.Instance: "make it a `board`, `node`, `rack` or `module`",
        tree.Open: "mark the port itself: `port p : UB x4 @open`",
    }.get(type(statement))
    sink.error(
        "UB0215",
        f"{owner} ({kind}) has no {what}",
        statement.span,
        f"not in {article(kind)}",
        help=(help,) if help else (),
    )


def known_annotations(annotations: Sequence[tree.Annotation], known: Sequence[str], sink: Sink) -> None:
    """Refuse annotations that mean nothing here."""
    for annotation in annotations:
        if annotation.name.text not in known:
            unknown_annotation(annotation, known, sink)


def unknown_annotation(annotation: tree.Annotation, known: Sequence[str], sink: Sink) -> None:
    """Say that an annotation means nothing here, and which do."""
    guess = did_you_mean(annotation.name.text, known)
    sink.error(
        "UB0217",
        f"there is no annotation `@{annotation.name.text}` here",
        annotation.span,
        "unknown annotation",
        fix=rename(annotation.name.span, guess),
        help=(f"did you mean `@{guess}`?",)
        if guess
        else ("known here: " + (", ".join(f"`@{k}`" for k in known) or "none"),),
    )
