"""Machines broken in one small way: nothing crashes, few errors point elsewhere, few breaks bring a flood."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from tests.support import mutation

QUICK = ("huawei/atlas-950-superpod.ubus", "huawei/ascend.ubus", "std/clos.ubus", "nvidia/gb200-nvl72.ubus")
"""Enough to see a change for the worse; `python -m tests.support.mutation` breaks every spec in hundreds of ways."""


@cache
def quick() -> tuple[mutation.Outcome, ...]:
    return tuple(mutation.outcomes([mutation.SPECS / name for name in QUICK], each=48, seed=5))


def test_no_break_crashes() -> None:
    assert [outcome for outcome in quick() if outcome.fate.startswith("crash")] == []


def test_few_are_blamed_elsewhere_and_few_cascade() -> None:
    fates = Counter(outcome.fate for outcome in quick())
    told = sum(fates[fate] for fate in ("found", "elsewhere", "cascade", "expectation"))
    assert told > 100
    assert fates["elsewhere"] <= told * 5 / 100
    assert fates["cascade"] <= told * 6 / 100


def test_every_way_to_break_is_taken() -> None:
    kinds = Counter(outcome.broken.kind for outcome in quick())
    assert set(kinds) == {"character", "names", "number", "unit", "index", "line"}


def test_what_breaks_silently_is_a_figure_not_a_connection() -> None:
    """A figure that nothing is held against can be changed unseen; an index or a name can't often."""
    silent = Counter(outcome.broken.kind for outcome in quick() if outcome.fate == "silent")
    assert silent["number"] >= silent.total() / 2


@pytest.mark.slow
def test_no_break_of_any_spec_crashes() -> None:
    found = list(mutation.outcomes(mutation.all_specs(), each=120, seed=6))
    fates = Counter(outcome.fate.split()[0] for outcome in found)
    told = sum(fates[fate] for fate in ("found", "elsewhere", "cascade", "expectation"))
    assert fates["crash"] == 0
    assert fates["elsewhere"] <= told * 5 / 100
    assert fates["cascade"] <= told * 5 / 100


TEXT = "ubus 1\n\nnpu Chip { port x[2] : UB x4 }  # a note\nlink Copper : UB { reach = 2 m }\n"


def test_breaks_say_where_they_are() -> None:
    import random

    for way in mutation.BREAKS:
        for seed in range(30):
            broken = way(TEXT, random.Random(seed))
            if broken is None:
                continue
            before, after = TEXT.splitlines(), broken.text.splitlines()
            changed = [k for k, (a, b) in enumerate(zip(before, after, strict=False), 1) if a != b]
            assert not changed or changed[0] >= broken.line or broken.kind == "line", broken
            assert "a note" in broken.text or broken.kind == "line"
