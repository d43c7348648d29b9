"""From claims to a machine: what lines say of the same cable is put together, and what contradicts itself is told.

- A cable that several lines tell of is one; of two rates the slower is taken, of one known and one unknown rate the
  known.
- Ports without a name get the next free number.
- Where a format tells of each cable at both ends, a cable that one end tells of alone is taken, and is a doubt; one
  whose ends are joined to other ports by other lines is not taken.
- In a plain list, a port with cables to several others is broken out: each cable has a sub-port of its own.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.importer.doubts import CONTRADICTION, ONE_END, ONE_RATE, SELF, TWO_RATES
from unifiedbus_dsl.importer.table import Kind, Table

Ints = NDArray[np.int64]
RATE_TOLERANCE = 1e-6
"""Relative."""


def settle(table: Table) -> Table:
    """Return the table with each cable once and each port with one cable at most."""
    _number_ports(table)
    low, high = _ends(table)
    claims = _without_loops(table, low, high)
    low, high = low[claims], high[claims]
    order = np.lexsort((claims, high, low))
    claims, low, high = claims[order], low[order], high[order]
    first = np.ones(len(claims), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, len(claims)))
    kept = claims[starts]
    kinds = _merged(table, claims, starts, counts)
    low, high = low[starts], high[starts]
    if table.both_ends:
        right = _told_alike(table, low, high, kept, counts)
        kept, low, high, kinds, counts = kept[right], low[right], high[right], kinds[right], counts[right]
        _told_once(table, kept, counts)
    order = np.argsort(kept, kind="stable")
    kept, kinds = kept[order], kinds[order]
    done = table.over(table.devices)
    for column in ("a", "a_port", "b", "b_port", "line"):
        setattr(done, column, _array(np.frombuffer(getattr(table, column), dtype=np.int64)[kept]))
    done.kind = _array(kinds)
    if not table.both_ends:
        _break_out(done)
    return done


def _array(values: Ints) -> array[int]:
    return array("q", np.ascontiguousarray(values, dtype=np.int64).tobytes())


def _ends(table: Table) -> tuple[Ints, Ints]:
    """Return each claim's two ends as numbers, the lower first."""
    columns = [np.frombuffer(c, dtype=np.int64) for c in (table.a, table.a_port, table.b, table.b_port)]
    size = len(table.ports) + 1
    one, two = columns[0] * size + columns[1], columns[2] * size + columns[3]
    return np.minimum(one, two), np.maximum(one, two)


def _without_loops(table: Table, low: Ints, high: Ints) -> Ints:
    """Return the claims that are no plug from a port to itself."""
    for claim in np.flatnonzero(low == high).tolist():
        table.doubts.add(SELF, table.line[claim], f"`{table.devices[table.a[claim]].name}`")
    return np.flatnonzero(low != high)


def _number_ports(table: Table) -> None:
    """Give ports without a name the next free number of their device, counted from 1 in order of the file."""
    nameless = table.port("") if "" in table.ports else None
    if nameless is None:
        return
    taken: dict[int, set[str]] = defaultdict(set)
    for devices, ports in ((table.a, table.a_port), (table.b, table.b_port)):
        for device, port in zip(devices, ports, strict=True):
            taken[device].add(table.ports[port])
    following: Counter[int] = Counter()
    count = 0
    for claim in range(len(table)):
        for devices, ports in ((table.a, table.a_port), (table.b, table.b_port)):
            if ports[claim] != nameless:
                continue
            device = devices[claim]
            following[device] += 1
            while str(following[device]) in taken[device]:
                following[device] += 1
            ports[claim] = table.port(str(following[device]))
            count += 1
    ends = "end of a cable names" if count == 1 else "ends of cables name"
    table.doubts.remark(f"{count:,} {ends} no port: ports are numbered in order")


def _merged(table: Table, claims: Ints, starts: Ints, counts: Ints) -> Ints:
    """Return the kind of each cable, of all claims of it."""
    kind = np.frombuffer(table.kind, dtype=np.int64)[claims]
    settled = kind[starts].copy()
    if not len(starts):
        return settled
    unlike = np.flatnonzero(np.maximum.reduceat(kind, starts) != np.minimum.reduceat(kind, starts))
    for cable in unlike.tolist():
        some = slice(int(starts[cable]), int(starts[cable] + counts[cable]))
        line = table.line[int(claims[some][-1])]
        settled[cable] = table.kind_of(_together(table, [table.kinds[k] for k in kind[some].tolist()], line))
    return settled


