"""Measures of collectives and of reliability: times, failures."""

from __future__ import annotations

from unifiedbus_dsl.analysis.api.asking import answered
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures.answers import Answer


def time(fabric: Fabric, collective: str, algorithm: str | None = None, *, size_bytes: float | None = None) -> Answer:
    """Return how long a collective takes, step by step, in seconds.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        collective: `allreduce(all npu, size = 1 GiB)`, or another of the language.
        algorithm: `ring`, `tree` and so on; default: the fastest that the machine admits.
        size_bytes: the size, where the collective does not say it.

    Raises:
        QuestionError: the collective is wrong, has no size, or no algorithm does it on this machine.
    """
    return answered(fabric, "time", collective, algorithm=algorithm, size=size_bytes)


def sweep(fabric: Fabric, collective: str, algorithm: str | None = None) -> Answer:
    """Return a collective's time by the size of its message; `detail["sizes"]` has a row for each.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        collective: a collective of the language, without a size.
        algorithm: as for `time`.

    Raises:
        QuestionError: the collective is wrong, or no algorithm does it on this machine.
    """
    return answered(fabric, "sweep", collective, algorithm=algorithm)


def optimal_time(fabric: Fabric, collective: str, *, size_bytes: float | None = None) -> Answer:
    """Return bounds of the time in seconds that no schedule of a collective beats.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        collective: a collective of the language.
        size_bytes: the size, where the collective does not say it.

    Raises:
        QuestionError: the collective is wrong or has no size.
    """
    return answered(fabric, "optimal_time", collective, size=size_bytes)


def mtbf(fabric: Fabric) -> float:
    """Return the mean time between failures in seconds, of all parts and cables that state an `afr`.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.

    Raises:
        QuestionError: nothing states one.
    """
    return answered(fabric, "mtbf", "").value


def availability(fabric: Fabric, *, mttr_s: float) -> float:
    """Return the share of the time in which all is up.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        mttr_s: how long a repair takes, seconds.

    Raises:
        QuestionError: nothing states an `afr`.
    """
    return answered(fabric, "availability", "", mttr=mttr_s).value
