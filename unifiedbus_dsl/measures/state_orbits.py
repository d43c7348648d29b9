"""Orbits of a plan as their verifier takes them."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient
from unifiedbus_dsl.verify import plan_orbits
from unifiedbus_dsl.verify.plan_orbits import StatedDigits, StatedOrbits


def verify_orbits(network: PlanNetwork) -> None:
    """Hold all orbits that a network has made to its rules, each once, where the rules are not too long.

    Raises:
        VerificationError: they do not hold.
    """
    if plan_orbits.points_of(network.plan) > plan_orbits.MOST_POINTS:
        return
    for quotient in network.made():
        if "_verified" not in vars(quotient):
            plan_orbits.check(stated_orbits(network, quotient))
            vars(quotient)["_verified"] = True


def stated_orbits(network: PlanNetwork, quotient: Quotient) -> StatedOrbits:
    """Return the orbits of a network, or around a device of it, as they are stated."""
    group, cells = network.group, quotient.cells
    places = tuple(
        StatedDigits(place.path, tuple((digit.stride, digit.size, digit.of) for digit in digits))
        for place, digits in zip(network.wiring.places, group.places, strict=True)
    )
    ids = np.array([quotient.device_id(d) for d in range(quotient.devices)], dtype=np.int64)
    return StatedOrbits(
        network.plan,
        places,
        tuple(each.label for each in group.classes),
        tuple(each.cyclic for each in group.classes),
        network.wiring.kinds,
        any(kind.length_m is not None for kind in network.wiring.kinds),
        frozenset(rule.rule.link for rule in network.wiring.rules),
        -1 if cells.source is None else quotient.device_id(quotient.source),
        cells.place,
        cells.vertex,
        cells.size,
        ids[quotient.device],
        quotient.undamaged.tail,
        quotient.undamaged.head,
        quotient.undamaged.kind,
        quotient.undamaged.count,
    )
