"""NCCL's topology of a node, for `NCCL_TOPO_FILE` (nccl/src/graph/xml.cc and topo.cc): CPUs, in them the PCIe tree with
GPUs and NICs, at each GPU its NVLinks.

PCIe are the cables over the protocols by which NPUs, NICs and CPUs are joined, directly or over switches that have
both; what else joins NPUs with each other or with switches is NVLink. NCCL has a rate for each NVLink by the compute
capability of the GPU (`sm`), so the number of links is what gives the rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.units import Quantity, counted
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape.xml import attribute
from unifiedbus_dsl.export.base import ExportInput, Format, left_out, refuse, remark, too_large
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.export.common.servers import Server, servers_of
from unifiedbus_dsl.export.common.stream import kind_facts, write_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import spares

GENERATIONS = {2.5: "2.5", 5.0: "5.0", 8.0: "8.0", 16.0: "16.0", 32.0: "32.0", 64.0: "64.0"}
"""Rates of a lane of PCIe in GT/s that NCCL knows, as it writes them."""
LEAST, MOST = 60, 120
"""Compute capabilities that NCCL has NVLinks for."""
MOST_INSIDE = 128
"""Elements in one element (`MAX_SUBS`)."""
CPU = 'arch="x86_64" vendor="GenuineIntel" familyid="6" modelid="143"'
"""What stands for the CPU's model, by which NCCL takes the rate between sockets."""
FIELD = "sm"
"""Field of an NPU that states its compute capability."""


def nvlink_rate(sm: int) -> float:
    """Return the raw rate of an NVLink each way by compute capability, in byte/s."""
    return 50e9 if sm >= 100 else 20e9 if sm < 70 else 25e9


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    servers = [server for server in servers_of(subject) if _npus(fabric, server)]
    if not servers:
        span = subject.plan.type(subject.plan.root).span
        raise refuse(sink, "NCCL's topology is of a node with GPUs, and no node has an `npu`", "json", span)
    node = _Node.read(fabric, servers[0])
    tree = _Tree(node)
    if max(map(len, tree.inside.values()), default=0) > MOST_INSIDE or len(tree.cpus) > MOST_INSIDE:
        raise too_large(sink, f"an element of NCCL holds {MOST_INSIDE} others", "name a smaller part by `--node`")
    _tell(node, tree, servers, sink)
    write_text(path, _system(node, tree, Slugs(subject.plan)))


def _npus(fabric: Fabric, server: Server) -> list[int]:
    here = range(server.start, server.stop)
    kinds = [of.kind for of in fabric.plan.devices.values()]
    idle = spares(fabric.plan)
    return [d for d in here if kinds[int(fabric.device_type[d])] == "npu" and not idle[d]]


# ---- the node --------------------------------------------------------------------------------------------------------


@frozen
class _Join:
    """Cables between two devices over one protocol: raw rate in byte/s added up, lanes of all, rate of one lane."""

    rate: float
    lanes: int


@define(eq=False)
class _Node:
    """A node: its devices, what joins them, and the rate of what leaves it."""

    fabric: Fabric
    server: Server
    kind: dict[int, str]
    joins: dict[tuple[int, int, str], _Join]
    leaving: dict[tuple[int, str], float]

    @classmethod
    def read(cls, fabric: Fabric, server: Server) -> _Node:
        """Return a node as the fabric has it; spares are not in it."""
        idle, kinds = spares(fabric.plan), [of.kind for of in fabric.plan.devices.values()]
        kind = {d: kinds[int(fabric.device_type[d])] for d in range(server.start, server.stop) if not idle[d]}
        facts, links = kind_facts(fabric), fabric.plan.links
        joins: dict[tuple[int, int, str], _Join] = {}
        leaving: dict[tuple[int, str], float] = defaultdict(float)
        sides = [(side >= server.start) & (side < server.stop) for side in (fabric.a_device, fabric.b_device)]
        for cable in np.flatnonzero(sides[0] | sides[1]).tolist():
            fact = facts[int(fabric.kind[cable])]
            a, b = sorted((int(fabric.a_device[cable]), int(fabric.b_device[cable])))
            protocol = links[fact.link].protocol
            rate = fact.capacity if fact.rate is None else fact.rate
            if a in kind and b in kind and a != b:
                before = joins.get((a, b, protocol), _Join(0.0, 0))
                joins[a, b, protocol] = _Join(before.rate + rate, before.lanes + fact.lanes)
            elif (a in kind) != (b in kind):
                leaving[a if a in kind else b, protocol] += rate
        return cls(fabric, server, kind, joins, dict(leaving))

    def of(self, *kinds: str) -> list[int]:
        """Return the devices of some kinds, in order."""
        return [device for device, kind in self.kind.items() if kind in kinds]

    def host_protocols(self) -> set[str]:
        """Return the protocols by which CPUs, NICs and NPUs are joined, directly or at one switch."""
        found = set()
        at_switch: dict[tuple[int, str], set[str]] = defaultdict(set)
        for a, b, protocol in self.joins:
            kinds = {self.kind[a], self.kind[b]}
            if kinds in ({"npu", "nic"}, {"npu", "cpu"}, {"cpu", "nic"}, {"cpu", "switch"}):
                found.add(protocol)
            for switch, other in ((a, b), (b, a)):
                if self.kind[switch] == "switch":
                    at_switch[switch, protocol].add(self.kind[other])
        return found | {protocol for (_, protocol), kinds in at_switch.items() if {"npu", "nic"} <= kinds}


