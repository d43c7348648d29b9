"""Measures of parts: bisection, oversubscription, tiers."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.analysis.api.asking import asked, or_all_ends
from unifiedbus_dsl.analysis.api.columns import over_devices
from unifiedbus_dsl.graph.from_fabric import cable_ends
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures import cuts
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.results import (
    BisectionResult,
    OversubscriptionResult,
    TierCapacity,
    read_only,
)
from unifiedbus_dsl.measures.wording import block_names
from unifiedbus_dsl.solver.paths import tiers as bands


def bisection(fabric: Fabric, ends: str = "") -> BisectionResult:
    """Return the least capacity, one way, of a cut that halves the end points: both proved bounds, and a cut.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        ends: a selection of end points; default: all.

    Raises:
        QuestionError: the selection is wrong, or has fewer than two end points.
    """

    def answer(call: MeasureCall) -> Certified[BisectionResult]:
        machine = call.machine
        ends, _, bounds = cuts.halved(call)
        a, b = cable_ends(fabric)
        half = over_devices(machine, bounds.side.astype(np.float64)) > 0
        answer = BisectionResult(
            fabric, bounds.capacity, read_only(half), read_only(bounds.vertex_side[a] != bounds.vertex_side[b])
        )
        return Certified(answer, cuts.certify_bisection(machine.network, ends, bounds))

    return asked(fabric, "bisection", or_all_ends(fabric, ends), answer)


def oversubscription(fabric: Fabric, assemblies: str, ends: str = "") -> OversubscriptionResult:
    """Return of each assembly what the end points inside can inject over what gets through its wall.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        assemblies: a selection of assemblies, `all rack`.
        ends: the end points that count; default: all.

    Raises:
        QuestionError: a selection is wrong.
    """

    def answer(call: MeasureCall) -> Certified[OversubscriptionResult]:
        blocks, walls, _ = cuts.boundary_capacity(call)
        names = tuple(block_names(call.machine, blocks))
        answer = OversubscriptionResult(names, walls.inside_Bps, walls.wall_Bps, walls.ratio)
        return Certified(answer, cuts.certify_walls(call, blocks, walls, finite=False))

    return asked(fabric, "oversubscription", assemblies, answer, from_=or_all_ends(fabric, ends))


def tiers(fabric: Fabric, ends: str = "") -> TierCapacity:
    """Return the cables by how far their ends are from the end points.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        ends: a selection of end points; default: all.

    Raises:
        QuestionError: the selection is wrong.
    """

    def answer(call: MeasureCall) -> Certified[TierCapacity]:
        network = call.machine.network
        ends = call.ends(call.one())
        bands_found = bands.tiers(network, ends)
        apart = np.iinfo(np.int32).max
        min_tier = np.minimum.reduceat(
            np.where(bands_found.tier < 0, apart, bands_found.tier), network.device_start[:-1]
        )
        tier = np.where(min_tier == apart, -1, min_tier).astype(np.int64)
        bands_of = TierCapacity(tuple(bands_found.names), bands_found.cables, bands_found.capacity_Bps, read_only(tier))
        return Certified(bands_of, cuts.certify_tiers(call.machine.network, ends, bands_found))

    return asked(fabric, "tiers", or_all_ends(fabric, ends), answer)
