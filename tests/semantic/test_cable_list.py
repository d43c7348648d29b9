"""Cables from a list: what is right becomes cables, and what is wrong is said at its line of the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from unifiedbus_dsl.compiler import Compilation, compile

MACHINE = """ubus 1

protocol UB { lane = 112 Gbps; latency = 100 ns }
protocol UBoE { lane = 112 Gbps; latency = 400 ns }
link Optic : UB { medium = optical; reach = 60 m }
npu Chip { port x[2] : UB x4 }
npu Other { port x[2] : UBoE x4; port w : UB x8 @open }
rack Cabinet {
  npu[4]   : Chip
  other[2] : Other
  connect cables("cables.csv") over Optic(5 m)
  open other.x
}
"""
RING = "a,b\nnpu[0].x[0],npu[1].x[1]\nnpu[1].x[0],npu[2].x[1]\nnpu[2].x[0],npu[3].x[1]\nnpu[3].x[0],npu[0].x[1]\n"
RING = RING.replace("a,b\n", '"a","b"\n').replace("npu[0].x[0],npu[1].x[1]", '"npu[0].x[0]","npu[1].x[1]"')


def compiled(folder: Path, cables: str | None, machine: str = MACHINE) -> Compilation:
    (folder / "main.ubus").write_text(machine)
    if cables is not None:
        (folder / "cables.csv").write_text(cables)
    return compile(folder / "main.ubus")


def told(done: Compilation) -> list[tuple[str, str, int]]:
    """Code, file and line of everything found."""
    spans = [(d.code, d.primary.span) for d in done.diagnostics if d.primary]
    return [(code, span.source.name.rsplit("/", 1)[-1], span.line) for code, span in spans]


def joined(text: str) -> str:
    """The machine without its other parts, as a system."""
    return text.replace("  other[2] : Other\n", "").replace("  open other.x\n", "") + "system s : Cabinet\n"


def test_a_list_becomes_cables(tmp_path: Path) -> None:
    done = compiled(tmp_path, RING, joined(MACHINE))
    assert [d.message for d in done.diagnostics if d.severity == "error"] == []
    fabric = done.fabric()
    assert sorted(fabric.cable_names(range(4)).tolist()) == [
        f"npu[{i}].x[0] -- npu[{(i + 1) % 4}].x[1]" for i in range(4)
    ]


def test_lengths_of_the_list(tmp_path: Path) -> None:
    machine = joined(MACHINE).replace("over Optic(5 m)", "over Optic")
    lines = RING.splitlines()
    lengths = ["length", "12.5 m", "7", "300 cm", "59 m"]
    done = compiled(tmp_path, "\n".join(f"{a},{b}" for a, b in zip(lines, lengths, strict=True)), machine)
    assert [code for code, _, _ in told(done)] == ["UB0208"]
    assert sorted(done.fabric().kinds.length_m.tolist()) == [3.0, 7.0, 12.5, 59.0]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("npu[0].x[0],npu[1].x[2]", "UB0520"),
        ("npu[0].x[0],npu[1].x", "UB0520"),
        ("npu[0].x[0],npu[1]", "UB0520"),
        ("npu[0].x[0],", "UB0520"),
        ("npu[0].x[0]", "UB0520"),
        ("npu[0].x[0],npu[*].x[1]", "UB0520"),
        ("npu[0].x[0],nup[1].x[1]", "UB0220"),
        ("npu[0].x[0],npu[1].y[1]", "UB0212"),
        ('npu[0].x[0],"npu[1, 2].x[1]"', "UB0414"),
        ("npu[0].x[0],npu[1, 2].x[1]", "UB0520"),
        ("npu[0].x[0]," + "n" * 200_000, "UB0520"),
    ],
)
def test_a_wrong_line(tmp_path: Path, line: str, code: str) -> None:
    """One error, on the line of the list; the ports of the machine are not left over because of it."""
    done = compiled(tmp_path, RING.replace('"npu[0].x[0]","npu[1].x[1]"', line))
    assert told(done) == [(code, "cables.csv", 2)]


def test_two_wrong_lines_are_two_errors(tmp_path: Path) -> None:
    text = RING.replace("npu[2].x[0]", "npu[9].x[0]").replace("npu[3].x[0]", "cpu[3].x[0]")
    assert told(compiled(tmp_path, text)) == [("UB0520", "cables.csv", 4), ("UB0220", "cables.csv", 5)]


@pytest.mark.parametrize("length", ["12 GB", "twelve", "-3 m", "0", "1e999999999 m", "3 furlongs", "61 m"])
def test_a_length_that_is_none(tmp_path: Path, length: str) -> None:
    lines = RING.splitlines()
    text = "\n".join([lines[0] + ",length", f"{lines[1]},{length}", *(f"{line},1 m" for line in lines[2:])])
    machine = MACHINE.replace("over Optic(5 m)", "over Optic")
    codes = [code for code, _, _ in told(compiled(tmp_path, text, machine))]
    assert codes == (["UB0504"] if length == "61 m" else ["UB0520"])


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "UB0519"), ("a,b\n", "UB0519"), ("from,to\n", "UB0519"), ("a,b,colour\n", "UB0519"), (None, "UB0515")],
)
def test_a_list_without_cables(tmp_path: Path, text: str | None, code: str) -> None:
    assert [c for c, _, _ in told(compiled(tmp_path, text))] == [code]


def test_a_port_twice_in_the_list(tmp_path: Path) -> None:
    done = compiled(tmp_path, RING.replace("npu[3].x[0],npu[0].x[1]", "npu[3].x[0],npu[2].x[1]"), joined(MACHINE))
    assert [code for code, _, _ in told(done)] == ["UB0501"]


def test_ends_that_do_not_fit(tmp_path: Path) -> None:
    text = RING + "other[0].x[0],other[1].x[0]\n"
    assert [code for code, _, _ in told(compiled(tmp_path, text))] == ["UB0503"]


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a,b\n\x00\x01\n", "a,b\n\u2013,\u2013\n".encode(), b'a,b\n"npu\n'])
def test_a_list_that_is_no_text(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "cables.csv").write_bytes(data)
    assert len(compiled(tmp_path, None).diagnostics) == 1


def test_a_line_that_names_what_is_left_out(tmp_path: Path) -> None:
    machine = joined(MACHINE.replace("npu[4]   :", "npu[5 except 2] :"))
    ring = "a,b\nnpu[0].x[0],npu[1].x[1]\nnpu[1].x[0],npu[3].x[1]\nnpu[3].x[0],npu[4].x[1]\nnpu[4].x[0],npu[0].x[1]\n"
    done = compiled(tmp_path, ring, machine)
    assert [d.message for d in done.diagnostics if d.severity == "error"] == []
    names = sorted(done.fabric().cable_names(range(4)).tolist())
    assert names[2:] == ["npu[3].x[0] -- npu[4].x[1]", "npu[4].x[0] -- npu[0].x[1]"]
    assert told(compiled(tmp_path, ring.replace("npu[3].x[1]", "npu[2].x[1]"), machine)) == [
        ("UB0433", "cables.csv", 3)
    ]
