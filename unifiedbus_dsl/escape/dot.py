"""Text in the DOT language (graphviz.org/doc/info/lang.html), built as a tree of statements and written here.

Between double quotes the only escape is `\\"`; a backslash before the quote that ends a text would take it away. Labels
and tooltips are "escStrings" in which `\\N` and `&lt;` have a meaning as well: `label` takes it from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from attrs import frozen

from unifiedbus_dsl.escape.xml import printable

Attributes: TypeAlias = Mapping[str, str]

_BEFORE_QUOTE = re.compile('(\\\\*)("|\\Z)')
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@frozen
class Statement:
    """A node, or defaults (`graph`, `node`), by name with its attributes."""

    name: str
    attributes: Attributes


@frozen
class Edge:
    tail: str
    head: str
    attributes: Attributes


@frozen
class Subgraph:
    """A cluster, empty or with what stands in it."""

    name: str
    attributes: Attributes
    inside: Sequence[Statement | Edge | Subgraph] = ()


@frozen
class Graph:
    name: str
    statements: Sequence[Statement | Edge | Subgraph]


def written(graph: Graph) -> str:
    """Return the graph in the DOT language, a statement a line."""
    return "\n".join([f"graph {_name(graph.name)} {{", *map(_statement, graph.statements), "}", ""])


def _statement(of: Statement | Edge | Subgraph) -> str:
    attributes = ", ".join(f"{_name(key)}={string(value)}" for key, value in of.attributes.items())
    match of:
        case Statement(name):
            return f"{_name(name)} [{attributes}];"
        case Edge(tail, head):
            return f"{_name(tail)} -- {_name(head)} [{attributes}];"
        case Subgraph(name, _, inside):
            return " ".join([f"subgraph {_name(name)} {{ graph [{attributes}];", *map(_statement, inside), "}"])


def _name(text: str) -> str:
    assert _NAME.fullmatch(text), text
    return text


def string(value: str) -> str:
    """Return a text as a value, with its quotes; it ends where it ends, whatever is in it."""
    return '"' + _BEFORE_QUOTE.sub(_closed, printable(value)) + '"'


def _closed(match: re.Match[str]) -> str:
    """Return an even number of backslashes, then the quote as an escape."""
    slashes = match[1] + "\\" * (len(match[1]) % 2)
    return slashes + ('\\"' if match[2] else "")


def label(text: str) -> str:
    """Return a text for a label or a tooltip: what stands there is what is shown."""
    safe = printable(text).replace("&", "&amp;")
    return safe.replace("\\", "\\\\").replace("\t", " ").replace("\n", "\\n")


def identifier(text: str) -> str:
    """Return a text as an id or a class: letters, digits and what ours have."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "-", text)
