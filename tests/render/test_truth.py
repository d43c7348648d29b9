"""Pictures say what the fabric says: names, counts and ends of every drawn cable are read back from the SVG."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.gallery import Item, items
from tests.render import machines
from tests.render.legible import readable
from tests.render.truth import Drawing, astray, crossings, differences, drawing
from tests.support.asked import compiled
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.render import overview
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.marks import Text
from unifiedbus_dsl.render.svg import svg

MACHINES = {name: plan for name, plan in machines.all_machines().items() if plan.device_count[plan.root] < 20_000}
TYPES = [(name, key) for name, plan in MACHINES.items() for key in plan.assemblies]
OVERVIEWS = {item.file: item for item in items() if item.picture and item.layout == "overview"}
LEFT_OUT = ("*", "cables inside ", "one line for all")
"""How a picture begins to say that it does not draw every cable one by one."""
FAST = (
    "huawei-atlas-900-superpod-superpod.svg",
    "nvidia-gb200-nvl72-rack.svg",
    "nvidia-dgx-superpod-b200_2su.svg",
    "google-tpu-8i-pod.svg",
    "textbook-fat-tree-tree.svg",
    "textbook-slim-fly-slimfly.svg",
)


def is_clean(shown: Drawing) -> None:
    """Every line says what it is, reaches what it names, and runs behind nothing else."""
    assert not shown.silent
    assert crossings(shown) == []
    assert astray(shown) == []


@pytest.mark.parametrize(("name", "key"), TYPES)
def test_an_overview_is_true_to_the_fabric(name: str, key: str) -> None:
    plan = evolve(MACHINES[name], root=key)
    shown = drawing(overview(plan))
    is_clean(shown)
    assert differences(shown, expand(plan)) == []


@pytest.mark.parametrize(("name", "key"), TYPES)
def test_a_detail_is_true_to_the_fabric(name: str, key: str) -> None:
    plan = evolve(MACHINES[name], root=key)
    picture = detail_picture(plan)
    shown = drawing(svg(picture))
    is_clean(shown)
    left_out = any(isinstance(m, Text) and m.text.startswith(LEFT_OUT) for m in picture.marks)
    assert left_out or differences(shown, expand(plan)) == []


@pytest.mark.slow
@pytest.mark.parametrize("spec", sorted({item.spec for item in OVERVIEWS.values()}))
def test_details_of_the_shipped_machines_are_true(spec: str) -> None:
    for system in {item.system for item in OVERVIEWS.values() if item.spec == spec}:
        plan = compiled(spec).pick(system)
        if plan.device_count[plan.root] > 12_000:
            continue
        picture = detail_picture(plan)
        readable(picture)
        shown = drawing(svg(picture))
        is_clean(shown)
        left_out = any(isinstance(m, Text) and m.text.startswith(LEFT_OUT) for m in picture.marks)
        assert left_out or differences(shown, compiled(spec).fabric(system)) == []


def _check(item: Item) -> None:
    assert item.picture
    shown = drawing(svg(item.picture()))
    is_clean(shown)
    plan = compiled(item.spec).pick(item.system)
    if plan.device_count[plan.root] <= 20_000:
        assert shown.cables
        assert differences(shown, compiled(item.spec).fabric(item.system)) == []


@pytest.mark.parametrize("name", FAST)
def test_overviews_of_the_gallery_are_true(name: str) -> None:
    _check(OVERVIEWS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(OVERVIEWS) - set(FAST)))
def test_all_overviews_of_the_gallery_are_true(name: str) -> None:
    _check(OVERVIEWS[name])


@pytest.mark.parametrize("name", sorted(item.file for item in items() if item.panels))
def test_pictures_before_and_after_are_true(name: str) -> None:
    """Each panel has every cable, those that are lost too."""
    item = next(item for item in items() if item.file == name)
    assert item.picture
    text = svg(item.picture())
    for panel in item.panels:
        shown = drawing(text, panel)
        is_clean(shown)
        assert differences(shown, compiled(item.spec).fabric(item.system)) == []


def test_a_cable_that_is_drawn_elsewhere_is_seen() -> None:
    """The checks above see a line behind a box, one that ends beside its box, and a count that is not there."""
    plan = MACHINES["cab"]
    text = overview(plan)
    shown = drawing(text)
    first = shown.cables[0]
    other = [box for box in shown.boxes if box.name.startswith("board[") and "." not in box.name][-1]
    assert not any(end.startswith(other.name) for end in first.ends)
    x0, y0, x1, y1 = other.rect
    behind = evolve(first, points=first.points * 0 + [(x0 + x1) / 2, (y0 + y1) / 2])
    assert crossings(evolve(shown, cables=[behind]))
    assert astray(evolve(shown, cables=[behind]))
    fabric = expand(plan)
    assert differences(evolve(shown, cables=shown.cables[1:]), fabric)
    assert differences(evolve(shown, cables=[evolve(first, cables=first.cables + 1), *shown.cables[1:]]), fabric)
