"""Measures of traffic: throughput, loads of cables, fair rates."""

from __future__ import annotations

import numpy as np

from unifiedbus_dsl.analysis.api.asking import asked
from unifiedbus_dsl.analysis.api.columns import cable_loads, over_cables, over_devices
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures import deadlock, rates
from unifiedbus_dsl.measures.certified import Certified
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.read_paths import read_paths
from unifiedbus_dsl.measures.read_routing import read_routing
from unifiedbus_dsl.measures.results import (
    CableLoads,
    FairRates,
    Rates,
    read_only,
)
from unifiedbus_dsl.solver.flow import max_min_fair as sharing


def throughput(fabric: Fabric, traffic: str, routing: str = "ecmp") -> Rates:
    """Return the largest scale of a traffic that fits under a routing, with rates by device and loads by cable.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        traffic: a traffic of the language, `alltoall(all npu, within = rack)`, or the name of one of the file.
        routing: `ecmp wcmp valiant valiant(via = switch) updown dor dor(order = [1, 0]) minimal optimal` or another
            that the language has.

    Raises:
        QuestionError: traffic or routing are wrong, or the fabric does not admit the routing.
    """

    def answer(call: MeasureCall) -> Certified[Rates]:
        machine = call.machine
        _, demand = call.matrix()
        wanted = read_routing(call)
        rates_found = wanted.throughput(machine, demand)
        full = np.zeros(machine.network.arcs)
        full[rates_found.binding] = 1.0
        held = np.zeros(machine.network.ends)
        held[rates_found.binding_ends] = 1.0
        answer = Rates(
            fabric,
            wanted.text,
            rates_found.scale,
            over_devices(machine, rates_found.injected_Bps),
            cable_loads(machine, wanted.text, rates_found.load_Bps),
            read_only(np.maximum(*over_cables(machine, full)) > 0),
            read_only(over_devices(machine, held) > 0),
        )
        return Certified(answer, rates.certify_throughput(machine, demand, wanted, rates_found))

    return asked(fabric, "throughput", traffic, answer, routing=routing)


def loads(fabric: Fabric, traffic: str, routing: str = "ecmp", *, rate_Bps: float | None = None) -> CableLoads:  # noqa: N803
    """Return what each cable carries, by cable and direction, in byte/s.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        traffic: a traffic of the language, or the name of one of the file.
        routing: how it is routed.
        rate_Bps: what the end point that sends most injects, byte/s; default: the most that its own ports and NICs
            carry of it.

    Raises:
        QuestionError: traffic or routing are wrong, or the fabric does not admit the routing.
    """

    def answer(call: MeasureCall) -> Certified[CableLoads]:
        used = rates.utilisation(call, rate_Bps)
        load = used.answer.share * call.machine.network.capacity_Bps
        return Certified(cable_loads(call.machine, used.answer.routing.text, load), used.certificate)

    return asked(fabric, "load", traffic, answer, routing=routing)


def fair(fabric: Fabric, traffic: str, *, hash: int | None = None) -> FairRates:
    """Return the max-min fair rate of each flow, and where the traffic has a size, when each ends if all begin at once.

    Progressive filling: Bertsekas and Gallager, Data Networks, 2nd edition, 6.5.2.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        traffic: a traffic of the language; with `size`, flows have an end.
        hash: the seed of a hash that puts each flow on one path; default: split as `ecmp` splits it.

    Raises:
        QuestionError: the traffic is wrong, or a flow has no path.
    """

    def answer(call: MeasureCall) -> Certified[FairRates]:
        traffic, demand = call.matrix()
        network = call.machine.network
        flows, source, target = rates.flows(call)
        rate = sharing.fair_rates(flows)
        finish = np.full(len(rate), np.nan)
        if traffic.size_bytes:
            finish = sharing.completion(flows, traffic.size_bytes).finish_s
        ends = network.end_device
        answer = FairRates(
            fabric, read_only(ends[source]), read_only(ends[target]), read_only(rate), read_only(flows.count),
            read_only(finish),
        )  # fmt: skip
        last = float(finish.max()) if traffic.size_bytes else 0.0
        return Certified(answer, rates.certify_fair(call, demand, flows, rate, traffic.size_bytes or 0.0, last))

    return asked(fabric, "fair", traffic, answer, hash=hash)


def deadlock_free(fabric: Fabric, traffic: str, routing: str = "ecmp") -> bool:
    """Return whether the channels that a routing uses never depend on each other in a circle.

    Then packets on lossless links can't wait for each other for ever, with one virtual lane. Where they can, `measure`
    gives a cycle of channels. Dally and Seitz, IEEE Transactions on Computers C-36, 1987.

    Args:
        fabric: the machine, as `Compilation.fabric()`, `Fabric.load` or an import gives it.
        traffic: a traffic of the language, or the name of one of the file.
        routing: how it is routed.

    Raises:
        QuestionError: traffic or routing are wrong, or the fabric does not admit the routing.
    """

    def answer(call: MeasureCall) -> Certified[bool]:
        _, demand = call.matrix()
        channel_order = deadlock.channel_order(call.machine, demand, read_paths(call)[1])
        return Certified(channel_order.answer.deadlock_free, channel_order.certificate)

    return asked(fabric, "deadlock_free", traffic, answer, routing=routing)
