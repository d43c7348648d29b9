"""The language, tested by texts in the language: `lang/*.md` and the bad files in `bad/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import literate

CASES = [
    pytest.param(case, id=f"{path.stem}:{case.line}")
    for path in literate.pages()
    for case in literate.cases(path.read_text(encoding="utf-8"))
]
BAD = sorted((literate.HERE / "bad").glob("*.ubus"))


@pytest.mark.parametrize("case", CASES)
def test_page(case: literate.Case) -> None:
    problems = literate.check(case)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_file(path: Path) -> None:
    """Every error it holds is found, and none that follows from another."""
    from unifiedbus_dsl import compiler

    done = compiler.compile(path)
    expected = sorted(e for source in done.sources for e in literate.expectations(source.name, source.text))
    assert expected, "a bad file announces at least one error"
    problems = literate.differences(done.diagnostics, expected)
    assert not problems, "\n".join(problems)


PAGE = """\
# Title
Words.

```ubus
# file: parts.ubus
ubus 1
```

```ubus
one  # error: [UB0101] some words
two  # warning: [UB0201] # error: [UB0102]
```

```text
old
```
## Next
```ubus
three
```
"""


def test_cases_of_a_page() -> None:
    first, second = literate.cases(PAGE)
    assert (first.title, first.line, first.snapshot) == ("Title", 9, "old\n")
    assert dict(first.files) == {"parts.ubus": "# file: parts.ubus\nubus 1\n"}
    assert first.expected == [
        literate.Expected("main.ubus", 1, "error", "UB0101", "some words"),
        literate.Expected("main.ubus", 2, "error", "UB0102"),
        literate.Expected("main.ubus", 2, "warning", "UB0201"),
    ]
    assert (second.title, second.files, second.snapshot) == ("Next", (), None)


def test_differences_go_both_ways() -> None:
    from unifiedbus_dsl.base.source import Source, Span
    from unifiedbus_dsl.diagnostics import Diagnostic, Label

    source = Source("a.ubus", "one\ntwo\n\n")
    at = [Diagnostic("UB0101", "no one here", Label(Span(source, 0, 3)))]
    end = [Diagnostic("UB0108", "ends", Label(Span(source, 9, 9)))]
    one = literate.Expected("a.ubus", 1, "error", "UB0101", "one here")
    assert literate.differences(at, [one]) == []
    assert literate.differences(at, []) == ["not announced: a.ubus:1: error[UB0101]: no one here"]
    assert literate.differences([], [one]) == ["not found: a.ubus:1: error[UB0101] one here"]
    assert len(literate.differences(at, [literate.Expected("a.ubus", 1, "error", "UB0101", "two")])) == 2
    assert literate.differences(end, [literate.Expected("a.ubus", 2, "error", "UB0108")]) == []


def test_accept_writes_the_snapshot() -> None:
    accepted = literate.accept(PAGE)
    assert accepted != PAGE
    assert literate.accept(accepted) == accepted
