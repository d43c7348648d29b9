"""`ubusc explore`: vary parameters of a system, and find the designs that are best."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unifiedbus_dsl.cli.arguments import budget_option, check_output, one_of, one_system, shown, system_option
from unifiedbus_dsl.cli.reading import READING, right_machines, text_options
from unifiedbus_dsl.cli.report import WRONG_FILE, as_text, question_status, status
from unifiedbus_dsl.cli.signals import interrupted_status
from unifiedbus_dsl.cli.survey import NOT_REACHED, engine_named, journal_path
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.analysis.explore.explorations import Design, Explored
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.syntax import tree

LINES = ("vary", "require", "minimize", "maximize", "measures")
"""The options that are lines of a block."""


@click.command("explore")
@click.argument("file", required=False)
@click.argument("block", required=False)
@click.option(
    "--vary",
    multiple=True,
    metavar="'NAME in VALUES'",
    help="Vary this, named as after `--set`: `racks in 16..64 step 16`, `chip in [A, B]`; can be repeated.",
)
@click.option("--require", multiple=True, metavar="CONDITION", help="Every design must meet it; can be repeated.")
@click.option("--minimize", multiple=True, metavar="MEASURE", help="An objective; can be repeated.")
@click.option("--maximize", multiple=True, metavar="MEASURE", help="An objective; can be repeated.")
@click.option("--measure", "measures", multiple=True, metavar="MEASURE", help="Ask this as well; it decides nothing.")
@click.option("--workload", metavar="NAME", help="List the fastest layouts of this training step, in place of designs.")
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="K",
    default=10,
    show_default=True,
    help="So many layouts of a workload.",
)
@click.option("--samples", type=click.IntRange(min=1), metavar="K", help="Draw K designs in place of solving all.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="The draws are of this seed alone.")
@click.option(
    "--max-designs",
    type=click.IntRange(min=1),
    metavar="N",
    default=5_000,
    show_default=True,
    help="Solve no more designs than these.",
)
@system_option("The system that lines after `--vary` are about; by default the first of the file.")
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes; by default one a processor.")
@click.option("--engine", default="processes", show_default=True, metavar="E", help="Or `dask://HOST:PORT`.")
@budget_option(
    "each `optimal` or `minimal` throughput, `bisection` and `optimal_time`, or all layouts of a workload (60)"
)
@click.option("--all", "whole", is_flag=True, help="List every design that was solved, not the front alone.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, in SI units, with every design.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, in SI units, a row a design.")
@click.option("--plot", metavar="PATH", help="Plot the first two objectives into this .svg or .png, designs labelled.")
@click.option("-o", "--output", metavar="PATH", help="Into this file.")
@click.option(
    "--resume",
    metavar="JOURNAL",
    help="Keep what is finished in this file, and go on from what is in it; "
    "with `-o`, by default PATH.journal until all is done.",
)
@text_options
def command(context: click.Context, /, file: str | None, block: str | None, **options: Any) -> None:
    """Vary parameters of a system, and find the designs that are best.

    What is varied, what every design must meet and what is best stands in an `explore` block of the file, or after
    `--vary` and the options beside it. The designs that no other beats are listed, each with the settings that make it.
    All designs are solved where they are no more than `--max-designs`; else those that bounds from stated trends don't
    exclude, or a sample. The result says which, and calls what is best of a sample a heuristic. Ctrl-C ends it with
    what is finished.

    With `--workload` the machine stays and the layout of a training step is looked for: tensor, context, pipeline, data
    and expert ranks, microbatch and schedule, all that are legal and fit the memory, pruned by bounds.

    \b
    Examples:
      ubusc explore machine.ubus uplinks
      ubusc explore machine.ubus --vary "racks in [16, 32, 64]" --minimize "cost()" --maximize "bisection(all npu)"
      ubusc explore machine.ubus uplinks --plot front.svg --csv -o designs.csv
      ubusc explore machine.ubus uplinks --samples 400 --seed 7 --resume uplinks.journal
      ubusc explore machine.ubus --workload pretrain --top 5
    """
    from unifiedbus_dsl.cli.arguments import source_file
    from unifiedbus_dsl.cli.malloc import keep_freed_memory
    from unifiedbus_dsl.cli.progress_bar import progress_bar
    from unifiedbus_dsl.diagnostics import Sink

    path = source_file(file, "explore")
    if options["workload"] is not None:
        _check_workload(context, block)
    _check_options(block, options, path)
    if options["workload"] is not None:
        context.exit(_layouts(context, path, options))
    engine = engine_named(options["engine"], options["workers"])
    journal = journal_path(options["resume"], options["output"], "exploration")
    sink = Sink()
    keep_freed_memory()
    with progress_bar():
        reading = {name: options[name] for name in READING}
        compilation, wrong = right_machines(context, path, options["limit"], **reading)
        explored = _explore(compilation, path, block, options, engine, journal, sink)
    say(as_text([each for each in sink if each not in wrong], options["limit"], sys.stderr), err=True, nl=False)
    if explored is None:
        context.exit(question_status(sink) or WRONG_FILE)
    _write(explored, path, options)
    if journal is not None and options["resume"] is None and explored.complete:
        journal.unlink(missing_ok=True)
    context.exit(_status(explored, journal) or status(wrong))


def _layouts(context: click.Context, path: Path, options: dict[str, Any]) -> int:
    """List the layouts of a workload; return the exit status."""
    from unifiedbus_dsl.analysis.explore.layouts import explore_layouts
    from unifiedbus_dsl.cli import explore_layouts as report
    from unifiedbus_dsl.cli.malloc import keep_freed_memory
    from unifiedbus_dsl.cli.output import say_or_write
    from unifiedbus_dsl.cli.progress_bar import progress_bar
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.syntax import tree

    sink = Sink()
    keep_freed_memory()
    with progress_bar():
        reading = {name: options[name] for name in READING}
        compilation, wrong = right_machines(context, path, options["limit"], **reading)
        assert compilation.model is not None
        known = list(compilation.model.asked(tree.Workload))
        name = one_of("workload", options["workload"], known, f" in {shown(path)}")
        found = explore_layouts(
            compilation, name, top=options["top"], seconds=options["budget"] or SEARCH_SECONDS, sink=sink
        )
    say(as_text([each for each in sink if each not in wrong], options["limit"], sys.stderr), err=True, nl=False)
    if found is None:
        return question_status(sink) or WRONG_FILE
    written = report.as_json if options["as_json"] else report.as_csv if options["as_csv"] else report.as_text
    say_or_write(written(found), options["output"])
    if found.best.interrupted:
        return interrupted_status()
    return status(wrong) if found.best.steps else WRONG_FILE


SEARCH_SECONDS = 60.0
"""How long layouts are looked for unless `--budget` says so."""
OF_LAYOUTS = frozenset(("file", "block", "workload", "top", "budget", "as_json", "as_csv", "output", "limit", *READING))
"""Parameters that go with `--workload`."""


def _check_workload(context: click.Context, block: str | None) -> None:
    """Raise a usage error where something is given that layouts know nothing of."""
    from click.core import ParameterSource

    if block is not None:
        raise click.UsageError(f"`--workload` looks for layouts: leave block `{block}` out")
    for param in context.command.params:
        name = param.name or ""
        if name not in OF_LAYOUTS and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"`--workload` looks for layouts: leave `{param.opts[0]}` out")


def _check_options(block: str | None, options: dict[str, Any], path: Path) -> None:
    """Raise a usage error where options don't go together."""
    check_output(options["output"], path, stream=True)
    given = [name for name in LINES if options[name]]
    if block is not None and given:
        raise click.UsageError(f"block `{block}` says what is explored: leave `--{given[0].rstrip('s')}` out")
    if given and not options["vary"]:
        raise click.UsageError('nothing is varied: add `--vary "racks in [16, 32, 64]"`')
    if options["system"] is not None and not options["vary"]:
        raise click.UsageError("a block says which system it is of: leave `--system` out")
    if options["samples"] is None and options["seed"] is not None:
        raise click.UsageError("a seed is for a sample: add `--samples 400`")
    if options["samples"] is not None and options["seed"] is None:
        raise click.UsageError("a sample needs a seed, so that it is the same every time: add `--seed 7`")
    if options["as_json"] and options["as_csv"]:
        raise click.UsageError("`--json` or `--csv`, not both")
    plot = options["plot"]
    if plot is not None and Path(plot).suffix not in (".svg", ".png"):
        raise click.UsageError(f"`--plot {plot}`: the name of a plot ends in .svg or .png")
    if plot is not None and plot == options["output"]:
        raise click.UsageError("`--plot` and `-o` are two files: give each its name")


