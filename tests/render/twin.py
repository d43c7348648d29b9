"""A plain twin of the plan: every device and every cable, one by one."""

from __future__ import annotations

from itertools import product
from math import prod

from tests.ir.plan.loops import index_points, value
from unifiedbus_dsl.ir.plan import AssemblyType, Plan, PortRef, Rule


def cables(rule: Rule) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The child subscripts at both ends of each cable."""
    return [
        (tuple(value(e, env) for e in rule.left.at), tuple(value(e, env) for e in rule.right.at))
        for env in index_points(rule.axes, rule.where)
    ]


def all_cables(plan: Plan, assembly: AssemblyType) -> int:
    below = sum(
        c.count * all_cables(plan, plan.assemblies[c.type]) for c in assembly.children if c.type in plan.assemblies
    )
    return below + sum(len(cables(rule)) for rule in assembly.rules)


def devices(plan: Plan, key: str, kind: str) -> int:
    if key in plan.devices:
        return int(plan.devices[key].kind == kind)
    return sum(c.count * devices(plan, c.type, kind) for c in plan.assemblies[key].children)


def names(plan: Plan, key: str, path: str = "") -> list[str]:
    """The path of every device."""
    if key in plan.devices:
        return [path]
    found = []
    for child in plan.assemblies[key].children:
        for at in product(*map(range, child.shape)):
            own = f"{child.name}[{', '.join(map(str, at))}]" if child.shape else child.name
            found += names(plan, child.type, f"{path}.{own}" if path else own)
    return found


def end(plan: Plan, assembly: AssemblyType, ref: PortRef, env: dict[str, int]) -> str:
    """The path, within the assembly, of the device at an end of a cable: followed through exported ports."""
    at = [value(e, env) for e in ref.at]
    port_at = [value(e, env) for e in ref.port_at]
    own = f"{ref.child}[{', '.join(map(str, at))}]" if at else ref.child
    child = next(c for c in assembly.children if c.name == ref.child)
    assert all(0 <= i < n for i, n in zip(at, child.shape, strict=True))
    if child.type in plan.devices:
        port = next(p for p in plan.devices[child.type].ports if p.name == ref.port)
        assert all(0 <= i < n for i, n in zip(port_at, port.shape, strict=True))
        return own
    inner = plan.assemblies[child.type]
    export = next(e for e in inner.exports if e.name == ref.port)
    inside = {a.name: a.low + i * a.step for a, i in zip(export.axes, port_at, strict=True)}
    return f"{own}.{end(plan, inner, export.ref, inside)}"


def joined(plan: Plan, key: str) -> set[frozenset[str]]:
    """The pairs of devices that some cable of this assembly itself joins."""
    assembly = plan.assemblies[key]
    return {
        frozenset((end(plan, assembly, rule.left, env), end(plan, assembly, rule.right, env)))
        for rule in assembly.rules
        for env in index_points(rule.axes, rule.where)
    }


def size(plan: Plan, key: str) -> int:
    if key in plan.devices:
        return 1
    return sum(prod(c.shape) * size(plan, c.type) for c in plan.assemblies[key].children)
