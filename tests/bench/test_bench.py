"""The benchmarks hold themselves: smaller than the table for people, and with slack, so that a step back shows."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tests.bench import graphs, growth, infra, limits, machines, sharing, solving, whole
from tests.bench.__main__ import parser
from tests.bench.table import Row, goals
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.flow import ecmp_hashing, max_min_fair
from unifiedbus_dsl.solver.network_context import NetworkContext

SLACK = 4
"""Other work may run beside the tests."""
DOC = Path(__file__).parent.parent.parent / "docs" / "scale.md"


def missed(rows: list[Row], slack: float = SLACK) -> list[str]:
    return [goals([row]) for row in rows if not row.near(slack)]


@pytest.mark.slow
def test_expansion_beside_arrays() -> None:
    fabric = machines.fabric_of(machines.supercluster(16))
    assert not missed(list(graphs.arrays(fabric)))
    assert not missed(list(graphs.sizes(fabric)), 1)


@pytest.mark.slow
def test_from_text_beside_graph_libraries() -> None:
    pytest.importorskip("igraph")
    pytest.importorskip("rustworkx")
    text = machines.supercluster(16)
    assert not missed(list(graphs.libraries(text, machines.fabric_of(text))))


@pytest.mark.slow
def test_whole_processes() -> None:
    """At full size: memory is not disturbed by what else runs, so it has no slack."""
    for row in whole.rows(machines.PODS):
        assert row.near(SLACK if row.unit == "s" else 1), goals([row])


@pytest.mark.slow
def test_doubling() -> None:
    assert not missed(list(growth.rows((8, 16, 32, 64))), 1.25)


@pytest.mark.slow
def test_infragraph() -> None:
    pytest.importorskip("infragraph")
    assert not missed(list(infra.rows(32)))


@pytest.mark.slow
def test_limits() -> None:
    assert not missed([limits.every_switch(routing, busy=True) for routing in ("ecmp", "optimal")])


@pytest.mark.slow
def test_gathering() -> None:
    """A quarter of the machine: the same rate as maximum flows give, and a twentieth of the goal."""
    assert not missed([limits.gathering(busy=True, count=4)], 20)


@pytest.mark.slow
def test_solving() -> None:
    """The SuperPoD whole, and a permutation of 65,536 end points in a sixteenth of the time of 1,048,576."""
    time, memory = solving.question("SuperPoD", solving.SUPERPOD, 2, rounds=1)
    assert memory.near(1)
    tree = sharing.Tree(leaves=32, hosts=32, pods=64)
    rows = [time, solving.sweeps("SuperPoD", solving.SUPERPOD), solving.histogram(), solving.racks(rounds=1, busy=True)]
    assert not missed([*rows, solving.permutation(tree, 10 / 16, busy=True)])


@pytest.mark.slow
@pytest.mark.skipif(find_spec("simgrid") is None, reason="SimGrid is not installed")
def test_beside_simgrid() -> None:
    """Small trees, on which the start counts for more: no ratio to hold, but all is measured."""
    rows = list(solving.beside_simgrid(sharing.Tree(8, 8, 8), sharing.Tree(8, 8)))
    assert len(rows) == 4
    assert all(0 < row.value < np.inf for row in rows)


@pytest.mark.parametrize(("pods", "ends"), [(0, 6), (4, 24)])
def test_trees(pods: int, ends: int) -> None:
    """The tree of the benchmarks lets every end point send at its full rate, and a permutation is fair on it."""
    tree = sharing.Tree(leaves=3, hosts=2, pods=pods)
    machine = NetworkContext(machines.fabric_of(tree.text()))
    network = machine.network
    assert network.ends == tree.ends == ends
    assert set(network.capacity_Bps) == {sharing.RATE}
    flows = max_min_fair.pair_classes(machine.symmetry, [demand.all_to_all(network)]).flows
    assert max_min_fair.fair_rates(flows) * (ends - 1) == pytest.approx(sharing.RATE)
    hashed_paths = ecmp_hashing.hash_flows(network, *sharing.permutation(ends), seed=1)
    assert max_min_fair.is_fair(hashed_paths, max_min_fair.fair_rates(hashed_paths))


def test_rows() -> None:
    """Bounds from above and from below, and the table."""
    low, high = Row("a", 3, "x", 5, note="b"), Row("c", 3, "x", 5, most=False)
    assert (low.holds, high.holds) == (True, False)
    assert (high.near(1.6), high.near(2)) == (False, True)
    first, _, *rows = goals([low, high]).splitlines()
    assert [cell.strip() for cell in first.split("|")[1:-1]] == ["measure", "goal", "measured", "verdict", "from"]
    assert [cell.strip() for cell in rows[0].split("|")[1:-1]] == ["a", "at most 5 x", "3 x", "holds", "b"]
    assert "MISSED" in rows[1]
    assert len({len(row) for row in rows}) == 1


def test_the_commands_of_the_page() -> None:
    lines = [line for line in DOC.read_text().splitlines() if line.startswith("python -m tests.bench")]
    assert lines
    for line in lines:
        parser().parse_args(shlex.split(line.partition("#")[0])[3:])
