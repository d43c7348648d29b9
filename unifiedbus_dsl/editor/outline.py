"""The shape of a text: its outline, what can be folded, hints between its words, and the colours of its names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.editor.entries import Mention, Symbol
from unifiedbus_dsl.editor.members import MEMBER_NOUNS
from unifiedbus_dsl.editor.project import Document
from unifiedbus_dsl.ir.plan import PlanType
from unifiedbus_dsl.semantic.names.model import NOUNS, Definition
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import all_statements, walk

# ---- outline ----------------------------------------------------------------------------------------------------


@frozen
class OutlineItem:
    """A statement with a name, and those inside of it. `detail` is its kind, type or system."""

    name: str
    noun: str
    detail: str
    span: Span
    word: Span
    inner: tuple[OutlineItem, ...] = ()


def outline(document: Document) -> list[OutlineItem]:
    """Return the statements of a text that name something, in order."""
    items = (_item(statement) for statement in document.module.file.statements)
    return [item for item in items if item is not None]


def _item(node: tree.FileStatement) -> OutlineItem | None:
    match node:
        case tree.TypeDef():
            inner = tuple(_member(each) for each in all_statements(node.body) if type(each) in MEMBER_NOUNS)
            return OutlineItem(node.name.text, "type", node.kind.text, node.span, node.name.span, inner)
        case tree.ProtocolDef() | tree.LinkDef() | tree.ModelDef():
            fields = tuple(_member(each) for each in node.fields)
            return OutlineItem(node.name.text, NOUNS[type(node)], "", node.span, node.name.span, fields)
        case tree.System():
            return OutlineItem(node.name.text, "system", node.type.text, node.span, node.name.span)
        case tree.Traffic() | tree.Workload() | tree.Analyze() | tree.Scenario() | tree.Explore() | tree.View():
            return OutlineItem(node.name.text, NOUNS[type(node)], f"of {node.of.text}", node.span, node.name.span)
        case tree.Let():
            return OutlineItem(node.name.text, "value", "", node.span, node.name.span)
    return None


def _member(node: tree.Statement) -> OutlineItem:
    word: tree.Word = node.name  # type: ignore[attr-defined]  # only asked of what has a name
    detail = ""
    if isinstance(node, tree.Instance):
        detail = " or ".join(dict.fromkeys(ref.text for ref in tree.types_of(node.type)))
    return OutlineItem(word.text, MEMBER_NOUNS[type(node)], detail, node.span, word.span)


# ---- folding ----------------------------------------------------------------------------------------------------


@frozen
class Fold:
    """Lines, counted from 1, of which all but the first can be put away."""

    first: int
    last: int
    comment: bool = False


def folds(document: Document) -> list[Fold]:
    """Return what can be folded: statements, lists and brackets of several lines, and remarks of several lines."""
    file = document.module.file
    fold_of_line: dict[int, Fold] = {}
    for statement in file.statements:
        for node in walk(statement):
            first, last = node.span.line, _last_line(node.span)
            if last > first and (isinstance(node, tree.Statement | tree.ListExpr)):
                known = fold_of_line.get(first)
                if known is None or known.last < last:
                    fold_of_line[first] = Fold(first, last)
    fold_of_line |= {fold.first: fold for fold in _remarks(document.source)}
    return [fold_of_line[line] for line in sorted(fold_of_line)]


def _last_line(span: Span) -> int:
    return span.source.position(max(span.start, span.end - 1))[0]


def _remarks(source: Source) -> Iterator[Fold]:
    """Yield the runs of lines that hold a remark alone."""
    start = 0
    lines = source.text.split("\n")
    for number, line in enumerate([*lines, ""], 1):
        remark = line.lstrip().startswith("#")
        if remark and not start:
            start = number
        elif not remark and start:
            if number - 1 > start:
                yield Fold(start, number - 1, comment=True)
            start = 0


# ---- hints ------------------------------------------------------------------------------------------------------


@frozen
class Hint:
    """What an editor shows between the words of a text, behind an offset."""

    offset: int
    text: str
    about: str = ""


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """Return the hints between two offsets: shapes of exported ports, counts of arrays, values that are worked out."""
    offered: list[Hint] = []
    for statement in document.module.file.statements:
        if statement.span.end < start or statement.span.start > end:
            continue
        if isinstance(statement, tree.Let):
            offered += _of_let(document, statement)
        elif isinstance(statement, tree.TypeDef):
            offered += _of_body(document, statement)
    return [hint for hint in offered if start <= hint.offset <= end]


def _of_let(document: Document, node: tree.Let) -> Iterator[Hint]:
    if not _is_plain(node.value):
        value = document.values.let(Symbol(node.name, "value", node))
        if value:
            yield Hint(node.value.span.end, f"= {value}")


def _of_body(document: Document, node: tree.TypeDef) -> Iterator[Hint]:
    definition = document.module.own.get(node.name.text)
    if definition is None or definition.node is not node:
        return
    values = document.values
    for statement in all_statements(node.body):
        match statement:
            case tree.PortExport():
                yield from _shown(document, definition, statement.name, statement.value.span.end, values.port_shape, "")
            case tree.Instance() if len(statement.shape) > 1 or any(not _is_plain(size) for size in statement.shape):
                yield from _shown(
                    document, definition, statement.name, statement.type.span.end, values.part_count, "× "
                )
            case tree.Let() | tree.Field() if not _is_plain(statement.value):
                yield from _shown(document, definition, statement.name, statement.value.span.end, values.member, "= ")


def _shown(
    document: Document,
    definition: Definition,
    word: tree.Word,
    at: int,
    value: Callable[[PlanType, str], str],
    before: str,
) -> Iterator[Hint]:
    said = document.values.of_type(definition, lambda kind: value(kind, word.text))
    if len(said) == 1:
        yield Hint(at, f"{before}{said[0]}")
    elif said:
        yield Hint(at, f"{before}{said[0].partition(' in `')[0]}, …", "\n".join(said))


def _is_plain(node: tree.Node) -> bool:
    """Return whether an expression is its own value."""
    if isinstance(node, tree.ListExpr):
        return True
    return isinstance(node, tree.Number | tree.Quantity | tree.String | tree.Bool)


# ---- colours ----------------------------------------------------------------------------------------------------

COLOURS = {
    "type": "type",
    "protocol": "interface",
    "link": "class",
    "kind": "type",
    "selection": "type",
    "part": "variable",
    "port": "property",
    "field": "property",
    "parameter": "parameter",
    "index": "variable",
    "value": "variable",
    "system": "namespace",
    "import": "namespace",
    "traffic": "variable",
    "workload": "variable",
    "measure": "function",
    "traffic pattern": "function",
    "form of a workload": "function",
    "function": "function",
    "pattern": "macro",
    "way to place": "macro",
    "layout": "macro",
    "theme": "macro",
    "annotation": "decorator",
    "argument": "parameter",
}
"""The sort of token, in the words of the protocol, that a name is coloured as; others are members of a set of words."""
SORTS = tuple(dict.fromkeys((*COLOURS.values(), "enumMember")))
LANGUAGE, DECLARED = "defaultLibrary", "declaration"
MODIFIERS = (DECLARED, LANGUAGE)


def colours(mentions: Iterable[Mention]) -> Iterator[tuple[Span, str, tuple[str, ...]]]:
    """Yield each name with the sort of token that it is, and its modifiers."""
    for mention in mentions:
        if not mention.entries:
            continue
        entry = mention.entries[0]
        modifiers = ((DECLARED,) if mention.defines else ()) + (() if isinstance(entry, Symbol) else (LANGUAGE,))
        yield mention.span, COLOURS.get(entry.noun, "enumMember"), modifiers
