"""`ubusc analyze`: answer the questions of a file, or print the datasheet of its machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unifiedbus_dsl.cli.arguments import budget_option, names_option, one_of, shown, source_file, systems, with_names
from unifiedbus_dsl.cli.reading import compiled, reading_options
from unifiedbus_dsl.cli.report import as_text, limit_option, question_status, status
from unifiedbus_dsl.cli.terminal import say
from unifiedbus_dsl.escape.json import indented

if TYPE_CHECKING:
    from unifiedbus_dsl.analysis.run import Report
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic
    from unifiedbus_dsl.measures.answers import Answer


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
@budget_option
@click.option("--no-symmetry", is_flag=True, help="Solve every end point for itself: the same numbers, more slowly.")
@limit_option
@reading_options
@click.pass_context
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
    with progress_bar():
        compilation = compiled(path, **reading)
        if wrong := status(compilation.diagnostics):
            _show(None, compilation.diagnostics, as_json, limit)
            context.exit(wrong)
        must_exist(compilation, path, system, traffic)
        compilation = with_names(compilation, (system or compilation.systems)[0], names)
        from unifiedbus_dsl.analysis import run

        if ask:
            report = run.ask(compilation, system or None, "; ".join(ask), symmetric=not no_symmetry, budget=budget)
            if not (report.answers or report.expectations or report.diagnostics):
                raise click.UsageError("`--ask` asks nothing: give it a measure, such as `bisection(all npu)`")
        else:
            report = run.analyze(compilation, system or None, traffic=traffic, symmetric=not no_symmetry, budget=budget)
    found = (*compilation.diagnostics, *report.diagnostics)
    _show(report, found, as_json, limit)
    context.exit(question_status(found) if ask else status(found))


def _show(report: Report | None, found: tuple[Diagnostic, ...], as_json: bool, limit: int) -> None:
    """Answers on standard output; what is wrong beside them in JSON, else on standard error."""
    if as_json:
        say(_json(report, found), nl=False)
        return
    say(as_text(found, limit, sys.stderr), err=True, nl=False)
    if report is not None:
        say(text_of(report) or ("" if found else "nothing is asked\n"), nl=False)


def must_exist(compilation: Compilation, path: Path, system: Sequence[str], traffic: str | None) -> None:
    """Refuse names that the file does not have.

    Raises:
        click.ClickException: the file has no system.
        click.UsageError: no system or traffic of this name.
    """
    systems(compilation, path, system)
    assert compilation.model is not None
    if traffic is not None:
        one_of("traffic", traffic, list(compilation.model.main.questions.get("traffic", {})), f" in {shown(path)}")


def _json(report: Report | None, found: tuple[Diagnostic, ...]) -> str:
    """One object: what was answered, and what is wrong as `ubusc check --format json` says it."""

    from unifiedbus_dsl.diagnostics.json import to_data

    data: dict[str, Any] = {"measures": [], "expectations": [], "scenarios": {}, "left_out": [], "orbits": {}}
    if report is not None:
        data["measures"] = [answer.to_json() for answer in report.answers]
        data["expectations"] = [
            {"subject": r.subject, "text": r.text, "holds": r.holds, "source": r.source, "differs": r.differs}
            for r in report.expectations
        ]
        data["scenarios"] = {name: {"said": list(said), **report.losses[name]} for name, said in report.scenarios}
        data["left_out"] = list(report.left_out)
        data["orbits"] = {name: {"vertices": v, "arcs": a} for name, (v, a) in report.orbits.items()}
    return indented({**to_data(found), **data})


def text_of(report: Report) -> str:
    """The report as people read it: a block for each system and analyze block, a line for each measure."""
    lines: list[str] = []
    blocks: dict[tuple[str, str], list[Answer]] = {}
    for answer in report.answers:
        blocks.setdefault((answer.system, answer.block), []).append(answer)
    after = {f"scenario {name}" for name, _ in report.scenarios}
    for (system, block), answers in blocks.items():
        if block not in after:
            lines += ["", f"{system}: {block}"] if lines else [f"{system}: {block}"]
            lines += _block(answers)
    for name, said in report.scenarios:
        lines += ["", f"scenario {name}", *[f"  {sentence}" for sentence in said]]
        for (_, block), answers in blocks.items():
            if block == f"scenario {name}":
                lines += _block(answers)
    if report.expectations:
        lines += ["", "Expectations"]
        for result in report.expectations:
            word = "differs" if result.differs is not None else "holds" if result.holds else "fails"
            of = f"{result.subject.split(': ')[-1]}: " if ": " in result.subject else ""
            lines.append(f"  {word:<8}{of}{result.text}" + (f"  ({result.source})" if result.source else ""))
    for name, (vertices, arcs) in report.orbits.items() if lines else ():
        orbits = f"{vertices:,} orbit{'s' * (vertices != 1)} of vertices and {arcs:,} of directed arcs"
        lines += ["", f"{name}: proved symmetries leave {orbits}"]
    if report.left_out:
        names = ", ".join(f"`{name}`" for name in report.left_out)
        lines += ["", f"left out: {names}; `--system {report.left_out[0]}` asks about it"]
    return "".join(f"{line}\n" for line in lines)


def _block(answers: list[Answer]) -> list[str]:
    """The answers of a block, in columns."""
    widths = max(len(answer.label) for answer in answers), max(len(answer.shown) for answer in answers)
    return [line for answer in answers for line in _lines(answer, *widths)]


def _lines(answer: Answer, label: int, shown: int) -> list[str]:
    first = f"  {answer.label:<{label}}  {answer.shown:>{shown}}  {answer.kind:<8}  {answer.seconds:8.3f} s"
    more = [f"      {answer.binds} {name}" for name in answer.binding]
    said = "; ".join(answer.assumptions)
    return [first, *([f"      {said}"] if said else []), *(f"      {line}" for line in answer.lines), *more]
