"""Random machines with `transit A -- B`, and what they carry, worked out over ports alone.

A state is a port that something came in by. The rules are those of the language, written out: a switch sends it on by
any of its ports, an ordinary line by any port of the line, a line of two sides by a port of the other side, and ports
in no line send nothing on. Nothing of the network, its vertices or its arcs is used.
"""

from __future__ import annotations

import random
from collections import deque
from itertools import combinations

import numpy as np
from attrs import define, field
from scipy.optimize import linprog

Port = tuple[int, int]
HEAD = """ubus 1
protocol Fast { lane = 16 Gbps; latency = 100 ns }
protocol Slow { lane = 8 Gbps; latency = 150 ns }
link F : Fast { medium = copper; reach = 9 m; delay = 5 ns/m }
link S : Slow { medium = copper; reach = 9 m; delay = 5 ns/m }
"""
RATE = {"Fast": 2e9, "Slow": 1e9}


@define
class Device:
    """A device: its kind, the protocol of each port, its lines (ports of one side, ports of the other or none)."""

    kind: str
    ports: list[str]
    lines: list[tuple[list[int], list[int]]] = field(factory=list)
    latency_ns: int = 0

    def onward(self, port: int) -> list[int]:
        """The ports by which it sends on what came in by a port."""
        if self.kind == "switch":
            return list(range(len(self.ports)))
        for one, two in self.lines:
            if port in one:
                return two or one
            if port in two:
                return one
        return []


@define
class Machine:
    devices: list[Device]
    cables: list[tuple[Port, Port, int]]
    """Both ends, and the length in decimetres."""

    @property
    def ends(self) -> list[int]:
        return [d for d, device in enumerate(self.devices) if device.kind != "switch"]

    def text(self) -> str:
        lines = [HEAD]
        for d, device in enumerate(self.devices):
            lines.append(f"{device.kind} D{d} {{")
            if device.latency_ns:
                lines.append(f"  latency = {device.latency_ns} ns")
            lines += [f"  port p{k} : {protocol} x1 @open" for k, protocol in enumerate(device.ports)]
            for one, two in device.lines:
                sides = [", ".join(f"p{k}" for k in side) for side in (one, two) if side]
                lines.append(f"  transit {' -- '.join(sides)}")
            lines.append("}")
        lines.append("rack R {")
        lines += [f"  d{d} : D{d}" for d in range(len(self.devices))]
        for (a, p), (b, q), length in self.cables:
            link = self.devices[a].ports[p][0]
            lines.append(f"  connect d{a}.p{p} -- d{b}.p{q} over {link}({length / 10} m)")
        return "\n".join([*lines, "}", "system s : R", ""])

    def hops(self) -> list[tuple[Port, Port, int]]:
        """Each way of each cable: out by a port, in by another, and the number of the cable."""
        ways = [(a, b, c) for c, (a, b, _) in enumerate(self.cables)]
        return ways + [(b, a, c) for a, b, c in ways]


def draw_machine(draw: random.Random) -> Machine:
    """A few devices of all sorts, their ports joined at random."""
    devices = [_device(draw) for _ in range(draw.randint(3, 7))]
    devices += [Device("npu", ["Fast"] * draw.randint(1, 2)) for _ in range(2)]
    cables = []
    for protocol in ("Fast", "Slow"):
        free = [(d, p) for d, device in enumerate(devices) for p, of in enumerate(device.ports) if of == protocol]
        draw.shuffle(free)
        for a, b in zip(free[::2], free[1::2], strict=False):
            if a[0] != b[0] and draw.random() < 0.95:
                cables.append((a, b, draw.choice((5, 10, 20))))
    return Machine(devices, cables)


def _device(draw: random.Random) -> Device:
    if draw.random() < 0.4:
        return Device("switch", [draw.choice(("Fast", "Fast", "Slow")) for _ in range(draw.randint(2, 4))], [], 50)
    count = draw.randint(2, 5)
    device = Device("npu", [draw.choice(("Fast", "Fast", "Slow")) for _ in range(count)], [], draw.choice((0, 30)))
    ports = list(range(count))
    draw.shuffle(ports)
    while len(ports) >= 2 and draw.random() < 0.85:
        size = draw.randint(2, len(ports))
        some, ports = sorted(ports[:size]), ports[size:]
        cut = draw.randint(0, size - 1)
        device.lines.append((some[cut:], some[:cut]))
    return device


