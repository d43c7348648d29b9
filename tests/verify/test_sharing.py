"""Fair rates, times of collectives and sweeps are worked out anew from the cables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, MANY, RING, call_of, evaluate, measured
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.solver.collectives import step_time
from unifiedbus_dsl.solver.flow import max_min_fair as sharing
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify import sharing as verifier
from unifiedbus_dsl.verify.symmetries import Move

QUESTIONS = [
    "fair(alltoall(all npu))",
    "fair(shift(all npu, k = 1, size = 1 MB))",
    "fair(shift(all npu, k = 2), hash = 3)",
    "fair(incast(all npu -> npu[1]))",
    "time(allreduce(all npu, size = 1 MB))",
    "time(allgather(all npu, size = 1 MB), algorithm = ring)",
    "time(broadcast(all npu, size = 1 MB), algorithm = tree)",
    "sweep(allreduce(all npu))",
]


@pytest.mark.parametrize("text", [CLOS, RING], ids=["clos", "ring"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_certificates_hold(text: str, question: str) -> None:
    call, certified = measured(text, question)
    assert verified(call, certified) is certified.answer
    shown = certified.certificate.prove(cables_of(call.machine))
    assert shown.lower == pytest.approx(certified.answer.lower, rel=1e-6)
    assert shown.upper == pytest.approx(certified.answer.upper, rel=1e-6)


def test_flows_that_are_too_many_are_held_to_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "PAIRS", 1)
    for question in QUESTIONS:
        call, certified = measured(CLOS, question)
        found = verified(call, certified)
        assert "held to ports alone" in found.unverified[0]
    call, certified = measured(CLOS, QUESTIONS[0])
    with pytest.raises(VerificationError, match="faster than its ports"):
        evolve(certified.certificate, rate=certified.certificate.rate * 9).prove(cables_of(call.machine))
    call, certified = measured(CLOS, QUESTIONS[4])
    with pytest.raises(VerificationError, match="faster than the ports"):
        each_step(certified.certificate, bandwidth_s=lambda seconds: seconds / 9).prove(cables_of(call.machine))


FOLDED = [QUESTIONS[0], *QUESTIONS[4:]]


@pytest.mark.parametrize("question", FOLDED)
def test_one_flow_of_each_sort_stands_for_all(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring has six automorphisms at the least: flows of a few sorts are worked out, and all is as before."""
    monkeypatch.setattr(verifier, "FLOWS", 5)
    monkeypatch.setattr(verifier, "FEW", 5)
    call, certified = measured(RING, question)
    assert verified(call, certified).standing == "exact"
    for broken in spoilt(certified.certificate):
        with pytest.raises(VerificationError, match=r"not max-min fair|bytes of a step take other time"):
            broken.prove(cables_of(call.machine))


def spoilt(certificate: Any) -> list[Any]:
    """Certificates whose rates, or times of steps, are a little more, and less."""
    if isinstance(certificate, verifier.FairCertificate):
        return [evolve(certificate, rate=certificate.rate * factor) for factor in (0.99, 1.01)]
    if isinstance(certificate, verifier.TimeCertificate):
        return [each_step(certificate, bandwidth_s=lambda seconds: seconds * 1.01)]
    slow = [
        (size, [[evolve(step, bandwidth_s=step.bandwidth_s * 1.01) for step in steps] for steps in algorithms])
        for size, algorithms in certificate.sizes
    ]
    return [evolve(certificate, sizes=slow)]


def test_flows_are_alike_by_proved_automorphisms_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifier, "FLOWS", 5)
    monkeypatch.setattr(verifier, "FEW", 5)
    call, certified = measured(RING, QUESTIONS[0])
    wrong = Move(np.arange(2), np.arange(2)[::-1].copy())
    with pytest.raises(VerificationError, match="symmetry"):
        evolve(certified.certificate, moves=(wrong,)).prove(cables_of(call.machine))
    alone = evolve(certified, certificate=evolve(certified.certificate, moves=()))
    assert "held to ports alone" in verified(call, alone).unverified[0]


def test_many_flows_of_a_ring_are_shown() -> None:
    """65,280 of all to all among 256: 256² / 8 of them cross a cable each way."""
    call, certified = measured(MANY, "fair(alltoall(all npu))")
    found = verified(call, certified)
    assert found.standing == "exact"
    assert found.value == pytest.approx(10e9 / (256**2 / 8), rel=1e-6)
    call, certified = measured(MANY, "time(allreduce(all npu, size = 1 MB), algorithm = ring)")
    assert verified(call, certified).standing == "exact"


def test_rates_flow_by_flow_are_held_to_what_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: 0.9 of a rate could be more, 1.1 does not fit, and a slow one takes from no other."""
    monkeypatch.setattr(verifier, "FLOWS", 1)
    for question in ("fair(shift(all npu, k = 2), hash = 3)", "fair(shift(all npu, k = 2))", QUESTIONS[3]):
        call, certified = measured(RING, question)
        assert verified(call, certified).standing == "exact"
        proof, cables = certified.certificate, cables_of(call.machine)
        first = np.arange(len(proof.rate)) == 0
        for factor, message in ((0.9, "could be faster"), (1.1, "do not fit"), (np.where(first, 0.9, 1), "faster")):
            with pytest.raises(VerificationError, match=message):
                evolve(proof, rate=proof.rate * factor).prove(cables)
    call, certified = measured(RING, "fair(shift(all npu, k = 2, size = 1 MB))")
    assert "when the last of 6 flows ends" in verified(call, certified).unverified[0]


UNEVEN = (
    HEAD
    + """
