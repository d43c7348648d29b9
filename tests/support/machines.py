"""Small random machines, each in two ways: as a text of the language, and as plain lists of devices and cables.

The lists are made by loops over the numbers that were drawn, without anything of the package, so that they can be held
against what the compiler makes of the text.
"""

from __future__ import annotations

import random
from itertools import product
from math import prod

from attrs import define, field, frozen

Shape = tuple[int, ...]
Index = tuple[int, ...]


@frozen
class End:
    """A port of an element of a child: `child[at].port[port_at]`."""

    child: str
    at: Index
    port: str
    port_at: Index = ()


@frozen
class Statement:
    """A line of a body with the cables that it stands for; `{child}` in the text is the name of that child."""

    text: str
    cables: tuple[tuple[End, End], ...] = ()


@frozen
class Device:
    """A device type: `ports` by name with shape and lanes. Every device has a port `t`, all ports may stay free."""

    name: str
    kind: str
    ports: dict[str, tuple[Shape, int]]

    def text(self) -> str:
        lines = [f"port {name}{brackets(shape)} : UB x{lanes} @open" for name, (shape, lanes) in self.ports.items()]
        return f"{self.kind} {self.name} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


@define
class Assembly:
    """An assembly type: parts by name with shape and type, and its cables. Its port `t` is that of its hub."""

    name: str
    kind: str
    children: dict[str, tuple[Shape, Device | Assembly]] = field(factory=dict)
    statements: list[Statement] = field(factory=list)
    sizes: dict[str, int] = field(factory=dict)
    """Parameters, with the values that they have."""


@define
class Machine:
    """`types` in an order in which each comes before those that use it; the last is the system's."""

    types: list[Device | Assembly]

    @property
    def root(self) -> Assembly:
        assert isinstance(self.types[-1], Assembly)
        return self.types[-1]


def brackets(numbers: tuple[object, ...]) -> str:
    return "[" + ", ".join(map(str, numbers)) + "]" if numbers else ""


# ---- drawing one ------------------------------------------------------------------------------------------------


def draw_machine(draw: random.Random) -> Machine:
    """A machine of one to three levels."""
    types: list[Device | Assembly] = [_device(f"D{k}", draw) for k in range(draw.randint(1, 3))]
    for level in range(draw.randint(1, 3)):
        types += _assembly(f"A{level}", draw.choice(("board", "rack", "module")), types, draw)
    return Machine(types)


def _device(name: str, draw: random.Random) -> Device:
    ports: dict[str, tuple[Shape, int]] = {"t": ((), 4)}
    for port in ("x", "y", "z")[: draw.randint(1, 3)]:
        shape = tuple(draw.randint(1, 6) for _ in range(draw.randint(1, 2)))
        ports[port] = (shape, draw.choice((1, 4)))
    return Device(name, draw.choice(("npu", "cpu", "device", "nic")), ports)


def _assembly(name: str, kind: str, below: list[Device | Assembly], draw: random.Random) -> list[Device | Assembly]:
    made = Assembly(name, kind)
    made.children["part0"] = (_shape(draw), below[-1])
    for k in range(draw.randint(0, 2)):
        made.children[f"part{k + 1}"] = (_shape(draw), draw.choice(below))
    for child, (shape, type_) in made.children.items():
        if isinstance(type_, Device):
            for port in type_.ports:
                if port != "t" and draw.random() < 0.7:
                    made.statements += _connect(child, shape, port, *type_.ports[port], draw)
    if draw.random() < 0.5 and made.children["part0"][0]:
        made.sizes["n"] = made.children["part0"][0][0]
    return [_hub(made), made]


def _shape(draw: random.Random) -> Shape:
    return tuple(draw.randint(1, 4) for _ in range(draw.choice((0, 1, 1, 2))))


