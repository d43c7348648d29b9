"""Colours that the colour-blind can tell apart: the media under simulated colour blindness (Machado et al., 2009).

A distance of 2.3 in CIE L*a*b* is just noticeable; thin lines need several times that."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from unifiedbus_dsl.render.dark import by_night
from unifiedbus_dsl.render.palette import KINDS, LINES, LOADS, LOST, STEPS, KindStyle, ink, medium_colours
from unifiedbus_dsl.vocabulary.attributes import MEDIA

EYES = {
    "full": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour: str, eye: str) -> np.ndarray:
    """CIE L*a*b* of what the eye sees."""
    seen = np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)
    f = np.cbrt(np.maximum(TO_XYZ @ seen / np.array([0.9505, 1.0, 1.089]), 0.00886))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2."""
    light = sorted(float(linear(c) @ (0.2126, 0.7152, 0.0722)) + 0.05 for c in (a, b))
    return light[1] / light[0]


@pytest.mark.parametrize("eye", EYES)
def test_all_media_differ(eye: str) -> None:
    for a, b in combinations(medium_colours(MEDIA).values(), 2):
        assert np.linalg.norm(lab(a, eye) - lab(b, eye)) > 15, (eye, a, b)


@pytest.mark.parametrize("eye", EYES)
def test_groups_of_cables_differ_by_day_and_by_night(eye: str) -> None:
    for a, b in combinations(LINES, 2):
        assert np.linalg.norm(lab(a, eye) - lab(b, eye)) > 15, (eye, a, b)
        night = by_night(a, "stroke"), by_night(b, "stroke")
        assert np.linalg.norm(lab(night[0], eye) - lab(night[1], eye)) > 15, (eye, a, b)


def test_kinds_differ_in_shape_too() -> None:
    """What grey takes from the colours, the shapes keep."""
    assert len({look.shape for look in KINDS.values()}) == len(KINDS)


def test_text_on_any_colour_can_be_read_by_day_and_by_night() -> None:
    random = np.random.default_rng(17)
    fills = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in random.integers(0, 256, (400, 3)).tolist()]
    for fill in (*fills, *STEPS, *(look.fill for look in KINDS.values())):
        look = KindStyle(fill, "#000000")
        assert contrast(look.ink, fill) >= 4.5, fill
        assert contrast(by_night(look.ink, "fill"), by_night(fill, "fill")) >= 4.5, fill


def test_lines_stand_out_from_the_paper() -> None:
    for colour in medium_colours(["pcb", "copper", "optical"]).values():
        assert contrast(colour, "#ffffff") >= 3


def test_names_can_be_read_on_every_kind() -> None:
    for look in KINDS.values():
        assert contrast("#1c2733", look.fill) >= 7


def test_a_medium_keeps_its_colour() -> None:
    assert medium_colours(["optical"])["optical"] == medium_colours(["free space", "optical", "pcb"])["optical"]
    assert len(set(medium_colours(["x", "y", "optical"]).values())) == 3


@pytest.mark.parametrize("eye", EYES)
def test_loads_differ(eye: str) -> None:
    """Each from each other, whatever the eye."""
    for a, b in combinations(LOADS, 2):
        assert np.linalg.norm(lab(a, eye) - lab(b, eye)) > 20, (eye, a, b)


@pytest.mark.parametrize("eye", EYES)
def test_what_is_lost_differs_from_what_is_there(eye: str) -> None:
    """From each load and each medium; a cross tells it too."""
    for other in (*LOADS, *medium_colours(MEDIA).values()):
        assert np.linalg.norm(lab(LOST, eye) - lab(other, eye)) > 20, (eye, other)


@pytest.mark.parametrize("eye", EYES)
def test_steps_of_a_map_grow_darker(eye: str) -> None:
    lightness = [lab(colour, eye)[0] for colour in STEPS]
    assert all(a - b > 5 for a, b in pairwise(lightness))


def test_text_in_any_colour_of_a_line_can_be_read() -> None:
    for colour in (*LINES, *LOADS, *medium_colours([*MEDIA, "a", "b", "c"]).values()):
        assert contrast(ink(colour), "#ffffff") >= 4.5, colour
    assert ink("#1c2733") == "#1c2733", "a dark one stays as it is"
