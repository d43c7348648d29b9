"""The workers of a Dask cluster (dask.distributed, the extra `dask`)."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from concurrent import futures
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

from attrs import define, field, frozen

from unifiedbus_dsl.analysis.survey.engines import worker
from unifiedbus_dsl.analysis.survey.engines.dispatch import POLL_S, Calls, Pool, WorkerLost, dispatch
from unifiedbus_dsl.base.drafts import scratch_folder
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience.contingency import EngineError, Outage, Outcome
from unifiedbus_dsl.version import VERSION

T = TypeVar("T")


# ---- in a worker --------------------------------------------------------------------------------------------------


def _survey_outcome(key: str, job: bytes, fabric: bytes, loss: Outage) -> Outcome[Any]:
    return worker.outcome(key, job, partial(_unpacked, key, fabric), loss)


def _unpacked(key: str, fabric: bytes) -> Fabric:
    """Return the fabric from a file in the worker's own folder, which goes away with the worker."""
    from distributed import get_worker

    path = Path(get_worker().local_directory) / f"ubusc-{key}.fabric"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(fabric)
    draft.replace(path)
    return Fabric.load(path)


def _version() -> str:
    return VERSION


# ---- waiting no longer than there is patience ---------------------------------------------------------------------

SLOW = 12
"""How many times the patience the machine may take on its way to the workers."""
_NOISY = ("distributed", "distributed.client", "distributed.comm", "distributed.core", "tornado", "asyncio")


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Return what a call gives. The libraries below wait for ever for a server that is silent.

    Raises:
        TimeoutError: it gives nothing within so many seconds.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(call())
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return done[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Yield what goes wrong is said by `EngineError`, and not by tracebacks of the libraries below."""
    loggers = [logging.getLogger(name) for name in _NOISY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


# ---- where it was asked -------------------------------------------------------------------------------------------


@define(eq=False)
class _Workers(Pool):
    client: Any
    work: Callable[..., Any]
    """Called in a worker with the key, the parts and a task."""
    parts: tuple[bytes, ...]
    patience_s: float
    key: str = field(init=False)
    shared: tuple[Any, ...] = field(init=False)
    lonely_since: float | None = None

    def __attrs_post_init__(self) -> None:
        self.key = hashlib.sha256(b"".join(self.parts)).hexdigest()[:16]
        self.restart()

    def restart(self) -> None:
        """Give each worker the parts of the job."""
        try:
            scatter = partial(self.client.scatter, list(self.parts), broadcast=True, hash=False)
            self.shared = tuple(_within(SLOW * self.patience_s, scatter))
        except (TimeoutError, OSError) as error:
            self._look()
            raise EngineError(f"the cluster does not take the job: {error}") from error

    def workers(self) -> int:
        try:
            known = _within(self.patience_s, partial(self.client.scheduler_info, n_workers=-1))
        except (TimeoutError, OSError) as error:
            raise EngineError(f"the scheduler of the cluster does not answer within {self.patience_s:g} s") from error
        return sum(each["nthreads"] for each in known["workers"].values())

    def submit(self, task: Any) -> Any:
        return self.client.submit(self.work, self.key, *self.shared, task, pure=False)

    def done(self, handed: Collection[Any]) -> Collection[Any]:
        from distributed import wait

        try:
            with self.client.as_current():
                finished: Collection[Any] = wait(list(handed), timeout=POLL_S, return_when="FIRST_COMPLETED").done
        except (TimeoutError, OSError):
            self._look()
            return ()
        except futures.CancelledError:  # some of them were, as the machine went with the last worker that had it
            self._look()
            return [each for each in handed if each.done()]
        return finished

    def outcome(self, handed: Any) -> Any:
        from distributed.scheduler import KilledWorker

        try:
            outcome = _within(SLOW * self.patience_s, handed.result)
        except (KilledWorker, futures.CancelledError) as lost:
            self._look()
            raise WorkerLost from lost
        except (TimeoutError, OSError) as silent:
            self._look()
            raise EngineError(f"the cluster has an outcome and does not give it: {silent}") from silent
        return outcome

    def _look(self) -> None:
        """Raise an error where nobody is there to do the work."""
        if self.client.status != "running":
            raise EngineError("the scheduler of the cluster is gone")
        if self.workers():
            self.lonely_since = None
            return
        self.lonely_since = self.lonely_since or time.monotonic()
        if time.monotonic() - self.lonely_since > self.patience_s:
            raise EngineError(f"the cluster has had no worker for {self.patience_s:g} s")


@frozen
class Dask:
    """The workers of a cluster whose scheduler listens at `address` (HOST:PORT)."""

    address: str
    patience_s: float = 10.0

    def run(
        self, machine: NetworkContext, measure: Callable[[NetworkContext], T], losses: Sequence[Outage]
    ) -> Generator[tuple[int, Outcome[T]], None, None]:
        with self._checked_client() as client:
            parts = worker.packed(machine, measure), _bytes(machine.fabric)
            yield from dispatch(_Workers(client, _survey_outcome, parts, self.patience_s), losses)

    @contextmanager
    def calls(self, function: Callable[[Any], T], expected: int) -> Iterator[Calls[T]]:
        """Have a function called on tasks for as long as the block runs."""
        with self._checked_client() as client:
            yield partial(dispatch, _Workers(client, worker.called, (pickle.dumps(function),), self.patience_s))

    @contextmanager
    def _checked_client(self) -> Iterator[Any]:
        with _quiet():
            client = self._client()
            try:
                self._check(client)
                yield client
            finally:
                with suppress(TimeoutError, OSError):
                    _within(self.patience_s, client.close)

    def _client(self) -> Any:
        try:
            from distributed import Client
        except ImportError as missing:
            raise EngineError("the engine needs dask.distributed: `pip install 'unifiedbus-dsl[dask]'`") from missing
        connect = partial(Client, f"tcp://{self.address}", timeout=self.patience_s, set_as_default=False)
        try:
            return _within(2 * self.patience_s, connect)
        except Exception as error:  # whatever listens there, and whatever it says, it is no scheduler
            raise EngineError(f"no scheduler answers at {self.address} within {self.patience_s:g} s") from error

    def _check(self, client: Any) -> None:
        """Refuse a cluster without workers, or with workers that would not give the same numbers."""
        try:
            client.wait_for_workers(1, timeout=self.patience_s)
        except TimeoutError as error:
            raise EngineError(f"the cluster at {self.address} has no worker") from error
        try:
            versions = _within(SLOW * self.patience_s, partial(client.run, _version, on_error="return"))
        except (TimeoutError, OSError) as error:
            raise EngineError(f"the cluster at {self.address} does not answer") from error
        for name, version in versions.items():
            if version != VERSION:
                loaded = version if isinstance(version, str) else "none that it can load"
                raise EngineError(
                    f"worker {name} has another version of unifiedbus-dsl, {loaded}; {VERSION} is wanted everywhere"
                )


def _bytes(fabric: Fabric) -> bytes:
    with scratch_folder() as folder:
        path = folder / "machine.fabric"
        fabric.save(path)
        return path.read_bytes()
