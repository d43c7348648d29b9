"""Hand tasks to workers, a few ahead for each, and again where a worker has died."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, TypeVar

from unifiedbus_dsl.solver.resilience.contingency import EngineError

MOST_DEATHS = 3
"""How often a worker may die before any other task is done: then the work is given up."""
AHEAD = 4
"""Tasks that are handed out for each worker before it has done them."""
POLL_S = 1.0
"""Seconds between two looks at whether the workers are still there."""

T = TypeVar("T")

Calls: TypeAlias = Callable[[Sequence[Any]], Generator[tuple[int, T], None, None]]
"""A function called on tasks: (number of the task, what it gives), in any order."""


class TaskEngine(Protocol):
    """Calls a function on tasks, here or elsewhere; both must be able to travel.

    Raises `EngineError` where the work can't go on.
    """

    def calls(self, function: Callable[[Any], T], expected: int) -> AbstractContextManager[Calls[T]]: ...


def serial_calls(function: Callable[[Any], T]) -> Calls[T]:
    """Return the calls one after another in this process."""

    def run(tasks: Sequence[Any]) -> Generator[tuple[int, T], None, None]:
        for number, task in enumerate(tasks):
            yield number, function(task)

    return run


class WorkerLost(Exception):  # noqa: N818 - what happened, not a fault of ours
    """The worker of a task has died before it was done."""


class Pool(ABC):
    """Workers that tasks are handed to."""

    @abstractmethod
    def workers(self) -> int:
        """Return how many there are now."""

    @abstractmethod
    def submit(self, task: Any) -> Any:
        """Hand out; gives what to ask for the outcome. Raises `WorkerLost` where no worker is to be had."""

    @abstractmethod
    def done(self, handed: Collection[Any]) -> Collection[Any]:
        """Return those that are done, waiting for one a little while."""

    @abstractmethod
    def outcome(self, handed: Any) -> Any:
        """Return the outcome of what is done. Raises `WorkerLost`."""

    @abstractmethod
    def restart(self) -> None:
        """Make whole again what a dead worker has broken."""


def dispatch(pool: Pool, tasks: Sequence[Any]) -> Generator[tuple[int, Any], None, None]:
    """Yield every task done once, (its number, what came of it), those of dead workers again.

    Raises:
        EngineError: workers keep dying before anything is done.
    """
    waiting = list(range(len(tasks)))[::-1]
    deaths = 0
    out: dict[Any, int] = {}
    while waiting or out:
        broken = False
        try:
            max_in_flight = AHEAD * max(1, pool.workers())
            while waiting and len(out) < max_in_flight:
                out[pool.submit(tasks[waiting[-1]])] = waiting[-1]
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
