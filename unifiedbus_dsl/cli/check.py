"""`ubusc check`: is it right?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unifiedbus_dsl.cli.arguments import STDIN, project_of
from unifiedbus_dsl.cli.reading import compiled, text_options
from unifiedbus_dsl.cli.report import FORMATS, deny_option, in_format, once, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics import Diagnostic
    from unifiedbus_dsl.diagnostics.fix import FixedText

ROUNDS = 10
"""Mending one error may bring the next to light; this many times at most."""


@click.command("check")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Output format.")
@click.option("--fix", is_flag=True, help="Mend what a machine can mend, in place, and report the rest.")
@deny_option
@text_options
def command(
    context: click.Context,
    /,
    files: tuple[str, ...],
    form: str,
    fix: bool,
    deny: tuple[str, ...],
    limit: int,
    **reading: Any,
) -> None:
    """Check files without writing anything. A folder stands for all .ubus files in it, a pattern for those that it
    matches, `-` for standard input.

    \b
    Examples:
      ubusc check machine.ubus
      ubusc check 'racks/**/*.ubus' --deny UB0208
      ubusc check specs --deny warnings
      ubusc check machine.ubus --fix
      ubusc check machine.ubus --format sarif > findings.sarif
    """
    from unifiedbus_dsl.cli.arguments import source_files
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    paths = source_files(files, "check")
    if fix and STDIN in paths:
        raise click.UsageError("`--fix` mends files, and standard input is none: leave it out")
    diagnose = partial(_diagnose, paths, reading)
    with progress_bar():
        diagnostics = diagnose()
        mended = _mend(diagnose, diagnostics) if fix else 0
        diagnostics = diagnose() if mended else diagnostics
    if mended:
        say(f"mended {mended} place{'s' if mended > 1 else ''}", err=True)
    say(in_format(form, diagnostics, limit), nl=False)
    if form == "text":
        _closing_words(paths, diagnostics, fix)
    context.exit(status(diagnostics, deny) or _denied_status(paths, diagnostics, deny))


def _diagnose(paths: list[Path], reading: dict[str, Any]) -> list[Diagnostic]:
    return once(d for path in paths for d in compiled(path, **reading).diagnostics)


def _denied_status(paths: list[Path], found: list[Diagnostic], deny: tuple[str, ...]) -> int:
    """Return the status by what the project file of each text denies; those of a file that is used are of its own
    project."""
    by_folder: dict[Path, list[Diagnostic]] = {}
    for each in found:
        at = each.primary.span.source.path if each.primary is not None else None
        by_folder.setdefault((at or paths[0]).parent, []).append(each)
    return max((status(own, (*deny, *project_of(at / "x").deny)) for at, own in by_folder.items()), default=0)


def _mend(diagnose: Callable[[], list[Diagnostic]], found: list[Diagnostic]) -> int:
    """Apply fixes round by round until none is left; how many were applied."""
    from unifiedbus_dsl.diagnostics.fix import apply_fixes

    total = 0
    for _ in range(ROUNDS):
        mended = [m for m in apply_fixes(found) if m.source.path is not None and m.text != m.source.text]
        for one in mended:
            _write(one)
        total += sum(one.fixes for one in mended)
        if not mended:
            break
        found = diagnose()
    return total


def _write(mended: FixedText) -> None:
    """Put the new text in the place of the old one, with its byte-order mark if it had one."""
    from unifiedbus_dsl.cli.output import write_bytes

    path = mended.source.path
    assert path is not None
    before = path.read_bytes()
    mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
    if before != mark + mended.source.text.encode():
        raise OSError(None, "was changed by someone else while it was checked", str(path))
    write_bytes(path, mark + mended.text.encode())


def _closing_words(paths: list[Path], found: list[Diagnostic], fixed: bool) -> None:
    if not found:
        say(
            f"{'standard input' if paths[0] == STDIN else paths[0]}: no errors"
            if len(paths) == 1
            else f"{len(paths)} files: no errors"
        )
    mendable = sum(d.fix is not None for d in found)
    if mendable and not fixed:
        say(f"{mendable} of them can be mended by `ubusc check --fix`")
    elif found:
        say(f"`ubusc explain {found[0].code}` tells more")
