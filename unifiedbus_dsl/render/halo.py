"""Direct networks as people know them: switches on a circle, and around it the hosts of each, where it stands.

For a whole picture alone, as nothing leaves the circle. The switches are arrays of the assembly, or those of one
part in it that stand on a circle by themselves, as the groups of a dragonfly do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import cos, pi, sin

import numpy as np
from attrs import frozen

from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.render.marks import Point
from unifiedbus_dsl.render.places import Halo, Layout, Part, Sizes, layout, rule_ends
from unifiedbus_dsl.render.plan_summary import PlanSummary, has_end_point

FEWEST, MOST = 8, 200
"""Switches of a circle."""
_LATTICES = {"torus", "mesh", "hyperx", "hypercube", "line"}
_BETWEEN = 0.8
"""Room between the hosts of two switches, in hosts; as much again between two rows of switches."""


@frozen(eq=False)
class _Net:
    """Who is joined with whom: `hosts` of each switch in their order, by number in the assembly."""

    switches: Sequence[int]
    hosts: Mapping[int, Sequence[int]]

    @property
    def most(self) -> int:
        return max(len(each) for each in self.hosts.values())


def halo_layout(survey: PlanSummary, key: str, sizes: Sizes) -> Layout | None:
    """Return the layout of a type as a circle of switches with their hosts around it; None where it is no such
    network."""
    plan = survey.plan
    assembly = plan.assemblies[key]
    cores = [child for child in assembly.children if _is_core(plan, child)]
    net = _net(plan, assembly, cores) if _is_direct(survey, assembly, cores) else None
    if net is None:
        return None
    rows = cores
    if cores[0].type in plan.assemblies:
        beds = layout(survey, cores[0].type, sizes).beds
        if not (len(beds) == 1 and beds[0].round):
            return None
        rows = list(plan.assemblies[cores[0].type].children)
    return _laid_out(plan, assembly, _circle(net, rows, sizes), cores[0], sizes)


def _is_core(plan: Plan, child: Child) -> bool:
    """Return whether an array is of switches, or a part of switches alone."""
    if child.type in plan.devices:
        return plan.devices[child.type].kind == "switch"
    return child.count == 1 and not has_end_point(plan, child.type)


def _is_direct(survey: PlanSummary, assembly: AssemblyType, cores: Sequence[Child]) -> bool:
    """Return whether all else are hosts, and the switches no lattice: what is joined along rows and columns stands in
    rows and columns."""
    plan = survey.plan
    nested = [child for child in cores if child.type in plan.assemblies]
    if not cores or (nested and len(cores) > 1) or len(cores) == len(assembly.children):
        return False
    if any(child.type not in plan.devices for child in assembly.children if child not in cores):
        return False
    if nested:
        return True
    bundles = [b for b in survey.bundles[assembly.key] if {b.left, b.right} <= {child.name for child in cores}]
    lattice = len(cores) == 1 and (len(cores[0].shape) > 1 or any(bundle.pattern in _LATTICES for bundle in bundles))
    return bool(bundles) and not lattice


def _net(plan: Plan, assembly: AssemblyType, cores: Sequence[Child]) -> _Net | None:
    """Return the network; None where a host is not at one switch alone, a switch has none, or there are too many."""
    switches = [device for child in cores for device in _devices(plan, assembly, child)]
    if not FEWEST <= len(switches) <= MOST:
        return None
    known = np.zeros(plan.device_count[assembly.key], dtype=bool)
    known[switches] = True
    at: dict[int, set[int]] = defaultdict(set)
    for number in range(len(assembly.rules)):
        left, right = rule_ends(plan, assembly, number)
        if bool((~known[left] & ~known[right]).any()):
            return None
        for a, b in ((left, right), (right, left)):
            mixed = ~known[a] & known[b]
            for host, switch in zip(a[mixed].tolist(), b[mixed].tolist(), strict=True):
                at[host].add(switch)
    if len(at) != len(known) - len(switches) or any(len(each) != 1 for each in at.values()):
        return None
    hosts: dict[int, list[int]] = defaultdict(list)
    for host in sorted(at):
        hosts[min(at[host])].append(host)
    return _Net(switches, hosts) if len(hosts) == len(switches) else None


def _devices(plan: Plan, assembly: AssemblyType, child: Child) -> range:
    start = plan.numbering.child_starts[assembly.key][plan.numbering.child_number(assembly.key, child.name)]
    return range(start, start + child.count * plan.device_count[child.type])


@frozen(eq=False)
class _Placed:
    """The middle of each device, around the origin; `radius` of the circle of switches; `elbow` where lines to hosts
    turn outwards."""

    spots: Mapping[int, Point]
    radius: float
    elbow: float
    switches: frozenset[int]


def _circle(net: _Net, cores: Sequence[Child], sizes: Sizes) -> _Placed:
    """Return the switches on a circle of our own, those of a row side by side."""
    breaks = set(_rows(cores))
    slots = net.most + _BETWEEN
    angles: dict[int, float] = {}
    at = 0.0
    for number, switch in enumerate(net.switches):
        at += 1.2 * _BETWEEN if number in breaks else 0.0
        angles[switch] = at + slots / 2
        at += slots
    step = _step(net, sizes)
    whole = 1.42 * sizes.side + 0.4 * sizes.gap
    radius = max(at * step / (2 * pi) - 3.2 * sizes.side, len(net.switches) * whole / (2 * pi), 2.5 * sizes.side)
    turned = {switch: 2 * pi * slot / at - pi / 2 for switch, slot in angles.items()}
    spots = {switch: (radius * cos(angle), radius * sin(angle)) for switch, angle in turned.items()}
    return _with_hosts(spots, turned, net, radius, radius + 3.2 * sizes.side, sizes)


def _rows(cores: Sequence[Child]) -> Iterator[int]:
    """Yield the switches, counted through, before which a row or an array begins."""
    start = 0
    for child in cores:
        row = child.count // child.shape[0] if len(child.shape) > 1 else child.count
        yield from range(start, start + child.count, max(row, 1))
        start += child.count


def _step(net: _Net, sizes: Sizes) -> float:
    """Return how far apart hosts stand along their circle: many of them in two rows by turns."""
    gap = max(sizes.gap, 4.0)
    return (sizes.side + gap) / (2 if net.most > 2 else 1)


def _with_hosts(
    spots: Mapping[int, Point],
    turned: Mapping[int, float],
    net: _Net,
    radius: float,
    ring: float,
    sizes: Sizes,
) -> _Placed:
    """Return the same with the hosts of each switch on a ring, in two rows by turns where they are many."""
    step = _step(net, sizes) / ring
    result = dict(spots)
    for switch, hosts in net.hosts.items():
        for number, host in enumerate(hosts):
            angle = turned[switch] + (number - (len(hosts) - 1) / 2) * step
            reach = ring + (sizes.side + 5 if net.most > 2 and number % 2 else 0.0)
            result[host] = reach * cos(angle), reach * sin(angle)
    return _Placed(result, radius, ring - 0.8 * sizes.side, frozenset(net.switches))


def _laid_out(plan: Plan, assembly: AssemblyType, placed: _Placed, core: Child, sizes: Sizes) -> Layout:
    """Return the layout with these middles of devices; a part that holds the switches has one of its own in it."""
    side = sizes.side
    xs, ys = zip(*placed.spots.values(), strict=True)
    dx, dy = 1.5 * side - min(xs), 1.5 * side - min(ys)
    spots = {device: (x + dx, y + dy) for device, (x, y) in placed.spots.items()}
    around = Halo((dx, dy), placed.radius, placed.elbow, side, spots, placed.switches)
    size = max(xs) + dx + 1.5 * side, max(ys) + dy + 1.5 * side
    parts: list[Part] = []
    for child in assembly.children:
        start = _devices(plan, assembly, child).start
        if child is core and child.type in plan.assemblies:
            inner = plan.assemblies[child.type]
            own = {device - start: spots[device] for device in placed.switches}
            halo = Halo(around.centre, placed.radius, placed.elbow, side, own, frozenset(own))
            leaves = [part for each in inner.children for part in _leaves(each, own, 0, side)]
            inside = Layout(inner.key, *size, tuple(leaves), counts=(1,) * len(leaves), halo=halo)
            parts.append(Part(child.name, 0, 0.0, 0.0, inside, bare=True))
        else:
            parts += _leaves(child, spots, start, side)
    counts = tuple(plan.device_count[part.layout.key] for part in parts)
    return Layout(assembly.key, *size, tuple(parts), counts=counts, halo=around)


def _leaves(child: Child, spots: Mapping[int, Point], start: int, side: float) -> list[Part]:
    """Return the devices of an array in their places; its first has the number `start`."""
    leaf = Layout(child.type, side, side)
    middles = [spots[start + element] for element in range(child.count)]
    return [Part(child.name, i, x - side / 2, y - side / 2, leaf) for i, (x, y) in enumerate(middles)]
