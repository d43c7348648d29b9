"""The part of a machine that traffic among some end points can use, where the rest is known to carry none of it.

Let the devices up to some number be kept, and the others cut off. A path between kept end points that leaves them goes
from a vertex b at the cut through at least one cut-off vertex to another, c, in d(s, b) + 2 + d(c, t) hops at least.
Where all distances between vertices at the cut and end points differ by less than two, that is more than d(s, b) +
d(b, t), so no shortest path leaves, and traffic on shortest paths takes as long on the part as on the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.graph.from_fabric import arc_kinds
from unifiedbus_dsl.graph.network import Network, cut_devices
from unifiedbus_dsl.graph.symmetry import Array, Symmetry, arrays_of, find_symmetry
from unifiedbus_dsl.measures.registry import schedules
from unifiedbus_dsl.solver.bounds import NoPathError
from unifiedbus_dsl.solver.collectives.block_decomposition import BlockDecomposition, inside
from unifiedbus_dsl.solver.collectives.completion_time import CollectiveTimer
from unifiedbus_dsl.solver.collectives.step_time import StepTiming, relax_latencies
from unifiedbus_dsl.solver.demand import pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.bfs import by_cable, distances, endpoint_hops


@frozen(eq=False, slots=False)
class UsedPart:
    """A network of the first devices of a machine, of which cables of one rate are as slow as the slowest of them:
    parts that differ in lengths alone are alike then, and no latency is less than it is. Holds what was timed on it.

    `arrays` are those of the whole machine, in which end points stand; `within` those among the devices that are kept.
    """

    symmetry: Symmetry
    arrays: Sequence[Array]
    within: Sequence[Array]
    _timers: dict[bytes, CollectiveTimer] = field(factory=dict, init=False, repr=False)
    _shifts: dict[bytes, StepTiming] = field(factory=dict, init=False, repr=False)
    _steps: dict[bytes, StepTiming | NoPathError] = field(factory=dict, init=False, repr=False)

    @property
    def network(self) -> Network:
        return self.symmetry.network

    @cached_property
    def _blocks(self) -> BlockDecomposition:
        return BlockDecomposition(self.symmetry, self.within)

    def timer(self, group: Ints) -> CollectiveTimer:
        """Return the collectives of groups, made once for all layouts that have them."""
        key = group.tobytes()
        if key not in self._timers:
            self._timers[key] = CollectiveTimer(
                self.symmetry, group, arrays=self.arrays, schedules=schedules(), blocks=self._blocks, solved=self._steps
            )
        return self._timers[key]

    def shift(self, source: Ints, target: Ints) -> StepTiming:
        """Return the step in which each source sends to its target."""
        key = source.tobytes() + target.tobytes()
        if key not in self._shifts:
            self._shifts[key] = self._blocks.timing(pairs(source, target), np.inf)
        return self._shifts[key]


def used_part(machine: NetworkContext, ends: Ints) -> UsedPart:
    """Return the part that traffic among some end points of a machine can use, made once."""
    made: dict[tuple[int, ...], UsedPart | None] = vars(machine).setdefault("_workload_parts", {})
    device = machine.network.end_device
    types = np.unique(machine.fabric.device_type[device[ends]])
    stop = _stop(machine, int(device[ends].max()))
    key = stop, *types.tolist()
    if key not in made:
        made[key] = _cut_off(machine, stop, np.isin(machine.fabric.device_type[device], types)) if stop else None
    return made[key] or _whole(machine)


def _stop(machine: NetworkContext, device: int) -> int:
    """Return the device behind the outermost assembly that holds a device; 0 where that leaves little to cut off."""
    fabric, stop = machine.fabric, device + 1
    for key in fabric.plan.bottom_up:
        first, behind = fabric.blocks(key)
        if key != fabric.plan.root and len(first):
            at = int(np.searchsorted(first, device, side="right")) - 1
            if at >= 0 and device < behind[at]:
                stop = max(stop, int(behind[at]))
    return stop if 2 * stop <= fabric.device_count and machine.network.turned is None else 0


def _whole(machine: NetworkContext) -> UsedPart:
    """Return the whole machine as the part that is used, made once."""
    found = vars(machine).get("_workload_whole")
    if found is None:
        arrays = arrays_of(machine.fabric.plan)
        network = relax_latencies(machine.network, arc_kinds(machine.fabric))[0]
        found = vars(machine)["_workload_whole"] = UsedPart(evolve(machine.symmetry, network=network), arrays, arrays)
    assert isinstance(found, UsedPart)
    return found


def _cut_off(machine: NetworkContext, stop: int, chosen: Bools) -> UsedPart | None:
    """Return the part of the devices before `stop`; None where it is not known that no path among the chosen end points
    ([E], all of some types) leaves it."""
    arrays = arrays_of(machine.fabric.plan)
    whole = relax_latencies(machine.network, arc_kinds(machine.fabric))[0]
    network, within = cut_devices(whole, 0, stop), inside(arrays, 0, stop)
    symmetry = find_symmetry(network, within)
    if not _is_never_left(whole, symmetry, chosen[: network.ends]):
        return None
    return UsedPart(symmetry, arrays, within)


def _is_never_left(whole: Network, part: Symmetry, chosen: Bools) -> bool:
    """Return whether all distances between chosen end points and vertices at the cut differ by less than two hops.
    Symmetries keep the types of end points: one vertex of each orbit is like the others."""
    network = part.network
    row = whole.indptr[: network.vertices + 1]
    tail = np.repeat(np.arange(network.vertices), np.diff(row))
    cut = np.unique(tail[whole.head[: int(row[-1])] >= network.vertices])
    _, first = np.unique(part.vertex_orbit[cut], return_index=True)
    weights, far = by_cable(network), []
    for vertex in cut[first].tolist():
        hops = endpoint_hops(network, distances(weights, np.array([vertex])).hops)[chosen]
        far += [int(hops.min()), int(hops.max())]
    return not far or (min(far) >= 0 and max(far) - min(far) < 2)
