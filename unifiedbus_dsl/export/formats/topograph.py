"""A model for NVIDIA Topograph's simulation provider (github.com/NVIDIA/topograph: pkg/models, docs/modeling.md).

From it Topograph writes the files of Slurm, Slinky and Kubernetes as it would for a real cluster. A group of nodes is a
leaf switch and an accelerator domain. Topograph 1.0 takes the nodes from `blocks`, 0.4 and 0.5 from `nodes` of a switch
and from `capacity_blocks`; each passes over the keys of the other, so that one file is for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import yaml
from unifiedbus_dsl.export.base import ExportInput, Format
from unifiedbus_dsl.export.common.groups import Group, tree
from unifiedbus_dsl.export.common.hostlist import folded
from unifiedbus_dsl.export.common.stream import write_text

DOMAIN = "accelerator.topology.test/domain"
"""The annotation that Topograph 1.0 takes for the accelerator domain of a node."""


def write(subject: ExportInput, path: Path, sink: Sink) -> None:
    write_text(path, _model(tree(subject, sink, "topograph")))


def _model(root: Group) -> Iterator[str]:
    yield "switches:\n"
    for group in root.walk():
        word = "switches" if group.groups else "nodes"
        inside = [inner.name for inner in group.groups] or folded(group.nodes)
        yield f"  {yaml.string(group.name)}:\n    {word}:\n{_list(inside, 4)}"
    leaves = [group for group in root.walk() if group.nodes]
    yield "blocks:  # Topograph 1.0\n"
    for group in leaves:
        yield f"- switch: {yaml.string(group.name)}\n  nodes:\n{_list(folded(group.nodes), 2)}"
        yield f"  annotations:\n    {DOMAIN}: {yaml.string(group.name)}\n"
    yield "capacity_blocks:  # Topograph 0.4 and 0.5\n"
    for group in leaves:
        name = yaml.string(group.name)
        yield f"  {name}:\n    nodes:\n{_list(folded(group.nodes), 4)}    attributes:\n      nvlink: {name}\n"


def _list(items: Iterable[str], indent: int) -> str:
    return "".join(f"{' ' * indent}- {yaml.string(item)}\n" for item in items)


FORMAT = Format(
    "topograph",
    "a model for NVIDIA Topograph, 1.0 as 0.4 and 0.5",
    "plan",
    "topograph.yaml",
    write,
    ("rates", "latencies", "cables", "NPUs inside the nodes"),
    supports_outages=True,
    nodes=True,
)
