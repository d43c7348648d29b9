"""What can be written at a place: keywords by the grammar, names by what is legal there, units by what is wanted.

The text is read once more with a mark in place of the word that is being written, and where that leaves a statement
unfinished, with the least that ends it. The mark then stands in the tree as any name does, and the space of names
around it is what can be said there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import LENGTH, NUMBER, UNITS, Dimension, dimension_name, parse_unit
from unifiedbus_dsl.editor.entries import Entry, Mention, Symbol, Term
from unifiedbus_dsl.editor.hover import entry_doc
from unifiedbus_dsl.editor.mentions import Mentions
from unifiedbus_dsl.editor.project import Document, Project
from unifiedbus_dsl.semantic.connect.placement import LENGTHS
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.continuation import continue_text, end_statement
from unifiedbus_dsl.syntax.lexer import is_doc
from unifiedbus_dsl.vocabulary.attributes import attributes, owner_of
from unifiedbus_dsl.vocabulary.signatures import MEASURES, TRAFFICS

MARK = "ubusc__here"
_WORD_BEFORE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NUMBER_BEFORE = re.compile(r"(?<![\w.])[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[ \t]+(?:[A-Za-z/%]*)\Z")
_UNIT_BEFORE = re.compile(r"[A-Za-zµμ/%]*\Z")
_WORD_AFTER = re.compile(r"[A-Za-z0-9_]*")
_COMMON = ("Gbps", "GB/s", "TB/s", "ns", "us", "ms", "m", "ns/m", "GB", "MiB", "KiB", "W", "kW", "USD", "PFLOPS", "%")
"""Units that come first, where any can stand."""


@frozen
class Completion:
    """One proposal: what is shown, what is written in place of `span`, and what is said of it."""

    label: str
    insert: str
    noun: str
    doc: str
    span: Span
    symbol: Symbol | None = None
    retrigger: bool = False
    """Whether there is more to be completed right behind it."""


def complete(project: Project, document: Document, offset: int) -> list[Completion]:
    """Return what can be written at an offset, in order of likelihood: names, then keywords."""
    text = document.source.text
    before = text[:offset]
    if _in_remark(before):
        return []
    begun = _FILE_BEGUN.search(_line(before)) or _MODULE_BEGUN.search(_line(before))
    if begun is not None and not _FROM.match(text, offset):
        return list(_files(project, document, begun, offset))
    if _in_quotes(before):
        return []
    if _NUMBER_BEFORE.search(before):
        return list(_units(project, document, offset))
    start = offset - len(_word_before(before))
    legal = continue_text(text[:start])
    span = Span(document.source, start, offset)
    offered: dict[str, Completion] = {}
    if legal.name:
        for each in _names(project, document, start, offset):
            offered.setdefault(each.label, each)
    for word in legal.keywords:
        offered.setdefault(word, Completion(word, _spaced(word), "keyword", "", span))
    return list(offered.values())


def _word_before(before: str) -> str:
    search = _WORD_BEFORE.search(before)
    return search.group() if search else ""


def _line(before: str) -> str:
    return before[before.rfind("\n") + 1 :]


def _in_quotes(before: str) -> bool:
    return bool(re.sub(r"\\.", "", _line(before)).count('"') % 2)


def _in_remark(before: str) -> bool:
    line = re.sub(r'"(?:\\.|[^"\\])*"', "", _line(before))
    return "#" in line or is_doc(line.strip())


def _spaced(word: str) -> str:
    return f"{word} "


# ---- names ------------------------------------------------------------------------------------------------------


def _names(project: Project, document: Document, start: int, offset: int) -> Iterator[Completion]:
    """Yield the names that can stand in place of the word that begins at `start`."""
    mention = _mark(project, document, start, offset)
    if mention is None:
        return
    span = Span(document.source, start, offset)
    given = _given(document, mention)
    for name, entry in mention.space.items():
        if name == MARK or name in given:
            continue
        insert, retrigger = _written(name, entry, mention)
        symbol = entry if isinstance(entry, Symbol) else None
        yield Completion(name, insert, entry.noun, entry_doc(entry), span, symbol, retrigger)


def _written(name: str, entry: Entry, mention: Mention) -> tuple[str, bool]:
    """Return what is written for an entry, and whether there is more to complete behind it."""
    if mention.defines and entry.noun == "field":
        return f"{name} = ", True
    if isinstance(entry, Term) and entry.insert:
        return entry.insert, True
    return name, False


def _given(document: Document, mention: Mention) -> set[str]:
    """Return the fields that a block has already, where the mark stands for a field."""
    if not mention.defines:
        return set()
    owner = mention.symbols[0].owner if mention.symbols else None
    statements: tuple[tree.Statement, ...] = ()
    if isinstance(owner, tree.TypeDef):
        statements = owner.body
    elif isinstance(owner, tree.FieldsDef):
        statements = owner.fields
    return {each.name.text for each in statements if isinstance(each, tree.Field)}


def _mark(project: Project, document: Document, start: int, offset: int) -> Mention | None:
    """Return the mention that a word at `start` would be; None where no statement can be made of it."""
    text = document.source.text
    behind = offset + len(_WORD_AFTER.match(text, offset).group())  # type: ignore[union-attr]  # it matches the empty text
    rest_of_line = text.find("\n", offset)
    line_end = len(text) if rest_of_line < 0 else rest_of_line
    marked = text[:start] + MARK
    for rest in (text[behind:], None):
        ending = f" {end_statement(marked)}" + _tail(text[behind:line_end]) + text[line_end:] if rest is None else rest
        mention = _find_mark(project.reread(document, marked + ending), start)
        if mention is not None:
            return mention
    return None


def _tail(rest: str) -> str:
    """Return the closing braces at the end of a line: what stands before them is written anew."""
    match = re.search(r"[\s}]*\Z", re.sub(r"#.*", "", rest))
    return f" {match.group().strip()}" if match and "}" in match.group() else ""


def _find_mark(mentions: Mentions, start: int) -> Mention | None:
    mark = mentions.at(start)
    return mark if mark is not None and mark.word.text == MARK else None


# ---- files ------------------------------------------------------------------------------------------------------

_FILE_BEGUN = re.compile(r"""^[ \t]*use\b[^"]*"(?P<file>[^"]*)\Z""")
_FROM = re.compile(r"[\w \t,]*\bfrom\b")
_MODULE_BEGUN = re.compile(r"(?:^[ \t]*use|\bfrom)[ \t]+(?P<module>[A-Za-z_][\w.]*)?\Z")


def _files(project: Project, document: Document, begun: re.Match[str], offset: int) -> Iterator[Completion]:
    """Yield the files that a `use` can name, beside the text and among the specs that come along."""
    as_file = "file" in begun.groupdict()
    said = begun["file" if as_file else "module"] or ""
    span = Span(document.source, offset - len(said), offset)
    for name in project.usable(document.source):
        label = name if as_file else name.removesuffix(".ubus").replace("/", ".")
        if as_file or all(part.isidentifier() for part in label.split(".")):
            yield Completion(label, label, "file", "", span)


# ---- units ------------------------------------------------------------------------------------------------------


def _units(project: Project, document: Document, offset: int) -> Iterator[Completion]:
    """Yield the units that can stand behind a number: those of the dimension that is wanted, where that is known."""
    text = document.source.text
    begun = _UNIT_BEFORE.search(text[:offset])
    start = offset - (len(begun.group()) if begun else 0)
    wanted = _wanted(document, start)
    span = Span(document.source, start, offset)
    names = [*_COMMON, *sorted(set(UNITS) - set(_COMMON), key=lambda unit: (len(unit), unit))]
    if wanted is None:
        names = list(_COMMON)
    for unit in names:
        dimension = parse_unit(unit)[1]
        if wanted is None or dimension == wanted:
            yield Completion(unit, unit, "unit", dimension_name(dimension), span)


_ASSIGNED = re.compile(r"(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*[0-9][0-9_.eE+-]*[ \t]+\Z")


def _wanted(document: Document, start: int) -> Dimension | None:
    """Return the dimension that is wanted of the number before an offset: of a field, or of an argument."""
    search = _ASSIGNED.search(document.source.text, 0, start)
    if search is None:
        return None
    name, inside = search["name"], document.module.file.places.around(Span(document.source, start, start))
    first = inside[0] if inside else None
    owner = ""
    if isinstance(first, tree.TypeDef):
        owner = owner_of(first.kind.text)
    elif isinstance(first, tree.FieldsDef):
        owner = tree.OWNERS[type(first)]
    attribute = attributes(owner).get(name) if owner else None
    if attribute is not None:
        return attribute.dimension if attribute.dimension != NUMBER else None
    if name in LENGTHS:
        return LENGTH
    for signature in (*MEASURES.values(), *TRAFFICS.values()):
        known = signature.argument(name)
        if known is not None and known.dimension is not None:
            return known.dimension
    return None
