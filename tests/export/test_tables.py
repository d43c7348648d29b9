"""Forwarding tables: every pair is followed row by row, lanes are searched for cycles, and OpenSM loads them."""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from attrs import evolve

from tests.measures.test_deadlock import HEAD, SPECS, ends_of, random_body
from unifiedbus_dsl import compile_text
from unifiedbus_dsl.analysis import export_flows
from unifiedbus_dsl.analysis.evaluators import routed_question
from unifiedbus_dsl.compiler import compile
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.export import CannotExportError, ExportInput, find, write, write_subject
from unifiedbus_dsl.export.common.tables import check
from unifiedbus_dsl.graph.from_fabric import from_fabric
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.solver.deadlock.layers import LaneLayers, PairWaits, dfsssp, fewest_layers
from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
from unifiedbus_dsl.solver.deadlock.tables import tables_between_ends
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.verify import VerificationError
from unifiedbus_dsl.verify.cables import read_cables
from unifiedbus_dsl.verify.tables import StatedTables, check_tables


def fabric_of(body: str) -> Fabric:
    done = compile_text(f"{HEAD}\nrack M {{\n{body}\n}}\nsystem s : M\n")
    assert done.ok, [each.message for each in done.diagnostics]
    return done.fabric()


def regular(size: int, seed: int) -> tuple[str, nx.Graph]:
    """A random 4-regular network of routers with a host at each."""
    graph = nx.random_regular_graph(4, size, seed=seed)
    used = dict.fromkeys(graph, 0)
    lines = [f"r[{size}] : Router(ports = 5)", f"h[{size}] : Host"]
    for one, two in graph.edges():
        lines.append(f"connect r[{one}].p[{used[one]}] -- r[{two}].p[{used[two]}] over Wire(1 m)")
        used[one] += 1
        used[two] += 1
    lines += [f"connect h[{i}].p[0] -- r[{i}].p[4] over Wire(1 m)" for i in range(size)]
    return "\n".join(lines), graph


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def followed(folder: Path, fabric: Fabric) -> dict[tuple[str, str], list[str]]:
    """The devices on the way of each pair, by `tables.csv` alone; every hop is a cable between the ports that it
    says."""
    joined: dict[str, str] = {}
    ends = fabric.end_names(np.arange(fabric.cable_count))
    for one, two in zip(*ends, strict=True):
        joined[str(one)], joined[str(two)] = str(two), str(one)
    table: dict[tuple[str, str, str], dict[str, str]] = {}
    starts: dict[tuple[str, str], str] = {}
    for row in rows_of(folder / "tables.csv"):
        key = row["device"], row["line"], row["destination"]
        assert key not in table
        table[key] = row
        assert joined[f"{row['device']}.{row['port']}"].startswith(f"{row['next']}.")
        if row["own"] == "1":
            starts[row["device"], row["destination"]] = row["line"]
    paths = {}
    for (source, target), line in starts.items():
        path = [source]
        while path[-1] != target:
            row = table[path[-1], line if len(path) == 1 else "0", target]
            path.append(row["next"])
            assert len(path) <= fabric.device_count
        paths[source, target] = path
    return paths


def lanes_of(folder: Path) -> dict[tuple[str, str], int]:
    return {(row["source"], row["destination"]): int(row["lane"]) for row in rows_of(folder / "lanes.csv")}


def is_free(paths: dict[tuple[str, str], list[str]], lanes: dict[tuple[str, str], int]) -> bool:
    """Whether no lane has a cycle of dependencies: a plain search."""
    waits: dict[int, nx.DiGraph] = {}
    for pair, path in paths.items():
        graph = waits.setdefault(lanes.get(pair, 0), nx.DiGraph())
        graph.add_edges_from(pairwise(list(pairwise(path))))
    return all(nx.is_directed_acyclic_graph(graph) for graph in waits.values())


@pytest.mark.parametrize("seed", range(25))
def test_every_pair_of_a_random_network_arrives_by_a_shortest_path_without_deadlock(seed: int, tmp_path: Path) -> None:
    body, graph, forwards = random_body(random.Random(seed))
    ends = ends_of(graph)
    if len(ends) < 2:
        pytest.skip("a single end point sends nothing")
    fabric = fabric_of(body)
    write(fabric, "routes", tmp_path)
    paths = followed(tmp_path, fabric)
    assert set(paths) == {(one, two) for one in ends for two in ends if one != two}
    for (source, target), path in paths.items():
        simple = nx.Graph(graph.subgraph(forwards | {source, target}))
        assert len(path) - 1 == nx.shortest_path_length(simple, source, target)
    assert is_free(paths, lanes_of(tmp_path))