# ---- what is right ------------------------------------------------------------------------------------------------


def fewest(machine: Machine, target: int) -> dict[Port, int]:
    """Cables that are left from each port that something came in by, or, as (device, -1), from a device that sends."""
    onto = {a: b for a, b, _ in machine.hops()}
    left: dict[Port, int] = {}
    todo = [(d, p) for d, device in enumerate(machine.devices) for p in range(len(device.ports))]
    for p in range(len(machine.devices[target].ports)):
        left[target, p] = 0
    for level in range(1, len(todo) + 2):
        for d, p in todo:
            out = machine.devices[d].onward(p)
            if (d, p) not in left and any(left.get(onto.get((d, q), (-1, -1)), level) == level - 1 for q in out):
                left[d, p] = level
    for d in machine.ends:
        ways = [left[onto[d, p]] + 1 for p in range(len(machine.devices[d].ports)) if onto.get((d, p)) in left]
        if ways and d != target:
            left[d, -1] = min(ways)
    return left


def hop_matrix(machine: Machine) -> np.ndarray:
    """Cables between each two end points, infinite where there is no path."""
    far = np.full((len(machine.ends),) * 2, np.inf)
    for j, t in enumerate(machine.ends):
        left = fewest(machine, t)
        for i, s in enumerate(machine.ends):
            far[i, j] = 0 if s == t else left.get((s, -1), np.inf)
    return far


def ecmp_loads(machine: Machine, pairs: list[tuple[int, int]]) -> dict[tuple[Port, Port], float]:
    """What each way of each cable carries when each pair sends 1: at each device an equal part for each cable that
    leads nearer."""
    onto = {a: b for a, b, _ in machine.hops()}
    load: dict[tuple[Port, Port], float] = {}
    for s, t in pairs:
        left = fewest(machine, t)
        have = {(s, -1): 1.0}
        for level in range(left[s, -1], 0, -1):
            then: dict[Port, float] = {}
            for (d, p), amount in have.items():
                out = range(len(machine.devices[d].ports)) if p < 0 else machine.devices[d].onward(p)
                nearer = [q for q in out if left.get(onto.get((d, q), (-1, -1))) == level - 1]
                for q in nearer:
                    way = (d, q), onto[d, q]
                    load[way] = load.get(way, 0.0) + amount / len(nearer)
                    then[way[1]] = then.get(way[1], 0.0) + amount / len(nearer)
            have = then
    return load


def latency(machine: Machine, s: int, t: int) -> float:
    """Least zero-load time, s, by relaxing every way of every cable until nothing changes."""
    onto = {a: (b, c) for a, b, c in machine.hops()}
    best: dict[Port, float] = {}
    for p in range(len(machine.devices[s].ports)):
        if (s, p) in onto:
            b, c = onto[s, p]
            best[b] = min(best.get(b, np.inf), _cable_s(machine, (s, p), c))
    queue = deque(best)
    while queue:
        d, p = queue.popleft()
        if d == t:
            continue
        for q in machine.devices[d].onward(p):
            if (d, q) in onto:
                b, c = onto[d, q]
                time = best[d, p] + machine.devices[d].latency_ns * 1e-9 + _cable_s(machine, (d, q), c)
                if time < best.get(b, np.inf) - 1e-15:
                    best[b] = time
                    queue.append(b)
    return min((time for (d, _), time in best.items() if d == t), default=np.inf)


def _cable_s(machine: Machine, port: Port, cable: int) -> float:
    fixed = {"Fast": 100e-9, "Slow": 150e-9}[machine.devices[port[0]].ports[port[1]]]
    return fixed + 5e-9 * machine.cables[cable][2] / 10


def capacity(machine: Machine, port: Port) -> float:
    return RATE[machine.devices[port[0]].ports[port[1]]]


