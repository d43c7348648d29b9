"""Whole processes: `ubusc compile` and `ubusc check` from the command line to the last byte on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import clock, machines
from tests.bench.table import Row, megabytes, seconds
from unifiedbus_dsl.ir.fabric import Fabric

ROUNDS = 3


def rows(pods: int) -> Iterator[Row]:
    """`pods` pods of the Atlas 960 SuperCluster."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "cluster.ubus")
        path.write_text(machines.supercluster(pods))
        run = clock.best_process(ROUNDS, clock.ubusc("compile", str(path), "-o", f"{folder}/out"))
        size = Path(folder, "out", "cluster.npz").stat().st_size
        yield Row("`ubusc compile`, text to fabric file and pictures: time", run.seconds, "s", 5)
        note = f"{megabytes(run.peak)} for a file of {megabytes(size)}"
        yield Row("the same: peak memory / fabric file", run.peak / size, "x", 3, note=note)
        yield from opening(Path(folder, "out", "cluster.npz"))
        run = clock.best_process(ROUNDS, clock.ubusc("check", str(path)))
        yield Row("`ubusc check`: time", run.seconds, "s", 0.6)
        yield Row("the same: peak memory", run.peak / 1e6, "MB", 150)


def opening(path: Path) -> Iterator[Row]:
    """Opening the file and taking a cabinet out: what that reads."""
    Fabric.load(path).slice("pod[0]")  # imports what is imported late
    part, taken, grown = clock.growth(lambda: Fabric.load(path).slice("pod[1].cabinet[3]"))
    note = f"{seconds(taken)}; {len(part.cables):,} cables, {megabytes(grown)} of memory"
    yield Row("opening the file for one cabinet: memory / file", grown / path.stat().st_size, "x", 1.1, note=note)
