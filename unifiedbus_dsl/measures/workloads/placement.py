"""Where the ranks of a workload stand: on its end points in their order, or along dimensions of the machine's arrays.

An axis `along` a dimension takes its ranks from elements of that dimension next to each other: of `tensor along board`
with 8 ranks, a group is on boards 8 k to 8 k + 7, and alike in all else. Axes without a dimension are laid over what is
left of the order of the end points, the innermost first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import gcd, lcm, prod

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.ir.fabric.names import device_paths
from unifiedbus_dsl.ir.plan import Plan
from unifiedbus_dsl.semantic.select.workloads.stated import Asked, misfits_of, with_replicas
from unifiedbus_dsl.workload.layout import DENSE, Layout

_STEP = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]]*)\])?(?:\.|$)")


class PlacementError(ValueError):
    """An axis can't lie along a dimension; `help` says what can be done."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


@frozen(eq=False)
class Dimension:
    """A dimension of an array around devices: dimension `number` of the `of` that the array `name` has, of parts of a
    `kind`. `at` is the place of each device along it, from 0 on without gaps, [n]."""

    name: str
    kind: str
    number: int
    of: int
    at: Ints

    @property
    def text(self) -> str:
        """How it is said in an order."""
        return self.name if self.of == 1 else f"{self.name}[{self.number}]"

    @property
    def length(self) -> int:
        return int(self.at.max(initial=-1)) + 1


def dimensions_of(plan: Plan, devices: Ints) -> list[Dimension]:
    """Return the dimensions of the arrays around some devices, from the outermost.

    Raises:
        PlacementError: the devices stand in arrays of other names, or of other dimensions.
    """
    steps = [_STEP.findall(path) for path in device_paths(plan, devices).tolist()]
    shape = [(name, inside.count(",") + 1 if inside else 0) for name, inside in steps[0]]
    if any([(name, inside.count(",") + 1 if inside else 0) for name, inside in each] != shape for each in steps):
        raise PlacementError("the end points stand in arrays of different names", "leave `along` out")
    kinds, found = _kinds(plan, [name for name, _ in shape]), []
    for level, (name, of) in enumerate(shape):
        for number in range(of):
            labels = np.array([int(each[level][1].split(",")[number]) for each in steps], dtype=np.int64)
            found.append(Dimension(name, kinds[level], number, of, np.unique(labels, return_inverse=True)[1].ravel()))
    return found


def _kinds(plan: Plan, names: Sequence[str]) -> list[str]:
    """Return the kind of the part at each step of a path."""
    kinds, key = [], plan.root
    for name in names:
        child = next(each for each in plan.assemblies[key].children if each.name == name)
        key = child.type
        kinds.append((plan.devices[key] if key in plan.devices else plan.assemblies[key]).kind)
    return kinds


def place_along(layout: Layout, along: Mapping[str, Dimension], dimensions: Sequence[Dimension]) -> Ints:
    """Return which of the end points [n] that have these dimensions each rank of a layout stands on.

    Raises:
        PlacementError: a dimension does not divide, or what is left differs from one group to another.
    """
    taken = {each.text: 1 for each in dimensions}
    digit: dict[str, Ints] = {}
    for axis in (each for each in layout.order if each in along):
        dimension, size = along[axis], layout.size(axis)
        digit[axis] = dimension.at // taken[dimension.text] % size
        taken[dimension.text] *= size
        if dimension.length % taken[dimension.text]:
            left = dimension.length // gcd(dimension.length, taken[dimension.text] // size)
            wrong = f"{size:,} {axis} ranks don't lie along `{dimension.text}`, which has {dimension.length:,} elements"
            raise PlacementError(wrong, f"`{axis}` divides {left:,}")
    columns = np.stack([each.at // taken[each.text] for each in dimensions], axis=1)
    rest = np.unique(columns, axis=0, return_inverse=True)[1].ravel()
    plain = [axis for axis in layout.order if axis in DENSE and axis not in along]
    if prod(layout.size(axis) for axis in plain) != int(rest.max()) + 1:
        raise PlacementError("groups along these dimensions are not all whole", "name end points of a regular array")
    for axis in plain:
        rest, digit[axis] = np.divmod(rest, layout.size(axis))
    rank, stride = np.zeros(len(rest), dtype=np.int64), 1
    for axis in (each for each in layout.order if each in DENSE):
        rank += digit[axis] * stride
        stride *= layout.size(axis)
    place = np.full(layout.ranks, -1, dtype=np.int64)
    place[rank] = np.arange(len(rank))
    if (place < 0).any():
        raise PlacementError("groups along these dimensions are not all whole", "name end points of a regular array")
    return place


def after_outage(asked: Asked, lost: Bools) -> tuple[Asked, Ints] | None:
    """Return the workload that goes on where the ranks with `lost` [n] can't, and which ranks take part in their new
    order; None where no replica is left.

    Runs of ranks that replicas can't divide are left out whole, so that groups stay where they are in the machine. As
    many replicas go on as the others are enough for, each with the sequences that it had.
    """
    layout, run = asked.layout, _run(asked.layout)
    alive = np.flatnonzero(~lost.reshape(-1, run).any(axis=1))
    ranks = (alive[:, None] * run + np.arange(run)).ravel()
    inner = layout.ranks // layout.data
    for data in range(min(layout.data, len(ranks) // inner), 0, -1):
        fewer = with_replicas(asked, data)
        if not misfits_of(fewer, inner * data):
            return fewer, ranks[: inner * data]
    return None


def _run(layout: Layout) -> int:
    """Return how many ranks next to each other stand or fall together: those of the axes inside `data`."""
    inside = layout.order[: layout.order.index("data")]
    stage = prod(layout.size(axis) for axis in inside if axis in ("tensor", "context"))
    if "expert" in inside:
        stage = lcm(stage, layout.expert)
    run = stage * (layout.pipeline if "pipeline" in inside else 1)
    return run if layout.ranks % run == 0 else layout.ranks // layout.data
