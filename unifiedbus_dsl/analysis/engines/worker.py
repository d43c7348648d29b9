"""What a worker does: open the machine of a job once, then take one loss after another from it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.network import Bools, Floats
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.scenarios import Loss, Outcome, measured

T = TypeVar("T")


@frozen(eq=False)
class Job(Generic[T]):
    """What is the same for every loss of a survey, but for the fabric."""

    measure: Callable[[Machine], T]
    symmetric: bool
    lost: Bools | None
    health: Floats | None
    budget_s: float | None


def packed(machine: Machine, measure: Callable[[Machine], Any]) -> bytes:
    """The job as bytes; what measures must be able to travel."""
    return pickle.dumps(Job(measure, machine.symmetric, machine.lost, machine.health, machine.budget_s))


@define(eq=False)
class _Open:
    """The job that this process works on, opened once; another one takes its place."""

    key: str = ""
    measure: Callable[[Machine], Any] | None = None
    machine: Machine | None = None
    lock: Any = field(factory=Lock)

    def of(self, key: str, job: bytes, fabric: Callable[[], Fabric]) -> tuple[Callable[[Machine], Any], Machine]:
        with self.lock:
            if key != self.key or self.measure is None or self.machine is None:
                found: Job[Any] = pickle.loads(job)
                self.measure = found.measure
                self.machine = Machine(fabric(), found.symmetric, found.lost, found.health, found.budget_s)
                self.key = key
            return self.measure, self.machine


_open = _Open()


def outcome(key: str, job: bytes, fabric: Callable[[], Fabric], loss: Loss) -> Outcome[Any]:
    """What is left after the loss; `fabric` is called once for each `key`."""
    measure, machine = _open.of(key, job, fabric)
    return measured(measure, loss.taken(machine))
