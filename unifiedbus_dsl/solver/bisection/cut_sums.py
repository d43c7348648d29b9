"""Integrality of halving cuts: 0 where whole components make a half (subset sum), else whole numbers of cables."""

from __future__ import annotations

from math import ceil

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools
from unifiedbus_dsl.solver.bisection.cut_graph import CutGraph
from unifiedbus_dsl.solver.bisection.proved_bound import ProvedBound
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN
from unifiedbus_dsl.verify.bisection import WholeUnits

MOST_BITS = 1_000_000_000
"""Bits in the table of what islands add up to: 125 MB."""


def islands(graph: CutGraph) -> Bools | None:
    """Return half of the end points, [E], made of whole islands; None where islands don't add up to it.

    Which sums the islands reach is a row of bits, shifted and joined island by island; the way back says which are in.
    """
    from scipy.sparse.csgraph import connected_components

    count, island = connected_components(graph.weight, directed=False)
    size = np.bincount(island, weights=graph.members, minlength=count).astype(np.int64)
    filled = np.flatnonzero(size)
    if len(filled) < 2:
        return None
    goal = int(size.sum()) // 2
    reached = [1]
    for k in filled.tolist():
        reached.append((reached[-1] | reached[-1] << int(size[k])) & ((1 << (goal + 1)) - 1))
        if len(reached) * goal > MOST_BITS:
            return None
    if not reached[-1] >> goal & 1:
        return None
    inside, left = np.zeros(count, dtype=bool), goal
    for place in range(len(filled) - 1, -1, -1):
        if not reached[place] >> left & 1:
            inside[filled[place]] = True
            left -= int(size[filled[place]])
    return np.asarray((graph.node >= 0) & inside[island[graph.node]])


@frozen
class Lattice:
    """What halving cuts can be: `unit` times whole numbers that leave `rest` when divided by `parity`."""

    unit: int
    parity: int
    rest: int

    @property
    def step(self) -> float:
        """By how much two cuts differ at the least, byte/s."""
        return float(self.unit * self.parity)


def lattice(graph: CutGraph) -> Lattice | None:
    """Return the capacities that a cut can have at all; None where capacities are no whole numbers.

    Where all capacities are multiples of one unit, cuts are too. And a cut is the sum of the degrees on one side less
    twice what stays inside: where free nodes have an even degree, in units, and the degrees of all end points have one
    parity, every halving cut has the same parity.
    """
    whole = graph.weight.data.astype(np.int64)
    if (whole != graph.weight.data).any() or not len(whole):
        return None
    unit = int(np.gcd.reduce(whole))
    row = np.repeat(np.arange(graph.nodes), np.diff(graph.weight.indptr))
    degree = np.zeros(graph.nodes, dtype=np.int64)
    np.add.at(degree, row, whole // unit)
    odd = degree % 2
    ends = graph.members > 0
    n = int(graph.members.sum())
    halves_alike = odd[ends].min() == odd[ends].max() and (n % 2 == 0 or not odd[ends].any())
    if odd[~ends].any() or not halves_alike:
        return Lattice(unit, 1, 0)
    return Lattice(unit, 2, int(odd[ends].max()) * (n // 2) % 2)


def in_units(graph: CutGraph, lower: ProvedBound) -> ProvedBound:
    """Return the next capacity that a cut can have."""
    steps_of_cuts = lattice(graph)
    if steps_of_cuts is None:
        return lower
    steps = ceil(lower.value / steps_of_cuts.unit * (1 - 1e-12))
    steps += (steps_of_cuts.rest - steps) % steps_of_cuts.parity
    if steps * steps_of_cuts.unit <= lower.value * (1 + MEETS_WITHIN):
        return lower
    value = float(steps * steps_of_cuts.unit)
    return ProvedBound(value, f"{lower.reason}, up to the next sum of whole cables", WholeUnits(lower.proof))
