"""What end points send to each other: a matrix D of rates, kept as a rule or as a list of pairs."""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.base.arrays import Floats, Ints, bincount, concatenate_ranges, frozen_array
from unifiedbus_dsl.graph.network import Network
from unifiedbus_dsl.graph.symmetry import Automorphism, Symmetry, endpoint_images, relabel


@frozen(eq=False)
class Groups:
    """D(s, t) = `rate` for different s and t of the same group. `group` [E], -1: takes no part."""

    group: Ints
    rate: float = 1.0


@frozen(eq=False)
class Pairs:
    """D(source[i], target[i]) adds up `rate[i]`. Columns of equal length."""

    source: Ints
    target: Ints
    rate: Floats


Demand: TypeAlias = Groups | Pairs

SAMPLE = 256
"""Pairs whose images are looked up before those of all."""


def all_to_all(network: Network, members: ArrayLike | None = None, rate: float = 1.0) -> Groups:
    """Return each of the members (default: every end point) to each other."""
    group = network.selected(members).astype(np.int64) - 1
    return Groups(frozen_array(group), rate)


def pairs(source: ArrayLike, target: ArrayLike, rate: ArrayLike = 1.0) -> Pairs:
    """Listed pairs; what an end point sends itself crosses no cable and is left out."""
    a, b, r = np.broadcast_arrays(
        np.asarray(source, dtype=np.int64), np.asarray(target, dtype=np.int64), np.asarray(rate, dtype=np.float64)
    )
    real = (a != b) & (r > 0)
    return Pairs(frozen_array(a[real]), frozen_array(b[real]), frozen_array(r[real]))


def scaled(demand: Demand, factor: float) -> Demand:
    """Return a demand with every rate times a factor."""
    if isinstance(demand, Groups):
        return evolve(demand, rate=demand.rate * factor)
    return evolve(demand, rate=frozen_array(demand.rate * factor))


def _sizes(demand: Groups) -> tuple[NDArray[np.bool_], Ints, Ints]:
    inside = demand.group >= 0
    size = np.bincount(demand.group[inside])
    return inside, demand.group[inside], size


def to_pairs(demand: Groups) -> tuple[Ints, Ints]:
    """Source and target of each pair that sends, in order of (source, target)."""
    inside, group, size = _sizes(demand)
    sources = np.flatnonzero(inside)
    stop = np.cumsum(size)
    members = sources[np.argsort(group, kind="stable")]
    one = np.repeat(sources, size[group])
    two = members[concatenate_ranges((stop - size)[group], stop[group])]
    return one[one != two], two[one != two]


def row_sums(demand: Demand, ends: int) -> Floats:
    """Row sums: what each end point sends, [E]."""
    if isinstance(demand, Pairs):
        return bincount(demand.source, demand.rate, ends)
    total = np.zeros(ends)
    inside, group, size = _sizes(demand)
    total[inside] = demand.rate * (size[group] - 1)
    return total


def column_sums(demand: Demand, ends: int) -> Floats:
    """Column sums: what each end point receives, [E]."""
    if isinstance(demand, Pairs):
        return bincount(demand.target, demand.rate, ends)
    return row_sums(demand, ends)


def demand_column(demand: Demand, target: int, ends: int) -> Floats:
    """Column of D: what each end point sends to `target`, [E]."""
    if isinstance(demand, Pairs):
        here = demand.target == target
        return bincount(demand.source[here], demand.rate[here], ends)
    column = np.where(demand.group == demand.group[target], demand.rate, 0.0)
    column[target] = 0.0
    return column


def demand_row(demand: Demand, source: int, ends: int) -> Floats:
    """Row of D: what `source` sends to each end point, [E]."""
    if isinstance(demand, Groups):
        return demand_column(demand, source, ends)
    here = demand.source == source
    return bincount(demand.target[here], demand.rate[here], ends)


def marginal_classes(row: Floats, column: Floats) -> Ints:
    """Return the same number for end points that send as much and receive as much, [E]."""
    columns = relabel(column)
    return relabel(relabel(row).astype(np.int64) * (int(columns.max(initial=0)) + 1) + columns).astype(np.int64)


def invariant_symmetries(symmetry: Symmetry, demand: Demand, colour: ArrayLike | None = None) -> Symmetry:
    """Return the symmetries under which the demand is the same: D(g s, g t) = D(s, t). For listed pairs a `colour`
    ([E]) that they keep as well says where to look."""
    if isinstance(demand, Groups):
        inside = demand.group >= 0
        if len(np.unique(demand.group[inside])) > 1:
            return symmetry.restricted(partition=demand.group)
        return symmetry if inside.all() else symmetry.restricted(colour=inside)
    images = PairImages(symmetry.network, demand)
    return symmetry.restricted(colour=colour, keep=lambda generator: images.moved(generator) is not None)


@frozen(eq=False, slots=False)
class PairImages:
    """Where symmetries take listed pairs."""

    network: Network
    demand: Pairs

    def moved(self, generator: Automorphism) -> tuple[Ints, Ints] | None:
        """Return the pairs that a symmetry moves, and pairs of the same rate that they go to, each to one of its own;
        None if the demand is not the same under it."""
        image = endpoint_images(self.network, generator)
        moves = image != np.arange(len(image))
        some = np.flatnonzero(moves[self.demand.source] | moves[self.demand.target])
        if self._images(image, some[:: max(1, len(some) // SAMPLE)]) is None:
            return None
        there = self._images(image, some)
        return None if there is None else (some, there)

    def _images(self, image: Ints, some: Ints) -> Ints | None:
        demand, key = self.demand, self._key
        after = image[demand.source[some]] * self.network.ends + image[demand.target[some]]
        first = self._first[image[demand.source[some]]] if self._once else np.searchsorted(key, after) + self._nth[some]
        place = np.minimum(first, len(key) - 1)
        if (key[place] != after).any():
            return None
        there = self._order[place]
        return None if (demand.rate[there] != demand.rate[some]).any() else there

    @cached_property
    def _order(self) -> Ints:
        """The pairs in order of source, target and rate."""
        demand = self.demand
        return np.lexsort((demand.rate, demand.source * self.network.ends + demand.target))

    @cached_property
    def _key(self) -> Ints:
        """Source and target as one number, in order."""
        return np.asarray((self.demand.source * self.network.ends + self.demand.target)[self._order])

    @cached_property
    def _first(self) -> Ints:
        """Where the pairs of each end point begin in order, [E]."""
        return np.searchsorted(self._key, np.arange(self.network.ends) * self.network.ends)

    @cached_property
    def _once(self) -> bool:
        """Whether no end point sends to more than one."""
        source = self._key // self.network.ends
        return bool((source[1:] != source[:-1]).all())

    @cached_property
    def _nth(self) -> Ints:
        """How many equal pairs come before each in order."""
        nth = np.empty(len(self._key), dtype=np.int64)
        nth[self._order] = np.arange(len(self._key)) - np.searchsorted(self._key, self._key)
        return nth