@pytest.mark.parametrize(("size", "seed"), [(16, 1), (24, 2), (32, 3)])
def test_few_lanes_are_enough_on_random_regular_networks(size: int, seed: int, tmp_path: Path) -> None:
    body, _ = regular(size, seed)
    fabric = fabric_of(body)
    write(fabric, "routes", tmp_path)
    paths, lanes = followed(tmp_path, fabric), lanes_of(tmp_path)
    assert is_free(paths, lanes)
    assert not is_free(paths, {})
    assert max(lanes.values()) + 1 <= 3  # LASH: two or three on networks of this size


def test_tables_of_a_fat_tree_are_balanced_and_take_one_lane(tmp_path: Path) -> None:
    fabric = compile(SPECS / "textbook/fat-tree.ubus").fabric()
    write(fabric, "routes", tmp_path)
    paths = followed(tmp_path, fabric)
    assert not lanes_of(tmp_path)
    load: dict[tuple[str, str], int] = {}
    for path in paths.values():
        for hop in pairwise(path):
            load[hop] = load.get(hop, 0) + 1
    up = [n for (one, two), n in load.items() if "middle" in one and "core" in two]
    assert max(up) == min(up)  # as `ecmp` shares: every cable carries the same


GRID = """
npu Node { port x[2] : Unit x1 @open; port y[2] : Unit x1 @open; transit x, y }
rack M {
  n[5, 4] : Node
  connect n[*, j].x as ring over Wire(1 m) for j
  connect n[i, *].y as ring over Wire(1 m) for i
}
system s : M
"""
CROSSED = """
rack M {
  h[4] : Host
  leaf[2] : Router(ports = 8)
  spine[2] : Router(ports = 8)
  connect h[i].p[0] -- leaf[i div 2].p[i mod 2] over Wire(1 m) for i
  connect leaf[l].p[2 + s] -- spine[s].p[l] over Wire(1 m) for l in 0..1, s in 0..1
  connect leaf[0].p[7] -- leaf[1].p[7] over Wire(1 m)
}
system s : M
"""
"""Two leaves under two spines, with a cable between the leaves."""


def routed(text: str, routing: str, folder: Path) -> dict[tuple[str, str], list[str]]:
    """The devices on the way of each pair under a routing, free of deadlock on the lanes that are written."""
    done = compile_text(HEAD + text)
    assert done.ok, [each.message for each in done.diagnostics]
    sink, fabric = Sink(), done.fabric()
    asked = export_flows.routing(done, "s", routed_question("deadlock_free", "alltoall(all npu)", routing), sink)
    assert asked is not None, [each.message for each in sink]
    folder.mkdir(exist_ok=True)
    write_subject(ExportInput(fabric.plan, lambda: fabric, routing=asked), find("routes"), folder, sink)
    paths = followed(folder, fabric)
    assert is_free(paths, lanes_of(folder))
    return paths


@pytest.mark.parametrize(("routing", "first"), [("dor", 0), ("dor(order = [1, 0])", 1)])
def test_tables_in_dimension_order_put_one_index_right_before_the_other(
    routing: str, first: int, tmp_path: Path
) -> None:
    paths = routed(GRID, routing, tmp_path)
    assert len(paths) == 20 * 19
    for (source, target), path in paths.items():
        at = [[int(number) for number in re.findall(r"\d+", name)] for name in path]
        changed = [next(k for k in (0, 1) if one[k] != two[k]) for one, two in pairwise(at)]
        assert changed == sorted(changed, reverse=bool(first))
        away = [abs(at[0][k] - at[-1][k]) for k in (0, 1)]
        assert len(changed) == min(away[0], 5 - away[0]) + min(away[1], 4 - away[1]), (source, target)


def test_tables_up_and_down_use_no_cable_within_a_tier(tmp_path: Path) -> None:
    across = {("leaf[0]", "leaf[1]"), ("leaf[1]", "leaf[0]")}
    short, up = (routed(CROSSED, routing, tmp_path / routing) for routing in ("minimal", "updown"))
    assert any(across & set(pairwise(path)) for path in short.values())
    assert len(up) == 12
    assert all(len(path) in (3, 5) and not across & set(pairwise(path)) for path in up.values())


