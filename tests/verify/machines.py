"""Small machines as texts, and what a measure of them gives before it is verified."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.compiler import Compilation, compile_text
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import measure_named
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.vocabulary.signatures import MEASURES

HEAD = """ubus 1
protocol UB { lane = 80 Gbps; latency = 100 ns }
link Wide : UB { medium = copper; reach = 9 m }
link Slow : UB { medium = copper; reach = 9 m; latency = 50 ns }
"""
CLOS = (
    HEAD
    + """
npu Npu { port x : UB x2; port y : UB x1; injection = 25 GB/s; latency = 20 ns }
switch Leaf { port down[4] : UB x2; port side[4] : UB x1; port up[2] : UB x4 }
switch Spine { port down[2] : UB x4 }
superpod Pod {
  npu[4] : Npu
  leaf[2] : Leaf
  spine[2] : Spine
  connect npu[i].x -- leaf[0].down[i] over Wide(1 m) for i in 0..3
  connect npu[i].y -- leaf[1].side[i] over Wide(1 m) for i in 0..3
  connect leaf[l].up[s] -- spine[s].down[l] over Wide(1 m) for l in 0..1, s in 0..1
  open leaf[0].side, leaf[1].down
}
system pod : Pod
"""
)
"""Four NPUs with a wide port on one leaf and a narrow one on another, whose ports don't forward."""
RING = (
    HEAD
    + """
npu Npu { port left : UB x1; port right : UB x1; port aside : UB x1; transit left, right; latency = 30 ns }
switch Hub { port down[6] : UB x1 }
superpod Pod {
  npu[6] : Npu
  hub : Hub
  connect npu[i].right -- npu[(i + 1) mod 6].left over Wide(1 m) for i in 0..5
  connect npu[i].aside -- hub.down[i] over Slow(1 m) for i in 0..5
}
system pod : Pod
"""
)
"""A ring of six NPUs that forward along it; the port to a hub is apart."""

MANY = (
    HEAD
    + """
npu Npu { port left : UB x1; port right : UB x1; transit left, right }
superpod Pod { npu[256] : Npu; connect npu[i].right -- npu[(i + 1) mod 256].left over Wide(1 m) for i in 0..255 }
system pod : Pod
"""
)
"""A ring of 256 that forward."""


def call_of(machine: NetworkContext | Compilation, question: str) -> MeasureCall:
    """A measure as it is asked of a machine."""
    if isinstance(machine, Compilation):
        machine = NetworkContext(machine.fabric())
    from unifiedbus_dsl.compiler import of_fabric

    sink = Sink()
    asker = make_evaluator(of_fabric(machine.fabric), machine, sink)
    calls = measure_calls(question, sink)
    assert len(calls) == 1, [each.message for each in sink]
    return asker.call(calls[0])


def evaluate(call: MeasureCall) -> Certified:
    """What a measure gives, not verified."""
    measure = measure_named(call.name)
    assert measure is not None
    return measure.evaluate(call)


def with_measure(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Certified], Certified]) -> None:
    """Have a measure give something else."""
    measure = measure_named(name)
    assert measure is not None
    real = measure.evaluate
    monkeypatch.setitem(MEASURES._entries, name, evolve(measure, evaluate=lambda call: change(real(call))))


def measured(text: str, question: str) -> tuple[MeasureCall, Certified]:
    """A call and what its measure gives, not verified."""
    call = call_of(compile_text(text), question)
    return call, evaluate(call)
