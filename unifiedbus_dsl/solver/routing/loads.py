"""What a routing puts on every arc."""

from __future__ import annotations

from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Floats, frozen_array
from unifiedbus_dsl.graph.network import Network


@frozen(eq=False)
class Loads:
    """`load_Bps` [A] on each arc, all its cables together, when each pair sends its demand; `sweeps` were needed, none
    where pairs were taken one by one. `estimate` says why the loads are an estimate, nothing where they are exact."""

    network: Network
    routing: str
    load_Bps: Floats  # noqa: N815
    sweeps: int
    estimate: str = ""

    @property
    def utilisation(self) -> Floats:
        """Load over capacity, [A]."""
        return self.load_Bps / self.network.capacity_Bps

    def times(self, factor: float) -> Loads:
        """Return these loads times a factor."""
        return evolve(self, load_Bps=frozen_array(self.load_Bps * factor))
