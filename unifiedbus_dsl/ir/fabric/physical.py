"""The physical cables of a fabric: which of its links are one, by the cages of the ports that they join.

A column of the fabric is over links, each between two ports. A breakout cable has several, and is one thing to buy, to
lay and to lose (`ir.plan.physical` says how cages make cables). Here links are grouped on the columns of the fabric, so
that what the plan counts rule by rule is counted a second time.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.physical import Cages, cage_starts, first_links

_KNOWN = "_first_links"


def has_cages(fabric: Fabric) -> bool:
    """Return whether any port of the machine shares its cage."""
    return fabric.plan.has_cages


def first_of_cables(fabric: Fabric) -> IntArray:
    """Return for each link the first link of its cable; [C]."""
    if _KNOWN not in vars(fabric):
        own = np.arange(fabric.cable_count)
        vars(fabric)[_KNOWN] = first_links(*plugs(fabric, own)) if has_cages(fabric) else own
    first = vars(fabric)[_KNOWN]
    assert isinstance(first, np.ndarray)
    return first


def plugs(fabric: Fabric, links: IntArray) -> tuple[IntArray, IntArray]:
    """Return the plugs at both ends of some links."""
    of_link = np.asarray([link.connectors for link in fabric.plan.links.values()] or [1], dtype=np.int64)
    connectors = of_link[fabric.kinds.link[fabric.kind[links]]]
    a, b = cages(fabric, links)
    return a.plugs(connectors), b.plugs(connectors)


def cages(fabric: Fabric, links: IntArray) -> tuple[Cages, Cages]:
    """Return the cages at both ends of some links."""
    said = _exported_cages(fabric)
    sides = ((fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port))
    a, b = (_cages(fabric, device[links], port[links], said) for device, port in sides)
    return a, b


_Said: TypeAlias = "tuple[IntArray, Cages] | None"
"""Ports of cages that assemblies export, as `device * radix + port`, ascending, and what they say."""


def _cages(fabric: Fabric, device: NDArray[Any], port: NDArray[Any], said: _Said) -> Cages:
    types, start = fabric.device_type[device], port.astype(np.int64)
    size = np.ones(len(start), np.int64)
    for number, of in enumerate(fabric.plan.devices.values()):
        if of.cages:
            some = types == number
            first, count = cage_starts(of.cages, of.radix)
            size[some] = count[start[some]]
            start[some] = first[start[some]]
    anchor, place = device.astype(np.int64) * fabric.plan.max_radix + start, port.astype(np.int64) - start
    if said is not None:
        own = device.astype(np.int64) * fabric.plan.max_radix + port
        at = np.minimum(np.searchsorted(said[0], own), len(said[0]) - 1)
        some = said[0][at] == own
        anchor, size, place = (
            np.where(some, theirs[at], mine)
            for theirs, mine in ((said[1].anchor, anchor), (said[1].size, size), (said[1].place, place))
        )
    return Cages(anchor, size, place)


def _exported_cages(fabric: Fabric) -> _Said:
    """Return what exports say of cages; where one inside another does, what the outer one says."""
    plan, radix = fabric.plan, fabric.plan.max_radix
    columns: list[tuple[IntArray, IntArray, IntArray, IntArray]] = []
    for key in plan.bottom_up:
        for export in plan.assemblies[key].exports:
            if export.cage > 1:
                start = np.asarray(fabric.blocks(key)[0], dtype=np.int64)[:, None] * radix
                table = plan.numbering.table(key, export.name)
                ports = table.device * radix + table.port
                place = np.arange(len(ports)) % export.cage
                anchor = ports[np.arange(len(ports)) - place]
                tiled = np.broadcast_to(place, (len(start), len(place))).ravel()
                full = np.full(len(tiled), export.cage)
                columns.append(((start + ports).ravel(), (start + anchor).ravel(), full, tiled))
    if not columns:
        return None
    port, anchor, size, place = (np.concatenate(column)[::-1] for column in zip(*columns, strict=True))
    port, last = np.unique(port, return_index=True)
    return port, Cages(anchor[last], size[last], place[last])


def count_whole(fabric: Fabric) -> int:
    """Return how many physical cables there are."""
    return len(one_a_cable(fabric, np.arange(fabric.cable_count))) if has_cages(fabric) else fabric.cable_count


def one_a_cable(fabric: Fabric, links: IntArray) -> IntArray:
    """Return of some links, ascending, the first of each cable."""
    if not has_cages(fabric):
        return links
    return np.asarray(links[np.unique(first_of_cables(fabric)[links], return_index=True)[1]])


def whole_cables(fabric: Fabric, links: IntArray) -> IntArray:
    """Return all links of the cables that these are of, ascending."""
    if not has_cages(fabric):
        return links
    first = first_of_cables(fabric)
    return np.flatnonzero(np.isin(first, first[links]))
