"""Who has a path to whom, against a search from each end point on the network's definition."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.analysis import api
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.solver.paths import reachability as module
from unifiedbus_dsl.solver.paths.reachability import reachability


@pytest.mark.parametrize("seed", range(80))
def test_each_end_point_is_counted_with_those_it_has_a_path_to(seed: int) -> None:
    net = machines.random_network(seed, ends=4 + seed % 7, switches=seed % 4, cables=4 + seed % 17)
    joined = twins.hop_matrix(net) >= 0
    np.fill_diagonal(joined, True)
    rng = np.random.default_rng(seed)
    for members in (np.arange(net.ends), np.flatnonzero(rng.random(net.ends) < 0.6)):
        found = reachability(net, members)
        inside = joined[np.ix_(members, members)]
        assert found.reached[members].tolist() == inside.sum(axis=1).tolist()
        assert found.reached.sum() == inside.sum()
        assert found.connected == bool(inside.all())
        largest = max((len(clique) for clique in nx.find_cliques(nx.from_numpy_array(inside))), default=0)
        assert found.largest == (largest, largest)
        assert (largest == len(members)) == found.connected
        for end in members.tolist():
            mine = np.zeros(net.ends, dtype=bool)
            mine[members] = joined[end, members]
            assert (found.reached_from(end) == mine).all()


def test_a_full_mesh_that_does_not_forward_is_connected_and_not_after_one_cable() -> None:
    """Each cable is an island of two: n - 1 islands at each end point, all told apart."""
    n = 40
    a, b = np.triu_indices(n, 1)
    whole = machines.plain(n, n, [(a, b)], forward=False)
    assert reachability(whole).connected
    assert reachability(whole).largest == (n, n)
    cut = reachability(machines.plain(n, n, [(a[1:], b[1:])], forward=False))
    assert not cut.connected
    assert cut.largest == (n - 1, n - 1)
    assert np.flatnonzero(cut.reached < n).tolist() == [0, 1]


@pytest.mark.parametrize("limit", ["MAX_SORTS", "MAX_CLIQUE"])
def test_beyond_the_limits_the_largest_set_lies_between_its_bounds(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(module, limit, 0)
    open_ones = 0
    for seed in range(120):
        net = machines.random_network(seed, ends=4 + seed % 7, switches=seed % 4, cables=4 + seed % 17)
        joined = twins.hop_matrix(net) >= 0
        np.fill_diagonal(joined, True)
        largest = max(len(clique) for clique in nx.find_cliques(nx.from_numpy_array(joined)))
        low, high = reachability(net).largest
        assert low <= largest <= high
        open_ones += low < high
    assert open_ones  # the limit was met


def test_python_says_no_number_where_only_bounds_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chips that don't forward, each with a cable to its two neighbours: the largest set is a pair."""
    text = """ubus 1
protocol U { lane = 80 Gbps }
link W : U { medium = copper; reach = 9 m }
npu C { port x[2] : U x1 }
rack R { c[6] : C; connect c.x as ring over W(1 m) }
system s : R
"""
    fabric = compile_text(text).fabric()
    assert api.reachable(fabric) == 2
    monkeypatch.setattr(module, "MAX_CLIQUE", 0)
    with pytest.raises(api.QuestionError, match="between 2 and 3"):
        api.reachable(fabric)
