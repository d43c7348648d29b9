"""The design studies give what is published, what arithmetic says, and what their page says."""

from __future__ import annotations

import pytest

from tests import studies
from unifiedbus_dsl.measures.answers import Answer


def figures(file: str, block: str) -> dict[str, list[Answer]]:
    """The answers of each design, by what is set."""
    found = studies.explored(file, block)
    result = {}
    for design in found.designs:
        assert all(each is not None and each.kind == "exact" for each in design.solved.answers)
        result[" ".join(design.settings.values())] = [each for each in design.solved.answers if each is not None]
    return result


@pytest.mark.slow
def test_the_page_is_what_the_files_say() -> None:
    text = studies.PAGE.read_text(encoding="utf-8")
    assert studies.page(text) == text, "run `python -m tests.studies`, and look at what changed"


PUBLISHED = {
    "FT2": (2048, 96, 2048),
    "MPFT": (16384, 768, 16384),
    "FT3": (65536, 5120, 131072),
    "SlimFly": (32928, 1568, 32928),
    "Dragonfly": (261632, 16352, 384272),
}


def test_the_counts_are_those_of_the_paper() -> None:
    """End points, switches and links of arXiv:2505.09343."""
    found = figures("deepseek-networks", "networks")
    assert {name: tuple(int(each[k].value) for k in (0, 3, 4)) for name, each in found.items()} == PUBLISHED


@pytest.mark.parametrize("uplinks", range(1, 17))
def test_each_plane_brings_its_share(uplinks: int) -> None:
    """8,128 of 8,191 parts of all-to-all leave a cabinet, by x4 of 112 Gbps at 93.75 % for each uplink; half of the
    NPUs face the other half over theirs. Shortest paths take an uplink for a share of the 49 parts to NPUs of the
    cabinet that share neither row nor column: two ways by the mesh, one by each plane.
    """
    fibres, ecmp, optimal, bisection, switches = figures("uplink-planes", "planes")[str(uplinks)]
    rate = uplinks * 4 * 112e9 / 8 * 0.9375
    assert fibres.value == 8192 * uplinks
    assert switches.value == (128 + 64) * uplinks
    assert optimal.value == pytest.approx(rate * 8191 / 8128)
    assert bisection.value == pytest.approx(4096 * rate)
    assert ecmp.value == pytest.approx(rate * 8191 / (8128 + 49 * uplinks / (uplinks + 2)))


def test_nine_planes_are_the_fewest() -> None:
    (best,) = studies.explored("uplink-planes", "fewest").front
    assert best.settings == {"uplinks": "9"}
