"""Traffic as a rule and as a list of pairs."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.solver.demand import Groups, listed


def test_the_pairs_of_groups_against_a_plain_loop() -> None:
    group = np.random.default_rng(5).integers(-1, 4, 40)
    source, target = listed(Groups(group))
    wanted = [(s, t) for s in range(40) for t in range(40) if s != t and group[s] == group[t] >= 0]
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == wanted


def test_many_small_groups_take_no_table_of_all_end_points() -> None:
    """Half a million groups of two: a table of end points times end points would take a terabyte."""
    ends = np.arange(1_000_000)
    source, target = listed(Groups(ends // 2))
    assert np.array_equal(source, ends)
    assert np.array_equal(target, ends ^ 1)
