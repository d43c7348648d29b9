"""Networks as sites have them, each with what is right: names, doubts, kinds, what is not known."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from unifiedbus_dsl import solve
from unifiedbus_dsl.cli import analyze, main
from unifiedbus_dsl.importer import ImportFailed, read, read_fabric
from unifiedbus_dsl.importer.listing import listing_of
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.deadline import RunBudget

CASES = Path(__file__).parent / "cases"
MAP = """design,site
trainer[0],tr01
trainer[1],tr02
leaf[0],lf01
leaf[1],lf02
spine;sp01
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def case(name: str) -> str:
    return str(CASES / name)


def asked(path: str, measure: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The answer to one measure."""
    assert main(["analyze", path, "--ask", measure, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["measures"]
    return dict(answer)


def names_in(path: str) -> list[str]:
    return [device.name for device in listing_of(Fabric.load(path)).devices]


# ---- names and identity -------------------------------------------------------------------------------------------


def test_a_map_joins_the_names_of_design_and_site(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.csv").write_text(MAP)
    assert main(["diff", case("names.ubus"), case("names.txt"), "--names", "site.csv"]) == 0
    assert capsys.readouterr().out == "no difference\n"
    (folder / "site.csv").write_text(MAP.replace("lf02", "lf03"))
    assert main(["diff", case("names.ubus"), case("names.txt"), "--names", "site.csv"]) == 1
    assert "1 missing device\n  - lf03\n" in capsys.readouterr().out


RULES = """
let first = 1
name trainer[g] of hall = "tr{g + first:02}" for g
name trainer[g].mlx5[r] of hall = "tr{g + first:02} mlx5_{r}" for g, r
name leaf[l] of hall = "lf{l + 1:02}" for l
name spine of hall = "sp01"
"""


def test_rules_of_the_text_join_the_names_of_design_and_site(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    design = Path(case("names.ubus")).read_text()
    (folder / "hall.ubus").write_text(design + RULES)
    assert main(["diff", "hall.ubus", case("names.txt")]) == 0
    assert capsys.readouterr().out == "no difference\n"
    (folder / "hall.ubus").write_text(design + RULES.replace("lf{l + 1", "lf{l + 2"))
    assert main(["diff", "hall.ubus", case("names.txt")]) == 1
    assert "1 missing device\n  - lf03\n" in capsys.readouterr().out
    # the lines may stand beside the design, and a map goes before them
    (folder / "design.ubus").write_text(design)
    (folder / "site.ubus").write_text('ubus 1\nuse "design.ubus"\n' + RULES)
    assert main(["diff", "site.ubus", case("names.txt")]) == 0
    (folder / "site.csv").write_text(MAP)
    assert main(["diff", "hall.ubus", case("names.txt"), "--names", "site.csv"]) == 0


def test_rules_of_the_text_name_cables_groups_and_answers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "hall.ubus").write_text(Path(case("names.ubus")).read_text() + RULES)
    assert main(["export", "hall.ubus", "--to", "cables", "-o", "-"]) == 0
    rows = [line.split(",") for line in capsys.readouterr().out.splitlines()[1:]]
    ends = {(row[2], row[10]) for row in rows}
    assert ends == {("lf01", "sp01"), ("lf02", "sp01"), *(
        (f"tr0{g} mlx5_{r}", f"lf0{r + 1}") for g in (1, 2) for r in (0, 1)
    )}  # fmt: skip
    assert main(["export", "hall.ubus", "--to", "slurm-tree", "-o", "-"]) == 0
    assert "Nodes=tr[01-02]" in capsys.readouterr().out
    assert main(["compile", "hall.ubus", "-o", "out"]) == 0
    capsys.readouterr()
    (found,) = Path("out").glob("*.npz")
    assert names_in(str(found)) == ["lf01", "lf02", "sp01", *(f"tr0{g} mlx5_{r}" for g in (1, 2) for r in (0, 1))]
    assert main(["diff", str(found), case("names.txt")]) == 0


def test_a_scenario_with_other_values_keeps_the_names_of_the_site(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path(case("names.ubus")).read_text().replace("rack Hall {", "rack Hall(late = 250 ns) {")
    text = text.replace("connect trainer", "expect late > 0 ns\n  connect trainer", 1)
    text += RULES + "scenario Slow of hall { set late = 300 ns; diameter(all nic) }\n"
    (folder / "hall.ubus").write_text(text)
    assert main(["analyze", "hall.ubus"]) == 0
    slow = capsys.readouterr().out.partition("scenario Slow")[2]
    assert "farthest tr0" in slow
    assert "trainer[" not in slow.partition("farthest")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trainer[0]\n", "line 1: a row is a path and a name, and this has 1 cells"),
        ("trainer[0],a\ntrainer[0],b\n", "line 2: `trainer[0]` stands twice"),
        ("trainer[0],a\ntrainer[1],a\n", "line 2: `a` stands twice"),
        ("trainer[9],a\n", "the map names `trainer[9]`"),
        ("trainer,a\n", "which is several parts"),
        ("# nothing\n", "has no row"),
    ],
)
def test_a_map_that_is_none_is_refused(text: str, words: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.csv").write_text(text)
    assert main(["diff", case("names.ubus"), case("names.txt"), "--names", "site.csv"]) == 1
    assert words in capsys.readouterr().err


def test_without_a_map_the_cables_say_which_device_is_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", case("names.ubus"), case("names.txt")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("7 devices of other names, matched by their cables\n")
    assert "  leaf[1] is MF0;lf02:MQM9700/U1\n" in said
    assert "  trainer[1].mlx5[0] is tr02 mlx5_0\n" in said
    assert said.endswith("no difference\n")


def test_a_swap_is_found_by_the_names_of_the_site(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (CASES / "names.txt").read_text()
    one, two = "0c42a103007c1000", "0c42a103007c3000"  # both are on lf01
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("[") and (one in line or two in line):  # the switch's lines: the adapters change places
            lines[number] = line.replace(one, "@").replace(two, one).replace("@", two)
    swapped = (
        "\n".join(lines)
        .replace('# "tr01 mlx5_0" lid 11', "@")
        .replace('# "tr02 mlx5_0" lid 13', '# "tr01 mlx5_0" lid 11')
    )
    found = swapped.replace("@", '# "tr02 mlx5_0" lid 13')
    cut = found.index("caguid=0xc1")
    (folder / "found.txt").write_text(
        found[:cut] + found[cut:].replace('a1000"[1]', "@").replace('a1000"[2]', 'a1000"[1]').replace("@", 'a1000"[2]')
    )
    (folder / "site.csv").write_text(MAP)
    assert main(["diff", case("names.ubus"), "found.txt", "--names", "site.csv", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [swap["wanted"] for swap in data["swapped"]] == [
        ["tr01.mlx5[0].p -- lf01.p[0]", "tr02.mlx5[0].p -- lf01.p[1]"]
    ]
    assert (data["missing"], data["extra"], data["moved"]) == ([], [], [])


def test_a_guid_is_the_identity_of_a_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", case("before.txt"), case("after.txt"), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    changed = {key: value for key, value in data.items() if value and key not in ("version", "same")}
    guid = "H-0c42a103007c2000"
    assert changed == {"renamed": [{"wanted": f"localhost HCA-1 {guid}", "found": "n2 HCA-1"}]}
    assert main(["import", case("before.txt"), "-o", "before.npz"]) == 0
    capsys.readouterr()
    assert main(["diff", "before.npz", case("before.txt")]) == 0
    assert main(["diff", "before.npz", case("after.txt")]) == 1
    assert "1 renamed device" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["hall-b.txt", "2nd floor; row 'A'.txt", "über.txt", "-x.txt", "a{b}.txt"])
def test_a_file_of_any_name_can_be_asked_about(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / name).write_text((CASES / "hall-b.txt").read_text())
    assert main(["import", f"./{name}", "-o", "found.npz"]) == 0
    capsys.readouterr()
    assert main(["analyze", "found.npz"]) == 0
    assert "n1 mlx5_0" in capsys.readouterr().out


# ---- doubts -------------------------------------------------------------------------------------------------------


def test_a_line_of_standard_error_is_left_out_and_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", case("noise.txt"), "-o", "found.npz"]) == 0
    out, err = capsys.readouterr()
    assert "found.npz: 3 devices, 2 cables, 1 doubt" in out
    assert "warning[UB0808]: 1 line is none of the format: left out\n  = note: line 1: `ibwarn: [991]" in err
    (folder / "found.npz").unlink()
    assert main(["import", case("noise.txt"), "-o", "found.npz", "--strict"]) == 1
    assert "error[UB0808]" in capsys.readouterr().err
    assert not (folder / "found.npz").exists()


def test_a_missing_speed_is_that_of_the_other_end(capsys: pytest.CaptureFixture[str]) -> None:
    found = read(case("no-speed.txt"))
    assert sorted(cable.rate or 0 for cable in found.listing().cables) == [12.5e9, 12.5e9]
    assert [sentence for sentence, _ in found.doubts.said()] == ["1 cable has its rate at one end only: taken"]


# ---- what things are ----------------------------------------------------------------------------------------------


def test_a_breakout_has_sub_ports() -> None:
    found = read(case("breakout.csv"))
    assert sorted(str(cable) for cable in found.listing().cables) == [
        "tor7.Ethernet1/1:1 -- acc1.eth0",
        "tor7.Ethernet1/1:2 -- acc2.eth0",
    ]
    assert "1 port has several cables, as of a breakout" in found.doubts.remarks[0]
    assert found.fabric().cable_count == 2


def test_a_breakout_that_was_found_is_one_cable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the count, the bill and the cable list, and after a way through JSON; each other breakout is another cable.

    Ports that only look like sub-ports have cables of their own."""
    ends = ((1, 1), (1, 2), (2, 3), (2, 4), (2, 5), (3, 6))
    rows = [
        "a_device,a_port,b_device,b_port,a_kind,b_kind,gbps",
        *(f"tor7,Ethernet1/{p},acc{n},eth0,switch,npu,100" for p, n in ends),
        "tor7,Ethernet1/4:1,acc7,eth0,switch,npu,100",
        "tor7,Ethernet1/4:2,acc8,eth0,switch,npu,100",
    ]
    (folder / "breakouts.csv").write_text("\n".join(rows) + "\n")
    assert main(["import", "breakouts.csv", "-o", "found.npz"]) == 0
    assert "9 devices, 5 cables" in capsys.readouterr().out
    assert asked("found.npz", "count(all link)", capsys)["lower"] == 5
    assert main(["export", "found.npz", "--to", "json", "-o", "back.json"]) == 0
    assert main(["import", "back.json", "-o", "back.npz"]) == 0
    assert main(["export", "back.npz", "--to", "bom", "-o", "bom.csv"]) == 0
    lines = [line.split(",") for line in (folder / "bom.csv").read_text().splitlines()]
    assert sorted((int(row[3]), int(row[6])) for row in lines if row[0] == "cable") == [(1, 3), (1, 4), (3, 2)]
    assert main(["export", "found.npz", "--to", "cables", "-o", "list.csv"]) == 0
    assert "tor7 Ethernet1/2 > acc3 eth0, acc4 eth0, acc5 eth0" in (folder / "list.csv").read_text()


def test_kinds_by_other_words_are_said_and_unknown_ones_refused(folder: Path) -> None:
    found = read(case("kinds.csv"))
    assert found.doubts.remarks[0] == "kinds: `gpu` is taken as npu (2 devices), `leaf` is taken as switch (1 device)"
    assert {device.kind for device in found.fabric().plan.devices.values()} == {"npu", "switch"}
    (folder / "kinds.csv").write_text((CASES / "kinds.csv").read_text().replace("gpu", "toaster"))
    with pytest.raises(ImportFailed, match="of kind `toaster`; kinds are npu, cpu, switch, nic, device, and words"):
        read("kinds.csv")


def test_an_unknown_rate_stays_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", case("no-rate.csv"), "-o", "found.npz"]) == 0
    capsys.readouterr()
    assert {cable.rate for cable in listing_of(Fabric.load("found.npz")).cables} == {None}
    bisection = asked("found.npz", "bisection(all npu)", capsys)
    assert bisection["kind"] == "estimate"
    assert "no rate is known of 5 cables: 14 GB/s each is an assumption" in str(bisection["assumptions"])
    assert asked("found.npz", "diameter(all npu)", capsys)["kind"] == "exact"
    assert asked("found.npz", "latency(all npu)", capsys)["kind"] == "estimate"
    for form in ("json", "graphml", "cables"):
        assert main(["export", "found.npz", "--to", form, "-o", f"back.{form}"]) == 0
        assert {cable.rate for cable in read(f"back.{form}").listing().cables} == {None}, form


def test_what_rests_on_an_unknown_rate_is_an_estimate_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    """In Python, in what is worked out of answers, and not in what needs no rate."""
    assert main(["import", case("no-rate.csv"), "-o", "found.npz"]) == 0
    capsys.readouterr()
    for expression in ("2 * bisection(all npu)", "bisection(all npu) + throughput(alltoall(all npu))"):
        answer = asked("found.npz", expression, capsys)
        assert answer["kind"] == "estimate", expression
        assert "14 GB/s each is an assumption" in str(answer["assumptions"])
    assert asked("found.npz", "2 * diameter(all npu)", capsys)["kind"] == "exact"
    fabric = Fabric.load("found.npz")
    said = ("no rate is known of 5 cables: 14 GB/s each is an assumption",)
    cut = solve.bisection(fabric, "all npu")
    assert (cut.capacity.kind, cut.assumptions) == ("estimate", said)
    rates = solve.throughput(fabric, "alltoall(all npu)")
    assert (rates.scale.kind, rates.assumptions, rates.loads.assumptions) == ("estimate", said, said)
    assert solve.fair(fabric, "alltoall(all npu)").assumptions == said
    assert solve.loads(fabric, "alltoall(all npu)").assumptions == said
    assert solve.tiers(fabric).assumptions == said
    assert "no latency" in solve.latency(fabric, "all npu").assumptions[0]
    assert solve.hops(fabric, "all npu").assumptions == ()


def test_times_of_paths_are_estimates_where_no_latency_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    """How many paths there are rests on nothing that is unknown, and stays exact."""
    assert main(["import", case("no-rate.csv"), "-o", "found.npz"]) == 0
    capsys.readouterr()
    for message, rests_on in (("", ["no latency"]), (", message = 1 MB", ["no rate", "no latency"])):
        answer = asked("found.npz", f"paths(npu[0] -> npu[1]{message})", capsys)
        said = [text for text in answer["assumptions"] if text.startswith("an estimate, of times alone")]
        assert answer["kind"] == "exact"
        assert len(said) == len(rests_on)
        assert all(what in text for what, text in zip(rests_on, said, strict=True))


def test_an_expectation_says_that_it_was_held_against_an_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a fabric, where `--ask` takes a value that is worked out of an estimate too."""
    assert main(["import", case("no-rate.csv"), "-o", "found.npz"]) == 0
    capsys.readouterr()
    lines = "let cut = bisection(all npu); expect 2 * cut > 1 GB/s; expect diameter(all npu) == 4; 2 * cut"
    assert main(["analyze", "found.npz", "--ask", lines, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    estimate, exact = said["expectations"]
    assert estimate["holds"]
    assert estimate["estimate"] == ["no rate is known of 5 cables: 14 GB/s each is an assumption"]
    assert "estimate" not in exact
    assert said["measures"][0]["kind"] == "estimate"
    assert main(["analyze", "found.npz", "--ask", lines]) == 0
    assert capsys.readouterr().out.count("held against an estimate (no rate is known of 5 cables") == 1


def test_a_rate_that_is_stated_instead_stays_an_assumption(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", case("no-rate.csv"), "-o", "found.npz", "--rate", "400 Gbps"]) == 0
    capsys.readouterr()
    answer = asked("found.npz", "bisection(all npu)", capsys)
    assert (answer["kind"], answer["value"]) == ("estimate", 50e9)
    assert {cable.rate for cable in listing_of(Fabric.load("found.npz")).cables} == {None}
    assert main(["import", case("no-rate.csv"), "--rate", "400"]) == 2


@pytest.mark.parametrize("form", ["json", "graphml"])
def test_a_found_network_comes_back_with_names_guids_and_hosts(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", case("names.txt"), "-o", "found.npz"]) == 0
    assert main(["export", "found.npz", "--to", form, "-o", f"back.{form}"]) == 0
    assert main(["import", f"back.{form}", "-o", "again.npz"]) == 0
    one, two = Fabric.load("found.npz").plan.site, Fabric.load("again.npz").plan.site
    assert one is not None
    assert two is not None
    assert (one.devices, one.ids, one.parts) == (two.devices, two.ids, two.parts)
    capsys.readouterr()
    for other in ("found.npz", case("names.txt"), f"back.{form}"):
        assert main(["diff", "again.npz", other]) == 0, other
    assert main(["render", "again.npz", "--detail", "-o", "again.svg"]) == 0
    picture = Path("again.svg").read_text()
    assert all(name in picture for name in ("tr01", "tr02 mlx5_1", "MF0;lf02:MQM9700/U1"))


def test_answers_and_lists_speak_in_the_names_of_a_map(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site.csv").write_text(MAP)
    assert main(["analyze", case("names.ubus"), "--names", "site.csv", "--ask", "diameter(all nic)"]) == 0
    assert "tr0" in capsys.readouterr().out
    assert main(["export", case("names.ubus"), "--names", "site.csv", "--to", "cables", "-o", "-"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert any("lf02" in row and "sp01" in row for row in rows)
    assert not any("leaf[" in row for row in rows)


def test_aggregation_nodes_are_no_end_points(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", case("aggregation.ubus"), case("aggregation.txt")]) == 0
    assert main(["import", case("aggregation.txt"), "-o", "found.npz"]) == 0
    assert "1 aggregation node (SHARP) left out, with 1 cable" in capsys.readouterr().err
    assert sorted(names_in("found.npz")) == ["leaf", "n0 mlx5_0", "n1 mlx5_0"]


def test_ports_of_numbers_and_none_at_all() -> None:
    zero = read_fabric(case("zero-port.json"))
    assert sorted(str(cable) for cable in listing_of(zero).cables) == ["0.0 -- 1.0", "0.1 -- 2.0"]
    none = read(case("no-ports.graphml"))
    assert [str(cable) for cable in none.listing().cables] == ["Porto.1 -- Faro.1"]
    assert [cable.rate for cable in none.listing().cables] == [1.25e9]
    assert "2 ends of cables name no port: ports are numbered in order" in none.doubts.remarks


def test_lists_of_netbox_and_ufm() -> None:
    assert [str(cable) for cable in read(case("netbox.csv")).listing().cables] == ["edge-sw4.Ethernet1/1 -- h77.eth0"]
    assert [str(cable) for cable in read(case("plan.csv")).listing().cables] == ["edge-sw4.Port 1 -- h77 mlx5_0.1"]


def test_a_plan_of_ufm_against_what_was_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        "lf01,Port 1,tr01,tr01 mlx5_0", "lf01,Port 2,tr02,tr02 mlx5_0", "lf02,Port 1,tr01,tr01 mlx5_1",
        "lf02,Port 2,tr02,tr02 mlx5_1", "lf01,Port 33,sp01,Port 1", "lf02,Port 33,sp01,Port 2",
    ]  # fmt: skip
    (folder / "plan.csv").write_text("#StartDevice,StartPort,EndDevice,EndPort\n" + "\n".join(rows) + "\n")
    assert main(["diff", "plan.csv", case("names.txt")]) == 0
    (folder / "plan.csv").write_text((folder / "plan.csv").read_text().replace("lf02,Port 2", "lf02,Port 3"))
    assert main(["diff", "plan.csv", case("names.txt"), "--json"]) == 1
    data = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert [move["wanted"] for move in data["moved"]] == ["lf02.Port 3 -- tr02 mlx5_1.1"]


CAGES = """ubus 1

protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Dac : Eth { medium = copper; reach = 3 m }
nic Nic { port p : Eth x4 }
switch Tor { latency = 600 ns; port osfp[16, 2] : Eth x4 @open @cage }
rack Row {
  nic[8] : Nic
  tor[2] : Tor
  connect nic[2*c + h].p -- tor[0].osfp[c, h] over Dac(2 m) for c in 0..3, h
  connect tor[0].osfp[c, h] -- tor[1].osfp[c, h] over Dac(1 m) for c in 4..7, h
}
system row : Row
"""


def test_cages_come_back_from_a_cable_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four breakouts and four straight cables; of two lists put together the numbers begin anew."""
    (folder / "row.ubus").write_text(CAGES)
    assert main(["export", "row.ubus", "--to", "cables", "-o", "list.csv"]) == 0
    assert main(["import", "list.csv", "-o", "back.npz"]) == 0
    assert "8 cables" in capsys.readouterr().out
    assert asked("back.npz", "count(all link)", capsys)["lower"] == 8
    assert main(["export", "back.npz", "--to", "cables", "-o", "again.csv"]) == 0
    ends = [Counter(row["cable"] for row in csv.DictReader((folder / name).read_text().splitlines()))
            for name in ("list.csv", "again.csv")]  # fmt: skip
    assert sorted(ends[0].values()) == sorted(ends[1].values()) == [2] * 8
    first = (folder / "list.csv").read_text()
    (folder / "both.csv").write_text(first + first.replace("nic[", "nic_b[").replace("tor[", "tor_b["))
    assert main(["import", "both.csv", "-o", "both.npz"]) == 0
    assert "20 devices, 16 cables" in capsys.readouterr().out


def test_sub_ports_of_one_switch_make_no_cage_of_ports_of_that_name_elsewhere(folder: Path) -> None:
    rows = ["a_device,a_kind,a_port,b_device,b_kind,b_port,gbps"]
    rows += [f"tor1,switch,swp1,h{n},nic,p,100" for n in (1, 2)]
    rows += [f"tor2,switch,swp1:{n},h{n + 2},nic,p,100" for n in (1, 2)]
    rows += [f"tor{n},switch,up,spine,switch,{n},400" for n in (1, 2)]
    (folder / "halls.csv").write_text("\n".join(rows) + "\n")
    assert main(["import", "halls.csv", "-o", "found.npz"]) == 0
    assert main(["export", "found.npz", "--to", "cables", "-o", "list.csv"]) == 0
    labels = {
        (row["a_device"], row["a_label"]) for row in csv.DictReader((folder / "list.csv").read_text().splitlines())
    }
    assert labels == {
        ("tor1", "tor1 swp1 > h1 p, h2 p"),
        ("tor1", "tor1 up > spine 1"),
        ("tor2", "tor2 swp1:1 > h3 p"),
        ("tor2", "tor2 swp1:2 > h4 p"),
        ("tor2", "tor2 up > spine 2"),
    }


def test_a_row_of_netbox_with_several_ends_is_a_breakout(folder: Path) -> None:
    head = "side_a_device,side_a_type,side_a_name,side_b_device,side_b_type,side_b_name,type,length,length_unit"
    row = 'tor7,dcim.interface,Ethernet1/1,"h1,h2",dcim.interface,"eth0,eth0",dac-passive,3,m'
    (folder / "netbox.csv").write_text(f"{head}\n{row}\n")
    found = read("netbox.csv").listing()
    assert sorted(map(str, found.cables)) == ["tor7.Ethernet1/1:1 -- h1.eth0", "tor7.Ethernet1/1:2 -- h2.eth0"]
    assert {(cable.medium, cable.length) for cable in found.cables} == {("dac-passive", 3.0)}


def test_adapters_with_two_ports_lags_loopbacks_and_islands(folder: Path) -> None:
    rows = [
        "h1 mlx5_0,1,nic,leafA,1,switch", "h1 mlx5_0,2,nic,leafB,1,switch",  # an adapter with two ports
        "leafA,49,switch,spine,1,switch", "leafA,50,switch,spine,2,switch",  # two cables of one LAG
        "leafB,49,switch,spine,3,switch", "leafB,60,switch,leafB,61,switch",  # a cable from a switch to itself
        "leafA,62,switch,leafA,62,switch",  # a loopback plug
        "h9 mlx5_0,1,nic,lone,1,switch",
    ]  # fmt: skip
    (folder / "a.csv").write_text("a_device,a_port,a_kind,b_device,b_port,b_kind\n" + "\n".join(rows) + "\n")
    found = read("a.csv")
    fabric = found.fabric()
    assert fabric.cable_count == 7
    assert [sentence for sentence, _ in found.doubts.said()] == ["1 cable goes from a port to the same port: left out"]
    assert "2 islands, the largest of 4 devices; cut off from it: `h9`" in found.doubts.remarks
    graph = fabric.to_networkx()
    assert graph.number_of_edges("leafA", "spine") == 2
    assert graph.number_of_edges("leafB", "leafB") == 1
    assert fabric.plan.devices["Nic"].radix == 2


def test_standard_input_a_named_format_and_a_rule_for_hosts(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Input:
        def __init__(self, data: bytes) -> None:
            self.buffer = io.BytesIO(data)

    data = (CASES / "names.txt").read_bytes()
    monkeypatch.setattr(sys, "stdin", Input(data))
    assert main(["import", "-", "-o", "found.npz", "--hosts", "(tr\\d)\\d mlx5_\\d"]) == 0
    assert "4 adapters in 1 host, by the rule" in capsys.readouterr().err
    site = Fabric.load("found.npz").plan.site
    assert site is not None
    assert dict(site.parts) == {"host[0]": "tr0"}
    monkeypatch.setattr(sys, "stdin", Input(data))
    assert main(["diff", case("names.txt"), "-"]) == 0
    assert main(["import", case("names.txt"), "-o", "alone.npz", "--hosts", "none"]) == 0
    assert Fabric.load("alone.npz").plan.site.parts == {}  # type: ignore[union-attr]
    for wrong in (["--hosts", "("], ["--hosts", "tr"], ["--format", "tarot"]):
        assert main(["import", case("names.txt"), *wrong]) == 2
    assert main(["import", case("names.txt"), "--format", "graphml"]) == 1
    capsys.readouterr()
    assert main(["diff", case("names.ubus"), case("noise.txt")]) == 1
    assert "1 line is none of the format: left out" in capsys.readouterr().err


# ---- the sheet ----------------------------------------------------------------------------------------------------


def test_the_sheet_of_a_found_network_comes_while_one_waits(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is searched for comes last, and what takes longer than a few seconds says so; questions have all time."""
    assert main(["import", case("hall-b.txt"), "-o", "found.npz"]) == 0
    capsys.readouterr()
    assert main(["analyze", "found.npz"]) == 0
    out, err = capsys.readouterr()
    assert out.index("routing = ecmp") < out.index("bisection(") < out.index("routing = optimal")
    assert "interval" not in out
    assert "--budget" not in err
    given: list[float] = []

    def budget(seconds: float) -> RunBudget:
        given.append(seconds)
        return RunBudget(seconds)

    monkeypatch.setattr(analyze, "RunBudget", budget)
    assert main(["analyze", "found.npz"]) == 0
    assert main(["analyze", "found.npz", "--budget", "60"]) == 0
    capsys.readouterr()
    assert asked("found.npz", "bisection(all nic)", capsys)["kind"] == "exact"
    assert given == [analyze.FOUND_S, 60]
