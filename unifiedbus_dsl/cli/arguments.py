"""File arguments: what is there, and what was probably meant where nothing is."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.syntax.project_file import ProjectFile

Command = TypeVar("Command", bound=Callable[..., Any])

SUFFIX = ".ubus"
STDIN = Path("-")
"""Stands for standard input."""


class Finite(click.FloatRange):
    """A number in a range; `nan` and `inf` are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a number to reckon with", param, ctx)
        return number


def budget_option(of: str) -> Callable[[Command], Command]:
    """`--budget`: how long what `of` says may take."""
    return click.option(
        "--budget", type=Finite(0, min_open=True), metavar="SECONDS",
        help=f"Time for {of}: what is not solved in it is an interval with both bounds proved.",
    )  # fmt: skip


names_option = click.option(
    "--names", metavar="MAP",
    help="What the site calls the parts of the design: a file of two columns, a path of the design and a name.",
)  # fmt: skip


def with_names(compilation: Compilation, system: str, names: str | None) -> Compilation:
    """Return the compilation with the names of a map for the parts of a system; itself without a map.

    Raises:
        click.UsageError: there is no such file.
        click.ClickException: the map is none, or names what the system has not.
    """
    if names is None:
        return compilation
    from attrs import evolve

    from unifiedbus_dsl.ir.fabric.site import NamesError, named, read_names

    path = source_file(names, "diff")
    try:
        plan = named(compilation.pick(system), read_names(path))
    except NamesError as error:
        raise click.ClickException(f"--names: {error}") from error
    return evolve(compilation, plans={**compilation.plans, system: plan})


def system_option(words: str) -> Callable[[Command], Command]:
    """`--system` of a command that is about one system."""
    return click.option("--system", multiple=True, metavar="NAME", callback=_only_one, help=words)


