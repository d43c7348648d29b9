"""What a search finds does not depend on the processor: other ways to add up give the same cut and the same prices."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from unifiedbus_dsl.solver.rounding import round_mantissa

ASKED = """
import networkx as nx
import numpy as np
from tests.solver import machines
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.bisection.bisection import bisection
from unifiedbus_dsl.solver.flow.max_concurrent_flow import max_concurrent_flow

edges = np.array(nx.random_regular_graph(8, 200, seed=1).edges())
cables = [(part[:, 0], part[:, 1]) for part in (edges[::2], edges[1::2])]
plain = symmetry.trivial_symmetry(machines.plain(200, 200, cables, [19.2e12 / 14, 1e11 / 3]))
cut = bisection(plain, most=10)
print(f"{cut.capacity.lower:.8g} {cut.capacity.upper}", "".join(str(int(side)) for side in cut.side))
edges = np.array(nx.random_regular_graph(4, 16, seed=1).edges())
plain = symmetry.trivial_symmetry(machines.plain(16, 16, [(edges[:, 0], edges[:, 1])], [19.2e12 / 14]))
best = max_concurrent_flow(plain, demand.all_to_all(plain.network), most=10).optimum
print(f"{best.lower:.8g} {best.upper:.8g}")
"""
OTHER = {
    "OPENBLAS_CORETYPE": "Prescott",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3 AVX512F AVX512_SKX",
}
"""An older processor, for OpenBLAS and NumPy; where they don't know it, they say so or pass over it."""


def test_sums_of_few_digits_are_exact() -> None:
    values = np.random.default_rng(0).random(1000) * 1e11
    coarse = round_mantissa(values)
    assert np.abs(coarse - values).max() <= values.max() * 2.0**-30
    assert coarse.sum() == coarse[::-1].cumsum()[-1] == sum(sorted(coarse.tolist()))
    assert values.sum() != values[::-1].cumsum()[-1]
    assert (round_mantissa(np.zeros(3)) == 0).all()
    assert (round_mantissa(np.array([0.0, 1e-30, 8.0])) == [0, 2.0**-26, 8]).all()


@pytest.mark.slow
def test_what_is_found_is_the_same_on_another_processor() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", ASKED],
            env={**os.environ, **other},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for other in ({}, OTHER)
    ]
    assert said[0] == said[1]
