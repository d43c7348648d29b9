"""ASTRA-sim's analytical network (astra-network-analytical, 2024-11): one ring, full mesh or switch a dimension.

Dimensions are found in the fabric. NPUs that a connect joins in groups of n are a dimension of n: a full mesh or a
ring. NPUs that share switches are groups too, whose size over what lies within them is the dimension. The innermost
comes first, and the product is the number of NPUs.

ASTRA-sim lets a message take `latency` for each hop and its size over `bandwidth`, whatever else is under way. So the
bandwidth of a mesh or ring is that of the cables between two neighbours, and of a switch that of all cables of an NPU
to it, or what it injects; after coding, in 2^30 bytes a second, which is ASTRA-sim's GB/s. The latency is that of a
cable, or for a switch half of the longest way to another NPU of the group, as a message has two hops there.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, left_out, refuse, remark
from unifiedbus_dsl.export.common.devices import forwards, in_service, injections, latencies, of_kind, tell_spares
from unifiedbus_dsl.export.common.provenance import cable_provenance
from unifiedbus_dsl.export.common.stream import kind_facts, number, write_text
from unifiedbus_dsl.export.formats.slurm_shapes import torus_dims
from unifiedbus_dsl.graph.network import connected_components
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan

Ints = NDArray[np.int64]


GIB = float(1 << 30)
"""What ASTRA-sim calls a GB (`bw_GBps_to_Bpns`)."""


@frozen(eq=False)
class Dimension:
    """`bandwidth` of a message in byte/s, `latency` of a hop in seconds; `group[npu]` is the number of its group."""

    topology: str
    count: int
    bandwidth: float
    latency: float
    group: Ints


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    dims = dimensions(subject.fabric, sink)
    lines = {
        "topology": [d.topology for d in dims],
        "npus_count": [str(d.count) for d in dims],
        "bandwidth": [number(d.bandwidth / GIB, 9) for d in dims],
        "latency": [number(d.latency * 1e9, 6) for d in dims],
    }
    if any(d.topology == "Switch" for d in dims):
        remark(
            sink,
            "UB0806",
            "ASTRA-sim's congestion-unaware network lets all messages into a switch at full rate at once",
            "take `ring` or `halvingDoubling` for a `Switch` there, and `direct` for a `FullyConnected`",
        )
    if len(dims) > 1:
        remark(
            sink,
            "UB0806",
            "ASTRA-sim's congestion-aware network takes one dimension only: use the congestion-unaware one",
            "or write a single dimension by hand",
        )
    write_text(path, (f"{name}: [ {', '.join(values)} ]\n" for name, values in lines.items()))


def dimensions(fabric: Fabric, sink: Sink) -> list[Dimension]:
    """Return the dimensions of a machine, the innermost first.

    Raises:
        CannotExportError: it is no product of such dimensions.
    """
    plan = fabric.plan
    npus = np.flatnonzero(of_kind(fabric, "npu") & in_service(fabric))
    tell_spares(fabric, sink, "ASTRA-sim")
    if len(npus) < 2:
        raise _no(sink, plan, "a machine of at least two NPUs is wanted")
    place = np.full(fabric.device_count, -1, dtype=np.int64)
    place[npus] = np.arange(len(npus))
    meshes = sorted(_meshes(fabric, place, len(npus), sink), key=lambda d: (_stride(d.group), d.count))
    done, size = list(meshes), prod(d.count for d in meshes)
    for d in list(_switched(fabric, place, len(npus), sink)):
        factor, rest = divmod(d.count, size)
        if rest:
            raise _no(sink, plan, f"groups of {d.count} NPUs behind switches are no multiple of {size}")
        if factor > 1:
            done.append(Dimension("Switch", factor, d.bandwidth, d.latency, d.group))
            size = d.count
        elif size > 1:
            left_out(
                sink, f"switches join groups of {size:,} NPUs that meshes join as well: they were left out", "simgrid"
            )
    if size != len(npus):
        raise _no(sink, plan, f"the dimensions found have {size:,} NPUs, the machine has {len(npus):,}")
    groups = [number_ * len(npus) + d.group for number_, d in enumerate(meshes)]
    every = np.tile(np.arange(len(npus)), len(meshes))
    if meshes and (_parts(len(npus), every, np.concatenate(groups)) != prod(d.count for d in meshes)).any():
        raise _no(sink, plan, "several connects join the same NPUs")
    return done


def _parts(count: int, npu: Ints, group: Ints) -> Ints:
    """Return how many NPUs, of `count`, each part has that hangs together where `npu[i]` is in `group[i]`."""
    label = connected_components(count + int(group.max(initial=-1)) + 1, npu, count + group)[:count]
    sizes = np.bincount(label)
    return np.asarray(sizes[sizes > 0])


def _no(sink: Sink, plan: Plan, reason: str) -> CannotExportError:
    message = f"ASTRA-sim's network is a product of rings, full meshes and switches: {reason}"
    return refuse(sink, message, "simgrid", plan.type(plan.root).span)


def _stride(group: Ints) -> int:
    """Return how far apart the first two members of a group are."""
    members = np.flatnonzero(group == group[0])
    return int(members[1] - members[0]) if len(members) > 1 else len(group)


# ---- meshes and rings ---------------------------------------------------------------------------------------------


def _meshes(fabric: Fabric, place: Ints, count: int, sink: Sink) -> Iterator[Dimension]:
    """Yield one dimension for each connect that joins NPUs with NPUs; those that join the same pairs are one."""
    a, b = place[fabric.a_device], place[fabric.b_device]
    between = np.flatnonzero((a >= 0) & (b >= 0) & (a != b))
    origin = cable_provenance(fabric)[between]
    meshes: dict[bytes, list[Ints]] = {}
    for number_ in np.unique(origin).tolist():
        mine = between[origin == number_]
        pairs = np.unique(np.minimum(a[mine], b[mine]) * count + np.maximum(a[mine], b[mine]))
        meshes.setdefault(pairs.tobytes(), []).append(mine)
    for parts in meshes.values():
        yield from _mesh(fabric, place, count, np.concatenate(parts), sink)


def _mesh(fabric: Fabric, place: Ints, count: int, mine: Ints, sink: Sink) -> Iterator[Dimension]:
    """Yield the dimension of these cables, or the rings of a torus.

    Raises:
        CannotExportError: they are no full meshes, rings or toruses of one size.
    """
    facts = kind_facts(fabric)
    a, b, kind = place[fabric.a_device[mine]], place[fabric.b_device[mine]], fabric.kind[mine]
    group = connected_components(count, a, b).astype(np.int64)
    sizes = np.unique(np.bincount(group))
    degrees = np.bincount(np.concatenate([a, b]), minlength=count)
    if len(sizes) > 1 or len(np.unique(degrees)) > 1:
        raise _no(sink, fabric.plan, "the NPUs of a connect are not all alike")
    n, rate = int(sizes[0]), np.asarray([k.capacity for k in facts])[kind]
    neighbours = 2 * len(_bundles(count, a, b, rate)) // count
    latency = max(facts[k].latency for k in np.unique(kind).tolist())
    if neighbours in (n - 1, 2):
        topology = "FullyConnected" if neighbours == n - 1 else "Ring"
        yield Dimension(topology, n, _one_rate(_bundles(count, a, b, rate), sink), latency, group)
        return
    rings = _torus(group, a, b, n)
    if rings is None:
        raise _no(sink, fabric.plan, f"a connect joins each of {n} NPUs with {neighbours} others")
    for size, ring in rings:
        along = ring[a] == ring[b]
        topology = "Ring" if size > 2 else "FullyConnected"
        lowest = _one_rate(_bundles(count, a[along], b[along], rate[along]), sink)
        yield Dimension(topology, size, lowest, latency, ring)


def _one_rate(bundles: NDArray[np.float64], sink: Sink) -> float:
    if not np.allclose(bundles, bundles[0]):
        left_out(sink, "a dimension has one rate, and pairs of NPUs have several: the lowest was taken", "simgrid")
    return float(bundles.min())


def _torus(group: Ints, a: Ints, b: Ints, size: int) -> list[tuple[int, Ints]] | None:
    """For each dimension of toruses of this many NPUs, how long its rings are and in which each NPU is; None where a
    group is no torus with its NPUs in order, or not as the first is."""
    rank = np.empty(len(group), dtype=np.int64)
    order = np.argsort(group, kind="stable")
    rank[order] = np.arange(len(group)) % size
    pairs = np.unique(np.stack([group[a], np.minimum(rank[a], rank[b]), np.maximum(rank[a], rank[b])], axis=1), axis=0)
    inner = [pairs[pairs[:, 0] == g, 1:] for g in np.unique(group).tolist()]
    dims = torus_dims(size, inner[0])
    if dims is None or any(not np.array_equal(inner[0], other) for other in inner):
        return None
    at = np.stack(np.unravel_index(rank, dims[::-1]), axis=1)
    torus = []
    for axis in (2, 1, 0):
        if at[:, axis].max(initial=0) > 0:
            key = np.delete(np.column_stack([at, group]), axis, axis=1)
            torus.append((int(dims[2 - axis]), np.unique(key, axis=0, return_inverse=True)[1].ravel()))
    return torus


def _bundles(count: int, a: Ints, b: Ints, rate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the added rate of the cables of each joined pair of NPUs."""
    _, pair = np.unique(np.minimum(a, b) * count + np.maximum(a, b), return_inverse=True)
    return np.asarray(np.bincount(pair, weights=rate), dtype=np.float64)


