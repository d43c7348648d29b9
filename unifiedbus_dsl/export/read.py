"""Reading back what was written, or what another tool found: node-link JSON, GraphML, cable lists, ibnetdiscover.

    from unifiedbus_dsl.export.read import read, read_fabric
    fabric = read_fabric("discovered.json")        # to be solved and drawn like any other

The suffix says the format: `.json`, `.graphml` (or `.xml`), `.csv`, `.txt` (of ibnetdiscover). Of files by other tools,
this much is needed:
- node-link JSON: `nodes` with `id`; `edges` (or `links`) with `source`, `target`, and ports as `a_port`, `b_port`
- GraphML: nodes, edges; names and ports as data `name`, `a_port`, `b_port`
- cable list: the columns `a_device`, `a_port`, `b_device`, `b_port`; `a_kind` and `b_kind` tell switches apart
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

from attrs import evolve

from unifiedbus_dsl.escape.csv import cell as text_of_cell
from unifiedbus_dsl.escape.xml import restored
from unifiedbus_dsl.export.ibnet import read_ibnetdiscover
from unifiedbus_dsl.export.listing import Cable, Device, ImportFailed, Listing
from unifiedbus_dsl.export.rebuild import rebuild
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.plan import Plan, serial
from unifiedbus_dsl.progress import Step, task

MOST_CABLES = 4_000_000
"""About 2 GB as a list, and as much again when names become a machine."""
_HALF = re.compile("[\ud800-\udfff]")
MOST_JSON = 1 << 30
"""Bytes; about five times as much in memory."""


def _not_too_many(path: Path, cables: int) -> None:
    if cables > MOST_CABLES:
        raise ImportFailed(f"`{path.name}` has more than {MOST_CABLES:,} cables: read a part of the machine")


def read(path: str | PathLike[str]) -> Listing:
    """The devices and cables of a file.

    Raises:
        ImportFailed: it is in no known format, or a part of it has no meaning.
        OSError: it can't be read.
    """
    source = Path(path)
    reader = READERS.get(source.suffix.lower())
    if reader is None:
        raise ImportFailed(f"`{source.name}`: what to read is a matter of the suffix: {', '.join(READERS)}")
    try:
        return reader(source)
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        raise ImportFailed(f"`{source.name}` is not in UTF-8: byte 0x{wrong:02x}; save it as UTF-8") from error
    except RecursionError as error:
        raise ImportFailed(f"`{source.name}` is nested too deep") from error
    except ImportFailed:
        raise
    except (ValueError, csv.Error, ElementTree.ParseError) as error:  # ValueError: a number of too many digits, too
        raise ImportFailed(f"`{source.name}` is no {source.suffix[1:].upper()}: {error}") from error


def read_fabric(path: str | PathLike[str]) -> Fabric:
    """The machine of a file; see `unifiedbus_dsl.export.rebuild` for how names become a hierarchy.

    Raises:
        ImportFailed: as `read`, or the parts do not fit together.
        OSError: it can't be read.
    """
    return rebuild(read(path))


# ---- node-link JSON -----------------------------------------------------------------------------------------------


def read_json(path: Path) -> Listing:
    size = path.stat().st_size
    if size > MOST_JSON:
        raise ImportFailed(
            f"`{path.name}` has {size:,} bytes; JSON is read as a whole, and {MOST_JSON:,} are taken: use GraphML or a "
            "cable list"
        )
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    half = _HALF.search(json.dumps(data, ensure_ascii=False)) if "\\ud" in text.lower() else None
    if half is not None:
        raise ImportFailed(f"`{path.name}`: a text has half a character in it, \\u{ord(half[0]):04x}")
    edges = data.get("edges", data.get("links")) if isinstance(data, dict) else None
    if not isinstance(edges, list) or not isinstance(data.get("nodes"), list):
        raise ImportFailed(f"`{path.name}`: node-link JSON has `nodes` and `edges`")
    head = data.get("graph") if isinstance(data.get("graph"), dict) else {}
    devices = tuple(
        Device(_text(node, "id", path), _word(node, "kind"), _word(node, "type"), bool(node.get("spare")))
        for node in data["nodes"]
    )
    _not_too_many(path, len(edges))
    cables = tuple(_json_cable(edge, n, path) for n, edge in enumerate(edges))
    types = _types(json.dumps(head["machine"]), path) if head.get("machine") else None
    return Listing(str(head.get("name", path.stem)), devices, cables, types)


def _json_cable(edge: Any, place: int, path: Path) -> Cable:
    if not isinstance(edge, dict):
        raise ImportFailed(f"`{path.name}`: edge {place} is no object")
    a, b = (str(edge.get(own, _text(edge, key, path))) for own, key in (("a", "source"), ("b", "target")))
    return _cable((a, b), edge, f"`{path.name}`, edge {place}")


def _text(node: Any, key: str, path: Path) -> str:
    if not isinstance(node, dict) or node.get(key) in (None, ""):
        said = json.dumps(node, ensure_ascii=False)
        raise ImportFailed(f"`{path.name}`: `{said[:60]}{'…' * (len(said) > 60)}` has no `{key}`")
    return str(node[key])


def _word(facts: Mapping[str, Any], key: str) -> str:
    return str(facts.get(key) or "")


RANGES = {"lanes": (1, 65_535), "rate": (1, 1e18), "length": (0, 1e7)}
"""Lanes, byte/s and metres that a cable may have."""


def _cable(names: tuple[str, str], facts: Mapping[str, Any], where: str) -> Cable:
    ports = _word(facts, "a_port"), _word(facts, "b_port")
    if not all(ports):
        raise ImportFailed(f"{where}: which ports? `a_port` and `b_port` are wanted")
    try:
        lanes, rate, length = (float(v) if (v := facts.get(key)) else None for key in RANGES)
    except (TypeError, ValueError, OverflowError) as error:
        raise ImportFailed(f"{where}: {error}") from error
    for what, value in (("lanes", lanes), ("rate", rate), ("length", length)):
        low, high = RANGES[what]
        if value is not None and not low <= value <= high:
            raise ImportFailed(f"{where}: a cable can't have {value:g} as its {what}")
    link, medium = _word(facts, "link"), _word(facts, "medium")
    return Cable(
        (names[0], ports[0]), (names[1], ports[1]), link, medium, None if lanes is None else int(lanes), rate, length
    )


def _types(text: str, path: Path) -> Plan:
    try:
        return serial.load(text.encode())
    except ValueError as error:
        raise ImportFailed(f"`{path.name}`: the types of the machine can't be read: {error}") from error


# ---- GraphML ------------------------------------------------------------------------------------------------------

_SPACE = "{http://graphml.graphdrawing.org/xmlns}"


def read_graphml(path: Path) -> Listing:
    """Element by element: what has been read is let go of."""
    names: dict[str, str] = {}
    named: dict[str, str] = {}
    head: dict[str, str] = {}
    devices: list[Device] = []
    cables: list[Cable] = []
    early: list[_Early] = []
    graph: ElementTree.Element | None = None
    with task("read cables") as step:
        for event, element in ElementTree.iterparse(path, ("start", "end")):
            tag = element.tag.removeprefix(_SPACE)
            if event == "start":
                graph = element if tag == "graph" and graph is None else graph
            elif tag == "key":
                names[element.get("id", "")] = element.get("attr.name", "")
            elif tag == "node" and graph is not None:
                facts, id_ = _data(element, names), element.get("id", "")
                named[id_] = str(facts.get("name", id_))
                kind, type_ = _word(facts, "kind"), _word(facts, "type")
                devices.append(Device(named[id_], kind, type_, facts.get("spare") == "true"))
                element.clear()
            elif tag == "edge" and graph is not None:
                cable = _graphml_cable(element, names, named, path, early)
                if cable is not None:
                    cables.append(cable)
                _not_too_many(path, len(cables) + len(early))
                element.clear()
            elif tag == "graph":
                head |= _data(element, names)
            if event == "end" and tag in ("node", "edge"):
                step()
            if graph is not None and len(graph) > _KEPT:
                head |= _data(graph, names)
                graph.clear()
    if graph is None:
        raise ImportFailed(f"`{path.name}`: there is no graph in it")
    cables += [_between(ids, about, named, where) for ids, about, where in early]
    if not head.get("machine"):
        return Listing(head.get("system", path.stem), tuple(devices), tuple(cables))
    # written by us, with control characters as XML can write them
    ours = [evolve(d, name=restored(d.name), kind=restored(d.kind), type=restored(d.type)) for d in devices]
    types = _types(restored(head["machine"]), path)
    return Listing(restored(head.get("system", path.stem)), tuple(ours), tuple(map(_restored, cables)), types)


def _restored(cable: Cable) -> Cable:
    ends = [(restored(device), restored(port)) for device, port in (cable.a, cable.b)]
    return evolve(cable, a=ends[0], b=ends[1], link=restored(cable.link), medium=restored(cable.medium))


_KEPT = 4096
"""Elements that were read and are still held."""


def _data(element: ElementTree.Element, names: Mapping[str, str]) -> dict[str, str]:
    return {names.get(key := data.get("key", ""), key): data.text or "" for data in element.findall(f"{_SPACE}data")}


_Early: TypeAlias = tuple[list[str], Mapping[str, str], str]
"""An edge that came before its nodes: ids of both, its data, where it stands."""


def _graphml_cable(
    edge: ElementTree.Element, names: Mapping[str, str], named: Mapping[str, str], path: Path, early: list[_Early]
) -> Cable | None:
    """The cable of an edge; None where a node of it is still to come."""
    facts = _data(edge, names)
    number = edge.get("id") or f"from `{edge.get('source', '')}` to `{edge.get('target', '')}`"
    where = f"`{path.name}`, edge {number}"
    ids = [
        f"n{facts[side]}" if side in facts else edge.get(end, "") for side, end in (("a", "source"), ("b", "target"))
    ]
    if all(id_ in named for id_ in ids):
        return _between(ids, facts, named, where)
    early.append((ids, facts, where))
    return None


def _between(ids: list[str], facts: Mapping[str, str], named: Mapping[str, str], where: str) -> Cable:
    for id_ in ids:
        if id_ not in named:
            raise ImportFailed(f"{where}: there is no node `{id_}`")
    return _cable((named[ids[0]], named[ids[1]]), facts, where)


# ---- cable lists --------------------------------------------------------------------------------------------------

_NEEDED = ("a_device", "a_port", "b_device", "b_port")


def read_csv(path: Path) -> Listing:
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        missing = set(_NEEDED) - set(table.fieldnames or ())
        if missing:
            raise ImportFailed(f"`{path.name}`, line 1: a cable list needs the columns {', '.join(_NEEDED)}")
        devices: dict[str, Device] = {}
        with task("read cables") as step:
            cables = tuple(_csv_cables(table, path, devices, step))
    return Listing(path.name.split(".")[0], tuple(devices.values()), cables)


def _csv_cables(table: csv.DictReader[str], path: Path, devices: dict[str, Device], step: Step) -> Iterator[Cable]:
    for number, cells in enumerate(table, 1):
        row = {key: text_of_cell(text) if isinstance(text, str) else text for key, text in cells.items()}
        facts: dict[str, Any] = {**row, "length": row.get("length_m")}
        where = f"`{path.name}`, line {table.line_num}"
        if not row["a_device"] or not row["b_device"]:
            raise ImportFailed(f"{where}: an end of the cable has no device")
        for side in "ab":
            name = row[f"{side}_device"]
            devices.setdefault(name, Device(name, _word(row, f"{side}_kind"), _word(row, f"{side}_type")))
        try:
            facts["rate"] = float(row["gbps"]) * 1.25e8 if row.get("gbps") else None
        except ValueError as error:
            raise ImportFailed(f"{where}: {error}") from error
        yield _cable((row["a_device"], row["b_device"]), facts, where)
        _not_too_many(path, number)
        step()


READERS: Mapping[str, Callable[[Path], Listing]] = {
    ".json": read_json,
    ".graphml": read_graphml,
    ".xml": read_graphml,
    ".csv": read_csv,
    ".txt": read_ibnetdiscover,
}
