"""`ubusc import`: a machine from the file of another tool."""  # noqa: N999 - the name of the command

from __future__ import annotations

import sys
from pathlib import Path

import click

from unifiedbus_dsl.cli.report import as_text, limit_option
from unifiedbus_dsl.cli.terminal import say


@click.command("import")
@click.argument("file", required=False)
@click.option("-o", "--output", metavar="PATH", help="The fabric file to write; by default NAME.npz here.")
@limit_option
@click.pass_context
def command(context: click.Context, /, file: str | None, output: str | None, limit: int) -> None:
    """Read a machine from node-link JSON, GraphML, a cable list or ibnetdiscover, and write it as a fabric file.

    Every command that takes a .ubus file takes the fabric file as well.

    The suffix says the format. Of files by other tools, this is needed:

    \b
      .json              `nodes` with `id`; `edges` with `source`, `target`, `a_port`, `b_port`
      .graphml, .xml     data `name` of nodes; `a_port` and `b_port` of edges
      .csv               the columns a_device, a_port, b_device, b_port; a_kind and b_kind tell switches apart
      .txt               what `ibnetdiscover` prints

    \b
    Examples:
      ubusc import discovered.graphml -o discovered.npz
      ubusc analyze discovered.npz
      ubusc diff machine.ubus discovered.graphml
    """
    from unifiedbus_dsl.cli.arguments import check_output, source_file
    from unifiedbus_dsl.cli.meter import meter
    from unifiedbus_dsl.cli.output import beside
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.escape.paths import file_name
    from unifiedbus_dsl.export.base import remark
    from unifiedbus_dsl.export.listing import ImportFailed
    from unifiedbus_dsl.export.read import read
    from unifiedbus_dsl.export.rebuild import rebuild
    from unifiedbus_dsl.units import counted

    path, sink = source_file(file, "import"), Sink()
    check_output(output, path)
    try:
        with meter():
            listing = read(path)
            fabric = rebuild(listing)
    except ImportFailed as error:
        sink.error("UB0807", str(error), None)
        say(as_text(sink, limit, sys.stderr), err=True, nl=False)
        context.exit(1)
    target = Path(output) if output is not None else Path(file_name(path.name.split(".")[0], ".npz"))
    with beside(target) as draft:
        fabric.save(draft)
    if listing.types is None:
        remark(
            sink, "UB0806", "the file knows no latencies: those of the machine are 0", "ask it for hops and rates only"
        )
        say(as_text(sink, limit, sys.stderr), err=True, nl=False)
    say(f"{target}: {counted(fabric.device_count, 'device')}, {counted(fabric.cable_count, 'cable')}")
