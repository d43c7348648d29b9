"""The plain-loop twin of expansion: one Python object for each device and cable, straight from the definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from math import floor

import networkx as nx

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, Const, IndexExpr, Lookup, Not, Op, Plan, PortRef, Rule, Var

Position = tuple[Fraction, Fraction]


def value(expr: IndexExpr, at: Mapping[str, int]) -> int:
    match expr:
        case Const(number):
            return number
        case Var(name):
            return at[name]
        case Not(operand):
            return not value(operand, at)
        case Lookup(table, inner):
            return table[value(inner, at)]
        case Op(op, left, right):
            a, b = value(left, at), value(right, at)
            return {
                "+": lambda: a + b,
                "-": lambda: a - b,
                "*": lambda: a * b,
                "div": lambda: a // b,
                "mod": lambda: a % b,
                "==": lambda: a == b,
                "!=": lambda: a != b,
                "<": lambda: a < b,
                "<=": lambda: a <= b,
                ">": lambda: a > b,
                ">=": lambda: a >= b,
                "and": lambda: bool(a and b),
                "or": lambda: bool(a or b),
            }[op]()


def index_points(axes: tuple[Axis, ...], where: IndexExpr | None) -> Iterator[dict[str, int]]:
    for values in product(*(range(a.low, a.high + 1, a.step) for a in axes)):
        at = {axis.name: v for axis, v in zip(axes, values, strict=True)}
        if where is None or value(where, at):
            yield at


def subscript(name: str, at: tuple[int, ...]) -> str:
    return f"{name}[{', '.join(map(str, at))}]" if at else name


def device_paths(plan: Plan, key: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Path and type of each device, in order."""
    if key in plan.devices:
        yield prefix, key
        return
    for child in sorted(plan.assemblies[key].children, key=lambda c: c.name):
        for at in product(*map(range, child.shape)):
            path = subscript(child.name, at)
            yield from device_paths(plan, child.type, f"{prefix}.{path}" if prefix else path)


def end(plan: Plan, key: str, ref: PortRef, at: Mapping[str, int]) -> tuple[list[tuple[str, tuple[int, ...]]], str]:
    """The steps (child, subscripts) down to the device, and the port."""
    child = next(c for c in plan.assemblies[key].children if c.name == ref.child)
    step = (ref.child, tuple(value(e, at) for e in ref.at))
    port_at = tuple(value(e, at) for e in ref.port_at)
    if child.type in plan.devices:
        return [step], subscript(ref.port, port_at)
    export = next(e for e in plan.assemblies[child.type].exports if e.name == ref.port)
    inner = {a.name: range(a.low, a.high + 1, a.step)[n] for a, n in zip(export.axes, port_at, strict=True)}
    steps, port = end(plan, child.type, export.ref, inner)
    return [step, *steps], port


def place(plan: Plan, key: str, steps: list[tuple[str, tuple[int, ...]]]) -> tuple[Position, tuple[object, ...]] | None:
    """Position of the nearest placed ancestor on these steps, in the frame of the type, and which element that is."""
    found: tuple[Position, tuple[object, ...]] | None = None
    x = y = Fraction(0)
    for depth, (name, at) in enumerate(steps):
        assembly = plan.assemblies[key]
        child = next(c for c in assembly.children if c.name == name)
        number = 0
        for n, size in zip(at, child.shape, strict=True):
            number = number * size + n
        placement = next((p for p in assembly.placements if p.child == name), None)
        if placement is not None:
            x, y = x + placement.positions[number][0], y + placement.positions[number][1]
            found = (x, y), tuple(steps[: depth + 1])
        elif child.count > 1:
            return found
        key = child.type
    return found


def cable_length(plan: Plan, key: str, rule: Rule, left: list, right: list) -> float | None:  # type: ignore[type-arg]
    if rule.length is not None:
        return rounded(rule.length)
    a, b = place(plan, key, left), place(plan, key, right)
    if a is None or b is None or a[1] == b[1]:
        return None
    slack = plan.links[rule.link].fields.get("slack")
    total = abs(a[0][0] - b[0][0]) + abs(a[0][1] - b[0][1]) + (slack.value if isinstance(slack, Quantity) else 0)
    return rounded(total)


def rounded(metres: Fraction) -> float:
    return floor(metres * 1000 + Fraction(1, 2)) / 1000


def cables(plan: Plan, key: str, prefix: str = "") -> Iterator[tuple[str, str, str, str, str, int, float | None]]:
    """Device and port of both ends, link, lanes, length of each cable, in order."""
    if key in plan.devices:
        return
    assembly: AssemblyType = plan.assemblies[key]
    dot = f"{prefix}." if prefix else ""
    for child in assembly.children:
        for at in product(*map(range, child.shape)):
            yield from cables(plan, child.type, dot + subscript(child.name, at))
    for rule in assembly.rules:
        for at in index_points(rule.axes, rule.where):
            left, left_port = end(plan, key, rule.left, at)
            right, right_port = end(plan, key, rule.right, at)
            a, b = (dot + ".".join(subscript(*step) for step in steps) for steps in (left, right))
            length = cable_length(plan, key, rule, left, right)
            yield a, left_port, b, right_port, rule.link, rule.lanes, length


def graph(plan: Plan) -> nx.MultiGraph:
    result = nx.MultiGraph()
    result.add_nodes_from((name, {"type": key}) for name, key in device_paths(plan, plan.root))
    for a, a_port, b, b_port, link, lanes, length in cables(plan, plan.root):
        result.add_edge(a, b, ports=frozenset([(a, a_port), (b, b_port)]), link=link, lanes=lanes, length=length)
    return result
