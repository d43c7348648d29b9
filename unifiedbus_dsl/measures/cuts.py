"""What gets through: between tiers, in two halves, and through the walls of assemblies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Ints, frozen_array, unique_rows
from unifiedbus_dsl.base.units import NUMBER, RATE
from unifiedbus_dsl.graph.network import Network, connected_components
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.end_points import carriers_of, end_points
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.selection_synthesis import MOST_PARTS, describe_devices
from unifiedbus_dsl.measures.switch_ratio import switch_oversubscription
from unifiedbus_dsl.measures.wording import between, binding, block_names
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.solver.bounds import BoundedValue
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.tiers import Tiers, band_name
from unifiedbus_dsl.solver.paths.tiers import tiers as bands_of
from unifiedbus_dsl.solver.resilience.oversubscription import Oversubscription
from unifiedbus_dsl.solver.resilience.oversubscription import oversubscription as walls_of
from unifiedbus_dsl.verify import Certificate
from unifiedbus_dsl.verify.bisection import BisectionCertificate, Cut
from unifiedbus_dsl.verify.tiers import TiersCertificate
from unifiedbus_dsl.verify.walls import Layer, WallsCertificate
from unifiedbus_dsl.vocabulary import attributes

if TYPE_CHECKING:
    from unifiedbus_dsl.solver.bisection.bisection import Bisection


def bisection(call: MeasureCall) -> Certified[Answer]:
    """Return the capacity, which cables the cut goes through, and one of its sides by name where it has one."""
    machine = call.machine
    ends, before, bounds = halved(call)
    devices = machine.network.end_device
    skipped = call.selector.spare | call.selector.lost
    half = describe_devices(machine.fabric, np.sort(devices[bounds.side]), skipped)
    rest = ends[~bounds.side[ends]]
    half = (
        half
        if len(half) == 1
        else min(half, describe_devices(machine.fabric, np.sort(devices[rest]), skipped), key=fewest_first)
    )
    answer = bisection_answer(call, bounds.capacity, half, binding(machine, bounds.cut))
    outage = None if before is None else machine.outage(ends, before)
    if outage is not None and machine.whole is not None and before is not None:
        answer = evolve(answer, of_base=outage.share(machine.whole.bisection(before)))
    return Certified(answer, certify_bisection(machine.network, ends, bounds))


def bisection_answer(
    call: MeasureCall, capacity: BoundedValue, half: tuple[str, ...], cables: tuple[str, ...]
) -> Answer:
    """Return the capacity of a bisection, with a half by name where it has one, and the cables that it goes through."""
    answer = call.number(capacity, RATE, assumptions=("capacity one way, after protocol efficiency",))
    if half:
        answer = evolve(answer, detail={"half": list(half)}, lines=(f"one half is {' | '.join(half)}",))
    return evolve(answer, binding=cables, binds="the cut goes through")


def halved(call: MeasureCall) -> tuple[Ints, Ints | None, Bisection]:
    """Return the end points that a call is about, those that it would be about if nothing had failed (None: nothing
    has), and their bisection."""
    machine, node = call.machine, call.one()
    ends, before = call.ends(node), None
    if machine.whole is not None:
        selector = evolve(call.selector, lost=machine.whole.lost_devices)
        before = evolve(call, machine=machine.whole, selector=selector).ends(node)
    return ends, before, machine.bisection(ends, before)


def certify_bisection(network: Network, ends: Ints, found: Bisection) -> Certificate:
    """Return what shows both bounds of a bisection."""
    return BisectionCertificate(network.selected(ends), Cut(found.vertex_side), found.proof)


def fewest_first(names: tuple[str, ...]) -> int:
    """Few names before many, any before none."""
    return len(names) or MOST_PARTS + 1


def tiers(call: MeasureCall) -> Certified[Answer]:
    """Return how many tiers there are, and what the cables between them carry."""
    ends = call.ends(call.one())
    network, links = call.machine.network, list(call.machine.fabric.plan.links)
    tier_bands = bands_of(network, ends)
    link = network.kinds.link[network.kind]
    bands = [
        Band(
            int(tier_bands.low[band]),
            int(tier_bands.high[band]),
            int(tier_bands.cables[band]),
            float(tier_bands.capacity_Bps[band]),
            tuple(links[k] for k in np.unique(link[tier_bands.band == band]).tolist()),
        )
        for band in range(len(tier_bands.low))
    ]
    answer = tiers_answer(call, int(tier_bands.tier.max()) + 1, bands, len(ends))
    return Certified(answer, certify_tiers(network, ends, tier_bands))


@frozen
class Band:
    """The cables between two tiers: how many, what they carry one way, and their links; -1 is where no end point is
    reached."""

    low: int
    high: int
    cables: int
    rate_Bps: float  # noqa: N815
    links: tuple[str, ...]


def tiers_answer(call: MeasureCall, count: int, bands: Iterable[Band], ends: int) -> Answer:
    """Return how many tiers there are, with the bands between them, and the share of each of so many end points."""
    detail: list[dict[str, Any]] = []
    lines: list[str] = []
    for band in bands:
        links = list(band.links)
        name = band_name(band.low, band.high)
        detail.append({"tiers": name, "cables": band.cables, "bandwidth": band.rate_Bps, "links": links})
        each = f"{shown(band.rate_Bps / ends, RATE)} an end point"
        where = between(band.low, band.high)
        lines.append(f"{where}: {shown(band.rate_Bps, RATE)} over {band.cables:,} cables ({', '.join(links)}), {each}")
    return call.exact(
        count,
        NUMBER,
        assumptions=("cables by how far their ends are from the end points", "one way, after protocol efficiency"),
        detail={"bands": detail},
        lines=tuple(lines),
    )


def certify_tiers(network: Network, ends: Ints, found: Tiers) -> Certificate:
    """Return what shows tiers and what the cables between them carry."""
    return TiersCertificate(network.selected(ends), found.tier, found.low, found.high, found.cables, found.capacity_Bps)


def oversubscription(call: MeasureCall) -> Certified[Answer]:
    """Return the worst of the walls, with what is offered to it and its width; each plane of it where it has several.
    Of switches the worst of down : up."""
    asked = call.selector.blocks(call.one())
    if asked is not None and asked.noun == "switch" and len(asked.start):
        return switch_oversubscription(call, asked, _senders(call))
    blocks, walls, names = boundary_capacity(call)
    many = np.ones(len(walls.ratio), dtype=np.int64)
    answer = walls_answer(call, walls, many, names, lambda number: _name(call.machine, blocks, number))
    return Certified(answer, certify_walls(call, blocks, walls, finite=True))


def walls_answer(
    call: MeasureCall, walls: Oversubscription, many: Ints, names: tuple[str, ...], name: Callable[[int], str]
) -> Answer:
    """Return the worst of some walls, of which each stands for so `many`; `names` are those of the planes, `name` says
    what an assembly is called."""
    finite = np.isfinite(walls.ratio)
    worst = int(np.argmax(np.where(finite, walls.ratio, -1.0)))
    ratio = float(walls.ratio[worst])
    alike = np.flatnonzero(walls.ratio >= ratio * (1 - 1e-9)) if finite.any() else np.arange(len(walls.ratio))
    alike = alike[finite[alike]] if finite.any() else alike
    where = _and_more(name(worst), int(many[alike].sum()) - 1)
    closed = np.flatnonzero(~finite)
    lines = _by_plane(walls, worst, names)
    if len(closed) and finite.any():
        lines += (f"nothing gets out of {_and_more(name(int(closed[0])), int(many[closed].sum()) - 1)}",)
    return call.exact(
        ratio,
        NUMBER,
        binding=(where,),
        binds="at",
        assumptions=(
            "raw rates that end points inside can send toward the wall, over raw rates through the wall",
            *_plane_said(walls, worst, names),
        ),
        detail={"inside": float(walls.inside_Bps[worst]), "wall": float(walls.wall_Bps[worst])},
        text=f"{ratio:.4g} : 1" if np.isfinite(ratio) else "nothing leaves",
        lines=lines,
    )


def certify_walls(call: MeasureCall, blocks: DeviceRanges, found: Oversubscription, *, finite: bool) -> Certificate:
    """Return what shows the rows of assemblies; with `finite` the answer is the worst of those that something
    leaves."""
    depths = blocks.depth
    layers = [
        Layer(rows, blocks.start[rows], blocks.stop[rows])
        for rows in (np.flatnonzero(depths == depth) for depth in range(int(depths.max()) + 1))
    ]
    members = call.machine.network.selected(_senders(call))
    return WallsCertificate(layers, members, found.inside_Bps, found.wall_Bps, found.ratio, finite)


def _senders(call: MeasureCall) -> Ints:
    """Return the end points that send."""
    return call.ends(call.named["from"]) if "from" in call.named else end_points(call.machine)


def _and_more(name: str, more: int) -> str:
    return name + (f" and {more:,} more" if more else "")


def _name(machine: NetworkContext, blocks: DeviceRanges, number: int) -> str:
    """Return the path of one of the instances; those that fill the same place are told apart by their order."""
    same = (blocks.start == blocks.start[number]) & (blocks.stop == blocks.stop[number])
    return block_names(machine, blocks.chosen(same))[number - int(np.flatnonzero(same)[0])]


def _by_plane(found: Oversubscription, worst: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a line where senders reach the wall in several planes."""
    ratios = found.ratios[:, worst]
    used = np.flatnonzero(ratios > 0).tolist()
    if len(used) < 2:
        return ()
    return ("by plane: " + "; ".join(f"{names[plane]} {ratios[plane]:.4g} : 1" for plane in used),)


