"""Orbits of a plan, held to what the rules say of single devices.

What is stated: orbits of vertices with their sizes, and for each how many cables of a kind lead from any vertex of it
to vertices of another. Here devices of some orbits, and others drawn from these, are looked up in the rules, which are
written out cable by cable for that; each cable is followed to its other end, whose orbit is told by its digits.
Numbers, digits and ends are worked out by other means than those that found the orbits.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.ir.forwarding import layouts_of
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.verify import require
from unifiedbus_dsl.verify.cables import Bools, Ints

MOST_POINTS = 3_000_000
"""Cables of all rules, one instance each, up to which they are written out."""
MEMBERS = 16
"""Devices that are looked up, unless it is told."""


@frozen(eq=False)
class StatedDigits:
    """The digits of the devices of a path: stride, how many values, and the number of their class."""

    path: tuple[str, ...]
    digits: tuple[tuple[int, int, int], ...]


@frozen(eq=False)
class StatedOrbits:
    """Orbits of vertices (`place`, `vertex`, `size`, and the id `member` of the device of one, [N]) and of arcs
    (`tail`, `head`, `kind`, `count`, [A]), when device `source` (-1: none) stays where it is. Values of class c go to
    each other where `labels[c]` are the same; or, where `turns[c]`, all by as much. `kinds` of cable are
    links, lanes, and where they are `timed` lengths in metres."""

    plan: Plan
    places: tuple[StatedDigits, ...]
    labels: tuple[Ints, ...]
    turns: tuple[bool, ...]
    kinds: tuple[tuple[str, int, Fraction | None], ...]
    timed: bool
    links: frozenset[str]
    source: int
    place: Ints
    vertex: Ints
    size: Ints
    member: Ints
    tail: Ints
    head: Ints
    kind: Ints
    count: Ints
    located: dict[int, tuple[int, list[int]]] = field(factory=dict, init=False, repr=False)
    """What `_located` has found of each device."""


def points_of(plan: Plan) -> int:
    """Return how many cables all rules have together, one instance of each type."""
    return sum(
        plan.numbering.rule_size(key, n) for key in plan.bottom_up for n in range(len(plan.assemblies[key].rules))
    )


def check(stated: StatedOrbits, members: int = MEMBERS, seed: int = 0) -> None:
    """Hold orbits to the rules at so many devices.

    Raises:
        VerificationError: a device has other cables than its orbit, or the sizes do not add up.
    """
    draw = np.random.default_rng(seed)
    first = stated.vertex == 0
    for p, on in enumerate(stated.places):
        whole = prod(_counts(stated.plan, on.path))
        require(int(stated.size[first & (stated.place == p)].sum()) == whole, "the orbits of devices do not add up")
    names = {_name(stated, p, v, d): n for n, (p, v, d) in enumerate(_each(stated, stated.member))}
    require(len(names) == len(stated.member), "two orbits are one")
    some = np.flatnonzero(first)
    if len(some) > members // 2:
        some = np.sort(draw.choice(some, members // 2, replace=False))
    ids = np.concatenate([stated.member[some], [_moved(stated, int(n), draw) for n in some.tolist()]]).astype(np.int64)
    wanted = _stated_cables(stated)
    cables_of: dict[int, dict[tuple[int, int, int], int]] = {int(device): {} for device in ids.tolist()}
    for device, vertex, other, other_vertex, kind in _cables_at(stated, np.unique(ids)):
        place, digits = _located(stated, other)
        head = names.get(_name(stated, place, other_vertex, digits), -1)
        key = vertex, head, kind
        if device != other or vertex != other_vertex:
            cables_of[device][key] = cables_of[device].get(key, 0) + 1
    for device in ids.tolist():
        place, digits = _located(stated, device)
        at = names.get(_name(stated, place, 0, digits), -1)
        require(cables_of[device] == wanted.get(at, {}), f"device {device} has other cables than its orbit")


def _stated_cables(stated: StatedOrbits) -> dict[int, dict[tuple[int, int, int], int]]:
    """Return the cables of a device by the node of its first vertex: (vertex, head, kind) to their number."""
    stated_cables: dict[int, dict[tuple[int, int, int], int]] = {}
    rows = zip(stated.tail.tolist(), stated.head.tolist(), stated.kind.tolist(), stated.count.tolist(), strict=True)
    for tail, head, kind, count in rows:
        vertex = int(stated.vertex[tail])
        here = stated_cables.setdefault(tail - vertex, {})
        here[vertex, head, kind] = here.get((vertex, head, kind), 0) + count
    return stated_cables


# ---- orbits ---------------------------------------------------------------------------------------------------------


def _each(stated: StatedOrbits, devices: Ints) -> Iterator[tuple[int, int, list[int]]]:
    for p, v, device in zip(stated.place.tolist(), stated.vertex.tolist(), devices.tolist(), strict=True):
        place, digits = _located(stated, device)
        require(place == p, "a member is of another path")
        yield p, v, digits


def _located(stated: StatedOrbits, device: int) -> tuple[int, list[int]]:
    """Return the path that a device is on, by number, and its digits."""
    known = stated.located.get(device)
    if known is None:
        known = stated.located[device] = _locate(stated, device)
    return known


def _locate(stated: StatedOrbits, device: int) -> tuple[int, list[int]]:
    plan, key, path, address = stated.plan, stated.plan.root, list[str](), 0
    rest = device
    while key not in plan.devices:
        starts = plan.numbering.child_starts[key]
        number = bisect_right(starts, rest) - 1
        child = plan.assemblies[key].children[number]
        element, rest = divmod(rest - starts[number], plan.device_count[child.type])
        path.append(child.name)
        address = address * child.count + element
        key = child.type
    place = next(p for p, each in enumerate(stated.places) if each.path == tuple(path))
    return place, [address // stride % size for stride, size, _ in stated.places[place].digits]


def _name(stated: StatedOrbits, place: int, vertex: int, digits: Sequence[int]) -> tuple[object, ...]:
    """Return what is the same for vertices of one orbit alone."""
    seen = _source_digits(stated)
    said: list[object] = [place, vertex]
    for value, (_, _, of) in zip(digits, stated.places[place].digits, strict=True):
        before = seen.get(of, ())
        if stated.turns[of]:
            said.append((value - before[0]) % len(stated.labels[of]) if before else 0)
        else:
            said.append(("same", before.index(value)) if value in before else ("new", int(stated.labels[of][value])))
        seen[of] = (*before, value)
    return tuple(said)


def _source_digits(stated: StatedOrbits) -> dict[int, tuple[int, ...]]:
    """Return the digits of the device that stays where it is, by class in order."""
    result: dict[int, tuple[int, ...]] = {}
    if stated.source >= 0:
        at, own = _located(stated, stated.source)
        for value, (_, _, of) in zip(own, stated.places[at].digits, strict=True):
            result[of] = (*result.get(of, ()), value)
    return result


def _moved(stated: StatedOrbits, node: int, draw: np.random.Generator) -> int:
    """Return a device drawn from the orbit of a node."""
    place, digits = _located(stated, int(stated.member[node]))
    fixed = _source_digits(stated)
    moves = [_move(stated, of, set(fixed.get(of, ())), draw) for of in range(len(stated.labels))]
    strides = stated.places[place].digits
    address = sum(stride * int(moves[of][value]) for value, (stride, _, of) in zip(digits, strides, strict=True))
    return _device_id(stated.plan, stated.places[place].path, address)


def _move(stated: StatedOrbits, of: int, fixed: set[int], draw: np.random.Generator) -> Ints:
    """Return a permutation of the values of a class that keeps labels and the fixed values, or turns all."""
    label = stated.labels[of]
    image = np.arange(len(label))
    if stated.turns[of]:
        return image if fixed else (image + int(draw.integers(len(label)))) % len(label)
    free = np.ones(len(label), dtype=bool)
    free[list(fixed)] = False
    for each in np.unique(label).tolist():
        some = np.flatnonzero(free & (label == each))
        image[some] = draw.permutation(some)
    return image


def _counts(plan: Plan, path: tuple[str, ...]) -> list[int]:
    counts, key = [], plan.root
    for name in path:
        child = plan.assemblies[key].by_name[name]
        counts.append(child.count)
        key = child.type
    return counts


def _device_id(plan: Plan, path: tuple[str, ...], address: int) -> int:
    counts, key, device = _counts(plan, path), plan.root, 0
    for depth, name in enumerate(path):
        number = next(n for n, child in enumerate(plan.assemblies[key].children) if child.name == name)
        child = plan.assemblies[key].children[number]
        element = address // prod(counts[depth + 1 :]) % child.count
        device += plan.numbering.child_starts[key][number] + element * plan.device_count[child.type]
        key = child.type
    return device


# ---- cables ---------------------------------------------------------------------------------------------------------


def _cables_at(stated: StatedOrbits, devices: Ints) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield (device, vertex, other device, its vertex, kind) of each cable at some devices."""
    plan = stated.plan
    vertex_of = dict(zip(plan.devices, (layout.out for layout in layouts_of(plan.devices.values())), strict=True))
    around: dict[str, list[tuple[int, int]]] = {}
    for device in devices.tolist():
        key, base, rest = plan.root, 0, device
        while key not in plan.devices:
            around.setdefault(key, []).append((base, device))
            starts = plan.numbering.child_starts[key]
            number = bisect_right(starts, rest) - 1
            child = plan.assemblies[key].children[number]
            size = plan.device_count[child.type]
            base += starts[number] + (rest - starts[number]) // size * size
            rest = device - base
            key = child.type
    for key, instances in around.items():
        offsets = np.array(sorted({device - base for base, device in instances}), dtype=np.int64)
        rows = _rule_ends(stated, key, offsets)
        for base, device in instances:
            for mine, port, other, other_port, kind in rows.get(device - base, ()):
                yield (
                    device,
                    int(vertex_of[_type_of(plan, base + mine)][port]),
                    base + other,
                    int(vertex_of[_type_of(plan, base + other)][other_port]),
                    kind,
                )


