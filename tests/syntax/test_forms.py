"""The forms of statements that help lines show can be read, and what is said of a block is true of it."""

from __future__ import annotations

import re

import pytest

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax.forms import FORMS
from unifiedbus_dsl.syntax.parse import parse

BLOCKS = {
    "file": "{}",
    "type": "rack R {{\n  {}\n}}",
    "scenario": "scenario s of r {{\n  {}\n}}",
    "explore": "explore e of r {{\n  {}\n}}",
    "view": "view v of r {{\n  {}\n}}",
}
UNREADABLE = "frobnicate the machine"


def readable(text: str) -> bool:
    sink = Sink()
    parse(Source("main.ubus", f"ubus 1\n{text}\n"), sink)
    return not list(sink)


def help_of(text: str) -> str:
    sink = Sink()
    parse(Source("main.ubus", f"ubus 1\n{text}\n"), sink)
    return "\n".join(next(iter(sink)).help)


def filled(form: str) -> str:
    """The form with something where it leaves things out."""
    return form.replace("; …", "").replace("= …", "= 1").replace("…", "")


@pytest.mark.parametrize("form", [form for forms in FORMS.values() for form in forms])
def test_a_form_is_a_statement_of_some_block(form: str) -> None:
    assert any(readable(block.format(filled(form))) for block in BLOCKS.values())


@pytest.mark.parametrize("block", BLOCKS)
def test_a_line_that_begins_no_statement_is_told_what_its_block_has(block: str) -> None:
    """Each word that is named begins a statement there."""
    told = help_of(BLOCKS[block].format(UNREADABLE))
    named = [word for word in re.findall(r"`([a-z]+)\b", told) if word in FORMS]
    assert named
    for word in named:
        assert any(readable(BLOCKS[block].format(filled(form))) for form in FORMS[word]), word


def test_a_statement_that_cannot_be_read_is_shown_its_form() -> None:
    assert "`vary NAME in 2..4`" in help_of(BLOCKS["explore"].format("vary chips between two and four"))
    assert "npu NAME { port x[7] : UB x4 }" in help_of("npu Chip Chap Chop { }")


def test_a_word_that_is_a_name_here_is_shown_no_form() -> None:
    """`sample` is a statement of an exploration, and a name in a scenario."""
    assert "sample 400" not in help_of(BLOCKS["scenario"].format("sample it twice"))
