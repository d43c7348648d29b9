"""The corpus of natural mistakes: at least 95 % are told rightly, every miss is listed, no fix changes a meaning."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.mistakes.corpus import ANYWHERE, Mistake, Verdict, base_text, fixed_text, judge, machine_of, read, replaced
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.diagnostics import Severity

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"
CORPUS = list(read())
WANTED = 0.95
PARTS = 8
"""Parts of the corpus; the fixes of one of them are held to their meaning in the fast tests."""


@cache
def judged(mistake: Mistake) -> Verdict:
    return judge(mistake)


@pytest.mark.parametrize("base", ["pod", "torus", "clos", "mixed", "rails", "weave"])
def test_the_bases_are_right(base: str) -> None:
    assert not compile_text(base_text(base)).diagnostics


def test_there_are_many() -> None:
    assert len(CORPUS) >= 300
    assert len({mistake.text for mistake in CORPUS}) == len(CORPUS), "two entries are the same mistake"


def test_the_score_is_high_and_the_page_has_it_with_every_miss() -> None:
    """Of a miss the page has the line that is put there, in the order of the corpus."""
    page = PAGE.read_text(encoding="utf-8")
    misses = [mistake.shown for mistake in CORPUS if not judged(mistake).right]
    assert len(misses) <= (1 - WANTED) * len(CORPUS), "\n".join(misses)
    assert f"| mistakes | {len(CORPUS)} |" in page
    assert f"| told rightly | {len(CORPUS) - len(misses)} |" in page
    assert re.findall(r"^- `(.*?)`:", page, re.MULTILINE) == misses


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, PARTS))])
def test_no_fix_changes_a_meaning(part: int) -> None:
    """What fixes make of a mistake is what the corpus states, the base itself, or a text that is still refused."""
    wrong = [mistake.name for mistake in CORPUS[part::PARTS] if not _keeps_meaning(judged(mistake))]
    assert not wrong, "\n".join(wrong)


def _keeps_meaning(verdict: Verdict) -> bool:
    mistake, made = verdict.mistake, fixed_text(verdict.errors)
    if made is None or mistake.fixed == ANYWHERE or any(d.severity is Severity.WARNING for d in verdict.errors):
        return True
    machine = machine_of(made)
    return machine is None or machine in (machine_of(base_text(mistake.base)), _stated(mistake))


def _stated(mistake: Mistake) -> tuple[str, ...] | None:
    if mistake.fixed is None:
        return None
    return machine_of(replaced(base_text(mistake.base), mistake.taken, (mistake.fixed, *mistake.put[1:])))
