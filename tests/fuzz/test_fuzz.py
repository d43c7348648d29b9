"""A share of the fuzzing in the common tests, more of it in the slow ones."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.mutate import broken_text, seeds, written
from unifiedbus_dsl.compiler import compile_text


def test_every_command_ends_well_on_a_few_broken_texts_and_files() -> None:
    count = fuzz(1, texts=16, files=8, keep=None)
    assert count.total() == 24
    assert not [way for way in count if way.endswith("WRONG")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 5])
def test_every_command_ends_well_on_many_broken_texts_and_files(seed: int) -> None:
    count = fuzz(seed, texts=300, files=80, keep=None)
    assert not [way for way in count if way.endswith("WRONG")]


@pytest.mark.slow
def test_broken_texts_are_not_all_alike() -> None:
    """Some are still machines and most are not: both sides of the compiler are reached."""
    draw, sources = random.Random(3), seeds()
    texts = [broken_text(draw, draw.choice(sources)) for _ in range(150)]
    right = sum(compile_text(text).ok for text in texts)
    assert 0 < right < 100
    assert len({written(draw) for _ in range(60)}) > 50
