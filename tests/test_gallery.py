"""The pictures of the docs are what the build makes of the shipped specs: a few byte for byte, the others in all that
can be read from them."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.gallery import FAST, PAGE, PICTURES, Item, items, page
from tests.render.legible import readable
from tests.render.reading import read_back
from tests.support.asked import ROOT, SPECS, VENDORS, compiled
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.figures.solved_views import draw_view, view_of, views
from unifiedbus_dsl.render.marks import Box, Line, Picture

ITEMS = {item.file: item for item in items()}
RENEW = "run `python -m tests.gallery`, and look at what changed"


@pytest.mark.parametrize("name", sorted(FAST))
def test_committed_pictures_are_what_the_build_makes(name: str) -> None:
    assert (PICTURES / name).read_bytes() == ITEMS[name].make().encode(), RENEW


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n, item in ITEMS.items() if item.picture and n not in FAST))
def test_all_committed_pictures_say_what_the_build_makes(name: str) -> None:
    """Places may move; what a picture says, on its face and on hover, may not differ."""
    there = read_back((PICTURES / name).read_text(encoding="utf-8"))
    assert there == read_back(ITEMS[name].make()), RENEW


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n, item in ITEMS.items() if not item.picture))
def test_committed_plots_are_what_the_build_makes(name: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    there = (PICTURES / name).read_bytes()
    if f"Matplotlib v{matplotlib.__version__},".encode() not in there:
        pytest.skip("drawn with another Matplotlib")
    assert there == ITEMS[name].make().encode(), RENEW


@pytest.mark.slow
def test_the_page_is_what_the_build_makes() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(list(items()))


def test_every_shipped_machine_is_shown() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\(pictures/([^)]+)\)", shown))
    assert named == set(ITEMS) == {path.name for path in PICTURES.iterdir()}
    specs = {path.relative_to(SPECS) for path in SPECS.rglob("*.ubus") if "\nsystem " in path.read_text()}
    specs = {path for path in specs if path.parts[0] != "std"}
    assert {path.parts[0] for path in specs} == set(VENDORS)
    assert specs == {(SPECS / f"{item.spec}.ubus").relative_to(SPECS) for item in ITEMS.values()}


def test_the_readme_opens_with_a_picture_of_the_gallery() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").partition("## ")[0]
    found = re.search(r"!\[[^\]]+\]\(docs/pictures/([^)]+)\)", head)
    assert found
    assert found[1] in FAST


@pytest.mark.parametrize("name", sorted(FAST))
def test_it_can_be_read(name: str) -> None:
    readable(_drawn(ITEMS[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(n for n, item in ITEMS.items() if item.picture and n not in FAST))
def test_all_can_be_read(name: str) -> None:
    readable(_drawn(ITEMS[name]))


def _drawn(item: Item) -> Picture:
    assert item.picture
    return item.picture()


def test_every_view_of_the_shipped_specs_is_drawn() -> None:
    count = 0
    for spec in dict.fromkeys(item.spec for item in ITEMS.values()):
        for node in views(compiled(spec)).values():
            sink = Sink()
            view = view_of(compiled(spec), node, sink)
            assert view, (spec, list(sink))
            shown = draw_view(view, sink)
            assert shown, (spec, list(sink))
            assert not list(sink)
            readable(shown)
            count += 1
    assert count > 20


def test_no_cables_pass_over_arrays_that_they_do_not_join() -> None:
    """The Atlas 900 has switches of two networks above its compute racks, too wide for one row: one stands below."""
    drawn = _drawn(ITEMS["huawei-atlas-900-superpod-superpod.svg"])
    frames = {mark.id.removesuffix("-frame"): mark for mark in drawn.by_role("array") if isinstance(mark, Box)}
    assert set(frames) == {"comm", "compute", "spine", "vpc"}
    lines = [mark for mark in drawn.by_role("cable") if isinstance(mark, Line) and mark.id.split("-")[0] in frames]
    between = [line for line in lines if line.id.split("-")[1] in frames]
    assert len(between) > 40
    for line in between:
        joined = set(line.id.split("-")[:2])
        for share in np.linspace(0, 1, 50):
            x, y = (1 - share) * np.array(line.points[0]) + share * np.array(line.points[-1])
            inside = {n for n, f in frames.items() if f.x < x < f.x + f.width and f.y < y < f.y + f.height}
            assert inside <= joined, (line.id, inside)
