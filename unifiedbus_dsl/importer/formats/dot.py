"""DOT, Graphviz's language of graphs: edges between nodes, with the ports behind a colon (`"leaf1":"swp1" --
"host":"eth0"`), as NVIDIA's topology files have them.

The attributes `kind`, `type`, `label` of nodes and `a_port`, `b_port` (or `taillabel`, `headlabel`), `rate`, `gbps`,
`length` of edges are read. A label is no name. Edges of a `digraph` without ports that run both ways are one cable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from typing import TypeAlias

from attrs import define, field

from unifiedbus_dsl.importer.doubts import CUT_OFF, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.graphs import Graph
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Table

MOST_BYTES = 1 << 28
_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<comment>//[^\n]*|/\*.*?\*/|^\s*\#[^\n]*)|(?P<edge>--|->)|(?P<mark>[{}\[\];,:=])"""
    r"""|(?P<html><(?:[^<>]|<[^<>]*>)*>)|(?P<word>[^\s{}\[\];,:="<>]+?(?=--|->|[\s{}\[\];,:="<>]|\Z))|(?P<space>\n|[^\S\n]+)""",
    re.DOTALL | re.MULTILINE,
)
_IS_IT = re.compile(r"^[^\S\n]*(?:strict\s+)?(?:di)?graph\b[^{;<>=]*\{", re.MULTILINE | re.IGNORECASE)
_REMARK = re.compile(r"\s*(//|#|/\*|\*)")
"""What a line of a comment begins with."""


