"""Devices and cables as they are read: what a file claims, in columns, before it has been settled.

A claim is a cable as one line of a file tells of it. Device names and port names are interned, and so is what cables
have in common, so a million cables take some tens of megabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from attrs import define, evolve, field, frozen

from unifiedbus_dsl.importer.doubts import BAD_VALUE, TWO_KINDS, Doubts
from unifiedbus_dsl.importer.listing import Cable, Device, ImportFailed, Listing
from unifiedbus_dsl.ir.plan import Plan

MOST_CABLES = 4_000_000
RANGES = {"lanes": (1, 65_535), "rate": (1, 1e18), "length": (0, 1e7)}
"""Lanes, byte/s and metres that a cable may have."""


@frozen
class Kind:
    """What cables have in common; None where it is unknown."""

    link: str = ""
    medium: str = ""
    lanes: int | None = None
    rate: float | None = None
    length: float | None = None


@define(eq=False)
class Table:
    """A machine as a file claims it. Claim c joins port `ports[a_port[c]]` of device `a[c]` with that of `b[c]`; `line`
    is where it stands.

    `both_ends` says that a file of this format tells of each cable at both its ends, so that what only one end says is
    a doubt, and two cables on a port are a contradiction and no breakout. `numbered` says that ports are only numbered
    and rates nominal. `types` is a plan whose devices, links and
    protocols are those of the file.
    """

    name: str
    doubts: Doubts
    both_ends: bool = False
    numbered: bool = False
    types: Plan | None = None
    usual: Fraction | None = None
    """Byte/s of a cable that stand for a rate that the file doesn't say; None for 112 Gbps a lane."""
    devices: list[Device] = field(factory=list)
    ports: list[str] = field(factory=list)
    kinds: list[Kind] = field(factory=list)
    a: array[int] = field(factory=lambda: array("q"))
    a_port: array[int] = field(factory=lambda: array("q"))
    b: array[int] = field(factory=lambda: array("q"))
    b_port: array[int] = field(factory=lambda: array("q"))
    kind: array[int] = field(factory=lambda: array("q"))
    line: array[int] = field(factory=lambda: array("q"))
    cages: dict[str, set[frozenset[str]]] = field(factory=dict)
    """By device the names of ports that share a cage, as one cable was told of several times."""
    _of_name: dict[str, int] = field(factory=dict, init=False)
    _of_port: dict[str, int] = field(factory=dict, init=False)
    _of_kind: dict[Kind, int] = field(factory=dict, init=False)

    @classmethod
    def of(cls, listing: Listing) -> Table:
        """Return the table of a list, as if it had been read."""
        table = cls(listing.name, Doubts(), types=listing.types)
        for device in listing.devices:
            table.add(device)
        for cable in listing.cables:
            kind = table.kind_of(Kind(cable.link, cable.medium, cable.lanes, cable.rate, cable.length))
            a, b = (table.device(end[0]) for end in (cable.a, cable.b))
            table.cable(a, cable.a[1], b, cable.b[1], kind, 0)
        return table

    def over(self, devices: list[Device]) -> Table:
        """Return a table of the same file with these devices and no cable yet."""
        return Table(
            self.name,
            self.doubts,
            self.both_ends,
            self.numbered,
            self.types,
            self.usual,
            devices,
            list(self.ports),
            self.kinds,
            cages=self.cages,
        )

    def __len__(self) -> int:
        return len(self.a)

    def device(self, name: str, kind: str = "", type_: str = "") -> int:
        """Return the number of a device by its name; what was not known of it is filled in."""
        number = self._of_name.get(name)
        if number is None:
            number = self._of_name[name] = len(self.devices)
            self.devices.append(Device(name, kind, type_))
            return number
        known = self.devices[number]
        if (kind and not known.kind) or (type_ and not known.type):
            self.devices[number] = evolve(known, kind=known.kind or kind, type=known.type or type_)
        elif kind and kind != known.kind:
            self.doubts.add(TWO_KINDS, 0, f"`{name}`: {known.kind} and {kind}")
        return number

    def add(self, device: Device) -> int:
        """Return the number of a device that is told of with all its facts."""
        number = self._of_name.setdefault(device.name, len(self.devices))
        if number == len(self.devices):
            self.devices.append(device)
        else:
            self.devices[number] = device
        return number

    def port(self, name: str) -> int:
        """Return the number of the name of a port; that of no name is the first of `""`."""
        number = self._of_port.get(name)
        if number is None:
            number = self._of_port[name] = len(self.ports)
            self.ports.append(name)
        return number

    def kind_of(self, kind: Kind) -> int:
        """Return the number of a kind of cable."""
        number = self._of_kind.get(kind)
        if number is None:
            number = self._of_kind[kind] = len(self.kinds)
            self.kinds.append(kind)
        return number

    def cable(self, a: int, a_port: str, b: int, b_port: str, kind: int, line: int) -> None:
        """Add a claim."""
        if len(self.a) >= 2 * MOST_CABLES:
            raise ImportFailed(f"`{self.name}` has more than {MOST_CABLES:,} cables: read a part of the machine")
        self.a.append(a)
        self.a_port.append(self.port(a_port))
        self.b.append(b)
        self.b_port.append(self.port(b_port))
        self.kind.append(kind)
        self.line.append(line)

    def listing(self) -> Listing:
        """Return the devices and cables as objects, once the table is settled."""
        return Listing(self.name, tuple(self.devices), tuple(self._cables()), self.types, self.numbered)

    def _cables(self) -> Iterator[Cable]:
        names = [device.name for device in self.devices]
        for a, ap, b, bp, k in zip(self.a, self.a_port, self.b, self.b_port, self.kind, strict=True):
            kind = self.kinds[k]
            ends = (names[a], self.ports[ap]), (names[b], self.ports[bp])
            yield Cable(*ends, kind.link, kind.medium, kind.lanes, kind.rate, kind.length)


def number(value: Any, what: str, doubts: Doubts, line: int, factor: float = 1.0) -> float | None:
    """Return a number of a cable; None, and a doubt, where it can't be one."""
    if value is None or value == "":
        return None
    low, high = RANGES[what]
    try:
        scaled = float(value) * factor
    except (TypeError, ValueError, OverflowError):
        scaled = float("nan")
    if low <= scaled <= high:
        return scaled
    doubts.add(BAD_VALUE, line, f"`{str(value)[:40]}` as its {what}")
    return None
