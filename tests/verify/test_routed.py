"""Loads of routings with fixed shares are worked out anew, with and without symmetries, and others are refused."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, RING, measured
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.verify import VerificationError, routed
from unifiedbus_dsl.verify.matrix import Matrix, parts_go_to_parts
from unifiedbus_dsl.verify.symmetries import arc_orbits

DRAGONFLY = (
    HEAD
    + """
npu Npu { port x : UB x1 }
switch Router { port down[2] : UB x1; port local[3] : UB x1; port global : UB x1 }
superpod Pod {
  router[5, 4] : Router
  npu[5, 4, 2] : Npu
  connect npu[g, r, i].x -- router[g, r].down[i] over Wide(1 m) for g, r, i
  connect router[g, *].local as fullmesh over Wide(1 m) for g
  connect router[g, h - g - 1].global -- router[h, 4 - h + g].global over Slow(1 m) for g in 0..4, h in 0..4 where g < h
}
system pod : Pod
"""
)
GRID = (
    HEAD
    + """
npu Npu { port x[2] : UB x1; port y[2] : UB x2; transit x, y }
superpod Pod {
  npu[3, 4] : Npu
  connect npu[i, j].x[0] -- npu[(i + 1) mod 3, j].x[1] over Wide(1 m) for i in 0..2, j in 0..3
  connect npu[i, j].y[0] -- npu[i, (j + 1) mod 4].y[1] over Wide(1 m) for i in 0..2, j in 0..3
}
system pod : Pod
"""
)
MACHINES = {"clos": CLOS, "ring": RING, "dragonfly": DRAGONFLY, "grid": GRID}
ROUTINGS = {
    "clos": ("ecmp", "wcmp", "valiant", "valiant(via = switch)", "updown"),
    "ring": ("ecmp", "wcmp", "valiant"),
    "dragonfly": ("ecmp", "group_minimal", "valiant(via = group)", "valiant(via = switch)"),
    "grid": ("ecmp", "valiant", "dor", "dor(order = [1, 0])"),
}
TRAFFICS = ("alltoall(all npu)", "shift(all npu, k = 1)")
CASES = [
    (m, r, t)
    for m, routings in ROUTINGS.items()
    for r in routings
    for t in TRAFFICS
    if m != "dragonfly" or r != "updown"
]


@pytest.mark.parametrize("few", [0, routed.FEW], ids=["by symmetry", "one by one"])
@pytest.mark.parametrize(("machine", "routing", "traffic"), CASES)
def test_right_loads_hold(machine: str, routing: str, traffic: str, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routed, "FEW", few)
    monkeypatch.setattr(routed, "FEW_GOALS", min(few, routed.FEW_GOALS))
    call, certified = measured(MACHINES[machine], f"throughput({traffic}, routing = {routing})")
    assert verified(call, certified) is certified.answer
    claim = certified.certificate.routed
    if "grid" in machine and "alltoall" in traffic and routing in ("ecmp", "dor") and not few:
        goals = claim.scheme.goals(cables_of(call.machine), certified.certificate.matrix)
        kept, label = claim._alike(
            cables_of(call.machine), certified.certificate.arcs, certified.certificate.matrix, goals
        )
        assert kept
        assert len(set(label[goals].tolist())) == 1


@pytest.mark.parametrize("few", [0, routed.FEW], ids=["by symmetry", "one by one"])
@pytest.mark.parametrize(("machine", "routing", "traffic"), CASES)
def test_loads_of_another_routing_are_refused(
    machine: str, routing: str, traffic: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A circle of cables that carries a little more, or a little less, conserves everything."""
    monkeypatch.setattr(routed, "FEW", few)
    monkeypatch.setattr(routed, "FEW_GOALS", min(few, routed.FEW_GOALS))
    call, certified = measured(MACHINES[machine], f"load({traffic}, routing = {routing}, rate = 1 GB/s)")
    certificate = certified.certificate
    arcs, load = certificate.arcs, certificate.load_Bps.copy()
    tail = np.repeat(np.arange(len(arcs.indptr) - 1), np.diff(arcs.indptr))
    cables = cables_of(call.machine)
    at = np.flatnonzero(cables.forwards[tail] & cables.forwards[arcs.head])[0]
    back = np.flatnonzero((tail == arcs.head[at]) & (arcs.head == tail[at]) & (arcs.kind == arcs.kind[at]))[0]
    load[[at, back]] += 1e-3 * load.max()
    with pytest.raises(VerificationError, match="loads are not those of the routing"):
        evolve(certificate, load_Bps=load).prove(cables)


@pytest.mark.parametrize("few", [0, routed.FEW], ids=["by symmetry", "one by one"])
def test_a_routing_that_is_claimed_to_be_another_is_refused(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Global, local, global is as few cables as local, global, local, and not group-minimal."""
    monkeypatch.setattr(routed, "FEW", few)
    monkeypatch.setattr(routed, "FEW_GOALS", min(few, routed.FEW_GOALS))
    found = {}
    for routing in ("ecmp", "group_minimal", "valiant(via = group)", "valiant(via = switch)"):
        call, certified = measured(DRAGONFLY, f"load(shift(all npu, k = 11), routing = {routing}, rate = 1 GB/s)")
        found[routing] = certified.certificate
        cables = cables_of(call.machine)
    for name, certificate in found.items():
        for other, claimed in found.items():
            same = np.allclose(certificate.load_Bps, claimed.load_Bps)
            assert same == (name == other)
            if not same:
                with pytest.raises(VerificationError, match="loads are not those of the routing"):
                    evolve(certificate, routed=claimed.routed, relays=True).prove(cables)


def test_too_many_goals_are_told_and_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routed, "MAX_WORK", 10)
    call, certified = measured(CLOS, "throughput(alltoall(all npu))")
    found = verified(call, certified)
    assert found.standing == "exact, unverified"
    assert "were not worked out anew" in found.unverified[0]
    assert found.to_json()["unverified"] == list(found.unverified)


def test_a_move_that_is_no_symmetry_takes_arcs_nowhere() -> None:
    call, certified = measured(RING, "throughput(alltoall(all npu))")
    cables, arcs = cables_of(call.machine), certified.certificate.arcs
    move = routed.Move(np.array([0, 4]), np.array([4, 0]))
    with pytest.raises(VerificationError, match="does not bring the arcs back"):
        arc_orbits(cables, arcs, [move])


def test_parts_are_kept_or_not() -> None:
    part = np.array([0, 0, 1, 1, -1])
    assert parts_go_to_parts(part, np.array([2, 3, 1, 0, 4]))
    assert not parts_go_to_parts(part, np.array([2, 1, 0, 3, 4]))
    assert not parts_go_to_parts(part, np.array([4, 1, 2, 3, 0]))


def test_pairs_are_kept_or_not() -> None:
    ring = Matrix(4, source=np.arange(4), target=(np.arange(4) + 1) % 4, rates=np.ones(4))
    assert ring.is_kept(np.arange(4), (np.arange(4) + 1) % 4)
    assert not ring.is_kept(np.arange(4), np.arange(4)[::-1])
    uneven = evolve(ring, rates=np.array([1.0, 2.0, 1.0, 2.0]))
    assert not uneven.is_kept(np.arange(4), (np.arange(4) + 1) % 4)
    assert uneven.is_kept(np.arange(4), (np.arange(4) + 2) % 4)
