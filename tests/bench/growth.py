"""How time and memory grow with the machine."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import evolve

from tests.bench import clock, machines
from tests.bench.table import Row, megabytes, number, seconds, text
from unifiedbus_dsl.ir.fabric.expand import expand

POD = 1024
"""NPUs in a pod of the machine that grows."""
SIZES = tuple(8 << n for n in range(8))
"""Pods: 8,192 to 1,048,576 NPUs."""
DECADES = (1, 10, 98, 977, 9766, 97_656)
"""Pods: 10^3 to 10^8 NPUs."""
COMPILED = 10_000
"""More pods than this are only checked."""
ROUNDS = 5


def rows(sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """What doubling the machine does, again and again."""
    times = [_times(size) for size in sizes]
    peaks = [_peak(machines.scaled(size)) for size in sizes]
    span = f"{sizes[0] * POD:,} to {sizes[-1] * POD:,} NPUs"
    for name, column in (("text to fabric", [t[0] for t in times]), ("expansion alone", [t[1] for t in times])):
        note = f"{seconds(column[0])} to {seconds(column[-1])}, {span}"
        yield Row(f"doubling: time of {name}, on average", _mean(column), "x", 2, note=note)
    most = max(after / before for before, after in pairwise(peaks))  # where ids pass 65,535 and become wider
    note = f"{megabytes(peaks[0])} to {megabytes(peaks[-1])}; at most {number(most)} x"
    yield Row("doubling: memory at the peak, on average", _mean(peaks), "x", 2, note=note)


def _times(pods: int) -> tuple[float, float]:
    """Seconds from text to fabric, and from plan to fabric."""
    whole = machines.scaled(pods)
    plan = machines.plan_of(whole)
    clock.warm_memory(250 * POD * pods)
    one, other = clock.best(ROUNDS, partial(machines.fabric_of, whole), lambda: expand(evolve(plan)))
    return one, other


def _peak(whole: str) -> float:
    """Bytes at the peak from text to fabric, as the allocators of Python and NumPy count them."""
    machines.fabric_of(whole)
    tracemalloc.start()
    try:
        machines.fabric_of(whole)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _mean(column: Sequence[float]) -> float:
    """The factor of one doubling, from first to last."""
    return 2 ** (log2(column[-1] / column[0]) / (len(column) - 1))


# ---- ten to the third to ten to the eighth ------------------------------------------------------------------------


def decades(pods: Sequence[int] = DECADES) -> str:
    """Whole processes over powers of ten, as a table."""
    head = ("NPUs", "devices", "cables", "`check`", "peak", "`compile`", "peak", "fabric file", "bytes an NPU")
    return text(head, map(_decade, pods))


def _decade(pods: int) -> list[str]:
    plan = machines.plan_of(machines.scaled(pods))
    counts = [pods * POD, plan.device_count[plan.root], plan.numbering.cable_count[plan.root]]
    with TemporaryDirectory() as folder:
        path = Path(folder, "machine.ubus")
        path.write_text(machines.scaled(pods))
        check = clock.best_process(2, clock.ubusc("check", str(path)))
        costs = [seconds(check.seconds), megabytes(check.peak)]
        if pods > COMPILED:
            costs += ["-"] * 4
        else:
            whole = clock.best_process(2, clock.ubusc("compile", str(path), "-o", f"{folder}/out"))
            size = Path(folder, "out", "machine.npz").stat().st_size
            costs += [seconds(whole.seconds), megabytes(whole.peak), megabytes(size), f"{size / counts[0]:.0f}"]
    return [*(f"{count:,}" for count in counts), *costs]
