"""Cable lists: our own, and any table with a row a cable whose columns say which device and which port.

Columns go by their names, whatever their case, order and separator (`,` `;` tab `|`), and lines before the head are
none of it. Known are those of `ubusc export --to cables`, NetBox (bulk import, and the table that it exports), UFM's
point-to-point and NDT lists, and the usual words: source and target, start and end, from and to, local and remote.
"""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np
from attrs import define, evolve, field

from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.escape.csv import cell
from unifiedbus_dsl.importer.doubts import BAD_VALUE, CUT_OFF, NO_END, STRANGE, Doubts, shown
from unifiedbus_dsl.importer.kinds import KIND_OF_WORD
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.rates import bytes_per_second
from unifiedbus_dsl.importer.source import Source
from unifiedbus_dsl.importer.table import Kind, Table, number

SEPARATORS = ",;\t|"
HEAD_LINES = 60
"""Lines in which the head is looked for."""
_SIDES = (
    ("a", "sidea", "aside", "source", "src", "start", "from", "local", "left", "near", "aend", "enda", "device1", "1"),
    ("b", "sideb", "bside", "z", "sidez", "zside", "target", "tgt", "dest", "destination", "dst", "end", "to", "remote",
     "right", "far", "neighbor", "neighbour", "peer", "bend", "endb", "zend", "2"),
)  # fmt: skip
_DEVICES = (
    "device",
    "node",
    "nodename",
    "devicename",
    "host",
    "hostname",
    "system",
    "systemname",
    "switch",
    "router",
    "",
)
_PORTS = (
    "port", "interface", "intf", "iface", "ifname", "interfacename", "portname", "portid", "portnumber", "hcaport",
    "termination", "name",
)  # fmt: skip
_OTHERS = {
    "gbps": "gbps", "speedgbps": "gbps", "rategbps": "gbps", "bandwidthgbps": "gbps", "mbps": "mbps",
    "speedmbps": "mbps", "speed": "speed", "rate": "speed", "bandwidth": "speed", "linkspeed": "speed",
    "lengthm": "length_m", "length": "length", "cablelength": "length", "lengthunit": "length_unit",
    "link": "link", "linkclass": "link", "medium": "medium", "cabletype": "medium", "media": "medium", "lanes": "lanes",
}  # fmt: skip
_METRES = {
    "": 1.0, "m": 1.0, "meters": 1.0, "metres": 1.0, "meter": 1.0, "metre": 1.0, "km": 1000.0, "kilometers": 1000.0,
    "cm": 0.01, "centimeters": 0.01, "mm": 0.001, "ft": 0.3048, "feet": 0.3048, "foot": 0.3048, "in": 0.0254,
    "inches": 0.0254, "mi": 1609.344, "miles": 1609.344,
}  # fmt: skip

Head: TypeAlias = Mapping[str, int]
"""The place of each column by what it means."""


def is_it(head: str) -> bool:
    """Return whether a text begins as a cable list."""
    return _find_head(enumerate(head.splitlines(), 1)) is not None


def read(source: Source, doubts: Doubts) -> Table:
    """Return the cables of a list.

    Raises:
        ImportFailed: it has no head with the columns that are needed.
        OSError: the file can't be read.
    """
    lines = source.lines(doubts)
    header = _find_head(lines)
    if header is None:
        raise ImportFailed(
            f"`{source.title}`: a cable list needs the columns a_device, a_port, b_device, b_port, or others that say "
            "the same (side_a_device, StartDevice, source, …)"
        )
    separator, head, titles = header
    table = Table(source.stem, doubts)
    rows = _Rows.of(table, head, titles)
    with task("read cables") as step:
        for line, cells in _cells(lines, separator, doubts):
            rows.take(line, cells)
            if line % 4096 == 0:
                step(4096)
    rows.share_cages()
    if not table.devices and not doubts:
        raise ImportFailed(f"`{source.title}`: no row below its head is a cable")
    return table