def _together(table: Table, kinds: list[Kind], line: int) -> Kind:
    """Return what two or more lines say of one cable."""
    known = [kind for kind in kinds if kind.rate is not None]
    slow = min(known, key=lambda kind: kind.rate or 0.0) if known else kinds[0]
    if known and slow.rate is not None:
        fast = max(kind.rate or 0.0 for kind in known)
        if fast - slow.rate > RATE_TOLERANCE * fast:
            table.doubts.add(TWO_RATES, line, f"{slow.rate * 8e-9:g} and {fast * 8e-9:g} Gbps")
        elif len(known) < len(kinds):
            table.doubts.add(ONE_RATE, line, f"{slow.rate * 8e-9:g} Gbps")
    length = next((kind.length for kind in kinds if kind.length is not None), None)
    medium = next((kind.medium for kind in kinds if kind.medium), "")
    link = slow.link or next((kind.link for kind in kinds if kind.link), "")
    return evolve(slow, length=length, medium=medium, link=link)


def _told_alike(table: Table, low: Ints, high: Ints, claims: Ints, counts: Ints) -> Ints:
    """Return the cables that no other line contradicts; what both ends say stands against what one end says."""
    sure = counts > 1
    known = np.concatenate([low[sure], high[sure]])
    right = sure | ~(np.isin(low, known) | np.isin(high, known))
    ends, uses = np.unique(np.concatenate([low[right], high[right]]), return_counts=True)
    twice = ends[uses > 1]
    right &= ~(np.isin(low, twice) | np.isin(high, twice))
    for cable in np.flatnonzero(~right).tolist():
        claim = int(claims[cable])
        table.doubts.add(CONTRADICTION, table.line[claim], _cable_text(table, claim))
    return np.flatnonzero(right)


def _cable_text(table: Table, claim: int) -> str:
    a, b = table.devices[table.a[claim]].name, table.devices[table.b[claim]].name
    return f"`{a}` port {table.ports[table.a_port[claim]]} -- `{b}` port {table.ports[table.b_port[claim]]}"


def _told_once(table: Table, claims: Ints, counts: Ints) -> None:
    """Tell of cables that only one end knows."""
    for claim in claims[counts < 2].tolist():
        table.doubts.add(ONE_END, table.line[claim], _cable_text(table, claim))


def _break_out(table: Table) -> None:
    """Give each cable of a port with several a sub-port: `Ethernet1/1:1`, `Ethernet1/1:2`."""
    uses: Counter[tuple[int, int]] = Counter(zip(table.a, table.a_port, strict=True))
    uses.update(zip(table.b, table.b_port, strict=True))
    if len(uses) == 2 * len(table):
        return
    taken, following = set(uses), Counter[tuple[int, int]]()
    subs: dict[tuple[int, int], list[str]] = {}
    for claim in range(len(table)):
        for devices, ports in ((table.a, table.a_port), (table.b, table.b_port)):
            end = devices[claim], ports[claim]
            if uses[end] < 2:
                continue
            while True:
                following[end] += 1
                new = end[0], table.port(f"{table.ports[end[1]]}:{following[end]}")
                if new not in taken:
                    break
            taken.add(new)
            subs.setdefault(end, []).append(table.ports[new[1]])
            ports[claim] = new[1]
    broken = [end for end, count in uses.items() if count > 1]
    for (device, _), names in subs.items():
        table.cages.setdefault(table.devices[device].name, set()).add(frozenset(names))
    device, port = broken[0]
    table.doubts.remark(
        f"{len(broken):,} port{'s have' if len(broken) > 1 else ' has'} several cables, as of a breakout: each end is "
        f"a sub-port (`{table.devices[device].name}` `{table.ports[port]}:1` and on)"
    )


def without_aggregation(table: Table) -> Table:
    """Return the table without aggregation nodes and their cables: they reduce in the network and are no end points."""
    gone = [device.role == "aggregation" for device in table.devices]
    if not any(gone):
        return table
    places = np.cumsum([not each for each in gone]) - 1
    a, b = (np.frombuffer(column, dtype=np.int64) for column in (table.a, table.b))
    away = np.asarray(gone)
    kept = np.flatnonzero(~(away[a] | away[b]))
    table.doubts.remark(
        f"{counted(sum(gone), 'aggregation node')} (SHARP) left out, with {counted(len(a) - len(kept), 'cable')}: "
        "these are no end points"
    )
    devices = [device for device, out in zip(table.devices, gone, strict=True) if not out]
    done = table.over(devices)
    done.a, done.b = _array(places[a[kept]]), _array(places[b[kept]])
    for column in ("a_port", "b_port", "kind", "line"):
        setattr(done, column, _array(np.frombuffer(getattr(table, column), dtype=np.int64)[kept]))
    return done
