"""A traffic matrix from a list: what it gives, and every way in which it can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.test_language import HEAD, STAR
from unifiedbus_dsl.analysis.run import Report, analyze
from unifiedbus_dsl.compiler import compile

ASKED = 'analyze q of star { throughput(matrix("rates.csv")) }\n'


def report(folder: Path, rows: str | bytes | None, asked: str = ASKED) -> Report:
    if rows is not None:
        (folder / "rates.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    (folder / "m.ubus").write_text(HEAD + STAR + asked)
    return analyze(compile(folder / "m.ubus"))


@pytest.mark.parametrize(
    "rows",
    [
        "from,to,rate\nnpu[0],npu[2],1 GB/s\nnpu[1],npu[2],1e9\n",
        "\ufeffrate, to, from\r\n1 GB/s, npu[2], npu[0]\r\n\r\n8 Gb/s, npu[2], npu[1]\r\n",
        'FROM,TO,RATE\n"npu[0]",npu[2],0.5 GB/s\nnpu[1],npu[2],1 GB/s\nnpu[0],npu[2],0.5 GB/s\nnpu[3],npu[3],0\n',
    ],
)
def test_a_matrix_gives_its_rates(tmp_path: Path, rows: str) -> None:
    """Twice 1 GB/s into one port of 56 GB/s: the demand can grow 28 times."""
    (found,) = report(tmp_path, rows).answers
    assert found.detail["scale"] == pytest.approx(28)
    assert found.value == pytest.approx(28e9)


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ("", 1, "empty"),
        ("from,to,rate\n", 1, "names no pair"),
        ("from,to\nnpu[0],npu[1]\n", 1, "`rate` is missing"),
        ("from,to,rate,rate\nnpu[0],npu[1],1,1\n", 1, "twice"),
        ("from,to,rates\nnpu[0],npu[1],1\n", 1, "no column `rates`"),
        ("from,to,rate\nnpu[0],npu[1]\n", 2, "2 cells"),
        ("from,to,rate\n\nnpu[0],npu[1],1,2\n", 3, "4 cells"),
        ("from,to,rate\nnpu[0],npu[8],1\n", 2, "outside 0..7"),
        ("from,to,rate\nnpu[0],npo[1],1\n", 2, "no `npo`"),
        ("from,to,rate\nnpu[0],npu,1\n", 2, "1 subscript"),
        ("from,to,rate\nnpu[0],hub,1\n", 2, "a switch"),
        ("from,to,rate\nnpu[0],,1\n", 2, "no device"),
        ("from,to,rate\nnpu[0],npu[1],\n", 2, "not a rate"),
        ("from,to,rate\nnpu[0],npu[1],nan\n", 2, "not a rate"),
        ("from,to,rate\nnpu[0],npu[1],1e999\n", 2, "not a rate"),
        ("from,to,rate\nnpu[0],npu[1],5 m\n", 2, "not a rate"),
        ("from,to,rate\nnpu[0],npu[1],5 GBps\n", 2, "not a rate"),
        ("from,to,rate\nnpu[0],npu[1],-3 GB/s\n", 2, "negative"),
        ("from,to,rate\nnpu[0],npu[0],3 GB/s\n", 2, "to itself"),
    ],
)
def test_what_is_wrong_is_shown_where_it_stands(tmp_path: Path, rows: str, line: int, words: str) -> None:
    done = report(tmp_path, rows)
    (found,) = done.diagnostics
    assert not done.answers
    assert found.code == "UB0710"
    assert words in found.message
    assert found.primary is not None
    place = found.primary.span
    assert (place.source.path, place.source.text.count("\n", 0, place.start) + 1) == (tmp_path / "rates.csv", line)


def test_every_wrong_line_is_reported(tmp_path: Path) -> None:
    done = report(tmp_path, "from,to,rate\nnpu[9],npu[1],1\nnpu[0],npu[1],-1\nnpu[2],npu[1]\n")
    assert len(done.diagnostics) == 3


@pytest.mark.parametrize(("rows", "code"), [(None, "UB0710"), (b"from,to,rate\n\xff\xfe\x00,npu[1],1\n", "UB0113")])
def test_a_file_that_cant_be_read(tmp_path: Path, rows: bytes | None, code: str) -> None:
    (found,) = report(tmp_path, rows).diagnostics
    assert found.code == code


def test_nothing_is_sent(tmp_path: Path) -> None:
    (found,) = report(tmp_path, "from,to,rate\nnpu[0],npu[1],0\n").diagnostics
    assert (found.code, "nothing is sent" in found.message) == ("UB0706", True)


def test_a_pair_that_nothing_joins(tmp_path: Path) -> None:
    rows = "from,to,rate\nnpu[0],npu[1],1\n"
    scenario = 'scenario HubDown of star { fail hub; expect throughput(matrix("rates.csv")) > 0 GB/s }\n'
    (found,) = report(tmp_path, rows, scenario).diagnostics
    assert (found.code, "no path" in found.message) == ("UB0706", True)


def test_what_is_lost_sends_nothing(tmp_path: Path) -> None:
    rows = "from,to,rate\nnpu[0],npu[1],1\nnpu[2],npu[3],2\n"
    scenario = 'scenario Down of star { fail npu[2]; expect throughput(matrix("rates.csv")) == 56 GB/s }\n'
    done = report(tmp_path, rows, scenario)
    assert not done.diagnostics
    assert [r.holds for r in done.expectations] == [True]
