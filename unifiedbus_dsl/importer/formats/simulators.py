"""Topologies of simulators in plain text: SimAI's and HPCC's (ns-3), and BookSim's anynet.

SimAI: a line of six (nodes, GPUs a server, NVSwitches, other switches, links, type of GPU), the switches, then a line a
link: both ends, rate, latency, error rate. HPCC: the same with a first line of three (nodes, switches, links). anynet:
a line a router with its nodes and routers, or a node with its router."""

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
_ROUTER = re.compile(r"\s*(router|node)\s+\d+(\s+(node|router)\s+\d+(\s+\d+)?)*\s*\Z", re.IGNORECASE)
_PART = re.compile(r"\s*(router|node)\s+\d+(\s+(node|router)\s+\d+(\s+\d+)?)*(?=\s|\Z)", re.IGNORECASE)
_WHOLE = re.compile(r"\s*router\s+\d+(\s+(node|router)\s+\d+(\s+\d+)?)+\s*\Z", re.IGNORECASE)
_POWER = {"K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def is_it(head: str) -> bool:
    """Return whether a text begins as a topology of one of these."""
    lines = [line for line in head.lstrip("\ufeff").splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if sum(1 for line in lines if _ROUTER.match(line)) > 1 or (lines and _WHOLE.match(lines[0])):
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
        elif text.lstrip().startswith("#"):
            continue
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
    """BookSim's routers and nodes; a cable that is told of at both ends is one."""
    laid: dict[tuple[str, str], int] = {}
    for line, text in (first, *lines):
        if text.lstrip().startswith(("#", "//")):
            continue
        whole = _ROUTER.match(text) or _PART.match(text)
        if whole is None or whole[0].strip() != text.strip():
            table.doubts.add(STRANGE if whole is None else CUT_OFF, line, shown(text))
        if whole is None:
            continue
        own, *others = (f"{kind.lower()} {name}" for kind, name in re.findall(r"(?i)(router|node)\s+(\d+)", whole[0]))
        here = _anynet_device(table, own)
        for name in others:
            if laid.get((name, own)):
                laid[name, own] -= 1
                continue
            laid[own, name] = laid.get((own, name), 0) + 1
            table.cable(here, "", _anynet_device(table, name), "", table.kind_of(Kind()), line)


def _anynet_device(table: Table, name: str) -> int:
    return table.device(name, "switch" if name.startswith("router") else "npu")
