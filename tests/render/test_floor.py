"""The floor plan is to scale, and its cables are those of the plan."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from attrs import evolve

from tests.render import machines
from tests.render.reading import read_back
from tests.render.twin import cables
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Placement
from unifiedbus_dsl.render import NothingPlacedError, floor
from unifiedbus_dsl.render.floor import floor_picture
from unifiedbus_dsl.render.marks import Box, Line, Text
from unifiedbus_dsl.render.sheet import bounds


def placed(racks: int = 128) -> dict[str, Box]:
    picture = floor_picture(machines.superpod(racks))
    return {m.tip.partition(" : ")[0]: m for m in picture.by_role("placed") if isinstance(m, Box)}


def test_every_rack_stands_in_its_place() -> None:
    boxes = placed()
    assert len(boxes) == 160
    origin, right, below = boxes["cabinet[0]"], boxes["cabinet[1]"], boxes["cabinet[16]"]
    # the room is deeper than wide, so it is drawn turned: x runs up, y to the right
    assert (right.x, below.y) == (pytest.approx(origin.x), pytest.approx(origin.y))
    scale = (origin.y - right.y) / 0.6
    assert (below.x - origin.x) / 2.4 == pytest.approx(scale)
    assert boxes["inter[0, 0]"].x - origin.x == pytest.approx(20 * scale)
    assert (origin.height, origin.width) == (pytest.approx(0.6 * scale, rel=0.1), pytest.approx(1.2 * scale, rel=0.1))
    assert "at 0.6 m, 2.4 m" in boxes["cabinet[17]"].tip


def test_racks_do_not_overlap() -> None:
    for a, b in combinations(placed().values(), 2):
        assert a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y


def test_lengths_are_those_of_a_plain_sum() -> None:
    plan = machines.superpod(16)
    root = plan.assemblies["Atlas950"]
    at = {p.child: p.positions for p in root.placements}
    lengths = []
    for (rack,), (p, i) in cables(root.rules[0]):
        (ax, ay), (bx, by) = at["cabinet"][rack], at["inter"][8 * p + i]
        lengths.append(abs(ax - bx) + abs(ay - by))
    shown = read_back(floor(plan))
    texts = {mark.text for mark in shown.values()}
    assert any(f"{len(lengths):,} cables, " in text and f"longest {float(max(lengths)):g} m" in text for text in texts)
    total = sum(lengths, Fraction(0))
    assert shown["tile-3"].text == f"{float(total) / 1000:.2f} km"
    assert shown["longest-name"].text.startswith(f"longest: {float(max(lengths)):g} m, cabinet[")


def test_trays_carry_every_cable() -> None:
    plan = machines.superpod(16)
    picture = floor_picture(plan)
    trays = [m for m in picture.by_role("tray") if isinstance(m, Line)]
    scale = abs(placed(16)["cabinet[0]"].y - placed(16)["cabinet[1]"].y) / 0.6 or 1.0
    metres = 0.0
    for line in trays:
        (ax, ay), (bx, by) = line.points[0], line.points[-1]
        metres += (abs(ax - bx) + abs(ay - by)) / scale * int(line.tip.split()[0].replace(",", ""))
    root = plan.assemblies["Atlas950"]
    at = {p.child: p.positions for p in root.placements}
    total = sum(
        abs(at["cabinet"][r][0] - at["inter"][8 * p + i][0]) + abs(at["cabinet"][r][1] - at["inter"][8 * p + i][1])
        for (r,), (p, i) in cables(root.rules[0])
    )
    assert metres == pytest.approx(float(total))


def test_labels_can_be_read() -> None:
    picture = floor_picture(machines.superpod())
    assert picture.smallest_text(1200) >= 8
    texts = [m for m in picture.marks if isinstance(m, Text)]
    for a, b in combinations(texts, 2):
        one, other = bounds([a]), bounds([b])
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 2 or other[3] <= one[1] + 2


def test_places_of_nested_assemblies_add_up() -> None:
    plan = machines.superpod(16)
    pods = tuple((Fraction(0), Fraction(40 * k)) for k in range(2))
    hall = AssemblyType("Hall", "supercluster", (Child("pod", (2,), "Atlas950"),), placements=(Placement("pod", pods),))
    both = evolve(plan, root="Hall", assemblies={**plan.assemblies, "Hall": hall})
    picture = floor_picture(both)
    tips = {m.tip.partition("\n")[0]: m.tip for m in picture.by_role("placed") if isinstance(m, Box)}
    assert len(tips) == 2 * 48
    assert tips["pod[1].cabinet[3] : Cabinet"].endswith("at 1.8 m, 40 m")
    shown = read_back(floor(both))
    assert shown["tile-2"].text == f"{2 * 16 * 256:,}"


def test_without_places_the_way_out_is_said() -> None:
    with pytest.raises(NothingPlacedError, match="place"):
        floor(machines.rack())


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert floor(machines.superpod(8)) == floor(machines.superpod(8))


def test_axes_have_marks_where_the_places_are() -> None:
    picture = floor_picture(machines.superpod())
    boxes = placed()
    ticks = {m.tip: m for m in picture.by_role("axis") if isinstance(m, Text)}
    assert boxes["cabinet[0]"].x < ticks["y = 0 m"].x + 1.5 < boxes["cabinet[0]"].x + 3  # the rack begins at 0 m
    scale = (boxes["cabinet[16]"].x - boxes["cabinet[0]"].x) / 2.4
    first, second = (ticks[tip].x for tip in ("y = 0 m", "y = 10 m") if tip in ticks)
    assert (second - first) / 10 == pytest.approx(scale)


def test_what_is_not_placed_is_named() -> None:
    plan = machines.superpod(16)
    root = plan.assemblies["Atlas950"]
    kept = tuple(p for p in root.placements if p.child == "cabinet")
    half = evolve(plan, assemblies={**plan.assemblies, "Atlas950": evolve(root, placements=kept)})
    texts = {m.text for m in floor_picture(half).by_role("legend") if isinstance(m, Text)}
    assert "not placed: 32 × inter" in texts
    assert not any("not placed" in getattr(m, "text", "") for m in floor_picture(plan).marks)


def test_more_racks_than_can_be_drawn_stand_pod_by_pod() -> None:
    plan = machines.superpod(16)
    pods = tuple((Fraction(0), Fraction(40 * k)) for k in range(200))
    hall = AssemblyType(
        "Hall", "supercluster", (Child("pod", (200,), "Atlas950"),), placements=(Placement("pod", pods),)
    )
    picture = floor_picture(evolve(plan, root="Hall", assemblies={**plan.assemblies, "Hall": hall}))
    boxes = [m for m in picture.by_role("placed") if isinstance(m, Box)]
    assert len(boxes) == 200
    assert {m.tip.partition("[")[0] for m in boxes} == {"pod"}
