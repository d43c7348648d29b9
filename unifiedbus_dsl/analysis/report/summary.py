"""A machine summed up for its architect: what is in it, its cables, its bandwidth tier by tier, what was expected.

Takes the plan alone, so a machine of a million NPUs costs what its text costs. Rates are raw: lanes times the lane rate
of the protocol, for one direction; `bidir` adds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Dimension, Quantity, format_number, format_quantity
from unifiedbus_dsl.diagnostics.display_width import text_width
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Plan, PortRef
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.ir.plan.numbering import UNPLACED
from unifiedbus_dsl.ir.plan.physical import sort_cables
from unifiedbus_dsl.ir.plan.totals import CableCount, add_up, count_cables, list_parts

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.semantic.types.expectations import ExpectResult

__all__ = ["Cables", "EndPoint", "ExpectationRow", "Part", "Summary", "Tier", "Total", "summarize", "summary_of"]

_ADDITIVE: Mapping[Dimension, str] = {
    units.SIZE: "byte",
    units.COMPUTE: "FLOPS",
    units.POWER: "W",
    units.MONEY: "USD",
}
"""Dimensions whose fields are added up over all devices, with the unit of the JSON figures."""


@frozen
class Part:
    """A type and how often it is in the machine. `holds` are its direct children: count and type."""

    level: str
    type: str
    count: int
    spares: int
    holds: tuple[tuple[int, str], ...]


@frozen
class EndPoint:
    """What one end point has to offer: ports, lanes, byte/s for each direction, one alone and all together."""

    type: str
    count: int
    ports: int
    lanes: int
    rate: Fraction
    total_rate: Fraction


@frozen
class Total:
    """A field added up over all parts and cables that have it, spares left out, and over the spares, which take no
    power; SI base units."""

    name: str
    value: Quantity
    spares: Quantity


@frozen
class Cables:
    """All cables of one link and width, with how many more lie in spare assemblies. Lengths in metres, those of spares
    left out; None where that of one is unknown."""

    link: str
    protocol: str
    medium: str
    width: int
    cables: int
    spares: int
    shortest: Fraction | None
    longest: Fraction | None
    length: Fraction | None

    @property
    def lanes(self) -> int:
        return self.cables * self.width


@frozen
class Tier:
    """The cables that an assembly type lays itself, in all its instances, spares and what its children lay left out.

    `rate` is byte/s for each direction, `per_end_point` the part of it that ends at end points, divided by their
    number.
    """

    level: str
    type: str
    instances: int
    cables: int
    lanes: int
    rate: Fraction
    per_end_point: Fraction


@frozen
class ExpectationRow:
    """An expectation: whose it is, its text, how it came out, the value that was found and where the figure is from.

    `verdict` is `holds`, `fails`, `differs` (as the text says it does) or `open` (a measure that was not computed).
    """

    subject: str
    text: str
    verdict: str
    found: str
    source: str | None


@frozen
class Summary:
    """One system summed up; `text()` for people, `to_data()` for machines."""

    system: str
    root: str
    parts: tuple[Part, ...]
    end_points: tuple[EndPoint, ...]
    totals: tuple[Total, ...]
    cables: tuple[Cables, ...]
    tiers: tuple[Tier, ...]
    expectations: tuple[ExpectationRow, ...] = field(default=())

    def text(self) -> str:
        """Tables with aligned columns, ended by a newline."""
        return "\n".join(_text(self)) + "\n"

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON. Rates in byte/s for each direction, lengths in metres."""
        data: dict[str, Any] = _plain(asdict(self, recurse=True, value_serializer=_serialize))
        data["totals"] = {t.name: _total_data(t) for t in self.totals}
        for row, cables in zip(data["cables"], self.cables, strict=True):
            row["lanes"] = cables.lanes
        return data


def summary_of(compilation: Compilation, system: str | None = None) -> Summary:
    """Sum up a compiled system, by default the first, with what was expected of it.

    Raises:
        CompilationFailed: the text has errors, or no system.
        KeyError: no system of that name.
    """
    plan = compilation.pick(system)
    subjects = {plan.system, *plan.devices, *plan.assemblies}
    held = [_held(result) for result in compilation.expectations if result.subject in subjects]
    return summarize(plan, held)


def _held(result: ExpectResult) -> ExpectationRow:
    from unifiedbus_dsl.semantic.types.expectations import shown

    if result.holds is None:
        return ExpectationRow(
            result.subject, result.text, "open", f"wants `{result.needs}`, not computed here", result.source
        )
    values = "" if result.value is None else shown(result.value)
    if result.differs is not None:
        return ExpectationRow(
            result.subject, result.text, "differs", f"{values} ({result.differs})".strip(), result.source
        )
    return ExpectationRow(result.subject, result.text, "holds" if result.holds else "fails", values, result.source)


