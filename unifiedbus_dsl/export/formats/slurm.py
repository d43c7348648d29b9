"""Slurm: `topology.conf` (tree or block) and `topology.yaml` (both), as topology.conf(5) and topology.yaml(5) say.

Slurm's guide advises leaf switches and the levels above them rather than every link, so the groups are the assemblies
of the machine: what shares one is near. Several planes of switches between the same groups are one logical level.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import slurm, yaml
from unifiedbus_dsl.export.base import ExportInput, Format, left_out
from unifiedbus_dsl.export.common.groups import Group, tree
from unifiedbus_dsl.export.common.hostlist import fold
from unifiedbus_dsl.export.common.stream import write_text


def write_tree(subject: ExportInput, path: Path, sink: Sink) -> None:
    root = tree(subject, sink, "slurm-tree")
    write_text(path, (f"SwitchName={slurm.name(name)} {word}={inside}\n" for name, word, inside in _switches(root)))


def write_block(subject: ExportInput, path: Path, sink: Sink) -> None:
    root = tree(subject, sink, "slurm-block")
    lines = [f"BlockName={slurm.name(group.name)} Nodes={fold(group.nodes)}\n" for group in _leaves(root)]
    write_text(path, [*lines, f"BlockSizes={','.join(map(str, block_sizes(root, sink)))}\n"])


def write_yaml(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _yaml(tree(subject, sink, "slurm-yaml"), sink))


def _yaml(root: Group, sink: Sink) -> Iterator[str]:
    yield "- topology: tree\n  cluster_default: true\n  tree:\n    switches:\n"
    for name, word, inside in _switches(root):
        key = "children" if word == "Switches" else "nodes"
        yield f"      - switch: {yaml.string(name)}\n        {key}: {yaml.string(inside)}\n"
    yield "- topology: block\n  cluster_default: false\n  block:\n    block_sizes:\n"
    yield from (f"      - {size}\n" for size in block_sizes(root, sink))
    yield "    blocks:\n"
    for group in _leaves(root):
        yield f"      - block: {yaml.string(group.name)}\n        nodes: {yaml.string(fold(group.nodes))}\n"


def _switches(root: Group) -> Iterator[tuple[str, str, str]]:
    """Name, `Switches` or `Nodes`, and what is below, from the top down."""
    for group in root.walk():
        if group.groups:
            yield group.name, "Switches", fold(inner.name for inner in group.groups)
        else:
            yield group.name, "Nodes", fold(group.nodes)


def _leaves(root: Group) -> list[Group]:
    return [group for group in root.walk() if group.nodes]


def block_sizes(root: Group, sink: Sink) -> list[int]:
    """Return the nodes of the smallest block, then those of the levels above that are a power of two times as large.

    Slurm wants each size to be the one before times a power of two.
    """
    sizes = [min(len(group.nodes) for group in _leaves(root))]
    seen = set(sizes)
    for level in range(2, root.height + 1):
        counts = {sum(1 for _ in group.all_nodes()) for group in root.walk() if group.height == level}
        size = min(counts)
        ratio, rest = divmod(size, sizes[-1])
        if size in seen:
            continue
        if rest or ratio & (ratio - 1):
            left_out(
                sink,
                f"the level of {size:,} nodes is no power of two times {sizes[-1]:,} nodes, so it is no size of blocks",
                "slurm-tree",
            )
        else:
            sizes.append(size)
            seen.add(size)
    return sizes


_LOSES = ("rates", "latencies", "cables", "NPUs inside the nodes")
FORMATS = (
    Format(
        "slurm-tree",
        "Slurm topology.conf for topology/tree",
        "plan",
        "tree.conf",
        write_tree,
        _LOSES,
        supports_outages=True,
        nodes=True,
    ),
    Format(
        "slurm-block",
        "Slurm topology.conf for topology/block",
        "plan",
        "block.conf",
        write_block,
        _LOSES,
        supports_outages=True,
        nodes=True,
    ),
    Format(
        "slurm-yaml",
        "Slurm topology.yaml: tree and block",
        "plan",
        "topology.yaml",
        write_yaml,
        _LOSES,
        supports_outages=True,
        nodes=True,
    ),
)
