"""The same outcomes wherever surveys are solved, and none lost where a worker dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.analysis.survey import machines
from unifiedbus_dsl.analysis.survey.engines import Dask, Processes, dispatch, engine_of
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.solver.resilience import contingency
from unifiedbus_dsl.solver.resilience.contingency import EngineError, Outage, Outcome, SerialExecutor


@pytest.fixture(scope="module")
def pod() -> NetworkContext:
    return machines.machine()


def losses(pod: NetworkContext) -> list[Outage]:
    """Each device, and some pairs of cables."""
    none = np.zeros(0, dtype=np.int64)
    devices = [Outage(np.array([d]), np.array([d + 1]), none) for d in range(pod.fabric.device_count)]
    return [*devices, *(Outage(none, none, np.array([c, c + 9])) for c in range(8))]


def outcomes(engine: contingency.Engine, pod: NetworkContext, measure: Any = machines.mark) -> list[tuple[Any, str]]:
    found = dict(engine.run(pod, measure, losses(pod)))
    assert sorted(found) == list(range(len(losses(pod))))
    return [(found[n].value, found[n].reason) for n in sorted(found)]


@pytest.fixture(scope="module")
def expected(pod: NetworkContext) -> list[tuple[Any, str]]:
    found = outcomes(SerialExecutor(), pod)
    assert found[5] == (None, "not without switch 5")
    assert len({value for value, _ in found}) > 22
    return found


# ---- handing out, without any process --------------------------------------------------------------------------------


class Clumsy(dispatch.Pool):
    """Two workers, last in first out; one dies at each of the hand-outs `dies_at`, and then all in hand is lost."""

    def __init__(self, dies_at: tuple[int, ...] = (), *, at_submit: bool = False) -> None:
        self.dies_at, self.at_submit = dies_at, at_submit
        self.handed = self.restarts = self.most = 0
        self.broken = False
        self.open: dict[int, int] = {}

    def workers(self) -> int:
        return 2

    def submit(self, loss: Outage) -> int:
        self.handed += 1
        if self.handed in self.dies_at:
            self.broken = True
        if self.broken and self.at_submit:
            raise dispatch.WorkerLost
        self.open[self.handed] = int(loss.start[0])
        self.most = max(self.most, len(self.open))
        return self.handed

    def done(self, handed: Any) -> Any:
        assert handed
        assert set(handed) == set(self.open)
        return list(handed) if self.broken else [max(handed)]

    def outcome(self, handed: int) -> Outcome[Any]:
        if self.broken:
            raise dispatch.WorkerLost
        return Outcome(self.open.pop(handed) * 10)

    def restart(self) -> None:
        self.restarts += 1
        self.broken = False
        self.open.clear()


def numbered(count: int) -> list[Outage]:
    none = np.zeros(0, dtype=np.int64)
    return [Outage(np.array([k]), np.array([k + 1]), none) for k in range(count)]


@pytest.mark.parametrize("at_submit", [False, True])
@pytest.mark.parametrize("dies_at", [(), (1,), (3, 12), (9, 20, 31), (24,)])
def test_each_loss_is_done_once_whoever_dies(dies_at: tuple[int, ...], at_submit: bool) -> None:
    pool = Clumsy(dies_at, at_submit=at_submit)
    found = list(dispatch.dispatch(pool, numbered(24)))
    assert sorted((number, outcome.value) for number, outcome in found) == [(k, 10 * k) for k in range(24)]
    assert pool.restarts == len([at for at in dies_at if at <= pool.handed])
    assert pool.most <= 2 * dispatch.AHEAD


def test_workers_that_keep_dying_are_given_up() -> None:
    pool = Clumsy(tuple(range(1, 100)))
    with pytest.raises(EngineError, match=f"died {dispatch.MOST_DEATHS} times"):
        list(dispatch.dispatch(pool, numbered(5)))
    assert pool.restarts == dispatch.MOST_DEATHS - 1
    refusing = Clumsy(tuple(range(1, 100)), at_submit=True)
    with pytest.raises(EngineError, match="died"):
        list(dispatch.dispatch(refusing, numbered(5)))


def test_nothing_to_do() -> None:
    assert list(dispatch.dispatch(Clumsy(), [])) == []


# ---- processes -------------------------------------------------------------------------------------------------------


def test_one_process_is_this_one(pod: NetworkContext) -> None:
    (found,) = {outcome.value for _, outcome in Processes(1).run(pod, lambda _: os.getpid(), losses(pod))}
    assert found == os.getpid()


@pytest.mark.slow
def test_processes_give_what_this_one_gives(pod: NetworkContext, expected: list[tuple[Any, str]]) -> None:
    assert outcomes(Processes(2), pod) == expected
    hurt = pod.damaged([3], [7], ([8], 0.5))
    assert outcomes(Processes(2), hurt) == outcomes(SerialExecutor(), hurt) != expected


@pytest.mark.slow
def test_a_process_that_dies_loses_nothing(
    pod: NetworkContext, expected: list[tuple[Any, str]], tmp_path: Path
) -> None:
    assert outcomes(Processes(2), pod, machines.DiesOnce(tmp_path, 7)) == expected
    assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_processes_that_always_die_end_in_an_error(pod: NetworkContext) -> None:
    with pytest.raises(EngineError, match="died"):
        outcomes(Processes(2), pod, machines.always_dies)


@pytest.mark.slow
def test_a_fault_of_the_measure_is_told_as_it_is(pod: NetworkContext) -> None:
    with pytest.raises(ZeroDivisionError, match="a fault of the measure"):
        outcomes(Processes(2), pod, machines.wrong)


@pytest.mark.slow
def test_what_is_running_is_ended_with_the_survey(pod: NetworkContext, tmp_path: Path) -> None:
    """Ctrl-C while both workers sleep: what is done is kept, and no process stays."""

    def interrupt() -> None:
        while len(list(tmp_path.iterdir())) < 2:
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    parts = contingency.blocks(pod, "device", np.arange(22), np.arange(22) + 1, None)
    threading.Thread(target=interrupt, daemon=True).start()
    began = time.monotonic()
    found = contingency.sample_outages(
        pod, parts, machines.Waits(tmp_path), fail=1, count=80, seed=1, engine=Processes(2)
    )
    assert time.monotonic() - began < 40
    assert not found.complete
    assert found.error is None
    assert {draw.outcome.value for draw in found.draws} <= {1.0}
    for name in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(name.name), 0)


# ---- a Dask cluster --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1"
    ) as found:
        yield found


def dask(cluster: Any) -> Dask:
    return Dask(cluster.scheduler_address.removeprefix("tcp://"))


@pytest.mark.slow
def test_a_cluster_gives_what_this_process_gives(
    pod: NetworkContext, expected: list[tuple[Any, str]], cluster: Any
) -> None:
    assert outcomes(dask(cluster), pod) == expected
    hurt = pod.damaged([3], [7], ([8], 0.5))
    assert outcomes(dask(cluster), hurt) == outcomes(SerialExecutor(), hurt)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_loses_nothing(
    pod: NetworkContext, expected: list[tuple[Any, str]], cluster: Any, tmp_path: Path
) -> None:
    before = {worker.pid for worker in cluster.workers.values()}
    assert outcomes(dask(cluster), pod, machines.DiesOnce(tmp_path, 7, pause_s=0.05)) == expected
    assert (tmp_path / "died").exists()
    assert {worker.pid for worker in cluster.workers.values()} != before


@pytest.mark.slow
def test_workers_of_a_cluster_that_always_die_end_in_an_error(pod: NetworkContext, cluster: Any) -> None:
    with pytest.raises(EngineError, match="died"):
        list(dask(cluster).run(pod, machines.always_dies, losses(pod)[:1]))


@pytest.mark.slow
def test_a_cluster_without_workers_is_refused(pod: NetworkContext) -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", host="127.0.0.1") as empty:
        engine = Dask(empty.scheduler_address.removeprefix("tcp://"), patience_s=1.0)
        with pytest.raises(EngineError, match="has no worker"):
            list(engine.run(pod, machines.mark, losses(pod)))


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer(pod: NetworkContext) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    began = time.monotonic()
    with pytest.raises(EngineError, match=r"no scheduler answers at 127\.0\.0\.1:1 within 1 s"):
        list(Dask("127.0.0.1:1", patience_s=1.0).run(pod, machines.mark, losses(pod)))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["silent", "another server"])
def test_what_listens_there_is_no_scheduler(
    pod: NetworkContext, says: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_answer, args=(server, says), daemon=True).start()
        began = time.monotonic()
        engine = Dask(f"127.0.0.1:{server.getsockname()[1]}", patience_s=1.0)
        with pytest.raises(EngineError, match="no scheduler answers"):
            list(engine.run(pod, machines.mark, losses(pod)))
        assert time.monotonic() - began < 20
    assert "Traceback" not in capfd.readouterr().err


def _answer(server: socket.socket, says: bytes) -> None:
    """Take connections and say this, for as long as the server is there."""
    taken = []
    try:
        while True:
            taken.append(server.accept()[0])
            taken[-1].sendall(says)
    except OSError:
        for each in taken:
            each.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "dead"])
def test_a_scheduler_that_is_lost_in_the_middle(
    pod: NetworkContext, number: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", f"tcp://{address}", "--no-dashboard"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", f"tcp://{address}", "--no-nanny", "--no-dashboard"]
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    processes = [subprocess.Popen(each, **quiet) for each in (words, worker)]
    try:
        coming = Dask(address, patience_s=5.0).run(pod, machines.Waits(tmp_path), losses(pod))
        next(coming)
        processes[0].send_signal(number)
        began = time.monotonic()
        with pytest.raises(EngineError):
            list(coming)
        assert time.monotonic() - began < 120
        assert "Traceback" not in capfd.readouterr().err
    finally:
        for process in processes:
            process.kill()
            process.wait()


# ---- names -----------------------------------------------------------------------------------------------------------


def test_engines_by_name() -> None:
    assert engine_of("processes", 3) == Processes(3)
    assert isinstance(engine_of("processes"), Processes)
    assert engine_of("dask://head-node:8786") == Dask("head-node:8786")
    assert engine_of("dask://[::1]:8786/") == Dask("[::1]:8786")


@pytest.mark.parametrize(
    ("name", "workers", "says"),
    [
        ("threads", None, "there is no engine `threads`"),
        ("dask://", None, "names no scheduler"),
        ("dask://host", None, "names no scheduler"),
        ("dask://host:0", None, "names no scheduler"),
        ("dask://host:65536", None, "names no scheduler"),
        ("dask://ho st:1", None, "names no scheduler"),
        ("dask://host:8786/path", None, "names no scheduler"),
        ("tcp://host:8786", None, "there is no engine"),
        ("dask://host:8786", 2, "leave their number out"),
    ],
)
def test_engines_that_are_none(name: str, workers: int | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        engine_of(name, workers)


def test_without_shared_memory_all_is_solved_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container without `/dev/shm`: said, and solved all the same; not where workers were asked for."""

    def none(self: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("multiprocessing.context.SpawnContext.Lock", none)
    monkeypatch.setattr("unifiedbus_dsl.analysis.survey.engines._processors", lambda: 4)
    spec = str(Path(__file__).parents[3] / "specs/textbook/ring.ubus")
    assert main(["survey", spec, "--of", "link"]) == 0
    assert "can't be had here (permission denied)" in capsys.readouterr().err
    assert main(["survey", spec, "--of", "link", "--workers", "2"]) == 2
