"""What the measures, the patterns of traffic and the routings of the language may be asked with: one table.

Values are the names of the arguments that have one; `WORDS` are those that are one of some words.
"""

from __future__ import annotations

from collections.abc import Mapping

FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "log2", "product", "len")
"""What is worked out of values alone."""
SUMS = ("count", "ports", "lanes", "free_ports", "bandwidth", "sum", "power", "cost")
"""Measures that count a plan."""

MEASURES: Mapping[str, tuple[str, ...]] = {
    "tiers": (),
    "oversubscription": ("from",),
    "hops": (),
    "diameter": (),
    "mean_hops": (),
    "latency": ("message",),
    "mean_latency": ("message",),
    "paths": ("message", "show"),
    "disjoint_paths": (),
    "connected": (),
    "reachable": (),
    "bisection": (),
    "load": ("routing", "rate"),
    "worst": (),
    "throughput": ("routing",),
    "fair": ("hash",),
    "time": ("algorithm", "size"),
    "sweep": ("algorithm",),
    "optimal_time": ("size",),
    "mtbf": (),
    "availability": ("mttr",),
    **dict.fromkeys(SUMS, ()),
}
SOLVED = tuple(name for name in MEASURES if name not in SUMS)
"""Measures that want the machine solved."""

_GROUPS = ("within", "across", "groups", "stride")
TRAFFICS: Mapping[str, tuple[str, ...]] = {
    "alltoall": (*_GROUPS, "size"),
    "allreduce": (*_GROUPS, "size"),
    "allgather": (*_GROUPS, "size"),
    "reducescatter": (*_GROUPS, "size"),
    "broadcast": ("from", *_GROUPS, "size"),
    "incast": ("size",),
    "shift": ("k", *_GROUPS, "size"),
    "transpose": (*_GROUPS, "size"),
    "permutation": ("seed", *_GROUPS, "size"),
    "uniform": ("rate", *_GROUPS),
    "pairs": ("size",),
    "matrix": (),
}

ROUTINGS: Mapping[str, tuple[str, ...]] = {
    "ecmp": (),
    "wcmp": (),
    "valiant": ("via",),
    "updown": (),
    "dor": ("order",),
    "minimal": (),
    "optimal": (),
}
ALGORITHMS = ("direct", "ring", "halving_doubling", "tree", "hierarchical", "per_dimension")
"""Of collectives."""

WORDS: Mapping[str, tuple[str, ...]] = {
    "routing": tuple(ROUTINGS),
    "algorithm": ALGORITHMS,
    "via": ("end", "switch"),
}
