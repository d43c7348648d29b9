"""Least times of collectives are held to cuts and flows, or to ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, RING, measured
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.solver.bounds import BoundedValue
from unifiedbus_dsl.verify import VerificationError, gathering

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
COLLECTIVES = ["allgather", "reducescatter", "broadcast", "allreduce", "alltoall"]


@pytest.mark.parametrize("text", [CLOS, RING, HUB], ids=["clos", "ring", "hub"])
@pytest.mark.parametrize("collective", COLLECTIVES)
def test_the_certificates_hold(text: str, collective: str) -> None:
    call, certified = measured(text, f"optimal_time({collective}(all npu, size = 1 MB))")
    found = verified(call, certified)
    assert found.value == certified.answer.value
    ports_alone, shared = collective == "allreduce", text == HUB and collective != "alltoall"
    assert bool(found.unverified) == (ports_alone or shared)


@pytest.mark.parametrize("text", [WIDE, RING], ids=["clos", "ring"])
@pytest.mark.parametrize("collective", COLLECTIVES[:3])
def test_times_beyond_cuts_and_flows_are_refused(text: str, collective: str) -> None:
    call, certified = measured(text, f"optimal_time({collective}(all npu, size = 1 MB))")
    proof, cables = certified.certificate, cables_of(call.machine)
    for change, message in (
        ({"lower_s": proof.lower_s * 1.01}, "no cut takes more"),
        ({"upper_s": proof.upper_s * 0.99}, "does not fit"),
        ({"size_bytes": proof.size_bytes * 1.01}, "does not fit"),
        ({"size_bytes": proof.size_bytes * 0.99}, "no cut takes more"),
    ):
        with pytest.raises(VerificationError, match=message):
            evolve(proof, **change).prove(cables)


def test_times_below_the_ports_are_refused() -> None:
    call, certified = measured(CLOS, "optimal_time(allreduce(all npu, size = 1 MB))")
    with pytest.raises(VerificationError, match="faster than the ports"):
        evolve(certified.certificate, upper_s=certified.certificate.upper_s / 9).prove(cables_of(call.machine))


def test_where_an_injection_is_shared_flows_alone_are_held() -> None:
    call, certified = measured(HUB, "optimal_time(allgather(all npu, size = 1 MB))")
    cables = cables_of(call.machine)
    assert gathering.Memories(cables).shared
    with pytest.raises(VerificationError, match="does not fit"):
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
