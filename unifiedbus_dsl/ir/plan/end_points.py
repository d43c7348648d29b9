"""What the end points of a machine are: said here once, for every count, table and picture.

Whatever is no switch can send and receive. The end points of a machine are those it is built for: its accelerators, or
where it has none its CPUs, then other devices, then NICs. The rest, the NICs, CPUs and controllers of a machine of
NPUs, are called by their kinds.
"""

from __future__ import annotations

from collections.abc import Collection

from unifiedbus_dsl.ir.plan import Plan

PREFERENCE = ("npu", "cpu", "device", "nic")
"""Kinds of device, from what computes to what carries for others."""


def end_kind(plan: Plan) -> str:
    """Return the kind of device that the end points of a system are; `npu` where it has nothing but switches."""
    return chief_kind({device.kind for key, device in plan.devices.items() if plan.instances[key]})


def chief_kind(present: Collection[str]) -> str:
    """Return which of the kinds of device that there are is that of the end points."""
    return next((kind for kind in PREFERENCE if kind in present), "npu")


def end_types(plan: Plan) -> frozenset[str]:
    """Return the types of device that are end points of a system."""
    kind = end_kind(plan)
    return frozenset(key for key, device in plan.devices.items() if device.kind == kind)
