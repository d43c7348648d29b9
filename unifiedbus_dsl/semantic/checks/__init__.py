"""Checks of a plan: each finds one sort of mistake, once per type, and says how many instances it touches.

A check is a function `(plan, sink) -> None` in a file named after what it looks for. The cost follows the text, not the
machine: what arithmetic can prove is not enumerated.
"""

from __future__ import annotations

from collections.abc import Callable

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.semantic.checks.cages import cages
from unifiedbus_dsl.semantic.checks.heights import heights
from unifiedbus_dsl.semantic.checks.islands import islands
from unifiedbus_dsl.semantic.checks.lanes import lanes
from unifiedbus_dsl.semantic.checks.lengths import lengths
from unifiedbus_dsl.semantic.checks.loops import loops
from unifiedbus_dsl.semantic.checks.ports import ports

CHECKS: tuple[Callable[[Plan, Sink], None], ...] = (lanes, ports, cages, lengths, heights, islands, loops)
"""In order: a later one may rely on what an earlier one has found to hold."""


def check(plan: Plan, sink: Sink) -> None:
    """Run every check. `islands` and `loops` are silent once anything else is wrong: a missing cable, or one that ends
    where it begins, would be reported twice."""
    for each in CHECKS:
        if each not in (islands, loops) or not sink.has_errors:
            each(plan, sink)
