"""Answers with their certificates: what a measure gives, and the one place where a verifier holds it to the fabric.

An answer that fails is a fault of the compiler: what was asked is saved, and `VerificationError` names the files.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import singledispatch
from math import isclose
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.solver.demand import Demand, Groups
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.distances import Histogram
from unifiedbus_dsl.solver.resilience.outage_impact import OutageImpact
from unifiedbus_dsl.verify import Certificate, VerificationError, accept, require
from unifiedbus_dsl.verify.arcs import Arcs
from unifiedbus_dsl.verify.cables import Cables, read_cables
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.symmetries import Move
from unifiedbus_dsl.version import VERSION

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@frozen(eq=False)
class Certified(Generic[T_co]):
    """An answer, and what shows it."""

    answer: T_co
    certificate: Certificate


@singledispatch
def bounds(answer: object) -> tuple[float, float]:
    """Return the bounds that an answer claims."""
    raise TypeError(f"nobody knows what bounds a {type(answer).__name__} claims")


@bounds.register
def _(answer: Answer) -> tuple[float, float]:
    rounding = 1e-9 * abs(answer.value)
    require(
        answer.value == answer.lower == answer.upper  # infinite ones too
        or answer.lower - rounding <= answer.value <= answer.upper + rounding,
        f"the value {answer.value:.9g} is not between its bounds",
    )
    meet = answer.lower == answer.upper or isclose(answer.lower, answer.upper, rel_tol=1e-6)
    require(answer.kind == "interval" or meet, "an answer that is called exact has bounds that do not meet")
    return answer.lower, answer.upper


@bounds.register(int)
@bounds.register(float)
def _(answer: float) -> tuple[float, float]:
    return float(answer), float(answer)


@bounds.register
def _(answer: Histogram) -> tuple[float, float]:
    largest = float(answer.value[-1]) if len(answer.value) else np.inf
    return largest, largest


@bounds.register
def _(answer: OutageImpact) -> tuple[float, float]:
    return float(answer.pairs_cut), float(answer.pairs_cut)


def answered(call: MeasureCall, measure: Callable[[MeasureCall], Certified[T]]) -> T:
    """Return what a measure gives for a call, verified.

    Raises:
        VerificationError: the answer does not hold, or what it was found by contradicts itself.
    """
    try:
        certified = measure(call)
    except (VerificationError, ArithmeticError) as error:
        raise failed(call, error) from error
    return verified(call, certified)


def verified(call: MeasureCall, certified: Certified[T]) -> T:
    """Return the answer to a call, after its certificate was proved on the fabric and its bounds were held to that.

    Raises:
        VerificationError: the certificate does not hold, or shows less than the answer claims.
    """
    try:
        return proved(call.machine, certified)
    except VerificationError as error:
        raise failed(call, error) from error


def proved(machine: NetworkContext, certified: Certified[T]) -> T:
    """Return the answer about a machine, after its certificate was proved.

    Raises:
        VerificationError: the certificate does not hold, or shows less than the answer claims.
    """
    shown = certified.certificate.prove(cables_of(machine))
    accept(shown, *bounds(certified.answer))
    return _with_doubts(certified.answer, shown.unverified)


def _with_doubts(answer: T, unverified: tuple[str, ...]) -> T:
    """Return the answer, which says what of it is not verified."""
    if isinstance(answer, Answer) and unverified:
        return evolve(answer, unverified=unverified)
    return answer


def failed(call: MeasureCall, error: Exception) -> VerificationError:
    """Return the error that an answer to a call failed, after what was asked was saved."""
    asked = call.node.span.one_line
    message = f"the answer of `{asked}` failed its verification: {error}"
    return VerificationError(f"{message}\nwhat was asked is saved as {_saved(call, error)}")


# ---- certificates in columns of the fabric ---------------------------------------------------------------------------


def cables_of(machine: NetworkContext) -> Cables:
    """Return the cables that a machine has left, read once."""
    cables = vars(machine).get("_cables")
    if cables is None:
        cables = vars(machine)["_cables"] = read_cables(machine.fabric, machine.health, machine.lost)
    assert isinstance(cables, Cables)
    return cables


def arcs_of(network: Network) -> Arcs:
    """Return the arcs of a network as a certificate states them, made once."""
    arcs = vars(network).get("_arcs")
    if arcs is None:
        kinds = network.kinds
        arcs = Arcs(network.indptr, network.head, network.kind, network.count, kinds.capacity_Bps, kinds.latency_s)
        vars(network)["_arcs"] = arcs
    assert isinstance(arcs, Arcs)
    return arcs


def moves_of(symmetry: Symmetry) -> list[Move]:
    """Return the generators of symmetries as a certificate states them, made once."""
    moves = vars(symmetry).get("_stated_moves")
    if moves is None:
        moves = [Move(each.moved, each.image) for each in symmetry.generators]
        vars(symmetry)["_stated_moves"] = moves
    assert isinstance(moves, list)
    return moves


def matrix_of(demand: Demand, ends: int) -> Matrix:
    """Return what is sent, as a certificate states it."""
    if isinstance(demand, Groups):
        return Matrix(ends, group=demand.group, rate=demand.rate)
    return Matrix(ends, source=demand.source, target=demand.target, rates=demand.rate)


# ---- what is saved of a question whose answer failed -----------------------------------------------------------------


def _saved(call: MeasureCall, error: Exception) -> str:
    """Save the question with the machine that it is about; the files by name."""
    folder = Path(tempfile.mkdtemp(prefix="ubusc-failed-"))
    machine, source = call.machine, call.evaluator.scope.module.source
    files = [folder / "question.json"]
    question = {
        "version": VERSION,
        "question": call.node.span.one_line,
        "system": machine.fabric.plan.system,
        "error": str(error),
        "lost_devices": np.flatnonzero(machine.lost_devices).tolist(),
        "health": {int(c): float(machine.cable_health[c]) for c in np.flatnonzero(machine.cable_health != 1)},
    }
    files[0].write_text(json.dumps(question, indent=2), encoding="utf-8")
    if source.text:
        files.append(folder / "machine.ubus")
        files[-1].write_text(source.text, encoding="utf-8")
    try:
        machine.fabric.save(folder / "fabric.npz")
        files.append(folder / "fabric.npz")
    except (OSError, MemoryError):
        pass  # too large for where temporary files go, or to be made: the question and the text are there
    return ", ".join(f"`{path}`" for path in files)
