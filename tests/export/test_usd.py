"""The scene of a floor: boxes where the plan has them, curves that hold all cables between them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.escape.hostile import PAYLOADS
from tests.export.machines import compiled
from unifiedbus_dsl import export
from unifiedbus_dsl.escape.usd import string
from unifiedbus_dsl.export import CannotExportError

TEXT = """ubus 1
protocol UB { lane = 112 Gbps }
link Wire : UB { medium = copper; reach = 50 m }
link Fibre : UB { medium = optical; reach = 50 m }
npu Chip { port p[3] : UB x4 @open }
rack Two { npu[2] : Chip; connect npu[0].p[0] -- npu[1].p[0] over Wire(1 m); port up = npu.p[1]; port far = npu.p[2] }
superpod Row {
  rack[3] : Two
  place rack as grid(columns = 3, pitch = [2 m, 3 m], origin = [1 m, 5 m])
  connect rack[0].up[n] -- rack[1].up[n] over Wire(4 m) for n
  connect rack[1].far[n] -- rack[2].up[n] over Fibre(5 m) for n
}
system s : Row
"""


def floats(text: str) -> list[float]:
    return [float(value) for value in re.findall(r"-?[\d.]+", text)]


def test_places_and_cables_are_where_the_floor_plan_has_them(tmp_path: Path) -> None:
    export.write(compiled(TEXT).plan, "usd", tmp_path / "a.usda")
    text = (tmp_path / "a.usda").read_text()
    boxes = re.findall(
        r'Cube "place_\d" \(\n +displayName = "(.*?)".*?devices = (\d+).*?translate = \((.*?)\)', text, re.DOTALL
    )
    assert [(name, int(devices), floats(at)) for name, devices, at in boxes] == [
        (f"rack[{n}]", 2, [1.3 + 2 * n, 5.6, 1]) for n in range(3)
    ]
    curve = r'displayName = "(\w+)"\n.*?Counts = \[(.*?)\].*?points = \[(.*?)\].*?cables = \[(.*?)\]'
    curves = re.findall(curve, text.partition("cables_0")[2], re.DOTALL)
    said = [(name, counts, cables) for name, counts, _, cables in curves]
    assert said == [("copper", "5", "2"), ("optical", "5", "2")]
    assert floats(curves[0][2]) == [
        *[1.3, 5.6, 2, 1.3, 5.6, 2.4, 3.3, 5.6, 2.4, 3.3, 5.6, 2.4, 3.3, 5.6, 2]  # cables in a rack are not drawn
    ]
    assert floats(curves[1][2])[:3] == [3.3, 5.6, 2]
    assert floats(curves[1][2])[-3:] == [5.3, 5.6, 2]


def test_what_has_no_place_is_left_out_and_a_machine_without_a_floor_refused(tmp_path: Path) -> None:
    extra = TEXT.replace("superpod Row {", "switch Sw { port p[2] : UB x4 @open }\nsuperpod Row {\n  sw : Sw").replace(
        "  connect rack[1].far[n]", "  connect sw.p[n] -- rack[0].far[n] over Wire(9 m) for n\n  connect rack[1].far[n]"
    )
    said = export.write(compiled(extra).plan, "usd", tmp_path / "a.usda")
    assert any("1 device without a place" in each.message for each in said)
    assert (tmp_path / "a.usda").read_text().count("Cube") == 3
    bare = re.sub("  place rack.*\n", "", TEXT)
    with pytest.raises(CannotExportError, match="no part has a place"):
        export.write(compiled(bare).plan, "usd", tmp_path / "b.usda")


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: ascii(payload)[1:25])
def test_a_hostile_name_is_a_string_of_one_line(payload: str) -> None:
    written = string(payload)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\["\\])*"', written)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", written)


def test_openusd_opens_the_scene(tmp_path: Path) -> None:
    pxr = pytest.importorskip("pxr.Usd", reason="usd-core is not installed")
    from pxr import UsdGeom

    names = 'name rack[0] of s = "a \\"b\\" \\\\ \u673a"\n'
    export.write(compiled(TEXT + names).plan, "usd", tmp_path / "a.usda")
    stage = pxr.Stage.Open(str(tmp_path / "a.usda"))
    assert (UsdGeom.GetStageUpAxis(stage), UsdGeom.GetStageMetersPerUnit(stage)) == ("Z", 1.0)
    prims = list(stage.Traverse())
    assert [prim.GetTypeName() for prim in prims] == ["Xform", *["Cube"] * 3, *["BasisCurves"] * 2]
    assert prims[1].GetDisplayName() == 'a "b" \\ \u673a'
    assert UsdGeom.Xformable(prims[2]).GetLocalTransformation().ExtractTranslation() == pytest.approx(
        (3.3, 5.6, 1), abs=1e-6
    )
    for prim in prims[4:]:
        curves = UsdGeom.BasisCurves(prim)
        assert sum(curves.GetCurveVertexCountsAttr().Get()) == len(curves.GetPointsAttr().Get())
