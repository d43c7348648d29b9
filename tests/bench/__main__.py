"""`python -m tests.bench`: each goal with what was measured, as a table.

Wants the packages of the extra `bench`, and SimGrid for the rows beside it (`.ci/simgrid` builds it). Takes some
minutes, most of them InfraGraph's and SimGrid's; `--only` picks parts.
"""

from __future__ import annotations

import os
import platform
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator

import numpy as np

from tests.bench import graphs, growth, infra, limits, machines, solving, table, whole
from tests.bench.table import Row

PARTS: dict[str, Callable[[Namespace], Iterator[Row]]] = {
    "graphs": lambda given: graphs.rows(given.pods),
    "whole": lambda given: whole.rows(given.pods),
    "growth": lambda _: growth.rows(),
    "infra": lambda _: (row for ports in (32, 64) for row in infra.rows(ports)),
    "solve": lambda given: solving.rows(given.busy),
    "limits": limits.rows,
}


def main() -> int:
    """Print the table; 1 if a goal is missed."""
    given = parser().parse_args()
    print(_machine() + "\n")
    if given.decades:
        print(growth.decades())
        return 0
    rows = [row for part in given.only for row in _told(PARTS[part](given))]
    print("\n" + table.goals(rows))
    return int(not all(row.holds for row in rows))


def parser() -> ArgumentParser:
    """The command line."""
    made = ArgumentParser(prog="python -m tests.bench", description="Goals and what was measured.")
    made.add_argument("--only", nargs="+", choices=[*PARTS], default=[*PARTS], help="these parts only")
    made.add_argument("--pods", type=int, default=machines.PODS, help="pods of 15,488 NPUs, by default %(default)s")
    made.add_argument("--busy", action="store_true", help="where others use the machine: processor time in `solve`")
    made.add_argument("--forestcoll", metavar="DIR", help="a copy of ForestColl, to be the other side in `limits`")
    made.add_argument("--decades", action="store_true", help="10^3 to 10^8 NPUs instead: wants 4 GB of memory")
    return made


def _told(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, each said as soon as it is known."""
    for row in rows:
        print("; ".join(filter(None, row.cells())), flush=True)
        yield row


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {memory:.0f} GiB; Python {platform.python_version()}, NumPy {np.__version__}"


if __name__ == "__main__":
    raise SystemExit(main())
