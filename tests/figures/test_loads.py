"""Loads as pictures show them: one scale for all, offered load that can go to the targets, and what is busiest."""

from __future__ import annotations

import pytest

from tests.render.legible import readable
from tests.support.asked import compiled
from unifiedbus_dsl import compiler
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.solved_views import draw_view, load_question, plain_view, with_loads
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Line, Picture, Text
from unifiedbus_dsl.render.style import Loads
from unifiedbus_dsl.render.view import Layout

NON_BLOCKING = (
    ("nvidia/dgx", "h100", "exchange"),
    ("nvidia/gb200-nvl72", "rack", "experts"),
    ("nvidia/vera-rubin", "nvl72", "experts"),
    ("amd/helios", "rack", "experts"),
    ("huawei/atlas-900-superpod", "superpod", "experts"),
    ("textbook/fat-tree", "tree", "everyone"),
)


def drawn(text: str, traffic: str, layout: Layout = "overview") -> Picture:
    """The picture of the only system of a text under a traffic."""
    done = compiler.compile_text(text)
    assert done.ok, done.diagnostics
    assert done.model
    (system,) = done.model.main.systems
    return under(done, system, traffic, layout)


def under(done: compiler.Compilation, system: str, traffic: str, layout: Layout = "overview") -> Picture:
    sink = Sink()
    view = with_loads(done, plain_view(done.pick(system), None, layout), load_question(traffic, "ecmp"), sink)
    assert view, list(sink)
    picture = draw_view(view, sink)
    assert picture, list(sink)
    return picture


def loads(picture: Picture) -> set[int]:
    """The steps of the scale that cables are drawn in."""
    lines = [m for m in picture.marks if isinstance(m, Line) and m.role == "cable"]
    return {palette.LOADS.index(line.colour[:7]) for line in lines}


def texts(picture: Picture, role: str) -> list[str]:
    return [m.text for m in picture.marks if isinstance(m, Text) and m.role == role]


@pytest.mark.parametrize(("spec", "system", "traffic"), NON_BLOCKING)
def test_no_cable_of_a_non_blocking_machine_has_more_than_it_carries(spec: str, system: str, traffic: str) -> None:
    """Ports to CPUs and NICs count in no load that cannot leave by them."""
    picture = under(compiled(spec), system, traffic)
    assert max(loads(picture)) == 3
    assert any("100 %" in text for text in texts(picture, "note"))
    readable(picture)


STAR = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m; delay = 5 ns/m }
npu Chip { port up[2] : UB x4; port host : UB x16 }
cpu Host { port pcie : UB x16 }
switch Plane { port p[8] : UB x4 }
rack Star {
  npu[8] : Chip
  cpu[8] : Host
  plane[2] : Plane
  connect npu[n].up[k] -- plane[k].p[n] over Wire(1 m) for n, k
  connect npu[n].host -- cpu[n].pcie over Wire(1 m) for n
}
system star : Star
traffic everyone of star = alltoall(all npu)
traffic two of star = pairs(npu[0] -> npu[1])
"""
RING = """ubus 1
protocol UB { lane = 112 Gbps; latency = 100 ns }
link Wire : UB { medium = copper; reach = 2 m; delay = 5 ns/m }
npu Chip { port x[2] : UB x4; transit x }
rack Ring { npu[8] : Chip; connect npu.x as ring over Wire(1 m) }
system ring : Ring
traffic everyone of ring = alltoall(all npu)
"""


def test_a_wide_port_that_leads_to_no_target_offers_nothing() -> None:
    """Two cables of 56 GB/s to the switches carry all; that of 224 GB/s to the CPU carries none."""
    picture = drawn(STAR, "everyone", "detail")
    assert any("each end point sending 112 GB/s" in text for text in texts(picture, "note"))
    assert loads(picture) == {0, 3}


def test_the_scale_is_that_of_all_pictures() -> None:
    """A picture in which nothing is busy has no colour of what is; both have the mark of a full cable."""
    for text, traffic, steps in ((STAR, "everyone", {0, 3}), (RING, "everyone", {5})):
        picture = drawn(text, traffic, "detail")
        assert loads(picture) == steps
        scale = [m for m in picture.marks if isinstance(m, Line) and m.role == "scale"]
        assert len(scale) == len(palette.LOADS)
        coloured = {palette.LOADS.index(m.colour) for m in scale if m.colour in palette.LOADS}
        assert coloured == steps, "what is not drawn is an empty step"
        full = picture.find("legend-load-full")
        assert isinstance(full, Line)
        assert full.points[0][0] == pytest.approx(scale[3].points[-1][0] + 1), "where the fourth step ends"
        readable(picture)


def test_cables_that_are_all_alike_are_not_the_busiest() -> None:
    """In a ring all are equally busy: none is drawn wider, and none is said to be the busiest. Eight
    NPUs send 112 GB/s over 16/7 cables on average, and there are 16 of 56 GB/s: 16/7 of what these carry."""
    picture = drawn(RING, "everyone", "detail")
    assert "all cables alike, 229 %" in texts(picture, "note")
    assert len({m.width for m in picture.marks if isinstance(m, Line) and m.role == "cable"}) == 1
    assert not any("busiest" in text for role in ("note", "bundle", "legend") for text in texts(picture, role))


def test_the_busiest_of_some_is_said() -> None:
    picture = drawn(STAR, "two", "detail")
    assert "busiest: 100 % at npu[0].up[0] -- plane[0].p[0] and 3 more" in texts(picture, "note")


def test_steps_end_at_their_limits() -> None:
    scale = Loads({}, 0.0, 3.0, lambda _a, _b: 0.0)
    for step, limit in enumerate(palette.LOAD_LIMITS):
        assert scale.colour(limit) == scale.colour(limit * (1 + 1e-12)) == palette.LOADS[step]
        assert scale.colour(limit * 1.001) == palette.LOADS[step + 1]
    assert scale.is_busiest(3.0)
    assert not scale.is_busiest(2.9)
    assert not Loads({}, 3.0, 3.0, lambda _a, _b: 0.0).is_busiest(3.0)
