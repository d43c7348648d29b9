"""`ubusc survey` and what is behind it: every part one by one as the oracle, and good and bad words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analysis.survey import machines
from unifiedbus_dsl import compiler
from unifiedbus_dsl.analysis.survey.surveys import Questions, Surveyed, survey
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.contingency import SerialExecutor

OTHER = """
npu Lone { port p : UB x4 }
rack Pairs { lone[2] : Lone; connect lone[0].p -- lone[1].p over Copper(1 m) }
system pairs : Pairs
"""


@pytest.fixture(scope="module")
def pod() -> compiler.Compilation:
    return machines.compiled()


def surveyed(compilation: compiler.Compilation, of: str, *asked: str, **more: Any) -> Surveyed:
    sink = Sink()
    found = survey(compilation, of, sink=sink, engine=SerialExecutor(), asked=asked, **more)
    assert not list(sink), [d.message for d in sink]
    assert found is not None
    return found


def by_itself(compilation: compiler.Compilation, name: str, asked: str) -> float:
    """The answer after the loss of one device, each end point solved for itself; 0 where there is none."""
    assert compilation.model is not None
    fabric = compilation.fabric("pod")
    lost = NetworkContext(fabric, False).damaged([fabric.device_id(name)])
    (answer,) = Questions(compilation.model, "pod", (asked,))(lost).answers
    return 0.0 if answer is None else answer.value


# ---- against each part by itself -------------------------------------------------------------------------------------

SWITCHES = [
    *(f"cabinet[{r}].leaf[{k}]" for r in range(3) for k in range(2)),
    *(f"spine[{k}, {j}]" for k in range(2) for j in range(2)),
]


@pytest.mark.parametrize(
    "asked",
    [
        "throughput(moe)",
        "throughput(moe, routing = optimal)",
        "throughput(hot)",
        "mean_hops(all npu in cabinet[1])",
        "latency(cabinet[0].npu[1] -> cabinet[2].npu)",
        "fair(next)",
        pytest.param("bisection(all npu)", marks=pytest.mark.slow),
    ],
)
def test_every_switch_by_itself(pod: compiler.Compilation, asked: str) -> None:
    found = surveyed(pod, "switch", asked)
    assert sum(row.copies for row in found.rows) == found.population == 10
    answers = [(found.answer(row, 0), row.copies) for row in found.rows]
    got = sorted(0.0 if each is None else each.value for each, copies in answers for _ in range(copies))
    assert got == pytest.approx(sorted(by_itself(pod, name, asked) for name in SWITCHES), rel=1e-7)


def test_questions_that_a_symmetry_does_not_keep(pod: compiler.Compilation) -> None:
    """How many switches must be solved: all alike but for their tier, or told apart by the question."""
    sorts = {
        asked: len(surveyed(pod, "switch", asked).rows)
        for asked in ("connected(all npu)", "hops(cabinet[0].npu[0] -> cabinet[0].npu[1])", "worst(load(hot))")
    }
    assert sorts["connected(all npu)"] == 2
    assert sorts["hops(cabinet[0].npu[0] -> cabinet[0].npu[1])"] > 2
    assert sorts["worst(load(hot))"] > 2
    assert len(surveyed(pod, "switch", "connected(all npu)", "worst(load(hot))").rows) == sorts["worst(load(hot))"]


@pytest.mark.parametrize(
    ("of", "asked", "alone"),
    [
        ("switch", "time(allreduce(all npu, size = 1 MiB), algorithm = ring)", True),
        ("switch", "fair(moe, hash = 3)", True),
        ("switch", "fair(next)", False),
        ("npu", "fair(next)", True),
        ("npu", "connected(all npu)", False),
        ("npu", "throughput(alltoall(all npu, groups = 2, stride = 1))", True),
        ("npu", "throughput(alltoall(all npu, within = rack))", False),
        ("switch", "throughput(alltoall(all npu, groups = 2, stride = 1))", False),
        ("switch", "optimal_time(allgather(all npu, size = 1 MiB))", False),
    ],
)
def test_where_order_matters_each_part_is_solved(pod: compiler.Compilation, of: str, asked: str, alone: bool) -> None:
    found = surveyed(pod, of, asked)
    assert bool(found.alone) == alone
    assert (len(found.rows) == found.population) == alone or found.population == len(found.rows)


def test_lengths_tell_parts_apart_where_time_is_asked() -> None:
    """Rack 0 stands further away: its cables up are as the others for rates, and not for latency."""
    rule = "connect cabinet[r].z[k, j] -- spine[k, j].p[r] over Optic(20 m) for r, k, j"
    far = rule.replace("20 m", "40 m") + " where r == 0"
    done = machines.compiled(machines.POD.replace(rule, f"{far}; {rule} where r > 0"))
    of = "all link where medium == optical"
    assert [row.copies for row in surveyed(done, of, "throughput(moe)").rows] == [12]
    assert max(row.copies for row in surveyed(done, of, "mean_latency(all npu)").rows) <= 8


def test_worst_first_with_what_is_lost(pod: compiler.Compilation) -> None:
    found = surveyed(pod, "switch", "throughput(moe)")
    (leaf, spine) = found.rows
    assert leaf.parts[0].endswith(".leaf[0]")
    assert spine.parts[0].startswith("spine[")
    assert (leaf.copies, spine.copies) == (6, 4)
    part = found.answer(leaf, 0).value / found.base.answers[0].value
    assert found.share(leaf, 0) == pytest.approx((part, part))
    lost = leaf.outcome.value.losses
    assert {(t.low, t.high): t.after_Bps / t.before_Bps for t in lost.tiers} == {
        (0, 0): 1, (0, 1): 20 / 24, (1, 2): 10 / 12,
    }  # fmt: skip
    least = surveyed(pod, "switch", "worst(load(moe))")
    values = [least.answer(row, 0).value for row in least.rows]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


def test_what_leaves_no_answer_comes_first() -> None:
    """Chips without a mesh between them: a leaf cuts nobody off, both planes of one rack's chips hang on two leaves."""
    text = machines.POD.replace("port x[3] : UB x4; ", "").replace("connect npu.x as fullmesh over Copper(1 m)", "")
    text = text.replace("leaf[2]", "leaf[1]").replace("up[2] : UB x4; transit up", "up : UB x4")
    text = text.replace(
        "npu[i].up[k] -- leaf[k].down[i] over Copper(1 m) for i, k",
        "npu[i].up -- leaf[0].down[i] over Copper(1 m) for i",
    )
    text = text.replace("spine[2, 2]", "spine[1, 2]")
    found = surveyed(machines.compiled(text), "switch", "throughput(moe)")
    leaf, spine = found.rows
    assert found.answer(leaf, 0) is None
    assert "no path" in leaf.outcome.value.reasons[0]
    assert len(leaf.outcome.value.losses.cut_off) == 4
    assert len(spine.outcome.value.losses.cut_off) == 0
    assert found.share(leaf, 0) is None