@define(eq=False)
class _Tree:
    """The PCIe tree of a node: what is in each device, and over what. CPUs and switches of our own have numbers below
    0."""

    node: _Node
    cpus: list[int] = field(init=False)
    inside: dict[int, list[int]] = field(init=False, factory=lambda: defaultdict(list))
    above: dict[int, _Join] = field(init=False, factory=dict)
    lost: int = field(init=False, default=0)
    made: int = field(init=False, default=0)
    nvlinks: dict[int, dict[int, float]] = field(init=False, factory=lambda: defaultdict(lambda: defaultdict(float)))

    def __attrs_post_init__(self) -> None:
        node = self.node
        host = node.host_protocols()
        near: dict[int, dict[int, _Join]] = defaultdict(dict)
        for (a, b, protocol), join in node.joins.items():
            kinds = [node.kind[a], node.kind[b]]
            if protocol in host and kinds not in (["npu", "npu"], ["cpu", "cpu"]):
                near[a][b] = near[b][a] = join
            elif "npu" in kinds and set(kinds) <= {"npu", "switch"}:
                for gpu, other in ((a, b), (b, a)):
                    if node.kind[gpu] == "npu":
                        self.nvlinks[gpu][other] += join.rate
        self.cpus = node.of("cpu") or [-1]
        self._grow(near)

    def _grow(self, near: dict[int, dict[int, _Join]]) -> None:
        """Put each device into the nearest CPU or switch: breadth first from the CPUs, then from the switches with most
        devices of what no CPU reaches, then from single GPUs and NICs."""
        node, placed, used = self.node, set[int](), 0
        switches = sorted(node.of("switch"), key=lambda s: -len(near[s]))
        for root in [*node.of("cpu"), *(s for s in switches if near[s]), *node.of("npu"), *node.of("nic")]:
            if root in placed:
                continue
            placed.add(root)
            queue = [root]
            if node.kind[root] != "cpu":
                self._begin(root, near)
            for device in queue:
                for other, join in sorted(near[device].items()):
                    if other in placed:
                        continue
                    placed.add(other)
                    queue.append(other)
                    used += 1
                    self._hang(other, device, join)
        self.lost = sum(map(len, near.values())) // 2 - used

    def _begin(self, root: int, near: dict[int, dict[int, _Join]]) -> None:
        """Put what no CPU reaches into the first CPU; a GPU or NIC with others behind it into a switch of our own."""
        parent = self.cpus[0]
        if self.node.kind[root] != "switch" and near[root]:
            self.made += 1
            number, join = -1 - self.made, next(iter(near[root].values()))
            self.inside[parent].append(number)
            self.above[number] = self.above[root] = join
            parent = number
        self.inside[parent].append(root)

    def _hang(self, device: int, parent: int, join: _Join) -> None:
        """Put a device into its parent; where that is a GPU or NIC, beside it."""
        while self.node.kind.get(parent) in ("npu", "nic", "device"):
            parent = next(one for one, some in self.inside.items() if parent in some)
        self.inside[parent].append(device)
        self.above[device] = join

    def sm(self, gpu: int) -> int:
        """Return the compute capability of a GPU: what it states, else that whose NVLinks have the rate of its
        cables."""
        node = self.node
        of = list(node.fabric.plan.devices.values())[int(node.fabric.device_type[gpu])]
        stated = of.fields.get(FIELD)
        if isinstance(stated, Quantity) and LEAST <= float(stated) <= MOST:
            return round(float(stated))
        rates = [
            fact.rate for fact in kind_facts(node.fabric) if fact.rate is not None and fact.link in self._nvlink_names()
        ]
        return 100 if max(rates, default=0.0) > 37.5e9 else 90

    def _nvlink_names(self) -> set[str]:
        host = self.node.host_protocols()
        return {link.name for link in self.node.fabric.plan.links.values() if link.protocol not in host}


