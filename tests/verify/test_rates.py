"""Certificates of bisections, loads and throughputs: they hold as they come, and break where they are broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, RING, measured
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import Certified, cables_of, verified
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import Proved, VerificationError, accept
from unifiedbus_dsl.verify.arcs import match
from unifiedbus_dsl.verify.bisection import Cut

MACHINES = {"clos": CLOS, "ring": RING}
QUESTIONS = [
    "bisection(all npu)",
    "throughput(alltoall(all npu))",
    "throughput(alltoall(all npu), routing = valiant)",
    "throughput(shift(all npu, k = 1), routing = optimal)",
    "throughput(alltoall(all npu), routing = optimal)",
    "throughput(alltoall(all npu), routing = minimal)",
    "throughput(pairs(npu[0] -> npu[3]), routing = optimal)",
    "load(alltoall(all npu))",
    "load(incast(all npu -> npu[2]), routing = optimal)",
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_certificates_of_right_answers_hold(machine: str, question: str) -> None:
    call, certified = measured(MACHINES[machine], question)
    assert verified(call, certified) is certified.answer
    proved = certified.certificate.prove(cables_of(call.machine))
    answer = certified.answer
    assert proved.lower == pytest.approx(answer.lower, rel=1e-6)
    assert proved.upper == pytest.approx(answer.upper, rel=1e-6)


def changed(certificate: Any, path: str, change: Callable[[Any], Any]) -> Any:
    """The certificate with one of its parts changed."""
    first, _, rest = path.partition(".")
    inner = getattr(certificate, first)
    if first == "of":
        return evolve(certificate, of=(change(inner[0]), *inner[1:]))
    return evolve(certificate, **{first: changed(inner, rest, change) if rest else change(inner)})


def bumped(place: int, by: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        copy = values.astype(np.float64)
        copy[place] += by
        return copy

    return change


def flipped(place: int) -> Callable[[np.ndarray], np.ndarray]:
    def change(values: np.ndarray) -> np.ndarray:
        copy = values.copy()
        copy[place] = ~copy[place]
        return copy

    return change


OPTIMAL = "throughput(alltoall(all npu), routing = optimal)"
BROKEN = [
    ("bisection(all npu)", "cut.side", flipped(2), "of 4 end points on one side|goes through"),
    ("bisection(all npu)", "cut.side", lambda side: side[:-1], "the side of each vertex"),
    ("throughput(alltoall(all npu))", "load_Bps", bumped(0, 1e9), "what comes into a switch"),
    ("throughput(alltoall(all npu))", "load_Bps", bumped(-1, 1e9), "what comes into a switch"),
    ("throughput(alltoall(all npu))", "load_Bps", bumped(3, -1e12), "negative"),
    ("throughput(alltoall(all npu))", "load_Bps", lambda load: load * 2, "does not send and receive|passes through"),
    ("throughput(alltoall(all npu))", "scale", lambda scale: scale * 0.9, "does not send and receive|passes through"),
    ("throughput(alltoall(all npu))", "arcs.count", lambda count: count * 2, "not the cables"),
    ("throughput(alltoall(all npu))", "arcs.capacity_Bps", lambda each: each * (1 + 1e-9), "not the cables"),
    ("throughput(alltoall(all npu))", "arcs.head", lambda head: head[::-1].copy(), "not the cables"),
    (OPTIMAL, "prices.value", lambda each: -each, "a length for each"),
    (OPTIMAL, "prices.of", lambda one: evolve(one, copies=9), "one potential"),
    (OPTIMAL, "scale", lambda scale: scale * 1.01, "less goes out|injects more|passes through"),
    ("load(alltoall(all npu))", "load_Bps", bumped(0, 1e9), "what comes into a switch"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "path", "change", "message"), BROKEN)
def test_a_broken_certificate_is_refused(question: str, path: str, change: Callable[[Any], Any], message: str) -> None:
    call, certified = measured(CLOS, question)
    broken = changed(certified.certificate, path, change)
    with pytest.raises(VerificationError, match=message):
        broken.prove(cables_of(call.machine))


def test_both_loads_and_scale_beyond_a_cable_are_refused() -> None:
    call, certified = measured(CLOS, "throughput(alltoall(all npu))")
    twice = evolve(
        certified.certificate, load_Bps=certified.certificate.load_Bps * 2, scale=certified.certificate.scale * 2
    )
    with pytest.raises(VerificationError, match=r"of its capacity|injects more"):
        twice.prove(cables_of(call.machine))
    half = evolve(
        certified.certificate, load_Bps=certified.certificate.load_Bps / 2, scale=certified.certificate.scale / 2
    )
    with pytest.raises(VerificationError, match="nothing is full"):
        half.prove(cables_of(call.machine))


def test_prices_that_are_not_the_best_show_less_than_the_answer_claims() -> None:
    call, certified = measured(RING, "throughput(alltoall(all npu), routing = optimal)")
    prices = certified.certificate.prices
    loose = evolve(certified.certificate, prices=evolve(prices, value=np.eye(1, len(prices.value))[0]))
    with pytest.raises(VerificationError, match="an upper bound of"):
        verified(call, Certified(certified.answer, loose))


def test_a_potential_that_rises_too_steeply_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unifiedbus_dsl.verify.distances.MAX_SWEPT", 0)
    for routing in ("optimal", "minimal"):
        call, certified = measured(RING, f"throughput(alltoall(all npu), routing = {routing})")
        verified(call, certified)
        one = certified.certificate.prices.of[0]
        for value in (one.value * 1.1, one.value + 1.0):
            steep = changed(certified.certificate, "prices.of", lambda each, v=value: evolve(each, value=v))
            with pytest.raises(VerificationError, match="potential"):
                steep.prove(cables_of(call.machine))


def test_arcs_of_a_damaged_machine_are_not_those_of_the_whole_one() -> None:
    whole = NetworkContext(compile_text(CLOS).fabric())
    _, certified = measured(CLOS, "throughput(alltoall(all npu))")
    match(certified.certificate.arcs, cables_of(whole))
    for damaged in (
        whole.damaged(lost_cables=[0]),
        whole.damaged(lost_devices=[5]),
        whole.damaged(degraded=([3], 0.5)),
    ):
        with pytest.raises(VerificationError, match="not the cables"):
            match(certified.certificate.arcs, cables_of(damaged))


# ---- lower bounds of a bisection ------------------------------------------------------------------------------------


def test_a_cut_is_counted_on_the_cables() -> None:
    call, certified = measured(CLOS, "bisection(all npu)")
    cables, members = cables_of(call.machine), np.ones(4, dtype=bool)
    side = cables.end < 2
    assert Cut(side).prove(cables, members) == 60e9
    assert certified.answer.upper == 60e9


# ---- the bounds that an answer claims -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proved", "lower", "upper", "message"),
    [
        (Proved(2.0, 1.0), 1.0, 1.0, "above the proved upper bound"),
        (Proved(1.0, 2.0), 2.0, 1.5, "above the upper bound"),
        (Proved(1.0, 2.0), 1.1, 2.0, "above what is proved"),
        (Proved(1.0, 2.0), 1.0, 1.9, "an upper bound of 2 is proved"),
        (Proved(1.0, np.nan), 1.0, 1.9, "not a number"),
    ],
)
def test_bounds_that_were_not_proved_are_refused(proved: Proved, lower: float, upper: float, message: str) -> None:
    with pytest.raises(VerificationError, match=message):
        accept(proved, lower, upper)


def test_weaker_bounds_than_were_proved_are_accepted() -> None:
    accept(Proved(1.0, 2.0), 0.5, np.inf)
    accept(Proved.exactly(1.0), 1.0 + 1e-9, 1.0 - 1e-9)
