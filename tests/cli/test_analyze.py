"""`ubusc analyze`: every field of its JSON, what it says of a wrong file, and questions on the command line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from unifiedbus_dsl.cli import progress_bar
from unifiedbus_dsl.cli.terminal import is_terminal

TORUS = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m; latency = 50 ns }
link Long : UB { medium = copper; reach = 9 m; delay = 5 ns/m; latency = 50 ns }
npu Chip { port p[4] : UB x4; transit p; latency = 30 ns }
rack T {
  npu[4, 6] : Chip
  connect npu[i, j].p[0] -- npu[(i + 1) mod 4, j].p[1] over Wire(1 m) for i, j
  connect npu[i, j].p[2] -- npu[i, (j + 1) mod 6].p[3] over Long(2 m) for i, j
}
system t : T
traffic moe of t = alltoall(all npu)
"""
BLOCK = """analyze q of t {
  bisection(all npu); connected(all npu); throughput(moe); load(moe, rate = 10 GB/s); hops(all npu)
}
"""
FIELDS = {
    "system", "block", "measure", "arguments", "value", "unit", "kind", "from", "lower", "upper", "binding",
    "assumptions", "seconds",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "t.ubus"
    path.write_text(f"{TORUS}{BLOCK}\n")
    return str(path)


def test_every_field_of_the_json(run: Run, file: str) -> None:
    """Torus of 4 x 6, 56 GB/s a cable: 2 * 4 cables across the long side, twice round; 24 end points."""
    done = run("analyze", file, "--json")
    data = json.loads(done.out)
    assert (done.status, done.err) == (0, "")
    assert set(data) == {
        *("version", "summary", "diagnostics", "measures", "expectations", "scenarios", "left_out", "orbits")
    }
    assert data["diagnostics"] == []
    assert [m["measure"] for m in data["measures"]] == ["bisection", "connected", "throughput", "load", "hops"]
    for measure in data["measures"]:
        assert set(measure) - {"detail"} == FIELDS
        assert (measure["system"], measure["block"]) == ("t", "q")
        assert measure["kind"] in ("exact", "interval")
        assert measure["lower"] <= measure["value"] <= measure["upper"] or measure["measure"] == "throughput"
        assert measure["seconds"] >= 0
        assert all(isinstance(text, str) and text for text in [*measure["binding"], *measure["assumptions"]])
    bisection, connected, throughput, load, hops = data["measures"]
    assert (bisection["unit"], bisection["value"]) == ("B/s", pytest.approx(8 * 56e9))
    assert connected["value"] is True
    assert throughput["arguments"] == "moe"
    assert math.isclose(throughput["lower"], throughput["upper"], rel_tol=1e-9)
    assert throughput["binding"] == ["npu[0, 0] -> npu[0, 1] over Long and 47 more"]
    assert load["value"] == pytest.approx(10e9 / throughput["value"])
    long, wire = load["detail"]["by_link"]["Long"], load["detail"]["by_link"]["Wire"]
    # mean hops along the sides of 6 and of 4 are 9/6 and 4/4 with the pair (v, v); two cables each way a dimension
    assert long == pytest.approx({"most": 10 / 56 * 36 / 23 / 2, "mean": 10 / 56 * 36 / 23 / 2})
    assert wire == pytest.approx({"most": 10 / 56 * 24 / 23 / 2, "mean": 10 / 56 * 24 / 23 / 2})
    assert set(load["detail"]["by_tier"]) == {"0 to 0"}
    assert len(load["detail"]["busiest"]) == 20
    assert hops["detail"]["histogram"] == [[d, 24 * n] for d, n in ((1, 4), (2, 7), (3, 7), (4, 4), (5, 1))]


@pytest.mark.parametrize(
    "text", [TORUS.replace("npu[4, 6]", "npu[4, 5]"), TORUS + "analyze q of t { hops(npu[7, 0]) }", "("]
)
def test_a_wrong_file_is_json_too(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "t.ubus").write_text(text)
    done = run("analyze", "t.ubus", "--json")
    data = json.loads(done.out)
    assert (done.status, done.err) == (1, "")
    assert data["measures"] == []
    assert data["summary"]["errors"] == len(data["diagnostics"]) > 0
    checked = json.loads(run("check", "t.ubus", "--format", "json").out)
    assert data["diagnostics"] == checked["diagnostics"]


def test_a_wrong_question_is_beside_the_answers(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.ubus").write_text(TORUS + "analyze q of t { diameter(all npu); throughput(moe, routing = updown) }")
    done = run("analyze", "t.ubus", "--json")
    data = json.loads(done.out)
    assert done.status == 1
    assert [m["value"] for m in data["measures"]] == [5]
    assert [d["code"] for d in data["diagnostics"]] == ["UB0706"]


def test_questions_on_the_command_line(run: Run, file: str) -> None:
    done = run("analyze", file, "--ask", "diameter(all npu)", "--ask", "count(all npu); ports(all npu)", "--json")
    measures = json.loads(done.out)["measures"]
    assert [(m["measure"], m["value"], m["unit"]) for m in measures] == [
        ("diameter", 5, "1"), ("count", 24, "1"), ("ports", 96, "1"),
    ]  # fmt: skip
    assert run("analyze", file, "--ask", "diameter(all npu)", "--traffic", "moe").status == 2
    for wrong in (
        "diameter(all npu",
        "diameter(all cpu)",
        "dimeter(all npu)",
        "3",
        "diameter(all npu) }\nanalyze q of m { hops(all npu)",
    ):
        done = run("analyze", file, "--ask", wrong)
        assert (done.status, done.out) == (2, ""), wrong
        assert "error[UB" in done.err
        as_json = run("analyze", file, "--ask", wrong, "--json")
        assert (as_json.status, json.loads(as_json.out)["measures"]) == (2, [])
    for empty in ("", " ", ";", "let k = 3"):
        done = run("analyze", file, "--ask", empty)
        assert (done.status, "`--ask` asks nothing" in done.err, done.out) == (2, True, ""), empty
    for well_put in ("bisection(npu[0, 0])", "expect count(all npu) == 25"):
        assert run("analyze", file, "--ask", well_put).status == 1, well_put


def test_questions_of_a_survey_have_the_same_statuses(run: Run, file: str) -> None:
    for measure, status in (("bisection(npu[0, 0])", 1), ("bisection(all cpu)", 2), ("", 2)):
        done = run("survey", file, "--of", "npu", "--workers", "1", "--measure", measure)
        assert (done.status, done.out) == (status, ""), measure
        assert done.err.count("error[UB") == 1


def test_paths_are_written_out(run: Run, file: str) -> None:
    """(0, 0) to (1, 2): 3 paths of one short and two long cables; 155 + 2 * 160 + 2 * 30 ns."""
    done = run("analyze", file, "--ask", "paths(npu[0, 0] -> npu[1, 2], show = 1)")
    assert "3 of 3 cables" in done.out
    assert (
        "535 ns: npu[0, 0] -[Long 160 ns]-> npu[0, 1] (30 ns) -[Long 160 ns]-> npu[0, 2] (30 ns) "
        "-[Wire 155 ns]-> npu[1, 2]\n"
    ) in done.out
    assert "… and 2 more of 3 cables" in done.out


def test_progress_is_for_terminals_only(run: Run, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_terminal(__import__("sys").stderr)
    assert run("analyze", file).err == ""
    monkeypatch.setattr(progress_bar, "is_terminal", lambda _: True)
    monkeypatch.setattr(progress_bar, "PATIENCE", 0.0)
    monkeypatch.setattr(progress_bar.ProgressBar.__init__, "__defaults__", (0.0,))
    monkeypatch.setattr(progress_bar, "EVERY", 0.0)
    done = run("analyze", file)
    assert "t: q … " in done.err
    assert done.err.rstrip(" ").endswith("\r")
