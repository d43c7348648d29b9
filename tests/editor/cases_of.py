"""Cases of pages: texts, and what an editor is to be answered about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from tests.support import literate
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.editor.project import Document, Project

PAGES = Path(__file__).parent / "cases"


@frozen
class Question:
    """One line of a page, with the texts that it is about."""

    line: str
    title: str
    texts: tuple[tuple[str, str], ...]

    def project(self, folder: Path) -> tuple[Project, Document]:
        """Return a project of the texts, none of them saved, and the main one."""
        folder = folder.resolve()
        project = Project((folder,))
        for name, text in self.texts:
            (folder / name).write_text(text)
        document = project.document(folder / literate.MAIN)
        assert document is not None
        return project, document


def questions(page: str) -> Iterator[Question]:
    """Yield the lines of the ```text blocks of a page."""
    for case in literate.cases((PAGES / page).read_text()):
        for line in (case.snapshot or "").splitlines():
            yield Question(line, case.title, ((literate.MAIN, case.text), *case.files))


def offset_of(document: Document, word: str, place: str) -> int:
    """Return where a word stands in a line, the first time or the one that is counted."""
    line, _, count = place.partition(".")
    start = document.source.line_starts[int(line) - 1]
    text = document.source.line(int(line))
    found = [match.start() for match in re.finditer(rf"\b{re.escape(word)}\b", text)]
    return start + found[int(count or 1) - 1]


def lines(spans: list[Span]) -> str:
    """Return places as their lines: those of the main text alone, others with the name of their file."""
    own = sorted(span.line for span in spans if span.source.path and span.source.path.name == literate.MAIN)
    others = sorted(
        (span.source.path.stem, span.line)
        for span in spans
        if span.source.path and span.source.path.name != literate.MAIN
    )
    return " ".join([*map(str, own), *(f"{name}:{line}" for name, line in others)])
