"""The class of each token of a text: by the parser, and by a grammar of colours as editors run it.

The first is the judge. A word is a name where the tree has one there, else a keyword; so the two share nothing but the
grammar that one runs and the other was made from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support import literate
from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.syntax.traversal import walk

Token = tuple[int, str, str]
"""Where it begins, its text, its class."""

_TOKEN = re.compile(
    r'(?P<comment>#[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<word>[A-Za-z_µμ][A-Za-z0-9_µμ]*)'
    r"|(?P<number>[0-9][0-9_]*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<sign>\.\.<|\.\.|--|->|==|!=|<=|>=|[^\s])"
)


def by_parser(text: str) -> Iterator[Token]:
    """Yield the tokens of a text that can be read."""
    sink = Sink()
    file = parse(Source("<text>", text), sink)
    assert not sink.has_errors
    names: set[int] = set()
    units: dict[int, int] = {}
    widths: set[int] = set()
    for statement in file.statements:
        for node in walk(statement):
            if isinstance(node, tree.Word | tree.Name):
                names.add(node.span.start)
            elif isinstance(node, tree.Quantity):
                end = node.number.span.end
                at = end + len(text[end:]) - len(text[end:].lstrip())
                units[at] = at + len(node.unit)
            elif isinstance(node, tree.PortDecl):
                widths.add(node.lanes.span.start)
                widths.add(node.lanes.span.start - 1)
            if isinstance(node, tree.TypeDef):
                names.discard(node.kind.span.start)
    for statement in file.statements:
        kinds = [node.kind.span.start for node in walk(statement) if isinstance(node, tree.TypeDef)]
        names.difference_update(kinds)
    at = 0
    while (found := _TOKEN.search(text, at)) is not None:
        start, kind = found.start(), str(found.lastgroup)
        at = found.end()
        if start in units:
            kind, at = "unit", units[start]
        elif kind == "word":
            kind = "name" if start in names else "width" if start in widths else "keyword"
        yield start, text[start:at], kind


def of_scope(scope: str) -> str:
    """Return the class that a scope of the grammar of colours stands for."""
    first = {
        "comment": "comment", "string": "string", "constant.numeric": "number", "constant.other.width": "width",
        "support.type.unit": "unit", "keyword.operator": "sign", "keyword": "keyword", "variable": "name",
    }  # fmt: skip
    return next(kind for prefix, kind in first.items() if scope.startswith(prefix))


def by_textmate(path: Path, text: str) -> Iterator[Token]:
    """Yield the tokens as a grammar of single matches gives them, line by line: the earliest, of several the first."""
    rules: list[dict[str, Any]] = json.loads(path.read_text())["patterns"]
    compiled = [(re.compile(rule["match"]), rule) for rule in rules]
    start = 0
    for line in text.split("\n"):
        at = 0
        while at <= len(line):
            matches = [
                (found.start(), number)
                for number, (pattern, _) in enumerate(compiled)
                if (found := pattern.search(line, at))
            ]
            if not matches:
                break
            _, number = min(matches)
            pattern, rule = compiled[number]
            found = pattern.search(line, at)
            assert found is not None
            if "name" in rule:
                lead = len(found.group()) - len(found.group().lstrip())
                yield start + found.start() + lead, found.group().strip(), of_scope(rule["name"])
            for group, scope in rule.get("captures", {}).items():
                if found.group(int(group)) is not None:
                    yield start + found.start(int(group)), found.group(int(group)), of_scope(scope["name"])
            at = max(found.end(), at + 1)
        start += len(line) + 1


def good_blocks() -> list[str]:
    """The texts of the manual that can be read."""
    texts = [
        text
        for page in literate.pages()
        for case in literate.cases(page.read_text(encoding="utf-8"))
        for text in (case.text, *(inner for _, inner in case.files))
    ]
    return [text for text in texts if reads(text)]


def reads(text: str) -> bool:
    sink = Sink()
    parse(Source("<text>", text), sink)
    return not sink.has_errors
