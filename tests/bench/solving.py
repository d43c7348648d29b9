"""The solver beside other ways to the same numbers, and whole questions from the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np

from tests.bench import clock, machines, sharing
from tests.bench.sharing import Tree
from tests.bench.table import Row, megabytes, number, seconds
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.graph.from_fabric import from_fabric
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.flow import max_min_fair
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.paths import bfs, distances

ROUNDS = 3
SWEEPS = 7
SAMPLE = 4
"""End points from which NetworkX counts hops."""

QUESTION = """
traffic everyone of machine = alltoall(all npu)
analyze loads of machine { throughput(everyone); load(everyone) }
"""


def text(vendor: str, what: str) -> str:
    return f'ubus 1\nuse {what} from "huawei/{vendor}.ubus"\nsystem machine : {what}\n'


SUPERPOD = text("atlas-950-superpod", "Atlas950")
HALF_MILLION = text("atlas-950-supercluster", "Atlas950SuperCluster")
MILLION = text("atlas-960-supercluster", "Atlas960SuperCluster")


def rows(busy: bool = False) -> Iterator[Row]:
    """All rows; those beside SimGrid want it installed. Seconds are of the clock, or if `busy` of the processor."""
    yield from questions(busy)
    for name, machine in (("SuperPoD", SUPERPOD), ("a million NPUs", MILLION)):
        yield sweeps(name, machine)
    yield histogram()
    yield racks(busy=busy)
    yield permutation(Tree(leaves=64, hosts=64, pods=256), busy=busy)
    if find_spec("simgrid"):
        yield from beside_simgrid(Tree(leaves=32, hosts=32, pods=64), Tree(leaves=64, hosts=32))


# ---- whole questions ------------------------------------------------------------------------------------------------


def questions(busy: bool) -> Iterator[Row]:
    """All-to-all loads under `ecmp`: `ubusc analyze` from text to answer, as a whole process."""
    yield question("8,192 NPUs", SUPERPOD, 2, busy=busy)[0]
    yield from question("524,288 NPUs", HALF_MILLION, 10, 1, busy)
    yield from question("1,006,720 NPUs", MILLION, 20, 1, busy)


def question(name: str, machine: str, goal: float, rounds: int = ROUNDS, busy: bool = False) -> tuple[Row, Row]:
    """Time and memory."""
    return analyze(f"all-to-all loads, {name}", machine + QUESTION, goal, rounds, busy)


def analyze(name: str, text: str, goal: float, rounds: int, busy: bool) -> tuple[Row, Row]:
    """Time and memory of `ubusc analyze`, from text to answer."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "machine.ubus")
        path.write_text(text)
        run = clock.best_process(rounds, clock.ubusc("analyze", str(path)))
    return (
        _row(f"`ubusc analyze`: {name}", (run.seconds, run.busy), goal, busy),
        Row("the same: peak memory", run.peak / 1e9, "GB", 4),
    )


# ---- sweeps ---------------------------------------------------------------------------------------------------------


def network_of(machine: str) -> Network:
    return from_fabric(machines.fabric_of(machine), timed=False)


def sweeps(name: str, machine: str) -> Row:
    """One breadth-first sweep from an end point, and the same hops by sparse products in SciPy."""
    from scipy.sparse import csr_matrix

    network = network_of(machine)
    n, start = network.vertices, network.vertices_of(0)
    shape = (np.ones(network.arcs, np.float32), network.head, network.indptr.astype(np.int32))
    matrix, weights = csr_matrix(shape, shape=(n, n)), bfs.by_cable(network)
    assert (bfs.distances(weights, start).hops == products(matrix, start)).all()
    ours, scipy = clock.best(
        SWEEPS, lambda: bfs.distances(weights, start), lambda: products(matrix, start), clock=process_time
    )
    note = f"{seconds(ours)} and {seconds(scipy)}; {network.vertices:,} vertices, {network.arcs:,} arcs"
    return Row(f"sweep / SciPy: sparse products, {name}", ours / scipy, "x", 1.2, note=note)


def products(matrix: Any, start: np.ndarray) -> np.ndarray:
    """Hops by a product of the whole matrix a level; all vertices forward."""
    hops = np.full(matrix.shape[0], -1, np.int16)
    hops[start] = 0
    frontier = (hops == 0).astype(np.float32)
    level = 0
    while frontier.any():
        level += 1
        fresh = (matrix @ frontier > 0) & (hops < 0)
        hops[fresh] = level
        frontier = fresh.astype(np.float32)
    return hops