def summarize(plan: Plan, expectations: Iterable[ExpectationRow] = ()) -> Summary:
    """Sum a system up."""
    end_points = tuple(_end_points(plan))
    return Summary(
        plan.system,
        plan.root,
        tuple(_parts(plan)),
        end_points,
        tuple(_totals(plan)),
        tuple(_cables(plan)),
        tuple(_tiers(plan, end_points)),
        tuple(expectations),
    )


# ---- what is in it ----------------------------------------------------------------------------------------------


def _parts(plan: Plan) -> Iterator[Part]:
    """Assemblies from the top down, then the devices: end points before switches."""
    service, all_of_them = plan.in_service, plan.instances
    devices = sorted(plan.devices, key=lambda key: (plan.devices[key].kind == "switch", key))
    for key in [*reversed(plan.bottom_up), *devices]:
        of = plan.type(key)
        count = service[key]
        if all_of_them[key]:
            yield Part(of.kind, key, count, all_of_them[key] - count, tuple(_holds(of)))


def _holds(of: DeviceType | AssemblyType) -> Iterator[tuple[int, str]]:
    if isinstance(of, AssemblyType):
        counts: dict[str, int] = {}
        for child in of.children:
            counts[child.type] = counts.get(child.type, 0) + child.count
        yield from ((count, type) for type, count in counts.items())


def _end_points(plan: Plan) -> Iterator[EndPoint]:
    kind, service = end_kind(plan), plan.in_service
    for key, device in plan.devices.items():
        if device.kind == kind and service[key]:
            lanes = sum(port.count * port.lanes for port in device.ports)
            rate = sum((p.count * p.lanes * plan.protocols[p.protocol].lane_rate for p in device.ports), Fraction(0))
            yield EndPoint(key, service[key], device.radix, lanes, rate, service[key] * rate)


def _totals(plan: Plan) -> Iterator[Total]:
    parts = list(list_parts(plan))
    fields = [(name, value) for part, _, _ in parts for name, value in part.fields.items()]
    names = {name for name, value in fields if isinstance(value, Quantity) and value.dimension in _ADDITIVE}
    for name in sorted(names):
        value = add_up(name, ((part.fields, service) for part, service, _ in parts))
        spares = add_up(name, ((part.fields, spare) for part, _, spare in parts))
        if value is not None and spares is not None:
            idle = value.dimension == units.POWER
            yield Total(name, value, Quantity(Fraction(0), spares.dimension) if idle else spares)


# ---- cables -----------------------------------------------------------------------------------------------------


def _cables(plan: Plan) -> Iterator[Cables]:
    counts: dict[tuple[str, int], dict[int, int]] = {}
    spares: dict[tuple[str, int], int] = {}
    for key in plan.bottom_up:
        service, spare = plan.in_service[key], plan.instances[key] - plan.in_service[key]
        for sort in sort_cables(plan, key):
            kind = sort.link, sort.lanes
            row = counts.setdefault(kind, {})
            row[sort.length] = row.get(sort.length, 0) + sort.count * service
            spares[kind] = spares.get(kind, 0) + sort.count * spare
    for (link, width), lengths in sorted(counts.items()):
        used = {length: count for length, count in lengths.items() if count}
        if used or spares[link, width]:
            yield _cable_row(plan, link, width, used, spares[link, width])


def _cable_row(plan: Plan, link: str, width: int, counts: Mapping[int, int], spares: int) -> Cables:
    """`counts` are the numbers of cables by length in millimetres."""
    of = plan.links[link]
    medium = of.fields.get("medium")
    known = bool(counts) and UNPLACED not in counts
    return Cables(
        link,
        of.protocol,
        medium if isinstance(medium, str) else "",
        width,
        sum(counts.values()),
        spares,
        Fraction(min(counts), 1000) if known else None,
        Fraction(max(counts), 1000) if known else None,
        Fraction(sum(length * count for length, count in counts.items()), 1000) if known else None,
    )


# ---- bandwidth --------------------------------------------------------------------------------------------------


def _tiers(plan: Plan, end_points: Sequence[EndPoint]) -> Iterator[Tier]:
    """From the innermost out."""
    kind, all_of_them = end_kind(plan), sum(e.count for e in end_points)
    rows: dict[str, list[CableCount]] = {}
    for of in count_cables(plan):
        rows.setdefault(of.key, []).append(of)
    for key, rules in rows.items():
        cables = lanes = 0
        rate = ending = Fraction(0)
        for of in rules:
            each = of.rule.lanes * plan.protocols[plan.links[of.rule.link].protocol].lane_rate
            ends = sum(_device_kind(plan, key, ref) == kind for ref in (of.rule.left, of.rule.right))
            cables, lanes = cables + of.in_service, lanes + of.links * of.rule.lanes
            rate, ending = rate + of.links * each, ending + ends * of.links * each
        if cables:
            per_end_point = ending / all_of_them if all_of_them else Fraction(0)
            yield Tier(plan.assemblies[key].kind, key, plan.in_service[key], cables, lanes, rate, per_end_point)


