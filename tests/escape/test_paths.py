"""No name of a machine is a path."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.escape.hostile import PAYLOADS
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.escape.paths import file_name, file_names

NAMES = st.one_of(st.text(max_size=400), st.sampled_from(PAYLOADS), st.text("./\\~: CONaul01", max_size=12))
RESERVED = {"con", "prn", "aux", "nul", "conin", "conout", "clock"} | {
    f"{p}{n}" for p in ("com", "lpt") for n in range(10)
}


@given(NAMES, st.sampled_from(["", ".npz", ".plan.txt", ".topology.yaml"]))
def test_a_name_is_one_harmless_segment(name: str, suffix: str) -> None:
    made = file_name(name, suffix)
    assert made.endswith(suffix)
    assert not re.search(r'[/\\:*?"<>|\x00-\x20\x7f]', made)
    assert made not in ("", ".", "..")
    assert made[0] not in ".-"
    assert made[-1] not in ". "
    assert len(made.encode()) <= 255
    assert made.split(".")[0].lower() not in RESERVED


@given(st.lists(NAMES, max_size=6, unique=True))
def test_distinct_names_have_distinct_files_whatever_the_disk(names: list[str]) -> None:
    made = file_names([*names, *(name.swapcase() for name in names)], ".svg")
    assert len({name.casefold() for name in made.values()}) == len(made)


@pytest.mark.parametrize("name", ["lab", "Lab_2", "superpod-1", "v1.2", "Größe"])
def test_a_harmless_name_stays(name: str) -> None:
    assert file_name(name, ".svg") == f"{name}.svg"


@pytest.mark.parametrize(
    "name", ["../victim/precious", "/etc/passwd", "..\\victim", "CON", "-o", "x" * 300, "a\nb", "."]
)
def test_nothing_is_written_outside_of_where_it_was_asked_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = [("n0", "p0"), ("n1", "p1"), ("n2", "p2")]
    data = {
        "graph": {"name": name},
        "nodes": [{"id": "s0", "kind": "switch", "type": name}]
        + [{"id": n, "kind": "npu", "type": "T"} for n, _ in ends],
        "edges": [
            {"source": n, "target": "s0", "a_port": "up", "b_port": p, "link": name, "rate": 1e9} for n, p in ends
        ],
    }
    here, victim = tmp_path / "here", tmp_path / "victim"
    for folder in (here, victim):
        folder.mkdir()
    (victim / "precious.svg").write_text("precious")
    (here / "machine.json").write_text(json.dumps(data))
    monkeypatch.chdir(here)
    assert main(["import", "machine.json"]) == 0
    assert main(["compile", "machine.npz", "-o", "out"]) == 0
    assert main(["render", "machine.npz", "-o", "pictures/"]) == 0
    plots = [["--plot", "hops"]] if find_spec("matplotlib") else []
    for options in ([], ["--html"], ["--detail"], *plots):
        assert main(["render", "machine.npz", *options]) == 0
    for form in ("json", "graphml", "cables", "kueue", "ns3", "sst"):
        assert main(["export", "machine.npz", "--to", form]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"here", "victim"}
    assert [path.name for path in victim.iterdir()] == ["precious.svg"]
    assert (victim / "precious.svg").read_text() == "precious"
    assert all(file.stem and not file.name.startswith((".", "-")) for file in here.rglob("*"))
    shutil.rmtree(here)


def test_systems_that_differ_by_capitals_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "ubus 1\nprotocol P { lane = 1 Gbps }\nlink L : P { reach = 1 m }\nnpu C { port x[2] : P x1 }\n"
    text += "rack R { npu[3] : C; connect npu.x as ring over L(1 m) }\nsystem lab : R\nsystem Lab : R\n"
    Path("labs.ubus").write_text(text)
    assert main(["compile", "labs.ubus", "-o", "out"]) == 0
    assert len({name.lower() for name in os.listdir("out")}) == 2
