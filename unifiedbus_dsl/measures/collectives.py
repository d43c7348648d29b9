"""How long a collective takes: by an algorithm, and at best."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import RATE, TIME, format_share
from unifiedbus_dsl.graph.from_fabric import arc_kinds
from unifiedbus_dsl.graph.symmetry import arrays_of
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.certified import Certified, arcs_of, matrix_of, moves_of
from unifiedbus_dsl.measures.deadlock_note import noted_steps
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.planes import links_sentence, open_sentence
from unifiedbus_dsl.measures.registry import schedules
from unifiedbus_dsl.measures.traffic.pattern_call import Traffic
from unifiedbus_dsl.measures.wording import end_name, size_text
from unifiedbus_dsl.solver.bounds import BoundedValue, DeadlineError, NoPathError, NotAdmittedError, bounded
from unifiedbus_dsl.solver.collectives import collective_bounds as best
from unifiedbus_dsl.solver.collectives import completion_time
from unifiedbus_dsl.solver.collectives.allgather_bound import TreeBound
from unifiedbus_dsl.solver.collectives.schedules import busbw_factor
from unifiedbus_dsl.solver.collectives.step_time import relax_latencies
from unifiedbus_dsl.solver.deadline import Deadline
from unifiedbus_dsl.solver.demand import Demand, Groups, invariant_symmetries
from unifiedbus_dsl.solver.flow.quotient_lp import TooLargeError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import Both
from unifiedbus_dsl.verify.gathering import EverySumCertificate, GatherCertificate, PortsCertificate
from unifiedbus_dsl.verify.matrix import Matrix
from unifiedbus_dsl.verify.relayed import PricedCertificate, RelayedCertificate
from unifiedbus_dsl.verify.sharing import SecondsOfByte, SweepCertificate, TimeCertificate, TimedStep, Timer
from unifiedbus_dsl.vocabulary.signatures import ALGORITHMS

LeastCertificate = GatherCertificate | PortsCertificate | EverySumCertificate | PricedCertificate | RelayedCertificate
"""What shows bounds on a least time; `below` is what shows that from below."""
UNTIMED = "neither the time that no schedule beats nor those of the algorithms that were solved in time"
MOST_TIMED = 100_000
"""End points up to which the length of every cable is counted."""
FEW_ORBITS = 8
"""Orbits of end points up to which an all-to-all is a few sweeps, whatever the number of end points."""
MOST_CLASSES = 100_000
"""Orbits of end points times end points up to which every algorithm of a collective is tried unasked."""


def time(call: MeasureCall) -> Certified[Answer]:
    traffic, size = _collective(call)
    asked = call.word("algorithm", "")
    asking = _asked(call, traffic)
    tried: list[completion_time.CollectiveTime] = []
    refused: dict[str, str] = {}
    no_path: list[str] = []
    late: list[str] = []
    passed = _too_many(call, traffic) if not asked else ()
    for algorithm in (asked,) if asked else [a for a in ALGORITHMS if a not in passed]:
        try:
            tried.append(asking.over.time(traffic.pattern, algorithm, size))
        except NotAdmittedError as why:
            refused[algorithm] = str(why)
            no_path += [algorithm] if isinstance(why, NoPathError) else []
            late += [algorithm] if isinstance(why, DeadlineError) else []
    if late:
        return _unfinished(call, traffic, size, asking, tried, late)
    if not tried:
        raise NotAdmittedError(_all_refused(refused))
    fastest = min(tried, key=lambda each: each.time_s)
    longest = fastest.longest
    said = (
        f"{fastest.algorithm}" + ("" if asked else ", the fastest of those that the groups admit"),
        *asking.root,
        f"{fastest.members:,} end points a group, all groups at once",
        "ecmp shares, max-min fair within a step, zero-load latency added",
        *links_sentence(call.machine, fastest.links),
        *asking.said,
        *((f"no path for {', '.join((*no_path, *fastest.passed))}",) if no_path or fastest.passed else ()),
        *(f"{name} not tried: too many different flows; name it to try" for name in passed),
    )
    detail = {
        "algorithm": fastest.algorithm,
        "algbw": fastest.algbw_Bps,
        "busbw": fastest.busbw_Bps,
        "bandwidth_s": fastest.bandwidth_s,
        "latency_s": fastest.latency_s,
        "others": {each.algorithm: each.time_s for each in tried if each is not fastest},
    }
    shown = units.format_quantity(units.Quantity(Fraction(fastest.time_s), TIME))
    text = f"{shown}, busbw {fastest.busbw_Bps / 1e9:,.4g} GB/s"
    binding = (f"step {longest.name}, {format_share(longest.duration_s / fastest.time_s, places=0)} of the time",)
    answer = call.exact(fastest.time_s, TIME, binding=binding, assumptions=said, detail=detail, text=text)
    answer = noted_steps(call.machine, answer, (step.shape for step in fastest.steps))
    steps = _Steps(call.machine, asking)
    certificate = TimeCertificate(steps.timer, [steps.of(each) for each in tried])
    if asking.least == 1.0:
        return Certified(answer, certificate)
    lower = min(each.bandwidth_s + asking.least * each.latency_s for each in tried)
    answer = evolve(answer, value=lower, kind="interval", lower=lower, text=f"{_seconds(lower)} to {text}")
    return Certified(answer, certificate)


class _Steps:
    """The steps of collectives as a certificate states them, the matrix of each shape made once."""

    def __init__(self, machine: NetworkContext, asking: _Asked) -> None:
        exact = asking.least == 1.0
        self.ends = machine.network.ends
        symmetry = machine.timed_symmetry if exact else machine.symmetry
        self.timer = Timer(arcs_of(symmetry.network), asking.least, moves_of(symmetry) if exact else ())
        self.known: dict[int, tuple[Demand, Matrix]] = {}

    def of(self, found: completion_time.CollectiveTime) -> list[TimedStep]:
        return [
            TimedStep(self._matrix(step.shape), step.unit_bytes, step.times, step.bandwidth_s, step.latency_s)
            for step in found.steps
        ]

    def _matrix(self, shape: Demand) -> Matrix:
        if id(shape) not in self.known:
            self.known[id(shape)] = shape, matrix_of(shape, self.ends)
        return self.known[id(shape)][1]


def _unfinished(
    call: MeasureCall,
    traffic: Traffic,
    size: float,
    asking: _Asked,
    tried: list[completion_time.CollectiveTime],
    late: list[str],
) -> Certified[Answer]:
    """Between a time that no schedule beats and the fastest algorithm that was solved in the time allowed, if any."""
    least, below = _least(call.machine, traffic, size, 0.0)
    steps = _Steps(call.machine, asking)
    above = TimeCertificate(steps.timer, [steps.of(each) for each in tried]) if tried else None
    upper = min((each.time_s for each in tried), default=np.inf)
    reason = f"not solved in the time allowed: {', '.join(late)}; from below what no schedule beats"
    answer = call.number(bounded(least.lower, upper, reason), TIME, assumptions=_rooted(call, traffic))
    return Certified(answer, Both(below.below(), above))


def _all_refused(refused: dict[str, str]) -> str:
    """Why each algorithm is refused, those with one reason together."""
    reasons: dict[str, list[str]] = {}
    for algorithm, why in refused.items():
        reasons.setdefault(why, []).append(algorithm)
    if len(reasons) == 1:
        return next(iter(reasons))
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in reasons.items())


def sweep(call: MeasureCall) -> Certified[Answer]:
    """Times of a collective from 1 KiB to 16 GiB by each algorithm; the answer is the largest bus bandwidth."""
    swept, passed, asking, bound = _swept(call)
    top = max(swept.best, key=lambda each: each.busbw_Bps)
    said = (
        f"the largest bus bandwidth, by {top.algorithm} at {size_text(top.size_bytes)}",
        *asking.root,
        f"{swept.members:,} end points a group, all groups at once",
        "ecmp shares, max-min fair within a step, zero-load latency added",
        *links_sentence(call.machine, top.links),
        "efficiency: a time that no schedule beats, of bandwidth alone, over the time of the fastest"
        if swept.efficiency
        else "efficiency not given: no bound is known where there is so little symmetry",
        *asking.said,
        *(f"{name} not tried: too many different flows; name it to try" for name in passed),
        *(f"{name}: {why}" for name, why in swept.refused.items()),
    )
    rows = _rows(swept)
    detail = {"sweep": rows, "refused": dict(swept.refused)}
    answer = call.exact(top.busbw_Bps, RATE, assumptions=said, detail=detail, lines=_table(rows))
    answer = noted_steps(call.machine, answer, (step.shape for each in swept.best for step in each.steps))
    steps, factor = _Steps(call.machine, asking), busbw_factor(swept.collective, swept.members)
    rows_of = [
        (size, [steps.of(each) for each in row]) for size, row in zip(swept.sizes_bytes, swept.times, strict=True)
    ]
    late = 0.0
    if swept.late:
        times = swept.bound_s or [0.0]
        late = factor * max(
            size / time if time else np.inf for size, time in zip(swept.sizes_bytes, times, strict=False)
        )
        answer = evolve(answer, kind="interval", upper=late)
    elif asking.least < 1.0:
        upper = max(
            each.busbw_Bps * each.time_s / (each.bandwidth_s + asking.least * each.latency_s)
            for row in swept.times
            for each in row
        )
        answer = evolve(answer, kind="interval", upper=upper)
    return Certified(answer, SweepCertificate(steps.timer, rows_of, factor, late, bound))


def _swept(call: MeasureCall) -> tuple[completion_time.SizeSweep, tuple[str, ...], _Asked, SecondsOfByte | None]:
    """Return the sweep that a call asks for, the algorithms that were not tried, and the time that no schedule
    beats."""
    traffic = _collective_traffic(call)
    asked = call.word("algorithm", "")
    passed = () if asked else _too_many(call, traffic)
    asking, machine = _asked(call, traffic), call.machine
    try:
        least, certificate = _least(machine, traffic, 1.0, machine.time_limit)
        bound = SecondsOfByte(least.lower, certificate.below())
    except TooLargeError:
        bound = None
    names = (asked,) if asked else tuple(name for name in ALGORITHMS if name not in passed)
    per_byte_s = None if bound is None else bound.least_s
    return completion_time.size_sweep(asking.over, traffic.pattern, per_byte_s, algorithms=names), passed, asking, bound


def _rows(found: completion_time.SizeSweep) -> list[dict[str, Any]]:
    """Return a row for each size, in byte, s and byte/s."""
    return [
        {
            "size": size,
            "best": fastest.algorithm,
            "time": fastest.time_s,
            "algbw": fastest.algbw_Bps,
            "busbw": fastest.busbw_Bps,
            "efficiency": None if found.efficiency is None else found.efficiency[at],
            "algorithms": {
                each.algorithm: {"time": each.time_s, "algbw": each.algbw_Bps, "busbw": each.busbw_Bps}
                for each in found.times[at]
            },
        }
        for at, (size, fastest) in enumerate(zip(found.sizes_bytes, found.best, strict=True))
    ]


def _table(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the rows as lines of equal columns: the fastest with its figures, then the time of each algorithm."""
    names = list(rows[0]["algorithms"])
    cells = [["size", "fastest", "time", "algbw GB/s", "busbw GB/s", "efficiency", *names]]
    for row in rows:
        part = "" if row["efficiency"] is None else format_share(row["efficiency"], places=1)
        cells.append(
            [
                size_text(row["size"]), row["best"], _seconds(row["time"]), f"{row['algbw'] / 1e9:,.4g}",
                f"{row['busbw'] / 1e9:,.4g}", part, *(_seconds(row["algorithms"][name]["time"]) for name in names),
            ]
        )  # fmt: skip
    widths = [max(len(line[k]) for line in cells) for k in range(len(cells[0]))]
    return tuple(
        "  ".join(
            f"{cell:<{w}}" if k == 1 else f"{cell:>{w}}" for k, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    )


def _seconds(value: float) -> str:
    """Four digits in ns, us, ms or s."""
    for unit, name in ((1e-9, "ns"), (1e-6, "us"), (1e-3, "ms")):
        if value < 999.95 * unit:
            return f"{value / unit:.4g} {name}"
    return f"{value:,.4g} s"


def optimal_time(call: MeasureCall) -> Certified[Answer]:
    traffic, size = _collective(call)
    machine = call.machine
    said = (*_rooted(call, traffic), "no schedule is faster, relays at end points allowed", *open_sentence(machine))
    least, certificate = _least(machine, traffic, size, machine.time_limit)
    return Certified(call.number(least, TIME, assumptions=said), certificate)


def _least(
    machine: NetworkContext, traffic: Traffic, size: float, budget: float | None
) -> tuple[BoundedValue, LeastCertificate]:
    """Return bounds on the least time of a collective, s, and what shows them."""
    group = traffic.groups(machine.network.ends)
    if traffic.pattern == "alltoall":
        relayed = best.alltoall_time(machine.symmetry, group, size, budget)
        return relayed.time, certify_relayed(machine, traffic, group, size, relayed)
    found = best.collective_time_bound(machine.symmetry, traffic.pattern, group, size, traffic.roots, budget=budget)
    return found, certify_least(machine, traffic, group, size, found)


def certify_relayed(
    machine: NetworkContext, traffic: Traffic, group: Ints, size: float, found: best.Relayed
) -> LeastCertificate:
    """Return what shows a least time of an all-to-all: flows and prices where there are some, else the ports."""
    if found.load_Bps is None or found.prices is None:
        return certify_least(machine, traffic, group, size, found.time)
    piece = size / int(np.bincount(group[group >= 0]).max())
    arcs = arcs_of(machine.network) if found.flows is None else found.flows.alike.arcs
    matrix, rate = Matrix(len(group), group=group, rate=piece), found.rate / piece
    return RelayedCertificate(arcs, found.load_Bps, matrix, rate, found.prices, found.time.lower, found.flows)


def certify_least(
    machine: NetworkContext, traffic: Traffic, group: Ints, size: float, found: BoundedValue
) -> LeastCertificate:
    """Return what shows a least time: of a group cuts and flows of its members, of several at once that of the slowest
    or prices, else the ports."""
    several = found if isinstance(found, best.LeastTime) else None
    slowest = 0 if several is None else several.slowest
    if traffic.pattern != "alltoall" and slowest is not None:
        return _certify_group(machine, traffic, group, size, found, slowest)
    members = int(np.bincount(group[group >= 0]).max())
    if several is not None and several.together is not None:
        return _certify_together(machine, group, size / members, several.lower, several.together)
    if several is not None and traffic.pattern == "allreduce":
        return EverySumCertificate(group, size, several.lower)
    return PortsCertificate(Matrix(len(group), group=group, rate=size / members), found.lower, found.upper)


def _certify_group(
    machine: NetworkContext, traffic: Traffic, group: Ints, size: float, found: BoundedValue, number: int
) -> LeastCertificate:
    """Return cuts and flows of the members of a group by its number."""
    name = np.unique(group[group >= 0])[number]
    chosen, root = group == name, -1
    keep = invariant_symmetries(machine.symmetry, Groups(np.where(chosen, 0, -1)))
    if traffic.pattern == "broadcast":
        root = int(np.flatnonzero(chosen)[0] if traffic.roots is None else traffic.roots[number])
        keep = keep.restricted(colour=machine.network.selected([root]))
    reduce, moves = traffic.pattern == "allreduce", moves_of(keep)
    trees = found.trees if isinstance(found, TreeBound) else ()
    return GatherCertificate(
        chosen, size, root, found.lower, found.upper, reduce, arcs_of(machine.network), moves, trees
    )


def _certify_together(
    machine: NetworkContext, group: Ints, shard: float, lower_s: float, found: best.GroupPrices
) -> LeastCertificate:
    """Return prices of what the first member of each group sends: a shard to each other one."""
    inside = np.flatnonzero(group >= 0)
    first = np.full(int(group.max()) + 1, -1, dtype=np.int64)
    first[group[inside[::-1]]] = inside[::-1]
    target = inside[first[group[inside]] != inside]
    source = first[group[target]]
    matrix = Matrix(len(group), source=source, target=target, rates=np.full(len(target), shard))
    arcs = arcs_of(machine.network) if found.alike is None else found.alike.arcs
    return PricedCertificate(arcs, matrix, found.prices, lower_s, found.alike)


def _rooted(call: MeasureCall, traffic: Traffic) -> tuple[str, ...]:
    """Where a broadcast begins; nothing of other collectives."""
    if traffic.pattern != "broadcast":
        return ()
    first = traffic.members[np.unique(traffic.group, return_index=True)[1]] if traffic.roots is None else traffic.roots
    more = f" and {len(first) - 1:,} more" if len(first) > 1 else ""
    name = end_name(call.machine, int(first[0]))
    return (f"from {name}{more}" + ("" if traffic.roots is not None else ", the first of the end points"),)


def _collective(call: MeasureCall) -> tuple[Traffic, float]:
    """Return the traffic of a collective with its size in bytes."""
    traffic = _collective_traffic(call)
    size = call.quantity("size", units.SIZE) or traffic.size_bytes
    if not size:
        raise call.refuse(call.one(), f"`{call.name}` needs a size", "write `size = 512 MiB` in the traffic, or here")
    return traffic, size


def _collective_traffic(call: MeasureCall) -> Traffic:
    node = call.one()
    traffic = call.traffic(node)
    if not traffic.definition.collective:
        raise call.refuse(
            node, f"`{traffic.pattern}` is no collective", "such as `allreduce(all npu, size = 1 GiB)`", "UB0709"
        )
    return traffic


@frozen(eq=False)
class _Asked:
    """The groups of a traffic on their machine; `least` is the part of its latency that a step takes at the least,
    `root` says where a broadcast begins."""

    over: completion_time.CollectiveTimer
    least: float
    root: tuple[str, ...]

    @property
    def said(self) -> tuple[str, ...]:
        return () if self.least == 1.0 else ("every cable between the shortest and the longest of its rate",)


def _asked(call: MeasureCall, traffic: Traffic) -> _Asked:
    """With all lengths up to `MOST_TIMED` end points; beyond, where each would count for itself, between bounds."""
    machine, group = call.machine, traffic.groups(call.machine.network.ends)
    arrays, root = arrays_of(machine.fabric.plan), _rooted(call, traffic)
    deadline_s = Deadline.of(machine.time_limit).at_s
    if len(traffic.members) <= MOST_TIMED:
        over = completion_time.CollectiveTimer(
            machine.symmetry, group, machine.timed_symmetry, traffic.roots, arrays, deadline_s, schedules()
        )
        return _Asked(over, 1.0, root)
    network, least = relax_latencies(machine.network, arc_kinds(machine.fabric))
    symmetry = evolve(machine.symmetry, network=network)
    over = completion_time.CollectiveTimer(symmetry, group, None, traffic.roots, arrays, deadline_s, schedules())
    return _Asked(over, least, root)


def _too_many(call: MeasureCall, traffic: Traffic) -> tuple[str, ...]:
    """Algorithms whose steps have so many different flows here that they are only tried when asked for."""
    orbits = len(call.machine.symmetry.representatives(traffic.members)[0])
    if orbits * len(traffic.members) <= MOST_CLASSES:
        return ()
    return ("ring", "halving_doubling", "bruck", "tree") if orbits <= FEW_ORBITS else ("direct", "hierarchical")
