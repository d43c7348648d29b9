"""Where a name is defined, where it is said, and giving it another one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from attrs import frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Edit, Severity, Sink
from unifiedbus_dsl.diagnostics.fix import apply_edits
from unifiedbus_dsl.editor.entries import Key, Mention, Symbol, file_key, key_of
from unifiedbus_dsl.editor.project import Document, Project
from unifiedbus_dsl.semantic.names.model import BLOCKS, NOUNS
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.vocabulary import attributes


class RenameError(ValueError):
    """A name that can't be given, or a thing that can't be renamed; the sentence stands alone."""


@frozen
class Sayings:
    """Where something is said: the places in order, and the symbols that it is, several where they go together."""

    spans: tuple[Span, ...]
    symbols: Mapping[Key, Symbol]


def definitions(document: Document, offset: int) -> list[Span]:
    """Return where what is said at an offset is defined."""
    mention = document.mentions.at(offset)
    if mention is None:
        return []
    return [(symbol.target or symbol).word.span for symbol in mention.symbols]


def type_definitions(document: Document, offset: int) -> list[Span]:
    """Return where the type of the part at an offset is defined."""
    mention = document.mentions.at(offset)
    part_types = document.types.part_types(mention.entries) if mention is not None else set()
    return sorted((each.span for each in part_types), key=key_of)


def references(project: Project, document: Document, offset: int) -> list[Span]:
    """Return every place in all files where what is said at an offset is said, its definition included."""
    return list(_said(project, document, offset).spans)


def occurrences(document: Document, offset: int) -> list[Mention]:
    """Return the mentions in the same text of what is said at an offset."""
    here = document.mentions.at(offset)
    if here is None:
        return []
    keys = {symbol.key for symbol in here.symbols}
    if not keys:
        return [each for each in document.mentions.all if each.entries == here.entries and not each.symbols]
    return [each for each in document.mentions.all if keys & {symbol.key for symbol in each.symbols}]


def _said(project: Project, document: Document, offset: int) -> Sayings:
    mention = document.mentions.at(offset)
    if mention is None or not mention.symbols:
        return Sayings((), {})
    said: list[Mention] = []
    group, files = {symbol.key for symbol in mention.symbols}, set[str]()
    while files != {file for file, _ in group}:  # what goes together may lead to further files
        files = {file for file, _ in group}
        said = _mentions_of([mention.word.text], _concerned(project, document, mention, files))
        group = _grown(group, said)
    symbols = {s.key: s for each in said for s in each.symbols if s.key in group}
    spans = {key_of(each.span): each.span for each in said if group & {s.key for s in each.symbols}}
    return Sayings(tuple(spans[key] for key in sorted(spans)), symbols)


LOCAL = frozenset(("index", *(NOUNS[each] for each in (tree.Traffic, tree.Workload, *BLOCKS))))
"""What only its own file can say."""


def _concerned(project: Project, document: Document, mention: Mention, files: set[str]) -> list[Document]:
    """Return the documents that rest on one of some files, and say a word there or further on."""
    local = all(s.noun in LOCAL or isinstance(s.owner, BLOCKS) for s in mention.symbols)
    if local:
        return [document]
    return [each for each in project.documents(document) if files & each.files and each.says([mention.word.text])]


def _mentions_of(words: Sequence[str], documents: Iterable[Document]) -> list[Mention]:
    """Return the mentions of some words, a place once for each model in which it is read."""
    return [
        mention
        for document in documents
        for mentions in document.mentions_by_words(words)
        for mention in mentions.all
        if mention.word.text in words
    ]


def _grown(keys: set[Key], mentions: Iterable[Mention]) -> set[Key]:
    """Return the symbols that go together with some: a word that stands for two of them makes them one."""
    sets = [{s.key for s in each.symbols} for each in mentions if len(each.symbols) > 1]
    group, changed = set(keys), True
    while changed:
        changed = False
        for one in sets:
            if one & group and not one <= group:
                group |= one
                changed = True
    return group


# ---- another name -----------------------------------------------------------------------------------------------


def renameable(project: Project, document: Document, offset: int) -> Span:
    """Return the word at an offset that can be given another name.

    Raises:
        RenameError: there is none, or it is a word of the language or of a file that is not ours.
    """
    mention = document.mentions.at(offset)
    if mention is None:
        raise RenameError("there is no name here")
    if not mention.symbols:
        noun = mention.entries[0].noun if mention.entries else ""
        raise RenameError(
            f"`{mention.word.text}` is a {noun} of the language"
            if noun
            else f"`{mention.word.text}` means nothing here"
        )
    for symbol in mention.symbols:
        _refuse(project, symbol)
    return mention.span


def _refuse(project: Project, symbol: Symbol) -> None:
    """Refuse to rename what the language names, and what is in a file that is not ours."""
    if symbol.noun == "field" and symbol.name in attributes.attributes(_owner(symbol)):
        raise RenameError(f"`{symbol.name}` is a field that the compiler understands: another name means another thing")
    path = symbol.word.span.source.path
    if path is not None and not project.is_ours(path):
        raise RenameError(f"`{symbol.name}` is defined in `{path}`, which is outside of the folders that are open")


def _owner(symbol: Symbol) -> str:
    match symbol.owner:
        case tree.ProtocolDef() | tree.LinkDef() | tree.ModelDef() as node:
            return tree.OWNERS[type(node)]
        case tree.TypeDef() as node:
            return attributes.owner_of(node.kind.text)
    return "device"


def rename(project: Project, document: Document, offset: int, name: str) -> tuple[Edit, ...]:
    """Return the edits that give what is said at an offset another name, wherever it is said.

    They are tried first: a name that would be taken for another thing, or that makes an error, is refused.

    Raises:
        RenameError: it can't be renamed, or not to this.
    """
    renameable(project, document, offset)
    mention = document.mentions.at(offset)
    assert mention is not None
    _check_name(name)
    said = _said(project, document, offset)
    for symbol in said.symbols.values():
        _refuse(project, symbol)
    edits = tuple(Edit(span, name) for span in said.spans if span.text != name)
    for edit in edits:
        path = edit.span.source.path
        if path is not None and not project.is_ours(path):
            raise RenameError(f"it is said in `{path}` too, which is outside of the folders that are open")
    old = next((edit.span.text for edit in edits), name)
    concerned = _concerned(project, document, mention, {file for file, _ in said.symbols})
    _try(project, concerned, edits, (old, name))
    return edits


def _check_name(name: str) -> None:
    sink = Sink()
    read = parse(Source("<name>", f"ubus 1\nlet {name} = 1\n"), sink)
    whole = len(read.statements) == 1 and isinstance(read.statements[0], tree.Let)
    if sink.has_errors or not whole or read.statements[0].name.text != name:  # type: ignore[union-attr]  # it is a let
        raise RenameError(f"`{name}` can't be a name: letters, digits and `_`, and no word of the language")


def _try(project: Project, documents: Iterable[Document], edits: Sequence[Edit], words: tuple[str, str]) -> None:
    """Refuse edits after which a name means another thing, or a text has an error that it had not."""
    moved = _Moved.by(edits)
    after = project.copy()
    for source in moved.sources:
        assert source.path is not None
        own = [edit for edit in edits if file_key(edit.span.source) == file_key(source)]
        after.put(source.path, apply_edits(source.text, own))
    for before in documents:
        assert before.source.path is not None
        now = after.document(before.source.path)
        assert now is not None
        _same_meaning(before, now, moved, words)
        if file_key(before.source) in moved.edits:
            _no_new_error(before, now)


def _same_meaning(before: Document, now: Document, moved: _Moved, words: tuple[str, str]) -> None:
    """Refuse where a word stands for another thing than before."""
    meant = _meanings(before, moved, words)
    for key, (same_meaning, mention) in _meanings(now, _Moved({}), words).items():
        expected = meant.pop(key, None)
        if expected is None or expected[0] != same_meaning:
            line, name = mention.span.line, mention.span.source.name
            raise RenameError(f"`{words[1]}` would change what `{mention.word.text}` means in line {line} of `{name}`")
    if meant:
        mention = next(iter(meant.values()))[1]
        raise RenameError(
            f"`{words[1]}` would leave `{mention.word.text}` in line {mention.span.line} without a meaning"
        )


def _meanings(document: Document, moved: _Moved, words: tuple[str, str]) -> dict[Key, tuple[frozenset[Key], Mention]]:
    """Return what each saying of some words stands for, with all places as they are after some edits."""
    meanings: dict[Key, tuple[frozenset[Key], Mention]] = {}
    for each in _mentions_of(words, [document]):
        meant = frozenset(moved.key(symbol.key) for symbol in each.symbols)
        meanings[moved.key(key_of(each.span))] = meant, each
    return meanings


def _no_new_error(before: Document, now: Document) -> None:
    was, errors = ([d for d in each.compilation.diagnostics if d.severity is Severity.ERROR] for each in (before, now))
    if len(errors) > len(was):
        raise RenameError(f"`{now.source.name}` would have an error: {errors[0].message}")


@frozen
class _Moved:
    """Where places of texts are after edits that replace words: by file, where each word begins and what it adds."""

    edits: Mapping[str, tuple[list[int], list[int]]]
    sources: tuple[Source, ...] = ()

    @classmethod
    def by(cls, edits: Sequence[Edit]) -> _Moved:
        moved: dict[str, tuple[list[int], list[int]]] = {}
        by_file: dict[str, list[Edit]] = {}
        for edit in edits:
            by_file.setdefault(file_key(edit.span.source), []).append(edit)
        for key, own in by_file.items():
            own.sort(key=lambda edit: edit.span.start)
            grown = accumulate((len(edit.text) - (edit.span.end - edit.span.start) for edit in own), initial=0)
            moved[key] = [edit.span.start for edit in own], list(grown)
        return cls(moved, tuple({file_key(edit.span.source): edit.span.source for edit in edits}.values()))

    def key(self, key: Key) -> Key:
        """Return where a word is that began at a place."""
        starts, grown = self.edits.get(key[0], ([], [0]))
        return (key[0], key[1] + grown[bisect_right(starts, key[1] - 1)])
