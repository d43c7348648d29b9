"""What a notebook shows: pictures that share a page, and the page to explore as a cell's output."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import unifiedbus_dsl as ub
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.scope import scoped
from unifiedbus_dsl.render.svg import svg, with_dark_mode

SPECS = Path(__file__).parents[2] / "specs"
RING, TORUS = SPECS / "textbook/ring.ubus", SPECS / "textbook/torus.ubus"


def pictures() -> list[str]:
    """Two machines with a part of the same name, by day, and by day and night."""
    plans = [ub.compile(path).plan for path in (RING, TORUS)]
    shown = [plan._repr_svg_() or "" for plan in plans]
    return [*shown, *(scoped(with_dark_mode(svg(overview_picture(plan)))) for plan in plans)]


def ids(picture: str) -> list[str]:
    return [each.attrib["id"] for each in ElementTree.fromstring(picture).iter() if "id" in each.attrib]


def test_ids_of_two_pictures_do_not_meet() -> None:
    found = [ids(picture) for picture in pictures()]
    assert min(map(len, found)) > 10
    together = [id for each in found for id in each]
    assert len(set(together)) == len(together)


def test_a_picture_is_named_by_its_own_title() -> None:
    for picture in pictures():
        root = ElementTree.fromstring(picture)
        named = root.attrib["aria-labelledby"].split()
        texts = [each.text for id in named for each in root.iter() if each.get("id") == id]
        assert len(texts) == 2
        assert texts[0]
        assert texts[1]
        assert texts[1].startswith(texts[0])


def test_styles_of_a_picture_hold_in_it_alone() -> None:
    for picture in pictures():
        style = re.search("<style>(.*?)</style>", picture, re.DOTALL)
        assert style
        selectors = [s.strip() for found in re.findall(r"([^{}@]+)\{", re.sub(r"@media [^{]*\{", "", style[1]))
                     for s in found.split(",")]  # fmt: skip
        assert len(selectors) > 5
        own = ElementTree.fromstring(picture).attrib["id"]
        assert {each for each in selectors if not each.startswith(f"#{own} ")} == set()


def test_the_page_to_explore_is_a_cells_output(tmp_path: Path) -> None:
    page = ub.explorer_page(ub.compile(RING), height=500)
    attributes: dict[str, str | None] = {}

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, found: list[tuple[str, str | None]]) -> None:
            assert tag == "iframe", "nothing of it stands in the page of the notebook"
            attributes.update(found)

    Reader().feed(page._repr_html_())
    assert attributes["srcdoc"] == page.text
    assert "500px" in (attributes["style"] or "")
    assert "allow-same-origin" not in (attributes["sandbox"] or "")
    assert page.save(tmp_path / "ring.html").read_text(encoding="utf-8") == page.text
    assert "text=" not in repr(page)
