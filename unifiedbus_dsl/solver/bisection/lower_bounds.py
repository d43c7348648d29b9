"""The lower bounds of a bisection: one cable, whole sums of cables, flows, eigenvalues, every cut."""

from __future__ import annotations

from math import inf
from time import monotonic

import numpy as np

from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bisection.branch_and_bound import branch_and_bound, every_half
from unifiedbus_dsl.solver.bisection.cut_sums import in_units, lattice
from unifiedbus_dsl.solver.bisection.embedding_bound import embedding_bound
from unifiedbus_dsl.solver.bisection.expander_flow_bound import expander_flow_bound
from unifiedbus_dsl.solver.bisection.flow_bound import bisection_flow_lp
from unifiedbus_dsl.solver.bisection.flow_certificates import flows_proof, shortest_flows
from unifiedbus_dsl.solver.bisection.proved_bound import NOTHING, ProvedBound
from unifiedbus_dsl.solver.bisection.sdp_bound import bisection_sdp_bound
from unifiedbus_dsl.solver.bisection.search import MOST_ARCS, LowerBoundMethod, Search
from unifiedbus_dsl.solver.bounds import DeadlineError, NotAdmittedError
from unifiedbus_dsl.solver.flow.max_concurrent_flow import MEETS_WITHIN
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError
from unifiedbus_dsl.solver.flow.terminals import flow_symmetry
from unifiedbus_dsl.verify.bisection import OneCable, WholeUnits

MAX_SWEPT = 2_000_000_000
"""Arcs that may be swept by shortest paths where nothing else bounds the bisection."""
QUICK = 100_000_000
"""Arcs that shortest paths may sweep before a linear program is made at all."""
LATE = 10_000_000
"""The same when the time is over."""
GRACE_S = 0.05
"""Seconds after its deadline that a bisection may take for flows on shortest paths."""


def _prove_one_cable(search: Search) -> ProvedBound:
    return narrowest_cable(search.network)


def narrowest_cable(network: Network) -> ProvedBound:
    """Return the lower bound for end points that are connected: a cut goes through a cable at the least."""
    used = np.flatnonzero(np.bincount(network.kind, minlength=len(network.kinds.capacity_Bps)))
    narrowest = float(network.kinds.capacity_Bps[used].min(initial=inf))
    return ProvedBound(narrowest, "a cut of what is connected cuts a cable", OneCable())


def _cuts_few_cables(search: Search) -> bool:
    """Return whether the incumbent cuts at most two of the narrowest cables."""
    few = search.incumbent.best <= 2 * search.lower.value * (1 + MEETS_WITHIN)
    return search.joined and few and search.has_graph()


def _prove_whole_cables(search: Search) -> ProvedBound:
    return in_units(search.graph, search.lower)


def _ends_forward_all(search: Search) -> bool:
    """Return whether only end points forward: on a torus, a hypercube or a full mesh shortest paths say it all."""
    network = search.network
    return search.joined and not (network.forwards & (network.end < 0)).any()


def _prove_shortest_paths(search: Search, max_swept: int) -> ProvedBound:
    """Return the bound of flows on shortest paths from each end point to each other, if they are found by the deadline
    and in `GRACE_S`."""
    symmetry, deadline = search.symmetry, search.deadline
    orbits = len(symmetry.representatives(np.flatnonzero(search.chosen))[0])
    if orbits * symmetry.network.arcs > max_swept:
        return NOTHING
    try:
        value, proof = shortest_flows(symmetry, search.chosen, max(deadline.at_s, monotonic() + GRACE_S))
    except (NotAdmittedError, DeadlineError):
        deadline.allows()
        return NOTHING
    return ProvedBound(value, "flows between all end points on shortest paths", proof)


def _lacks_flows(search: Search) -> bool:
    """Return whether neither the linear program nor mixed routings gave a bound."""
    if search.flows_solved:
        return False
    if search.network.arcs > MOST_ARCS:
        return search.lower.value == 0 and search.allows_arcs()
    return search.mixed_Bps == 0.0 and search.deadline.allows()


