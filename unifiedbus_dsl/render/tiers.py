"""Which parts of an assembly stand above which."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.render.plan_summary import Bundle, has_end_point, has_npu


def tiers(plan: Plan, assembly: AssemblyType, bundles: Sequence[Bundle]) -> tuple[tuple[Child, ...], ...]:
    """Return the children by how far they are from the NPUs and CPUs, nearest first."""
    children = {child.name: child for child in assembly.children}
    level = {name: 0 for name, child in children.items() if has_npu(plan, child.type)}
    level |= {name: 0 for name, child in children.items() if has_end_point(plan, child.type)}
    level = level or _lowest(assembly, bundles)
    frontier = list(level)
    while frontier:
        joined = [(b.left, b.right) for b in bundles] + [(b.right, b.left) for b in bundles]
        near = sorted({there for here, there in joined if here in frontier and there not in level})
        level |= dict.fromkeys(near, level[frontier[0]] + 1)
        frontier = near
    level |= {name: 1 for name in children if name not in level}  # switches that only pass their ports on
    used = sorted(set(level.values()))
    return tuple(tuple(c for c in assembly.children if level[c.name] == number) for number in used)


def _lowest(assembly: AssemblyType, bundles: Sequence[Bundle]) -> dict[str, int]:
    """Among switches only: the array to whose ports others are to be cabled. Of several the one with most elements,
    with most such ports, with the first name of a port (`down` and `host` come before `up`); and all that no cable
    joins with another array."""
    crossing = {name for b in bundles if not b.inner for name in (b.left, b.right)}
    lone = {child.name: 0 for child in assembly.children if child.name not in crossing}
    children = {child.name: child for child in assembly.children if child.name in crossing}
    outward = [e for e in assembly.exports if e.ref.child in children]
    if outward:
        first = min(outward, key=lambda e: (-children[e.ref.child].count, -prod(e.shape)))
        return {first.ref.child: 0, **lone}
    most_numerous = max(children.values(), key=lambda child: child.count, default=None)
    return {most_numerous.name: 0, **lone} if most_numerous else lone
