"""`ubusc export` as a command."""

from __future__ import annotations

import json
import os
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.export.machines import PODS, compiled
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.export import FORMATS, ForeignFilesError, find, write
from unifiedbus_dsl.ir.fabric import Fabric


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.ubus").write_text(PODS)
    return tmp_path


def test_it_writes_where_it_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "pod.ubus", "--to", "graphml", "-o", "x.xml"]) == 0
    assert main(["export", "pod.ubus", "--to", "cables"]) == 0
    assert sorted(os.listdir(folder)) == ["pod.cables.csv", "pod.ubus", "x.xml"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "note[UB0805]" in captured.err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["pod.ubus"], 2, "to which format"),
        (["pod.ubus", "--to", "graphm"], 2, "did you mean `graphml`?"),
        (["pod.ubus", "--to", "graphml", "--system", "pid"], 2, "did you mean `pod`?"),
        (["no.ubus", "--to", "graphml"], 2, "no file"),
        (["pod.ubus", "--to", "graphml", "-o", "no/where.xml"], 74, "no/where.xml"),
        (["wrong.ubus", "--to", "graphml"], 1, "error[UB"),
        (["pod.ubus", "--to", "routes", "--routing", "updwn"], 2, "did you mean `updown`?"),
        (["pod.ubus", "--to", "routes", "--routing", "dor("], 2, "is not written as a routing is"),
        (["pod.ubus", "--to", "routes", "--routing", "optimal"], 1, "`optimal` may take any path"),
        (["pod.ubus", "--to", "routes", "--routing", "valiant"], 1, "by `valiant`: packets of two legs"),
        (["pod.ubus", "--to", "routes", "--routing", "group_minimal"], 1, "name the groups"),
        (["pod.ubus", "--to", "ns3", "--routing", "updown"], 1, "no forwarding tables to be routed"),
    ],
)
def test_what_goes_wrong(
    arguments: list[str], status: int, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "wrong.ubus").write_text(PODS.replace("4*s + n", "3*s + n"))
    assert main(["export", *arguments]) == status
    assert words in capsys.readouterr().err
    assert sorted(os.listdir(folder)) == ["pod.ubus", "wrong.ubus"]


def test_a_refused_export_leaves_the_old_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = PODS.replace("server", "server_of_a_row_with_a_very_long_name_that_no_database_takes_as_it_is")
    (folder / "long.ubus").write_text(long)
    (folder / "old").mkdir()
    (folder / "old" / "7-cables.csv").write_text("old")
    assert main(["export", "long.ubus", "--to", "netbox", "-o", "old"]) == 1
    assert (folder / "old" / "7-cables.csv").read_text() == "old"
    assert sorted(os.listdir(folder / "old")) == ["7-cables.csv"]
    assert "error[UB0804]" in capsys.readouterr().err
    assert sorted(os.listdir(folder)) == ["long.ubus", "old", "pod.ubus"]


def test_help_lists_each_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--help"]) == 0
    text = capsys.readouterr().out
    for name in FORMATS:
        assert find(name).name == name
        assert f"  {name} " in text


def test_every_format_has_its_page_and_every_row_of_the_table_a_format() -> None:
    docs = Path(__file__).parents[2] / "docs" / "formats"
    for name in FORMATS:
        text = (docs / f"{find(name).page}.md").read_text()
        assert f"--to {name}" in text
        assert "What is lost" in text


