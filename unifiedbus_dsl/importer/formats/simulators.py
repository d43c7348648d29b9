"""Topologies of simulators in plain text: SimAI's and HPCC's (ns-3), and BookSim's anynet.

SimAI: a line of six (nodes, GPUs a server, NVSwitches, other switches, links, type of GPU), the switches, then a line a
link: both ends, rate, latency, error rate. HPCC: the same with a first line of three (nodes, switches, links). anynet:
a line a router with its nodes and routers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unifiedbus_dsl.importer.doubts import CUT_OFF, NO_END, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table, number

_NUMBERS = re.compile(r"\s*\d+(\s+\d+){2}\s*\Z")
_SIX = re.compile(r"\s*\d+(\s+\d+){4}\s+[A-Za-z]\w*\s*\Z")
_LINK = re.compile(r"\s*(\d+)\s+(\d+)\s+([\d.]+)\s*([KMGT])(?:bps|b/s)\s+[\d.]+\s*\w*s(\s+[\d.eE+-]+)?\s*\Z")
_ROUTER = re.compile(r"\s*router\s+\d+(\s+(node|router)\s+\d+(\s+\d+)?)*\s*\Z")
_POWER = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def is_it(head: str) -> bool:
    """Return whether a text begins as a topology of one of these."""
    lines = [line for line in head.splitlines() if line.strip()]
    if sum(1 for line in lines if _ROUTER.match(line)) > 1:
        return True
    first = next((n for n, line in enumerate(lines) if _SIX.match(line) or _NUMBERS.match(line)), None)
    return first is not None and any(map(_LINK.match, lines[first + 1 :]))


def read(source: Source, doubts: Doubts) -> Table:
    """Return the nodes and links of a topology.

    Raises:
        ImportFailed: it is none.
        OSError: the file can't be read.
    """
    lines = ((number_, line) for number_, line in source.lines(doubts) if line.strip())
    table = Table(source.stem, doubts)
    for line, text in lines:
        if _ROUTER.match(text):
            _anynet((line, text), lines, table)
        elif _SIX.match(text) or _NUMBERS.match(text):
            _links(text.split(), lines, table)
        else:
            doubts.add(STRANGE, line, shown(text))
    if not table.devices:
        raise ImportFailed(f"`{source.title}` has no node in it")
    return table


def _links(head: list[str], lines: Iterator[tuple[int, str]], table: Table) -> None:
    """SimAI's and HPCC's links; nodes that are no switch are NPUs."""
    switches = next(lines, (0, ""))[1].split()
    total = int(head[0]) if head and head[0].isdigit() else 0
    wanted = int(head[4 if len(head) == 6 else -1])
    gpus = len(head) == 6
    names = set(switches)
    count = 0
    for line, text in lines:
        match = _LINK.match(text)
        if match is None:
            table.doubts.add(STRANGE, line, shown(text))
            continue
        a, b = match[1], match[2]
        if total and max(int(a), int(b)) >= total:
            table.doubts.add(NO_END, line, f"{shown(text)}: nodes run from 0 to {total - 1}")
            continue
        rate = number(match[3], "rate", table.doubts, line, _POWER[match[4]] / 8)
        numbers = [table.device(each, "switch" if each in names else "npu" if gpus else "device") for each in (a, b)]
        table.cable(numbers[0], "", numbers[1], "", table.kind_of(Kind("", "", None, rate)), line)
        count += 1
    if count < wanted:
        table.doubts.add(CUT_OFF, 0, f"{wanted:,} links are announced, and {count:,} are there")


def _anynet(first: tuple[int, str], lines: Iterator[tuple[int, str]], table: Table) -> None:
    """BookSim's routers; a cable between routers is told of at both, and is one."""
    laid: dict[tuple[str, str], int] = {}
    for line, text in (first, *lines):
        if not _ROUTER.match(text):
            table.doubts.add(STRANGE, line, shown(text))
            continue
        words = re.findall(r"(router|node)\s+(\d+)", text)
        own = f"router {words[0][1]}"
        here = table.device(own, "switch")
        for kind, far in words[1:]:
            name = f"{kind} {far}"
            if laid.get((name, own)):
                laid[name, own] -= 1
                continue
            laid[own, name] = laid.get((own, name), 0) + 1
            there = table.device(name, "switch" if kind == "router" else "npu")
            table.cable(here, "", there, "", table.kind_of(Kind()), line)
