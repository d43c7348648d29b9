"""`ubusc diff`: a design against what was found in the network, or against another design."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from attrs import evolve, frozen

from unifiedbus_dsl.cli.arguments import budget_option, names_option, one_system, source_file, system_option, with_names
from unifiedbus_dsl.cli.imported import source_of
from unifiedbus_dsl.cli.reading import right_machines, text_options
from unifiedbus_dsl.cli.report import as_text
from unifiedbus_dsl.cli.terminal import say
from unifiedbus_dsl.escape.json import indented

if TYPE_CHECKING:
    from unifiedbus_dsl.analysis.design_diff import Changes
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.importer.diff import Difference
    from unifiedbus_dsl.importer.listing import Listing
    from unifiedbus_dsl.ir.plan import Plan

DESIGNS = (".ubus", ".npz")
BUDGET = 10.0
"""Seconds that a bisection of one side may take, unless the caller says otherwise."""
MOST_LINKS = 2_000_000
"""Cables of one side that are compared one by one; both sides of that many take about 3 GB."""


@click.command("diff")
@click.argument("wanted", required=False)
@click.argument("found", required=False)
@system_option("The system of a .ubus file; by default its first.")
@click.option("--only", metavar="LINK", multiple=True, help="Compare cables of this link or protocol of WANTED only; "
              "may be given several times.")  # fmt: skip
@names_option
@click.option("--no-solve", is_flag=True, help="Leave hops and bisection out.")
@click.option("--picture", metavar="PATH", help="Draw WANTED, a design, with the differences in it: SVG, PNG or PDF by "
              "the suffix.")  # fmt: skip
@budget_option("the figures of each design together")
@click.option("--json", "as_json", is_flag=True, help="As JSON on standard output.")
@text_options
def command(
    context: click.Context,
    /,
    wanted: str | None,
    found: str | None,
    system: str | None,
    only: tuple[str, ...],
    names: str | None,
    no_solve: bool,
    picture: str | None,
    budget: float | None,
    as_json: bool,
    limit: int,
    **reading: Any,
) -> None:
    """Tell what FOUND has otherwise than WANTED: devices and cables, by name.

    Each is a .ubus file, a fabric file (.npz), or a file of a format that `ubusc import` reads; `-` is standard input.
    `machine.ubus:lab` is the system `lab` of a file.
    Of two designs, counts by type and key figures are compared as well. The exit status is 1 where there is a
    difference.

    \b
    Examples:
      ubusc diff machine.ubus discovered.csv
      ubusc diff machine.ubus ibnetdiscover.txt --only NdrFibre
      ubusc diff machine.ubus ibnetdiscover.txt --names site.csv
      ubusc diff old.ubus new.ubus --json
      ubusc diff machine.ubus:half machine.ubus:full
      ubusc diff machine.ubus ibnetdiscover.txt --picture todo.svg
    """
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    if found is None:
        raise click.UsageError("which two files? Example: `ubusc diff machine.ubus discovered.csv`.")
    named = [_named(name, system) for name in (wanted, found)]
    paths = [path for path, _ in named]
    with progress_bar():
        one, two = (_side(context, path, chosen, limit, reading) for path, chosen in named)
        if names is not None:
            if one.design is None:
                raise click.UsageError(f"--names is about a design, and `{paths[0]}` is none")
            compilation, chosen = one.design
            one = evolve(one, design=(with_names(compilation, chosen, names), chosen))
        changed = _changes(one, two, solve=not no_solve, budget=budget or BUDGET) if not only else None
        difference = _difference(context, one, two, only, limit)
        if picture is not None:
            _draw(one, difference, picture)
    say(_json(difference, changed) if as_json else _text(difference, changed, limit), nl=False)
    context.exit(int(bool(difference) or bool(changed) or one.wrong or two.wrong))


def _draw(wanted: _Side, difference: Difference | None, output: str) -> None:
    """Write the picture of a difference.

    Raises:
        click.UsageError: the wanted side is no design, or too large, or the suffix is of no format of pictures.
        click.ClickException: there is nothing to draw with.
    """
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.figures.difference import difference_picture
    from unifiedbus_dsl.render import DrawingError, NoGraphvizError
    from unifiedbus_dsl.render.pictures import without_links
    from unifiedbus_dsl.render.svg import drawn

    if wanted.design is None or difference is None:
        reason = f"`{wanted.path}` is none" if wanted.design is None else "these are too large for it"
        raise click.UsageError(f"--picture is of a design that is compared cable by cable, and {reason}")
    forms: dict[str, Literal["svg", "png", "pdf"]] = {".svg": "svg", ".png": "png", ".pdf": "pdf"}
    form = forms.get(Path(output).suffix.lower())
    if form is None:
        raise click.UsageError(f"`--picture {output}`: its name ends in .svg, .png or .pdf")
    compilation, system = wanted.design
    try:
        data = drawn(without_links(difference_picture(compilation, system, difference)), form)
    except (DrawingError, NoGraphvizError) as error:
        raise click.ClickException(str(error)) from error
    write_bytes(Path(output), data)


def _named(name: str | None, system: str | None) -> tuple[Path, str | None]:
    """Return the file and the system that were named: `machine.ubus:half` is the system `half` of it."""
    if name and name != "-" and not os.path.lexists(name):
        file, colon, own = name.rpartition(":")
        if colon and own and Path(file).suffix.lower() in DESIGNS and os.path.lexists(file):
            return source_file(file, "diff"), own
    return (Path("-") if name == "-" else source_file(name, "diff")), system


@frozen(eq=False)
class _Side:
    """A file, read: a compiled design with its system, or a plain list."""

    path: Path
    design: tuple[Compilation, str] | None
    found: Listing | None
    wrong: bool = False
    """Whether something that is not of the machine is wrong in it, which is said."""

    @property
    def links(self) -> int:
        """How many lines there are to compare: several where a cable is broken out."""
        if self.plan is None:
            return len(self.found.cables) if self.found is not None else 0
        return self.plan.numbering.cable_count[self.plan.root]

    @property
    def plan(self) -> Plan | None:
        return None if self.design is None else self.design[0].pick(self.design[1])

    def listing(self) -> Listing:
        from unifiedbus_dsl.importer.listing import listing_of

        if self.design is not None:
            return listing_of(self.design[0].fabric(self.design[1]))
        assert self.found is not None
        return self.found


def _side(context: click.Context, path: Path, system: str | None, limit: int, reading: dict[str, Any]) -> _Side:
    """Read a file; ends the command with status 1 where it is wrong."""
    if path.suffix.lower() not in DESIGNS:
        return _Side(path, None, _found(context, path, limit))
    compilation, wrong = right_machines(context, path, limit, **reading)
    return _Side(path, (compilation, one_system(compilation, path, system)), None, bool(wrong))


def _found(context: click.Context, path: Path, limit: int) -> Listing:
    """Return the list that a file of another tool holds; what it leaves in doubt is said."""
    from unifiedbus_dsl.diagnostics import Severity, Sink
    from unifiedbus_dsl.importer import ImportFailed, read_source

    sink = Sink()
    try:
        with source_of(str(path), "diff") as source:
            imported = read_source(source)
    except ImportFailed as error:
        _wrong(context, "UB0807", str(error), limit)
    for sentence, lines in imported.doubts.said():
        sink.error("UB0808", f"`{path}`: {sentence}", None, notes=lines, severity=Severity.WARNING)
    say(as_text(sink, limit, sys.stderr), err=True, nl=False)
    return imported.listing()


def _changes(one: _Side, two: _Side, *, solve: bool, budget: float) -> Changes | None:
    """Counts and figures of two designs; None where one side is none."""
    from unifiedbus_dsl.analysis.design_diff import design_changes

    if one.design is None or two.design is None:
        return None
    return design_changes(one.design[0], two.design[0], one.design[1], two.design[1], solve=solve, budget=budget)


def _difference(context: click.Context, one: _Side, two: _Side, only: tuple[str, ...], limit: int) -> Difference | None:
    """Cable by cable; None where two designs are too large for that, which is said."""
    from unifiedbus_dsl.importer.diff import SAME, compare_listings

    if one.design is not None and two.design is not None and one.plan == two.plan:
        return SAME
    largest = max((one, two), key=lambda side: side.links)
    if largest.links > MOST_LINKS:
        said = f"{largest.links:,} links are more than the {MOST_LINKS:,} that are compared one by one"
        if one.design is not None and two.design is not None and not only:
            say(f"{said}: counts and figures only", err=True)
            return None
        _wrong(context, "UB0804", f"`{largest.path}`: {said}", limit, "compare a part: a system of one rack or pod")
    try:
        return compare_listings(one.listing(), two.listing(), only)
    except KeyError as error:
        raise click.UsageError(f"no link or protocol `{error.args[0]}` in `{one.path}`") from error


def _text(difference: Difference | None, changed: Changes | None, limit: int) -> str:
    """Counts and figures first, then cable by cable."""
    told = difference is not None and (bool(difference) or bool(difference.matched))
    parts = [
        changed.text() if changed is not None else "",
        difference.text(limit) if difference is not None and told else "",
    ]
    if any(parts):
        return "\n".join(part for part in parts if part)
    return "no difference\n" if difference is not None else "no difference in counts and figures\n"


def _json(difference: Difference | None, changed: Changes | None) -> str:
    same = not difference and not changed
    data: dict[str, Any] = {"version": 1, "same": same} if difference is None else difference.to_data() | {"same": same}
    if changed is not None:
        data["changes"] = changed.to_data()
    return indented(data)


def _wrong(context: click.Context, code: str, message: str, limit: int, *help: str) -> None:
    """Say what is wrong, and end with status 1."""
    from unifiedbus_dsl.diagnostics import Sink

    sink = Sink()
    sink.error(code, message, None, help=help)
    say(as_text(sink, limit, sys.stderr), err=True, nl=False)
    context.exit(1)
