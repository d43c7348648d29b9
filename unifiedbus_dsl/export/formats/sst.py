"""A network for merlin of SST (sst-elements, merlin/topology/pymerlin-topo-any.py): a graph, and the script to run it.

`topoAny` reads GraphML: each node a router with a number of `endpoints`, each edge a link; routers and end points are
those of `unifiedbus_dsl.export.routers`. merlin gives all links of a network one rate and one latency. It makes the
links of a pair of routers anew for each edge between them, so a pair has one edge.

`network.py` is for `sst network.py`: random traffic at half load over all shortest paths, to be replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import python, xml
from unifiedbus_dsl.export.base import ExportInput, Format, left_out, remark, too_large
from unifiedbus_dsl.export.common.deadlock import tell_deadlock
from unifiedbus_dsl.export.common.devices import latency_of, of_kind, tell_forwarding
from unifiedbus_dsl.export.common.names import Slugs, plain
from unifiedbus_dsl.export.common.routers import Routers, routers_of, tell
from unifiedbus_dsl.export.common.stream import number, write_text
from unifiedbus_dsl.ir.fabric import Fabric

MOST_ROUTERS = 5_000
"""`topoAny` keeps a path for each pair of routers."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    fabric = subject.fabric
    routers = routers_of(fabric, far=True)
    if len(routers.device) > MOST_ROUTERS:
        raise too_large(
            sink,
            f"merlin's topoAny keeps a path for each pair of its routers, and {len(routers.device):,} are too many",
            "export a smaller system, or use `--to simgrid`",
        )
    _told(fabric, routers, sink)
    write_text(path / "network.graphml", _graph(fabric, routers))
    write_text(path / "network.py", [_script(fabric, routers)])
    remark(sink, "UB0806", "`network.py` sends random traffic at half load", "put your traffic in it")


def _told(fabric: Fabric, found: Routers, sink: Sink) -> None:
    if found.rates > 1:
        left_out(sink, f"merlin gives all links one rate, and there are {found.rates}: the lowest was taken", "simgrid")
    times = len(np.unique(np.round(found.latency * 1e12)))
    if times > 1:
        left_out(sink, f"merlin gives all links one latency, and there are {times}: the longest was taken", "simgrid")
    slow = of_kind(fabric, "switch") & (found.half > 0)
    if slow.any() and not of_kind(fabric, "switch")[found.device].all():
        left_out(
            sink,
            "merlin gives all routers the latency of the slowest switch, end points that are routers too",
            "simgrid",
        )
    tell_forwarding(fabric, sink, "merlin routes")
    tell(found, sink, "merlin")
    tell_deadlock(fabric, sink, "merlin")


def _graph(fabric: Fabric, found: Routers) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    yield '<key id="endpoints" for="node" attr.name="endpoints" attr.type="int"/>\n'
    yield '<key id="name" for="node" attr.name="name" attr.type="string"/>\n'
    yield f'<graph id={xml.attribute(fabric.plan.system)} edgedefault="undirected">\n'
    ends = np.bincount(found.node_router, minlength=len(found.device)).tolist()
    names = Slugs(fabric.plan).devices(found.device).tolist()
    for router, (name, end) in enumerate(zip(names, ends, strict=True)):
        yield f'<node id="{router}"><data key="endpoints">{end}</data><data key="name">{xml.text(name)}</data></node>\n'
    for a, b in track(zip(found.a.tolist(), found.b.tolist(), strict=True), "write links", len(found.a)):
        yield f'<edge source="{a}" target="{b}"/>\n'
    yield "</graph>\n</graphml>\n"


def _script(fabric: Fabric, found: Routers) -> str:
    rate = f"{number((found.lowest if np.isfinite(found.lowest) else 0.0) * 8e-9, 6)}Gb/s"
    link = f"{number(float(found.latency.max(initial=0.0)) * 1e9, 6)}ns"
    hung = float(found.node_cable.max(initial=0.0))
    host = f"{number(hung * 1e9, 6)}ns" if hung else "1ps"
    slowest = max((latency_of(of) for of in fabric.plan.devices.values() if of.kind == "switch"), default=0.0)
    half = f"{number(slowest / 2 * 1e9, 6)}ns"
    return f'''\
"""{plain(fabric.plan.system)} for SST: run it with `sst network.py`."""

from pathlib import Path

import networkx
from sst.merlin.base import *
from sst.merlin.endpoint import *
from sst.merlin.interface import *
from sst.merlin.targetgen import *
from sst.merlin.topology import *

RATE = "{rate}"  # the lowest of a link, each way
LINK_LATENCY = "{link}"  # the longest
HOST_LINK_LATENCY = "{host}"  # of end points on a switch; one that is a router itself is one device with it
HALF_A_SWITCH = "{half}"


def all_shortest_paths(graph):
    """Return the paths from each router to each other one, all alike; merlin's own has one of them."""
    table = {{}}
    for source, targets in networkx.all_pairs_all_shortest_paths(graph):
        table[source] = {{target: [(1 / len(paths), path[1:]) for path in paths] for target, paths in targets.items()}}
    return table


topology = topoAny()
topology.topo_name = {python.string(plain(fabric.plan.system))}
topology.routing_mode = "source_routing"
topology.import_graph(str(Path(__file__).with_name("network.graphml")))
topology.link_latency = LINK_LATENCY
topology.host_link_latency = HOST_LINK_LATENCY

router = hr_router()
router.link_bw = RATE
router.xbar_bw = RATE
router.flit_size = "32B"
router.input_latency = HALF_A_SWITCH
router.output_latency = HALF_A_SWITCH
router.input_buf_size = "64kB"
router.output_buf_size = "64kB"
router.num_vns = 2
router.xbar_arb = "merlin.xbar_arb_rr"
topology.router = router

nic = EndpointNIC(use_reorderLinkControl=True, topo=topology)
nic.addPlugin("sourceRoutingPlugin", routing_table=topology.calculate_routing_table(all_shortest_paths))
nic.link_bw = RATE
nic.input_buf_size = "64kB"
nic.output_buf_size = "64kB"
nic.vn_remap = [0]

job = OfferedLoadJob(0, topology.getNumNodes())
job.setEndpointNIC(nic)
job.pattern = UniformTarget()
job.offered_load = 0.5
job.link_bw = RATE
job.message_size = "4096B"
job.collect_time = "200us"
job.warmup_time = "200us"
job.drain_time = "1000us"

system = System()
system.setTopology(topology)
system.allocateNodes(job, "linear")
system.build()
'''


FORMAT = Format(
    "sst",
    "a network for SST's merlin: a graph and the script that runs it",
    "fabric",
    "sst",
    write,
    ("rates one by one", "ports", "single cables of a bundle", "lengths"),
    "simgrid",
    file_patterns=("network.graphml", "network.py"),
)
