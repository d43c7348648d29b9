"""`ubusc import FILE --to ubus`: the text of a network, with its lists and the map of its names beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.ir.fabric import Fabric


def check_lifted(target: Path) -> None:
    """Refuse to write over a text that is not one of ours, or to standard output, which has no place beside it.

    Raises:
        click.UsageError: there is one, or it is `-`.
    """
    if str(target) == "-":
        raise click.UsageError("a text has the map of its names beside it: name a file with `-o`, not `-`")
    from unifiedbus_dsl.importer.lift.write import HEAD

    try:
        head = target.read_text(encoding="utf-8", errors="replace")[:200]
    except OSError:
        return
    if HEAD not in head:
        raise click.UsageError(f"`{target}` is there, and no network that was found: name another file with `-o`")


def write_lifted(fabric: Fabric, target: Path, sink: Sink) -> str:
    """Write the text and the files beside it; return what is to be said of them.

    Raises:
        OSError: a file can't be written.
    """
    from unifiedbus_dsl.base.units import counted
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.export.base import remark
    from unifiedbus_dsl.importer.lift import lift

    lifted = lift(fabric, target.stem)
    names = target.with_name(f"{target.stem}.names.csv")
    files = {target.with_name(name): text for name, text in lifted.files.items()}
    for path, text in ({names: lifted.names} | files | {target: lifted.text}).items():
        write_bytes(path, text.encode())
    for wanted, there in lifted.swaps:
        one, two = (" and ".join(" -- ".join(sorted(ends)) for ends in pair) for pair in (wanted, there))
        remark(sink, "UB0806", f"swapped: {one} by the rules; there are {two}")
    if lifted.lengths_left_out:
        remark(
            sink,
            "UB0806",
            f"lengths of {counted(lifted.lengths_left_out, 'cable')} differ within a rule: the longest stands for them",
            "the cable list of the network has each",
        )
    beside = ", ".join(f"`{path.name}`" for path in (names, *files))
    return f"{target}: {lifted.said()}; {beside} beside it"
