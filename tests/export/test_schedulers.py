"""Files of schedulers: host lists, Slurm, Volcano, Kueue, Topograph."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.export.machines import PARTS, PODS, compiled
from unifiedbus_dsl import export
from unifiedbus_dsl.export.common.hostlist import MOST_NAMES, fold, fold_in_order, pattern, unfold
from unifiedbus_dsl.export.formats.kubernetes import HOST

TWO = (
    (
        PODS.replace("up[2] : UB x4 }\nswitch S", "up[2] : UB x4; }\nswitch S").replace("system pod : Pod", "")
        + """
supercluster Pods {
  pod[2] : Pod
  hub    : Hub
  connect pod[i].x -- hub.p[i] over Optic(100 m) for i
}
switch Hub { port p[2] : UB x4 }
system two : Pods
"""
    )
    .replace("spine[2]   : Spine", "spine[2]   : Spine\n  port x = spine[0].q")
    .replace("port p[8] : UB x4 }", "port p[8] : UB x4; port q : UB x4 @open }")
)
SERVERS = [f"cabinet{c}-server{s}" for c in range(4) for s in range(4)]


def written(text: str, form: str, tmp_path: Path, **options: str) -> str:
    export.write(compiled(text).plan, form, tmp_path / "out", **options)
    return (tmp_path / "out").read_text()


# ---- host lists -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["s000", "s001", "s002", "s127"], "s[000-002,127]"),
        (["s0", "s1", "s9", "s10"], "s[0-1,9-10]"),
        (["s7", "s007"], "s7,s007"),
        (["a", "b3", "a1"], "a,a1,b3"),
        (["pod1-r2", "pod1-r3", "pod2-r2"], "pod1-r[2-3],pod2-r2"),
        ([], ""),
    ],
)
def test_fold(names: list[str], text: str) -> None:
    assert fold(names) == text
    assert sorted(unfold(text)) == sorted(names)


def test_unfold() -> None:
    assert unfold("r[0-1]s[08-10],x") == ["r0s08", "r0s09", "r0s10", "r1s08", "r1s09", "r1s10", "x"]
    assert len(unfold("r[0-1023]s[0-1023]")) == MOST_NAMES
    too_many = ("s[1-1000000000]", f"s[0-{'9' * 40}]", "r[0-1023]s[0-1023],x", "a[0-999]" + "[0-999]" * 40)
    for wrong in ("s[0-1", "s[a]", "s]0", *too_many):
        with pytest.raises(ValueError, match="`"):
            unfold(wrong)


names = st.builds("{}{}".format, st.sampled_from(["s", "r1-s", "x0y"]), st.from_regex(r"[0-9]{0,4}", fullmatch=True))


@given(st.sets(names, min_size=1, max_size=60), names)
def test_folded_names_come_back_and_the_pattern_matches_no_others(found: set[str], other: str) -> None:
    assert sorted(unfold(fold(found))) == sorted(found)
    regex = re.compile(pattern(found))
    assert all(regex.match(name) for name in found)
    assert bool(regex.match(other)) == (other in found)


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 1500))
def test_patterns_of_ranges(low: int, size: int, other: int) -> None:
    regex = re.compile(pattern(f"s{n}" for n in range(low, low + size + 1)))
    for value in (low, low + size, low + size // 2, low - 1, low + size + 1, other):
        assert bool(regex.match(f"s{value}")) == (low <= value <= low + size)


@given(st.lists(names, max_size=40))
def test_names_folded_in_order_come_back_in_order(found: list[str]) -> None:
    assert unfold(fold_in_order(found)) == [name for name in found if name]


# ---- Slurm ----------------------------------------------------------------------------------------------------


def conf(text: str) -> dict[str, dict[str, str]]:
    """Lines of a topology.conf by their name, keys as topology.conf(5) lists them."""
    found = {}
    for line in text.splitlines():
        fields = dict(part.split("=", 1) for part in line.split())
        assert fields.keys() <= {"SwitchName", "Switches", "Nodes", "BlockName", "BlockSizes"}
        name = fields.get("SwitchName") or fields.get("BlockName") or "sizes"
        assert name not in found
        assert len(name) <= 64
        found[name] = fields
    return found


def check_tree(switches: dict[str, list[str]], nodes: dict[str, list[str]], every: list[str]) -> None:
    """One root, each switch and each node below one other, every switch known: what topology/tree asks for."""
    below = [name for inside in switches.values() for name in inside]
    assert len(set(below)) == len(below)
    assert set(below) <= switches.keys() | nodes.keys()
    assert not switches.keys() & nodes.keys()
    assert len((switches.keys() | nodes.keys()) - set(below)) == 1
    assert sorted(node for inside in nodes.values() for node in inside) == sorted(every)


def test_slurm_tree(tmp_path: Path) -> None:
    lines = conf(written(PODS, "slurm-tree", tmp_path))
    assert lines["pod"] == {"SwitchName": "pod", "Switches": "cabinet[0-3]"}
    assert lines["cabinet2"] == {"SwitchName": "cabinet2", "Nodes": "cabinet2-server[0-3]"}
    switches = {name: unfold(f["Switches"]) for name, f in lines.items() if "Switches" in f}
    check_tree(switches, {name: unfold(f["Nodes"]) for name, f in lines.items() if "Nodes" in f}, SERVERS)


def test_slurm_block(tmp_path: Path) -> None:
    lines = conf(written(PODS, "slurm-block", tmp_path))
    assert lines["sizes"] == {"BlockSizes": "4,16"}
    assert lines["cabinet0"]["Nodes"] == "cabinet0-server[0-3]"
    assert len(lines) == 5


def test_slurm_yaml(tmp_path: Path) -> None:
    tree, block = yaml.safe_load(written(TWO, "slurm-yaml", tmp_path))
    assert next(iter(tree)) == next(iter(block)) == "topology"
    assert tree["cluster_default"] is True
    lines = tree["tree"]["switches"]
    assert lines[0] == {"switch": "two", "children": "pod[0-1]"}
    switches = {line["switch"]: unfold(line["children"]) for line in lines if "children" in line}
    nodes = {line["switch"]: unfold(line["nodes"]) for line in lines if "nodes" in line}
    check_tree(switches, nodes, [f"pod{p}-{name}" for p in range(2) for name in SERVERS])
    assert block["block"]["block_sizes"] == [4, 16, 32]
    assert len(block["block"]["blocks"]) == 8


def test_sizes_that_are_no_power_of_two_are_told(tmp_path: Path) -> None:
    text = PODS.replace("cabinet[4]", "cabinet[3]").replace("p[8]", "p[6]")
    found = export.write(compiled(text).plan, "slurm-block", tmp_path / "out")
    assert [d.code for d in found] == ["UB0803", "UB0805"]
    assert "12 nodes" in found[0].message
    assert conf((tmp_path / "out").read_text())["sizes"] == {"BlockSizes": "4"}


def test_spares_and_what_a_node_is(tmp_path: Path) -> None:
    spare = PODS.replace("server[4] : Server", "server[4] : Server; spare extra[1] : Server").replace(
        "  port up = leaf.up", "  open extra.up\n  port up = leaf.up"
    )
    found = export.write(compiled(spare).plan, "slurm-tree", tmp_path / "out")
    assert [d.code for d in found if d.code != "UB0805"] == ["UB0803"]
    assert "4 spare `extra`" in found[-1].message + found[0].message
    assert "extra" not in (tmp_path / "out").read_text()
    assert written(PODS, "slurm-tree", tmp_path, node="rack") == "SwitchName=pod Nodes=cabinet[0-3]\n"
    ring = PARTS + "module M { npu[4] : Chip; connect npu.x as fullmesh over Copper(1 m); open npu.up }\nsystem m : M\n"
    assert written(ring, "slurm-tree", tmp_path) == "SwitchName=m Nodes=npu[0-3]\n"
    with pytest.raises(export.CannotExportError, match="no part of it is a `shelf`"):
        written(PODS, "slurm-tree", tmp_path, node="shelf")


# ---- Kubernetes -----------------------------------------------------------------------------------------------


def check(form: str, data: Any) -> None:
    """Hold an object against its published schema (see `schemas/README.md`)."""
    schema = json.loads((Path(__file__).parent / "schemas" / f"{form}.json").read_text())
    Draft202012Validator(schema).validate(data)


def test_volcano(tmp_path: Path) -> None:
    nodes = list(yaml.safe_load_all(written(TWO, "volcano", tmp_path)))
    for node in nodes:
        check("hypernode", node)
    by_name = {node["metadata"]["name"]: node["spec"] for node in nodes}
    assert len(by_name) == len(nodes) == 1 + 2 + 8
    assert {spec["tier"] for spec in by_name.values()} == {1, 2, 3}
    for spec in by_name.values():
        for member in spec["members"]:
            if member["type"] == "HyperNode":
                assert by_name[member["selector"]["exactMatch"]["name"]]["tier"] == spec["tier"] - 1
    regex = by_name["pod1-cabinet2"]["members"][0]["selector"]["regexMatch"]["pattern"]
    every = [f"pod{p}-{name}" for p in range(2) for name in SERVERS]
    assert [n for n in every if re.match(regex, n)] == [f"pod1-cabinet2-server{s}" for s in range(4)]


def test_kueue(tmp_path: Path) -> None:
    export.write(compiled(TWO).plan, "kueue", tmp_path)
    topology = yaml.safe_load((tmp_path / "topology.yaml").read_text())
    check("topology", topology)
    levels = [level["nodeLabel"] for level in topology["spec"]["levels"]]
    assert HOST not in levels[:-1]  # a rule of the schema beside its types
    assert levels == [f"fabric.topograph.run/tier-{n}" for n in (2, 1, 0)] + ["kubernetes.io/hostname"]
    given_: dict[str, dict[str, str]] = {}
    for line in (tmp_path / "labels.sh").read_text().splitlines():
        if line.startswith("kubectl label --overwrite node "):
            words = line.split()[4:]
            labels = dict(word.split("=") for word in words if "=" in word)
            given_ |= {word: labels for word in words if "=" not in word}
    assert len(given_) == 32
    assert all(labels.keys() == set(levels[:-1]) for labels in given_.values())
    assert list(given_["pod1-cabinet3-server0"].values()) == ["pod1-cabinet3", "pod1", "two"]
    subprocess.run(["sh", "-n", str(tmp_path / "labels.sh")], check=True)


def topograph_1_0(model: Any) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """What Topograph 1.0 takes: the switches above each node, nearest first, and the nodes of each accelerator domain.

    Nodes are those of `blocks`; `nodes` of a switch and `capacity_blocks` are keys that it doesn't know.
    """
    above = {inner: name for name, of in model["switches"].items() for inner in of.get("switches", [])}
    layers: dict[str, list[str]] = {}
    domains: dict[str, set[str]] = {}
    for block in model["blocks"]:
        assert block["switch"] in model["switches"]
        path = [block["switch"]]
        while path[-1] in above:
            path.append(above[path[-1]])
        for node in (name for text in block["nodes"] for name in unfold(text)):
            assert node not in layers, "belongs to more than one capacity block"
            layers[node] = path
            domains.setdefault(block["annotations"]["accelerator.topology.test/domain"], set()).add(node)
    return layers, domains


def topograph_0_5(model: Any) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """The same for 0.4 and 0.5: `nodes` of switches, which `capacity_blocks` have to declare."""
    above = {inner: name for name, of in model["switches"].items() for inner in of.get("switches", [])}
    domains: dict[str, set[str]] = {}
    for block in model["capacity_blocks"].values():
        inside = {name for text in block["nodes"] for name in unfold(text)}
        domains.setdefault(block["attributes"]["nvlink"], set()).update(inside)
    layers: dict[str, list[str]] = {}
    for name, of in model["switches"].items():
        path = [name]
        while path[-1] in above:
            path.append(above[path[-1]])
        layers |= {node: path for text in of.get("nodes", []) for node in unfold(text)}
    assert layers.keys() == set().union(*domains.values())
    return layers, domains


@pytest.mark.parametrize("text", [PODS, TWO], ids=["pod", "two"])
def test_topograph(text: str, tmp_path: Path) -> None:
    """One file gives both releases the same: every node, the switches above it, and one domain a cabinet."""
    model = yaml.safe_load(written(text, "topograph", tmp_path))
    layers, domains = topograph_1_0(model)
    assert topograph_0_5(model) == (layers, domains)
    systems = [""] if text is PODS else ["pod0-", "pod1-"]
    assert layers.keys() == {system + name for system in systems for name in SERVERS}
    for node, path in layers.items():
        cabinet = node.rsplit("-", 1)[0]
        assert path == ([cabinet, "pod"] if text is PODS else [cabinet, cabinet.split("-")[0], "two"])
        assert node in domains[cabinet]
    assert len(domains) == 4 * len(systems)
