"""Flows on one path each: shortest paths, as a plain loop chooses, spread evenly, the same whatever else flows."""

from __future__ import annotations

import numpy as np
import pytest

from tests.solver import machines, twins
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.flow import ecmp_hashing, max_min_fair
from unifiedbus_dsl.solver.paths.twin_quotient import twin_quotient


def path_arcs(net: Network, flows: max_min_fair.Flows, f: int) -> list[int]:
    used, _ = ecmp_hashing.arcs_and_cables(net, flows.resource[flows.start[f] : flows.start[f + 1]])
    return used[used >= 0].tolist()


@pytest.mark.parametrize("seed", range(25))
def test_paths_of_random_networks(seed: int) -> None:
    net = machines.random_network(seed, ends=6, cables=26)
    hop = twins.hop_matrix(net)
    pairs = np.array([(s, t) for s in range(6) for t in range(6) if s != t and hop[s, t] > 0])
    flows = ecmp_hashing.hash_flows(net, pairs[:, 0], pairs[:, 1], seed)
    for f, (s, t) in enumerate(pairs.tolist()):
        arcs = path_arcs(net, flows, f)
        assert len(arcs) == hop[s, t]
        assert net.end[net.tail[arcs[0]]] == s
        assert net.end[net.head[arcs[-1]]] == t
        assert (net.head[arcs[:-1]] == net.tail[arcs[1:]]).all()
        assert net.forwards[net.tail[arcs[1:]]].all()
        rest = flows.resource[flows.start[f] : flows.start[f + 1]][len(arcs) :]
        assert (rest - net.arcs).tolist() == [s, net.ends + t]


def walked(net: Network, s: int, t: int, f: int, seed: int) -> list[int]:
    """The path of flow f by a plain loop: of the arcs that lead nearer, in order of the class of their head, the one
    that holds the cable that the draw falls on."""
    of = twin_quotient(net, np.ones(net.vertices, bool), net.end >= 0).of
    far = twins.hops_to(net, t)
    at, hop, path = net.vertices_of(s).tolist(), -1, []
    while not path or net.end[net.head[path[-1]]] != t:
        out = [(of[h], a, h) for v in at for a, h in twins.out_arcs(net, v)]
        reach = [(c, a, far[h]) for c, a, h in out if h in far and (net.forwards[h] or far[h] == 0)]
        near = sorted((c, a) if path else (0, a) for c, a, left in reach if left == min(x for _, _, x in reach))
        cables = [a for _, a in near for _ in range(net.count[a])]
        path.append(cables[int(ecmp_hashing.uniform_hash(seed, np.array([f]), hop)[0] * len(cables))])
        at, hop = [int(net.head[path[-1]])], hop + 1
    return path


@pytest.mark.parametrize("seed", range(25))
def test_choices_of_a_plain_loop(seed: int) -> None:
    net = machines.random_network(seed, ends=6, switches=5, cables=40)
    hop = twins.hop_matrix(net)
    pairs = np.array([(s, t) for s in range(6) for t in range(6) if s != t and hop[s, t] > 0])
    flows = ecmp_hashing.hash_flows(net, pairs[:, 0], pairs[:, 1], seed)
    for f, (s, t) in enumerate(pairs.tolist()):
        assert path_arcs(net, flows, f) == walked(net, s, t, f, seed)


@pytest.mark.parametrize("shape", [("fat_tree", (4,)), ("fat_tree", (6,)), ("clos", (3, 4, 2, 3))])
def test_paths_between_switches(shape: tuple[str, tuple[int, ...]]) -> None:
    """End points that hang on one switch each: as many arcs as there are hops, from end to end."""
    net, _ = getattr(machines, shape[0])(*shape[1])
    target = np.random.default_rng(1).permutation(net.ends)
    source = np.flatnonzero(target != np.arange(net.ends))
    flows = ecmp_hashing.hash_flows(net, source, target[source], seed=3)
    hop = twins.hop_matrix(net)
    for f, s in enumerate(source.tolist()):
        arcs = path_arcs(net, flows, f)
        assert len(arcs) == hop[s, target[s]]
        assert (net.head[arcs[:-1]] == net.tail[arcs[1:]]).all()
        assert (net.tail[arcs[0]], net.head[arcs[-1]]) == (s, target[s])


