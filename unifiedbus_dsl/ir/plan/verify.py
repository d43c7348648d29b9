"""The plan verifies itself: what every later stage relies on holds.

A plan that fails is a mistake of the compiler, not of the text it was compiled from: errors in the text have been
reported before there is a plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod

import numpy as np

from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Child,
    Const,
    DeviceType,
    Export,
    IndexExpr,
    Lookup,
    Not,
    Op,
    Opening,
    Placement,
    Plan,
    PortRef,
    Rule,
    Var,
)
from unifiedbus_dsl.ir.plan.algebra import within
from unifiedbus_dsl.ir.plan.index import text
from unifiedbus_dsl.ir.plan.labels import text_shape, to_labels
from unifiedbus_dsl.ir.plan.physical import merge_cables, shared_rules
from unifiedbus_dsl.ir.plan.text import ref_text

_NUMBERS = frozenset(["+", "-", "*", "div", "mod"])
_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">="])
_OPERATORS = _NUMBERS | _COMPARISONS | {"and", "or"}


class PlanError(AssertionError):
    """The plan is not whole; the sentence says where."""


def verify(plan: Plan) -> None:
    """Checks that names are sorted and unique, references resolve with the right number of subscripts in range, and no
    type contains itself.

    Raises:
        PlanError: with everything that does not hold, a sentence a line.
    """
    # later checks rely on earlier ones: the size of a port array, for one, on the type being there
    for stage in (_names, _containment, _devices, _exports, _assemblies, _cables):
        faults = list(stage(plan))
        if faults:
            raise PlanError("\n".join(faults))


def _names(plan: Plan) -> Iterator[str]:
    tables: Mapping[str, Mapping[str, object]] = {
        "protocols": plan.protocols,
        "links": plan.links,
        "devices": plan.devices,
        "assemblies": plan.assemblies,
    }
    for name, table in tables.items():
        yield from _sorted(list(table), f"the {name} of the plan")
        for key, item in table.items():
            own = getattr(item, "key", None) or getattr(item, "name", None)
            if own != key:
                yield f"`{key}` of the {name} calls itself `{own}`"
    for key in plan.devices.keys() & plan.assemblies.keys():
        yield f"`{key}` is both a device and an assembly"
    for link in plan.links.values():
        if link.protocol not in plan.protocols:
            yield f"link `{link.name}` is of protocol `{link.protocol}`, which the plan does not have"


def _sorted(names: Sequence[str], where: str) -> Iterator[str]:
    for one, other in pairwise(names):
        if one == other:
            yield f"`{one}` stands twice in {where}"
        elif one > other:
            yield f"`{one}` stands before `{other}` in {where}"


def _containment(plan: Plan) -> Iterator[str]:
    types = {*plan.devices, *plan.assemblies}
    if plan.root not in types:
        yield f"the root `{plan.root}` is no type of the plan"
        return
    for assembly in plan.assemblies.values():
        for child in assembly.children:
            if child.type not in types:
                yield f"`{assembly.key}.{child.name}` is of type `{child.type}`, which the plan does not have"
                return
    cycle = _cycle(plan)
    if cycle:
        yield f"a type contains itself: {' > '.join(f'`{key}`' for key in cycle)}"
        return
    reached = {plan.root, *(child.type for key in plan.bottom_up for child in plan.assemblies[key].children)}
    for key in sorted(types - reached):
        yield f"type `{key}` is nowhere in the system"


def _cycle(plan: Plan) -> list[str]:
    """Return a chain of types from one to itself, or nothing."""
    done: set[str] = set()

    def search(key: str, chain: list[str]) -> list[str]:
        if key in chain:
            return [*chain[chain.index(key) :], key]
        if key in done or key in plan.devices:
            return []
        for child in plan.assemblies[key].children:
            chain_found = search(child.type, [*chain, key])
            if chain_found:
                return chain_found
        done.add(key)
        return []

    return next((cycle for key in plan.assemblies if (cycle := search(key, []))), [])


def _devices(plan: Plan) -> Iterator[str]:
    for device in plan.devices.values():
        yield from _sorted([port.name for port in device.ports], f"the ports of `{device.key}`")
        for port in device.ports:
            if port.protocol not in plan.protocols:
                yield f"port `{device.key}.{port.name}` is of protocol `{port.protocol}`, which the plan does not have"
            if port.lanes < 1:
                yield f"port `{device.key}.{port.name}` has {port.lanes} lanes"
            if any(size < 0 for size in port.shape):
                yield f"port `{device.key}.{port.name}` has a dimension below 0"
        runs = [run for run in device.cages if len(run) == 3]
        stops = [0, *(first + size * count for first, size, count in runs)]
        if len(runs) < len(device.cages) or any(min(run) < 0 or run[1] < 1 for run in runs):
            yield f"the cages of `{device.key}` are no runs of ports"
        elif any(first < stop for stop, (first, _, _) in zip(stops, runs, strict=False)) or stops[-1] > device.radix:
            yield f"the cages of `{device.key}` overlap, or name a port that it does not have"
        sides = [side for line in device.between for side in line]
        listed = [number for line in (*device.transit, *sides) for number in line]
        if not all(sides) or any(len(line) != 2 for line in device.between):
            yield f"a transit line of `{device.key}` has a side without a port"
        if len(set(listed)) != len(listed) or any(not 0 <= n < device.radix for n in listed):
            yield f"the transit lines of `{device.key}` name a port twice or one that it does not have"


def _exports(plan: Plan) -> Iterator[str]:
    for key in plan.bottom_up:
        assembly = plan.assemblies[key]
        yield from _sorted([child.name for child in assembly.children], f"the children of `{key}`")
        labels_fit = True
        for child in assembly.children:
            for problem in _labels(child, f"`{child.name}` of `{key}`"):
                labels_fit = False
                yield problem
        for name, children in assembly.arrays.items() if labels_fit else ():
            yield from _pieces(children, f"`{name}` of `{key}`")
        for export in assembly.exports:
            yield from _labels(export, f"port `{export.name}` of `{key}`")
        yield from _sorted([export.name for export in assembly.exports], f"the exports of `{key}`")
        for export in assembly.exports:
            where = f"port `{export.name}` of `{key}`"
            if export.cage < 1 or prod(export.shape) % export.cage:
                yield f"{where} has cages of {export.cage}"
            yield from _axes(export.axes, where) or _reference(plan, assembly, export.ref, export.axes, None, where)


def _assemblies(plan: Plan) -> Iterator[str]:
    for key in plan.bottom_up:
        assembly = plan.assemblies[key]
        for number, rule in enumerate(assembly.rules):
            yield from _rule(plan, assembly, rule, f"rule {number} of `{key}`")
        for opening in assembly.openings:
            where = f"an opening of `{key}`"
            yield from _axes(opening.axes, where) or _opening(plan, assembly, opening, where)
        placed = [placement.child for placement in assembly.placements]
        if len(set(placed)) != len(placed):
            yield f"a child of `{key}` is placed twice"
        for placement in assembly.placements:
            yield from _placement(assembly, placement)


def _cables(plan: Plan) -> Iterator[str]:
    """Yield the rules that merge other links than those that share a plug with an earlier one."""
    for key in plan.bottom_up:
        given, shared = plan.assemblies[key].rules, set(shared_rules(plan, key))
        right = merge_cables(plan, key).assemblies[key].rules
        for number, (rule, other) in enumerate(zip(given, right, strict=True)):
            if rule.merged != (other.merged if number in shared else 0):
                yield f"rule {number} of `{key}` merges {rule.merged} links"


def _opening(plan: Plan, assembly: AssemblyType, opening: Opening, where: str) -> list[str]:
    if opening.where is not None:
        problems = list(_expression(opening.where, opening.axes, where, condition=True))
        if problems:
            return problems
    return list(_reference(plan, assembly, opening.ref, opening.axes, opening.where, where))


def _pieces(children: Sequence[Child], where: str) -> Iterator[str]:
    """Yield whether children that are one array of the text have its sizes, and no element twice."""
    if len(children) < 2:
        return
    if len({text_shape(child) for child in children}) > 1:
        yield f"{where} is several children of different sizes"
        return
    numbers = np.concatenate([to_labels(child, np.arange(child.count)) for child in children])
    if len(np.unique(numbers)) < len(numbers):
        yield f"{where} is several children, of which two have one element"


def _labels(array: Child | Export, where: str) -> Iterator[str]:
    """Yield whether labels, where there are any, count the elements of each dimension of the shape."""
    if not array.labels:
        return
    if len(array.labels) != len(array.shape):
        yield f"{where} has {len(array.labels)} labels for {len(array.shape)} dimensions"
        return
    for labels, size in zip(array.labels, array.shape, strict=True):
        total = prod(labels.sizes)
        if any(each < 1 for each in labels.sizes) or not labels.sizes or labels.count != size:
            yield f"{where} has labels for {labels.count} elements in a dimension of {size}"
        elif any(a >= b for a, b in pairwise((-1, *labels.absent, total))):
            yield f"what {where} leaves out does not ascend, or is outside of it"


def _rule(plan: Plan, assembly: AssemblyType, rule: Rule, where: str) -> Iterator[str]:
    if rule.link not in plan.links:
        yield f"{where} is over link `{rule.link}`, which the plan does not have"
    if rule.lanes < 1 or (rule.length is not None and rule.length < 0):
        yield f"{where} has {rule.lanes} lanes and a length of {rule.length} m"
    problems = _axes(rule.axes, where)
    if not problems and rule.where is not None:
        problems = list(_expression(rule.where, rule.axes, where, condition=True))
    yield from problems
    if problems:  # the points of the rule, and so the ranges of its subscripts, are not to be had
        return
    for ref in (rule.left, rule.right):
        yield from _reference(plan, assembly, ref, rule.axes, rule.where, where)


def _axes(axes: Sequence[Axis], where: str) -> list[str]:
    twice = [f"an axis stands twice in {where}"] if len({axis.name for axis in axes}) != len(axes) else []
    return twice + [f"axis `{axis.name}` of {where} has step {axis.step}" for axis in axes if axis.step < 1]


def _reference(
    plan: Plan, assembly: AssemblyType, ref: PortRef, axes: Sequence[Axis], condition: IndexExpr | None, where: str
) -> Iterator[str]:
    child = next((c for c in assembly.children if c.name == ref.child), None)
    if child is None:
        yield f"{where} names child `{ref.child}`, which there is none of"
        return
    shape = _port_shape(plan.type(child.type), ref.port)
    if shape is None:
        yield f"{where} names port `{ref.port}`, which `{child.type}` does not have"
        return
    for name, at, sizes in ((ref.child, ref.at, child.shape), (ref.port, ref.port_at, shape)):
        if len(at) != len(sizes):
            yield f"`{name}` in `{ref_text(ref)}` of {where} has {len(at)} subscripts for {len(sizes)} dimensions"
            continue
        for expr, size in zip(at, sizes, strict=True):
            problems = list(_expression(expr, axes, where, condition=False, holds=condition))
            yield from problems
            if not problems and not within(expr, axes, 0, size - 1, condition):
                yield f"`{text(expr)}` of `{name}` in {where} leaves 0..{size - 1}"


def _port_shape(of: DeviceType | AssemblyType, name: str) -> tuple[int, ...] | None:
    ports = of.ports if isinstance(of, DeviceType) else of.exports
    return next((port.shape for port in ports if port.name == name), None)


def _expression(
    expr: IndexExpr, axes: Sequence[Axis], where: str, *, condition: bool, holds: IndexExpr | None = None
) -> Iterator[str]:
    """Axes are declared, numbers and conditions are where they belong, no division by 0, no reading past a table."""
    match expr:
        case Const():
            right_sort = not condition
        case Var(name):
            right_sort = not condition
            if name not in {axis.name for axis in axes}:
                yield f"`{name}` in {where} is no axis of it"
        case Op(op, left, right):
            if op not in _OPERATORS:
                yield f"{where} has an operator that there is none of"
            right_sort = condition == (op not in _NUMBERS)
            below = not (op in _NUMBERS or op in _COMPARISONS)
            yield from _expression(left, axes, where, condition=below, holds=holds)
            yield from _expression(right, axes, where, condition=below, holds=holds)
            if op in ("div", "mod") and not (isinstance(right, Const) and right.value > 0):
                yield f"the divisor of `{text(expr)}` in {where} is no number above 0"
        case Not(operand):
            right_sort = condition
            yield from _expression(operand, axes, where, condition=True, holds=holds)
        case Lookup(table, at):
            right_sort = not condition
            problems = list(_expression(at, axes, where, condition=False, holds=holds))
            yield from problems
            if not problems and not within(at, axes, 0, len(table) - 1, holds):
                yield f"`{text(at)}` in {where} leaves its table of {len(table)} values"
    if not right_sort:
        yield f"`{text(expr)}` in {where} is a {'number' if condition else 'condition'} where the other belongs"


def _placement(assembly: AssemblyType, placement: Placement) -> Iterator[str]:
    child = next((c for c in assembly.children if c.name == placement.child), None)
    if child is None:
        yield f"`{assembly.key}` places `{placement.child}`, which it does not have"
    elif len(placement.positions) != child.count:
        yield f"`{assembly.key}` places {len(placement.positions)} of {child.count} `{placement.child}`"
