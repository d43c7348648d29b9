"""UGAL, universal globally-adaptive load-balanced routing (Singh, 2005; Kim, Dally, Scott and Abts, ISCA 2008): each
packet takes a minimal path, or a Valiant path over a random intermediate, by the queues that it sees on both.

What is modelled is UGAL-G, which sees the queues of all arcs, as a fluid in equilibrium. With u(a) = load / capacity,

    c(a) = 1 + q(u(a))                  a hop, and the packets that wait for the arc (M/D/1: q(u) = u² / (2 (1 - u)))
    M(s, t), V(s, t)                    the expected sums of c on the minimal and on the Valiant paths of a pair
    x(s, t) = 1 where M < V,  0 where M > V,  anything between where M = V             the share of minimal paths

Buffers are finite: beyond the utilisation at which `BUFFER` packets wait, q goes on along its tangent, so that backlog
grows with what is sent too much. A fixed point is a Wardrop equilibrium; c grows with u, so it is the minimum of

    Phi(x) = sum over arcs of capacity · integral from 0 to u of c,    dPhi/dx(s, t) = D(s, t) · (M(s, t) - V(s, t))

which is convex: the loads of all fixed points are the same (Beckmann, 1956), and how far shares are from one is
measured by the relative gap, sum of D (x M + (1 - x) V - min(M, V)) over sum of D (x M + (1 - x) V). The shares are
found by projected quasi-Newton steps from all minimal (L-BFGS-B), which end at a gap of `GAP`; an end before is said.

Loads are neither linear in the demand nor in proportion to it: at low rates everything is minimal.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.base.progress import task
from unifiedbus_dsl.base.units import format_share
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, row_sums
from unifiedbus_dsl.solver.routing.dragonfly import Grouping, keep_groups
from unifiedbus_dsl.solver.routing.ecmp import loads_of_orbits
from unifiedbus_dsl.solver.routing.interface import RoutedNetwork, Routing
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.solver.routing.throughput import Throughput, search_throughput
from unifiedbus_dsl.solver.routing.ugal_choices import Choices, choices_over, choices_over_groups

BUFFER = 32.0
"""Packets that wait for an arc where its buffer is full: an assumption, of the order of the buffers in the papers."""
GAP = 1e-4
"""Relative gap at which shares count as a fixed point."""
MOST_ITERATIONS = 1_000
FULL = float(np.sqrt(BUFFER * (BUFFER + 2)) - BUFFER)
"""The utilisation at which `BUFFER` packets wait: the root of u² = 2 BUFFER (1 - u)."""
SLOPE = FULL * (2 - FULL) / (2 * (1 - FULL) ** 2)
"""The derivative of q there."""


def hop_cost(used: Floats) -> Floats:
    """Return the cost c of arcs by their utilisation."""
    low = np.minimum(used, FULL)
    return np.asarray(1.0 + low**2 / (2 * (1 - low)) + SLOPE * (used - low))


def cost_integral(used: Floats) -> Floats:
    """Return the integral of `hop_cost` from 0."""
    low = np.minimum(used, FULL)
    over = used - low
    return np.asarray(used - low**2 / 4 - low / 2 - np.log1p(-low) / 2 + over * BUFFER + SLOPE * over**2 / 2)


# ---- the fixed point ------------------------------------------------------------------------------------------------


class _ConvergedError(Exception):
    """The shares are a fixed point: ends the iteration."""


@define(eq=False)
class FixedPoint:
    """The equilibrium of a demand times a scale, from the shares of the last one. `shares` [D] of the pairs have the
    least relative `gap` of those that were tried for `scale`, and `loads` are theirs, by orbits of arcs."""

    choices: Choices
    deadline: float = np.inf
    scale: float = 0.0
    shares: Floats = field(init=False)
    loads: Floats = field(init=False)
    gap: float = np.inf
    evaluations: int = 0

    def __attrs_post_init__(self) -> None:
        self.shares = np.ones_like(self.choices.amount)

    @property
    def minimal_share(self) -> float:
        """The part of all that is sent which takes minimal paths."""
        choices = self.choices
        return float(choices.amount @ self.shares) / choices.total

    def solve(self, scale: float) -> None:
        """Find the shares of the demand times a scale."""
        from scipy.optimize import Bounds, minimize

        self.scale, self.gap, self.evaluations = scale, np.inf, 0
        start, unit = self.shares, Bounds(0.0, 1.0)
        with task("balance minimal and Valiant paths") as step:

            def evaluate(shares: Floats) -> tuple[float, Floats]:
                step()
                return self._evaluate(shares)

            try:
                for _ in range(3):  # anew from the best where a line search has failed
                    options = {"maxiter": MOST_ITERATIONS // 3, "maxfun": MOST_ITERATIONS, "ftol": 0.0, "gtol": 0.0}
                    minimize(evaluate, start, jac=True, method="L-BFGS-B", bounds=unit, options=options)
                    start = self.shares
            except _ConvergedError:
                return

    def _evaluate(self, tried: Floats) -> tuple[float, Floats]:
        """Return the potential for what is sent, and its derivative by each share.

        Raises:
            _ConvergedError: these shares are a fixed point, or the time is over.
        """
        self.evaluations += 1
        choices, group = self.choices, self.choices.group
        shares = np.clip(tried, 0.0, 1.0)
        straight = choices.amount * shares
        loads = choices.legs.loads(straight, choices.amount - straight)
        orbit_capacity = group.arc_orbit_capacity_Bps * group.arc_orbit_size
        used = self.scale * loads / orbit_capacity
        minimal, around = choices.legs.costs(hop_cost(used))
        weight = choices.amount / choices.total
        paid = float(weight @ (shares * minimal + (1 - shares) * around))
        gap = 1 - float(weight @ np.minimum(minimal, around)) / paid
        if gap < self.gap:
            self.gap, self.shares, self.loads = gap, shares, loads
        if self.gap <= GAP or monotonic() > self.deadline:
            raise _ConvergedError
        value = float((orbit_capacity * cost_integral(used)).sum()) / (self.scale * choices.total)
        return value, weight * (minimal - around)


# ---- the routing ----------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Ugal(Routing):
    """UGAL-G with Valiant paths `via` end points that take part, switches, or groups, which `groups` gives for a
    network. Minimal paths are all of fewest cables, or over groups those of fewest global cables."""

    via: str
    groups: Callable[[Network], Grouping]

    linear: ClassVar[bool] = False
    proportional: ClassVar[bool] = False

    @property
    def relays(self) -> bool:
        return self.via == "end"

    def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
        return self._loads_at(self._fixed_point(machine, demand), 1.0)

    def throughput(self, machine: RoutedNetwork, demand: Demand) -> Throughput:
        point = self._fixed_point(machine, demand)
        return search_throughput(lambda scale: self._loads_at(point, scale), machine.network, demand)

    def invariant_symmetries(self, symmetry: Symmetry) -> Symmetry:
        if self.via != "group":
            return symmetry
        network = symmetry.network
        return keep_groups(symmetry, self.groups(network).of_vertices(network))

    def _fixed_point(self, machine: RoutedNetwork, demand: Demand) -> FixedPoint:
        network = machine.network
        if not (row_sums(demand, network.ends) > 0).any():
            raise NotAdmittedError("nothing is sent")
        deadline_s = np.inf if machine.time_limit is None else monotonic() + machine.time_limit
        if self.via == "group":
            grouping = self.groups(network)
            return FixedPoint(choices_over_groups(machine.symmetry, demand, grouping), deadline_s)
        return FixedPoint(choices_over(machine.symmetry, demand, self.via), deadline_s)

    def _loads_at(self, point: FixedPoint, scale: float) -> Loads:
        point.solve(scale)
        group = point.choices.group
        load = loads_of_orbits(group, point.loads * scale)
        return Loads(group.network, self.text, load, point.evaluations, self._said(point))

    def _said(self, point: FixedPoint) -> str:
        """Return what the estimate is of, with its constants."""
        said = (
            f"an estimate of a model: UGAL-G, each pair minimal or Valiant by hops and queues on all its paths (M/D/1 "
            f"up to {BUFFER:g} packets), in equilibrium; {format_share(point.minimal_share)} goes minimally"
        )
        if point.gap <= GAP:
            return said
        return f"{said}; not converged after {point.evaluations:,} iterations: the relative gap is {point.gap:.1g}"
