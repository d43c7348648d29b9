"""A machine as questions see it: the fabric, its network, and the symmetries that its arrays suggest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array
from unifiedbus_dsl.graph.from_fabric import cable_ends, cable_kinds, from_fabric, merge_by_link_and_width
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.symmetry import Symmetry, arrays_of, find_symmetry, trivial_symmetry
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.deadline import Deadline, RunBudget
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork

if TYPE_CHECKING:
    from unifiedbus_dsl.solver.bisection.after_outage import Outage
    from unifiedbus_dsl.solver.bisection.bisection import Bisection, Known


@frozen(eq=False, slots=False)
class NetworkContext:
    """A fabric with what is derived from it, each when first asked for.

    `network` and `symmetry` are for rates and hops: cables that differ in length only are alike in them, and their
    latencies are NaN. `timed_network` and `timed_symmetry` know every length. Vertices and end points have the same
    numbers in both. Without `symmetric` every end point is its own orbit: the same numbers, at the cost of the whole
    machine.

    A damaged machine (see `damaged`) has the same fabric and the same numbers: `lost` devices [D] stand in its network
    without a cable, and `health` [cables] is the part of its capacity that each cable has left.

    `budget_s`: seconds that each optimised throughput, bisection and least time may take; what is not solved by then is
    an interval. `run`: what all queries of a run may take together.
    """

    fabric: Fabric
    symmetric: bool = True
    lost: Bools | None = field(default=None, repr=False)
    _health: Floats | Callable[[], Floats] | None = field(default=None, repr=False, alias="health")
    budget_s: float | None = None
    whole: NetworkContext | None = field(default=None, repr=False)
    """What a damaged machine was before anything failed."""
    run: RunBudget | None = field(default=None, repr=False)
    by_plan: bool = True
    """Whether the plan is asked before the fabric; without `symmetric` it never is."""
    lost_parts: tuple[tuple[int, int], ...] | None = ()
    """The first and one past the last device of each part that is lost; None where that is not all that has failed."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing has failed."""
        return self._health is None

    @property
    def health(self) -> Floats | None:
        """The part of its capacity that each cable has left, [cables], worked out when it is asked for; None where
        nothing has failed."""
        if callable(self._health):
            vars(self)["_health"] = self._health()
        _health = self._health
        assert not callable(_health)
        return _health

    @property
    def time_limit(self) -> float | None:
        """Return the seconds that the next optimum may take, None for ever."""
        return self.budget_s if self.run is None else self.run.share

    def damaged(
        self,
        lost_devices: ArrayLike = (),
        lost_cables: ArrayLike = (),
        degraded: tuple[ArrayLike, float] | None = None,
        parts: Iterable[tuple[int, int]] | None = None,
    ) -> NetworkContext:
        """Return the same machine without these devices and cables, and with `degraded` cables at a part of their
        capacity; on top of what it lacks already. `parts` are the ranges of devices that are all that is lost, if one
        knows."""
        fabric = self.fabric
        lost = np.zeros(fabric.device_count, dtype=bool) if self.lost is None else self.lost.copy()
        lost[np.asarray(lost_devices, dtype=np.int64)] = True

        def left() -> Floats:
            health = self.cable_health.copy()
            health[np.asarray(lost_cables, dtype=np.int64)] = 0.0
            health[lost[fabric.a_device] | lost[fabric.b_device]] = 0.0
            if degraded is not None:
                cables, factor = degraded
                health[np.asarray(cables, dtype=np.int64)] *= factor
            return frozen_array(health)

        told = None if parts is None or self.lost_parts is None else (*self.lost_parts, *parts)
        return evolve(self, lost=frozen_array(lost), health=left, whole=self.whole or self, lost_parts=told)

    def plane(self, links: Iterable[int]) -> NetworkContext:
        """Return the same machine with the cables of some links of its plan only, given by number; made once."""
        chosen = tuple(sorted(set(links)))
        if chosen not in self._planes:
            fabric = self.fabric
            apart = ~np.isin(fabric.kinds.link, chosen)
            alone = self.damaged(lost_cables=np.flatnonzero(apart[fabric.kind]))
            self._planes[chosen] = evolve(alone, whole=self.whole and self.whole.plane(chosen))
        return self._planes[chosen]

    @cached_property
    def plan_network(self) -> PlanNetwork | None:
        """The network by orbits of the plan; None where the plan is not asked, or does not show its symmetries."""
        told = self.lost_parts is not None and (self.whole is not None or self.is_whole)
        if self.lost_parts is None or not (self.by_plan and self.symmetric and told):
            return None
        try:
            network = PlanNetwork.of(self.fabric.plan)
            network = network.without(self.lost_parts) if self.lost_parts else network
            assert network.base is not None
        except NotProvedError:
            return None
        return network

    @cached_property
    def _planes(self) -> dict[tuple[int, ...], NetworkContext]:
        return {}

    def bisection(self, ends: Ints, before: Ints | None = None, budget: float | None = None) -> Bisection:
        """Return the bisection of some end points, worked out once, in `budget` seconds (default: the time limit).
        Where `before` are these end points and those that are lost, it is bounded by that of the whole machine (see
        `outage`).

        Raises:
            NotAdmittedError: fewer than two end points.
        """
        key = ends.tobytes()
        if key not in self._bisections:
            from unifiedbus_dsl.solver.bisection.bisection import bisection

            deadline = Deadline.of(self.time_limit if budget is None else budget)
            known = None if before is None else self._known(ends, before, deadline)
            self._bisections[key] = bisection(self.symmetry, ends, budget=deadline.left, known=known)
        return self._bisections[key]

    @cached_property
    def _bisections(self) -> dict[bytes, Bisection]:
        return {}

    def outage(self, ends: Ints, before: Ints) -> Outage | None:
        """Return what has failed of the whole machine as the bisection of its end points `before` sees it, of which
        `ends` are left; None where nothing has, or the others are not lost."""
        gone = np.setdiff1d(before, ends)
        if self.whole is None or not np.isin(ends, before).all() or not np.isin(gone, self.lost_ends).all():
            return None
        from unifiedbus_dsl.solver.bisection.after_outage import Outage

        return Outage(self.fabric, self.whole.health, self.health, self.network, before, gone)

    def _known(self, ends: Ints, before: Ints, deadline: Deadline) -> Known | None:
        """Return what the whole machine says of what is left, for half of the time; None where it says nothing."""
        outage = self.outage(ends, before)
        if outage is None or self.whole is None:
            return None
        return outage.known(self.whole.bisection(before, budget=deadline.left and deadline.left / 2))

    @property
    def lost_devices(self) -> Bools:
        """`lost`, of a whole machine too, [D]."""
        return np.zeros(self.fabric.device_count, dtype=bool) if self.lost is None else self.lost

    @property
    def cable_health(self) -> Floats:
        """`health`, of a whole machine too, [cables]."""
        return np.ones(self.fabric.cable_count) if self.health is None else self.health

    @cached_property
    def timed_network(self) -> Network:
        return from_fabric(self.fabric, health=self.health)

    @cached_property
    def one_length(self) -> bool:
        """Whether cables of one link and width are of one length, so that both networks are the same."""
        return len(merge_by_link_and_width(self.fabric)[0]) == len(self.fabric.kinds.link)

    @cached_property
    def network(self) -> Network:
        if self.one_length:
            return self.timed_network
        return from_fabric(self.fabric, timed=False, health=self.health)

    def cable_arcs(self) -> tuple[Ints, Ints]:
        """Return the arcs of each cable in `network`, from its end a to its end b and back, [cables] each; -1 for a
        cable that is lost, or from a vertex to itself."""
        network = self.network
        a, b = (side.astype(np.int64) for side in cable_ends(self.fabric))
        kind, kinds = cable_kinds(self.fabric, timed=self.one_length, health=self.health)
        many = len(kinds.link)
        key = (network.tail.astype(np.int64) * network.vertices + network.head) * many + network.kind
        none = (a == b) | (self.cable_health <= 0)
        forth = np.searchsorted(key, (a * network.vertices + b) * many + kind)
        back = np.searchsorted(
            key, (network.turn(b).astype(np.int64) * network.vertices + network.turn(a)) * many + kind
        )
        return np.where(none, -1, forth), np.where(none, -1, back)

    @cached_property
    def timed_symmetry(self) -> Symmetry:
        return self._symmetry(self.timed_network)

    @cached_property
    def symmetry(self) -> Symmetry:
        return self.timed_symmetry if self.one_length else self._symmetry(self.network)

    @property
    def orbits(self) -> tuple[int, int] | None:
        """How many orbits of vertices and of arcs the symmetries leave that were found; None where none were looked
        for."""
        if "symmetry" in vars(self):
            return self.symmetry.vertex_orbits, self.symmetry.arc_orbits
        network = vars(self).get("plan_network")
        return None if network is None else (network.base.nodes, len(network.orbit_cables))

    def _symmetry(self, network: Network) -> Symmetry:
        arrays = arrays_of(self.fabric.plan)
        if not self.symmetric:
            return trivial_symmetry(network, arrays)
        colour = None if self.lost is None else np.repeat(self.lost, np.diff(network.device_start))
        return find_symmetry(network, arrays, colour)

    @cached_property
    def end_of_device(self) -> Ints:
        """End point of each device, -1 for switches, [D]."""
        end = np.full(self.fabric.device_count, -1, dtype=np.int64)
        end[self.network.end_device] = np.arange(self.network.ends)
        return frozen_array(end)

    def ends(self, devices: Ints) -> Ints:
        """Return the end points among these devices, in their order; switches are left out."""
        ends = self.end_of_device[devices]
        return ends[ends >= 0]

    @cached_property
    def lost_ends(self) -> Ints:
        """End points that are lost."""
        return self.ends(np.flatnonzero(self.lost_devices))
