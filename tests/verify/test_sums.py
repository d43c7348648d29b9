"""Sums are added up anew on the fabric: each kind of selection, with failures and spares, and broken ones refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import HEAD, call_of, evaluate
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import Stated, VerificationError

TEXT = (
    HEAD.replace("medium = copper;", "medium = copper; cost = 50 USD; afr = 0.25;")
    + """
npu Chip {
  memory = 64 GB; power = 100 W; cost = 9 USD; afr = 0.5
  port x[2] : UB x1; port up[2] : UB x2; port out : UB x4 @open
}
switch Hub { power = 40 W; port p[8] : UB x2; port more : UB x4 @open }
board Ring {
  npu[4] : Chip
  connect npu.x as ring over Slow(1 m)
  port up = npu.up
  power = 25 W
}
rack Pair {
  ring[2] : Ring
  spare extra : Ring
  hub[2]  : Hub
  connect ring[r].up[i, k] -- hub[k].p[4 * r + i] over Wide(1 m) for r in 0..1, i in 0..3, k in 0..1
  open extra.up
  cost = 1000 USD
}
system pair : Pair
"""
)
QUESTIONS = {
    "count(all npu)": 8,
    "count(all board)": 2,
    "count(all link)": 16 + 8,
    "count(all link where medium == optical)": None,
    "count(all link in ring[0])": 4,
    "count(ring[0].npu[1..2])": 2,
    "count(ring[*])": 2,
    "count(all port)": 8 * 5 + 2 * 9,
    "count(all port where lanes == 2)": 8 * 2 + 2 * 8,
    "count(all npu in ring[0] | ring[1].npu[0])": 5,
    "count(all npu - ring[1].npu[0])": 7,
    "count(all link - all link in ring[0])": 20,
    "power(ring[0] | ring[1])": 50,
    "ports(all npu)": 40,
    "ports(all npu.up)": 16,
    "ports(ring[0].up)": 8,
    "count(ring[0].npu.up | ring[1].npu.up)": 16,
    "ports(ring[0].npu.up | ring[*].npu[0].up)": 8 + 2,
    "lanes(ring[*].npu.up - ring[0].npu[*].up[0])": (16 - 4) * 2,
    "bandwidth(ring[0].npu.x | hub[1].p)": (8 * 1 + 8 * 2) * 10e9,
    "ports((hub[0].p | hub[1].p) - hub[*].p[0..2])": 10,
    "ports(all port - ring[*].npu.up)": 8 * 5 + 2 * 9 - 16,
    "lanes(all npu)": 8 * (2 + 4 + 4),
    "lanes(all link)": 8 + 16 * 2,
    "bandwidth(all npu)": 80 * 10e9,
    "bandwidth(ring[0].up[*, 0])": 8 * 10e9,
    "bandwidth(all board.up)": 2 * 8 * 2 * 10e9,
    "free_ports(all npu)": 8,
    "free_ports(all switch)": 2,
    "sum(all npu.memory)": 8 * 64e9,
    "sum(all link.cost)": 24 * 50,
    "power(all npu)": 800,
    "power()": 8 * 100 + 2 * 40 + 2 * 25,
    "cost()": 8 * 9 + 24 * 50 + 1000,
    "mtbf()": 8760 * 3600 / (8 * 0.5 + 24 * 0.25),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_sums_are_shown(question: str) -> None:
    right = QUESTIONS[question]
    call = call_of(compile_text(TEXT), question)
    certified = evaluate(call)
    assert not isinstance(certified.certificate, Stated)
    answer = verified(call, certified)
    assert answer.value == pytest.approx(0 if right is None else right)
    for wrong in (answer.value * 1.001 + 1, answer.value * 0.999 - 1):
        with pytest.raises(VerificationError, match="failed its verification"):
            verified(call, evolve(certified, answer=evolve(answer, value=wrong, lower=wrong, upper=wrong)))


LEFT = {
    "count(all npu)": 7,
    "count(all switch)": 1,
    "count(all link)": 24 - 8 - 2 - 1 - 1,
    "free_ports(all npu)": 7 + 7 + 2 + 2,
    "power()": 700 + 40 + 50,
    "cost()": 7 * 9 + 12 * 50 + 1000,
    "sum(all link.cost)": 12 * 50,
    "mtbf()": 8760 * 3600 / (7 * 0.5 + 12 * 0.25),
}


@pytest.mark.parametrize("question", LEFT)
def test_sums_of_what_is_left_are_shown(question: str) -> None:
    """An NPU is lost with four cables, a switch with eight, one of which is the NPU's, and one more cable of a ring."""
    machine = NetworkContext(compile_text(TEXT).fabric())
    fabric = machine.fabric
    names = fabric.cable_names(np.arange(fabric.cable_count))
    other = next(k for k, name in enumerate(names) if name.count("ring[1].npu[") == 2)
    gone = [fabric.device_id("ring[0].npu[0]"), fabric.device_id("hub[0]")]
    call = call_of(machine.damaged(gone, [other]), question)
    call = evolve(call, selector=evolve(call.selector, lost=call.machine.lost_devices))
    certified = evaluate(call)
    assert not isinstance(certified.certificate, Stated)
    assert verified(call, certified).value == pytest.approx(LEFT[question])


BROKEN: list[tuple[str, Callable[[Any], Any], str]] = [
    ("count(all npu)", lambda c: evolve(c, devices=np.append(c.devices, c.devices[:1])), "counts twice"),
    ("count(all npu)", lambda c: evolve(c, devices=np.append(c.devices, 99)), "counts twice"),
    ("count(all link)", lambda c: evolve(c, cables=np.append(c.cables, c.cables[:1])), "counts twice"),
    ("ports(all npu.up)", lambda c: evolve(c, ports=(c.ports[0] * 0, c.ports[1] * 0)), "counts twice"),
    ("count(all board)", lambda c: evolve(c, assemblies={"Ring": (np.array([1]), np.array([3]))}), "that is none"),
    ("sum(all npu.memory)", lambda c: evolve(c, devices=np.arange(14)), "states no such field"),
]


@pytest.mark.parametrize(("question", "change", "message"), BROKEN)
def test_what_is_not_there_is_not_counted(question: str, change: Callable[[Any], Any], message: str) -> None:
    call = call_of(compile_text(TEXT), question)
    proof = evaluate(call).certificate
    with pytest.raises(VerificationError, match=message):
        evolve(proof, chosen=change(proof.chosen)).prove(cables_of(call.machine))


def test_what_is_lost_is_not_counted() -> None:
    machine = NetworkContext(compile_text(TEXT).fabric())
    for question, part in (("count(all npu)", "device"), ("count(all link)", "cable")):
        proof = evaluate(call_of(machine, question)).certificate
        damaged = machine.damaged([machine.fabric.device_id("ring[0].npu[0]")])
        with pytest.raises(VerificationError, match=f"a {part} that is lost"):
            evolve(proof, lost=damaged.lost_devices).prove(cables_of(damaged))


def test_a_wrong_sum_never_leaves(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("unifiedbus_dsl.semantic.select.type_scope.count_points", lambda *args: 3)
    for question in ("count(all link)", "cost()"):
        with pytest.raises(VerificationError, match="failed its verification"):
            api.measure(compile_text(TEXT).fabric(), question)
