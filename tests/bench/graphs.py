"""Expansion beside other ways to the same edges, all in one process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from tests.bench import clock, machines
from tests.bench.table import Row, seconds
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.expand import expand

ROUNDS = 7
SAMPLE = "pod[0..1]"
"""The part of the machine that NetworkX is given."""


def rows(pods: int) -> Iterator[Row]:
    """`pods` pods of the Atlas 960 SuperCluster."""
    text = machines.supercluster(pods)
    fabric = machines.fabric_of(text)
    clock.warm_memory(250 * fabric.cable_count)
    yield from arrays(fabric)
    yield from libraries(text, fabric)
    yield from sizes(fabric)


# ---- arrays -----------------------------------------------------------------------------------------------------


def columns(fabric: Fabric) -> list[NDArray[np.unsignedinteger[Any]]]:
    """All columns of the size of the machine."""
    return [fabric.device_type, fabric.a_device, fabric.a_port, fabric.b_device, fabric.b_port, fabric.kind]


def arrays(fabric: Fabric) -> Iterator[Row]:
    from scipy.sparse import coo_array

    final = columns(fabric)
    ends = fabric.a_device.astype(np.int32), fabric.b_device.astype(np.int32)
    weights = np.ones(fabric.cable_count, np.int8)
    shape = (fabric.device_count, fabric.device_count)
    ours, copy, sparse = clock.best(
        ROUNDS,
        lambda: expand(evolve(fabric.plan)),  # a new plan: nothing is known of it
        lambda: [np.copy(column) for column in final],
        lambda: coo_array((weights, ends), shape=shape).tocsr(),
    )
    yield Row("expansion / np.copy of its columns", ours / copy, "x", 5, note=_pair(ours, copy))
    yield Row("expansion / SciPy: CSR from ready-made ends", ours / sparse, "x", 3, note=_pair(ours, sparse))


def _pair(one: float, other: float) -> str:
    return f"{seconds(one)} and {seconds(other)}"


# ---- graph libraries --------------------------------------------------------------------------------------------


def libraries(text: str, fabric: Fabric) -> Iterator[Row]:
    run = partial(machines.fabric_of, text)
    ours, rustworkx, igraph, networkx = [], [], [], []
    with clock.no_collector():
        pairs = list(zip(fabric.a_device.tolist(), fabric.b_device.tolist(), strict=True))
        part = fabric.slice(SAMPLE)
        some = list(zip(part.a_device.tolist(), part.b_device.tolist(), strict=True))
        for _ in range(3):
            for times, work in ((rustworkx, _rustworkx), (igraph, _igraph)):
                ours += [clock.once(run) for _ in range(3)]
                times.append(work(fabric.device_count, pairs))
            ours += [clock.once(run) for _ in range(3)]
            networkx.append(_networkx(some) * len(pairs) / len(some))
    quickest = min(ours)
    for name, times in (("rustworkx", rustworkx), ("igraph", igraph)):
        measure = f"{name}: add_edges of ready-made pairs / ours from text"
        yield Row(measure, min(times) / quickest, "x", 5, False, _pair(min(times), quickest))
    note = f"{_pair(min(networkx), quickest)}; `{SAMPLE}`, {len(some) / len(pairs):.1%} of the cables, scaled up"
    yield Row("NetworkX: a part, scaled up / ours from text", min(networkx) / quickest, "x", 50, False, note)


def _rustworkx(devices: int, pairs: list[tuple[int, int]]) -> float:
    import rustworkx

    graph: Any = rustworkx.PyGraph()
    graph.add_nodes_from(range(devices))
    return clock.once(lambda: graph.add_edges_from_no_data(pairs))


def _igraph(devices: int, pairs: list[tuple[int, int]]) -> float:
    import igraph

    graph: Any = igraph.Graph(devices)
    return clock.once(lambda: graph.add_edges(pairs))


def _networkx(pairs: list[tuple[int, int]]) -> float:
    import networkx as nx

    return clock.once(lambda: nx.Graph().add_edges_from(pairs))


# ---- bytes ------------------------------------------------------------------------------------------------------


def sizes(fabric: Fabric) -> Iterator[Row]:
    device, *cable = columns(fabric)
    yield Row("bytes for a device", float(device.itemsize), "bytes", 16, note=f"{fabric.device_count:,} devices")
    size = float(sum(column.itemsize for column in cable))
    yield Row("bytes for a cable", size, "bytes", 16, note=f"{fabric.cable_count:,} cables")
