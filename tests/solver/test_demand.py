"""Traffic as a rule and as a list of pairs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.solver import machines
from unifiedbus_dsl.graph import symmetry
from unifiedbus_dsl.graph.symmetry import endpoint_images
from unifiedbus_dsl.solver.demand import Groups, PairImages, Pairs, to_pairs


def test_the_pairs_of_groups_against_a_plain_loop() -> None:
    group = np.random.default_rng(5).integers(-1, 4, 40)
    source, target = to_pairs(Groups(group))
    wanted = [(s, t) for s in range(40) for t in range(40) if s != t and group[s] == group[t] >= 0]
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == wanted


def test_many_small_groups_take_no_table_of_all_end_points() -> None:
    """Half a million groups of two: a table of end points times end points would take a terabyte."""
    ends = np.arange(1_000_000)
    source, target = to_pairs(Groups(ends // 2))
    assert np.array_equal(source, ends)
    assert np.array_equal(target, ends ^ 1)


@pytest.mark.parametrize("case", ["ring", "ring of two rates", "all from one", "any", "twice"])
def test_symmetries_that_keep_listed_pairs_against_a_plain_count(case: str) -> None:
    """As many triples of source, target and rate before as after; each pair that moves goes to one of its own."""
    net, arrays = machines.superpod(2, 2, 4, 1)
    at = np.arange(net.ends)
    random = np.random.default_rng(3)
    source, target, rate = at, at // 4 * 4 + (at + 1) % 4, np.ones(net.ends)
    if case == "ring of two rates":
        rate = 1.0 + at // 8
    elif case == "all from one":
        source, target, rate = np.zeros(7, dtype=np.int64), at[1:8], np.ones(7)
    elif case == "any":
        source, target, rate = random.integers(0, 16, 9), random.integers(0, 16, 9), np.ones(9)
    elif case == "twice":
        source, target, rate = (np.tile(column, 2) for column in (source, target, rate))
        rate[16:] = 2.0
    images = PairImages(net, Pairs(source, target, rate))
    kept = 0
    for generator in symmetry.find_symmetry(net, arrays).generators:
        image = endpoint_images(net, generator)
        before = Counter(zip(source.tolist(), target.tolist(), rate.tolist(), strict=True))
        after = Counter(zip(image[source].tolist(), image[target].tolist(), rate.tolist(), strict=True))
        moved = images.moved(generator)
        assert (moved is not None) == (before == after)
        if moved is None:
            continue
        kept += 1
        some, there = moved
        assert len(set(there.tolist())) == len(there)
        assert (source[there] == image[source[some]]).all()
        assert (target[there] == image[target[some]]).all()
        assert (rate[there] == rate[some]).all()
    assert kept or case == "any"
