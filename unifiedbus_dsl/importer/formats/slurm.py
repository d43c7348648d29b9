"""Slurm's `topology.conf` and `topology.yaml`: switches over switches and nodes, or blocks of nodes.

The links have no ports and no rates there. A block is a switch over its nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from unifiedbus_dsl.export.common.hostlist import unfold
from unifiedbus_dsl.importer import yamls
from unifiedbus_dsl.importer.doubts import BAD_VALUE, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table

MOST_BYTES = 1 << 26
_LINE = re.compile(r"^\s*(SwitchName|BlockName)\s*=", re.IGNORECASE | re.MULTILINE)
_YAML = re.compile(r"^\s*-?\s*topology:\s*\S+", re.MULTILINE)
_PAIR = re.compile(r'(\w+)\s*=\s*("[^"]*"|\S+)')


def is_it(head: str) -> bool:
    """Return whether a text begins as a topology of Slurm."""
    return _LINE.search(head) is not None or (_YAML.search(head) is not None and _blocks_in(head))


def _blocks_in(head: str) -> bool:
    return re.search(r"\b(switch|block|ring)\s*:", head) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the switches and nodes of a topology.

    Raises:
        ImportFailed: there is no switch or block in it.
        OSError: the file can't be read.
    """
    table = Table(source.stem, doubts)
    rows = _yaml(source) if _YAML.search(source.head) and not _LINE.search(source.head) else _conf(source, doubts)
    for line, name, switches, nodes in rows:
        own = table.device(name, "switch")
        for words, kind in ((switches, "switch"), (nodes, "device")):
            try:
                below = unfold(words) if words else []
            except ValueError as error:
                doubts.add(BAD_VALUE, line, str(error))
                continue
            for each in below:
                table.cable(own, "", table.device(each, kind), "", table.kind_of(Kind()), line)
    if not table.devices:
        raise ImportFailed(f"`{source.title}` has no switch and no block in it")
    return table


def _conf(source: Source, doubts: Doubts) -> Iterator[tuple[int, str, str, str]]:
    """Line, switch or block, switches and nodes below it."""
    before = ""
    for number, line in source.lines(doubts):
        text = before + line.split("#", 1)[0].strip()
        if text.endswith("\\"):
            before = text[:-1].rstrip() + " "
            continue
        before = ""
        facts = {key.lower(): value.strip('"') for key, value in _PAIR.findall(text)}
        name = facts.get("switchname", facts.get("blockname"))
        if name is not None:
            yield number, name, facts.get("switches", ""), facts.get("nodes", "")
        elif text and not facts.keys() & {"blocksizes", "ringname", "topologyparam"}:
            doubts.add(STRANGE, number, shown(text))


def _yaml(source: Source) -> Iterator[tuple[int, str, str, str]]:
    """Yield the same of the first tree, or else the first blocks, of a `topology.yaml`."""
    text = source.text(MOST_BYTES)
    data = yamls.load(text) if text is not None else None
    every = [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []
    for word, list_, name in (("tree", "switches", "switch"), ("block", "blocks", "block"), ("ring", "rings", "ring")):
        for each in every:
            rows: Any = each[word].get(list_) if isinstance(each.get(word), dict) else None
            if isinstance(rows, list):
                for row in rows:
                    if isinstance(row, dict) and row.get(name) is not None:
                        yield 0, str(row[name]), str(row.get("children") or ""), str(row.get("nodes") or "")
                return
