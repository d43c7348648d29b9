"""No answer leaves without its verification: through the language, through Python, and on the command line.

Faults of what solves on the fabric are asked of the fabric, those of what solves on the plan of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from tests.verify.machines import CLOS, with_measure
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.cli.app import main
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures import state_orbits
from unifiedbus_dsl.solver.bisection import bisection as halving
from unifiedbus_dsl.solver.bounds import bounded, exact
from unifiedbus_dsl.solver.from_plan import bisection as plan_halving
from unifiedbus_dsl.solver.from_plan import shortest
from unifiedbus_dsl.solver.routing import ecmp
from unifiedbus_dsl.verify import VerificationError


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def doubled(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a measure say twice what it knows."""

    def wrong(certified: Any) -> Any:
        answer = certified.answer
        return evolve(
            certified, answer=evolve(answer, value=answer.value * 2, lower=answer.lower * 2, upper=answer.upper * 2)
        )

    with_measure(monkeypatch, name, wrong)


def zero_bisection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver whose cut is no cut."""
    real = halving.bisection

    def wrong(*args: Any, **more: Any) -> Any:
        return evolve(real(*args, **more), capacity=exact(0.0, "a fault"))

    monkeypatch.setattr(halving, "bisection", wrong)


FABRIC = ("--from", "fabric")
QUESTIONS = {
    "bisection": "bisection(all npu)",
    "throughput": "throughput(alltoall(all npu))",
    "load": "load(alltoall(all npu))",
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_wrong_answer_of_the_language_is_an_internal_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compilation = compiler.compile_text(CLOS)
    assert ask(compilation, None, QUESTIONS[name], by_plan=False).answers[0].value > 0
    doubled(monkeypatch, name)
    with pytest.raises(VerificationError, match="failed its verification"):
        ask(compilation, None, QUESTIONS[name], by_plan=False)


def test_a_wrong_answer_on_the_command_line_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clos.ubus"
    path.write_text(CLOS, encoding="utf-8")
    zero_bisection(monkeypatch)
    assert main(["analyze", str(path), *FABRIC, "--ask", "bisection(all npu)"]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert "internal error" in said.err
    assert "the answer of `bisection(all npu)` failed its verification: " in said.err
    saved = next(tmp_path.glob("ubusc-failed-*"))
    assert str(saved / "question.json") in said.err
    question = json.loads((saved / "question.json").read_text(encoding="utf-8"))
    assert question["question"] == "bisection(all npu)"
    assert (saved / "machine.ubus").read_text(encoding="utf-8") == CLOS
    again = Fabric.load(saved / "fabric.npz")
    assert again.cable_count == compiler.compile_text(CLOS).fabric().cable_count


def test_a_wrong_answer_of_an_expectation_is_an_internal_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clos.ubus"
    path.write_text(
        CLOS.replace("system pod : Pod", "system pod : Pod\nanalyze a of pod { expect bisection(all npu) >= 1 GB/s }")
    )
    assert main(["analyze", str(path), *FABRIC]) == 0
    zero_bisection(monkeypatch)
    assert main(["analyze", str(path), *FABRIC]) == 70
    assert "failed its verification" in capsys.readouterr().err


def test_wrong_answers_of_python_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    fabric = compiler.compile_text(CLOS).fabric()
    zero_bisection(monkeypatch)
    with pytest.raises(VerificationError, match="failed its verification"):
        api.bisection(fabric)


@pytest.mark.parametrize("ask_for", ["throughput", "loads"])
def test_wrong_loads_of_python_raise(ask_for: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fabric = compiler.compile_text(CLOS).fabric()
    real = ecmp.loads_of_orbits

    def wrong(*args: Any) -> np.ndarray:
        load = real(*args).copy()
        load[0] *= 0.5
        return load

    getattr(api, ask_for)(fabric, "alltoall(all npu)")
    monkeypatch.setattr("unifiedbus_dsl.solver.routing.ecmp.loads_of_orbits", wrong)
    with pytest.raises(VerificationError, match="failed its verification"):
        getattr(api, ask_for)(compiler.compile_text(CLOS).fabric(), "alltoall(all npu)")


def contradicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver whose flows prove more than its cut has."""
    monkeypatch.setattr("unifiedbus_dsl.solver.bisection.incumbent.cut_capacity", lambda *_: 1.0)


