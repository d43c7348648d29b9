"""What failures have taken, verified: for scenarios and surveys alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unifiedbus_dsl.analysis import distances
from unifiedbus_dsl.analysis.certified import Certified, cables_of, proved
from unifiedbus_dsl.analysis.senders import end_points
from unifiedbus_dsl.solver.losses import Losses, losses
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.paths import Histogram
from unifiedbus_dsl.symmetry import Symmetry
from unifiedbus_dsl.verify.impact import ImpactCertificate


def impact(base: Machine, damaged: Machine) -> Losses:
    """Return what the damage has taken from the end points of the base and from its cables.

    Raises:
        VerificationError: something of it does not hold on the cables.
    """
    members = end_points(base)
    return proved(damaged, certify(base, damaged, losses(base, damaged, members, _hops), members))


def certify(base: Machine, damaged: Machine, found: Losses, members: ArrayLike) -> Certified[Losses]:
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
        found.base.tier,
        [(tier.low, tier.high) for tier in found.tiers],
        np.array([tier.before_Bps for tier in found.tiers]),
        np.array([tier.after_Bps for tier in found.tiers]),
    )
    return Certified(found, certificate)


def _hops(machine: Machine, symmetry: Symmetry, source: ArrayLike, target: ArrayLike) -> Histogram:
    return proved(machine, distances.hops(machine, source, target, symmetry=symmetry))
