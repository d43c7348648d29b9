"""`ubusc man`: the manual pages, from the same texts as `--help`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from unifiedbus_dsl.cli.commands import COMMANDS
from unifiedbus_dsl.version import VERSION

SECTION = 1


@click.command("man")
@click.argument("name", required=False, metavar="[COMMAND]")
@click.option("-o", "--output", metavar="DIR", help="Write the pages of all commands into this folder.")
@click.pass_context
def command(context: click.Context, /, name: str | None, output: str | None) -> None:
    """Print the manual page of a command, by default of `ubusc` itself, for `man`.

    \b
    Examples:
      ubusc man check > ubusc-check.1
      ubusc man -o ~/.local/share/man/man1     all of them, where `man` looks
    """
    from unifiedbus_dsl.cli.arguments import one_of

    group = context.find_root().command
    assert isinstance(group, click.Group)
    if output is None:
        if name is not None:
            one_of("command", name, list(COMMANDS))
        click.echo(manual_page(group, name), nl=False)
        return
    if name is not None:
        raise click.UsageError("`-o` writes the pages of all commands: leave the name of one out")
    from unifiedbus_dsl.cli.output import make_folder, write_bytes

    folder = make_folder(Path(output))
    for each in (None, *COMMANDS):
        write_bytes(folder / f"{page_name(each)}.{SECTION}", manual_page(group, each).encode())


def page_name(name: str | None) -> str:
    """Return what a page is called: `ubusc`, `ubusc-check`."""
    return "ubusc" if name is None else f"ubusc-{name}"


def manual_page(group: click.Group, name: str | None) -> str:
    """Return the page of a command in roff, of the whole where none is named."""
    with click.Context(group, info_name="ubusc") as whole:
        described = group if name is None else group.get_command(whole, name)
        assert described is not None
        context = whole if name is None else click.Context(described, parent=whole, info_name=name)
        about = "describe AI supercomputers and compile them" if name is None else COMMANDS[name].rstrip(".").lower()
        lines = [
            f'.TH "{page_name(name).upper()}" "{SECTION}" "" "ubusc {VERSION}" "User Commands"',
            ".SH NAME",
            f"{_safe(page_name(name))} \\- {_safe(about)}",
            ".SH SYNOPSIS",
            f".B {_safe(context.command_path)}",
            _safe(" ".join(described.collect_usage_pieces(context))),
            ".SH DESCRIPTION",
            *_text(described.help or ""),
            *_options(described, context),
            *(_list_of_commands() if name is None else ()),
            *_statuses(group),
            ".SH SEE ALSO",
            _see_also(name),
        ]
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """Return text as roff shows it to the letter."""
    shown = text.replace("\\", "\\e").replace("-", "\\-").replace("\u2026", "\\[u2026]").replace("`", "\\(ga")
    return f"\\&{shown}" if shown.startswith((".", "'")) else shown


def _text(help: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; one that begins with `\\b` keeps its lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", help.replace("\f", "").strip())):
        lines = [line.rstrip() for line in paragraph.strip("\n").splitlines()]
        if lines and lines[0].strip() == "\b":
            if lines[1].strip().endswith(":"):
                yield f".SH {lines.pop(1).strip().rstrip(':').upper()}"
            yield ".nf"
            yield from (_safe(line.strip()) for line in lines[1:])
            yield ".fi"
        else:
            if number:
                yield ".PP"
            yield from (_safe(line.strip()) for line in lines)


def _options(found: click.Command, context: click.Context) -> Iterator[str]:
    yield ".SH OPTIONS"
    for param in found.get_params(context):
        record = param.get_help_record(context)
        if record is not None:
            yield ".TP"
            yield f".B {_safe(record[0])}"
            yield _safe(" ".join(record[1].split()))


def _list_of_commands() -> Iterator[str]:
    yield ".SH COMMANDS"
    for name, words in COMMANDS.items():
        yield ".TP"
        yield f".BR {_safe(page_name(name))} ({SECTION})"
        yield _safe(words)


def _statuses(group: click.Group) -> Iterator[str]:
    """Yield the exit statuses, as the help of `ubusc` ends with them."""
    yield ".SH EXIT STATUS"
    said = (group.epilog or "").partition("`ubusc COMMAND")[0].removeprefix("Exit status: ")
    for each in said.strip().rstrip(".").split("; "):
        status, _, meaning = each.partition(" ")
        yield ".TP"
        yield f".B {status}"
        yield _safe(meaning)


def _see_also(name: str | None) -> str:
    others = [page_name(each) for each in (None, *COMMANDS) if each != name]
    return ".BR " + "\n.BR ".join(f"{_safe(each)} ({SECTION})" for each in others)
