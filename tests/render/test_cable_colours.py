"""By what cables are coloured: by hand, or by what tells most."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.asked import compiled
from unifiedbus_dsl import compiler
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.solved_views import draw_view, plain_view, view_of, views
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Line, Picture, Text
from unifiedbus_dsl.render.parallel import planes, rails

CABINET = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
protocol Eth { lane = 100 Gbps; latency = 300 ns }
link Wire : UB { medium = copper; reach = 2 m }
link Net : Eth { medium = copper; reach = 2 m }
npu Chip { port up[4] : UB x4; port eth : Eth x4 }
switch Plane { port p[8] : UB x4 }
switch Tor { port p[8] : Eth x4 }
rack Cabinet {
  npu[8]   : Chip
  plane[4] : Plane
  tor      : Tor
  connect npu[n].up[k] -- plane[k].p[n] over Wire(1 m) for n, k
  connect npu[n].eth -- tor.p[n] over Net(1 m) for n
}
system cab : Cabinet
view v of cab { %s }
"""
RAILS = """ubus 1
protocol Eth { lane = 100 Gbps; latency = 300 ns }
protocol Bus { lane = 100 Gbps; latency = 100 ns }
link Fibre : Eth { medium = optical; reach = 50 m }
link Board : Bus { medium = pcb; reach = 1 m }
npu Chip { port x : Bus x4 }
nic Nic { port x : Bus x4; port net : Eth x4 }
switch Leaf { port down[4] : Eth x4; port up[2] : Eth x4 }
switch Spine { port p[3] : Eth x4 }
node Node {
  npu[3] : Chip
  nic[3] : Nic
  connect npu[k].x -- nic[k].x over Board(0.1 m) for k
  port net = nic.net
}
module Pod {
  node[4]  : Node
  leaf[3]  : Leaf
  spine[2] : Spine
  connect node[n].net[k] -- leaf[k].down[n] over Fibre(9 m) for n, k
  connect leaf[k].up[s] -- spine[s].p[k] over Fibre(9 m) for k, s
}
system pod : Pod
view v of pod { %s }
"""


def drawn(text: str) -> Picture:
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    (node,) = views(done).values()
    sink = Sink()
    view = view_of(done, node, sink)
    assert view, list(sink)
    shown = draw_view(view, sink)
    assert shown
    return shown


def refused(text: str) -> str:
    done = compiler.compile_text(text)
    return "\n".join(f"{each.code} {each.message}" for each in done.diagnostics)


def legend(shown: Picture) -> set[str]:
    return {m.text for m in shown.by_role("legend") if isinstance(m, Text) and m.id.startswith("legend-sort")}


def colours(shown: Picture) -> Counter[str]:
    return Counter(mark.colour[:7] for mark in shown.by_role("cable") if isinstance(mark, Line))


def test_planes_are_switches_beside_each_other() -> None:
    """Four of the UB network and one of the other: all reach the same eight NPUs."""
    shown = drawn(CABINET % "layout detail; color link by plane")
    assert legend(shown) == {f"plane {k}" for k in range(5)}
    assert colours(shown) == dict.fromkeys(palette.LINES[:5], 8)
    lines = [mark for mark in shown.by_role("cable") if isinstance(mark, Line)]
    for k in range(4):
        assert {m.colour[:7] for m in lines if f"plane[{k}]" in m.tip} == {palette.LINES[k]}


def test_rails_climb_to_spines_and_down_to_npus() -> None:
    shown = drawn(RAILS % "layout detail; color link by rail")
    assert legend(shown) == {f"rail of nic[{k}]" for k in range(3)}
    for k, colour in enumerate(palette.LINES[:3]):
        mine = [m for m in shown.by_role("cable") if isinstance(m, Line) and m.colour[:7] == colour]
        assert len(mine) == 4 + 4 + 2  # in each of four nodes, to the leaf from each, to both spines
        assert all(f"nic[{k}]" in m.tip or f"leaf[{k}]" in m.tip for m in mine)


def test_a_detail_is_coloured_by_what_tells_most() -> None:
    """Planes part the cabinet's 40 cables into five, protocols into 32 and 8; all are of copper."""
    assert legend(drawn(CABINET % "layout detail")) == {f"plane {k}" for k in range(5)}
    assert legend(drawn(RAILS % "layout detail")) == {f"rail of nic[{k}]" for k in range(3)}
    assert legend(drawn(CABINET % "layout detail; color link by protocol")) == {"UB", "Eth"}
    assert legend(drawn(CABINET % "layout overview")) == {"UB", "Eth"}
    assert not legend(drawn(CABINET % "color link by medium; layout detail"))


def test_dimensions_have_colours() -> None:
    plan = compiled("textbook/torus").pick("torus2d")
    shown = draw_view(plain_view(plan, None, "detail"), Sink())
    assert shown
    assert len(legend(shown)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RAILS % "color link by plane", "UB0810 cables can't be coloured by `plane`: no cable is of a plane"),
        (CABINET % "color link by rail", "UB0810 cables can't be coloured by `rail`: no cable is of a rail"),
        (RAILS % 'color npu "red"', 'UB0810 "red" is no colour'),
        (RAILS % 'color link "#ffff66"', "UB0810 lines of #ffff66 could hardly be seen on white"),
        (RAILS % "theme dim", "UB0810 the theme `dim` is unknown"),
        (RAILS % 'color np "#000000"', "UB0231 nothing in this system is called `np`"),
    ],
)
def test_what_can_not_be(text: str, message: str) -> None:
    assert message in refused(text)


def test_colours_of_ones_own() -> None:
    shown = drawn(RAILS % 'layout detail; color npu "#7A1F5C"; color Fibre "#0B6E4F"; color nic "#ffe08a"')
    boxes = [mark for mark in shown.by_role("device") if isinstance(mark, Box)]
    assert {m.fill for m in boxes if ".npu[" in m.tip} == {"#7a1f5c"}
    names = {m.colour for m in shown.by_role("name") if isinstance(m, Text) and ".npu[" in m.tip}
    assert names <= {"#ffffff"}
    assert colours(shown)["#0b6e4f"] == 12 + 6
    assert {"Fibre", "npu", "nic"} <= {m.text for m in shown.by_role("legend") if isinstance(m, Text)}


def of(text: str) -> Plan:
    return compiler.compile_text(text).plan


def test_a_tree_has_neither_planes_nor_rails() -> None:
    fabric = compiled("textbook/fat-tree").fabric("tree")
    assert set(planes(fabric)) == set(rails(fabric)) == {""}


def test_rails_of_an_array_of_two_dimensions() -> None:
    fabric = compiled("textbook/rail-only").fabric("small")
    assert set(rails(fabric)) - {""} == {f"rail of gpu[*, {k}]" for k in range(8)}