def _prove_class_flows(search: Search) -> ProvedBound:
    """Return the bound of flows on classes of arcs, by a linear program that takes half of the time left."""
    if not search.allows_arcs():
        return NOTHING
    part = None if search.deadline.left is None else search.deadline.left / 2
    hubs = flow_symmetry(search.symmetry).restricted(colour=search.chosen)
    try:
        solved = bisection_flow_lp(hubs, search.chosen, search.most, part)
    except TooLargeError:
        return NOTHING
    search.flows_solved = True
    if solved.lower <= search.lower.value:
        return NOTHING
    return ProvedBound(
        solved.lower, "flows between all end points and to switches", flows_proof(search.network, hubs, solved)
    )


def _prove_every_cut(search: Search) -> ProvedBound:
    """Return the bound of all cuts of a small graph, tried or bounded; its best half goes to the incumbent."""
    if not search.deadline.allows():
        return NOTHING
    deadline_s, sums = search.deadline.at_s, lattice(search.graph)
    half = search.incumbent.half
    min_cut = every_half(search.graph, deadline_s) or branch_and_bound(
        search.graph, half, sums.step if sums else 0.0, deadline_s
    )
    if min_cut is None:
        return NOTHING
    search.incumbent.try_half(min_cut.half)
    return ProvedBound(min_cut.lower_Bps, "every cut", WholeUnits(min_cut.proof) if sums else min_cut.proof)


def _prove_mixed_routings(search: Search) -> ProvedBound:
    search.mixed_Bps, proof = embedding_bound(search.graph, search.deadline.at_s)
    return ProvedBound(search.mixed_Bps, "flows between all end points by mixed routings", proof)


def _prove_eigenvalues(search: Search) -> ProvedBound:
    solved = bisection_sdp_bound(search.graph, search.deadline.at_s)
    if solved is None:
        return NOTHING
    search.vectors = solved.vectors
    return _in_units(search, ProvedBound(solved.bound, "eigenvalues of the capacities", solved.proof))


def _prove_expander_flows(search: Search) -> ProvedBound:
    bound, proof = expander_flow_bound(search.graph, search.deadline.at_s)
    return _in_units(search, ProvedBound(bound, "eigenvalues of what flows can carry", proof))


def _in_units(search: Search, bound: ProvedBound) -> ProvedBound:
    """Return a bound that is above the one before, up to the next sum of whole cables."""
    return in_units(search.graph, bound) if bound.value > search.lower.value else NOTHING


ONE_CABLE = LowerBoundMethod("one cable", lambda search: search.joined, _prove_one_cable)
FEW_CABLES = LowerBoundMethod("few cables", _cuts_few_cables, _prove_whole_cables)
SHORTEST_PATHS_OF_ENDS = LowerBoundMethod(
    "shortest paths of a direct network", _ends_forward_all, lambda search: _prove_shortest_paths(search, QUICK)
)
CLASS_FLOWS = LowerBoundMethod(
    "flows on classes of cables", lambda search: search.joined and not search.hurried, _prove_class_flows
)
EVERY_CUT = LowerBoundMethod("every cut, or branch and bound", Search.has_graph, _prove_every_cut)
MIXED_ROUTINGS = LowerBoundMethod(
    "mixed routings",
    lambda search: not search.flows_solved and search.has_graph() and search.deadline.allows(),
    _prove_mixed_routings,
)
SHORTEST_PATHS = LowerBoundMethod(
    "shortest paths", _lacks_flows, lambda search: _prove_shortest_paths(search, MAX_SWEPT)
)
WHOLE_CABLES = LowerBoundMethod("sums of whole cables", Search.has_graph, _prove_whole_cables)
EIGENVALUES = LowerBoundMethod(
    "eigenvalues", lambda search: search.has_graph() and search.deadline.allows(), _prove_eigenvalues
)
EXPANDER_FLOWS = LowerBoundMethod(
    "expander flows", lambda search: search.vectors is not None and search.deadline.allows(), _prove_expander_flows
)
LATE_CLASS_FLOWS = LowerBoundMethod(
    "flows on classes of cables, last", lambda search: search.joined and search.hurried, _prove_class_flows
)
LATE_SHORTEST_PATHS = LowerBoundMethod(
    "shortest paths, last",
    lambda search: search.joined and search.deadline.short,
    lambda search: _prove_shortest_paths(search, LATE),
)
