"""What Python gets for a question: frozen results whose columns are those of the fabric.

A column over devices [D] or cables [C] is in the order of the fabric's ids. Of a cable, *forth* is from its end a to
its end b and *back* the other way. Every result names its routing where it has one; SI units throughout. `assumptions`
are what was taken for what nobody knows of the machine; where there are any, no number is exact.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints, frozen_array
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures.certified import bounds
from unifiedbus_dsl.solver.bounds import BoundedValue

if TYPE_CHECKING:
    import pandas


def short(column: Sized) -> str:
    """Of a column a printed result says the length only."""
    return f"[{len(column):,}]"


def frame(columns: dict[str, Any], index: str = "") -> pandas.DataFrame:
    """A data frame of these columns.

    Raises:
        ImportError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError("`to_pandas()` needs pandas: `pip install pandas`") from error
    found = pandas.DataFrame(columns)
    return found.rename_axis(index) if index else found


@frozen(eq=False)
class Distribution:
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

    def to_pandas(self) -> pandas.DataFrame:
        return frame({"value": self.value, "pairs": self.pairs})


@frozen(eq=False)
class CableLoads:
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

    def to_pandas(self) -> pandas.DataFrame:
        """A row a cable, by its id, with the names of its ends and its link."""
        fabric = self.fabric
        a, b = fabric.end_names(np.arange(fabric.cable_count))
        links = np.asarray(list(fabric.plan.links), dtype=object)
        columns = {
            "a": a,
            "b": b,
            "link": links[fabric.kinds.link[fabric.kind]],
            "forth_Bps": self.forth_Bps,
            "back_Bps": self.back_Bps,
            "capacity_Bps": self.capacity_Bps,
        }
        return frame(columns, "cable")


@frozen(eq=False)
class Rates:
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

    def to_pandas(self) -> pandas.DataFrame:
        """A row a device that sends, by its id."""
        some = np.flatnonzero(self.senders)
        names = self.fabric.device_names(some)
        found = frame({"device": names, "rate_Bps": self.rate_Bps[some], "binds": self.binding_devices[some]})
        return found.set_index(np.asarray(some)).rename_axis("id")


@frozen(eq=False)
class FairRates:
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

    def to_pandas(self) -> pandas.DataFrame:
        names = self.fabric.device_names
        columns = {
            "source": names(self.source),
            "target": names(self.target),
            "rate_Bps": self.rate_Bps,
            "count": self.count,
            "finish_s": self.finish_s,
        }
        return frame(columns, "flow")


@frozen(eq=False)
class OversubscriptionResult:
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

    def to_pandas(self) -> pandas.DataFrame:
        return frame({"name": self.name, "inside_Bps": self.inside_Bps, "wall_Bps": self.wall_Bps, "ratio": self.ratio})


@frozen(eq=False)
class BisectionResult:
    """The bisection with both proved bounds. `half` [D] says which end points are on the first side of the cut that
    `capacity.upper` is the capacity of; `cut` [C] are the cables through it."""

    capacity: BoundedValue
    half: Bools = field(repr=short)
    cut: Bools = field(repr=short)
    assumptions: tuple[str, ...] = ()


@frozen(eq=False)
class Path:
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

    def to_pandas(self) -> pandas.DataFrame:
        """A row a hop; `passed_s` is the time of the device that it leads to."""
        names = self.names
        columns = {
            "from": names[:-1],
            "to": names[1:],
            "link": self.link,
            "parallel": self.parallel,
            "cable_s": self.cable_s,
            "passed_s": np.append(self.device_s, 0.0),
        }
        return frame(columns, "hop")


@frozen(eq=False)
class Paths:
    """The paths of fewest cables of a pair: `count` of `hops` cables each, parallel cables told apart. `first` are as
    many as were asked for; `fastest` is a path of least time, which may have more cables."""

    count: int
    hops: int
    first: tuple[Path, ...]
    fastest: Path
    assumptions: tuple[str, ...] = ()


@frozen(eq=False)
class TierCapacity:
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

    def to_pandas(self) -> pandas.DataFrame:
        return frame({"name": self.name, "cables": self.cables, "capacity_Bps": self.capacity_Bps})


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
    """The array, made read-only."""
    return frozen_array(np.asarray(array))
