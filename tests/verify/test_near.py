"""Two arcs on a shortest path of a pair: by a search that ends where the pair meets, and by all ways to the target."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.measures.test_deadlock import HEAD, random_body
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.measures.certified import arcs_of, cables_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify.channels import begins, crossed
from unifiedbus_dsl.verify.near import crosses_both
from unifiedbus_dsl.verify.ways import Shortest

SIDED = """npu Relay { port a[2] : Unit x1 @open; port b[2] : Unit x1 @open; transit a -- b }
rack M {
  n[6] : Relay
  h[4] : Host
  connect n[i].b[0] -- n[(i + 1) mod 6].a[0] over Wire(1 m) for i in 0..5
  connect n[0].b[1] -- n[3].a[1] over Wire(1 m)
  connect h[0].p[0] -- n[1].a[1] over Wire(1 m)
  connect h[1].p[0] -- n[2].b[1] over Wire(1 m)
  connect h[2].p[0] -- n[5].b[1] over Wire(1 m)
  connect h[2].p[1] -- n[4].a[1] over Wire(1 m)
  connect h[3].p[0] -- n[0].a[1] over Wire(1 m)
}
system s : M
"""


def texts() -> list[str]:
    drawn = [random_body(random.Random(seed))[0] for seed in range(12)]
    return [f"rack M {{\n{body}\n}}\nsystem s : M\n" for body in drawn] + [SIDED]


@pytest.mark.parametrize("number", range(13))
def test_both_find_the_same(number: int) -> None:
    machine = NetworkContext(compile_text(HEAD + texts()[number]).fabric())
    cables, arcs = cables_of(machine), arcs_of(machine.network)
    tail, every = arcs.tails(), np.arange(cables.ends)
    yes = 0
    for target in range(cables.ends):
        ways = Shortest().ways(cables, arcs, np.flatnonzero(cables.end == target))
        reached = np.unique(cables.end[(ways.rank >= 0) & (cables.end >= 0)])
        for source in [int(each) for each in reached if each != target]:
            used = set(crossed(ways, begins(cables, ways, every == source)).arc.tolist())
            for a in range(arcs.size):
                for b in range(int(arcs.indptr[arcs.head[a]]), int(arcs.indptr[arcs.head[a] + 1])):
                    both = a in used and b in used
                    assert crosses_both(cables, arcs, (source, target), a, b) is both, (source, target, a, b)
                    yes += both
            assert not crosses_both(cables, arcs, (source, target), 0, int(np.flatnonzero(tail != arcs.head[0])[0]))
    assert yes or cables.ends < 3
