"""The sums of a machine: each total that is shown anywhere is added up here.

Spares are parts that stand by: `in_service` counts and sums leave them out, as `all` does; a bill has both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from attrs import frozen

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Link, Plan, Rule, Value


@frozen
class CableCount:
    """The physical cables that rule `number` of assembly type `key` begins in the whole system, and its links in
    service: more where several are one cable."""

    key: str
    number: int
    rule: Rule
    in_service: int
    spares: int
    links: int


def count_cables(plan: Plan) -> Iterator[CableCount]:
    """Yield the cables of each rule, from the innermost assembly out: those inside a spare assembly are spares."""
    for key in plan.bottom_up:
        service, spares = plan.in_service[key], plan.instances[key] - plan.in_service[key]
        for number, rule in enumerate(plan.assemblies[key].rules):
            links = plan.numbering.rule_size(key, number)
            each = links - rule.merged
            if plan.instances[key]:
                yield CableCount(key, number, rule, service * each, spares * each, service * links)


def list_parts(plan: Plan) -> Iterator[tuple[DeviceType | AssemblyType | Link, int, int]]:
    """Yield all that may state a cost or power: each type and link, how many are in service, how many are spares."""
    for key in (*plan.devices, *plan.bottom_up):
        yield plan.type(key), plan.in_service[key], plan.instances[key] - plan.in_service[key]
    counts: dict[str, tuple[int, int]] = {}
    for row in count_cables(plan):
        service, spares = counts.get(row.rule.link, (0, 0))
        counts[row.rule.link] = service + row.in_service, spares + row.spares
    for link, (service, spares) in counts.items():
        yield plan.links[link], service, spares


def add_up(name: str, parts: Iterable[tuple[Mapping[str, Value], int]]) -> Quantity | None:
    """Return the sum of a field over all parts that state it, each with how many there are; None where none does."""
    stated = [(fields[name], count) for fields, count in parts if name in fields]
    amounts = [(value, count) for value, count in stated if isinstance(value, Quantity)]
    if not amounts:
        return None
    return Quantity(sum((value.value * count for value, count in amounts), Fraction(0)), amounts[0][0].dimension)
