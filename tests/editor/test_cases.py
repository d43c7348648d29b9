"""Definition, references, rename and completion, by the tables of `cases/`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.editor.cases_of import Question, lines, offset_of, questions
from tests.support import literate
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.editor.completion import complete
from unifiedbus_dsl.editor.navigation import RenameError, definitions, references, rename

NAMES, WORDS = list(questions("names.md")), list(questions("completion.md"))


def named(question: Question) -> str:
    return f"{question.title}: {question.line}"


@pytest.mark.parametrize("question", NAMES, ids=named)
def test_names(question: Question, tmp_path: Path) -> None:
    asked, _, expected = question.line.partition(": ")
    what, word, place, *new = asked.split()
    project, document = question.project(tmp_path)
    offset = offset_of(document, word, place)
    assert document.mentions.at(offset) is not None, "the word is no name"
    if what == "define":
        assert lines(definitions(document, offset)) == expected
    elif what == "references":
        assert lines(references(project, document, offset)) == expected
    elif expected.startswith("refused "):
        with pytest.raises(RenameError, match=re.escape(expected.removeprefix("refused "))):
            rename(project, document, offset, new[-1])
    else:
        edits = rename(project, document, offset, new[-1])
        assert lines([edit.span for edit in edits]) == expected
        assert {edit.span.text for edit in edits} == {word}
        assert {edit.text for edit in edits} == {new[-1]}


@pytest.mark.parametrize("question", WORDS, ids=named)
def test_completion(question: Question, tmp_path: Path) -> None:
    found = re.fullmatch(r"(\d+) `(.*)`: (.*)", question.line)
    assert found is not None
    number, begins, expected = int(found[1]), found[2], found[3]
    project, document = question.project(tmp_path)
    source = document.source
    start = source.line_starts[number - 1]
    begins, _, behind = begins.partition("|")
    cut = source.text[:start] + begins + behind + source.text[start + len(source.line(number)) :]
    assert source.path is not None
    project.put(source.path, cut)
    again = project.document(source.path)
    assert again is not None
    offered = [each.label for each in complete(project, again, start + len(begins))]
    for part in expected.split("; "):
        how, *words = part.split()
        match how:
            case "be":
                assert offered == words
            case "begin":
                assert offered[: len(words)] == words
            case "have":
                assert set(words) <= set(offered), sorted(set(words) - set(offered))
            case "lack":
                assert not set(words) & set(offered), sorted(set(words) & set(offered))
            case _:
                raise AssertionError(f"no such verb: {how}")


@pytest.mark.parametrize("page", ["names.md", "completion.md"])
def test_texts_are_right(page: str) -> None:
    """The texts that questions are asked about say what is announced in them and nothing else."""
    from tests.editor.cases_of import PAGES

    for case in literate.cases((PAGES / page).read_text()):
        done = compile_text(case.text, literate.MAIN, dict(case.files))
        assert not literate.differences(done.diagnostics, case.expected), case.title
