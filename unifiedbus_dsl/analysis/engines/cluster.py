"""The workers of a Dask cluster (dask.distributed, the extra `dask`)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent import futures
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from attrs import define, field, frozen

from unifiedbus_dsl.analysis.engines import worker
from unifiedbus_dsl.analysis.engines.handing import POLL_S, Pool, WorkerLost, handed_out
from unifiedbus_dsl.drafts import scratch_folder
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.solver.machine import Machine
from unifiedbus_dsl.solver.scenarios import EngineError, Loss, Outcome
from unifiedbus_dsl.version import VERSION

T = TypeVar("T")


# ---- in a worker --------------------------------------------------------------------------------------------------


def _done(key: str, job: bytes, fabric: bytes, loss: Loss) -> Outcome[Any]:
    return worker.outcome(key, job, partial(_unpacked, key, fabric), loss)


def _unpacked(key: str, fabric: bytes) -> Fabric:
    """The fabric from a file in the worker's own folder, which goes away with the worker."""
    from distributed import get_worker

    path = Path(get_worker().local_directory) / f"ubusc-{key}.fabric"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_bytes(fabric)
    draft.replace(path)
    return Fabric.load(path)


def _version() -> str:
    return VERSION


# ---- where it was asked -------------------------------------------------------------------------------------------


@define(eq=False)
class _Workers(Pool):
    client: Any
    job: bytes
    fabric: bytes
    patience_s: float
    key: str = field(init=False)
    shared: tuple[Any, ...] = field(init=False)
    lonely_since: float | None = None

    def __attrs_post_init__(self) -> None:
        self.key = hashlib.sha256(self.job + self.fabric).hexdigest()[:16]
        self.restart()

    def restart(self) -> None:
        """Give each worker the job and the bytes of the fabric."""
        try:
            self.shared = tuple(self.client.scatter([self.job, self.fabric], broadcast=True, hash=False))
        except (TimeoutError, OSError) as error:
            self._look()
            raise EngineError(f"the cluster does not take the machine: {error}") from error

    def workers(self) -> int:
        return sum(each["nthreads"] for each in self.client.scheduler_info(n_workers=-1)["workers"].values())

    def submit(self, loss: Loss) -> Any:
        return self.client.submit(_done, self.key, *self.shared, loss, pure=False)

    def done(self, handed: Collection[Any]) -> Collection[Any]:
        from distributed import wait

        try:
            with self.client.as_current():
                found: Collection[Any] = wait(list(handed), timeout=POLL_S, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            self._look()
            return ()
        except futures.CancelledError:  # some of them were, as the machine went with the last worker that had it
            self._look()
            return [each for each in handed if each.done()]
        return found

    def outcome(self, handed: Any) -> Outcome[Any]:
        from distributed.scheduler import KilledWorker

        try:
            found: Outcome[Any] = handed.result()
        except (KilledWorker, futures.CancelledError) as lost:
            self._look()
            raise WorkerLost from lost
        return found

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
        self, machine: Machine, measure: Callable[[Machine], T], losses: Sequence[Loss]
    ) -> Generator[tuple[int, Outcome[T]], None, None]:
        client = self._client()
        try:
            self._check(client)
            pool = _Workers(client, worker.packed(machine, measure), _bytes(machine.fabric), self.patience_s)
            yield from handed_out(pool, losses)
        finally:
            client.close()

    def _client(self) -> Any:
        try:
            from distributed import Client
        except ImportError as missing:
            raise EngineError("the engine needs dask.distributed: `pip install 'unifiedbus-dsl[dask]'`") from missing
        try:
            return Client(f"tcp://{self.address}", timeout=self.patience_s, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise EngineError(f"no scheduler answers at {self.address} within {self.patience_s:g} s") from error

    def _check(self, client: Any) -> None:
        """Refuse a cluster without workers, or with workers that would not give the same numbers."""
        try:
            client.wait_for_workers(1, timeout=self.patience_s)
        except TimeoutError as error:
            raise EngineError(f"the cluster at {self.address} has no worker") from error
        for name, version in client.run(_version, on_error="return").items():
            if version != VERSION:
                found = version if isinstance(version, str) else "none that it can load"
                raise EngineError(
                    f"worker {name} has another version of unifiedbus-dsl, {found}; {VERSION} is wanted everywhere"
                )


def _bytes(fabric: Fabric) -> bytes:
    with scratch_folder() as folder:
        path = folder / "machine.fabric"
        fabric.save(path)
        return path.read_bytes()
