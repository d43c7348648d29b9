"""Files read by the tools they are for, where these are installed: Slurm's controller, SimGrid, JavaScript."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import networkx as nx
import pytest

from tests.export.machines import PODS, compiled, fabric
from tests.export.test_schedulers import SERVERS, TWO
from tests.export.test_switch_groups import dragonfly, exported, fat_tree, listed, rails
from tests.measures.test_workloads import pair
from unifiedbus_dsl import export
from unifiedbus_dsl.analysis.export_flows import flows
from unifiedbus_dsl.analysis.run import ask
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export.base import ExportInput
from unifiedbus_dsl.export.common.hostlist import fold, unfold
from unifiedbus_dsl.export.common.names import Slugs
from unifiedbus_dsl.export.formats import simgrid
from unifiedbus_dsl.graph.from_fabric import arc_kinds

pytestmark = pytest.mark.slow

# ---- Slurm ----------------------------------------------------------------------------------------------------

has_slurm = shutil.which("slurmctld") is not None and shutil.which("scontrol") is not None
YAML_FROM = (25, 5)


def slurm_version() -> tuple[int, ...]:
    said = subprocess.run(["slurmctld", "-V"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in re.findall(r"\d+", said)[:2])


@contextmanager
def controller(folder: Path, nodes: list[str], plugin: str) -> Iterator[dict[str, str]]:
    """A running `slurmctld` that has read the topology in a folder; gives the environment for `scontrol`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "state").mkdir()
    (folder / "slurm.conf").write_text(
        f"ClusterName=t\nSlurmctldHost={socket.gethostname().split('.')[0]}(127.0.0.1)\nSlurmctldPort={port}\n"
        f"AuthType=auth/none\nCredType=cred/none\nSlurmUser={os.environ.get('USER', 'root')}\n"
        f"StateSaveLocation={folder}/state\nSlurmctldPidFile={folder}/pid\nProctrackType=proctrack/pgid\n"
        f"TopologyPlugin={plugin}\nNodeName={fold(nodes)} CPUs=1 State=FUTURE\nPartitionName=p Nodes=ALL\n"
    )
    log = (folder / "log").open("w")
    command = ["slurmctld", "-D", "-f", str(folder / "slurm.conf")]
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        yield os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def topology_of(folder: Path, nodes: list[str], plugin: str) -> dict[str, tuple[set[str], set[str]]]:
    """What `scontrol show topology` says: for each switch the nodes below it and the switches right below it."""
    with controller(folder, nodes, plugin) as environment:
        for _ in range(60):
            command = ["scontrol", "show", "topology"]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
            if done.returncode == 0 and "SwitchName" in done.stdout:
                break
            time.sleep(0.5)
        else:
            pytest.fail((folder / "log").read_text() + done.stderr)
    found = {}
    for line in done.stdout.splitlines():
        facts = dict(part.split("=", 1) for part in line.split())
        found[facts["SwitchName"]] = set(unfold(facts["Nodes"])), set(unfold(facts.get("Switches", "")))
    return found


def tree_of(folder: Path) -> dict[str, tuple[set[str], set[str]]]:
    """The same of the `topology.conf` that was written."""
    lines = {}
    for line in (folder / "topology.conf").read_text().splitlines():
        facts = dict(part.split("=", 1) for part in line.split())
        lines[facts["SwitchName"]] = unfold(facts.get("Nodes", "")), unfold(facts.get("Switches", ""))

    def below(switch: str) -> set[str]:
        nodes, switches = lines[switch]
        return set(nodes).union(*(below(inner) for inner in switches))

    return {switch: (below(switch), set(switches)) for switch, (_, switches) in lines.items()}


@pytest.mark.skipif(not has_slurm, reason="slurmctld is not installed")
@pytest.mark.parametrize("text", [PODS, TWO], ids=["pod", "two"])
def test_slurmctld_gives_the_tree_back(text: str, tmp_path: Path) -> None:
    export.write(compiled(text).plan, "slurm-tree", tmp_path / "topology.conf")
    wanted = tree_of(tmp_path)
    nodes = sorted(set().union(*(inside for inside, _ in wanted.values())))
    assert len(nodes) == len(SERVERS) * (1 if text is PODS else 2)
    assert topology_of(tmp_path, nodes, "topology/tree") == wanted


