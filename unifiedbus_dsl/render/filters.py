"""Plans with parts left out or closed: what a view shows of a machine is a plan too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias, TypeVar

from attrs import evolve

from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, Plan, Port, Rule
from unifiedbus_dsl.render.plan_summary import has_end_point, has_npu, port_kind
from unifiedbus_dsl.vocabulary import attributes

_Type = TypeVar("_Type")
Place: TypeAlias = tuple[str, str]
"""An array: the assembly type that has it, and its name there."""


def arrays(plan: Plan) -> Iterator[tuple[Place, Child]]:
    """Yield every array below the root, by where it is."""
    for key in plan.bottom_up:
        for child in plan.assemblies[key].children:
            yield (key, child.name), child


def kind_of(plan: Plan, child: Child) -> str:
    return plan.type(child.type).kind


def link_kinds(plan: Plan) -> Iterator[tuple[str, int]]:
    """Link and lanes of all cables, each once."""
    rules = (rule for key in plan.bottom_up for rule in plan.assemblies[key].rules)
    yield from dict.fromkeys((rule.link, rule.lanes) for rule in rules)


def inside(plan: Plan, wanted: Iterable[Place]) -> set[Place]:
    """These arrays and what is in them."""
    there = dict(arrays(plan))
    chosen = set(wanted)
    types: set[str] = set()

    def visit(key: str) -> None:
        if key in plan.assemblies and key not in types:
            types.add(key)
            for child in plan.assemblies[key].children:
                visit(child.type)

    for place in chosen:
        visit(there[place].type)
    return chosen | {place for place in there if place[0] in types}


def around(plan: Plan, wanted: Iterable[Place]) -> set[Place]:
    """These arrays, what is in them, and what they are in."""
    there = dict(arrays(plan))
    chosen = set(wanted)
    holding: set[str] = set()
    kept = inside(plan, chosen)
    for place, child in there.items():  # parts before what holds them
        if place in chosen or child.type in holding:
            holding.add(place[0])
            kept.add(place)
    return kept


def without(plan: Plan, hidden: frozenset[Place], lost: Sequence[Callable[[str, Rule], bool]]) -> Plan:
    """Return the plan without these arrays and cables, and without what then has no end or nothing in it."""
    made: dict[str, AssemblyType] = {}
    empty: set[str] = set()
    for key in plan.bottom_up:
        old = plan.assemblies[key]
        children = tuple(c for c in old.children if (key, c.name) not in hidden and c.type not in empty)
        if old.children and not children:
            empty.add(key)
        there = {c.name: c.type for c in children}

        def has(child: str, port: str, there: Mapping[str, str] = there) -> bool:
            if child not in there:
                return False
            inner = made.get(there[child])
            return inner is None or any(export.name == port for export in inner.exports)

        made[key] = evolve(
            old,
            children=children,
            exports=tuple(e for e in old.exports if has(e.ref.child, e.ref.port)),
            rules=tuple(
                rule
                for rule in old.rules
                if has(rule.left.child, rule.left.port)
                and has(rule.right.child, rule.right.port)
                and not any(test(key, rule) for test in lost)
            ),
            placements=tuple(p for p in old.placements if p.child in there),
            openings=(),
        )
    return _reachable(evolve(plan, assemblies=_sorted(made)))


def _reachable(plan: Plan) -> Plan:
    """Return the plan without types that nothing uses any more."""
    used = {plan.root, *plan.bottom_up}
    below = {child.type for key in plan.bottom_up for child in plan.assemblies[key].children}
    devices = {key: device for key, device in plan.devices.items() if key in below}
    return evolve(plan, devices=devices, assemblies={k: a for k, a in plan.assemblies.items() if k in used})


def _sorted(types: dict[str, _Type]) -> dict[str, _Type]:
    return {key: types[key] for key in sorted(types)}


def _as_device(plan: Plan, assembly: AssemblyType) -> DeviceType:
    """Return an assembly as a box with its exported ports; it looks like the most telling of what it holds."""
    key = assembly.key
    kind = "npu" if has_npu(plan, key) else "device" if has_end_point(plan, key) else "switch"
    ports = []
    for export in assembly.exports:
        lanes, protocol = port_kind(plan, assembly, export.ref.child, export.ref.port)
        ports.append(Port(export.name, export.shape, protocol, lanes, open=True))
    return DeviceType(key, kind, tuple(ports), doc=assembly.doc)


def collapsed(plan: Plan, places: frozenset[Place]) -> Plan:
    """Return the plan in which the assemblies of these arrays are boxes with ports and nothing inside."""
    keys = {child.type for place, child in arrays(plan) if place in places and child.type in plan.assemblies}
    boxes = {key: _as_device(plan, plan.assemblies[key]) for key in keys}
    rest = {key: a for key, a in plan.assemblies.items() if key not in keys}
    return _reachable(evolve(plan, devices=_sorted({**plan.devices, **boxes}), assemblies=rest))


def helpful_collapse(plan: Plan, most: int) -> tuple[str, int] | None:
    """Return the kind of assembly whose collapse leaves most devices and no more than `most`, and how many these
    are."""
    counts: list[tuple[int, str]] = []
    for kind in attributes.KINDS_OF_ASSEMBLY:
        places = frozenset(
            place for place, child in arrays(plan) if child.type in plan.assemblies and kind_of(plan, child) == kind
        )
        if places:
            smaller = collapsed(plan, places)
            count = smaller.device_count[smaller.root]
            if count <= most:
                counts.append((count, kind))
    return max(((kind, count) for count, kind in counts), key=lambda each: each[1], default=None)
