"""The one registry of measures: what is in it is whole, a made-up measure is found everywhere, half a one nowhere."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import fields, frozen

from tests.support import question_tables
from unifiedbus_dsl import compile_text, solve
from unifiedbus_dsl.analysis.run import analyze
from unifiedbus_dsl.analysis.survey.surveys import goodness, worst_value
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import NUMBER, RATE
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.editor.completion import complete
from unifiedbus_dsl.editor.project import Project
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.registry import (
    ENDS,
    Better,
    CollectiveAlgorithm,
    Invariance,
    Measure,
    RoutingDefinition,
    register,
    registered,
)
from unifiedbus_dsl.measures.routing_call import RoutingCall
from unifiedbus_dsl.measures.traffic.definition import TrafficPattern
from unifiedbus_dsl.measures.traffic.pattern_call import PatternCall, Traffic
from unifiedbus_dsl.solver.collectives import schedules
from unifiedbus_dsl.solver.collectives.schedules import ScheduleCall
from unifiedbus_dsl.solver.collectives.steps import Phase
from unifiedbus_dsl.solver.demand import Demand, pairs
from unifiedbus_dsl.solver.routing import ecmp
from unifiedbus_dsl.solver.routing.interface import LinearRouting, Routing
from unifiedbus_dsl.verify import Proved
from unifiedbus_dsl.verify.cables import Cables
from unifiedbus_dsl.vocabulary.signatures import ALGORITHMS, MEASURES, ROUTINGS, TRAFFICS, Argument, Signature, Takes

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
        "rests_on": ("rate",),
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
    assert len(MEASURES) >= 30
    for name, measure in MEASURES.items():
        function = getattr(solve, name if name != "load" else "loads")
        assert callable(function)
        takes = inspect.signature(function).parameters
        if not any(each.kind is each.VAR_KEYWORD for each in takes.values()):
            assert "fabric" in takes
        assert isinstance(measure, Measure)


def test_the_tables_of_the_docs_are_those_of_the_registries() -> None:
    said = "run `python -m tests.support.question_tables --accept`"
    assert question_tables.written_anew(QUESTIONS) == QUESTIONS, said
    for registry in (MEASURES, TRAFFICS, ROUTINGS, ALGORITHMS):
        assert all(f"| `{name}(" in QUESTIONS for name in registry)


# ---- routings, patterns of traffic and algorithms -------------------------------------------------------------------


def halfway(call: RoutingCall) -> Routing:
    """ecmp by another name, for a made-up routing with a word."""
    return LinearRouting(call.name, call.text, ecmp.ecmp)


HALFWAY = RoutingDefinition(
    "halfway",
    "as `ecmp`, by another name",
    (Argument("side", Takes.WORD, "which", words=("near", "far"), default="near"),),
    make=halfway,
)


def both_ways(call: PatternCall) -> Traffic | None:
    """Each to those on both sides."""
    far = call.integer("far", 1, low=1)
    if far is None:
        return None

    def demand(members: Ints, group: Ints) -> Demand:
        n = len(members)
        ahead = members[(np.arange(n) + far) % n]
        return pairs(np.concatenate([members, ahead]), np.concatenate([ahead, members]))

    return call.grouped(demand)


NEIGHBOURS = TrafficPattern(
    "neighbours",
    "each to those on both sides",
    (ENDS, Argument("far", Takes.NUMBER, "how far they are", default="1")),
    make=both_ways,
    ordered=True,
)


def twice_round(call: ScheduleCall) -> list[Phase]:
    """The ring, twice."""
    return [{"twice": tuple(step for _ in range(2) for step in call.steps("ring")[0]["ring"])}]


TWICE = CollectiveAlgorithm("twice", "round the ring, and once more", (), schedule=twice_round)


def test_a_made_up_routing_is_found_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ring.ubus"
    path.write_text(f"{MACHINE}traffic a of ring = alltoall(all npu)\n")
    with registered(HALFWAY):
        assert said("expect throughput(alltoall(all npu), routing = halfway(side = far)) > 0 GB/s") == []
        assert said("throughput(alltoall(all npu), routing = halfway(side = fat))") == ["`side` is one of near, far"]
        assert said("throughput(alltoall(all npu), routing = halfway(sid = far))") == ["`halfway` takes `side`"]
        assert "halfway" in said("throughput(alltoall(all npu), routing = halfwax)")[0]
        fabric = compile_text(MACHINE).fabric()
        rates = solve.throughput(fabric, "alltoall(all npu)", routing="halfway(side = far)")
        assert (rates.routing, rates.mean_Bps) == (
            "halfway(side = far)", solve.throughput(fabric, "alltoall(all npu)").mean_Bps,
        )  # fmt: skip
        assert main(["render", str(path), "--traffic", "a", "--routing", "halfway", "-o", str(tmp_path / "a.svg")]) == 0
        assert main(["survey", str(path), "--of", "link", "--routing", "halfway"]) == 0
        assert "routing = halfway" in capsys.readouterr().out
        assert main(["explain", "halfway"]) == 0
        assert "A routing: as `ecmp`, by another name." in capsys.readouterr().out
        assert "halfway" in completed("throughput(alltoall(all npu), routing = half", tmp_path)
        assert "| `halfway(side = near)` | as `ecmp`, by another name |" in question_tables.tables()["routings"]
    assert said("throughput(alltoall(all npu), routing = halfway)") != []
    assert main(["explain", "halfway"]) == 2


def test_a_made_up_pattern_is_found_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ring.ubus"
    with registered(NEIGHBOURS):
        path.write_text(f"{MACHINE}traffic a of ring = neighbours(all npu, far = 1)\n")
        assert said("expect throughput(neighbours(all npu)) == 25 GB/s") == []
        assert said("throughput(neighbours(all npu, fat = 2))") == ["`neighbours` takes `far`"]
        assert said("throughput(neighbors(all npu))") == ["there is no function or measure `neighbors`"]
        fabric = compile_text(MACHINE).fabric()
        assert solve.throughput(fabric, "neighbours(all npu)").mean_Bps == pytest.approx(25e9)
        assert solve.throughput(fabric, "neighbours(all npu, far = 3)").mean_Bps == pytest.approx(25e9 / 3)
        assert main(["analyze", str(path), "--ask", "fair(a); load(a)"]) == 0
        assert main(["export", str(path), "--to", "chakra", "--traffic", "a", "-o", str(tmp_path / "et")]) == 0
        assert main(["explain", "neighbours"]) == 0
        assert "A traffic pattern: each to those on both sides." in capsys.readouterr().out
        assert "neighbours" in completed("neigh", tmp_path, "traffic b of ring = {}")
        assert "| `neighbours(ends, far = 1)` |" in question_tables.tables()["traffic"]
        with pytest.raises(solve.QuestionError, match="is no collective"):
            solve.time(fabric, "neighbours(all npu)")
    assert said("throughput(neighbours(all npu))") != []


def test_a_made_up_algorithm_is_found_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fabric = compile_text(MACHINE).fabric()
    with registered(TWICE):
        assert said("time(allgather(all npu, size = 1 MiB), algorithm = twice)") == []
        once, twice = (
            solve.time(fabric, "allgather(all npu)", each, size_bytes=1e6).value for each in ("ring", "twice")
        )
        assert twice == pytest.approx(2 * once)
        assert "twice" in solve.time(fabric, "allgather(all npu)", size_bytes=1e6).detail["others"]
        assert "twice" in solve.sweep(fabric, "allgather(all npu)").detail["sweep"][0]["algorithms"]
        assert main(["explain", "twice"]) == 0
        assert "A collective algorithm: round the ring, and once more." in capsys.readouterr().out
        assert "twice" in completed("time(allgather(all npu, size = 1 MiB), algorithm = tw", tmp_path)
        assert "| `twice()` | round the ring, and once more |" in question_tables.tables()["algorithms"]
    assert said("time(allgather(all npu, size = 1 MiB), algorithm = twice)") != []


@pytest.mark.parametrize(("whole", "part"), [(HALFWAY, "make"), (NEIGHBOURS, "make"), (NEIGHBOURS, "ordered"),
                                             (TWICE, "schedule")])  # fmt: skip
def test_an_entry_that_lacks_a_part_is_refused(whole: Signature, part: str) -> None:
    kind = type(whole)
    with pytest.raises(TypeError):
        kind(**{each.name: getattr(whole, each.name) for each in fields(kind) if each.name != part})
    bare = Signature(whole.name, whole.doc, whole.arguments)
    with pytest.raises(TypeError, match="is wanted, not Signature"):
        register(bare)  # type: ignore[type-var]
    for registry in (MEASURES, TRAFFICS, ROUTINGS, ALGORITHMS):
        with pytest.raises(TypeError, match="lacks"):
            registry.register(bare)  # type: ignore[arg-type]


def test_python_tells_the_arguments_of_the_registry(degrees: Measure) -> None:
    signature = inspect.signature(solve.mean_degree)
    assert str(signature.replace(return_annotation=signature.empty)).startswith("(fabric: ")
    assert list(signature.parameters) == ["fabric", "ends", "at_least"]
    assert signature.parameters["at_least"].default is None
    assert "at_least: only cables of this rate (a rate; without it 0 B/s)." in (solve.mean_degree.__doc__ or "")


def completed(question: str, folder: Path, line: str = "analyze q of ring {{ {} }}") -> list[str]:
    """The names that an editor offers at the end of a question."""
    text = f"{MACHINE}{line.format(question)}\n"
    path = folder.resolve() / "open.ubus"
    path.write_text(text)
    project = Project((path.parent,))
    document = project.document(path)
    assert document is not None
    return [each.label for each in complete(project, document, text.index(question) + len(question))]


def test_each_algorithm_is_known_to_who_makes_the_steps() -> None:
    assert tuple(ALGORITHMS) == tuple(schedules.SCHEDULES)


def test_the_answer_of_every_measure_has_a_certificate() -> None:
    for measure in MEASURES.values():
        assert isinstance(measure, Measure)
        assert "Certified" in str(inspect.signature(measure.evaluate).return_annotation), measure.name
