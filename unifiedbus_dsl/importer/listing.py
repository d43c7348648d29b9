"""A machine as a plain list of devices and cables by name: what files hold, before names have a meaning.

A fabric gives one, every import gives one, and `compare` and `rebuild` take it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.export.common.stream import cable_runs, kind_facts
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names, spares
from unifiedbus_dsl.ir.plan import Plan


class ImportFailed(ValueError):  # noqa: N818 - the field's word
    """A file that is not in its format; the sentence says where."""


@frozen
class Device:
    """A device by name; what the file doesn't say is empty or 0.

    `id` is a GUID or a chassis id, which stays where names change. `label` is what the device calls itself where `name`
    has more in it to be unique. `host` is the computer that an adapter is in. `role` is `aggregation` for a node that
    reduces in the network and is no end point, `router`, or `forwards` for what is no switch and passes traffic on.
    """

    name: str
    kind: str = ""
    type: str = ""
    spare: bool = False
    ports: int = 0
    id: str = ""
    label: str = ""
    host: str = ""
    role: str = ""


@frozen
class Cable:
    """Both ends as (device, port), the link, lanes, raw byte/s each way and metres; None where the file doesn't say."""

    a: tuple[str, str]
    b: tuple[str, str]
    link: str = ""
    medium: str = ""
    lanes: int | None = None
    rate: float | None = None
    length: float | None = None

    @property
    def ends(self) -> frozenset[tuple[str, str]]:
        return frozenset((self.a, self.b))

    def __str__(self) -> str:
        return f"{self.a[0]}.{self.a[1]} -- {self.b[0]}.{self.b[1]}"


@frozen
class Listing:
    """`types` is a plan whose devices, links and protocols are known; None where the file has none.

    `numbered` ports have no names of their own: port `n` is the n-th of the device, and rates are nominal (see
    `unifiedbus_dsl.importer.infiniband`).
    """

    name: str
    devices: tuple[Device, ...]
    cables: tuple[Cable, ...]
    types: Plan | None = field(default=None, repr=False)
    numbered: bool = False


def listing_of(fabric: Fabric) -> Listing:
    """Return the list of a fabric, in order of id."""
    types = list(fabric.plan.devices.values())
    names = device_names(fabric.plan, np.arange(fabric.device_count)).tolist()
    site = fabric.plan.site
    ids = site.ids if site is not None and site.ids else ("",) * len(names)
    columns = zip(names, fabric.device_type.tolist(), spares(fabric.plan).tolist(), ids, strict=True)
    devices = tuple(Device(name, types[t].kind, types[t].key, idle, id=guid) for name, t, idle, guid in columns)
    return Listing(fabric.plan.system, devices, tuple(_cables(fabric)), fabric.plan)


def _cables(fabric: Fabric) -> Iterator[Cable]:
    facts = kind_facts(fabric)
    for run in cable_runs(fabric, "list cables"):
        for a, ap, b, bp, kind in zip(run.a_name, run.a_port, run.b_name, run.b_port, run.kind, strict=True):
            k = facts[kind]
            yield Cable((a, ap), (b, bp), k.link, k.medium, k.lanes, k.rate, k.length)
