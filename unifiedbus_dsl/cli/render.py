"""`ubusc render`: pictures of a machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from unifiedbus_dsl.cli.arguments import check_output, one_of, one_system, source_file, system_option
from unifiedbus_dsl.cli.reading import READING, right_machines, text_options
from unifiedbus_dsl.cli.render_request import (
    CHART_FORMS,
    CHARTS,
    FORMATS,
    OF_FILES,
    RenderRequest,
    is_folder,
    read_request,
)
from unifiedbus_dsl.cli.report import as_text, question_status, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.ir.plan import Plan
    from unifiedbus_dsl.render.marks import Picture
    from unifiedbus_dsl.render.view import View
    from unifiedbus_dsl.syntax import tree


@click.command("render")
@click.argument("file", required=False)
@system_option("The system to draw; by default the first of the file.")
@click.option("--view", metavar="NAME", help="Draw what this `view` block asks for.")
@click.option("--type", "type_key", metavar="TYPE", help="Draw this part alone; by default the whole system.")
@click.option("--detail", is_flag=True, help="Every device instead of equal parts folded.")
@click.option("--floor", is_flag=True, help="The floor plan: what `place` puts where.")
@click.option("--elevation", is_flag=True, help="What stands where in each type of rack, front and rear.")
@click.option("--traffic", metavar="NAME", help="Colour cables by the load of this traffic.")
@click.option("--routing", metavar="R", help="How that traffic is routed, as in the language; by default ecmp.")
@click.option("--scenario", metavar="NAME", help="The system before and after a scenario, one beside the other; with "
              "--traffic, and its loads.")  # fmt: skip
@click.option("--map", "heat", metavar="WHAT", help="A table of colours instead: `bandwidth` or `latency` of each two "
              "racks, or the `cables` that join them.")  # fmt: skip
@click.option("--plot", metavar="WHAT", help="A plot instead: `hops` or `latency` over all pairs of end points, "
              "or a collective by message size: `allreduce(all npu)`.")  # fmt: skip
@click.option("--chart", metavar="WHAT", help="Instead: the `ladder` of bandwidth, the `trace(A -> B)` of a path, the "
              "`family` of all systems of the file, these as dots by two measures: `scatter(A, B)`, the "
              "`gantt(WORKLOAD)` of a training step, its `scaling(WORKLOAD)`, "
              "or the `parts` of all workloads' times.")  # fmt: skip
@click.option("--format", "form", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}; else as -o says, or svg.")
@click.option("--scale", type=click.FloatRange(0.1, 16), metavar="X", help="Of a PNG: so many times as large.")
@click.option("--html", is_flag=True, help="A page to explore the machine in: the same as --format html.")
@click.option("-o", "--output", metavar="PATH", help="File to write, or a folder (there or ending in `/`): a picture "
              "of each type, linked. By default a file here.")  # fmt: skip
@text_options
def command(
    context: click.Context,
    /,
    file: str | None,
    detail: bool,
    floor: bool,
    elevation: bool,
    form: str | None,
    html: bool,
    output: str | None,
    scale: float | None,
    limit: int,
    **options: Any,
) -> None:
    """Draw a machine: folded, device by device, on its floor, or rack by rack.

    \b
    Examples:
      ubusc render machine.ubus                      the overview, as SYSTEM.svg
      ubusc render machine.ubus -o pictures/         one for each type, to click through
      ubusc render machine.ubus --view plan -o plan.png
      ubusc render machine.ubus --type Cabinet --detail
      ubusc render machine.ubus --traffic moe        where it is tight
      ubusc render machine.ubus --scenario Cut       what is lost
      ubusc render machine.ubus --scenario Cut --traffic moe    and what that does to loads
      ubusc render machine.ubus --map bandwidth      from each rack to each other
      ubusc render machine.ubus --chart ladder       what gets through each tier and wall
      ubusc render machine.ubus --html               a page to explore it in
    """
    from unifiedbus_dsl.cli.malloc import keep_freed_memory
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    reading = {name: options.pop(name) for name in READING}
    path = source_file(file, "render")
    check_output(output, path)
    asked = read_request(
        detail=detail, floor=floor, elevation=elevation, form=form, html=html, output=output, scale=scale, **options
    )
    from unifiedbus_dsl.diagnostics import Sink

    sink = Sink()
    keep_freed_memory()
    with progress_bar():
        compilation, wrong = right_machines(context, path, limit, **reading)
        written = _draw(compilation, path, asked, sink)
    known = {
        each.primary.span for each in wrong if each.primary is not None
    }  # what is wrong with a view is told already
    fresh = [each for each in sink if each.primary is None or each.primary.span not in known]
    say(as_text(fresh, limit, sys.stderr), err=True, nl=False)
    for each in written:
        say(str(each))
    put = asked.plot is not None or asked.routing is not None or asked.chart is not None
    context.exit(max(status(wrong), question_status(sink) if put else status(sink)))


# ---- what was asked for -----------------------------------------------------------------------------------------


def _draw(compilation: Compilation, path: Path, asked: RenderRequest, sink: Sink) -> Sequence[Path]:
    """Draw what is asked for; the files written."""
    if asked.chart is not None and asked.chart.partition("(")[0].strip() in OF_FILES:
        return _chart(
            compilation, compilation.systems[0] if compilation.systems else "", path.stem, asked.chart, asked, sink
        )
    system = _system(compilation, path, asked.system, asked.view)
    if asked.plot is not None:
        return _plot(compilation, system, asked.plot, asked, sink)
    if asked.chart is not None:
        return _chart(compilation, system, system, asked.chart, asked, sink)
    if asked.heat is not None:
        return _map(compilation, system, asked.heat, asked)
    if asked.scenario is not None:
        return _compared(compilation, path, system, asked.scenario, asked, sink)
    if asked.form == "html":
        return _page(compilation, system, asked, sink)
    look = _view(compilation, path, system, asked, sink)
    return _write(look, _stem(look, system, asked.view), asked, sink) if look is not None else ()


def _system(compilation: Compilation, path: Path, system: str | None, view: str | None) -> str:
    """Return the system to draw: that of the view, or the one named, or the first.

    Raises:
        click.ClickException: the file has none.
        click.UsageError: no such system or view, or a view of another system.
    """
    from unifiedbus_dsl.figures.solved_views import views

    first = one_system(compilation, path, system)
    if view is None:
        return first
    there = views(compilation)
    of = there[one_of("view", view, list(there), f" in `{path}`")].of.text
    if system not in (None, of):
        raise click.UsageError(f"the view `{view}` is of the system `{of}`, not of `{system}`")
    return of


def _view(compilation: Compilation, path: Path, system: str, asked: RenderRequest, sink: Sink) -> View | None:
    """Return what is to be drawn; None after a diagnostic.

    Raises:
        click.UsageError: no such type or traffic.
    """
    from attrs import evolve

    from unifiedbus_dsl.figures.headline import with_headline
    from unifiedbus_dsl.figures.solved_views import plain_view, view_of, views, with_loads

    plan = compilation.pick(system)
    key = _type(plan, asked.type_key) if asked.type_key is not None else None
    question = _question(compilation, path, system, asked)
    if asked.view is None:
        view: View | None = plain_view(plan, key, asked.layout or "overview")
    else:
        view = view_of(compilation, views(compilation)[asked.view], sink, asked.layout, loads=question is None)
        if view is not None and key is not None:
            view = evolve(view, key=key)
    if view is None:
        return None
    view = with_headline(compilation, view)
    return with_loads(compilation, view, question, sink) if question is not None else view


def _compared(
    compilation: Compilation, path: Path, system: str, scenario: str, asked: RenderRequest, sink: Sink
) -> Sequence[Path]:
    """Return the system before and after a scenario: the files written. Without a traffic, what is lost and no loads.

    Raises:
        click.UsageError: no such scenario or traffic, or a picture that has no room for two.
    """
    from unifiedbus_dsl.figures.headline import with_headline
    from unifiedbus_dsl.figures.solved_views import COMPARED_IN_DETAIL, compare, plain_view, scenarios, view_of, views

    plan = compilation.pick(system)
    one_of("scenario", scenario, list(scenarios(compilation, system)), f" of `{system}` in `{path}`")
    small = plan.device_count[plan.root] <= COMPARED_IN_DETAIL
    view = plain_view(plan, None, asked.layout or ("detail" if small else "overview"))
    question = _question(compilation, path, system, asked)
    if asked.view is not None:
        block = view_of(compilation, views(compilation)[asked.view], sink, asked.layout, loads=False)
        if block is None:
            return ()
        view, question = block, question or block.load
    try:
        picture = compare(compilation, with_headline(compilation, view), scenario, question, sink)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if picture is None:
        return ()
    from unifiedbus_dsl.render.pictures import without_links

    return _save(_place(f"{system}.{scenario}", asked), without_links(picture), asked)


def _question(compilation: Compilation, path: Path, system: str, asked: RenderRequest) -> tree.Expr | None:
    """Return the loads of the traffic that was named, if any was.

    Raises:
        click.UsageError: no such traffic or routing.
    """
    from unifiedbus_dsl.figures.solved_views import load_question
    from unifiedbus_dsl.measures.registry import ROUTING
    from unifiedbus_dsl.semantic.queries.named_traffic import named_traffic
    from unifiedbus_dsl.vocabulary.signatures import ROUTINGS

    if asked.traffic is None:
        return None
    assert compilation.model is not None
    known = list(named_traffic(compilation.model, system))
    one_of("traffic", asked.traffic, known, f" of `{system}` in `{path}`")
    routing = asked.routing or ROUTING.default
    one_of("routing", routing.partition("(")[0].strip(), list(ROUTINGS))
    try:
        return load_question(asked.traffic, routing)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _type(plan: Plan, name: str) -> str:
    """Return the key of an assembly type, which may be given without its arguments.

    Raises:
        click.UsageError: there is none, or several.
    """
    from unifiedbus_dsl.render.plan_summary import type_name

    if name in plan.assemblies:
        return name
    alike = [key for key in plan.assemblies if type_name(key) == name]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise click.UsageError(f"there are several `{name}`: " + ", ".join(f"`{key}`" for key in alike))
    if any(type_name(key) == name for key in plan.devices):
        raise click.UsageError(f"`{name}` is a device, which has no parts to draw")
    return one_of("type", name, list(plan.assemblies), f" in `{plan.system}`")


# ---- writing ----------------------------------------------------------------------------------------------------


def _place(stem: str, asked: RenderRequest) -> Path:
    """Return the file to write: in the folder that was named, or the file that was, or one here."""
    from unifiedbus_dsl.cli.output import make_folder
    from unifiedbus_dsl.escape.paths import file_name

    output, name = asked.output, file_name(stem, f".{asked.form}")
    return make_folder(Path(output)) / name if output is not None and is_folder(output) else Path(output or name)


def _save(path: Path, picture: Picture, asked: RenderRequest) -> list[Path]:
    """Draw one picture, and write it.

    Raises:
        click.ClickException: there is nothing to draw with.
    """
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.render import DrawingError, NoGraphvizError
    from unifiedbus_dsl.render.graph_dot import NoGraphError
    from unifiedbus_dsl.render.svg import drawn

    try:
        data = drawn(picture, _drawable(asked.form), scale=asked.scale or 1.0)
    except (DrawingError, NoGraphvizError, NoGraphError) as error:
        raise click.ClickException(str(error)) from error
    write_bytes(path, data)
    return [path]


def _stem(look: View, system: str, view: str | None) -> str:
    """Return the name of the file without its suffix: `superpod.Cabinet.detail`."""
    from unifiedbus_dsl.render.marks import identifier

    parts = [system, *([view] if view else []), *([identifier(look.key)] if look.key != look.plan.root else [])]
    return ".".join([*parts, *([look.layout] if look.layout != "overview" else [])])


def _write(look: View, stem: str, asked: RenderRequest, sink: Sink) -> list[Path]:
    """Draw, and write beside and renamed; what was written. What can't be drawn goes to the sink.

    Raises:
        click.ClickException: there is nothing to draw with, or nothing to draw.
    """
    from unifiedbus_dsl.cli.output import make_folder
    from unifiedbus_dsl.figures.solved_views import draw_view
    from unifiedbus_dsl.render import DrawingError, NoGraphvizError, NotAnAssemblyError, NothingPlacedError
    from unifiedbus_dsl.render.pictures import without_links

    whole = look.layout == "overview" and look.key == look.plan.root
    try:
        if asked.output is not None and is_folder(asked.output) and asked.form == "svg" and whole:
            return _set(look, make_folder(Path(asked.output)), sink)
        path = _place(stem, asked)
        picture = draw_view(look, sink)
    except (DrawingError, NoGraphvizError, NothingPlacedError, NotAnAssemblyError) as error:
        raise click.ClickException(str(error)) from error
    return _save(path, without_links(picture), asked) if picture else []


def _set(look: View, folder: Path, sink: Sink) -> list[Path]:
    """Return an overview of each type, each linked to the others; written when all are drawn."""
    from attrs import evolve

    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.figures.solved_views import draw_view
    from unifiedbus_dsl.render.overview import file_names
    from unifiedbus_dsl.render.svg import drawn

    pictures = {name: draw_view(evolve(look, key=key), sink) for key, name in file_names(look.plan).items()}
    data = {folder / name: drawn(picture, "svg") for name, picture in pictures.items() if picture}
    for path, content in data.items():
        write_bytes(path, content)
    return list(data)


def _drawable(form: str) -> Literal["svg", "png", "pdf", "dot"]:
    formats: dict[str, Literal["svg", "png", "pdf", "dot"]] = {"svg": "svg", "png": "png", "pdf": "pdf", "dot": "dot"}
    return formats[form]


def _plot(compilation: Compilation, system: str, plot: str, asked: RenderRequest, sink: Sink) -> list[Path]:
    """Return a histogram over all pairs of end points, or the bandwidth of a collective by the size of the message.

    Raises:
        click.UsageError: no such plot.
        click.ClickException: there is nothing to plot with, or no answer.
    """
    from unifiedbus_dsl.analysis.run import ask
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.figures.plots import PLOTS, NoMatplotlibError, by_size, histogram
    from unifiedbus_dsl.solver.bounds import NotAdmittedError
    from unifiedbus_dsl.solver.network_context import NetworkContext

    assert compilation.model is not None
    sweep = "(" in plot or plot in compilation.model.main.questions.get("traffic", {})
    if not sweep:
        one_of("plot", plot, PLOTS)
    kind: Literal["svg", "png"] = "png" if asked.form == "png" else "svg"
    path = _place(f"{system}.sweep" if sweep else f"{system}.{plot}", asked)
    try:
        if sweep:
            report = ask(compilation, system, f"sweep({plot})")
            for each in report.diagnostics:
                sink.add(each)
            if not report.answers:
                return []
            data = by_size(report.answers[0].detail["sweep"], f"{system}: {plot}", kind)
        else:
            machine = NetworkContext(compilation.fabric(system))
            data = histogram(machine, "hops" if plot == "hops" else "latency", kind)
    except (NoMatplotlibError, NotAdmittedError) as error:
        raise click.ClickException(str(error)) from error
    write_bytes(path, data)
    return [path]


def _chart(
    compilation: Compilation, system: str, stem: str, chart: str, asked: RenderRequest, sink: Sink
) -> list[Path]:
    """Return a chart of a system, or of all systems of the file: the file written; none after a diagnostic.

    Raises:
        click.UsageError: no such chart.
        click.ClickException: there is nothing to draw with, or nothing to draw.
    """
    name, bracket, inside = chart.partition("(")
    one_of("chart", name.strip(), CHARTS)
    if ("(" in CHART_FORMS[name.strip()]) != bool(bracket) or (bracket and not chart.rstrip().endswith(")")):
        raise click.UsageError(f"`--chart {name.strip()}` is written {CHART_FORMS[name.strip()]}")
    picture = _charted(compilation, system, name.strip(), chart, inside.rstrip()[:-1], asked, sink)
    if picture is None and not sink.has_errors:
        raise click.UsageError(f"`--chart {name.strip()}` is written {CHART_FORMS[name.strip()]}")
    return _save(_place(f"{stem}.{name.strip()}", asked), picture, asked) if picture is not None else []


def _charted(
    compilation: Compilation, system: str, name: str, chart: str, inside: str, asked: RenderRequest, sink: Sink
) -> Picture | None:
    from unifiedbus_dsl.figures.gantt import gantt
    from unifiedbus_dsl.figures.ladder import ladder
    from unifiedbus_dsl.figures.parts import parts_chart
    from unifiedbus_dsl.figures.scaling import scaling
    from unifiedbus_dsl.figures.scatter import scatter, two_measures
    from unifiedbus_dsl.figures.trace import trace
    from unifiedbus_dsl.render.family import family_picture

    plan = compilation.pick(system)
    match name:
        case "ladder":
            return ladder(compilation, plan, sink)
        case "trace":
            return trace(compilation, plan, inside, sink)
        case "gantt":
            return gantt(compilation, plan, inside, sink)
        case "scaling":
            return scaling(compilation, plan, inside, sink)
    if asked.system is not None:
        raise click.UsageError(f"`--chart {name}` is of all systems of the file: leave `--system` out")
    if name == "family":
        return family_picture([compilation.pick(each) for each in compilation.systems], "Systems of one file")
    if name == "parts":
        picture = parts_chart(compilation, sink)
        if picture is None and not sink.has_errors:
            raise click.ClickException("no workload of the file has a time: write `workload pretrain of SYSTEM = …`")
        return picture
    measures = two_measures(chart, sink)
    if measures is None:
        return None
    picture = scatter(compilation, *measures, sink)
    if picture is None and not sink.has_errors:
        raise click.ClickException("no system of the file has an answer to both measures")
    return picture


def _map(compilation: Compilation, system: str, what: str, asked: RenderRequest) -> list[Path]:
    """Return a figure of each two racks.

    Raises:
        click.UsageError: no such map.
        click.ClickException: there is nothing to draw with, or no two racks.
    """
    from unifiedbus_dsl.figures.heat import MAPS, heat_map
    from unifiedbus_dsl.figures.matrix import cable_matrix
    from unifiedbus_dsl.solver.bounds import NotAdmittedError
    from unifiedbus_dsl.solver.network_context import NetworkContext

    one_of("map", what, (*MAPS, "cables"))
    fabric = compilation.fabric(system)
    try:
        if what == "cables":
            picture = cable_matrix(fabric)
        else:
            picture = heat_map(NetworkContext(fabric), "bandwidth" if what == "bandwidth" else "latency")
    except NotAdmittedError as error:
        raise click.ClickException(str(error)) from error
    return _save(_place(f"{system}.{what}", asked), picture, asked)


def _page(compilation: Compilation, system: str, asked: RenderRequest, sink: Sink) -> list[Path]:
    """Return the page to explore the machine in.

    Raises:
        click.ClickException: there is nothing to draw with.
    """
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.figures.solved_views import explorer_page
    from unifiedbus_dsl.render import DrawingError, NoGraphvizError

    path = _place(system, asked)
    try:
        page = explorer_page(compilation, system, sink)
    except (DrawingError, NoGraphvizError) as error:
        raise click.ClickException(str(error)) from error
    write_bytes(path, page.encode())
    return [path]
