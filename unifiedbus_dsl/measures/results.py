"""What Python gets for a question: frozen results whose columns are those of the fabric.

A column over devices [D] or cables [C] is in the order of the fabric's ids. Of a cable, *forth* is from its end a to
its end b and *back* the other way. Every result names its routing where it has one; SI units throughout. `assumptions`
are what was taken for what nobody knows of the machine; where there are any, no number is exact.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Any, ClassVar

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array
from unifiedbus_dsl.base.table import Tabular
from unifiedbus_dsl.base.units import RATE
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.certified import bounds
from unifiedbus_dsl.solver.bounds import BoundedValue


def shown_rate(rate_Bps: float) -> str:  # noqa: N803
    """Return a rate as a reader sees it."""
    return shown(rate_Bps, RATE)


def short(column: Sized) -> str:
    """Of a column a printed result says the length only."""
    return f"[{len(column):,}]"


def cable_columns(fabric: Fabric, cables: Ints) -> dict[str, Any]:
    """Return the names of both ends and of the link of these cables."""
    a, b = fabric.end_names(cables)
    links = np.asarray(list(fabric.plan.links), dtype=object)
    return {"a": a, "b": b, "link": links[fabric.kinds.link[fabric.kind[cables]]]}


@frozen(eq=False)
class Distribution(Tabular):
    """How many ordered pairs of different end points have each value (hops, or seconds). `value` [n] ascends, `pairs`
    [n] counts. `farthest` are the names of a pair with the largest value. `unreachable` pairs have no path; where
    there are any, asking for the largest value or the mean raises ValueError."""

    value: Floats = field(repr=short)
    pairs: Ints = field(repr=short)
    unreachable: int
    farthest: tuple[str, str]
    assumptions: tuple[str, ...] = ()

    @property
    def largest(self) -> float:
        self._complete()
        return float(self.value[-1])

    @property
    def mean(self) -> float:
        self._complete()
        return float((self.value * self.pairs).sum() / self.pairs.sum())

    def _complete(self) -> None:
        if self.unreachable:
            raise ValueError(f"{self.unreachable:,} ordered pairs of end points have no path")

    def headline(self) -> str:
        lost = f", {self.unreachable:,} without a path" if self.unreachable else f", mean {self.mean:.6g}"
        return f"{int(self.pairs.sum()):,} pairs{lost}; farthest {' -> '.join(self.farthest)}"

    def row_ids(self) -> Ints:
        return np.arange(len(self.value))

    def columns(self, rows: Ints) -> dict[str, Any]:
        return {"value": self.value[rows], "pairs": self.pairs[rows]}


@frozen(eq=False)
class CableLoads(Tabular):
    """What each cable carries: `forth_Bps` and `back_Bps` [C], of `capacity_Bps` [C] each way."""

    fabric: Fabric = field(repr=False)
    routing: str
    forth_Bps: Floats = field(repr=short)  # noqa: N815
    back_Bps: Floats = field(repr=short)  # noqa: N815
    capacity_Bps: Floats = field(repr=short)  # noqa: N815
    assumptions: tuple[str, ...] = ()

    @property
    def utilisation(self) -> Floats:
        """Of each cable the fuller way, [C]; NaN where a cable has no capacity."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.maximum(self.forth_Bps, self.back_Bps) / self.capacity_Bps)

    INDEX: ClassVar[str] = "cable"

    def headline(self) -> str:
        return f"loads under {self.routing}: {float(np.nanmax(self.utilisation, initial=0.0)):.1%} at the most"

    def row_ids(self) -> Ints:
        return np.arange(self.fabric.cable_count)

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return the names of the ends and of the link, and both ways, of cables by id."""
        return cable_columns(self.fabric, rows) | {
            "forth_Bps": self.forth_Bps[rows],
            "back_Bps": self.back_Bps[rows],
            "capacity_Bps": self.capacity_Bps[rows],
        }


@frozen(eq=False)
class Rates(Tabular):
    """The largest throughput: `scale` times the traffic fits. `rate_Bps` [D] is what each device then injects, `loads`
    what each cable then carries. `binding` [C] are the cables that are full, either way; `binding_devices` [D] those
    whose injection is."""

    fabric: Fabric = field(repr=False)
    routing: str
    scale: BoundedValue
    rate_Bps: Floats = field(repr=short)  # noqa: N815
    loads: CableLoads
    binding: Bools = field(repr=short)
    binding_devices: Bools = field(repr=short)
    assumptions: tuple[str, ...] = ()

    @property
    def senders(self) -> Bools:
        """Devices that send something, [D]."""
        return np.asarray(self.rate_Bps > 0)

    @property
    def least_Bps(self) -> float:  # noqa: N802
        """Least rate that a sender injects."""
        return float(self.rate_Bps[self.senders].min())

    @property
    def mean_Bps(self) -> float:  # noqa: N802
        return float(self.rate_Bps[self.senders].mean())

    @property
    def most_Bps(self) -> float:  # noqa: N802
        return float(self.rate_Bps[self.senders].max())

    INDEX: ClassVar[str] = "id"

    def headline(self) -> str:
        return f"throughput under {self.routing}: {shown_rate(self.least_Bps)} at the least ({self.scale.kind})"

    def row_ids(self) -> Ints:
        return np.flatnonzero(self.senders)

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return the name, the rate and whether its injection binds, of devices by id."""
        return {
            "device": self.fabric.device_names(rows),
            "rate_Bps": self.rate_Bps[rows],
            "binds": self.binding_devices[rows],
        }


