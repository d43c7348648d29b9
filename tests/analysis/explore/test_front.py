"""The Pareto front on proved bounds, held to plain loops over its definition."""

from __future__ import annotations

import numpy as np
import pytest

from unifiedbus_dsl.analysis.explore.front import CHUNK, Standing, standings


def by_loops(lower: np.ndarray, upper: np.ndarray, certain: np.ndarray) -> list[Standing]:
    """What the definition says, pair by pair."""
    n, k = lower.shape

    def beats(better: np.ndarray, worse: np.ndarray) -> bool:
        return all(better[o] <= worse[o] for o in range(k)) and any(better[o] < worse[o] for o in range(k))

    result = []
    for i in range(n):
        beaten = any(beats(upper[j], lower[i]) for j in range(n) if j != i and certain[j])
        at_risk = any(beats(lower[j], upper[i]) for j in range(n) if j != i)
        if beaten:
            result.append(Standing.OFF)
        else:
            result.append(Standing.ON if certain[i] and not at_risk else Standing.POSSIBLY)
    return result


@pytest.mark.parametrize("seed", range(60))
def test_random_designs(seed: int) -> None:
    """With many ties, one to four objectives, some bounds wide and some designs that may not be feasible."""
    draw = np.random.default_rng(seed)
    n, k = int(draw.integers(1, 60)), int(draw.integers(1, 5))
    lower = draw.integers(0, 8, (n, k)).astype(float)
    wide = draw.random((n, k)) < (0.0 if seed % 3 == 0 else 0.3)
    upper = lower + wide * draw.integers(0, 4, (n, k))
    certain = draw.random(n) < (1.0 if seed % 2 else 0.8)
    assert standings(lower, upper, certain) == by_loops(lower, upper, certain)


def test_where_all_is_exact_a_design_is_on_the_front_or_not() -> None:
    draw = np.random.default_rng(1)
    values = draw.random((3 * CHUNK + 5, 3))
    found = standings(values, values, np.ones(len(values), dtype=bool))
    assert set(found) == {Standing.ON, Standing.OFF}
    assert found == by_loops(values, values, np.ones(len(values), dtype=bool))


def test_what_differs_by_rounding_is_equal() -> None:
    values = np.array([[1.0, 2.0], [1.0 + 1e-13, 2.0 - 1e-13], [1.0 + 1e-6, 2.0]])
    assert standings(values, values, np.ones(3, dtype=bool)) == [Standing.ON, Standing.ON, Standing.OFF]


def test_bounds_that_touch_leave_it_open() -> None:
    lower, upper = np.array([[1.0], [2.0]]), np.array([[3.0], [2.5]])
    assert standings(lower, upper, np.ones(2, dtype=bool)) == [Standing.POSSIBLY, Standing.POSSIBLY]
    upper[0] = 1.5
    assert standings(lower, upper, np.ones(2, dtype=bool)) == [Standing.ON, Standing.OFF]


def test_what_may_not_be_feasible_beats_nothing_for_certain() -> None:
    values = np.array([[1.0], [2.0]])
    assert standings(values, values, np.array([False, True])) == [Standing.POSSIBLY, Standing.POSSIBLY]


def test_infinities_and_no_objective() -> None:
    values = np.array([[np.inf, 1.0], [np.inf, 2.0], [0.0, np.inf]])
    assert standings(values, values, np.ones(3, dtype=bool)) == [Standing.ON, Standing.OFF, Standing.ON]
    none = np.zeros((2, 0))
    assert standings(none, none, np.array([True, False])) == [Standing.ON, Standing.POSSIBLY]