def test_tables_of_a_dragonfly_cross_one_global_cable(tmp_path: Path) -> None:
    done = compile(SPECS / "textbook/dragonfly.ubus")
    asked = export_flows.routing(
        done, "dragonfly", routed_question("deadlock_free", "alltoall(all npu)", "group_minimal"), Sink()
    )
    fabric = done.fabric("dragonfly")
    write_subject(ExportInput(fabric.plan, lambda: fabric, routing=asked), find("lft"), tmp_path, sink := Sink())
    assert not sink.has_errors
    tables = dump_rows((tmp_path / "lfts.dump").read_text(encoding="utf-8"))
    links = net_links(tmp_path / "fabric.net")
    switches, ends = {switch for switch, _ in tables}, {guid for _, guid in tables if guid.startswith("0x0001")}
    ways = []
    for switch in switches:
        for guid in ends:
            at, path = f"S-{switch[2:]}", []
            while at.startswith("S"):
                path.append(at)
                at = links[at, tables[f"0x{at[2:]}", guid]]
            ways.append(path)
    order = sorted({switch for path in ways for switch in path})
    group = {switch: place // 4 for place, switch in enumerate(order)}  # 9 groups of 4 routers
    assert len(order) == 36
    for path in ways:
        assert sum(group[one] != group[two] for one, two in pairwise(path)) == (group[path[0]] != group[path[-1]])


@pytest.mark.parametrize("seed", range(40))
def test_a_pair_is_in_the_first_layer_in_which_it_closes_no_cycle(seed: int) -> None:
    draw = random.Random(seed)
    channels, pairs = draw.randint(3, 9), draw.randint(1, 40)
    edges = sorted({tuple(draw.sample(range(channels), 2)) for _ in range(30)})
    waits = [sorted(draw.sample(range(len(edges)), draw.randint(0, min(3, len(edges))))) for _ in range(pairs)]
    waits = [each for each in waits if nx.is_directed_acyclic_graph(nx.DiGraph([edges[w] for w in each]))]
    start = np.cumsum([0, *map(len, waits)])
    layers = LaneLayers(*np.array(edges).T, 64)
    layer_of = layers.put(start, np.array([w for each in waits for w in each], dtype=np.int64))
    assert layer_of is not None
    inside = [nx.DiGraph([edges[w] for p, each in enumerate(waits) if layer_of[p] == k for w in each])
              for k in range(int(layer_of.max(initial=0)) + 1)]  # fmt: skip
    assert all(nx.is_directed_acyclic_graph(graph) for graph in inside)
    for pair, number in enumerate(layer_of.tolist()):
        for lower in range(number):
            both = inside[lower].copy()
            both.add_edges_from(edges[w] for w in waits[pair])
            assert not nx.is_directed_acyclic_graph(both)


@pytest.mark.parametrize("seed", range(40))
def test_layers_that_pairs_are_moved_out_of_have_no_cycle(seed: int) -> None:
    draw = random.Random(seed)
    channels = draw.randint(3, 9)
    edges = sorted({tuple(draw.sample(range(channels), 2)) for _ in range(30)})
    waits = [sorted(draw.sample(range(len(edges)), min(draw.randint(0, 3), len(edges)))) for _ in range(40)]
    waits = [each for each in waits if nx.is_directed_acyclic_graph(nx.DiGraph([edges[w] for w in each]))]
    start = np.cumsum([0, *map(len, waits)])
    every = PairWaits(*np.array(edges).T, start, np.array([w for each in waits for w in each], dtype=np.int64))
    layer_of = dfsssp(every, 64)
    assert layer_of is not None
    layers = [[w for p, each in enumerate(waits) if layer_of[p] == k for w in each] for k in range(max(layer_of) + 1)]
    graphs = [nx.DiGraph([edges[w] for w in each]) for each in layers]
    assert all(nx.is_directed_acyclic_graph(graph) for graph in graphs)
    whole = nx.DiGraph([edges[w] for each in waits for w in each])
    assert (len(graphs) == 1) is nx.is_directed_acyclic_graph(whole)
    if len(graphs) > 1:
        assert dfsssp(every, len(graphs) - 1) is None
        found = fewest_layers(every, 64, 1)
        took = [each for each in found.tried.values() if each]
        assert found.layers == min(took)
        assert found.tried[found.scheme] == found.layers


def test_tables_of_a_torus_take_few_lanes_in_little_time() -> None:
    fabric = compile(SPECS / "textbook/torus.ubus").fabric("torus2d")  # 8 x 8
    assert tables_between_ends(from_fabric(fabric)).lanes <= 5  # 4; halves of pairs at once took 5, in 11 s


def test_tables_that_leave_the_paths_of_their_routing_are_refused() -> None:
    fabric = fabric_of(CROSSED.partition("{")[2].partition("}\nsystem")[0])
    machine = NetworkContext(fabric, symmetric=False)
    tables = tables_between_ends(machine.network)
    goals = [machine.network.vertices_of(end) for end in range(machine.network.ends)]
    check(machine, tables, goals, len(goals), PathRule("shortest"))
    with pytest.raises(VerificationError, match="leaves the paths"):
        check(machine, tables, goals, len(goals), PathRule("updown"))


def test_tables_that_lead_nowhere_or_wait_in_a_circle_are_refused() -> None:
    fabric = fabric_of("c[6] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)")
    network, cables = from_fabric(fabric), read_cables(fabric)
    found = tables_between_ends(network)
    on = np.where(found.arc >= 0, network.head[found.arc], -1)
    goals = [network.vertices_of(end) for end in range(network.ends)]
    stated = StatedTables(goals, on, found.begin, found.lane)
    assert check_tables(cables, stated) == found.lanes == 2
    around = np.where(on >= 0, (np.arange(6)[:, None] + 1) % 6, -1)
    lost = on.copy()
    lost[1, 0] = -1
    for wrong, said in (
        (evolve(stated, lane=np.zeros_like(found.lane)), "wait in a circle"),
        (evolve(stated, on=around), "wait in a circle"),
        (evolve(stated, on=lost), "ends before"),
        (evolve(stated, on=np.where(on >= 0, (on + 2) % 6, -1)), "no cable"),
    ):
        with pytest.raises(VerificationError, match=said):
            check_tables(cables, wrong)


APART = """r[2] : Router(ports = 3)
h[3] : Host
connect h[i].p[0] -- r[i].p[0] over Wire(1 m) for i in 0..1
connect h[2].p[i] -- r[i].p[1] over Wire(1 m) for i in 0..1
"""
"""Two switches that a host is at both of: it does not forward."""


@pytest.mark.parametrize(
    ("body", "form", "said"),
    [
        ("c[4] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)", "lft", "end points to each other"),
        ("r[2] : Router(ports = 300)\nh[2] : Host\nconnect h[i].p[0] -- r[i].p[0] over Wire(1 m) for i in 0..1\n"
         "connect r[0].p[1] -- r[1].p[1] over Wire(1 m)", "lft", "at most 254 ports"),
        (APART, "lft", "no path"),
        (APART, "routes", "no path"),
    ],
)  # fmt: skip
def test_what_has_no_tables_is_refused(body: str, form: str, said: str, tmp_path: Path) -> None:
    fabric, sink = fabric_of(body), Sink()
    with pytest.raises(CannotExportError, match=said):
        write_subject(ExportInput(fabric.plan, lambda: fabric), find(form), tmp_path, sink)
    assert [each.code for each in sink if each.severity.name == "ERROR"] == ["UB0802"]


@pytest.mark.parametrize("form", ["ns3", "booksim", "sst"])
@pytest.mark.parametrize(("size", "told"), [(3, False), (6, True)])
def test_simulators_of_lossless_links_are_told_of_a_ring_that_hangs(
    form: str, size: int, told: bool, tmp_path: Path
) -> None:
    fabric = fabric_of(f"c[{size}] : Chip(ports = 2)\nconnect c.p as ring over Wire(1 m)")
    said = [each.message for each in write(fabric, form, tmp_path / "out")]
    assert any("can deadlock" in message for message in said) is told


@pytest.mark.parametrize(("size", "told"), [(3, False), (6, True)])
def test_switches_of_hpcc_in_a_ring_hang_too(size: int, told: bool, tmp_path: Path) -> None:
    body = (
        f"h[{size}] : Host\nr[{size}] : Router(ports = 3)\nconnect h[i].p[0] -- r[i].p[0] over Wire(1 m) for i\n"
        "connect r[*].p[1..2] as ring over Wire(1 m)"
    )
    said = [each.message for each in write(fabric_of(body), "hpcc", tmp_path / "out")]
    assert any("can deadlock" in message for message in said) is told


def test_a_large_symmetric_machine_is_looked_at_and_one_beyond_the_limit_is_said_not_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabric = compile(SPECS / "textbook/torus.ubus").fabric("torus3d")  # 512 goals times 3,072 channels, all alike
    told = [each.message for each in write(fabric, "booksim", tmp_path / "one")]
    assert any("can deadlock" in message for message in told)
    monkeypatch.setattr("unifiedbus_dsl.export.common.deadlock.MOST_CABLES", 10)
    told = [each.message for each in write(fabric, "booksim", tmp_path / "two")]
    assert any("was not looked at" in message for message in told)


# ---- OpenSM ---------------------------------------------------------------------------------------------------------


def dump_rows(text: str) -> dict[tuple[str, str], int]:
    """The port for each switch and end, by their GUIDs."""
    rows, switch = {}, ""
    for line in text.splitlines():
        if found := re.search(r"^Unicast lids .* guid (0x[0-9a-f]{16})", line):
            switch = found[1]
        elif found := re.match(r"0x[0-9a-f]{4} (\d{3}) .*portguid (0x[0-9a-f]{16})", line):
            rows[switch, found[2]] = int(found[1])
    return rows


def net_links(path: Path) -> dict[tuple[str, int], str]:
    """What is at the other end of each port, as `ibsim` reads it."""
    links: dict[tuple[str, int], str] = {}
    here = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := re.match(r'(?:Switch|Ca)\t\d+ "([SH]-[0-9a-f]{16})"', line):
            here = found[1]
        elif found := re.match(r'\[(\d+)\]\t"([SH]-[0-9a-f]{16})"\[\d+\]', line):
            links[here, int(found[1])] = found[2]
    return links


def test_a_dump_has_a_row_for_each_switch_and_end(tmp_path: Path) -> None:
    body, _ = regular(12, 4)
    write(fabric_of(body), "lft", tmp_path)
    rows = dump_rows((tmp_path / "lfts.dump").read_text(encoding="utf-8"))
    assert len(rows) == 12 * (12 + 12)
    links = net_links(tmp_path / "fabric.net")
    for start in {switch for switch, _ in rows}:
        for guid in {guid for _, guid in rows}:
            at, hops = f"S-{start[2:]}", 0
            while at.startswith("S") and (port := rows[f"0x{at[2:]}", guid]):
                at, hops = links[at, port], hops + 1
                assert hops < 13
            assert int(at[2:], 16) >> 8 == int(guid, 16) >> 8


def simulator() -> tuple[str, str, Path] | None:
    """The programs `ibsim` and `opensm`, and the library that joins them."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    ibsim, opensm = shutil.which("ibsim", path=path), shutil.which("opensm", path=path)
    if ibsim is None or opensm is None:
        return None
    found = sorted(Path(ibsim).parents[1].glob("lib/*/umad2sim/libumad2sim.so"))
    return (ibsim, opensm, found[0]) if found else None


@pytest.mark.slow
@pytest.mark.skipif(simulator() is None, reason="`opensm` and `ibsim` (Debian: opensm, ibsim-utils) are not installed")
@pytest.mark.parametrize("which", ["fat tree", "random"])
def test_opensm_loads_the_tables_into_a_simulated_subnet(which: str, tmp_path: Path) -> None:
    programs = simulator()
    assert programs is not None
    ibsim, opensm, library = programs
    fabric = compile(SPECS / "textbook/fat-tree.ubus").fabric() if which == "fat tree" else fabric_of(regular(16, 5)[0])
    write(fabric, "lft", tmp_path / "lft")
    files = tmp_path / "lft"
    environment = os.environ | {"IBSIM_SOCKNAME": f"ubusc{os.getpid()}", "OSM_TMP_DIR": f"{tmp_path}/"}
    environment["OSM_CACHE_DIR"] = f"{tmp_path}/"
    with (tmp_path / "ibsim.out").open("w") as out:
        net = subprocess.Popen(
            [ibsim, "-s", str(files / "fabric.net")], stdin=subprocess.PIPE, stdout=out, stderr=out, env=environment
        )
        try:
            time.sleep(1)
            arguments = ["-o", "-R", "file", "-U", str(files / "lfts.dump"), "-D", "0x43", "-f", str(tmp_path / "log")]
            done = subprocess.run(
                [opensm, *arguments, "--dump_files_dir", str(tmp_path)],
                env=environment | {"LD_PRELOAD": str(library)}, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
        finally:
            net.kill()
            net.communicate()
    log = (tmp_path / "log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, done.stdout + log
    assert "file tables configured on all switches" in log, log
    loaded = dump_rows((tmp_path / "opensm-lfts.dump").read_text(encoding="utf-8"))
    assert loaded == dump_rows((files / "lfts.dump").read_text(encoding="utf-8"))
