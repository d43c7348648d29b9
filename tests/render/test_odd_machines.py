"""Machines of odd shapes: whatever compiles is drawn, in bounded time, and can be read."""

from __future__ import annotations

import pytest

from tests.render import machines
from tests.render.machines import axis, cable, op, ref, v
from tests.render.reading import read_back, timed
from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, Export, Plan, Port, Rule
from unifiedbus_dsl.render import NotAnAssemblyError, TooManyMarksError, detail, overview, overview_set, palette
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.marks import Box
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.plan_summary import LARGEST_GRID
from unifiedbus_dsl.render.sheet import bounds

CHIP = DeviceType("Chip", "npu", (Port("p", (4,), "UB", 4),))
SWITCH = DeviceType("Switch", "switch", (Port("p", (64,), "UB", 4),))


def rack(children: list[Child], rules: tuple[Rule, ...] = (), exports: tuple[Export, ...] = ()) -> Plan:
    ordered = tuple(sorted(children, key=lambda child: child.name))
    return machines.make_plan("odd", "Odd", [CHIP, SWITCH], [AssemblyType("Odd", "rack", ordered, exports, rules)])


def deep(levels: int) -> Plan:
    types = [AssemblyType("L0", "board", (Child("npu", (2,), "Chip"),))]
    types += [AssemblyType(f"L{i}", "module", (Child("x", (2,), f"L{i - 1}"),)) for i in range(1, levels)]
    return machines.make_plan("deep", f"L{levels - 1}", [CHIP], types)


def hosts_and_leaves(hosts: int) -> Plan:
    rule = cable(
        ref("host", [v("i")], "p", [0]),
        ref("leaf", [op("div", v("i"), 64)], "p", [op("mod", v("i"), 64)]),
        [axis("i", hosts)],
        "Optic",
    )
    return rack([Child("host", (hosts,), "Chip"), Child("leaf", (hosts // 64,), "Switch")], (rule,))


ODD = {
    "empty": rack([]),
    "one device": rack([Child("a", (), "Chip")]),
    "forty arrays": rack([Child(f"child{i:02}", (i + 1,), "Chip" if i % 2 else "Switch") for i in range(40)]),
    "four dimensions": rack([Child("a", (3, 4, 5, 6), "Chip")]),
    "long names": rack([Child("a" * 120, (12,), "Chip"), Child("b" * 200, (3, 3), "Switch")]),
    "many ports out": rack(
        [Child("a", (8,), "Chip")],
        exports=tuple(machines.exported(f"port{i:02}", "a", [8], "p", [4]) for i in range(12)),
    ),
    "twelve levels": deep(12),
    "a spare": rack([Child("a", (8,), "Chip"), Child("s", (2,), "Chip", spare=True)]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_machines_are_drawn_and_can_be_read(name: str) -> None:
    for picture in (overview_picture(ODD[name]), detail_picture(ODD[name])):
        assert picture.smallest_text(1200) >= 8
        left, top, right, bottom = bounds(picture.marks)
        assert (left >= 0, top >= 0, right <= picture.width, bottom <= picture.height) == (True,) * 4
    assert read_back(overview(ODD[name]))["title"].text == ODD[name].root
    assert read_back(detail(ODD[name]))


@pytest.mark.parametrize("hosts", [64 * 15_625, 64 * 250_000])
def test_large_arrays_take_no_time(hosts: int) -> None:
    seconds, svg = timed(lambda: overview(hosts_and_leaves(hosts)))
    assert seconds < 1
    shown = read_back(svg)
    assert shown["tile-0"].text == f"{hosts:,}"
    lines = [id for id in shown if shown[id].role == "cable"]
    assert (len(lines) > 1) == (hosts <= LARGEST_GRID)  # beyond that one line stands for the bundle


def test_an_array_beyond_all_memory_is_only_counted() -> None:
    plan = rack([Child("a", (10**12,), "Chip")])
    assert read_back(overview(plan))["a-more"].text == "999,999,999,993 more"
    with pytest.raises(TooManyMarksError, match="1,000,000,000,000"):
        detail(plan)


def test_a_spare_is_named_and_empty() -> None:
    shown = read_back(overview(ODD["a spare"]))
    assert shown["s-label-2"].text == "spare"
    assert shown["s-0"].tip.startswith("spare s[0] : Chip")
    picture = overview_picture(ODD["a spare"])
    boxes = [m for m in picture.by_role("part") if isinstance(m, Box) and m.tip.startswith("spare ")]
    assert {box.fill for box in boxes} == {palette.PAPER}
    assert not any(box.dashed for box in boxes), "what is dashed stands for several"


def test_a_device_has_no_picture() -> None:
    plan = machines.make_plan("one", "Chip", [CHIP], [])
    assert overview_set(plan) == {}
    for draw in (overview, detail):
        with pytest.raises(NotAnAssemblyError, match="`Chip` is a device"):
            draw(plan)


def test_an_unknown_type_is_named() -> None:
    with pytest.raises(NotAnAssemblyError, match="`Rack` is no type of this system; there are Cabinet, NpuBoard"):
        overview(machines.rack(), "Rack")
