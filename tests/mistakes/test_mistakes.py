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


@cache
def verdicts() -> tuple[Verdict, ...]:
    return tuple(judge(mistake) for mistake in CORPUS)


@pytest.mark.parametrize("base", ["pod", "torus", "clos", "mixed"])
def test_the_bases_are_right(base: str) -> None:
    assert not compile_text(base_text(base)).diagnostics


def test_there_are_many() -> None:
    assert len(CORPUS) >= 300
    assert len({mistake.text for mistake in CORPUS}) == len(CORPUS), "two entries are the same mistake"


def test_the_score() -> None:
    right = sum(verdict.right for verdict in verdicts())
    assert right >= WANTED * len(CORPUS), "\n".join(v.mistake.name for v in verdicts() if not v.right)


def test_the_page_has_the_score_and_every_miss() -> None:
    """Of a miss the page has the line that is put there, in the order of the corpus."""
    page = PAGE.read_text(encoding="utf-8")
    misses = [verdict.mistake.put[0].strip() for verdict in verdicts() if not verdict.right]
    assert f"| mistakes | {len(CORPUS)} |" in page
    assert f"| told rightly | {len(CORPUS) - len(misses)} |" in page
    assert re.findall(r"^- `(.*?)`:", page, re.MULTILINE) == misses


def test_no_fix_changes_a_meaning() -> None:
    """What fixes make of a mistake is what the corpus states, the base itself, or a text that is still refused."""
    wrong = [verdict.mistake.name for verdict in verdicts() if not _keeps_meaning(verdict)]
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
