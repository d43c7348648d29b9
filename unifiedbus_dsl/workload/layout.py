"""How a workload is laid out over end points: tensor x context x pipeline x data, experts folded into a stage.

Ranks 0 .. n - 1 stand on the end points in their order. `order` says which axis varies first from one rank to the
next. Ranks of one stage of the pipeline share its experts: an expert group is `expert` ranks of a stage that are
neighbours in the stage's order, where `expert` stands before `data` in the order, else as far apart as they can be.
"""

from __future__ import annotations

from math import prod
from typing import Final, Literal, TypeAlias

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints

Axis: TypeAlias = Literal["tensor", "context", "expert", "data", "pipeline", "stage", "replica", "expert_replica"]
ORDER: Final = ("tensor", "context", "expert", "data", "pipeline")
"""Axes from the innermost."""
DENSE: Final = ("tensor", "context", "data", "pipeline")


@frozen
class Layout:
    """End points along each axis; their product without `expert` is the number of ranks."""

    tensor: int = 1
    context: int = 1
    pipeline: int = 1
    data: int = 1
    expert: int = 1
    order: tuple[str, ...] = ORDER

    @property
    def ranks(self) -> int:
        return self.tensor * self.context * self.pipeline * self.data

    @property
    def stage_ranks(self) -> int:
        """Ranks of a stage of the pipeline, among which experts are folded."""
        return self.tensor * self.context * self.data

    @property
    def replicas(self) -> int:
        """Ranks that hold the same weights outside experts."""
        return self.data * self.context

    @property
    def expert_replicas(self) -> int:
        """Ranks that hold the same experts."""
        return self.stage_ranks // self.expert if self.expert > 1 else self.replicas

    def size(self, axis: str) -> int:
        """Return the ranks of a group along an axis."""
        sizes = {
            "replica": self.replicas,
            "expert_replica": self.expert_replicas,
            "stage": self.stage_ranks,
        }
        return sizes[axis] if axis in sizes else int(getattr(self, axis))

    def coordinates(self) -> dict[str, Ints]:
        """Return the place of each rank along each dense axis, [n]."""
        axes = [axis for axis in self.order if axis != "expert"]
        places = np.unravel_index(np.arange(self.ranks), [self.size(axis) for axis in reversed(axes)])
        return dict(zip(reversed(axes), (np.asarray(each, dtype=np.int64) for each in places), strict=True))

    def groups(self, axis: str) -> Ints:
        """Return the number of the group of each rank along an axis, [n], dense.

        `replica` are the ranks with the same dense weights, `expert_replica` those with the same experts, `stage` those
        of one stage of the pipeline.
        """
        at = self.coordinates()
        if axis in ("expert", "expert_replica"):
            return self._expert_groups(at, axis)
        inside = {"replica": ("context", "data"), "stage": ("tensor", "context", "data")}.get(axis, (axis,))
        return _dense([at[each] for each in DENSE if each not in inside], self.ranks)

    def _expert_groups(self, at: dict[str, Ints], axis: str) -> Ints:
        if self.expert == 1:
            return self.groups("replica") if axis == "expert_replica" else np.arange(self.ranks)
        axes = [each for each in self.order if each in ("tensor", "context", "data")]
        inside = np.zeros(self.ranks, dtype=np.int64)
        for each in reversed(axes):
            inside = inside * self.size(each) + at[each]
        if self.order.index("expert") < self.order.index("data"):
            replica, place = np.divmod(inside, self.expert)
        else:
            place, replica = np.divmod(inside, self.expert_replicas)
        return _dense([at["pipeline"], replica if axis == "expert" else place], self.ranks)

    def next_stage(self, wrap: bool) -> tuple[Ints, Ints]:
        """Return the ranks that send to the next stage of the pipeline, and those that they send to; the last stage
        sends to the first where the pipeline wraps."""
        at = self.coordinates()
        axes = [axis for axis in self.order if axis != "expert"]
        stride = prod(self.size(axis) for axis in axes[: axes.index("pipeline")])
        rank, place = np.arange(self.ranks), at["pipeline"]
        last = place == self.pipeline - 1
        target = np.where(last, rank - stride * (self.pipeline - 1), rank + stride)
        keep = np.ones(self.ranks, dtype=bool) if wrap else ~last
        return rank[keep], target[keep]


def _dense(keys: list[Ints], ranks: int) -> Ints:
    number = np.zeros(ranks, dtype=np.int64)
    for key in keys:
        number = number * (int(key.max(initial=0)) + 1) + key
    # in the order of their first ranks, so that the same groups have the same numbers in all layouts
    _, first, which = np.unique(number, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[which.ravel()], dtype=np.int64)
