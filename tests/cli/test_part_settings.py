"""`--set` of parts by their paths: of one system, or of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.cli import main

MACHINE = """ubus 1
protocol UB { lane = 100 Gbps }
link Copper : UB { medium = copper; reach = 2 m }
npu Chip { memory = 100 GB; port x[2] : UB x4; transit x }
rack Ring(chips = 8) { npu[chips] : Chip; connect npu.x as ring over Copper(1 m) }
superpod Pod(racks = 1) { ring[racks] : Ring; expect count(all npu) >= 2 }
system pod : Pod
system lab : Pod
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "pod.ubus"
    path.write_text(MACHINE)
    return str(path)


def asked(file: str, *settings: str, capsys: pytest.CaptureFixture[str]) -> list[tuple[float, float]]:
    """Chips and GB of memory of both systems."""
    words = [word for each in settings for word in ("--set", each)]
    both = ("--system", "pod", "--system", "lab")
    question = "count(all npu); sum(all npu.memory)"
    assert main(["analyze", file, *both, "--ask", question, "--json", *words]) == 0
    values = [row["value"] for row in json.loads(capsys.readouterr().out)["measures"]]
    return [(values[k], values[k + 1] / 1e9) for k in (0, 2)]


def test_of_one_system_and_of_each(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(file, capsys=capsys) == [(8, 800), (8, 800)]
    assert asked(file, "pod.ring.chips=4", capsys=capsys) == [(4, 400), (8, 800)]
    assert asked(file, "ring.chips=4", capsys=capsys) == [(4, 400), (4, 400)]
    assert asked(file, "lab.ring.npu.memory=64 GB", capsys=capsys) == [(8, 800), (8, 512)]
    assert asked(file, "ring.chips=4", "lab.ring.npu.memory=64 GB", capsys=capsys) == [(4, 400), (4, 256)]


def test_it_is_the_machine_of_the_text_that_says_so() -> None:
    """But for the names of the types, which say what was set."""
    made, said = (
        compile_text(MACHINE, settings={"ring.chips": "4"}),
        compile_text(MACHINE.replace("chips = 8", "chips = 4")),
    )
    assert made.ok
    assert said.ok
    for one, other in zip(made.plans.values(), said.plans.values(), strict=True):
        assert one.device_count[one.root] == other.device_count[other.root] == 4
        a, b = (made.fabric(one.system), said.fabric(other.system))
        assert a.a_device.tolist() == b.a_device.tolist()
        assert a.b_device.tolist() == b.b_device.tolist()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("ring.chps=4", "finds nothing called `ring.chps`"),
        ("rng.chips=4", "nothing of this name"),
        ("pod.ring.chips=2 GB", "is a number"),
        ("ring.npu.memory=64", "no unit"),
        ("ring..chips=4", "no name that can be set"),
    ],
)
def test_what_is_wrong_is_usage(file: str, setting: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", file, "--set", setting]) == 2
    assert words in capsys.readouterr().out