# ---- switches -----------------------------------------------------------------------------------------------------


def _switched(fabric: Fabric, place: Ints, count: int, sink: Sink) -> Iterator[Dimension]:
    """Yield one dimension for each size of group that hangs together over devices that pass data on, the smallest
    first."""
    a, b = place[fabric.a_device], place[fabric.b_device]
    passing = forwards(fabric)
    there = in_service(fabric)
    other = ~((a >= 0) & (b >= 0)) & there[fabric.a_device] & there[fabric.b_device]
    other &= (passing[fabric.a_device] | (a >= 0)) & (passing[fabric.b_device] | (b >= 0))
    if not other.any():
        return
    between = (a < 0) & (b < 0) & other
    joined = connected_components(fabric.device_count, fabric.a_device[between], fabric.b_device[between])
    facts = kind_facts(fabric)
    near = np.flatnonzero(other & ~between)
    npu = np.where(a[near] >= 0, a[near], b[near])
    switch = joined[_switch_end(fabric, a, near)]
    members = np.unique(np.stack([switch, npu]), axis=1)
    heads, sizes = np.unique(members[0], return_counts=True)
    upward = joined[fabric.a_device[between].astype(np.int64)]
    capacity = np.asarray([k.capacity for k in facts])[fabric.kind]
    rate = capacity[near] * _passed_on(fabric, capacity, near, np.flatnonzero(between))[_switch_end(fabric, a, near)]
    size_of = sizes[np.searchsorted(heads, switch)]
    for size in sorted(set(sizes.tolist())):
        mine = size_of == size
        each = np.bincount(npu[mine], weights=rate[mine], minlength=count)
        if not np.allclose(each, each[0]):
            raise _no(sink, fabric.plan, "the NPUs have different rates to their switches")
        if (_parts(count, npu[mine], switch[mine]) != size).any():
            raise _no(sink, fabric.plan, f"groups of {size:,} NPUs behind switches overlap")
        if np.isin(upward, heads[sizes == size]).any():
            left_out(
                sink,
                f"a switch of ASTRA-sim is never full, and {size:,} NPUs are behind switches that are cabled to others",
                "simgrid",
            )
        group = np.flatnonzero(place >= 0)[members[1, members[0] == switch[mine][0]]]
        rate_of_npu = min(float(each[0]), float(injections(fabric)[group].min()))
        yield Dimension("Switch", int(size), rate_of_npu, _half_way(fabric, group), np.arange(count))


