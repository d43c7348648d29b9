"""The optical modules of a fabric: one in each cage, or in each port that has a cage of its own.

`optics` of a link says how many modules one cable has, both ends together, where each port has its own. Where ports
share a cage, the cables in it share its module. Of a link with one module (the other end is a plug, say) it is in the
cage that ports share.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import inside_spares
from unifiedbus_dsl.ir.fabric.physical import cages, has_cages
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.totals import count_cables

Sort: TypeAlias = tuple[str, int, int, int, int]
"""Link, ports of a module, lanes of a port, how many modules there are, how many of them in spares."""


def sort_modules(fabric: Fabric) -> Iterator[Sort]:
    """Yield the modules by link, ports and width, those of narrow ports first."""
    return _by_cages(fabric) if has_cages(fabric) else _by_rules(fabric)


def modules_of(fields_value: object) -> int:
    """Return how many modules a link states."""
    return int(fields_value.value) if isinstance(fields_value, Quantity) else 0


def _by_rules(fabric: Fabric) -> Iterator[Sort]:
    plan = fabric.plan
    counts: dict[tuple[str, int], list[int]] = {}
    for row in count_cables(plan):
        each = modules_of(plan.links[row.rule.link].fields.get("optics"))
        total = counts.setdefault((row.rule.link, row.rule.lanes), [0, 0])
        total[0] += each * (row.in_service + row.spares)
        total[1] += each * row.spares
    for (link, lanes), (count, spares) in sorted(counts.items()):
        if count:
            yield link, 1, lanes, count, spares


def _by_cages(fabric: Fabric) -> Iterator[Sort]:
    of_link, lanes = fabric.kinds.link[fabric.kind], fabric.kinds.lanes[fabric.kind]
    idle = inside_spares(fabric.plan)
    for number, (name, link) in enumerate(fabric.plan.links.items()):
        each = modules_of(link.fields.get("optics"))
        links = np.flatnonzero(of_link == number)
        for width in np.unique(lanes[links]).tolist() if each else ():
            some = links[lanes[links] == width]
            yield from ((name, *row) for row in _of_one(fabric, some, width, each, idle))


def _of_one(
    fabric: Fabric, links: IntArray, lanes: int, each: int, idle: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Iterator[tuple[int, int, int, int]]:
    """Yield the modules of the links of one sort: ports, lanes of a port, count, spares."""
    a, b = cages(fabric, links)
    cage, size = np.concatenate([a.anchor, b.anchor]), np.concatenate([a.size, b.size])
    link = np.tile(np.arange(len(links)), 2)
    if each == 1:
        shared = np.zeros(len(links), bool)
        shared[link[size > 1]] = True
        kept = np.where(shared[link], size > 1, np.arange(len(link)) < len(links))
        cage, size, link = cage[kept], size[kept], link[kept]
    names, first, back = np.unique(cage, return_index=True, return_inverse=True)
    used = np.zeros(len(names), bool)
    used[back[~idle[links[link]]]] = True
    for ports in np.unique(size).tolist():
        mine = size[first] == ports
        count, service = int(mine.sum()), int((mine & used).sum())
        times = max(each, 2)  # modules at two ends
        yield ports, lanes, -(-count * times // 2), -(-(count - service) * times // 2)
