"""Worker processes of this computer."""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import sys
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from attrs import define, field, frozen

from unifiedbus_dsl.analysis.survey.engines import worker
from unifiedbus_dsl.analysis.survey.engines.dispatch import POLL_S, Calls, Pool, WorkerLost, dispatch, serial_calls
from unifiedbus_dsl.base.drafts import scratch_folder
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.contingency import Outage, Outcome, SerialExecutor

T = TypeVar("T")

FEW_TASKS = 8
"""Tasks that are as much work as the start of a process."""
PATIENCE_S = 5.0
"""How long to wait for what workers that were ended leave behind."""

_begun: list[Callable[[Any], Any]] = []
"""In a worker process: what it does with each task."""


def _begin(work: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the business of the process that asked
    _end_with_parent()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # who reads the output waits for no worker
    os.close(nowhere)
    _begun.append(work)


def _end_with_parent() -> None:
    """End this worker when the process that asked is gone, however it ended, in the middle of a solve too."""
    parent = parent_process()
    assert parent is not None
    Thread(target=_wait_for_end, args=(parent.sentinel,), daemon=True).start()
    if sys.platform == "linux":  # a solver may hold the interpreter for minutes: the kernel does not wait for it
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent.pid:  # it was faster
            os._exit(1)


_DEATH_SIGNAL = 1
"""`PR_SET_PDEATHSIG` of prctl(2)."""


def _wait_for_end(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _done(task: Any) -> Any:
    return _begun[0](task)


def _survey_outcome(job: bytes, path: Path, loss: Outage) -> Outcome[Any]:
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
        begun = [process for process in self.started if process.pid is not None]  # one may have failed to start
        for process in begun:
            process.terminate()
        for process in begun:
            process.join()
        self.started.clear()


@define(eq=False)
class _Processes(Pool):
    count: int
    work: Callable[[Any], Any]
    context: _Remembering = field(factory=_Remembering)
    executor: futures.ProcessPoolExecutor = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self.executor = futures.ProcessPoolExecutor(self.count, self.context, initializer=_begin, initargs=(self.work,))

    def workers(self) -> int:
        return self.count

    def submit(self, task: Any) -> futures.Future[Any]:
        try:
            return self.executor.submit(_done, task)
        except futures.BrokenExecutor as broken:
            raise WorkerLost from broken

    def done(self, handed: Collection[futures.Future[Any]]) -> Collection[futures.Future[Any]]:
        return futures.wait(handed, POLL_S, futures.FIRST_COMPLETED).done

    def outcome(self, handed: futures.Future[Any]) -> Any:
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
        # its thread gives back what it holds, once it has seen that the workers are gone
        ending = Thread(target=self.executor.shutdown, daemon=True)
        ending.start()
        ending.join(PATIENCE_S)


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
        self, machine: NetworkContext, measure: Callable[[NetworkContext], T], losses: Sequence[Outage]
    ) -> Generator[tuple[int, Outcome[T]], None, None]:
        count = min(self.workers, len(losses))
        if count <= 1:
            yield from SerialExecutor().run(machine, measure, losses)
            return
        with scratch_folder() as folder:
            path = folder / "machine.fabric"
            machine.fabric.save(path)
            with self._pool(partial(_survey_outcome, worker.packed(machine, measure), path), count) as pool:
                yield from dispatch(pool, losses)

    @contextmanager
    def calls(self, function: Callable[[Any], T], expected: int) -> Iterator[Calls[T]]:
        """Have a function called on tasks, about so many, for as long as the block runs."""
        count = min(self.workers, expected // FEW_TASKS)
        if count <= 1:
            yield serial_calls(function)
            return
        job = pickle.dumps(function)
        with self._pool(partial(worker.called, "", job), count) as pool:
            yield partial(dispatch, pool)

    @contextmanager
    def _pool(self, work: Callable[[Any], Any], count: int) -> Iterator[_Processes]:
        pool = _Processes(count, work)
        try:
            yield pool
        finally:
            pool.close()
