"""A step of a collective: who sends how much of the data to whom, in all groups at once.

`size` is as in nccl-tests: what each end point holds at the end (all-gather, all-reduce, broadcast) or at the start
(reduce-scatter, all-to-all); a step's `part` is what a flow of rate 1 carries, as a part of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints, frozen_array
from unifiedbus_dsl.solver.demand import Demand, Groups

COLLECTIVES = ("allreduce", "allgather", "reducescatter", "alltoall", "broadcast")


@frozen(eq=False)
class Step:
    """`times` steps of one shape after another. In all of them together a flow of rate 1 carries `part` of the size."""

    name: str
    shape: Demand
    part: float
    times: int = 1


Phase = Mapping[str, tuple[Step, ...]]
"""Steps by the name of the way they are done: of several ways the faster one is taken."""


@frozen(eq=False)
class Rows:
    """Groups of `n` members each as rows, [groups, n], among `ends` end points."""

    members: Ints
    ends: int

    @property
    def n(self) -> int:
        return int(self.members.shape[1])

    def each_to_each(self) -> Groups:
        """Return the demand of each member to each other of its row."""
        group = np.full(self.ends, -1, dtype=np.int64)
        group[self.members] = np.arange(len(self.members))[:, None]
        return Groups(frozen_array(group))
