"""The texts that an editor has open and those on disk around them, with what is known of each.

A text that is open stands for its file, saved or not. What is known of a text is worked out when it is first asked
for, and again once a text that it rests on has changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path

from attrs import define, field, frozen

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.compiler import Compilation, compile_source, files_library, spec_folders
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.editor.entries import file_key, real_path
from unifiedbus_dsl.editor.members import Types
from unifiedbus_dsl.editor.mentions import Mentions, read_mentions
from unifiedbus_dsl.editor.values import Values
from unifiedbus_dsl.semantic.names.bind import bind
from unifiedbus_dsl.semantic.names.model import Model, Module
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.load import load
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.syntax.project_file import ProjectFileError, find_project
from unifiedbus_dsl.vocabulary.limits import Limits

SUFFIX = ".ubus"
LIMITS = Limits(work=30_000_000, errors=200)
"""What is taken on for a text that is being written: about a quarter of a second, so that no answer waits for more."""
MOST_FILES = 2_000
"""Files around a text that are looked through for a name, at most."""
SKIPPED = frozenset(("node_modules", "__pycache__"))


@frozen(eq=False, slots=False)
class Document:
    """A text with the model that it begins: names bound, nothing evaluated."""

    source: Source
    model: Model
    _project: Project = field(repr=False)

    @cached_property
    def types(self) -> Types:
        return Types(self.model)

    @property
    def module(self) -> Module:
        return self.model.main

    @cached_property
    def mentions(self) -> Mentions:
        """The names that the text says."""
        return read_mentions(self.model.main, self.types)

    @cached_property
    def _others(self) -> dict[Module, Mentions]:
        return {}

    def mentions_of(self, module: Module) -> Mentions:
        """Return the names that the text says, or a file that it rests on, as they are meant from here."""
        if module is self.model.main:
            return self.mentions
        if module not in self._others:
            self._others[module] = read_mentions(module, self.types)
        return self._others[module]

    def mentions_by_words(self, words: Iterable[str]) -> list[Mentions]:
        """Return those of the files that say one of some words."""
        saying = word_pattern(words)
        return [self.mentions_of(module) for module in self.model.modules if saying.search(module.source.text)]

    def says(self, words: Iterable[str]) -> bool:
        """Return whether the text, or one that it rests on, says one of some words."""
        saying = word_pattern(words)
        return any(saying.search(module.source.text) for module in self.model.modules)

    @cached_property
    def files(self) -> frozenset[str]:
        """The files that the text rests on, itself included."""
        return frozenset(file_key(module.source) for module in self.model.modules)

    @cached_property
    def values(self) -> Values:
        """What the compiler has worked out of the text, as far as it could be understood."""
        return Values(self.compilation)

    @cached_property
    def compilation(self) -> Compilation:
        """What the compiler says of the text: diagnostics, and types with their arguments filled in."""
        return self._project.compile(self.source)


def word_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Return what matches some words as they stand in a text."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b")


@define(eq=False)
class Project:
    """The open texts by file, the folders that are worked in, and the folders in which `use` looks further."""

    folders: tuple[Path, ...] = ()
    search: tuple[Path, ...] = ()
    open: dict[str, Source] = field(factory=dict)
    _documents: dict[str, Document] = field(factory=dict)
    _disk: dict[str, tuple[tuple[int, int], Source]] = field(factory=dict)
    _parsed: dict[str, tuple[Source, tree.File, tuple[Diagnostic, ...]]] = field(factory=dict)

    def copy(self) -> Project:
        """Return a project of the same texts, that may take others."""
        memory = (self.open, self._documents, self._disk, self._parsed)
        return Project(self.folders, self.search, *(dict(each) for each in memory))  # type: ignore[arg-type]

    def put(self, path: Path, text: str) -> None:
        """Take a text for what a file holds."""
        source = Source(str(path), text, path)
        self.open[file_key(source)] = source

    def drop(self, path: Path) -> None:
        """Take a file for what is on disk again."""
        self.open.pop(file_key(Source(str(path), "", path)), None)

    def document(self, path: Path) -> Document | None:
        """Return a text with its model; None where there is no such file."""
        source = self.source(path)
        return None if source is None else self.of(source)

    def of(self, source: Source) -> Document:
        """Return the document of a source, the one known where nothing that it rests on has changed."""
        key = file_key(source)
        known = self._documents.get(key)
        if known is not None and self._is_fresh(known):
            return known
        library = files_library(self.folders_of(source), LIMITS, (*self._known(), source))
        document = Document(source, bind(source, library, Sink(LIMITS.errors), self.read), self)
        self._documents[key] = document
        return document

    def _is_fresh(self, document: Document) -> bool:
        return all(self._is_current(source) for source in document.model.modules_by_source)

    def _is_current(self, source: Source) -> bool:
        if source.path is None:
            return True
        now = self.open.get(file_key(source)) or self._from_disk(source.path)
        return now is not None and (now is source or now.text == source.text)

    def source(self, path: Path) -> Source | None:
        """Return the text of a file, as it is open or on disk."""
        return self.open.get(file_key(Source(str(path), "", path))) or self._from_disk(path)

    def _from_disk(self, path: Path) -> Source | None:
        try:
            status = path.stat()
        except (OSError, ValueError):
            return None
        stamp, key = (status.st_mtime_ns, status.st_size), real_path(str(path))
        known = self._disk.get(key)
        if known is not None and known[0] == stamp:
            return known[1]
        source = load(path, Sink(), max_bytes=LIMITS.source_bytes)
        if source is not None:
            self._disk[key] = stamp, source
        return source

    def reread(self, document: Document, text: str) -> Mentions:
        """Return the mentions of a document as they would be if it had another text."""
        source = Source(document.source.name, text, document.source.path)
        library = files_library(self.folders_of(source), LIMITS, (*self._known(), source))

        def read(each: Source, sink: Sink) -> tree.File:
            return parse(each, sink) if each is source else self.read(each, sink)

        model = bind(source, library, Sink(LIMITS.errors), read)
        return read_mentions(model.main, Types(model))

    def compile(self, source: Source) -> Compilation:
        """Return what the compiler says of a source, with the other texts as they are open."""
        search = self.folders_of(source)
        return compile_source(source, self._known(), search=search, limits=LIMITS, read=self.read)

    def folders_of(self, source: Source) -> tuple[Path, ...]:
        """Return where `use` looks further: what the client has named, then what the project file says.

        One that is wrong says nothing here: `ubusc check` tells what is wrong with it.
        """
        if source.path is None:
            return self.search
        with suppress(ProjectFileError):
            return (*self.search, *find_project(source.path.parent).search)
        return self.search

    def read(self, source: Source, sink: Sink) -> tree.File:
        """Return the tree of a source, parsed once; what is wrong with it goes to the sink each time."""
        key = file_key(source)
        known = self._parsed.get(key)
        if known is None or known[0] is not source:
            own_sink = Sink()
            known = self._parsed[key] = source, parse(source, own_sink), tuple(own_sink)
        for diagnostic in known[2]:
            sink.add(diagnostic)
        return known[1]

    def _known(self) -> list[Source]:
        """Return the texts that are open, and those on disk that are known and still what their files hold."""
        disk = [source for _, source in self._disk.values()]
        current = [each for each in disk if each.path is not None and self._from_disk(each.path) is each]
        return [*current, *self.open.values()]

    # -- the files around

    def is_ours(self, path: Path) -> bool:
        """Return whether a file may be changed: one that is open, or in a folder that is worked in."""
        real = path.resolve()
        return str(real) in self.open or any(real.is_relative_to(folder.resolve()) for folder in self.folders)

    def comes_along(self, path: Path) -> bool:
        """Return whether a file is one of the specs that come along with the compiler."""
        real = path.resolve()
        return any(real.is_relative_to(folder.resolve()) for folder in spec_folders())

    def documents(self, first: Document) -> Iterator[Document]:
        """Yield the document at hand, then the others that are open or in the folders, in order of path."""
        seen = {file_key(first.source)}
        yield first
        for path in self.files():
            source = self.source(path)
            if source is not None and file_key(source) not in seen:
                seen.add(file_key(source))
                yield self.of(source)

    def usable(self, source: Source) -> list[str]:
        """Return the files that a `use` in a text can name, by the names that it can say."""
        beside = (source.path.parent,) if source.path is not None else ()
        names: dict[str, None] = {}
        for folder in (*beside, *self.folders_of(source), *spec_folders()):
            inside = (
                path.relative_to(folder) for path in sorted(folder.glob("*.ubus")) + sorted(folder.glob("*/*.ubus"))
            )
            names |= dict.fromkeys(path.as_posix() for path in islice(inside, MOST_FILES))
        if source.path is not None:
            names.pop(source.path.name, None)
        return list(names)

    def files(self) -> list[Path]:
        """Return the texts that are open and those in the folders, in order of path."""
        paths = {str(source.path): source.path for source in self.open.values() if source.path is not None}
        for folder in self.folders:
            for here, inner, names in os.walk(folder):
                inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in SKIPPED)
                paths |= {str(path): path for name in names if (path := Path(here, name)).suffix == SUFFIX}
                if len(paths) >= MOST_FILES:
                    break
        return [paths[key] for key in sorted(paths)][:MOST_FILES]
