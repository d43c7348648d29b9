"""The part that a workload runs on, as its type states it: peaks, memory, and the constants of estimates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.plan import DeviceType, Value
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.chip import PRECISIONS, WIDE, Chip, Constants

NEEDED = ("memory", "hbm")
EFFICIENCIES = ("gemm_efficiency", "hbm_efficiency", "fabric_efficiency")
IDEAL = Constants(1.0, 1.0, 0.0, 1.0)
"""Stands for the constants where only bounds are asked, which have none."""


def chip_of(machine: NetworkContext, ends: Ints, precision: str, *, constants: bool = True) -> Chip:
    """Return the part that all of some end points are. Without `constants` it need not state those of estimates.

    Raises:
        NotAdmittedError: they are of several types, or the type lacks a field that a workload needs.
    """
    fabric = machine.fabric
    numbers = np.unique(fabric.device_type[machine.network.end_device[ends]])
    kinds = [fabric.plan.devices[key] for key in sorted(fabric.plan.devices)]
    if len(numbers) != 1:
        names = ", ".join(f"`{kinds[k].key}`" for k in numbers.tolist())
        raise NotAdmittedError(f"a workload runs on end points of one type, and these are {names}")
    kind = kinds[int(numbers[0])]
    peaks = {name: value for name in PRECISIONS if (value := _number(kind.fields, name)) is not None}
    if precision not in peaks and not (precision in WIDE and peaks.keys() & set(WIDE)):
        there = ", ".join(f"`{name}`" for name in peaks) or "no compute rate"
        raise NotAdmittedError(f"`{kind.key}` states no `{precision}`; it states {there}")
    memory, rate = (_needed(kind, name) for name in NEEDED)
    return Chip(peaks, memory, rate, _constants(kind) if constants else IDEAL, kind.key)


def _constants(kind: DeviceType) -> Constants:
    """Return what estimates assume of a type."""
    gemm, hbm, fabric = (_needed(kind, name) for name in EFFICIENCIES)
    return Constants(gemm, hbm, _needed(kind, "launch", least=0.0), fabric)


def _needed(kind: DeviceType, name: str, least: float | None = None) -> float:
    """Return a field that a type must state, more than nothing or no less than `least`; an efficiency is at most 1."""
    value = _number(kind.fields, name)
    if value is None:
        raise NotAdmittedError(f"`{kind.key}` states no `{name}`, which the time of a workload needs")
    if (value <= 0 if least is None else value < least) or (name in EFFICIENCIES and value > 1):
        raise NotAdmittedError(f"`{name}` of `{kind.key}` is out of range: {value:g}")
    return value


def _number(fields: Mapping[str, Value], name: str) -> float | None:
    value = fields.get(name)
    return float(value.value) if isinstance(value, Quantity) else None