def _device_kind(plan: Plan, key: str, ref: PortRef) -> str:
    """Return the kind of the devices whose ports a reference names, through any number of exports."""
    child = next(c for c in plan.assemblies[key].children if c.name == ref.child)
    of = plan.type(child.type)
    if isinstance(of, DeviceType):
        return of.kind
    return _device_kind(plan, of.key, next(e.ref for e in of.exports if e.name == ref.port))


# ---- as text ----------------------------------------------------------------------------------------------------


def _text(summary: Summary) -> Iterator[str]:
    yield f"{summary.system} : {summary.root}"
    yield from _section(
        "What is in it", ["level", "type", "count", "made of"], map(_part_row, summary.parts), right={2}
    )
    yield from _section(
        "End points",
        ["type", "count", "ports", "lanes", "each direction", "bidir", "all, each direction", "all, bidir"],
        map(_end_point_row, summary.end_points),
        right={1, 2, 3, 4, 5, 6, 7},
    )
    yield from _section("Added up", *_total_rows(summary.totals))
    yield from _section(
        "Cables",
        ["link", "protocol", "medium", "lanes", "cables", "all lanes", "length of one", "of all"],
        map(_cable_row_text, summary.cables),
        right={3, 4, 5, 6, 7},
    )
    yield from _section(
        "Bandwidth by tier",
        ["cables inside", "instances", "cables", "each direction", "bidir", "of an end point, each direction"],
        map(_tier_row, summary.tiers),
        right={1, 2, 3, 4, 5},
    )
    held = [[e.verdict, e.subject, e.text, e.found, e.source or ""] for e in summary.expectations]
    yield from _section("Expectations", ["", "of", "expect", "found", "source"], held, right=set())


def _total_rows(totals: Sequence[Total]) -> tuple[list[str], list[list[str]], set[int]]:
    """Return the head of the table, its rows, and the columns on the right; what spares add where there are any."""
    if not any(t.spares.value for t in totals):
        return ["field", "total"], [[t.name, format_quantity(t.value)] for t in totals], {1}
    rows = [[t.name, format_quantity(t.value), format_quantity(t.spares) if t.spares.value else "-"] for t in totals]
    return ["field", "total, without spares", "spares"], rows, {1, 2}


def _with_spares(count: int, spares: int) -> str:
    return f"{count:,} + {spares:,} spare" if spares else f"{count:,}"


def _part_row(part: Part) -> list[str]:
    made_of = ", ".join(f"{n:,} {type}" for n, type in part.holds)
    return [part.level, part.type, _with_spares(part.count, part.spares), made_of]


def _end_point_row(row: EndPoint) -> list[str]:
    rates = [row.rate, 2 * row.rate, row.total_rate, 2 * row.total_rate]
    return [row.type, f"{row.count:,}", f"{row.ports:,}", f"{row.lanes:,}", *map(_rate, rates)]


def _cable_row_text(row: Cables) -> list[str]:
    return [
        row.link,
        row.protocol,
        row.medium,
        f"{row.width}",
        _with_spares(row.cables, row.spares),
        f"{row.lanes:,}",
        _span_of_lengths(row),
        _length(row.length),
    ]


def _span_of_lengths(row: Cables) -> str:
    if row.shortest == row.longest:
        return _length(row.shortest)
    return f"{_length(row.shortest)} to {_length(row.longest)}"


def _tier_row(tier: Tier) -> list[str]:
    rates = [tier.rate, 2 * tier.rate, tier.per_end_point]
    return [f"{tier.level} {tier.type}", f"{tier.instances:,}", f"{tier.cables:,}", *map(_rate, rates)]


def _rate(rate: Fraction) -> str:
    return format_quantity(Quantity(rate, units.RATE)) if rate else "-"


def _length(length: Fraction | None) -> str:
    """In metres as cable lists have it, from a kilometre on in kilometres."""
    if length is None:
        return "-"
    return f"{format_number(length)} m" if length < 1000 else format_quantity(Quantity(length, units.LENGTH))


def _section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], right: set[int]) -> Iterator[str]:
    """Yield a table with its title; nothing where there are no rows."""
    body = list(rows)
    if body:
        yield ""
        yield title
        yield from _table([head, *body], right)


def _table(rows: Sequence[Sequence[str]], right: set[int]) -> Iterator[str]:
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [_padded(cell, widths[n], n in right) for n, cell in enumerate(row)]
        yield ("  " + "  ".join(cells)).rstrip()


def _padded(cell: str, width: int, right: bool) -> str:
    space = " " * (width - text_width(cell))
    return space + cell if right else cell + space


# ---- as data ----------------------------------------------------------------------------------------------------


def _serialize(_: object, __: object, value: Any) -> Any:
    return _plain(value)


def _total_data(total: Total) -> dict[str, Any]:
    data = {"value": float(total.value), "unit": _ADDITIVE[total.value.dimension]}
    return data | ({"spares": float(total.spares)} if total.spares.value else {})


def _plain(value: Any) -> Any:
    """Return numbers as JSON has them: whole ones whole."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
