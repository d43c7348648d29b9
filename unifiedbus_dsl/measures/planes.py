"""Planes of a question: `over = UB` confines it to cables of one protocol or link, `over = [PCIe, RoCE]` to several.

A traffic that names its plane is carried by the cables of that plane alone, whatever it is asked under. Where no plane
is named, routings by fewest cables take whichever plane has them, be it the slower one: an answer then says which
planes carry the traffic, and which faster one would have.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, bincount
from unifiedbus_dsl.base.units import RATE, format_share
from unifiedbus_dsl.graph.network import Network, arcs_of_rows, connected_components
from unifiedbus_dsl.graph.symmetry import Automorphism, Symmetry, arc_images
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.semantic.select.planes import plane_links, read_plane
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, Groups, column_sums, row_sums
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing.interface import Routing
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.signatures import MEASURES, OVER, TRAFFICS

GAIN = 1e-6
"""Relative gain in throughput from which another plane counts as faster."""


def plane_names(call: MeasureCall) -> tuple[str, ...]:
    """Return the names of the planes that a measure is confined to by itself or by its traffic; none for all.

    Raises:
        Refused: a plane is named that the machine has not, or both name one.
    """
    own = call.named.get(OVER) if call.name in MEASURES and MEASURES[call.name].argument(OVER) else None
    traffic = _plane_of_traffic(call)
    if own is not None and traffic is not None:
        raise call.refuse(own, "the traffic names its plane already", "name it in one place")
    node = own or traffic
    if node is None:
        return ()
    names = read_plane(node, call.machine.fabric.plan.links, call.evaluator.sink)
    if names is None:
        raise RefusedError
    return names


def _plane_of_traffic(call: MeasureCall) -> tree.Expr | None:
    """Return what the traffic of a measure states as `over`; also that of the load in `worst(load(…))`."""
    for node in call.plain:
        inner = call.traffics[node.text].value if isinstance(node, tree.Name) and node.text in call.traffics else node
        if not isinstance(inner, tree.Call):
            continue
        asked = evolve(call, node=inner)
        if asked.name in TRAFFICS:
            return asked.named.get(OVER)
        if asked.name in MEASURES:
            return asked.named.get(OVER) or _plane_of_traffic(asked)
    return None


def confine(call: MeasureCall) -> tuple[MeasureCall, tuple[str, ...]]:
    """Return the call on the planes that it is confined to, and their names; none for all.

    Raises:
        Refused: a plane is named that the machine has not.
    """
    names = plane_names(call)
    return (evolve(call, machine=plane_of(call.machine, names)), names) if names else (call, ())


def plane_of(machine: NetworkContext, names: Sequence[str]) -> NetworkContext:
    """Return the machine with the cables of some planes only."""
    return machine.plane(_link_numbers(machine, names))


def _link_numbers(machine: NetworkContext, names: Sequence[str]) -> list[int]:
    links = machine.fabric.plan.links
    chosen = plane_links(names, links)
    return [number for number, key in enumerate(links) if key in chosen]


def plane_sentence(names: Sequence[str]) -> str:
    """Return how an answer says to which planes it is confined."""
    return f"over cables of {_listed(names)} alone"


def keep_plane(symmetry: Symmetry, machine: NetworkContext, names: Sequence[str]) -> Symmetry:
    """Return the symmetries that take cables of some planes to cables of these planes."""
    network = symmetry.network
    inside = np.isin(network.kinds.link[network.kind], _link_numbers(machine, names))

    def keep(generator: Automorphism) -> bool:
        arcs = arcs_of_rows(network, generator.moved)
        return bool((inside[arcs] == inside[arc_images(network, generator)]).all())

    return symmetry.restricted(keep=keep)


# ---- where no plane is named ----------------------------------------------------------------------------------------


def carrying_sentence(machine: NetworkContext, load: Floats) -> tuple[str, ...]:
    """Return which protocols carry something of a load ([A]), as a sentence; nothing where there is one protocol."""
    return links_sentence(machine, machine.network.kinds.link[machine.network.kind[load > 0]])


def links_sentence(machine: NetworkContext, carrying: Ints, verb: str = "carried by") -> tuple[str, ...]:
    """Return the protocols of links that carry something, by number, as a sentence; nothing where there is one."""
    network, links = machine.network, list(machine.fabric.plan.links.values())
    there = {links[k].protocol for k in np.unique(network.kinds.link[network.kind]).tolist()}
    return protocols_sentence(there, {links[k].protocol for k in np.unique(carrying).tolist()}, verb)


def protocols_sentence(there: Set[str], carrying: Set[str], verb: str = "carried by") -> tuple[str, ...]:
    """Return which of the protocols that are there carry something, as a sentence; nothing where there is one."""
    return () if len(there) < 2 else (f"{verb} {_listed(sorted(carrying))}",)


def open_sentence(machine: NetworkContext) -> tuple[str, ...]:
    """Return which protocols may carry something that is free to take any of them, as a sentence."""
    network = machine.network
    return links_sentence(machine, network.kinds.link[network.kind], "free to take cables of")


def has_planes(machine: NetworkContext) -> bool:
    """Return whether a machine is whole and has cables of several protocols, so that one may be left idle."""
    links = list(machine.fabric.plan.links.values())
    return machine.is_whole and len({links[k].protocol for k in machine.fabric.kinds.link.tolist()}) > 1


def faster_plane_line(
    machine: NetworkContext, demand: Demand, routing: Routing, scale: float, load: Floats
) -> tuple[str, ...]:
    """Return a warning where one protocol alone would carry more of a demand than the routing does over all.

    `load` [A] is the load at the largest `scale` of the demand that fits. Only asked of whole machines: what is left of
    one in a scenario is compared with the whole, not with its planes.
    """
    network = machine.network
    if not has_planes(machine) or routing.name == "optimal":
        return ()
    protocol, names = _protocols(machine, network)
    used = np.zeros(len(names))
    np.maximum.at(used, protocol, load / network.capacity_Bps)
    best: tuple[float, int] | None = None
    for number in np.flatnonzero(used < 1 - GAIN).tolist():
        inside = protocol == number
        if not inside.any() or not _may_carry(network, demand, inside, scale):
            continue
        own_scale = _scale_over(machine, demand, routing, names[number])
        if own_scale > scale * (1 + GAIN) and (best is None or own_scale > best[0]):
            best = (own_scale, number)
    if best is None:
        return ()
    row = row_sums(demand, network.ends)
    rates = [shown(each * float(row[row > 0].mean()), RATE) for each in (best[0], scale)]
    name, part = names[best[1]], format_share(float(used[best[1]]), places=0)
    return (idle_plane_line(name, rates, part),)


def idle_plane_line(name: str, rates: Sequence[str], part: str) -> str:
    """Return the warning that a plane alone would carry the first of two rates in place of the second."""
    return (
        f"warning: a faster plane is left idle: `{name}` alone (`over = {name}`) carries {rates[0]} an end point in "
        f"place of {rates[1]}, and its busiest cable is {part} full here"
    )


def _protocols(machine: NetworkContext, network: Network) -> tuple[Ints, list[str]]:
    """Return the protocol of each arc by number, [A], and the names of all."""
    links = machine.fabric.plan.links
    names = sorted({link.protocol for link in links.values()})
    of_link = np.array([names.index(link.protocol) for link in links.values()], dtype=np.int64)
    return of_link[network.kinds.link[network.kind]], names


def _may_carry(network: Network, demand: Demand, inside: Bools, scale: float) -> bool:
    """Return whether arcs of a plane ([A]) lead from each sender towards each of its receivers, with ports for more
    than the demand times `scale`: what costs nothing to see before the plane is solved alone."""
    capacity = bincount(network.tail[inside], network.capacity_Bps[inside], network.vertices)
    ports = bincount(network.end[network.end_order], capacity[network.end_order], network.ends)
    busiest = np.maximum(row_sums(demand, network.ends), column_sums(demand, network.ends))
    if (ports <= busiest * scale)[busiest > 0].any():
        return False
    n = network.vertices
    ends = np.where(network.end >= 0, n + network.end, n).astype(np.int64)
    joined = connected_components(
        n + network.ends + 1,
        np.concatenate([network.tail[inside], np.flatnonzero(network.end >= 0)]),
        np.concatenate([network.head[inside], ends[network.end >= 0]]),
    )[n : n + network.ends]
    if isinstance(demand, Groups):
        members = np.flatnonzero(demand.group >= 0)
        group = demand.group[members]
        first = members[np.unique(group, return_index=True)[1]][np.unique(group, return_inverse=True)[1].ravel()]
        return bool((joined[members] == joined[first]).all())
    return bool((joined[demand.source] == joined[demand.target]).all())


def _scale_over(machine: NetworkContext, demand: Demand, routing: Routing, name: str) -> float:
    """Return the largest scale of a demand over one protocol alone, 0 where it does not carry it."""
    try:
        return float(routing.throughput(plane_of(machine, (name,)), demand).scale)
    except NotAdmittedError:
        return 0.0


def _listed(names: Sequence[str]) -> str:
    said = [f"`{name}`" for name in names]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