def _count(rate: float, sm: int) -> int:
    return max(1, round(rate / nvlink_rate(sm)))


def _lane(join: _Join) -> tuple[float, int]:
    """Return the generation of PCIe in GT/s, and how many lanes of it make the rate."""
    each = join.rate * 8e-9 / join.lanes
    speed = min(GENERATIONS, key=lambda known: abs(np.log(known / each)))
    return speed, max(1, round(join.rate * 8e-9 / speed))


# ---- what is told ----------------------------------------------------------------------------------------------------


def _tell(node: _Node, tree: _Tree, servers: list[Server], sink: Sink) -> None:
    others = len(servers) - 1
    if others:
        message = f"NCCL reads a file for each node: `{servers[0].name}` is written, {counted(others, 'other')} not"
        remark(sink, "UB0806", message, "name another sort of node by `--node`")
    remark(
        sink,
        "UB0806",
        "addresses on the PCI bus, GUIDs and the CPU's model are placeholders: NCCL finds devices by them",
        "put in those of `lspci`, or of a file that NCCL writes by `NCCL_TOPO_DUMP_FILE`",
    )
    unstated = [gpu for gpu in node.of("npu") if tree.nvlinks[gpu]]
    if unstated:
        sm = tree.sm(unstated[0])
        message = f"an NVLink of compute capability {sm} has {nvlink_rate(sm) / 1e9:g} GB/s raw: links are so many"
        remark(sink, "UB0806", message, f"state `{FIELD}` in the `npu` for another one")
    wrong = sum(
        abs(_count(rate, tree.sm(gpu)) * nvlink_rate(tree.sm(gpu)) / rate - 1) > 0.01
        for gpu, links in tree.nvlinks.items()
        for rate in links.values()
    )
    if wrong:
        message = f"NCCL counts NVLinks: {counted(wrong, 'rate')} of GPUs to neighbours had to be rounded"
        left_out(sink, message, "simgrid")
    rounded = sum(abs(_lane(join)[0] * _lane(join)[1] / (join.rate * 8e-9) - 1) > 0.01 for join in tree.above.values())
    if rounded:
        message = f"NCCL knows lanes of PCIe only: {counted(rounded, 'rate')} to what is above had to be rounded"
        left_out(sink, message, "simgrid")
    bare = [gpu for gpu in node.of("npu") if gpu not in tree.above]
    if bare:
        message = f"no PCIe is known of {counted(len(bare), 'GPU')}: NCCL takes 8 GT/s and 16 lanes for it"
        remark(sink, "UB0806", message, "model the cables to the CPU or to a PCIe switch")
    if tree.lost:
        left_out(sink, f"NCCL's PCIe is a tree: {counted(tree.lost, 'link')} beside it were left out", "json")
    if tree.made:
        many = "a PCIe switch" if tree.made == 1 else f"{tree.made:,} PCIe switches"
        message = f"GPUs and NICs that are joined directly are under {many} of their own"
        remark(sink, "UB0806", message, "model the switch")


# ---- the file --------------------------------------------------------------------------------------------------------


