"""A binomial tree: to the first member and back from it."""

from __future__ import annotations

from unifiedbus_dsl.solver.collectives.algorithm import Algorithm
from unifiedbus_dsl.solver.collectives.binomial_tree import gather, reduce, scatter, spread

TREE = Algorithm(
    "tree",
    allgather=lambda rows: [*gather(rows), *spread(rows)],
    reducescatter=lambda rows: [*reduce(rows), *scatter(rows)],
    alltoall=None,
    allreduce=lambda rows: [*reduce(rows), *spread(rows)],
    broadcast=spread,
)
