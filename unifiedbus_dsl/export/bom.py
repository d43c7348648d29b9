"""Bill of materials: parts by type, cables by link, width and length, optics; with power and cost where known.

Columns: `section` (part, cable, optics, total), `item`, `kind`, `count`, `spares` (of the count), `lanes`, `length_m`
of one, `cost_usd` and `power_w` of one, `total_length_m`, `total_cost_usd`, `total_power_w`. Cost and power are the
fields of that name; an empty field is unknown, not zero, and spares take no power.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import isnan
from pathlib import Path

import numpy as np
from attrs import frozen

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import Format, Subject, remark
from unifiedbus_dsl.export.stream import csv_text, number, write_text
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.plan import Plan, Value
from unifiedbus_dsl.units import Quantity

COLUMNS = (
    "section", "item", "kind", "count", "spares", "lanes", "length_m", "cost_usd", "power_w",
    "total_length_m", "total_cost_usd", "total_power_w",
)  # fmt: skip


@frozen
class Line:
    """A row of the bill. Quantities in SI units; None where it is unknown or does not apply."""

    section: str
    item: str
    kind: str
    count: int
    spares: int = 0
    lanes: int | None = None
    length: Fraction | None = None
    cost: Fraction | None = None
    power: Fraction | None = None

    @property
    def total_cost(self) -> Fraction | None:
        return None if self.cost is None else self.cost * self.count

    @property
    def total_power(self) -> Fraction | None:
        return None if self.power is None else self.power * (self.count - self.spares)

    @property
    def total_length(self) -> Fraction | None:
        return None if self.length is None else self.length * self.count


def bill(fabric: Fabric) -> list[Line]:
    """All lines but the total."""
    return [*_parts(fabric.plan), *_cables(fabric)]


def write(subject: Subject, path: Path, sink: Sink) -> None:
    lines = bill(subject.fabric)
    unknown = [line.item for line in lines if line.section != "optics" and line.cost is None]
    if unknown:
        names = ", ".join(dict.fromkeys(unknown))
        remark(sink, "UB0806", f"no cost is known of {names}: the total cost is that of the rest", "set `cost`")
    write_text(path, [csv_text([COLUMNS, *map(_row, lines), _total(lines)])])


def _parts(plan: Plan) -> Iterator[Line]:
    service = plan.in_service
    for key in (*plan.devices, *reversed(plan.bottom_up)):
        of, count = plan.type(key), plan.instances[key]
        cost, power = _value(of.fields.get("cost")), _value(of.fields.get("power"))
        # an assembly is on the bill for what it costs beside its contents
        if count and (key in plan.devices or cost is not None or power is not None):
            yield Line("part", key, of.kind, count, count - service[key], cost=cost, power=power)


def _cables(fabric: Fabric) -> Iterator[Line]:
    plan, kinds = fabric.plan, fabric.kinds
    links = list(plan.links.values())
    counts = np.bincount(fabric.kind, minlength=len(kinds.link)).tolist()
    optics: dict[str, int] = {}
    for n, count in enumerate(counts):
        link, length = links[int(kinds.link[n])], float(kinds.length_m[n])
        medium = link.fields.get("medium")
        if count:
            yield Line(
                "cable",
                link.name,
                medium if isinstance(medium, str) else "",
                count,
                lanes=int(kinds.lanes[n]),
                length=None if isnan(length) else Fraction(round(length * 1000), 1000),
                cost=_value(link.fields.get("cost")),
                power=_value(link.fields.get("power")),
            )
        modules = _value(link.fields.get("optics"))
        if modules:
            optics[link.name] = optics.get(link.name, 0) + int(modules * count)
    for name, modules_ in optics.items():
        if modules_:
            yield Line("optics", f"{name} module", "optics", modules_)


def _value(value: Value | None) -> Fraction | None:
    return value.value if isinstance(value, Quantity) else None


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.section, line.item, line.kind, line.count, line.spares, line.lanes, _text(line.length), _text(line.cost),
        _text(line.power), _text(line.total_length), _text(line.total_cost), _text(line.total_power),
    )  # fmt: skip


def _total(lines: list[Line]) -> tuple[object, ...]:
    def added(values: Iterator[Fraction | None]) -> str:
        known = [value for value in values if value is not None]
        return _text(sum(known, Fraction(0))) if known else ""

    length = added(line.total_length for line in lines)
    cost, power = added(line.total_cost for line in lines), added(line.total_power for line in lines)
    return ("total", "", "", "", "", "", "", "", "", length, cost, power)


def _text(value: Fraction | None) -> str:
    return "" if value is None else number(float(value), 3)


FORMAT = Format(
    "bom",
    "bill of materials: parts, cables by type and length, optics, power, cost",
    "fabric",
    "bom.csv",
    write,
    ("how the parts are joined",),
    "cables",
)
