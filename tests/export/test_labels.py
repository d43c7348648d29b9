"""Label sheets: each end of each cable has its label, read back from the PDF by its cross-reference table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.export.label_sheets import sheets
from tests.export.machines import compiled
from unifiedbus_dsl import export
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export import CannotExportError, ExportInput, find, write_subject
from unifiedbus_dsl.export.base import OutageMask
from unifiedbus_dsl.export.common.pdf import wrapped

HEAD = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m }
link Trace : UB { medium = pcb; reach = 1 m }
npu Chip { port p : UB x4; port e : UB x4 @open }
switch Sw { port p[16] : UB x4 @open }
"""
RACK = """
rack R { npu[4] : Chip; sw : Sw; connect npu[i].p -- sw.p[i] over Wire(1.5 m) for i in 0..3 }
system s : R
"""


def labels(path: Path) -> list[tuple[str, str]]:
    """The bold text of each label and the rest, in order of the sheet; what was broken is put together."""
    made = []
    for lines in sheets(path):
        spots: dict[tuple[int, int], list[tuple[float, bool, str]]] = {}
        for x, y, bold, text in lines:
            row = int((841.89 - 30.2 - y) / (21.2 * 72 / 25.4))
            spots.setdefault((row, int((x - 13) / (40.6 * 72 / 25.4))), []).append((-y, bold, text))
        for _, spot in sorted(spots.items()):
            spot.sort()
            made.append((" ".join(t for _, b, t in spot if b), " ".join(t for _, b, t in spot if not b)))
    return made


def test_each_end_of_each_cable_has_its_label(tmp_path: Path) -> None:
    export.write(compiled(HEAD + RACK).plan, "labels", tmp_path / "a.pdf")
    wanted = []
    for i in range(4):
        wanted += [(f"npu[{i}] p", f"> sw p[{i}] {i} Wire 1.5 m"), (f"sw p[{i}]", f"> npu[{i}] p {i} Wire 1.5 m")]
    assert labels(tmp_path / "a.pdf") == wanted


def test_a_sheet_has_65_labels_within_its_edges(tmp_path: Path) -> None:
    text = RACK.replace("npu[4]", "npu[40]").replace("0..3", "0..39")
    export.write(compiled(HEAD.replace("p[16]", "p[40]") + text).plan, "labels", tmp_path / "a.pdf")
    pages = sheets(tmp_path / "a.pdf")
    assert len(pages) == 2
    assert len(labels(tmp_path / "a.pdf")) == 80
    width, height = 38.1 * 72 / 25.4, 21.2 * 72 / 25.4
    for x, y, _, text_ in (line for page in pages for line in page):
        column, row = divmod(x - 13.46, width + 2.5 * 72 / 25.4)[1], divmod(841.89 - 30.27 - y, height)[1]
        assert 0 < column < width - len(text_) * 0.6 * 4  # no size is below 4 points
        assert 0 < row < height


def test_names_of_the_site_are_there_to_the_letter_and_what_is_not_latin_is_told(tmp_path: Path) -> None:
    names = """name npu[0] of s = "host (a) >> endobj"
name npu[1] of s = "\u673a\u67b6 \u4e00"
name npu[2] of s = "=1+1"
name sw of s = "leaf <b> \u00e9"
"""
    said = export.write(compiled(HEAD + RACK + names).plan, "labels", tmp_path / "a.pdf")
    assert any("Asian font" in each.message for each in said)
    bold = [own for own, _ in labels(tmp_path / "a.pdf")]
    assert bold[::2] == ["host (a) >> endobj p", "\u673a\u67b6 \u4e00 p", "=1+1 p", "npu[3] p"]
    assert bold[1] == "leaf <b> \u00e9 p[0]"


def test_what_nobody_plugs_has_no_label_and_a_machine_of_such_is_refused(tmp_path: Path) -> None:
    board = "npu[4] : Chip; connect npu[0].e -- npu[1].e over Trace(0.1 m)"
    said = export.write(compiled(HEAD + RACK.replace("npu[4] : Chip", board)).plan, "labels", tmp_path / "a.pdf")
    assert any("1 connections of a board" in each.message for each in said)
    assert len(labels(tmp_path / "a.pdf")) == 8
    with pytest.raises(CannotExportError, match="none that one plugs"):
        export.write(compiled(HEAD + RACK.replace("Wire(1.5 m)", "Trace(0.5 m)")).plan, "labels", tmp_path / "b.pdf")


def test_an_end_of_several_links_in_a_cage_has_one_label(tmp_path: Path) -> None:
    text = """ubus 1
protocol UB { lane = 112 Gbps }
link Wire : UB { medium = copper; reach = 5 m }
npu Chip { port p[2] : UB x4 @open; transit p }
switch Sw { port p[4] : UB x4 @cage(2) }
rack R { npu[4] : Chip; sw : Sw; connect npu[i].p[0] -- sw.p[i] over Wire(1.5 m) for i }
system s : R
"""
    export.write(compiled(text).plan, "labels", tmp_path / "a.pdf")
    assert [own.split(" >")[0] for own, _ in labels(tmp_path / "a.pdf")] == [
        "npu[0] p[0]", "sw p[0..1]", "npu[1] p[0]", "npu[2] p[0]", "sw p[2..3]", "npu[3] p[0]",
    ]  # fmt: skip


def test_what_a_scenario_takes_has_no_label(tmp_path: Path) -> None:
    fabric = compiled(HEAD + RACK).fabric("s")
    mask = OutageMask("down", np.zeros(fabric.device_count, bool), np.arange(4) == 2)
    write_subject(ExportInput(fabric.plan, lambda: fabric, gone=mask), find("labels"), tmp_path / "a.pdf", Sink())
    assert [own for own, _ in labels(tmp_path / "a.pdf")][::2] == ["npu[0] p", "npu[1] p", "npu[3] p"]


def test_long_names_are_smaller_then_cut_and_told(tmp_path: Path) -> None:
    names = f'name npu[0] of s = "{"long " * 11}"\nname npu[1] of s = "{"x" * 400}"\n'
    said = export.write(compiled(HEAD + RACK + names).plan, "labels", tmp_path / "a.pdf")
    assert any("2 labels did not fit" in each.message for each in said)
    assert labels(tmp_path / "a.pdf")[0][0].split() == ["long"] * 11 + ["p"]
    assert labels(tmp_path / "a.pdf")[2][1].endswith("...")


def test_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unifiedbus_dsl.export.formats.labels.MOST_LABELS", 7)
    with pytest.raises(CannotExportError, match="8 labels are more than the 7"):
        export.write(compiled(HEAD + RACK).plan, "labels", tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


@pytest.mark.parametrize("cells", [1, 2, 5, 9])
def test_lines_have_all_of_a_text_and_no_more_cells(cells: int) -> None:
    for text in ("rack[0].npu[12] p[3]", "x" * 40, "a b c d e f", "", "\u673a\u67b6"):
        lines = wrapped(text, max(cells, 2))
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(sum(2 if ord(c) > 0x2000 else 1 for c in line) <= max(cells, 2) for line in lines)


def test_a_library_reads_the_labels(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    export.write(compiled(HEAD + RACK).plan, "labels", tmp_path / "a.pdf")
    text = pypdf.PdfReader(tmp_path / "a.pdf", strict=True).pages[0].extract_text()
    assert text.split("\n")[:3] == ["npu[0] p", "> sw p[0]", "0 Wire 1.5 m"]
