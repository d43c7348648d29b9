"""The canonical text of a plan: deterministic, complete but for long tables, and short enough to read.

Types stand in order of key, devices first. What depends on the numbering (instances, devices, cables) is printed too,
so that a golden text shows when it moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from unifiedbus_dsl.base.units import LENGTH, RATE, TIME, Quantity, format_quantity, number
from unifiedbus_dsl.escape.terminal import clean
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, DeviceType, Link, Placement, Plan, PortRef, Protocol, Rule, Value
from unifiedbus_dsl.ir.plan.index import table_checksum, text, texts
from unifiedbus_dsl.ir.plan.labels import shape_text
from unifiedbus_dsl.ir.plan.numbering import micrometres

_DIGITS = 12
_FEW = 6


def plan_text(plan: Plan) -> str:
    """Return the text of a whole plan, ending in a newline."""
    blocks = [[f"plan {plan.system} : {plan.root}"]]
    blocks += [list(_protocol(protocol)) for _, protocol in sorted(plan.protocols.items())]
    blocks += [list(_link(link)) for _, link in sorted(plan.links.items())]
    blocks += [list(_device(plan, device)) for _, device in sorted(plan.devices.items())]
    blocks += [list(_assembly(plan, assembly)) for _, assembly in sorted(plan.assemblies.items())]
    return "\n\n".join("\n".join(map(clean, block)) for block in blocks) + "\n"


def _protocol(protocol: Protocol) -> Iterator[str]:
    yield f"protocol {protocol.name}"
    yield f"  lane = {_quantity(Quantity(protocol.lane_rate, RATE))}"
    yield f"  latency = {_quantity(Quantity(protocol.latency, TIME))}"
    yield f"  efficiency = {_quantity(number(protocol.efficiency))}"
    yield from _fields({n: v for n, v in protocol.fields.items() if n not in ("lane", "latency", "efficiency")})


def _link(link: Link) -> Iterator[str]:
    yield f"link {link.name} : {link.protocol}"
    yield from _fields(link.fields)


def _device(plan: Plan, device: DeviceType) -> Iterator[str]:
    yield f"{device.kind} {device.key}  # {_count(plan.instances[device.key], 'instance')}, radix {device.radix:,}"
    for port in device.ports:
        shape = f"[{', '.join(map(str, port.shape))}]" if port.shape else ""
        yield f"  port {port.name}{shape} : {port.protocol} x{port.lanes}" + (" @open" if port.open else "")
    for first, size, count in device.cages:
        yield f"  cages {first}..{first + size * count - 1} by {size}"
    for ports in device.transit:
        yield f"  transit {', '.join(_runs(ports))}"
    for sides in device.between:
        yield f"  transit {' -- '.join(', '.join(_runs(ports)) for ports in sides)}"
    yield from _fields(device.fields)


def _assembly(plan: Plan, assembly: AssemblyType) -> Iterator[str]:
    key = assembly.key
    numbers = (
        _count(plan.instances[key], "instance"),
        _count(plan.device_count[key], "device"),
        _cables(plan.numbering.cable_count[key], plan.numbering.merged_count[key]),
    )
    yield f"{assembly.kind} {key}  # {', '.join(numbers)}"
    for child in assembly.children:
        yield f"  {'spare ' if child.spare else ''}{child.name}{shape_text(child)} : {child.type}"
    for export in assembly.exports:
        names = f"[{', '.join(axis.name for axis in export.axes)}]" if export.axes else ""
        cage = f" @cage({export.cage})" if export.cage > 1 else ""
        yield f"  port {export.name}{names} = {ref_text(export.ref)}{_for(export.axes)}{cage}"
    for number_, rule in enumerate(assembly.rules):
        yield f"  {rule_text(rule)}  # {_cables(plan.numbering.rule_size(key, number_), rule.merged)}"
    for opening in assembly.openings:
        where = "" if opening.where is None else f" where {text(opening.where)}"
        yield f"  open {ref_text(opening.ref)}{_for(opening.axes)}{where}"
    for placement in assembly.placements:
        yield f"  place {placement.child} as {placement.method} {_positions(placement)}"
    yield from _fields(assembly.fields)


def ref_text(ref: PortRef) -> str:
    """`plane[k].down[8*b + n]`."""
    return f"{ref.child}{texts(ref.at)}.{ref.port}{texts(ref.port_at)}"


def rule_text(rule: Rule) -> str:
    """`connect … -- … over Copper x4 (1 m) for i in 0..7, j in 0..7 where i < j`."""
    length = "floor" if rule.length is None else _quantity(Quantity(rule.length, LENGTH))
    pattern = f" as {rule.pattern}" if rule.pattern else ""
    where = "" if rule.where is None else f" where {text(rule.where)}"
    ends = f"{ref_text(rule.left)} -- {ref_text(rule.right)}"
    return f"connect {ends}{pattern} over {rule.link} x{rule.lanes} ({length}){_for(rule.axes)}{where}"


def axis_text(axis: Axis) -> str:
    """`i in 0..7`, `i in 0..62 step 2`."""
    step = "" if axis.step == 1 else f" step {axis.step}"
    return f"{axis.name} in {axis.low}..{axis.high}{step}"


def _for(axes: Sequence[Axis]) -> str:
    return f" for {', '.join(map(axis_text, axes))}" if axes else ""


def _fields(fields: Mapping[str, Value]) -> Iterator[str]:
    for name, value in sorted(fields.items()):
        yield f"  {name} = {value_text(value)}"


def value_text(value: Value) -> str:
    """Return a field as it would be written."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Quantity():
            return _quantity(value)
    return f"[{', '.join(map(value_text, value))}]"


def _quantity(quantity: Quantity) -> str:
    return format_quantity(quantity, _DIGITS)


def _positions(placement: Placement) -> str:
    positions = placement.positions
    if len(positions) <= _FEW:
        return ", ".join(map(_position, positions))
    checksum = table_checksum([micrometres(value) for position in positions for value in position])
    head = ", ".join(map(_position, positions[: _FEW - 2]))
    return f"{head}, …, {_position(positions[-1])}; {len(positions):,} positions, checksum {checksum:08x}"


def _position(position: tuple[Fraction, Fraction]) -> str:
    return f"({', '.join(_quantity(Quantity(value, LENGTH)) for value in position)})"


def _runs(numbers: Iterable[int]) -> Iterator[str]:
    """`0..3`, `7` for 0, 1, 2, 3, 7."""
    start = last = None
    for n in sorted(numbers):
        if start is not None and last is not None and n == last + 1:
            last = n
            continue
        if start is not None:
            yield f"{start}..{last}" if last != start else f"{start}"
        start = last = n
    if start is not None:
        yield f"{start}..{last}" if last != start else f"{start}"


def _cables(links: int, merged: int) -> str:
    """`8 cables`; where several links are one cable, `8 cables of 32 links`."""
    return _count(links - merged, "cable") + (f" of {_count(links, 'link')}" if merged else "")


def _count(number_: int, noun: str) -> str:
    return f"{number_:,} {noun}" + ("" if number_ == 1 else "s")
