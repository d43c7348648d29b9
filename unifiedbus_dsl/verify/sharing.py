"""Max-min fair rates and finish times, worked out anew from the cables, one flow of each sort.

Shares: each vertex passes what it holds on over the cables that lead nearer to the target, in equal parts; what an end
point sends leaves by those of its cables that are nearest. Rates: all flows grow alike until something is full, and
those on it stay; here one level at a time. Where automorphisms that keep the traffic carry flows to each other, one
stands for all, and each arc of an orbit carries the mean of what these arcs carry. Rates that are told flow by flow are
held to what makes them fair: each flow crosses something full on which none is faster. What is too large for that is
held to the ports of its end points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.verify import Certificate, Proved, require
from unifiedbus_dsl.verify.arcs import Arcs, match
from unifiedbus_dsl.verify.cables import Cables, Floats, Ints
from unifiedbus_dsl.verify.components import joined
from unifiedbus_dsl.verify.distances import fewest_cables_to
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.symmetries import Move, arc_orbits, check_move, end_images, end_orbits

FLOWS = 2_000
"""Flows that are not alike whose rates are worked out anew; more are held to what is claimed of each."""
PAIRS = 4_000_000
"""Flows that are listed."""
FEW = 16
"""Flows that are as soon worked out as seen to be alike."""
FOLDING = 20_000_000
"""Flows times automorphisms up to which it is seen which are alike, in all steps of a collective together."""
ENTRIES = 4_000_000
"""Vertices times sources of a target up to which they are."""
MAX_WORK = 20_000_000
"""Arcs times targets up to which they are."""
FULL = 1e-9
"""Relative distance at which a resource is full."""
SAME = 1e-6
"""Relative difference of two rates that are the same but for rounding."""


@frozen(eq=False)
class FlowSet:
    """Flow f carries `size[f]` (of whatever is counted) from end point `source[f]` to another, `target[f]`; so does
    each of the `count[f]` flows that the automorphisms `kept` carry it to."""

    source: Ints
    target: Ints
    size: Floats
    count: Ints
    kept: tuple[Move, ...] = ()

    @classmethod
    def of(cls, matrix: Matrix) -> FlowSet | None:
        """Return the pairs of a matrix, each for itself; None where they are too many."""
        if matrix.group is None:
            assert matrix.source is not None
            assert matrix.target is not None
            assert matrix.rates is not None
            source, target, size = matrix.source, matrix.target, matrix.rates
        else:
            members = np.flatnonzero(matrix.group >= 0)
            of = matrix.group[members]
            if int((np.bincount(of).astype(np.int64) ** 2).sum()) > PAIRS + len(members):
                return None
            order = np.argsort(of, kind="stable")
            first, many = np.cumsum(np.bincount(of)) - np.bincount(of), np.bincount(of)[of]
            start = np.cumsum(many) - many
            one = np.repeat(np.arange(len(of)), many)
            two = order[np.repeat(first[of] - start, many) + np.arange(int(many.sum()))]
            source, target = members[one[one != two]], members[two[one != two]]
            size = np.full(len(source), matrix.rate)
        return cls(source, target, size, np.ones(len(source), dtype=np.int64)) if len(source) <= PAIRS else None

    def folded(self, cables: Cables, arcs: Arcs, matrix: Matrix, moves: Sequence[Move]) -> FlowSet:
        """Return one flow of each sort that automorphisms show to be alike, where there are more than `FEW` and that is
        not too much work."""
        if not 0 < self.folding(moves) <= FOLDING:
            return self
        key = self.target.astype(np.int64) * cables.ends + self.source
        order = np.argsort(key)
        key, label, kept = key[order], np.arange(len(key)), list[Move]()
        if (np.diff(key) == 0).any():
            return self
        for move in moves:
            goes = np.arange(cables.ends)
            source, target = end_images(cables, move)
            if not matrix.is_kept(source, target):
                continue
            goes[source] = target
            after = goes[self.target[order]] * cables.ends + goes[self.source[order]]
            place = np.searchsorted(key, after)
            if (label != label[place]).any():
                check_move(cables, arcs, move)
                kept.append(move)
                label = joined(label, np.arange(len(key)), place)
        first, count = np.unique(label, return_counts=True)
        one = order[first]
        return FlowSet(self.source[one], self.target[one], self.size[one], count, tuple(kept))

    def folding(self, moves: Sequence[Move]) -> int:
        """Return what it costs to see which flows are alike: flows times automorphisms, nothing where they are few."""
        return len(self.source) * len(moves) if len(self.source) > FEW else 0

    def few(self, cables: Cables, arcs: Arcs) -> bool:
        """Return whether they are worked out anew."""
        to_one = int(np.bincount(self.target).max(initial=0))
        return cables.vertices * to_one <= ENTRIES and arcs.size * len(np.unique(self.target)) <= MAX_WORK


@frozen(eq=False)
class Use:
    """What a flow of each sort takes of the arcs of each sort, then of what end points of each sort send, then receive,
    as a sparse matrix [F, R]; `load` [R, F] is what one of them carries of all the flows of a sort, and has of
    `capacity` [R]. `slowest_s` is the latency of the slowest path (NaN where latencies are not known)."""

    matrix: Any
    load: Any
    capacity: Floats
    slowest_s: float

    @classmethod
    def of(cls, matrix: Any, capacity: Floats, count: Ints, sort: Ints, slowest_s: float) -> Use:
        """Return the use of arcs and end points of each `sort` [A + 2E], from that of each for itself."""
        from scipy.sparse import csr_matrix, diags

        numbers, first, sort, size = np.unique(sort, return_index=True, return_inverse=True, return_counts=True)
        if len(numbers) < len(sort):
            matrix = matrix @ csr_matrix((np.ones(len(sort)), (np.arange(len(sort)), sort)))
        load = (diags(1.0 / size) @ matrix.T @ diags(count.astype(np.float64))).tocsr()
        return cls(matrix.tocsr(), load, capacity[first], slowest_s)


def work_out(cables: Cables, arcs: Arcs, flows: FlowSet) -> Use:
    """Return what flows use under equal shares over paths of fewest cables.

    Raises:
        VerificationError: a flow has no path.
    """
    from scipy.sparse import csr_matrix

    match(arcs, cables)
    tail = arcs.tails()
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
    capacity = np.concatenate([arcs.capacity(slice(None)), cables.injection_Bps, cables.injection_Bps])
    of_arcs, of_ends = arc_orbits(cables, arcs, flows.kept), end_orbits(cables, arcs, flows.kept)
    sort = np.concatenate([of_arcs, arcs.size + of_ends, arcs.size + cables.ends + of_ends])
    return Use.of(matrix, capacity, flows.count, sort, slowest)


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
    bounded = np.isfinite(use.capacity)
    matrix, load, capacity = use.matrix[alive][:, bounded], use.load[bounded][:, alive], use.capacity[bounded]
    rate, growing = np.zeros(len(alive)), np.ones(len(alive))
    while growing.any():
        wanted, residual = load @ growing, capacity - load @ rate
        step = np.divide(residual, wanted, out=np.full(len(residual), np.inf), where=wanted > 1e-12)
        min_step = max(0.0, float(step.min(initial=np.inf)))
        if min_step == np.inf:
            rate[growing > 0] = np.inf
            break
        rate += growing * min_step
        full = (wanted > 1e-12) & (step <= min_step + FULL * (min_step + float(rate.max())))
        stopped = matrix @ full.astype(np.float64) > 1e-12
        growing[stopped] = 0.0
    return rate


def check_fair(use: Use, rate: Floats) -> None:
    """Hold rates to be max-min fair: all fits, and each flow crosses something full on which none is faster.

    Raises:
        VerificationError: they are not.
    """
    bounded = np.isfinite(use.capacity)
    matrix, load, capacity = use.matrix[:, bounded].tocoo(), use.load[bounded], use.capacity[bounded]
    free = np.asarray(use.matrix[:, bounded].sum(axis=1)).ravel() <= 0
    require((np.isinf(rate) == free).all(), "rates are not max-min fair: what nothing holds back has no limit")
    rate = np.where(free, 0.0, rate)
    carried = load @ rate
    require(not (carried > capacity * (1 + SAME)).any(), "rates are not max-min fair: they do not fit")
    fastest, held = np.zeros(len(capacity)), free.copy()
    np.maximum.at(fastest, matrix.col, rate[matrix.row])
    full = (carried >= capacity * (1 - SAME))[matrix.col] & (rate[matrix.row] >= fastest[matrix.col] * (1 - SAME))
    held[matrix.row[full]] = True
    require(held.all(), "rates are not max-min fair: a flow could be faster")


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
    tail = arcs.tails()[arc]
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
    return Use.of(matrix, capacity, flows.count, np.arange(len(capacity)), np.nan)


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
    """Max-min fair rates of the pairs of a matrix, whatever each sends: `count[c]` flows have `rate[c]`, byte/s; of
    pairs that are listed, or have each its `path`, they are those of the flows in order. With `last_s` the last ends
    then where each carries `size_bytes`. A flow is shared out over all shortest paths, or takes the `path` (starts,
    arcs and cables in these) that is stated. `moves` are automorphisms by which flows may be alike."""

    arcs: Arcs
    matrix: Matrix
    rate: Floats
    count: Floats
    path: tuple[Ints, Ints, Ints] | None = None
    size_bytes: float = 0.0
    last_s: float = 0.0
    moves: Sequence[Move] = ()

    def prove(self, cables: Cables) -> Proved:
        """Return the least rate."""
        least, flows = float(self.rate.min()), FlowSet.of(self.matrix)
        listed = self.matrix.group is None or self.path is not None
        each = listed and flows is not None and len(self.rate) == len(flows.source) and bool((self.count == 1).all())
        if flows is not None and not (each and flows.few(cables, self.arcs)) and self.path is None:
            flows, each = flows.folded(cables, self.arcs, self.matrix, self.moves), False
        if flows is None or not flows.few(cables, self.arcs) or not (each or len(flows.source) <= FLOWS):
            require(least * slowest_port(cables, self.matrix) <= 1 + SAME, "the slowest flow is faster than its ports")
            return Proved.exactly(
                least, f"that rates are fair: {int(self.count.sum()):,} flows were held to ports alone"
            )
        given = (cables, self.arcs, flows)
        use = work_out(*given) if self.path is None else follow(*given, *self.path)
        if each:
            check_fair(use, self.rate)
        else:
            self._check_sorts(flows, fill(use, np.arange(len(flows.source))))
        if self.size_bytes and len(flows.source) <= FLOWS:
            last = finish(use, np.full(len(flows.source), self.size_bytes))
            require(abs(last - self.last_s) <= SAME * last, "flows do not end when it is said")
        elif self.size_bytes:
            return Proved.exactly(least, f"when the last of {len(flows.source):,} flows ends")
        return Proved.exactly(least)

    def _check_sorts(self, flows: FlowSet, rate: Floats) -> None:
        """Hold the rates to be those of all flows of each sort."""
        many = np.round(self.count).astype(np.int64)
        require(int(many.sum()) == int(flows.count.sum()), "not as many rates as flows")
        claimed, right = np.sort(np.repeat(self.rate, many)), np.sort(np.repeat(rate, flows.count))
        require(np.allclose(right, claimed, rtol=SAME, atol=0.0), "rates are not max-min fair")


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
    taken to be as slow as any of its rate: then a latency is at the least this part of what is said. `moves` are
    automorphisms by which flows may be alike."""

    arcs: Arcs
    least: float = 1.0
    moves: Sequence[Move] = ()

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
            if self.least == 1 and flows is not None:
                work = vars(self)["_folding"] = vars(self).get("_folding", 0) + flows.folding(self.moves)
                flows = flows if work > FOLDING else flows.folded(cables, self.arcs, matrix, self.moves)
            if self.least == 1 and flows is not None and len(flows.source) <= FLOWS and flows.few(cables, self.arcs):
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


