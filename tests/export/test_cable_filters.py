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