@pytest.mark.parametrize(
    ("of", "population", "first"),
    [
        ("Leaf", 6, "cabinet["),
        ("rack", 3, "cabinet["),
        ("link", 54, " -- "),
        ("all link where medium == optical", 12, "spine["),
        ("all npu in cabinet[1]", 4, "cabinet[1].npu["),
        ("cabinet", 3, "cabinet["),
        ("spine[0, *]", 2, "spine[0, "),
        ("cabinet[0].npu -- cabinet[0].leaf", 8, "cabinet[0]."),
    ],
)
def test_what_may_fail(pod: compiler.Compilation, of: str, population: int, first: str) -> None:
    found = surveyed(pod, of, "reachable(all npu)")
    assert found.population == population == sum(row.copies for row in found.rows)
    assert first in found.rows[0].parts[0]


def test_parts_by_name(pod: compiler.Compilation) -> None:
    """Every name of a draw of all parts is the part itself."""
    (row,) = surveyed(pod, "rack", fail=3, draws=1).rows
    assert row.parts == ("cabinet[0]", "cabinet[1]", "cabinet[2]")
    (row,) = surveyed(pod, "Leaf", fail=6, draws=1).rows
    assert row.parts == tuple(SWITCHES[:6])


def test_sums_count_what_is_left(pod: compiler.Compilation) -> None:
    found = surveyed(pod, "npu", "count(all npu)", "lanes(all npu in cabinet[1])")
    assert {found.answer(row, 0).value for row in found.rows} == {11}
    assert sorted(found.answer(row, 1).value for row in found.rows for _ in range(row.copies)) == [60] * 4 + [80] * 8


