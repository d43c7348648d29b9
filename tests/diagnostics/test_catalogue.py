"""The pages of the codes: their form, that none is missing, and that their examples are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import unifiedbus_dsl
from tests.support import literate
from unifiedbus_dsl.diagnostics import catalogue
from unifiedbus_dsl.diagnostics.fix import apply_fixes

PACKAGE = Path(unifiedbus_dsl.__file__).parent


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


def case(title: str, blocks: tuple[catalogue.Block, ...]) -> literate.Case | None:
    """The example as a case; None where no text can show it."""
    texts = [block.text for block in blocks if block.language == "ubus"]
    named = {m[1]: text for text in texts if (m := re.match(r"# file: (\S+)", text))}
    mains = [text for text in texts if text not in named.values()]
    return literate.Case(title, mains[0], tuple(named.items()), None, 0) if mains else None


PAGES = catalogue.pages()
OPTIONS = {"UB0612"}
"""What is said of an option of a command, whatever the text."""
COMMANDS = {
    p.code
    for p in PAGES
    if (p.code > "UB08" or p.code in OPTIONS) and any(b.text.startswith("$ ubusc ") for b in p.wrong)
}
"""What a command says of a right text: the example is a run of it, held to be true by the tests of that command."""
WRONG = {p.code: wrong for p in PAGES if p.code not in COMMANDS and (wrong := case(p.code, p.wrong))}
RIGHT = {page.code: right for page in PAGES if (right := case(page.code, page.right))}


@pytest.mark.parametrize("code", WRONG)
def test_the_wrong_example_gives_its_code_there_and_nothing_else(code: str) -> None:
    assert {e.code for e in WRONG[code].expected} == {code}
    problems = literate.check(WRONG[code])
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("code", RIGHT)
def test_the_right_example_gives_nothing(code: str) -> None:
    assert not RIGHT[code].expected
    problems = literate.check(RIGHT[code])
    assert not problems, "\n".join(problems)


LIST = b"""ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Trace : UB { medium = pcb; reach = 1 m; delay = 6 ns/m }
npu Chip { port x : UB x4 }
rack Pair {
  npu[2] : Chip
  connect cables("cables.csv") over Trace(0.4 m)
}
system pair : Pair
"""
CHAIN = [("a", "f0"), *((f"f{n}", f"f{n + 1}") for n in range(70))]
FILES: dict[str, dict[str, bytes]] = {
    "UB0109": {"a.ubus": b"ubus 1\nlet n = " + b"(" * 10_000 + b"1" + b")" * 10_000 + b"\n"},
    "UB0110": {"a.ubus": b"ubus 1\n" + b"# x\n" * 2_000_000},
    "UB0112": {},
    "UB0232": {f"{name}.ubus": f'ubus 1\nuse "{after}.ubus"\n'.encode() for name, after in CHAIN},
    "UB0233": {
        "a.ubus": b"ubus 1\n" + b"".join(b"let a%d = a%d + 1\n" % (n, n + 1) for n in range(999)) + b"let a999 = 1\n"
    },
    "UB0234": {"a.ubus": b"ubus 1\n" + b"let = 1\n" * 1_001},
    "UB0113": {"a.ubus": "ubus 1\n# Länge\n".encode("latin-1")},
    "UB0519": {"a.ubus": LIST},
    "UB0520": {"a.ubus": LIST},
}
"""What no text in a page can show: the files by name. A list is the ```text block of the page."""


@pytest.mark.parametrize("code", FILES)
def test_what_no_text_can_show(code: str, tmp_path: Path) -> None:
    from unifiedbus_dsl import compiler

    page = catalogue.find(code)
    assert page
    (tmp_path / "cables.csv").write_text(page.wrong[0].text)
    for name, data in FILES[code].items():
        (tmp_path / name).write_bytes(data)
    found = [d.code for d in compiler.compile(tmp_path / "a.ubus").diagnostics]
    many = ["UB0101"] * 1_000 if code == "UB0234" else []
    assert found == [*many, code]


def test_every_page_has_an_example_that_runs() -> None:
    assert set(WRONG) | set(FILES) | COMMANDS == set(RIGHT) == set(catalogue.codes())


def test_the_machine_fix_turns_wrong_into_right() -> None:
    mended = {}
    for code, wrong in WRONG.items():
        texts = apply_fixes(literate.diagnose(wrong.text, wrong.files))
        if texts:
            assert len(texts) == 1
            mended[code] = literate.differences(literate.diagnose(texts[0].text, wrong.files), [])
    assert mended, "no page has a fix"
    assert not any(mended.values()), mended


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
