"""The bisection as an interval with both certificates: what any halving cut must carry, and a cut."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.solver.bisection import heuristics, lower_bounds
from unifiedbus_dsl.solver.bisection.incumbent import Incumbent
from unifiedbus_dsl.solver.bisection.one_vertex import bounds_of
from unifiedbus_dsl.solver.bisection.proved_bound import NOTHING, ProvedBound, max_bound
from unifiedbus_dsl.solver.bisection.search import Heuristic, LowerBoundMethod, Search
from unifiedbus_dsl.solver.bounds import BoundedValue, NotAdmittedError, bounded
from unifiedbus_dsl.solver.deadline import Deadline
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN
from unifiedbus_dsl.verify.bisection import LowerBound, StatedBound, is_stated

NOT_ANEW = "; the proof from below is not added up anew"
"""Said of a lower bound that no certificate shows."""
METHODS: tuple[LowerBoundMethod | Heuristic, ...] = (
    lower_bounds.ONE_CABLE,
    heuristics.FIRST_ARRAY,
    lower_bounds.FEW_CABLES,
    lower_bounds.SHORTEST_PATHS_OF_ENDS,
    heuristics.ARRAYS,
    lower_bounds.CLASS_FLOWS,
    heuristics.COMPONENTS,
    heuristics.KERNIGHAN_LIN,
    lower_bounds.EVERY_CUT,
    heuristics.DISTANCES,
    lower_bounds.MIXED_ROUTINGS,
    lower_bounds.SHORTEST_PATHS,
    lower_bounds.WHOLE_CABLES,
    lower_bounds.EIGENVALUES,
    heuristics.ROUNDING,
    lower_bounds.EXPANDER_FLOWS,
    lower_bounds.LATE_CLASS_FLOWS,
    lower_bounds.LATE_SHORTEST_PATHS,
)
"""Lower bounds and heuristics in the order in which they are tried until the bounds meet: the cheap ones first."""


@frozen(eq=False)
class Bisection:
    """Least capacity one way, byte/s, of a cut that halves the members. `side` [E] is the half of the cut that gives
    the upper bound (False for those that are no members); `vertex_side` [V] the side of each vertex there.
    """

    capacity: BoundedValue
    side: Bools
    vertex_side: Bools
    cut: Ints
    """The arcs that the cut goes through: from the half to the others."""
    proof: LowerBound
    """What shows the lower bound."""
    reason_below: str
    """The same in words."""


@frozen(eq=False)
class Known:
    """What is known before anything is worked out: a lower bound, and halves [E] and sides [V] that are worth a cut."""

    lower: ProvedBound = NOTHING
    halves: tuple[Bools, ...] = ()
    sides: tuple[Bools, ...] = ()


def bisection(
    symmetry: Symmetry,
    members: ArrayLike | None = None,
    *,
    most: int = 400_000,
    budget: float | None = None,
    known: Known | None = None,
) -> Bisection:
    """Return both proved bounds of the bisection, by the methods of `METHODS` until they meet.

    After `budget` seconds neither bound is improved any more. One cut and one lower bound are found in any case.

    Raises:
        NotAdmittedError: fewer than two members.
    """
    network = symmetry.network
    chosen = network.selected(members)
    if int(chosen.sum()) < 2:
        raise NotAdmittedError("a bisection needs two end points")
    known = known or Known()
    if network.turned is not None:
        return _between_two(symmetry, chosen, most, budget, known)
    search = Search(symmetry, chosen, Incumbent(network, chosen, Deadline.of(budget)), most, known.lower)
    _begin(search, known)
    for method in METHODS:
        if search.is_closed():
            break
        if method.admits(search):
            _apply(search, method)
    return _result(search)


def _begin(search: Search, known: Known) -> None:
    """Offer the cuts that are known to the incumbent."""
    for side in known.sides:
        search.incumbent.offer_side(side)
    _try_halves(search, iter(known.halves))


def _apply(search: Search, method: LowerBoundMethod | Heuristic) -> None:
    if isinstance(method, LowerBoundMethod):
        search.lower = max_bound(search.lower, method.prove(search))
    else:
        _try_halves(search, iter(method.halves(search)))


def _try_halves(search: Search, halves: Iterator[Bools]) -> None:
    """Take the cuts of halves [E] until the bounds meet or the time is over; one is taken in any case."""
    while not search.is_closed() and (not search.incumbent.tried or search.deadline.allows()):
        half = next(halves, None)
        if half is None:
            return
        search.incumbent.try_half(half)


def _result(search: Search) -> Bisection:
    """Return what a search has found."""
    network, incumbent, lower = search.network, search.incumbent, search.lower
    late = search.deadline.short and not search.is_closed()
    reason = f"from below {lower.reason}, from above a cut" + (", as far as the time allowed" if late else "")
    reason += NOT_ANEW if is_stated(lower.proof) else ""
    passes = network.forwards | network.on_vertices(search.chosen)
    near, far = incumbent.vertex_side & passes, ~incumbent.vertex_side & passes
    cut = np.flatnonzero(near[network.tail] & far[network.head])
    capacity = bounded(lower.value, incumbent.best, reason, MEETS_WITHIN)
    return Bisection(capacity, incumbent.half, incumbent.vertex_side, cut, lower.proof, lower.reason)


def _stated(value: float, reason: str) -> ProvedBound:
    return ProvedBound(value, reason, StatedBound(value))


def _between_two(symmetry: Symmetry, chosen: Bools, most: int, budget: float | None, known: Known) -> Bisection:
    """Return the same where lines forward between two sides: the cut with each line as one vertex, and what the network
    in which each is parted carries at the least."""
    network, bounds = symmetry.network, bounds_of(symmetry)
    half, members = None if budget is None else budget / 2, np.flatnonzero(chosen)
    above = bisection(bounds.wider, members, most=most, budget=half, known=Known(halves=known.halves))
    below = bisection(bounds.narrower, members, most=most, budget=half)
    lower = max_bound(known.lower, _stated(below.capacity.lower, "flows with each line between two sides parted"))
    side = above.vertex_side[bounds.whole]
    passes = network.forwards | network.on_vertices(chosen)
    cut = np.flatnonzero((side & passes)[network.tail] & (~side & passes)[network.head])
    reason = f"from below {lower.reason}, from above a cut with each as one vertex"
    reason += NOT_ANEW if is_stated(lower.proof) else ""
    capacity = bounded(lower.value, above.capacity.upper, reason, MEETS_WITHIN)
    return Bisection(capacity, above.side, side, cut, lower.proof, lower.reason)
