"""Bill of materials: parts by type, cables by link, width and length, optics; with power and cost where known.

Columns: `section` (part, cable, optics, total), `item`, `kind`, `count`, `spares` (of the count), `lanes` and `ends` of
one cable or module, `length_m`, `cost_usd` and `power_w` of one, `total_length_m`, `total_cost_usd`, `total_power_w`.
Cost and power are the fields of that name; an empty field is unknown, not zero, and spares take no power.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from attrs import frozen

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import csv
from unifiedbus_dsl.export.base import ExportInput, Format, remark
from unifiedbus_dsl.export.common.stream import number, write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.modules import sort_modules
from unifiedbus_dsl.ir.plan import Plan, Value
from unifiedbus_dsl.ir.plan.numbering import UNPLACED
from unifiedbus_dsl.ir.plan.physical import sort_cables
from unifiedbus_dsl.ir.plan.totals import add_up, list_parts

COLUMNS = (
    "section", "item", "kind", "count", "spares", "lanes", "ends", "length_m", "cost_usd", "power_w",
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
    ends: int | None = None
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
    """Return all lines but the total."""
    return [*_parts(fabric.plan), *_cables(fabric.plan), *_optics(fabric)]


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    lines = bill(subject.fabric)
    unknown = [line.item for line in lines if line.section != "optics" and line.cost is None]
    if unknown:
        names = ", ".join(dict.fromkeys(unknown))
        remark(sink, "UB0806", f"no cost is known of {names}: the total cost is that of the rest", "set `cost`")
    write_text(path, [csv.table([COLUMNS, *map(_row, lines), _total(subject.fabric.plan, lines)])])


def _parts(plan: Plan) -> Iterator[Line]:
    service = plan.in_service
    for key in (*plan.devices, *reversed(plan.bottom_up)):
        of, count = plan.type(key), plan.instances[key]
        cost, power = _value(of.fields.get("cost")), _value(of.fields.get("power"))
        # an assembly is on the bill for what it costs beside its contents
        if count and (key in plan.devices or cost is not None or power is not None):
            yield Line("part", key, of.kind, count, count - service[key], cost=cost, power=power)


def _cables(plan: Plan) -> Iterator[Line]:
    """Yield the cables by link, width, ends and length."""
    spares: dict[tuple[str, int, int, int], int] = {}
    counts: dict[tuple[str, int, int, int], int] = {}
    for key in plan.bottom_up:
        for sort in sort_cables(plan, key):
            at = sort.link, sort.lanes, sort.ends, sort.length
            counts[at] = counts.get(at, 0) + sort.count * plan.instances[key]
            spares[at] = spares.get(at, 0) + sort.count * (plan.instances[key] - plan.in_service[key])
    order = {name: n for n, name in enumerate(plan.links)}
    for at in sorted(counts, key=lambda at: (order[at[0]], *at[1:])):
        if counts[at]:
            yield _cable_line(plan, *at, counts[at], spares[at])


def _optics(fabric: Fabric) -> Iterator[Line]:
    """Yield the modules by link, ports and width of a port."""
    for name, ports, lanes, count, spares in sort_modules(fabric):
        each = f"x{lanes}" if ports == 1 else f"{ports} x{lanes}"
        yield Line("optics", f"{name} module {each}", "optics", count, spares, lanes=ports * lanes)


def _cable_line(plan: Plan, link: str, lanes: int, ends: int, length: int, count: int, spares: int) -> Line:
    """Return the line of `count` cables of one length in millimetres."""
    fields = plan.links[link].fields
    medium = fields.get("medium")
    return Line(
        "cable",
        link,
        medium if isinstance(medium, str) else "",
        count,
        spares,
        lanes=lanes,
        ends=ends,
        length=None if length == UNPLACED else Fraction(length, 1000),
        cost=_value(fields.get("cost")),
        power=_value(fields.get("power")),
    )


def _value(value: Value | None) -> Fraction | None:
    return value.value if isinstance(value, Quantity) else None


def _row(line: Line) -> tuple[object, ...]:
    return (
        line.section, line.item, line.kind, line.count, line.spares, line.lanes, line.ends, _text(line.length),
        _text(line.cost), _text(line.power), _text(line.total_length), _text(line.total_cost), _text(line.total_power),
    )  # fmt: skip


def _total(plan: Plan, lines: list[Line]) -> tuple[object, ...]:
    """Return the last row: cost of everything, power of what is in service, by the sums that all tables have."""
    known = [line.total_length for line in lines if line.total_length is not None]
    length = _text(sum(known, Fraction(0))) if known else ""
    parts = list(list_parts(plan))
    cost = add_up("cost", ((part.fields, service + spare) for part, service, spare in parts))
    power = add_up("power", ((part.fields, service) for part, service, _ in parts))
    return ("total", "", "", "", "", "", "", "", "", "", length, _text(_value(cost)), _text(_value(power)))


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
