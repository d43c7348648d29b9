"""What NetBox imports in bulk, in order: site, manufacturer, roles, device types, racks, devices and cables.

NetBox's import forms (`netbox/dcim/forms/bulk_import.py`, `object_import.py`) make the interfaces of a device from its
type, so there is none to import. Names of devices and interfaces are the legal ones of `unifiedbus_dsl.export.names`.
Traces and backplanes are no cables that anyone plugs, and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import csv, yaml
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, OutageMask, left_out, remark, too_large
from unifiedbus_dsl.export.common.floor import read_floor
from unifiedbus_dsl.export.common.legal import Rule
from unifiedbus_dsl.export.common.names import Slugs, plain, stems
from unifiedbus_dsl.export.common.plugs import FIXED
from unifiedbus_dsl.export.common.rack_units import half_units, is_full_depth, read_rack_units
from unifiedbus_dsl.export.common.stream import cable_runs, device_runs, kind_facts, number, write_text
from unifiedbus_dsl.export.formats.cables import labels
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.elevation import height_of, sides_of

MAKER = "Generic"
"""The manufacturer of every device type: NetBox wants one."""

COLORS = {"npu": "e91e63", "cpu": "3f51b5", "switch": "009688", "nic": "ff9800", "device": "9e9e9e"}
RACK_UNITS = 48

CABLE_COLUMNS = (
    "side_a_site", "side_a_device", "side_a_type", "side_a_name",
    "side_b_site", "side_b_device", "side_b_type", "side_b_name",
    "type", "status", "length", "length_unit", "label",
)  # fmt: skip

TYPES = {"copper": "dac-passive", "active_copper": "dac-active", "optical": "smf", "": ""}
"""NetBox's type of cable for each of our media; a site that was found may have NetBox's own."""

NAMES = Rule(r"[^\x00-\x1f]+", 64)
LONGEST_NAME = 64
"""Of a device and of an interface; other names and a label may have 100 characters."""
LONGEST_OTHER = 100


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric, plan = subject.fabric, subject.plan
    facts = kind_facts(fabric)
    keep = [fact.medium not in FIXED for fact in facts]
    dropped = int(np.bincount(fabric.kind, minlength=len(facts))[[not k for k in keep]].sum())
    if dropped:
        media = ", ".join(sorted({fact.medium for fact in facts} & FIXED))
        left_out(
            sink, f"{dropped:,} connections of medium {media} are no cables for NetBox and were left out", "cables"
        )
    site = plan.system[:LONGEST_OTHER]
    kinds = sorted({of.kind for of in plan.devices.values()})
    try:
        write_text(path / "1-sites.csv", [csv.table([("name", "slug", "status"), (site, plain(site), "planned")])])
        write_text(path / "2-manufacturers.csv", [csv.table([("name", "slug"), (MAKER, plain(MAKER))])])
        roles = [(kind, plain(kind), COLORS.get(kind, COLORS["device"])) for kind in kinds]
        write_text(path / "3-device-roles.csv", [csv.table([("name", "slug", "color"), *roles])])
        write_text(path / "4-device-types.yaml", _types(plan))
        places = _Places(fabric)
        write_text(path / "6-devices.csv", _devices(fabric, places, site, subject.gone))
        rows = ((site, place, "planned", 19, units or RACK_UNITS) for place, units in places.used.items())
        write_text(path / "5-racks.csv", [csv.table([("site", "name", "status", "width", "u_height"), *rows])])
        write_text(path / "7-cables.csv", _cables(fabric, keep, site, subject.gone))
    except TooLongError as error:
        raise _too_long(sink, str(error)) from error
    flat = [key for key in plan.devices if height_of(plan, key) is None]
    unknown = sum(1 for units in places.used.values() if not units)
    if flat or unknown:
        remark(
            sink,
            "UB0806",
            f"{len(flat):,} of {len(plan.devices):,} types of device and {unknown:,} of {len(places.used):,} racks "
            f"state no `height`: such devices are written as 0 U, racks as {RACK_UNITS} U high",
            "state `height = 2 U` in their types, and `place` them in the rack; parts of a tray stay 0 U",
        )


class TooLongError(Exception):
    """A name that NetBox has no place for."""


def _fitting(names: list[str], most: int = LONGEST_NAME) -> list[str]:
    """Return the names.

    Raises:
        TooLongError: one is too long.
    """
    longest = max(names, key=len, default="")
    if len(longest) > most:
        raise TooLongError(longest)
    return names


def _too_long(sink: Sink, name: str) -> CannotExportError:
    message = f"`{name}` is longer than NetBox's {LONGEST_NAME} letters"
    return too_large(sink, message, "give its arrays shorter names, or use `--to cables`")


def _types(plan: Plan) -> Iterator[str]:
    """Yield a device type with an interface for each port."""
    slugs, own = Slugs(plan, NAMES), stems(list(plan.devices))
    for key in plan.devices:
        _fitting([key], LONGEST_OTHER)
        yield f"- manufacturer: {yaml.string(MAKER)}\n  model: {yaml.string(key)}\n  slug: {yaml.string(own[key])}\n"
        height = height_of(plan, key)
        deep = "true" if is_full_depth(plan, key) else "false"
        yield f"  u_height: {half_units(height) if height else 0}\n  is_full_depth: {deep}\n"
        ports = _fitting(slugs.ports(key))
        yield "  interfaces:\n" if ports else "  interfaces: []\n"
        yield "".join(f"    - name: {yaml.string(port)}\n      type: other\n" for port in ports)


class _Places:
    """Where devices stand, and in `used` the places of those that were asked for, in order, with the units of each, 0
    where these are not known."""

    def __init__(self, fabric: Fabric) -> None:
        self._floor = read_floor(fabric.plan)
        self._units = read_rack_units(fabric.plan)
        self.used: dict[str, int] = {}

    def of(self, devices: list[int]) -> list[tuple[str, str]]:
        """Return the place of each device and the lowest unit that it takes there; empty where there is none."""
        places = _fitting(self._floor.places(devices), LONGEST_OTHER)
        rooms = np.nan_to_num(self._units.room[devices]).astype(np.int64).tolist()
        for place, room in zip(places, rooms, strict=True):
            if place:
                self.used.setdefault(place, room)
        lowest = self._units.lowest[devices].tolist()
        return [(place, _position(low) if place else "") for place, low in zip(places, lowest, strict=True)]


def _position(lowest: float) -> str:
    """Return a lowest unit as NetBox takes it, in halves; empty where it is none."""
    return f"{lowest:g}" if (2 * lowest) % 1 == 0 else ""


def _face(plan: Plan, key: str) -> str:
    return sides_of(plan, key)[0]


def _devices(fabric: Fabric, places: _Places, site: str, gone: OutageMask | None) -> Iterator[str]:
    yield csv.table([("name", "role", "manufacturer", "device_type", "status", "site", "rack", "position", "face")])
    slugs, types = Slugs(fabric.plan, NAMES), [(of.kind, MAKER, of.key) for of in fabric.plan.devices.values()]
    faces = [_face(fabric.plan, key) for key in fabric.plan.devices]
    for ids in device_runs(fabric, gone):
        names = _fitting(slugs.devices(ids).tolist())
        columns = zip(names, fabric.device_type[ids].tolist(), places.of(ids.tolist()), strict=True)
        yield csv.table(
            (name, *types[t], "planned", site, place, unit, faces[t] if unit else "")
            for name, t, (place, unit) in columns
        )


def _type(medium: str) -> str:
    return TYPES.get(medium, medium if medium in TYPES.values() else "")


def _cables(fabric: Fabric, keep: list[bool], site: str, gone: OutageMask | None) -> Iterator[str]:
    yield csv.table([CABLE_COLUMNS])
    slugs, keys = Slugs(fabric.plan, NAMES), list(fabric.plan.devices)
    ports = [slugs.ports(key) for key in keys]
    facts = [
        (_type(k.medium), "planned", *(("", "") if k.length is None else (number(k.length, 2), "m")))
        for k in kind_facts(fabric)
    ]
    for run in cable_runs(fabric, "write cables", keep, gone):
        sides = []
        for devices, numbers in ((run.a, fabric.a_port[run.ids]), (run.b, fabric.b_port[run.ids])):
            types = fabric.device_type[devices].tolist()
            far = [ports[t][p] for t, p in zip(types, numbers.tolist(), strict=True)]
            sides.append((slugs.devices(devices).tolist(), far))
        yield csv.table(
            (site, a, "dcim.interface", ap, site, b, "dcim.interface", bp, *facts[kind], label[-LONGEST_OTHER:])
            for a, ap, b, bp, kind, label in zip(*chain(*sides), run.kind, labels(fabric, slugs, run), strict=True)
        )


FORMAT = Format(
    "netbox",
    "what NetBox imports in bulk: device types, racks, devices, cables",
    "fabric",
    "netbox",
    write,
    ("rates", "lanes", "latencies"),
    "cables",
    supports_outages=True,
    file_patterns=(
        "1-sites.csv", "2-manufacturers.csv", "3-device-roles.csv", "4-device-types.yaml", "5-racks.csv",
        "6-devices.csv", "7-cables.csv",
    ),
)  # fmt: skip
