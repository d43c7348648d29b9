"""Detail pictures show every device and every cable, where they can be told apart."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from attrs import evolve

from tests.render import machines
from tests.render.reading import read_back, timed
from tests.render.twin import names
from unifiedbus_dsl.render import TooManyMarksError, detail
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.marks import Box, Line, Picture, Text, identifier
from unifiedbus_dsl.render.sheet import bounds

SMALL = {
    name: plan
    for name, plan in machines.all_machines().items()
    if name in ("board", "cab", "flat", "fattree", "torus", "dragonfly", "node")
}
BIG = {"512 NPUs": machines.superpod(8), "8,192 NPUs": machines.superpod()}


def boxes(picture: Picture, role: str = "device") -> list[Box]:
    return [mark for mark in picture.by_role(role) if isinstance(mark, Box)]


def cable_lines(picture: Picture) -> list[Line]:
    return [mark for mark in picture.by_role("cable") if isinstance(mark, Line)]


@pytest.mark.parametrize("name", SMALL)
def test_every_device_is_there(name: str) -> None:
    shown = read_back(detail(SMALL[name]))
    wanted = names(SMALL[name], SMALL[name].root)
    assert Counter(m.tip.partition(" : ")[0] for m in shown.values() if m.role == "device") == Counter(wanted)


@pytest.mark.parametrize("name", [*SMALL, *BIG])
def test_devices_and_names_do_not_overlap(name: str) -> None:
    picture = detail_picture((SMALL | BIG)[name])
    devices = boxes(picture)
    if len(devices) < 1000:
        for a, b in combinations(devices, 2):
            apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
            assert apart, f"{a.tip} and {b.tip} overlap"
    texts = [bounds([m]) for m in picture.marks if isinstance(m, Text)]
    left, top, right, bottom = np.array(texts).T
    for k in range(len(texts)):
        over = (left < right[k]) & (left[k] < right) & (top + 2 < bottom[k]) & (top[k] + 2 < bottom)
        assert over.sum() == 1, picture.marks[k]


@pytest.mark.parametrize("name", [*SMALL, *BIG])
def test_text_can_be_read(name: str) -> None:
    picture = detail_picture((SMALL | BIG)[name])
    assert picture.smallest_text(1200) >= 8
    left, top, right, bottom = bounds(picture.marks)
    assert (left >= 0, top >= 0, right <= picture.width, bottom <= picture.height) == (True,) * 4


def test_a_mesh_of_eight_is_a_ring() -> None:
    centres = np.array([box.center for box in boxes(detail_picture(SMALL["board"]))])
    away = np.hypot(*(centres - centres.mean(axis=0)).T)
    assert np.allclose(away, away[0])


def test_a_mesh_of_boards_has_rows_and_columns() -> None:
    devices = [b for b in boxes(detail_picture(SMALL["cab"])) if b.tip.startswith("board")]
    assert len({round(b.center[0], 2) for b in devices}) == 8
    assert len({round(b.center[1], 2) for b in devices}) == 8


def test_switches_stand_above_what_they_serve() -> None:
    picture = detail_picture(SMALL["fattree"])
    height = {b.tip.partition(" : ")[0]: b.y for b in boxes(picture)}
    assert height["core[0]"] < height["pod[0].agg[0]"] < height["pod[0].edge[0]"] < height["pod[0].host[0, 0]"]


@pytest.mark.parametrize("pattern", ["torus", "mesh"])
def test_a_torus_laid_over_one_dimension_is_a_grid(pattern: str) -> None:
    plan = machines.torus((4, 4))
    root = plan.assemblies["Torus"]
    rules = tuple(
        evolve(
            rule,
            pattern=pattern,
            left=evolve(rule.left, at=(machines.op("+", machines.op("*", 4, rule.left.at[0]), rule.left.at[1]),)),
            right=evolve(rule.right, at=(machines.op("+", machines.op("*", 4, rule.right.at[0]), rule.right.at[1]),)),
        )
        for rule in root.rules
    )
    flat = evolve(root, rules=rules, children=(machines.Child("chip", (16,), "Chip"),))
    devices = boxes(detail_picture(evolve(plan, assemblies={"Torus": flat})))
    assert len({round(b.center[0], 2) for b in devices}) == 4


def test_groups_that_meet_elsewhere_stand_in_a_circle() -> None:
    plan = machines.flat_dragonfly()
    devices = boxes(detail_picture(plan))
    centres = np.array([b.center for b in devices])
    away = np.hypot(*(centres - centres.mean(axis=0)).T)
    assert np.allclose(away, away[0])
    apart = np.hypot(*np.diff(centres, axis=0).T)
    assert apart[3::4].min() > 1.5 * np.delete(apart, slice(3, None, 4)).max()


def test_a_mesh_along_both_subscripts_is_a_grid() -> None:
    devices = boxes(detail_picture(machines.flat_mesh()))
    assert len({round(b.center[0], 2) for b in devices}) == 4
    assert len({round(b.center[1], 2) for b in devices}) == 4


def test_what_is_left_out_is_said() -> None:
    picture = detail_picture(BIG["8,192 NPUs"])
    notes = " ".join(mark.text for mark in picture.by_role("legend") if isinstance(mark, Text))
    assert "one line for all cables between two parts" in notes
    assert "* cables drawn of this part only, the first of its array" in notes
    assert {m.text for m in picture.by_role("frame-name") if isinstance(m, Text) and "*" in m.text} <= {"0 *", "0,0 *"}
    lines = cable_lines(picture)
    assert len(lines) == 128 + 32 - 1
    assert {line.tip.partition(":")[0] for line in lines} == {"8 × Optic"}


def test_inside_equal_racks_the_first_is_drawn() -> None:
    picture = detail_picture(BIG["512 NPUs"])
    copper = [line for line in cable_lines(picture) if line.tip.startswith("1 × Copper")]
    assert len(copper) == 480
    assert len([line for line in cable_lines(picture) if line.tip.startswith("1 × Trace")]) == 64 * 28
    texts = {getattr(m, "text", "") for m in picture.marks}
    assert "* of 8 Cabinet, cables inside are drawn in this one only" in texts
    assert "cabinet[0] *" in texts


def test_the_superpod_in_five_seconds() -> None:
    seconds, svg = timed(lambda: detail(BIG["8,192 NPUs"]), tries=1)
    assert seconds < 5
    assert svg.count('class="device"') == 8192 + 768


def test_too_many_devices_are_refused() -> None:
    with pytest.raises(TooManyMarksError, match="573,952 devices"):
        detail(machines.supercluster())


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert detail(machines.dragonfly()) == detail(machines.dragonfly())


def test_ids_are_the_paths() -> None:
    assert identifier("pod[0].host[0, 1]") in read_back(detail(SMALL["fattree"]))
