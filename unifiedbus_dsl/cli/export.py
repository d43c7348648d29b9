"""`ubusc export`: to the files of other tools."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import evolve, frozen

from unifiedbus_dsl.cli.arguments import (
    check_output,
    names_option,
    one_of,
    one_system,
    source_file,
    system_option,
    with_names,
)
from unifiedbus_dsl.cli.export_filter import Filter, filtered
from unifiedbus_dsl.cli.reading import right_machines, text_options
from unifiedbus_dsl.cli.report import as_text, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic
    from unifiedbus_dsl.export import Format
    from unifiedbus_dsl.syntax import tree


class _Formats(click.Command):
    """Lists the formats below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from unifiedbus_dsl.export import FORMATS, find

        with formatter.section("Formats"):
            formatter.write_dl([(name, find(name).title) for name in FORMATS])


@click.command("export", cls=_Formats)
@click.argument("file", required=False)
@click.option("--to", "form", metavar="FORMAT", help="One of the formats below.")
@click.option("-o", "--output", metavar="PATH", help="File to write, or for some formats a folder: new, or "
              "of an earlier export; by default SYSTEM.SUFFIX here.")  # fmt: skip
@system_option("The system to export; by default the first of the file.")
@click.option("--node", metavar="KIND", help="What schedulers call a node: a kind or a type; by default `node`, or "
              "what holds the NPUs.")  # fmt: skip
@click.option("--scenario", metavar="NAME", help="Leave out what this scenario takes; the names of the rest stay.")
@click.option(
    "--traffic",
    metavar="NAME",
    help="Write the flows of this traffic, or of what a workload exchanges, `pretrain.data` (ns3, simgrid, chakra).",
)
@click.option("--routing", metavar="R", help="How forwarding tables are routed (routes, lft), as in the language: "
              "`updown`, `dor`; by default over shortest paths.")  # fmt: skip
@click.option("--in", "parts", metavar="PART", multiple=True, help="Only cables with an end in this part, `rack[17]`; "
              "can be repeated.")  # fmt: skip
@click.option("--medium", metavar="MEDIUM", multiple=True, help="Only cables of this medium; can be repeated.")
@click.option("--link", metavar="LINK", multiple=True, help="Only cables of this link; can be repeated.")
@names_option
@text_options
def command(
    context: click.Context,
    /,
    file: str | None,
    form: str | None,
    output: str | None,
    system: str | None,
    node: str | None,
    scenario: str | None,
    traffic: str | None,
    routing: str | None,
    parts: tuple[str, ...],
    medium: tuple[str, ...],
    link: tuple[str, ...],
    names: str | None,
    limit: int,
    **reading: Any,
) -> None:
    """Write a machine in a format of another tool.

    What the format can't say of this machine is told, with the nearest format that can.

    \b
    Examples:
      ubusc export machine.ubus --to graphml -o machine.graphml
      ubusc export machine.ubus --to cables --system lab
      ubusc export machine.ubus --to cables --in rack[17] --medium optical
      ubusc export machine.ubus --to slurm-yaml --node rack -o topology.yaml
      ubusc export machine.ubus --to graphml -o - | gzip > machine.graphml.gz
    """
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    path = source_file(file, "export")
    check_output(output, path, stream=True)
    chosen = _format(form, output)
    with progress_bar():
        compilation, wrong = right_machines(context, path, limit, **reading)
        name = one_system(compilation, path, system)
        compilation = with_names(compilation, name, names)
        target = _target(chosen, output, name)
        for noun, asked in (("scenario", scenario), ("traffic", traffic)):
            _must_know(compilation, path, name, noun, asked)
        asked_for = _Asked(node, scenario, traffic, _question(routing), Filter(parts, medium, link))
        diagnostics = _export(compilation, name, chosen, target, asked_for)
    say(as_text([each for each in diagnostics if each not in wrong], limit, sys.stderr), err=True, nl=False)
    context.exit(max(status(wrong), status(diagnostics)))