def _plane_said(found: Oversubscription, worst: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """In which plane the wall is the worst, where the machine has several."""
    if len(names) < 2 or not np.isfinite(found.ratio[worst]):
        return ()
    return (f"of the cables of {names[int(found.plane[worst])]}, the worst plane of that wall",)


def boundary_capacity(call: MeasureCall) -> tuple[DeviceRanges, Oversubscription, tuple[str, ...]]:
    """Return the assemblies that a call is about, a row of each, and the names of the planes."""
    blocks = call.selector.blocks(call.one())
    if blocks is None:
        raise RefusedError
    if blocks.noun not in attributes.KINDS_OF_ASSEMBLY:
        raise call.refuse(
            call.one(), "assemblies or switches are wanted: only they have a wall", "such as `all rack`", "UB0709"
        )
    if not len(blocks.start):
        call.selector.nothing(call.one())
        raise RefusedError
    machine = call.machine
    network, plan = machine.network, machine.fabric.plan
    members = _senders(call)
    carriers = np.flatnonzero(carriers_of(machine))
    planes, names = planes_of(network, plan)
    device = np.repeat(np.arange(len(network.device_start) - 1), np.diff(network.device_start))
    rows: list[Oversubscription] = []
    depths = blocks.depth
    for depth in range(int(depths.max()) + 1):
        home = blocks.chosen(depths == depth).home(device)
        rows.append(walls_of(network, home, members, carriers, planes, int((depths == depth).sum())))
    return blocks, _in_order(rows, depths), names


def _in_order(rows: list[Oversubscription], depths: Ints) -> Oversubscription:
    """Return the rows of all depths in the order of the assemblies."""
    place = np.argsort(np.argsort(depths, kind="stable"), kind="stable")
    columns = {
        name: frozen_array(np.concatenate([getattr(row, name) for row in rows], axis=-1)[..., place])
        for name in ("inside_Bps", "wall_Bps", "ratio", "plane", "ratios")
    }
    return Oversubscription(**columns)


def planes_of(network: Network, plan: Plan) -> tuple[Ints, tuple[str, ...]]:
    """Return the plane of each kind of arc ([K]), and the names of the planes: networks of different protocols are
    planes, but where a switch has cables of both."""
    switch = np.flatnonzero(network.end[network.tail] < 0)
    return planes_by_switch(plan, network.kinds.link, network.tail[switch], network.kind[switch])


def planes_by_switch(
    plan: Plan, link_of_kind: Ints, vertex: NDArray[np.integer], kind: NDArray[np.integer]
) -> tuple[Ints, tuple[str, ...]]:
    """Return the plane of each kind of arc, whose link is given by number ([K]), and the names of the planes; `vertex`
    and `kind` are those of the arcs that lead out of switches."""
    protocols = list(plan.protocols)
    of_kind = np.array([protocols.index(plan.links[link].protocol) for link in plan.links], dtype=np.int64)
    of_kind = of_kind[link_of_kind]
    meets = unique_rows(vertex.astype(np.int64) * len(protocols) + of_kind[kind])
    vertex, protocol = np.divmod(meets, len(protocols))
    same = np.flatnonzero(vertex[1:] == vertex[:-1])
    group = connected_components(len(protocols), protocol[same], protocol[same + 1])
    linked = {link.protocol for link in plan.links.values()}
    planes: dict[int, list[str]] = {}
    for name, of in zip(protocols, group.tolist(), strict=True):
        if name in linked:
            planes.setdefault(of, []).append(name)
    number = np.full(len(protocols), -1, dtype=np.int64)
    number[list(planes)] = np.arange(len(planes))
    return number[group[of_kind]], tuple(" and ".join(names) for names in planes.values())
