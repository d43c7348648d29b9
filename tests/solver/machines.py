"""Small and large machines as arrays, and a random one: what the solver is tried on, without any language."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from tests.solver import twins
from unifiedbus_dsl.graph.network import ArcKinds, Network, build_network
from unifiedbus_dsl.graph.symmetry import Array

X4 = 56e9
"""byte/s of x4 lanes of 112 Gbps, each direction."""
REGULAR: list[tuple[str, tuple[int, ...]]] = [
    ("mesh", (4, 3)),
    ("torus", (4, 3)),
    ("clos", (3, 2, 2)),
    ("line", (5,)),
    ("hypercube", (3,)),
    ("cluster", (2, 2, 2, 2, 1, 1)),
]
"""Names of machines here, with sizes that are small enough for plain loops."""


def kinds(capacity: ArrayLike, latency: ArrayLike = 1e-7) -> ArcKinds:
    rate = np.atleast_1d(np.asarray(capacity, dtype=np.float64))
    return ArcKinds(
        rate, rate, np.broadcast_to(np.asarray(latency, np.float64), rate.shape).copy(), np.arange(len(rate))
    )


def plain(
    n: int,
    ends: int,
    cables: Sequence[tuple[ArrayLike, ArrayLike]],
    capacity: ArrayLike = X4,
    *,
    forward: bool = True,
    levels: ArrayLike | None = None,
    **more: ArrayLike,
) -> Network:
    """Vertices 0 … ends - 1 are end points, the others switches; one kind of cable for each pair of columns."""
    pairs = [tuple(x.ravel() for x in np.broadcast_arrays(a, b)) for a, b in cables]
    end = np.where(np.arange(n) < ends, np.arange(n), -1)
    rates = np.broadcast_to(np.asarray(capacity, dtype=np.float64), len(pairs))
    latency = more.pop("latency", 1e-7)
    return build_network(
        device_start=np.arange(n + 1),
        end=end,
        forwards=(end < 0) | forward,
        a=np.concatenate([a for a, _ in pairs]) if pairs else [],
        b=np.concatenate([b for _, b in pairs]) if pairs else [],
        kind=np.repeat(np.arange(len(pairs)), [len(a) for a, _ in pairs]),
        kinds=kinds(rates, latency),
        group=(end < 0).astype(int) if levels is None else levels,
        **more,
    )


def mesh(*sides: int, capacity: ArrayLike = X4) -> tuple[Network, list[Array]]:
    """Full mesh along each dimension; all end points forward. Capacities by dimension."""
    at = np.arange(int(np.prod(sides))).reshape(sides)
    cables = []
    for axis, side in enumerate(sides):
        i, j = np.triu_indices(side, 1)
        cables.append((np.take(at, i, axis), np.take(at, j, axis)))
    return plain(at.size, at.size, cables, capacity), [Array(0, (), sides, 1)]


def torus(*sides: int, capacity: ArrayLike = X4) -> tuple[Network, list[Array]]:
    """Ring along each dimension (two cables where the side is 2)."""
    at = np.arange(int(np.prod(sides))).reshape(sides)
    cables = [(at, np.roll(at, -1, axis)) for axis in range(len(sides))]
    return plain(at.size, at.size, cables, capacity), [Array(0, (), sides, 1)]


def line(n: int) -> tuple[Network, list[Array]]:
    return plain(n, n, [(np.arange(n - 1), np.arange(1, n))]), [Array(0, (), (n,), 1)]


def hypercube(d: int) -> tuple[Network, list[Array]]:
    """Dimension by dimension one cable."""
    sides = (2,) * d
    at = np.arange(2**d).reshape(sides)
    cables = [(np.take(at, [0], axis), np.take(at, [1], axis)) for axis in range(d)]
    return plain(at.size, at.size, cables), [Array(0, (), sides, 1)]


def star(n: int, capacity: float = X4) -> tuple[Network, list[Array]]:
    """One switch, n end points that do not forward."""
    return plain(n + 1, n, [(np.arange(n), n)], capacity, forward=False), [Array(0, (), (n,), 1)]


def clos(leaves: int, hosts: int, spines: int, up: int = 1) -> tuple[Network, list[Array]]:
    """Two levels: `hosts` under each leaf, `up` cables from each leaf to each spine."""
    host = np.arange(leaves * hosts).reshape(leaves, hosts)
    leaf = host.size + np.arange(leaves)
    spine = host.size + leaves + np.arange(spines)
    cables = [(host, leaf[:, None]), (np.repeat(leaf, up)[:, None], spine)]
    n = host.size + leaves + spines
    arrays = [
        Array(0, (), host.shape, 1),
        Array(host.size, (), (leaves,), 1),
        Array(host.size + leaves, (), (spines,), 1),
    ]
    net = plain(n, host.size, cables, forward=False, levels=np.repeat([0, 1, 2], [host.size, leaves, spines]))
    return net, arrays


def fat_tree(k: int) -> tuple[Network, list[Array]]:
    """k pods of k/2 edge and k/2 aggregation switches; hosts are one flat array, tied by arithmetic."""
    half = k // 2
    host = np.arange(k * half * half).reshape(k, half, half)
    edge = host.size + np.arange(k * half).reshape(k, half)
    agg = edge.max() + 1 + np.arange(k * half).reshape(k, half)
    core = agg.max() + 1 + np.arange(half * half).reshape(half, half)
    cables = [(host, edge[:, :, None]), (edge[:, :, None], agg[:, None, :]), (agg[:, :, None], core[None])]
    sizes = [host.size, edge.size, agg.size, core.size]
    start = np.cumsum([0, *sizes])
    strides = [(half * half, half), (half,), (half,), (half,)]
    arrays = [Array(int(start[i]), (), (sizes[i],), 1, (strides[i],)) for i in range(4)]
    net = plain(int(start[-1]), host.size, cables, forward=False, levels=np.repeat([0, 1, 2, 3], sizes))
    return net, arrays


def cluster(
    pods: int,
    racks: int,
    boards: int,
    slots: int,
    switches: int,
    spines: int,
    capacity: Sequence[float] = (3.0, 2.0, 1.0, 0.7),
) -> tuple[Network, list[Array]]:
    """Racks that are full meshes along boards and slots; per slot `switches` pod switches; spines over all pods."""
    npu = np.arange(pods * racks * boards * slots).reshape(pods, racks, boards, slots)
    sw = npu.size + np.arange(pods * boards * slots * switches).reshape(pods, boards, slots, switches)
    spine = npu.size + sw.size + np.arange(spines if pods > 1 else 0)
    i, j = np.triu_indices(slots, 1)
    k, m = np.triu_indices(boards, 1)
    cables = [(npu[..., i], npu[..., j]), (npu[:, :, k], npu[:, :, m]), (npu[..., None], sw[:, None])]
    if pods > 1:
        cables.append((sw[..., None], spine))
    n = npu.size + sw.size + spine.size
    rack = boards * slots
    arrays = [
        Array(0, (), (pods,), racks * rack),
        Array(0, ((pods, racks * rack),), (racks,), rack),
        Array(0, ((pods, racks * rack), (racks, rack)), (boards, slots), 1),
        Array(npu.size, ((pods, rack * switches),), (boards, slots, switches), 1),
    ]
    if pods > 1:
        arrays.append(Array(npu.size + sw.size, (), (spines,), 1))
    net = plain(
        n, npu.size, cables, capacity[: len(cables)], levels=np.repeat([0, 1, 2], [npu.size, sw.size, spine.size])
    )
    return net, arrays


def superpod(racks: int, boards: int = 8, slots: int = 8, planes: int = 4) -> tuple[Network, list[Array]]:
    """Racks with full meshes along boards and slots and `planes` switches; each plane switch has one cable to each of
    boards * slots high-radix switches of its plane, each of which has one to every rack. Devices lie rack by rack."""
    rack = boards * slots
    size = rack + planes
    start = np.arange(racks) * size
    npu = (start[:, None] + np.arange(rack)).reshape(racks, boards, slots)
    plane = start[:, None] + rack + np.arange(planes)
    hrs = racks * size + np.arange(planes * rack).reshape(planes, rack)
    i, j = np.triu_indices(slots, 1)
    k, m = np.triu_indices(boards, 1)
    n = racks * size + hrs.size
    a_b = [
        (npu[..., i], npu[..., j]),
        (npu[:, k], npu[:, m]),
        (npu.reshape(racks, rack, 1), plane[:, None, :]),
        (plane[:, :, None], hrs[None]),
    ]
    pairs = [tuple(x.ravel() for x in np.broadcast_arrays(a, b)) for a, b in a_b]
    is_end = np.zeros(n, dtype=bool)
    is_end[npu.ravel()] = True
    group = np.zeros(n, dtype=int)
    group[plane.ravel()] = 1
    group[hrs.ravel()] = 2
    net = build_network(
        device_start=np.arange(n + 1),
        end=np.where(is_end, np.cumsum(is_end) - 1, -1),
        forwards=np.ones(n, bool),
        a=np.concatenate([a for a, _ in pairs]),
        b=np.concatenate([b for _, b in pairs]),
        kind=np.repeat(np.arange(4), [len(a) for a, _ in pairs]),
        kinds=kinds([X4] * 4),
        group=group,
        latency_s=np.where(is_end, 5e-8, 2.5e-7),
    )
    arrays = [
        Array(0, (), (racks,), size),
        Array(0, ((racks, size),), (boards, slots), 1),
        Array(rack, ((racks, size),), (planes,), 1),
        Array(racks * size, (), (planes, rack), 1),
    ]
    return net, arrays


def random_network(seed: int, *, ends: int = 8, switches: int = 3, cables: int = 20, dies: bool = True) -> Network:
    """Connected or not, with parallel cables, three kinds, end points of up to two forwarding vertices and maybe one
    that does not forward."""
    rng = np.random.default_rng(seed)
    sizes, flags = [], []
    for _ in range(ends):
        lines = int(rng.integers(0, 3)) if dies else int(rng.integers(0, 2))
        apart = lines == 0 or (dies and rng.random() < 0.3)
        sizes.append(lines + apart)
        flags += [True] * lines + [False] * apart
    sizes += [1] * switches
    flags += [True] * switches
    start = np.concatenate([[0], np.cumsum(sizes)])
    n = int(start[-1])
    device = np.repeat(np.arange(ends + switches), sizes)
    return build_network(
        device_start=start,
        end=np.where(device < ends, device, -1),
        forwards=flags,
        a=rng.integers(0, n, cables),
        b=rng.integers(0, n, cables),
        kind=rng.integers(0, 3, cables),
        kinds=kinds([1.0, 2.0, 5.0], [1e-7, 3e-7, 2e-7]),
        latency_s=rng.integers(0, 4, n) * 1e-7,
        group=np.arange(n),
        injection_Bps=np.where(rng.random(ends) < 0.3, 2.5, np.inf),
    )


def renumbered(net: Network, seed: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """The same network, its devices in another order; the new number of each vertex and of each end point."""
    rng = np.random.default_rng(seed)
    devices = len(net.device_start) - 1
    order = rng.permutation(devices)
    size = np.diff(net.device_start)
    start = np.concatenate([[0], np.cumsum(size[order])])
    new = np.empty(net.vertices, dtype=np.int64)
    for place, device in enumerate(order):
        new[net.device_start[device] : net.device_start[device + 1]] = start[place] + np.arange(size[device])
    old = np.argsort(new)
    end_old = net.end[old]
    first: dict[int, int] = {}
    for e in end_old[end_old >= 0]:
        first.setdefault(int(e), len(first))
    new_end = np.array([first[e] for e in range(net.ends)])
    keep = net.tail < net.head
    a, b, kind = (np.repeat(x[keep], net.count[keep]) for x in (net.tail, net.head, net.kind))
    injection = np.empty(net.ends)
    injection[new_end] = net.injection_Bps
    out = build_network(
        device_start=start,
        end=np.where(end_old >= 0, new_end[end_old], -1),
        forwards=net.forwards[old],
        latency_s=net.latency_s[old],
        group=net.group[old],
        injection_Bps=injection,
        a=new[a],
        b=new[b],
        kind=kind,
        kinds=net.kinds,
    )
    return out, new, new_end


def without(net: Network, vertices: Sequence[int]) -> Network:
    """The same network, all cables of some vertices cut."""
    gone = np.zeros(net.vertices, dtype=bool)
    gone[list(vertices)] = True
    keep = (net.tail < net.head) & ~gone[net.tail] & ~gone[net.head]
    a, b, kind = (np.repeat(x[keep], net.count[keep]) for x in (net.tail, net.head, net.kind))
    return build_network(
        device_start=net.device_start,
        end=net.end,
        forwards=net.forwards,
        latency_s=net.latency_s,
        group=net.group,
        injection_Bps=net.injection_Bps,
        a=a,
        b=b,
        kind=kind,
        kinds=net.kinds,
    )


def random_joined(count: int, **sizes: int) -> list[int]:
    """Seeds of the first random networks of these sizes in which every end point has a path to every other one."""
    found = []
    for seed in range(1000):
        if (twins.hop_matrix(random_network(seed, **sizes)) >= 0).all():
            found.append(seed)
        if len(found) == count:
            return found
    raise AssertionError
