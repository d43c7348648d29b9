"""Disjoint paths are shown by a flow and a cut of each pair, and by who is like whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, RING, evaluate, measured
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import arcs_of, cables_of, verified
from unifiedbus_dsl.solver.from_plan import disjoint_paths
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.disjoint import PairFlow, see_pair

MESH = (
    HEAD
    + """
npu Npu { port x[4] : UB x1; port y[2] : UB x1; transit x, y }
superpod Pod {
  npu[3, 5] : Npu
  connect npu[i, *].x as fullmesh over Wide(1 m) for i in 0..2
  connect npu[*, j].y as fullmesh over Wide(1 m) for j in 0..4
}
system pod : Pod
"""
)
"""Six cables an NPU, all of which forward."""


@pytest.mark.parametrize(("text", "right"), [(CLOS, 2), (RING, 3), (MESH, 6)], ids=["clos", "ring", "mesh"])
@pytest.mark.parametrize("damage", [False, True])
def test_the_certificates_hold(text: str, right: int, damage: bool) -> None:
    call, certified = measured(text, "disjoint_paths(all npu)")
    assert certified.answer.value == right
    assert verified(call, certified) is certified.answer
    assert certified.certificate.neighbours == (text == MESH)
    if damage:
        machine = call.machine.damaged(lost_cables=[0])
        call = evolve(call, machine=machine)

        again = evaluate(call)
        assert verified(call, again).value <= right


def pair_of(text: str) -> tuple[NetworkContext, PairFlow]:
    machine = NetworkContext(compile_text(text).fabric())
    found = distances.pair_paths(machine.network, 0, 3)
    return machine, PairFlow(0, 3, found.tail, found.head, found.amount, found.side)


FLOWS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("amount", lambda amount: amount * 2, "more paths than cables"),
    ("amount", lambda amount: -amount, "negative"),
    ("amount", lambda amount: amount * (np.arange(len(amount)) > 0), "ends on its way|a cut of"),
    ("head", lambda head: np.roll(head, 1), "more paths than cables|ends on its way"),
    ("side", lambda side: ~side, "does not part"),
    ("side", lambda side: side | (np.arange(len(side)) == 0), "a cut of"),
    ("side", lambda side: side[:-1], "different end points"),
    ("target", lambda target: 0, "different end points"),
]


@pytest.mark.parametrize(("part", "change", "message"), FLOWS)
def test_a_broken_flow_or_cut_is_refused(part: str, change: Callable[[Any], Any], message: str) -> None:
    machine, flow = pair_of(MESH)
    cables, arcs = cables_of(machine), arcs_of(machine.network)
    assert see_pair(cables, arcs, flow, 1).paths == 6
    if part == "side" and message == "a cut of":
        flow = evolve(flow, side=np.arange(len(flow.side)) == len(flow.side) - 2)  # the source alone
        change = lambda side: side | (np.arange(len(side)) == 4)  # noqa: E731
    with pytest.raises(VerificationError, match=message):
        see_pair(cables, arcs, evolve(flow, **{part: change(getattr(flow, part))}), 1)


@pytest.mark.parametrize("text", [CLOS, MESH], ids=["clos", "mesh"])
def test_pairs_that_do_not_stand_for_all_are_refused(text: str) -> None:
    call, certified = measured(text, "disjoint_paths(all npu)")
    proof, cables = certified.certificate, cables_of(call.machine)
    for change, message in (
        ({"seen": proof.seen[:-1]}, "of each orbit|no pair"),
        ({"seen": []}, "no pair"),
        ({"moves": []}, "of each orbit"),
        ({"neighbours": not proof.neighbours}, "neighbours stand for all|of each orbit"),
    ):
        with pytest.raises(VerificationError, match=message):
            evolve(proof, **change).prove(cables)


def test_wrong_answers_never_leave(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fabric = compile_text(CLOS).fabric()
    real = distances.pair_paths
    monkeypatch.setattr(distances, "pair_paths", lambda *args: evolve(real(*args), count=3))
    flow = disjoint_paths.maximum_flow
    monkeypatch.setattr(disjoint_paths, "maximum_flow", lambda *args: ([0] * len(args[1]), flow(*args)[1]))
    for ask in (lambda: api.disjoint_paths(fabric), lambda: api.measure(fabric, "disjoint_paths(all npu)")):
        with pytest.raises(VerificationError, match="failed its verification"):
            ask()
