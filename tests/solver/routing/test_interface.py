"""What routings say of themselves, held to their loads; and what rests on it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from attrs import frozen

from tests.solver import machines
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis.evaluators import make_evaluator, measure_calls
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Symmetry, trivial_symmetry
from unifiedbus_dsl.measures.read_routing import read_routing
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, Pairs, pairs, row_sums, scaled
from unifiedbus_dsl.solver.flow.send_limit import loads_at_send_limit
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.routing.interface import RoutedNetwork, Routing, require_linear
from unifiedbus_dsl.solver.routing.loads import Loads
from unifiedbus_dsl.vocabulary.signatures import ROUTINGS

MESH = """ubus 1
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 99 m }
npu Chip { port x[3] : UB x1; port y[2] : UB x1; port up : UB x1; transit x, y, up }
switch Top { port p[12] : UB x1 }
rack Mesh {
  npu[4, 3] : Chip
  top : Top
  connect npu[i, *].y as fullmesh over Wire(1 m) for i
  connect npu[*, j].x as fullmesh over Wire(1 m) for j
  connect npu[i, j].up -- top.p[3*i + j] over Wire(1 m) for i, j
}
system s : Mesh
"""
DRAGONFLY = """ubus 1
use std.dragonfly
protocol UB { lane = 100 Gbps }
link Wire : UB { medium = copper; reach = 99 m }
npu Chip { port p : UB x1 }
switch Router(ports) { port p[ports] : UB x1 }
module Machine {
  npu[9, 4, 2] : Chip
  fabric : std.dragonfly.Dragonfly(a = 4, p = 2, h = 2, switch = Router, link = Wire)
  connect npu[g, r, i].p -- fabric.host[g, r, i] over Wire(2 m) for g, r, i
}
system s : Machine
"""


def routing_on(text: str, routing: str) -> tuple[NetworkContext, Routing]:
    done = compile_text(text)
    assert done.ok, [each.message for each in done.diagnostics]
    sink = Sink()
    machine = NetworkContext(done.fabric())
    (call,) = measure_calls(f"throughput(alltoall(all npu), routing = {routing})", sink)
    return machine, read_routing(make_evaluator(done, machine, sink).call(call))


def sum_of(one: Pairs, two: Pairs) -> Pairs:
    return pairs(
        *(np.concatenate(both) for both in zip(*((d.source, d.target, d.rate) for d in (one, two)), strict=True))
    )


def random_pairs(rng: np.random.Generator, ends: int) -> Pairs:
    """Each end point to one or two others."""
    source = np.arange(ends).repeat(2)
    return pairs(source, (source + rng.integers(1, ends, 2 * ends)) % ends, rng.integers(1, 4, 2 * ends) * 1e9)


def asked(name: str) -> tuple[str, str]:
    return (DRAGONFLY if name.startswith("group") else MESH), name


@pytest.mark.parametrize("name", [*ROUTINGS, "valiant(via = switch)", "dor(order = [1, 0])"])
def test_loads_are_as_linear_as_the_routing_says(name: str) -> None:
    machine, routing = routing_on(*asked(name))
    rng = np.random.default_rng(5)
    sums, times = [], []
    for _ in range(4):
        one, two = (random_pairs(rng, machine.network.ends) for _ in range(2))
        apart = [routing.loads(machine, each).load_Bps for each in (one, two)]
        both = routing.loads(machine, sum_of(one, two)).load_Bps
        sums.append(np.allclose(sum(apart), both, rtol=1e-7, atol=1.0))
        times.append(
            np.allclose(routing.loads(machine, scaled(one, 2.5)).load_Bps, 2.5 * apart[0], rtol=1e-7, atol=1.0)
        )
    assert all(sums) == routing.linear
    assert routing.proportional <= all(times)
    assert routing.linear <= routing.proportional


def test_who_adds_up_loads_refuses_an_optimum() -> None:
    _, routing = routing_on(MESH, "optimal")
    with pytest.raises(NotAdmittedError, match=r"^the worst traffic adds up loads, and those of `optimal` are"):
        require_linear(routing, "the worst traffic")
    require_linear(routing_on(MESH, "ecmp")[1], "the worst traffic")


# ---- loads that are not in proportion --------------------------------------------------------------------------------


@frozen(eq=False)
class Spilling(Routing):
    """Between two end points joined by two arcs: up to `first_Bps` over the first one, the rest over the second."""

    first_Bps: float  # noqa: N815

    linear: ClassVar[bool] = False
    proportional: ClassVar[bool] = False

    def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
        sent = row_sums(demand, machine.network.ends)[0]
        load = np.zeros(machine.network.arcs)
        out = np.flatnonzero(machine.network.tail == 0)
        load[out[0]] = min(sent, self.first_Bps)
        load[out[1]] = sent - load[out[0]]
        return Loads(machine.network, self.text, load, 0, "a made-up model")


@frozen(eq=False)
class Bare:
    """Two end points and two arcs each way, of 2 and of 5 byte/s."""

    network: Network
    time_limit: float | None = None

    @property
    def symmetry(self) -> Symmetry:
        return trivial_symmetry(self.network)


ONE_WAY = pairs([0], [1])
TWO_ARCS = machines.plain(2, 2, [([0], [1]), ([0], [1])], (2.0, 5.0))


@pytest.mark.parametrize(("first", "scale"), [(1.0, 6.0), (0.5, 5.5), (4.0, 2.0)])
def test_the_throughput_of_loads_in_no_proportion_is_where_a_cable_is_full(first: float, scale: float) -> None:
    found = Spilling("spilling", "spilling", first).throughput(Bare(TWO_ARCS), ONE_WAY)
    assert float(found.scale) == pytest.approx(scale, rel=2e-4)
    assert float(found.scale) <= scale * (1 + 1e-12)
    assert (found.scale.kind, found.scale.reason) == ("estimate", "a made-up model")
    assert found.load_Bps.sum() == pytest.approx(float(found.scale))
    assert len(found.binding) >= 1


def test_what_end_points_inject_bounds_it() -> None:
    bare = Bare(machines.plain(2, 2, [([0], [1]), ([0], [1])], (2.0, 5.0), injection_Bps=[1.5, 9.0]))
    found = Spilling("spilling", "spilling", 1.0).throughput(bare, ONE_WAY)
    assert (float(found.scale), len(found.binding), found.binding_ends.tolist()) == (1.5, 0, [0])


def test_loads_that_never_fit_are_refused() -> None:
    class Full(Spilling):
        def loads(self, machine: RoutedNetwork, demand: Demand) -> Loads:
            return Loads(machine.network, self.text, machine.network.capacity_Bps * 2, 0, "a made-up model")

    with pytest.raises(NotAdmittedError, match="no scale was found"):
        Full("full", "full", 1.0).throughput(Bare(TWO_ARCS), ONE_WAY)


def test_the_rate_that_ports_carry_is_found_by_iteration() -> None:
    lone = Bare(machines.plain(2, 2, [([0], [1]), ([0], [1])], (2.0, 5.0), forward=False))
    for first, scale in ((1.0, 6.0), (4.0, 2.0)):
        got, loads = loads_at_send_limit(Spilling("spilling", "spilling", first), lone, ONE_WAY, np.zeros(2, bool))
        assert got == pytest.approx(scale, rel=1e-5)
        assert loads.load_Bps.sum() == pytest.approx(got)
