"""Max-min rates and finish times beside SimGrid, a simulator with a sharing solver of its own.

SimGrid is no dependency: it has to be built from its source package (`.ci/run` does). Without it this is skipped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from tests.solver import machines, twins
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver.flow import ecmp_hashing, max_min_fair

pytestmark = pytest.mark.skipif(find_spec("simgrid") is None, reason="SimGrid is not installed")
SCALE = 1e9
"""Byte/s of the narrowest link, bytes of a unit of size: SimGrid's tolerances are absolute."""
WITHIN = 1e-6


@frozen(eq=False)
class Case:
    """Flows as ours and as a machine of SimGrid, and what is to be sent in each."""

    name: str
    flows: max_min_fair.Flows
    sizes: np.ndarray
    asked: dict[str, Any]


def early(flows: max_min_fair.Flows, sizes: np.ndarray) -> float:
    """A time at which no flow can have finished."""
    finite = flows.capacity_Bps[np.isfinite(flows.capacity_Bps)]
    least = flows.share[flows.share > 0].min()
    return float(sizes.min() / finite.max() * min(least, 1.0) / 2)


def on_links(name: str, net: Network, flows: max_min_fair.Flows, seed: int) -> Case:
    """Each cable one link, split by direction or, by chance, shared by both; limits of end points are links too.

    SimGrid has no fractions of a link: a resource is made as large, and used as often, as its shares need.
    """
    rng = np.random.default_rng(seed)
    cable = np.minimum(np.arange(net.arcs), net.opposite)
    both = rng.random(net.arcs)[cable] < 0.3  # half duplex
    to = np.arange(len(flows.capacity_Bps))
    to[: net.arcs][both] = cable[both]
    capacity = flows.capacity_Bps * (SCALE / flows.capacity_Bps.min())
    flows = evolve(flows, resource=to[flows.resource], capacity_Bps=capacity)
    shares = [Fraction(float(x)).limit_denominator(5000) for x in flows.share]
    assert [float(x) for x in shares] == pytest.approx(flows.share, rel=1e-12)
    times: dict[int, int] = {}
    place = [int(cable[r]) if r < net.arcs else r for r in flows.resource.tolist()]  # both ways scale alike
    for r, share in zip(place, shares, strict=True):
        times[r] = lcm(times.get(r, 1), share.denominator)
    used = [r for r in times if np.isfinite(flows.capacity_Bps[r])]
    link = {r: i for i, r in enumerate(used)}
    links = [[float(flows.capacity_Bps[r]) * times[r], bool(r < net.arcs and not both[r])] for r in used]
    sizes = rng.integers(1, 50, flows.flows) * SCALE
    asked = []
    for f in range(flows.flows):
        route = []
        for i in range(flows.start[f], flows.start[f + 1]):
            if place[i] in link:
                step = [link[place[i]], int(place[i] != flows.resource[i])]
                route += [step] * int(shares[i] * times[place[i]])
        asked.append([route, int(sizes[f])])
    return Case(name, flows, sizes, {"links": links, "flows": asked, "early": early(flows, sizes)})


def on_a_tree(seed: int) -> Case:
    """A random tree with parallel cables, where SimGrid finds the only route itself."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 14))
    parent = [int(rng.integers(0, v)) for v in range(1, n)]
    twice = rng.integers(1, 4, n - 1)
    net = machines.plain(n, n, [(np.repeat(np.arange(1, n), twice), np.repeat(parent, twice))], SCALE)
    pairs = chosen(net, rng, 2 * n)
    flows = max_min_fair.shared_flows(net, *pairs)
    sizes = rng.integers(1, 50, flows.flows) * SCALE
    ends = [[v + 1, above, v] for v, above in enumerate(parent)]
    sent = [[[s, t], int(size)] for s, t, size in zip(*(x.tolist() for x in pairs), sizes, strict=True)]
    links = [[SCALE * int(k), True] for k in twice]
    asked = {"links": links, "cables": ends, "flows": sent, "early": early(flows, sizes)}
    return Case(f"tree {seed}", flows, sizes, asked)


def chosen(net: Network, rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    """Random pairs that are connected, some of them several times."""
    hop = twins.hop_matrix(net)
    pairs = np.array([(s, t) for s in range(net.ends) for t in range(net.ends) if s != t and hop[s, t] > 0])
    some = pairs[rng.integers(0, len(pairs), count)]
    return some[:, 0], some[:, 1]


def traffics(ends: int, rng: np.random.Generator) -> Iterator[tuple[str, Ints, Ints]]:
    """A permutation, everyone to one, and pairs at random."""
    source = np.arange(ends)
    target = rng.permutation(ends)
    moved = target != source
    yield "permutation", source[moved], target[moved]
    yield "incast", source[1:], np.zeros(ends - 1, np.int64)
    source, target = rng.integers(0, ends, (2, 3 * ends))
    yield "random", source[source != target], target[source != target]


def cases() -> Iterator[Case]:
    for seed in range(30):
        net = machines.random_network(seed, ends=7, cables=30)
        pairs = chosen(net, np.random.default_rng(seed), 25)
        flows = ecmp_hashing.hash_flows(net, *pairs, seed) if seed % 2 else max_min_fair.shared_flows(net, *pairs)
        yield on_links(f"random {seed}", net, flows, seed)
    shaped = [
        ("mesh", (3, 4)),
        ("torus", (3, 4)),
        ("hypercube", (3,)),
        ("star", (9,)),
        ("clos", (3, 4, 2, 2)),
        ("fat_tree", (4,)),
        ("superpod", (3, 2, 2, 2)),
        ("cluster", (2, 2, 2, 2, 1, 1)),
    ]
    for shape, sizes in shaped:
        net, _ = getattr(machines, shape)(*sizes)
        rng = np.random.default_rng(len(shape))
        for name, source, target in traffics(net.ends, rng):
            yield on_links(f"{shape}, {name}", net, ecmp_hashing.hash_flows(net, source, target, 5), net.ends)
    for seed in range(12):
        yield on_a_tree(seed)


@pytest.mark.slow
def test_rates_and_finish_times_of_simgrid() -> None:
    """66 machines and flow sets: the rates at the start, and when each flow ends as others do."""
    ours = list(cases())
    assert len(ours) == 66
    sim = Path(__file__).with_name("simgrid_answers.py")
    asked = json.dumps({"machines": [case.asked for case in ours]})
    done = subprocess.run(
        [sys.executable, str(sim)], input=asked, capture_output=True, text=True, check=False, timeout=120
    )
    assert not done.returncode, done.stderr[-2000:]
    off = []
    for case, theirs in zip(ours, json.loads(done.stdout), strict=True):
        got = max_min_fair.completion(case.flows, case.sizes)
        rate = (case.sizes - np.array(theirs["left"])) / case.asked["early"]
        if not np.allclose(got.first_rate_Bps, rate, rtol=WITHIN, atol=0):
            off.append(f"{case.name}: rates {got.first_rate_Bps} and {rate}")
        if not np.allclose(got.finish_s, theirs["finish"], rtol=WITHIN, atol=0):
            off.append(f"{case.name}: ends {got.finish_s} and {theirs['finish']}")
    assert not off, "\n".join(off)
