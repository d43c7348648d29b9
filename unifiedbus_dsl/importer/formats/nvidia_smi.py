"""The matrix of `nvidia-smi topo -m`: how each GPU and NIC of a node reaches each other.

`NV#` is so many NVLinks: directly, or through NVSwitches where a GPU would need more than 18 of them. The rest says
what PCIe goes through: PIX one switch, PXB several, PHB the root of a CPU, NODE roots of one NUMA node, SYS CPUs. The
tree that says the same is made; its rates are not known."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import define, field

from unifiedbus_dsl.importer.doubts import CUT_OFF, Doubts, shown
from unifiedbus_dsl.importer.listing import Device, ImportFailed
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table

MOST_NVLINKS = 18
"""Of one GPU (H100, B200)."""
_ENTRY = re.compile(r"X|SYS|NODE|PHB|PXB|PIX|NV\d{1,3}|SOC")
_DEVICE = re.compile(
    r"GPU\d+|NIC\d+|mlx\d+_\d+\w*|bnxt\w+|\w*ib\d+\w*|hfi\d+_\d+|rocep\w+|ibp\w+|efa\w+|irdma\w+|cxi\d+"
)
_LEGEND = re.compile(r"(NIC\d+):\s+(\S+)\s*\Z")
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
_NEAR = {"PIX": 1, "PXB": 2, "PHB": 3, "NODE": 4, "SYS": 5, "SOC": 5}


def is_it(head: str) -> bool:
    """Return whether a text begins as a matrix of `nvidia-smi topo -m`."""
    lines = [_PAINT.sub("", line).split() for line in head.splitlines()]
    return any(len(cells) > 1 and re.fullmatch(r"GPU\d+", cells[0]) and "X" in cells for cells in lines)


@define(eq=False)
class _Matrix:
    names: list[str] = field(factory=list)
    rows: dict[str, list[str]] = field(factory=dict)
    legend: dict[str, str] = field(factory=dict)

    def pairs(self) -> Iterator[tuple[str, str, str]]:
        """Yield each two devices with what is between them."""
        place = {name: n for n, name in reversed(list(enumerate(self.names)))}
        for name, row in self.rows.items():
            for other, entry in zip(self.names, row, strict=False):
                if other in self.rows and place[name] < place[other]:
                    yield name, other, entry


def read(source: Source, doubts: Doubts) -> Table:
    """Return the node that a matrix is of.

    Raises:
        ImportFailed: there is no matrix in it.
        OSError: the file can't be read.
    """
    matrix = _matrix(source, doubts)
    if not matrix.rows:
        raise ImportFailed(f"`{source.title}` has no row of a matrix")
    table = Table(source.stem, doubts)
    for name in matrix.rows:
        called = matrix.legend.get(name, name)
        table.add(Device(called, "npu" if name.startswith("GPU") else "nic"))
    numbers = {name: place for place, name in enumerate(matrix.rows)}
    builder = _Builder(table, numbers)
    builder.nvlinks(matrix)
    builder.tree(matrix)
    return table


def _matrix(source: Source, doubts: Doubts) -> _Matrix:
    matrix = _Matrix()
    for number, line in source.lines(doubts):
        cells = _PAINT.sub("", line).split()
        legend = _LEGEND.match(line.strip())
        if legend:
            matrix.legend[legend[1]] = legend[2]
        elif (
            not matrix.names
            and len(cells) > 0
            and _DEVICE.fullmatch(cells[0])
            and not any(_ENTRY.fullmatch(cell) for cell in cells)
        ):
            matrix.names = [cell for cell in cells if _DEVICE.fullmatch(cell)]
        elif matrix.names and cells and cells[0] in matrix.names:
            row = cells[1 : 1 + len(matrix.names)]
            if len(row) < len(matrix.names) or not all(map(_ENTRY.fullmatch, row)):
                doubts.add(CUT_OFF, number, shown(line))
                row = [cell if _ENTRY.fullmatch(cell) else "SYS" for cell in row]
                row += ["SYS"] * (len(matrix.names) - len(row))
            matrix.rows[cells[0]] = row
    return matrix


@define(eq=False)
class _Builder:
    table: Table
    numbers: dict[str, int]
    ports: dict[int, int] = field(factory=dict)

    def join(self, a: int, b: int, link: str) -> None:
        """Lay a link of an unknown rate."""
        ends = []
        for device in (a, b):
            self.ports[device] = self.ports.get(device, -1) + 1
            ends.append(str(self.ports[device]))
        self.table.cable(a, ends[0], b, ends[1], self.table.kind_of(Kind(link)), 0)

    def nvlinks(self, matrix: _Matrix) -> None:
        """Lay the NVLinks."""
        links = [(a, b, int(e[2:])) for a, b, e in matrix.pairs() if e.startswith("NV")]
        total: dict[str, int] = {}
        for a, b, count in links:
            total[a], total[b] = total.get(a, 0) + count, total.get(b, 0) + count
        if max(total.values(), default=0) <= MOST_NVLINKS:
            for a, b, count in links:
                for _ in range(count):
                    self.join(self.numbers[a], self.numbers[b], "NVLink")
            return
        switch = self.table.device("NVSwitch", "switch")
        most: dict[str, int] = {}
        for a, b, count in links:
            most[a], most[b] = max(most.get(a, 0), count), max(most.get(b, 0), count)
        for gpu in total:
            for _ in range(most[gpu]):
                self.join(self.numbers[gpu], switch, "NVLink")
        self.table.doubts.remark(
            f"a GPU has {max(total.values()):,} NVLinks by the matrix, more than any: they go through one NVSwitch"
        )

    def tree(self, matrix: _Matrix) -> None:
        """Make the tree of PCIe and CPUs that the matrix says."""
        near = {(a, b): _NEAR[e] for a, b, e in matrix.pairs() if e in _NEAR}
        below = [(frozenset([name]), self.numbers[name]) for name in matrix.rows]
        for level, title in ((1, "PCIe switch"), (2, "PCIe switches"), (3, "PCIe root"), (4, "CPU"), (5, "")):
            below = self._over(below, level, title, near)

    def _over(
        self, below: list[tuple[frozenset[str], int]], level: int, title: str, near: dict[tuple[str, str], int]
    ) -> list[tuple[frozenset[str], int]]:
        """Return what is as near as a level, under one part."""
        groups: list[list[tuple[frozenset[str], int]]] = []
        for part in below:
            joined = [g for g in groups if any(_least(part[0], other[0], near) <= level for other in g)]
            groups = [g for g in groups if g not in joined] + [[part, *(o for g in joined for o in g)]]
        over = []
        for number, group in enumerate(groups):
            members = frozenset[str]().union(*(names for names, _ in group))
            if level == 5:
                for place, (_, one) in enumerate(group):
                    for _, two in group[:place]:
                        self.join(one, two, "Socket")
            top = group[0][1]
            if (len(group) > 1 and level < 5) or level == 4:
                kind, role = ("switch", "") if level < 3 else ("cpu", "forwards")
                top = self.table.add(Device(f"{title} {number}", kind, role=role))
                for _, one in group:
                    self.join(top, one, "PCIe")
            over.append((members, top))
        return over


def _least(one: frozenset[str], two: frozenset[str], near: dict[tuple[str, str], int]) -> int:
    """Return how near two sets of devices are."""
    return min((near.get((a, b), near.get((b, a), 9)) for a in one for b in two), default=9)
