"""From a settled table to a fabric.

Where the names are those of a regular machine, the hierarchy is theirs (`unifiedbus_dsl.importer.hierarchy`); else
devices are in arrays by type, adapters in their hosts, under the names of the site (`unifiedbus_dsl.importer.flat`).
"""

from __future__ import annotations

from collections import Counter

from unifiedbus_dsl.importer.flat import flat
from unifiedbus_dsl.importer.hierarchy import by_names
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.importer.types import types_in
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.ir.fabric.verify import BrokenFabricError, verify_fabric, verify_plan
from unifiedbus_dsl.ir.plan.physical import merge_cables


def reconstruct(table: Table) -> Fabric:
    """Return the fabric of a settled table.

    Raises:
        ImportFailed: two devices have one name, or there is none; or a type of the file doesn't fit.
    """
    _check(table)
    types = types_in(table)
    hosts = any(device.host for device in table.devices)
    plan = (None if hosts else by_names(table, types)) or flat(table, types)
    for key in plan.bottom_up:
        plan = merge_cables(plan, key)
    try:
        verify_plan(plan, len(table))
        fabric = expand(plan)
        verify_fabric(fabric)
    except BrokenFabricError as error:
        raise ImportFailed(f"the file makes no machine: {error}") from error
    return fabric


def _check(table: Table) -> None:
    if not table.devices:
        raise ImportFailed("there is no device in it")
    names = Counter(device.name for device in table.devices)
    if len(names) < len(table.devices):
        name, count = names.most_common(1)[0]
        raise ImportFailed(f"{count:,} devices are called `{name}`: each device has a name of its own")
    nameless = next((number for number, device in enumerate(table.devices, 1) if not device.name.strip()), None)
    if nameless is not None:
        raise ImportFailed(f"device {nameless:,} of the file has no name")
