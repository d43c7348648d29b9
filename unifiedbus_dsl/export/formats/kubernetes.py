"""Kubernetes: HyperNodes for Volcano, a Topology with node labels for Kueue.

Volcano: `topology.volcano.sh/v1alpha1`, `HyperNode` (hypernode_types.go, 2026). Tier 1 holds nodes, each tier above
holds HyperNodes; the regular expression of a group matches its nodes and no others.
Kueue: `kueue.x-k8s.io/v1beta2`, `Topology` (topology_types.go): levels are node labels, so a script that sets them
comes along. The labels are those of NVIDIA's Topograph: `fabric.topograph.run/tier-0` is the nearest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import shell, yaml
from unifiedbus_dsl.export.base import ExportInput, Format, too_large
from unifiedbus_dsl.export.common.groups import Group, tree
from unifiedbus_dsl.export.common.hostlist import pattern
from unifiedbus_dsl.export.common.legal import DNS
from unifiedbus_dsl.export.common.stream import write_text

LABEL = "fabric.topograph.run/tier-"
HOST = "kubernetes.io/hostname"
MOST_LEVELS = 16
NODES_A_COMMAND = 200


# ---- Volcano ------------------------------------------------------------------------------------------------------


def write_volcano(subject: ExportInput, path: Path, sink: Sink) -> None:
    root = tree(subject, sink, "volcano", DNS)
    write_text(path, ("---\n" + _hyper_node(group) for group in root.walk()))


def _hyper_node(group: Group) -> str:
    text = f"""apiVersion: topology.volcano.sh/v1alpha1
kind: HyperNode
metadata:
  name: {yaml.string(group.name)}
spec:
  tier: {group.height}
  tierName: {yaml.string(group.level)}
  members:
"""
    for inner in group.groups:
        text += f"""  - type: HyperNode
    selector:
      exactMatch:
        name: {yaml.string(inner.name)}
"""
    if group.nodes:
        text += f"""  - type: Node
    selector:
      regexMatch:
        pattern: {yaml.string(pattern(group.nodes))}
"""
    return text


# ---- Kueue --------------------------------------------------------------------------------------------------------


def write_kueue(subject: ExportInput, path: Path, sink: Sink) -> None:
    root = tree(subject, sink, "kueue", DNS)
    levels = root.height + 1
    if levels > MOST_LEVELS:
        raise too_large(sink, f"{levels} levels are more than Kueue's {MOST_LEVELS}", "choose larger nodes by `--node`")
    write_text(path / "topology.yaml", _topology(root))
    write_text(path / "labels.sh", _labels(root))


def _topology(root: Group) -> Iterator[str]:
    yield f"""apiVersion: kueue.x-k8s.io/v1beta2
kind: Topology
metadata:
  name: {yaml.string(root.name)}
spec:
  levels:
"""
    for tier in reversed(range(root.height)):
        yield f"  - nodeLabel: {yaml.string(LABEL + str(tier))}\n"
    yield f"  - nodeLabel: {yaml.string(HOST)}\n"


def _labels(root: Group) -> Iterator[str]:
    yield "#!/bin/sh\n# Labels that say where each node is; tier-0 is the nearest group.\nset -e\n"
    for above, group in _paths(root, ()):
        labels = " ".join(
            shell.word(f"{LABEL}{tier}={name}") for tier, name in enumerate(tiers(above, group, root.height))
        )
        nodes = [shell.word(node) for node in group.nodes]
        for start in range(0, len(nodes), NODES_A_COMMAND):
            yield f"kubectl label --overwrite node {' '.join(nodes[start : start + NODES_A_COMMAND])} {labels}\n"


def tiers(above: tuple[Group, ...], group: Group, height: int) -> list[str]:
    """Return the name of the group of each tier, the nearest first; one with fewer levels around it is alone in the
    lowest."""
    names = [group.name, *(g.name for g in reversed(above))]
    return [group.name] * (height - len(names)) + names


def _paths(group: Group, above: tuple[Group, ...]) -> Iterator[tuple[tuple[Group, ...], Group]]:
    """Yield each group of nodes with the groups around it, the outermost first."""
    if group.nodes:
        yield above, group
    for inner in group.groups:
        yield from _paths(inner, above if group.islands else (*above, group))


_LOSES = ("rates", "latencies", "cables", "NPUs inside the nodes")
FORMATS = (
    Format(
        "volcano",
        "HyperNodes for Volcano",
        "plan",
        "hypernodes.yaml",
        write_volcano,
        _LOSES,
        supports_outages=True,
        nodes=True,
    ),
    Format(
        "kueue",
        "a Topology for Kueue, and the script that labels the nodes",
        "plan",
        "kueue",
        write_kueue,
        _LOSES,
        supports_outages=True,
        nodes=True,
        file_patterns=("topology.yaml", "labels.sh"),
    ),
)
