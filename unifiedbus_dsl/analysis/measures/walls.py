"""What gets through: between tiers, in two halves, and through the walls of assemblies."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve

from unifiedbus_dsl import schema
from unifiedbus_dsl.analysis.answers import Answer, shown
from unifiedbus_dsl.analysis.call import Call, Refused
from unifiedbus_dsl.analysis.folded import MOST_PARTS, named
from unifiedbus_dsl.analysis.wording import between, binding, block_name
from unifiedbus_dsl.selections import Blocks
from unifiedbus_dsl.solver.bisection import bisection as halved
from unifiedbus_dsl.solver.oversubscription import Oversubscription
from unifiedbus_dsl.solver.oversubscription import oversubscription as walls_of
from unifiedbus_dsl.solver.tiers import tiers as bands_of
from unifiedbus_dsl.units import NUMBER, RATE


def bisection(call: Call) -> Answer:
    """The capacity, which cables the cut goes through, and one of its sides by name where it has one."""
    machine, ends = call.machine, call.ends(call.one())
    found = halved(machine.symmetry, ends, budget=machine.budget_s)
    answer = call.number(found.capacity, RATE, assumptions=("capacity one way, after protocol efficiency",))
    devices = machine.network.end_device
    skipped = call.selector.spare | call.selector.lost
    half = named(machine.fabric, np.sort(devices[found.side]), skipped)
    rest = ends[~found.side[ends]]
    half = half if len(half) == 1 else min(half, named(machine.fabric, np.sort(devices[rest]), skipped), key=_few)
    if half:
        lines = (f"one half is {' and '.join(half)}",)
        answer = evolve(answer, detail={"half": list(half)}, lines=lines)
    return evolve(answer, binding=binding(machine, found.cut), binds="the cut goes through")


def _few(names: tuple[str, ...]) -> int:
    """Few names before many, any before none."""
    return len(names) or MOST_PARTS + 1


def tiers(call: Call) -> Answer:
    """How many tiers there are, and what the cables between them carry."""
    ends = call.ends(call.one())
    network, links = call.machine.network, list(call.machine.fabric.plan.links)
    found = bands_of(network, ends)
    link = network.kinds.link[network.kind]
    bands: list[dict[str, Any]] = []
    lines: list[str] = []
    for band, name in enumerate(found.names):
        used = [links[k] for k in np.unique(link[found.band == band]).tolist()]
        rate, cables = float(found.capacity_Bps[band]), int(found.cables[band])
        bands.append({"tiers": name, "cables": cables, "bandwidth": rate, "links": used})
        each = f"{shown(rate / len(ends), RATE)} an end point"
        where = between(int(found.low[band]), int(found.high[band]))
        lines.append(f"{where}: {shown(rate, RATE)} over {cables:,} cables ({', '.join(used)}), {each}")
    return call.exact(
        int(found.tier.max()) + 1,
        NUMBER,
        assumptions=("cables by how far their ends are from the end points", "one way, after protocol efficiency"),
        detail={"bands": bands},
        lines=tuple(lines),
    )


def oversubscription(call: Call) -> Answer:
    blocks, found = of_blocks(call)
    worst = int(np.argmax(np.where(np.isfinite(found.ratio), found.ratio, -1.0)))
    ratio = float(found.ratio[worst])
    alike = int((found.ratio >= ratio * (1 - 1e-9)).sum())
    where = block_name(call.machine, int(blocks.start[worst]), blocks.noun)
    where += f" and {alike - 1:,} more" if alike > 1 else ""
    detail = {"inside": float(found.inside_Bps[worst]), "wall": float(found.wall_Bps[worst])}
    said = ("raw rates that end points inside can inject, over raw rates through the wall",)
    text = f"{ratio:.4g} : 1" if np.isfinite(ratio) else "nothing leaves"
    return call.exact(ratio, NUMBER, binding=(where,), binds="at", assumptions=said, detail=detail, text=text)


def of_blocks(call: Call) -> tuple[Blocks, Oversubscription]:
    """The assemblies that a call is about, and a row of each."""
    blocks = call.selector.blocks(call.one())
    if blocks is None:
        raise Refused
    if blocks.noun not in schema.KINDS_OF_ASSEMBLY:
        raise call.refuse(call.one(), "assemblies are wanted: only they have a wall", "such as `all rack`")
    members = call.ends(call.named["from"]) if "from" in call.named else None
    network = call.machine.network
    device = np.repeat(np.arange(len(network.device_start) - 1), np.diff(network.device_start))
    return blocks, walls_of(network, blocks.home(device), members)
