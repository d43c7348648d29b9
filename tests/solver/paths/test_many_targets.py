"""Hops to many targets at once are those to each."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.solver import machines
from tests.support.plans import draw_plan
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import trivial_symmetry
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import bfs, many_targets
from unifiedbus_dsl.solver.paths.distances import hop_histogram


def hold(network: Network, ends: list[int]) -> None:
    """Hold hops to some end points to those to each of them."""
    weights = bfs.by_cable(network)
    together = list(many_targets.hops_to_each(network, ends))
    assert len(together) == len(ends)
    for end, hops in zip(ends, together, strict=True):
        assert (hops == bfs.distances(weights, network.vertices_of(end)).hops).all()


@pytest.mark.parametrize("held", [1, 700, many_targets.MOST_HELD])
@pytest.mark.parametrize("seed", range(6))
def test_random_networks(seed: int, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three words of targets, in pieces or at once; some vertices don't forward, some are cut off."""
    monkeypatch.setattr(many_targets, "MOST_HELD", held)
    network = machines.random_network(seed, ends=140, cables=200)
    hold(network, np.random.default_rng(seed).permutation(network.ends)[:130].tolist())


@pytest.mark.parametrize("seed", range(12))
def test_random_machines(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """End points of several vertices, planes and `transit` lines among them."""
    monkeypatch.setattr(many_targets, "FEWEST", 1)
    draw = random.Random(f"many targets {seed}")
    while not (done := compile_text(draw_plan(draw))).ok:
        pass
    network = NetworkContext(done.fabric("m")).network
    hold(network, list(range(network.ends)))


def test_a_torus_takes_no_sweep_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 30 x 20: each level is one pass for all of 600 targets."""
    swept: list[int] = []
    for module in (many_targets, bfs):
        monkeypatch.setattr(module, "distances", lambda *given: swept.append(1))
    network, _ = machines.torus(30, 20)
    found = hop_histogram(trivial_symmetry(network))
    assert not swept
    assert int(found.pairs.sum()) == 600 * 599
