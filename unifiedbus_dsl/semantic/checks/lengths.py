"""Lengths from the floor plan: every cable has one, and its link reaches that far."""

from __future__ import annotations

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity, format_quantity, number
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.ir.plan import Plan, Rule
from unifiedbus_dsl.ir.plan.lengths import rule_lengths
from unifiedbus_dsl.ir.plan.numbering import UNPLACED


def lengths(plan: Plan, sink: Sink) -> None:
    """UB0514 where a cable has no length, UB0504 where it is longer than the reach of its link."""
    for key, assembly in plan.assemblies.items():
        for at, rule in enumerate(assembly.rules):
            if rule.length is None and plan.numbering.rule_size(key, at):
                _rule(plan, key, at, rule, sink)


def _rule(plan: Plan, key: str, at: int, rule: Rule, sink: Sink) -> None:
    lengths_of_rule = rule_lengths(plan, key, at)
    span = rule.link_span or rule.span
    if lengths_of_rule[0] == UNPLACED:
        if span is not None and not any(("@", "place") in each.spoilt for each in plan.assemblies.values()):
            children = plan.assemblies[key].by_name
            names = list(dict.fromkeys(children[side.child].text_name for side in (rule.left, rule.right)))
            sides = " and ".join(f"`{name}`" for name in names)
            sink.error(
                "UB0514",
                "this cable needs a length: none is given, and the floor plan gives none",
                span,
                "no length",
                help=(
                    f"write it: `{rule.link}(1 m)`, or place {sides} in `{key}`: "
                    f"`place {names[0]} as grid(columns = 8, pitch = [0.6 m, 2.4 m])`",
                ),
            )
        return
    reach = plan.links[rule.link].fields.get("reach")
    longest = Quantity(number(int(lengths_of_rule[-1])).value / 1000, units.LENGTH)
    if isinstance(reach, Quantity) and longest.value > reach.value and span is not None:
        link = plan.links[rule.link]
        fits = [
            f"`{name}`"
            for name, other in plan.links.items()
            if other.protocol == link.protocol and _reaches(other.fields.get("reach"), longest)
        ]
        sink.error(
            "UB0504",
            f"the longest of these cables is {format_quantity(longest)}, beyond the reach of `{rule.link}`",
            span,
            f"`{rule.link}` reaches {format_quantity(reach)}",
            labels=(*([Label(link.span, "defined here")] if link.span else []), *_placed(plan, key, rule)),
            help=("links that reach: " + ", ".join(fits),)
            if fits
            else ("place them nearer, or use a link that reaches",),
        )


def _placed(plan: Plan, key: str, rule: Rule) -> list[Label]:
    """Where the two sides of a cable are placed."""
    sides = (rule.left.child, rule.right.child)
    return [
        Label(p.span, f"`{plan.assemblies[key].by_name[p.child].text_name}` is placed here")
        for p in plan.assemblies[key].floor_places
        if p.span and p.child in sides
    ]


def _reaches(reach: object, length: Quantity) -> bool:
    return not isinstance(reach, Quantity) or reach.value >= length.value
