"""What no cable joins: islands, and the hosts that are cut off from the largest of them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.importer.table import Table

SHOWN = 5


def tell_islands(table: Table) -> None:
    """Remark how many islands a settled table has, and which hosts, or else end points, are outside the largest."""
    if not len(table):
        return
    size = len(table.devices)
    a, b = (np.frombuffer(column, dtype=np.int64) for column in (table.a, table.b))
    count, island = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)
    if count < 2:
        return
    largest = int(np.bincount(island).argmax())
    inside = int((island == largest).sum())
    outside = _outside(table, island.tolist(), largest)
    names = ", ".join(f"`{name}`" for name in outside[:SHOWN])
    more = f" and {len(outside) - SHOWN:,} more" if len(outside) > SHOWN else ""
    cut = f"; cut off from it: {names}{more}" if outside else ""
    table.doubts.remark(f"{counted(count, 'island')}, the largest of {counted(inside, 'device')}{cut}")


def _outside(table: Table, island: list[int], largest: int) -> list[str]:
    """Hosts without an adapter in the largest island, and other end points outside of it."""
    hosts: dict[str, list[bool]] = defaultdict(list)
    for device, own in zip(table.devices, island, strict=True):
        if device.kind != "switch":
            hosts[device.host or device.name].append(own == largest)
    return [name for name, inside in hosts.items() if not any(inside)]