def histogram(machine: str = SUPERPOD) -> Row:
    """Hops between all pairs, from the network's arrays, symmetry search and all; NetworkX from some end points."""
    import networkx as nx

    fabric = machines.fabric_of(machine)
    network = from_fabric(fabric, timed=False)
    graph = nx.Graph(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    theirs = []
    for end in np.random.default_rng(1).integers(0, network.ends, SAMPLE).tolist():
        start = process_time()
        far = [nx.single_source_shortest_path_length(graph, v) for v in network.vertices_of(end).tolist()]
        theirs.append(process_time() - start)
        ours_far = bfs.distances(bfs.by_cable(network), network.vertices_of(end)).hops.tolist()
        assert all(min(f[v] for f in far if v in f) == ours_far[v] for v in network.end_order.tolist())
    whole = min(theirs) * network.ends
    (ours,) = clock.best(ROUNDS, lambda: distances.hop_histogram(NetworkContext(fabric).symmetry), clock=process_time)
    note = f"{seconds(ours)} and {seconds(whole)}; {SAMPLE} of {network.ends:,} end points, scaled up from the quickest"
    return Row(
        "NetworkX: hops of all pairs of the SuperPoD, a part, scaled up / ours", whole / ours, "x", 1000, False, note
    )


# ---- fair sharing ---------------------------------------------------------------------------------------------------


def racks(machine: str = SUPERPOD, rack: int = 64, rounds: int = ROUNDS, busy: bool = False) -> Row:
    """All pairs within each rack and all pairs of one place in all racks, at once: from text to rates."""

    def solve() -> Floats:
        ready = NetworkContext(machines.fabric_of(machine))
        end = np.arange(ready.network.ends)
        flows = max_min_fair.pair_classes(ready.symmetry, [demand.Groups(end // rack), demand.Groups(end % rack)]).flows
        return max_min_fair.fair_rates(flows)

    name = "`fair`, all-to-all within racks and across racks, 8,192 NPUs"
    return _row(name, min(_timed(solve) for _ in range(rounds)), 2, busy)


def permutation(tree: Tree, goal: float = 10, busy: bool = False) -> Row:
    """Each end point of a fat tree to another, one hashed path each: from text to rates."""
    name = f"`fair`, permutation of {tree.ends:,} end points of a fat tree"
    return _row(name, _timed(lambda: sharing.ours(tree, "permutation")), goal, busy)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    start = process_time()
    taken = clock.once(work)
    return taken, process_time() - start


def _row(name: str, times: tuple[float, float], goal: float, busy: bool) -> Row:
    """Seconds on the clock against a goal, or if `busy` the processor time, which other work disturbs less."""
    note = f"{seconds(times[0])} on the clock" if busy else f"{seconds(times[1])} of processor time"
    return Row(name, times[busy], "s", goal, note=note)


def beside_simgrid(large: Tree, small: Tree) -> Iterator[Row]:
    """A permutation of the large tree; all pairs of the small one."""
    ours, theirs = (sharing.measured(whose, "permutation", large) for whose in ("ours", "theirs"))
    name = f"SimGrid 4.1, permutation of {large.ends:,}"
    one, other = ours["sharing"], theirs["sharing"]
    yield Row(f"{name} / `fair`: sharing", other / one, "x", 3, False, f"{seconds(other)} and {seconds(one)}")
    parts = ("machine", "flows", "sharing")
    one, other = sum(ours[part] for part in parts), sum(theirs[part] for part in parts)
    loading = number(theirs["machine"])
    note = f"{seconds(other)}, {loading} s of them its platform, and {seconds(one)}"
    yield Row("the same: the whole", other / one, "x", 20, False, note)

    ours, theirs = (sharing.measured(whose, "alltoall", small) for whose in ("ours", "theirs"))
    one, other = sum(ours[part] for part in parts), sum(theirs[part] for part in (*parts, "finishing"))
    name = f"SimGrid 4.1, all-to-all of {small.ends:,}"
    note = f"{seconds(other)} and {seconds(one)}"
    yield Row(f"{name} / `fair`: the whole", other / one, "x", 300, False, note)
    note = f"{megabytes(ours['bytes'])} and {megabytes(theirs['bytes'])}, beside the libraries"
    yield Row("the same: our memory / theirs", ours["bytes"] / theirs["bytes"], "x", 0.1, note=note)
