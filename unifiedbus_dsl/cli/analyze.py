"""`ubusc analyze`: answer the questions of a file, or print the datasheet of its machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import frozen

from unifiedbus_dsl.cli.answers import AnswerWriter
from unifiedbus_dsl.cli.arguments import budget_option, names_option, one_of, shown, source_file, systems, with_names
from unifiedbus_dsl.cli.reading import compiled, text_options
from unifiedbus_dsl.cli.report import as_text, once, question_status, status
from unifiedbus_dsl.cli.terminal import say
from unifiedbus_dsl.escape.json import indented
from unifiedbus_dsl.solver.deadline import RunBudget

if TYPE_CHECKING:
    from unifiedbus_dsl.analysis.run import Event, Report, Tell
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic
    from unifiedbus_dsl.semantic import ExpectResult


FOUND_S = 7.0
"""Seconds that the sheet of a found network takes where no budget is given: it comes while one waits, and a network
with missing cables has few symmetries."""


@click.command("analyze")
@click.argument("file", required=False)
@click.option("--system", multiple=True, metavar="NAME", help="Ask about this system only; can be repeated.")
@click.option("--traffic", metavar="NAME", help="Ask for the throughput of this traffic alone.")
@click.option(
    "--ask",
    metavar="MEASURE",
    multiple=True,
    help="Ask this in place of what the file asks; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Answers as JSON on standard output, in SI units.")
@names_option
@budget_option("all answers together")
@click.option("--no-symmetry", is_flag=True, help="Solve every end point for itself: the same numbers, more slowly.")
@click.option(
    "--from",
    "origin",
    type=click.Choice(["plan", "fabric"]),
    default="plan",
    show_default=True,
    help="Ask the plan where its symmetries show the answer, or the fabric alone: the same numbers, more slowly.",
)
@text_options
def command(
    context: click.Context,
    /,
    file: str | None,
    system: tuple[str, ...],
    traffic: str | None,
    ask: tuple[str, ...],
    as_json: bool,
    names: str | None,
    no_symmetry: bool,
    origin: str,
    budget: float | None,
    limit: int,
    **reading: Any,
) -> None:
    """Answer the `analyze` blocks of a file; without any, print the machine's datasheet.

    Every line says what its number is: exact, or an interval with both bounds proved; per direction, at zero load where
    it is a time, and what limits it. The exit status is 1 where an expectation fails or the machine
    has no answer, and 2 where a question after --ask is put wrongly.

    \b
    Examples:
      ubusc analyze machine.ubus
      ubusc analyze machine.ubus --system lab --json > answers.json
      ubusc analyze machine.ubus --set racks=64
      ubusc analyze machine.ubus --traffic moe
      ubusc analyze machine.ubus --ask "paths(npu[0, 0] -> npu[3, 1])"
    """
    from unifiedbus_dsl.cli.malloc import keep_freed_memory
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    path = source_file(file, "analyze")
    if ask and traffic is not None:
        raise click.UsageError("--ask and --traffic exclude each other: ask `throughput(TRAFFIC)`")
    keep_freed_memory()
    run_budget = None if budget is None else RunBudget(budget)
    with progress_bar() as wipe:
        whole = compiled(path, **reading)
        compilation = whole.despite_questions()
        if compilation is None:
            _show_mistakes(whole.diagnostics, as_json, limit)
            context.exit(status(whole.diagnostics))
        must_exist(compilation, path, system, traffic)
        found = compilation.pick((system or compilation.systems)[0]).found
        compilation = with_names(compilation, (system or compilation.systems)[0], names)
        hasty = budget is None and found and not ask and traffic is None
        run_budget = RunBudget(FOUND_S) if hasty else run_budget
        questions: dict[str, Any] = {"symmetric": not no_symmetry, "budget": run_budget, "by_plan": origin == "plan"}
        if ask:
            questions["ask"] = "; ".join(ask)
        elif traffic is not None:
            questions["traffic"] = traffic
        answer = _answer_as_json if as_json else _answer_as_text
        diagnostics = answer(_Asked(compilation, system, questions, whole.diagnostics, limit, hasty), wipe)
    context.exit(question_status(diagnostics) if ask else status(diagnostics))


@frozen
class _Asked:
    """What is asked of a text: the systems, the questions as `run` takes them, and what is wrong with it already."""

    compilation: Compilation
    systems: tuple[str, ...]
    questions: dict[str, Any]
    known: tuple[Diagnostic, ...]
    limit: int
    hasty: bool = False
    """Whether the time is that of the sheet of a found network, which nobody has set."""


def _report(asked: _Asked, tell: Tell) -> Report:
    """Return what comes of the questions, told as it comes.

    Raises:
        click.UsageError: `--ask` asks nothing.
    """
    from unifiedbus_dsl.analysis import run

    compilation, named, questions = asked.compilation, asked.systems or None, dict(asked.questions)
    if "ask" not in questions:
        return run.analyze(compilation, named, **questions, tell=tell)
    report = run.ask(compilation, named, questions.pop("ask"), **questions, tell=tell)
    if not (report.answers or report.expectations or report.diagnostics):
        raise click.UsageError("`--ask` asks nothing: give it a measure, such as `bisection(all npu)`")
    return report


def _answer_as_text(asked: _Asked, wipe: Callable[[], None]) -> tuple[Diagnostic, ...]:
    """Write each answer as it comes on standard output, then what is wrong on standard error."""

    def write(text: str) -> None:
        wipe()
        say(text, nl=False)
        sys.stdout.flush()

    writer = AnswerWriter(write)
    report = _report(asked, writer.tell)
    writer.end(report)
    if asked.hasty and any(each.kind == "interval" for each in report.answers):
        say(f"the sheet of a found network takes {FOUND_S:g} s: `--budget 60` gives it a minute", err=True)
    diagnostics = tuple(once((*asked.known, *report.diagnostics)))
    if not writer.begun and not diagnostics:
        write("nothing is asked\n")
    _show_mistakes(diagnostics, False, asked.limit)
    return diagnostics


def _answer_as_json(asked: _Asked, wipe: Callable[[], None]) -> tuple[Diagnostic, ...]:
    """Write all answers as one object; those that are there where the work is interrupted."""
    from unifiedbus_dsl.analysis.run import Report
    from unifiedbus_dsl.measures.answers import Answer
    from unifiedbus_dsl.semantic import ExpectResult

    events: list[Event] = []

    try:
        report = _report(asked, events.append)
    except KeyboardInterrupt:
        wipe()
        answers = tuple(each for each in events if isinstance(each, Answer))
        unfinished = Report(answers, tuple(each for each in events if isinstance(each, ExpectResult)), (), {})
        say(_json(unfinished, asked.known, interrupted=True), nl=False)
        raise
    diagnostics = tuple(once((*asked.known, *report.diagnostics)))
    wipe()
    say(_json(report, diagnostics), nl=False)
    return diagnostics


def _show_mistakes(found: tuple[Diagnostic, ...], as_json: bool, limit: int) -> None:
    """What is wrong, in JSON on standard output, else on standard error."""
    if as_json:
        say(_json(None, found), nl=False)
    else:
        say(as_text(found, limit, sys.stderr), err=True, nl=False)


def must_exist(compilation: Compilation, path: Path, system: Sequence[str], traffic: str | None) -> None:
    """Refuse names that the file does not have.

    Raises:
        click.ClickException: the file has no system.
        click.UsageError: no system or traffic of this name.
    """
    systems(compilation, path, system)
    assert compilation.model is not None
    if traffic is not None:
        from unifiedbus_dsl.semantic.queries.named_traffic import named_traffic

        one_of("traffic", traffic, list(named_traffic(compilation.model)), f" in {shown(path)}")


def _json(report: Report | None, found: tuple[Diagnostic, ...], *, interrupted: bool = False) -> str:
    """Return one object: what was answered, and what is wrong as `ubusc check --format json` says it."""

    from unifiedbus_dsl.diagnostics.json import to_data

    data: dict[str, Any] = {"measures": [], "expectations": [], "scenarios": {}, "left_out": [], "orbits": {}}
    if report is not None:
        data["measures"] = [answer.to_json() for answer in report.answers]
        data["expectations"] = [_expectation(each) for each in report.expectations]
        data["scenarios"] = {name: {"said": list(said), **report.losses[name]} for name, said in report.scenarios}
        data["left_out"] = list(report.left_out)
        data["orbits"] = {name: {"vertices": v, "arcs": a} for name, (v, a) in report.orbits.items()}
    return indented({**to_data(found), **data, **({"interrupted": True} if interrupted else {})})


def _expectation(result: ExpectResult) -> dict[str, Any]:
    """Return an expectation as JSON holds it; `estimate` where something that it was held against is one."""
    said = {name: getattr(result, name) for name in ("subject", "text", "holds", "source", "differs")}
    return said | ({"estimate": list(result.estimate)} if result.estimate else {})