npu A { port x[3] : UB x1 }
npu B { port x[3] : UB x2 }
npu C { port x[2] : UB x4; injection = 5 GB/s }
switch S { port p[3] : UB x1; port q[3] : UB x2 }
superpod Pod {
  a : A; b : B; c : C; s[2] : S
  connect a.x[i] -- s[0].p[i] over Wide(1 m) for i in 0..1
  connect a.x[2] -- s[1].p[0] over Wide(1 m)
  connect b.x[i] -- s[i].q[0] over Wide(1 m) for i in 0..1
  connect c.x[i] -- s[i].q[1] over Wide(1 m) for i in 0..1
  connect s[0].q[2] -- s[1].q[2] over Wide(1 m)
  open b.x, s.p
}
system pod : Pod
"""
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_two_flows_need_be_alike(question: str) -> None:
    """Three unlike end points: each flow is one of a sort, in whatever order rates are told."""
    call, certified = measured(UNEVEN, question.replace("npu[1]", "b"))
    assert verified(call, certified).standing == "exact"


def each_step(certificate: Any, **changes: Callable[[Any], Any]) -> Any:
    changed = [
        [evolve(step, **{part: change(getattr(step, part)) for part, change in changes.items()}) for step in steps]
        for steps in certificate.algorithms
    ]
    return evolve(certificate, algorithms=changed)


FAIR: list[tuple[int, str, Callable[[Any], Any], str]] = [
    (0, "rate", lambda rate: rate * 1.01, "not max-min fair"),
    (0, "rate", lambda rate: rate * 0.99, "not max-min fair"),
    (0, "count", lambda count: count + 1, "not as many rates"),
    (1, "last_s", lambda last: last * 1.01, "do not end when"),
    (2, "path", lambda path: (path[0], path[1][::-1].copy(), path[2]), "a path"),
    (2, "path", lambda path: (path[0], np.roll(path[1], 1), path[2]), "a path"),
    (2, "path", lambda path: (path[0][:-1], path[1], path[2]), "a path"),
    (2, "path", lambda path: (path[0], path[1], path[2] + 1), "a cable that is not there"),
]


@pytest.mark.parametrize(("number", "part", "change", "message"), FAIR)
def test_broken_rates_are_refused(number: int, part: str, change: Callable[[Any], Any], message: str) -> None:
    call, certified = measured(RING, QUESTIONS[number])
    broken = evolve(certified.certificate, **{part: change(getattr(certified.certificate, part))})
    with pytest.raises(VerificationError, match=message):
        broken.prove(cables_of(call.machine))


STEPS: list[tuple[dict[str, Callable[[Any], Any]], str]] = [
    ({"bandwidth_s": lambda seconds: seconds * 1.01}, "bytes of a step take other time"),
    ({"latency_s": lambda seconds: seconds * 1.01}, "latency of a step is another"),
    ({"latency_s": lambda seconds: -seconds}, "less than nothing"),
    ({"times": lambda times: times + 1}, "latency of a step is another"),
    ({"unit_bytes": lambda unit: unit * 1.01}, "bytes of a step take other time|faster than the ports"),
]


@pytest.mark.parametrize(("changes", "message"), STEPS)
@pytest.mark.parametrize("number", [4, 5, 6])
def test_broken_steps_are_refused(number: int, changes: dict[str, Callable[[Any], Any]], message: str) -> None:
    call, certified = measured(RING, QUESTIONS[number])
    with pytest.raises(VerificationError, match=message):
        each_step(certified.certificate, **changes).prove(cables_of(call.machine))


def test_wrong_rates_and_times_never_leave(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    real, slow = sharing.fair_rates, step_time.completion
    monkeypatch.setattr(sharing, "fair_rates", lambda flows: real(flows) * 0.5)
    monkeypatch.setattr(step_time, "completion", lambda *args: evolve(slow(*args), finish_s=slow(*args).finish_s * 2))
    for question in ("fair(alltoall(all npu))", "time(allgather(all npu, size = 1 MB))", "sweep(allreduce(all npu))"):
        with pytest.raises(VerificationError, match="failed its verification"):
            api.measure(compile_text(CLOS).fabric(), question)
    with pytest.raises(VerificationError, match="failed its verification"):
        api.fair(compile_text(CLOS).fabric(), "alltoall(all npu)")


def test_a_wrong_sweep_is_refused() -> None:
    call = call_of(compile_text(CLOS), "sweep(allreduce(all npu))")
    certified = evaluate(call)
    with pytest.raises(VerificationError, match="failed its verification"):
        verified(call, evolve(certified, answer=evolve(certified.answer, value=1e12, lower=1e12, upper=1e12)))
