"""What every exporter is: a name, what it takes, what it writes, what it has no place for."""

from __future__ import annotations

import os
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Severity, Sink
from unifiedbus_dsl.escape.paths import file_name
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan

if TYPE_CHECKING:
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule


@frozen(eq=False)
class OutageMask:
    """What a scenario has taken: `devices` [D] and `cables` [C] that are gone, and how many cables are only slower."""

    scenario: str
    devices: NDArray[np.bool_]
    cables: NDArray[np.bool_]
    degraded: int = 0


@frozen(eq=False)
class Flows:
    """Flows that start together: source and target device, bytes. Columns of equal length."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    size: NDArray[np.int64]


@frozen(eq=False)
class AskedRouting:
    """A routing as one writes it, and the paths that it may take."""

    text: str
    paths: PathRule


@frozen(eq=False, slots=False)
class ExportInput:
    """What is exported: a plan, and its fabric, expanded only for a format that needs it.

    `node` is the kind or type that a scheduler calls a node (a server); None lets the machine decide, see
    `unifiedbus_dsl.export.groups`. `gone` is what a scenario has taken; formats with `supports_outages` leave it out,
    and the names of the rest stay. `flows` are the phases of a traffic. `routing` is whose paths forwarding tables
    take, None for shortest ones. `renamed` gets the names of the site that had to change, with what was written for
    them.
    """

    plan: Plan
    expand: Callable[[], Fabric]
    node: str | None = None
    gone: OutageMask | None = None
    flows: tuple[Flows, ...] | None = None
    routing: AskedRouting | None = None
    renamed: dict[str, str] = field(factory=dict)

    @cached_property
    def fabric(self) -> Fabric:
        return self.expand()


Writer: TypeAlias = Callable[[ExportInput, Path, Sink], None]


@frozen
class Format:
    """A format to export to.

    `file` is what is added to the name of the system. Where `file_patterns` names files, the format is a folder of
    these, and `write` gets an empty folder to fill. `unsupported` are the things of a machine that the format has no
    place for, and `instead` names the nearest format that has them.
    """

    name: str
    title: str
    input_level: Literal["plan", "fabric"]
    file: str
    write: Writer
    unsupported: tuple[str, ...] = ()
    instead: str = "json"
    supports_outages: bool = False
    """Whether it can leave out what a scenario has taken."""
    nodes: bool = False
    """Whether it groups nodes, so that `node` has a meaning."""
    traffic: bool = False
    """Whether it has a place for the flows of a traffic."""
    routed: bool = False
    """Whether it has forwarding tables, so that a routing can be chosen."""
    file_patterns: tuple[str, ...] = ()
    """What the files of the folder are called, with `*` for what depends on the machine; a single file has none."""

    @property
    def page(self) -> str:
        """The page of the format in `docs/formats`: one for each family (`slurm-tree` and `slurm-yaml` share one)."""
        return self.name.split("-")[0]

    @property
    def is_folder(self) -> bool:
        return bool(self.file_patterns)

    def file_name(self, system: str) -> str:
        """Return the name of the file or folder for a system."""
        return file_name(system, f".{self.file}")

    def must_be_own(self, folder: Path) -> None:
        """Refuse a folder with anything in it but what an earlier export in this format left there.

        Hidden files count for nothing.

        Raises:
            ForeignFilesError: there is something else.
        """
        if not os.path.isdir(folder):  # unlike the method, this says no to a name that is too long
            return
        foreign = sorted(
            each.name for each in folder.iterdir() if not each.name.startswith(".") and not self._owns(each)
        )
        if foreign:
            more = f" and {len(foreign) - 3:,} more" if len(foreign) > 3 else ""
            raise ForeignFilesError(
                f"`{folder}` holds other files than those of {self.name}: {', '.join(foreign[:3])}{more}. "
                f"{self.name} is a folder of files: name a new one"
            )

    def move_in(self, draft: Path, folder: Path) -> None:
        """Move the files of `draft` to `folder`, and remove what an earlier export in this format had besides."""
        written = sorted(each.name for each in draft.iterdir())
        for name in written:
            os.replace(draft / name, folder / name)
        for each in list(folder.iterdir()):
            if self._owns(each) and each.name not in written:
                each.unlink()

    def _owns(self, path: Path) -> bool:
        return path.is_file() and any(fnmatchcase(path.name, pattern) for pattern in self.file_patterns)


class ForeignFilesError(Exception):
    """A folder to write into holds files of someone else."""


class CannotExportError(Exception):
    """The format can't say this machine; the sink has been told why."""


def refuse(
    sink: Sink, message: str, instead: str, span: Span | None = None, notes: tuple[str, ...] = ()
) -> CannotExportError:
    """UB0802, to be raised: the format can't say it; `instead` is the nearest format that can."""
    sink.error("UB0802", message, span, notes=notes, help=(f"`--to {instead}` can say it",))
    return CannotExportError(message)


def too_large(sink: Sink, message: str, help: str) -> CannotExportError:
    """UB0804, to be raised: beyond a limit of the format."""
    sink.error("UB0804", message, None, help=(help,))
    return CannotExportError(message)


def left_out(sink: Sink, message: str, instead: str, span: Span | None = None) -> None:
    """UB0803: this machine has something that the format has no place for; the rest was written."""
    sink.error("UB0803", message, span, help=(f"`--to {instead}` keeps it",), severity=Severity.WARNING)


def remark(sink: Sink, code: str, message: str, *help: str) -> None:
    """What the reader of the file should know; nothing is wrong."""
    sink.error(code, message, None, help=help, severity=Severity.NOTE)