def _type_of(plan: Plan, device: int) -> str:
    key, rest = plan.root, device
    while key not in plan.devices:
        starts = plan.numbering.child_starts[key]
        number = bisect_right(starts, rest) - 1
        child = plan.assemblies[key].children[number]
        rest = (rest - starts[number]) % plan.device_count[child.type]
        key = child.type
    return key


def _rule_ends(stated: StatedOrbits, key: str, offsets: Ints) -> dict[int, list[tuple[int, int, int, int, int]]]:
    """Return the cables of the rules of an assembly type at devices of these offsets in it, by offset."""
    plan = stated.plan
    rule_ends: dict[int, list[tuple[int, int, int, int, int]]] = {}
    for number, rule in enumerate(plan.assemblies[key].rules):
        if rule.link not in stated.links:
            continue
        kind = stated.kinds.index((rule.link, rule.lanes, (rule.length or Fraction(0)) if stated.timed else None))
        for _, part in plan.numbering.rule_parts(key, number):
            ends = [plan.numbering.ends(key, ref, part) for ref in (rule.left, rule.right)]
            device = [np.broadcast_to(end.base + end.offset, part.shape).ravel() for end in ends]
            port = [np.broadcast_to(end.port, part.shape).ravel() for end in ends]
            for one, other in ((0, 1), (1, 0)):
                some: Bools = np.isin(device[one], offsets)
                rows = zip(
                    device[one][some].tolist(), port[one][some].tolist(), device[other][some].tolist(),
                    port[other][some].tolist(), strict=True,
                )  # fmt: skip
                for a, p, b, q in rows:
                    rule_ends.setdefault(a, []).append((a, p, b, q, kind))
    return rule_ends
