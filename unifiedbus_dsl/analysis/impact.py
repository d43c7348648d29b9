"""What failures have taken, verified: for scenarios and surveys alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.ir.plan.end_points import end_types
from unifiedbus_dsl.measures import pair_distances
from unifiedbus_dsl.measures.certified import Certified, cables_of, proved
from unifiedbus_dsl.measures.end_points import end_points
from unifiedbus_dsl.measures.state_orbits import verify_orbits
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.distances import Histogram
from unifiedbus_dsl.solver.paths.tiers import levels
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact, outage_impact
from unifiedbus_dsl.solver.resilience.outage_of_plan import outage_of_plan
from unifiedbus_dsl.verify.impact import ImpactCertificate


def impact(base: NetworkContext, damaged: NetworkContext) -> OutageImpact:
    """Return what the damage has taken from the end points of the base and from its cables.

    Raises:
        VerificationError: something of it does not hold on the cables.
    """
    members = end_points(base)
    return proved(damaged, certify(base, damaged, outage_impact(base, damaged, members, _hops), members))


def impact_from_plan(damaged: NetworkContext) -> OutageImpact | None:
    """Return the same by the symmetries of the plan; None where the fabric has to be asked.

    Raises:
        VerificationError: the orbits of the plan do not hold.
    """
    network = damaged.plan_network
    if network is None or not network.lost:
        return None
    kinds = end_types(network.plan)
    members = frozenset(p for p, place in enumerate(network.wiring.places) if place.device in kinds and not place.spare)
    try:
        from_plan = outage_of_plan(network, members)
    except NotProvedError:
        return None
    verify_orbits(network)
    return from_plan


def certify(
    base: NetworkContext, damaged: NetworkContext, found: OutageImpact, members: ArrayLike
) -> Certified[OutageImpact]:
    """Return the impact with what shows it; its hops are verified where they are found."""
    network = base.network
    certificate = ImpactCertificate(
        cables_of(base),
        network.selected(members),
        network.selected(damaged.lost_ends),
        found.lost,
        found.cut_off,
        found.pairs_cut,
        found.best,
        levels(network, members),
        [(tier.low, tier.high) for tier in found.tiers],
        np.array([tier.before_Bps for tier in found.tiers]),
        np.array([tier.after_Bps for tier in found.tiers]),
    )
    return Certified(found, certificate)


def _hops(machine: NetworkContext, symmetry: Symmetry, source: ArrayLike, target: ArrayLike) -> Histogram:
    return proved(machine, pair_distances.hops(machine, source, target, symmetry=symmetry))