@pytest.mark.parametrize("name", ["TABLE", "ENTRIES"])
def test_pieces_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goals in batches, and choices a few at a time."""
    ring = np.arange(70)  # a switch and an end point each
    single = machines.plain(140, 70, [(ring, 70 + ring), (70 + ring, 70 + np.roll(ring, 1))], forward=False)
    for net in (machines.fat_tree(6)[0], machines.superpod(12)[0], single):
        source, target = np.random.default_rng(3).integers(0, net.ends, (2, 700))
        source, target = source[source != target], target[source != target]
        with monkeypatch.context() as patch:
            patch.setattr(ecmp_hashing, name, 64)
            pieces = ecmp_hashing.hash_flows(net, source, target, seed=3)
        whole = ecmp_hashing.hash_flows(net, source, target, seed=3)
        assert (pieces.start == whole.start).all()
        assert (pieces.resource == whole.resource).all()


def test_a_flow_keeps_its_path_whatever_else_flows() -> None:
    net, _ = machines.clos(4, 6, 5)
    many = ecmp_hashing.hash_flows(net, [0, 1, 2], [23, 22, 21], seed=9)
    fewer = ecmp_hashing.hash_flows(net, [0], [23], seed=9)
    other = [path_arcs(net, ecmp_hashing.hash_flows(net, [0], [23], seed=s), 0) for s in range(20)]
    assert path_arcs(net, many, 0) == path_arcs(net, fewer, 0)
    assert len({tuple(o) for o in other}) == 5


def test_a_flow_keeps_its_path_on_any_network() -> None:
    net, _ = machines.torus(4, 4)
    both = [ecmp_hashing.hash_flows(net, [first, 0], [1, 10], seed=4) for first in (5, 9, 13)]
    assert len({tuple(path_arcs(net, flows, 1)) for flows in both}) == 1


def test_choices_at_each_hop_are_independent() -> None:
    """All 9 paths across a fat tree of 6 are taken, not only those with equal choices."""
    net, _ = machines.fat_tree(6)
    flows = ecmp_hashing.hash_flows(net, np.zeros(400, int), np.full(400, 53), seed=2)
    assert len({tuple(path_arcs(net, flows, f)) for f in range(400)}) == 9


def test_each_cable_has_its_share() -> None:
    """Two spines, one over three cables, the other over one: 15,000 draws within five standard deviations, on the way
    up and on the way down."""
    net = machines.plain(6, 2, [([0, 1], [2, 3]), ([2, 2, 2], 4), ([2], 5), ([3, 3, 3], 4), ([3], 5)], forward=False)
    flows = ecmp_hashing.hash_flows(net, np.zeros(20_000, int), np.ones(20_000, int), seed=1)
    arcs, _ = ecmp_hashing.arcs_and_cables(net, flows.resource)
    through = np.bincount(net.head[arcs[arcs >= 0]], minlength=6)
    assert abs(through[4] - 15_000) < 5 * np.sqrt(20_000 * 3 / 16)
    assert through[4] + through[5] == 20_000


def test_parallel_cables_of_two_kinds_into_the_goal() -> None:
    """Leaves alike, with one cable of a kind and two of another to the switch above: down, too, each has its share."""
    leaves = np.arange(4, 8)
    cables = [(np.arange(4), leaves), (leaves, 8), (np.repeat(leaves, 2), 8)]
    net = machines.plain(9, 4, cables, [1.0, 2.0, 3.0], forward=False)
    for target in (1, 3):
        flows = ecmp_hashing.hash_flows(net, np.zeros(9_000, int), np.full(9_000, target), seed=4)
        arcs = ecmp_hashing.arcs_and_cables(net, flows.resource)[0].reshape(9_000, 6)[:, :4]
        assert (net.head[arcs] == [4, 8, 4 + target, target]).all()
        for hop in (1, 2):
            assert abs((net.count[arcs[:, hop]] == 2).sum() - 6_000) < 5 * np.sqrt(2_000)


def test_a_flow_is_in_one_cable_of_a_bundle() -> None:
    """Three cables between two switches: 9,000 flows spread over them, and one alone has the rate of a single one."""
    net = machines.plain(4, 2, [([0, 1], [2, 3]), ([2, 2, 2], 3)], forward=False)
    flows = ecmp_hashing.hash_flows(net, np.zeros(9_000, int), np.ones(9_000, int), seed=4)
    arcs, cable = ecmp_hashing.arcs_and_cables(net, flows.resource)
    in_bundle = net.count[np.maximum(arcs, 0)] == 3
    assert in_bundle.sum() == 9_000
    assert np.abs(np.bincount(cable[in_bundle], minlength=3) - 3_000).max() < 5 * np.sqrt(2_000)
    assert not cable[~in_bundle].any()
    resource = flows.resource[in_bundle]
    assert len(np.unique(resource)) == 3
    assert np.unique(flows.capacity_Bps[resource]).tolist() == [net.kinds.capacity_Bps[net.kind[arcs[in_bundle][0]]]]


def test_paths_spread_evenly() -> None:
    """20,000 draws over 8 spines: each within five standard deviations of its share."""
    net, _ = machines.clos(2, 4, 8)
    flows = ecmp_hashing.hash_flows(net, np.zeros(20_000, int), np.full(20_000, 7), seed=1)
    spine = np.bincount(net.head[flows.resource[(flows.resource < net.arcs)]], minlength=net.vertices)[-8:]
    assert np.abs(spine - 2500).max() < 5 * np.sqrt(20_000 / 8 * 7 / 8)


def test_a_flow_without_a_path_is_said() -> None:
    net = machines.plain(4, 4, [([0, 2], [1, 3])])
    with pytest.raises(NotAdmittedError, match="no path"):
        ecmp_hashing.hash_flows(net, [0], [3], seed=1)
    with pytest.raises(NotAdmittedError, match="itself"):
        ecmp_hashing.hash_flows(net, [0], [0], seed=1)
