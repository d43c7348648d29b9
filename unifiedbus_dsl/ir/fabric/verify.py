"""Whether a fabric that was read is one: its plan is whole, its columns have the sizes, types and values that it says,
and are those that the plan is expanded to, so that an answer from the plan is one about the fabric.

The cost is a few passes over the columns. What is found first is said, with the column and the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.base.work import OverLimitError, limited
from unifiedbus_dsl.ir.fabric import CableKinds, Fabric
from unifiedbus_dsl.ir.fabric.as_planned import find_difference
from unifiedbus_dsl.ir.fabric.expand import kind_table
from unifiedbus_dsl.ir.plan import Plan, Value
from unifiedbus_dsl.ir.plan.verify import PlanError, verify
from unifiedbus_dsl.vocabulary import attributes

COLUMNS = ("a_device", "a_port", "b_device", "b_port", "kind")
SIDES = (("a_device", "a_port"), ("b_device", "b_port"))
PIECE = 1 << 17
"""Rows that are looked at a time."""
PORTS = 1 << 23
"""Ports, about, that are held to have one end at most at a time."""
MAX_DEVICES = 2**31 - 1
MAX_NESTING = 64
WORK = 400_000_000
"""Steps of work for the plan of a file, as for a text; and for each of its cables a few more."""
PER_CABLE = 100


class BrokenFabricError(ValueError):
    """The fabric is none; the sentence says which part of it, and what is wrong there."""


def verify_fabric(fabric: Fabric) -> None:
    """Check a fabric that someone else has written.

    Raises:
        BrokenFabricError: the first thing that does not hold.
    """
    with _measured(len(fabric.a_device)):
        _plan(fabric.plan)
        _sizes(fabric)
        _device_types(fabric)
        _kinds(fabric)
        _cables(fabric)
        _as_planned(fabric)


def verify_plan(plan: Plan, cables: int) -> None:
    """Check a plan that was made of a file with so many cables.

    Raises:
        BrokenFabricError: the first thing that does not hold.
    """
    with _measured(cables):
        _plan(plan)


@contextmanager
def _measured(cables: int) -> Iterator[None]:
    """Bound what checking may cost, and say of everything that goes wrong that the fabric is broken."""
    try:
        with limited(WORK + PER_CABLE * cables):
            yield
    except PlanError as error:
        raise BrokenFabricError(f"its plan is not whole: {str(error).splitlines()[0]}") from error
    except OverLimitError as error:
        raise BrokenFabricError("its plan asks for more work than its cables account for") from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise BrokenFabricError(f"its plan is beyond all measure ({type(error).__name__})") from error


# ---- the plan -----------------------------------------------------------------------------------------------------


def _plan(plan: Plan) -> None:
    for key, assembly in plan.assemblies.items():
        if assembly.kind not in attributes.KINDS_OF_ASSEMBLY:
            raise BrokenFabricError(f"`{key}` is of kind `{assembly.kind}`, which no assembly is")
        if any(size < 1 for child in assembly.children for size in child.shape):
            raise BrokenFabricError(f"a child of `{key}` has a dimension below 1")
        _fields(key, assembly.fields, "assembly")
    for key, device in plan.devices.items():
        if device.kind not in attributes.KINDS_OF_DEVICE:
            raise BrokenFabricError(f"`{key}` is of kind `{device.kind}`, which no device is")
        if any(size < 1 for port in device.ports for size in port.shape) or device.radix >= 1 << 31:
            raise BrokenFabricError(f"the ports of `{key}` are none or too many")
        _fields(key, device.fields, attributes.owner_of(device.kind))
    for key, link in plan.links.items():
        _fields(key, link.fields, "link")
    for key, protocol in plan.protocols.items():
        if protocol.lane_rate <= 0 or protocol.latency < 0 or not 0 < protocol.efficiency <= 1:
            raise BrokenFabricError(f"protocol `{key}` has a rate, a latency or an efficiency that none has")
    if plan.root not in plan.assemblies:
        raise BrokenFabricError(f"its root `{plan.root}` is no assembly")
    verify(plan)
    _depth(plan)
    if plan.device_count[plan.root] > MAX_DEVICES:
        raise BrokenFabricError(f"its plan has more than {MAX_DEVICES:,} devices")


def _fields(key: str, fields: Mapping[str, Value], owner: str) -> None:
    known = attributes.attributes(owner)
    for name, value in fields.items():
        attribute = known.get(name)
        if attribute is None or attribute.dimension is None:
            continue
        low = Fraction(0) if attribute.low is None else attribute.low
        if not isinstance(value, Quantity) or value.dimension != attribute.dimension:
            raise BrokenFabricError(f"`{name}` of `{key}` has another dimension than it should")
        if value.value < low or (attribute.high is not None and value.value > attribute.high):
            raise BrokenFabricError(f"`{name}` of `{key}` is out of its range")


def _depth(plan: Plan) -> None:
    deep = dict.fromkeys(plan.devices, 0)
    for key in plan.bottom_up:
        deep[key] = 1 + max((deep[child.type] for child in plan.assemblies[key].children), default=0)
    if deep[plan.root] > MAX_NESTING:
        raise BrokenFabricError(f"its types contain each other more than {MAX_NESTING} deep")


# ---- the columns --------------------------------------------------------------------------------------------------


def _sizes(fabric: Fabric) -> None:
    plan = fabric.plan
    devices, cables = plan.device_count[plan.root], plan.numbering.cable_count[plan.root]
    for key in ("device_type", *COLUMNS):
        column, rows = getattr(fabric, key), devices if key == "device_type" else cables
        if len(column) != rows or column.dtype.kind != "u" or column.dtype.itemsize < 2:
            raise BrokenFabricError(f"`{key}` does not fit the plan of {rows:,} rows")
    kinds = fabric.kinds
    if not len(kinds.link) == len(kinds.lanes) == len(kinds.length_m):
        raise BrokenFabricError("the `kinds_` arrays have different lengths")
    if kinds.link.dtype != np.uint16 or kinds.lanes.dtype != np.uint16 or kinds.length_m.dtype != np.float64:
        raise BrokenFabricError("the `kinds_` arrays are of other types than they should")


def _device_types(fabric: Fabric) -> None:
    plan = fabric.plan
    number = {key: np.full(1, n, fabric.device_type.dtype) for n, key in enumerate(plan.devices)}
    tables: dict[str, NDArray[Any]] = dict(number)
    for key in plan.bottom_up:
        parts = [np.tile(tables[child.type], child.count) for child in plan.assemblies[key].children]
        tables[key] = np.concatenate(parts) if parts else np.empty(0, fabric.device_type.dtype)
    wrong = np.flatnonzero(tables[plan.root] != fabric.device_type)
    if len(wrong):
        raise BrokenFabricError(f"`device_type` says another type than the plan, first of device {int(wrong[0]):,}")


def _kinds(fabric: Fabric) -> None:
    kinds = fabric.kinds
    if len(kinds.link) and int(kinds.link.max()) >= len(fabric.plan.links):
        raise BrokenFabricError("`kinds_link` names a link that the plan does not have")
    if len(kinds.lanes) and int(kinds.lanes.min()) < 1:
        raise BrokenFabricError("`kinds_lanes` has a cable of no lanes")
    known = kinds.length_m[~np.isnan(kinds.length_m)]
    if np.any(known < 0) or np.any(np.isinf(known)):
        raise BrokenFabricError("`kinds_length_m` has a length that no cable has")


def _cables(fabric: Fabric) -> None:
    """Every end is a port of a device, every port has one end at most, and every kind is there."""
    radix = np.asarray([device.radix for device in fabric.plan.devices.values()], dtype=np.int32)
    for start in range(0, fabric.cable_count, PIECE):
        rows = slice(start, start + PIECE)
        _below("kind", fabric.kind[rows], len(fabric.kinds.link), start)
        for device, port in SIDES:
            devices, ports = getattr(fabric, device)[rows], getattr(fabric, port)[rows]
            _below(device, devices, fabric.device_count, start)
            _below(port, ports, radix[fabric.device_type[devices]], start)
    _ports(fabric, radix[fabric.device_type])


def _ports(fabric: Fabric, radix: NDArray[np.int32]) -> None:
    """Hold that no port has two ends, those of some devices at a time; `radix` is that of each device."""
    total = int(radix.sum(dtype=np.int64))
    if total > 64 * fabric.cable_count + PIECE:
        return
    before = np.cumsum(radix, dtype=np.int64)
    bounds = [0, *np.searchsorted(before, np.arange(PORTS, total, PORTS)).tolist(), fabric.device_count]
    del before
    for low, high in pairwise(bounds):
        start = np.cumsum(radix[low:high], dtype=np.int64) - radix[low:high]
        taken = np.zeros(int(radix[low:high].sum(dtype=np.int64)), np.bool_)
        ends = 0
        for begin in range(0, fabric.cable_count, PIECE):
            rows = slice(begin, begin + PIECE)
            for device, port in SIDES:
                devices = getattr(fabric, device)[rows]
                here = np.flatnonzero((devices >= low) & (devices < high))
                taken[start[devices[here].astype(np.int64) - low] + getattr(fabric, port)[rows][here]] = True
                ends += len(here)
        if int(np.count_nonzero(taken)) != ends:
            raise BrokenFabricError("two cables of `a_port` and `b_port` end at one port")


def _as_planned(fabric: Fabric) -> None:
    """Hold every row to what the rules of the plan say of it."""
    right = kind_table(fabric.plan)
    for name in attrs.fields_dict(CableKinds):
        said = getattr(fabric.kinds, name)
        if not np.array_equal(said, getattr(right, name), equal_nan=said.dtype.kind == "f"):
            raise BrokenFabricError(f"`kinds_{name}` does not hold what the rules of the plan say")
    wrong = find_difference(fabric)
    if wrong is not None:
        column, cable = wrong
        raise BrokenFabricError(f"`{column}` says another than the rules of the plan, first of cable {cable:,}")


def _below(name: str, values: NDArray[Any], bound: int | NDArray[Any], start: int) -> None:
    wrong = np.flatnonzero(values >= bound)
    if len(wrong):
        at = int(wrong[0])
        limit = int(bound[at]) if isinstance(bound, np.ndarray) else bound
        raise BrokenFabricError(f"`{name}` of cable {start + at:,} is {int(values[at]):,}, and there are {limit:,}")
