"""Groups for schedulers from the switches: fat tree, rails, planes, dragonfly, islands, under the names of the site."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import networkx as nx
import pytest

from tests.export.readers import slurm_tree
from unifiedbus_dsl.cli import main
from unifiedbus_dsl.importer import read_fabric

Pair = tuple[str, str]


def listed(pairs: Iterable[Pair], path: Path) -> Path:
    """A cable list of pairs; a name with a letter `n` first is an end point, any other a switch."""
    rows = [f"{a},{b},{kind(a)},{kind(b)},400" for a, b in pairs]
    path.write_text("\n".join(["a_device,b_device,a_kind,b_kind,gbps", *rows]) + "\n")
    return path


def kind(name: str) -> str:
    return "npu" if name[0] == "n" else "switch"


def fat_tree(k: int) -> Iterator[Pair]:
    half = k // 2
    for pod in range(k):
        for edge in range(half):
            yield from ((f"n{pod}-{edge}-{host}", f"edge{pod}-{edge}") for host in range(half))
            yield from ((f"edge{pod}-{edge}", f"agg{pod}-{a}") for a in range(half))
        for a in range(half):
            yield from ((f"agg{pod}-{a}", f"core{a}-{c}") for c in range(half))


def rails(units: int, hosts: int, planes: int, spines: int) -> Iterator[Pair]:
    """Each host is on a leaf of every rail; the leaves of a rail have spines of their own, or all the same ones."""
    for unit in range(units):
        for rail in range(planes):
            yield from ((f"n{unit}-{host}", f"su{unit}-leaf{rail}") for host in range(hosts))
            yield from ((f"su{unit}-leaf{rail}", f"spine{rail if spines == planes else 0}-{s}") for s in range(2))


def dragonfly(a: int, h: int, p: int) -> Iterator[Pair]:
    """Every group is joined to every other by one cable (Kim and others, 2008)."""
    groups = a * h + 1
    for group in range(groups):
        for router in range(a):
            yield from ((f"n{group}-{router}-{host}", f"r{group}-{router}") for host in range(p))
            yield from ((f"r{group}-{router}", f"r{group}-{other}") for other in range(router))
    for one in range(groups):
        for two in range(one):
            yield f"r{one}-{two // h}", f"r{two}-{(one - 1) // h}"


def exported(path: Path, form: str, folder: Path) -> str:
    assert main(["import", str(path), "-o", str(folder / "found.npz")]) == 0
    assert main(["export", str(folder / "found.npz"), "--to", form, "-o", str(folder / "out")]) == 0
    return (folder / "out").read_text()


def tree_of(path: Path, folder: Path) -> dict[str, frozenset[str]]:
    """The nodes under each switch of a tree."""
    return slurm_tree(exported(path, "slurm-tree", folder))


def ball(graph: nx.Graph, leaf: str) -> frozenset[str]:
    return frozenset(n for n in graph[leaf] if n[0] == "n")


def test_a_fat_tree_has_leaves_pods_and_one_root(tmp_path: Path) -> None:
    pairs = list(fat_tree(4))
    found = tree_of(listed(pairs, tmp_path / "ft.csv"), tmp_path)
    graph = nx.Graph(pairs)
    nodes = frozenset(n for n in graph if n[0] == "n")
    leaves = {ball(graph, s) for s in graph if s.startswith("edge")}
    pods = {frozenset(n for n in nodes if n.startswith(f"n{pod}-")) for pod in range(4)}
    assert set(found.values()) == leaves | pods | {nodes}
    assert all(found[s] == ball(graph, s) for s in graph if s.startswith("edge"))
    assert len(found) == 8 + 4 + 1


@pytest.mark.parametrize("spines", [1, 4])
def test_rails_and_planes_are_one_leaf(spines: int, tmp_path: Path) -> None:
    """A rail-optimised pod: all leaves over the same hosts are one, whether the rails meet in the spines or not."""
    found = tree_of(listed(rails(3, 8, 4, spines), tmp_path / "rails.csv"), tmp_path)
    units = {frozenset(f"n{unit}-{host}" for host in range(8)) for unit in range(3)}
    assert set(found.values()) == units | {frozenset().union(*units)}
    assert found["su1-leaf"] == frozenset(f"n1-{host}" for host in range(8))


def test_a_dragonfly_has_routers_and_groups(tmp_path: Path) -> None:
    found = tree_of(listed(dragonfly(4, 2, 2), tmp_path / "df.csv"), tmp_path)
    routers = {frozenset(f"n{g}-{r}-{n}" for n in range(2)) for g in range(9) for r in range(4)}
    groups = {frozenset(f"n{g}-{r}-{n}" for r in range(4) for n in range(2)) for g in range(9)}
    assert set(found.values()) == routers | groups | {frozenset().union(*groups)}


def test_islands_have_a_root_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = [("n1", "leafA"), ("n2", "leafA"), ("leafA", "topA"), ("n3", "leafB"), ("leafB", "topA"), ("n4", "lone")]
    found = tree_of(listed(pairs, tmp_path / "two.csv"), tmp_path)
    assert found == {
        "topA": frozenset(("n1", "n2", "n3")),
        "leafA": frozenset(("n1", "n2")),
        "leafB": frozenset(("n3",)),
        "lone": frozenset(("n4",)),
    }
    assert "2 islands, which no cable joins" in capsys.readouterr().err
    labels = tmp_path / "kueue"
    assert main(["export", str(tmp_path / "found.npz"), "--to", "kueue", "-o", str(labels)]) == 0
    text = (labels / "labels.sh").read_text()
    assert "node n4" in text
    assert "tier-1=lone" in text


def test_without_a_switch_nothing_is_flat_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed([("n1", "n2"), ("n2", "n3")], tmp_path / "ring.csv")
    assert main(["import", str(tmp_path / "ring.csv"), "-o", str(tmp_path / "found.npz")]) == 0
    assert main(["export", str(tmp_path / "found.npz"), "--to", "slurm-tree", "-o", str(tmp_path / "out")]) == 1
    assert "no device is a switch" in capsys.readouterr().err


def test_names_stay_where_they_are_legal_and_the_map_says_what_changed(tmp_path: Path) -> None:
    pairs = [("n1.Hall_B", "Leaf 1"), ("n2", "Leaf 1"), ("n3", "leaf-2"), ("Leaf 1", "top"), ("leaf-2", "top")]
    path = listed(pairs, tmp_path / "a.csv")
    assert exported(path, "slurm-tree", tmp_path).splitlines() == [
        "SwitchName=top Switches=leaf-[1-2]",
        "SwitchName=leaf-1 Nodes=n1.Hall_B,n2",
        "SwitchName=leaf-2 Nodes=n3",
    ]
    with (tmp_path / "out.names.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["name", "written_as"], ["Leaf 1", "leaf-1"]]
    (tmp_path / "out.names.csv").unlink()
    assert "n1-hall-b" in exported(path, "volcano", tmp_path)  # Kubernetes has small letters only
    with (tmp_path / "out.names.csv").open(newline="") as file:
        assert ["n1.Hall_B", "n1-hall-b"] in list(csv.reader(file))


def test_adapters_of_a_host_are_one_node(tmp_path: Path) -> None:
    case = Path(__file__).parents[1] / "importer" / "cases" / "names.txt"
    assert tree_of(case, tmp_path) == {"lf": frozenset(("tr01", "tr02"))}
    data = json.loads(exported(case, "json", tmp_path))
    assert {node["id"] for node in data["nodes"]} == {
        *(f"tr0{host} mlx5_{rail}" for host in (1, 2) for rail in (0, 1)),
        "MF0;lf01:MQM9700/U1", "MF0;lf02:MQM9700/U1", "MF0;sp01:MQM9700/U1",
    }  # fmt: skip
    assert read_fabric(case).device_count == 7
