"""What end points inside an assembly can send toward its wall, and how wide that is, on the orbits of a plan.

As on a fabric (`solver.resilience.oversubscription`), for one assembly of each orbit, which is told apart:

    inside = max flow  end points -> own ports -> (carriers ->)* wall, switches and the wall itself unlimited
    wall   = raw rate of the cables through the wall that the end points reach, one way

The orbits are those that keep the assembly, so a flow on them is one on its vertices, spread evenly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from math import lcm, prod

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.quotient.marking import marks_of
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.solver.from_plan.minimum_cut import maximum_flow
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.verify.plan_walls import StatedWall, check_wall


@frozen(eq=False)
class Senders:
    """Places whose devices send, those that carry for others, and the plane that cables of each kind are of, [K]."""

    members: frozenset[int]
    carriers: frozenset[int]
    plane: Ints
    planes: int


@frozen(eq=False)
class PlanWall:
    """The wall of an assembly of devices `start … stop - 1`, and of so `many` like it: by plane what is sent toward it
    and the width that is reached; the width of all cables through it; whether anything inside sends."""

    network: PlanNetwork
    start: int
    stop: int
    many: int
    inside_Bps: Floats  # noqa: N815
    wall_Bps: Floats  # noqa: N815
    width_Bps: float  # noqa: N815
    sends: bool


def plan_walls(network: PlanNetwork, keys: Collection[str], senders: Senders) -> list[PlanWall]:
    """Return a wall of each orbit of the assemblies of some types that have members, in order of their first devices;
    of those that have none the ratio is 0.

    Raises:
        NotProvedError: there are so many that the fabric is sooner asked, or parts are lost, or it matters how wide a
            wall is that nothing is sent to.
        VerificationError: flows do not hold.
    """
    if network.lost or network.plan.root in keys:
        raise NotProvedError("parts are lost, or the whole machine is meant")
    walls: list[PlanWall] = []
    idle = False
    for path, counts in _paths(network.plan, keys):
        below = [p for p, place in enumerate(network.wiring.places) if place.path[: len(path)] == path]
        if all(network.wiring.places[p].spare for p in below):
            continue
        if not senders.members.intersection(below):
            idle = True
            continue
        orbits = _block_orbits(network, path, counts, below[0])
        network.check_work(len(walls) + len(orbits))
        for number, many in orbits.items():
            start, stop = _devices(network.plan, path, counts, number)
            walls.append(_wall(_told_apart(network, start, stop), start, stop, many, senders))
    if idle and not any(wall.inside_Bps.any() for wall in walls):
        raise NotProvedError("nothing is sent to any wall")
    return sorted(walls, key=lambda wall: (wall.start, -wall.stop))


def _paths(plan: Plan, keys: Collection[str]) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Yield the paths of the parts of some types, and how many elements each array on them has."""
    stack: list[tuple[str, tuple[str, ...], tuple[int, ...]]] = [(plan.root, (), ())]
    while stack:
        key, path, counts = stack.pop()
        if key in keys:
            yield path, counts
        if key in plan.assemblies:
            stack += [
                (child.type, (*path, child.name), (*counts, child.count))
                for child in plan.assemblies[key].children
                if child.count
            ]


def _devices(plan: Plan, path: tuple[str, ...], counts: tuple[int, ...], number: int) -> tuple[int, int]:
    """Return the first and one past the last device of a part, given by its row-major number on a path."""
    key, start, rest = plan.root, 0, number
    for depth, name in enumerate(path):
        element, rest = divmod(rest, prod(counts[depth + 1 :]))
        child = plan.assemblies[key].by_name[name]
        start += plan.numbering.child_starts[key][plan.numbering.child_number(key, name)]
        start += element * plan.device_count[child.type]
        key = child.type
    return start, start + plan.device_count[key]


def _told_apart(network: PlanNetwork, start: int, stop: int) -> PlanNetwork:
    """Return the same with the devices of one part told apart."""
    return network.marked(*marks_of(network.wiring, [(start, stop)]))


