"""Least times of all-to-all where end points relay: those of right answers hold, and each way to make them wrong is
seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, RING, measured, with_measure
from tests.verify.test_gathering import HUB
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, verified
from unifiedbus_dsl.verify import VerificationError, relayed

QUESTION = "optimal_time(alltoall(all npu, size = 1 MB))"


@pytest.mark.parametrize(("text", "least_s"), [(CLOS, 30e-6), (RING, 100e-6 / 3), (HUB, 225e-6)])
def test_right_times_are_shown_whole(text: str, least_s: float) -> None:
    """Four NPUs send three quarters of a MB at 25 GB/s; around a ring of six and its hub 5.4 cables' worth of 60
    go; the hub injects for itself and all that it relays, 2.25 MB at 10 GB/s."""
    call, certified = measured(text, QUESTION)
    found = verified(call, certified)
    assert found.standing == "exact"
    assert found.value == pytest.approx(least_s, rel=1e-6)
    shown = certified.certificate.prove(cables_of(call.machine))
    assert shown.lower == pytest.approx(shown.upper, rel=1e-6)


def _priced(part: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda proof: evolve(proof, prices=evolve(proof.prices, **{part: change(getattr(proof.prices, part))}))


def _of_flows(**changes: Any) -> Callable[[Any], Any]:
    return lambda proof: evolve(proof, flows=evolve(proof.flows, **changes))


WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda proof: evolve(proof, scale=proof.scale * 1.01), "does not get what|less goes out"),
    (lambda proof: evolve(proof, load_Bps=proof.load_Bps * 0.99), "not those of the flows|less goes out"),
    (lambda proof: evolve(proof, load_Bps=proof.load_Bps * 1.01), "not those of the flows|is used to"),
    (_of_flows(flows=()), "has no flow"),
    (_of_flows(relays=False), "without relays"),
    (_priced("value", lambda value: -value - 1), "negative"),
    (_priced("into", lambda into: into[1:]), "a price of each injection"),
    (_priced("label", lambda label: label[:-1]), "a length for each arc"),
    (_priced("out", lambda out: out + np.arange(len(out))), "without a limit"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
@pytest.mark.parametrize("text", [RING, HUB], ids=["ring", "hub"])
def test_broken_certificates_are_refused(text: str, change: Callable[[Any], Any], message: str) -> None:
    call, certified = measured(text, QUESTION)
    with pytest.raises(VerificationError, match=message):
        change(certified.certificate).prove(cables_of(call.machine))


def test_what_relays_pass_is_held_to_the_injection() -> None:
    """The hub with half of its injection: its cables would carry the flows, its memory does not."""
    call, certified = measured(HUB, QUESTION)
    cables = cables_of(call.machine)
    hub = np.isfinite(cables.injection_Bps)
    narrow = evolve(cables, injection_Bps=np.where(hub, 5e9, cables.injection_Bps))
    with pytest.raises(VerificationError, match="relays pass more than an injection"):
        certified.certificate.prove(narrow)


def test_prices_of_nothing_prove_nothing() -> None:
    call, certified = measured(HUB, QUESTION)
    free = _priced("out", lambda out: out * 0)(certified.certificate)
    assert free.prove(cables_of(call.machine)).lower < certified.answer.lower * 0.9
    with pytest.raises(VerificationError, match="above what is proved"):
        verified(call, evolve(certified, certificate=free))


def test_what_was_not_found_anew_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    call, certified = measured(RING, QUESTION)
    monkeypatch.setattr(relayed, "MAX_WORK", 1)
    assert "distances from" in verified(call, certified).unverified[0]
    bare = evolve(certified.certificate, flows=None)
    assert "each end point gets its own" in verified(call, evolve(certified, certificate=bare)).unverified[0]


@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_a_wrong_time_never_leaves(factor: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def wrong(found: Any) -> Any:
        answer = found.answer
        return evolve(
            found, answer=evolve(answer, **{k: getattr(answer, k) * factor for k in ("value", "lower", "upper")})
        )

    with_measure(monkeypatch, "optimal_time", wrong)
    with pytest.raises(VerificationError, match="failed its verification"):
        api.measure(compile_text(RING).fabric(), QUESTION)
