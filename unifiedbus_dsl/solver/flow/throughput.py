"""The largest scale of a demand that a routing carries.

t = min over arcs of capacity / load at t = 1, and over end points of injection / what it sends (and receives)
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import BoundedValue, NotAdmittedError, exact
from unifiedbus_dsl.solver.demand import Demand, column_sums, row_sums
from unifiedbus_dsl.solver.routing.ecmp import Loads
from unifiedbus_dsl.verify.distances import Prices

BINDS_WITHIN = 1e-9
"""Relative distance from the limit at which an arc still counts as binding."""


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
    return Throughput(
        network,
        loads.routing,
        exact(scale, f"loads of {loads.routing} on every arc"),
        frozen_array(scale * row),
        frozen_array(scale * loads.load_Bps),
        binding,
        binding_ends,
    )


def max_scale(network: Network, load: Floats, row: Floats, column: Floats) -> tuple[float, Ints, Ints]:
    """Largest scale at which `load` ([A]) fits the arcs and `row`, `column` ([E]) the injection; what binds."""
    room = np.divide(network.capacity_Bps, load, out=np.full(network.arcs, np.inf), where=load > 0)
    most = np.maximum(row, column)
    inject = np.divide(network.injection_Bps, most, out=np.full(network.ends, np.inf), where=most > 0)
    scale = float(min(room.min(initial=np.inf), inject.min(initial=np.inf)))
    near = scale * (1 + BINDS_WITHIN)
    return scale, np.flatnonzero(room <= near), np.flatnonzero(inject <= near)
