"""`ubusc import`: a machine from the file of another tool."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unifiedbus_dsl.cli.imported import source_of, told
from unifiedbus_dsl.cli.report import as_text, limit_option
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.importer import Hosts


class _Formats(click.Command):
    """Lists the formats below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from unifiedbus_dsl.importer import FORMS

        with formatter.section("Formats"):
            formatter.write_dl([(form.name, form.title) for form in FORMS.values()])


@click.command("import", cls=_Formats)
@click.argument("file", required=False)
@click.option("-o", "--output", metavar="PATH", help="The file to write; by default NAME.npz here, or NAME.ubus.")
@click.option("--to", "target_form", metavar="FORM", type=click.Choice(["npz", "ubus"]), default="npz", help="`npz`, a "
              "fabric file, or `ubus`: text with arrays and rules, and what fits no rule as exceptions.")  # fmt: skip
@click.option("--format", "form", metavar="NAME", help="The format of the file; by default its content says it.")
@click.option("--hosts", metavar="RULE", help="How the description of an adapter names its host: an expression with a "
              "group, such as `(.+) mlx5_\\d+`; by default the word before the last. `none` for no hosts.")  # fmt: skip
@click.option("--rate", metavar="RATE", help="What to take where the file says no rate, such as `400 Gbps`; what "
              "rests on it stays an estimate.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Refuse a file that leaves anything in doubt: exit status 1.")
@limit_option
@click.pass_context
def command(
    context: click.Context,
    /,
    file: str | None,
    output: str | None,
    target_form: str,
    form: str | None,
    hosts: str | None,
    rate: str | None,
    strict: bool,
    limit: int,
) -> None:
    """Read a machine from the file of another tool, and write it as a fabric file.

    Every command that takes a .ubus file takes the fabric file as well. The content says the format; `-` is standard
    input. What is certain is taken; what is in doubt is counted and shown by line, and with --strict refused.

    \b
    Examples:
      ubusc import discovered.graphml -o discovered.npz
      ibnetdiscover | ubusc import - -o found.npz
      ubusc analyze found.npz
      ubusc diff machine.ubus found.npz
      ubusc import ibnetdiscover.txt --to ubus -o found.ubus
    """
    from unifiedbus_dsl.base.units import counted
    from unifiedbus_dsl.cli.arguments import check_output, one_of
    from unifiedbus_dsl.cli.lifted import check_lifted, write_lifted
    from unifiedbus_dsl.cli.output import beside
    from unifiedbus_dsl.cli.progress_bar import progress_bar
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.escape.paths import file_name
    from unifiedbus_dsl.export.base import remark
    from unifiedbus_dsl.importer import FORMS, ImportFailed, read_source
    from unifiedbus_dsl.ir.fabric.physical import count_whole

    sink = Sink()
    usual = _rate(rate)
    if form is not None:
        one_of("format", form, list(FORMS))
    with source_of(file) as source:
        target = Path(output) if output is not None else Path(file_name(source.stem, f".{target_form}"))
        if target_form == "ubus":
            check_lifted(target)
        elif file != "-":
            check_output(output, source.path)
        try:
            with progress_bar():
                imported = read_source(source, form, _rule(hosts))
                if strict and imported.doubts:
                    told(imported.doubts, sink, strict=True)
                    say(as_text(sink, limit, sys.stderr), err=True, nl=False)
                    context.exit(1)
                imported.table.usual = usual
                fabric = imported.fabric()
                said = write_lifted(fabric, target, sink) if target_form == "ubus" else ""
        except ImportFailed as error:
            sink.error("UB0807", str(error), None)
            say(as_text(sink, limit, sys.stderr), err=True, nl=False)
            context.exit(1)
        if not said:
            with beside(target) as draft:
                fabric.save(draft)
    told(imported.doubts, sink)
    if imported.table.types is None:
        remark(
            sink, "UB0806", "the file knows no latencies: those of the machine are 0", "ask it for hops and rates only"
        )
    say(as_text(sink, limit, sys.stderr), err=True, nl=False)
    doubts = f", {counted(imported.doubts.total, 'doubt')}" if imported.doubts else ""
    say(said or f"{target}: {counted(fabric.device_count, 'device')}, {counted(count_whole(fabric), 'cable')}{doubts}")


def _rate(text: str | None) -> Fraction | None:
    """Byte/s of a text such as `400 Gbps`.

    Raises:
        click.UsageError: it is no rate.
    """
    from unifiedbus_dsl.importer.rates import bytes_per_second

    if text is None:
        return None
    rate = bytes_per_second(text)
    if rate is None:
        raise click.UsageError(f"--rate: `{text}` is no rate: write `400 Gbps`, say")
    return Fraction(rate)


def _rule(text: str | None) -> Hosts:
    from unifiedbus_dsl.importer import Hosts

    if text is None:
        return Hosts()
    try:
        return Hosts.read(text)
    except ValueError as error:
        raise click.UsageError(f"--hosts: {error}") from error
