"""Parts that do the same: of one kind, as far from the end points, with neighbours that do the same.

A role is wider than a class of an equitable partition on purpose: a missing or swapped cable, and the end of a row,
leave a part in its role.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from unifiedbus_dsl.importer.lift.machine import Ints, Machine, array_numbers

FEW_LENGTHS = 8
"""Lengths up to which parts are told apart by them."""
RARE = 0.2
"""Of the parts of a kind and tier, those that fewer than this share are alike in are taken for damaged ones."""


def islands_of(machine: Machine) -> Ints:
    """Return the number of the connected component of each part, [P]."""
    graph = csr_matrix((np.ones(len(machine.a)), (machine.a, machine.b)), shape=(machine.parts, machine.parts))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def tiers_of(machine: Machine) -> Ints:
    """Return the hops of each part from the nearest end point, [P]; -1 where there is none."""
    switch = np.asarray([kind.noun == "switch" for kind in machine.kinds])[machine.kind]
    tier = np.where(switch, -1, 0)
    level = 0
    while (tier < 0).any():
        near = np.zeros(machine.parts, dtype=bool)
        near[machine.b[tier[machine.a] == level]] = True
        near[machine.a[tier[machine.b] == level]] = True
        fresh = near & (tier < 0)
        if not fresh.any():
            break
        level += 1
        tier[fresh] = level
    return tier


def roles_of(machine: Machine) -> list[Ints]:
    """Return the role of each part, [P], numbered from the end points outward: by what its ports lead to; by its kind
    and tier alone; and by the lengths of its cables, too, each where it is another than those before."""
    tier = tiers_of(machine)
    kinds = _numbered(list(zip(np.where(tier < 0, 1 << 30, tier).tolist(), machine.kind.tolist(), strict=True)))
    none = np.zeros(len(machine.length), dtype=np.int64)
    known, length = np.unique(np.nan_to_num(machine.length, nan=-1.0), return_inverse=True)
    ways = [_refined(machine, kinds, none), kinds]
    if len(known) <= FEW_LENGTHS:
        ways.append(_refined(machine, kinds, length.ravel()))
    sizes = [int(way.max(initial=0)) for way in ways]
    return [way for n, way in enumerate(ways) if sizes[n] not in sizes[:n]]


def _refined(machine: Machine, role: Ints, sort: Ints) -> Ints:
    """Return roles told apart by what their ports lead to, and that twice; `sort` are sorts of cables."""
    for _ in range(2):
        finer = _told_apart(machine, role, sort)
        if finer.max(initial=0) == role.max(initial=0):
            break
        role = finer
    return role


def _told_apart(machine: Machine, role: Ints, sort: Ints) -> Ints:
    """Roles told apart by what their ports lead to; rare kinds of neighbourhood are those of most."""
    array = array_numbers(machine)
    seen: dict[int, set[tuple[int, ...]]] = defaultdict(set)
    one, two = (machine.a, machine.a_port), (machine.b, machine.b_port)
    for (near, port), (far, far_port) in ((one, two), (two, one)):
        arrays = array[machine.kind[near], port], array[machine.kind[far], far_port]
        code = np.unique(np.stack([near, arrays[0], role[far], arrays[1], sort]), axis=1)
        for part, *rest in code.T.tolist():
            seen[part].add(tuple(rest))
    key = [(own, frozenset(seen[part])) for part, own in enumerate(role.tolist())]
    count, size = Counter(key), Counter(role.tolist())
    usual: dict[int, frozenset[tuple[int, ...]]] = {}
    for (own, around), _ in count.most_common():
        usual.setdefault(own, around)
    kept = [(k[0], usual[k[0]]) if count[k] < RARE * size[k[0]] and _like(k[1], usual[k[0]]) else k for k in key]
    order = sorted(set(kept), key=lambda k: (k[0], sorted(k[1])))
    number = {k: n for n, k in enumerate(order)}
    return np.asarray([number[k] for k in kept], dtype=np.int64)


def _like(one: frozenset[tuple[int, ...]], two: frozenset[tuple[int, ...]]) -> bool:
    """Return whether two neighbourhoods have half of what is in either in common."""
    return 2 * len(one & two) >= len(one | two)


def _numbered(keys: list[tuple[int, int]]) -> Ints:
    number = {key: n for n, key in enumerate(sorted(set(keys)))}
    return np.asarray([number[key] for key in keys], dtype=np.int64)
