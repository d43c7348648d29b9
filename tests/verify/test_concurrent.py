"""Flows of each source: those of right answers hold, and each way to make them wrong is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, MANY, RING, measured
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.solver.flow import quotient_lp
from unifiedbus_dsl.verify import VerificationError, concurrent
from unifiedbus_dsl.verify.class_flows import SourceFlow

TWO = (
    HEAD
    + """
npu Npu { port x : UB x1 }
switch Box { port p[4] : UB x1 }
superpod Pod {
  npu[4] : Npu
  box[2] : Box
  connect npu[i].x -- box[0].p[i] over Wide(1 m) for i in 0..1
  connect npu[i].x -- box[1].p[i] over Wide(1 m) for i in 2..3
  connect box[0].p[3] -- box[1].p[0] over Wide(1 m)
  open box.p
}
system pod : Pod
"""
)
CASES = [
    (CLOS, "throughput(alltoall(all npu), routing = optimal)"),
    (CLOS, "throughput(alltoall(all npu), routing = minimal)"),
    (RING, "throughput(alltoall(all npu), routing = optimal)"),
    (RING, "throughput(shift(all npu, k = 2), routing = minimal)"),
    (RING, "throughput(pairs(npu[0] -> npu[3]), routing = optimal)"),
]


@pytest.mark.parametrize(("text", "question"), CASES)
def test_flows_of_right_answers_hold(text: str, question: str) -> None:
    call, certified = measured(text, question)
    assert verified(call, certified) is certified.answer
    assert certified.certificate.flows is not None


def whole(certificate: Any) -> list[np.ndarray]:
    """What each arc carries of each flow."""
    alike = certificate.flows.alike
    labels = int(alike.label.max()) + 1
    arcs = alike.arcs
    tail = np.repeat(np.arange(len(arcs.indptr) - 1), np.diff(arcs.indptr))
    every = slice(0, arcs.size)
    found = []
    for flow in certificate.flows.flows:
        values = concurrent.Values.of(flow, labels)
        found.append(values.on(tail, arcs.head, alike.label, every))
    return found


def stated(certificate: Any, vertices: list[int], values: list[np.ndarray]) -> Any:
    flows = tuple(SourceFlow(vertex, value) for vertex, value in zip(vertices, values, strict=True))
    return evolve(certificate, flows=evolve(certificate.flows, flows=flows))


def test_each_way_to_make_flows_wrong_is_seen() -> None:
    call, certified = measured(RING, "throughput(shift(all npu, k = 2), routing = optimal)")
    cables, certificate = cables_of(call.machine), certified.certificate
    values = whole(certificate)
    vertices = [flow.vertex for flow in certificate.flows.flows]
    stated(certificate, vertices, values).prove(cables)
    wrong = {
        "has no flow": (vertices[:-1], values[:-1]),
        "has one already": ([*vertices, vertices[0]], [*values, values[0]]),
        "negative": (vertices, [-values[0], *values[1:]]),
        "is lost at a switch|begins at another|does not get": (vertices, [values[0] * (np.arange(len(values[0])) % 2)]),
    }
    for message, (of, what) in wrong.items():
        with pytest.raises(VerificationError, match=message):
            stated(certificate, of, what).prove(cables)
    with pytest.raises(VerificationError, match=r"the loads are not those of the flows|does not get"):
        stated(certificate, vertices, [each * (1 + 1e-4) for each in values]).prove(cables)


def test_loads_that_add_up_and_bring_each_what_is_another_s_are_refused() -> None:
    """0 sends to 1 and 2 to 3; 0 to 3 and 2 to 1 has the same sums."""
    call, certified = measured(TWO, "throughput(pairs(npu[0] -> npu[1]), routing = optimal)")
    cables, given = cables_of(call.machine), certified.certificate
    one, two = np.array([0, 2]), np.array([1, 3])
    straight = evolve(given.matrix, source=one, target=two, rates=np.ones(2))
    crossed = evolve(straight, target=two[::-1])
    value = whole(given)[0]
    tail = np.repeat(np.arange(cables.vertices), np.diff(given.arcs.indptr))
    other = np.zeros_like(value)
    other[np.isin(tail, np.flatnonzero(np.isin(cables.end, [2])))] = value.max()
    other[np.isin(given.arcs.head, np.flatnonzero(np.isin(cables.end, [3])))] = value.max()
    alone = evolve(
        given.flows.alike,
        generators=(),
        by=np.full(cables.vertices, -1, dtype=np.int16),
        rank=np.zeros(cables.vertices, dtype=np.int32),
        label=np.arange(given.arcs.size, dtype=np.int32),
        stabilise=(),
    )
    flows = (
        SourceFlow(int(np.flatnonzero(cables.end == 0)[0]), value),
        SourceFlow(int(np.flatnonzero(cables.end == 2)[0]), other),
    )
    right = evolve(
        given, load_Bps=value + other, matrix=straight, scale=10e9, flows=evolve(given.flows, alike=alone, flows=flows)
    )
    right.flows.check(cables, straight, 10e9, value + other)
    assert evolve(right, matrix=crossed, flows=None).scale == 10e9
    with pytest.raises(VerificationError, match="does not get what it is sent"):
        right.flows.check(cables, crossed, 10e9, value + other)


def test_flows_that_are_not_told_apart_are_said() -> None:
    call, certified = measured(CLOS, "throughput(alltoall(all npu), routing = optimal)")
    found = verified(call, evolve(certified, certificate=evolve(certified.certificate, flows=None)))
    assert found.standing == "exact, unverified"
    assert "each end point gets its own" in found.unverified[0]


def test_too_many_sources_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrent, "MAX_WORK", 10)
    call, certified = measured(CLOS, "throughput(alltoall(all npu), routing = optimal)")
    assert "were not followed" in verified(call, certified).unverified[0]


def test_minimal_flows_take_no_way_round() -> None:
    """All paths of an optimal flow are no paths of fewest cables."""
    call, certified = measured(RING, "throughput(pairs(npu[0] -> npu[2]), routing = optimal)")
    certificate = certified.certificate
    narrow = evolve(certificate.flows, shortest=True)
    with pytest.raises(VerificationError, match="a way round"):
        evolve(certificate, flows=narrow).prove(cables_of(call.machine))


def test_half_of_a_wide_cable_is_like_a_narrow_one() -> None:
    """Two kinds of links of one capacity and latency: a ring whose cables are of either is as regular as of one."""
    text = (
        RING.replace("link Slow", "link Same : UB { medium = copper; reach = 8 m }\nlink Slow")
        .replace(
            "right -- npu[(i + 1) mod 6].left over Wide(1 m) for i in 0..5",
            "right -- npu[i + 1].left over Wide(1 m) for i in 0..4",
        )
        .replace(
            "  connect npu[i].aside", "  connect npu[5].right -- npu[0].left over Same(1 m)\n  connect npu[i].aside"
        )
    )
    for routing in ("minimal", "optimal"):
        call, certified = measured(text, f"throughput(alltoall(all npu), routing = {routing})")
        flows = certified.certificate.flows
        kinds = flows.alike.arcs.kind
        assert len(np.unique(np.stack([kinds, flows.alike.label]), axis=1).T) > len(np.unique(flows.alike.label))
        assert verified(call, certified).standing == "exact"


def test_equal_shares_that_prices_meet_need_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Around a ring shortest paths fill all cables alike: that is seen before a large program is solved, and the loads
    are worked out anew as those of the routing; others in their place are refused."""
    monkeypatch.setattr(quotient_lp, "SMALL", 1)
    monkeypatch.setattr(quotient_lp, "_solve", lambda *_: pytest.fail("a linear program is solved"))
    question = "throughput(alltoall(all npu), routing = optimal)"
    call, certified = measured(MANY, question)
    found = verified(call, certified)
    assert found.standing == "exact"
    assert found.value == pytest.approx(2 * 10e9 * 255 / 128**2, rel=1e-6)  # two cables an NPU; its hops to all others
    proof, cables = certified.certificate, cables_of(call.machine)
    assert proof.routed is not None
    assert evolve(proof, routed=None).prove(cables).unverified
    turned = proof.load_Bps.copy()
    turned[::2], turned[1::2] = turned[::2] * 0.9, turned[1::2] * 1.0
    with pytest.raises(VerificationError, match=r"not those of the routing|does not go out|does not send"):
        evolve(proof, load_Bps=turned).prove(cables)
