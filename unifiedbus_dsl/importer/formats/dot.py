"""DOT, Graphviz's language of graphs: edges between nodes, with the ports behind a colon (`"leaf1":"swp1" --
"host":"eth0"`), as NVIDIA's topology files have them.

The attributes `kind`, `type`, `label` of nodes and `a_port`, `b_port` (or `taillabel`, `headlabel`), `rate`, `gbps`,
`length` of edges are read. A label is no name. Edges of a `digraph` without ports that run both ways are one cable."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from unifiedbus_dsl.importer.doubts import CUT_OFF, Doubts
from unifiedbus_dsl.importer.graphs import Graph
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Table

MOST_BYTES = 1 << 28
_TOKEN = re.compile(
    r"""(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<comment>//[^\n]*|/\*.*?\*/|^\s*\#[^\n]*)|(?P<edge>--|->)|(?P<mark>[{}\[\];,:=])"""
    r"""|(?P<html><(?:[^<>]|<[^<>]*>)*>)|(?P<word>[^\s{}\[\];,:="<>]+?(?=--|->|[\s{}\[\];,:="<>]|\Z))|(?P<space>\s+)""",
    re.DOTALL | re.MULTILINE,
)
_IS_IT = re.compile(
    r"\s*(?://[^\n]*\n|/\*.*?\*/|#[^\n]*\n|\s)*(?:strict\s+)?(?:di)?graph\b[^{;]*\{", re.DOTALL | re.IGNORECASE
)


def is_it(head: str) -> bool:
    """Return whether a text begins as a graph of DOT."""
    return _IS_IT.match(head.lstrip("\ufeff")) is not None


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
    parser = _Parser(Graph(table), list(_tokens(text.lstrip("\ufeff"))))
    parser.graph_()
    if not table.devices:
        raise ImportFailed(f"`{source.title}` has no node in it")
    return table


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Sort, text and line of each token."""
    line = 1
    for match in _TOKEN.finditer(text):
        sort, tokens = str(match.lastgroup), match[0]
        if sort == "quoted":
            yield "word", re.sub(r"\\(.)", lambda m: m[1] if m[1] in '"\\' else m[0], tokens[1:-1]), line
        elif sort == "html":
            yield "word", tokens, line
        elif sort not in ("space", "comment"):
            yield sort, tokens, line
        line += tokens.count("\n")


class _Parser:
    """Reads statements one after another; edges of subgraphs are edges like others."""

    def __init__(self, graph: Graph, tokens: list[tuple[str, str, int]]) -> None:
        self.graph, self.tokens, self.at = graph, tokens, 0

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
            if word.lower() not in ("strict", "graph", "digraph"):
                self.graph.table.name = word
        self._next()
        depth = 1
        while self._peek()[0] != "end" and depth:
            sort, text, _ = self._peek()
            if text == "}" and sort == "mark":
                depth -= 1
                self._next()
            elif text == "{" and sort == "mark":
                depth += 1
                self._next()
            elif sort == "word":
                self._statement()
            else:
                self._next()
        if depth:
            self.graph.table.doubts.add(CUT_OFF, self.tokens[-1][2] if self.tokens else 0, "a bracket is not closed")

    def _statement(self) -> None:
        """Read a node, an edge, or what is neither."""
        sort, text, line = self._next()
        if text.lower() in ("node", "edge", "graph") and self._peek()[1] == "[":
            self._attributes()
            return
        if text.lower() == "subgraph":
            if self._peek()[0] == "word":
                self._next()
            return
        if self._peek()[1] == "=" and sort == "word":
            self._next()
            self._next()
            return
        chain = [(text, self._port())]
        while self._peek()[0] == "edge":
            self._next()
            group = [self._next()[1]] if self._peek()[0] == "word" else self._set()
            chain += [(name, self._port() if len(group) == 1 else "") for name in group[:1]]
        facts = self._attributes() if self._peek()[1] == "[" else {}
        for name, _ in chain:
            if name not in self.graph.numbers:
                self.graph.node(
                    name, {k: v for k, v in facts.items() if k not in ("label", "name")} if len(chain) == 1 else {}
                )
            elif len(chain) == 1 and facts:
                self.graph.table.device(name, facts.get("kind", ""), facts.get("type", ""))
        for (a, ap), (b, bp) in pairwise(chain):
            ports = {"a_port": ap or facts.get("taillabel", ""), "b_port": bp or facts.get("headlabel", "")}
            own = {key: value for key, value in ports.items() if value}
            self.graph.edge((a, b), {**facts, **own}, line)

    def _set(self) -> list[str]:
        """Return the nodes in brackets on one side of an edge."""
        nodes = []
        self._next()
        while self._peek()[0] != "end" and self._peek()[1] != "}":
            sort, text, _ = self._next()
            if sort == "word":
                nodes.append(text)
        self._next()
        return nodes or [""]

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
