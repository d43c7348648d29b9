"""Explorations from end to end: `ubusc explore`, its files, its journal, and the figures found again."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import unifiedbus_dsl as ub
from unifiedbus_dsl import solve
from unifiedbus_dsl.analysis.explore import explorations, solve_design
from unifiedbus_dsl.analysis.explore.problem import Goal
from unifiedbus_dsl.analysis.explore.solve_design import Machine
from unifiedbus_dsl.analysis.survey.engines import Processes
from unifiedbus_dsl.analysis.survey.engines.processes import why_not
from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.semantic.queries.design_space import Trends
from unifiedbus_dsl.solver.network_context import NetworkContext

TEXT = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
link Copper : UB { medium = copper; reach = 2 m; cost = 40 USD }
link Optic : UB { medium = optical; reach = 50 m; cost = 300 USD }
npu Chip { cost = 10 USD; port up[4] : UB x4 @open }
npu Large extends Chip { cost = 30 USD }
switch Plane(ports) { latency = 250 ns; cost = 20 USD * ports; port p[ports] : UB x4; expect ports <= 32 }

rack Cluster(chips = 16, planes = 4, cable = Copper, chip = Chip) {
  npu[chips]    : chip
  plane[planes] : Plane(ports = chips)
  connect npu[i].up[k] -- plane[k].p[i] over cable(1 m) for i, k in 0..<planes
}

system cluster : Cluster
traffic everyone of cluster = alltoall(all npu)

explore size of cluster {
  vary chips in 8..40 step 8
  vary planes in 1..4
  vary cable in [Copper, Optic]
  let floor = 100 GB/s
  require throughput(everyone) >= floor
  minimize cost()
  maximize bisection(all npu)
  diameter(all npu)
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.ubus"
    path.write_text(TEXT)
    return path


@frozen
class Result:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


CAPTURE: list[pytest.CaptureFixture[str]] = []


@pytest.fixture(autouse=True)
def captured(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    CAPTURE.append(capsys)
    yield
    CAPTURE.clear()


def ubusc(*words: object) -> Result:
    status = main([str(word) for word in words])
    return Result(status, *CAPTURE[0].readouterr())


def run(*words: object) -> Result:
    return ubusc("explore", *words)


def explored(*words: object, status: int = 0) -> Any:
    result = run(*words, "--json", "--workers", 1)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def by_hand() -> dict[tuple[int, int, str], tuple[float, float]]:
    """Cost and bisection of what is feasible, by arithmetic: each chip has a cable of 56 GB/s to each plane."""
    result = {}
    for chips, planes, (cable, price) in product(range(8, 41, 8), range(1, 5), (("Copper", 40), ("Optic", 300))):
        rate = planes * 56e9
        if chips <= 32 and rate >= 100e9:
            result[chips, planes, cable] = (chips * 10 + planes * (20 + price) * chips, chips // 2 * rate)
    return result


def front_by_hand() -> set[tuple[int, int, str]]:
    known = by_hand()
    return {
        key
        for key, (cost, cut) in known.items()
        if not any(c <= cost and b >= cut and (c, b) != (cost, cut) for c, b in known.values())
    }


def keys(data: Any, numbers: Sequence[int]) -> set[tuple[int, int, str]]:
    chosen = [design["set"] for design in data["designs"] if design["number"] in numbers]
    return {(int(each["chips"]), int(each["planes"]), each["cable"]) for each in chosen}


def test_the_front_is_that_of_arithmetic(file: Path) -> None:
    data = explored(file)
    assert (data["method"], data["heuristic"], data["solved"], data["space"]) == ("exhaustive", False, 40, 40)
    assert keys(data, data["front"]) == front_by_hand()
    known = by_hand()
    feasible = {keys(data, [design["number"]]).pop(): design for design in data["designs"] if design["feasible"]}
    assert feasible.keys() == known.keys()
    for key, design in feasible.items():
        cost, cut, diameter = design["measures"]
        assert (cost["value"], cut["value"], diameter["value"]) == pytest.approx((*known[key], 2))
        assert {cost["kind"], cut["kind"], diameter["kind"]} == {"exact"}
        assert design["standing"] == ("on the front" if key in front_by_hand() else "dominated")


def test_what_is_not_feasible_has_its_reason(file: Path) -> None:
    data = explored(file)
    reasons = {keys(data, [d["number"]]).pop(): d.get("reason", "") for d in data["designs"] if not d["feasible"]}
    assert "expectation failed: `ports <= 32`" in reasons[40, 4, "Copper"]
    assert reasons[8, 1, "Copper"].startswith("`throughput(everyone) >= floor` does not hold: throughput(everyone): 56")


def test_each_design_of_the_front_is_found_again_by_its_command(file: Path) -> None:
    """The command that stands beside it, run as it stands, gives its figures."""
    data = explored(file)
    chosen = [design for design in data["designs"] if design["number"] in data["front"]]
    assert len(chosen) > 3
    for design in chosen:
        program, *words = shlex.split(design["command"])
        assert program == "ubusc"
        result = ubusc(*words, "--json")
        assert result.exit_code == 0, result.output
        again = json.loads(result.stdout)["measures"]
        figures = [(each["value"], each["lower"], each["upper"], each["kind"]) for each in again]
        assert figures == [(each["value"], each["lower"], each["upper"], each["kind"]) for each in design["measures"]]


def test_text_and_csv_say_the_same(file: Path) -> None:
    data, shown = explored(file), run(file).stdout
    assert "The Pareto front of 40 designs, each solved" in shown
    rows = [line for line in shown.splitlines() if "--set chips=" in line and line.split()[0].isdigit()]
    assert [int(line.split()[0]) for line in rows] == data["front"]
    assert "8 designs not feasible, such as: `throughput(everyone) >= floor` does not hold: " in shown
    table = list(csv.DictReader(io.StringIO(run(file, "--csv").stdout)))
    assert len(table) == 40
    assert [int(row["design"]) for row in table if row["standing"] == "on the front"] == data["front"]
    costs = [float(row["cost()"]) for row in table if row["standing"]]
    assert costs == [d["measures"][0]["value"] for d in data["designs"] if d["standing"]]


def test_options_are_the_lines_of_a_block(file: Path) -> None:
    asked = explored(
        file, "--vary", "chips in 8..40 step 8", "--vary", "planes in 1..4", "--vary", "cable in [Copper, Optic]",
        "--require", "throughput(everyone) >= 100 GB/s", "--minimize", "cost()", "--maximize", "bisection(all npu)",
    )  # fmt: skip
    assert asked["front"] == explored(file)["front"]
    assert asked["block"] == "asked"


def test_types_are_varied_and_a_single_objective_has_a_best(file: Path) -> None:
    data = explored(file, "--vary", "chip in [Chip, Large]", "--vary", "UB.lane in [56 Gbps, 112 Gbps]",
                    "--maximize", "bisection(all npu) / cost()")  # fmt: skip
    (best,) = data["front"]
    assert data["designs"][best - 1]["set"] == {"chip": "Chip", "UB.lane": "112 Gbps"}


def test_without_objectives_all_that_is_feasible_is_listed(file: Path) -> None:
    result = run(file, "--vary", "planes in 1..4", "--require", "throughput(everyone) > 56 GB/s", "--workers", 1)
    assert result.exit_code == 0
    assert "All that is feasible of 4 designs, each solved: 3 designs" in result.stdout


def test_a_sample_says_that_it_is_one(file: Path) -> None:
    data = explored(file, "size", "--samples", 12, "--seed", 7)
    assert (data["method"], data["heuristic"], data["seed"]) == ("Latin hypercube sample", True, 7)
    assert data["solved"] <= 12
    assert data["claim"].startswith("heuristic: the Pareto front of ")
    assert "best" not in run(file, "size", "--samples", 12, "--seed", 7).stdout.replace("may be better", "")
    assert data == explored(file, "size", "--samples", 12, "--seed", 7)
    assert explored(file, "size", "--samples", 40, "--seed", 7)["method"] == "exhaustive"


def test_bounds_give_the_front_of_all(file: Path, tmp_path: Path) -> None:
    """The trends of this machine are true: cost and bisection grow with chips and planes."""
    bounded = tmp_path / "bounded.ubus"
    bounded.write_text(
        TEXT.replace("floor\n", "floor increasing in planes\n", 1)
        .replace(">= floor\n", ">= floor increasing in planes\n")
        .replace("cost()\n", "cost() increasing in chips, planes\n")
        .replace("bisection(all npu)\n", "bisection(all npu) increasing in chips, planes\n")
        .replace("let floor = 100 GB/s increasing in planes", "let floor = 100 GB/s")
    )
    data = explored(bounded, "--max-designs", 39)
    assert (data["method"], data["heuristic"]) == ("branch and bound", False)
    assert data["solved"] + data["excluded"] == 40
    assert data["excluded"] > 0
    assert keys(data, data["front"]) == front_by_hand()
    stopped = explored(bounded, "--max-designs", 5, status=1)
    assert (stopped["complete"], stopped["heuristic"]) == (False, True)


def test_a_false_trend_is_an_error(file: Path, tmp_path: Path) -> None:
    false = tmp_path / "false.ubus"
    false.write_text(TEXT.replace("cost()\n", "cost() decreasing in planes\n"))
    result = run(false, "--workers", 1)
    assert result.exit_code == 1
    assert "what is stated of how `cost()` follows what is varied is false" in result.stderr
    assert "Heuristic: " in result.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--max-designs", 3], "these are 40 designs, and up to 3 are solved one by one"),
        (["--vary", "chips in [4]", "size"], "block `size` says what is explored"),
        (["siz"], "did you mean `size`?"),
        (["--minimize", "cost()"], "nothing is varied"),
        (["size", "--vary", "chips in [4]"], "block `size` says what is explored"),
        (["--samples", 4], "a sample needs a seed"),
        (["--seed", 4], "a seed is for a sample"),
        (["--json", "--csv"], "not both"),
        (["--plot", "front.pdf"], "ends in .svg or .png"),
        (["--engine", "nobody"], "no engine `nobody`"),
        (["--system", "cluster"], "a block says which system it is of"),
        (["--resume", "a.ubus"], "a file for the journal alone"),
        (["--vary", "chips in 4..2"], "there is no value in this range"),
        (["--vary", "chisp in [4]"], "did you mean `chip`?"),
        (["--vary", "chips in [4]", "--minimize", "cots()"], "did you mean `cost`?"),
        (["--vary", "chips in [4] }"], "UB0"),
        (["--vary", "chips in [4]", "--measure", "cost() } explore b of cluster { vary chips in [8]"], "UB0"),
    ],
)
def test_wrong_usage_is_said(file: Path, words: list[object], said: str) -> None:
    result = run(file, *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_machine_that_no_design_makes_is_an_error(file: Path) -> None:
    result = run(file, "--vary", "chips in [64, 128]", "--minimize", "cost()", "--workers", 1)
    assert result.exit_code == 1
    assert "2 designs not feasible, such as: expectation failed: `ports <= 32`: 64 is more than 32" in result.stdout
    assert "no design can be made" in result.stderr


def test_an_exploration_goes_on_from_its_journal(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped by Ctrl-C after some designs, the same command goes on, to the same bytes."""
    journal, whole = tmp_path / "j", run(file, "--json", "--workers", 1).stdout
    call, count = explorations.DesignSolver.__call__, 0

    def stopping(self: Any, settings: Any) -> Any:
        nonlocal count
        count += 1
        if count == 7:
            raise KeyboardInterrupt
        return call(self, settings)

    monkeypatch.setattr(explorations.DesignSolver, "__call__", stopping)
    first = run(file, "--json", "--workers", 1, "--resume", journal)
    assert first.exit_code == 130
    stopped = json.loads(first.stdout)
    assert (stopped["complete"], stopped["solved"], stopped["heuristic"]) == (False, 6, True)
    assert f"go on with `--resume {journal}`" in first.stderr
    second = run(file, "--json", "--workers", 1, "--resume", journal)
    assert (second.exit_code, second.stdout) == (0, whole)
    assert count == 7 + 34
    again = run(file, "--json", "--workers", 1, "--resume", journal)
    assert (again.stdout, count) == (whole, 7 + 34)
    other = run(file, "--json", "--workers", 1, "--resume", journal, "--set", "UB.lane=56 Gbps")
    assert other.exit_code == 1
    assert "the journal of another exploration" in other.stderr
    survey = ubusc("survey", file, "--of", "switch", "--resume", journal)
    assert "is no journal of a survey" in survey.stderr


