"""Random small plans: three levels, exports of exports, conditions, placements."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from tests.ir.plan import hand_made as hm
from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Const,
    DeviceType,
    Export,
    IndexExpr,
    Lookup,
    Not,
    Op,
    Placement,
    Plan,
    PortRef,
    Rule,
    Var,
)

Chosen = dict[str, tuple[tuple[int, ...], DeviceType | AssemblyType]]
"""Children by name, with their types themselves."""

small = st.integers(1, 3)
shapes = st.lists(small, max_size=2).map(tuple)
lengths = st.one_of(st.none(), st.fractions(0, 9, max_denominator=1000))


@st.composite
def axis_lists(draw: st.DrawFn, most: int = 3) -> tuple[Axis, ...]:
    names = ["i", "j", "k"][: draw(st.integers(0, most))]
    result = []
    for name in names:
        low, step = draw(st.integers(0, 2)), draw(st.integers(1, 2))
        result.append(Axis(name, low, low + draw(st.integers(0, 4)), step))
    return tuple(result)


@st.composite
def numbers(draw: st.DrawFn, axes: tuple[Axis, ...], depth: int = 2) -> IndexExpr:
    """An expression that may take any value, also below 0."""
    if depth == 0 or draw(st.booleans()):
        if axes and draw(st.booleans()):
            return Var(draw(st.sampled_from(axes)).name)
        return Const(draw(st.integers(-2, 5)))
    if draw(st.integers(0, 5)) == 0:
        table = tuple(draw(st.lists(st.integers(-3, 9), min_size=1, max_size=5)))
        return Lookup(table, Op("mod", draw(numbers(axes, depth - 1)), Const(len(table))))
    op = draw(st.sampled_from(["+", "-", "*", "div", "mod"]))
    left = draw(numbers(axes, depth - 1))
    right = Const(draw(st.integers(1, 4))) if op in ("div", "mod") else draw(numbers(axes, depth - 1))
    return Op(op, left, right)


@st.composite
def conditions(draw: st.DrawFn, axes: tuple[Axis, ...], depth: int = 2) -> IndexExpr:
    if depth == 0 or draw(st.booleans()):
        op = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        return Op(op, draw(numbers(axes, 1)), draw(numbers(axes, 1)))
    if draw(st.integers(0, 3)) == 0:
        return Not(draw(conditions(axes, depth - 1)))
    op = draw(st.sampled_from(["and", "and", "or"]))
    return Op(op, draw(conditions(axes, depth - 1)), draw(conditions(axes, depth - 1)))


@st.composite
def subscripts(draw: st.DrawFn, shape: tuple[int, ...], axes: tuple[Axis, ...]) -> tuple[IndexExpr, ...]:
    """In range, whatever the axes are."""
    return tuple(Op("mod", draw(numbers(axes)), Const(size)) for size in shape)


def ports_of(of: DeviceType | AssemblyType) -> dict[str, tuple[int, ...]]:
    return {p.name: p.shape for p in (of.ports if isinstance(of, DeviceType) else of.exports)}


@st.composite
def refs(draw: st.DrawFn, children: Chosen, axes: tuple[Axis, ...]) -> PortRef:
    able = sorted(name for name, (_, of) in children.items() if ports_of(of))
    name = draw(st.sampled_from(able))
    shape, of = children[name]
    port = draw(st.sampled_from(sorted(ports_of(of))))
    return PortRef(name, draw(subscripts(shape, axes)), port, draw(subscripts(ports_of(of)[port], axes)))


@st.composite
def placements(draw: st.DrawFn, children: dict[str, tuple[tuple[int, ...], str]]) -> list[Placement]:
    found = []
    for name, (shape, _) in sorted(children.items()):
        if draw(st.booleans()):
            count = 1
            for size in shape:
                count *= size
            cell = st.integers(-9000, 9000).map(lambda n: Fraction(n, 1600))  # also halves of a millimetre
            found.append(Placement(name, tuple(draw(st.tuples(cell, cell)) for _ in range(count))))
    return found


@st.composite
def assemblies(draw: st.DrawFn, key: str, types: list[DeviceType | AssemblyType]) -> AssemblyType:
    names = ["a", "b", "c"][: draw(small)]
    chosen = {name: (draw(shapes), draw(st.sampled_from(types))) for name in names}
    children = {name: (shape, of.key) for name, (shape, of) in chosen.items()}
    exports, rules = list[Export](), list[Rule]()
    if any(ports_of(of) for _, of in chosen.values()):
        for name in ["p", "q"][: draw(st.integers(0, 2))]:
            axes = draw(axis_lists(2))
            exports.append(Export(name, axes, draw(refs(chosen, axes))))
        for origin in range(draw(st.integers(0, 3))):
            axes = draw(axis_lists())
            where = draw(st.one_of(st.none(), conditions(axes)))
            left, right = draw(refs(chosen, axes)), draw(refs(chosen, axes))
            link = draw(st.sampled_from(["Copper", "Optic"]))
            rules.append(Rule(left, right, axes, where, link, draw(small), draw(lengths), origin=origin))
    return hm.assembly(key, "rack", children, exports, rules, draw(placements(children)))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    types: list[DeviceType | AssemblyType] = []
    for key in ["Chip", "Switch"][: draw(st.integers(1, 2))]:
        ports = {name: draw(shapes) for name in ["x", "y"][: draw(st.integers(1, 2))]}
        types.append(hm.device(key, "npu", **ports))
    for level in range(draw(small)):
        types.append(draw(assemblies(f"Level{level}", types)))
    whole = hm.plan(types[-1].key, *types)
    reached = {types[-1].key, *(child.type for key in whole.bottom_up for child in whole.assemblies[key].children)}
    return hm.plan(types[-1].key, *(t for t in types if t.key in reached))