def _find_head(lines: Iterable[tuple[int, str]]) -> tuple[str, Head, list[str]] | None:
    """Return the separator, the columns and the first line that is a head."""
    for number_, line in lines:
        if number_ > HEAD_LINES:
            break
        for separator in SEPARATORS:
            cells = next(csv.reader([line.lstrip("\ufeff#").strip()], delimiter=separator), [])
            head = _columns(cells)
            if head is not None:
                return separator, head, [text.strip() for text in cells]
    return None


def _columns(cells: list[str]) -> Head | None:
    """Return what the columns mean; None where an end has no device."""
    words = [re.sub(r"[^a-z0-9]", "", text.lower().replace("#fields:", "")) for text in cells]
    columns: dict[str, int] = {}
    for place, word in enumerate(words):
        if word in _OTHERS:
            columns.setdefault(_OTHERS[word], place)
    for side, names in zip("ab", _SIDES, strict=True):
        for what, endings in (("device", _DEVICES), ("port", _PORTS)):
            wanted = [f"{name}{ending}" for ending in endings for name in names]
            wanted += [f"{ending}{name}" for ending in endings if ending for name in names if len(name) == 1]
            places = (words.index(word) for word in wanted if word in words)
            first = next((at for at in places if at not in columns.values()), None)
            if first is not None:
                columns[f"{side}_{what}"] = first
        for what in ("kind", "type", "role"):
            first = next((words.index(w) for w in (f"{name}{what}" for name in names) if w in words), None)
            if first is not None and first not in columns.values():
                columns[f"{side}_{what}"] = first
    if "type" in words and "side_a_type" in [text.strip().lower() for text in cells]:
        columns.setdefault("medium", words.index("type"))
    if "cable" in words and "ends" in words:
        columns["a_cable"] = words.index("cable")
    if "a_device" in columns and "b_device" in columns:
        return columns
    return _paired(words, columns)


def _paired(words: list[str], found: dict[str, int]) -> Head | None:
    """Return the columns of a list whose two sides have the same names, as UFM's: the first is one side, the second the
    other."""
    devices = [place for place, word in enumerate(words) if word in _DEVICES[:-1] or word == "name"]
    ports = [place for place, word in enumerate(words) if word in _PORTS[:-1]]
    if len(devices) < 2 or len(ports) != 2:
        return None
    one = max((p for p in devices if p < ports[0]), default=-1)
    two = max((p for p in devices if ports[0] < p < ports[1]), default=-1)
    if one < 0 or two < 0:
        return None
    return {**found, "a_device": one, "a_port": ports[0], "b_device": two, "b_port": ports[1]}


