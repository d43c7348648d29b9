"""Where each device stands: its nearest placed ancestor, and the position of that on the floor."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.ir.fabric.names import device_paths, part_name
from unifiedbus_dsl.ir.plan import AssemblyType, Plan

_Table: TypeAlias = "tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]"


@frozen(eq=False)
class Floor:
    """For each device: how many segments of its path name the place, and its x and y in metres.

    The place is the nearest placed ancestor; without any it is the outermost `rack`, and x and y are NaN. 0 segments
    say that it has no place at all.
    """

    plan: Plan
    segments: NDArray[np.int16]
    x: NDArray[np.float32]
    y: NDArray[np.float32]

    def places(self, devices: ArrayLike) -> list[str]:
        """Return what the place of each device is called: by the site where that has a name for it, else its path."""
        ids = np.asarray(devices, dtype=np.int64)
        paths = [
            ".".join(path.split(".")[:count])
            for path, count in zip(device_paths(self.plan, ids).tolist(), self.segments[ids].tolist(), strict=True)
        ]
        called = {path: part_name(self.plan, path) if path else "" for path in dict.fromkeys(paths)}
        return [called[path] for path in paths]


def read_floor(plan: Plan) -> Floor:
    """Return the floor of a plan; 10 bytes a device."""
    tables: dict[str, _Table] = {}
    for key in plan.devices:
        tables[key] = np.zeros(1, np.int16), np.full(1, np.nan, np.float32), np.full(1, np.nan, np.float32)
    for key in plan.bottom_up:
        tables[key] = _table(plan, plan.assemblies[key], tables)
    return Floor(plan, *tables[plan.root])


def _table(plan: Plan, of: AssemblyType, tables: dict[str, _Table]) -> _Table:
    segments: list[NDArray[np.int16]] = [np.empty(0, np.int16)]
    xs: list[NDArray[np.float32]] = [np.empty(0, np.float32)]
    ys: list[NDArray[np.float32]] = [np.empty(0, np.float32)]
    placed = {placement.child: placement for placement in of.floor_places}
    for child in of.children:
        x, y = (np.tile(column, child.count) for column in tables[child.type][1:])
        here = np.isnan(x)  # nothing inside is placed
        rack = child.type in plan.assemblies and plan.assemblies[child.type].kind == "rack"
        inner = np.tile(tables[child.type][0], child.count)
        inner = np.where(inner > 0, inner + 1, 0).astype(np.int16)
        if rack or child.name in placed:
            inner = np.where(here, 1, inner).astype(np.int16)
        if child.name in placed:
            at = np.asarray([[float(v) for v in p] for p in placed[child.name].positions], np.float32).reshape(-1, 2)
            origin = np.repeat(at, plan.device_count[child.type], axis=0)
            x, y = (np.where(here, 0, own) + origin[:, n] for n, own in enumerate((x, y)))
        segments.append(inner)
        xs.append(x.astype(np.float32))
        ys.append(y.astype(np.float32))
    return np.concatenate(segments), np.concatenate(xs), np.concatenate(ys)
