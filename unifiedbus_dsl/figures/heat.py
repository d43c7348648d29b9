"""Maps of bandwidth and latency between the racks of a system."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from math import ceil
from typing import Literal, TypeAlias

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.base.units import counted, format_number
from unifiedbus_dsl.ir.fabric.names import named_elements
from unifiedbus_dsl.ir.plan import Child, Plan
from unifiedbus_dsl.ir.plan.end_points import end_types
from unifiedbus_dsl.measures.certified import proved
from unifiedbus_dsl.measures.end_points import end_points
from unifiedbus_dsl.measures.pair_distances import latency
from unifiedbus_dsl.render.heat import Heat, heat_picture
from unifiedbus_dsl.render.marks import Picture, Text
from unifiedbus_dsl.render.plan_summary import kind_name
from unifiedbus_dsl.render.sheet import sheet
from unifiedbus_dsl.solver.bisection.part_matrices import latency_matrix, max_flow_matrix
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext

Map: TypeAlias = Literal["bandwidth", "latency"]
MAPS: tuple[Map, ...] = ("bandwidth", "latency")
MOST_PARTS = 18
"""More of them are joined into blocks of consecutive ones."""

_ALIKE = 1e-9
"""Relative difference of values that are one."""

_UNITS = {
    "bandwidth": ((1e12, "TB/s"), (1e9, "GB/s"), (1e6, "MB/s")),
    "latency": ((1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
}


@frozen
class Part:
    """Devices `start … stop - 1`, by name; `parent` is the assembly that it is in, None for the system."""

    name: str
    kind: str
    start: int
    stop: int
    parent: Part | None = None
    shape: tuple[int, ...] = ()
    """Of the array that it is an element of, if none is left out."""

    @property
    def array(self) -> str:
        """The name without the index."""
        return self.name.rpartition("[")[0] if self.name.endswith("]") else self.name


def heat_map(machine: NetworkContext, what: Map) -> Picture:
    """Return what the end points of each two racks can send to each other alone, or how far the furthest two of them
    are apart. A system without racks is taken by its parts; many racks by blocks of neighbours inside one assembly, or
    by the assemblies around them. Where all values are one, the picture says it in a sentence.

    Raises:
        NotAdmittedError: there are no two parts with end points.
    """
    plan = machine.fabric.plan
    _, whole = parts(plan)
    if len(whole) < 2:
        raise NotAdmittedError(f"a map is of two parts or more, and `{plan.system}` has {len(whole)} with end points")
    blocks = join_parts(whole)
    kind = one_kind([part for block in blocks for part in block])
    part = _members(machine, plan, blocks)
    if what == "bandwidth":
        values = max_flow_matrix(machine.symmetry, part)
        cell = "all of one to all of the other"
        said = "most that all end points of one can send to all of the other while all else is silent, each direction"
    else:
        values = latency_matrix(machine.timed_symmetry, part)
        cell = "furthest two end points"
        said = "least time of a small message at no load, between the two end points that are furthest apart"
    scale, unit = _unit(what, values)
    names = [block[0].name if len(block) == 1 else f"{block[0].name} … {block[-1].name}" for block in blocks]
    joined = any(len(block) > 1 for block in blocks)
    each = f"each row and column is a {f'block of {kind_name(kind, 2)}' if joined else kind_name(kind, 1)}"
    heat = Heat(names, values / scale, unit, each, f"{cell}, {unit}")
    notes = [said, f"system {plan.system}: {_counts(blocks, kind)}", *_left_out(machine, part, kind)]
    nearest = _nearest(machine, part, scale, unit) if what == "latency" else []
    largest = max(len(block) for block in blocks)
    nouns = f"blocks of {largest} {kind_name(kind, 2)}" if joined else kind_name(kind, 2)
    title = f"{what} between {nouns}"
    sentence = _sentence(heat, what, nouns)
    if sentence:
        return sheet(title, f"map · {heat.cell}", [(note, "") for note in notes], nearest, [sentence], [])
    return heat_picture(heat, title, notes, _tiles(heat) + nearest)


def join_parts(found: list[Part]) -> list[list[Part]]:
    """Return the rows of a map: the parts alone where they are few, else blocks of neighbours in one array, else the
    assemblies around them. No block holds parts of two assemblies, but where one assembly has very many arrays."""
    if len(found) <= MOST_PARTS:
        return [[part] for part in found]
    arrays = [list(group) for _, group in groupby(found, key=lambda part: part.array)]
    size = _block_size(arrays, len(found))
    if size:
        return [array[at : at + size] for array in arrays for at in range(0, len(array), size)]
    around = list(dict.fromkeys(part.parent or part for part in found))
    if len(around) > 1 and len(around) < len(found):
        return join_parts(around)
    size = ceil(len(found) / MOST_PARTS)
    return [found[at : at + size] for at in range(0, len(found), size)]


def _block_size(arrays: list[list[Part]], parts: int) -> int:
    """Return the least size of blocks of which there are few enough, or a size near to it that cuts no row of an array
    short; 0 where there is none."""
    min_level = next((n for n in range(1, parts) if _block_count(arrays, n) <= MOST_PARTS), 0)
    if not min_level:
        return 0
    few = 0.5 if any(len(array[0].shape) > 1 for array in arrays) else 0.75
    for size in range(min_level, 2 * min_level + 1):
        if _block_count(arrays, size) < few * _block_count(arrays, min_level):
            break
        if all(_is_even(array, size) for array in arrays):
            return size
    return min_level


def _is_even(array: list[Part], size: int) -> bool:
    """Return whether blocks of this size hold whole rows of an array, the last one too, or whole parts of a row."""
    row = 1
    for extent in reversed(array[0].shape or (len(array),)):
        if size % row == 0 and extent % (size // row) == 0:
            return True
        row *= extent
    return False


def _block_count(arrays: list[list[Part]], size: int) -> int:
    return sum(ceil(len(array) / size) for array in arrays)


def one_kind(found: list[Part]) -> str:
    """Return the kind that all parts are of, or `part`."""
    kinds = {part.kind for part in found}
    return kinds.pop() if len(kinds) == 1 else "part"


def _counts(blocks: list[list[Part]], kind: str) -> str:
    """`40 racks in 14 blocks of 3, the last of 1`."""
    sizes = [len(block) for block in blocks]
    max_size = max(sizes)
    if max_size == 1:
        return f"{len(blocks)} {kind_name(kind, 2)}"
    text = f"{sum(sizes):,} {kind_name(kind, 2)} in {len(blocks)} blocks of "
    if min(sizes[:-1]) < max_size:
        return f"{text}at most {max_size}"
    return f"{text}{max_size}" + (f", the last of {sizes[-1]}" if sizes[-1] < max_size else "")


def _left_out(machine: NetworkContext, part: Ints, kind: str) -> list[str]:
    """Return a note where end points of the machine are in no part of the map."""
    count = len(end_points(machine)) - int((part >= 0).sum())
    return [f"{counted(count, 'end point')} in no {kind_name(kind, 1)} left out"] if count else []


def _sentence(heat: Heat, what: Map, nouns: str) -> Text | None:
    """Return the map in words where all its values are one."""
    known = heat.values[~np.isnan(heat.values)]
    if not len(known) or not np.isfinite(known).all() or known.max() - known.min() > _ALIKE * known.max():
        return None
    value = f"{format_number(float(known.max()))} {heat.unit}"
    each = "between" if what == "bandwidth" else "within and between"
    return Text("sentence", 0, 0, f"{value} {each} any two of the {len(heat.names)} {nouns}", 13, role="sentence")


def _tiles(heat: Heat) -> list[tuple[str, str]]:
    finite = heat.values[np.isfinite(heat.values)]
    if not len(finite):
        return []
    least, most = (format_number(float(each)) for each in (finite.min(), finite.max()))
    return [(f"{least} {heat.unit}", "least in the table"), (f"{most} {heat.unit}", "most in the table")]


def _nearest(machine: NetworkContext, part: Ints, scale: float, unit: str) -> list[tuple[str, str]]:
    """Return the least latency of two end points: the table has that of the furthest two of its rows and columns."""
    ends = np.flatnonzero(part >= 0)
    nearest = proved(machine, latency(machine, ends, ends)).value
    return [(f"{format_number(float(v) / scale)} {unit}", "between the nearest two end points") for v in nearest[:1]]


def _unit(what: Map, values: Floats) -> tuple[float, str]:
    """Return the largest unit in which all values are at least 1."""
    min_value = float(np.min(values[np.isfinite(values) & (values > 0)], initial=np.inf))
    return next(((scale, unit) for scale, unit in _UNITS[what] if min_value >= scale), _UNITS[what][-1])


def _members(machine: NetworkContext, plan: Plan, blocks: list[list[Part]]) -> Ints:
    """Return the block of each end point of the machine, -1 of all others, [E]."""
    fabric = machine.fabric
    block = np.full(fabric.device_count, -1, dtype=np.int64)
    for number, members in enumerate(blocks):
        for each in members:
            block[each.start : each.stop] = number
    block[~np.isin(np.arange(fabric.device_count), _standing(machine))] = -1
    return block[machine.network.end_device]


def _standing(machine: NetworkContext) -> Ints:
    """Return the devices that are end points of the machine."""
    return np.asarray(machine.network.end_device[end_points(machine)])


def parts(plan: Plan) -> tuple[str, list[Part]]:
    """Return the racks that hold end points, in order, and their kind; without two racks the parts of the system."""
    holding = set(end_types(plan))
    for key in plan.bottom_up:
        if any(child.type in holding for child in plan.assemblies[key].children):
            holding.add(key)
    racks = list(_instances(plan, plan.root, None, 0, holding))
    if len(racks) > 1:
        return "rack", racks
    held = _parts_below(plan, plan.root, "", 0, holding)
    return one_kind(held) if held else "part", held


def _parts_below(plan: Plan, key: str, path: str, start: int, holding: set[str]) -> list[Part]:
    """Return the parts of an assembly that hold end points; of an only one its parts, and so on."""
    found = [each for each in elements(plan, key, path, start) if each[0].type in holding]
    if len(found) == 1 and found[0][0].type in plan.assemblies:
        child, name, first = found[0]
        return _parts_below(plan, child.type, name, first, holding)
    return [
        Part(name, plan.type(child.type).kind, first, first + plan.device_count[child.type], None, child.shape)
        for child, name, first in found
    ]


def elements(plan: Plan, key: str, path: str, start: int) -> Iterator[tuple[Child, str, int]]:
    """Yield each element of the children of an assembly: its array, its name, its first device."""
    starts = plan.numbering.child_starts[key]
    for child, first in zip(plan.assemblies[key].children, starts, strict=False):
        for element, own in enumerate(named_elements(child, np.arange(child.count)).tolist()):
            at = start + int(first) + element * plan.device_count[child.type]
            yield child, f"{path}.{own}" if path else own, at


def _instances(plan: Plan, key: str, parent: Part | None, start: int, holding: set[str]) -> Iterator[Part]:
    """Yield the racks at any level that hold end points."""
    for child, name, first in elements(plan, key, parent.name if parent else "", start):
        if child.type not in holding or child.type not in plan.assemblies:
            continue
        kind = plan.assemblies[child.type].kind
        part = Part(name, kind, first, first + plan.device_count[child.type], parent, child.shape)
        if kind == "rack":
            yield part
        else:
            yield from _instances(plan, child.type, part, first, holding)
