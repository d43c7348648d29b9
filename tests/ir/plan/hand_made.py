"""Plans built by hand, and a builder that keeps them short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from unifiedbus_dsl.base.units import LENGTH, Quantity
from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Child,
    Const,
    DeviceType,
    Export,
    IndexExpr,
    Link,
    Op,
    Placement,
    Plan,
    Port,
    PortRef,
    Protocol,
    Rule,
    Var,
)

Subscript = int | str | IndexExpr


def axes(**sizes: int) -> tuple[Axis, ...]:
    """`axes(i=4)` is i in 0..3."""
    return tuple(Axis(name, 0, size - 1) for name, size in sizes.items())


def index(at: Subscript) -> IndexExpr:
    if isinstance(at, int):
        return Const(at)
    return Var(at) if isinstance(at, str) else at


def mix(factor: int, outer: str, inner: str) -> IndexExpr:
    """`factor*outer + inner`."""
    return Op("+", Op("*", Const(factor), Var(outer)), Var(inner))


def ref(child: str, at: Sequence[Subscript], port: str, port_at: Sequence[Subscript]) -> PortRef:
    return PortRef(child, tuple(map(index, at)), port, tuple(map(index, port_at)))


def export(name: str, over: tuple[Axis, ...], to: PortRef) -> Export:
    return Export(name, over, to)


def rule(
    left: PortRef,
    right: PortRef,
    over: tuple[Axis, ...],
    where: IndexExpr | None = None,
    link: str = "Copper",
    length: Fraction | None = Fraction(1),
    origin: int = 0,
) -> Rule:
    return Rule(left, right, over, where, link, 4, length, origin=origin)


def device(key: str, kind: str, **ports: int | tuple[int, ...]) -> DeviceType:
    shapes = {name: shape if isinstance(shape, tuple) else (shape,) for name, shape in ports.items()}
    return DeviceType(key, kind, tuple(Port(name, shapes[name], "UB", 4) for name in sorted(shapes)))


def assembly(
    key: str,
    kind: str,
    children: Mapping[str, tuple[tuple[int, ...], str]],
    exports: Sequence[Export] = (),
    rules: Sequence[Rule] = (),
    placements: Sequence[Placement] = (),
) -> AssemblyType:
    return AssemblyType(
        key,
        kind,
        tuple(Child(name, *children[name]) for name in sorted(children)),
        tuple(sorted(exports, key=lambda e: e.name)),
        tuple(rules),
        tuple(placements),
    )


def grid(
    child: str, count: int, columns: int, pitch: tuple[str, str], origin: tuple[str, str] = ("0", "0")
) -> Placement:
    dx, dy, ox, oy = (Fraction(v) for v in (*pitch, *origin))
    return Placement(child, tuple((ox + e % columns * dx, oy + e // columns * dy) for e in range(count)))


def plan(root: str, *types: DeviceType | AssemblyType) -> Plan:
    by_key = {t.key: t for t in sorted(types, key=lambda t: t.key)}
    return Plan(
        system="machine",
        root=root,
        protocols={"UB": Protocol("UB", Fraction(14 * 10**9), Fraction(1, 10**7), Fraction(1))},
        links={
            "Copper": Link("Copper", "UB"),
            "Optic": Link("Optic", "UB", {"slack": Quantity(Fraction(1, 2), LENGTH)}),
        },
        devices={key: t for key, t in by_key.items() if isinstance(t, DeviceType)},
        assemblies={key: t for key, t in by_key.items() if isinstance(t, AssemblyType)},
    )


def full_mesh(child: str, at: Sequence[Subscript], port: str, size: int, over: tuple[Axis, ...] = ()) -> Rule:
    """Full mesh along the last dimension of a child array."""
    less = Op("<", Var("i"), Var("j"))
    left = ref(child, (*at, "i"), port, (Op("-", Var("j"), Const(1)),))
    return rule(left, ref(child, (*at, "j"), port, ("i",)), (*over, *axes(i=size, j=size)), less)


def cluster(pods: int, racks: int = 242, pod_switches: int = 16) -> Plan:
    """Pods of `racks` cabinets of 64 NPUs (18 ports each) with interconnect racks of high-radix switches in four
    planes, and a layer of switches between the pods: 15,488 NPUs and about 230,000 cables a pod."""
    chip = device("Chip", "npu", x=7, y=7, up=4)
    leaf = device("LRS", "switch", down=64, up=68)
    high = device("HRS", "switch", p=racks, q=pod_switches)
    core = device("Core", "switch", p=max(1, pods))
    board = assembly(
        "Board",
        "board",
        {"npu": ((8,), "Chip")},
        [
            export("up", axes(n=8, k=4), ref("npu", ["n"], "up", ["k"])),
            export("y", axes(n=8, k=7), ref("npu", ["n"], "y", ["k"])),
        ],
        [full_mesh("npu", (), "x", 8)],
    )
    y_left = ref("board", ["i"], "y", ["n", Op("-", Var("j"), Const(1))])
    cabinet = assembly(
        "Cabinet",
        "rack",
        {"board": ((8,), "Board"), "plane": ((4,), "LRS")},
        [export("z", axes(p=4, u=64), ref("plane", ["p"], "up", ["u"]))],
        [
            rule(y_left, ref("board", ["j"], "y", ["n", "i"]), axes(n=8, i=8, j=8), Op("<", Var("i"), Var("j"))),
            rule(
                ref("board", ["b"], "up", ["n", "k"]),
                ref("plane", ["k"], "down", [mix(8, "b", "n")]),
                axes(b=8, n=8, k=4),
            ),
        ],
    )
    inter = assembly(
        "Inter",
        "rack",
        {"hrs": ((8,), "HRS")},
        [
            export("p", axes(h=8, r=racks), ref("hrs", ["h"], "p", ["r"])),
            export("q", axes(h=8, u=pod_switches), ref("hrs", ["h"], "q", ["u"])),
        ],
    )
    superpod = assembly(
        "Pod",
        "superpod",
        {"cabinet": ((racks,), "Cabinet"), "inter": ((4, 8), "Inter")},
        [export("out", axes(p=4, i=8, h=8, u=pod_switches), ref("inter", ["p", "i"], "q", ["h", "u"]))],
        [
            rule(
                ref("cabinet", ["r"], "z", ["p", mix(8, "i", "h")]),
                ref("inter", ["p", "i"], "p", ["h", "r"]),
                axes(r=racks, p=4, i=8, h=8),
                link="Optic",
                length=None,
            )
        ],
        [grid("cabinet", racks, 16, ("0.6", "2.4")), grid("inter", 32, 16, ("0.6", "2.4"), ("0", "40"))],
    )
    root = assembly(
        "Cluster",
        "supercluster",
        {"core": ((4, 8, 8, pod_switches), "Core"), "pod": ((pods,), "Pod")},
        (),
        [
            rule(
                ref("pod", ["d"], "out", ["p", "i", "h", "u"]),
                ref("core", ["p", "i", "h", "u"], "p", ["d"]),
                axes(d=pods, p=4, i=8, h=8, u=pod_switches),
                link="Optic",
                length=None,
            )
        ],
        [
            grid("pod", pods, 8, ("20", "60")),
            grid("core", 256 * pod_switches, 256, ("0.6", "2.4"), ("0", "-60")),
        ],
    )
    return plan("Cluster", chip, leaf, high, core, board, cabinet, inter, superpod, root)
