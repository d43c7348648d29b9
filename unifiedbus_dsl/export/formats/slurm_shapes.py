"""Slurm: `topology.yaml` with rings or three-dimensional toruses of nodes (topology/ring, topology/torus3d).

Both are of nodes that cables join directly. A ring is an ordered list of at most 16 nodes; a torus has its nodes with
`x` running fastest, then `y`, then `z`, and boxes that jobs may be given: a job of another number of nodes than that of
a box is refused. What is no such shape is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import yaml
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, Format, refuse, remark, too_large
from unifiedbus_dsl.export.common.groups import node_types
from unifiedbus_dsl.export.common.hostlist import fold_in_order
from unifiedbus_dsl.export.common.servers import Server, find_servers
from unifiedbus_dsl.export.common.stream import write_text
from unifiedbus_dsl.graph.network import connected_components

MOST_IN_A_RING = 16
Ints = NDArray[np.int64]


@frozen(eq=False)
class Parts:
    """Nodes and which of them cables join directly: for each part that hangs together its nodes, ascending, and the
    pairs (low, high) among them as places in that list, sorted."""

    nodes: list[Server]
    parts: list[tuple[Ints, Ints]]


def joined(subject: ExportInput, sink: Sink, form: str) -> Parts:
    """Return the nodes of a machine and their direct cables.

    Raises:
        CannotExportError: there are no such nodes, or no cables join them directly.
    """
    plan, fabric = subject.plan, subject.fabric
    nodes = list(find_servers(plan, node_types(plan, subject.node)))
    owner = np.full(fabric.device_count, -1, dtype=np.int64)
    for number, node in enumerate(nodes):
        owner[node.start : node.stop] = number
    a, b = owner[fabric.a_device], owner[fabric.b_device]
    own = (a >= 0) & (b >= 0) & (a != b)
    pairs = np.unique(np.sort(np.stack([a[own], b[own]], axis=1), axis=1), axis=0)
    if not len(pairs):
        raise refuse(sink, f"{form} is for nodes that cables join directly", "slurm-tree", plan.type(plan.root).span)
    part = connected_components(len(nodes), pairs[:, 0], pairs[:, 1])
    members, of_pair = np.argsort(part, kind="stable"), np.argsort(part[pairs[:, 0]], kind="stable")
    numbers = np.arange(1, int(part.max()) + 1)
    insides = np.split(members, np.searchsorted(part[members], numbers))
    inner = np.split(pairs[of_pair], np.searchsorted(part[pairs[of_pair, 0]], numbers))
    parts = [(inside, np.searchsorted(inside, mine)) for inside, mine in zip(insides, inner, strict=True)]
    return Parts(nodes, parts)


# ---- rings --------------------------------------------------------------------------------------------------------


def write_ring(subject: ExportInput, path: Path, sink: Sink) -> None:
    ring = joined(subject, sink, "slurm-ring")
    rings = [_around(subject, sink, ring, inside, pairs) for inside, pairs in ring.parts]
    write_text(path, _ring_yaml(rings))


def _around(subject: ExportInput, sink: Sink, found: Parts, inside: Ints, pairs: Ints) -> list[str]:
    """Return the nodes of a ring in order, from the first towards its lower neighbour."""
    count, span = len(inside), subject.plan.type(subject.plan.root).span
    degrees = np.bincount(pairs.ravel(), minlength=count)
    if count < 3 or (degrees != 2).any():
        raise refuse(sink, f"the {count} nodes around `{found.nodes[inside[0]].name}` are no ring", "slurm-tree", span)
    if count > MOST_IN_A_RING:
        raise too_large(
            sink, f"a ring of Slurm has at most {MOST_IN_A_RING} nodes, here {count}", "use `--to slurm-tree`"
        )
    near: dict[int, list[int]] = {}
    for a, b in pairs.tolist():
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    order = [0, min(near[0])]
    while len(order) < count:
        order.append(next(n for n in near[order[-1]] if n != order[-2]))
    return [found.nodes[inside[n]].name for n in order]


def _ring_yaml(rings: Sequence[list[str]]) -> Iterator[str]:
    yield "- topology: ring\n  cluster_default: true\n  ring:\n    rings:\n"
    for nodes in rings:
        yield f"      - ring: {yaml.string(f'{nodes[0]}-ring')}\n        nodes: {yaml.string(fold_in_order(nodes))}\n"


# ---- toruses ------------------------------------------------------------------------------------------------------


def write_torus(subject: ExportInput, path: Path, sink: Sink) -> None:
    torus = joined(subject, sink, "slurm-torus")
    toruses = []
    for inside, pairs in torus.parts:
        names = [torus.nodes[n].name for n in inside.tolist()]
        dims = torus_dims(len(inside), pairs)
        if dims is None:
            raise _no_torus(subject, sink, names)
        toruses.append((names, dims))
    tell_sizes(toruses, sink)
    write_text(path, _torus_yaml(toruses))


def _no_torus(subject: ExportInput, sink: Sink, names: list[str]) -> CannotExportError:
    message = f"the {len(names):,} nodes around `{names[0]}` are no torus of up to three dimensions in their order"
    return refuse(sink, message, "slurm-tree", subject.plan.type(subject.plan.root).span)


def torus_dims(count: int, pairs: Ints) -> tuple[int, int, int] | None:
    """Return the sizes (x, y, z) of a torus with these pairs, x fastest, the most even first; None if it is none."""
    triples = [
        (x, y, count // (x * y))
        for x in range(1, count + 1)
        if count % x == 0
        for y in range(1, count // x + 1)
        if count // x % y == 0
    ]
    wanted = len(pairs)
    for dims in sorted(triples, key=lambda sides: (max(sides), sides[2], sides[1])):
        if _torus_size(dims) == wanted and np.array_equal(_torus_pairs(dims), pairs):
            return dims
    return None


def _torus_size(dims: tuple[int, int, int]) -> int:
    """Return how many pairs of neighbours such a torus has."""
    count = dims[0] * dims[1] * dims[2]
    return sum(0 if size == 1 else count // 2 if size == 2 else count for size in dims)


def _torus_pairs(dims: tuple[int, int, int]) -> Ints:
    """Return the pairs of neighbours, sorted."""
    x, y, z = dims
    at = np.arange(x * y * z).reshape(z, y, x)
    torus_pairs = [
        np.stack([at.ravel(), np.roll(at, -1, axis).ravel()], axis=1) for axis in range(3) if at.shape[axis] > 1
    ]
    if not torus_pairs:
        return np.empty((0, 2), dtype=np.int64)
    return np.asarray(np.unique(np.sort(np.concatenate(torus_pairs), axis=1), axis=0), dtype=np.int64)


def boxes(dims: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """Return all boxes that tile a torus, the largest first and of one size the most even first.

    A job runs in such a box only: one with a side that divides none of the torus would leave nodes that no job gets.
    """
    x, y, z = ([size for size in range(1, side + 1) if side % size == 0] for side in dims)
    return sorted(product(x, y, z), key=lambda box: (-box[0] * box[1] * box[2], max(box), box[2], box[1]))


def tell_sizes(toruses: Sequence[tuple[list[str], tuple[int, int, int]]], sink: Sink) -> None:
    """Tell of the sizes of job that Slurm refuses: those of no box."""
    sizes = sorted({x * y * z for _, dims in toruses for x, y, z in boxes(dims)})
    max_size = sizes[-1]
    if len(sizes) < max_size:
        said = ", ".join(map(str, sizes)) if len(sizes) <= 12 else f"{', '.join(map(str, sizes[:11]))} … {max_size}"
        remark(
            sink,
            "UB0806",
            f"Slurm gives a job a box that tiles the torus, and refuses it any other number of nodes: {said} run",
            "ask for one of these, or for several by `--segment`",
        )


def _torus_yaml(toruses: Sequence[tuple[list[str], tuple[int, int, int]]]) -> Iterator[str]:
    yield "- topology: torus\n  cluster_default: true\n  torus3d:\n    toruses:\n"
    for names, dims in toruses:
        yield f"      - name: {yaml.string(f'{names[0]}-torus')}\n        dims:\n{_dims(dims, 10)}"
        yield f"        nodes: {yaml.string(fold_in_order(names))}\n        placements:\n"
        for box in boxes(dims):
            yield f"          - dims:\n{_dims(box, 14)}"


def _dims(dims: tuple[int, int, int], indent: int) -> str:
    return "".join(f"{' ' * indent}{axis}: {size}\n" for axis, size in zip("xyz", dims, strict=True))


_LOSES = ("rates", "latencies", "switches", "NPUs inside the nodes")
FORMATS = (
    Format("slurm-ring", "Slurm topology.yaml: rings of nodes", "fabric", "ring.yaml", write_ring, _LOSES, nodes=True),
    Format(
        "slurm-torus", "Slurm topology.yaml: toruses of nodes", "fabric", "torus.yaml", write_torus, _LOSES, nodes=True
    ),
)
