"""The largest scale of a demand that a routing carries.

t = min over arcs of capacity / load at t = 1, and over end points of injection / what it sends (and receives)

Where loads are not in proportion to the demand, t is searched for.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import BoundedValue, NotAdmittedError, estimated, exact
from unifiedbus_dsl.solver.demand import Demand, column_sums, row_sums
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.verify.concurrent import ConcurrentFlows
from unifiedbus_dsl.verify.distances import Prices

BINDS_WITHIN = 1e-9
"""Relative distance from the limit at which an arc still counts as binding."""
FULL_WITHIN = 1e-4
"""The same where the scale is searched for."""
MOST_STEPS = 60
"""Scales that are tried at the most in a search."""


@frozen(eq=False)
class Throughput:
    """`scale` t: the demand times t fits. `injected_Bps` [E] is what each end point then sends; `binding` lists the
    arcs that are full, `binding_ends` the end points whose injection is. `load_Bps` [A] is the load at t."""

    network: Network
    routing: str
    scale: BoundedValue
    injected_Bps: Floats  # noqa: N815
    load_Bps: Floats  # noqa: N815
    binding: Ints
    binding_ends: Ints
    prices: Prices | None = None
    """Of an optimised routing: what shows that no other split of its paths carries more."""
    flows: ConcurrentFlows | None = None
    """And what each source sends of it, where sources were told apart."""
    equal_shares: bool = False
    """Whether it goes in equal shares over shortest paths, which show that as well."""

    @property
    def senders(self) -> Bools:
        return self.injected_Bps > 0

    @property
    def rate_min_Bps(self) -> float:  # noqa: N802
        """Least rate that a sending end point injects, byte/s."""
        return float(self.injected_Bps[self.senders].min())

    @property
    def rate_mean_Bps(self) -> float:  # noqa: N802
        return float(self.injected_Bps[self.senders].mean())

    @property
    def rate_max_Bps(self) -> float:  # noqa: N802
        return float(self.injected_Bps[self.senders].max())


def throughput_under(loads: Loads, demand: Demand) -> Throughput:
    """Scale the loads of a routing up to the first limit."""
    network = loads.network
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    if not (row > 0).any():
        raise NotAdmittedError("nothing is sent")
    scale, binding, binding_ends = max_scale(network, loads.load_Bps, row, column)
    return _throughput(loads.times(scale), scale, row, binding, binding_ends)


def _throughput(loads: Loads, scale: float, row: Floats, binding: Ints, binding_ends: Ints) -> Throughput:
    """Return the throughput of `loads` at a scale, an estimate where they are one."""
    reason = loads.estimate or f"loads of {loads.routing} on every arc"
    return Throughput(
        loads.network,
        loads.routing,
        estimated(scale, reason) if loads.estimate else exact(scale, reason),
        frozen_array(scale * row),
        loads.load_Bps,
        binding,
        binding_ends,
    )


def max_scale(
    network: Network, load: Floats, row: Floats, column: Floats, within: float = BINDS_WITHIN
) -> tuple[float, Ints, Ints]:
    """Return largest scale at which `load` ([A]) fits the arcs and `row`, `column` ([E]) the injection; what binds."""
    max_scale = np.divide(network.capacity_Bps, load, out=np.full(network.arcs, np.inf), where=load > 0)
    max_sent = np.maximum(row, column)
    inject = np.divide(network.injection_Bps, max_sent, out=np.full(network.ends, np.inf), where=max_sent > 0)
    scale = float(min(max_scale.min(initial=np.inf), inject.min(initial=np.inf)))
    near = scale * (1 + within)
    return scale, np.flatnonzero(max_scale <= near), np.flatnonzero(inject <= near)


# ---- loads that are not in proportion --------------------------------------------------------------------------------


def search_throughput(loads_at: Callable[[float], Loads], network: Network, demand: Demand) -> Throughput:
    """Return a scale of the demand at which the busiest cable, or an injection, is full to within `FULL_WITHIN`, where
    `loads_at(t)` are the loads of the demand times t, in no proportion to t.

    It is the least such scale where the utilisation of the busiest cable grows with t. Found by regula falsi (Illinois)
    below the scale of the injection, which does not depend on the routing.

    Raises:
        NotAdmittedError: nothing is sent, or no such scale is found.
    """
    row, column = row_sums(demand, network.ends), column_sums(demand, network.ends)
    if not (row > 0).any():
        raise NotAdmittedError("nothing is sent")
    scale = max_scale(network, np.zeros(network.arcs), row, column)[0]
    if not np.isfinite(scale):
        scale = float(network.capacity_Bps.sum() / row.sum())  # what is sent crosses a cable at least
    search = _Bracket(1 - FULL_WITHIN / 2)
    for _ in range(MOST_STEPS):
        loads = loads_at(scale)
        used = float(loads.utilisation.max(initial=0.0))
        if used <= 1 and (used >= 1 - FULL_WITHIN or search.unbounded):
            break
        scale = search.narrowed(scale, used)
    else:
        raise NotAdmittedError(f"no scale was found at which loads of {loads.routing} just fit")
    _, binding, binding_ends = max_scale(network, loads.load_Bps / scale, row, column, FULL_WITHIN)
    return _throughput(loads, scale, row, binding, binding_ends)


@define
class _Bracket:
    """Scales below and above the one at which the busiest cable is used to `goal`, with how far each is off."""

    goal: float
    low: float = 0.0
    high: float = np.inf
    under: float = field(init=False)
    over: float = np.inf
    side: int = 0

    def __attrs_post_init__(self) -> None:
        self.under = self.goal

    @property
    def unbounded(self) -> bool:
        return self.high == np.inf

    def narrowed(self, scale: float, used: float) -> float:
        """Return the scale to try next, after one at which the busiest cable is `used` so far. A side that stays twice
        counts half, so that both close in."""
        if used > self.goal:
            self.high, self.over = scale, used - self.goal
            self.under *= 0.5 if self.side > 0 else 1.0
            self.side = 1
        else:
            self.low, self.under = scale, self.goal - used
            self.over *= 0.5 if self.side < 0 else 1.0
            self.side = -1
        return self.low + (self.high - self.low) * self.under / (self.under + self.over)
