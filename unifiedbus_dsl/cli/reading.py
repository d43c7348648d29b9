"""Options of the commands that read a text: what it is compiled with."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unifiedbus_dsl.cli.arguments import STDIN, project_of
from unifiedbus_dsl.cli.report import as_text, limit_option, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic

Command = TypeVar("Command", bound=Callable[..., Any])

_LIMITS = {
    "--max-source": ("source_bytes", "Largest source that is read, in bytes; by default 4 MiB."),
    "--max-array": ("array", "Most elements of one array; by default 16,777,216."),
    "--max-devices": ("devices", "Most devices of a system; by default 2,147,483,647."),
    "--max-errors": ("errors", "Most errors, and most warnings, of a text; by default 1,000."),
    "--max-work": ("work", "Most steps of checking, about 10 ns each; by default 400,000,000."),
}
_SETTING = re.compile(r"([^=]*)=(.*)", re.DOTALL)
READING = ("settings", "search", *(name for name, _ in _LIMITS.values()))
"""The names of the options that `reading_options` adds."""


def reading_options(command: Command) -> Command:
    """Adds `--set` and `-I`, and the limits of what the compiler takes on."""
    for option, (name, words) in reversed(_LIMITS.items()):
        command = click.option(option, name, type=click.IntRange(min=1), metavar="N", help=words)(command)
    command = click.option(
        "-I", "search", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False),
        help="Look in this folder too for what the file uses; can be repeated.",
    )(command)  # fmt: skip
    return click.option(
        "--set", "settings", multiple=True, metavar="NAME=VALUE",
        help="Give a `let`, a parameter of the systems (`lab.racks=2` of one) or of parts (`rack.chips=4`), or a field "
        "(`UB.lane=224 Gbps`) this value; can be repeated.",
    )(command)  # fmt: skip


def text_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what each command that reads a text takes: `--limit` and `reading_options`; hands on the context."""
    return limit_option(reading_options(click.pass_context(command)))


def right_machines(
    context: click.Context, path: Path, limit: int, **options: Any
) -> tuple[Compilation, Sequence[Diagnostic]]:
    """Return what `compiled` gives, without its errors, and these, which are said already.

    What is wrong with questions, scenarios and views is said, and stops nothing but these; where a machine is wrong the
    command ends.
    """
    whole = compiled(path, **options)
    right, wrong = whole.despite_questions(), [each for each in whole.diagnostics if status([each])]
    if wrong:
        say(as_text(whole.diagnostics, limit, sys.stderr), err=True, nl=False)
    if right is None:
        context.exit(status(wrong))
    assert right is not None
    return right, wrong


def compiled(path: Path, **options: Any) -> Compilation:
    """Return the text of a file, or of standard input for `-`, compiled with the options of `reading_options`.

    Raises:
        click.UsageError: what is set has no value, or two.
        click.ClickException: the project file is wrong.
        OSError: standard input is closed.
    """
    from unifiedbus_dsl import compiler

    project = project_of(path)
    given = {name: value for name, value in options.items() if name not in ("settings", "search") and value is not None}
    limits = compiler.Limits(**{**project.limits, **given})
    search = [*map(Path, options["search"]), *project.search]
    settings = settings_of(options["settings"])
    if path != STDIN:
        return compiler.compile(path, search=search, limits=limits, settings=settings)
    if sys.stdin is None:
        raise OSError(None, "is closed: there is nothing to read", "standard input")
    return compiler.compile_stream(sys.stdin.buffer, search=search, limits=limits, settings=settings)


def settings_of(given: Iterable[str]) -> dict[str, str]:
    """Return what `--set` gives, by name.

    Raises:
        click.UsageError: one has no value, or two.
    """
    settings: dict[str, str] = {}
    for each in given:
        parts = _SETTING.fullmatch(each)
        name = parts[1].strip() if parts else ""
        if not parts or not name or not parts[2].strip():
            raise click.UsageError(f"`--set {each}` sets nothing: write `--set NAME=VALUE`, such as `--set racks=64`")
        if name in settings:
            raise click.UsageError(f"`{name}` is set twice: `--set {name}={settings[name]}` and `--set {each}`")
        settings[name] = parts[2]
    return settings