@frozen(eq=False)
class FairRates(Tabular):
    """Max-min fair rates: flow i from device `source[i]` to device `target[i]` gets `rate_Bps[i]`, and so do all
    `count[i]` flows that symmetry makes equal to it. `finish_s[i]` is when it ends where the traffic has a size, else
    NaN."""

    fabric: Fabric = field(repr=False)
    source: Ints = field(repr=short)
    target: Ints = field(repr=short)
    rate_Bps: Floats = field(repr=short)  # noqa: N815
    count: Floats = field(repr=short)
    finish_s: Floats = field(repr=short)
    assumptions: tuple[str, ...] = ()

    @property
    def least_Bps(self) -> float:  # noqa: N802
        return float(self.rate_Bps.min())

    @property
    def mean_Bps(self) -> float:  # noqa: N802
        return float((self.rate_Bps * self.count).sum() / self.count.sum())

    @property
    def makespan_s(self) -> float:
        """When the last flow ends."""
        return float(self.finish_s.max())

    INDEX: ClassVar[str] = "flow"

    def headline(self) -> str:
        return f"max-min fair rates: {shown_rate(self.least_Bps)} at the least, {shown_rate(self.mean_Bps)} in the mean"

    def row_ids(self) -> Ints:
        return np.arange(len(self.source))

    def columns(self, rows: Ints) -> dict[str, Any]:
        names = self.fabric.device_names
        return {
            "source": names(self.source[rows]),
            "target": names(self.target[rows]),
            "rate_Bps": self.rate_Bps[rows],
            "count": self.count[rows],
            "finish_s": self.finish_s[rows],
        }


@frozen(eq=False)
class OversubscriptionResult(Tabular):
    """A row for each assembly that was selected: `name`, what can be injected inside and what gets through its wall
    (raw rates one way), and their `ratio` (infinite where nothing gets through)."""

    name: tuple[str, ...] = field(repr=short)
    inside_Bps: Floats = field(repr=short)  # noqa: N815
    wall_Bps: Floats = field(repr=short)  # noqa: N815
    ratio: Floats = field(repr=short)
    assumptions: tuple[str, ...] = ()

    @property
    def worst(self) -> float:
        """The largest ratio."""
        return float(self.ratio.max())

    def headline(self) -> str:
        return f"oversubscription, {self.worst:.4g} : 1 at the worst"

    def row_ids(self) -> Ints:
        return np.arange(len(self.name))

    def columns(self, rows: Ints) -> dict[str, Any]:
        return {
            "name": [self.name[row] for row in rows.tolist()],
            "inside_Bps": self.inside_Bps[rows],
            "wall_Bps": self.wall_Bps[rows],
            "ratio": self.ratio[rows],
        }


