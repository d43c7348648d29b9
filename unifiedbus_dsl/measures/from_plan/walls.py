"""`oversubscription` of assemblies from the plan."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.cuts import planes_by_switch, walls_answer
from unifiedbus_dsl.measures.plan_call import PlanCall
from unifiedbus_dsl.measures.state_orbits import verify_orbits
from unifiedbus_dsl.measures.wording import block_names
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.solver.from_plan.walls import Senders, plan_walls
from unifiedbus_dsl.solver.resilience.oversubscription import worst_planes
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes


def oversubscription(asked: PlanCall) -> Answer:
    call, network = asked.call, asked.network
    node = call.one()
    if not isinstance(node, tree.All) or node.scope is not None:
        raise asked.refuse("the selection is of single parts")
    keys = call.selector.type_keys(node) or []
    if not keys or any(asked.plan.type(key).kind not in attributes.KINDS_OF_ASSEMBLY for key in keys):
        raise asked.refuse("no assemblies are selected")
    base = network.base
    members = asked.ends(call.named["from"]) if "from" in call.named else asked.end_places
    of_machine = asked.end_kinds
    carriers = frozenset(
        p for p, place in enumerate(network.wiring.places) if network.ends[p] and place.device not in of_machine
    )
    if members & carriers:
        raise asked.refuse("carriers send on their own account")
    links = list(asked.plan.links)
    link_of_kind = np.array([links.index(kind.link) for kind in network.wiring.kinds], dtype=np.int64)
    switch = np.flatnonzero(~network.ends[base.cells.place[base.tail]])
    plane, names = planes_by_switch(asked.plan, link_of_kind, base.tail[switch], base.kind[switch])
    planes = max(1, len(names))  # of a machine without cables too
    walls = plan_walls(network, keys, Senders(members, carriers, plane, planes))
    if not walls:
        raise asked.refuse("nothing is selected")
    for wall in walls:
        verify_orbits(wall.network)
    rows = worst_planes(
        np.stack([wall.inside_Bps for wall in walls], axis=1),
        np.stack([wall.wall_Bps for wall in walls], axis=1),
        np.array([wall.width_Bps for wall in walls]),
        np.array([wall.sends for wall in walls]),
    )
    noun = asked.plan.type(keys[0]).kind

    def name(number: int) -> str:
        start, stop = (np.array([each]) for each in (walls[number].start, walls[number].stop))
        return block_names(call.machine, DeviceRanges(start, stop, noun, tuple(keys)))[0]

    many = np.array([wall.many for wall in walls], dtype=np.int64)
    return walls_answer(call, rows, many, names, name)
