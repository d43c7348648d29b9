"""Reachability, tiers and the impact of failures are counted anew on the cables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.attack.__main__ import Asked, drawn
from tests.attack.oracle import Oracle
from tests.verify.machines import CLOS, RING, measured
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.analysis import impact as impacts
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.certified import cables_of, proved, verified
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.outage_impact import outage_impact
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.reach import Reach, ReachableCertificate, components

QUESTIONS = ["connected(all npu)", "reachable(all npu)", "tiers(all npu)", "tiers(npu[0])"]


@pytest.mark.parametrize("text", [CLOS, RING], ids=["clos", "ring"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_certificates_hold(text: str, question: str) -> None:
    call, certified = measured(text, question)
    assert verified(call, certified) is certified.answer


@pytest.mark.parametrize("seed", range(20))
def test_components_are_those_of_networkx(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count, edges = int(draw.integers(1, 40)), int(draw.integers(0, 50))
    a, b = draw.integers(0, count, edges), draw.integers(0, count, edges)
    graph = nx.Graph(zip(a.tolist(), b.tolist(), strict=True))
    graph.add_nodes_from(range(count))
    expected = {v: min(some) for some in nx.connected_components(graph) for v in some}
    assert components(count, a, b).tolist() == [expected[v] for v in range(count)]


def test_a_path_of_many_vertices_is_one_component() -> None:
    n = 20_000
    assert not components(n, np.arange(n - 1), np.arange(1, n)).any()
    order = np.random.default_rng(1).permutation(n)
    assert not components(n, order[:-1], order[1:]).any()


@pytest.mark.parametrize("number", range(12))
def test_reach_of_random_machines_is_that_of_searches(number: int) -> None:
    machine = drawn(5, number)
    oracle, asked = Oracle(machine), Asked(machine).machine
    members = np.isin(asked.network.end_device, [asked.fabric.device_id(machine.devices[k].name) for k in oracle.npus])
    reach = Reach.of(cables_of(asked), members)
    counted = np.sort(reach.reached(members)[members]).tolist()
    assert counted == sorted(len({*oracle.far(s, timed=False)} & {*oracle.npus}) for s in oracle.npus)
    assert reach.largest() == (oracle.largest_connected(),) * 2


def test_sets_beyond_what_is_tried_have_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unifiedbus_dsl.verify.reach.FEW", 0)
    machine = drawn(5, 3)
    cables = cables_of(Asked(machine).machine)
    for number in range(12):
        cables = cables_of(Asked(drawn(5, number)).machine)
        lower, upper = Reach.of(cables, np.ones(cables.ends, dtype=bool)).largest()
        assert 1 <= lower <= upper <= cables.ends
    proof = ReachableCertificate(np.ones(cables.ends, dtype=bool)).prove(cables)
    assert (proof.lower, proof.upper) == (lower, upper)


def claims(question: str, wrong: float) -> None:
    call, certified = measured(CLOS, question)
    answer = evolve(certified.answer, value=wrong, lower=wrong, upper=wrong)
    with pytest.raises(VerificationError, match="failed its verification"):
        verified(call, evolve(certified, answer=answer))


def test_wrong_answers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    claims("connected(all npu)", 0.0)
    claims("reachable(all npu)", 3.0)
    claims("reachable(all npu)", 5.0)
    claims("tiers(all npu)", 2.0)
    fabric = compile_text(CLOS).fabric()
    for name in ("unifiedbus_dsl.analysis.api.pairs.reachability", "unifiedbus_dsl.solver.paths.tiers.levels"):
        with monkeypatch.context() as patch:
            patch.setattr(name, _beside(name, fabric))
            with pytest.raises(VerificationError, match="failed its verification"):
                api.connected(fabric) if "reach" in name else api.tiers(fabric)


def _beside(name: str, fabric: Any) -> Callable[..., Any]:
    import importlib

    module, _, function = name.rpartition(".")
    real = getattr(importlib.import_module(module), function)

    def wrong(*args: Any) -> Any:
        found = real(*args)
        return evolve(found, reached=found.reached - 1) if hasattr(found, "reached") else np.maximum(found, 1) - 1

    return wrong


TIERS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("tier", lambda tier: np.where(tier == 2, 3, tier), "skips a tier"),
    ("tier", lambda tier: np.where(tier == 1, 2, tier), "skips a tier|nothing below"),
    ("tier", lambda tier: tier * 0, "begin at the end points"),
    ("tier", lambda tier: np.where(tier == 2, -1, tier), "skips a tier"),
    ("low", lambda low: low + 1, "bands are not those"),
    ("cables", lambda cables: cables + 1, "counted wrongly"),
    ("capacity_Bps", lambda rate: rate * 1.001, "added up wrongly"),
]


@pytest.mark.parametrize(("part", "change", "message"), TIERS)
def test_broken_tiers_are_refused(part: str, change: Callable[[Any], Any], message: str) -> None:
    call, certified = measured(CLOS, "tiers(all npu)")
    broken = evolve(certified.certificate, **{part: change(getattr(certified.certificate, part))})
    with pytest.raises(VerificationError, match=message):
        broken.prove(cables_of(call.machine))


# ---- failures -------------------------------------------------------------------------------------------------------


def damaged() -> tuple[NetworkContext, NetworkContext]:
    """The Clos without its wide leaf, of which one NPU loses its other cable too, and without another NPU."""
    base = NetworkContext(compile_text(CLOS).fabric())
    fabric = base.fabric
    narrow = [k for k, name in enumerate(fabric.cable_names(np.arange(fabric.cable_count))) if "npu[1].y" in name]
    return base, base.damaged([fabric.device_id("leaf[0]"), fabric.device_id("npu[3]")], narrow)


IMPACTS: list[tuple[str, Callable[[Any], Any], str]] = [
    ("lost", lambda lost: lost[:0], "lost is counted"),
    ("cut_off", lambda cut: cut[:0], "cut off is counted"),
    ("pairs_cut", lambda pairs: pairs + 1, "lost their path are counted"),
    ("best", lambda best: -1, "none is said to be cut off"),
    ("best", lambda best: 1, "another end point reaches more"),
    ("after_Bps", lambda rate: rate * 2, "added up wrongly"),
    ("before_Bps", lambda rate: rate * 2, "added up wrongly"),
]


@pytest.mark.parametrize(("part", "change", "message"), IMPACTS)
def test_a_broken_impact_is_refused(part: str, change: Callable[[Any], Any], message: str) -> None:
    base, after = damaged()
    certified = impacts.certify(base, after, outage_impact(base, after), np.arange(4))
    assert certified.answer.pairs_cut == 2
    assert proved(after, certified) is certified.answer
    broken = evolve(certified.certificate, **{part: change(getattr(certified.certificate, part))})
    with pytest.raises(VerificationError, match=message):
        broken.prove(cables_of(after))


def test_a_wrong_impact_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    base, after = damaged()
    real = impacts.outage_impact
    monkeypatch.setattr(
        impacts, "outage_impact", lambda *args: evolve(real(*args), pairs_cut=0, cut_off=np.zeros(0, int), best=-1)
    )
    with pytest.raises(VerificationError, match="lost their path"):
        impacts.impact(base, after)
