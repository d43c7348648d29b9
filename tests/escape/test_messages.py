"""What a file says can do nothing to the terminal that a message is shown on, and no other file is shown in one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from unifiedbus_dsl.cli import main

ESCAPE = "\x1b]0;owned\x07\x1b[2J\u202egnp\u2066\x85\x9b31m"
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def dump(name: str, port: str = "p", kind: str = "npu") -> str:
    return json.dumps({
        "graph": {"name": name},
        "nodes": [{"id": "s0", "kind": "switch"}, {"id": "n0", "kind": kind}, {"id": "n1", "kind": kind}],
        "edges": [
            {"source": f"n{n}", "target": "s0", "a_port": port, "b_port": f"{port}{n}", "link": name, "medium": name,
             "rate": 1e9}
            for n in range(2)
        ],
    })  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["compile", "m.npz"], ["compile", "m.npz", "--json"], ["analyze", "m.npz"], ["analyze", "m.npz", "--json"],
        ["check", "m.npz"], ["export", "m.npz", "--to", "hccl"], ["export", "m.npz", "--to", "json", "-o", "-"],
        ["survey", "m.npz", "--of", "link"], ["survey", "m.npz", "--of", "link", "--json"], ["render", "m.npz"],
        ["diff", "m.npz", "n.npz"], ["diff", "m.npz", "n.npz", "--json"], ["analyze", "m.npz", "--system", "none"],
        ["import", f"x{ESCAPE[:9]}.json"], ["compile", "m.npz", "--system", ESCAPE[1:12]],
    ],
)  # fmt: skip
def test_no_escape_sequence_comes_out(words: list[str], folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "m.json").write_text(dump(ESCAPE, ESCAPE))
    (folder / "n.json").write_text(dump(ESCAPE + "2", ESCAPE + "2"))
    assert main(["import", "m.json"]) == 0
    assert main(["import", "n.json"]) == 0
    assert main(words) in (0, 1, 2)
    out, err = capfd.readouterr()
    assert not ACTIVE.search(out)
    assert not ACTIVE.search(err)


@pytest.mark.parametrize(
    "name", ["../victim/precious", "analyze", "a b { }", "x { bisection(all npu) } analyze y of z"]
)
def test_the_name_of_a_system_is_no_part_of_a_question(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "m.json").write_text(dump(name))
    assert main(["import", "m.json"]) == 0
    assert main(["analyze", "m.npz", "--ask", "diameter(all npu)"]) == 0
    assert main(["survey", "m.npz", "--of", "switch", "--measure", "diameter(all npu)"]) == 0
    assert "diameter" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        'use "secret.txt"', 'use "secret.ubus"', 'use "link.ubus"', 'use A from "secret.txt"',
        'rack R { npu[2] : C; connect cables("secret.txt") over L }',
        'rack R { npu[2] : C; connect cables("link.csv") over L }',
        'rack R { npu[2] : C; connect cables("secret.pem") over L }',
        "rack R { npu[2] : C; connect npu[0].x -- npu[1].x over L(1 m) }\nsystem s : R\n"
        'traffic t of s = matrix("secret.txt")\nanalyze q of s { throughput(t) }',
    ],
)  # fmt: skip
@pytest.mark.parametrize("secret", ["root:x:0:0:secret:/root", "secret = hunter2", "a secret,b secret", "\nsecret"])
def test_nothing_is_quoted_of_a_file_that_is_no_text_of_ours(
    line: str, secret: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("secret.txt", "secret.ubus", "secret.pem"):
        (folder / name).write_text(f"{secret}\nmore of it: hunter2\n")
    for name in ("link.ubus", "link.csv"):
        os.symlink("secret.pem", folder / name)
    text = "ubus 1\nprotocol P { lane = 1 Gbps }\nlink L : P { reach = 1 m }\nnpu C { port x : P x1 }\n"
    (folder / "m.ubus").write_text(f"{text}{line}\n")
    assert main(["analyze", "m.ubus"]) == 1
    said = capsys.readouterr().err.replace("secret.", "")
    assert "secret" not in said
    assert "hunter2" not in said
