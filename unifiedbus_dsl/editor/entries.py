"""What a name can stand for at a place of a text: things that the text defines, and words of the language.

A `Space` is the names that are legal at a place, the nearest first. Hover, definition, references, rename, colours and
completion all ask it: what is said there, and what could be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.syntax import tree


@frozen
class Term:
    """A word of the language: a kind, a measure, an argument, a known field, a medium, …

    `insert` is what completion writes where it is more than the word.
    """

    name: str
    noun: str
    doc: str = ""
    insert: str = ""


@frozen(eq=False)
class Symbol:
    """A thing that a text defines, by the word that names it there.

    `node` is the statement (or parameter, binder, imported name) that defines it, `owner` the type or question that it
    is inside of. An alias has the `target` that it stands for.
    """

    word: tree.Word
    noun: str
    node: tree.Node = field(repr=False)
    owner: tree.Node | None = field(default=None, repr=False)
    definition: Definition | None = field(default=None, repr=False)
    """Of a type, protocol, link or value: what it is in the model; of what is inside one, that one."""
    target: Symbol | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return self.word.text

    @property
    def key(self) -> Key:
        """What tells it from every other, also from one text to the next that says the same."""
        return key_of(self.word.span)


Key: TypeAlias = tuple[str, int]
Entry: TypeAlias = Term | Symbol
Layer: TypeAlias = Mapping[str, Sequence[Entry]]


def key_of(span: Span) -> Key:
    """Return the place of a word as a key: its file, and where it begins."""
    return (file_key(span.source), span.start)


def file_key(source: Source) -> str:
    """Return the file of a source as a key: its whole path, or its name where it has none."""
    return source.name if source.path is None else real_path(str(source.path))


@cache
def real_path(path: str) -> str:
    """Return the whole path of a file, links followed; asked once for each."""
    return str(Path(path).resolve())


@frozen(eq=False)
class Space:
    """The names that are legal at a place, layer by layer: a name stands for what the first layer with it says."""

    layers: tuple[Layer, ...] = ()

    def get(self, name: str) -> tuple[Entry, ...]:
        """Return what a name stands for: nothing, one thing, or several that only the machine tells apart."""
        for layer in self.layers:
            entries = layer.get(name)
            if entries:
                return tuple(entries)
        return ()

    def items(self) -> Iterator[tuple[str, Entry]]:
        """Yield each name that is legal with the first of what it stands for."""
        seen: set[str] = set()
        for layer in self.layers:
            for name, entries in layer.items():
                if entries and name not in seen:
                    seen.add(name)
                    yield name, entries[0]

    def within(self, *layers: Layer) -> Space:
        """Return the space with nearer layers before it."""
        return Space((*layers, *self.layers))

    def beyond(self, *layers: Layer) -> Space:
        """Return the space with further layers behind it."""
        return Space((*self.layers, *layers))


@frozen(eq=False)
class Mention:
    """A word where a text says it, with what it stands for and what else could stand there."""

    word: tree.Word
    entries: tuple[Entry, ...]
    space: Space = field(repr=False)
    defines: bool = False

    @property
    def span(self) -> Span:
        return self.word.span

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, Symbol))


def terms(noun: str, words: Sequence[str] | Mapping[str, str]) -> Layer:
    """Return a layer of words of the language, with their meanings where a mapping gives them."""
    docs = words if isinstance(words, Mapping) else dict.fromkeys(words, "")
    return {name: (Term(name, noun, doc),) for name, doc in docs.items()}
