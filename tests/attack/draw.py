"""Random machines: the text of each, and what it says as plain lists that no code of the compiler has touched."""

from __future__ import annotations

import math
import random

from attrs import define, field

LANE_BPS = 10e9
"""Of the protocol of all machines: 80 Gbit/s, 100 % of which are data."""
ARC_S = {"Wide": 100e-9, "Slow": 150e-9}
HEAD = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
link Wide : UB { medium = copper; reach = 9 m }
link Slow : UB { medium = copper; reach = 9 m; latency = 50 ns }
"""


@define
class Device:
    """A device as it is drawn. A vertex is a set of ports that forward among themselves, or (the last) of ports that do
    not."""

    name: str
    kind: str
    latency_ns: int = 0
    injection_GBps: int = 0  # noqa: N815
    ports: list[str] = field(factory=list)
    lines: list[list[str]] = field(factory=list)


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
    """A machine with its text and what has failed of it."""

    text: str
    devices: list[Device]
    cables: list[Cable]


def irregular(draw: random.Random, most_ends: int = 12) -> Drawn:
    """Every part is drawn by itself: end points with several sets of ports that forward, one-port devices."""
    ends, switches = draw.randint(2, most_ends), draw.randint(0, 4)
    devices = [Device(f"n{k}", "npu" if k < 2 or draw.random() < 0.85 else "cpu") for k in range(ends)]
    devices += [Device(f"s{k}", "switch") for k in range(switches)]
    total = len(devices)
    cables: list[Cable] = []
    order = draw.sample(range(total), total)
    pairs = [(order[k], order[draw.randrange(k)]) for k in range(1, total)]
    pairs += [(x, y) for x, y in (draw.sample(range(total), 2) for _ in range(draw.randint(0, 2 * total)))]
    for one, two in pairs:
        lanes, link = draw.choice((1, 1, 2, 4)), draw.choice(tuple(ARC_S))
        for _ in range(draw.choice((1, 1, 1, 2))):  # parallel cables
            places = []
            for device in (one, two):
                devices[device].ports.append(f"p{len(devices[device].ports)}_x{lanes}")
                places.append((device, devices[device].ports[-1]))
            cables.append(Cable(places[0], places[1], lanes, link))
    for device in devices:
        device.latency_ns = draw.choice((0, 20, 70))
        if device.kind == "switch":
            continue
        device.injection_GBps = draw.choice((0, 0, 5, 15, 40))
        left = draw.sample(device.ports, len(device.ports))
        while len(left) > 1 and draw.random() < 0.6:
            size = draw.randint(2, len(left))
            device.lines.append(left[:size])
            left = left[size:]
    types = "".join(_type(device) for device in devices)
    body = "".join(f"  {device.name} : {device.name.upper()}\n" for device in devices)
    body += "".join(
        f"  connect {devices[each.a[0]].name}.{each.a[1]} -- {devices[each.b[0]].name}.{each.b[1]} "
        f"over {each.link}(1 m)\n"
        for each in cables
    )
    return Drawn(f"{HEAD}{types}superpod Pod {{\n{body}}}\nsystem pod : Pod\n", devices, cables)


def _type(device: Device) -> str:
    fields = [f"port {port} : UB x{port.rpartition('x')[2]}" for port in device.ports]
    fields += [f"transit {', '.join(line)}" for line in device.lines]
    fields += [f"latency = {device.latency_ns} ns"] if device.latency_ns else []
    fields += [f"injection = {device.injection_GBps} GB/s"] if device.injection_GBps else []
    return f"{device.kind} {device.name.upper()} {{ {'; '.join(fields)} }}\n"


def regular(draw: random.Random, most_ends: int = 12) -> Drawn:
    """A circulant of end points in an array, with or without planes of switches: symmetries to be found."""
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
        statements.append(f"connect n[i].{ports[-1]} -- s{k}.down[i] over Slow(1 m) for i in 0..{ends - 1}")
        cables += [Cable((i, ports[-1]), (ends + k, f"down[{i}]"), lanes, "Slow") for i in range(ends)]
    devices = [Device(f"n[{i}]", "npu", latency, injection, ports, [line] if line else []) for i in range(ends)]
    devices += [Device(f"s{k}", "switch", 70) for k in range(planes)]
    text = HEAD + _type(Device("n", "npu", latency, injection, ports, [line] if line else []))
    for k in range(planes):
        text += f"switch S{k} {{ port down[{ends}] : UB x{widths[len(offsets) + k]}; latency = 70 ns }}\n"
    body = "".join(f"  s{k} : S{k}\n" for k in range(planes)) + "".join(f"  {each}\n" for each in statements)
    return Drawn(f"{text}superpod Pod {{\n  n[{ends}] : N\n{body}}}\nsystem pod : Pod\n", devices, cables)


def damage(draw: random.Random, machine: Drawn) -> None:
    """Fail and degrade some cables."""
    for cable in machine.cables:
        if draw.random() < 0.15:
            cable.health = draw.choice((0.0, 0.5))
