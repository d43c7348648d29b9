"""The algorithms of collectives, one file each. An algorithm in `ALGORITHMS` is known to the solver by its name."""

from __future__ import annotations

from collections.abc import Mapping

from unifiedbus_dsl.solver.collectives.algorithm import Algorithm
from unifiedbus_dsl.solver.collectives.algorithms.bruck import BRUCK
from unifiedbus_dsl.solver.collectives.algorithms.direct import DIRECT
from unifiedbus_dsl.solver.collectives.algorithms.halving_doubling import HALVING_DOUBLING
from unifiedbus_dsl.solver.collectives.algorithms.ring import RING
from unifiedbus_dsl.solver.collectives.algorithms.tree import TREE

ALGORITHMS: Mapping[str, Algorithm] = {each.name: each for each in (DIRECT, RING, HALVING_DOUBLING, BRUCK, TREE)}
"""By name, in the order in which they are tried."""
