"""From the `afr` fields: how often something fails, and how much of the time all is up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unifiedbus_dsl import units
from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.call import Call
from unifiedbus_dsl.units import NUMBER, TIME, format_share

HOURS_A_YEAR = 8760.0


def mtbf(call: Call) -> Answer:
    return call.exact(_mtbf_s(call), TIME, assumptions=("8,760 h over the sum of AFR",))


def availability(call: Call) -> Answer:
    between = _mtbf_s(call)
    repair = call.quantity("mttr", TIME)
    if repair is None:
        raise call.refuse(call.node, "`availability` needs the time to repair", "availability(mttr = 75 min)")
    value = between / (between + repair)
    return call.exact(value, NUMBER, assumptions=("MTBF / (MTBF + MTTR)",), text=format_share(value, places=4))


def _mtbf_s(call: Call) -> float:
    """Seconds from one failure to the next, of all that states an `afr` (failures a year)."""
    fabric = call.machine.fabric
    total = 0.0
    counts = np.bincount(fabric.device_type, minlength=len(fabric.plan.devices))
    for device, count in zip(fabric.plan.devices.values(), counts.tolist(), strict=True):
        total += count * _afr(device.fields)
    kinds = np.bincount(fabric.kind, minlength=len(fabric.kinds.link))
    links = list(fabric.plan.links.values())
    for row, count in enumerate(kinds.tolist()):
        total += count * _afr(links[int(fabric.kinds.link[row])].fields)
    for key, assembly in fabric.plan.assemblies.items():
        total += fabric.plan.instances[key] * _afr(assembly.fields)
    if total <= 0:
        raise call.refuse(call.node, "nothing in this system states an `afr`", "add `afr = 0.02` to parts and links")
    return HOURS_A_YEAR / total * 3600


def _afr(fields: Mapping[str, Any]) -> float:
    value = fields.get("afr")
    return float(value) if isinstance(value, units.Quantity) else 0.0
