"""A switch's own oversubscription: what its cables down carry, over what its cables up carry."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ids, Ints, bincount
from unifiedbus_dsl.base.units import NUMBER, RATE
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.paths.tiers import levels
from unifiedbus_dsl.verify.switches import UpDownCertificate

SAME_WITHIN = 1e-9


@frozen(eq=False)
class UpDown:
    """Of each switch by its vertex what its cables to lower tiers carry one way, those to higher ones, and those to its
    own tier; byte/s."""

    vertex: Ints
    tier: Ids
    down_Bps: Floats  # noqa: N815
    up_Bps: Floats  # noqa: N815
    beside_Bps: Floats  # noqa: N815


def switch_oversubscription(call: MeasureCall, blocks: DeviceRanges, members: Ints) -> Certified[Answer]:
    """Return the worst of down : up among the switches that have cables up.

    Raises:
        NotAdmittedError: none of them has.
    """
    machine = call.machine
    network = machine.network
    up_down = up_and_down(network, network.device_start[np.unique(blocks.start)], levels(network, members))
    climbs = up_down.up_Bps > 0
    if not climbs.any():
        raise NotAdmittedError("none of these switches has a cable to a higher tier")
    ratio = np.divide(up_down.down_Bps, up_down.up_Bps, out=np.full(len(climbs), -1.0), where=climbs)
    worst = int(np.argmax(ratio))
    alike = np.flatnonzero(ratio >= ratio[worst] * (1 - SAME_WITHIN))
    device = int(np.searchsorted(network.device_start, up_down.vertex[worst], side="right")) - 1
    name = machine.fabric.device_name(device) + (f" and {len(alike) - 1:,} more" if len(alike) > 1 else "")
    down, up, beside = (float(v[worst]) for v in (up_down.down_Bps, up_down.up_Bps, up_down.beside_Bps))
    lines = [
        f"down {shown(down, RATE)}, up {shown(up, RATE)}"
        + (f", within its tier {shown(beside, RATE)}" if beside else "")
    ]
    if not climbs.all():
        top = int((~climbs).sum())
        lines.append(f"{top:,} of the switches {'has' if top == 1 else 'have'} no cable to a higher tier")
    answer = call.exact(
        float(ratio[worst]),
        NUMBER,
        binding=(name,),
        binds="at",
        assumptions=("capacity of the cables down over that of the cables up, tiers by distance from the end points",),
        detail={"down": down, "up": up, "switches": int(climbs.sum())},
        text=f"{ratio[worst]:.4g} : 1",
        lines=tuple(lines),
    )
    return Certified(answer, UpDownCertificate(network.selected(members), up_down.tier, up_down.vertex))


def up_and_down(network: Network, vertices: Ints, tier: Ids) -> UpDown:
    """Return what the cables of some switches carry to lower, higher and their own tiers."""
    of_tail, of_head = tier[network.tail], tier[network.head]

    def carried(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
        return bincount(network.tail, np.where(mask, network.capacity_Bps, 0.0), network.vertices)[vertices]

    return UpDown(vertices, tier, carried(of_head < of_tail), carried(of_head > of_tail), carried(of_head == of_tail))
