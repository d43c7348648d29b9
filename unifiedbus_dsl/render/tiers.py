"""Which parts of an assembly stand above which."""

from __future__ import annotations

from collections.abc import Sequence

from unifiedbus_dsl.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.render.facts import Bundle, has_end_point, has_npu


def tiers(plan: Plan, assembly: AssemblyType, bundles: Sequence[Bundle]) -> tuple[tuple[Child, ...], ...]:
    """The children by how far they are from the NPUs and CPUs, nearest first."""
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
    level |= {name: _tier_alone(plan, child) for name, child in children.items() if name not in level}
    used = sorted(set(level.values()))
    return tuple(tuple(c for c in assembly.children if level[c.name] == number) for number in used)


def _lowest(assembly: AssemblyType, bundles: Sequence[Bundle]) -> dict[str, int]:
    """Among switches only: the array to whose ports others are to be cabled, or else that with most elements."""
    outward = {export.ref.child for export in assembly.exports}
    able = [child for child in assembly.children if child.name in outward] or list(assembly.children)
    most = max((child.count for child in able), default=0)
    return {child.name: 0 for child in able if child.count == most or not bundles}


def _tier_alone(plan: Plan, child: Child) -> int:
    """Where a child goes that no cable of this assembly reaches."""
    return 0 if has_end_point(plan, child.type) else 1
