"""Plans of well-known machines, written by hand, to draw."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

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

UB = Protocol("UB", Fraction(14 * 10**9), Fraction(1, 10**7), Fraction(1))
LINKS = {
    "Copper": Link("Copper", "UB", {"medium": "copper"}),
    "Optic": Link("Optic", "UB", {"medium": "optical"}),
    "Trace": Link("Trace", "UB", {"medium": "pcb"}),
}


def v(name: str) -> Var:
    return Var(name)


def op(sign: str, a: IndexExpr | int, b: IndexExpr | int) -> Op:
    return Op(sign, _expr(a), _expr(b))


def _expr(value: IndexExpr | int) -> IndexExpr:
    return Const(value) if isinstance(value, int) else value


def axis(name: str, size: int) -> Axis:
    return Axis(name, 0, size - 1)


def ref(child: str, at: Sequence[IndexExpr | int], port: str, port_at: Sequence[IndexExpr | int]) -> PortRef:
    return PortRef(child, tuple(map(_expr, at)), port, tuple(map(_expr, port_at)))


def cable(
    left: PortRef,
    right: PortRef,
    axes: Sequence[Axis],
    link: str,
    where: IndexExpr | None = None,
    pattern: str | None = None,
    origin: int = 0,
) -> Rule:
    return Rule(left, right, tuple(axes), where, link, 4, None, pattern, origin)


def full_mesh(
    child: str, before: Sequence[Axis], size: int, after: Sequence[Axis], port: str, link: str, origin: int = 0
) -> Rule:
    """Element i meets element j at its port j - 1, and j meets i at its port i, along one dimension."""
    i, j = v("i"), v("j")
    head, tail = [v(a.name) for a in before], [v(a.name) for a in after]
    return cable(
        ref(child, [*head, i, *tail], port, [op("-", j, 1)]),
        ref(child, [*head, j, *tail], port, [i]),
        [*before, axis("i", size), axis("j", size), *after],
        link,
        where=op("<", i, j),
        pattern="fullmesh",
        origin=origin,
    )


def exported(name: str, child: str, shape: Sequence[int], port: str, port_shape: Sequence[int]) -> Export:
    """`port NAME = child.port`."""
    axes = tuple(axis(f"e{k}", size) for k, size in enumerate((*shape, *port_shape)))
    names = [v(a.name) for a in axes]
    return Export(name, axes, ref(child, names[: len(shape)], port, names[len(shape) :]))


def make_plan(system: str, root: str, devices: Sequence[DeviceType], assemblies: Sequence[AssemblyType]) -> Plan:
    return Plan(
        system,
        root,
        {"UB": UB},
        LINKS,
        {d.key: d for d in sorted(devices, key=lambda d: d.key)},
        {a.key: a for a in sorted(assemblies, key=lambda a: a.key)},
    )


# ---- the Atlas 950 family ---------------------------------------------------------------------------------------

NPU = DeviceType(
    "Ascend950DT",
    "npu",
    (Port("up", (4,), "UB", 4), Port("x", (7,), "UB", 4), Port("y", (7,), "UB", 4)),
    doc="Ascend 950DT, decode and training NPU.",
)
LRS = DeviceType("LRS", "switch", (Port("down", (64,), "UB", 4), Port("up", (64,), "UB", 4)), doc="Switch of a rack.")


def hrs(racks: int, spines: int = 0) -> DeviceType:
    extra = (Port("up", (spines,), "UB", 4),) if spines else ()
    return DeviceType("HRS", "switch", (Port("p", (racks,), "UB", 4), *extra), doc="One port to each rack.")


BOARD = AssemblyType(
    "NpuBoard",
    "board",
    (Child("npu", (8,), "Ascend950DT"),),
    (exported("up", "npu", [8], "up", [4]), exported("y", "npu", [8], "y", [7])),
    (full_mesh("npu", [], 8, [], "x", "Trace"),),
    doc="Eight NPUs, each wired to each other on the board.",
)


def cabinet() -> AssemblyType:
    b, n, k = axis("b", 8), axis("n", 8), axis("k", 4)
    i, j = v("i"), v("j")
    mesh = cable(
        ref("board", [i], "y", [v("n"), op("-", j, 1)]),
        ref("board", [j], "y", [v("n"), i]),
        [axis("i", 8), axis("j", 8), n],
        "Copper",
        where=op("<", i, j),
        pattern="fullmesh",
        origin=0,
    )
    up = cable(
        ref("board", [v("b")], "up", [v("n"), v("k")]),
        ref("plane", [v("k")], "down", [op("+", op("*", 8, v("b")), v("n"))]),
        [b, n, k],
        "Copper",
        origin=1,
    )
    return AssemblyType(
        "Cabinet",
        "rack",
        (Child("board", (8,), "NpuBoard"), Child("plane", (4,), "LRS")),
        (exported("z", "plane", [4], "up", [64]),),
        (mesh, up),
        doc="Compute rack: 64 NPUs in an 8 × 8 full mesh, four switch planes above.",
    )


def interconnect(racks: int, spines: int = 0) -> AssemblyType:
    extra = (exported("up", "hrs", [8], "up", [spines]),) if spines else ()
    exports = (exported("p", "hrs", [8], "p", [racks]), *extra)
    return AssemblyType("Interconnect", "rack", (Child("hrs", (8,), "HRS"),), exports, doc="Rack of switches.")


def superpod_type(racks: int, spines: int = 0) -> AssemblyType:
    up = cable(
        ref("cabinet", [v("r")], "z", [v("p"), op("+", op("*", 8, v("i")), v("h"))]),
        ref("inter", [v("p"), v("i")], "p", [v("h"), v("r")]),
        [axis("r", racks), axis("p", 4), axis("i", 8), axis("h", 8)],
        "Optic",
    )
    exports = (exported("up", "inter", [4, 8], "up", [8, spines]),) if spines else ()
    columns = 16
    racks_at = tuple((Fraction(6 * (r % columns), 10), Fraction(24 * (r // columns), 10)) for r in range(racks))
    inter_at = tuple((Fraction(6 * (r % columns), 10), 20 + Fraction(24 * (r // columns), 10)) for r in range(32))
    return AssemblyType(
        "Atlas950",
        "superpod",
        (Child("cabinet", (racks,), "Cabinet"), Child("inter", (4, 8), "Interconnect")),
        exports,
        (up,),
        (Placement("cabinet", racks_at), Placement("inter", inter_at)),
        doc="Atlas 950 SuperPoD: compute racks joined by interconnect racks, all optical.",
    )


def board() -> Plan:
    return make_plan("board", "NpuBoard", [NPU], [BOARD])


def rack() -> Plan:
    return make_plan("cab", "Cabinet", [NPU, LRS], [BOARD, cabinet()])


def flat_rack() -> Plan:
    """A rack whose NPUs are an array of two dimensions."""
    up = cable(
        ref("npu", [v("b"), v("s")], "up", [v("k")]),
        ref("plane", [v("k")], "down", [op("+", op("*", 8, v("b")), v("s"))]),
        [axis("b", 8), axis("s", 8), axis("k", 4)],
        "Copper",
        origin=2,
    )
    rows = full_mesh("npu", [axis("b", 8)], 8, [], "x", "Trace", origin=0)
    columns = full_mesh("npu", [], 8, [axis("s", 8)], "y", "Copper", origin=1)
    root = AssemblyType(
        "FlatCabinet",
        "rack",
        (Child("npu", (8, 8), "Ascend950DT"), Child("plane", (4,), "LRS")),
        (exported("z", "plane", [4], "up", [64]),),
        (rows, columns, up),
    )
    return make_plan("flat", "FlatCabinet", [NPU, LRS], [root])


def superpod(racks: int = 128) -> Plan:
    return make_plan(
        "superpod",
        "Atlas950",
        [NPU, LRS, hrs(racks)],
        [BOARD, cabinet(), interconnect(racks), superpod_type(racks)],
    )


def supercluster(pods: int = 64) -> Plan:
    """Pods of 8,192 NPUs under a layer of spine switches: with 128 pods, a million."""
    spines = 4
    spine = DeviceType("Spine", "switch", (Port("p", (2 * pods,), "UB", 4),))
    up = cable(
        ref("pod", [v("q")], "up", [v("p"), v("i"), v("h"), v("s")]),
        ref(
            "spine",
            [
                op(
                    "+",
                    op("*", 16, op("+", op("*", 8, v("p")), v("i"))),
                    op("+", op("*", 4, v("s")), op("div", v("h"), 2)),
                )
            ],
            "p",
            [op("+", op("*", 2, v("q")), op("mod", v("h"), 2))],
        ),
        [axis("q", pods), axis("p", 4), axis("i", 8), axis("h", 8), axis("s", spines)],
        "Optic",
    )
    root = AssemblyType(
        "SuperCluster",
        "supercluster",
        (Child("pod", (pods,), "Atlas950"), Child("spine", (512,), "Spine")),
        (),
        (up,),
        doc=f"{pods} SuperPoDs under 512 spine switches.",
    )
    return make_plan(
        "supercluster",
        "SuperCluster",
        [NPU, LRS, hrs(128, spines), spine],
        [BOARD, cabinet(), interconnect(128, spines), superpod_type(128, spines), root],
    )


# ---- other shapes -----------------------------------------------------------------------------------------------


def fat_tree(k: int = 8) -> Plan:
    """Three levels of k-port switches, k^3 / 4 NPUs."""
    half = k // 2
    host = DeviceType("Host", "npu", (Port("net", (), "UB", 4),))
    switch = DeviceType("Switch", "switch", (Port("p", (k,), "UB", 4),))
    down = cable(
        ref("host", [v("e"), v("h")], "net", []),
        ref("edge", [v("e")], "p", [v("h")]),
        [axis("e", half), axis("h", half)],
        "Copper",
        origin=0,
    )
    middle = cable(
        ref("edge", [v("e")], "p", [op("+", half, v("a"))]),
        ref("agg", [v("a")], "p", [v("e")]),
        [axis("e", half), axis("a", half)],
        "Copper",
        origin=1,
    )
    up = Export(
        "up",
        (axis("a", half), axis("u", half)),
        ref("agg", [v("a")], "p", [op("+", half, v("u"))]),
    )
    pod = AssemblyType(
        "Pod",
        "rack",
        (Child("agg", (half,), "Switch"), Child("edge", (half,), "Switch"), Child("host", (half, half), "Host")),
        (up,),
        (down, middle),
    )
    top = cable(
        ref("pod", [v("q")], "up", [v("a"), v("u")]),
        ref("core", [op("+", op("*", half, v("a")), v("u"))], "p", [v("q")]),
        [axis("q", k), axis("a", half), axis("u", half)],
        "Optic",
    )
    root = AssemblyType(
        "FatTree", "supercluster", (Child("core", (half * half,), "Switch"), Child("pod", (k,), "Pod")), (), (top,)
    )
    return make_plan("fattree", "FatTree", [host, switch], [pod, root])


def torus(dims: tuple[int, ...] = (4, 4, 4)) -> Plan:
    """A ring along each dimension."""
    letters = "xyz"[: len(dims)]
    chip = DeviceType("Chip", "npu", tuple(Port(f"{a}{s}", (), "UB", 4) for a in letters for s in "mp"))
    rules = []
    for k, letter in enumerate(letters):
        here: list[IndexExpr | int] = [v(a) for a in letters]
        there = [*here]
        there[k] = op("mod", op("+", v(letter), 1), dims[k])
        axes = [axis(a, size) for a, size in zip(letters, dims, strict=True)]
        left, right = ref("chip", here, f"{letter}p", []), ref("chip", there, f"{letter}m", [])
        rules.append(cable(left, right, axes, "Optic" if k == 2 else "Copper", pattern="torus", origin=k))
    root = AssemblyType("Torus", "superpod", (Child("chip", dims, "Chip"),), (), tuple(rules))
    return make_plan("torus", "Torus", [chip], [root])


def dragonfly(routers: int = 4, hosts: int = 2, links: int = 2) -> Plan:
    """Groups of routers, all to all inside and between groups: routers * links + 1 groups."""
    groups = routers * links + 1
    host = DeviceType("Host", "npu", (Port("net", (), "UB", 4),))
    router = DeviceType(
        "Router",
        "switch",
        (Port("g", (links,), "UB", 4), Port("host", (hosts,), "UB", 4), Port("l", (routers - 1,), "UB", 4)),
    )
    attach = cable(
        ref("host", [v("r"), v("h")], "net", []),
        ref("router", [v("r")], "host", [v("h")]),
        [axis("r", routers), axis("h", hosts)],
        "Copper",
        origin=1,
    )
    out = Export(
        "g",
        (axis("n", routers * links),),
        ref("router", [op("div", v("n"), links)], "g", [op("mod", v("n"), links)]),
    )
    group = AssemblyType(
        "Group",
        "rack",
        (Child("host", (routers, hosts), "Host"), Child("router", (routers,), "Router")),
        (out,),
        (full_mesh("router", [], routers, [], "l", "Copper"), attach),
    )
    between = cable(
        ref("group", [v("i")], "g", [op("-", v("j"), 1)]),
        ref("group", [v("j")], "g", [v("i")]),
        [axis("i", groups), axis("j", groups)],
        "Optic",
        where=op("<", v("i"), v("j")),
        pattern="fullmesh",
    )
    root = AssemblyType("Dragonfly", "supercluster", (Child("group", (groups,), "Group"),), (), (between,))
    return make_plan("dragonfly", "Dragonfly", [host, router], [group, root])


def flat_dragonfly(routers: int = 4, links: int = 2) -> Plan:
    """The switches of a dragonfly as one array: group, switch of the group."""
    groups, local = routers * links + 1, routers - 1
    router = DeviceType("Router", "switch", (Port("p", (local + links,), "UB", 4),))
    i, j = v("i"), v("j")
    far = op("-", j, 1)
    between = cable(
        ref("router", [i, op("div", far, links)], "p", [op("+", local, op("mod", far, links))]),
        ref("router", [j, op("div", i, links)], "p", [op("+", local, op("mod", i, links))]),
        [axis("i", groups), axis("j", groups)],
        "Optic",
        where=op("<", i, j),
        origin=1,
    )
    inside = full_mesh("router", [axis("g", groups)], routers, [], "p", "Copper")
    root = AssemblyType(
        "FlatDragonfly", "module", (Child("router", (groups, routers), "Router"),), (), (inside, between)
    )
    return make_plan("flat", "FlatDragonfly", [router], [root])


def flat_mesh(size: int = 4) -> Plan:
    """A full mesh along both subscripts, laid by one statement."""
    router = DeviceType("Router", "switch", (Port("x", (size - 1,), "UB", 4), Port("y", (size - 1,), "UB", 4)))
    rows = full_mesh("router", [axis("r", size)], size, [], "x", "Copper")
    columns = full_mesh("router", [], size, [axis("c", size)], "y", "Copper")
    root = AssemblyType("FlatMesh", "module", (Child("router", (size, size), "Router"),), (), (rows, columns))
    return make_plan("flat", "FlatMesh", [router], [root])


def node() -> Plan:
    """Eight NPUs and four CPUs on seven switches, NICs beside them: many arrays in one assembly."""
    npu = DeviceType("Npu", "npu", (Port("nic", (), "UB", 4), Port("ub", (7,), "UB", 4)))
    cpu = DeviceType("Cpu", "cpu", (Port("m", (3,), "UB", 4), Port("pcie", (), "UB", 4), Port("ub", (7,), "UB", 4)))
    nic = DeviceType("Nic", "nic", (Port("host", (), "UB", 4), Port("net", (), "UB", 4, open=True)))
    vpc = DeviceType("Vpc", "nic", (Port("host", (), "UB", 4), Port("net", (), "UB", 4, open=True)))
    switch = DeviceType("L1", "switch", (Port("down", (12,), "UB", 4), Port("up", (16,), "UB", 4)))
    rules = (
        cable(ref("npu", [v("n")], "ub", [v("k")]), ref("l1", [v("k")], "down", [v("n")]), [axis("n", 8), axis("k", 7)],
              "Trace", origin=0),
        cable(ref("cpu", [v("c")], "ub", [v("k")]), ref("l1", [v("k")], "down", [op("+", 8, v("c"))]),
              [axis("c", 4), axis("k", 7)], "Trace", origin=1),
        cable(ref("npu", [v("n")], "nic", []), ref("nic", [v("n")], "host", []), [axis("n", 8)], "Trace", origin=2),
        full_mesh("cpu", [], 4, [], "m", "Trace", origin=3),
        cable(ref("cpu", [0], "pcie", []), ref("vpc", [], "host", []), [], "Trace", origin=4),
    )  # fmt: skip
    root = AssemblyType(
        "Node",
        "node",
        (
            Child("cpu", (4,), "Cpu"),
            Child("l1", (7,), "L1"),
            Child("nic", (8,), "Nic"),
            Child("npu", (8,), "Npu"),
            Child("vpc", (), "Vpc"),
        ),
        (exported("up", "l1", [7], "up", [16]), exported("net", "nic", [8], "net", [])),
        rules,
    )
    return make_plan("node", "Node", [npu, cpu, nic, vpc, switch], [root])


def all_machines() -> dict[str, Plan]:
    plans = [board(), rack(), flat_rack(), superpod(), supercluster(), fat_tree(), torus(), dragonfly(), node()]
    assert all(prod(child.shape) > 0 for plan in plans for a in plan.assemblies.values() for child in a.children)
    return {plan.system: plan for plan in plans}
