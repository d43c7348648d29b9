"""Colour refinement around a source: what it takes is bounded before it begins."""

from __future__ import annotations

import numpy as np
import pytest

from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.graph.quotient.addresses import NotProvedError
from unifiedbus_dsl.solver.from_plan import partition
from unifiedbus_dsl.solver.from_plan.partition import refine
from unifiedbus_dsl.solver.from_plan.plan_network import PlanNetwork, Quotient

TORUS = """ubus 1
protocol UB { lane = 100 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m }
npu Chip(ports) { port p[ports] : UB x1; transit p }
rack Box { npu[DIMS] : Chip(ports = 6); connect npu.p as torus(dims = [DIMS]) over Wire(1 m) }
system box : Box
"""


def around_a_corner(dims: str) -> Quotient:
    network = PlanNetwork.of(compile_text(TORUS.replace("DIMS", dims), "box.ubus").plan)
    ((source, _),) = network.sources(frozenset({0}))
    return network.around(source)


def test_a_torus_in_which_hardly_two_nodes_are_alike_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    quotient = around_a_corner("34, 33, 32")
    assert len(quotient.tail) == 6 * 34 * 33 * 32, "each node is a cell of its own"
    monkeypatch.setattr(partition, "_with_siblings", None)  # a round would need it
    with pytest.raises(NotProvedError, match="too many nodes around a source"):
        refine(quotient, np.zeros(quotient.nodes, dtype=np.int64))


def test_a_smaller_one_is_told_apart_node_by_node() -> None:
    """Arcs keep their direction, so no two places of a torus are alike as seen from one of them."""
    quotient = around_a_corner("6, 5, 4")
    classes = refine(quotient, np.zeros(quotient.nodes, dtype=np.int64))
    assert classes.size.tolist() == [1] * (6 * 5 * 4)
