"""Hops and latencies are shown by labels and by symmetries, and both are checked on the cables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, HEAD, RING, call_of, evaluate, measured, with_measure
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures import pair_distances
from unifiedbus_dsl.measures.certified import arcs_of, cables_of, moves_of, verified
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import distances
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.pairs import Lengths, check_labels
from unifiedbus_dsl.verify.symmetries import Move, check_move, end_orbits

QUESTIONS = [
    "diameter(all npu)",
    "mean_hops(all npu)",
    "hops(npu[0] -> npu[1..3])",
    "latency(all npu)",
    "mean_latency(all npu)",
    "latency(all npu, message = 1 kB)",
]
NO_TIME = HEAD.replace("latency = 100 ns", "latency = 0 ns").replace("; latency = 50 ns", "")
FREE = RING.replace(HEAD, NO_TIME).replace("latency = 30 ns", "latency = 0 ns")
"""The ring, where nothing takes time."""


@pytest.mark.parametrize("text", [CLOS, RING, FREE], ids=["clos", "ring", "free"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_certificates_of_distances_hold(text: str, question: str) -> None:
    call, certified = measured(text, question)
    assert verified(call, certified) is certified.answer
    shown = certified.certificate.prove(cables_of(call.machine))
    assert shown.lower == shown.upper == pytest.approx(certified.answer.value)


def labels_of(machine: NetworkContext, target: int) -> tuple[Any, ...]:
    """What is needed to check the hops to a target."""
    cables, arcs = cables_of(machine), arcs_of(machine.network)
    seen: dict[int, Any] = {}
    distances.hop_histogram(machine.symmetry, None, [target], lambda end, _, far, __: seen.update({end: far[0.0]}))
    return cables, arcs, Lengths.hops(cables, arcs), cables.end == target, seen[target]


@pytest.mark.parametrize("by", [1.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("text", [CLOS, RING], ids=["clos", "ring"])
def test_a_wrong_label_is_refused_at_every_vertex(text: str, by: float) -> None:
    *known, label = labels_of(NetworkContext(compile_text(text).fabric()), 1)
    check_labels(*known, label)
    for vertex in range(len(label)):
        wrong = label.copy()
        wrong[vertex] += by
        with pytest.raises(VerificationError, match="label"):
            check_labels(*known, wrong)


def test_labels_that_hold_each_other_up_are_refused() -> None:
    """Where nothing takes time, two vertices of an island may not vouch for each other."""
    machine = NetworkContext(compile_text(FREE).fabric()).damaged(lost_devices=[0])
    cables, arcs = cables_of(machine), arcs_of(machine.timed_network)
    lengths = Lengths.seconds(cables, arcs)
    label = distances.times_by_width(machine.timed_network, machine.network.vertices_of(3))[0.0]
    check_labels(cables, arcs, lengths, cables.end == 3, label)
    apart = machine.damaged(lost_cables=np.flatnonzero(machine.fabric.a_device == 5).tolist())
    cables, arcs = cables_of(apart), arcs_of(apart.timed_network)
    honest = distances.times_by_width(apart.timed_network, apart.network.vertices_of(3))[0.0]
    check_labels(cables, arcs, lengths, cables.end == 3, honest)
    assert np.isinf(honest).any()
    with pytest.raises(VerificationError, match="less than any way"):
        check_labels(cables, arcs, lengths, cables.end == 3, np.zeros(len(honest)))


BROKEN: list[tuple[str, Callable[[Any], Any], str]] = [
    ("seen", lambda seen: seen[:-1], "do not stand for all"),
    ("seen", lambda seen: [evolve(seen[0], copies=seen[0].copies + 1), *seen[1:]], "do not stand for all"),
    ("seen", lambda seen: [evolve(seen[0], unreachable=1), *seen[1:]], "without a path"),
    ("value", lambda value: value + 1.0, "counted wrongly"),
    ("pairs", lambda pairs: pairs + 1, "counted wrongly"),
    ("unreachable", lambda count: count + 2, "without a path"),
    ("moves", lambda moves: [], "do not stand for all"),
    ("moves", lambda moves: [evolve(moves[0], image=moves[0].moved), *moves], "do not stand for all|symmetry"),
]


@pytest.mark.parametrize(("part", "change", "message"), BROKEN)
def test_a_broken_certificate_is_refused(part: str, change: Callable[[Any], Any], message: str) -> None:
    call, certified = measured(RING, "diameter(all npu)")
    assert len(certified.certificate.seen) == 1, "the symmetries are used"
    changed = change(getattr(certified.certificate, part))
    if part == "moves" and changed:
        changed = changed[:1]
    with pytest.raises(VerificationError, match=message):
        evolve(certified.certificate, **{part: changed}).prove(cables_of(call.machine))


def test_a_permutation_that_is_no_symmetry_is_refused() -> None:
    machine = NetworkContext(compile_text(RING).fabric())
    cables, arcs, network = cables_of(machine), arcs_of(machine.network), machine.network
    for move in moves_of(machine.symmetry):
        check_move(cables, arcs, move)
    ends = np.concatenate([network.vertices_of(0), network.vertices_of(2)]).astype(np.int32)
    half = len(ends) // 2
    for image, message in (
        (np.roll(ends, half), "bring the arcs back"),
        (np.roll(ends, 1), "tears|sort|bring the arcs back"),
        (np.full(len(ends), ends[0]), "loses a vertex|tears"),
        (ends[:-1], "an image for each"),
    ):
        with pytest.raises(VerificationError, match=message):
            check_move(cables, arcs, Move(ends.copy(), image))
    known = moves_of(machine.symmetry)[0]
    with pytest.raises(VerificationError, match=r"."):  # the same vertices as an automorphism moves, to other places
        check_move(cables, arcs, Move(known.moved, known.moved[np.r_[1, 0, 2 : len(known.moved)]]))
    hub = np.flatnonzero(network.end < 0).astype(np.int32)
    with pytest.raises(VerificationError, match="to a switch"):
        end_orbits(cables, arcs, [Move(np.append(hub, ends[:1]), np.append(ends[:1], hub))])
    with pytest.raises(VerificationError, match="what is asked about"):
        end_orbits(cables, arcs, moves_of(machine.symmetry), np.arange(network.ends) == 1)


def test_wrong_distances_never_leave(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A search on the fabric that finds too much, and a count that is wrong, are seen in the language, in Python and in
    plots."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("unifiedbus_dsl.measures.evaluator.answer_from_plan", lambda *_: None)
    fabric = compile_text(CLOS).fabric()
    real = distances.hops_to_each
    monkeypatch.setattr(distances, "hops_to_each", lambda *args: (hops * 2 for hops in real(*args)))
    with pytest.raises(VerificationError, match="failed its verification"):
        api.hops(fabric)
    with pytest.raises(VerificationError, match="failed its verification"):
        api.measure(fabric, "mean_hops(all npu)")
    with pytest.raises(VerificationError, match="label"):
        pair_distances.hops(NetworkContext(fabric))
    monkeypatch.setattr(distances, "hops_to_each", real)

    def late(certified: Any) -> Any:
        return evolve(certified, answer=evolve(certified.answer, value=1.0, lower=1.0, upper=1.0))

    with_measure(monkeypatch, "latency", late)
    with pytest.raises(VerificationError, match="failed its verification"):
        api.measure(fabric, "latency(all npu)")


def test_a_call_about_some_pairs_counts_only_those() -> None:
    call = call_of(compile_text(CLOS), "hops(npu[0] -> npu[1..3])")
    certified = evaluate(call)
    assert certified.answer.detail["histogram"] == [[2.0, 3]]


@pytest.mark.parametrize(("text", "right"), [(CLOS, 2), (RING, 1)], ids=["clos", "ring"])
def test_paths_of_a_pair_are_counted_anew(text: str, right: int) -> None:
    call, certified = measured(text, "paths(npu[0] -> npu[1])")
    assert verified(call, certified).value == right
    cables = cables_of(call.machine)
    assert certified.certificate.prove(cables).lower == right
    with pytest.raises(VerificationError, match="fewest cables of a pair"):
        evolve(certified.certificate, hops=certified.certificate.hops + 1).prove(cables)
    with pytest.raises(VerificationError, match="failed its verification"):
        verified(call, evolve(certified, answer=evolve(certified.answer, value=5.0, lower=5.0, upper=5.0)))
