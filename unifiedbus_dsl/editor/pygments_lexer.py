"""The colours of the language for Pygments: what MkDocs, Sphinx, Jupyter and `pygmentize` show of a `ubus` block.

The rules are those of the TextMate grammar, so that there is no further list of words. They are tried in order at each
place, which finds the earliest match and of several the first, as an editor does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from attrs import frozen
from pygments.lexer import Lexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, Text

from unifiedbus_dsl.editor.textmate import textmate_grammar

TOKENS: dict[str, Any] = {
    "comment.line.documentation": String.Doc,
    "comment.line.number-sign": Comment.Single,
    "constant.numeric": Number,
    "constant.other.width": Number.Integer,
    "keyword.control": Keyword,
    "keyword.operator": Operator,
    "keyword.other": Keyword,
    "string.quoted.double": String.Double,
    "support.type.unit": Keyword.Type,
    "variable.other": Name,
}
"""The token of Pygments for each scope of the grammar."""


@frozen
class Rule:
    """One match and the tokens of its groups, 0 for the whole."""

    pattern: re.Pattern[str]
    tokens: tuple[tuple[int, Any], ...]


@cache
def rules() -> tuple[Rule, ...]:
    """Return the rules of the grammar in order."""
    return tuple(
        Rule(
            re.compile(said["match"], re.MULTILINE),
            tuple((group, _token(scope)) for group, scope in _scopes(said)),
        )
        for said in textmate_grammar()["patterns"]
    )


def _scopes(said: dict[str, Any]) -> list[tuple[int, str]]:
    if "name" in said:
        return [(0, said["name"])]
    return [(int(group), each["name"]) for group, each in said["captures"].items()]


def _token(scope: str) -> Any:
    return TOKENS[scope.removesuffix(".ubus")]


class UbusLexer(Lexer):  # type: ignore[misc]
    """The language of `ubusc`."""

    name = "ubus"
    aliases: ClassVar[list[str]] = ["ubus"]
    filenames: ClassVar[list[str]] = ["*.ubus"]

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """Yield place, token and text, without a gap."""
        at = 0
        while at < len(text):
            for rule in rules():
                found = rule.pattern.match(text, at)
                if found is not None and found.end() > at:
                    yield from _pieces(found, rule, text)
                    at = found.end()
                    break
            else:
                yield at, Text, text[at]
                at += 1


def _pieces(found: re.Match[str], rule: Rule, text: str) -> Iterator[tuple[int, Any, str]]:
    """Yield the groups of a match with their tokens, and what is between them."""
    at = found.start()
    for group, token in rule.tokens:
        start, end = found.span(group)
        if start < 0:
            continue
        if start > at:
            yield at, Text, text[at:start]
        yield start, token, text[start:end]
        at = end
    if at < found.end():
        yield at, Text, text[at : found.end()]
