"""The figures in the head of a picture of a whole system, each with what it is."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.support.asked import compiled
from unifiedbus_dsl.figures.headline import headline, with_headline
from unifiedbus_dsl.figures.solved_views import plain_view
from unifiedbus_dsl.render.sheet import figure_tiles

PORTS = "all NPU ports, each direction"
OUT = "ports out of it, each direction"


@pytest.mark.parametrize(
    ("spec", "system", "tiles"),
    [
        # k = 8: 64 hosts of 100 GB/s on each side, none of which has to wait
        ("textbook/fat-tree", "tree", [("6.4 TB/s", "bisection, exact")]),
        # a million NPUs, from the plan alone
        ("huawei/atlas-960-supercluster", "cluster", [("7.725 PB/s", "bisection, exact")]),
        ("huawei/ub-mesh", "pod", [("6 : 1", "oversubscription of a rack, exact")]),
        # one module, out of which nothing leads
        ("textbook/torus", "torus2d", [("1.6 TB/s", "bisection, exact")]),
        # known between bounds only
        ("textbook/dragonfly", "dragonfly", []),
    ],
)
def test_the_headline_is_what_is_known(spec: str, system: str, tiles: list[tuple[str, str]]) -> None:
    done = compiled(spec)
    found = headline(done, done.pick(system))
    assert set(tiles) <= set(found)
    assert "nothing leaves" not in dict(found)
    if not tiles:
        assert not any(name.startswith("bisection") for _, name in found)


def test_it_stands_in_place_of_all_ports() -> None:
    done = compiled("textbook/fat-tree")
    plan = done.pick("tree")
    plain = plain_view(plan, None, "overview")
    assert PORTS in dict(map(reversed, figure_tiles(plain.survey, plain.key)))
    tiles = figure_tiles(with_headline(done, plain).survey, plain.key)
    assert ("6.4 TB/s", "bisection, exact") in tiles
    assert PORTS not in [name for _, name in tiles]


def test_a_part_says_what_leaves_it() -> None:
    """128 cabinets share 32,768 cables of 56 GB/s to the interconnect cabinets."""
    done = compiled("huawei/atlas-950-superpod")
    plan = done.pick("superpod")
    view = plain_view(plan, "ComputeCabinet", "overview")
    assert with_headline(done, view) is view
    cabinet = plan.assemblies["ComputeCabinet"]
    tiles = figure_tiles(view.survey, "ComputeCabinet")
    assert cabinet.exports
    assert ("14.34 TB/s", OUT) in tiles


def test_a_view_of_some_parts_has_the_figures_of_the_whole() -> None:
    done = compiled("textbook/fat-tree")
    whole = plain_view(done.pick("tree"), None, "overview")
    part = evolve(whole, survey=evolve(whole.survey, whole=whole.plan))
    assert with_headline(done, part).survey.look.headline == headline(done, whole.plan)