def test_quantiles_count_what_has_no_answer_as_the_worst(pod: compiler.Compilation) -> None:
    found = surveyed(pod, "switch", "throughput(moe)", "diameter(all npu)", fail=6, draws=12, seed=3)
    rates = [found.answer(row, 0) for row in found.rows]
    assert None in rates
    assert found.quantiles(0, 0.95)[0].value == -np.inf
    assert found.quantiles(1, 0.95)[-1].value == np.inf
    assert [row.number for row in found.rows] == list(range(12))


# ---- the command -----------------------------------------------------------------------------------------------------

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    Path("pod.ubus").write_text(machines.POD + OTHER)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(("survey", "pod.ubus", "--workers", "1", *arguments))
        return status, *capsys.readouterr()

    return run


def test_the_table(run: Run) -> None:
    status, out, err = run("--of", "switch", "--traffic", "moe", "--routing", "ecmp", "--routing", "optimal")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "pod: each single switch: 10, 2 to solve"
    assert "[1] throughput(moe, routing = ecmp)" in out
    assert "[2] throughput(moe, routing = optimal)" in out
    head, leaf, spine = out.splitlines()[-3:]
    assert head.split()[:2] == ["parts", "such"]
    assert leaf.split()[:2] == ["6", "cabinet[0].leaf[0]"]
    assert "tier 0-1 83.33%" in leaf
    assert spine.split()[0] == "4"


def test_json_has_the_measures_of_analyze(run: Run) -> None:
    status, out, _ = run("--of", "switch", "--measure", "throughput(moe)", "--json")
    data = json.loads(out)
    assert status == 0
    assert (data["system"], data["parts"], data["finished"], data["total"], data["complete"]) == ("pod", 10, 2, 2, True)
    main(("analyze", "pod.ubus", "--system", "pod", "--json"))
    (measure,) = data["base"]["measures"]
    assert (measure["measure"], measure["unit"], measure["kind"]) == ("throughput", "B/s", "exact")
    for failure in data["failures"]:
        (answer,) = failure["measures"]
        assert answer["value"] == pytest.approx(answer["of_base"] * measure["value"])
        assert set(answer) == {*measure, "of_base"}
        assert failure["losses"]["end_points_cut_off"] == 0
        assert failure["losses"]["worst_pair"]["hops"] >= failure["losses"]["worst_pair"]["before"] > 0


def test_shares_of_intervals_are_worst_and_best_case(run: Run) -> None:
    """With no time for a proof of its own: one of 54 cables costs no more than it had, and ranks by what is proved."""
    words = ("--of", "link", "--measure", "bisection(all npu)", "--budget", "0.000000001")
    status, out, _ = run(*words, "--json")
    data = json.loads(out)
    assert status == 0
    assert data["ranked_by"] == [{"measure": "bisection(all npu)", "bound": "lower"}]
    (base,) = data["base"]["measures"]
    answers = [failure["measures"][0] for failure in data["failures"]]
    assert any(answer["kind"] == "interval" for answer in answers)
    for answer in answers:
        assert answer["lower"] >= base["lower"] - 56e9 * (1 + 1e-9)
        assert answer["upper"] <= base["upper"] * (1 + 1e-9)
        low, high = answer.get("of_base_bounds", [answer["of_base"]] * 2)
        assert answer["of_base"] == low >= 1 - 56e9 / base["lower"] - 1e-9
        assert low <= high <= 1
    assert [answer["lower"] for answer in answers] == sorted(answer["lower"] for answer in answers)
    _, out, _ = run(*words)
    assert "worst first by what is proved" in out
    assert " to 100.00%" in out


