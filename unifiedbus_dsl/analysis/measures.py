"""The measures that the solver answers, by the names under which `expect` and `analyze` call them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl import schema, units
from unifiedbus_dsl.analysis.answers import Answer
from unifiedbus_dsl.analysis.selections import FabricSelector
from unifiedbus_dsl.analysis.traffic import COLLECTIVES, Traffic, TrafficReader
from unifiedbus_dsl.bind import TRAFFICS, dotted
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.network import Floats, Ints, Network
from unifiedbus_dsl.solve import collectives, ecmp, fair, hashed, limits, optimal, paths, routings, schedules
from unifiedbus_dsl.solve.demand import Groups, Pairs, sent
from unifiedbus_dsl.solve.machine import Machine
from unifiedbus_dsl.solve.oversubscription import oversubscription
from unifiedbus_dsl.solve.result import Kind, NotAdmittedError, Number
from unifiedbus_dsl.solve.throughput import Throughput, throughput
from unifiedbus_dsl.symmetry import Symmetry, arrays_of
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.units import NUMBER, RATE, TIME, Dimension

ROUTINGS: Mapping[str, Callable[..., ecmp.Loads]] = {
    "ecmp": ecmp.ecmp,
    "wcmp": ecmp.wcmp,
    "valiant": ecmp.valiant,
    "updown": routings.updown,
    "dor": lambda symmetry, demand: routings.dor(symmetry, demand, _places(symmetry)),
}
"""Routings that give loads of their own; `minimal` and `optimal` are optimised for throughput."""
OPTIMISED = ("minimal", "optimal")
MOST_STEPPED = 100_000
"""End points up to which the steps of a collective are solved."""
MOST_CLASSES = 100_000
"""Orbits of end points times end points up to which every algorithm of a collective is tried unasked."""
MOST_PAIRS = 2_000_000
"""Pairs that are solved one by one where no symmetry makes them equal."""


class _Refused(Exception):  # noqa: N818 - carries no message: the diagnostic is in the sink
    """The question is wrong, and a diagnostic says so."""


@frozen(eq=False)
class _Call:
    """A call with its arguments apart: positional ones, and named ones."""

    node: tree.Call
    name: str
    plain: tuple[tree.Expr, ...]
    named: Mapping[str, tree.Expr]

    @property
    def arguments(self) -> str:
        return ", ".join(" ".join(arg.span.text.split()) for arg in self.node.args)


@frozen(eq=False)
class Asker:
    """Answers measures about one machine.

    `traffics` are the traffic statements that can be named. Everything that is wrong with a question goes to the sink
    of the evaluator.
    """

    machine: Machine
    selector: FabricSelector
    traffics: Mapping[str, tree.Traffic]
    system: str
    block: str = ""

    @property
    def evaluator(self) -> Evaluator:
        return self.selector.evaluator

    def answer(self, node: tree.Call) -> Answer | None:
        """The answer to a measure; None after a diagnostic."""
        name = ".".join(dotted(node.function))
        call = _Call(
            node,
            name,
            tuple(arg.value for arg in node.args if arg.name is None),
            {arg.name.text: arg.value for arg in node.args if arg.name is not None},
        )
        measure = _MEASURES.get(name)
        if measure is None:
            self._say(node.function, f"`{name}` can't be asked here", "UB0705")
            return None
        began = time.perf_counter()
        try:
            self._check_named(call)
            found = measure(self, call)
        except _Refused:
            return None
        except NotAdmittedError as refused:
            self.evaluator.sink.error("UB0706", f"`{name}` has no answer here: {refused}", node.span, "no answer")
            return None
        seconds = time.perf_counter() - began
        return evolve(found, arguments=call.arguments, system=self.system, block=self.block, seconds=seconds)

    # -- arguments

    def _say(self, node: tree.Node, message: str, code: str = "UB0705", help: str = "") -> None:
        self.evaluator.sink.error(code, message, node.span, "here", help=(help,) if help else ())

    def _refuse(self, node: tree.Node, message: str, help: str = "") -> _Refused:
        self._say(node, message, help=help)
        return _Refused()

    def _check_named(self, call: _Call) -> None:
        legal = _NAMED.get(call.name, ())
        for name, value in call.named.items():
            if name not in legal:
                guess = did_you_mean(name, legal)
                takes = ", ".join(f"`{n}`" for n in legal) or "no named argument"
                raise self._refuse(value, f"`{call.name}` takes {takes}", f"did you mean `{guess}`?" if guess else "")

    def _one(self, call: _Call) -> tree.Expr:
        if len(call.plain) != 1:
            raise self._refuse(call.node, f"`{call.name}` takes one selection", f"write `{call.name}(all npu)`")
        return call.plain[0]

    def _ends(self, node: tree.Expr) -> Ints:
        devices = self.selector.devices(node)
        if devices is None:
            raise _Refused
        ends = self.machine.ends(devices)
        if not len(ends):
            raise self._refuse(node, "these are no end points: switches neither send nor receive", "such as `all npu`")
        return ends

    def _pair(self, call: _Call) -> tuple[Ints, Ints]:
        """From which end points to which: `A -> B`, or all pairs of one selection."""
        node = self._one(call)
        if isinstance(node, tree.Arrow):
            return self._ends(node.left), self._ends(node.right)
        ends = self._ends(node)
        return ends, ends

    def _word(self, call: _Call, name: str, default: str, legal: tuple[str, ...]) -> str:
        node = call.named.get(name)
        if node is None:
            return default
        word = node.text if isinstance(node, tree.Name) else ""
        if word not in legal:
            guess = did_you_mean(word, legal)
            raise self._refuse(
                node, f"`{name}` is one of " + ", ".join(legal), f"did you mean `{guess}`?" if guess else ""
            )
        return word

    def _quantity(self, call: _Call, name: str, dimension: Dimension) -> float | None:
        node = call.named.get(name)
        if node is None:
            return None
        value = self.evaluator.quantity(node, dimension)
        if value is None:
            raise _Refused
        return float(value)

    def traffic(self, node: tree.Expr) -> Traffic:
        """The traffic that an argument names or states."""
        reader = TrafficReader(self.machine, self.selector)
        if isinstance(node, tree.Name) and node.text in self.traffics:
            found = reader.read(node.text, self.traffics[node.text].value)
        elif isinstance(node, tree.Call) and ".".join(dotted(node.function)) in TRAFFICS:
            found = reader.read(" ".join(node.span.text.split()), node)
        else:
            guess = did_you_mean(node.span.text, self.traffics)
            raise self._refuse(
                node,
                "a traffic is wanted: the name of one of this system, or a pattern",
                f"did you mean `{guess}`?" if guess else "such as `alltoall(all npu)`",
            )
        if found is None:
            raise _Refused
        return found

    def _matrix(self, node: tree.Expr) -> tuple[Traffic, Groups | Pairs]:
        traffic = self.traffic(node)
        if traffic.demand is None:
            raise self._refuse(
                node,
                f"`{traffic.pattern}` is steps of a schedule, not a matrix of rates",
                "ask for `time(…)`, or use `alltoall`" if traffic.pattern in COLLECTIVES else "",
            )
        if not (sent(traffic.demand, self.machine.network.ends) > 0).any():
            raise NotAdmittedError("nothing is sent")
        return traffic, traffic.demand

    # -- paths

    def _hops(self, call: _Call) -> Answer:
        source, target = self._pair(call)
        found = paths.hops(self.machine.symmetry, source, target)
        value = found.mean if call.name == "mean_hops" else found.largest
        return self._path_answer(call, found, value, NUMBER, "shortest paths by cables")

    def _latency(self, call: _Call) -> Answer:
        source, target = self._pair(call)
        message = self._quantity(call, "message", units.SIZE) or 0.0
        found = paths.latency(self.machine.timed_symmetry, source, target, message)
        value = found.mean if call.name == "mean_latency" else found.largest
        return self._path_answer(call, found, value, TIME, "zero load, cut-through")

    def _path_answer(
        self, call: _Call, found: paths.Histogram, value: float, dimension: Dimension, assumption: str
    ) -> Answer:
        worst: tuple[str, ...] = ()
        if not call.name.startswith("mean_"):
            worst = (f"{self._end_name(found.source)} -> {self._end_name(found.target)}",)
        detail = {"histogram": [[float(v), int(n)] for v, n in zip(found.value, found.pairs, strict=True)]}
        return _exact(call, value, dimension, binding=worst, assumptions=(assumption,), detail=detail)

    def _disjoint(self, call: _Call) -> Answer:
        source, target = self._pair(call)
        found = paths.disjoint_paths(self.machine.symmetry, source, target)
        pair = f"{self._end_name(found.source)} -> {self._end_name(found.target)}"
        return _exact(call, found.paths, NUMBER, binding=(pair,), assumptions=("max-flow of cables",))

    def _connected(self, call: _Call) -> Answer:
        ends = self._ends(self._one(call))
        truth = paths.connected(self.machine.symmetry, ends)
        return _exact(call, float(truth), NUMBER, detail={"truth": truth}, text="yes" if truth else "no")

    def _reachable(self, call: _Call) -> Answer:
        ends = self._ends(self._one(call))
        return _exact(call, paths.reachable(self.machine.network, ends), NUMBER)

    # -- rates

    def _bisection(self, call: _Call) -> Answer:
        found = limits.bisection(self.machine.symmetry, self._ends(self._one(call)))
        return _number(call, found.capacity, RATE, assumptions=("capacity one way, after protocol efficiency",))

    def _throughput(self, call: _Call) -> Answer:
        traffic, demand = self._matrix(self._one(call))
        routing = self._word(call, "routing", "ecmp", (*ROUTINGS, *OPTIMISED))
        found = self._solved(routing, demand)
        row = sent(demand, self.machine.network.ends)
        each = found.rate_mean_Bps / float(found.scale) if float(found.scale) else 0.0
        kind, lower, upper = found.scale.kind, found.scale.lower * each, found.scale.upper * each
        text = ""
        spread = found.rate_max_Bps - found.rate_min_Bps
        detail: dict[str, Any] = {"scale": float(found.scale), "senders": int((row > 0).sum())}
        if spread > 1e-9 * found.rate_max_Bps:
            detail |= {"rate_min": found.rate_min_Bps, "rate_max": found.rate_max_Bps}
        return Answer(
            self.system,
            self.block,
            call.name,
            "",
            found.rate_mean_Bps,
            RATE,
            kind,
            lower,
            upper,
            self._binding(found.binding) + self._binding_ends(found.binding_ends),
            (f"routing {routing}", "rate that an end point injects", f"{traffic.pattern}"),
            detail=detail,
            text=text,
        )

    def _solved(self, routing: str, demand: Groups | Pairs) -> Throughput:
        if routing in OPTIMISED:
            return limits.optimal(self.machine.symmetry, demand, minimal=routing == "minimal").throughput
        return throughput(ROUTINGS[routing](self.machine.symmetry, demand), demand)

    def load(self, node: tree.Expr) -> tuple[_Call, Traffic, str, Floats, float]:
        """Utilisation of every arc for `load(traffic, routing = …, rate = …)`, with the rate that was taken."""
        if not isinstance(node, tree.Call) or ".".join(dotted(node.function)) != "load":
            raise self._refuse(node, "`load(…)` is wanted here", "write `worst(load(TRAFFIC))`")
        call = _Call(
            node,
            "load",
            tuple(arg.value for arg in node.args if arg.name is None),
            {arg.name.text: arg.value for arg in node.args if arg.name is not None},
        )
        self._check_named(call)
        traffic, demand = self._matrix(self._one(call))
        routing = self._word(call, "routing", "ecmp", tuple(ROUTINGS))
        loads = ROUTINGS[routing](self.machine.symmetry, demand)
        network = self.machine.network
        row = sent(demand, network.ends)
        rate = self._quantity(call, "rate", RATE) or self._injection(network, row)
        return call, traffic, routing, np.asarray(loads.utilisation * (rate / row.max())), rate

    def utilisation(self, node: tree.Expr) -> tuple[Floats, str, str, float] | None:
        """Utilisation of every arc, traffic, routing and rate for a picture; None after a diagnostic."""
        try:
            _, traffic, routing, share, rate = self.load(node)
        except _Refused:
            return None
        except NotAdmittedError as refused:
            self.evaluator.sink.error("UB0706", f"`load` has no answer here: {refused}", node.span, "no answer")
            return None
        return share, traffic.name, routing, rate

    @staticmethod
    def _injection(network: Network, row: Floats) -> float:
        """What the end point that sends most can inject: its `injection`, else the sum of its port rates."""
        out = np.bincount(network.tail, weights=network.capacity_Bps, minlength=network.vertices)
        sums = np.bincount(network.end[network.end_order], weights=out[network.end_order], minlength=network.ends)
        able = np.where(np.isfinite(network.injection_Bps), network.injection_Bps, sums)
        return float(able[row == row.max()].min())

    def _load(self, call: _Call) -> Answer:
        node = call.node if call.name == "load" else self._one(call)
        _, traffic, routing, share, rate = self.load(node)
        network = self.machine.network
        top = float(share.max())
        full = np.flatnonzero(share >= top * (1 - 1e-9))
        links = list(self.machine.fabric.plan.links)
        by_link = {
            links[k]: float(share[network.kinds.link[network.kind] == k].max())
            for k in np.unique(network.kinds.link[network.kind]).tolist()
        }
        said = (f"routing {routing}", f"{traffic.pattern}", f"each end point injects {rate / 1e9:,.4g} GB/s")
        text = f"{top:.4%}".rstrip("0").rstrip(".%") + "% of the busiest cable"
        return _exact(
            call, top, NUMBER, binding=self._binding(full), assumptions=said, detail={"by_link": by_link}, text=text
        )

    def _fair(self, call: _Call) -> Answer:
        traffic, demand = self._matrix(self._one(call))
        network = self.machine.network
        seed = self.evaluator.integer(call.named["hash"], low=0) if "hash" in call.named else None
        shares = "ecmp shares" if seed is None else f"one shortest path a flow, hashed with seed {seed}"
        if seed is not None:
            one, two = self._listed(call, demand)
            flows = hashed.hashed_flows(network, one, two, seed)
            rate, count = fair.fair_rates(flows), flows.count
        elif isinstance(demand, Groups):
            classes = fair.pair_classes(self.machine.symmetry, [demand])
            rate, count = fair.fair_rates(classes.flows), classes.flows.count
        else:
            flows = fair.shared_flows(network, *self._listed(call, demand))
            rate, count = fair.fair_rates(flows), flows.count
        least, mean = float(rate.min()), float((rate * count).sum() / count.sum())
        detail: dict[str, Any] = {"mean": mean, "max": float(rate.max()), "flows": int(count.sum())}
        said = ("max-min fair rate of the slowest flow", shares, traffic.pattern)
        if traffic.size_bytes:
            detail["completion_s"] = traffic.size_bytes / least
        return _exact(call, least, RATE, assumptions=said, detail=detail)

    def _listed(self, call: _Call, demand: Groups | Pairs) -> tuple[Ints, Ints]:
        """Every flow for itself: its source and its target."""
        if isinstance(demand, Pairs):
            count = len(demand.source)
        else:
            count = int((np.bincount(demand.group[demand.group >= 0]).astype(np.int64) ** 2).sum())
        if count > MOST_PAIRS:
            raise self._refuse(call.node, f"{count:,} flows are more than can be solved one by one")
        if isinstance(demand, Pairs):
            return demand.source, demand.target
        inside = np.flatnonzero(demand.group >= 0)
        same = demand.group[inside][:, None] == demand.group[inside]
        np.fill_diagonal(same, False)
        one, two = np.nonzero(same)
        return inside[one], inside[two]

    # -- collectives

    def _groups(self, traffic: Traffic) -> Ints:
        group = np.full(self.machine.network.ends, -1, dtype=np.int64)
        group[traffic.members] = traffic.group
        return group

    def _collective(self, call: _Call) -> tuple[Traffic, float]:
        """The traffic of a collective with its size in bytes."""
        node = self._one(call)
        traffic = self.traffic(node)
        if traffic.pattern not in (*COLLECTIVES, "alltoall"):
            raise self._refuse(
                node, f"`{traffic.pattern}` is no collective", "such as `allreduce(all npu, size = 1 GiB)`"
            )
        size = self._quantity(call, "size", units.SIZE) or traffic.size_bytes
        if not size:
            raise self._refuse(node, f"`{call.name}` needs a size", "write `size = 512 MiB` in the traffic, or here")
        return traffic, size

    def _time(self, call: _Call) -> Answer:
        traffic, size = self._collective(call)
        asked = self._word(call, "algorithm", "", schedules.ALGORITHMS)
        if len(traffic.members) > MOST_STEPPED:
            raise self._refuse(
                call.node,
                f"the steps of {len(traffic.members):,} end points are more than are solved, at most {MOST_STEPPED:,}",
                "ask about fewer end points, `all npu in pod[0]`, or for `optimal_time`",
            )
        over = collectives.Collectives(
            self.machine.symmetry,
            self._groups(traffic),
            self.machine.timed_symmetry,
            arrays=arrays_of(self.machine.fabric.plan),
        )
        tried: list[collectives.CollectiveTime] = []
        refused = ""
        passed = self._too_many(traffic) if not asked else ()
        for algorithm in (asked,) if asked else [a for a in schedules.ALGORITHMS if a not in passed]:
            try:
                tried.append(over.time(traffic.pattern, algorithm, size))
            except NotAdmittedError as why:
                refused = str(why)
        if not tried:
            raise NotAdmittedError(refused)
        found = min(tried, key=lambda each: each.time_s)
        longest = found.longest
        said = (
            f"{found.algorithm}" + ("" if asked else ", the fastest of those that the groups admit"),
            f"{found.members:,} end points a group, all groups at once",
            "ecmp shares, max-min fair within a step, zero-load latency added",
            *(f"{name} not tried: too many different flows; name it to try" for name in passed),
        )
        detail = {
            "algorithm": found.algorithm,
            "algbw": found.algbw_Bps,
            "busbw": found.busbw_Bps,
            "bandwidth_s": found.bandwidth_s,
            "latency_s": found.latency_s,
            "others": {each.algorithm: each.time_s for each in tried if each is not found},
        }
        shown = units.format_quantity(units.Quantity(Fraction(found.time_s), TIME))
        text = f"{shown}, busbw {found.busbw_Bps / 1e9:,.4g} GB/s"
        binding = (f"step {longest.name}, {longest.duration_s / found.time_s:.0%} of the time",)
        return _exact(call, found.time_s, TIME, binding=binding, assumptions=said, detail=detail, text=text)

    def _too_many(self, traffic: Traffic) -> tuple[str, ...]:
        """Algorithms whose steps have so many different flows here that they are only tried when asked for."""
        orbits = len(self.machine.symmetry.representatives(traffic.members)[0])
        return ("direct", "hierarchical") if orbits * len(traffic.members) > MOST_CLASSES else ()

    def _optimal_time(self, call: _Call) -> Answer:
        traffic, size = self._collective(call)
        found = optimal.optimal_time(self.machine.symmetry, traffic.pattern, self._groups(traffic), size)
        return _number(call, found, TIME, assumptions=("no schedule is faster, relays at end points allowed",))

    def _oversubscription(self, call: _Call) -> Answer:
        blocks = self.selector.blocks(self._one(call))
        if blocks is None:
            raise _Refused
        if blocks.noun not in schema.KINDS_OF_ASSEMBLY:
            raise self._refuse(self._one(call), "assemblies are wanted: only they have a wall", "such as `all rack`")
        members = self._ends(call.named["from"]) if "from" in call.named else None
        network = self.machine.network
        part = np.full(network.vertices, -1, dtype=np.int64)
        device = np.repeat(np.arange(len(network.device_start) - 1), np.diff(network.device_start))
        at = np.searchsorted(blocks.start, device, side="right") - 1
        inside = (at >= 0) & (device < blocks.stop[np.maximum(at, 0)])
        part[inside] = at[inside]
        found = oversubscription(network, part, members)
        worst = int(np.argmax(np.where(np.isfinite(found.ratio), found.ratio, -1.0)))
        ratio = float(found.ratio[worst])
        where = f"{self._block_name(int(blocks.start[worst]), blocks.noun)}"
        detail = {"inside": float(found.inside_Bps[worst]), "wall": float(found.wall_Bps[worst])}
        said = ("raw rates that end points inside can inject, over raw rates through the wall",)
        return _exact(call, ratio, NUMBER, binding=(where,), assumptions=said, detail=detail, text=f"{ratio:.4g} : 1")

    # -- reliability

    def _mtbf(self, call: _Call) -> Answer:
        rate = self._failure_rate(call)
        hours = 8760.0 / rate
        if call.name == "mtbf":
            return _exact(call, hours * 3600, TIME, assumptions=("8,760 h over the sum of AFR",))
        repair = self._quantity(call, "mttr", TIME)
        if repair is None:
            raise self._refuse(call.node, "`availability` needs the time to repair", "availability(mttr = 75 min)")
        value = hours * 3600 / (hours * 3600 + repair)
        return _exact(call, value, NUMBER, assumptions=("MTBF / (MTBF + MTTR)",), text=f"{value:.4%}")

    def _failure_rate(self, call: _Call) -> float:
        """Failures a year of all that states an `afr`."""
        fabric = self.machine.fabric
        total = 0.0
        counts = np.bincount(fabric.device_type, minlength=len(fabric.plan.devices))
        for device, count in zip(fabric.plan.devices.values(), counts.tolist(), strict=True):
            total += count * _afr(device.fields)
        kinds = np.bincount(fabric.kind, minlength=len(fabric.kinds.link))
        links = list(fabric.plan.links.values())
        for row, count in enumerate(kinds.tolist()):
            total += count * _afr(links[int(fabric.kinds.link[row])].fields)
        for key, assembly in fabric.plan.assemblies.items():
            total += fabric.plan.instances[key] * _afr(assembly.fields)
        if total <= 0:
            raise self._refuse(
                call.node, "nothing in this system states an `afr`", "add `afr = 0.02` to parts and links"
            )
        return total

    # -- names

    def _end_name(self, end: int) -> str:
        return self.machine.fabric.device_name(int(self.machine.network.end_device[end])) if end >= 0 else "?"

    def _block_name(self, device: int, noun: str) -> str:
        """The path of the assembly of this kind that a device is in: its name cut where the assembly ends."""
        name = self.machine.fabric.device_name(device)
        plan = self.machine.fabric.plan
        key, kept = plan.root, []
        for segment in name.split("."):
            child = next(c for c in plan.assemblies[key].children if c.name == segment.split("[")[0])
            kept.append(segment)
            key = child.type
            if plan.type(key).kind == noun or key in plan.devices:
                break
        return ".".join(kept)

    def _binding(self, arcs: Ints, most: int = 3) -> tuple[str, ...]:
        """The arcs that bind by name: one of each sort (types of both ends, link), with how many are like it."""
        network, fabric = self.machine.network, self.machine.fabric
        if not len(arcs):
            return ()
        device = np.searchsorted(network.device_start, [network.tail[arcs], network.head[arcs]], side="right") - 1
        link = network.kinds.link[network.kind[arcs]]
        sort = (fabric.device_type[device[0]].astype(np.int64) << 40) | (
            fabric.device_type[device[1]].astype(np.int64) << 20
        )
        _, first, count = np.unique(sort | link, return_index=True, return_counts=True)
        links = list(fabric.plan.links)
        found = []
        for at, n in sorted(zip(first.tolist(), count.tolist(), strict=True), key=lambda pair: -pair[1])[:most]:
            a, b = fabric.device_name(int(device[0][at])), fabric.device_name(int(device[1][at]))
            more = f" and {n - 1:,} more" if n > 1 else ""
            found.append(f"{a} -> {b} over {links[int(link[at])]}{more}")
        return tuple(found)

    def _binding_ends(self, ends: Ints) -> tuple[str, ...]:
        if not len(ends):
            return ()
        more = f" and {len(ends) - 1:,} more" if len(ends) > 1 else ""
        return (f"injection of {self._end_name(int(ends[0]))}{more}",)


def _places(symmetry: Symmetry) -> Ints:
    """Place of each end point in the array of single devices that holds most of them, for routing by dimension."""
    found = [routings.coordinates(symmetry.network, array) for array in symmetry.arrays if array.size == 1]
    found = [place for place in found if place.shape[1] > 0]
    if not found:
        raise NotAdmittedError("there is no array of end points whose dimensions could be routed by")
    return max(found, key=lambda place: int((place[:, 0] >= 0).sum()))


def _afr(fields: Mapping[str, Any]) -> float:
    value = fields.get("afr")
    return float(value) if isinstance(value, units.Quantity) else 0.0


def _exact(
    call: _Call,
    value: float,
    dimension: Dimension,
    *,
    binding: tuple[str, ...] = (),
    assumptions: tuple[str, ...] = (),
    detail: dict[str, Any] | None = None,
    text: str = "",
) -> Answer:
    value = float(value)
    return Answer(
        "", "", call.name, "", value, dimension, "exact", value, value, binding, assumptions, 0.0, detail or {}, text
    )


def _number(call: _Call, found: Number, dimension: Dimension, *, assumptions: tuple[str, ...] = ()) -> Answer:
    kind: Kind = found.kind
    return Answer(
        "", "", call.name, "", found.value, dimension, kind, found.lower, found.upper, (), (*assumptions, found.reason)
    )


_MEASURES: Mapping[str, Callable[[Asker, _Call], Answer]] = {
    "hops": Asker._hops,
    "diameter": Asker._hops,
    "mean_hops": Asker._hops,
    "latency": Asker._latency,
    "mean_latency": Asker._latency,
    "disjoint_paths": Asker._disjoint,
    "connected": Asker._connected,
    "reachable": Asker._reachable,
    "bisection": Asker._bisection,
    "throughput": Asker._throughput,
    "load": Asker._load,
    "worst": Asker._load,
    "fair": Asker._fair,
    "time": Asker._time,
    "optimal_time": Asker._optimal_time,
    "oversubscription": Asker._oversubscription,
    "mtbf": Asker._mtbf,
    "availability": Asker._mtbf,
}
_NAMED: Mapping[str, tuple[str, ...]] = {
    "latency": ("message",),
    "mean_latency": ("message",),
    "throughput": ("routing",),
    "fair": ("hash",),
    "time": ("algorithm", "size"),
    "optimal_time": ("size",),
    "load": ("routing", "rate"),
    "oversubscription": ("from",),
    "availability": ("mttr",),
}