@pytest.mark.skipif(why_not() is not None, reason="worker processes can't be had here")
def test_workers_find_the_same(file: Path) -> None:
    assert run(file, "--json", "--workers", 2).stdout == run(file, "--json", "--workers", 1).stdout


def test_a_text_without_a_file_is_explored_by_workers_too() -> None:
    """What it uses travels with it."""
    done = ub.compile_text(
        'ubus 1\nuse Cluster from "parts.ubus"\nsystem lab : Cluster\n',
        files={"parts.ubus": TEXT.split("system", maxsplit=1)[0]},
    )
    block = explorations.parse_block("vary chips in 4..32 step 2\nminimize cost()", Sink())
    assert block is not None
    workers = 2 if why_not() is None else 1
    found = explorations.explore_block(done, block, "lab", sink=Sink(), engine=Processes(workers))
    assert found is not None
    assert [design.settings for design in found.front] == [{"chips": "4"}]


def test_a_fabric_file_has_nothing_to_vary(file: Path, tmp_path: Path) -> None:
    ub.compile(file).fabric().save(tmp_path / "made.npz")
    result = run(tmp_path / "made.npz", "--vary", "chips in [4]")
    assert result.exit_code == 2
    assert "explore the text that it was made of" in result.stderr


def test_intervals_say_who_is_possibly_on_the_front(tmp_path: Path) -> None:
    """A bisection without time to be found is an interval; what its bounds leave open is said so."""
    path = tmp_path / "random.ubus"
    path.write_text(
        "ubus 1\nprotocol UB { lane = 112 Gbps; latency = 100 ns }\n"
        "link Copper : UB { medium = copper; reach = 2 m; cost = 1 USD }\n"
        "npu Chip { port x[4] : UB x4; transit x }\n"
        "rack Graph(n = 40, seed = 1) { npu[n] : Chip\n"
        "  connect npu.x as regular(4, seed = seed) over Copper(1 m) }\n"
        "system graph : Graph\n"
        "explore seeds of graph { vary seed in 1..3; minimize count(all npu); maximize bisection(all npu) }\n"
    )
    data = explored(path, "--budget", 0.01)
    kinds = {design["measures"][1]["kind"] for design in data["designs"]}
    if kinds == {"exact"}:
        pytest.skip("all are proved in no time here")
    assert "possibly on the front" in {design["standing"] for design in data["designs"]}
    for design in data["designs"]:
        lower = max(other["measures"][1]["lower"] for other in data["designs"] if other is not design)
        beaten = design["measures"][1]["upper"] < lower * (1 - 1e-9)
        assert (design["standing"] == "dominated") is beaten


