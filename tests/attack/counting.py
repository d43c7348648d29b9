"""What is counted of a drawn machine: sums over devices and cables, tiers, and what leaves its racks."""

from __future__ import annotations

import math
from collections.abc import Iterator

import networkx as nx

from tests.attack.draw import ARC_S, LANE_BPS, LINK_AFR, LINK_COST, Device, Drawn, lanes_of
from tests.attack.oracle import Oracle

YEAR_S = 8760 * 3600.0
Vertex = tuple[int, int]


def sums(machine: Drawn) -> Iterator[tuple[str, float]]:
    """Measures that add up, and their values of what is left."""
    there = [device for device in machine.devices if not device.lost]
    npus = [device for device in there if device.kind == "npu"]
    cables = [cable for cable in machine.cables if machine.left(cable)]
    ports = [lanes_of(port) for device in npus for port in (*device.ports, *device.free)]
    rates = [lanes_of(port) * (0.5 if port[0] == "o" else 1.0) for d in npus for port in (*d.ports, *d.free)]
    yield "count(all npu)", len(npus)
    yield "count(all switch)", sum(device.kind == "switch" for device in there)
    yield "count(all link)", len(cables)
    yield "ports(all npu)", len(ports)
    yield "lanes(all npu)", sum(ports)
    yield "bandwidth(all npu)", sum(rates) * LANE_BPS
    used = {at for cable in cables for at in (cable.a, cable.b)}
    free = [
        (k, port) not in used
        for k, device in enumerate(machine.devices)
        if device.kind == "npu" and not device.lost
        for port in (*device.ports, *device.free)
    ]
    yield "free_ports(all npu)", sum(free)
    yield "sum(all npu.power)", sum(device.power_W for device in npus)
    yield "power(all npu)", sum(device.power_W for device in npus)
    yield "power()", sum(device.power_W for device in there) + 2 * len(cables)
    if machine.cables:
        yield "cost()", sum(LINK_COST[cable.link] for cable in cables)
    failures = 0.125 * len(there) + sum(LINK_AFR[cable.link] for cable in cables)
    between = YEAR_S / failures
    yield "mtbf()", between
    yield "availability(mttr = 75 min)", between / (between + 75 * 60)


def tiers(oracle: Oracle) -> tuple[int, dict[str, float]]:
    """How many tiers there are over the NPUs, and what the cables between each two carry one way; anything is passed
    through, a line of two sides as a whole."""
    near: dict[Vertex, int] = {}
    level = {
        oracle.whole(oracle.vertices(k, port)[0])
        for k in oracle.npus
        for port in (*oracle.devices[k].ports, *oracle.devices[k].free)
    }
    arcs = [(oracle.whole(tail), oracle.whole(head), capacity) for tail, head, capacity, _ in oracle.arcs]
    step = 0
    while level:
        near |= dict.fromkeys(level, step)
        step += 1
        level = {head for tail, head, _ in arcs if tail in level and head not in near}
    bands: dict[str, float] = {}
    for tail, head, capacity in arcs:
        low, high = sorted((near.get(tail, -1), near.get(head, -1)))
        name = f"{low} to {high}" if low >= 0 else "apart"
        bands[name] = bands.get(name, 0.0) + capacity / 2
    return max(near.values()) + 1, bands


# ---- what leaves an assembly ----------------------------------------------------------------------------------------


def oversubscription(oracle: Oracle) -> float:
    """The worst finite ratio of what NPUs in a rack can send toward its wall to what gets through it; infinite where
    there is none. A rack of which nothing is left is no rack."""
    racks = {device.rack for device in oracle.devices if device.rack >= 0 and not device.lost}
    ratios = [_ratio(oracle, rack, other) for rack in racks for other in (False, True)]
    finite = [each for each in ratios if math.isfinite(each)]
    return max(finite) if finite else math.inf


