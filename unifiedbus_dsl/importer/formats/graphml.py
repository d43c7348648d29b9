"""GraphML: nodes and edges with data `name`, `kind`, `a_port`, `b_port` and the like; read element by element.

Of graphs without ports, as those of the Topology Zoo and of NetworkX by default, ports are numbered in order. The types
of devices and links come along in what `ubusc export` wrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias
from xml.etree import ElementTree

from attrs import define, evolve, field

from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.escape.xml import restored
from unifiedbus_dsl.importer.doubts import CUT_OFF, NO_END, Doubts, shown
from unifiedbus_dsl.importer.graphs import Graph
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.importer.types import types_of

_SPACES = ("{http://graphml.graphdrawing.org/xmlns}", "{http://graphml.graphdrawing.org/xmlns/graphml}")
_KEPT = 4096
"""Elements that were read and are still held."""
_Edge: TypeAlias = tuple[tuple[str, str], Mapping[str, str], str]
"""Ids of both ends, data, what the edge is called."""


def is_it(head: str) -> bool:
    """Return whether a text begins as GraphML."""
    return "<graphml" in head.lower()


@define(eq=False)
class _Reader:
    graph: Graph
    names: dict[str, str] = field(factory=dict)
    """What data are called, by their keys."""
    head: dict[str, str] = field(factory=dict)
    early: list[_Edge] = field(factory=list)
    """Edges that came before their nodes."""
    outer: ElementTree.Element | None = None
    """The graph."""

    def start(self, tag: str, element: ElementTree.Element) -> None:
        """Take the beginning of an element."""
        if tag == "graph" and self.outer is None:
            self.outer = element
            self.graph.directed = element.get("edgedefault") == "directed"

    def end(self, tag: str, element: ElementTree.Element) -> None:
        """Take a whole element, and let go of it."""
        if tag == "key":
            self.names[element.get("id", "")] = element.get("attr.name", "")
        elif tag == "node" and self.outer is not None:
            self.graph.node(element.get("id", ""), self._data(element))
            element.clear()
        elif tag == "edge" and self.outer is not None:
            self._edge(element)
            element.clear()
        elif tag == "graph":
            self.head |= self._data(element)
        if self.outer is not None and len(self.outer) > _KEPT:
            self.head |= self._data(self.outer)
            self.outer.clear()

    def _data(self, element: ElementTree.Element) -> dict[str, str]:
        return {
            self.names.get(key := data.get("key", ""), key): data.text or "" for data in element if _tag(data) == "data"
        }

    def _edge(self, element: ElementTree.Element) -> None:
        facts = self._data(element)
        sides = (("a", "source"), ("b", "target"))
        ids = [f"n{facts[s]}" if f"n{facts.get(s)}" in self.graph.numbers else element.get(end, "") for s, end in sides]
        edge = (ids[0], ids[1]), facts, element.get("id") or f"from `{ids[0]}` to `{ids[1]}`"
        if all(id_ in self.graph.numbers for id_ in ids):
            self.graph.edge(edge[0], facts, 0)
        else:
            self.early.append(edge)

    def finish(self) -> None:
        """Take the edges that came before their nodes."""
        for ids, facts, name in self.early:
            missing = [id_ for id_ in ids if id_ not in self.graph.numbers]
            if missing:
                self.graph.table.doubts.add(NO_END, 0, f"edge {name}: there is no node {shown(missing[0])}")
            else:
                self.graph.edge(ids, facts, 0)


def _tag(element: ElementTree.Element) -> str:
    tag = element.tag
    return next((tag.removeprefix(space) for space in _SPACES if tag.startswith(space)), tag)


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and edges of a file.

    Raises:
        ImportFailed: there is no graph in it, or it is no XML from the beginning.
        OSError: the file can't be read.
    """
    table = Table(source.stem, doubts)
    reader = _Reader(Graph(table))
    with source.xml() as stream, task("read cables") as step:
        try:
            for event, element in ElementTree.iterparse(stream, ("start", "end")):
                tag = _tag(element)
                if event == "start":
                    reader.start(tag, element)
                    continue
                reader.end(tag, element)
                if tag in ("node", "edge"):
                    step()
        except ElementTree.ParseError as error:
            if not table.devices:
                raise ImportFailed(f"`{source.title}` is no GRAPHML: {error}") from error
            doubts.add(CUT_OFF, error.position[0], f"the file is no XML from here: {error}")
    if reader.outer is None:
        raise ImportFailed(f"`{source.title}`: there is no graph in it")
    reader.finish()
    reader.graph.done()
    if not reader.head.get("machine"):
        table.name = reader.head.get("system", source.stem)
        return table
    return _ours(table, reader.head, source)


def _ours(table: Table, head: Mapping[str, str], source: Source) -> Table:
    """Return what we wrote, with control characters as XML can write them."""
    table.name = restored(head.get("system", source.stem))
    table.types = types_of(restored(head["machine"]), source.title)
    table.devices = [
        evolve(d, name=restored(d.name), kind=restored(d.kind), type=restored(d.type)) for d in table.devices
    ]
    table.ports = [restored(port) for port in table.ports]
    table.kinds = [evolve(kind, link=restored(kind.link), medium=restored(kind.medium)) for kind in table.kinds]
    return table
