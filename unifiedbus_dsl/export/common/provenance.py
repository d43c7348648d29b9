"""Cables by the connect that laid them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric import Fabric


def cable_provenance(fabric: Fabric) -> NDArray[np.int64]:
    """Return a number for each cable, the same for those of one connect of one assembly type, [C].

    Instances of the assembly share it: their cables join different devices.
    """
    tables: dict[str, NDArray[np.int64]] = dict.fromkeys(fabric.plan.devices, np.empty(0, dtype=np.int64))
    plan, total = fabric.plan, 0
    for key in plan.bottom_up:
        of = plan.assemblies[key]
        parts = [np.tile(tables[child.type], child.count) for child in of.children]
        for number, rule in enumerate(of.rules):
            parts.append(np.full(plan.numbering.rule_size(key, number), total + rule.origin, dtype=np.int64))
        total += max((rule.origin for rule in of.rules), default=-1) + 1
        tables[key] = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
    return tables[plan.root]