def _hub(made: Assembly) -> Device:
    """A switch that joins every element, so that there is no island."""
    total = sum(prod(shape) for shape, _ in made.children.values())
    hub = Device(f"Hub{made.name}", "switch", {"p": ((total,), 4), "t": ((), 4)})
    at = 0
    for child, (shape, _) in made.children.items():
        names = tuple("ij"[: len(shape)])
        flat = " + ".join([str(at), *(f"{prod(shape[d + 1 :])}*{n}" for d, n in enumerate(names))])
        cables = tuple(
            (End(child, index, "t"), End("hub", (), "p", (at + k,)))
            for k, index in enumerate(product(*map(range, shape)))
        )
        binders = f" for {', '.join(names)}" if names else ""
        left = f"{{{child}}}{brackets(names)}.t"
        made.statements.append(Statement(f"connect {left} -- {{hub}}.p[{flat}] over Copper(1 m){binders}", cables))
        at += prod(shape)
    made.children["hub"] = ((), hub)
    made.statements.append(Statement("port t = {hub}.t"))
    return hub


def _connect(child: str, shape: Shape, port: str, ports: Shape, lanes: int, draw: random.Random) -> list[Statement]:
    """A connect among the elements of one child over one port array, of a sort that fits the sizes."""
    if len(shape) != 1 or len(ports) != 1:
        return _by_rows(child, shape, port, ports)
    n, k = shape[0], ports[0]
    ways = [_chain]
    if n >= 3 and k >= 2:
        ways += [_ring, _wrapped]
    if n >= 2 and k >= n - 1:
        ways += [_full_mesh, _triangle]
    return draw.choice(ways)(child, n, port, k)


def _one(child: str, port: str, pairs: list[tuple[int, int, int, int]]) -> tuple[tuple[End, End], ...]:
    return tuple((End(child, (i,), port, (p,)), End(child, (j,), port, (q,))) for i, p, j, q in pairs)


def _chain(child: str, n: int, port: str, k: int) -> list[Statement]:
    if n < 2 or k < 2:
        return []
    text = f"connect {{{child}}}[i].{port}[0] -- {{{child}}}[i + 1].{port}[1] over Copper(1 m) for i in 0..<{n - 1}"
    return [Statement(text, _one(child, port, [(i, 0, i + 1, 1) for i in range(n - 1)]))]


def _ring(child: str, n: int, port: str, k: int) -> list[Statement]:
    text = f"connect {{{child}}}.{port} as ring over Copper(1 m)"
    return [Statement(text, _one(child, port, [(i, 0, (i + 1) % n, 1) for i in range(n)]))]


def _wrapped(child: str, n: int, port: str, k: int) -> list[Statement]:
    text = f"connect {{{child}}}[i].{port}[0] -- {{{child}}}[(i + 1) mod {n}].{port}[1] over Copper(1 m) for i"
    return [Statement(text, _one(child, port, [(i, 0, (i + 1) % n, 1) for i in range(n)]))]


def _full_mesh(child: str, n: int, port: str, k: int) -> list[Statement]:
    text = f"connect {{{child}}}.{port} as fullmesh over Copper(1 m)"
    pairs = [(i, j - 1, j, i) for i in range(n) for j in range(i + 1, n)]
    return [Statement(text, _one(child, port, pairs))]


def _triangle(child: str, n: int, port: str, k: int) -> list[Statement]:
    text = (
        f"connect {{{child}}}[i].{port}[j - 1] -- {{{child}}}[j].{port}[i] over Copper(1 m) "
        f"for i in 0..<{n}, j in 0..<{n} where i < j"
    )
    pairs = [(i, j - 1, j, i) for i in range(n) for j in range(i + 1, n)]
    return [Statement(text, _one(child, port, pairs))]


def _by_rows(child: str, shape: Shape, port: str, ports: Shape) -> list[Statement]:
    """Rows of a grid as full meshes; nothing where the sizes do not fit."""
    if len(shape) != 2 or len(ports) != 1 or shape[1] < 2 or ports[0] < shape[1] - 1:
        return []
    rows, n = shape
    cables = tuple(
        (End(child, (r, i), port, (j - 1,)), End(child, (r, j), port, (i,)))
        for r in range(rows)
        for i in range(n)
        for j in range(i + 1, n)
    )
    return [Statement(f"connect {{{child}}}[r, *].{port} as fullmesh over Copper(1 m) for r", cables)]


# ---- as a text --------------------------------------------------------------------------------------------------

HEAD = (
    "protocol UB { lane = 112 Gbps; latency = 100 ns }\n",
    "link Copper : UB { medium = copper; reach = 2 m; delay = 4.5 ns/m }\n",
)