def test_diff_and_import(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "pod.ubus", "--to", "cables", "-o", "found.csv"]) == 0
    assert main(["diff", "pod.ubus", "found.csv"]) == 0
    assert capsys.readouterr().out == "no difference\n"
    lines = (folder / "found.csv").read_text().splitlines()
    (folder / "found.csv").write_text("\n".join(lines[:-1]) + "\n")
    assert main(["diff", "pod.ubus", "found.csv", "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["missing"]) == 1
    assert main(["import", "found.csv"]) == 0
    assert "found.npz: 74 devices, 239 cables" in capsys.readouterr().out
    assert Fabric.load(folder / "found.npz").device_count == 74
    (folder / "new.ubus").write_text(PODS.replace("Copper(1 m)", "Copper(1.5 m)"))
    assert main(["diff", "pod.ubus", "new.ubus"]) == 1
    assert "128 cables of another length" in capsys.readouterr().out
    (folder / "bad.csv").write_text("a,b\n")
    for command in (["diff", "pod.ubus", "bad.csv"], ["import", "bad.csv"]):
        assert main(command) == 1
        assert "UB0807" in capsys.readouterr().err
    assert main(["diff", "pod.ubus"]) == 2


def test_standard_output_gets_the_whole_file_or_nothing(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["export", "pod.ubus", "--to", "cables", "-o", "pod.csv"]) == 0
    capfdbinary.readouterr()
    assert main(["export", "pod.ubus", "--to", "cables", "-o", "-"]) == 0
    assert capfdbinary.readouterr().out == (folder / "pod.csv").read_bytes()
    assert main(["export", "pod.ubus", "--to", "htsim", "-o", "-"]) == 1
    assert capfdbinary.readouterr().out == b""
    assert main(["export", "pod.ubus", "--to", "ns3", "-o", "-"]) == 2
    assert b"name one by `-o`" in capfdbinary.readouterr().err
    assert sorted(os.listdir(folder)) == ["pod.csv", "pod.ubus"]


@pytest.mark.parametrize("form", ["json", "ns3"])
def test_ctrl_c_leaves_nothing_behind(form: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unifiedbus_dsl.export.common import stream

    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(stream, "pieces", interrupted)
    if form == "ns3":
        monkeypatch.setattr("unifiedbus_dsl.export.formats.ns3.pieces", interrupted)
    assert main(["export", "pod.ubus", "--to", form, "-o", "out"]) == 130
    assert os.listdir(folder) == ["pod.ubus"]


@pytest.mark.parametrize(("form", "length"), [("d2", 240), ("ns3", 240), ("d2", 300), ("ns3", 300)])
def test_names_as_long_as_a_disk_takes(
    form: str, length: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "p" * length
    (folder / "pod.ubus").write_text(PODS.replace("system pod", f"system {name}"))
    assert main(["export", "pod.ubus", "--to", form]) == 0
    (written,) = set(os.listdir(folder)) - {"pod.ubus"}
    if length < 250:
        assert written == f"{name}.{form}"
    else:
        assert len(written) <= 255
        assert written.startswith("ppp")
        assert written.endswith(f".{form}")
    assert main(["export", "pod.ubus", "--to", form, "-o", "q" * length]) == (0 if length < 250 else 74)
    assert ("say a shorter one by `-o`" in capsys.readouterr().err) == (length > 250)


def test_lines_that_end_with_carriage_returns_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old.ubus").write_bytes(PODS.replace("\n", "\r").encode())
    assert main(["export", "old.ubus", "--to", "json"]) == 1
    assert "carriage returns alone" in capsys.readouterr().err
    (folder / "old.ubus").write_bytes(PODS.replace("\n", "\r\n").encode())
    assert main(["export", "old.ubus", "--to", "json", "-o", "a.json"]) == 0


def test_a_folder_that_is_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "case").write_text("mine")
    assert main(["export", "pod.ubus", "--to", "ns3", "-o", "case"]) == 74
    assert "is a file, not a folder" in capsys.readouterr().err
    assert (folder / "case").read_text() == "mine"
    assert sorted(os.listdir(folder)) == ["case", "pod.ubus"]


def test_a_folder_that_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This very folder, whose name is empty; what was in it stays when the export is refused."""
    there = folder / "case"
    there.mkdir()
    (there / ".mine").write_text("mine")
    monkeypatch.chdir(there)
    wanted = [".mine", "network_attribute.txt", "node.csv", "routing_table.csv", "topology.csv", "traffic.csv"]
    assert main(["export", "../pod.ubus", "--to", "parquet", "--traffic", "none", "-o", "."]) == 2
    (folder / "asks.ubus").write_text(PODS + "traffic next of pod = shift(all npu, k = 1)\n")
    assert main(["export", "../asks.ubus", "--to", "sst", "--traffic", "next", "-o", "."]) == 1
    assert os.listdir(there) == [".mine"]
    assert main(["export", "../pod.ubus", "--to", "ns3", "-o", "."]) == 0
    assert sorted(os.listdir(there)) == wanted


@pytest.mark.parametrize("form", [name for name in FORMATS if find(name).is_folder])
def test_a_folder_of_files_is_not_shared(form: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An export takes the place of an earlier one in its format, and touches nothing of anyone else."""
    text = PODS if form != "lft" else PODS.replace("connect npu.x as fullmesh over Trace(0.4 m)", "open npu.x")
    (folder / "pod.ubus").write_text(text)
    out, machine = folder / "out", compiled(text).plan
    ways = (lambda: main(["export", "pod.ubus", "--to", form, "-o", "out"]), lambda: write(machine, form, out))
    assert not ways[0]()
    first = {name: (out / name).read_bytes() for name in os.listdir(out)}
    assert set(first) >= {name for name in find(form).file_patterns if "*" not in name}
    assert all(any(fnmatchcase(name, pattern) for pattern in find(form).file_patterns) for name in first)
    for way in ways:
        for name in find(form).file_patterns:
            (out / name.replace("*", "stale")).write_text("old")
        way()
        assert {name: (out / name).read_bytes() for name in os.listdir(out)} == first
    (out / "mine").write_text("mine")
    (out / min(first)).write_text("old")
    capsys.readouterr()
    assert main(["export", "pod.ubus", "--to", form, "-o", "out"]) == 2
    assert f"`out` holds other files than those of {form}: mine. " in capsys.readouterr().err
    with pytest.raises(ForeignFilesError, match="mine"):
        write(machine, form, out)
    assert sorted(os.listdir(out)) == sorted([*first, "mine"])
    assert (out / min(first)).read_text() == "old"


@pytest.mark.parametrize("form", FORMATS)
def test_every_option_acts_or_is_refused(form: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A kind of node that there is none of can't be right, whatever the format makes of nodes."""
    assert main(["export", "pod.ubus", "--to", form, "--node", "nosuch"]) == 1
    said = capsys.readouterr().err
    assert ("has no nodes to choose" in said) == (not find(form).nodes)
    assert find(form).nodes == ("nosuch" in said), said
    assert os.listdir(folder) == ["pod.ubus"]


def test_no_two_formats_write_one_file() -> None:
    assert len({find(name).file_name("s") for name in FORMATS}) == len(FORMATS)


def test_parquet_without_pyarrow(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["export", "pod.ubus", "--to", "parquet"]) == 1
    said = capsys.readouterr().err
    assert "error[UB0804]" in said
    assert "pip install 'unifiedbus-dsl[parquet]'" in said
    assert os.listdir(folder) == ["pod.ubus"]
