"""A model for NVIDIA Topograph's simulation provider (github.com/NVIDIA/topograph, tests/models/*.yaml).

From it Topograph writes the files of Slurm, Slinky and Kubernetes as it would for a real cluster. A group of nodes is a
leaf switch and, as an accelerator domain, a capacity block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.escape import yaml
from unifiedbus_dsl.export.base import Format, Subject
from unifiedbus_dsl.export.groups import Group, tree
from unifiedbus_dsl.export.hostlist import folded
from unifiedbus_dsl.export.stream import write_text


def write(subject: Subject, path: Path, sink: Sink) -> None:
    write_text(path, _model(tree(subject, sink, "topograph")))


def _model(root: Group) -> Iterator[str]:
    yield "switches:\n"
    for group in root.walk():
        word = "switches" if group.groups else "nodes"
        inside = [inner.name for inner in group.groups] or group.nodes
        yield f"  {yaml.string(group.name)}:\n    {word}:\n{_list(inside, 4)}"
    leaves = [group for group in root.walk() if group.nodes]
    yield "nodes:\n"
    for group in leaves:
        for node in group.nodes:
            yield f"  {yaml.string(node)}:\n    capacity_block: {yaml.string(group.name)}\n"
    yield "capacity_blocks:\n"
    for group in leaves:
        yield f"  {yaml.string(group.name)}:\n    nodes:\n{_list(folded(group.nodes), 4)}"


def _list(items: Iterable[str], indent: int) -> str:
    return "".join(f"{' ' * indent}- {yaml.string(item)}\n" for item in items)


FORMAT = Format(
    "topograph",
    "a model for NVIDIA Topograph",
    "plan",
    "topograph.yaml",
    write,
    ("rates", "latencies", "cables", "NPUs inside the nodes"),
    partial=True,
    nodes=True,
)