def _only_one(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str | None:
    if len(names) > 1:
        said = " and ".join(f"`--system {name}`" for name in names)
        raise click.UsageError(f"this is about one system: {said} are {len(names)}")
    return names[0] if names else None


def source_file(name: str | None, command: str) -> Path:
    """Return the file that was named.

    Raises:
        click.UsageError: no name, no such file, or a folder.
    """
    if not name:  # an empty name would be this folder: that of a variable of the shell that is not set
        raise click.UsageError(f"which file? {_offer(command, Path())}")
    path = Path(name)
    if path == STDIN:
        return path
    if os.path.isdir(path):  # no to a name that is too long
        raise click.UsageError(f"`{name}` is a folder. {_offer(command, path)}")
    if not os.path.lexists(path):
        raise click.UsageError(_missing(path))
    return path


def source_files(names: Iterable[str], command: str) -> list[Path]:
    """Return the files that were named, those inside the folders that were named, and those that patterns such as
    `specs/**/*.ubus` match, each once and in order.

    Raises:
        click.UsageError: nothing was named, there is no such file, or no source in a folder.
    """
    files: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        files |= dict.fromkeys(_inside(path) if name and path.is_dir() else _matching(name, command))
    if not files:
        source_file(None, command)
    return list(files)


def check_output(output: str | None, source: Path, *, stream: bool = False) -> None:
    """Refuse a name after `-o` that would write over a text or what is read, or that is none.

    `stream` says that `-` is standard output here.

    Raises:
        click.UsageError: it is empty, or `-`, or the name of a source.
    """
    if output is None:
        return
    if not output:
        raise click.UsageError("`-o` names nothing: give it the name of what is to be written")
    if output == "-":
        if stream:
            return
        raise click.UsageError("this can't go to standard output: give `-o` a name (`-o ./-` for one called `-`)")
    path = Path(output)
    if os.path.isfile(path) and (
        path.suffix == SUFFIX or (source != STDIN and path.samefile(source))
    ):  # no to a name that is too long
        raise click.UsageError(f"`-o {output}` would write over a file that is read: name another one")


def one_of(noun: str, name: str, names: Sequence[str], where: str = "") -> str:
    """Return the name, if it is one of those there are.

    Raises:
        click.UsageError: it isn't.
    """
    from unifiedbus_dsl.diagnostics.suggest import no_such

    if name in names:
        return name
    raise click.UsageError(no_such(noun, name, names, where))


def systems(compilation: Compilation, path: Path, named: Sequence[str]) -> Sequence[str]:
    """Return the systems that were named, each once, by default all of the file.

    Raises:
        click.ClickException: the file has none.
        click.UsageError: it has none of this name.
    """
    names = compilation.systems
    if not names:
        raise click.ClickException(
            f"{shown(path)} has no system, so there is no machine. Write `system NAME : Type` into it; "
            "without one, there is `ubusc check`."
        )
    return list(dict.fromkeys(one_of("system", system, names, f" in {shown(path)}") for system in named)) or names


def one_system(compilation: Compilation, path: Path, system: str | None) -> str:
    """Return the system that was named, by default that of the project file, or the first of the file; that there are
    others is said on standard error.

    Raises:
        click.ClickException: the file has none.
        click.UsageError: it has none of this name.
    """
    meant = system if system is not None else project_of(path).system
    if system is None and meant not in compilation.systems:
        meant = None
    chosen = systems(compilation, path, [meant] if meant is not None else [])
    if len(chosen) > 1:
        others = ", ".join(f"`{name}`" for name in chosen[1:])
        say(f"this is the system `{chosen[0]}`; left out: {others} (`--system NAME`)", err=True)
    return chosen[0]


def project_of(path: Path) -> ProjectFile:
    """Return what the project file says that a text is under; of standard input, that of the current folder.

    Raises:
        click.ClickException: it is wrong.
    """
    from unifiedbus_dsl.syntax.project_file import ProjectFileError, find_project

    try:
        return find_project(Path() if path == STDIN else path.parent)
    except ProjectFileError as error:
        raise click.ClickException(str(error)) from error


def shown(path: Path) -> str:
    """Return what messages call a file, or standard input."""
    return "standard input" if path == STDIN else f"`{path}`"


def _matching(name: str, command: str) -> list[Path]:
    """Return the files of a pattern, where it is one and no file has that very name."""
    if not glob.has_magic(name) or os.path.lexists(name):
        return [source_file(name, command)]
    matching = sorted(Path(each) for each in glob.glob(name, recursive=True))
    matched = [path for path in matching if path.suffix == SUFFIX and path.is_file()]
    if not matched:
        raise click.UsageError(f"no {SUFFIX} file matches `{name}`")
    return matched


def _inside(folder: Path) -> list[Path]:
    inside = sorted(p for p in folder.rglob(f"*{SUFFIX}") if not _hidden(p.relative_to(folder)) and p.is_file())
    if not inside:
        raise click.UsageError(f"no {SUFFIX} file in `{folder}`")
    return inside


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _offer(command: str, folder: Path) -> str:
    """Return one command that would work from here."""
    if command == "import":
        return "Example: `ubusc import discovered.graphml`."
    near = _neighbours(folder)
    return f"Try `ubusc {command} {near[0]}`." if near else f"Example: `ubusc {command} machine{SUFFIX}`."


def _missing(path: Path) -> str:
    from unifiedbus_dsl.diagnostics.suggest import did_you_mean

    folder = path.parent
    if not folder.is_dir():
        return f"no file `{path}`: there is no folder `{folder}`"
    names = {near.name: near for near in _neighbours(folder)}
    stems = {near.stem: near for near in names.values()}
    meant = names.get(did_you_mean(path.name, names) or "") or stems.get(path.name)
    meant = meant or stems.get(did_you_mean(path.stem, stems) or "")
    return f"no file `{path}`" + (f"; did you mean `{meant}`?" if meant else "")


def _neighbours(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob(f"*{SUFFIX}"))
    except OSError:
        return []
