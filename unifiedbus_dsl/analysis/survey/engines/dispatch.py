"""Hand losses to workers, a few ahead for each, and again where a worker has died."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Sequence
from typing import Any

from unifiedbus_dsl.solver.resilience.contingency import EngineError, Outage, Outcome

MOST_DEATHS = 3
"""How often a worker may die before any other loss is done: then the work is given up."""
AHEAD = 4
"""Losses that are handed out for each worker before it has done them."""
POLL_S = 1.0
"""Seconds between two looks at whether the workers are still there."""


class WorkerLost(Exception):  # noqa: N818 - what happened, not a fault of ours
    """The worker of a loss has died before it was done."""


class Pool(ABC):
    """Workers that losses are handed to."""

    @abstractmethod
    def workers(self) -> int:
        """Return how many there are now."""

    @abstractmethod
    def submit(self, loss: Outage) -> Any:
        """Hand out; gives what to ask for the outcome. Raises `WorkerLost` where no worker is to be had."""

    @abstractmethod
    def done(self, handed: Collection[Any]) -> Collection[Any]:
        """Return those that are done, waiting for one a little while."""

    @abstractmethod
    def outcome(self, handed: Any) -> Outcome[Any]:
        """Return the outcome of what is done. Raises `WorkerLost`."""

    @abstractmethod
    def restart(self) -> None:
        """Make whole again what a dead worker has broken."""


def dispatch(pool: Pool, losses: Sequence[Outage]) -> Generator[tuple[int, Outcome[Any]], None, None]:
    """Yield every loss done once, those of dead workers again.

    Raises:
        EngineError: workers keep dying before anything is done.
    """
    waiting = list(range(len(losses)))[::-1]
    deaths = 0
    out: dict[Any, int] = {}
    while waiting or out:
        broken = False
        try:
            room = AHEAD * max(1, pool.workers())
            while waiting and len(out) < room:
                out[pool.submit(losses[waiting[-1]])] = waiting[-1]
                waiting.pop()
        except WorkerLost:
            broken = True
        for handed in pool.done(list(out)) if out else ():
            try:
                outcome = pool.outcome(handed)
            except WorkerLost:
                broken = True
            else:
                deaths = 0
                yield out.pop(handed), outcome
        if broken:
            deaths += 1
            if deaths == MOST_DEATHS:
                raise EngineError(
                    f"workers died {deaths} times and nothing was done in between, perhaps for lack of memory; "
                    "try fewer workers"
                )
            waiting += sorted(out.values(), reverse=True)
            out.clear()
            pool.restart()
