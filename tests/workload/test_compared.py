"""Tokens a second of the shipped machines are as `docs/comparison.md` says."""

from __future__ import annotations

import pytest

from tests import comparison
from tests.workload.compared import MODELS, PLACES, Place, row
from unifiedbus_dsl.workload.model import Model

QUICK = ("GB200 NVL72",)


@pytest.mark.parametrize(
    "place",
    [pytest.param(each, id=each.name, marks=() if each.name in QUICK else (pytest.mark.slow,)) for each in PLACES],
)
@pytest.mark.parametrize(("name", "model", "sequence", "batch"), MODELS, ids=[name for name, *_ in MODELS])
def test_tokens_are_as_the_page_says(place: Place, name: str, model: Model, sequence: int, batch: int) -> None:
    made = row(place, name, model, sequence, batch)
    assert made in comparison.PAGE.read_text(encoding="utf-8").splitlines(), made