def throughput(machine: Machine, demand: list[tuple[int, int]], minimal: bool = False) -> float:
    """The largest amount of each pair that fits at once, over all paths (`minimal`: of fewest cables): an LP with
    a variable for each pair, each way of a cable and each turn from one to another."""
    ways = machine.hops()
    columns: list[tuple[int, int, int]] = []
    for k, (s, t) in enumerate(demand):
        left = fewest(machine, t)
        first = [i for i, (a, _, _) in enumerate(ways) if a[0] == s]
        columns += [(k, -1, i) for i in first if not minimal or left.get(ways[i][1], -9) == left[s, -1] - 1]
        columns += [
            (k, i, j)
            for i, j in turns(machine)
            if not minimal or left.get(ways[j][1], -9) == left.get(ways[i][1], -8) - 1
        ]
    at = {column: n for n, column in enumerate(columns)}
    equal, below, room = [], [], []
    for k, (_, t) in enumerate(demand):
        goal = np.zeros(len(columns) + 1)
        goal[-1] = -1
        for i, (_, b, _) in enumerate(ways):
            into = [at[k, j, i] for j in range(-1, len(ways)) if (k, j, i) in at]
            onward = [at[k, i, j] for j in range(len(ways)) if (k, i, j) in at]
            row = np.zeros(len(columns) + 1)
            row[onward], row[into] = 1, -1
            if b[0] == t:  # what is not sent on has arrived
                goal -= row
                below.append(row)
                room.append(0.0)
            else:
                equal.append(row)
        equal.append(goal)
    for i, (a, _, _) in enumerate(ways):
        row = np.zeros(len(columns) + 1)
        row[[at[k, j, i] for k in range(len(demand)) for j in range(-1, len(ways)) if (k, j, i) in at]] = 1
        below.append(row)
        room.append(capacity(machine, a) / 1e9)
    cost = np.zeros(len(columns) + 1)
    cost[-1] = -1
    found = linprog(cost, A_ub=np.array(below), b_ub=room, A_eq=np.array(equal), b_eq=np.zeros(len(equal)))
    assert found.status == 0
    return float(-found.fun * 1e9)


def turns(machine: Machine) -> list[tuple[int, int]]:
    """The ways of cables after which another one may be taken."""
    ways = machine.hops()
    return [
        (i, j)
        for i, (_, b, _) in enumerate(ways)
        for j, (c, _, _) in enumerate(ways)
        if b[0] == c[0] and c[1] in machine.devices[b[0]].onward(b[1])
    ]


def max_flow(machine: Machine, sources: list[int], targets: list[int]) -> float:
    """What these devices can send those at the most, whoever sends what, and through which of them it passes."""
    ways = machine.hops()
    inside = {*sources, *targets}
    columns = [(-1, i) for i, (a, _, _) in enumerate(ways) if a[0] in sources]
    columns += [(i, j) for i, j in turns(machine) if ways[i][1][0] not in inside]
    rows, limits = [], []
    for i, (_, b, _) in enumerate(ways):
        row, limit = np.zeros(len(columns)), np.zeros(len(columns))
        for number, (one, two) in enumerate(columns):
            row[number] += (two == i) - (one == i)
            limit[number] += two == i
        limits.append(limit)
        if b[0] not in targets:
            rows.append(row)
    cost = np.zeros(len(columns))
    for number, (_, two) in enumerate(columns):
        cost[number] -= ways[two][1][0] in targets
    if not columns:
        return 0.0
    room = [capacity(machine, a) / 1e9 for a, _, _ in ways]
    equal = np.array(rows) if rows else np.zeros((1, len(columns)))
    found = linprog(cost, A_ub=np.array(limits), b_ub=room, A_eq=equal, b_eq=np.zeros(len(equal)))
    assert found.status == 0
    return float(-found.fun * 1e9)


def bisection(machine: Machine, members: list[int]) -> float:
    """The least over all halves."""
    best = np.inf
    for half in combinations(members, len(members) // 2):
        rest = [m for m in members if m not in half]
        best = min(best, max_flow(machine, list(half), rest))
    return best


def parted_by(machine: Machine, s: int, t: int, most: int) -> int:
    """The fewest cables whose loss parts two devices, `most` + 1 where that is more."""
    for size in range(most + 1):
        for lost in combinations(range(len(machine.cables)), size):
            left = Machine(machine.devices, [c for k, c in enumerate(machine.cables) if k not in lost])
            if (s, -1) not in fewest(left, t):
                return size
    return most + 1
