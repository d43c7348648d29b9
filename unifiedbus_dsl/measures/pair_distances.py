"""Hops and latencies over pairs, with the labels that show them: for measures, Python, plots and tables alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve
from numpy.typing import ArrayLike

from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.measures.certified import Certified, arcs_of, cables_of, moves_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances
from unifiedbus_dsl.solver.paths.distances import Disjoint, DisjointPaths, Histogram, Labels
from unifiedbus_dsl.solver.paths.fewest_paths import pair_of_fewest
from unifiedbus_dsl.verify.disjoint import DisjointCertificate, FewestCertificate, PairFlow, SeenPair, see_pair
from unifiedbus_dsl.verify.pairs import Lengths, PairsCertificate, Seen, see


def hops(
    machine: NetworkContext,
    source: ArrayLike | None = None,
    target: ArrayLike | None = None,
    *,
    mean: bool = False,
    symmetry: Symmetry | None = None,
) -> Certified[Histogram]:
    """Return the hops of all ordered pairs, by some symmetries of the network (default: those of the machine); what is
    shown is the largest, or the mean."""

    def spread() -> Certified[Histogram]:
        seen = _Witness(machine, machine.network, timed=False, senders=source)
        return seen.certified(distances.hop_histogram(symmetry or machine.symmetry, source, target, seen), target)

    if symmetry is not None and symmetry is not machine.symmetry:
        return _shown(spread(), mean)
    selected = (machine.network.selected(each).tobytes() for each in (source, target))
    return _shown(_once(machine, ("hops", *selected), spread), mean)


def latency(
    machine: NetworkContext,
    source: ArrayLike | None = None,
    target: ArrayLike | None = None,
    message_bytes: float = 0.0,
    *,
    mean: bool = False,
) -> Certified[Histogram]:
    """Return the latencies of all ordered pairs; what is shown is the largest, or the mean."""
    network = machine.timed_network

    def spread() -> Certified[Histogram]:
        seen = _Witness(machine, network, timed=True, senders=source, message_bytes=message_bytes)
        found = distances.latency_histogram(machine.timed_symmetry, source, target, message_bytes, seen)
        return seen.certified(found, target)

    selected = (network.selected(each).tobytes() for each in (source, target))
    return _shown(_once(machine, ("latency", message_bytes, *selected), spread), mean)


def _once(
    machine: NetworkContext, key: tuple[object, ...], spread: Callable[[], Certified[Histogram]]
) -> Certified[Histogram]:
    """Return the pairs of two selections, which a machine goes through once: a largest value and a mean are both of
    them."""
    kept = vars(machine).setdefault("_spreads", {})
    if key not in kept:
        kept[key] = spread()
    found = kept[key]
    assert isinstance(found, Certified)
    return found


def _shown(found: Certified[Histogram], mean: bool) -> Certified[Histogram]:
    """Return pairs with a certificate of their largest value, or of their mean."""
    assert isinstance(found.certificate, PairsCertificate)
    return Certified(found.answer, evolve(found.certificate, mean=mean))


def disjoint_paths(
    machine: NetworkContext, source: ArrayLike | None = None, target: ArrayLike | None = None
) -> Certified[Disjoint]:
    """Return the fewest cables whose loss parts a pair, smallest over pairs."""
    network, cables = machine.network, cables_of(machine)
    arcs = arcs_of(network)
    seen: list[SeenPair] = []

    def witness(s: int, t: int, copies: int, found: DisjointPaths) -> None:
        flow = PairFlow(s, t, found.tail, found.head, found.amount, found.side)
        seen.append(see_pair(cables, arcs, flow, copies))

    senders, receivers = network.selected(source), network.selected(target)
    pair = pair_of_fewest(network, senders, receivers)
    if pair is not None:
        paths = distances.pair_paths(network, *pair)
        witness(*pair, 1, paths)
        only = Disjoint(paths.count, *pair, 1, machine.symmetry, (), False)
        return Certified(only, FewestCertificate(arcs, senders, receivers, seen[0]))
    fewest = distances.disjoint_paths(machine.symmetry, source, target, witness)
    sources = [(s, moves_of(around)) for s, around in fewest.sources]
    certificate = DisjointCertificate(
        arcs, moves_of(fewest.symmetry), senders, receivers, sources, seen, fewest.neighbours
    )
    return Certified(fewest, certificate)


class _Witness:
    """Has the labels of each target checked while they are there; what was seen is the certificate."""

    def __init__(
        self, machine: NetworkContext, network: Network, *, timed: bool, senders: Any, message_bytes: float = 0.0
    ) -> None:
        self.network, self.cables, self.arcs = network, cables_of(machine), arcs_of(network)
        self.lengths = (Lengths.seconds if timed else Lengths.hops)(self.cables, self.arcs)
        self.senders, self.message_bytes = network.selected(senders), message_bytes
        self.seen: list[Seen] = []

    def __call__(self, target: int, copies: int, labels: Labels, resolution: float) -> None:
        onward = {
            width: self.network.on_turned(label) for width, label in labels.items()
        }  # the way there is a way back
        self.seen.append(
            see(
                self.cables, self.arcs, self.lengths, target, copies, onward, self.senders, resolution,
                self.message_bytes,
            )
        )  # fmt: skip

    def certified(self, found: Histogram, receivers: ArrayLike | None) -> Certified[Histogram]:
        certificate = PairsCertificate(
            self.arcs, moves_of(found.symmetry), self.senders, self.network.selected(receivers), self.seen,
            found.value, found.pairs, found.unreachable, found.resolution,
        )  # fmt: skip
        return Certified(found, certificate)
