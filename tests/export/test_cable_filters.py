"""Cable lists of a part, a medium, a link; labels for both ends."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.export.machines import PODS, compiled
from unifiedbus_dsl.cli import main


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pods.ubus").write_text(PODS)


def rows(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, str]]:
    assert main(["export", "pods.ubus", "--to", "cables", "-o", "-", *options]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_cables_of_a_part_a_medium_and_a_link(capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows as by picking them out of the whole list."""
    every = rows(capsys)
    assert len(every) == compiled(PODS).fabric().cable_count
    inside = [row for row in every if any(row[side].startswith("cabinet[1].") for side in ("a_device", "b_device"))]
    assert rows(capsys, "--in", "cabinet[1]") == inside
    copper = [row for row in inside if row["medium"] == "copper"]
    assert 0 < len(copper) < len(inside)
    assert rows(capsys, "--in", "cabinet[1]", "--medium", "copper") == copper
    assert rows(capsys, "--link", "Copper", "--link", "Optic") == [r for r in every if r["link"] in ("Copper", "Optic")]


def test_a_label_for_each_end(capsys: pytest.CaptureFixture[str]) -> None:
    row = rows(capsys, "--link", "Optic")[0]
    own, far = (f"{row[f'{side}_device']} {row[f'{side}_port']}" for side in "ab")
    assert (row["a_label"], row["b_label"]) == (f"{own} > {far}", f"{far} > {own}")
    Path("names.csv").write_text(f'"{row["a_device"]}",lf-17\n"{row["b_device"]}",sp-03\n')
    named = rows(capsys, "--link", "Optic", "--names", "names.csv", "--in", "lf-17")[0]
    assert named["a_label"] == f"lf-17 {row['a_port']} > sp-03 {row['b_port']}"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--in", "cabinet[99]"], "cabinet"),
        (["--medium", "cooper"], "copper"),
        (["--link", "Coper"], "Copper"),
        (["--medium", "backplane"], "no cable is left: --medium backplane"),
        (["--to", "bom", "--link", "Copper"], "whole machines"),
    ],
)
def test_filters_that_keep_nothing(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "pods.ubus", "--to", "cables", "-o", "x.csv", *options]) == 2
    assert said in capsys.readouterr().err
    assert not Path("x.csv").exists()


def test_places_of_devices_that_the_site_has_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A dot in the name of a site cuts nothing, and the rack has its own name."""
    Path("names.csv").write_text("cabinet[1],row.3/rack.7\ncabinet[1].leaf[0],leaf.7a.example\n")
    row = next(r for r in rows(capsys, "--names", "names.csv", "--in", "leaf.7a.example"))
    side = "a" if row["a_device"] == "leaf.7a.example" else "b"
    assert (row[f"{side}_device"], row[f"{side}_place"]) == ("leaf.7a.example", "row.3/rack.7")


BREAKOUT = """ubus 1
protocol Eth { lane = 100 Gbps; latency = 200 ns }
link Dac : Eth { medium = copper; reach = 3 m; cost = 300 USD }
nic Nic { port p : Eth x4 }
node Host { nic[2] : Nic; port up = nic.p @cage }
switch Tor { port osfp[4, 2] : Eth x4 @open @cage; latency = 600 ns }
rack Row {
  nic[2]  : Nic
  host[1] : Host
  tor[2]  : Tor
  connect nic[h].p -- tor[0].osfp[0, h] over Dac(2 m) for h
  connect tor[0].osfp[1, h] -- tor[1].osfp[1, h] over Dac(1 m) for h
  connect host[n].up[h] -- tor[1].osfp[n, h] over Dac(1 m) for n in 0..0, h
}
system row : Row
"""


def test_a_cable_of_several_links_has_one_number_and_a_label_for_each_end(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pods.ubus").write_text(BREAKOUT)
    listed = rows(capsys)
    labels = {(row["cable"], row["ends"], row["label"]): set[str]() for row in listed}
    for row in listed:
        labels[row["cable"], row["ends"], row["label"]] |= {row["a_label"], row["b_label"]}
    assert sorted(labels.values(), key=len, reverse=True) == [
        {
            "nic[0] p > tor[0] osfp[0, 0..1]",
            "nic[1] p > tor[0] osfp[0, 0..1]",
            "tor[0] osfp[0, 0..1] > nic[0] p, nic[1] p",
        },
        *(
            {f"{one} > {other}", f"{other} > {one}"}
            for one, other in (
                ("host[0].nic[0] p + host[0].nic[1] p", "tor[1] osfp[0, 0..1]"),
                ("tor[0] osfp[1, 0..1]", "tor[1] osfp[1, 0..1]"),
            )
        ),
    ]
    assert sorted(ends for _, ends, _ in labels) == ["2", "2", "3"]


def test_a_filter_keeps_a_cable_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """The other leg of a breakout is on the list of a host: it hangs on the same plug."""
    Path("pods.ubus").write_text(BREAKOUT)
    assert [row["a_device"] for row in rows(capsys, "--in", "nic[0]")] == ["nic[0]", "nic[1]"]
    Path("names.csv").write_text("tor[0],tor-a\nnic[1],gpu2-mlx5\n")
    row = rows(capsys, "--in", "nic[0]", "--names", "names.csv")[0]
    assert row["b_label"] == "tor-a osfp[0, 0..1] > nic[0] p, gpu2-mlx5 p"
