"""Which parts of a system cables join, switches too, as a matrix: for machines too dense or too large to draw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.figures.heat import Part, elements, join_parts, one_kind
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.physical import count_whole, first_of_cables, has_cages, one_a_cable
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render.heat import Heat, heat_picture
from unifiedbus_dsl.render.marks import Picture
from unifiedbus_dsl.render.plan_summary import kind_name


def cable_matrix(fabric: Fabric) -> Picture:
    """Return how many cables join each two racks, or parts outside of racks, of a system: on the diagonal those inside
    one. Where there are many they are taken in blocks of neighbours."""
    plan = fabric.plan
    blocks = join_parts(all_parts(plan))
    counts = count_cables(fabric, blocks)
    names = [block[0].name if len(block) == 1 else f"{block[0].name} … {block[-1].name}" for block in blocks]
    kind = one_kind([part for block in blocks for part in block])
    joined = max(len(block) for block in blocks)
    nouns = f"blocks of up to {joined} {kind_name(kind, 2)}" if joined > 1 else kind_name(kind, 2)
    between = count_between(fabric, blocks)
    tiles = [
        (f"{count_whole(fabric) - between:,}", "cables inside one"),
        (f"{between:,}", "cables between two"),
    ]
    values = np.where(counts > 0, counts, np.nan)
    notes = ["an empty cell: no cable joins the two; on the diagonal: cables inside one", f"system {plan.system}"]
    row = f"block of {kind_name(kind, 2)}" if joined > 1 else kind_name(kind, 1)
    heat = Heat(names, values, "cables", f"each row and column is a {row}", "cables that join the two")
    return heat_picture(heat, f"cables between {nouns}", notes, tiles)


def count_cables(fabric: Fabric, blocks: list[list[Part]]) -> Floats:
    """Return how many cables join each two blocks, [P, P], symmetric: a breakout cable joins every two of its ends."""
    size = len(blocks)
    low, high = _blocks_of_links(fabric, blocks)
    codes = low * size + high
    if has_cages(fabric):
        codes = np.unique(first_of_cables(fabric) * size**2 + codes) % size**2
    upper = np.bincount(codes, minlength=size * size).reshape(size, size)
    return np.asarray(upper + np.triu(upper, 1).T, dtype=np.float64)


def count_between(fabric: Fabric, blocks: list[list[Part]]) -> int:
    """Return how many cables leave a block."""
    low, high = _blocks_of_links(fabric, blocks)
    return len(one_a_cable(fabric, np.flatnonzero(low != high)))


def _blocks_of_links(fabric: Fabric, blocks: list[list[Part]]) -> tuple[Ints, Ints]:
    """Return the lower and the higher number of the blocks that each link joins, [C]."""
    block: Ints = np.zeros(fabric.device_count, dtype=np.int64)
    for number, members in enumerate(blocks):
        for each in members:
            block[each.start : each.stop] = number
    ends = block[fabric.a_device], block[fabric.b_device]
    return np.minimum(*ends), np.maximum(*ends)


def all_parts(plan: Plan) -> list[Part]:
    """Return the racks of a system and what stands outside of them, in the order of the devices; of a system
    that is one part what is in that."""
    racks = {key for key in plan.bottom_up if plan.assemblies[key].kind == "rack"}
    around = set[str]()
    for key in plan.bottom_up:
        if any(child.type in racks | around for child in plan.assemblies[key].children):
            around.add(key)
    around -= racks
    found = list(_parts(plan, plan.root, None, 0, around))
    while len(found) == 1 and found[0][1] in plan.assemblies:
        part, key = found[0]
        found = list(_parts(plan, key, part, part.start, around))
    return [part for part, _ in found]


def _parts(plan: Plan, key: str, parent: Part | None, start: int, around: set[str]) -> Iterator[tuple[Part, str]]:
    """Yield the parts of an assembly, each with its type; those that hold racks by what is in them."""
    for child, name, first in elements(plan, key, parent.name if parent else "", start):
        kind = plan.type(child.type).kind
        part = Part(name, kind, first, first + plan.device_count[child.type], parent, child.shape)
        if child.type in around:
            yield from _parts(plan, child.type, part, first, around)
        else:
            yield part, child.type
