"""Worker processes of this computer."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent import futures
from functools import partial
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field, frozen

from unifiedbus_dsl.analysis.engines import worker
from unifiedbus_dsl.analysis.engines.handing import POLL_S, Pool, WorkerLost, handed_out
from unifiedbus_dsl.drafts import scratch_folder
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.scenarios import Here, Loss, Outcome

T = TypeVar("T")

_begun: list[tuple[bytes, Path]] = []
"""In a worker process: its job and the file of the fabric."""


def _begin(job: bytes, path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the business of the process that asked
    _begun.append((job, path))


def _done(loss: Loss) -> Outcome[Any]:
    job, path = _begun[0]
    return worker.outcome(str(path), job, partial(Fabric.load, path), loss)


class _Remembering(SpawnContext):
    """Starts processes as ever and remembers them, so that they can be ended in the middle of their work."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[BaseProcess] = []

    def Process(self, *args: Any, **named: Any) -> BaseProcess:  # type: ignore[override]  # noqa: N802
        process = SpawnContext.Process(*args, **named)
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.join()
        self.started.clear()


@define(eq=False)
class _Processes(Pool):
    count: int
    job: bytes
    path: Path
    context: _Remembering = field(factory=_Remembering)
    executor: futures.ProcessPoolExecutor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        arguments = (self.job, self.path)
        self.executor = futures.ProcessPoolExecutor(self.count, self.context, initializer=_begin, initargs=arguments)

    def workers(self) -> int:
        return self.count

    def submit(self, loss: Loss) -> futures.Future[Outcome[Any]]:
        try:
            return self.executor.submit(_done, loss)
        except futures.BrokenExecutor as broken:
            raise WorkerLost from broken

    def done(self, handed: Collection[futures.Future[Outcome[Any]]]) -> Collection[futures.Future[Outcome[Any]]]:
        return futures.wait(handed, POLL_S, futures.FIRST_COMPLETED).done

    def outcome(self, handed: futures.Future[Outcome[Any]]) -> Outcome[Any]:
        try:
            return handed.result()
        except futures.BrokenExecutor as broken:
            raise WorkerLost from broken

    def restart(self) -> None:
        self.close()
        self._start()

    def close(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.context.end()


def why_not() -> str | None:
    """Why no worker processes can be had here, None if they can: they want shared semaphores, and so `/dev/shm`."""
    try:
        SpawnContext().Lock()
    except (OSError, ImportError) as error:
        return str(getattr(error, "strerror", None) or error).lower()
    return None


@frozen
class Processes:
    """So many processes of this computer; a single one is this process itself."""

    workers: int

    def run(
        self, machine: Machine, measure: Callable[[Machine], T], losses: Sequence[Loss]
    ) -> Generator[tuple[int, Outcome[T]], None, None]:
        count = min(self.workers, len(losses))
        if count <= 1:
            yield from Here().run(machine, measure, losses)
            return
        with scratch_folder() as folder:
            path = folder / "machine.fabric"
            machine.fabric.save(path)
            pool = _Processes(count, worker.packed(machine, measure), path)
            try:
                yield from handed_out(pool, losses)
            finally:
                pool.close()
