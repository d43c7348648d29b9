"""`ubusc survey`: what every single failure costs, or many failures at random."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unifiedbus_dsl.cli.arguments import Finite, budget_option, one_system, system_option
from unifiedbus_dsl.cli.reading import READING, right_machines, text_options
from unifiedbus_dsl.cli.report import WRONG_FILE, as_text, question_status, status
from unifiedbus_dsl.cli.signals import interrupted_status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.analysis.survey.engines import Dask, Processes
    from unifiedbus_dsl.analysis.survey.surveys import Surveyed
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.solver.resilience.contingency import Engine

NOT_REACHED = 74
DRAWS = 100
"""Random draws where none are asked for."""


@click.command("survey")
@click.argument("file", required=False)
@click.option("--fail", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="How many at once.")
@click.option(
    "--of", required=True, metavar="PARTS",
    help="What fails: `switch`, `link`, `rack`, another kind or a type, or a selection, `all link where …`.",
)  # fmt: skip
@system_option("The system; by default the first of the file.")
@click.option("--traffic", metavar="TRAFFIC", help="Its throughput is asked; by default all-to-all.")
@click.option("--routing", "routings", multiple=True, metavar="R", help="Routing of the traffic; can be repeated.")
@click.option("--measure", "measures", multiple=True, metavar="CALL", help="Ask this as well: `bisection(all npu)`.")
@click.option("--draws", type=click.IntRange(min=1), metavar="K", help=f"Random draws; by default {DRAWS}.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="The draws are of this seed alone.")
@click.option(
    "--confidence", type=Finite(0, 100, min_open=True, max_open=True), default=95.0, show_default=True,
    metavar="PERCENT", help="How often the intervals of the quantiles hold.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), metavar="N", help="Processes; by default one a processor.")
@click.option("--engine", default="processes", show_default=True, metavar="E", help="Or `dask://HOST:PORT`.")
@budget_option("each `optimal` or `minimal` throughput, `bisection` and `optimal_time`")
@click.option("--json", "as_json", is_flag=True, help="As JSON, in SI units.")
@click.option("-o", "--output", metavar="PATH", help="Into this file.")
@click.option("--resume", metavar="JOURNAL", help="Keep what is finished in this file, and go on from what is in it; "
              "with `-o`, by default PATH.journal until all is done.")  # fmt: skip
@text_options
def command(context: click.Context, /, file: str | None, **options: Any) -> None:
    """What every single failure costs, worst first; with --fail 2 or more, many failures at random.

    Parts that are alike, by a symmetry that is proved, are solved once. A line says how many there are of a sort, what
    is left of the answer, and what is lost: end points cut off, bandwidth by tier, the worst pair. Ctrl-C ends it with
    what is finished. What is finished is on disk as it comes where there is a journal, and the same command with the
    same journal goes on from there, to the same result.

    \b
    Examples:
      ubusc survey machine.ubus --of switch
      ubusc survey machine.ubus --of rack --measure "bisection(all npu)" --json > racks.json
      ubusc survey machine.ubus --of "all link where medium == optical" --fail 8 --draws 400 --seed 7
      ubusc survey machine.ubus --of switch --fail 2 --draws 9000 --seed 1 --resume switches.journal
      ubusc survey machine.ubus --of switch --fail 2 --seed 1 --engine dask://scheduler:8786
    """
    from unifiedbus_dsl.cli.arguments import check_output, source_file
    from unifiedbus_dsl.cli.malloc import keep_freed_memory
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    path = source_file(file, "survey")
    check_output(options["output"], path, stream=True)
    draws = _draws(options["fail"], options["draws"], options["seed"])
    engine = engine_named(options["engine"], options["workers"])
    reading = {name: options[name] for name in READING}
    from unifiedbus_dsl.diagnostics import Sink

    keep_freed_memory()
    with progress_bar():
        compilation, wrong = right_machines(context, path, options["limit"], **reading)
        system, asked = _asked(compilation, path, options)
        sink = Sink()
        journal = journal_path(options["resume"], options["output"], "survey")
        surveyed = _survey(compilation, system, asked, draws, engine, options, sink, journal)
    say(as_text(sink, options["limit"], sys.stderr), err=True, nl=False)
    if surveyed is None:
        context.exit(question_status(sink) or WRONG_FILE)
    _write(surveyed, options)
    if journal is not None and options["resume"] is None and surveyed.complete:
        journal.unlink(missing_ok=True)
    if surveyed.error is not None:
        say(f"error: {surveyed.error}", err=True)
        context.exit(NOT_REACHED)
    if not surveyed.complete:
        further = f"; go on with `--resume {journal}`" if journal is not None else ""
        say(f"stopped: {surveyed.finished:,} of {surveyed.total:,} are done{further}", err=True)
        context.exit(interrupted_status())
    context.exit(status(wrong))


def _draws(fail: int, draws: int | None, seed: int | None) -> int | None:
    """Return how many random draws, None for every single failure.

    Raises:
        click.UsageError: random draws without a seed, or a seed without draws.
    """
    if fail == 1 and draws is None:
        if seed is not None:
            raise click.UsageError("every single failure needs no `--seed`; add `--draws` to draw at random")
        return None
    if seed is None:
        raise click.UsageError("random draws need a seed, so that they are the same every time: add `--seed 7`")
    return draws or DRAWS


def journal_path(resume: str | None, output: str | None, noun: str) -> Path | None:
    """Return where outcomes are kept as they come.

    Raises:
        click.UsageError: in the file that the result goes to.
    """
    if resume is not None:
        if not resume or resume in ("-", output) or Path(resume).suffix in (".ubus", ".npz"):
            raise click.UsageError(f"`--resume` names a file for the journal alone: `--resume {noun}.journal`")
        return Path(resume)
    return None if output in (None, "-") else Path(f"{output}.journal")


def engine_named(name: str, workers: int | None) -> Processes | Dask:
    """Return the engine of a name, in this process where no others can be had.

    Raises:
        click.UsageError: there is none of this name.
    """
    from unifiedbus_dsl.analysis.survey.engines import Processes, engine_of, why_not

    try:
        engine = engine_of(name, workers)
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from wrong
    if isinstance(engine, Processes) and engine.workers > 1 and (why := why_not()) is not None:
        if workers is not None:
            raise click.UsageError(f"worker processes can't be had here ({why}): leave `--workers` out")
        say(f"note: worker processes can't be had here ({why}), so all is solved in this one", err=True)
        return Processes(1)
    return engine


def _asked(compilation: Compilation, path: Path, options: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the system, and the measures as they are written in the language."""
    from unifiedbus_dsl.cli.analyze import must_exist
    from unifiedbus_dsl.ir.plan.end_points import end_kind

    system, traffic = options["system"], options["traffic"]
    named = traffic if traffic is not None and traffic.isidentifier() else None
    must_exist(compilation, path, [system] if system is not None else [], named)
    assert compilation.model is not None
    if named is not None:
        of = compilation.model.main.questions["traffic"][named].of.text
        if system is not None and of != system:
            raise click.UsageError(f"traffic `{named}` is of system `{of}`, not of `{system}`")
        system = of
    plan = compilation.pick(one_system(compilation, path, system))
    routings = list(options["routings"])
    asked = list(options["measures"])
    if traffic is not None or routings or not asked:
        what = traffic or f"alltoall(all {end_kind(plan)})"
        asked = [f"throughput({what}, routing = {routing})" for routing in routings or ["ecmp"]] + asked
    return plan.system, asked


def _survey(
    compilation: Compilation,
    system: str,
    asked: list[str],
    draws: int | None,
    engine: Engine,
    options: dict[str, Any],
    sink: Sink,
    journal: Path | None,
) -> Surveyed | None:
    from unifiedbus_dsl.analysis.survey.journal import Journal, JournalError, Recorded
    from unifiedbus_dsl.analysis.survey.surveys import survey

    if journal is not None:
        engine = Recorded(engine, Journal(journal, anew=options["resume"] is None))
    try:
        return survey(
            compilation, options["of"], sink=sink, engine=engine, system=system, asked=asked, fail=options["fail"],
            draws=draws, seed=options["seed"] or 0, budget=options["budget"],
        )  # fmt: skip
    except JournalError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from wrong


def _write(found: Surveyed, options: dict[str, Any]) -> None:
    from unifiedbus_dsl.cli import survey_report
    from unifiedbus_dsl.cli.output import say_or_write

    shape = survey_report.as_json if options["as_json"] else survey_report.as_text
    say_or_write(shape(found, options["confidence"] / 100), options["output"])
