"""Protocols, links, devices and hosts of a plan as text of the language."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import accumulate

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.importer.lift.machine import Machine, PartKind
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Link, Plan, Protocol, Value

RESERVED = frozenset(
    ("if", "then", "else", "all", "true", "false", "not", "and", "or", "div", "mod", "of", "within", "over", "for",
     "where", "as", "step", "let", "expect", "except")
)  # fmt: skip
"""Words that name nothing."""
_UNITS = {
    units.SIZE: ("TB", "GB", "MB", "kB", "B"),
    units.RATE: ("Tbps", "Gbps", "Mbps", "kbps", "bps"),
    units.TIME: ("s", "ms", "us", "ns", "ps"),
    units.LENGTH: ("m", "mm"),
    units.POWER: ("kW", "W", "mW"),
    units.MONEY: ("USD",),
    units.COMPUTE: ("PFLOPS", "TFLOPS", "GFLOPS", "FLOPS"),
    units.DELAY: ("ns/m",),
}


class Names:
    """Words of the language for what has any name, each another one."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)
        self.known: dict[str, str] = {}

    def of(self, name: str, fallback: str = "x") -> str:
        """Return the word for a name, the same each time."""
        if name not in self.known:
            self.known[name] = self.free(name, fallback)
        return self.known[name]

    def free(self, name: str, fallback: str = "x") -> str:
        """Return a word like a name that nothing has yet."""
        word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or fallback
        if not re.match(r"[A-Za-z_]", word) or word in RESERVED:
            word = f"{fallback}_{word}"
        number, free = 1, word
        while free in self.taken:
            number += 1
            free = f"{word}_{number}"
        self.taken.add(free)
        return free


def value_text(value: Value, *, word: bool = False) -> str | None:
    """Return a value as it is written, to the last digit; None for one of a dimension that has no unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if word else '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'
    if isinstance(value, tuple):
        inside = [value_text(each) for each in value]
        return None if None in inside else f"[{', '.join(str(each) for each in inside)}]"
    return quantity_text(value)


def quantity_text(value: Quantity) -> str | None:
    """Return a quantity in the largest unit in which it is at least 1, exactly."""
    if value.dimension == units.NUMBER:
        return _number(value.value, "")
    names = _UNITS.get(value.dimension)
    if names is None:
        return None
    for name in names:
        factor = units.parse_unit(name)[0]
        if abs(value.value) >= factor or name == names[-1]:
            return _number(value.value / factor, f" {name}")
    return None


def _number(value: Fraction, unit: str) -> str:
    text = units.decimal_text(value) if value.denominator <= 10**12 else None
    return f"{value.numerator}{unit} / {value.denominator}" if text is None else f"{text}{unit}"


def fields_text(fields: Mapping[str, Value], without: Collection[str] = ()) -> list[str]:
    """Return `name = value` of each field."""
    said = []
    for name, value in fields.items():
        text = value_text(value, word=name == "medium")
        if name not in without and text is not None and re.fullmatch(r"[A-Za-z_]\w*", name):
            said.append(f"{name} = {text}")
    return said


def protocol_text(protocol: Protocol, names: Names) -> str:
    """Return a protocol on one line; what nobody knows is said behind it."""
    said = [f"lane = {quantity_text(Quantity(protocol.lane_rate, units.RATE))}"]
    said.append(f"latency = {quantity_text(Quantity(protocol.latency, units.TIME))}")
    if protocol.efficiency != 1:
        said.append(f"efficiency = {quantity_text(units.number(protocol.efficiency))}")
    more = fields_text(protocol.fields, ("lane", "latency", "efficiency"))
    known = f"  # {' and '.join(protocol.assumed)} assumed" if protocol.assumed else ""
    return f"protocol {names.of(protocol.name, 'P')} {{ {'; '.join([*said, *more])} }}{known}"


def link_text(link: Link, names: Names) -> str:
    """Return a link on one line."""
    said = "; ".join(fields_text(link.fields))
    return f"link {names.of(link.name, 'L')} : {names.of(link.protocol, 'P')} {{ {said} }}".replace("{  }", "{ }")


def device_text(of: DeviceType, names: Names, ports: Mapping[str, str], is_open: Collection[str]) -> Iterator[str]:
    """Yield the lines of a device; `ports` are the words for its port arrays, `is_open` those with free ports."""
    yield f"{of.kind} {names.of(of.key, 'T')} {{"
    for text in fields_text(of.fields):
        yield f"  {text}"
    cages = {(first, size * count): size for first, size, count in of.cages}
    start = 0
    for port in of.ports:
        shape = f"[{', '.join(map(str, port.shape))}]" if port.shape else ""
        free = " @open" if port.open or port.name in is_open else ""
        size = cages.pop((start, port.count), 0)
        cage = f" @cage({size})" if size and port.shape[-1] % size == 0 else ""
        yield f"  port {ports[port.name]}{shape} : {names.of(port.protocol, 'P')} x{port.lanes}{free}{cage}"
        start += port.count
    for (first, count), size in cages.items():
        shared = _ports_text(of, tuple(range(first, first + count)), ports)
        yield f"  # in cages of {size}, which a port array as a whole would have: {shared}"
    for line in of.transit:
        yield f"  transit {_ports_text(of, line, ports)}"
    for one, two in of.between:
        yield f"  transit {_ports_text(of, one, ports)} -- {_ports_text(of, two, ports)}"
    yield "}"


def _ports_text(of: DeviceType, numbers: tuple[int, ...], words: Mapping[str, str]) -> str:
    """Return ports by number as arrays, ranges and elements."""
    chosen, said = set(numbers), []
    starts = accumulate((port.count for port in of.ports), initial=0)
    for port, start in zip(of.ports, starts, strict=False):
        inside = [n - start for n in sorted(chosen) if start <= n < start + port.count]
        word = words[port.name]
        if len(inside) == port.count:
            said.append(word)
        elif inside and len(port.shape) == 1 and inside[-1] - inside[0] + 1 == len(inside) > 1:
            said.append(f"{word}[{inside[0]}..{inside[-1]}]")
        else:
            said += [f"{word}[{', '.join(map(str, _at(n, port.shape)))}]" for n in inside]
    return ", ".join(said)


def _at(number: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    digits = []
    for size in reversed(shape):
        number, digit = divmod(number, size)
        digits.append(digit)
    return tuple(reversed(digits))


def host_text(
    of: AssemblyType, names: Names, kind: PartKind, ports: Mapping[str, Mapping[str, str]], plan: Plan
) -> Iterator[str]:
    """Yield the lines of a host with its adapters, whose ports it passes on."""
    yield f"{of.kind} {names.of(of.key, 'T')} {{"
    for child in of.children:
        shape = f"[{', '.join(map(str, child.shape))}]" if child.shape else ""
        yield f"  {child.name}{shape} : {names.of(child.type, 'T')}"
    for child in of.children:
        for port in plan.devices[child.type].ports:
            yield f"  port {ports[kind.key][f'{child.name}_{port.name}']} = {child.name}.{ports[child.type][port.name]}"
    yield "}"


def words_of_ports(machine: Machine) -> dict[str, dict[str, str]]:
    """Return for each kind of part the words for its port arrays."""
    words = {}
    for kind in machine.kinds:
        names = Names()
        words[kind.key] = {array.name: names.of(array.name, "p") for array in kind.arrays}
    return words
