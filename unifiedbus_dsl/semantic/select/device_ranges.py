"""Device ranges: the devices of some parts of a fabric, each a run of ids, without listing them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ints, concatenate_ranges, unique_rows


@frozen(eq=False, slots=False)
class DeviceRanges:
    """Instances of parts: devices `start[i] … stop[i] - 1` each, in order of `start`, one that holds others before
    them. `noun` says what they are, `keys` of which types."""

    start: Ints
    stop: Ints
    noun: str
    keys: tuple[str, ...] = ()

    def devices(self) -> Ints:
        """Return all devices inside, ascending."""
        return unique_rows(concatenate_ranges(self.start, self.stop))

    def holds(self, device: NDArray[np.integer], port: NDArray[np.integer]) -> Bools:
        """Return which of these ends of cables are in it, [C]."""
        return self.home(device) >= 0

    def both(self, one: NDArray[np.integer], other: NDArray[np.integer]) -> Bools:
        """Return which of these pairs of devices are in one instance, [P]."""
        together = np.zeros(len(one), dtype=bool)
        depths = self.depth
        for depth in range(int(depths.max(initial=-1)) + 1):
            level = self.chosen(depths == depth)
            home = level.home(one)
            together |= (home >= 0) & (home == level.home(other))
        return together

    @cached_property
    def around(self) -> Ints:
        """The number of the smallest other instance that each is inside of, -1 where there is none."""
        parent = np.full(len(self.start), -1, dtype=np.int64)
        if len(self.start) and (self.start[1:] < np.maximum.accumulate(self.stop)[:-1]).any():
            enclosing: list[int] = []
            for number, start in enumerate(self.start.tolist()):
                while enclosing and self.stop[enclosing[-1]] <= start:
                    enclosing.pop()
                parent[number] = enclosing[-1] if enclosing else -1
                enclosing.append(number)
        return parent

    @cached_property
    def depth(self) -> Ints:
        """How many others each instance is inside of: those of one depth are disjoint."""
        depth, at = np.zeros(len(self.start), dtype=np.int64), self.around
        while (at >= 0).any():
            depth += at >= 0
            at = np.where(at >= 0, self.around[at], -1)
        return depth

    def chosen(self, which: Bools) -> DeviceRanges:
        """Return the marked instances alone."""
        return DeviceRanges(self.start[which], self.stop[which], self.noun, self.keys)

    def home(self, devices: NDArray[np.integer]) -> Ints:
        """Return number of the smallest instance that each of these devices is in, -1 where it is in none."""
        at = np.searchsorted(self.start, devices, side="right") - 1
        stop = np.append(self.stop, 0)  # before the first one: below 0 is nothing
        while (beyond := (at >= 0) & (devices >= stop[at])).any():
            at = np.where(beyond, self.around[at], at)
        return np.asarray(at)
