"""From a settled table to a plan whose hierarchy is that of the names, where these are those of a regular machine.

`pod[3].rack[1].npu[7]`, every index of every array there, the elements of an array alike: the hierarchy comes back,
with every cable a line of the outermost assembly; so it does where they are such names in their legal form
(`pod3-rack1-npu7`), which then stay the names of the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import TypeAlias

import numpy as np
from attrs import define, evolve, field
from numpy.typing import NDArray

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.importer.table import Table
from unifiedbus_dsl.importer.types import Index, Place, Types, step_of
from unifiedbus_dsl.ir.fabric.names import device_paths, split_path
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, Child, Export, Labels, Lookup, Plan, PortRef, Rule, Site, Var
from unifiedbus_dsl.ir.plan.labels import groups_of, labels_without, places_of

Path: TypeAlias = "tuple[Place, ...] | None"
_Group: TypeAlias = tuple[str, str, str, str, str, int, float | None]
"""Child and port of both ends, link, lanes, length."""
DEEPEST = 32
"""No machine has as many levels; names of more are no hierarchy."""


def by_names(table: Table, types: Types) -> Plan | None:
    """Return the plan of a table by the names of its devices; None where they are not those of a regular machine."""
    names = [device.name for device in table.devices]
    paths: Sequence[Path] = list(map(_path, names))
    tree = _regular(table, types, paths)
    if tree is None:
        paths = list(map(_legal_path, names))
        tree = _regular(table, types, paths)
    if tree is None:
        return None
    build = _Build(types)
    root = build.add(tree, table.name)
    rules = _rules(table, types, paths, build)
    assemblies = build.assemblies | {root: evolve(build.assemblies[root], rules=rules)}
    plan = types.plan(table.name, root, assemblies)
    return evolve(plan, site=_site(table, types, paths, plan))


def _site(table: Table, types: Types, paths: Sequence[Path], plan: Plan) -> Site | None:
    """Return what the site calls the devices where that is not their path; None where it is, and nothing else is
    known."""
    of_path = {_text(path or ()): device for path, device in zip(paths, table.devices, strict=True)}
    own = device_paths(plan, range(len(table.devices))).tolist()
    devices = [of_path[path] for path in own]
    names = tuple(device.name for device in devices)
    ids = tuple(device.id for device in devices)
    if list(names) == own and not any(ids):
        return Site(ports=dict(types.labels)) if types.labels else None
    return Site(names if list(names) != own else (), ids if any(ids) else (), dict(sorted(types.labels.items())))


def _text(path: Iterable[Place]) -> str:
    return ".".join(f"{name}[{', '.join(map(str, at))}]" if at else name for name, at in path)


# ---- names --------------------------------------------------------------------------------------------------------


def _path(name: str) -> Path:
    steps = [step_of(segment) for segment in split_path(name)]
    return None if not steps or None in steps else tuple(step for step in steps if step is not None)


_WORD = re.compile(r"([a-z](?:[a-z0-9]*[a-z])?)(0|[1-9][0-9]*)?\Z")


def _legal_path(name: str) -> Path:
    """`pod3-inter0-2-hrs7` as `pod[3].inter[0, 2].hrs[7]`; None for other names."""
    steps: list[Place] = []
    for word in name.split("-"):
        match = _WORD.match(word)
        if match is not None:
            steps.append((match[1], (int(match[2]),) if match[2] else ()))
        elif steps and steps[-1][1] and re.fullmatch(r"0|[1-9][0-9]*", word):
            steps[-1] = steps[-1][0], (*steps[-1][1], int(word))
        else:
            return None
    return tuple(steps)


# ---- hierarchy ----------------------------------------------------------------------------------------------------


@define
class _Node:
    """A part of the machine: a device by its type, or children by name and index."""

    device: str | None = None
    spare: bool = False
    children: dict[str, dict[Index, _Node]] = field(factory=dict)


def _tree(table: Table, types: Types, paths: Sequence[Path]) -> _Node | None:
    """Return the parts that the paths name; None where two devices are at one place."""
    root = _Node()
    for path, device, of in zip(paths, table.devices, types.of, strict=True):
        here = root
        for name, at in path or ():
            here = here.children.setdefault(name, {}).setdefault(at, _Node())
        if here.device is not None:
            return None
        here.device, here.spare = of, device.spare
    return root


def _regular(table: Table, types: Types, paths: Sequence[Path]) -> _Node | None:
    """Return the tree of the names if it is one that arrays of types can make, else None."""
    if any(path is None or len(path) > DEEPEST for path in paths):
        return None
    if all(len(path) == 1 and not path[0][1] for path in paths if path is not None):
        return None  # plain words: no array and no level
    tree = _tree(table, types, paths)
    return tree if tree is not None and _signature(tree, {}) is not None else None


def _signature(node: _Node, known: dict[object, int]) -> int | None:
    """Return the same number for parts that are alike; None where an array has gaps or unlike elements."""
    if node.device is not None:
        return None if node.children else known.setdefault(("device", node.device), len(known))
    parts: list[object] = []
    for name, elements in sorted(node.children.items()):
        gone = _gone(elements)
        inner = {_signature(element, known) for element in elements.values()}
        spare = {element.spare for element in elements.values()}
        if gone is None or None in inner or len(inner) > 1 or len(spare) > 1:
            return None
        parts.append((name, gone.shape, gone.tobytes(), inner.pop(), spare.pop()))
    return known.setdefault(tuple(parts), len(known))


def _gone(elements: Mapping[Index, _Node]) -> NDArray[np.bool_] | None:
    """Return which elements of an array are missing; None where they have different numbers of subscripts, or where
    fewer are there than are missing."""
    ranks = {len(at) for at in elements}
    if len(ranks) > 1:
        return None
    shape = tuple(max(column) + 1 for column in zip(*elements, strict=True))
    if prod(shape) >= 2 * len(elements) and prod(shape) > len(elements):
        return None
    gone = np.ones(shape, dtype=bool)
    gone[tuple(np.array(column) for column in zip(*elements, strict=True))] = False
    return gone


def _child(name: str, elements: Mapping[Index, _Node], key: str) -> Child:
    """Return the child array of elements that are alike, those that are missing left out."""
    gone, spare = _gone(elements), next(iter(elements.values())).spare
    assert gone is not None
    if not gone.any():
        return Child(name, gone.shape, key, spare)
    labels = labels_without(gone)
    return Child(name, tuple(each.count for each in labels), key, spare, labels=labels)


def _place(child: Child, at: Index) -> Index:
    """Where an element is among those that are there, from its subscripts."""
    place, rest = list[int](), list(at)
    for labels in groups_of(child):
        own, rest = rest[: len(labels.sizes)], rest[len(labels.sizes) :]
        place.append(int(places_of(labels, np.ravel_multi_index(own, labels.sizes))))
    return tuple(place)


@define
class _Build:
    """Assembly types, one for each distinct part; each exports every port inside it."""

    types: Types
    assemblies: dict[str, AssemblyType] = field(factory=dict)
    known: dict[object, str] = field(factory=dict)
    signatures: dict[object, int] = field(factory=dict)
    taken: set[str] = field(factory=set)

    def add(self, node: _Node, name: str) -> str:
        """Return the key of the type of a part."""
        if node.device is not None:
            return node.device
        number = _signature(node, self.signatures)
        if number in self.known:
            return self.known[number]
        base = re.sub(r"\W", "_", name).capitalize() or "Machine"
        taken = self.taken | set(self.types.devices)
        key = base if base not in taken else next(k for n in range(len(taken) + 1) if (k := f"{base}{n}") not in taken)
        self.taken.add(key)  # before what is inside, which may have the same name
        children = []
        for child, elements in sorted(node.children.items()):
            children.append(_child(child, elements, self.add(next(iter(elements.values())), child)))
        self.assemblies[key] = AssemblyType(key, _kind(name), tuple(children))
        self.known[number] = key
        return key


KINDS = ("board", "node", "rack", "superpod", "supercluster")
ALSO = {"server": "node", "cabinet": "rack", "pod": "superpod"}


def _kind(name: str) -> str:
    word = re.sub(r"\d+\Z", "", name.lower())
    return word if word in KINDS else ALSO.get(word, "module")


# ---- cables -------------------------------------------------------------------------------------------------------


def _rules(table: Table, types: Types, paths: Sequence[Path], build: _Build) -> tuple[Rule, ...]:
    """Return the rules: one for all cables between the same arrays over the same link at the same length, looked up in
    tables."""
    exports = _Exports(build, types)
    groups: dict[_Group, list[tuple[Index, Index, Index, Index]]] = {}
    each = zip(table.a, table.a_port, table.b, table.b_port, table.kind, strict=True)
    for one, one_port, two, two_port, kind in track(each, "place cables", len(table)):
        ends = [exports.end(paths[d] or (), types.of[d], table.ports[p]) for d, p in ((one, one_port), (two, two_port))]
        (a, a_at, a_port, a_in), (b, b_at, b_port, b_in) = ends
        key = a, a_port, b, b_port, *types.link_of[kind], table.kinds[kind].length
        groups.setdefault(key, []).append((a_at, a_in, b_at, b_in))
    rules = []
    for number, (key, lines) in enumerate(sorted(groups.items(), key=lambda item: str(item[0]))):
        a, a_port, b, b_port, link, lanes, length = key
        columns = [tuple(Lookup(c, Var("_e")) for c in zip(*part, strict=True)) for part in zip(*lines, strict=True)]
        rules.append(
            Rule(
                PortRef(a, columns[0], a_port, columns[1]),
                PortRef(b, columns[2], b_port, columns[3]),
                (Axis("_e", 0, len(lines) - 1),),
                None,
                link,
                lanes,
                None if length is None else Fraction(round(length * 1000), 1000),
                "cables",
                number,
            )
        )
    return tuple(rules)


@define
class _Exports:
    """Finds the port of a device as one of a direct child of the root, adding exports on the way."""

    build: _Build
    types: Types
    children: dict[str, Child] = field(factory=dict)
    """The children of the root."""

    def __attrs_post_init__(self) -> None:
        root = list(self.build.assemblies.values())[-1]
        self.children = {child.name: child for child in root.children}

    def end(self, path: Iterable[Place], device: str, port: str) -> tuple[str, Index, str, Index]:
        """Child of the root with its subscripts, port of that child with its subscripts."""
        (child, at), *inner = path
        array, port_at = self.types.place(device, port)
        shape = self.types.devices[device].by_name[array].shape
        name, subscripts = array, port_at
        key = self.children[child].type
        holders = []
        for step, index in inner:
            part = next(c for c in self.build.assemblies[key].children if c.name == step)
            holders.append((key, step, _place(part, index)))
            key = part.type
        for holder, step, index in reversed(holders):
            name = self._export(holder, step, name, shape)
            shape = self._shape_of(holder, name)
            subscripts = (*index, *subscripts)
        return child, _place(self.children[child], at), name, subscripts

    def _shape_of(self, key: str, name: str) -> Index:
        return next(e.shape for e in self.build.assemblies[key].exports if e.name == name)

    def _labels(self, key: str, port: str) -> tuple[Labels, ...]:
        """Return the labels of a port array of a type."""
        if key in self.types.devices:
            return groups_of(self.types.devices[key].by_name[port])
        return groups_of(next(e for e in self.build.assemblies[key].exports if e.name == port))

    def _export(self, key: str, child: str, port: str, shape: Index) -> str:
        """Return the export of a port array of a child, made where it is missing."""
        of = self.build.assemblies[key]
        name = f"{child}_{port}"
        if all(export.name != name for export in of.exports):
            array = next(c for c in of.children if c.name == child)
            axes = tuple(Axis(f"_{n}", 0, size - 1) for n, size in enumerate((*array.shape, *shape)))
            names = [Var(axis.name) for axis in axes]
            rank = len(array.shape)
            ref = PortRef(child, tuple(names[:rank]), port, tuple(names[rank:]))
            labels = (*groups_of(array), *self._labels(array.type, port))
            export = Export(name, axes, ref, labels=labels if any(each.absent for each in labels) else ())
            exports = tuple(sorted((*of.exports, export), key=lambda e: e.name))
            self.build.assemblies[key] = evolve(of, exports=exports)
        return name
