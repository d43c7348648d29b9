"""Max-min sharing here and in SimGrid 4.1, each in a process of its own: `python -m tests.bench.sharing WHOSE WHAT …`.

Both have the same fat tree, and a permutation of its end points or all pairs of them. SimGrid's comes from its own
platform file, in C++, and each flow takes the one path that SimGrid's routing gives it (d-mod-k); ours is compiled from
text, and each flow takes one shortest path by a hash, or, where all pairs send, is shared over all of them. Prints as
JSON the seconds of processor time of each part and by how many bytes the process grew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from attrs import frozen

from tests.bench import clock, machines
from tests.solver.flow import simgrid_answers
from unifiedbus_dsl.solver import demand
from unifiedbus_dsl.solver.flow import ecmp_hashing, max_min_fair
from unifiedbus_dsl.solver.network_context import NetworkContext

RATE = 56e9
"""byte/s of every cable, each way."""
SIZE = 56_000_000_000
"""Bytes of each flow."""


@frozen
class Tree:
    """A folded Clos network that blocks nothing: of each switch half the ports go down, all the same number in a tier.
    Two tiers without `pods`."""

    leaves: int
    hosts: int
    pods: int = 0

    @property
    def ends(self) -> int:
        return self.leaves * self.hosts * max(self.pods, 1)

    def text(self) -> str:
        """In our language."""
        h, leaves = self.hosts, self.leaves
        if self.pods:
            fabric = f"ThreeTier(pods = {self.pods}, leaves = {leaves}, spines = {h}, cores = {leaves}, hosts = {h}"
            at, where = f"{leaves * h}*q + {h}*l + i", "q, l, i"
        else:
            fabric = f"LeafSpine(leaves = {leaves}, spines = {h}, hosts = {h}"
            at, where = f"{h}*l + i", "l, i"
        return f"""ubus 1
use std.clos
protocol Net {{ lane = 112 Gbps }}
link Fibre : Net {{ medium = optical }}
npu Host {{ port p : Net x4 }}
switch Packet(ports) {{ port p[ports] : Net x4 }}
module Machine {{
  host[{self.ends}] : Host
  fabric : std.clos.{fabric}, switch = Packet, link = Fibre)
  connect host[{at}].p -- fabric.host[{where}] over Fibre(10 m) for {where}
}}
system machine : Machine
"""

    def platform(self) -> str:
        """For SimGrid: levels; children of each level; parents of each level; cables of each."""
        h, leaves = self.hosts, self.leaves
        shape = f"3;{h},{leaves},{self.pods};1,{h},{leaves};1,1,1" if self.pods else f"2;{h},{leaves};1,{h};1,1"
        return f"""<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1"><zone id="world" routing="Full">
<cluster id="tree" topology="FAT_TREE" topo_parameters="{shape}" prefix="h" radical="0-{self.ends - 1}" suffix=""
  speed="1Gf" bw="{RATE:.0f}Bps" lat="0s" sharing_policy="SPLITDUPLEX"/>
</zone></platform>
"""


def permutation(ends: int) -> tuple[np.ndarray, np.ndarray]:
    target = np.random.default_rng(1).permutation(ends)
    source = np.flatnonzero(target != np.arange(ends))
    return source, target[source]


class Parts:
    """Processor time of parts of the work, in order."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}
        self.since = process_time()

    def ends(self, name: str) -> None:
        now = process_time()
        self.took[name], self.since = now - self.since, now


def ours(tree: Tree, what: str) -> Parts:
    parts = Parts()
    machine = NetworkContext(machines.fabric_of(tree.text()))
    network = machine.network
    parts.ends("machine")
    if what == "permutation":
        flows = ecmp_hashing.hash_flows(network, *permutation(tree.ends), seed=1)
    else:
        flows = max_min_fair.pair_classes(machine.symmetry, [demand.all_to_all(network)]).flows
    parts.ends("flows")
    max_min_fair.fair_rates(flows)
    parts.ends("sharing")
    return parts


def theirs(tree: Tree, what: str) -> Parts:
    simgrid, parts = simgrid_answers.load(), Parts()
    world = simgrid_answers.engine(simgrid)
    with TemporaryDirectory() as folder:
        path = Path(folder, "tree.xml")
        path.write_text(tree.platform())
        world.load_platform(str(path))
    hosts = sorted(world.all_hosts, key=lambda host: int(host.name[1:]))
    parts.ends("machine")
    n = tree.ends
    pairs: Any = (
        zip(*(ends.tolist() for ends in permutation(n)), strict=True)
        if what == "permutation"
        else ((s, t) for s in range(n) for t in range(n) if s != t)
    )

    def run() -> None:
        """Start all flows and let time pass, less than any of them takes: that shares the links."""
        for s, t in pairs:
            simgrid.Comm.sendto_init(hosts[s], hosts[t]).set_payload_size(SIZE).detach()
        parts.ends("flows")
        simgrid.this_actor.sleep_for(SIZE / RATE / 2)
        parts.ends("sharing")

    hosts[0].add_actor("all", run)
    world.run()
    parts.ends("finishing")
    return parts


def measured(whose: str, what: str, tree: Tree) -> dict[str, float]:
    """In a new process.

    Raises:
        RuntimeError: it failed.
    """
    command = [
        sys.executable,
        "-m",
        "tests.bench.sharing",
        whose,
        what,
        str(tree.leaves),
        str(tree.hosts),
        str(tree.pods),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=clock.ROOT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    shape = Tree(*map(int, sys.argv[3:6]))
    ours(Tree(2, 2), sys.argv[2])  # imports what is imported late
    made, _, grown = clock.growth(lambda: {"ours": ours, "theirs": theirs}[sys.argv[1]](shape, sys.argv[2]))
    print(json.dumps({**made.took, "bytes": grown}))