def _explore(
    compilation: Compilation,
    path: Path,
    name: str | None,
    options: dict[str, Any],
    engine: Any,
    journal: Path | None,
    sink: Sink,
) -> Explored | None:
    from unifiedbus_dsl.analysis.explore.explorations import ExploreError, explore_block, journal_at
    from unifiedbus_dsl.analysis.survey.journal import JournalError

    block = _block(compilation, path, name, options, sink)
    if block is None:
        return None
    try:
        return explore_block(
            compilation, block, block.of.text, sink=sink, engine=engine, max_designs=options["max_designs"],
            budget=options["budget"],
            journal=None if journal is None else journal_at(journal, anew=options["resume"] is None),
        )  # fmt: skip
    except JournalError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except ExploreError as wrong:
        raise click.UsageError(str(wrong)) from wrong


def _block(
    compilation: Compilation, path: Path, name: str | None, options: dict[str, Any], sink: Sink
) -> tree.Explore | None:
    """Return the block of the file, or the one that the options make; None after a diagnostic."""
    from attrs import evolve

    from unifiedbus_dsl.analysis.explore.api import with_sample
    from unifiedbus_dsl.analysis.explore.explorations import lines_of, parse_block
    from unifiedbus_dsl.syntax import tree

    drawn = {"sample": options["samples"], "seed": options["seed"]}
    if options["vary"]:
        made = parse_block(lines_of(**{each: options[each] for each in LINES}, **drawn), sink)
        return made and evolve(made, of=evolve(made.of, text=one_system(compilation, path, options["system"])))
    assert compilation.model is not None
    blocks = compilation.model.asked(tree.Explore)
    if not blocks:
        help = '`explore NAME of SYSTEM { vary … }` in it, or `--vary "racks in [16, 32, 64]"`'
        raise click.UsageError(f"{shown(path)} has no `explore` block: write {help}")
    if name is None and len(blocks) > 1:
        raise click.UsageError(f"which `explore` block of {shown(path)}? {', '.join(f'`{each}`' for each in blocks)}")
    block = blocks[one_of("explore block", name or next(iter(blocks)), list(blocks), f" in {shown(path)}")]
    if options["samples"] is None:
        return block
    extra = parse_block(lines_of(**drawn), sink)
    return extra and with_sample(block, extra)


