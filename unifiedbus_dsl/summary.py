"""A machine summed up for its architect: what is in it, its cables, its bandwidth tier by tier, what was expected.

Takes the plan alone, so a machine of a million NPUs costs what its text costs. Rates are raw: lanes times the lane rate
of the protocol, for one direction; `bidir` adds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from attrs import asdict, field, frozen

from unifiedbus_dsl import units
from unifiedbus_dsl.diagnostics.cells import text_width
from unifiedbus_dsl.plan import AssemblyType, DeviceType, Plan, PortRef
from unifiedbus_dsl.plan.lengths import length_counts
from unifiedbus_dsl.plan.numbering import UNPLACED
from unifiedbus_dsl.units import Dimension, Quantity, format_number, format_quantity

if TYPE_CHECKING:
    from unifiedbus_dsl.elaborate.expect import ExpectResult
    from unifiedbus_dsl.pipeline import Compilation

__all__ = ["Cables", "EndPoint", "Held", "Part", "Summary", "Tier", "Total", "summarize", "summary_of"]

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
    """A field added up over all devices that have it, spares left out; SI base units."""

    name: str
    value: Quantity


@frozen
class Cables:
    """All cables of one link and width. Lengths in metres; None where that of one is unknown."""

    link: str
    protocol: str
    medium: str
    width: int
    cables: int
    shortest: Fraction | None
    longest: Fraction | None
    length: Fraction | None

    @property
    def lanes(self) -> int:
        return self.cables * self.width


@frozen
class Tier:
    """The cables that an assembly type lays itself, in all its instances, what its children lay not counted.

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
class Held:
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
    expectations: tuple[Held, ...] = field(default=())

    def text(self) -> str:
        """Tables with aligned columns, ended by a newline."""
        return "\n".join(_text(self)) + "\n"

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON. Rates in byte/s for each direction, lengths in metres."""
        data: dict[str, Any] = _plain(asdict(self, recurse=True, value_serializer=_serialize))
        data["totals"] = {t.name: {"value": float(t.value), "unit": _ADDITIVE[t.value.dimension]} for t in self.totals}
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


def _held(result: ExpectResult) -> Held:
    from unifiedbus_dsl.elaborate.expect import shown

    if result.holds is None:
        return Held(result.subject, result.text, "open", f"wants `{result.needs}`, not computed here", result.source)
    values = "" if result.value is None else shown(result.value)
    if result.differs is not None:
        return Held(result.subject, result.text, "differs", f"{values} ({result.differs})".strip(), result.source)
    return Held(result.subject, result.text, "holds" if result.holds else "fails", values, result.source)


def summarize(plan: Plan, expectations: Iterable[Held] = ()) -> Summary:
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


def _chief_kind(plan: Plan) -> str | None:
    """The kind of device the machine is for: NPUs, or whatever else is an end point where it has none."""
    kinds = {device.kind for device in plan.devices.values()} - {"switch"}
    return next((kind for kind in ("npu", "cpu", "device", "nic") if kind in kinds), None)


def _end_points(plan: Plan) -> Iterator[EndPoint]:
    kind, service = _chief_kind(plan), plan.in_service
    for key, device in plan.devices.items():
        if device.kind == kind and service[key]:
            lanes = sum(port.count * port.lanes for port in device.ports)
            rate = sum((p.count * p.lanes * plan.protocols[p.protocol].lane_rate for p in device.ports), Fraction(0))
            yield EndPoint(key, service[key], device.radix, lanes, rate, service[key] * rate)


def _totals(plan: Plan) -> Iterator[Total]:
    sums: dict[tuple[str, Dimension], Fraction] = {}
    service = plan.in_service
    for key in service:
        for name, value in plan.type(key).fields.items():
            if isinstance(value, Quantity) and value.dimension in _ADDITIVE:
                at = (name, value.dimension)
                sums[at] = sums.get(at, Fraction(0)) + service[key] * value.value
    for (name, dimension), total in sorted(sums.items()):
        yield Total(name, Quantity(total, dimension))


# ---- cables -----------------------------------------------------------------------------------------------------


def _cables(plan: Plan) -> Iterator[Cables]:
    counts: dict[tuple[str, int], dict[int, int]] = {}
    for key in filter(plan.instances.get, plan.bottom_up):
        for number, rule in enumerate(plan.assemblies[key].rules):
            row = counts.setdefault((rule.link, rule.lanes), {})
            for length, count in length_counts(plan, key, number).items():
                row[length] = row.get(length, 0) + count * plan.instances[key]
    for (link, width), lengths in sorted(counts.items()):
        if lengths:
            yield _cable_row(plan, link, width, lengths)


def _cable_row(plan: Plan, link: str, width: int, counts: Mapping[int, int]) -> Cables:
    """`counts` are the numbers of cables by length in millimetres."""
    of = plan.links[link]
    medium = of.fields.get("medium")
    known = UNPLACED not in counts
    return Cables(
        link,
        of.protocol,
        medium if isinstance(medium, str) else "",
        width,
        sum(counts.values()),
        Fraction(min(counts), 1000) if known else None,
        Fraction(max(counts), 1000) if known else None,
        Fraction(sum(length * count for length, count in counts.items()), 1000) if known else None,
    )


# ---- bandwidth --------------------------------------------------------------------------------------------------


def _tiers(plan: Plan, end_points: Sequence[EndPoint]) -> Iterator[Tier]:
    """From the innermost out."""
    kind, all_of_them = _chief_kind(plan), sum(e.count for e in end_points)
    for key in plan.bottom_up:
        assembly, instances = plan.assemblies[key], plan.instances[key]
        cables = lanes = 0
        rate = ending = Fraction(0)
        for number, rule in enumerate(assembly.rules):
            count = instances * plan.numbering.rule_size(key, number)
            each = rule.lanes * plan.protocols[plan.links[rule.link].protocol].lane_rate
            ends = sum(_device_kind(plan, key, ref) == kind for ref in (rule.left, rule.right))
            cables, lanes = cables + count, lanes + count * rule.lanes
            rate, ending = rate + count * each, ending + ends * count * each
        if cables:
            per_end_point = ending / all_of_them if all_of_them else Fraction(0)
            yield Tier(assembly.kind, key, instances, cables, lanes, rate, per_end_point)


def _device_kind(plan: Plan, key: str, ref: PortRef) -> str:
    """The kind of the devices whose ports a reference names, through any number of exports."""
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
    totals = [[t.name, format_quantity(t.value)] for t in summary.totals]
    yield from _section("Added up", ["field", "total"], totals, right={1})
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


def _part_row(part: Part) -> list[str]:
    spares = f" + {part.spares:,} spare" if part.spares else ""
    return [part.level, part.type, f"{part.count:,}{spares}", ", ".join(f"{n:,} {type}" for n, type in part.holds)]


def _end_point_row(row: EndPoint) -> list[str]:
    rates = [row.rate, 2 * row.rate, row.total_rate, 2 * row.total_rate]
    return [row.type, f"{row.count:,}", f"{row.ports:,}", f"{row.lanes:,}", *map(_rate, rates)]


def _cable_row_text(row: Cables) -> list[str]:
    return [
        row.link,
        row.protocol,
        row.medium,
        f"{row.width}",
        f"{row.cables:,}",
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
    """A table with its title; nothing where there are no rows."""
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


def _plain(value: Any) -> Any:
    """Numbers as JSON has them: whole ones whole."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
