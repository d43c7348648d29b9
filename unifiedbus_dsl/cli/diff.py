"""`ubusc diff`: a design against what was found in the network, or against another design."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unifiedbus_dsl.cli.limits import limit_options, limits
from unifiedbus_dsl.cli.report import as_text, limit_option, status

if TYPE_CHECKING:
    from unifiedbus_dsl.export.listing import Listing
    from unifiedbus_dsl.pipeline import Limits


@click.command("diff")
@click.argument("wanted", required=False)
@click.argument("found", required=False)
@click.option("--system", metavar="NAME", help="The system of a .ubus file; by default its first.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
@limit_option
@limit_options
@click.pass_context
def command(
    context: click.Context,
    /,
    wanted: str | None,
    found: str | None,
    system: str | None,
    as_json: bool,
    limit: int,
    **raised: int | None,
) -> None:
    """Tell what FOUND has otherwise than WANTED: devices and cables, by name.

    Each is a .ubus file, or a .json, .graphml or .csv file as `ubusc export` writes them or another tool did. The exit
    status is 1 where there is a difference.

    \b
    Examples:
      ubusc diff machine.ubus discovered.csv
      ubusc diff old.ubus new.ubus --json
    """
    from unifiedbus_dsl.cli.arguments import source_file
    from unifiedbus_dsl.cli.meter import meter
    from unifiedbus_dsl.export.compare import compare

    if found is None:
        raise click.UsageError("which two files? Example: `ubusc diff machine.ubus discovered.csv`.")
    paths = [source_file(name, "diff") for name in (wanted, found)]
    with meter():
        listings = [_listing(context, path, system, limit, limits(**raised)) for path in paths]
        difference = compare(*listings)
    text = json.dumps(difference.to_data(), indent=2, ensure_ascii=False) + "\n" if as_json else difference.text(limit)
    click.echo(text, nl=False)
    context.exit(int(bool(difference)))


def _listing(context: click.Context, path: Path, system: str | None, limit: int, raised: Limits) -> Listing:
    """The devices and cables of a file; ends the command with status 1 where it is wrong."""
    from unifiedbus_dsl import pipeline
    from unifiedbus_dsl.export.listing import ImportFailed, listing_of
    from unifiedbus_dsl.export.read import read

    if path.suffix != ".ubus":
        try:
            return read(path)
        except ImportFailed as error:
            _wrong(context, error, limit)
    compilation = pipeline.compile(path, limits=raised)
    if status(compilation.diagnostics):
        click.echo(as_text(compilation.diagnostics, limit, sys.stderr), err=True, nl=False)
        context.exit(1)
    if not compilation.systems:
        raise click.ClickException(f"`{path}` has no system, so there is nothing to compare")
    if system is not None and system not in compilation.systems:
        raise click.UsageError(f"no system `{system}` in `{path}`; there are {', '.join(compilation.systems)}")
    return listing_of(compilation.fabric(system))


def _wrong(context: click.Context, error: Exception, limit: int) -> None:
    """Say what is wrong with a file that was to be read, and end with status 1."""
    from unifiedbus_dsl.diagnostics import Sink

    sink = Sink()
    sink.error("UB0807", str(error), None)
    click.echo(as_text(sink, limit, sys.stderr), err=True, nl=False)
    context.exit(1)
