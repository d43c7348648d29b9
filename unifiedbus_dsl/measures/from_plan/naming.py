"""How an answer from the plan names what it is about: devices by their ids, orbits of arcs by one of them."""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.ir.fabric.names import device_name
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork

MOST_SORTS = 3


@frozen
class ArcOrbit:
    """An orbit of arcs: the ids of the ends of one of them, and how many there are, parallel cables as one."""

    tail_id: int
    head_id: int
    arcs: int


def pair_name(plan: Plan, source_id: int, target_id: int) -> str:
    """`a -> b` of two devices."""
    return f"{device_name(plan, source_id)} -> {device_name(plan, target_id)}"


def arc_orbit(network: PlanNetwork, orbit: int) -> ArcOrbit:
    """Return an orbit of arcs with one of it."""
    base = network.base
    at = int((base.orbit == orbit).nonzero()[0][0])
    device = int(base.device[base.tail[at]])
    around = network.around(device)
    own = set(around.nodes_of(around.source).tolist())
    here = [a for a in (around.orbit == orbit).nonzero()[0].tolist() if int(around.tail[a]) in own]
    heads = {int(around.head[a]) for a in here}
    head = min(around.device_id(int(around.device[node])) for node in heads)
    each = sum(int(around.size[node]) for node in heads)
    return ArcOrbit(around.device_id(around.source), head, int(base.device_size[device]) * each)


def binding_names(network: PlanNetwork, orbits: Ints) -> tuple[str, ...]:
    """Return the arcs of some orbits by name: one of each sort (types of both ends, link), and how many are like it."""
    base, plan = network.base, network.plan
    types, links = list(plan.devices), list(plan.links)
    places = network.wiring.places
    sorts: dict[tuple[int, int, int], list[ArcOrbit]] = {}
    for orbit in orbits.tolist():
        at = int((base.orbit == orbit).nonzero()[0][0])
        tail, head = (int(base.cells.place[side[at]]) for side in (base.tail, base.head))
        link = links.index(network.wiring.kinds[int(base.kind[at])].link)
        key = types.index(places[tail].device), types.index(places[head].device), link
        sorts.setdefault(key, []).append(arc_orbit(network, orbit))
    rows = [(-sum(each.arcs for each in found), key, found) for key, found in sorts.items()]
    names = []
    for less, (_, _, link), arcs in sorted(rows, key=lambda row: row[:2])[:MOST_SORTS]:
        first = min(arcs, key=lambda each: (each.tail_id, each.head_id))
        more = f" and {-less - 1:,} more" if less < -1 else ""
        names.append(f"{pair_name(plan, first.tail_id, first.head_id)} over {links[link]}{more}")
    return tuple(names)


def injection_names(network: PlanNetwork, places: Ints) -> tuple[str, ...]:
    """Return the end points whose injection binds."""
    if not len(places):
        return ()
    wiring = network.wiring
    first = min(int(wiring.device_ids(p, places[:1] * 0)[0]) for p in places.tolist())
    count = sum(wiring.places[p].count for p in places.tolist())
    return (f"injection of {device_name(network.plan, first)}" + (f" and {count - 1:,} more" if count > 1 else ""),)
