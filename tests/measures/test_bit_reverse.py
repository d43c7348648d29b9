"""Bit reversal: the pattern by texts of digits, and a bound of the literature on a hypercube."""

from __future__ import annotations

import pytest

from tests.solver.routing.test_dragonfly import answers, refusal
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.solver.demand import Pairs
from unifiedbus_dsl.solver.network_context import NetworkContext


def hypercube(d: int) -> str:
    sides = ", ".join(["2"] * d)
    names = [f"i{k}" for k in range(d)]
    lines = "\n".join(
        f"  connect npu[{', '.join('0' if at == k else n for at, n in enumerate(names))}].p[{k}] -- "
        f"npu[{', '.join('1' if at == k else n for at, n in enumerate(names))}].p[{k}] over Wire(1 m) "
        f"for {', '.join(n for at, n in enumerate(names) if at != k)}"
        for k in range(d)
    )
    return f"""ubus 1
protocol UB {{ lane = 100 GB/s }}
link Wire : UB {{ medium = copper; reach = 9 m }}
npu Chip {{ port p[{d}] : UB x1; transit p }}
rack Cube {{
  npu[{sides}] : Chip
{lines}
}}
system s : Cube
"""


@pytest.mark.parametrize("d", [2, 3, 5])
def test_pairs_are_digits_backwards(d: int) -> None:
    done, sink = compile_text(hypercube(d)), Sink()
    machine = NetworkContext(done.fabric())
    (call,) = measure_calls("throughput(bit_reverse(all npu))", sink)
    _, demand = make_evaluator(done, machine, sink).call(call).matrix()
    assert isinstance(demand, Pairs)
    wanted = {(i, int(f"{i:0{d}b}"[::-1], 2)) for i in range(2**d)}
    assert set(zip(demand.source.tolist(), demand.target.tolist(), strict=True)) == {
        (a, b) for a, b in wanted if a != b
    }


@pytest.mark.parametrize("d", [4, 6])
def test_dimension_order_on_a_hypercube_meets_in_the_middle(d: int) -> None:
    """Dimension by dimension all 2^(d/2) end points with the same first half come through one vertex half-way, and
    leave it by d/2 cables at the most: that oblivious routing is bad at permutations (Borodin and Hopcroft, 1985)."""
    (found,) = answers(hypercube(d), "load(bit_reverse(all npu), routing = dor, rate = 1 GB/s)")
    assert found.value * 100 == pytest.approx(2 ** (d // 2 - 1))


def test_it_wants_a_power_of_two() -> None:
    said = refusal(hypercube(3), "throughput(bit_reverse(npu[0, 0, 0] | npu[0, 0, 1] | npu[0, 1, 0]))")
    assert "`bit_reverse` wants a power of two of end points, found 3" in said


def test_in_groups_each_is_reversed_for_itself() -> None:
    whole, halves = answers(
        hypercube(3), "traffic_hops(bit_reverse(all npu))", "traffic_hops(bit_reverse(all npu, groups = 2))"
    )
    assert (whole.value, halves.value) == (2, 2)