def _format(name: str | None, output: str | None) -> Format:
    """Return the format asked for.

    Raises:
        click.UsageError: none, or an unknown one, or a folder that is to go to standard output.
    """
    from unifiedbus_dsl.export import FORMATS, find

    if name is None:
        raise click.UsageError(f"to which format? `--to` one of {', '.join(FORMATS)}")
    form = find(one_of("format", name, list(FORMATS)))
    if form.is_folder and output == "-":
        raise click.UsageError(f"{form.name} is a folder of files: it can't go to standard output; name one by `-o`")
    return form


def _target(form: Format, output: str | None, system: str) -> Path:
    """Return the file or folder to write.

    Raises:
        click.UsageError: a folder with files of someone else in it.
    """
    from unifiedbus_dsl.cli.output import make_folder
    from unifiedbus_dsl.cli.render_request import is_folder
    from unifiedbus_dsl.export import ForeignFilesError

    target = Path(output if output is not None else form.file_name(system))
    if not form.is_folder and output is not None and is_folder(output):
        return make_folder(target) / form.file_name(system)
    if form.is_folder:
        try:
            form.must_be_own(target)
        except ForeignFilesError as error:
            raise click.UsageError(f"{error} by `-o`") from error
    return target


@frozen
class _Asked:
    """What the command line says beside the format: a kind of node, a scenario, a traffic, a question that names a
    routing."""

    node: str | None
    scenario: str | None
    traffic: str | None
    routing: tree.Call | None
    filter: Filter


def _question(routing: str | None) -> tree.Call | None:
    """Return a question that names the routing that is asked for.

    Raises:
        click.UsageError: there is no such routing, or it is not written as one.
    """
    if routing is None:
        return None
    from unifiedbus_dsl.analysis.evaluators import routed_question
    from unifiedbus_dsl.vocabulary.signatures import ROUTINGS

    one_of("routing", routing.partition("(")[0].strip(), list(ROUTINGS))
    try:
        return routed_question("deadlock_free", "alltoall(all npu)", routing)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _must_know(compilation: Compilation, path: Path, system: str, noun: str, name: str | None) -> None:
    """Refuse the name of a scenario or traffic that the system does not have.

    Raises:
        click.UsageError: it has none of this name.
    """
    if name is None:
        return
    from unifiedbus_dsl.analysis.export_flows import names_of

    one_of(noun, name, names_of(compilation, noun, system), f" of `{system}` in `{path}`")


def _export(compilation: Compilation, system: str, form: Format, target: Path, asked: _Asked) -> list[Diagnostic]:
    """Write the file or folder; what there is to say about it."""
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.export import CannotExportError, ExportInput, write_map, write_subject

    sink = Sink()
    subject = ExportInput(compilation.pick(system), lambda: compilation.fabric(system), asked.node)
    if asked.scenario is not None or asked.traffic is not None or asked.routing is not None:
        from unifiedbus_dsl.analysis import export_flows

        if asked.scenario is not None:
            subject = evolve(subject, gone=export_flows.gone(compilation, system, asked.scenario, sink))
        if asked.traffic is not None:
            subject = evolve(subject, flows=export_flows.flows(compilation, system, asked.traffic, sink))
        if asked.routing is not None:
            subject = evolve(subject, routing=export_flows.routing(compilation, system, asked.routing, sink))
    if sink.has_errors:
        return list(sink)
    if asked.filter:
        subject = filtered(subject, form, asked.filter)
    try:
        with _place(form, target) as draft:
            write_subject(subject, form, draft, sink)
        if str(target) != "-":
            write_map(subject, target)
    except CannotExportError:
        pass  # the sink says why
    return list(sink)


def _place(form: Format, target: Path) -> AbstractContextManager[Path]:
    """Where to write: beside the target, or for `-` a file that goes to standard output when it is whole."""
    from unifiedbus_dsl.cli.output import beside, folder_beside, to_standard_output

    if str(target) == "-":
        return to_standard_output()
    return folder_beside(target, form.move_in) if form.is_folder else beside(target)
