"""Another tool's names for a machine, put in the words of its design, so that the two can be compared.

A device that the design doesn't know by its name is the one whose legal name (`unifiedbus_dsl.export.names`) is that of
the found one: `pod3-rack1-npu7`, also `Pod3 rack1 npu7`. Ports that are only numbered are those of the device's type in
order.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve

from unifiedbus_dsl.export.listing import Device, Listing
from unifiedbus_dsl.export.names import Slugs, plain
from unifiedbus_dsl.fabric.names import port_names
from unifiedbus_dsl.plan import Plan


def align(wanted: Listing, found: Listing) -> Listing:
    """`found` in the words of `wanted`; what has no counterpart keeps its name."""
    plan = wanted.types
    if plan is None or plan.device_count[plan.root] != len(wanted.devices):
        return found  # not a design: there are no types to go by
    known = {device.name: device for device in wanted.devices}
    names = _names(plan, wanted, found, known)
    if not names and not found.numbered:
        return found
    ports = {key: port_names(plan, key).tolist() for key in plan.devices} if found.numbered else {}

    def end(at: tuple[str, str]) -> tuple[str, str]:
        name = names.get(at[0], at[0])
        of = ports.get(known[name].type, []) if name in known else []
        number = int(at[1]) - 1 if of and at[1].isdigit() else len(of)
        return name, of[number] if number < len(of) else at[1]

    devices = tuple(evolve(device, name=names.get(device.name, device.name)) for device in found.devices)
    cables = tuple(evolve(cable, a=end(cable.a), b=end(cable.b)) for cable in found.cables)
    return evolve(found, devices=devices, cables=cables)


def _names(plan: Plan, wanted: Listing, found: Listing, known: dict[str, Device]) -> dict[str, str]:
    """The design's name for each found one that is not in the design, where there is exactly one."""
    strange = [device.name for device in found.devices if device.name not in known]
    if not strange:
        return {}
    legal = dict(zip(Slugs(plan).devices(np.arange(len(wanted.devices))).tolist(), known, strict=True))
    meant = {name: legal[slug] for name in strange if (slug := plain(name)) in legal}
    taken = {device.name for device in found.devices}
    uses: dict[str, int] = {}
    for name in meant.values():
        uses[name] = uses.get(name, 0) + 1
    return {name: ours for name, ours in meant.items() if uses[ours] == 1 and ours not in taken}
