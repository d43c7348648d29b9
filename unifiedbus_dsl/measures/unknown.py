"""Answers about machines of which something is not known: estimates, with what was taken in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import Any, TypeVar, cast

import numpy as np
from attrs import evolve, fields

from unifiedbus_dsl.base.units import RATE, Quantity, counted, format_quantity
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.unknown import What, without
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.registry import rests_on
from unifiedbus_dsl.solver.bounds import BoundedValue

T = TypeVar("T")


def marked(answer: Answer, fabric: Fabric) -> Answer:
    """Return an answer as an estimate where it rests on what nobody knows, with what stands in its place."""
    said = tuple(_assumptions(answer.measure, fabric))
    return answer.estimated(*said) if said else answer


def marked_result(result: T, measure: str, fabric: Fabric) -> T:
    """Return a result of Python as an estimate where it rests on what nobody knows: bounds are no proof there, and its
    `assumptions` say what stands in its place."""
    said = tuple(_assumptions(measure, fabric))
    if not said or not hasattr(result, "assumptions"):
        return result
    changes: dict[str, object] = {"assumptions": said}
    for each in fields(cast(Any, type(result))):
        value = getattr(result, each.name)
        if isinstance(value, BoundedValue):
            changes[each.name] = evolve(value, kind="estimate", reason="; ".join((value.reason, *said)))
        elif hasattr(value, "assumptions"):
            changes[each.name] = evolve(value, assumptions=said)
    return cast(T, evolve(cast(Any, result), **changes))


def _assumptions(measure: str, fabric: Fabric) -> Iterator[str]:
    known: tuple[What, ...] = ("rate", "latency")
    return taken_for_unknown(fabric, [what for what in known if rests_on(measure, what)])


def taken_for_unknown(fabric: Fabric, rests_on: Collection[What]) -> Iterator[str]:
    """Yield what is taken where something of cables is not known, of what an answer rests on."""
    if "rate" in rests_on:
        rates = sorted({_rate(fabric, kind) for kind in _unknown(fabric, "rate").tolist()})
        if rates:
            count = int(np.isin(fabric.kind, _unknown(fabric, "rate")).sum())
            each = " or ".join(format_quantity(Quantity(rate, RATE)) for rate in rates)
            yield f"no rate is known of {counted(count, 'cable')}: {each} each is an assumption"
    if "latency" in rests_on and len(_unknown(fabric, "latency")):
        count = int(np.isin(fabric.kind, _unknown(fabric, "latency")).sum())
        yield f"no latency is known of {counted(count, 'cable')}: none is an assumption"


def _unknown(fabric: Fabric, what: What) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the kinds of cable of which something is not known."""
    return np.flatnonzero(without(fabric.plan, what, fabric.kinds.link))


def _rate(fabric: Fabric, kind: int) -> Fraction:
    link = list(fabric.plan.links.values())[int(fabric.kinds.link[kind])]
    return fabric.plan.protocols[link.protocol].lane_rate * int(fabric.kinds.lanes[kind])
