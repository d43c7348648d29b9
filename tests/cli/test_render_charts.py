"""Charts and pictures of differences from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.asked import SPECS
from tests.support.cabinet import CAB


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--chart", "laddr"], 2, "ladder"),
        (["--chart", "trace"], 2, "trace(npu[0] -> npu[5])"),
        (["--chart", "trace(torus.npu[0] -> torus.npu[1]); diameter(all npu)"], 2, "trace(npu[0] -> npu[5])"),
        (["--chart", "ladder(x)"], 2, "is written `--chart ladder`"),
        (["--chart", "ladder", "--detail"], 2, "leave `--detail` out"),
        (["--chart", "ladder", "--format", "dot"], 2, "dot"),
        (["--chart", "scatter(a)"], 2, "is written"),
        (["--chart", "family", "--system", "torus2d"], 2, "leave `--system` out"),
        (["--chart", "trace(torus.npu[0] -> nothing)"], 2, "nothing"),
        (["--chart", "gantt"], 2, 'is written `--chart "gantt(pretrain)"`'),
        (["--chart", "gantt()"], 2, "step_time"),
        (["--chart", "scaling(pretrain)"], 2, "a workload is wanted"),
        (["--chart", "parts(x)"], 2, "is written `--chart parts`"),
        (["--chart", "parts"], 1, "no workload of the file has a time"),
        (["--chart", "parts", "--system", "torus2d"], 2, "leave `--system` out"),
    ],
)
def test_wrong_charts(options: list[str], status: int, said: str, tmp_path: Path, run: Run) -> None:
    out = tmp_path / "chart.svg"
    result = run("render", str(SPECS / "textbook/torus.ubus"), *options, "-o", str(out))
    assert (result.status, said in result.err) == (status, True), result.err
    assert not out.exists()


def test_a_picture_of_a_difference_from_the_command_line(tmp_path: Path, run: Run) -> None:
    (tmp_path / "cab.ubus").write_text(CAB)
    (tmp_path / "new.ubus").write_text(CAB.replace("h in 0..1", "h in 0..1 where n != 3 or k != 1"))
    out = tmp_path / "todo.svg"
    files = [str(tmp_path / "cab.ubus"), str(tmp_path / "new.ubus")]
    result = run("diff", *files, "--picture", str(out), "--no-solve")
    assert result.status == 1, result.err
    assert "2 × Wire: npu[3] -- plane[1], lost" in out.read_text()
    result = run("diff", *files, "--picture", str(tmp_path / "todo.txt"))
    assert result.status == 2
    assert ".svg, .png or .pdf" in result.err


def test_a_family_is_of_the_file(run: Run) -> None:
    """No system is chosen, so none is said to be left out, and the picture has the name of the file."""
    found = run("render", str(SPECS / "textbook/torus.ubus"), "--chart", "family")
    assert (found.status, found.out, found.err) == (0, "torus.family.svg\n", "")