def _switch_end(fabric: Fabric, a: Ints, near: Ints) -> Ints:
    """Return the device at the other end of cables to NPUs, of which `a` [C] is at end a where it is not below 0."""
    return np.where(a[near] >= 0, fabric.b_device[near], fabric.a_device[near]).astype(np.int64)


def _passed_on(fabric: Fabric, capacity: NDArray[np.float64], near: Ints, far: Ints) -> NDArray[np.float64]:
    """Return the part of what NPUs send to each device over `near` cables that its `far` ones carry on when all send,
    [D]: a NIC may be slower than its slot. That of a switch is 1: those of ASTRA-sim are never full."""
    ends = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    into, out = (
        sum(np.bincount(end[some], weights=capacity[some], minlength=fabric.device_count) for end in ends)
        for some in (near, far)
    )
    slower = ~of_kind(fabric, "switch") & ~of_kind(fabric, "npu") & (out > 0) & (out < into)
    return np.where(slower, out / np.where(into > 0, into, 1.0), 1.0)


def _half_way(fabric: Fabric, npus: Ints) -> float:
    """Return half of the longest of the fastest ways from the first of these NPUs to the others over what is no NPU, in
    s."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    is_npu = of_kind(fabric, "npu")
    source = int(npus[0])
    passing = latencies(fabric) * ~is_npu
    times = np.asarray([k.latency for k in kind_facts(fabric)])[fabric.kind]
    a, b = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    keep = ~(is_npu[a] & is_npu[b])
    cost = np.concatenate([times[keep] + passing[b[keep]], times[keep] + passing[a[keep]]])
    tail, head = np.concatenate([a[keep], b[keep]]), np.concatenate([b[keep], a[keep]])
    inner = (forwards(fabric)[tail] & ~is_npu[tail]) | (tail == source)  # an NPU is no way through
    order = np.lexsort((cost[inner], head[inner], tail[inner]))
    tail, head, cost = tail[inner][order], head[inner][order], cost[inner][order]
    first = np.ones(len(tail), dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    graph = coo_matrix((cost[first], (tail[first], head[first])), shape=(fabric.device_count,) * 2).tocsr()
    return float(dijkstra(graph, indices=source)[npus].max()) / 2


FORMAT = Format(
    "astra-sim",
    "ASTRA-sim's analytical network: a ring, full mesh or switch a dimension",
    "fabric",
    "astra.yml",
    write,
    ("switches and cables one by one", "what a mesh injects in all", "lengths"),
    "simgrid",
)
