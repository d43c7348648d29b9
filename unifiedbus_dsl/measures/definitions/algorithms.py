"""The algorithms of collectives: who sends what, step by step."""

from __future__ import annotations

from unifiedbus_dsl.vocabulary.signatures import ALGORITHMS, Signature

for name, doc in (
    ("direct", "each to each other at once"),
    ("ring", "round a ring of the end points in order"),
    ("halving_doubling", "with partners at distances that halve or double"),
    ("tree", "along binary trees"),
    ("hierarchical", "inside the innermost assembly first, then among those"),
    ("per_dimension", "along one dimension of the array of end points after another"),
):
    ALGORITHMS.register(Signature(name, doc, ()))
