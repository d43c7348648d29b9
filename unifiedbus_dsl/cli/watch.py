"""`ubusc watch`: check and draw at each save, in a page that follows."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unifiedbus_dsl.cli.arguments import STDIN, source_file
from unifiedbus_dsl.cli.reading import compiled, text_options
from unifiedbus_dsl.cli.report import as_text, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.editor.live_page import Board, Shown

EVERY = 0.25
"""Seconds between two looks at the files."""

Stamps = dict[Path, tuple[int, int] | None]


@click.command("watch")
@click.argument("file", required=False)
@click.option("--system", multiple=True, metavar="NAME", help="Draw this system; can be repeated; by default all.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Of the page; by default a free one."
)
@click.option("--open", "browse", is_flag=True, help="Open the page in the browser.")
@text_options
def command(
    context: click.Context,
    /,
    file: str | None,
    system: tuple[str, ...],
    port: int,
    browse: bool,
    limit: int,
    **reading: Any,
) -> None:
    """Check and draw a file at each save, in a page that updates itself; Ctrl-C ends it.

    The page is for this computer alone. Errors stand above the last good picture. Files that the file uses are watched
    too, and its project file.

    \b
    Examples:
      ubusc watch machine.ubus --open
      ubusc watch machine.ubus --system lab --port 8000
    """
    from unifiedbus_dsl.editor.live_page import Board, Shown, address, serve

    path = source_file(file, "watch")
    if path == STDIN:
        raise click.UsageError("what is watched is a file, and standard input is none")
    board = Board(Shown(path.name))
    try:
        server = serve(board, port)
    except OSError as error:
        message = f"port {port} can't be had: {error.strerror}; leave `--port` out for a free one"
        raise click.ClickException(message) from error
    try:
        say(f"{address(server)} shows {path}; Ctrl-C ends it")
        sys.stdout.flush()
        if browse:
            click.launch(address(server))
        _follow(path, board, reading, system, limit)
    finally:
        board.close()
        server.shutdown()
        server.server_close()


def _follow(path: Path, board: Board, reading: dict[str, Any], systems: tuple[str, ...], limit: int) -> None:
    """Look at the files again and again, and show what they say each time they have changed."""
    seen: Stamps | None = None
    files: tuple[Path, ...] = (path,)
    while True:
        now = stamps(files)
        if now != seen:
            files, shown = look(path, reading, systems, limit)
            seen = stamps(files)
            board.put(shown)
            say(f"{time.strftime('%H:%M:%S')} {_summary(shown)}")
            if shown.findings:
                say(shown.findings, err=True, nl=False)
            sys.stdout.flush()
        time.sleep(EVERY)


def _summary(shown: Shown) -> str:
    if shown.wrong:
        return "errors"
    return f"no errors; drawn: {', '.join(shown.pictures) or 'nothing, as there is no system'}"


def stamps(files: Iterable[Path]) -> Stamps:
    """Return when each file was changed, and how long it is; None for one that is not there."""
    stamp_of: Stamps = {}
    for path in files:
        try:
            status = path.stat()
            stamp_of[path] = (status.st_mtime_ns, status.st_size)
        except OSError:
            stamp_of[path] = None
    return stamp_of


def look(path: Path, reading: dict[str, Any], systems: tuple[str, ...], limit: int) -> tuple[tuple[Path, ...], Shown]:
    """Return the files that a text rests on, and what is to be shown of it."""
    from unifiedbus_dsl.editor.live_page import Shown
    from unifiedbus_dsl.syntax.project_file import NAME

    project = path.parent / NAME
    try:
        done = compiled(path, **reading)
    except click.ClickException as error:
        return (path, project), Shown(path.name, error.format_message(), wrong=True)
    files = (path, project, *(source.path for source in done.sources if source.path is not None))
    wrong = bool(status(done.diagnostics))
    findings = as_text(done.diagnostics, limit, None)
    unknown = [name for name in systems if name not in done.systems]
    if unknown and not wrong:
        findings += f"there is no system `{unknown[0]}`; there are {', '.join(done.systems) or 'none'}\n"
    return tuple(dict.fromkeys(files)), Shown(path.name, findings, wrong or bool(unknown), _pictures(done, systems))


def _pictures(done: Compilation, systems: tuple[str, ...]) -> dict[str, str]:
    """Return the overview of each system; none where a machine is wrong, or there is nothing to draw with."""
    right = done.despite_questions()
    plans = {} if right is None else right.plans
    drawn = {name: plan._repr_svg_() for name, plan in plans.items() if not systems or name in systems}
    return {name: svg for name, svg in drawn.items() if svg is not None}
