"""A step on the part of the network that it touches, and there on one of each of the blocks that are the same.

Boards that exchange among themselves are as many problems as there are boards, all one: their cables and what they
send are the same but for the numbers. A block is a range of devices that no touched arc leaves; that two are the same
is seen by comparing their columns, number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from math import prod

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base.arrays import Ints, concatenate_ranges, frozen_array, unique_rows
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.network import Network, connected_components, cut_devices
from unifiedbus_dsl.graph.symmetry import Array, Symmetry, find_symmetry, locate_arrays, segment_sums, splitmix64
from unifiedbus_dsl.solver.collectives.step_time import StepTiming, step_timing
from unifiedbus_dsl.solver.demand import Demand, Groups, Pairs
from unifiedbus_dsl.solver.flow.max_min_fair import FULL_WITHIN
from unifiedbus_dsl.solver.paths.active_arcs import MOST_ORBITS, ActiveArcs

_Piece = Callable[[int], Demand]

MOST_SORTS = 16
"""Sorts of blocks that are solved each for itself; with more, all blocks are solved as one network."""


@frozen(eq=False, slots=False)
class BlockDecomposition:
    """Steps on a network whose lengths its symmetries know, each on its blocks; `arrays` say where to look for the
    symmetries of a part."""

    symmetry: Symmetry
    arrays: Sequence[Array]
    _parts: dict[bytes, _Subnetwork] = field(factory=dict, init=False, repr=False)

    def timing(self, demand: Demand, deadline_s: float = np.inf) -> StepTiming:
        """Return what `steps.timing` says of the step.

        Raises:
            NoPathError: a flow crosses what is not joined.
            TooLateError: it is not solved by `deadline_s`.
        """
        if not self.symmetry.generators or self.symmetry.arc_orbits > MOST_ORBITS:
            return step_timing(self.symmetry, demand, deadline_s=deadline_s)
        orbits = self._touching.orbits(demand)
        if orbits is None or len(orbits) == self.symmetry.arc_orbits:
            return step_timing(self.symmetry, demand, deadline_s=deadline_s)
        key = orbits.tobytes()
        if key not in self._parts:
            arcs = np.flatnonzero(np.isin(np.arange(self.symmetry.arc_orbits), orbits)[self.symmetry.arc_orbit])
            self._parts[key] = _Subnetwork(self.symmetry.network, self.arrays, arcs)
        return self._parts[key].timing(demand, deadline_s)

    @cached_property
    def _touching(self) -> ActiveArcs:
        return ActiveArcs(self.symmetry)


@frozen(eq=False, slots=False)
class _Subnetwork:
    """The network with some of its arcs only: `arcs`, each with its opposite."""

    whole: Network
    arrays: Sequence[Array]
    arcs: Ints
    _symmetries: dict[tuple[int, int], Symmetry] = field(factory=dict, init=False, repr=False)

    @cached_property
    def network(self) -> Network:
        whole, arcs = self.whole, self.arcs
        return evolve(
            whole,
            indptr=frozen_array(np.searchsorted(arcs, whole.indptr)),
            head=frozen_array(whole.head[arcs]),
            kind=frozen_array(whole.kind[arcs]),
            count=frozen_array(whole.count[arcs]),
        )

    @cached_property
    def device(self) -> Ints:
        """Device of each vertex, [V]."""
        return np.repeat(np.arange(len(self.whole.device_start) - 1), np.diff(self.whole.device_start))

    @cached_property
    def bounds(self) -> Ints:
        """First device of each block and the one after its last, [blocks, 2]: the innermost elements of arrays that no
        arc leaves, or else all devices."""
        network = self.network
        tail, head = self.device[network.tail], self.device[network.head]
        part = connected_components(len(self.whole.device_start) - 1, tail, head)
        busy = np.flatnonzero(np.bincount(tail, minlength=len(part)))
        _, first = np.unique(part[busy], return_index=True)
        _, last = np.unique(part[busy][::-1], return_index=True)
        spans = _merge_overlapping(np.column_stack([busy[first], busy[len(busy) - 1 - last] + 1]))
        return _merge_overlapping(_elements(self.arrays, spans, len(part)))

    @cached_property
    def of_end(self) -> Ints:
        """Block of each end point, [E]; for one in no block some number."""
        return np.searchsorted(self.bounds[:, 0], self.whole.end_device, side="right") - 1

    @cached_property
    def first_end(self) -> Ints:
        """First end point of each block, and of what comes after it, [blocks, 2]."""
        return np.searchsorted(self.whole.end_device, self.bounds)

    @cached_property
    def model(self) -> Ints:
        """The first block that has the same network as each block."""
        network, bounds = self.network, self.bounds
        vertex = self.whole.device_start[bounds]
        some = concatenate_ranges(vertex[:, 0], vertex[:, 1])
        first = np.repeat(self.first_end[:, 0], np.diff(vertex).ravel())
        end = network.end[some]
        vertices = _representatives(
            _starts(vertex),
            np.where(end >= 0, end - first, -1),
            network.forwards[some].astype(np.int64),
            network.latency_s[some].view(np.int64),
            network.on_vertices(network.injection_Bps)[some].view(np.int64),
            self.device[some] - np.repeat(bounds[:, 0], np.diff(vertex).ravel()),
        )
        rows = network.indptr[vertex]
        arcs = concatenate_ranges(rows[:, 0], rows[:, 1])
        base = np.repeat(vertex[:, 0], np.diff(rows).ravel())
        cables = _representatives(
            _starts(rows),
            network.tail[arcs] - base,
            network.head[arcs] - base,
            network.kind[arcs].astype(np.int64),
            network.count[arcs].astype(np.int64),
        )
        return _first_equal(vertices, cables)

    def symmetry(self, low: int, high: int) -> Symmetry:
        """Return the symmetries of the devices `low : high` and the arcs among them."""
        if (low, high) not in self._symmetries:
            self._symmetries[low, high] = find_symmetry(
                cut_devices(self.network, low, high), inside(self.arrays, low, high)
            )
        return self._symmetries[low, high]

    def timing(self, demand: Demand, deadline_s: float) -> StepTiming:
        which, model, pieces = self._pieces(demand)
        sorts, copies = np.unique(model, return_counts=True)
        if len(sorts) > MOST_SORTS:
            timing = step_timing(self.symmetry(0, len(self.whole.device_start) - 1), demand, deadline_s=deadline_s)
            return evolve(timing, binding=self.arcs[timing.binding])
        solved = []
        for at in track(sorts.tolist(), "blocks of a step"):
            low, high = self.bounds[self.model[which[at]]].tolist()
            solved.append(step_timing(self.symmetry(low, high), pieces(at), deadline_s=deadline_s))
        longest = max(each.per_byte_s for each in solved)
        arcs, ends = [], []
        for at, each in zip(sorts.tolist(), solved, strict=True):
            if each.per_byte_s < longest * (1 - FULL_WITHIN):
                continue
            same = np.flatnonzero(model == at)
            row = self.network.indptr[self.whole.device_start[self.bounds[which[same], 0]]]
            arcs.append(self.arcs[(row[:, None] + each.binding).ravel()])
            ends.append((self.first_end[which[same], 0][:, None] + each.binding_ends).ravel())
        return StepTiming(
            longest,
            max(each.latency_s for each in solved),
            np.sort(np.concatenate(arcs)),
            np.sort(np.concatenate(ends)),
            sum(each.classes for each in solved),
            sum(each.flows * int(copy) for each, copy in zip(solved, copies, strict=True)),
            unique_rows(np.concatenate([each.links for each in solved])),
        )

    def _pieces(self, demand: Demand) -> tuple[Ints, Ints, _Piece]:
        """Return the blocks that send, the first of them that is the same in network and demand as each, and what one
        of them sends, by its place among them."""
        if isinstance(demand, Groups):
            member = np.flatnonzero(demand.group >= 0)
            _, first, at = np.unique(demand.group[member], return_index=True, return_inverse=True)
            leader = np.full(len(demand.group), -1, dtype=np.int64)
            leader[member] = member[first[at.ravel()]]
            block = self.of_end[member]  # in order, as end points are
            columns = [member, leader[member]]
            rates = np.full(len(member), demand.rate)
        else:
            order = np.lexsort((demand.target, demand.source))
            member = demand.source[order]
            block = self.of_end[member]
            columns = [member, demand.target[order]]
            rates = demand.rate[order]
        start = np.flatnonzero(np.append(True, block[1:] != block[:-1]))
        which = block[start]
        start = np.append(start, len(block))
        base = self.first_end[block, 0]
        one, two = (column - base for column in columns)
        same = _representatives(start, one, two, rates.view(np.int64))
        model = _first_equal(self.model[which], same)

        def piece(at: int) -> Demand:
            rows = slice(int(start[at]), int(start[at + 1]))
            if isinstance(demand, Pairs):
                return Pairs(frozen_array(one[rows]), frozen_array(two[rows]), frozen_array(rates[rows]))
            group = np.full(int(np.diff(self.first_end[which[at]])[0]), -1, dtype=np.int64)
            group[one[rows]] = two[rows]
            return Groups(frozen_array(group), demand.rate)

        return which, model, piece


def _merge_overlapping(bounds: Ints) -> Ints:
    """Ranges in order, those that overlap as one, [n, 2]."""
    low, high = bounds[np.argsort(bounds[:, 0])].T
    high = np.maximum.accumulate(high)
    opens = np.append(True, low[1:] >= high[:-1])
    return np.column_stack([low[opens], high[np.append(opens[1:], True)]])


def _elements(arrays: Iterable[Array], bounds: Ints, devices: int) -> Ints:
    """Return the innermost element of an array that holds each range, or all devices where none does, [n, 2]."""
    elements, element_size = np.tile([0, devices], (len(bounds), 1)), np.full(len(bounds), devices)
    for array in arrays:
        _, rest, within = locate_arrays(array, bounds[:, 0])
        low = bounds[:, 0] - rest % array.size
        within &= (
            (rest < prod(array.shape) * array.size) & (bounds[:, 1] <= low + array.size) & (array.size < element_size)
        )
        elements[within] = np.column_stack([low, low + array.size])[within]
        element_size[within] = array.size
    return elements


def inside(arrays: Iterable[Array], low: int, high: int) -> list[Array]:
    """Return the arrays among the devices `low : high`, numbered from `low`: of those that reach further as many
    instances as lie there side by side, in the innermost loop around them that has some."""
    inner = []
    for array in arrays:
        starts = np.array([array.base], dtype=np.int64)
        for level in range(len(array.loops) + 1):
            long = sum((n - 1) * stride for n, stride in array.loops[level:]) + prod(array.shape) * array.size
            here = starts[(starts >= low) & (starts + long <= high)]
            if len(here):
                loops = array.loops[level:]
                if level:
                    stride = array.loops[level - 1][1]
                    run = int(np.argmin(np.append(np.diff(here) == stride, False))) + 1
                    loops = ((run, stride), *loops) if run > 1 else loops
                inner.append(evolve(array, base=int(here[0]) - low, loops=loops))
                break
            if level < len(array.loops):
                count, stride = array.loops[level]
                starts = (starts[:, None] + np.arange(count) * stride).ravel()
        else:
            inner += _shortened(array, starts, low, high)
    return inner


def _shortened(array: Array, starts: Ints, low: int, high: int) -> list[Array]:
    """Return those elements of an array in a row that are among the devices `low : high`, where there are several, of
    the first of its instances that has some."""
    if len(array.shape) != 1:
        return []
    first = np.maximum(0, -((starts - low) // array.size))
    behind = np.minimum(array.shape[0], (high - starts) // array.size)
    for start, k, count in zip(starts.tolist(), first.tolist(), (behind - first).tolist(), strict=True):
        if count > 1:
            return [evolve(array, base=start + k * array.size - low, loops=(), shape=(count,))]
    return []


def _starts(bounds: Ints) -> Ints:
    """Where rows begin that are as long as these ranges, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.diff(bounds).ravel())])


