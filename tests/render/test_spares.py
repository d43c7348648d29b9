"""Counts in pictures leave spares out, and say how many there are."""

from __future__ import annotations

from unifiedbus_dsl import compile_text
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.explorer import type_data
from unifiedbus_dsl.render.floor import floor_picture
from unifiedbus_dsl.render.marks import Box, Picture, Text
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.plan_summary import PlanSummary

# two racks in service and a stand-by one, each of four chips and a stand-by one, five cables inside, two up
TEXT = """ubus 1
protocol E { lane = 100 Gbps }
link L : E { medium = optical }
npu G { port p : E x1 }
switch S { port d[5] : E x1; port u[2] : E x1 }
switch C { port p[4] : E x1 }
rack R {
  g[4] : G
  spare h : G
  s : S
  connect g[i].p -- s.d[i] over L(1 m) for i in 0..3
  connect h.p -- s.d[4] over L(1 m)
  port up = s.u
}
superpod Top {
  r[2] : R; spare x : R; c : C
  connect r[b].up[k] -- c.p[2*b + k] over L(3 m) for b, k
  place r as row(pitch = 1 m)
  place x as row(pitch = 1 m, origin = [0 m, 3 m])
  place c as row(pitch = 1 m, origin = [3 m, 3 m])
}
system top : Top
"""
TILES = {"NPUs": "8 + 7 spare", "racks": "2 + 1 spare", "switches": "3 + 1 spare", "cables": "14 + 5 spare"}


def plan() -> Plan:
    return compile_text(TEXT).pick("top")


def tiles(picture: Picture) -> dict[str, str]:
    texts = {mark.id: mark.text for mark in picture.marks if isinstance(mark, Text) and mark.id.startswith("tile-")}
    return {name: texts[at.removesuffix("-name")] for at, name in texts.items() if at.endswith("-name")}


def texts(picture: Picture) -> list[str]:
    return [mark.text for mark in picture.marks if isinstance(mark, Text)]


def test_figures_of_the_overview_and_of_every_device() -> None:
    for picture in (overview_picture(plan(), None), detail_picture(plan(), None, PlanSummary(plan()))):
        assert TILES.items() <= tiles(picture).items()
        assert tiles(picture)["all NPU ports, each direction"] == "100 GB/s"
    assert "optical: 14 + 5 spare cables, 175 GB/s" in texts(overview_picture(plan(), None))
    rack = overview_picture(plan(), "R")
    assert (tiles(rack)["NPUs"], tiles(rack)["cables"]) == ("4 + 1 spare", "5")
    assert "2 + 1 spare in system top · part of Top" in texts(rack)


def test_the_floor_plan_says_what_stands_by() -> None:
    assert tiles(floor_picture(plan(), "Top", PlanSummary(plan())))["placed"] == "3 + 1 spare"


def test_the_page_counts_apart() -> None:
    data = type_data(plan(), {})
    assert {key: (data[key]["instances"], data[key]["spares"]) for key in ("G", "R", "S", "C", "Top")} == {
        "G": (8, 7), "R": (2, 1), "S": (2, 1), "C": (1, 0), "Top": (1, 0),
    }  # fmt: skip
    assert sorted(data["Top"]["contents"]) == [
        ["cables inside", "14 + 5 spare"], ["npu", "8 + 7 spare"], ["rack", "2 + 1 spare"], ["switch", "3 + 1 spare"],
    ]  # fmt: skip


def test_spare_devices_look_spare_in_a_picture_of_every_device() -> None:
    """Three stand-by chips in two racks and a stand-by one, and all of the latter's; the legend says what they are."""
    picture = detail_picture(plan())
    boxes = {mark.name: mark for mark in picture.by_role("device") if isinstance(mark, Box)}
    spare = {name for name, mark in boxes.items() if mark.fill == palette.PAPER}
    assert spare == {"r[0].h", "r[1].h", "x.h", "x.s", *(f"x.g[{i}]" for i in range(4))}
    assert all(boxes[name].tip.startswith("spare ") for name in spare)
    assert {"spare NPU", "spare switch"} <= set(texts(picture))
