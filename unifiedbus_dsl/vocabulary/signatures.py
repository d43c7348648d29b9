"""What the measures, the patterns of traffic and the routings of the language may be asked with: one table.

Values are the names of the arguments that have one; `WORDS` are those that are one of some words.
"""

from __future__ import annotations

from collections.abc import Mapping

FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "log2", "product", "len")
"""What is worked out of values alone."""
SUMS = ("count", "ports", "lanes", "free_ports", "bandwidth", "sum", "power", "cost")
"""Measures that count a plan."""

OVER = "over"
"""Confines a measure or a traffic to planes: protocols or links."""

MEASURES: Mapping[str, tuple[str, ...]] = {
    "tiers": (OVER,),
    "oversubscription": ("from", OVER),
    "hops": (OVER,),
    "diameter": (OVER,),
    "mean_hops": (OVER,),
    "latency": ("message", OVER),
    "mean_latency": ("message", OVER),
    "paths": ("message", "show", OVER),
    "disjoint_paths": (OVER,),
    "connected": (OVER,),
    "reachable": (OVER,),
    "bisection": (OVER,),
    "load": ("routing", "rate", OVER),
    "worst": (),
    "throughput": ("routing", OVER),
    "fair": ("hash", OVER),
    "time": ("algorithm", "size", OVER),
    "sweep": ("algorithm", OVER),
    "optimal_time": ("size", OVER),
    "mtbf": (),
    "availability": ("mttr",),
    **dict.fromkeys(SUMS, ()),
}
SOLVED = tuple(name for name in MEASURES if name not in SUMS)
"""Measures that want the machine solved."""

_GROUPS = ("within", "across", "groups", "stride")
TRAFFICS: Mapping[str, tuple[str, ...]] = {
    "alltoall": (*_GROUPS, "size", OVER),
    "allreduce": (*_GROUPS, "size", OVER),
    "allgather": (*_GROUPS, "size", OVER),
    "reducescatter": (*_GROUPS, "size", OVER),
    "broadcast": ("from", *_GROUPS, "size", OVER),
    "incast": ("size", OVER),
    "shift": ("k", *_GROUPS, "size", OVER),
    "transpose": (*_GROUPS, "size", OVER),
    "permutation": ("seed", *_GROUPS, "size", OVER),
    "uniform": ("rate", *_GROUPS, OVER),
    "pairs": ("size", OVER),
    "matrix": (OVER,),
}

ROUTINGS: Mapping[str, tuple[str, ...]] = {
    "ecmp": (),
    "wcmp": (),
    "group_minimal": ("groups",),
    "valiant": ("via", "groups"),
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
    "via": ("end", "switch", "group"),
}