def _again(explored: Explored, path: Path, options: dict[str, Any]) -> Callable[[Design], str]:
    """Return what gives the command that finds the figures of a design again."""
    from unifiedbus_dsl.escape import shell

    problem = explored.problem
    asked = "; ".join(
        (*(node.span.one_line for node in problem.lets), *(question.text for question in problem.questions))
    )
    folders = [f"-I {shell.word(folder)}" for folder in options["search"]]
    varied = {axis.name for axis in problem.space.axes}
    before = [each for each in options["settings"] if each.partition("=")[0].strip() not in varied]

    def again(design: Design) -> str:
        settings = [*before, *(f"{name}={value}" for name, value in design.settings.items())]
        words = ["ubusc analyze", shell.word(str(path)), "--system", shell.word(problem.system), *folders]
        words += [f"--set {shell.word(each)}" for each in settings]
        words += [f"--budget {options['budget']:g}"] if options["budget"] is not None else []
        return " ".join((*words, *([f"--ask {shell.word(asked)}"] if problem.questions else [])))

    return again


def _write(explored: Explored, path: Path, options: dict[str, Any]) -> None:
    from unifiedbus_dsl.cli import explore_report
    from unifiedbus_dsl.cli.output import say_or_write

    again = _again(explored, path, options)
    if options["as_json"]:
        text = explore_report.as_json(explored, again)
    elif options["as_csv"]:
        text = explore_report.as_csv(explored)
    else:
        text = explore_report.as_text(explored, again, whole=options["whole"])
    say_or_write(text, options["output"])
    if options["plot"] is not None:
        _plot(explored, Path(options["plot"]))


def _plot(explored: Explored, path: Path) -> None:
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.figures.plot_front import NothingToPlotError, front_plot
    from unifiedbus_dsl.figures.plots import NoMatplotlibError

    try:
        data = front_plot(explored, "png" if path.suffix == ".png" else "svg")
    except (NoMatplotlibError, NothingToPlotError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    write_bytes(path, data)


def _status(explored: Explored, journal: Path | None) -> int:
    """Return the exit status, after what is wrong is said."""
    if explored.error is not None:
        say(f"error: {explored.error}", err=True)
        return NOT_REACHED
    if explored.contradiction is not None:
        say(f"error: {contradiction_text(explored)}", err=True)
        return WRONG_FILE
    if explored.limit is not None:
        say("error: not all is done: raise `--max-designs`, or draw a sample by `--samples 400 --seed 7`", err=True)
        return WRONG_FILE
    if not explored.complete:
        further = f"; go on with `--resume {journal}`" if journal is not None else ""
        say(f"stopped: {len(explored.solved):,} designs are done{further}", err=True)
        return interrupted_status()
    made = [design for design in explored.designs if not design.solved.unmade]
    if not made:
        say("error: no design can be made", err=True)
        return WRONG_FILE
    return 0


def contradiction_text(explored: Explored) -> str:
    """Return which statement about a trend is false, and of which designs."""
    false, problem = explored.contradiction, explored.problem
    assert false is not None
    goals = len(problem.goals)
    text = problem.goals[false.number].question.text if false.number < goals else ""
    text = text or problem.requirements[false.number - goals].text
    pair: Sequence[str] = [
        ", ".join(f"{name}={value}" for name, value in problem.space.settings(levels).items())
        for levels in (false.first, false.second)
    ]
    return f"what is stated of how `{text}` follows what is varied is false: compare {pair[0]} with {pair[1]}"
