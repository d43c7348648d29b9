"""What every routing is to those who use one: the loads of a demand, and what may be taken for granted of them.

    linear          loads(a D + b D') = a loads(D) + b loads(D')
    proportional    loads(a D) = a loads(D), which every linear routing is

Demands D and D' are here of the same end points: Valiant's intermediates may be those that take part.
Who adds loads up over parts of a demand (sources, classes of pairs, permutations) asks `linear`; who scales them (to
the first full cable, to a rate) asks `proportional`, or calls `throughput` and `loads_at`, which hold for every
routing. `require_linear` refuses the others. A routing that adapts to loads is neither.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Protocol

from attrs import frozen

from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, scaled
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.solver.routing.throughput import Throughput, search_throughput, throughput_under
from unifiedbus_dsl.verify.routed import Scheme


class RoutedNetwork(Protocol):
    """What a routing asks of a machine: its network, the symmetries of that, which are found when they are first asked
    for, and the seconds that an optimum may take."""

    @property
    def network(self) -> Network: ...
    @property
    def symmetry(self) -> Symmetry: ...
    @property
    def time_limit(self) -> float | None: ...


@frozen(eq=False)
class Routing(ABC):
    """A routing with its options: its `name` in the language, and a `text` that says both as one writes them."""

    name: str
    text: str

    linear: ClassVar[bool]
    """Whether loads(a D + b D') = a loads(D) + b loads(D')."""
    proportional: ClassVar[bool]
    """Whether loads(a D) = a loads(D)."""

    @property
    def relays(self) -> bool:
        """Whether what is sent may stop at other end points on its way."""
        return False

    @abstractmethod
    def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
        """Return the loads of a demand at the rates that it states, byte/s.

        Raises:
            NotAdmittedError: the machine does not admit the routing, or a pair has no path.
        """

    def loads_at(self, machine: RoutedNetwork, demand: Demand, scale: float) -> Loads:
        """Return the loads of a demand times a scale."""
        if self.proportional:
            return self.loads(machine, demand).times(scale)
        return self.loads(machine, scaled(demand, scale))

    def throughput(self, machine: RoutedNetwork, demand: Demand) -> Throughput:
        """Return the largest scale of a demand that fits, with its loads.

        Raises:
            NotAdmittedError: the machine does not admit the routing, or a pair has no path.
        """
        if self.proportional:
            return throughput_under(self.loads(machine, demand), demand)
        return search_throughput(lambda scale: self.loads_at(machine, demand, scale), machine.network, demand)

    def scheme(self, network: Network) -> Scheme | None:
        """Return the routing as a verifier works its loads out anew; None where none does."""
        return None

    def invariant_symmetries(self, symmetry: Symmetry) -> Symmetry | None:
        """Return the symmetries of a network under which the routing is the same: they take the loads of a demand to
        those of its image. None where that is not known."""
        return symmetry


def require_linear(routing: Routing, what: str) -> None:
    """Refuse a routing whose loads can't be added up.

    Raises:
        NotAdmittedError: it is not linear; `what` says what rests on that.
    """
    if not routing.linear:
        raise NotAdmittedError(f"{what} adds up loads, and those of `{routing.text}` are not linear in the traffic")


@frozen(eq=False)
class LinearRouting(Routing):
    """A routing that shares in fixed parts, whatever the loads: those of a demand are `shares(symmetry, demand)`.

    `by_pairs` gives them pair by pair where that is sooner done than the symmetries of a network are found, else None.
    `keep` is `invariant_symmetries`, `verified` is `scheme`.
    """

    shares: Callable[[Symmetry, Demand], Loads]
    by_pairs: Callable[[Network, Demand], Loads | None] | None = None
    relays: bool = False
    keep: Callable[[Symmetry], Symmetry | None] | None = None
    verified: Callable[[Network], Scheme] | None = None

    linear: ClassVar[bool] = True
    proportional: ClassVar[bool] = True

    def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
        cheap = self.by_pairs(machine.network, demand) if self.by_pairs is not None else None
        return self.shares(machine.symmetry, demand) if cheap is None else cheap

    def invariant_symmetries(self, symmetry: Symmetry) -> Symmetry | None:
        return symmetry if self.keep is None else self.keep(symmetry)

    def scheme(self, network: Network) -> Scheme | None:
        return None if self.verified is None else self.verified(network)
