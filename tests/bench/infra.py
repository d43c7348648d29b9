"""InfraGraph 3.1 (the input format of ASTRA-sim) and the same machine in our language.

A three-tier fat tree of switches with k ports and two-XPU servers, both down to each component: CPU, XPUs, NICs and
switches of a server, and the cables inside it. Theirs is its own blueprint, built beforehand: only `set_graph`, which
expands it, is measured. Ours is measured from the text. Each runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from tests.bench import clock, machines
from tests.bench.table import Row, megabytes, seconds


def rows(ports: int) -> Iterator[Row]:
    """Switches of this many ports: k^3 / 4 XPUs."""
    theirs, ours = _run("theirs", ports), _run("ours", ports)
    xpus = f"{ports**3 // 4:,} XPUs"
    assert ours["cables"] + ports * ports * 5 // 4 * ports == theirs["edges"], "not the same machine"
    note = f"{seconds(theirs['seconds'])} and {seconds(ours['seconds'])}"
    yield Row(
        f"InfraGraph 3.1, Clos of {xpus} / ours from text: time",
        theirs["seconds"] / ours["seconds"],
        "x",
        100,
        False,
        note,
    )
    note = f"{megabytes(ours['bytes'])} and {megabytes(theirs['bytes'])}, beside the libraries"
    yield Row("the same: our memory / theirs", ours["bytes"] / theirs["bytes"], "x", 0.1, note=note)


def _run(whose: str, ports: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.infra", whose, str(ports)]
    done = subprocess.run(command, cwd=clock.ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _theirs(ports: int) -> dict[str, float]:
    from infragraph.blueprints.devices.generic.generic_switch import Switch
    from infragraph.blueprints.devices.generic.server import Server
    from infragraph.blueprints.fabrics.clos_fat_tree_fabric import ClosFatTreeFabric
    from infragraph.infragraph_service import InfraGraphService

    blueprint = ClosFatTreeFabric(Switch(port_count=ports), Server(npu_factor=1), 3, [])
    service = InfraGraphService()
    _, taken, grown = clock.growth(lambda: service.set_graph(blueprint))
    return {"seconds": taken, "bytes": grown, "edges": service.get_networkx_graph().number_of_edges()}


def _ours(ports: int) -> dict[str, float]:
    machines.fabric_of(text(4))  # imports what is imported late
    fabric, taken, grown = clock.growth(lambda: machines.fabric_of(text(ports)))
    return {"seconds": taken, "bytes": grown, "cables": fabric.cable_count}


def text(ports: int) -> str:
    """The machine in our language. Where theirs has a node for the chip of a switch and one for each of its ports,
    ours has a switch with ports."""
    half = ports // 2
    servers = half // 2  # of one switch
    return f"""ubus 1
use std.clos
protocol Pcie {{ lane = 32 Gbps }}
protocol Nvlink {{ lane = 200 Gbps }}
protocol Ethernet {{ lane = 100 Gbps }}
link Trace : Pcie {{ medium = pcb }}
link Bridge : Nvlink {{ medium = pcb }}
link Fibre : Ethernet {{ medium = optical }}
cpu Host {{ port pcie : Pcie x16; port manage : Pcie x1; transit pcie, manage }}
npu Xpu {{ port pcie : Pcie x16; port fast : Nvlink x18; transit pcie, fast }}
nic Nic {{ port pcie : Pcie x16; port net : Ethernet x1; transit pcie, net }}
nic Manage {{ port pcie : Pcie x1 }}
switch PcieSwitch {{ port up : Pcie x16; port xpu[2] : Pcie x16; port nic[2] : Pcie x16 }}
switch Fast {{ port p[2] : Nvlink x18 }}
switch Packet(ports) {{ port p[ports] : Ethernet x1 }}
node Server {{
  cpu    : Host
  xpu[2] : Xpu
  nic[2] : Nic
  manage : Manage
  pcie   : PcieSwitch
  fast   : Fast
  connect cpu.manage -- manage.pcie over Trace(0.2 m)
  connect cpu.pcie -- pcie.up over Trace(0.2 m)
  connect xpu[i].pcie -- pcie.xpu[i] over Trace(0.2 m) for i
  connect nic[i].pcie -- pcie.nic[i] over Trace(0.2 m) for i
  connect xpu[i].fast -- fast.p[i] over Bridge(0.2 m) for i
  port net = nic.net
}}
module Machine {{
  server[{half**3}] : Server
  fabric : std.clos.FatTree(k = {ports}, switch = Packet, link = Fibre)
  connect server[{half * servers}*p + {servers}*e + s].net[n] -- fabric.host[p, e, 2*s + n] over Fibre(10 m)
    for p, e, s in 0..<{servers}, n
}}
system machine : Machine
"""


if __name__ == "__main__":
    print(json.dumps({"theirs": _theirs, "ours": _ours}[sys.argv[1]](int(sys.argv[2]))))