@pytest.mark.skipif(not has_slurm, reason="slurmctld is not installed")
def test_slurmctld_reads_the_yaml(tmp_path: Path) -> None:
    if slurm_version() < YAML_FROM:
        pytest.skip(f"Slurm {'.'.join(map(str, slurm_version()))} doesn't read topology.yaml")
    export.write(compiled(PODS).plan, "slurm-tree", tmp_path / "topology.conf")
    wanted = tree_of(tmp_path)
    (tmp_path / "topology.conf").unlink()
    export.write(compiled(PODS).plan, "slurm-yaml", tmp_path / "topology.yaml")
    assert topology_of(tmp_path, SERVERS, "topology/tree") == wanted


# ---- SimGrid --------------------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]

ASK = """
import json, sys
from tests.solver.flow.simgrid_answers import load
simgrid = load()
engine = simgrid.Engine(["test"])
engine.load_platform(sys.argv[1])
engine.netzone_root.seal()
found = []
for a, b in json.load(sys.stdin):
    links, latency = engine.host_by_name(a).route_to(engine.host_by_name(b))
    found.append([[link.name for link in links], min(link.bandwidth for link in links), latency])
json.dump({"hosts": len(engine.all_hosts), "routes": found}, sys.stdout)
"""


@pytest.mark.skipif(importlib.util.find_spec("simgrid") is None, reason="SimGrid is not installed")
def test_routes_of_simgrid_are_ours(tmp_path: Path) -> None:
    """Bandwidth and latency of routes, against the columns of the fabric added up along the devices of the route."""
    export.write(fabric(), "simgrid", tmp_path / "p.xml")
    machine, graph = fabric(), nx.Graph()
    names = Slugs(machine.plan).devices(range(machine.device_count)).tolist()
    kinds = arc_kinds(machine)
    for a, b, kind in zip(machine.a_device.tolist(), machine.b_device.tolist(), machine.kind.tolist(), strict=True):
        rate = graph[a][b]["rate"] if graph.has_edge(a, b) else 0.0
        graph.add_edge(a, b, rate=rate + kinds.capacity_Bps[kind], latency=kinds.latency_s[kind])
    inside = {"Leaf": 250e-9, "Spine": 300e-9}
    types = list(machine.plan.devices)
    ends = machine.blocks("npu")[0].tolist()
    pairs = [(ends[n], ends[(7 * n + 5) % 64]) for n in range(64)] + [(ends[0], ends[1]), (ends[3], ends[60])]
    asked = json.dumps([(names[a], names[b]) for a, b in pairs])
    command = [sys.executable, "-c", ASK, str(tmp_path / "p.xml")]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["hosts"] == 64
    for (a, b), (links, rate, latency) in zip(pairs, found["routes"], strict=True):
        here, route = a, [a]
        for link in links:
            one, two = (names.index(name) for name in re.sub(r"_(UP|DOWN)\Z", "", link).split("_"))
            assert here in (one, two)
            here = two if here == one else one
            route.append(here)
        assert here == b
        assert len(links) == nx.shortest_path_length(graph, a, b)
        hops = list(pairwise(route))
        assert rate == pytest.approx(min(graph.edges[hop]["rate"] for hop in hops), rel=1e-9)
        passed = sum(inside.get(types[machine.device_type[device]], 0.0) for device in route[1:-1])
        assert latency == pytest.approx(sum(graph.edges[hop]["latency"] for hop in hops) + passed, abs=2e-12)


REPLAYED = """
workload even of pair = train(Tiny, batch = 16, sequence = 1024, data = 4, tensor = 2,
                              order = [data, tensor, context, expert, pipeline])
workload routed of pair = train(Routed, batch = 16, sequence = 1024, expert = 4)
"""
REPLAY = "from tests.solver.flow.simgrid_answers import load; load(); exec(open(__import__('sys').argv.pop(1)).read())"