def is_it(head: str) -> bool:
    """Return whether a text begins as a graph of DOT."""
    return _IS_IT.search(head.lstrip("\ufeff")) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and edges of a graph.

    Raises:
        ImportFailed: it is none, or too large.
        OSError: the file can't be read.
    """
    text = source.text(MOST_BYTES)
    if text is None:
        raise ImportFailed(f"`{source.title}` has more than {MOST_BYTES:,} bytes: use GraphML or a cable list")
    table = Table(source.stem, doubts)
    text = text.lstrip("\ufeff")
    begins = _IS_IT.search(text)
    before = text[: begins.start()] if begins else ""
    for line, strange in enumerate(before.splitlines(), 1):
        if strange.strip() and not _REMARK.match(strange):
            doubts.add(STRANGE, line, shown(strange))
    parser = _Parser(Graph(table), list(_tokens(text[len(before) :], 1 + before.count("\n"))))
    parser.graph_()
    if not table.devices:
        raise ImportFailed(f"`{source.title}` has no node in it")
    return table


def _tokens(text: str, line: int) -> Iterator[tuple[str, str, int]]:
    """Sort, text and line of each token."""
    for match in _TOKEN.finditer(text):
        sort, tokens = str(match.lastgroup), match[0]
        if sort == "quoted":
            yield "word", re.sub(r"\\(.)", lambda m: m[1] if m[1] in '"\\' else m[0], tokens[1:-1]), line
        elif sort == "html":
            yield "word", tokens, line
        elif sort not in ("space", "comment"):
            yield sort, tokens, line
        line += tokens.count("\n")


@define
class _Scope:
    """What is between two brackets: the nodes told of in it, and what holds of nodes and edges from here on."""

    nodes: list[str] = field(factory=list)
    usual: dict[str, dict[str, str]] = field(factory=lambda: {"node": {}, "edge": {}, "graph": {}})

    def inner(self) -> _Scope:
        """Return a scope within this one."""
        return _Scope([], {word: dict(facts) for word, facts in self.usual.items()})


Ends: TypeAlias = list[tuple[str, str]]
"""Nodes on one side of an edge, with their ports."""


class _Parser:
    """Reads statements one after another; edges of subgraphs are edges like others."""

    def __init__(self, graph: Graph, tokens: list[tuple[str, str, int]]) -> None:
        self.graph, self.tokens, self.at = graph, tokens, 0
        self.scopes = [_Scope()]
        self.strict = False
        self.edges: set[tuple[str, ...]] = set()

    def _peek(self) -> tuple[str, str, int]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "", 0)

    def _next(self) -> tuple[str, str, int]:
        token = self._peek()
        self.at += 1
        return token

    def graph_(self) -> None:
        """Read the whole graph."""
        while self._peek()[1] != "{" and self._peek()[0] != "end":
            word = self._next()[1]
            self.graph.directed |= word.lower() == "digraph"
            self.strict |= word.lower() == "strict"
            if word.lower() not in ("strict", "graph", "digraph"):
                self.graph.table.name = word
        self._next()
        while self._peek()[0] != "end" and self.scopes:
            sort, text, line = self._peek()
            if sort == "word":
                self._statement()
                continue
            self._next()
            if (sort, text) == ("mark", "{"):
                self.scopes.append(self.scopes[-1].inner())
            elif (sort, text) == ("mark", "}"):
                nodes = self.scopes.pop().nodes
                if self.scopes:
                    self.scopes[-1].nodes += nodes
                    self._chain([(node, "") for node in dict.fromkeys(nodes)], line)
        if self.scopes:
            self.graph.table.doubts.add(CUT_OFF, self.tokens[-1][2] if self.tokens else 0, "a bracket is not closed")

    def _statement(self) -> None:
        """Read a node, an edge, or what is neither."""
        _, text, line = self._next()
        if text.lower() in ("node", "edge", "graph") and self._peek()[1] == "[":
            self.scopes[-1].usual[text.lower()].update(self._attributes())
        elif text.lower() == "subgraph":
            if self._peek()[0] == "word":
                self._next()
        elif self._peek()[1] == "=":
            self._next()
            self._next()
        else:
            self._chain([(text, self._port())], line)

    def _chain(self, first: Ends, line: int) -> None:
        """Read what follows the first nodes of a statement: edges to others, and attributes."""
        groups = [first]
        while self._peek()[0] == "edge":
            self._next()
            ends = self._ends()
            if not ends:
                self.graph.table.doubts.add(
                    CUT_OFF, line, f"`{shown(first[0][0] if first else '')}`: an edge to nothing"
                )
                break
            groups.append(ends)
        facts = self._attributes() if self._peek()[1] == "[" else {}
        for name, _ in (end for group in groups for end in group):
            self._node(name, facts if len(groups) == 1 else {})
        for one, two in pairwise(groups):
            for a, b in product(one, two):
                self._edge(a, b, {**self.scopes[-1].usual["edge"], **facts}, line)

    def _node(self, name: str, facts: Mapping[str, str]) -> None:
        self.scopes[-1].nodes.append(name)
        facts = {**self.scopes[-1].usual["node"], **facts} if name not in self.graph.numbers else facts
        facts = {key: value for key, value in facts.items() if key not in ("label", "name")}
        if name not in self.graph.numbers:
            self.graph.node(name, facts)
        elif facts:
            self.graph.table.device(name, facts.get("kind", ""), facts.get("type", ""))

    def _edge(self, a: tuple[str, str], b: tuple[str, str], facts: dict[str, str], line: int) -> None:
        if self.strict:
            ends = (a[0], b[0]) if self.graph.directed else tuple(sorted((a[0], b[0])))
            if ends in self.edges:
                return
            self.edges.add(ends)
        ports = {"a_port": a[1] or facts.get("taillabel", ""), "b_port": b[1] or facts.get("headlabel", "")}
        self.graph.edge((a[0], b[0]), {**facts, **{key: value for key, value in ports.items() if value}}, line)

    def _ends(self) -> Ends:
        """Return the nodes behind an edge: one, or those in brackets."""
        if self._peek()[0] == "word" and self._peek()[1].lower() == "subgraph":
            self._next()
            if self._peek()[0] == "word":
                self._next()
        if self._peek()[0] == "word":
            return [(self._next()[1], self._port())]
        ends: Ends = []
        if self._peek()[1] != "{":
            return ends
        depth = 0
        while self._peek()[0] != "end":
            sort, text, _ = self._next()
            depth += (text == "{") - (text == "}") if sort == "mark" else 0
            if not depth:
                break
            if sort == "word" and text.lower() != "subgraph":
                ends.append((text, self._port()))
        return ends

    def _port(self) -> str:
        if self._peek()[1] != ":" or self._peek()[0] != "mark":
            return ""
        self._next()
        port = self._next()[1]
        if self._peek()[1] == ":" and self._peek()[0] == "mark":  # the side of a port
            self._next()
            self._next()
        return "" if port in ("n", "ne", "e", "se", "s", "sw", "w", "nw", "c", "_") else port

    def _attributes(self) -> dict[str, str]:
        attributes: dict[str, str] = {}
        self._next()
        while self._peek()[0] != "end" and self._peek()[1] != "]":
            sort, key, _ = self._next()
            if sort == "word" and self._peek()[1] == "=":
                self._next()
                attributes[key] = self._next()[1]
        self._next()
        return attributes
