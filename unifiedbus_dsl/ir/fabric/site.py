"""The names of a site for a machine that was designed: a map of two columns, and the plan that goes by it.

A row is a path of the design and what the site calls that part. A part may be a device or an assembly; a device inside
an assembly that has a name is called by that name and the rest of its path. A row may also name a port of a type of
device (`Leaf.p[3]`), of all devices of that type."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np
from attrs import evolve

from unifiedbus_dsl.escape.csv import cell
from unifiedbus_dsl.ir.fabric.names import device_paths, port_paths
from unifiedbus_dsl.ir.fabric.scope import parse_scope
from unifiedbus_dsl.ir.plan import Plan, Site

SEPARATORS = "\t;,"
_QUOTED = re.compile('"(?:[^"]|"")*"')
_PORT = re.compile(r"[A-Za-z_]\w*\.[^.]+")
"""What may be a port of a type, such as `Leaf.p[3]`."""
_TITLES = {"design", "path", "device", "name"}


class NamesError(ValueError):
    """A map of names that is none; the sentence says where and why."""


def read_names(path: Path) -> dict[str, str]:
    """Return the site's name of each path of a map: two columns, apart by a tab, `;` or `,`.

    Raises:
        NamesError: a row has not two columns, or a name stands twice.
        OSError: the file can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise NamesError(f"`{path.name}` is not in UTF-8") from error
    names: dict[str, str] = {}
    uses: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        bare = _QUOTED.sub("", line)
        separator = next((s for s in SEPARATORS if s in bare), ",")
        cells = [cell(text.strip()) for text in next(csv.reader([line], delimiter=separator))]
        if not names and number == 1 and cells[0].lower() in _TITLES:
            continue
        if len(cells) != 2 or not all(cells):
            help = "; put a name with a comma in quotes" if len(cells) > 2 else ""
            raise NamesError(
                f"`{path.name}`, line {number}: a row is a path and a name, and this has {len(cells)} cells{help}"
            )
        own, site = cells
        if own in names or (site in uses and not _PORT.fullmatch(own)):  # ports of two types may have one name
            twice = own if own in names else site
            raise NamesError(f"`{path.name}`, line {number}: `{twice}` stands twice; first in line {uses.get(site, 1)}")
        names[own] = site
        if not _PORT.fullmatch(own):
            uses[site] = number
    if not names:
        raise NamesError(f"`{path.name}` has no row: a path of the design and a name on each line")
    return names


def named(plan: Plan, names: Mapping[str, str]) -> Plan:
    """Return a plan whose parts have the names of a map.

    Raises:
        NamesError: the plan has no such part.
    """
    ports, names = _ports(plan, names)
    twice = next((name for name, count in Counter(names.values()).items() if count > 1), None)
    if twice is not None:
        raise NamesError(f"`{twice}` is the name of two parts")
    wanted = {_spaced(path): name for path, name in names.items()}
    paths = _paths(plan)
    own = set(paths)
    parts = {path: name for path, name in wanted.items() if path not in own}
    for path in parts:
        _must_be(plan, path)
    devices = tuple(_name(path, wanted) for path in paths)
    if len(set(devices)) < len(devices):
        twice = Counter(devices).most_common(1)[0][0]
        raise NamesError(f"two devices would be called `{twice}`")
    site = plan.site or Site(designed=True)
    return evolve(plan, site=evolve(site, devices=devices, parts=parts, ports=ports))


def parts_at(plan: Plan, depth: int) -> AbstractSet[str]:
    """Return the paths of the parts that lie so deep, the parts of the system itself at depth 1."""
    return {".".join(path.split(".", depth)[:depth]) for path in _paths(plan) if path.count(".") >= depth - 1}


def _paths(plan: Plan) -> list[str]:
    """Return the path of each device, in order."""
    paths: list[str] = device_paths(plan, np.arange(plan.device_count[plan.root])).tolist()
    return paths


def _ports(plan: Plan, names: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return the names of the ports of each type of device that a map names some of, in order, and the rows about
    parts."""
    root = plan.assemblies.get(plan.root)
    parts = set() if root is None else {child.text_name for child in root.children}
    rest: dict[str, str] = {}
    ports = dict(plan.site.ports) if plan.site is not None else {}
    own: dict[str, dict[str, str]] = {}
    for path, name in names.items():
        type_, dot, port = path.partition(".")
        if not dot or type_ in parts or type_ not in plan.devices:
            rest[path] = name
        else:
            own.setdefault(type_, {})[_spaced(port)] = name
    for type_, wanted in own.items():
        paths = port_paths(plan.devices[type_]).tolist()
        strange = next((port for port in wanted if port not in paths), None)
        if strange is not None:
            raise NamesError(f"the map names `{type_}.{strange}`, and `{type_}` has no such port")
        ports[type_] = tuple(wanted.get(path, path) for path in paths)
    return ports, rest


def _must_be(plan: Plan, path: str) -> None:
    try:
        scope = parse_scope(plan, path)
    except ValueError as error:
        raise NamesError(f"the map names `{path}`: {error}") from error
    if len(scope) != 1 or any(len(elements) != 1 for _, elements in scope[0]):
        raise NamesError(f"the map names `{path}`, which is several parts: a row names one")


def _spaced(path: str) -> str:
    """Return a path with its subscripts as the names of devices have them."""
    return ", ".join(part.strip() for part in path.split(","))


def _name(path: str, names: Mapping[str, str]) -> str:
    """Return what a device is called: by its own name, else by that of the innermost part that has one."""
    if path in names:
        return names[path]
    rest = path
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if rest in names:
            return names[rest] + path[len(rest) :]
    return path