def _system(node: _Node, tree: _Tree, slugs: Slugs) -> Iterator[str]:
    order = _order(tree)
    bus = {device: f"{n >> 8:04x}:{n & 255:02x}:00.0" for n, device in enumerate(order, 1)}
    ranks = {gpu: n for n, gpu in enumerate(sorted(node.of("npu")))}
    nets = {nic: n for n, nic in enumerate(sorted(node.of("nic")))}
    names = (
        dict(zip(sorted(nets), slugs.devices(np.array(sorted(nets), dtype=np.int64)).tolist(), strict=True))
        if nets
        else {}
    )
    yield '<system version="1">\n'
    for number, cpu in enumerate(tree.cpus):
        yield f'  <cpu numaid="{number}" {CPU}>\n'
        yield from _inside(node, tree, cpu, bus, ranks, nets, names, 4)
        yield "  </cpu>\n"
    yield "</system>\n"


def _order(tree: _Tree) -> list[int]:
    """Return all in the tree, then the NVSwitches, in order of their addresses."""
    order, queue = [], list(tree.cpus)
    while queue:
        device = queue.pop(0)
        order += [device] if device not in tree.cpus else []
        queue = [*tree.inside[device], *queue]
    switches = {other for links in tree.nvlinks.values() for other in links if tree.node.kind[other] == "switch"}
    return [*order, *sorted(switches - set(order))]


def _inside(
    node: _Node, tree: _Tree, parent: int, bus: dict[int, str], ranks: dict[int, int], nets: dict[int, int],
    names: dict[int, str], indent: int,
) -> Iterator[str]:  # fmt: skip
    blank = " " * indent
    for device in tree.inside[parent]:
        kind = node.kind.get(device, "switch")
        above = tree.above.get(device)
        speed, width = (
            ("", "0") if above is None else (f"{GENERATIONS[_lane(above)[0]]} GT/s PCIe", str(_lane(above)[1]))
        )
        class_ = {"npu": "0x030200", "nic": "0x020000", "switch": "0x060400"}.get(kind, "0x088000")
        yield (f'{blank}<pci busid="{bus[device]}" class="{class_}" link_speed="{speed}" link_width="{width}">\n')
        if kind == "npu":
            yield from _gpu(node, tree, device, bus, ranks, blank + "  ")
        elif kind == "nic":
            yield from _nic(node, device, nets[device], names[device], blank + "  ")
        yield from _inside(node, tree, device, bus, ranks, nets, names, indent + 2)
        yield f"{blank}</pci>\n"


def _gpu(node: _Node, tree: _Tree, gpu: int, bus: dict[int, str], ranks: dict[int, int], blank: str) -> Iterator[str]:
    sm, rank = tree.sm(gpu), ranks[gpu]
    yield f'{blank}<gpu dev="{rank}" sm="{sm}" rank="{rank}" gdr="1">\n'
    for other, rate in sorted(tree.nvlinks[gpu].items()):
        class_ = "0x030200" if node.kind[other] == "npu" else "0x068000"
        yield f'{blank}  <nvlink target="{bus[other]}" count="{_count(rate, sm)}" tclass="{class_}"/>\n'
    yield f"{blank}</gpu>\n"


def _nic(node: _Node, nic: int, number: int, name: str, blank: str) -> Iterator[str]:
    speed = round(_network_rate(node, nic) * 8e-6)
    yield f"{blank}<nic>\n"
    yield (
        f'{blank}  <net name={attribute(name)} dev="{number}" speed="{speed}" port="1" guid="0x{number + 1:x}"'
        ' maxconn="131072" gdr="1"/>\n'
    )
    yield f"{blank}</nic>\n"


def _network_rate(node: _Node, nic: int) -> float:
    """Return what a NIC sends to the network, in byte/s: over its cables that are no PCIe, else by its ports that are
    none."""
    host = node.host_protocols()
    cables = sum(rate for (device, protocol), rate in node.leaving.items() if device == nic and protocol not in host)
    cables += sum(join.rate for (a, b, protocol), join in node.joins.items() if nic in (a, b) and protocol not in host)
    if cables:
        return cables
    plan = node.fabric.plan
    ports = list(plan.devices.values())[int(node.fabric.device_type[nic])].ports
    free = [port for port in ports if port.protocol not in host]
    return sum(float(plan.protocols[port.protocol].lane_rate) * port.lanes * port.count for port in free)


FORMAT = Format(
    "nccl",
    "NCCL's topology of a node: PCIe, NVLinks and NICs",
    "fabric",
    "nccl.xml",
    write,
    ("latencies", "lengths", "the network between nodes", "single NVLinks"),
    "json",
    nodes=True,
)