def _cells(lines: Iterator[tuple[int, str]], separator: str, doubts: Doubts) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each row; a cell in quotes may go over several lines."""
    for number_, line in lines:
        if '"' not in line:
            yield number_, line.split(separator)
            continue
        text = line
        while text.count('"') % 2 and text.count("\n") < _LINES_OF_A_CELL:
            following = next(lines, None)
            if following is None:
                break
            text += "\n" + following[1]
        if text.count('"') % 2:
            doubts.add(CUT_OFF, number_, f"{shown(line)}: a quote that is not closed")
            continue
        yield number_, next(csv.reader(text.splitlines(keepends=True), delimiter=separator), [])


_LINES_OF_A_CELL = 20
_NUMBER = re.compile("[0-9]{1,10}")
_OF_A_LIST = 10**10
"""More than the numbers of the cables of a list; several that were put together begin anew."""
_OF_A_ROW = 1 << 62
"""From here on cables are numbered that have several ends in one row."""


@define(eq=False)
class _Rows:
    """Takes rows into a table. `titles` is the head itself; `about` are the columns of the cable, by what they mean;
    `ends` and `facts` the columns of device and port, and of kind and type, of both sides."""

    table: Table
    titles: list[str]
    about: list[tuple[str, int]]
    ends: tuple[tuple[int, int], tuple[int, int]]
    facts: tuple[tuple[int, int], tuple[int, int]]
    cable_at: int
    """The column of the number of a cable, in a list of our own."""
    kinds: dict[tuple[str, ...], int] = field(factory=dict)
    cables: array[int] = field(factory=lambda: array("q"))
    """The number of the cable of each claim."""
    lists: int = 0
    """How often the head has come again."""
    several: int = 0
    """Rows that were cables with several ends."""

    @classmethod
    def of(cls, table: Table, head: Head, titles: list[str]) -> _Rows:
        """Return what takes the rows of a list with these columns."""
        one, two = ((head[f"{side}_device"], head.get(f"{side}_port", -1)) for side in "ab")
        three, four = (
            (head.get(f"{side}_kind", head.get(f"{side}_role", -1)), head.get(f"{side}_type", -1)) for side in "ab"
        )
        about = [(name, place) for name, place in head.items() if name[:2] not in ("a_", "b_")]
        return cls(table, titles, about, (one, two), (three, four), head.get("a_cable", -1))

    def take(self, line: int, cells: list[str]) -> None:
        """Take a row: a cable, or nothing where the row is empty or the head again, as where lists were put
        together."""
        cells = [cell(text) if text[:1] == "'" else text for text in map(str.strip, cells)]
        if cells == self.titles:
            self.lists += 1
        if not any(cells) or cells == self.titles:
            return
        (a_at, a_port), (b_at, b_port) = self.ends
        if len(cells) <= max(a_at, b_at):
            what = CUT_OFF if len(cells) > 1 else STRANGE
            self.table.doubts.add(what, line, shown(",".join(cells)))
            return
        names = cells[a_at], cells[b_at]
        if not all(names):
            self.table.doubts.add(NO_END, line, shown(",".join(cells)))
            return
        ports = _at(cells, a_port), _at(cells, b_port)
        if all("," not in port and not port.startswith(name) for port, name in zip(ports, names, strict=True)):
            a = self.table.device(names[0], *self._facts(cells, 0))
            b = self.table.device(names[1], *self._facts(cells, 1))
            self.table.cable(a, ports[0], b, ports[1], self._kind(cells, line), line)
            self._number(cells)
            return
        sides = [self._ends(cells, side, names[side], port, line) for side, port in ((0, a_port), (1, b_port))]
        kind, max_ends = self._kind(cells, line), max(map(len, sides))
        if not min(map(len, sides)):
            return
        self.several += max_ends > 1
        for number_ in range(max_ends):  # one row may be a cable with several ends
            (a, ap), (b, bp) = (side[number_ % len(side)] for side in sides)
            self.table.cable(a, ap, b, bp, kind, line)
            self._number(cells, -1 if max_ends == 1 else _OF_A_ROW + self.several)

    def _number(self, cells: list[str], otherwise: int = -1) -> None:
        """Keep the number that a list of our own gives the cable of the row that was taken, or another; below 0 where
        it has none."""
        text = _at(cells, self.cable_at)
        self.cables.append(self.lists * _OF_A_LIST + int(text) if _NUMBER.fullmatch(text) else otherwise)

    def share_cages(self) -> None:
        """Put the ports of a device into one cage where a cable of several rows has more than one of them."""
        table = self.table
        claims, cable = np.arange(len(self.cables)), np.frombuffer(self.cables, dtype=np.int64)
        _, back, count = np.unique(cable, return_inverse=True, return_counts=True)
        legs = claims[(count[back] > 1) & (cable >= 0)]
        shared: dict[tuple[int, int], set[str]] = {}
        for leg in legs.tolist():
            for device, port in ((table.a[leg], table.a_port[leg]), (table.b[leg], table.b_port[leg])):
                shared.setdefault((self.cables[leg], device), set()).add(table.ports[port])
        for (_, device), ports in shared.items():
            if len(ports) > 1:
                table.cages.setdefault(table.devices[device].name, set()).add(frozenset(ports))

    def _ends(self, cells: list[str], side: int, name: str, port_at: int, line: int) -> list[tuple[int, str]]:
        """Return the ends of a side: one, or with NetBox's columns as many as there are ports between commas; none, and
        a doubt, where it does not say which port is of which device. A port of the name of its device and an adapter,
        as UFM's lists have it, is that adapter."""
        facts, port = self._facts(cells, side), _at(cells, port_at)
        if "," in port and self._is_netbox(cells, side):
            ports = [each.strip() for each in port.split(",")]
            devices = [each.strip() for each in name.split(",")]
            if len(devices) not in (1, len(ports)):
                self.table.doubts.add(NO_END, line, f"{len(devices)} devices and {len(ports)} ports: {shown(port)}")
                return []
            return [(self.table.device(devices[n % len(devices)], *facts), each) for n, each in enumerate(ports)]
        adapter = port.removeprefix(f"{name} ")
        if adapter != port and adapter and not facts[0]:
            number_ = self.table.device(port, "nic")
            self.table.devices[number_] = evolve(self.table.devices[number_], host=name)
            return [(number_, "1")]
        return [(self.table.device(name, *facts), port)]

    def _is_netbox(self, cells: list[str], side: int) -> bool:
        """Return whether a side is one of NetBox, which has several terminations between commas."""
        named = _at(self.titles, self.ends[side][1]).lower().startswith("termination")
        return named or _at(cells, self.facts[side][1]).lower().startswith("dcim.")

    def _facts(self, cells: list[str], side: int) -> tuple[str, str]:
        """Kind and type of the device of a side."""
        kind_at, type_at = self.facts[side]
        kind, type_ = _at(cells, kind_at), _at(cells, type_at)
        if not kind and type_.lower() in KIND_OF_WORD:
            return type_, ""
        return kind, "" if "." in type_ and type_.lower().startswith(("dcim.", "circuits.")) else type_

    def _kind(self, cells: list[str], line: int) -> int:
        """Return what the row says of the cable itself; the same texts are the same kind."""
        key = tuple(_at(cells, place) for _, place in self.about)
        kind_known = self.kinds.get(key)
        if kind_known is None:
            facts = dict(zip((name for name, _ in self.about), key, strict=True))
            before = self.table.doubts.total
            kind_known = self.table.kind_of(_kind(facts, self.table.doubts, line))
            if self.table.doubts.total == before:
                self.kinds[key] = kind_known
        return kind_known