def test_random_draws(run: Run) -> None:
    words = ("--of", "link", "--fail", "3", "--draws", "8", "--seed", "7")
    status, out, _ = run(*words)
    assert status == 0
    assert "3 of 54 parts (link) fail at once, 8 random draws of seed 7" in out
    assert "95 % confidence (order statistics" in out
    assert "no bound from so few draws" in out
    _, first, _ = run(*words, "--json")
    _, again, _ = run(*words, "--json")
    data, other = json.loads(first), json.loads(again)
    assert [d["parts"] for d in data["draws"]] == [d["parts"] for d in other["draws"]]
    assert [q["value"] for q in data["quantiles"]] == [q["value"] for q in other["quantiles"]]
    values = sorted(d["measures"][0]["value"] for d in data["draws"])
    assert data["quantiles"][1]["value"] == values[3]
    assert {len(d["parts"]) for d in data["draws"]} == {3}


def test_into_a_file(run: Run) -> None:
    status, out, _ = run("--of", "switch", "--json", "-o", "found.json")
    assert (status, out) == (0, "")
    assert json.loads(Path("found.json").read_text())["parts"] == 10
    status, _, err = run("--of", "switch", "-o", "no/where.json")
    assert status == 74
    assert "no/where.json" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--of", "switch", "--system", "pairs"), "inside there are `all npu`"),
        (("--of", "rack", "--system", "pairs"), "`all` names what is inside it: `all npu`"),
        (("--of", "swich"), "did you mean `all switch`?"),
        (("--of", "all link where medium == copper and lanes == 9"), "the condition holds for none of `all link`"),
        (("--of", "all npu in cabinet[7]"), "outside the 3"),
        (("--of", "switch, link"), "one sort of parts"),
        (("--of", "any 3 of switch"), "one sort of parts"),
        (("--of", "switch } fail link {"), "error"),
        (("--of", ""), "error"),
        (("--of", "switch", "--fail", "11", "--seed", "1"), "11 are to fail, and there are 10"),
        (("--of", "switch", "--draws", "0", "--seed", "1"), "--draws"),
        (("--of", "switch", "--fail", "0"), "--fail"),
        (("--of", "switch", "--fail", "2"), "random draws need a seed"),
        (("--of", "switch", "--seed", "2"), "needs no `--seed`"),
        (("--of", "switch", "--traffic", "mo"), "did you mean `moe`?"),
        (("--of", "switch", "--traffic", "moe", "--system", "pairs"), "is of system `pod`"),
        (("--of", "switch", "--traffic", "alltoall(all npuu)"), "npuu"),
        (("--of", "switch", "--routing", "ecpm"), "did you mean `ecmp`?"),
        (("--of", "switch", "--measure", "bisect(all npu)"), "bisect"),
        (("--of", "switch", "--measure", "all npu"), "a measure is a call"),
        (("--of", "switch", "--measure", "moe"), "a measure is a call"),
        (("--of", "switch", "--engine", "dask://nowhere"), "names no scheduler"),
        (("--of", "switch", "--engine", "spark"), "there is no engine `spark`"),
        (("--of", "switch", "--budget", "0"), "--budget"),
        (("--of", "switch", "--confidence", "100"), "--confidence"),
        ((), "--of"),
    ],
)
def test_words_that_are_wrong(run: Run, words: tuple[str, ...], says: str) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_a_wrong_file(run: Run) -> None:
    Path("pod.ubus").write_text("ubus 1\nrack R { npu : Chap }\nsystem r : R\n")
    status, out, err = run("--of", "switch")
    assert (status, out) == (1, "")
    assert "Chap" in err


