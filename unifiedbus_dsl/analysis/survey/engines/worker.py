"""What a worker does: open a job once, then do one task of it after another.

The job of a survey is a machine that one loss after another is taken from; any other is a function.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.contingency import Outage, Outcome, evaluate_outcome

T = TypeVar("T")


@frozen(eq=False)
class Job(Generic[T]):
    """What is the same for every loss of a survey, but for the fabric."""

    measure: Callable[[NetworkContext], T]
    symmetric: bool
    lost: Bools | None
    health: Floats | None
    budget_s: float | None


def packed(machine: NetworkContext, measure: Callable[[NetworkContext], Any]) -> bytes:
    """Return the job as bytes; what measures must be able to travel."""
    return pickle.dumps(Job(measure, machine.symmetric, machine.lost, machine.health, machine.budget_s))


@define(eq=False)
class _WorkerState:
    """The job that this process works on, opened once; another one takes its place."""

    key: str = ""
    measure: Callable[[NetworkContext], Any] | None = None
    machine: NetworkContext | None = None
    lock: Any = field(factory=Lock)

    def of(
        self, key: str, job: bytes, fabric: Callable[[], Fabric]
    ) -> tuple[Callable[[NetworkContext], Any], NetworkContext]:
        with self.lock:
            if key != self.key or self.measure is None or self.machine is None:
                job_data: Job[Any] = pickle.loads(job)
                self.measure = job_data.measure
                self.machine = NetworkContext(
                    fabric(), job_data.symmetric, job_data.lost, job_data.health, job_data.budget_s
                )
                self.key = key
            return self.measure, self.machine


_open = _WorkerState()
_jobs: dict[str, Callable[[Any], Any]] = {}
"""The function that this process works on, by its key; another one takes its place."""


def called(key: str, job: bytes, task: Any) -> Any:
    """Return what the function of a job gives for a task."""
    if key not in _jobs:
        _jobs.clear()
        _jobs[key] = pickle.loads(job)
    return _jobs[key](task)


def outcome(key: str, job: bytes, fabric: Callable[[], Fabric], loss: Outage) -> Outcome[Any]:
    """Return what is left after the loss; `fabric` is called once for each `key`."""
    measure, machine = _open.of(key, job, fabric)
    return evaluate_outcome(measure, loss.taken(machine))