def _kind(facts: Mapping[str, str], doubts: Doubts, line: int) -> Kind:
    rate = number(facts.get("gbps"), "rate", doubts, line, 1.25e8)
    if rate is None:
        rate = number(facts.get("mbps"), "rate", doubts, line, 1.25e5)
    if rate is None and facts.get("speed"):
        rate = _speed(facts["speed"], doubts, line)
    length = number(facts.get("length_m"), "length", doubts, line)
    unit = facts.get("length_unit", "").lower()
    if length is None and facts.get("length"):
        text = re.fullmatch(r"([\d.]+)\s*([a-z]+)?", facts["length"].lower())
        if text is None or (text[2] or unit) not in _METRES:
            doubts.add(BAD_VALUE, line, f"`{facts['length'][:40]}` as its length")
        else:
            length = number(text[1], "length", doubts, line, _METRES[text[2] or unit])
    lanes = number(facts.get("lanes"), "lanes", doubts, line)
    return Kind(facts.get("link", ""), facts.get("medium", ""), None if lanes is None else int(lanes), rate, length)


def _speed(text: str, doubts: Doubts, line: int) -> float | None:
    """Byte/s of `400G`, `100 Gbps`; a number without a unit says nothing for certain."""
    speed = bytes_per_second(text)
    if speed is None:
        doubts.add(BAD_VALUE, line, f"`{text[:40]}` as its rate: write `400 Gbps`, say")
    return speed


def _at(cells: list[str], place: int) -> str:
    return cells[place] if 0 <= place < len(cells) else ""