def _representatives(start: Ints, *columns: Ints) -> Ints:
    """Return the first row with the same numbers in all columns as each row; row i is `start[i] : start[i + 1]`. Sought
    by a hash, and then compared: where hashes collide a row is its own model."""
    size = np.diff(start)
    mixed = splitmix64(np.arange(start[-1]) - np.repeat(start[:-1], size))
    for column in columns:
        mixed = splitmix64(column.astype(np.int64).view(np.uint64) + mixed)
    looks = segment_sums(mixed, size) + splitmix64(size)
    _, first, which = np.unique(looks, return_index=True, return_inverse=True)
    model, itself = first[which.ravel()], np.arange(len(size))
    same = size == size[model]
    check = np.flatnonzero(same & (model != itself))
    mine = concatenate_ranges(start[check], start[check + 1])
    theirs = concatenate_ranges(start[model[check]], start[model[check] + 1])
    differs = np.zeros(len(mine), dtype=bool)
    for column in columns:
        differs |= column[mine] != column[theirs]
    same[np.repeat(check, size[check])[differs]] = False
    return np.where(same, model, itself)


def _first_equal(one: Ints, two: Ints) -> Ints:
    """Return the first place that has the same two numbers as each place."""
    _, first, which = np.unique(one * (int(two.max(initial=0)) + 1) + two, return_index=True, return_inverse=True)
    return np.asarray(first[which.ravel()], dtype=np.int64)
