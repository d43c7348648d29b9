"""An algorithm of collectives over the members of a group in their order, as the steps of each collective."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.collectives.binomial_tree import scatter
from unifiedbus_dsl.solver.collectives.steps import Rows, Step

Make = Callable[[Rows], list[Step]]


@frozen(eq=False)
class Algorithm:
    """The steps of each collective. Without an own `allreduce` it is a reduce-scatter and an all-gather, without an own
    `broadcast` a binomial scatter and an all-gather. `refusal` says why a row of n members is not admitted."""

    name: str
    allgather: Make
    reducescatter: Make
    alltoall: Make | None
    allreduce: Make | None = None
    broadcast: Make | None = None
    refusal: Callable[[int], str | None] = lambda n: None

    def steps(self, collective: str, rows: Rows) -> list[Step]:
        """Return the steps of a collective over all rows at once.

        Raises:
            NotAdmittedError: the algorithm has none for it, or for rows of this length.
        """
        if why := self.refusal(rows.n):
            raise NotAdmittedError(f"`{self.name}` {why}")
        if make := getattr(self, collective):
            return list(make(rows))
        if collective == "allreduce":
            return [*self.reducescatter(rows), *self.allgather(rows)]
        if collective == "broadcast":
            return [*scatter(rows), *self.allgather(rows)]
        raise NotAdmittedError(f"`{collective}` has no {self.name}")