def _block_orbits(network: PlanNetwork, path: tuple[str, ...], counts: tuple[int, ...], place: int) -> dict[int, int]:
    """Return one part of each orbit of those on a path, by its number, and how many it stands for; a place is in them.

    Where no digits of the place say which part a device is in, the orbits are those that keep the first part.
    """
    inside = network.wiring.places[place].count // prod(counts)
    strides = {digit.stride for digit in network.group.places[place]}
    if inside not in (*strides, network.wiring.places[place].count):
        network = _told_apart(network, *_devices(network.plan, path, counts, 0))
    cells = network.base.cells
    devices: dict[int, int] = {}
    for address, size in zip(cells.addresses(place).tolist(), cells.members[place].size.tolist(), strict=True):
        devices[address // inside] = devices.get(address // inside, 0) + size
    if any(count % inside for count in devices.values()):
        raise NotProvedError("members of one assembly are told apart by others")
    return {number: count // inside for number, count in sorted(devices.items())}


# ---- one assembly ---------------------------------------------------------------------------------------------------


def _inside(quotient: Quotient, network: PlanNetwork, start: int, stop: int) -> Bools:
    """Return which nodes are of the part with these devices, [nodes]."""
    inside = np.zeros(quotient.nodes, dtype=bool)
    for mark in marks_of(network.wiring, [(start, stop)]):
        here = np.flatnonzero(quotient.cells.place == mark.place)
        address = quotient.cells.addresses(mark.place)[quotient.cells.row[here]]
        inside[here] = address // mark.inside == mark.number
    return inside


@frozen(eq=False)
class _Part:
    """A quotient as senders see it: nodes `inside`, those that have a `member`, that `carry`, and that are `on` a way;
    arcs that stay `within`, and that lead out, `leaves`."""

    quotient: Quotient
    inside: Bools
    member: Bools
    carry: Bools
    on: Bools
    within: Bools
    leaves: Bools

    @classmethod
    def of(cls, quotient: Quotient, network: PlanNetwork, start: int, stop: int, senders: Senders) -> _Part:
        inside = _inside(quotient, network, start, stop)
        carry = np.isin(quotient.cells.place, list(senders.carriers))
        into = inside[quotient.head]
        return cls(
            quotient,
            inside,
            quotient.members(senders.members)[quotient.device] & inside,
            carry,
            quotient.forwards,
            inside[quotient.tail] & into,
            inside[quotient.tail] & ~into,
        )


def _wall(network: PlanNetwork, start: int, stop: int, many: int, senders: Senders) -> PlanWall:
    base = network.base
    part = _Part.of(base, network, start, stop, senders)
    cables = base.size[base.tail] * base.count
    each, injection, unit = _units(network)
    room = [int(n) * each[k] for n, k in zip(cables.tolist(), base.kind.tolist(), strict=True)]
    able = [
        None if injection[p] is None else int(size) * injection[p]
        for p, size in zip(base.device_place.tolist(), base.device_size.tolist(), strict=True)
    ]
    inside_bps, wall_bps = np.zeros(senders.planes), np.zeros(senders.planes)
    for plane in range(senders.planes):
        exits = part.leaves & (senders.plane[base.kind] == plane)
        if exits.any():
            back = _leads_back(network, start, stop, senders, plane, part, exits)
            stated = _flow(part, exits, back, room, able, unit)
            check_wall(stated)
            inside_bps[plane], wall_bps[plane] = stated.inside_Bps, stated.wall_Bps
    width = sum(room[a] for a in np.flatnonzero(part.leaves).tolist()) / unit
    return PlanWall(network, start, stop, many, inside_bps, wall_bps, width, bool(part.member.any()))


def _units(network: PlanNetwork) -> tuple[list[int], list[int | None], int]:
    """Return the raw rate of a cable of each kind and the injection of each place (None: no limit), as whole numbers
    of 1 / the last byte/s."""
    rates = [network.protocol(kind.link).lane_rate * kind.lanes for kind in network.wiring.kinds]
    limits = [network.plan.devices[place.device].fields.get("injection") for place in network.wiring.places]
    values = [limit.value if isinstance(limit, Quantity) else None for limit in limits]
    unit = lcm(*(Fraction(value).denominator for value in (*rates, *values) if value is not None))
    return [int(rate * unit) for rate in rates], [None if v is None else int(v * unit) for v in values], unit


def _flow(part: _Part, exits: Bools, back: Bools, room: list[int], able: list[int | None], unit: int) -> StatedWall:
    """Return the most that members send out by some exits, with a cut that it fills."""
    quotient = part.quotient
    tail, head, nodes, devices = quotient.tail, quotient.head, quotient.nodes, quotient.devices
    leads = exits | (part.within & part.on[head])
    own = np.flatnonzero(part.member[tail] & leads & ~back)
    onward = np.flatnonzero(part.on[tail] & leads & ((tail != head) | exits))
    free = ~part.carry[tail[onward]] & (exits[onward] | ~part.carry[head[onward]])
    senders = np.unique(quotient.device[part.member])
    enough = sum(room) + 1
    outside, begin = nodes + devices, nodes + devices + 1
    into = np.where(exits, outside, head)
    limits = [enough if able[d] is None else able[d] for d in senders.tolist()]
    capacity = [
        *(min(enough, limit) for limit in limits if limit is not None),
        *(room[a] for a in own.tolist()),
        *(enough if f else room[a] for a, f in zip(onward.tolist(), free.tolist(), strict=True)),
    ]
    carried, side = maximum_flow(
        begin + 1,
        np.concatenate([np.full(len(senders), begin), nodes + quotient.device[tail[own]], tail[onward]]),
        np.concatenate([nodes + senders, into[own], into[onward]]),
        capacity,
        [begin],
        [outside],
    )
    flows = np.array([value / unit for value in carried])
    own_bps, on_bps = np.zeros(len(tail)), np.zeros(len(tail))
    own_bps[own] = flows[len(senders) : len(senders) + len(own)]
    on_bps[onward] = flows[len(senders) + len(own) :]
    reached = _reached(np.isin(np.arange(nodes), head[own[~exits[own]]]), tail[onward], into[onward], nodes)
    used = np.flatnonzero(exits & (part.member[tail] | (part.on[tail] & reached[tail]))).tolist()
    injection = np.array([np.inf if limit is None else limit / unit for limit in able])
    return StatedWall(
        tail, head, np.array([amount / unit for amount in room]), part.inside, part.member, part.carry, part.on,
        exits, back, quotient.device, injection, own_bps, on_bps, side[:nodes], side[nodes:outside],
        sum(carried[: len(senders)]) / unit, sum(room[a] for a in used) / unit,
    )  # fmt: skip


def _reached(start: Bools, tail: Ints, head: Ints, nodes: int) -> Bools:
    """Return which nodes can be reached from the marked ones; arcs to others are left out."""
    reached = start.copy()
    stays = head < nodes
    tail, head = tail[stays], head[stays]
    while len(new := head[reached[tail] & ~reached[head]]):
        reached[new] = True
    return reached


def _leads_back(
    network: PlanNetwork, start: int, stop: int, senders: Senders, plane: int, part: _Part, exits: Bools
) -> Bools:
    """Return which arcs lead from a vertex of a member that forwards to where every way out comes back to it, [A]."""
    base = part.quotient
    through = part.member[base.tail] & part.on[base.tail] & part.within & part.on[base.head]
    orbits: set[int] = set()
    devices = np.unique(base.device[base.tail[through]]).tolist()
    network.check_work(len(devices))
    for device in devices:
        quotient = network.around(device)
        beside = _Part.of(quotient, network, start, stop, senders)
        links = beside.within & beside.on[quotient.tail] & beside.on[quotient.head]
        out = beside.leaves & (senders.plane[quotient.kind] == plane) & beside.on[quotient.tail]
        doors = np.isin(np.arange(quotient.nodes), quotient.tail[out])
        every = _reached(doors, quotient.tail[links], quotient.head[links], quotient.nodes)
        for node in quotient.nodes_of(quotient.source).tolist():
            kept = links & (quotient.tail != node) & (quotient.head != node)
            others = doors & (np.arange(quotient.nodes) != node)
            past = _reached(others, quotient.tail[kept], quotient.head[kept], quotient.nodes)
            back = links & (quotient.tail == node) & every[quotient.head] & ~past[quotient.head]
            orbits |= set(quotient.orbit[back].tolist())
    return through & np.isin(base.orbit, list(orbits))
