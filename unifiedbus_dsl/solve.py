"""Ask a fabric from Python: `from unifiedbus_dsl import solve`. The functions are those of `analysis.api`."""

from unifiedbus_dsl.analysis.api import (
    QuestionError,
    bisection,
    connected,
    diameter,
    disjoint_paths,
    fair,
    hops,
    latency,
    loads,
    measure,
    oversubscription,
    paths,
    reachable,
    results,
    throughput,
    tiers,
)

__all__ = [
    "QuestionError",
    "bisection",
    "connected",
    "diameter",
    "disjoint_paths",
    "fair",
    "hops",
    "latency",
    "loads",
    "measure",
    "oversubscription",
    "paths",
    "reachable",
    "results",
    "throughput",
    "tiers",
]
