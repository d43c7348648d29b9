"""The mean of the cables that what is sent crosses: against shortest paths, closed forms, and the paths of a model."""

from __future__ import annotations

from fractions import Fraction

import pytest
from attrs import evolve

from tests.solver.routing.test_dragonfly import Loops, answers, dragonfly, refusal
from tests.solver.routing.test_interface import MESH, routing_on
from unifiedbus_dsl.measures.certified import arcs_of, cables_of, matrix_of
from unifiedbus_dsl.measures.rates import claimed
from unifiedbus_dsl.solver.demand import all_to_all
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.loads import HopsCertificate

RING = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 9 m }
npu Chip { port x[2] : UB x1; transit x }
rack Ring { npu[8] : Chip; connect npu.x as ring over Wire(1 m) }
system s : Ring
"""


def test_on_shortest_paths_it_is_the_mean_of_hops() -> None:
    for text in (MESH, RING, dragonfly(2)):
        here, hops = answers(text, "traffic_hops(alltoall(all npu))", "mean_hops(all npu)")
        assert here.value == pytest.approx(hops.value)
        assert (here.kind, here.dimension) == ("exact", hops.dimension)


@pytest.mark.parametrize(("k", "cables"), [(1, 1), (3, 3), (4, 4), (6, 2)])
def test_a_shift_around_a_ring(k: int, cables: int) -> None:
    (found,) = answers(RING, f"traffic_hops(shift(all npu, k = {k}))")
    assert found.value == pytest.approx(cables)


def test_a_detour_in_a_ring_is_two_mean_legs() -> None:
    """To each of the eight as often, itself among them, and on: (0 + 1 + 1 + 2 + 2 + 3 + 3 + 4) / 8 each."""
    (found,) = answers(RING, "traffic_hops(shift(all npu, k = 1), routing = valiant)")
    assert found.value == pytest.approx(2 * 2)


def test_a_dragonfly_by_its_paths() -> None:
    loops, shift = Loops(2), "shift(all npu, k = 8)"
    minimal, over, both = answers(
        dragonfly(2),
        f"traffic_hops({shift}, routing = group_minimal)",
        f"traffic_hops({shift}, routing = valiant(via = group))",
        f"traffic_hops({shift}, routing = ugal(via = group))",
    )
    for found, ways in ((minimal, loops.minimal), (over, loops.over_groups)):
        length = Fraction(0)
        for g in range(9):
            for r in range(4):
                length += sum((len(way) * chance for way, chance in ways((g, r), ((g + 1) % 9, r))), Fraction(0)) / 36
        assert found.value == pytest.approx(2 + float(length))
    assert minimal.value < both.value < over.value
    assert both.kind == "estimate"


def test_it_is_refused_where_the_split_is_not_one() -> None:
    assert "`optimal` has many best splits" in refusal(RING, "traffic_hops(alltoall(all npu), routing = optimal)")


def test_its_certificate_adds_up_the_loads() -> None:
    machine, routing = routing_on(MESH, "ecmp")
    demand = all_to_all(machine.network)
    load = routing.loads(machine, demand).load_Bps
    matrix, routed = matrix_of(demand, machine.network.ends), claimed(machine, routing)
    certificate = HopsCertificate(arcs_of(machine.network), load, matrix, 1.0, False, routed)
    assert certificate.prove(cables_of(machine)).lower == pytest.approx(load.sum() / (12 * 11))
    with pytest.raises(VerificationError):
        evolve(certificate, load_Bps=load * 1.01).prove(cables_of(machine))
