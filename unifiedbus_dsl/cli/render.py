"""`ubusc render`: pictures of a machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from unifiedbus_dsl.cli.arguments import one_of, source_file
from unifiedbus_dsl.cli.limits import limit_options, limits
from unifiedbus_dsl.cli.report import as_text, limit_option, status

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.pipeline import Compilation
    from unifiedbus_dsl.plan import Plan
    from unifiedbus_dsl.render.marks import Picture
    from unifiedbus_dsl.render.views import Layout, View
    from unifiedbus_dsl.syntax import tree

FORMATS = ("svg", "png", "dot", "html", "pdf")


@click.command("render")
@click.argument("file", required=False)
@click.option("--system", metavar="NAME", help="The system to draw; by default the first of the file.")
@click.option("--view", metavar="NAME", help="Draw what this `view` block asks for.")
@click.option("--type", "type_key", metavar="TYPE", help="Draw this part alone; by default the whole system.")
@click.option("--detail", is_flag=True, help="Every device instead of equal parts folded.")
@click.option("--floor", is_flag=True, help="The floor plan: what `place` puts where.")
@click.option("--traffic", metavar="NAME", help="Colour cables by the load of this traffic.")
@click.option("--routing", default="ecmp", show_default=True, metavar="NAME", help="How that traffic is routed.")
@click.option("--scenario", metavar="NAME", help="The system before and after a scenario, one beside the other.")
@click.option("--map", "heat", metavar="WHAT", help="A table of colours instead: `bandwidth` or `latency` of each two "
              "racks.")  # fmt: skip
@click.option("--plot", metavar="WHAT", help="A plot instead: `hops` or `latency` over all pairs of end points, "
              "or a collective by message size: `allreduce(all npu)`.")  # fmt: skip
@click.option("--format", "form", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}; else as -o says, or svg.")
@click.option("--html", is_flag=True, help="A page to explore the machine in: the same as --format html.")
@click.option("-o", "--output", metavar="PATH", help="File to write, or a folder (there or ending in `/`): a picture "
              "of each type, linked. By default a file here.")  # fmt: skip
@limit_option
@limit_options
@click.pass_context
def command(
    context: click.Context,
    /,
    file: str | None,
    system: str | None,
    view: str | None,
    type_key: str | None,
    detail: bool,
    floor: bool,
    traffic: str | None,
    routing: str,
    scenario: str | None,
    heat: str | None,
    plot: str | None,
    form: str | None,
    html: bool,
    output: str | None,
    limit: int,
    **raised: int | None,
) -> None:
    """Draw a machine: folded, device by device, or on its floor.

    \b
    Examples:
      ubusc render machine.ubus                      the overview, as SYSTEM.svg
      ubusc render machine.ubus -o pictures/         one for each type, to click through
      ubusc render machine.ubus --view plan -o plan.png
      ubusc render machine.ubus --type Cabinet --detail
      ubusc render machine.ubus --traffic moe        where it is tight
      ubusc render machine.ubus --scenario Cut       what is lost, and what that does to loads
      ubusc render machine.ubus --map bandwidth      from each rack to each other
      ubusc render machine.ubus --html               a page to explore it in
    """
    from unifiedbus_dsl.cli.heap import keep_freed_memory
    from unifiedbus_dsl.cli.meter import meter

    path = source_file(file, "render")
    chosen = _format("html" if html else form, output)
    layout = _layout(detail, floor)
    from unifiedbus_dsl import pipeline  # after the arguments are known to be right: this takes longer
    from unifiedbus_dsl.diagnostics import Sink

    sink = Sink()
    keep_freed_memory()
    with meter():
        compilation = pipeline.compile(path, limits=limits(**raised))
        if status(compilation.diagnostics):
            click.echo(as_text(compilation.diagnostics, limit, sys.stderr), err=True, nl=False)
            context.exit(1)
        name = _system(compilation, path, system, view)
        written: Sequence[Path] = ()
        if plot is not None:
            written = _plot(compilation, name, plot, chosen, output, sink)
        elif heat is not None:
            written = _map(compilation, name, heat, chosen, output)
        elif scenario is not None:
            if type_key is not None:
                raise click.UsageError("a scenario is of the whole system: leave `--type` out")
            written = _compared(compilation, path, name, scenario, view, layout, traffic, routing, chosen, output, sink)
        elif chosen == "html":
            written = _page(compilation, name, output, sink)
        else:
            look = _view(compilation, path, name, view, type_key, layout, traffic, routing, sink)
            if look is not None:
                written = _write(look, _stem(look, name, view), chosen, output, sink)
    click.echo(as_text(sink, limit, sys.stderr), err=True, nl=False)
    for each in written:
        click.echo(str(each))
    context.exit(status(sink))


# ---- what was asked for -----------------------------------------------------------------------------------------


def _format(name: str | None, output: str | None) -> str:
    """The format: what was named, else what the suffix of the output says.

    Raises:
        click.UsageError: an unknown one.
    """
    if name is None and output is not None and not _is_folder(output):
        name = Path(output).suffix.removeprefix(".").lower() or None
    return one_of("format", name, FORMATS) if name is not None else "svg"


def _layout(detail: bool, floor: bool) -> Layout | None:
    if detail and floor:
        raise click.UsageError("`--detail` and `--floor` are two pictures: choose one")
    return "detail" if detail else "floor" if floor else None


def _system(compilation: Compilation, path: Path, system: str | None, view: str | None) -> str:
    """The system to draw: that of the view, or the one named, or the first.

    Raises:
        click.ClickException: the file has none.
        click.UsageError: no such system or view, or a view of another system.
    """
    from unifiedbus_dsl.analysis.pictures import views

    names = compilation.systems
    if not names:
        raise click.ClickException(
            f"`{path}` has no system, so there is no machine to draw. Write `system NAME : Type` into it."
        )
    if system is not None:
        one_of("system", system, names, f" in `{path}`")
    if view is None:
        return system or names[0]
    there = views(compilation)
    of = there[one_of("view", view, list(there), f" in `{path}`")].of.text
    if system not in (None, of):
        raise click.UsageError(f"the view `{view}` is of the system `{of}`, not of `{system}`")
    return of


def _view(
    compilation: Compilation,
    path: Path,
    system: str,
    name: str | None,
    type_key: str | None,
    layout: Layout | None,
    traffic: str | None,
    routing: str,
    sink: Sink,
) -> View | None:
    """What is to be drawn; None after a diagnostic.

    Raises:
        click.UsageError: no such type or traffic.
    """
    from attrs import evolve

    from unifiedbus_dsl.analysis.pictures import plain_view, traffics, view_of, views, with_loads

    plan = compilation.pick(system)
    key = _type(plan, type_key) if type_key is not None else None
    if name is None:
        view: View | None = plain_view(plan, key, layout or "overview")
    else:
        view = view_of(compilation, views(compilation)[name], sink, layout)
        if view is not None and key is not None:
            view = evolve(view, key=key)
    if view is None or traffic is None:
        return view
    question = _question(path, system, traffic, routing, list(traffics(compilation, system)))
    return with_loads(compilation, view, question, sink)


def _compared(
    compilation: Compilation,
    path: Path,
    system: str,
    scenario: str,
    name: str | None,
    layout: Layout | None,
    traffic: str | None,
    routing: str,
    form: str,
    output: str | None,
    sink: Sink,
) -> Sequence[Path]:
    """The system before and after a scenario: the files written.

    Raises:
        click.UsageError: no such scenario or traffic, or a picture that has no room for two.
    """
    from unifiedbus_dsl.analysis.pictures import (
        COMPARED_IN_DETAIL,
        compare,
        plain_view,
        scenarios,
        traffics,
        view_of,
        views,
    )

    plan, known = compilation.pick(system), list(traffics(compilation, system))
    one_of("scenario", scenario, list(scenarios(compilation, system)), f" of `{system}` in `{path}`")
    if form == "html":
        raise click.UsageError("the page to explore shows every scenario; `--scenario` makes a picture of one")
    small = plan.device_count[plan.root] <= COMPARED_IN_DETAIL
    view = plain_view(plan, None, layout or ("detail" if small else "overview"))
    question = None
    if name is not None:
        block = view_of(compilation, views(compilation)[name], sink, layout, loads=False)
        if block is None:
            return ()
        view, question = block, block.load
    if traffic is None and question is None and len(known) > 1:
        listed = ", ".join(f"`--traffic {each}`" for each in known)
        raise click.UsageError(f"loads of which traffic? write one of {listed}")
    if traffic is not None or (question is None and known):
        question = _question(path, system, traffic or known[0], routing, known)
    try:
        picture = compare(compilation, view, scenario, question, sink)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if picture is None:
        return ()
    from unifiedbus_dsl.render.pictures import without_links

    return _save(_place(f"{system}.{scenario}", form, output), without_links(picture), form)


def _question(path: Path, system: str, traffic: str, routing: str, known: Sequence[str]) -> tree.Expr:
    """The loads of a traffic.

    Raises:
        click.UsageError: no such traffic or routing.
    """
    from unifiedbus_dsl.analysis.measures import ROUTINGS
    from unifiedbus_dsl.analysis.pictures import load_question

    one_of("traffic", traffic, known, f" of `{system}` in `{path}`")
    one_of("routing", routing, list(ROUTINGS))
    return load_question(traffic, routing)


def _type(plan: Plan, name: str) -> str:
    """The key of an assembly type, which may be given without its arguments.

    Raises:
        click.UsageError: there is none, or several.
    """
    from unifiedbus_dsl.render.facts import plain_name

    if name in plan.assemblies:
        return name
    alike = [key for key in plan.assemblies if plain_name(key) == name]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise click.UsageError(f"there are several `{name}`: " + ", ".join(f"`{key}`" for key in alike))
    if any(plain_name(key) == name for key in plan.devices):
        raise click.UsageError(f"`{name}` is a device, which has no parts to draw")
    return one_of("type", name, list(plan.assemblies), f" in `{plan.system}`")


# ---- writing ----------------------------------------------------------------------------------------------------


def _is_folder(output: str) -> bool:
    return output.endswith("/") or Path(output).is_dir()


def _place(stem: str, form: str, output: str | None) -> Path:
    """The file to write: in the folder that was named, or the file that was, or one here."""
    from unifiedbus_dsl.cli.output import make_folder

    if output == "-":
        raise click.UsageError("a picture goes into a file: give `-o` a name (`-o ./-` for a file called `-`)")
    name = f"{stem}.{form}"
    return make_folder(Path(output)) / name if output is not None and _is_folder(output) else Path(output or name)


def _save(path: Path, picture: Picture, form: str) -> list[Path]:
    """Draw one picture, and write it.

    Raises:
        click.ClickException: there is nothing to draw with.
    """
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.render import DrawingError, NoGraphvizError
    from unifiedbus_dsl.render.svg import drawn

    try:
        data = drawn(picture, _drawable(form))
    except (DrawingError, NoGraphvizError) as error:
        raise click.ClickException(str(error)) from error
    write_bytes(path, data)
    return [path]


def _stem(look: View, system: str, view: str | None) -> str:
    """The name of the file without its suffix: `superpod.Cabinet.detail`."""
    from unifiedbus_dsl.render.marks import identifier

    parts = [system, *([view] if view else []), *([identifier(look.key)] if look.key != look.plan.root else [])]
    return ".".join([*parts, *([look.layout] if look.layout != "overview" else [])])


def _write(look: View, stem: str, form: str, output: str | None, sink: Sink) -> list[Path]:
    """Draw, and write beside and renamed; what was written. What can't be drawn goes to the sink.

    Raises:
        click.ClickException: there is nothing to draw with, or nothing to draw.
    """
    from unifiedbus_dsl.analysis.pictures import draw_view
    from unifiedbus_dsl.cli.output import make_folder
    from unifiedbus_dsl.render import DrawingError, NoGraphvizError, NotAnAssemblyError, NothingPlacedError
    from unifiedbus_dsl.render.pictures import without_links

    whole = look.layout == "overview" and look.key == look.plan.root
    try:
        if output is not None and _is_folder(output) and form == "svg" and whole:
            return _set(look, make_folder(Path(output)), sink)
        path = _place(stem, form, output)
        picture = draw_view(look, sink)
    except (DrawingError, NoGraphvizError, NothingPlacedError, NotAnAssemblyError) as error:
        raise click.ClickException(str(error)) from error
    return _save(path, without_links(picture), form) if picture else []


def _set(look: View, folder: Path, sink: Sink) -> list[Path]:
    """An overview of each type, each linked to the others; written when all are drawn."""
    from attrs import evolve

    from unifiedbus_dsl.analysis.pictures import draw_view
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.render.overview import file_names
    from unifiedbus_dsl.render.svg import drawn

    pictures = {name: draw_view(evolve(look, key=key), sink) for key, name in file_names(look.plan).items()}
    data = {folder / name: drawn(picture, "svg") for name, picture in pictures.items() if picture}
    for path, content in data.items():
        write_bytes(path, content)
    return list(data)


def _drawable(form: str) -> Literal["svg", "png", "pdf", "dot"]:
    found: dict[str, Literal["svg", "png", "pdf", "dot"]] = {"svg": "svg", "png": "png", "pdf": "pdf", "dot": "dot"}
    return found[form]


def _plot(compilation: Compilation, system: str, plot: str, form: str, output: str | None, sink: Sink) -> list[Path]:
    """A histogram over all pairs of end points, or the bandwidth of a collective by the size of the message.

    Raises:
        click.UsageError: no such plot or format.
        click.ClickException: there is nothing to plot with, or no answer.
    """
    from unifiedbus_dsl.analysis.plots import PLOTS, NoMatplotlibError, by_size, histogram
    from unifiedbus_dsl.analysis.run import ask
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.solver.machine import Machine
    from unifiedbus_dsl.solver.result import NotAdmittedError

    assert compilation.model is not None
    sweep = "(" in plot or plot in compilation.model.main.questions.get("traffic", {})
    if not sweep:
        one_of("plot", plot, PLOTS)
    one_of("format", form, ("svg", "png"), " of a plot")
    kind: Literal["svg", "png"] = "png" if form == "png" else "svg"
    path = _place(f"{system}.sweep" if sweep else f"{system}.{plot}", form, output)
    try:
        if sweep:
            report = ask(compilation, system, f"sweep({plot})")
            for each in report.diagnostics:
                sink.add(each)
            if not report.answers:
                return []
            data = by_size(report.answers[0].detail["sweep"], f"{system}: {plot}", kind)
        else:
            machine = Machine(compilation.fabric(system))
            data = histogram(machine, "hops" if plot == "hops" else "latency", kind)
    except (NoMatplotlibError, NotAdmittedError) as error:
        raise click.ClickException(str(error)) from error
    write_bytes(path, data)
    return [path]


def _map(compilation: Compilation, system: str, what: str, form: str, output: str | None) -> list[Path]:
    """A figure of each two racks.

    Raises:
        click.UsageError: no such map or format.
        click.ClickException: there is nothing to draw with, or no two racks.
    """
    from unifiedbus_dsl.analysis.heat import MAPS, heat_map
    from unifiedbus_dsl.solver.machine import Machine
    from unifiedbus_dsl.solver.result import NotAdmittedError

    one_of("map", what, MAPS)
    one_of("format", form, ("svg", "png", "pdf", "dot"), " of a map")
    try:
        picture = heat_map(Machine(compilation.fabric(system)), "bandwidth" if what == "bandwidth" else "latency")
    except NotAdmittedError as error:
        raise click.ClickException(str(error)) from error
    return _save(_place(f"{system}.{what}", form, output), picture, form)


def _page(compilation: Compilation, system: str, output: str | None, sink: Sink) -> list[Path]:
    """The page to explore the machine in."""
    from unifiedbus_dsl.analysis.pictures import explorer_page
    from unifiedbus_dsl.cli.output import write_bytes

    path = _place(system, "html", output)
    page = explorer_page(compilation, system, sink)
    write_bytes(path, page.encode())
    return [path]
