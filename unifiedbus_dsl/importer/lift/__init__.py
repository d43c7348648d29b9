"""From a flat network back to text: arrays, index rules and patterns, and what fits none of them cable by cable.

Parts are put into roles (`roles`), addressed by the ports that lead to them (`addresses`), cables between the same port
arrays become rules that most of them keep (`rules`, `fit`), parts that a swapped cable has led astray are moved
(`votes`), and the text (`write`) is compiled and compared with the network device by device and cable by cable
(`verify`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.escape import csv
from unifiedbus_dsl.importer.lift.addresses import relations_of
from unifiedbus_dsl.importer.lift.arrays import Array, arrays_from, signatures_of, starts_of
from unifiedbus_dsl.importer.lift.classes import classes_of
from unifiedbus_dsl.importer.lift.machine import Ints, Machine, machine_of
from unifiedbus_dsl.importer.lift.regular import regular
from unifiedbus_dsl.importer.lift.roles import islands_of, roles_of, tiers_of
from unifiedbus_dsl.importer.lift.rules import Lift, Listed, lifted
from unifiedbus_dsl.importer.lift.verify import LiftError, paths_of_devices, ports_of_types, verify
from unifiedbus_dsl.importer.lift.votes import moved
from unifiedbus_dsl.importer.lift.write import Exceptions, Written, written
from unifiedbus_dsl.importer.listing import ImportFailed
from unifiedbus_dsl.importer.swaps import find_swaps
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import device_names

__all__ = ["Lifted", "lift"]

MOST_STARTS = 8
"""Parts of a role to begin at that are tried."""
MOST_TRIED = 16
WORK = 400_000
"""Cables that are fitted over all that is tried."""
LEAST_TRIED = 3
SMALL = 50_000
"""Cables up to which a shorter text is looked for where one has no exceptions."""
MOST_MOVES = 6
WORTH = 40
"""Letters that it is worth to have a cable in a rule, or as an exception to one, rather than in a list."""


@frozen(eq=False)
class Lifted:
    """A network as text. `files` are lists of cables beside it, by name; `names` is the map of paths of the text to the
    names of the site. `swaps` are pairs of exceptions, each with the cables that the rules want and those that are
    there, as two ends."""

    text: str
    files: dict[str, str]
    names: str
    lines: int
    exceptions: Exceptions
    swaps: tuple[tuple[tuple[frozenset[str], frozenset[str]], tuple[frozenset[str], frozenset[str]]], ...]
    lengths_left_out: int

    @property
    def count(self) -> int:
        """How many exceptions there are, a swap being one."""
        return len(self.exceptions.extra) + len(self.exceptions.lacking) - 3 * len(self.swaps)

    def said(self) -> str:
        """Return in one sentence how short the text is and what keeps to no rule."""
        parts = [counted(self.lines, "line"), counted(self.count, "exception")]
        said = " and ".join(parts)
        if self.swaps:
            said += f", {counted(len(self.swaps), 'pair')} of swapped cables"
        if self.exceptions.listed:
            said += f"; {counted(self.exceptions.listed, 'cable')} of no rule in lists"
        return said


def lift(fabric: Fabric, stem: str = "machine") -> Lifted:
    """Return the shortest text found that compiles to a network; files beside it begin with `stem`.

    Raises:
        ImportFailed: it falls into islands, which no text of one machine may; or not even the list of its cables does,
            as of cables that are not of their ports' width or rate.
    """
    found_as = regular(fabric)
    fabric = found_as.fabric
    machine = machine_of(fabric)
    islands = int(islands_of(machine).max(initial=0)) + 1
    if islands > 1:
        raise ImportFailed(
            f"it falls into {islands:,} islands that no cable joins, and a machine of the language hangs together: "
            "read each of them from a file of its own"
        )
    tiers = tiers_of(machine)
    tried = sorted(_texts(machine, tiers, stem), key=_rank)
    plain = written(_plain(machine), tiers, stem)
    for candidate in (*tried[:3], plain):
        try:
            verify(fabric, machine, candidate)
        except LiftError as error:
            if candidate is plain:
                raise ImportFailed(
                    f"no text compiles to it ({error}): `-o NAME.npz` keeps the network as it is"
                ) from error
            continue
        return _said(fabric, machine, candidate, found_as.labels)
    raise AssertionError


def _texts(machine: Machine, tiers: Ints, stem: str) -> list[Written]:
    """Texts over several ways to tell roles, from several parts to begin at each, until one way has a text without
    exceptions and no other way has fewer roles; of a large network fewer are tried."""
    island, signature = islands_of(machine), signatures_of(machine)
    most = min(MOST_TRIED, max(LEAST_TRIED, WORK // max(1, len(machine.a))))
    tried: list[Written] = []
    fewest = 0
    for role in roles_of(machine):
        count = int(role.max(initial=-1)) + 1
        whole = any(text.exceptions == Exceptions((), (), 0) for text in tried)
        if whole and (count >= fewest or len(machine.a) > SMALL):
            continue
        fewest = count
        relations = relations_of(machine, role)
        for begins in track(starts_of(role, signature, MOST_STARTS)[:most], "look for rules"):
            arrays = arrays_from(machine, role, island, relations, begins)
            tried.append(_settled(machine, role, arrays, tiers, stem))
            if tried[-1].exceptions == Exceptions((), (), 0):
                break
    return tried


def _settled(machine: Machine, role: Ints, arrays: dict[int, Array], tiers: Ints, stem: str) -> Written:
    """Return the text over some arrays, parts moved as long as that leaves less to read."""
    best: Written | None = None
    for _ in range(MOST_MOVES):
        lift = lifted(machine, role, arrays)
        settled = written(lift, tiers, stem)
        if best is not None and _rank(settled) >= _rank(best):
            return best
        best = settled
        again = moved(lift)
        if again is None:
            return best
        arrays = again
    assert best is not None
    return best


def _rank(found: Written) -> int:
    """Return how much there is to read: the text, and lists beside it."""
    return len(found.text) + sum(map(len, found.files.values())) + WORTH * found.exceptions.listed


def _plain(machine: Machine) -> Lift:
    """Return a machine without a rule: kinds as arrays, all cables in lists."""
    arrays = {}
    for kind in np.unique(machine.kind).tolist():
        parts = np.flatnonzero(machine.kind == kind)
        arrays[kind] = Array(parts, np.arange(len(parts))[:, None], (len(parts),))
    return Lift(machine, arrays, tuple(Listed(each) for each in classes_of(machine, machine.kind)))


def _said(fabric: Fabric, machine: Machine, found: Written, labels: Mapping[str, tuple[str, ...]]) -> Lifted:
    exceptions = found.exceptions
    extra, lacking = ([frozenset(ends) for ends in side] for side in (exceptions.extra, exceptions.lacking))
    paths = paths_of_devices(fabric, machine, found.paths)
    site = device_names(machine.plan, np.arange(fabric.device_count)).tolist()
    rows = [("design", "site"), *zip(paths, site, strict=True), *ports_of_types(machine, found, labels)]
    names = csv.table(rows)
    return Lifted(
        found.text,
        dict(found.files),
        names,
        found.lines,
        exceptions,
        tuple(find_swaps(lacking, extra)),
        found.lengths_left_out,
    )
