"""A workload as the text states it, before it stands on end points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.workload.legality import Misfit, find_misfits
from unifiedbus_dsl.workload.serving import Serving, find_serving_misfits
from unifiedbus_dsl.workload.training import Training

Asked: TypeAlias = Training | Serving
LAID_OUT = ("tensor", "context", "pipeline", "expert", "data", "order", "microbatch", "schedule")
"""Arguments that are a layout."""
LEFT = 0
"""Replicas that are not stated: those that the end points are enough for."""


@frozen(eq=False)
class StatedWorkload:
    """A workload as a call states it: `asked`, where `data` is `LEFT` if it is not stated; `on` which end points, None
    for all; `along` has axes with the dimensions of the machine that they lie along."""

    asked: Asked
    on: tree.Expr | None
    along: tuple[tree.Along, ...]
    node: tree.Call

    @property
    def arguments(self) -> Mapping[str, tree.Expr]:
        """What is given by name."""
        return {arg.name.text: arg.value for arg in self.node.args if arg.name is not None}

    @property
    def is_laid_out(self) -> bool:
        """Whether it states anything of its layout; else `ubusc explore` can look for one."""
        return any(name in LAID_OUT for name in self.arguments)

    def on_ends(self, ends: int) -> Asked:
        """Return the workload on so many end points: as many replicas as they are enough for, unless it says how
        many."""
        layout = self.asked.layout
        if layout.data != LEFT:
            return self.asked
        inner = layout.tensor * layout.context * layout.pipeline
        return evolve(self.asked, layout=evolve(layout, data=max(1, ends // inner)))

    def misfits(self, ends: int | None) -> list[Misfit]:
        """Return what of it does not fit each other, its model and so many end points; None where that is not known."""
        if ends is not None:
            return misfits_of(self.on_ends(ends), ends)
        if self.asked.layout.data == LEFT:
            return []
        return misfits_of(self.asked, self.asked.layout.ranks)

    def place_of(self, field: str) -> tree.Node:
        """Return the node that a field of the step stands in: its argument, or the whole call."""
        return self.arguments.get({"chunks": "schedule"}.get(field, field), self.node)


def misfits_of(asked: Asked, ends: int) -> list[Misfit]:
    """Return what of a workload does not fit each other, its model and so many end points."""
    if isinstance(asked, Serving):
        return find_serving_misfits(asked, ends)
    return find_misfits(asked, ends)


def with_replicas(asked: Asked, data: int) -> Asked:
    """Return a workload with another number of replicas, each with the sequences that it had."""
    layout, was = evolve(asked.layout, data=data), asked.layout.data
    if isinstance(asked, Serving):
        return evolve(asked, layout=layout, concurrency=asked.concurrency // was * data)
    return evolve(asked, layout=layout, batch=asked.batch // was * data)


def sequences_of(asked: Asked) -> int:
    """Return the sequences of all replicas: of a step, or that are served at the same time."""
    return asked.concurrency if isinstance(asked, Serving) else asked.batch
