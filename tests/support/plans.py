"""Random machines of arrays and rules: nested arrays, mixed radix, conditions, rotations, `transit` lines, patterns."""

from __future__ import annotations

import random
import re
from math import prod

from attrs import define, field

HEAD = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
protocol ROCE { lane = 40 Gbps; latency = 300 ns; efficiency = 75% }
link Wide : UB { medium = copper; reach = 9 m; delay = 5 ns/m }
link Slow : ROCE { medium = copper; reach = 9 m; delay = 4 ns/m }
"""


@define
class _Type:
    """A device type that gets its ports as rules want them."""

    name: str
    kind: str
    ports: list[str] = field(factory=list)
    names: list[str] = field(factory=list)
    injection: str = ""

    def port(self, shape: str, link: str) -> str:
        name = f"p{len(self.ports)}"
        protocol, lanes = ("UB", 2) if link == "Wide" else ("ROCE", 1)
        self.ports.append(f"  port {name}{shape} : {protocol} x{lanes} @open")
        self.names.append(name)
        return name

    def text(self, draw: random.Random) -> str:
        lines = []
        if self.kind != "switch" and self.names:
            groups: list[list[str]] = [[], [], []]
            for name in self.names:
                groups[draw.choice((0, 0, 0, 1, 2))].append(name)
            lines = [f"  transit {', '.join(group)}" for group in groups[:2] if group]
        return "\n".join([f"{self.kind} {self.name} {{", *self.ports, *lines, self.injection, "}"])


@define
class _Array:
    name: str
    shape: tuple[int, ...]
    of: _Type

    @property
    def count(self) -> int:
        return prod(self.shape)


def draw_plan(draw: random.Random) -> str:
    """Return the text of a machine of one to three levels with the system `m`, with cables of several lengths and
    devices that take time to pass."""
    text = _drawn(draw)
    text = re.sub(r"\(1 m\)", lambda _: f"({draw.choice((1, 1, 1, 2, 7))} m)", text)
    return re.sub(
        r"^(switch|npu) (\w+) \{", lambda kept: f"{kept[0]} latency = {draw.choice((0, 30, 300))} ns", text, flags=re.M
    )


def _drawn(draw: random.Random) -> str:
    types: list[_Type] = []
    assemblies: list[str] = []

    def made(name: str, kind: str) -> _Type:
        types.append(_Type(name, kind))
        return types[-1]

    chip, near, far = made("Chip", "npu"), made("Near", "switch"), made("Far", "switch")
    if draw.random() < 0.2:
        chip.injection = "  injection = 9 GB/s"
    shape = draw.choice([(4,), (6,), (8,), (2, 3), (4, 2), (3, 3), (2, 2, 2), (12,)])
    chips = _Array("chip", shape, chip)
    planes = _Array("near", (draw.choice([1, 2, 3, 4]),), near)
    body = [f"  chip{list(shape)} : Chip", f"  near{list(planes.shape)} : Near"]
    if draw.random() < 0.15:
        body.append("  spare idle[2] : Chip")
    for _ in range(draw.randint(1, 3)):
        body += _rules(draw, chips, planes)
    levels = draw.choice((0, 1, 1, 1, 2))
    if levels == 0:
        return _text(draw, types, ["rack Top {", *body, "}"], "Top")
    who = draw.choice((chips, planes))
    width = draw.choice((1, 2, 3))
    up = who.of.port(f"[{width}]", "Wide")
    assemblies += ["rack Inner {", *body, f"  port up = {who.name}.{up}", "}"]
    inner = draw.choice((2, 3, 4, 6))
    tops = _Array("far", (draw.choice((1, 2, 4)),), far)
    outer = [f"  rack[{inner}] : Inner", *_joined(draw, "rack", inner, who.shape, width, tops)]
    if levels == 1:
        return _text(draw, types, [*assemblies, "superpod Top {", *outer, "}"], "Top")
    top = made("Core", "switch")
    up2 = far.port("[2]", "Wide")
    pods = draw.choice((2, 3))
    cores = _Array("core", (draw.choice((1, 2)),), top)
    assemblies += ["superpod Pod {", *outer, f"  port up = far.{up2}", "}"]
    last = [f"  pod[{pods}] : Pod", *_joined(draw, "pod", pods, tops.shape, 2, cores)]
    return _text(draw, types, [*assemblies, "supercluster Top {", *last, "}"], "Top")


def _text(draw: random.Random, types: list[_Type], body: list[str], top: str) -> str:
    return "\n".join([HEAD, *(each.text(draw) for each in types), *body, f"system m : {top}", ""])


def _joined(draw: random.Random, name: str, count: int, shape: tuple[int, ...], width: int, tops: _Array) -> list[str]:
    """Cables from port `up` of each element, [shape, width], to switches."""
    names = ["x", "y", "z"][: len(shape)]
    inside, m = prod(shape) * width, tops.count
    lines = [f"  {tops.name}{list(tops.shape)} : {tops.of.name}"]
    flat = _flat([*names, "w"], [*shape, width])
    for_all = f"for r, {', '.join(names)}, w"
    here = f"{name}[r].up[{', '.join(names)}, w]"
    match draw.choice(("modulo", "block", "global", "instances")):
        case "modulo":
            port = tops.of.port(f"[{count}, {-(-inside // m)}]", "Wide")
            there = f"{tops.name}[({flat}) mod {m}].{port}[r, ({flat}) div {m}]"
        case "block":
            each = -(-inside // m)
            port = tops.of.port(f"[{count}, {each}]", "Wide")
            there = f"{tops.name}[({flat}) div {each}].{port}[r, ({flat}) mod {each}]"
        case "global":
            total = count * inside
            each = -(-total // m)
            port = tops.of.port(f"[{each}]", "Wide")
            whole = f"({inside}*r + {flat})"
            there = f"{tops.name}[{whole} div {each}].{port}[{whole} mod {each}]"
        case _:
            each = -(-count // m)
            port = tops.of.port(f"[{each}, {inside}]", "Wide")
            there = f"{tops.name}[r div {each}].{port}[r mod {each}, {flat}]"
            if m > 1:
                mesh = tops.of.port(f"[{m - 1}]", "Slow")
                lines.append(f"  connect {tops.name}.{mesh} as fullmesh over Slow(1 m)")
    return [*lines, f"  connect {here} -- {there} over Wide(1 m) {for_all}"]


def _flat(names: list[str], sizes: list[int]) -> str:
    """The row-major number of indices."""
    total = names[0]
    for name, size in zip(names[1:], sizes[1:], strict=True):
        total = f"{size}*({total}) + {name}"
    return total


def _rules(draw: random.Random, chips: _Array, planes: _Array) -> list[str]:
    """One connect of some sort, with the ports that it wants."""
    link = draw.choice(("Wide", "Wide", "Slow"))
    n, m = chips.count, planes.count
    names = ["i", "j", "k"][: len(chips.shape)]
    at, flat, over = ", ".join(names), _flat(names, list(chips.shape)), f"over {link}(1 m)"
    sort = draw.choice((
        "clos", "clos", "clos", "block", "modulo", "fullmesh", "rows", "ring", "torus", "odd", "line", "table",
        "regular", "hypercube", "some", "circulant",
    ))  # fmt: skip
    match sort:
        case "clos":
            a, b = chips.of.port(f"[{m}]", link), planes.of.port(f"[{n}]", link)
            return [f"  connect chip[{at}].{a}[q] -- near[q].{b}[{flat}] {over} for {at}, q"]
        case "block":
            each = -(-n // m)
            a, b = chips.of.port("", link), planes.of.port(f"[{each}]", link)
            return [f"  connect chip[{at}].{a} -- near[({flat}) div {each}].{b}[({flat}) mod {each}] {over} for {at}"]
        case "modulo":
            a, b = chips.of.port("", link), planes.of.port(f"[{-(-n // m)}]", link)
            return [f"  connect chip[{at}].{a} -- near[({flat}) mod {m}].{b}[({flat}) div {m}] {over} for {at}"]
        case "fullmesh":
            return [f"  connect chip.{chips.of.port(f'[{n - 1}]', link)} as hyperx(dims = [{n}]) {over}"]
        case "rows" if len(chips.shape) > 1:
            d = draw.randrange(len(chips.shape))
            port = chips.of.port(f"[{chips.shape[d] - 1}]", link)
            star = ", ".join("*" if k == d else name for k, name in enumerate(names))
            rest = ", ".join(name for k, name in enumerate(names) if k != d)
            return [f"  connect chip[{star}].{port} as fullmesh {over} for {rest}"]
        case "ring" if n > 2:
            return [f"  connect chip.{chips.of.port('[2]', link)} as torus(dims = [{n}]) {over}"]
        case "torus" if min(chips.shape) > 2:
            dims = ", ".join(map(str, chips.shape))
            return [
                f"  connect chip.{chips.of.port(f'[{2 * len(chips.shape)}]', link)} as torus(dims = [{dims}]) {over}"
            ]
        case "odd" if len(chips.shape) == 1 and n % 2 == 0:
            a = chips.of.port("", link)
            return [f"  connect chip[i].{a} -- chip[i + 1].{a} {over} for i in 0..{n - 2} where i mod 2 == 0"]
        case "line" if len(chips.shape) == 1:
            a = chips.of.port("[2]", link)
            return [f"  connect chip[i].{a}[0] -- chip[i + 1].{a}[1] {over} for i in 0..{n - 2}"]
        case "some" if len(chips.shape) == 1:
            a, b = chips.of.port("", link), planes.of.port(f"[{n}]", link)
            return [f"  connect chip[i].{a} -- near[0].{b}[i] {over} for i where i {draw.choice(('>', '!='))} 1"]
        case "regular" if n % 2 == 0 and n > 4:
            port = chips.of.port("[3]", link)
            return [f"  connect chip.{port} as regular(degree = 3, seed = {draw.randrange(9)}) {over}"]
        case "hypercube" if n in (4, 8):
            port = chips.of.port(f"[{n.bit_length() - 1}]", link)
            return [f"  connect chip.{port} as hypercube {over}"]
        case "circulant" if n > 5:
            return [f"  connect chip.{chips.of.port('[4]', link)} as circulant(offsets = [1, 2]) {over}"]
    a, b = chips.of.port(f"[{m}]", link), planes.of.port(f"[{n}]", link)
    return [f"  connect chip[{at}].{a}[q] -- near[q].{b}[{flat}] {over} for {at}, q"]
