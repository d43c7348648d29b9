"""Where surveys are solved: in worker processes of this computer, or on a Dask cluster that is there already.

A worker opens the fabric from its file, which is mapped into memory, and makes of it the machine that all its losses
are taken from. A loss and what is left travel; the machine doesn't. A worker that dies is replaced and its losses are
done again; the outcomes are the same whoever solves, and come in any order.
"""

from __future__ import annotations

import os
import re

from unifiedbus_dsl.analysis.survey.engines.cluster import Dask
from unifiedbus_dsl.analysis.survey.engines.processes import Processes, why_not

__all__ = ["Dask", "Processes", "engine_of", "why_not"]

DASK = "dask://"


def engine_of(name: str, workers: int | None = None) -> Processes | Dask:
    """Return the engine of a name: `processes`, or `dask://HOST:PORT`. `workers`: by default one for each processor.

    Raises:
        ValueError: no such engine; the sentence says what there is.
    """
    if name == "processes":
        return Processes(workers or _processors())
    if not name.startswith(DASK):
        raise ValueError(f"there is no engine `{name}`; there are `processes` and `{DASK}HOST:PORT`")
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})/?", name.removeprefix(DASK))
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError(f"`{name}` names no scheduler; write `{DASK}HOST:PORT`, such as `{DASK}localhost:8786`")
    if workers is not None:
        raise ValueError("the workers of a Dask cluster are there already: leave their number out")
    return Dask(f"{match[1]}:{match[2]}")


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