def test_python_gives_the_same(file: Path, tmp_path: Path) -> None:
    done, data = ub.compile(file), explored(file)
    for found in (
        ub.explore(done),
        ub.explore(done, "size", resume=tmp_path / "j"),
        ub.explore(done, "size", resume=tmp_path / "j"),
        ub.explore(
            done,
            vary={"chips": range(8, 41, 8), "planes": "1..4", "cable": ["Copper", "Optic"]},
            require=["throughput(everyone) >= 100 GB/s"],
            minimize=["cost()"],
            maximize=["bisection(all npu)"],
        ),
    ):
        assert isinstance(found, ub.Explored)
        assert [design.number for design in found.front] == data["front"]
        assert not found.heuristic
    page = found._repr_html_()
    assert "the Pareto front of 40 designs, each solved" in page
    assert "Optic" not in page
    sample = ub.explore(done, samples=10, seed=3)
    assert sample.heuristic
    table = pytest.importorskip("pandas") and found.to_pandas()
    assert list(table.index) == data["front"]
    assert list(table["cost().lower"]) == [data["designs"][n - 1]["measures"][0]["value"] for n in data["front"]]
    with pytest.raises(solve.QuestionError, match="there is no function or measure `cots`"):
        ub.explore(done, vary={"chips": [8]}, minimize=["cots()"])
    with pytest.raises(KeyError, match="did you mean `size`"):
        ub.explore(done, "siz")
    with pytest.raises(explorations.ExploreError, match="40 designs"):
        ub.explore(done, max_designs=3)


