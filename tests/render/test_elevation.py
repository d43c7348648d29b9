"""The elevation of racks says what is mounted where."""

from __future__ import annotations

import pytest

from tests.render.legible import readable
from unifiedbus_dsl import compiler
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.ir.plan.serial import dump, load
from unifiedbus_dsl.render.elevation import elevation_picture
from unifiedbus_dsl.render.floor import NothingPlacedError, floor_picture
from unifiedbus_dsl.render.marks import Box, Picture, Text

TEXT = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 5 m; delay = 5 ns/m }
npu Chip { port up[2] : UB x4 @open; port out : UB x4 @open }
switch Plane { height = 1 U; face = rear; port p[33] : UB x4 @open }
switch Panel { height = 2 U; face = front; port p[11] : UB x4 @open }
device Shelf { height = 3 U }
device Fan { height = 1.5 U }
node Tray { height = 2 U; npu[4] : Chip; port up = npu.up; port out = npu.out }
node Half { height = 1 U; npu[2] : Chip; port up = npu.up }
rack Cabinet {
  height = 32 U
  tray[8]  : Tray
  half[2]  : Half
  plane[2] : Plane
  panel    : Panel
  shelf    : Shelf
  fan      : Fan
  loose    : Shelf
  bare     : Chip
  connect tray[t].up[n, k] -- plane[k].p[4*t + n] over Wire(1 m) for t, n, k
  connect half[h].up[n, k] -- panel.p[4*h + 2*n + k] over Wire(1 m) for h, n, k
  connect plane[k].p[32] -- panel.p[8 + k] over Wire(1 m) for k
  connect bare.up[0] -- panel.p[10] over Wire(1 m)
  place tray  as grid(columns = 1, pitch = [0 m, 2 U], origin = [0 m, 4 U])
  place plane as grid(columns = 1, pitch = [0 m, 1 U], origin = [0 m, 22 U])
  place panel as at(origin = [0 m, 22 U])
  place half  as row(pitch = 0.24 m, origin = [0 m, 24 U])
  place shelf as at(origin = [0 m, 0 m])
  place fan   as at(origin = [0 m, 30.5 U])
  port out = tray.out
}
superpod Hall {
  cabinet[2] : Cabinet
  connect cabinet[0].out[t, n] -- cabinet[1].out[t, n] over Wire for t, n
  place cabinet as row(pitch = 0.6 m)
}
system hall : Hall
"""
LOWEST = {f"tray[{t}]": (5 + 2 * t, 2) for t in range(8)} | {"shelf": (1, 3), "fan": (31.5, 1.5)}
BESIDE = {"half[0]": (25, 1), "half[1]": (25, 1)}
FRONT = LOWEST | BESIDE | {"panel": (23, 2)}
REAR = LOWEST | BESIDE | {"plane[0]": (23, 1), "plane[1]": (24, 1)}


def plan(text: str = TEXT) -> Plan:
    done = compiler.compile_text(text)
    assert not any(d.severity == "error" for d in done.diagnostics), done.diagnostics
    return done.pick("hall")


def sides(drawn: Picture, rack: str = "Cabinet") -> dict[str, tuple[Box, list[Box]]]:
    found = {}
    for side in ("front", "rear"):
        frame = drawn.find(f"{rack}-{side}")
        assert isinstance(frame, Box)
        inside = [m for m in drawn.by_role("mounted") if isinstance(m, Box) and m.id.startswith(frame.id + "-")]
        found[side] = frame, inside
    return found


def test_every_part_is_drawn_at_its_unit_on_its_sides() -> None:
    drawn = elevation_picture(plan())
    readable(drawn)
    for (frame, boxes), wanted in zip(sides(drawn).values(), (FRONT, REAR), strict=True):
        unit = frame.height / 32
        seen = {
            box.tip.partition(" : ")[0]: (
                round((frame.y + frame.height - box.y - box.height) / unit * 2) / 2 + 1,
                round(box.height / unit * 2) / 2,
            )
            for box in boxes
        }
        assert seen == wanted


def test_parts_beside_each_other_change_sides_at_the_rear() -> None:
    drawn = elevation_picture(plan())
    for side, (frame, boxes) in sides(drawn).items():
        a, b = (next(box for box in boxes if box.tip.startswith(f"half[{n}] ")) for n in (0, 1))
        assert (a.x < b.x) == (side == "front")
        assert a.width == b.width < frame.width / 2
        for one in boxes:
            for other in boxes:
                apart = one.x + one.width <= other.x or other.x + other.width <= one.x
                assert one is other or apart or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_units_are_numbered_from_below() -> None:
    drawn = elevation_picture(plan())
    frame = sides(drawn)["front"][0]
    for mark in drawn.by_role("unit"):
        assert isinstance(mark, Text)
        middle = (frame.y + frame.height - mark.y) / frame.height * 32
        assert middle == pytest.approx(int(mark.text) - 0.5)
    assert [m.text for m in drawn.by_role("unit") if isinstance(m, Text)] == [str(n + 1) for n in range(32)]


def test_what_has_no_place_or_no_height_is_named_and_what_is_taken_counted() -> None:
    drawn = elevation_picture(plan())
    said = {m.text for m in drawn.by_role("legend") if isinstance(m, Text)}
    assert "not drawn: 1 × Chip (bare; no height)" in said
    assert "not drawn: 1 × Shelf (loose; 3 U, no place)" in said
    # 8 trays of 2, a shelf of 3, a fan of 1.5, a row of halves, two units with planes behind a panel
    tiles = [m.text for m in drawn.marks if isinstance(m, Text) and m.id.startswith("tile-")]
    assert tiles == ["2", "Cabinet, 23.5 of 32 U taken"]


def test_a_plan_read_back_has_the_same_elevation() -> None:
    one = elevation_picture(plan())
    assert elevation_picture(load(dump(plan()))) == one


def test_places_in_a_rack_are_none_on_the_floor() -> None:
    """Cables between cabinets are as long as on a floor where nothing is placed inside; spots are the cabinets."""
    within = plan()
    lines = TEXT.splitlines(keepends=True)
    without = plan("".join(line for line in lines if not line.startswith("  place ") or "cabinet" in line))
    assert within.numbering.lengths("Hall", 0, within.numbering.rule_points("Hall", 0)).max() == 600
    assert without.numbering.lengths("Hall", 0, without.numbering.rule_points("Hall", 0)).max() == 600
    spots = [m.id for m in floor_picture(within).marks if isinstance(m, Box) and m.role == "placed"]
    assert spots == [m.id for m in floor_picture(without).marks if isinstance(m, Box) and m.role == "placed"]


def test_without_heights_or_places_there_is_none() -> None:
    with pytest.raises(NothingPlacedError, match="no rack in `Hall` has an elevation"):
        elevation_picture(plan(TEXT.replace("  height = 32 U\n", "")))
