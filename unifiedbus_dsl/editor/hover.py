"""What is to be said of the word at a place: what it is, its documentation, its value, what it counts."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import Quantity, UnknownUnitError, dimension_name, format_quantity, parse_unit
from unifiedbus_dsl.editor.entries import Entry, Mention, Symbol, Term, file_key, key_of
from unifiedbus_dsl.editor.project import Document
from unifiedbus_dsl.editor.values import Values, shown
from unifiedbus_dsl.semantic.names.model import BLOCKS, Definition
from unifiedbus_dsl.semantic.types.expectations import ExpectResult
from unifiedbus_dsl.semantic.values.values import value_text
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk
from unifiedbus_dsl.vocabulary.attributes import Attribute, attributes, owner_of
from unifiedbus_dsl.vocabulary.signatures import (
    ALGORITHMS,
    MEASURES,
    ROUTINGS,
    SCHEDULES,
    TRAFFICS,
    WORKLOADS,
    Signature,
    signature_text,
    words_of,
)

MOST_LINES = 6
MOST_ENTRIES = 2


@frozen
class Hover:
    """Markdown, and the text that it is about."""

    markdown: str
    span: Span


def hover(document: Document, offset: int) -> Hover | None:
    """Return what is to be said at an offset; None where there is nothing."""
    mention = document.mentions.at(offset)
    if mention is not None and mention.entries:
        return Hover("\n\n".join(_of_mention(document, mention)), mention.span)
    return _of_statement(document, offset)


def _of_mention(document: Document, mention: Mention) -> Iterator[str]:
    for entry in mention.entries[:MOST_ENTRIES]:
        yield from _of_term(entry) if isinstance(entry, Term) else _of_symbol(document, entry)

    if len(mention.entries) > MOST_ENTRIES:
        yield f"… and {len(mention.entries) - MOST_ENTRIES} more of this name"


# ---- words of the language --------------------------------------------------------------------------------------


def _of_term(term: Term) -> Iterator[str]:
    signature = _signature(term)
    yield _code(signature_text(signature)) if signature is not None else f"**{term.name}**: {term.noun}"
    if term.doc:
        yield term.doc
    if signature is not None:
        lines = [f"- `{each.name}`: {each.doc}" for each in signature.arguments]
        lines += [
            f"- `{each.name}` is one of {', '.join(f'`{word}`' for word in words_of(each))}"
            for each in signature.arguments
            if each.words
        ]
        if lines:
            yield "\n".join(lines)


def _signature(term: Term) -> Signature | None:
    match term.noun:
        case "measure":
            return MEASURES.get(term.name)
        case "traffic pattern":
            return TRAFFICS.get(term.name)
        case "form of a workload":
            return WORKLOADS.get(term.name)
        case "word":
            return ROUTINGS.get(term.name) or ALGORITHMS.get(term.name) or SCHEDULES.get(term.name)
    return None


# ---- things of the text -----------------------------------------------------------------------------------------


def _of_symbol(document: Document, symbol: Symbol) -> Iterator[str]:
    meant = symbol.target or symbol
    yield _code(_head(meant.node))
    facts = [fact for fact in _facts(document, meant) if fact]
    if facts:
        yield "  \n".join(facts[:MOST_LINES])
    doc = meant.node.doc if isinstance(meant.node, tree.Statement) else None
    if doc:
        yield doc
    if isinstance(meant.node, tree.Field):
        known = _attribute(meant)
        if known is not None:
            yield attribute_text(known)
    if file_key(meant.word.span.source) != file_key(document.source):
        yield f"*{meant.word.span.source.name}*"


_BLOCKS = (tree.TypeDef, tree.LinkDef, tree.ProtocolDef, tree.ModelDef, *BLOCKS)


def _head(node: tree.Node) -> str:
    """Return the first line of a statement, without what stands in its block."""
    text = node.span.text
    if isinstance(node, _BLOCKS):
        text = text.partition("{")[0]
    lines = [line.strip() for line in text.strip().splitlines()]
    return " ".join(lines) if len(lines) <= 3 else f"{lines[0]} …"


def _facts(document: Document, symbol: Symbol) -> Iterator[str]:
    values, definition = document.values, symbol.definition
    match symbol.node:
        case tree.TypeDef() if definition is not None:
            yield from values.of_type(definition, values.contents)
            many = list(values.instances(definition))
            yield ", ".join(many)
        case tree.System(name=name):
            yield values.system(name.text)
        case (
            tree.Traffic(of=of)
            | tree.Workload(of=of)
            | tree.Analyze(of=of)
            | tree.Scenario(of=of)
            | tree.Explore(of=of)
            | tree.View(of=of)
        ):
            yield f"of `{of.text}`: {system}" if (system := values.system(of.text)) else ""
        case tree.Let() if symbol.owner is None:
            yield _equals(symbol, [values.let(symbol)])
        case tree.Field() | tree.Let() if definition is not None:
            yield _equals(symbol, values.field(symbol))
        case tree.Param() if definition is not None:
            yield _equals(symbol, values.of_type(definition, lambda kind: values.argument(kind, symbol.name)))
        case tree.Instance() if definition is not None:
            yield from _of_part(values, symbol, definition)
        case tree.PortDecl() | tree.PortExport() if definition is not None:
            yield from values.of_type(definition, lambda kind: values.port(kind, symbol.name))


def _of_part(values: Values, symbol: Symbol, definition: Definition) -> Iterator[str]:
    yield from values.of_type(definition, lambda kind: values.part(kind, symbol.name))


def _equals(symbol: Symbol, values: list[str]) -> str:
    equals = [value for value in values if value]
    return f"`{symbol.name}` = {' or '.join(equals)}" if equals else ""


def _attribute(symbol: Symbol) -> Attribute | None:
    owner = tree.OWNERS.get(type(symbol.owner), "")
    if isinstance(symbol.owner, tree.TypeDef):
        owner = owner_of(symbol.owner.kind.text)
    return attributes(owner).get(symbol.name) if owner else None


def attribute_text(known: Attribute) -> str:
    """Return what a field of the language means, with what it wants and what holds without it."""
    wants = f"Wants {dimension_name(known.dimension)}." if known.dimension is not None else ""
    if known.words:
        wants = "One of " + ", ".join(f"`{word}`" for word in known.words) + "."
    default = "" if known.default is None else f" By default {value_text(known.default)}."
    return f"{known.meaning} {wants}{default}{' Must be given.' if known.required else ''}"


# ---- expectations and quantities --------------------------------------------------------------------------------


def _of_statement(document: Document, offset: int) -> Hover | None:
    around = document.module.file.places.around(Span(document.source, offset, offset))
    for statement in around:
        inner = [node for node in walk(statement) if node.span.start <= offset <= node.span.end]
        for node in sorted(inner, key=lambda each: each.span.end - each.span.start):
            if isinstance(node, tree.Quantity):
                return _of_quantity(node)
            if isinstance(node, tree.Expect):
                said = expectation_text(document, node)
                return Hover(said, node.span) if said else None
    return None


def _of_quantity(node: tree.Quantity) -> Hover | None:
    try:
        factor, dimension = parse_unit(node.unit)
    except UnknownUnitError:
        return None
    value = Quantity(node.number.value * factor / (2 if node.bidir else 1), dimension)
    each = " each way" if node.bidir else ""
    return Hover(f"{dimension_name(dimension)}: {format_quantity(value, 6)}{each}", node.span)


def expectation_text(document: Document, node: tree.Expect) -> str:
    """Return what became of an `expect` line, for each type that it was asked of."""
    results = [each for each in document.compilation.expectations if key_of(each.span) == key_of(node.span)]
    lines = [_result_text(each) for each in results[:MOST_LINES]]
    if len(results) > MOST_LINES:
        lines.append(f"… and {len(results) - MOST_LINES} more")
    return "  \n".join(lines)


def _result_text(result: ExpectResult) -> str:
    if result.holds is None:
        return f"`{result.needs}` is worked out by `ubusc analyze`"
    values = [f"`{shown(each)}`" for each in (result.value, result.wanted) if each is not None]
    said = f": {' against '.join(values)}" if values else ""
    return f"{'holds' if result.holds else 'does not hold'} in `{result.subject}`{said}"


def _code(text: str) -> str:
    return f"```ubus\n{text}\n```"


def entry_doc(entry: Entry) -> str:
    """Return the documentation of an entry alone."""
    if isinstance(entry, Term):
        return entry.doc
    node = (entry.target or entry).node
    return (node.doc or "") if isinstance(node, tree.Statement) else ""
