"""Pictures on a dark page: every colour has a counterpart that can be read on it, and told from the others."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from tests.render import machines
from tests.render.test_palette import EYES, contrast, lab
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.dark import PAPER, by_night, dark_rules
from unifiedbus_dsl.render.overview import overview_picture
from unifiedbus_dsl.render.svg import drawn, svg
from unifiedbus_dsl.vocabulary.attributes import MEDIA

GROUNDS = (palette.PAPER, *palette.LEVELS, *(look.fill for look in (*palette.KINDS.values(), *palette.SORTS)))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize(
    "colours", [palette.LOADS, tuple(palette.medium_colours(MEDIA).values())], ids=["load", "media"]
)
def test_lines_differ_by_night(colours: tuple[str, ...], eye: str) -> None:
    for a, b in combinations(colours, 2):
        assert np.linalg.norm(lab(by_night(a, "stroke"), eye) - lab(by_night(b, "stroke"), eye)) > 25, (eye, a, b)


def test_lines_stand_out_and_text_can_be_read() -> None:
    for colour in (*palette.LINES, *palette.medium_colours([*MEDIA, "a", "b"]).values(), palette.LOST):
        assert contrast(by_night(colour, "stroke"), PAPER) >= 4.5, colour
        assert contrast(by_night(palette.ink(colour), "fill"), PAPER) >= 4.5, colour
    for colour in palette.LOADS:
        assert contrast(by_night(colour, "stroke"), PAPER) >= 3, colour
    for ground in GROUNDS:
        assert contrast(by_night(palette.INK, "fill"), by_night(ground, "fill")) >= 7, ground
        assert contrast(by_night(palette.QUIET, "fill"), by_night(ground, "fill")) >= 4.5, ground


def test_loads_grow_lighter() -> None:
    lightness = [lab(by_night(colour, "stroke"), "full")[0] for colour in palette.LOADS]
    assert lightness[-1] == max(lightness)
    assert lightness[0] == min(lightness)


def test_a_file_has_a_rule_for_every_colour_and_a_piece_of_a_page_has_none() -> None:
    picture = overview_picture(machines.rack())
    inside, file = svg(picture), drawn(picture, "svg").decode()
    assert "prefers-color-scheme" not in inside
    rules = file.partition("prefers-color-scheme: dark")[2].partition("</style>")[0]
    for what, colour in set(re.findall(r'(fill|stroke)="(#[0-9a-f]{6})"', inside)):
        assert f'[{what}="{colour}"] {{ {what}: ' in rules
    assert file.replace(f"\n{dark_rules(inside)}", "", 1) == inside
