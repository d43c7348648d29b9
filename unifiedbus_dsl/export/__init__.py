"""Exporters: from a compiled machine to the files of other tools. One format, one file, one row in the registry.

    from unifiedbus_dsl import export, compile
    export.write(compile("superpod.ubus"), "graphml", "superpod.graphml")

An exporter says whether it takes the plan (its cost is that of the text) or the fabric (that of the machine), and what
its format has no place for. What it can't say of a given machine is a diagnostic of the family UB08.
"""

from __future__ import annotations

from importlib import import_module
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.diagnostics.suggest import UnknownNameError, no_such
from unifiedbus_dsl.export.base import CannotExportError, ForeignFilesError, Format, Subject, refuse, remark
from unifiedbus_dsl.export.legal import map_text
from unifiedbus_dsl.plan.unknown import links_without
from unifiedbus_dsl.units import counted

if TYPE_CHECKING:
    from unifiedbus_dsl.fabric import Fabric
    from unifiedbus_dsl.plan import Plan

__all__ = [
    "FORMATS", "CannotExportError", "ForeignFilesError", "Format", "Subject", "find", "write", "write_map",
    "write_subject",
]  # fmt: skip

MAP_SUFFIX = ".names.csv"

FORMATS = {
    "cables": "cables",
    "netbox": "netbox",
    "bom": "bom",
    "json": "node_link",
    "cytoscape": "cytoscape",
    "graphology": "graphology",
    "graphml": "graphml",
    "slurm-tree": "slurm",
    "slurm-block": "slurm",
    "slurm-yaml": "slurm",
    "slurm-ring": "slurm_shapes",
    "slurm-torus": "slurm_shapes",
    "volcano": "kubernetes",
    "kueue": "kubernetes",
    "topograph": "topograph",
    "hccl": "hccl",
    "hccl-1.2": "hccl12",
    "ns3": "ns3",
    "simgrid": "simgrid",
    "astra-sim": "astra_sim",
    "booksim": "booksim",
    "sst": "sst",
    "hpcc": "hpcc",
    "simai": "simai",
    "htsim": "htsim",
    "mermaid": "mermaid",
    "d2": "d2",
    "parquet": "parquet",
}
"""The module of each format, which holds it as `FORMAT` or, where a family shares one, in `FORMATS`."""


def find(name: str) -> Format:
    """A format by its name.

    Raises:
        KeyError: there is none.
    """
    if name not in FORMATS:
        raise UnknownNameError(no_such("format", name, list(FORMATS)))
    module = import_module(f"unifiedbus_dsl.export.{FORMATS[name]}")
    family: tuple[Format, ...] = (module.FORMAT,) if hasattr(module, "FORMAT") else module.FORMATS
    return next(form for form in family if form.name == name)


def write(
    machine: Plan | Fabric, form: str, path: str | PathLike[str], *, node: str | None = None
) -> tuple[Diagnostic, ...]:
    """Write a plan or a fabric to a file, or for some formats into a folder; gives what there is to say about it.

    `node` is the kind or type that schedulers call a node.

    Raises:
        KeyError: no such format.
        CannotExportError: the format can't say this machine.
        ForeignFilesError: the format is a folder of files, and in this one are others.
        OSError: the file can't be written.
    """
    from unifiedbus_dsl.fabric import Fabric
    from unifiedbus_dsl.fabric.expand import expand

    sink = Sink()
    if isinstance(machine, Fabric):
        fabric = machine
        subject = Subject(fabric.plan, lambda: fabric, node)
    else:
        plan = machine
        subject = Subject(plan, lambda: expand(plan), node)
    target, found = Path(path), find(form)
    if not found.is_folder:
        write_subject(subject, found, target, sink)
        write_map(subject, target)
        return tuple(sink)
    found.must_be_own(target)
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target, prefix=".") as draft:
        write_subject(subject, found, Path(draft), sink)
        found.move_in(Path(draft), target)
    write_map(subject, target)
    return tuple(sink)


def write_map(subject: Subject, target: Path) -> None:
    """Write the names of the site that had to change beside the file or folder; nothing where none had to."""
    if subject.renamed:
        beside = target.with_name(f"{target.name}{MAP_SUFFIX}")
        beside.write_text(map_text(subject.renamed.items()), encoding="utf-8", newline="\n")


def write_subject(subject: Subject, form: Format, path: Path, sink: Sink) -> None:
    """Write a machine, and say once what the format has no place for.

    Raises:
        CannotExportError: the format can't say this machine; the sink says why.
    """
    if subject.gone is not None and not form.partial:
        able = ", ".join(name for name in FORMATS if find(name).partial)
        raise refuse(sink, f"{form.name} can't leave out what `{subject.gone.scenario}` has taken", "json", notes=(
            f"formats that can: {able}",
        ))  # fmt: skip
    if subject.node is not None and not form.nodes:
        able = ", ".join(name for name in FORMATS if find(name).nodes)
        raise refuse(sink, f"{form.name} has no nodes to choose", "slurm-yaml", notes=(f"formats that have: {able}",))
    if subject.node is not None:
        from unifiedbus_dsl.export.groups import check_node

        check_node(subject, sink, form.name)
    if subject.flows is not None and not form.traffic:
        raise refuse(sink, f"{form.name} has no place for traffic", "ns3")
    if subject.gone is not None and subject.gone.degraded:
        count = subject.gone.degraded
        remark(sink, "UB0806", f"{count:,} cables that are only slower stand at their full rate", "see `ubusc analyze`")
    unknown = links_without(subject.plan, "rate")
    if unknown and "rates" not in form.loses and form.instead != "cables":
        remark(
            sink,
            "UB0806",
            "no rate is known of some cables: what stands for it was written",
            "`--to cables` leaves it empty",
        )
    form.write(subject, path, sink)
    if subject.renamed:
        old, new = next(iter(subject.renamed.items()))
        remark(
            sink, "UB0806",
            f"{counted(len(subject.renamed), 'name')} of the site had to change, `{old}` to `{new}` for one",
            f"the map is beside the file, `*{MAP_SUFFIX}`",
        )  # fmt: skip
    if form.loses:
        lost = ", ".join(form.loses)
        remark(sink, "UB0805", f"{form.name} has no place for: {lost}", f"`--to {form.instead}` keeps them")
