"""Max-min fair rates and finish times, worked out anew from the cables for a few thousand flows.

Shares: each vertex passes what it holds on over the cables that lead nearer to the target, in equal parts; what an end
point sends leaves by those of its cables that are nearest. Rates: all flows grow alike until something is full, and
those on it stay; here one level at a time. What is too large for that is held to the ports of its end points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Cables, Floats, Ints
from unifiedbus_dsl.verify.distances import fewest_cables_to
from unifiedbus_dsl.verify.matrix import Matrix

FLOWS = 2_000
"""Flows of one set that are worked out anew."""
ENTRIES = 4_000_000
"""Vertices times sources, and arcs times targets, up to which they are."""
FULL = 1e-9
"""Relative distance at which a resource is full."""
SAME = 1e-6
"""Relative difference of two rates that are the same but for rounding."""


@frozen(eq=False)
class FlowSet:
    """Flow f carries `size[f]` (of whatever is counted) from end point `source[f]` to another, `target[f]`."""

    source: Ints
    target: Ints
    size: Floats

    @classmethod
    def of(cls, matrix: Matrix) -> FlowSet | None:
        """Return the pairs of a matrix; None where they are too many to be worked out anew."""
        if matrix.group is None:
            assert matrix.source is not None
            assert matrix.target is not None
            assert matrix.rates is not None
            return cls(matrix.source, matrix.target, matrix.rates) if len(matrix.source) <= FLOWS else None
        members = np.flatnonzero(matrix.group >= 0)
        if int((np.bincount(matrix.group[members]) ** 2).sum()) > FLOWS + len(members):
            return None
        of = matrix.group[members]
        s, t = np.nonzero((of[:, None] == of) & ~np.eye(len(of), dtype=bool))
        return cls(members[s], members[t], np.full(len(s), matrix.rate))

    def few(self, cables: Cables, arcs: Arcs) -> bool:
        """Return whether they are worked out anew."""
        rows, columns = len(np.unique(self.source)), len(np.unique(self.target))
        return cables.vertices * rows <= ENTRIES and arcs.size * columns <= ENTRIES


@frozen(eq=False)
class Use:
    """What each flow takes of each arc, then of what end points send, then of what they receive, as a sparse matrix
    [F, A + 2E]; `capacity` [A + 2E]; `slowest_s` is the latency of the slowest path (NaN where latencies are not
    known)."""

    matrix: Any
    capacity: Floats
    slowest_s: float


def work_out(cables: Cables, arcs: Arcs, flows: FlowSet) -> Use:
    """Return what flows use under equal shares over paths of fewest cables.

    Raises:
        VerificationError: a flow has no path.
    """
    from scipy.sparse import csr_matrix

    match(arcs, cables)
    tail = np.repeat(np.arange(cables.vertices), np.diff(arcs.indptr))
    flow, arc, share, slowest = [], [], [], 0.0
    for target in np.unique(flows.target).tolist():
        own = np.flatnonzero((flows.target == target) & (flows.source != target))
        if not len(own):
            continue
        used = _Shares(cables, arcs, tail, target).of(flows.source[own])
        flow.append(own[used[1]])
        arc.append(used[0])
        share.append(used[2])
        slowest = max(slowest, used[3])
    every = np.arange(len(flows.source))
    flow += [every, every]
    arc += [arcs.size + flows.source, arcs.size + cables.ends + flows.target]
    share += [np.ones(len(every)), np.ones(len(every))]
    shape = len(every), arcs.size + 2 * cables.ends
    matrix = csr_matrix((np.concatenate(share), (np.concatenate(flow), np.concatenate(arc))), shape=shape)
    carried = arcs.capacity(slice(None))
    return Use(matrix, np.concatenate([carried, cables.injection_Bps, cables.injection_Bps]), slowest)


class _Shares:
    """What goes to a target, over arcs that lead nearer."""

    def __init__(self, cables: Cables, arcs: Arcs, tail: Ints, target: int) -> None:
        self.cables, self.arcs = cables, arcs
        self.hops = fewest_cables_to(cables, arcs, target)
        before, after = self.hops[tail], self.hops[arcs.head]
        leads = (before > 0) & (after == before - 1) & (cables.forwards[arcs.head] | (after == 0))
        self.arc = np.flatnonzero(leads)
        self.tail, self.head = tail[self.arc], arcs.head[self.arc].astype(np.int64)
        self.weight = arcs.count[self.arc].astype(np.float64)
        self.nearer = np.bincount(self.tail, weights=self.weight, minlength=cables.vertices)

    def of(self, sources: Ints) -> tuple[Ints, Ints, Floats, float]:
        """Arcs, places among the sources, shares, and the latency of the slowest path."""
        cables, columns = self.cables, np.arange(len(sources))
        held, time = np.zeros((cables.vertices, len(sources))), np.full(cables.vertices, np.nan)
        for column, source in enumerate(sources.tolist()):
            vertices = np.flatnonzero((cables.end == source) & (self.hops > 0))
            require(len(vertices) > 0, "a flow has no path")
            vertices = vertices[self.hops[vertices] == self.hops[vertices].min()]
            held[vertices, column] = self.nearer[vertices] / self.nearer[vertices].sum()
        begins = held > 0
        arc, column_of, share = [], [], []
        level = self.hops[self.tail]
        for hop in range(int(self.hops.max(initial=0)), 0, -1):
            some = np.flatnonzero(level == hop)
            passed = held[self.tail[some]] * (self.weight[some] / self.nearer[self.tail[some]])[:, None]
            np.add.at(held, self.head[some], passed)
            at, to = np.nonzero(passed)
            arc.append(self.arc[some[at]])
            column_of.append(columns[to])
            share.append(passed[at, to])
        for hop in range(1, int(self.hops.max(initial=0)) + 1):
            some = np.flatnonzero(level == hop)
            onward = np.where(self.hops[self.head[some]] > 0, time[self.head[some]] + self._passing(some), 0.0)
            whole = self.arcs.latency_s[self.arcs.kind[self.arc[some]]] + onward
            np.fmax.at(time, self.tail[some], whole)
        slow = float(time[begins.any(axis=1)].max(initial=0.0))
        return np.concatenate(arc), np.concatenate(column_of), np.concatenate(share), slow

    def _passing(self, some: Ints) -> Floats:
        return np.asarray(self.cables.passing_s[self.head[some]])


def fill(use: Use, alive: Ints) -> Floats:
    """Return the max-min fair rates of these flows, the others at rest, byte/s."""
    matrix = use.matrix[alive]
    bounded = np.isfinite(use.capacity)
    matrix, capacity = matrix[:, bounded], use.capacity[bounded]
    rate, growing = np.zeros(len(alive)), np.ones(len(alive))
    column = matrix.T.tocsr()
    while growing.any():
        wanted, room = column @ growing, capacity - column @ rate
        step = np.divide(room, wanted, out=np.full(len(room), np.inf), where=wanted > 1e-12)
        least = max(0.0, float(step.min(initial=np.inf)))
        if least == np.inf:
            rate[growing > 0] = np.inf
            break
        rate += growing * least
        full = (wanted > 1e-12) & (step <= least + FULL * (least + float(rate.max())))
        stopped = matrix @ full.astype(np.float64) > 1e-12
        growing[stopped] = 0.0
    return rate


def finish(use: Use, size: Floats) -> float:
    """Return when the last of the flows ends that begin together, s; rates are fair again after each end."""
    left, now = size.astype(np.float64).copy(), 0.0
    alive = np.flatnonzero(left > 0)
    while len(alive):
        rate = fill(use, alive)
        require((rate > 0).all(), "a flow never ends")
        step = float((left[alive] / rate).min())
        now += step
        left[alive] -= rate * step
        alive = alive[left[alive] > FULL * size[alive]]
    return now


def follow(cables: Cables, arcs: Arcs, flows: FlowSet, start: Ints, arc: Ints, cable: Ints) -> Use:
    """Return what flows use that each take a single path of fewest cables, flow f in order the arcs
    `arc[start[f] : start[f + 1]]`, of each the cable of this number.

    Raises:
        VerificationError: one of them is no such path.
    """
    from scipy.sparse import csr_matrix

    match(arcs, cables)
    tail = np.repeat(np.arange(cables.vertices), np.diff(arcs.indptr))[arc]
    head = arcs.head[arc]
    many = np.diff(start)
    require((many > 0).all() and start[0] == 0 and start[-1] == len(arc), "a path for each flow")
    require((cables.end[tail[start[:-1]]] == flows.source).all(), "a path does not begin at its source")
    require((cables.end[head[start[1:] - 1]] == flows.target).all(), "a path does not end at its target")
    inner = np.ones(len(arc), dtype=bool)
    inner[start[1:] - 1] = False
    on = np.flatnonzero(inner)
    require((head[on] == tail[on + 1]).all() and cables.forwards[head[on]].all(), "a path is broken")
    for target in np.unique(flows.target).tolist():
        hops = fewest_cables_to(cables, arcs, target)
        own = np.flatnonzero(flows.target == target)
        require((hops[tail[start[own]]] == many[own]).all(), "a path has more cables than it must")
    require(((cable >= 0) & (cable < arcs.count[arc])).all(), "a path takes a cable that is not there")
    every = np.arange(len(many))
    used, single = np.unique(np.stack([arc, cable]), axis=1, return_inverse=True)
    size = used.shape[1]
    rows = np.concatenate([np.repeat(every, many), every, every])
    columns = np.concatenate([single.ravel(), size + flows.source, size + cables.ends + flows.target])
    matrix = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(many), size + 2 * cables.ends))
    one = arcs.capacity_Bps[arcs.kind[used[0]]]
    capacity = np.concatenate([one, cables.injection_Bps, cables.injection_Bps])
    return Use(matrix, capacity, np.nan)


def slowest_port(cables: Cables, matrix: Matrix) -> float:
    """Return the seconds that the ports and the injection of some end point take at the least for what a matrix sends
    and receives in bytes."""
    room = np.zeros(cables.ends)
    for some in cables.pieces():
        capacity = cables.capacity(some)
        for side in (cables.a[some], cables.b[some]):
            at = cables.end[side]
            room += np.bincount(at[at >= 0], weights=capacity[at >= 0], minlength=cables.ends)
    room = np.minimum(room, cables.injection_Bps)
    busy = np.maximum(matrix.sent(), matrix.received())
    return float(np.divide(busy, room, out=np.zeros(len(busy)), where=busy > 0).max(initial=0.0))


# ---- certificates ---------------------------------------------------------------------------------------------------


@frozen(eq=False)
class FairCertificate:
    """Max-min fair rates of the pairs of a matrix, whatever each sends: `count[c]` flows have `rate[c]`, byte/s. With
    `last_s` the last ends then where each carries `size_bytes`. A flow is shared out over all shortest paths, or takes
    the `path` (starts, arcs and cables in these) that is stated."""

    arcs: Arcs
    matrix: Matrix
    rate: Floats
    count: Floats
    path: tuple[Ints, Ints, Ints] | None = None
    size_bytes: float = 0.0
    last_s: float = 0.0

    def prove(self, cables: Cables) -> Proved:
        """Return the least rate."""
        least, flows = float(self.rate.min()), FlowSet.of(self.matrix)
        if flows is None or not flows.few(cables, self.arcs):
            require(least * slowest_port(cables, self.matrix) <= 1 + SAME, "the slowest flow is faster than its ports")
            return Proved.exactly(
                least, f"that rates are fair: {int(self.count.sum()):,} flows were held to ports alone"
            )
        given = (cables, self.arcs, flows)
        use = work_out(*given) if self.path is None else follow(*given, *self.path)
        rate = fill(use, np.arange(len(flows.source)))
        claimed = np.sort(np.repeat(self.rate, np.round(self.count).astype(np.int64)))
        rates = np.sort(rate)
        require(len(rates) == len(claimed), "not as many rates as flows")
        require(np.allclose(rates, claimed, rtol=SAME, atol=0.0), "rates are not max-min fair")
        if self.size_bytes:
            last = finish(use, np.full(len(rate), self.size_bytes))
            require(abs(last - self.last_s) <= SAME * last, "flows do not end when it is said")
        return Proved.exactly(float(rate.min()))


@frozen(eq=False)
class TimedStep:
    """Steps of one shape, `times` of them, that take `bandwidth_s` and `latency_s`; in all of them together the
    `matrix` is sent once, in units of `unit_bytes`."""

    matrix: Matrix
    unit_bytes: float
    times: int
    bandwidth_s: float
    latency_s: float


@frozen(eq=False, slots=False)
class Timer:
    """Steps worked out on `arcs`, each matrix once. The arcs know every length, or with `least` below 1 each cable is
    taken to be as slow as any of its rate: then a latency is at the least this part of what is said."""

    arcs: Arcs
    least: float = 1.0

    def seconds(self, cables: Cables, steps: Sequence[TimedStep]) -> Proved:
        """Return bounds on the time of steps one after another, and which were held to ports alone.

        Raises:
            VerificationError: a step takes another time than is said.
        """
        for step in steps:
            self._check(cables, step)
        bandwidth, latency = sum(s.bandwidth_s for s in steps), sum(s.latency_s for s in steps)
        bare = sum(self._known(cables, step.matrix)[1] is None for step in steps)
        said = (f"that flows take so long: {bare:,} of {len(steps):,} steps were held to ports alone",) if bare else ()
        return Proved(bandwidth + self.least * latency, bandwidth + latency, said)

    def _check(self, cables: Cables, step: TimedStep) -> None:
        require(step.bandwidth_s >= 0 and step.latency_s >= 0, "a step takes less than nothing")
        ports, seconds, slowest = self._known(cables, step.matrix)
        unit = step.unit_bytes
        require(unit * ports <= step.bandwidth_s * (1 + SAME), "a step is faster than the ports of its end points")
        if seconds is None:
            return
        require(abs(unit * seconds - step.bandwidth_s) <= SAME * unit * seconds, "the bytes of a step take other time")
        slow = step.times * slowest
        require(abs(slow - step.latency_s) <= SAME * slow, "the latency of a step is another")

    def _known(self, cables: Cables, matrix: Matrix) -> tuple[float, float | None, float]:
        """Return seconds of a unit at the ports, in all (None: not worked out), and of the slowest path."""
        known = vars(self).setdefault("_times", {})
        if id(matrix) not in known:
            flows, seconds, slowest = FlowSet.of(matrix), None, 0.0
            if self.least == 1 and flows is not None and flows.few(cables, self.arcs):
                use = work_out(cables, self.arcs, flows)
                seconds, slowest = finish(use, flows.size), use.slowest_s
            known[id(matrix)] = matrix, (slowest_port(cables, matrix), seconds, slowest)
        known_times: tuple[float, float | None, float] = known[id(matrix)][1]
        return known_times


@frozen(eq=False)
class TimeCertificate:
    """The steps of a collective by each of some algorithms; the answer is the least time."""

    timer: Timer
    algorithms: Sequence[Sequence[TimedStep]]

    def prove(self, cables: Cables) -> Proved:
        bounds = [self.timer.seconds(cables, steps) for steps in self.algorithms]
        doubts = tuple(dict.fromkeys(said for each in bounds for said in each.unverified))
        return Proved(min(each.lower for each in bounds), min(each.upper for each in bounds), doubts[:1])


@frozen(eq=False)
class SweepCertificate:
    """The same for each of some sizes; the answer is the largest of `factor` · size / least time. Where not all
    algorithms were solved in time, it is at the most what is said as `late`."""

    timer: Timer
    sizes: Sequence[tuple[float, Sequence[Sequence[TimedStep]]]]
    factor: float
    late: float = 0.0

    def prove(self, cables: Cables) -> Proved:
        lower = upper = 0.0
        doubts = dict.fromkeys(("that none is faster than was solved in time",) if self.late else ())
        for size, algorithms in self.sizes:
            time = TimeCertificate(self.timer, algorithms).prove(cables)
            doubts |= dict.fromkeys(time.unverified)
            lower = max(lower, self.factor * size / time.upper)
            upper = max(upper, self.factor * size / time.lower)
        return Proved(lower, max(upper, self.late), tuple(doubts)[:1])