@frozen
class SecondsOfByte:
    """No schedule takes less than `least_s` for each byte, as `shown_by` shows."""

    least_s: float
    shown_by: Certificate


@frozen(eq=False)
class SweepCertificate:
    """The same for each of some sizes; the answer is the largest of `factor` · size / least time. Where not all
    algorithms were solved in time, it is at the most what is said as `late`, by the `bound` of efficiencies."""

    timer: Timer
    sizes: Sequence[tuple[float, Sequence[Sequence[TimedStep]]]]
    factor: float
    late: float = 0.0
    bound: SecondsOfByte | None = None

    def prove(self, cables: Cables) -> Proved:
        lower = upper = 0.0
        doubts = dict.fromkeys(self._bound_doubts(cables))
        for size, algorithms in self.sizes:
            time = TimeCertificate(self.timer, algorithms).prove(cables)
            doubts |= dict.fromkeys(time.unverified)
            lower = max(lower, self.factor * size / time.upper)
            upper = max(upper, self.factor * size / time.lower)
        return Proved(lower, max(upper, self.late), tuple(doubts)[:1])

    def _bound_doubts(self, cables: Cables) -> tuple[str, ...]:
        """Hold efficiencies, and what was not solved in time, to the bound; what of it nobody checked."""
        if self.bound is None:
            return ("that none is faster than was solved in time",) if self.late else ()
        shown = self.bound.shown_by.prove(cables)
        require(shown.lower >= self.bound.least_s * (1 - SAME), "efficiencies are of a time that is not shown")
        if self.late:
            most = self.factor / self.bound.least_s if self.bound.least_s else np.inf
            require(self.late >= most * (1 - SAME), "a bandwidth beyond what is shown")
        return tuple(f"in efficiencies, {each}" for each in shown.unverified)
