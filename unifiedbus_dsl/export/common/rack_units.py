"""Where in its rack each device is mounted, in rack units, and how high the rack is."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import AssemblyType, Plan
from unifiedbus_dsl.ir.plan.elevation import SIDES, UNIT, alone, height_of, mounted, sides_of

_Columns: TypeAlias = NDArray[np.float32]
"""Shape [2, D]: the lowest unit of each device, the height of its rack in units; NaN where there is none."""


@frozen(eq=False)
class RackUnits:
    """By device: `lowest` is the lowest unit that it takes, counted from 1, and `room` the units of its rack; NaN where
    it is in none of known height, has no place there, or shares its units with what is beside it."""

    lowest: NDArray[np.float32]
    room: NDArray[np.float32]


def read_rack_units(plan: Plan) -> RackUnits:
    """Return the units of the devices of a plan; 8 bytes a device."""
    tables: dict[str, _Columns] = {key: np.full((2, 1), np.nan, np.float32) for key in plan.devices}
    for key in plan.bottom_up:
        tables[key] = _table(plan, plan.assemblies[key], tables)
    return RackUnits(*tables[plan.root])


def _table(plan: Plan, of: AssemblyType, tables: dict[str, _Columns]) -> _Columns:
    columns = [np.empty((2, 0), np.float32)]
    height = height_of(plan, of.key) if of.has_elevation else None
    lows = {child.name: np.full(child.count, np.nan, np.float32) for child in of.children if child.type in plan.devices}
    for part in alone(mounted(plan, of)):
        if part.child.name in lows:
            lows[part.child.name][part.element] = float(part.low / UNIT) + 1
    for child in of.children:
        here = np.tile(tables[child.type], child.count)
        if child.name in lows:
            here[0] = lows[child.name]
        if height is not None:
            here[1] = height // UNIT
        columns.append(here)
    return np.concatenate(columns, axis=1)


def half_units(height: Fraction) -> str:
    """Return a height in units, up to the next half."""
    halves = ceil(height / UNIT * 2)
    return str(halves // 2) if halves % 2 == 0 else f"{halves // 2}.5"


def is_full_depth(plan: Plan, key: str) -> bool:
    """Return whether a type states a height and fills both sides of a rack."""
    return height_of(plan, key) is not None and sides_of(plan, key) == SIDES
