"""What a routing puts on every arc."""

from __future__ import annotations

from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Floats, frozen_array
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.verify.concurrent import ConcurrentFlows
from unifiedbus_dsl.verify.distances import Prices


@frozen(eq=False)
class Best:
    """What shows that loads are a multiple of those [A] at the largest throughput of a demand, which is `scale` at the
    least: prices that no split beats, and what each source sends where they were told apart, or that it goes in equal
    shares over shortest paths."""

    load_Bps: Floats  # noqa: N815
    scale: float
    prices: Prices
    flows: ConcurrentFlows | None
    equal_shares: bool = False


@frozen(eq=False)
class Loads:
    """`load_Bps` [A] on each arc, all its cables together, when each pair sends its demand; `sweeps` were needed, none
    where pairs were taken one by one. `estimate` says why the loads are an estimate, nothing where they are exact;
    `best` shows those of an optimised routing."""

    network: Network
    routing: str
    load_Bps: Floats  # noqa: N815
    sweeps: int
    estimate: str = ""
    best: Best | None = None

    @property
    def utilisation(self) -> Floats:
        """Load over capacity, [A]."""
        return self.load_Bps / self.network.capacity_Bps

    def times(self, factor: float) -> Loads:
        """Return these loads times a factor."""
        return evolve(self, load_Bps=frozen_array(self.load_Bps * factor))
