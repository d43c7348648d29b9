"""Another tool's names for a machine, put in the words of its design, so that the two can be compared.

A device that both sides know by the same GUID is the same, whatever it is called. Else it is the one of that name: to
the letter, as what the device calls itself (`MF0;leaf-01:MQM9700/U1` is `leaf-01`), or in its legal form
(`unifiedbus_dsl.export.common.names`): `pod3-rack1-npu7`, also `Pod3 rack1 npu7`. Where few are found so, the cables
say which device is which (`unifiedbus_dsl.importer.match_structure`). Ports that are only numbered are those of the
device's type in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.export.common.names import Slugs, plain
from unifiedbus_dsl.export.common.words import own_name
from unifiedbus_dsl.importer.listing import Device, Listing
from unifiedbus_dsl.importer.match_structure import by_structure
from unifiedbus_dsl.ir.fabric.names import port_names
from unifiedbus_dsl.ir.plan import Plan


@frozen
class Aligned:
    """What was found in the words of the design. `renamed` are the devices of one GUID and two names, `matched` those
    that only their cables tell; both as (name wanted, name found)."""

    found: Listing
    renamed: tuple[tuple[str, str], ...] = ()
    matched: tuple[tuple[str, str], ...] = ()


def match_names(wanted: Listing, found: Listing) -> Aligned:
    """Return `found` in the words of `wanted`; what has no counterpart keeps its name."""
    wanted, found = _own(wanted), _own(found)
    known = {device.name: device for device in wanted.devices}
    same = _by_id(wanted, found)
    renamed = tuple((ours.name, theirs.name) for ours, theirs in same if _called(ours) != _called(theirs))
    names = {theirs.name: ours.name for ours, theirs in same if ours.name != theirs.name}
    settled = {theirs.name for _, theirs in same}
    names |= _by_name(wanted, found, known, settled, {ours.name for ours, _ in same})
    ports = _ports(wanted)
    matched: dict[str, str] = {}
    there = sum(1 for device in found.devices if names.get(device.name, device.name) in known)
    if 2 * there < min(len(known), len(found.devices)):
        pairs = {d.name: names.get(d.name, d.name) for d in found.devices if names.get(d.name, d.name) in known}
        matched = by_structure(wanted, found, pairs, ports)
        names |= matched
    if not names and not found.numbered:
        return Aligned(found, renamed)

    labels = _numbered(wanted) if found.numbered and wanted.types is None else {}

    def end(at: tuple[str, str]) -> tuple[str, str]:
        name = names.get(at[0], at[0])
        if not found.numbered or not at[1].isdigit() or name not in known:
            return name, at[1]
        of = ports.get(known[name].type, [])
        number = int(at[1]) - 1
        if not of:
            return name, labels.get((name, number + 1), at[1])
        return name, of[number] if 0 <= number < len(of) else at[1]

    devices = tuple(evolve(device, name=names.get(device.name, device.name)) for device in found.devices)
    cables = tuple(evolve(cable, a=end(cable.a), b=end(cable.b)) for cable in found.cables)
    pairs_of = tuple(sorted((ours, theirs) for theirs, ours in matched.items()))
    return Aligned(evolve(found, devices=devices, cables=cables), tuple(sorted(renamed)), pairs_of)


def _own(listing: Listing) -> Listing:
    """Return a list without the nodes that reduce in the network: no design has them."""
    gone = {device.name for device in listing.devices if device.role == "aggregation"}
    if not gone:
        return listing
    cables = tuple(c for c in listing.cables if c.a[0] not in gone and c.b[0] not in gone)
    return evolve(listing, devices=tuple(d for d in listing.devices if d.name not in gone), cables=cables)


def _numbered(wanted: Listing) -> dict[tuple[str, int], str]:
    """Return the port of each device of a list by the number at its end: `Port 7` is port 7."""
    port_of: dict[tuple[str, int], str] = {}
    for device, port in (end for cable in wanted.cables for end in (cable.a, cable.b)):
        number = re.search(r"(\d{1,9})\Z", port)
        if number is not None:
            port_of[device, int(number[1])] = port
    return port_of


def _ports(wanted: Listing) -> Mapping[str, list[str]]:
    """Return the ports of each type of a design, in order."""
    if wanted.types is None:
        return {}
    return {key: port_names(wanted.types, key).tolist() for key in wanted.types.devices}


def _called(device: Device) -> str:
    """Return what a device calls itself, without the GUID that tells it from others of the name."""
    return device.label or device.name.removesuffix(device.id).rstrip()


def _by_id(wanted: Listing, found: Listing) -> list[tuple[Device, Device]]:
    """Return the devices of one GUID."""
    ids = Counter(device.id for side in (wanted, found) for device in side.devices if device.id)
    ours = {device.id: device for device in wanted.devices if ids.get(device.id) == 2}
    return [(ours[device.id], device) for device in found.devices if device.id in ours]


def _by_name(
    wanted: Listing, found: Listing, known: Mapping[str, Device], settled: set[str], used: set[str]
) -> dict[str, str]:
    """Return the design's name for each found one that is not in the design, where there is exactly one."""
    strange = [d for d in found.devices if d.name not in settled and (d.name not in known or d.name in used)]
    if not strange:
        return {}
    forms = _forms(wanted)
    taken = {d.name for d in found.devices} | used
    meant = {}
    for device in strange:
        ours = next((forms[form] for form in _said(device) if form in forms), None)
        if ours is not None and ours not in taken:
            meant[device.name] = ours
    uses = Counter(meant.values())
    return {name: ours for name, ours in meant.items() if uses[ours] == 1}


def _forms(wanted: Listing) -> dict[str, str]:
    """Return the name of each device by each form of it."""
    forms = {device.name: device.name for device in wanted.devices}
    for device in wanted.devices:
        for form in _said(device):
            forms.setdefault(form, device.name)
    plan = wanted.types
    if _is_design(plan, wanted):
        assert plan is not None
        slugs = Slugs(plan).devices(np.arange(len(wanted.devices))).tolist()
        forms = dict(zip(slugs, (device.name for device in wanted.devices), strict=True)) | forms
    return forms


def _is_design(plan: Plan | None, wanted: Listing) -> bool:
    return plan is not None and bool(plan.assemblies) and plan.device_count[plan.root] == len(wanted.devices)


def _said(device: Device) -> Iterator[str]:
    """Yield what a device may be called: its name, what it calls itself, both as a legal name."""
    for text in dict.fromkeys((device.label or device.name, device.name)):
        for each in dict.fromkeys((text, own_name(text))):
            yield each
            yield plain(each)
