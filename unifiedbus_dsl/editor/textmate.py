"""The TextMate grammar, made from `grammar/ubus.lark` by way of the parse tables: what is a keyword, and where, is said
once. VS Code reads it as a file, Pygments by `editor.pygments_lexer`."""

from __future__ import annotations

import json
import re
from typing import Any

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.base.units import UNITS
from unifiedbus_dsl.syntax.continuation import continue_text
from unifiedbus_dsl.syntax.parse import states_at_end
from unifiedbus_dsl.syntax.tables import load_tables

BLOCKS = (
    "ubus 1\n",
    "ubus 1\nnpu T {\n",
    "ubus 1\nanalyze a of b {\n",
    "ubus 1\nscenario a of b {\n",
    "ubus 1\nexplore a of b {\n",
    "ubus 1\nview a of b {\n",
)
"""Texts behind which a statement of each sort begins."""


def reserved_words() -> list[str]:
    """Return the words that can't name a thing: those that can't stand behind `let`."""
    engine, states = states_at_end(Source("<text>", "ubus 1\nlet "))
    accepted = set(engine.accepted(states))
    return sorted(word for word, terminal in load_tables()["words"].items() if terminal not in accepted)


def beginning_words() -> list[str]:
    """Return the words that begin a statement somewhere, and those that begin the text."""
    found = {word for text in BLOCKS for word in continue_text(text).keywords}
    return sorted((found | set(continue_text("").keywords)) - set(reserved_words()))


def clause_words() -> list[str]:
    """Return the words that go on with a statement and may name things elsewhere."""
    return sorted(set(load_tables()["words"]) - set(reserved_words()) - set(beginning_words()))


def _any_of(words: list[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))


def textmate_grammar() -> dict[str, Any]:
    """Return the TextMate grammar: rules that each match within a line, the first of the earliest ones taken."""
    tables = load_tables()
    reserved, beginning, clauses = reserved_words(), beginning_words(), clause_words()
    keywords = _any_of([*tables["words"]])
    below = _any_of([unit for unit in UNITS if unit != "%"])
    number = _plain(tables["patterns"]["NUMBER"])
    unit = rf"%|(?!(?:{keywords})\b)[A-Za-z\u00b5\u03bc][A-Za-z0-9_\u00b5\u03bc]*(?:/(?:{below})\b)?"
    word = r"[ \t]+[A-Za-z_\"(\[0-9-]"
    later = [word for word in clauses if word not in ("any", "cables", "bidir")]
    signs = _any_of([*tables["signs"], ";"])

    def rule(name: str, match: str, **captures: str) -> dict[str, Any]:
        found: dict[str, Any] = {"match": match}
        if name:
            found["name"] = f"{name}.ubus"
        if captures:
            found["captures"] = {
                number.removeprefix("_"): {"name": f"{scope}.ubus"} for number, scope in captures.items()
            }
        return found

    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "ubus",
        "scopeName": "source.ubus",
        "comment": "Made by editors/vscode/build.py --grammar from grammar/ubus.lark: change that.",
        "patterns": [
            rule("comment.line.documentation", r"^[ \t]*##(?!#).*$"),
            rule("comment.line.number-sign", r"#.*$"),
            rule("string.quoted.double", tables["patterns"]["STRING"]),
            rule(
                "",
                rf"(?<![\w.])((?>{number}))[ \t]*({unit})(?:[ \t]+(bidir)\b)?",
                _1="constant.numeric",
                _2="support.type.unit",
                _3="keyword.other",
            ),
            rule("constant.numeric", rf"(?<![\w])(?:{number})"),
            rule("constant.other.width", r"(?<=[\w][ \t])x[0-9]+\b"),
            rule("", rf"(?:^|(?<=[{{;]))[ \t]*({_any_of(beginning)})\b(?={word})", _1="keyword.control"),
            rule("keyword.control", rf"(?<![\w.])(?<![ \t]as[ \t])(?:{_any_of(reserved)})\b(?![ \t]*=(?!=))"),
            rule("keyword.control", rf"(?:(?<=[\w\])\"%][ \t])|^[ \t]*)(?:{_any_of(later)})\b(?=[ \t]+[\w\"(\[-])"),
            rule("keyword.control", r"(?<=fail )any\b|(?<=connect )cables\b(?=[ \t]*\()"),
            rule("variable.other", r"[A-Za-z_][A-Za-z0-9_]*"),
            rule("keyword.operator", signs),
        ],
    }


def _plain(pattern: str) -> str:
    """Return a regular expression of which no group is numbered."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def grammar_text() -> str:
    """Return the grammar file."""
    return json.dumps(textmate_grammar(), indent=2, ensure_ascii=True) + "\n"