def type_text(type_: Device | Assembly, draw: random.Random | None = None, names: dict[str, str] | None = None) -> str:
    """A type as text; `draw` shuffles its lines, `names` renames its parts."""
    if isinstance(type_, Device):
        return type_.text()
    called = {child: (names or {}).get(child, child) for child in type_.children}
    lines = [statement.text.format(**called) for statement in type_.statements]
    for child, (shape, inner) in type_.children.items():
        sizes: tuple[object, ...] = ("n", *shape[1:]) if child == "part0" and type_.sizes else shape
        lines.append(f"{called[child]}{brackets(sizes)} : {inner.name}")
    if draw is not None:
        draw.shuffle(lines)
    params = f"({', '.join(f'{name} = {value}' for name, value in type_.sizes.items())})" if type_.sizes else ""
    return f"{type_.kind} {type_.name}{params} {{\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


def machine_text(machine: Machine, draw: random.Random | None = None, names: dict[str, str] | None = None) -> str:
    """The whole machine as one text."""
    pieces = [*HEAD, *(type_text(each, draw, names) for each in machine.types), f"system s : {machine.root.name}\n"]
    if draw is not None:
        draw.shuffle(pieces)
    return "ubus 1\n\n" + "\n".join(pieces)


def machine_files(machine: Machine, draw: random.Random) -> tuple[str, dict[str, str]]:
    """The machine in three files that use each other: technology, devices with some assemblies, the rest."""
    cut = draw.randint(1, len(machine.types) - 1)
    first, rest = machine.types[:cut], machine.types[cut:]
    tech = "ubus 1\n\n" + "".join(HEAD)
    parts = 'ubus 1\n\nuse "tech.ubus"\n\n' + "\n".join(type_text(each, draw) for each in first)
    known = {inner.name for each in rest if isinstance(each, Assembly) for _, inner in each.children.values()}
    names = ", ".join(sorted(known & {each.name for each in first}))
    uses = 'use "tech.ubus"\n' + (f'use {names} from "parts.ubus"\n' if names else "")
    main = f"ubus 1\n\n{uses}\n" + "\n".join(type_text(each, draw) for each in rest)
    return main + f"system s : {machine.root.name}\n", {"tech.ubus": tech, "parts.ubus": parts}


# ---- as plain lists ---------------------------------------------------------------------------------------------


def devices(machine: Machine, names: dict[str, str] | None = None) -> dict[str, str]:
    """The name of every device, with its type."""
    found: dict[str, str] = {}
    _devices(machine.root, "", names or {}, found)
    return found


def _devices(type_: Assembly, prefix: str, names: dict[str, str], found: dict[str, str]) -> None:
    for child, (shape, inner) in type_.children.items():
        for at in product(*map(range, shape)):
            path = f"{prefix}{names.get(child, child)}{brackets(at)}"
            if isinstance(inner, Device):
                found[path] = inner.name
            else:
                _devices(inner, path + ".", names, found)


def cables(machine: Machine, names: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """Both ends of every cable, by name; the ends of a cable in order of the alphabet."""
    found: list[tuple[str, str]] = []
    _cables(machine.root, "", names or {}, found)
    return sorted(found)


def _cables(type_: Assembly, prefix: str, names: dict[str, str], found: list[tuple[str, str]]) -> None:
    for statement in type_.statements:
        for pair in statement.cables:
            a, b = sorted(_end(type_, prefix, end, names) for end in pair)
            found.append((a, b))
    for child, (shape, inner) in type_.children.items():
        if isinstance(inner, Assembly):
            for at in product(*map(range, shape)):
                _cables(inner, f"{prefix}{names.get(child, child)}{brackets(at)}.", names, found)


def _end(type_: Assembly, prefix: str, end: End, names: dict[str, str]) -> str:
    """The port of a device that an end stands for: the `t` of an assembly is that of its hub."""
    path = f"{prefix}{names.get(end.child, end.child)}{brackets(end.at)}"
    _, inner = type_.children[end.child]
    while isinstance(inner, Assembly):
        path, inner = f"{path}.{names.get('hub', 'hub')}", inner.children["hub"][1]
    return f"{path}.{end.port}{brackets(end.port_at)}"