@frozen(eq=False)
class BisectionResult(Tabular):
    """The bisection with both proved bounds. `half` [D] says which end points are on the first side of the cut that
    `capacity.upper` is the capacity of; `cut` [C] are the cables through it."""

    fabric: Fabric = field(repr=False)
    capacity: BoundedValue
    half: Bools = field(repr=short)
    cut: Bools = field(repr=short)
    assumptions: tuple[str, ...] = ()

    INDEX: ClassVar[str] = "cable"

    def headline(self) -> str:
        ends = {shown_rate(self.capacity.lower): "", shown_rate(self.capacity.upper): ""}
        return f"bisection {' to '.join(ends)} ({self.capacity.kind}), through {int(self.cut.sum()):,} cables"

    def row_ids(self) -> Ints:
        return np.flatnonzero(self.cut)

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return the names of the ends and of the link of the cables cut, by id."""
        return cable_columns(self.fabric, rows)


@frozen(eq=False)
class Path(Tabular):
    """One path: `devices` [n + 1] by id, and of each hop its link, how many cables there are to choose from, and its
    time. `device_s` [n - 1] are the times of the devices passed, `transfer_s` is the message over the narrowest
    cable."""

    fabric: Fabric = field(repr=False)
    devices: Ints = field(repr=short)
    link: tuple[str, ...]
    parallel: Ints = field(repr=short)
    cable_s: Floats = field(repr=short)
    device_s: Floats = field(repr=short)
    transfer_s: float

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.fabric.device_names(self.devices))

    @property
    def time_s(self) -> float:
        return float(self.cable_s.sum() + self.device_s.sum() + self.transfer_s)

    INDEX: ClassVar[str] = "hop"

    def headline(self) -> str:
        return f"{self.names[0]} -> {self.names[-1]}: {len(self.link)} cables, {self.time_s:.6g} s"

    def row_ids(self) -> Ints:
        return np.arange(len(self.link))

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return of each hop its ends, link, cables to choose from and times; `passed_s` is that of the device that it
        leads to."""
        names = np.asarray(self.names, dtype=object)
        return {
            "from": names[rows],
            "to": names[rows + 1],
            "link": np.asarray(self.link, dtype=object)[rows],
            "parallel": self.parallel[rows],
            "cable_s": self.cable_s[rows],
            "passed_s": np.append(self.device_s, 0.0)[rows],
        }


@frozen(eq=False)
class Paths(Tabular):
    """The paths of fewest cables of a pair: `count` of `hops` cables each, parallel cables told apart. `first` are as
    many as were asked for; `fastest` is a path of least time, which may have more cables."""

    count: int
    hops: int
    first: tuple[Path, ...]
    fastest: Path
    assumptions: tuple[str, ...] = ()

    INDEX: ClassVar[str] = "path"

    def headline(self) -> str:
        return f"{self.count:,} shortest paths of {self.hops} cables; the fastest takes {self.fastest.time_s:.6g} s"

    def row_ids(self) -> Ints:
        return np.arange(len(self.first))

    def columns(self, rows: Ints) -> dict[str, Any]:
        """Return of each path written out the names of its devices and its time."""
        chosen = [self.first[row] for row in rows.tolist()]
        return {"devices": [" -> ".join(each.names) for each in chosen], "time_s": [each.time_s for each in chosen]}


@frozen(eq=False)
class TierCapacity(Tabular):
    """A row for the cables between each two tiers: `name` (`0 to 1`), their number, and what they carry one way."""

    name: tuple[str, ...] = field(repr=short)
    cables: Ints = field(repr=short)
    capacity_Bps: Floats = field(repr=short)  # noqa: N815
    tier: Ints = field(repr=short)
    """Tier of each device, [D]: its least distance from the end points, -1 where there is none."""
    assumptions: tuple[str, ...] = ()

    @property
    def tiers(self) -> int:
        """How many tiers there are."""
        return int(self.tier.max()) + 1

    def headline(self) -> str:
        return f"{self.tiers} tiers"

    def row_ids(self) -> Ints:
        return np.arange(len(self.name))

    def columns(self, rows: Ints) -> dict[str, Any]:
        return {
            "name": [self.name[row] for row in rows.tolist()],
            "cables": self.cables[rows],
            "capacity_Bps": self.capacity_Bps[rows],
        }


@bounds.register
def _(answer: Distribution) -> tuple[float, float]:
    return float(answer.value[-1]), float(answer.value[-1])


@bounds.register
def _(answer: CableLoads) -> tuple[float, float]:
    largest = float(np.nanmax(answer.utilisation, initial=0.0))
    return largest, largest


@bounds.register
def _(answer: Rates) -> tuple[float, float]:
    lower = answer.least_Bps
    return lower, lower * (answer.scale.upper / answer.scale.lower if answer.scale.lower else np.inf)


@bounds.register
def _(answer: FairRates) -> tuple[float, float]:
    return answer.least_Bps, answer.least_Bps


@bounds.register
def _(answer: OversubscriptionResult) -> tuple[float, float]:
    return answer.worst, answer.worst


@bounds.register
def _(answer: BisectionResult) -> tuple[float, float]:
    return answer.capacity.lower, answer.capacity.upper


@bounds.register
def _(answer: Paths) -> tuple[float, float]:
    return float(answer.count), float(answer.count)


@bounds.register
def _(answer: TierCapacity) -> tuple[float, float]:
    return float(answer.tiers), float(answer.tiers)


def read_only(array: Any) -> Any:
    """Return the array, made read-only."""
    return frozen_array(np.asarray(array))