def failed_linear_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver whose linear program ends with an error."""

    def wrong(*_: Any, **__: Any) -> None:
        raise ArithmeticError("the linear program was not solved")

    monkeypatch.setattr("unifiedbus_dsl.solver.bisection.lower_bounds.bisection_flow_lp", wrong)


@pytest.mark.parametrize("fault", [contradicted, failed_linear_program])
def test_what_contradicts_itself_is_an_internal_error_with_the_input_saved(
    fault: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "clos.ubus"
    path.write_text(CLOS, encoding="utf-8")
    fault(monkeypatch)
    assert main(["analyze", str(path), *FABRIC, "--ask", "bisection(all npu)"]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert "failed its verification" in said.err
    assert (next(tmp_path.glob("ubusc-failed-*")) / "fabric.npz").exists()


# ---- faults of what solves on the plan -------------------------------------------------------------------------------


def small_plan_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut of the plan that has half of what it has."""
    real = plan_halving.halving_cut

    def wrong(*args: Any) -> Any:
        cut = real(*args)
        return evolve(cut, capacity_Bps=cut.capacity_Bps / 2)

    monkeypatch.setattr(plan_halving, "halving_cut", wrong)


def far_plan_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search on the plan that finds too much."""
    real = shortest.search_hops
    monkeypatch.setattr(shortest, "search_hops", lambda quotient: real(quotient) * 2)


def light_plan_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads on the plan of which a part is lost."""
    real = shortest.shared_loads
    monkeypatch.setattr(shortest, "shared_loads", lambda *args: real(*args) * 0.5)


def wrong_plan_orbits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orbits of the plan that say of arcs that they are of one cable more."""
    real = state_orbits.stated_orbits

    def wrong(*args: Any) -> Any:
        stated = real(*args)
        return evolve(stated, count=stated.count + 1)

    monkeypatch.setattr(state_orbits, "stated_orbits", wrong)


PLAN_FAULTS = [
    (small_plan_cut, "bisection(all npu)"),
    (far_plan_hops, "mean_hops(all npu)"),
    (light_plan_loads, "throughput(alltoall(all npu))"),
    (wrong_plan_orbits, "diameter(all npu)"),
]


@pytest.mark.parametrize(("fault", "question"), PLAN_FAULTS)
def test_a_wrong_answer_of_the_plan_is_an_internal_error_with_the_input_saved(
    fault: Callable[[pytest.MonkeyPatch], None],
    question: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "clos.ubus"
    path.write_text(CLOS, encoding="utf-8")
    assert [answer.origin for answer in ask(compiler.compile(path), None, question).answers] == ["plan"]
    fault(monkeypatch)
    assert main(["analyze", str(path), "--ask", question]) == 70
    said = capsys.readouterr()
    assert said.out == ""
    assert f"the answer of `{question}` failed its verification: " in said.err
    saved = next(tmp_path.glob("ubusc-failed-*"))
    assert json.loads((saved / "question.json").read_text(encoding="utf-8"))["question"] == question
    assert (saved / "machine.ubus").read_text(encoding="utf-8") == CLOS
    assert (saved / "fabric.npz").exists()
    with pytest.raises(VerificationError, match="failed its verification"):
        api.measure(compiler.compile_text(CLOS).fabric(), question)


def test_a_wrong_answer_of_the_plan_to_an_expectation_is_an_internal_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "clos.ubus"
    asked = "analyze a of pod { expect bisection(all npu) >= 1 GB/s }"
    path.write_text(CLOS.replace("system pod : Pod", f"system pod : Pod\n{asked}"), encoding="utf-8")
    assert main(["analyze", str(path)]) == 0
    small_plan_cut(monkeypatch)
    assert main(["analyze", str(path)]) == 70
    assert "failed its verification" in capsys.readouterr().err


@pytest.mark.parametrize("lower", [1.0 + 1e-6, float("nan")])
def test_a_lower_bound_above_its_upper_bound_is_no_interval(lower: float) -> None:
    with pytest.raises(VerificationError, match="above the proved upper bound"):
        bounded(lower, 1.0, "a fault", 1e-7)
    assert bounded(1.0 + 1e-8, 1.0, "rounding", 1e-7).kind == "exact"
