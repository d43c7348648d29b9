"""Time and memory, of a call and of a whole process. Linux only: peaks are read from the kernel."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeVar

import numpy as np
from attrs import frozen

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent


def once(work: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    """Seconds of one call."""
    start = clock()
    result = work()
    taken = clock() - start
    del result
    return taken


def best(rounds: int, *works: Callable[[], object], clock: Callable[[], float] = perf_counter) -> list[float]:
    """The shortest time of each of these calls in several rounds, in turn: what disturbs one only ever adds to it."""
    with no_collector():
        times = [[once(work, clock) for work in works] for _ in range(rounds)]
    return [min(column) for column in zip(*times, strict=True)]


@contextmanager
def no_collector() -> Iterator[None]:
    """Without cyclic garbage collection, which would cost whoever happens to trigger it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def warm_memory(size: int) -> None:
    """Touch so many bytes and give them back: on a virtual machine the first touch of a page costs many times the
    next, and whoever comes first would pay for all."""
    np.ones(size, np.uint8)


# ---- whole processes --------------------------------------------------------------------------------------------


@frozen
class Usage:
    """What a process took: seconds on the clock, bytes of memory at its peak, seconds of processor time."""

    seconds: float
    peak: int
    output: str
    busy: float


def process(command: Sequence[str], cache: Path) -> Usage:
    """Run a command to its end. `cache` keeps compiled Python files, as any installed program has them.

    Raises:
        RuntimeError: it failed.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    output = cache / "output"
    launch = [sys.executable, "-I", str(Path(__file__).with_name("launch.py")), str(output), *command]
    done = subprocess.run(launch, stdout=subprocess.PIPE, text=True, check=True, env=environment, cwd=ROOT)
    status, taken, peak, busy = json.loads(done.stdout)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed: {output.read_text()[-2000:]}")
    return Usage(taken, peak, output.read_text(), busy)


def best_process(rounds: int, command: Sequence[str]) -> Usage:
    """The quickest of several runs after one that warms up; its peak is the highest of them."""
    with TemporaryDirectory() as folder:
        process(command, Path(folder))
        runs = [process(command, Path(folder)) for _ in range(rounds)]
    quickest = min(runs, key=lambda run: run.seconds)
    return Usage(quickest.seconds, max(run.peak for run in runs), quickest.output, quickest.busy)


def ubusc(*arguments: str) -> list[str]:
    """The command line of `ubusc` in this Python."""
    main = "import sys; from unifiedbus_dsl.cli import main; sys.exit(main())"
    return [sys.executable, "-c", main, *arguments]


# ---- memory of a call -------------------------------------------------------------------------------------------


def resident() -> int:
    """Bytes of memory that this process has now."""
    return _status("VmRSS")


def growth(work: Callable[[], T]) -> tuple[T, float, int]:
    """The result of a call, its seconds, and by how many bytes the process grew at the peak of it."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    before, start = resident(), perf_counter()
    result = work()
    return result, perf_counter() - start, _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name + ":")))
