"""Least times of collectives are held to cuts and flows, or to ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, MANY, RING, measured
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.solver.bounds import BoundedValue
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError, gathering
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.symmetries import Move

HUB = (
    HEAD
    + """
npu Hub { injection = 10 GB/s; port x[3] : UB x1 }
npu Leaf { port x : UB x1 }
superpod Pod { npu : Hub; leaf[3] : Leaf; connect leaf[i].x -- npu.x[i] over Wide(1 m) for i in 0..2 }
system pod : Pod
"""
)
"""The hub sends again what it relays, within its injection: more than a cut says."""
WIDE = CLOS.replace("injection = 25 GB/s; ", "")
TWO = (
    HEAD
    + """
npu Npu { port x : UB x4 }
switch Box { port p[2] : UB x4; port up : UB x1 }
superpod Pod {
  npu[4] : Npu
  box[2] : Box
  connect npu[2*b + i].x -- box[b].p[i] over Wide(1 m) for b in 0..1, i in 0..1
  connect box[0].up -- box[1].up over Wide(1 m)
}
system pod : Pod
"""
)
COLLECTIVES = ["allgather", "reducescatter", "broadcast", "allreduce", "alltoall"]


@pytest.mark.parametrize("text", [CLOS, RING, HUB, WIDE], ids=["clos", "ring", "hub", "wide"])
@pytest.mark.parametrize("collective", COLLECTIVES)
def test_the_certificates_hold(text: str, collective: str) -> None:
    call, certified = measured(text, f"optimal_time({collective}(all npu, size = 1 MB))")
    found = verified(call, certified)
    assert found.value == certified.answer.value
    assert not found.unverified


FAST = "does not fit|faster than its end points send and take"


@pytest.mark.parametrize("text", [WIDE, RING, TWO], ids=["clos", "ring", "two"])
@pytest.mark.parametrize("collective", COLLECTIVES[:3])
def test_times_beyond_cuts_and_flows_are_refused(text: str, collective: str) -> None:
    call, certified = measured(text, f"optimal_time({collective}(all npu, size = 1 MB))")
    proof, cables = certified.certificate, cables_of(call.machine)
    for change, message in (
        ({"lower_s": proof.lower_s * 1.01}, "no cut takes more"),
        ({"upper_s": proof.upper_s * 0.99}, "does not fit" if text == TWO else FAST),
        ({"size_bytes": proof.size_bytes * 1.01}, FAST),
        ({"size_bytes": proof.size_bytes * 0.99}, "no cut takes more"),
    ):
        with pytest.raises(VerificationError, match=message):
            evolve(proof, **change).prove(cables)


def test_all_reduces_beyond_flows_are_not_shown() -> None:
    """Trees may be quicker than two phases, and slower than a cut says: what is claimed beyond both is not verified."""
    call, certified = measured(TWO, "optimal_time(allreduce(all npu, size = 1 MB))")
    proof, cables = certified.certificate, cables_of(call.machine)
    late = evolve(proof, lower_s=proof.lower_s * 1.01, upper_s=proof.upper_s * 2)
    assert late.prove(cables).unverified == (gathering.BELOW,)
    near = evolve(proof, lower_s=proof.lower_s / 2, upper_s=proof.upper_s * 0.99)
    assert near.prove(cables).unverified == (gathering.ABOVE,)
    with pytest.raises(VerificationError, match="faster than its end points send and take"):
        evolve(proof, lower_s=proof.lower_s / 9, upper_s=proof.upper_s / 9).prove(cables)


def test_the_narrowest_cut_of_an_all_reduce_is_found() -> None:
    """Two leaves of two NPUs with a narrow cable between them, which the whole size crosses."""
    call, certified = measured(TWO, "optimal_time(allreduce(all npu, size = 1 MB))")
    found = verified(call, certified)
    assert gathering.BELOW not in found.unverified
    assert found.lower == pytest.approx(1e6 / 10e9, rel=1e-6)


def test_times_below_the_ports_of_groups_are_refused() -> None:
    proof = gathering.PortsCertificate(Matrix(6, group=np.zeros(6, dtype=np.int64), rate=1e6), 0.0, 1e-9)
    with pytest.raises(VerificationError, match="faster than the ports"):
        proof.prove(cables_of(NetworkContext(compile_text(RING).fabric())))


@pytest.mark.parametrize("collective", COLLECTIVES[:4])
def test_one_of_each_sort_is_looked_at(collective: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows of one member in a ring of six, by symmetries that are held to the arcs; without them of each, and where
    that is too much what is quick to add up alone."""
    call, certified = measured(RING, f"optimal_time({collective}(all npu, size = 1 MB))")
    proof, cables = certified.certificate, cables_of(call.machine)
    assert len(proof._firsts(cables)) < len(evolve(proof, moves=())._firsts(cables))
    assert not evolve(proof, moves=()).prove(cables).unverified
    wrong = Move(np.arange(6), np.roll(np.arange(6), 1))
    with pytest.raises(VerificationError, match="symmetry"):
        evolve(proof, moves=(wrong,)).prove(cables)
    monkeypatch.setattr(gathering, "MAX_WORK", 1)
    assert gathering.ABOVE in proof.prove(cables).unverified


def test_many_members_that_are_alike_are_shown() -> None:
    """256 of a ring: 255 shards of a MB by two ports."""
    call, certified = measured(MANY, "optimal_time(allgather(all npu, size = 256 MB))")
    found = verified(call, certified)
    assert found.standing == "exact"
    assert found.value == pytest.approx(255e6 / 20e9, rel=1e-6)


def test_where_an_injection_is_shared_flows_alone_are_held() -> None:
    call, certified = measured(HUB, "optimal_time(allgather(all npu, size = 1 MB))")
    cables = cables_of(call.machine)
    assert len(gathering.Memories.of(cables).shared)
    with pytest.raises(VerificationError, match="faster than its end points send"):
        evolve(certified.certificate, upper_s=certified.certificate.upper_s / 9).prove(cables)


def test_a_wrong_least_time_never_leaves(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    from unifiedbus_dsl.solver.collectives import collective_bounds

    real: Callable[..., BoundedValue] = collective_bounds.collective_time_bound
    for factor in (0.5, 2.0):
        with monkeypatch.context() as patch:

            def wrong(*args: Any, by: float = factor, **more: Any) -> BoundedValue:
                found = real(*args, **more)
                return evolve(found, value=found.value * by, lower=found.lower * by, upper=found.upper * by)

            patch.setattr(collective_bounds, "collective_time_bound", wrong)
            with pytest.raises(VerificationError, match="failed its verification"):
                api.measure(compile_text(WIDE).fabric(), "optimal_time(allgather(all npu, size = 1 MB))")
