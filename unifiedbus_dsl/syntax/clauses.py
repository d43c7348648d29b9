"""What begins, continues and closes statements and clauses: what the parser goes by where one can't be read."""

from __future__ import annotations

import re

from unifiedbus_dsl.syntax import messages
from unifiedbus_dsl.syntax.lexer import BAD_CHARACTER, LINE_END, OPEN_STRING

CLAUSES = frozenset(
    ("over", "for", "where", "as", "to", "else", "then", "within", "and", "or", "differs", "by", "--", "->", "|")
)
"""A line that begins with one of these, where it can stand, goes on with the statement above it."""

WANT_MORE = messages.OPERATORS | {"NOT", "WITHIN", "COMMA"}
"""A line that ends in one of these, or in a sign of `JOINTS`, goes on below, where it can't end with it."""

JOINTS = frozenset(("--", "->", "..", "..<"))

STARTERS = frozenset(("let", "expect", "port", "connect", "transit", "place", "open", "spare", "use", "system"))
"""A line that begins with one of these is never taken for the rest of a line that ends in an operator."""

DEFINITIONS = frozenset(
    ("KIND", "PROTOCOL", "LINK", "SYSTEM", "TRAFFIC", "WORKLOAD", "ANALYZE", "SCENARIO", "VIEW", "USE")
)
"""What begins a statement of the file."""

NAMED = re.compile(r"(?:to|differs|by)[ \t]*[:=\[]")
"""A clause word that may be a name, where it is one."""

OPENERS = frozenset(("LPAR", "LSQB", "_LBRACE", "_RECORD"))
CLOSERS = {"RPAR": "(", "RSQB": "[", "RBRACE": "{"}
"""Closing brackets with the opening ones that they want."""

CHECKED = OPENERS | {OPEN_STRING, BAD_CHARACTER, "NUMBER", "WIDTH"}
"""What may be unfit wherever it stands."""

FOLLOWED = OPENERS | CLOSERS.keys() | {LINE_END, "COMMA", "AT"}
"""What changes where the parser is, and what lies between the items of lists that have no end to their length."""

LONG = 1_000
"""Tokens of a statement after which it is as if another began, for who asks what could stand here."""

# What stands in for a header that could not be read, so that its block still is: an empty name marks it as damaged.
HEADERS: dict[str, tuple[str, ...]] = {
    "KIND": ("KIND", "NAME", "_LBRACE"),
    "PROTOCOL": ("PROTOCOL", "NAME", "_LBRACE"),
    "LINK": ("LINK", "NAME", "_LBRACE"),
    "ANALYZE": ("ANALYZE", "NAME", "OF", "NAME", "_LBRACE"),
    "SCENARIO": ("SCENARIO", "NAME", "OF", "NAME", "_LBRACE"),
    "VIEW": ("VIEW", "NAME", "OF", "NAME", "_LBRACE"),
    "IF": ("IF", "NAME", "_LBRACE"),
    "ELSE": ("IF", "NAME", "_LBRACE"),
}
