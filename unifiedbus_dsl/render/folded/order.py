"""Which arrays of an assembly stand above which, so that few cables pass others on their way out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import permutations

from unifiedbus_dsl.ir.plan import AssemblyType, Child
from unifiedbus_dsl.render.folded.block import Way, Ways
from unifiedbus_dsl.render.plan_summary import Bundle, Outlet

_MOST_ROWS = 5
"""Rows of which every order is tried."""


def leaving_of(exits: Iterable[Outlet], lowest: Collection[str]) -> Ways:
    """Where the ports that leave a whole picture are drawn: below what stands lowest, else above."""
    return {outlet.name: frozenset(("down",) if outlet.child in lowest else ("up",)) for outlet in exits}


def ordered(
    assembly: AssemblyType, rows: Sequence[Sequence[Child]], bundles: Sequence[Bundle], leaving: Ways
) -> Sequence[Sequence[Child]]:
    """Return the rows, the uppermost first, in the order in which cables pass the fewest of them; of equal ones the
    given, or its reverse."""
    if not 1 < len(rows) <= _MOST_ROWS:
        return rows
    usual = tuple(range(len(rows)))
    orders = sorted(permutations(usual), key=lambda order: (order != usual, order != usual[::-1], order))
    best = min(orders, key=lambda order: _passed(assembly, [rows[i] for i in order], bundles, leaving))
    return [rows[i] for i in best]


def _passed(assembly: AssemblyType, rows: Sequence[Sequence[Child]], bundles: Sequence[Bundle], leaving: Ways) -> int:
    """Return how many rows the bundles of cables pass."""
    row_of = _row_of(rows)
    inside = sum(max(0, abs(row_of[b.left] - row_of[b.right]) - 1) for b in bundles)
    last = len(rows) - 1
    return inside + sum(
        row_of[e.ref.child] if way == "up" else last - row_of[e.ref.child]
        for e in assembly.exports
        for way in leaving.get(e.name, frozenset())
    )


def _row_of(rows: Sequence[Sequence[Child]]) -> Mapping[str, int]:
    return {child.name: number for number, row in enumerate(rows) for child in row}


def ways_of(
    assembly: AssemblyType, rows: Sequence[Sequence[Child]], bundles: Sequence[Bundle], leaving: Ways
) -> Mapping[str, Ways]:
    """Return where the cables at the ports of each array go: up or down, or both."""
    row_of = _row_of(rows)
    ways_at: dict[str, dict[str, set[Way]]] = {name: defaultdict(set) for name in row_of}
    for bundle in bundles:
        for rule in bundle.rules:
            for here, there in ((rule.left, rule.right), (rule.right, rule.left)):
                up = row_of[there.child] < row_of[here.child]
                ways_at[here.child][here.port].add("up" if up else "down")
    for export in assembly.exports:
        ways_at[export.ref.child][export.ref.port] |= leaving.get(export.name, frozenset())
    return {name: {port: frozenset(ways) for port, ways in ports.items()} for name, ports in ways_at.items()}
