"""Names as functions of ids, and back: `pod[3].cabinet[17].board[5].npu[7]`, `up[3]`, `a.x[1] -- b.y[2]`.

Nothing is stored: ids are split level by level by the offsets of the plan. The parts of a machine that was found have
the names of its site besides (`unifiedbus_dsl.plan.Site`), and are called by those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.ir.plan import Child, DeviceType, Plan, Port
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.labels import ABSENT, text_shape, to_labels, to_places

Texts: TypeAlias = "NDArray[np.object_]"
"""Python strings in an array."""

_DOT = re.compile(r"\.(?![^\[\]]*\])")
_SEGMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\[([^\]]*)\])?\s*\Z")


@frozen(eq=False)
class CableSource:
    """What a cable comes from: the rule `assembly.rules[rule]` in the assembly instance at `path`, with these values of
    its axes. The path of the root is empty."""

    path: str
    assembly: str
    rule: int
    axes: Mapping[str, int]


# ---- names of ids -----------------------------------------------------------------------------------------------


def device_names(plan: Plan, devices: ArrayLike) -> Texts:
    """Return the name of each device, in the shape of `devices`: that of the site where there is one, else its path."""
    if plan.site is None or not plan.site.devices:
        return device_paths(plan, devices)
    ids = np.asarray(devices, dtype=np.int64)
    _check_range(ids, plan.device_count[plan.root], "device")
    names = plan.site.devices
    texts = np.empty(ids.size, dtype=object)
    texts[:] = [names[device] for device in ids.ravel().tolist()]
    return texts.reshape(ids.shape)


def device_paths(plan: Plan, devices: ArrayLike) -> Texts:
    """Return the path of each device, in the shape of `devices`."""
    ids = np.asarray(devices, dtype=np.int64)
    _check_range(ids, plan.device_count[plan.root], "device")
    return _paths(plan, plan.root, ids.ravel()).reshape(ids.shape)


def part_name(plan: Plan, path: str) -> str:
    """Return what the part at a path is called: by the site where it has a name for it, else the path."""
    if plan.site is None:
        return path
    if path in plan.site.parts or not plan.site.devices:
        return plan.site.parts.get(path, path)
    try:
        return plan.site.devices[_device_at(plan, path)]
    except ValueError:
        return path


def device_name(plan: Plan, device: int) -> str:
    return str(device_names(plan, [device])[0])


def _paths(plan: Plan, key: str, offsets: IntArray) -> Texts:
    """Paths within an instance of a type, of devices at these offsets in it; empty text for the device itself."""
    names = np.full(offsets.shape, "", dtype=object)
    if key in plan.devices:
        return names
    starts = np.asarray(plan.numbering.child_starts[key], dtype=np.int64)
    which = np.searchsorted(starts, offsets, side="right") - 1
    for number in np.unique(which):
        child = plan.assemblies[key].children[number]
        chosen = which == number
        element, inner = np.divmod(offsets[chosen] - starts[number], plan.device_count[child.type])
        own = named_elements(child, element)
        names[chosen] = own if child.type in plan.devices else own + "." + _paths(plan, child.type, inner)
    return names


def named_elements(array: Child | Port, places: IntArray) -> Texts:
    """`cabinet[17]` of the elements at these places of an array, each by its label."""
    return element_names(array.text_name, text_shape(array), to_labels(array, places))


def element_names(name: str, shape: Sequence[int], elements: IntArray) -> Texts:
    """`cabinet[17]`, `inter[3, 2]`, or the plain name for shape (): of row-major element numbers."""
    distinct, back = np.unique(elements, return_inverse=True)
    subscripts = np.stack(np.unravel_index(distinct, tuple(shape)), axis=-1) if shape else np.empty((len(distinct), 0))
    texts = [f"{name}[{', '.join(map(str, row))}]" if row else name for row in subscripts.tolist()]
    return np.asarray([*texts, ""], dtype=object)[:-1][back]


def port_names(plan: Plan, device_type: str) -> Texts:
    """Return name of each port of a device type, in order of port number."""
    if plan.site is not None and device_type in plan.site.ports:
        return np.asarray([*plan.site.ports[device_type], ""], dtype=object)[:-1]
    return port_paths(plan.devices[device_type])


def port_paths(device: DeviceType) -> Texts:
    """Return `up[3]` for each port of a device type, in order of port number."""
    parts = [element_names(port.name, port.shape, np.arange(port.count)) for port in device.ports]
    return np.concatenate(parts) if parts else np.empty(0, dtype=object)


def end_names(plan: Plan, device_type: NDArray[Any], device: NDArray[Any], port: NDArray[Any]) -> Texts:
    """`pod[0].npu[3].up[1]` of devices with their ports; `device_type` is the type of each."""
    names = device_names(plan, device)
    joined = np.empty(names.shape, dtype=object)
    for number, key in enumerate(plan.devices):
        chosen = device_type == number
        if chosen.any():
            ports = port_names(plan, key)[port[chosen]]
            # a system that is one device has an empty path
            joined[chosen] = ports if key == plan.root else names[chosen] + "." + ports
    return joined


# ---- ids of names -----------------------------------------------------------------------------------------------


def device_id(plan: Plan, name: str) -> int:
    """Return the id of the device of a name of the site, or at a path.

    Raises:
        ValueError: there is no such device; the sentence says which part is wrong and what there is instead.
    """
    if plan.site is not None and name in plan.site.by_name:
        return plan.site.by_name[name]
    return _device_at(plan, name)


def _device_at(plan: Plan, name: str) -> int:
    key, offset = plan.root, 0
    for child, element, _ in _walk(plan, name):
        offset += _start(plan, key, child) + element * plan.device_count[child.type]
        key = child.type
    if key not in plan.devices:
        raise ValueError(f"`{name}` is no device but {_described(plan, key)}")
    return offset


def port_number(plan: Plan, device_type: str, name: str) -> int:
    """Port number of `up[3]` in a device type.

    Raises:
        ValueError: there is no such port.
    """
    labels = plan.site.ports.get(device_type, ()) if plan.site is not None else ()
    if name in labels:
        return labels.index(name)
    array, inside = split_segment(name, name)
    ports = {port.name: port for port in plan.devices[device_type].ports}
    if array not in ports:
        raise ValueError(f"`{device_type}` has no port `{array}`; it has {_listed(ports)}")
    return plan.numbering.port_start(device_type, array) + _element((ports[array],), inside, name)[1]


def device_type_at(plan: Plan, device: int) -> str:
    """Key of the type of a device."""
    key, offset = plan.root, device
    while key not in plan.devices:
        starts = plan.numbering.child_starts[key]
        number = int(np.searchsorted(starts, offset, side="right")) - 1
        child = plan.assemblies[key].children[number]
        offset = (offset - starts[number]) % plan.device_count[child.type]
        key = child.type
    return key


def _walk(plan: Plan, path: str) -> list[tuple[Child, int, str]]:
    """Child, element number and text of each segment of a path."""
    segments: list[tuple[Child, int, str]] = []
    key = plan.root
    for segment in split_path(path):
        child, element = element_at(plan, key, segment, path)
        segments.append((child, element, segment.strip()))
        key = child.type
    return segments


def element_at(plan: Plan, key: str, segment: str, path: str) -> tuple[Child, int]:
    """Return the child of a type, and the place of its element, that a segment of a path names.

    Raises:
        ValueError: there is none.
    """
    name, inside = split_segment(segment, path)
    return _element(children_named(plan, key, name, path), inside, path)


def split_path(path: str) -> list[str]:
    """Return the segments of a path: it is cut at the dots outside of brackets; an empty path has none."""
    return _DOT.split(path) if path.strip() else []


def split_segment(segment: str, path: str) -> tuple[str, str | None]:
    """Return name and what stands in brackets (None without brackets).

    Raises:
        ValueError: it reads otherwise.
    """
    match = _SEGMENT.match(segment)
    if match is None:
        raise ValueError(f"`{segment.strip()}` in `{path}` is no name with subscripts such as `board[5]`")
    return match.group(1), match.group(2)


def children_named(plan: Plan, key: str, name: str, path: str) -> tuple[Child, ...]:
    """Return the children that are an array of a type: several where its elements differ in type.

    Raises:
        ValueError: there is none of that name.
    """
    children = plan.assemblies[key].arrays if key in plan.assemblies else {}
    if name not in children:
        raise ValueError(f"no `{name}` of `{path}` in {_described(plan, key)}; it has {_listed(children)}")
    return children[name]


_Array = TypeVar("_Array", Child, Port)


def _element(arrays: tuple[_Array, ...], inside: str | None, path: str) -> tuple[_Array, int]:
    """Return the one of several that an element is in, and its place there."""
    texts = [] if inside is None else [part.strip() for part in inside.split(",")]
    name, shape = arrays[0].text_name, text_shape(arrays[0])
    if len(texts) != len(shape):
        raise ValueError(f"`{name}` in `{path}` wants {_subscripts(shape)}, found {len(texts)}")
    flat = 0
    for part, size in zip(texts, shape, strict=True):
        if not (part.isascii() and part.isdigit()):
            raise ValueError(f"subscript `{part}` in `{path}` is no number")
        if int(part) >= size:
            raise ValueError(f"subscript {part} of `{name}` in `{path}` is outside 0..{size - 1}")
        flat = flat * size + int(part)
    for array in arrays:
        place = int(to_places(array, np.array([flat]))[0])
        if place != ABSENT:
            return array, place
    raise ValueError(f"there is no `{name}[{inside}]` in `{path}`: it is left out of the array")


def _start(plan: Plan, key: str, child: Child) -> int:
    return plan.numbering.child_starts[key][plan.numbering.child_number(key, child.name)]


def _subscripts(shape: tuple[int, ...]) -> str:
    return "no subscript" if not shape else "1 subscript" if len(shape) == 1 else f"{len(shape)} subscripts"


def _described(plan: Plan, key: str) -> str:
    return f"{plan.type(key).kind} `{key}`"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


def _check_range(ids: IntArray, count: int, what: str) -> None:
    if ids.size and (int(ids.min()) < 0 or int(ids.max()) >= count):
        wrong = int(ids.min()) if int(ids.min()) < 0 else int(ids.max())
        raise ValueError(f"there is no {what} {wrong}: ids run from 0 to {count - 1}")


# ---- cables -----------------------------------------------------------------------------------------------------


def cable_source(plan: Plan, cable: int) -> CableSource:
    """Return which rule a cable comes from, in which assembly instance, and for which index values.

    Raises:
        ValueError: there is no such cable.
    """
    numbering = plan.numbering
    _check_range(np.asarray([cable]), numbering.cable_count[plan.root], "cable")
    key, offset, path = plan.root, cable, list[str]()
    while True:
        assembly, starts = plan.assemblies[key], numbering.cable_starts[key]
        number = int(np.searchsorted(starts, offset, side="right")) - 1
        if number >= len(assembly.children):
            rule = number - len(assembly.children)
            return CableSource(".".join(path), key, rule, numbering.index_values(key, rule, offset - starts[number]))
        child = assembly.children[number]
        element, offset = divmod(offset - starts[number], numbering.cable_count[child.type])
        path.append(str(named_elements(child, np.asarray([element]))[0]))
        key = child.type


# ---- ranges of instances ----------------------------------------------------------------------------------------


def blocks(plan: Plan, selector: str) -> tuple[IntArray, IntArray]:
    """First device id, and the one after the last, of each instance of a kind (`rack`, `npu`) or a type by its key.

    In order of first device; an instance that holds others of the selection comes before them. Empty arrays if there
    is none; no instance without devices is in it.
    """
    keys = {key for key in (*plan.devices, *plan.bottom_up) if selector in (key, plan.type(key).kind)}
    tables: dict[str, tuple[IntArray, IntArray]] = {}
    nothing = np.empty(0, dtype=np.int64)
    for key in (*plan.devices, *plan.bottom_up):
        count = plan.device_count[key]
        own = np.zeros(1, np.int64) if key in keys and count else nothing
        starts, stops = [own], [own + count]
        if key in plan.assemblies:
            for child, start in zip(plan.assemblies[key].children, plan.numbering.child_starts[key], strict=False):
                inner = tables[child.type]
                if inner[0].size:
                    moves = start + np.arange(child.count, dtype=np.int64)[:, None] * plan.device_count[child.type]
                    starts.append((inner[0] + moves).ravel())
                    stops.append((inner[1] + moves).ravel())
        tables[key] = np.concatenate(starts), np.concatenate(stops)
    return tables[plan.root]


def inside_spares(plan: Plan) -> NDArray[np.bool_]:
    """For each cable id: whether it lies inside an assembly that was declared `spare`, or that is in one."""
    tables: dict[str, NDArray[np.bool_]] = {key: np.zeros(0, np.bool_) for key in plan.devices}
    for key in plan.bottom_up:
        inner = [
            np.full(child.count * len(tables[child.type]), True)
            if child.spare
            else np.tile(tables[child.type], child.count)
            for child in plan.assemblies[key].children
        ]
        own = sum(plan.numbering.rule_size(key, number) for number in range(len(plan.assemblies[key].rules)))
        tables[key] = np.concatenate([*inner, np.zeros(own, np.bool_)])
    return tables[plan.root]


def spares(plan: Plan) -> NDArray[np.bool_]:
    """For each device id: whether it, or an assembly that it is in, was declared `spare`."""
    tables: dict[str, NDArray[np.bool_]] = {key: np.zeros(1, np.bool_) for key in plan.devices}
    for key in plan.bottom_up:
        parts = [
            np.ones(child.count * plan.device_count[child.type], np.bool_)
            if child.spare
            else np.tile(tables[child.type], child.count)
            for child in plan.assemblies[key].children
        ]
        tables[key] = np.concatenate(parts) if parts else np.empty(0, np.bool_)
    return tables[plan.root]
