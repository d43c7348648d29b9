"""A plan as the solver sees it: its orbits, and around a device the orbits that are left when it stays where it is.

Node n of a quotient stands for `size[n]` vertices; arcs a of [A] lead from every vertex of node `tail[a]` over
`count[a]` cables to vertices of node `head[a]`. Devices d of [D] are orbits of devices: `device[n]` is that of a node.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError, Wiring, told_by_length, wiring_of
from unifiedbus_dsl.graph.quotient.cells import Arcs, Cells, OrbitNumbers, cells_of
from unifiedbus_dsl.graph.quotient.group import Mark, Parting, PlanGroup, group_of
from unifiedbus_dsl.graph.quotient.marking import marks_of
from unifiedbus_dsl.ir.plan import Plan, Protocol
from unifiedbus_dsl.ir.plan.field_values import field_value

WORK = 12_000
"""Orbits of sources times those of vertices and arcs, about, up to which the plan is sooner asked than the fabric made;
and one more for so many cables of it."""
CABLES_FOR_WORK = 20


@frozen(eq=False, slots=False)
class Quotient:
    """Orbits of vertices and arcs, with the kinds of cable and what vertices do."""

    cells: Cells
    capacity_Bps: Floats  # noqa: N815
    """Of a cable of each kind, one way, after protocol efficiency."""
    alive: Bools
    """Which nodes are left, [nodes]; arcs lead between these."""
    undamaged: Arcs
    """The arcs with those that are lost."""

    @classmethod
    def of(cls, cells: Cells, capacity_Bps: Floats, lost: Sequence[Mark]) -> Quotient:  # noqa: N803
        """Return orbits without the marked devices."""
        alive = np.ones(cells.nodes, dtype=bool)
        for mark in lost:
            here = np.flatnonzero(cells.place == mark.place)
            address = cells.addresses(mark.place)[cells.row[here]]
            alive[here[address // mark.inside == mark.number]] = False
        arcs = cells.arcs
        kept = alive[arcs.tail] & alive[arcs.head]
        columns = (column[kept] for column in (arcs.tail, arcs.head, arcs.kind, arcs.orbit, arcs.count))
        return cls(cells if kept.all() else evolve(cells, arcs=Arcs(*columns)), capacity_Bps, alive, arcs)

    def members(self, places: Collection[int]) -> Bools:
        """Return which orbits of devices are of some places, and left, [D]."""
        return np.isin(self.device_place, list(places)) & self.alive[self.first]

    @property
    def nodes(self) -> int:
        return self.cells.nodes

    @property
    def tail(self) -> Ints:
        return self.cells.arcs.tail

    @property
    def head(self) -> Ints:
        return self.cells.arcs.head

    @property
    def kind(self) -> Ints:
        return self.cells.arcs.kind

    @property
    def orbit(self) -> Ints:
        return self.cells.arcs.orbit

    @property
    def count(self) -> Ints:
        return self.cells.arcs.count

    @property
    def size(self) -> Ints:
        """How many vertices a node stands for, [nodes]."""
        return self.cells.size

    @cached_property
    def forwards(self) -> Bools:
        """Whether vertices pass on what they get, [nodes]."""
        wiring = self.cells.group.wiring
        tables = [wiring.layouts[place.device].forwards for place in wiring.places]
        widest = max((len(table) for table in tables), default=1)
        table = np.zeros((len(tables), widest), dtype=bool)
        for p, row in enumerate(tables):
            table[p, : len(row)] = row
        return table[self.cells.place, self.cells.vertex]

    @cached_property
    def device(self) -> Ints:
        """The orbit of devices of each node, [nodes]; these are in order of their first nodes."""
        return np.asarray(np.cumsum(self.cells.vertex == 0) - 1)

    @cached_property
    def first(self) -> Ints:
        """The first node of each orbit of devices, [D]."""
        return np.flatnonzero(self.cells.vertex == 0)

    @property
    def devices(self) -> int:
        return len(self.first)

    @cached_property
    def device_size(self) -> Ints:
        return self.size[self.first]

    @cached_property
    def device_place(self) -> Ints:
        return self.cells.place[self.first]

    @cached_property
    def source(self) -> int:
        """The orbit of devices that the source is alone in."""
        assert self.cells.source is not None
        place, digits = self.cells.source
        rows = self.cells.members[place].digits
        row = int(np.flatnonzero((rows == digits).all(axis=1))[0])
        return int(self.device[self.cells.node(place, row)])

    def nodes_of(self, device: int) -> Ints:
        return np.flatnonzero(self.device == device)

    def device_id(self, device: int) -> int:
        """Return the id in the fabric of the member of an orbit of devices."""
        node = int(self.first[device])
        place, row = int(self.cells.place[node]), int(self.cells.row[node])
        address = np.array([self.cells.address(place, row)])
        return int(self.cells.group.wiring.device_ids(place, address)[0])


@frozen(eq=False, slots=False)
class PlanNetwork:
    """A plan with its symmetries. `marks` are devices that are told apart, `partings` values of digits."""

    wiring: Wiring
    marks: tuple[Mark, ...] = ()
    lost: tuple[Mark, ...] = ()
    """Those of `marks` that are lost."""
    partings: tuple[Parting, ...] = ()
    _around: dict[tuple[int, bytes], Quotient] = field(factory=dict, repr=False, init=False)

    @classmethod
    def of(cls, plan: Plan) -> PlanNetwork:
        """Return the network of a plan.

        Raises:
            NotProvedError: its rules are beyond what is proved here.
        """
        return cls(wiring_of(plan))

    @property
    def plan(self) -> Plan:
        return self.wiring.plan

    def over(self, links: Collection[str]) -> PlanNetwork:
        """Return the same with the cables of some links only."""
        kept = tuple(rule for rule in self.wiring.rules if rule.rule.link in links)
        return PlanNetwork(evolve(self.wiring, rules=kept), self.marks, self.lost, self.partings)

    def without(self, parts: Iterable[tuple[int, int]]) -> PlanNetwork:
        """Return the same without some parts, given by the first and one past the last of their devices.

        Raises:
            NotProvedError: there are many.
        """
        marks = marks_of(self.wiring, parts)
        return PlanNetwork(self.wiring, (*self.marks, *marks), (*self.lost, *marks), self.partings)

    def marked(self, *marks: Mark) -> PlanNetwork:
        """Return the same with more devices told apart."""
        return PlanNetwork(self.wiring, (*self.marks, *marks), self.lost, self.partings)

    @cached_property
    def whole(self) -> PlanNetwork:
        """The same with what is lost, told apart as it is here."""
        return PlanNetwork(self.wiring, self.marks, (), self.partings) if self.lost else self

    def parted(self, partings: tuple[Parting, ...]) -> PlanNetwork:
        """Return the same with values of digits told apart."""
        return PlanNetwork(self.wiring, self.marks, self.lost, (*self.partings, *partings))

    @cached_property
    def timed(self) -> PlanNetwork:
        """The same with cables of different lengths told apart.

        Raises:
            NotProvedError: lengths are those of a floor plan.
        """
        return PlanNetwork(told_by_length(self.wiring), self.marks, self.lost, self.partings)

    @cached_property
    def group(self) -> PlanGroup:
        return group_of(self.wiring, self.marks, self.partings)

    @cached_property
    def numbers(self) -> OrbitNumbers:
        return OrbitNumbers()

    @cached_property
    def capacity_Bps(self) -> Floats:  # noqa: N802
        """Capacity of a cable of each kind, one way, after protocol efficiency, [K] byte/s."""
        part = np.array([float(self.protocol(kind.link).efficiency) for kind in self.wiring.kinds])
        return np.asarray(self.rate_Bps * part)

    @cached_property
    def rate_Bps(self) -> Floats:  # noqa: N802
        """Raw rate of a cable of each kind, [K] byte/s."""
        return np.array([float(self.protocol(kind.link).lane_rate) * kind.lanes for kind in self.wiring.kinds])

    @cached_property
    def cable_latency_s(self) -> Floats:
        """Latency of a cable of each kind, protocol, link and length together, [K] s; of a network that is `timed`."""
        latency_s = []
        for link, _, length_m in self.wiring.kinds:
            assert length_m is not None
            of = self.plan.links[link].fields
            latency_s.append(
                float(self.protocol(link).latency)
                + field_value(of.get("latency"), 0.0)
                + field_value(of.get("delay"), 0.0) * float(length_m)
            )
        return np.array(latency_s, dtype=np.float64)

    @cached_property
    def device_latency_s(self) -> Floats:
        """What passing through a device of each place costs, [places] s."""
        devices = (self.plan.devices[place.device] for place in self.wiring.places)
        return np.array([field_value(device.fields.get("latency"), 0.0) for device in devices], dtype=np.float64)

    def protocol(self, link: str) -> Protocol:
        """Return the protocol of a link."""
        return self.plan.protocols[self.plan.links[link].protocol]

    @cached_property
    def base(self) -> Quotient:
        """The orbits under all symmetries."""
        return Quotient.of(cells_of(self.group, self.numbers), self.capacity_Bps, self.lost)

    @cached_property
    def orbit_cables(self) -> Floats:
        """How many cables, one way, the arcs of each orbit have together, [orbits]."""
        base = self.base
        return bincount(base.orbit, (base.size[base.tail] * base.count).astype(np.float64), len(self.numbers.numbers))

    @property
    def lost_cables(self) -> int:
        """How many cables are lost."""
        base = self.base
        whole = int((base.size[base.undamaged.tail] * base.undamaged.count).sum())
        return (whole - int((base.size[base.tail] * base.count).sum())) // 2

    @cached_property
    def orbit_kind(self) -> Ints:
        kind = np.zeros(len(self.orbit_cables), dtype=np.int64)
        kind[self.base.orbit] = self.base.kind
        return kind

    @cached_property
    def mirror(self) -> Ints:
        """The orbit of the arcs the other way, [orbits]."""
        orbits = range(len(self.orbit_cables))
        return np.array([self.numbers.mirror[orbit] for orbit in orbits], dtype=np.int64)

    @cached_property
    def orbit_capacity_Bps(self) -> Floats:  # noqa: N802
        """What all arcs of each orbit carry together, [orbits] byte/s."""
        return np.asarray(self.orbit_cables * self.capacity_Bps[self.orbit_kind])

    def around(self, device: int) -> Quotient:
        """Return the orbits that are left when the member of an orbit of devices stays where it is."""
        base = self.base
        node = int(base.first[device])
        place, row = int(base.cells.place[node]), int(base.cells.row[node])
        digits = base.cells.members[place].digits[row]
        key = place, digits.tobytes()
        if key not in self._around:
            orbits = len(self.orbit_cables)
            quotient = Quotient.of(cells_of(self.group, self.numbers, (place, digits)), self.capacity_Bps, self.lost)
            if len(self.numbers.numbers) != orbits:
                raise NotProvedError("orbits of cables do not agree")
            self._around[key] = quotient
        return self._around[key]

    def made(self) -> list[Quotient]:
        """Return the orbits that have been asked for so far."""
        return [*([self.base] if "base" in vars(self) else []), *self._around.values()]

    def sources(self, places: Collection[int]) -> Sequence[tuple[int, int]]:
        """Return the orbits of the devices of some places in order of the ids of their members, and their sizes.

        Raises:
            NotProvedError: there are so many that the fabric is sooner asked.
        """
        base = self.base
        orbits = np.flatnonzero(base.members(places)).tolist()
        self.check_work(len(orbits))
        orbits.sort(key=base.device_id)
        return [(d, int(base.device_size[d])) for d in orbits]

    def check_work(self, times: int) -> None:
        """Refuse to go over all orbits so many times where the fabric is sooner asked.

        Raises:
            NotProvedError: it is.
        """
        base = self.base
        if times * (base.nodes + len(base.tail)) > WORK + self.orbit_cables.sum() / CABLES_FOR_WORK:
            raise NotProvedError("so many orbits that the fabric is asked sooner")

    def count(self, places: Collection[int]) -> int:
        """Return how many devices of some places are left."""
        return int(self.base.device_size[self.base.members(places)].sum())

    @cached_property
    def injection_Bps(self) -> Floats:  # noqa: N802
        """What a device of each place may send and receive, [places] byte/s."""
        devices = (self.plan.devices[place.device] for place in self.wiring.places)
        return np.array([field_value(device.fields.get("injection"), np.inf) for device in devices])

    @cached_property
    def ends(self) -> Bools:
        """Which places are of end points, [places]."""
        return np.array([self.plan.devices[place.device].kind != "switch" for place in self.wiring.places], dtype=bool)
