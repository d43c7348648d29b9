"""`ubusc fmt`: the one layout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unifiedbus_dsl.cli.report import as_text, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.base.source import Source
    from unifiedbus_dsl.diagnostics import Sink

MARK = b"\xef\xbb\xbf"


@click.command("fmt")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option("--check", is_flag=True, help="Write nothing; say which files would change, and exit with 1 if any.")
@click.pass_context
def command(context: click.Context, files: tuple[str, ...], check: bool) -> None:
    """Lay files out the one way: no options, comments kept, and the meaning is never changed.

    `-` reads standard input and writes standard output. A folder stands for all .ubus files in it. A file that can't
    be read as .ubus is reported and left as it is. Line ends stay those of the file.

    \b
    Examples:
      ubusc fmt machine.ubus
      ubusc fmt specs --check
      ubusc fmt - < machine.ubus
    """
    from unifiedbus_dsl.cli.arguments import source_files

    if files == ("-",):
        context.exit(_filter(check))
    paths = source_files(files, "fmt")
    outcomes = [_format_file(path, check) for path in paths]
    changed = outcomes.count("changed")
    if check and changed:
        say(f"{changed} of {len(paths)} file{'s' if len(paths) > 1 else ''} would change", err=True)
    context.exit(int("wrong" in outcomes or (check and changed > 0)))


def _filter(check: bool) -> int:
    """Standard input to standard output; the exit status."""
    from unifiedbus_dsl.diagnostics import Sink

    sink = Sink()
    if sys.stdin is None:
        raise OSError(None, "is closed: there is nothing to read", "standard input")
    data = sys.stdin.buffer.read()
    formatted = _formatted(_decoded(data, sink), sink)
    if formatted is None:
        return 1
    if check:
        return int(formatted != data.removeprefix(MARK))
    click.echo(formatted, nl=False)
    return 0


def _decoded(data: bytes, sink: Sink) -> Source | None:
    from unifiedbus_dsl.base.source import Source

    try:
        return Source("<stdin>", data.removeprefix(MARK).decode("utf-8"))
    except UnicodeDecodeError as error:
        sink.error("UB0113", f"standard input is not in UTF-8: byte 0x{data[error.start]:02x}", None)
        return None


def _format_file(path: Path, check: bool) -> str:
    """Format one file in place; `changed`, `same` or `wrong`."""
    from unifiedbus_dsl.cli.output import write_bytes
    from unifiedbus_dsl.diagnostics import Sink
    from unifiedbus_dsl.syntax.load import load

    sink = Sink()
    source = load(path, sink)
    after = _formatted(source, sink)
    if after is None or source is None:
        return "wrong"
    if after == source.text.encode():
        return "same"
    if check:
        say(f"would change: {path}")
    else:
        before = path.read_bytes()
        write_bytes(path, (MARK if before.startswith(MARK) else b"") + after)
        say(f"formatted: {path}", err=True)
    return "changed"


def _formatted(source: Source | None, sink: Sink) -> bytes | None:
    """Return the text in canonical layout, with the line ends of the source; None, with a report, where it can't be
    read."""
    from unifiedbus_dsl.syntax.format import format as layout
    from unifiedbus_dsl.syntax.parse import parse

    tree = parse(source, sink) if source is not None else None
    if source is None or tree is None or status(sink):
        say(as_text(sink, 20, sys.stderr), err=True, nl=False)
        return None
    text = layout(tree)
    return (text.replace("\n", "\r\n") if "\r\n" in source.text else text).encode()
