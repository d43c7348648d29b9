"""Parts of a machine: `pod[3].cabinet[0..3]`. The cost is that of the part, as instances are contiguous ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric import Fabric, Slice
from unifiedbus_dsl.ir.fabric.names import children_named, split_path, split_segment
from unifiedbus_dsl.ir.fabric.scope_sets import devices_of_set, is_set
from unifiedbus_dsl.ir.plan import Child, Plan, PortRef
from unifiedbus_dsl.ir.plan.index import IntArray, Points, axes_used, evaluate, flat_index
from unifiedbus_dsl.ir.plan.labels import ABSENT, text_shape, to_places

_RANGE = re.compile(r"(\d+)(?:\s*(\.\.<?)\s*(\d+)(?:\s+step\s+(\d+))?)?\Z")


@frozen(eq=False)
class Instances:
    """Instances of one type: first device and first cable of each, ascending."""

    type: str
    devices: IntArray
    cables: IntArray


Chain: TypeAlias = "list[tuple[Child, IntArray]]"
"""The child array of each segment of a path, with the row-major numbers of its chosen elements, ascending."""


def parse_scope(plan: Plan, scope: str) -> list[Chain]:
    """Return what a path chooses: one chain, or one for each type where elements of an array differ.

    Raises:
        ValueError: a segment names nothing, or chooses nothing; the sentence says which.
    """
    chains: list[tuple[Chain, str]] = [([], plan.root)]
    for segment in split_path(scope):
        name, inside = split_segment(segment, scope)
        chains = [
            ([*chain, (child, elements)], child.type)
            for chain, key in chains
            for child, elements in _elements(children_named(plan, key, name, scope), inside, scope)
        ]
    return [chain for chain, _ in chains]


def _elements(children: tuple[Child, ...], inside: str | None, scope: str) -> list[tuple[Child, IntArray]]:
    texts = [] if inside is None else [part.strip() for part in inside.split(",")]
    name, shape = children[0].text_name, text_shape(children[0])
    if len(texts) > len(shape):
        raise ValueError(f"`{name}` in `{scope}` has {len(shape)} dimensions, found {len(texts)} subscripts")
    texts += ["*"] * (len(shape) - len(texts))
    chosen = [_subscript(text, size, name) for text, size in zip(texts, shape, strict=True)]
    total: IntArray = np.zeros(1, dtype=np.int64)
    for values, size in zip(chosen, shape, strict=True):
        total = (total[:, None] * size + values).ravel()
    result, absent = list[tuple[Child, IntArray]](), np.ones(total.shape, dtype=bool)
    for child in children:
        places = to_places(child, total)
        there = places != ABSENT
        absent &= ~there
        if there.any():
            result.append((child, np.asarray(places[there])))
    if absent.any() and "*" not in texts:
        raise ValueError(f"`{name}[{', '.join(texts)}]` in `{scope}` names an element that is left out")
    return result


def _subscript(text: str, size: int, name: str) -> IntArray:
    if text == "*":
        return np.arange(size)
    match = _RANGE.match(text)
    if match is None:
        raise ValueError(f"`{text}` is no subscript such as `3`, `*`, `0..3`, `0..<4` or `0..63 step 8`")
    low = int(match.group(1))
    stop = low + 1 if match.group(2) is None else int(match.group(3)) + (match.group(2) == "..")
    values = np.arange(low, stop, max(1, int(match.group(4) or 1)))
    if not values.size or values[-1] >= size:
        raise ValueError(f"`{text}` chooses nothing or goes beyond `{name}`, which has 0..{size - 1} there")
    return values


def make_slice(fabric: Fabric, scope: str) -> Slice:
    """Return the devices of the chosen instances and the cables with both ends among them.

    Raises:
        ValueError: the scope chooses nothing.
    """
    plan = fabric.plan
    if is_set(scope):
        return _of_devices(fabric, scope, devices_of_set(fabric, scope, lambda path: _of_path(plan, path)))
    nothing = np.empty(0, np.int64)
    chains = parse_scope(plan, scope)
    if len(chains) > 1:
        return _of_devices(fabric, scope, _of_path(plan, scope))
    here = _whole(plan)
    between = [nothing]
    for child, elements in chains[0]:
        between += _cables_between(plan, here, child, elements)
        here = _step(plan, here, child, elements)
    count, cables = plan.device_count[here.type], plan.numbering.cable_count[here.type]
    devices = (here.devices[:, None] + np.arange(count)).ravel()
    candidates = np.concatenate(between)
    if candidates.size:
        a, b = (_places(here.devices, count, column[candidates]) for column in (fabric.a_device, fabric.b_device))
        candidates = candidates[(a >= 0) & (b >= 0)]
    inside = (here.cables[:, None] + np.arange(cables)).ravel()
    ids = np.sort(np.concatenate([inside, candidates])) if candidates.size else inside
    return Slice(
        fabric,
        scope,
        devices,
        ids,
        fabric.device_type[devices],
        _places(here.devices, count, fabric.a_device[ids]).astype(fabric.a_device.dtype),
        fabric.a_port[ids],
        _places(here.devices, count, fabric.b_device[ids]).astype(fabric.b_device.dtype),
        fabric.b_port[ids],
        fabric.kind[ids],
    )


def _whole(plan: Plan) -> Instances:
    return Instances(plan.root, np.zeros(1, np.int64), np.zeros(1, np.int64))


def _of_path(plan: Plan, path: str) -> IntArray:
    """Return the devices of what a path chooses, ascending."""
    return np.sort(np.concatenate([_devices(plan, chain) for chain in parse_scope(plan, path)]))


def _devices(plan: Plan, chain: Chain) -> IntArray:
    """Return the devices of the instances that a path chooses."""
    here = _whole(plan)
    for child, elements in chain:
        here = _step(plan, here, child, elements)
    return np.asarray((here.devices[:, None] + np.arange(plan.device_count[here.type])).ravel())


def _of_devices(fabric: Fabric, scope: str, devices: IntArray) -> Slice:
    """Return these devices, which ascend, and the cables with both ends among them."""
    place = np.full(fabric.device_count, -1, dtype=np.int64)
    place[devices] = np.arange(len(devices))
    ids = np.flatnonzero((place[fabric.a_device] >= 0) & (place[fabric.b_device] >= 0))
    return Slice(
        fabric,
        scope,
        devices,
        ids,
        fabric.device_type[devices],
        place[fabric.a_device[ids]].astype(fabric.a_device.dtype),
        fabric.a_port[ids],
        place[fabric.b_device[ids]].astype(fabric.b_device.dtype),
        fabric.b_port[ids],
        fabric.kind[ids],
    )


def _step(plan: Plan, here: Instances, child: Child, elements: IntArray) -> Instances:
    """Return the chosen elements of a child array in each instance."""
    number = plan.numbering.child_number(here.type, child.name)
    device = plan.numbering.child_starts[here.type][number] + elements * plan.device_count[child.type]
    cable = plan.numbering.cable_starts[here.type][number] + elements * plan.numbering.cable_count[child.type]
    return Instances(child.type, (here.devices[:, None] + device).ravel(), (here.cables[:, None] + cable).ravel())


def _cables_between(plan: Plan, here: Instances, child: Child, elements: IntArray) -> list[IntArray]:
    """Return ids of the cables of the rules of these instances that join chosen elements of the child array."""
    assembly, starts = plan.assemblies[here.type], plan.numbering.cable_starts[here.type]
    cables_between = []
    for number, rule in enumerate(assembly.rules):
        if not rule.left.child == rule.right.child == child.name:
            continue
        points = plan.numbering.rule_points(here.type, number)
        places = _joined(points, (rule.left, rule.right), child.shape, elements)
        if places.size:
            places += starts[len(assembly.children) + number]
            cables_between.append((here.cables[:, None] + places).ravel())
    return cables_between


def _joined(points: Points, sides: Sequence[PortRef], shape: tuple[int, ...], elements: IntArray) -> IntArray:
    """Row-major numbers of the points of a rule that join chosen elements.

    Subscripts over a single dimension of the points thin it out first, so what is left to look at is about what is
    found: the cost is that of the result and of each dimension, not of their product.
    """
    kept = _thinned(points, sides, shape, elements)
    grids = {name: grid.take(kept[points.dims[name]], points.dims[name]) for name, grid in points.grids.items()}
    chosen = _marked(prod(shape), elements)
    left, right = (chosen[flat_index(ref.at, shape, grids)] for ref in sides)
    mask = np.asarray(left & right)
    mask = mask.reshape((1,) * (len(points.shape) - mask.ndim) + mask.shape)
    numbers: IntArray = np.zeros(np.count_nonzero(mask), np.int64)
    strides = [prod(points.shape[d + 1 :]) for d in range(len(points.shape))]
    places_of_axis = np.nonzero(np.atleast_1d(mask))
    unused = [d for d, places in enumerate(kept) if mask.shape[d] != len(places)]
    for d, places in enumerate(kept):
        if d not in unused:
            numbers += places[places_of_axis[d]] * strides[d]
    for d in unused:  # of size 1 in the mask, where no subscript uses it: stands for all of its points
        numbers = (numbers[:, None] + kept[d] * strides[d]).ravel()
    return np.sort(numbers)


def _thinned(points: Points, sides: Sequence[PortRef], shape: tuple[int, ...], elements: IntArray) -> list[IntArray]:
    """Along each dimension of the points: the places where no subscript over it alone leaves the chosen elements."""
    keep = [np.ones(size, np.bool_) for size in points.shape]
    places = np.unravel_index(elements, shape) if shape else ()
    for ref in sides:
        for expr, size, at in zip(ref.at, shape, places, strict=True):
            used = {points.dims[name] for name in axes_used(expr)}
            if len(used) == 1:
                keep[used.pop()] &= _marked(size, at)[evaluate(expr, points.grids)].ravel()
    return [np.flatnonzero(each) for each in keep]


def _marked(size: int, at: NDArray[np.signedinteger[Any]]) -> NDArray[np.bool_]:
    marks = np.zeros(size, np.bool_)
    marks[at] = True
    return marks


def _places(starts: IntArray, count: int, ids: NDArray[np.unsignedinteger[Any]]) -> IntArray:
    """Place of each id in the ranges of `count` ids from each start, laid end to end; -1 if it is in none."""
    which = np.searchsorted(starts, ids.astype(np.int64), side="right") - 1
    offset = ids.astype(np.int64) - starts[which]
    return np.where((which >= 0) & (offset < count), which * count + offset, -1)
