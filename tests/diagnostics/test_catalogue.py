"""The pages of the codes: their form, that none is missing, and that their examples are true."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import unifiedbus_dsl
from tests import literate
from unifiedbus_dsl.diagnostics import catalogue
from unifiedbus_dsl.diagnostics.fix import mend

PACKAGE = Path(unifiedbus_dsl.__file__).parent

needs_pipeline = pytest.mark.skipif(
    importlib.util.find_spec("unifiedbus_dsl.pipeline") is None, reason="there is no compiler yet"
)


def used_codes() -> set[str]:
    """Every code that the package's modules name as a whole string."""
    texts = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path.parent.name != "cli")
    return {code for text in texts for code in re.findall(r"[\"'](UB\d{4})[\"']", text)}


def test_every_page_follows_the_form() -> None:
    assert [page.code for page in catalogue.pages()] == list(catalogue.codes())
    for page in catalogue.pages():
        assert page.family
        assert not page.title.endswith(".")
        assert page.right[0].language == "ubus"
        assert all(len(line) <= 120 for line in page.text.splitlines()), page.code


def test_every_code_in_use_has_a_page() -> None:
    assert used_codes() - set(catalogue.codes()) == set()


EXAMPLES = [
    pytest.param(page, block, id=page.code)
    for page in catalogue.pages()
    for block in page.wrong
    if block.language == "ubus"
]


@needs_pipeline
@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_the_wrong_example_gives_its_code_there_and_nothing_else(page: catalogue.Page, block: catalogue.Block) -> None:
    files = [(m[1], m[2]) for m in re.finditer(r"# file: (\S+)\n(.*?)(?=# file: |\Z)", block.text, re.DOTALL)]
    expected = list(literate.expectations(literate.MAIN, block.text))
    assert {e.code for e in expected} == {page.code}
    problems = literate.differences(literate.diagnose(block.text, files), expected)
    assert not problems, "\n".join(problems)


@needs_pipeline
@pytest.mark.parametrize(("page", "block"), [pytest.param(p, b, id=p.code) for p in catalogue.pages() for b in p.right])
def test_the_right_example_gives_nothing(page: catalogue.Page, block: catalogue.Block) -> None:
    problems = literate.differences(literate.diagnose(block.text), [])
    assert not problems, "\n".join(problems)


@needs_pipeline
@pytest.mark.parametrize(("page", "block"), EXAMPLES)
def test_the_machine_fix_turns_wrong_into_right(page: catalogue.Page, block: catalogue.Block) -> None:
    diagnostics = literate.diagnose(block.text)
    mended = mend(diagnostics)
    if not mended:
        pytest.skip("no machine fix")
    problems = literate.differences(literate.diagnose(mended[0].text), [])
    assert not problems, "\n".join(problems)


GOOD = "\n".join(
    [
        "# UB0501: one\n",
        "## What it means\na\n",
        "## Why it matters\nb\n",
        "## Wrong\n```ubus\nx\n```\n",
        "## Right\n```ubus\ny\n```\n",
        "## Fix\nc\n",
    ]
)


def test_reading_a_page() -> None:
    page = catalogue.read(GOOD)
    assert (page.code, page.title, page.meaning, page.fix) == ("UB0501", "one", "a", "c")
    assert page.wrong == (catalogue.Block("ubus", "x\n"),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# UB0501: one", "# UB501 one"),
        ("## Fix", "## Cure"),
        ("## Why it matters\nb\n\n", ""),
        ("\na\n", "\n\n"),
        ("```ubus\nx\n```", "words"),
        ("```ubus\nx", "```python\nx"),
        ("## Fix\nc\n", "## Fix\nc\n## More\nd\n"),
    ],
)
def test_a_page_out_of_form_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(catalogue.PageError):
        catalogue.read(GOOD.replace(old, new, 1))


def test_codes_as_people_type_them() -> None:
    for word in ("UB0101", "ub0101", "ub101", "101", "0101", "[UB0101]", "error[UB0101]"[5:]):
        assert catalogue.normal(word) == "UB0101"
    assert catalogue.find("UB0999") is None
    assert catalogue.nearest("UB0191") in catalogue.codes()
    assert catalogue.nearest("bandwidth") is None