def test_ctrl_c_keeps_what_is_finished(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.solver.resilience import contingency

    def tired(self: Any, machine: Any, measure: Any, losses: Any) -> Any:
        yield 0, contingency.evaluate_outcome(measure, losses[0].taken(machine))
        raise KeyboardInterrupt

    monkeypatch.setattr(SerialExecutor, "run", tired)
    status, out, err = run("--of", "switch")
    assert status == 130
    assert "stopped: 1 of 2 are done" in out
    assert "stopped: 1 of 2 are done" in err
    status, out, _ = run("--of", "switch", "--json")
    assert (status, json.loads(out)["complete"], len(json.loads(out)["failures"])) == (130, False, 1)


def test_an_engine_that_cannot_be_reached(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.solver.resilience import contingency

    def gone(self: Any, machine: Any, measure: Any, losses: Any) -> Any:
        raise contingency.EngineError("no scheduler answers")
        yield

    monkeypatch.setattr(SerialExecutor, "run", gone)
    status, out, err = run("--of", "switch")
    assert status == 74
    assert "error: no scheduler answers" in err
    assert "stopped: 0 of 2" in out


def test_a_budget_gives_intervals_that_hold(run: Run) -> None:
    words = ("--of", "switch", "--routing", "optimal", "--json")
    exact = json.loads(run(*words)[1])
    status, out, _ = run(*words, "--budget", "0.000001")
    assert status == 0
    short = json.loads(out)
    pairs = [(exact["base"]["measures"][0], short["base"]["measures"][0])]
    by_part = {failure["part"]: failure["measures"][0] for failure in short["failures"]}
    pairs += [(failure["measures"][0], by_part[failure["part"]]) for failure in exact["failures"]]
    assert len(pairs) == 3
    for good, quick in pairs:
        assert good["kind"] == "exact"
        assert quick["lower"] * (1 - 1e-7) <= good["value"] <= quick["upper"] * (1 + 1e-7)
    assert "interval" in {quick["kind"] for _, quick in pairs}


def test_analyze_hands_on_its_budget(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("analyze", "pod.ubus", "--system", "pod", "--traffic", "moe", "--json")
    assert main((*words, "--budget", "0.000001")) == 0
    kinds = [m["kind"] for m in json.loads(capsys.readouterr().out)["measures"] if "optimal" in m["arguments"]]
    assert kinds == ["interval"]
    assert main((*words, "--budget", "-1")) == 2


def test_bisections_and_least_times_have_a_budget(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    asked = "bisection(all npu); optimal_time(allreduce(all npu, size = 1 GB))"
    words = ("analyze", "pod.ubus", "--system", "pod", "--ask", asked, "--json")
    assert main(words) == 0
    whole = json.loads(capsys.readouterr().out)["measures"]
    assert main((*words, "--budget", "0.000001")) == 0
    for one, short in zip(whole, json.loads(capsys.readouterr().out)["measures"], strict=True):
        assert "as far as the time allowed" in " ".join(short["assumptions"])
        assert short["lower"] <= one["lower"] * (1 + 1e-7)
        assert short["upper"] >= one["upper"] * (1 - 1e-7)


# ---- elsewhere -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_questions_travel(pod: compiler.Compilation) -> None:
    """The answers of other processes are those of this one, for the same seed, whatever the number of workers."""
    from unifiedbus_dsl.analysis.survey.engines import Processes

    def values(workers: int) -> list[Any]:
        sink = Sink()
        asked = ("throughput(moe, routing = optimal)", "latency(all npu)")
        found = survey(pod, "link", sink=sink, engine=Processes(workers), asked=asked, fail=3, draws=9, seed=5)
        assert found is not None
        return [[None if a is None else a.value for a in row.outcome.value.answers] for row in found.rows]

    assert values(1) == values(2)


def test_a_cable_of_several_links_is_one_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four breakouts to two NICs each and four straight cables: eight failures, of which those of one host pair cut two
    end points off."""
    text = """ubus 1
protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Dac : Eth { medium = copper; reach = 3 m }
nic Nic { port p : Eth x4 }
switch Tor { port q[8, 2] : Eth x4 @open @cage; latency = 600 ns }
rack R {
  nic[8] : Nic
  tor[2] : Tor
  connect nic[2*c + h].p -- tor[0].q[c, h] over Dac(2 m) for c in 0..3, h
  connect tor[0].q[c, h] -- tor[1].q[c, h] over Dac(1 m) for c in 4..7, h
}
system r : R
"""
    (tmp_path / "r.ubus").write_text(text)
    assert main(["survey", str(tmp_path / "r.ubus"), "--of", "link", "--measure", "reachable(all nic)", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["parts"] == 8
    left = [row["measures"][0]["lower"] for row in said["failures"] for _ in range(row["copies"])]
    assert sorted(left) == [6.0] * 4 + [8.0] * 4
