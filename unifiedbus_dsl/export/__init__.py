"""Exporters: from a compiled machine to the files of other tools. One format, one file, one row in the registry.

    from unifiedbus_dsl import export, compile
    export.write(compile("superpod.ubus"), "graphml", "superpod.graphml")

An exporter says whether it takes the plan (its cost is that of the text) or the fabric (that of the machine), and what
its format has no place for. What it can't say of a given machine is a diagnostic of the family UB08.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.diagnostics import Diagnostic, Sink
from unifiedbus_dsl.diagnostics.suggest import UnknownNameError, no_such
from unifiedbus_dsl.export.base import CannotExportError, ExportInput, ForeignFilesError, Format, refuse, remark
from unifiedbus_dsl.export.common.legal import map_text
from unifiedbus_dsl.ir.plan.unknown import links_without

if TYPE_CHECKING:
    from unifiedbus_dsl.export.registry import FORMATS
    from unifiedbus_dsl.ir.fabric import Fabric
    from unifiedbus_dsl.ir.plan import Plan

__all__ = [
    "FORMATS",
    "CannotExportError",
    "ExportInput",
    "ForeignFilesError",
    "Format",
    "find",
    "write",
    "write_map",
    "write_subject",
]  # fmt: skip

MAP_SUFFIX = ".names.csv"


def __getattr__(name: str) -> dict[str, Format]:
    if name != "FORMATS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from unifiedbus_dsl.export.registry import FORMATS

    return FORMATS


def find(name: str) -> Format:
    """Return a format by its name.

    Args:
        name: `graphml`, and so on; `ubusc export --help` lists them.

    Raises:
        KeyError: there is none.
    """
    from unifiedbus_dsl.export.registry import FORMATS

    if name not in FORMATS:
        raise UnknownNameError(no_such("format", name, list(FORMATS)))
    return FORMATS[name]


def write(
    machine: Plan | Fabric, form: str, path: str | PathLike[str], *, node: str | None = None
) -> tuple[Diagnostic, ...]:
    """Write a machine to a file, or for some formats into a folder; return what there is to say about it.

    Args:
        machine: a plan, or a fabric, which the plan is expanded to where a format wants cables.
        form: the name of a format, `graphml`.
        path: the file, or the folder for formats of several files.
        node: the kind or type that schedulers call a node; default: the format's own choice.

    Raises:
        KeyError: no such format.
        CannotExportError: the format can't say this machine.
        ForeignFilesError: the format is a folder of files, and in this one are others.
        OSError: the file can't be written.
    """
    from unifiedbus_dsl.ir.fabric import Fabric
    from unifiedbus_dsl.ir.fabric.expand import expand

    sink = Sink()
    if isinstance(machine, Fabric):
        fabric = machine
        subject = ExportInput(fabric.plan, lambda: fabric, node)
    else:
        plan = machine
        subject = ExportInput(plan, lambda: expand(plan), node)
    target, chosen = Path(path), find(form)
    if not chosen.is_folder:
        write_subject(subject, chosen, target, sink)
        write_map(subject, target)
        return tuple(sink)
    chosen.must_be_own(target)
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target, prefix=".") as draft:
        write_subject(subject, chosen, Path(draft), sink)
        chosen.move_in(Path(draft), target)
    write_map(subject, target)
    return tuple(sink)


def write_map(subject: ExportInput, target: Path) -> None:
    """Write the names of the site that had to change beside the file or folder; nothing where none had to."""
    if subject.renamed:
        beside = target.with_name(f"{target.name}{MAP_SUFFIX}")
        beside.write_text(map_text(subject.renamed.items()), encoding="utf-8", newline="\n")


def write_subject(subject: ExportInput, form: Format, path: Path, sink: Sink) -> None:
    """Write a machine, and say once what the format has no place for.

    Raises:
        CannotExportError: the format can't say this machine; the sink says why.
    """
    from unifiedbus_dsl.export.registry import FORMATS

    if subject.gone is not None and not form.supports_outages:
        able = ", ".join(each.name for each in FORMATS.values() if each.supports_outages)
        raise refuse(sink, f"{form.name} can't leave out what `{subject.gone.scenario}` has taken", "json", notes=(
            f"formats that can: {able}",
        ))  # fmt: skip
    if subject.node is not None and not form.nodes:
        able = ", ".join(each.name for each in FORMATS.values() if each.nodes)
        raise refuse(sink, f"{form.name} has no nodes to choose", "slurm-yaml", notes=(f"formats that have: {able}",))
    if subject.node is not None:
        from unifiedbus_dsl.export.common.groups import check_node

        check_node(subject, sink, form.name)
    if subject.flows is not None and not form.traffic:
        raise refuse(sink, f"{form.name} has no place for traffic", "ns3")
    if subject.routing is not None and not form.routed:
        raise refuse(sink, f"{form.name} has no forwarding tables to be routed", "routes")
    if subject.gone is not None and subject.gone.degraded:
        count = subject.gone.degraded
        remark(sink, "UB0806", f"{count:,} cables that are only slower stand at their full rate", "see `ubusc analyze`")
    unknown = links_without(subject.plan, "rate")
    if unknown and "rates" not in form.unsupported and form.instead != "cables":
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
    if form.unsupported:
        lost = ", ".join(form.unsupported)
        remark(sink, "UB0805", f"{form.name} has no place for: {lost}", f"`--to {form.instead}` keeps them")