@pytest.mark.skipif(importlib.util.find_spec("simgrid") is None, reason="SimGrid is not installed")
@pytest.mark.parametrize(
    ("traffic", "question", "times"),
    [
        ("even.data", "time(even.data, algorithm = ring)", 1),
        ("routed.expert", "time(routed.expert)", 2),  # to the experts and back, as much each way
    ],
)
def test_the_program_of_the_page_replays_a_step_as_long_as_we_say(
    traffic: str, question: str, times: int, tmp_path: Path
) -> None:
    """Replicas and experts on a full mesh, where each pair has one shortest route."""
    page = (ROOT / "docs" / "formats" / "simgrid.md").read_text(encoding="utf-8")
    (tmp_path / "replay.py").write_text(page.partition("```py\n")[2].partition("```")[0])
    done, sink = pair(REPLAYED), Sink()
    sent = flows(done, "pair", traffic, sink)
    subject = ExportInput(done.pick(), done.fabric, flows=sent)
    simgrid.write(subject, tmp_path / "p.xml", sink)
    command = [sys.executable, "-c", REPLAY, str(tmp_path / "replay.py"), str(tmp_path / "p.xml")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert found.returncode == 0, found.stderr
    wanted = ask(done, "pair", question).answers[0].value
    assert float(found.stdout) == pytest.approx(times * wanted, rel=1e-6)


# ---- libraries of JavaScript ----------------------------------------------------------------------------------

READERS = """
const fs = require("fs"), [folder, what] = process.argv.slice(2);
const read = (name) => JSON.parse(fs.readFileSync(`${folder}/${name}`));
const say = (...numbers) => console.log(JSON.stringify(numbers));
if (what === "cytoscape") {
  const cy = require("cytoscape")({ headless: true, ...read("pod.cytoscape") });
  say(cy.nodes(":childless").length, cy.edges().length, cy.nodes('[kind = "npu"]').length, cy.nodes(":parent").length);
} else if (what === "graphology") {
  const graph = require("graphology").from(read("pod.graphology"));
  say(graph.order, graph.size, graph.filterNodes((_, of) => of.kind === "npu").length, Number(graph.multi));
} else import("d3-force").then((d3) => {
  const { nodes, edges } = read("pod.json");
  d3.forceSimulation(nodes).force("link", d3.forceLink(edges).id((node) => node.id)).stop();
  const found = Number(edges[0].source.id === edges[0].a);
  say(nodes.length, edges.length, nodes.filter((of) => of.kind === "npu").length, found);
});
"""


@pytest.mark.parametrize(("library", "form", "last"), [
    ("cytoscape", "cytoscape", 20), ("graphology", "graphology", 1), ("d3-force", "json", 1),
])  # fmt: skip
def test_libraries_of_javascript(library: str, form: str, last: int, tmp_path: Path) -> None:
    modules = Path(os.environ.get("NODE_PATH", ROOT / "node_modules"))
    if shutil.which("node") is None or not (modules / library).is_dir():
        pytest.skip(f"Node.js and {library} are not installed")
    export.write(fabric(), form, tmp_path / f"pod.{form}")
    (tmp_path / "read.cjs").write_text(READERS)
    (tmp_path / "node_modules").symlink_to(modules)  # what `import` looks in
    command = ["node", str(tmp_path / "read.cjs"), str(tmp_path), library]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [fabric().device_count, fabric().cable_count, 64, last]


def _two_islands() -> list[tuple[str, str]]:
    """Two fat trees that no cable joins."""
    return [(f"{a}{island}", f"{b}{island}") for island in "ab" for a, b in fat_tree(4)]


@pytest.mark.slow
@pytest.mark.skipif(not has_slurm, reason="slurmctld is not installed")
@pytest.mark.parametrize(
    "pairs",
    [list(fat_tree(4)), list(rails(2, 4, 4, 4)), list(dragonfly(4, 2, 2)), _two_islands()],
    ids=["fat tree", "rails", "dragonfly", "two islands"],
)
def test_slurmctld_reads_the_tree_of_a_network_that_was_found(pairs: list[tuple[str, str]], tmp_path: Path) -> None:
    """Groups from switches, as the controller has them; every host is in one leaf."""
    exported(listed(pairs, tmp_path / "found.csv"), "slurm-tree", tmp_path)
    (tmp_path / "out").rename(tmp_path / "topology.conf")
    wanted = tree_of(tmp_path)
    nodes = sorted({a for a, _ in pairs if a[0] == "n"})
    assert sorted(set().union(*(inside for inside, _ in wanted.values()))) == nodes
    found = topology_of(tmp_path, nodes, "topology/tree")
    assert {switch: found[switch] for switch in wanted} == wanted
