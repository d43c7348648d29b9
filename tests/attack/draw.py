"""Random machines: the text of each, and what it says as plain lists that no code of the compiler has touched."""

from __future__ import annotations

import math
import random

from attrs import define, field

LANE_BPS = 10e9
"""Of the protocol of all machines: 80 Gbit/s, 100 % of which are data."""
ARC_S = {"Wide": 100e-9, "Slow": 150e-9, "Other": 300e-9}
SLOWER = {"Wide": 1.0, "Slow": 1.0, "Other": 0.5}
LINK_COST = {"Wide": 50, "Slow": 30, "Other": 20}
LINK_AFR = {"Wide": 0.25, "Slow": 0.5, "Other": 1.0}
HEAD = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
link Wide : UB { medium = copper; reach = 9 m; cost = 50 USD; afr = 0.25; power = 2 W }
link Slow : UB { medium = copper; reach = 9 m; latency = 50 ns; cost = 30 USD; afr = 0.5; power = 2 W }
"""
OTHER = """protocol Net { lane = 40 Gbps; latency = 300 ns }
link Other : Net { medium = copper; reach = 9 m; cost = 20 USD; afr = 1.0; power = 2 W }
"""


@define
class Device:
    """A device as it is drawn. A vertex is a set of ports that forward among themselves, or (the last) of ports that do
    not; a line of two `sides` forwards from one to the other alone, and is two vertices, what comes in by each. `free`
    ports have no cable. `rack` is the assembly that it stands in, -1 for the machine itself."""

    name: str
    kind: str
    latency_ns: int = 0
    injection_GBps: int = 0  # noqa: N815
    ports: list[str] = field(factory=list)
    lines: list[list[str]] = field(factory=list)
    sides: list[tuple[list[str], list[str]]] = field(factory=list)
    free: list[str] = field(factory=list)
    power_W: int = 0  # noqa: N815
    rack: int = -1
    lost: bool = False


@define
class Cable:
    """A cable between two (device, port): `lanes` wide, with the part `health` left."""

    a: tuple[int, str]
    b: tuple[int, str]
    lanes: int
    link: str
    health: float = 1.0


@define
class Drawn:
    """A machine with its text and what has failed of it; `racks` are the names of its assemblies."""

    text: str
    devices: list[Device]
    cables: list[Cable]
    racks: list[str] = field(factory=list)
    grid: bool = False

    def left(self, cable: Cable) -> bool:
        """Whether a cable is left."""
        return cable.health > 0 and not any(self.devices[at[0]].lost for at in (cable.a, cable.b))


def lanes_of(port: str) -> int:
    """Lanes of a port by its name, `p3_x4` or `down_x4[2]`."""
    return int(port.partition("[")[0].rpartition("x")[2])


def irregular(draw: random.Random, most_ends: int = 12, *, sided: bool = False, planes: bool = False) -> Drawn:
    """Every part is drawn by itself: end points with several sets of ports that forward, one-port devices, racks. With
    `sided` some forward between two sides, with `planes` some cables are of another protocol, half as fast."""
    ends, switches = draw.randint(2, most_ends), draw.randint(0, 4)
    devices = [Device(f"n{k}", "npu" if k < 2 or draw.random() < 0.85 else "cpu") for k in range(ends)]
    devices += [Device(f"s{k}", "switch") for k in range(switches)]
    total = len(devices)
    racks = draw.choice((0, 0, 1, 2, 3))
    for device in devices[racks:] if racks else ():
        device.rack = draw.randrange(-1, racks)
    for k, device in enumerate(devices[:racks]):
        device.rack = k
    racks = min(racks, total)
    devices.sort(key=lambda each: each.rack % (racks + 1))  # in order of the text: those of no rack come last
    cables: list[Cable] = []
    order = draw.sample(range(total), total)
    pairs = [(order[k], order[draw.randrange(k)]) for k in range(1, total)]
    pairs += [(x, y) for x, y in (draw.sample(range(total), 2) for _ in range(draw.randint(0, 2 * total)))]
    for one, two in pairs:
        lanes, link = draw.choice((1, 1, 2, 4)), draw.choice(("Wide", "Slow", *(("Other",) if planes else ())))
        for _ in range(draw.choice((1, 1, 1, 2))):  # parallel cables
            places = []
            for device in (one, two):
                devices[device].ports.append(f"{'o' if link == 'Other' else 'p'}{len(devices[device].ports)}_x{lanes}")
                places.append((device, devices[device].ports[-1]))
            cables.append(Cable(places[0], places[1], lanes, link))
    for device in devices:
        device.latency_ns = draw.choice((0, 20, 70))
        device.power_W = draw.choice((1, 10, 300))
        if draw.random() < 0.2:
            device.free.append(f"q_x{draw.choice((1, 2))}")
        if device.kind == "switch":
            continue
        device.injection_GBps = draw.choice((0, 0, 5, 15, 40))
        left = draw.sample(device.ports, len(device.ports))
        while len(left) > 1 and draw.random() < 0.6:
            size = draw.randint(2, len(left))
            if sided and draw.random() < 0.5:
                cut = draw.randint(1, size - 1)
                device.sides.append((left[:cut], left[cut:size]))
            else:
                device.lines.append(left[:size])
            left = left[size:]
    machine = Drawn("", devices, cables, [f"r{k}" for k in range(racks)])
    machine.text = _text(machine)
    return machine


def _text(machine: Drawn) -> str:
    """The text of a machine each of whose parts has a type of its own; cables between racks go over exported ports."""
    devices, racks = machine.devices, machine.racks
    other = OTHER if any(cable.link == "Other" for cable in machine.cables) else ""
    text = HEAD + other + "".join(_type(device) for device in devices)
    inside: list[list[str]] = [[] for _ in (*racks, "")]
    for device in devices:
        inside[device.rack].append(f"  {device.name} : {device.name.upper()}")
    for n, each in enumerate(machine.cables):
        homes = [devices[at[0]].rack for at in (each.a, each.b)]
        sides = [f"{devices[at[0]].name}.{at[1]}" for at in (each.a, each.b)]
        if homes[0] != homes[1]:
            for k, home in enumerate(homes):
                if home >= 0:
                    inside[home].append(f"  port e{n}_{k} = {sides[k]}")
                    sides[k] = f"{racks[home]}.e{n}_{k}"
            homes[0] = -1
        inside[homes[0]].append(f"  connect {sides[0]} -- {sides[1]} over {each.link}(1 m)")
    for k, name in enumerate(racks):
        text += "\n".join([f"rack {name.upper()} {{", *inside[k], "}\n"])
    named = [f"  {name} : {name.upper()}" for name in racks]
    text += "\n".join(["superpod Pod {", *named, *inside[-1], "}\nsystem pod : Pod\n"])
    for device in devices:
        device.name = f"{racks[device.rack]}.{device.name}" if device.rack >= 0 else device.name
    return text


def _type(device: Device) -> str:
    fields = [f"port {port} : {'Net' if port[0] == 'o' else 'UB'} x{lanes_of(port)}" for port in device.ports]
    fields += [f"port {port} : UB x{lanes_of(port)} @open" for port in device.free]
    fields += [f"transit {', '.join(line)}" for line in device.lines]
    fields += [f"transit {', '.join(one)} -- {', '.join(two)}" for one, two in device.sides]
    fields += [f"power = {device.power_W} W; afr = 0.125"]
    fields += [f"latency = {device.latency_ns} ns"] if device.latency_ns else []
    fields += [f"injection = {device.injection_GBps} GB/s"] if device.injection_GBps else []
    return f"{device.kind} {device.name.upper()} {{ {'; '.join(fields)} }}\n"


def regular(draw: random.Random, most_ends: int = 12) -> Drawn:
    """A circulant, a grid or racks of a tree: symmetries to be found."""
    return draw.choice((_circulant, _circulant, _grid, _tree))(draw, most_ends)


def _circulant(draw: random.Random, most_ends: int) -> Drawn:
    """A circulant of end points in an array, with or without planes of switches."""
    ends = draw.randint(3, most_ends)
    offsets = draw.sample(range(1, ends), draw.randint(0, min(3, ends - 1)))
    planes = draw.randint(0 if math.gcd(ends, *offsets) == 1 else 1, 2)  # islands are made by failures
    latency, injection = draw.choice((0, 20)), draw.choice((0, 0, 15, 40))
    widths = [draw.choice((1, 2, 4)) for _ in range(len(offsets) + planes)]
    ports, statements = [], []
    cables: list[Cable] = []
    for k, offset in enumerate(offsets):
        lanes = widths[k]
        ports += [f"a{k}_x{lanes}", f"b{k}_x{lanes}"]
        statements.append(
            f"connect n[i].{ports[-2]} -- n[(i + {offset}) mod {ends}].{ports[-1]} over Wide(1 m) "
            f"for i in 0..{ends - 1}"
        )
        cables += [Cable((i, ports[-2]), ((i + offset) % ends, ports[-1]), lanes, "Wide") for i in range(ends)]
    line = list(ports) if ports and draw.random() < 0.8 else []
    for k in range(planes):
        lanes = widths[len(offsets) + k]
        ports.append(f"u{k}_x{lanes}")
        statements.append(f"connect n[i].{ports[-1]} -- s{k}.down{k}_x{lanes}[i] over Slow(1 m) for i in 0..{ends - 1}")
        cables += [Cable((i, ports[-1]), (ends + k, f"down{k}_x{lanes}[{i}]"), lanes, "Slow") for i in range(ends)]
    devices = [
        Device(f"n[{i}]", "npu", latency, injection, ports, [line] if line else [], power_W=5) for i in range(ends)
    ]
    kinds = [Device("n", "npu", latency, injection, ports, [line] if line else [], power_W=5)]
    for k in range(planes):
        port = f"down{k}_x{widths[len(offsets) + k]}"
        devices.append(Device(f"s{k}", "switch", 70, ports=[f"{port}[{i}]" for i in range(ends)], power_W=7))
        kinds.append(Device(f"s{k}", "switch", 70, ports=[f"{port}[{ends}]"], power_W=7))
    body = "".join(f"  s{k} : S{k}\n" for k in range(planes)) + "".join(f"  {each}\n" for each in statements)
    types = "".join(map(_type, kinds))
    return Drawn(f"{HEAD}{types}superpod Pod {{\n  n[{ends}] : N\n{body}}}\nsystem pod : Pod\n", devices, cables)


def _grid(draw: random.Random, most_ends: int) -> Drawn:
    """A torus of two dimensions, whose sides may be two: then its cables are parallel."""
    sides = draw.randint(2, 4), draw.randint(2, max(2, min(4, most_ends // 4)))
    lanes, injection = [draw.choice((1, 2, 4)) for _ in sides], draw.choice((0, 0, 15))
    ports = [f"{name}{k}_x{lanes[k]}" for k in (0, 1) for name in "ab"]
    line = [ports] if draw.random() < 0.8 else []
    ends = sides[0] * sides[1]
    kind = Device("n", "npu", 20, injection, ports, line, power_W=5)
    devices = [
        Device(f"n[{i}, {j}]", "npu", 20, injection, ports, line, power_W=5)
        for i in range(sides[0])
        for j in range(sides[1])
    ]
    cables = []
    for at in range(ends):
        i, j = divmod(at, sides[1])
        for k, there in enumerate((((i + 1) % sides[0], j), (i, (j + 1) % sides[1]))):
            goal = there[0] * sides[1] + there[1]
            cables.append(Cable((at, ports[2 * k]), (goal, ports[2 * k + 1]), lanes[k], "Wide"))
    body = f"  n[{sides[0]}, {sides[1]}] : N\n"
    for k, there in enumerate((f"(i + 1) mod {sides[0]}, j", f"i, (j + 1) mod {sides[1]}")):
        body += f"  connect n[i, j].{ports[2 * k]} -- n[{there}].{ports[2 * k + 1]} over Wide(1 m) "
        body += f"for i in 0..{sides[0] - 1}, j in 0..{sides[1] - 1}\n"
    return Drawn(f"{HEAD}{_type(kind)}superpod Pod {{\n{body}}}\nsystem pod : Pod\n", devices, cables, grid=bool(line))


def _tree(draw: random.Random, most_ends: int) -> Drawn:
    """Racks of end points on a leaf, and spines above the leaves."""
    racks, size = draw.randint(2, 4), draw.randint(1, max(1, most_ends // 4))
    spines, injection = draw.randint(1, 3), draw.choice((0, 0, 5, 15))
    down, up = draw.choice((1, 2)), draw.choice((1, 2, 4))
    own, to_spine, of_leaf = f"p_x{down}", f"up_x{up}", f"d_x{down}"
    npu = Device("n", "npu", 20, injection, [own], power_W=5)
    leaf = Device("leaf", "switch", 70, ports=[f"{of_leaf}[{size}]", f"{to_spine}[{spines}]"], power_W=9)
    spine = Device("spine", "switch", 70, ports=[f"d_x{up}[{racks}]"], power_W=9)
    text = HEAD + "".join(map(_type, (npu, leaf, spine))) + f"rack Rack {{\n  n[{size}] : N\n  leaf : LEAF\n"
    text += f"  connect n[i].{own} -- leaf.{of_leaf}[i] over Wide(1 m) for i in 0..{size - 1}\n"
    text += f"  port up = leaf.{to_spine}\n}}\n"
    text += f"superpod Pod {{\n  rack[{racks}] : Rack\n  spine[{spines}] : SPINE\n"
    text += f"  connect rack[r].up[k] -- spine[k].d_x{up}[r] over Slow(1 m) for r in 0..{racks - 1}, "
    text += f"k in 0..{spines - 1}\n}}\nsystem pod : Pod\n"
    devices, cables = [], []
    for r in range(racks):
        at = len(devices)
        for i in range(size):
            devices.append(Device(f"rack[{r}].n[{i}]", "npu", 20, injection, [own], power_W=5, rack=r))
            cables.append(Cable((at + i, own), (at + size, f"{of_leaf}[{i}]"), down, "Wide"))
        ports = [f"{of_leaf}[{i}]" for i in range(size)] + [f"{to_spine}[{k}]" for k in range(spines)]
        devices.append(Device(f"rack[{r}].leaf", "switch", 70, ports=ports, power_W=9, rack=r))
    first = len(devices)
    for k in range(spines):
        ports = [f"d_x{up}[{r}]" for r in range(racks)]
        devices.append(Device(f"spine[{k}]", "switch", 70, ports=ports, power_W=9))
        for r in range(racks):
            leaf_at = r * (size + 1) + size
            cables.append(Cable((leaf_at, f"{to_spine}[{k}]"), (first + k, f"d_x{up}[{r}]"), up, "Slow"))
    return Drawn(text, devices, cables, [f"rack[{r}]" for r in range(racks)])


def damage(draw: random.Random, machine: Drawn) -> None:
    """Fail and degrade some cables, and fail some devices; two NPUs are left."""
    for cable in machine.cables:
        if draw.random() < 0.15:
            cable.health = draw.choice((0.0, 0.5))
    kept = draw.sample([d for d in machine.devices if d.kind == "npu"], 2)
    if draw.random() < 0.5:
        for device in machine.devices:
            device.lost = draw.random() < 0.12 and all(device is not each for each in kept)
