"""The one registry of measures: what is in it is whole, a made-up measure is found everywhere, half a one nowhere."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import fields, frozen

from unifiedbus_dsl import compile_text, solve
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.analysis.survey.surveys import goodness, worst_value
from unifiedbus_dsl.base.units import NUMBER, RATE
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import ENDS, Better, Invariance, Measure, register, registered
from unifiedbus_dsl.solver.collectives import schedules
from unifiedbus_dsl.verify import Proved
from unifiedbus_dsl.verify.cables import Cables
from unifiedbus_dsl.vocabulary.signatures import ALGORITHMS, MEASURES, Argument, Takes

QUESTIONS = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
MACHINE = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 9 m }
npu Chip { port x[2] : UB x1; transit x }
rack Ring { npu[6] : Chip; connect npu.x as ring over Wire(1 m) }
system ring : Ring
"""


@frozen(eq=False)
class Counted:
    """Counts the cables anew."""

    ends: int
    at_least: float

    def prove(self, cables: Cables) -> Proved:
        capacity = cables.capacity(slice(0, len(cables.kind)))
        value = 2 * float((capacity >= max(self.at_least, 1.0)).sum()) / self.ends
        return Proved.exactly(value)


def degree(call: MeasureCall) -> Certified[Answer]:
    """Cables at the end points, those of at least a stated rate."""
    least, ends = max(call.quantity("at_least", RATE) or 0.0, 1.0), len(call.ends(call.one()))
    network = call.machine.network
    fits = float((network.count * (network.capacity_Bps / network.count >= least)).sum())
    return Certified(call.exact(fits / ends, NUMBER), Counted(ends, least))


AT_LEAST = Argument("at_least", Takes.QUANTITY, "only cables of this rate", dimension=RATE, default="0 B/s")


def made_up(**changed: Any) -> Measure:
    whole: dict[str, Any] = {
        "name": "mean_degree",
        "doc": "cables at an end point, the mean",
        "arguments": (ENDS, AT_LEAST),
        "dimension": NUMBER,
        "evaluate": degree,
        "better": Better.LESS,
        "invariance": Invariance.SELECTION,
    }
    return Measure(**{**whole, **changed})


@pytest.fixture
def degrees() -> Iterator[Measure]:
    with registered(made_up()) as measure:
        yield measure


def said(question: str) -> list[str]:
    done = compile_text(f"{MACHINE}analyze q of ring {{ {question} }}\n")
    return [each.message for each in done.diagnostics]


@pytest.mark.usefixtures("degrees")
def test_a_made_up_measure_is_found_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said("expect mean_degree(all npu, at_least = 1 GB/s) == 2") == []
    assert said("mean_degree(all npu, at_lest = 1 GB/s)") == ["`mean_degree` takes `at_least`"]
    assert said("expect mean_degree(all npu) > 3 GB/s") != []  # a number is not a rate
    assert said("mean_degre(all npu)") == ["there is no function or measure `mean_degre`"]
    done = compile_text(f"{MACHINE}analyze q of ring {{ expect mean_degree(all npu) == 2 }}\n")
    assert [each.holds for each in analyze(done).expectations] == [True]
    path = tmp_path / "ring.ubus"
    path.write_text(MACHINE)
    assert main(["analyze", str(path), "--ask", "mean_degree(all npu)"]) == 0
    assert "mean_degree" in capsys.readouterr().out
    assert main(["survey", str(path), "--of", "link", "--measure", "mean_degree(all npu)"]) == 0
    assert "mean_degree" in capsys.readouterr().out
    assert worst_value("mean_degree") == float("inf")
    fabric = done.fabric()
    answer = solve.mean_degree(fabric, "all npu", at_least=1e9)
    assert (answer.value, answer.kind) == (2.0, "exact")
    assert solve.mean_degree(fabric, "all npu", at_least=1e12).value == 0
    assert goodness(answer) == (-2, -2)
    with pytest.raises(TypeError, match="no argument `at_lest`"):
        solve.mean_degree(fabric, "all npu", at_lest=1e9)


def test_what_is_not_registered_is_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ring.ubus").write_text(MACHINE)
    assert main(["analyze", str(tmp_path / "ring.ubus"), "--ask", "diametre(all npu)"]) == 2
    assert "did you mean `diameter`?" in capsys.readouterr().err
    assert said("mean_degree(all npu)") == ["there is no function or measure `mean_degree`"]
    with pytest.raises(AttributeError):
        solve.mean_degree  # noqa: B018


OPTIONAL = ("from_plan", "by_length", "by_plan")
"""Parts that a measure need not have."""


@pytest.mark.parametrize("part", [each.name for each in fields(Measure) if each.name not in OPTIONAL])
def test_a_measure_that_lacks_a_part_is_refused(part: str) -> None:
    whole = made_up()
    parts = {each.name: getattr(whole, each.name) for each in fields(Measure) if each.name != part}
    with pytest.raises(TypeError):
        Measure(**parts)


def test_half_a_measure_can_not_be_registered() -> None:
    with pytest.raises(ValueError, match="sentence"):
        made_up(doc="")
    with pytest.raises(ValueError, match="name"):
        made_up(name="two words")
    with pytest.raises(ValueError, match="twice"):
        made_up(arguments=(AT_LEAST, AT_LEAST))
    with pytest.raises(ValueError, match="already"):
        register(made_up(name="hops"))
    with pytest.raises(TypeError, match="is wanted"):
        register("hops")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dimension"):
        Argument("at", Takes.QUANTITY, "a rate")
    with pytest.raises(ValueError, match="word"):
        Argument("at", Takes.WORD, "a word")


def test_each_measure_is_in_the_docs_and_in_python() -> None:
    assert len(MEASURES) == 31
    table = QUESTIONS[QUESTIONS.index("## Measures") : QUESTIONS.index("## Routings")]
    for name, measure in MEASURES.items():
        assert re.search(rf"\b{name}\b", table), name
        function = getattr(solve, name if name != "load" else "loads")
        assert callable(function)
        takes = inspect.signature(function).parameters
        if not any(each.kind is each.VAR_KEYWORD for each in takes.values()):
            assert "fabric" in takes
        assert isinstance(measure, Measure)


def test_each_algorithm_is_known_to_who_makes_the_steps() -> None:
    assert tuple(ALGORITHMS) == tuple(schedules.SCHEDULES)


def test_the_answer_of_every_measure_has_a_certificate() -> None:
    for measure in MEASURES.values():
        assert isinstance(measure, Measure)
        assert "Certified" in str(inspect.signature(measure.evaluate).return_annotation), measure.name
