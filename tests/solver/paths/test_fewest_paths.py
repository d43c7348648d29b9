"""A pair of fewest disjoint paths by ends and connections alone: every pair by NetworkX; what it claims is checked."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.analysis.survey.machines import compiled
from tests.solver import machines, twins
from unifiedbus_dsl.measures import pair_distances
from unifiedbus_dsl.measures.certified import cables_of
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths.fewest_paths import pair_of_fewest
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.disjoint import FewestCertificate


def test_it_has_fewest_of_all_pairs() -> None:
    """On 60 random networks, and for random senders and receivers; most of them have such a pair."""
    shown = 0
    for seed in range(60):
        net = machines.random_network(seed, ends=6, cables=8 + seed // 3)
        graph, rng = twins.digraph(net), np.random.default_rng(seed)
        senders, receivers = (rng.random(net.ends) < share for share in (0.6, 0.8))
        pair = pair_of_fewest(net, senders, receivers)
        if pair is None:
            continue
        shown += 1
        flows = {
            (s, t): nx.maximum_flow_value(graph, ("s", s), ("t", t), capacity="cables")
            for s in np.flatnonzero(senders).tolist()
            for t in np.flatnonzero(receivers).tolist()
            if s != t
        }
        assert flows[pair] == min(flows.values()) <= 1, seed
    assert shown > 25


def test_what_it_claims_is_checked() -> None:
    """A host of one cable in a machine that is in two parts has a path fewer than none other: that is refused."""
    text = """ubus 1
protocol E { lane = 100 Gbps; latency = 100 ns }
link L : E { medium = copper; reach = 9 m }
npu Chip { port p : E x4 }
switch Leaf { latency = 1 us; port p[8] : E x4 @open }
rack Row { npu[6] : Chip; leaf[2] : Leaf; connect npu[i].p -- leaf[i div 3].p[i mod 3] over L(1 m) for i
  connect leaf[0].p[7] -- leaf[1].p[7] over L(1 m) }
system row : Row
"""
    machine = NetworkContext(compiled(text).fabric("row"))
    whole = pair_distances.disjoint_paths(machine)
    assert isinstance(whole.certificate, FewestCertificate)
    assert whole.certificate.prove(cables_of(machine)).lower == whole.answer.paths == 1
    parted = machine.damaged(lost_cables=[6])
    fewest = pair_distances.disjoint_paths(parted)
    assert fewest.answer.paths == 0
    assert isinstance(fewest.certificate, FewestCertificate)
    assert fewest.certificate.prove(cables_of(parted)).upper == 0
    with pytest.raises(VerificationError, match="only where all have one"):
        evolve(fewest.certificate, seen=whole.certificate.seen).prove(cables_of(parted))
    with pytest.raises(VerificationError, match="asked about"):
        evolve(whole.certificate, senders=np.zeros(6, dtype=bool)).prove(cables_of(machine))
