"""The names of a site for a machine that was designed: a map of two columns, and the plan that goes by it.

A row is a path of the design and what the site calls that part. A part may be a device or an assembly; a device inside
an assembly that has a name is called by that name and the rest of its path."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import evolve

from unifiedbus_dsl.ir.fabric.names import device_paths
from unifiedbus_dsl.ir.fabric.scope import parse_scope
from unifiedbus_dsl.ir.plan import Plan, Site

SEPARATORS = "\t;,"
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
    found: dict[str, str] = {}
    uses: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        separator = next((s for s in SEPARATORS if s in line), ",")
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
        if not found and number == 1 and cells[0].lower() in _TITLES:
            continue
        if len(cells) != 2 or not all(cells):
            help = "; put a name with a comma in quotes" if len(cells) > 2 else ""
            raise NamesError(
                f"`{path.name}`, line {number}: a row is a path and a name, and this has {len(cells)} cells{help}"
            )
        own, site = cells
        if own in found or site in uses:
            twice = own if own in found else site
            raise NamesError(f"`{path.name}`, line {number}: `{twice}` stands twice; first in line {uses.get(site, 1)}")
        found[own] = site
        uses[site] = number
    if not found:
        raise NamesError(f"`{path.name}` has no row: a path of the design and a name on each line")
    return found


def named(plan: Plan, names: Mapping[str, str]) -> Plan:
    """Return a plan whose parts have the names of a map.

    Raises:
        NamesError: the plan has no such part.
    """
    for path in names:
        _must_be(plan, path)
    wanted = {_spaced(path): name for path, name in names.items()}
    count = plan.device_count[plan.root]
    paths = device_paths(plan, np.arange(count)).tolist()
    devices = tuple(_name(path, wanted) for path in paths)
    own = set(paths)
    parts = {path: name for path, name in wanted.items() if path not in own}
    return evolve(plan, site=evolve(plan.site or Site(), devices=devices, parts=parts))


def _must_be(plan: Plan, path: str) -> None:
    try:
        found = parse_scope(plan, path)
    except ValueError as error:
        raise NamesError(f"the map names `{path}`: {error}") from error
    if any(len(elements) != 1 for _, elements in found):
        raise NamesError(f"the map names `{path}`, which is several parts: a row names one")


def _spaced(path: str) -> str:
    """A path with its subscripts as the names of devices have them."""
    return ", ".join(part.strip() for part in path.split(","))


def _name(path: str, names: Mapping[str, str]) -> str:
    """What a device is called: by its own name, else by that of the innermost part that has one."""
    if path in names:
        return names[path]
    rest = path
    while "." in rest:
        rest = rest.rpartition(".")[0]
        if rest in names:
            return names[rest] + path[len(rest) :]
    return path
