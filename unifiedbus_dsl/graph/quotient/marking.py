"""Parts that fail, as devices that are told apart: a range of device ids is all of one instance of a part."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from unifiedbus_dsl.graph.quotient.addresses import NotProvedError, Wiring
from unifiedbus_dsl.graph.quotient.group import Mark

MOST_PARTS = 24
"""Parts that are told apart; of more the fabric is asked."""


def marks_of(wiring: Wiring, parts: Iterable[tuple[int, int]]) -> tuple[Mark, ...]:
    """Return the devices of parts, given by their first and one past their last device.

    Raises:
        NotProvedError: there are many.
    """
    ranges = list(dict.fromkeys(parts))
    if len(ranges) > MOST_PARTS:
        raise NotProvedError("many parts are lost")
    return tuple(mark for start, stop in ranges for mark in _marks(wiring, start, stop))


def _marks(wiring: Wiring, start: int, stop: int) -> list[Mark]:
    plan, key, rest = wiring.plan, wiring.plan.root, start
    path, number = tuple[str, ...](), 0
    while plan.device_count[key] != stop - start:
        starts = plan.numbering.child_starts[key]
        child = next(
            c
            for c, first in reversed(list(zip(plan.assemblies[key].children, starts, strict=False)))
            if first <= rest and c.count
        )
        first = starts[plan.numbering.child_number(key, child.name)]
        element, rest = divmod(rest - first, plan.device_count[child.type])
        path, number, key = (*path, child.name), number * child.count + element, child.type
    depth = len(path)
    return [
        Mark(p, prod(place.counts[depth:]), number)
        for p, place in enumerate(wiring.places)
        if place.path[:depth] == path
    ]
