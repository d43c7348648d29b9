"""Other routings with fixed shares, on the vertices of a drawn machine: by capacity, over intermediates, up and down,
and dimension by dimension."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from tests.attack.oracle import Oracle

Pairs = list[tuple[int, int]]
Vertex = tuple[int, int]


def throughputs(oracle: Oracle, traffic: Pairs) -> Iterator[tuple[str, float | None]]:
    """The largest scale of a traffic of rate 1 for each pair, by routing; None where it leads nowhere."""
    yield "wcmp", oracle.ecmp(traffic, by_capacity=True)[0]
    yield "valiant", _over_ends(oracle, traffic)
    yield "updown", _updown(oracle, traffic)
    if oracle.machine.grid:
        yield "dor", _by_dimension(oracle, traffic)


def _rows(traffic: Pairs) -> tuple[dict[int, float], dict[int, float]]:
    sent: dict[int, float] = {}
    received: dict[int, float] = {}
    for s, t in traffic:
        sent[s] = sent.get(s, 0.0) + 1.0
        received[t] = received.get(t, 0.0) + 1.0
    return sent, received


def _over_ends(oracle: Oracle, traffic: Pairs) -> float:
    """Each source sends all members of the traffic an equal part of its sum, and each of them sends it on."""
    sent, received = _rows(traffic)
    via = sorted({*sent, *received})
    load = np.zeros(len(oracle.arcs))
    for s in via:
        for t in via:
            if s != t:
                load += oracle.shares(s, t) * (sent.get(s, 0.0) + received.get(t, 0.0)) / len(via)
    return oracle.fits(load, sent, received)


# ---- sets of arcs without cycles ------------------------------------------------------------------------------------


def _along(oracle: Oracle, traffic: Pairs, ways: Callable[[int], dict[object, list[int]]]) -> float | None:
    """Loads where each node of a target's ways passes on equal shares over its arcs."""
    load = np.zeros(len(oracle.arcs))
    for target in {t for _, t in traffic}:
        onward = ways(target)
        for source in [s for s, t in traffic if t == target]:
            share: dict[object, float] = {source: 1.0}
            while share:
                nodes: dict[object, float] = {}
                for node, part in share.items():
                    arcs = onward.get(node)
                    if not arcs:
                        return None
                    for k in arcs:
                        load[k] += part / len(arcs)
                        head = oracle.arcs[k][1]
                        if head[0] != target:
                            nodes[head] = nodes.get(head, 0.0) + part / len(arcs)
                share = nodes
    return oracle.fits(load, *_rows(traffic))


def _updown(oracle: Oracle, traffic: Pairs) -> float | None:
    tier = _tiers(oracle)

    def ways(target: int) -> dict[object, list[int]]:
        down: dict[Vertex, int] = {}
        for level in range(1, max(tier.values()) + 1):
            for tail, head, *_ in oracle.arcs:
                falls = tier[tail] == level and tier[head] == level - 1
                if falls and (head[0] == target or (down.get(head) == level - 1 and _forwards(oracle, head))):
                    down[tail] = level
        found: dict[object, list[int]] = {}
        steps: dict[object, float] = dict(down)
        for vertex, level in down.items():
            found[vertex] = [
                k
                for k, (tail, head, *_) in enumerate(oracle.arcs)
                if tail == vertex
                and tier[head] == level - 1
                and (head[0] == target or (down.get(head) == level - 1 and _forwards(oracle, head)))
            ]
        for level in range(max(tier.values()) - 1, -1, -1):
            for vertex in [v for v, at in tier.items() if at == level and v not in down and v[0] != target]:
                up = {
                    k: steps[head] + 1
                    for k, (tail, head, *_) in enumerate(oracle.arcs)
                    if tail == vertex and tier[head] == level + 1 and head in steps and _forwards(oracle, head)
                }
                if up:
                    steps[vertex] = min(up.values())
                    found[vertex] = [k for k, value in up.items() if value == steps[vertex]]
        return _with_sources(oracle, found, steps)

    return _along(oracle, traffic, ways)


def _with_sources(
    oracle: Oracle, found: dict[object, list[int]], steps: dict[object, float]
) -> dict[object, list[int]]:
    """An end point leaves by all arcs of those of its vertices that are nearest."""
    for device in oracle.npus:
        own = [v for v in found if isinstance(v, tuple) and v[0] == device and found[v]]
        if own:
            nearest = min(steps[v] for v in own)
            found[device] = [k for v in own if steps[v] == nearest for k in found[v]]
    return found


def _forwards(oracle: Oracle, vertex: Vertex) -> bool:
    return oracle.devices[vertex[0]].kind == "switch" or vertex[1] >= 0


def _tiers(oracle: Oracle) -> dict[Vertex, int]:
    """Hops of each vertex from the nearest end point, passing through anything."""
    every = {vertex for arc in oracle.arcs for vertex in arc[:2]}
    tier = dict.fromkeys((v for v in every if oracle.devices[v[0]].kind != "switch"), 0)
    level = 0
    while any(at == level for at in tier.values()):
        for tail, head, *_ in oracle.arcs:
            if tier.get(tail) == level and head not in tier:
                tier[head] = level + 1
        level += 1
    return {v: tier.get(v, -1) for v in every}


def _by_dimension(oracle: Oracle, traffic: Pairs) -> float | None:
    """First along the first index, by all shortest ways on its rings, then along the second."""
    at = [tuple(int(x) for x in each.name.partition("[")[2].rstrip("]").split(",")) for each in oracle.devices]

    def ways(target: int) -> dict[object, list[int]]:
        found: dict[object, list[int]] = {}
        for device in range(len(oracle.devices)):
            if device == target:
                continue
            k = 0 if at[device][0] != at[target][0] else 1
            moves = {
                arc: _steps(oracle, at, head[0], target, k)
                for arc, (tail, head, *_) in enumerate(oracle.arcs)
                if tail[0] == device and at[head[0]][1 - k] == at[device][1 - k] and at[head[0]][k] != at[device][k]
            }
            nearest = min(moves.values(), default=math.inf)
            if nearest < math.inf and nearest < _steps(oracle, at, device, target, k):
                arcs = [arc for arc, value in moves.items() if value == nearest]
                found[device, 0], found[device] = arcs, arcs
        return found

    return _along(oracle, traffic, ways)


def _steps(oracle: Oracle, at: list[tuple[int, ...]], device: int, target: int, k: int) -> float:
    """Cables along index k from a device to where that index is the target's."""
    seen, level, steps = {device}, {device}, 0.0
    while level:
        if any(at[each][k] == at[target][k] for each in level):
            return steps
        level = {
            head[0]
            for tail, head, *_ in oracle.arcs
            if tail[0] in level and at[head[0]][1 - k] == at[tail[0]][1 - k] and head[0] not in seen
        }
        seen |= level
        steps += 1
    return math.inf
