"""Sums, added up on the columns of the fabric device by device, port by port and cable by cable.

The plan answers them by multiplying; here every thing that was selected is there by its number, once, and is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import inside_spares, spares
from unifiedbus_dsl.ir.fabric.physical import has_cages, plugs
from unifiedbus_dsl.ir.plan import AssemblyType, Value
from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Ints
from unifiedbus_dsl.verify.components import components
from unifiedbus_dsl.vocabulary import attributes

_NONE = np.zeros(0, dtype=np.int64)


@frozen(eq=False)
class Chosen:
    """What is added up: devices, instances of assembly types (devices `start` to before `stop`), cables, single ports
    (of a device, by number), each by number and once."""

    devices: Ints = field(factory=lambda: _NONE)
    assemblies: Mapping[str, tuple[Ints, Ints]] = field(factory=dict)
    cables: Ints = field(factory=lambda: _NONE)
    ports: tuple[Ints, Ints] = field(factory=lambda: (_NONE, _NONE))


@frozen(eq=False)
class SumCertificate:
    """The sum `name` over what was chosen, of `field_name` where it is of a field. `lost` [D] devices are not there."""

    name: str
    field_name: str
    chosen: Chosen
    lost: Bools

    def prove(self, cables: Cables) -> Proved:
        check_chosen(cables, self.chosen, self.lost)
        if self.name != "lanes":
            require(_is_one_a_cable(cables.fabric, self.chosen.cables), "a cable of several ends counts twice")
        match self.name:
            case "count":
                chosen = self.chosen
                parts = [len(chosen.devices), len(chosen.cables), len(chosen.ports[0])]
                return Proved.exactly(sum(parts) + sum(len(start) for start, _ in chosen.assemblies.values()))
            case "free_ports":
                return Proved.exactly(_free_ports(cables, self.chosen, self.lost))
            case "ports" | "lanes" | "bandwidth":
                return Proved.exactly(float(_of_ports(cables.fabric, self.chosen, self.name)))
        assemblies = {key: len(start) for key, (start, _) in self.chosen.assemblies.items()}
        stated = _amounts(cables.fabric, self.chosen, assemblies, self.field_name, defaults=True)
        return Proved.exactly(float(sum((value * many for value, many in stated), Fraction(0))))


@frozen(eq=False)
class WholeSumCertificate:
    """The sum of a field over all that is left and states it, spares left out. With `failures` the sum is of failures a
    year, and the answer the seconds between two; with `repair_s` for each, the part of the time that all is up."""

    field_name: str
    lost: Bools
    repair_s: float | None = None
    failures: bool = False

    def prove(self, cables: Cables) -> Proved:
        chosen, assemblies = everything(cables, self.lost)
        stated = _amounts(cables.fabric, chosen, assemblies, self.field_name, defaults=False)
        total = float(sum((value * many for value, many in stated), Fraction(0)))
        if not self.failures:
            return Proved.exactly(total)
        between = 8760 * 3600 / total
        repair = self.repair_s
        return Proved.exactly(between if repair is None else between / (between + repair))


def check_chosen(cables: Cables, chosen: Chosen, lost: Bools) -> None:
    """Hold what was chosen to be there, each once, and left.

    Raises:
        VerificationError: it is not.
    """
    fabric = cables.fabric
    for ids, count in ((chosen.devices, fabric.device_count), (chosen.cables, fabric.cable_count)):
        require(len(np.unique(ids)) == len(ids) and not ((ids < 0) | (ids >= count)).any(), "something counts twice")
    require(not lost[chosen.devices].any() and not lost[chosen.ports[0]].any(), "a device that is lost is counted")
    if cables.health is not None:
        require((cables.health[chosen.cables] > 0).all(), "a cable that is lost is counted")
    device, port = chosen.ports
    wide = max((each.radix for each in fabric.plan.devices.values()), default=1)
    require(not ((port < 0) | (port >= wide)).any(), "a port that is none is counted")
    require(len(np.unique(device * wide + port)) == len(device), "a port counts twice")
    for key, (start, stop) in chosen.assemblies.items():
        size = fabric.device_count + 1
        there = np.asarray(fabric.blocks(key), dtype=np.int64)
        claimed = start * size + stop
        known = np.isin(claimed, there[0] * size + there[1]).all() and len(np.unique(claimed)) == len(claimed)
        require(known, "an assembly that is none is counted")


def everything(cables: Cables, lost: Bools) -> tuple[Chosen, dict[str, int]]:
    """Return the devices and cables that are left, spares left out, and how many assemblies there are of each type: of
    a machine that has lost something those with a device that is left."""
    fabric = cables.fabric
    there = ~(lost | spares(fabric.plan))
    left = np.concatenate([[0], np.cumsum(there)])
    counts = {}
    for key in fabric.plan.assemblies:
        start, stop = fabric.blocks(key)
        counts[key] = int((left[stop] > left[start]).sum())
        if cables.health is None:
            counts[key] = fabric.plan.in_service[key]
    alive = ~inside_spares(fabric.plan)
    if cables.health is not None:
        alive &= cables.health > 0
    return Chosen(np.flatnonzero(there), {}, _one_a_cable(fabric, np.flatnonzero(alive))), counts


def _one_a_cable(fabric: Fabric, links: Ints) -> Ints:
    """Return of some links one of each physical cable."""
    return links[np.unique(_cable_of(fabric)[links], return_index=True)[1]] if has_cages(fabric) else links


def _cable_of(fabric: Fabric) -> Ints:
    """Return for each link its cable, numbered by one of its plugs; [C]. Plugs that a link joins are of one cable."""
    a, b = plugs(fabric, np.arange(fabric.cable_count))
    names = np.unique(np.concatenate([a, b]))
    a, b = np.searchsorted(names, a), np.searchsorted(names, b)
    return components(len(names), a, b)[a]


def _is_one_a_cable(fabric: Fabric, links: Ints) -> bool:
    return not has_cages(fabric) or len(np.unique(_cable_of(fabric)[links])) == len(links)


def _amounts(
    fabric: Fabric, chosen: Chosen, assemblies: Mapping[str, int], name: str, *, defaults: bool
) -> Iterator[tuple[Fraction, int]]:
    """Yield what each type states of a field, or has where it states nothing, and how many there are of it."""
    plan = fabric.plan
    owners: list[tuple[str, Mapping[str, Value], int]] = []
    count = np.bincount(fabric.device_type[chosen.devices], minlength=len(plan.devices))
    owners += [("device", each.fields, n) for each, n in zip(plan.devices.values(), count.tolist(), strict=True)]
    owners += [("assembly", plan.type(key).fields, many) for key, many in assemblies.items()]
    kinds = np.bincount(fabric.kind[chosen.cables], minlength=len(fabric.kinds.link))
    of_link = np.bincount(fabric.kinds.link, weights=kinds, minlength=len(plan.links)).astype(np.int64)
    owners += [("link", each.fields, n) for each, n in zip(plan.links.values(), of_link.tolist(), strict=True)]
    for owner, fields, many in owners:
        known = attributes.attributes(owner).get(name) if defaults else None
        value = fields.get(name, known.default if known is not None else None)
        if many and isinstance(value, Quantity):
            yield value.value, many
        else:
            require(not many or not defaults, "something that states no such field is counted")


def _of_ports(fabric: Fabric, chosen: Chosen, name: str) -> Fraction:
    """Return how many ports there are, their lanes, or their raw rate, byte/s."""
    plan, total = fabric.plan, Fraction(0)
    if name == "lanes" and len(chosen.cables):
        total += int(fabric.kinds.lanes[fabric.kind[chosen.cables]].astype(np.int64).sum())
    whole = np.bincount(fabric.device_type[chosen.devices], minlength=len(plan.devices))
    single, numbers = fabric.device_type[chosen.ports[0]], chosen.ports[1]
    for number, device in enumerate(plan.devices.values()):
        first = 0
        own = numbers[single == number]
        for port in device.ports:
            inside = int(((own >= first) & (own < first + port.count)).sum())
            many = int(whole[number]) * port.count + inside
            each = {"ports": Fraction(1), "lanes": Fraction(port.lanes)}.get(name)
            total += many * (port.lanes * plan.protocols[port.protocol].lane_rate if each is None else each)
            first += port.count
    return total


def _free_ports(cables: Cables, chosen: Chosen, lost: Bools) -> int:
    """Return how many ports of the chosen devices have no cable that is left and are not exported by the machine."""
    fabric, plan = cables.fabric, cables.fabric.plan
    radix = np.array([device.radix for device in plan.devices.values()], dtype=np.int64)
    wide = int(radix.max(initial=1))
    keep = cables.left(slice(None))
    device = np.concatenate([fabric.a_device[keep], fabric.b_device[keep]]).astype(np.int64)
    port = np.concatenate([fabric.a_port[keep], fabric.b_port[keep]]).astype(np.int64)
    root = plan.type(plan.root)
    for export in root.exports if isinstance(root, AssemblyType) else ():
        table = plan.numbering.table(plan.root, export.name)
        device, port = np.append(device, table.device.ravel()), np.append(port, table.port.ravel())
    used = np.unique(device * wide + port) // wide
    mine = np.zeros(fabric.device_count, dtype=bool)
    mine[chosen.devices] = True
    return int(radix[fabric.device_type[chosen.devices]].sum()) - int(mine[used].sum())