def _ratio(oracle: Oracle, rack: int, other: bool) -> float:
    """Maximum flow from NPUs over their own ports and carriers to the wall of a plane; the network and the wall have
    no limit.

    A node is an NPU `("end", k)`, what forwarding vertices of switches and NPUs join `("net", part)`, a vertex of a
    carrier `("carrier", vertex)`, or the outside. A vertex of two sides, which leads on one way only, joins nothing.
    """
    devices = oracle.devices
    members = [k for k in oracle.npus if devices[k].rack == rack]
    if not members:
        return 0.0
    inside = [each for each in oracle.arcs if devices[each[0][0]].rack == rack]
    one = _one_plane(oracle)
    arcs = [
        each for each in inside if devices[each[1][0]].rack == rack or (not one and each[3] == ARC_S["Other"]) == other
    ]
    joins, graph = nx.Graph(), nx.DiGraph()
    for tail, head, *_ in arcs:
        for vertex in (tail, head):
            if devices[vertex[0]].rack == rack and _passes(devices[vertex[0]], vertex):
                joins.add_node(vertex)
        both_ways = not _sided(devices[tail[0]], tail) and not _sided(devices[head[0]], head)
        if both_ways and devices[head[0]].rack == rack and joins.has_node(tail) and joins.has_node(head):
            joins.add_edge(tail, head)
    part = {vertex: n for n, some in enumerate(nx.connected_components(joins)) for vertex in some}

    def node(vertex: Vertex) -> object:
        if devices[vertex[0]].rack != rack:
            return "outside"
        if vertex in part:
            return "net", part[vertex]
        carrier = devices[vertex[0]].kind == "cpu" and vertex[1] >= 0
        return ("carrier", vertex) if carrier else None

    for k in members:
        able = devices[k].injection_GBps * 1e9
        graph.add_edge("all", ("end", k), **({"capacity": round(able)} if able else {}))
    graph.add_node("outside")
    for tail, head, capacity, _ in arcs:
        into = node(head)
        if into is None:
            continue
        if tail[0] in members and not _leads_back(oracle, arcs, rack, tail, head):
            _add(graph, ("end", tail[0]), into, capacity)
        onto = node(tail)
        if onto is not None and onto != into:
            limited = onto[0] == "carrier" or (into != "outside" and into[0] == "carrier")
            _add(graph, onto, into, capacity if limited else math.inf)
    flow = float(nx.maximum_flow_value(graph, "all", "outside"))
    reached = {node for k in members for node in nx.descendants(graph, ("end", k))}
    wall = sum(
        capacity
        for tail, head, capacity, _ in arcs
        if devices[head[0]].rack != rack and (tail[0] in members or node(tail) in reached)
    )
    if not other or wall > 0:
        return flow / wall if flow > 0 else math.inf
    return math.inf  # no rack has an other plane


def _one_plane(oracle: Oracle) -> bool:
    """Whether a switch has cables of both protocols left, which are one plane then."""
    kinds: dict[int, set[bool]] = {}
    for tail, _, _, latency in oracle.arcs:
        kinds.setdefault(tail[0], set()).add(latency == ARC_S["Other"])
    return any(len(of) == 2 and oracle.devices[k].kind == "switch" for k, of in kinds.items())


def _sided(device: Device, vertex: Vertex) -> bool:
    return vertex[1] >= len(device.lines) and device.kind == "npu"


def _passes(device: Device, vertex: Vertex) -> bool:
    return device.kind == "switch" or (device.kind == "npu" and vertex[1] >= 0)


def _add(graph: nx.DiGraph, tail: object, head: object, capacity: float) -> None:
    """An arc; several between the same nodes add up."""
    before = graph.get_edge_data(tail, head, {"capacity": 0})
    if "capacity" not in before or math.isinf(capacity):
        graph.add_edge(tail, head)
        graph[tail][head].pop("capacity", None)
    else:
        graph.add_edge(tail, head, capacity=before["capacity"] + round(capacity))


def _leads_back(oracle: Oracle, arcs: list[tuple], rack: int, tail: Vertex, head: Vertex) -> bool:
    """Whether from a port of an NPU that forwards every way out of the rack leads back through the same line."""
    devices = oracle.devices
    if tail[1] < 0 or devices[head[0]].rack != rack:
        return False
    seen, level = {head}, [head]
    while level:
        at = level.pop()
        forwards = devices[at[0]].kind == "switch" or at[1] >= 0
        for one, two, *_ in arcs:
            if one == at and forwards:
                if devices[two[0]].rack != rack:
                    return False
                if two not in seen and oracle.whole(two) != oracle.whole(tail):
                    seen.add(two)
                    level.append(two)
    return True