class Ends:
    """An objective that is no measure of a network."""

    text = "square of the end points"

    def answer(self, machine: Machine) -> Answer:
        ends = len(machine.asker.machine.fabric.device_type)
        return Answer("", "", "square", "", float(ends) ** 2, NUMBER, "estimate", 0.0, float(ends) ** 2)


def test_an_objective_may_be_found_otherwise(file: Path) -> None:
    done = ub.compile(file)
    goal = Goal(Ends(), True, Trends((0,)))
    found = ub.explore(done, vary={"chips": [8, 16]}, minimize=["count(all switch)"], objectives=[goal])
    (best,) = found.front
    assert (best.settings, best.estimated) == ({"chips": "16"}, True)


def test_the_network_of_another_system_is_made_once_a_design(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two conditions and two objectives ask another system; each has its own messages, and one network serves all."""
    made: list[str] = []

    def counted(fabric: ub.Fabric, **named: Any) -> NetworkContext:
        made.append(fabric.plan.system)
        return NetworkContext(fabric, **named)

    monkeypatch.setattr(solve_design, "NetworkContext", counted)
    text = TEXT.replace("system cluster : Cluster\n", "system cluster : Cluster\nsystem other : Cluster\n")
    found = ub.explore(
        ub.compile_text(text),
        vary={"chips": [8, 16]},
        require=["diameter(all npu) <= diameter(all npu) of other", "cost() >= cost() of other"],
        minimize=["cost() / (cost() of other)", "hops(npu[0] -> npu[9]) of other"],
        system="cluster",
    )
    assert made == ["cluster", "other"] * 2
    small, large = found.designs
    assert [answer and answer.value for answer in small.solved.answers] == [1.0, None]
    assert small.solved.reasons[1] == "subscript 9 is outside the 8 elements of `npu`"
    assert [answer and answer.value for answer in large.solved.answers] == [1.0, 2.0]
