"""The routings `minimal` and `optimal`: those of the largest throughput over shortest paths, or over all paths."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from unifiedbus_dsl.solver.demand import Demand, row_sums
from unifiedbus_dsl.solver.flow.max_concurrent_flow import max_concurrent_flow
from unifiedbus_dsl.solver.routing.interface import RoutedNetwork, Routing
from unifiedbus_dsl.solver.routing.loads import Best, Loads
from unifiedbus_dsl.solver.routing.throughput import Throughput


@frozen(eq=False)
class OptimisedRouting(Routing):
    """The shares of paths that carry the largest scale of the demand: of those of fewest cables if `shortest`, else of
    all. Another demand has other shares, so loads do not add up; that of a demand times a scale has the same."""

    shortest: bool

    linear: ClassVar[bool] = False
    proportional: ClassVar[bool] = True

    def throughput(self, machine: RoutedNetwork, demand: Demand) -> Throughput:
        limit = machine.time_limit
        return max_concurrent_flow(machine.symmetry, demand, minimal=self.shortest, budget=limit).throughput

    def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
        """Return the loads at the largest throughput, scaled back."""
        best = self.throughput(machine, demand)
        row = row_sums(demand, machine.network.ends)
        assert best.prices is not None
        shown = Best(best.load_Bps, best.scale.lower, best.prices, best.flows, best.equal_shares)
        load = best.load_Bps * (row.sum() / best.injected_Bps.sum())
        return Loads(machine.network, self.text, load, 0, best=shown)
