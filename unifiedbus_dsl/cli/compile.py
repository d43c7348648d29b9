"""`ubusc compile`: check, compile, draw, and say what the machine is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unifiedbus_dsl.cli.arguments import check_output, source_file, systems
from unifiedbus_dsl.cli.reading import compiled, text_options
from unifiedbus_dsl.cli.report import as_text, in_format, status
from unifiedbus_dsl.cli.terminal import say

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Compilation
    from unifiedbus_dsl.diagnostics import Diagnostic


@click.command("compile")
@click.argument("file", required=False)
@click.option("-o", "--output", default="out", show_default=True, metavar="DIR", help="Folder for what is written.")
@click.option(
    "--system", multiple=True, metavar="NAME", help="Compile this system; can be repeated; by default all of the file."
)
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON on standard output.")
@text_options
def command(
    context: click.Context,
    /,
    file: str | None,
    output: str,
    system: tuple[str, ...],
    as_json: bool,
    limit: int,
    **reading: Any,
) -> None:
    """Check a file, compile its systems, write them and sum them up.

    \b
    These are written into the folder (several systems: a folder inside it for each):
      SYSTEM.svg         the picture; parts open their own when clicked
      SYSTEM.plan.txt    the machine at the size of its text
      SYSTEM.npz         every device and cable in columns, for NumPy and other tools

    \b
    Examples:
      ubusc compile machine.ubus -o out
      ubusc compile machine.ubus --system lab
      ubusc compile machine.ubus --json > summary.json
    """
    from unifiedbus_dsl.cli.progress_bar import progress_bar

    path = source_file(file, "compile")
    check_output(output, path)
    with progress_bar():
        compilation = compiled(path, **reading)
        say(as_text(compilation.diagnostics, limit, sys.stderr), err=True, nl=False)
        wrong, right = status(compilation.diagnostics), compilation.despite_questions()
        if right is None:
            if as_json:
                say(in_format("json", list(compilation.diagnostics), limit), nl=False)
            context.exit(wrong)
        assert right is not None
        text = _compile(right, systems(right, path, system), Path(output), compilation.diagnostics if as_json else None)
    say(text, nl=False)
    context.exit(wrong)


def _compile(compilation: Compilation, names: Sequence[str], folder: Path, said: Sequence[Diagnostic] | None) -> str:
    """Write all systems; what is to be said about them: as JSON with what is wrong, where that is given."""

    from unifiedbus_dsl.analysis.report.summary import summary_of
    from unifiedbus_dsl.cli.artifacts import write_system
    from unifiedbus_dsl.escape.json import indented
    from unifiedbus_dsl.escape.paths import file_names

    own = file_names(names)
    folders = {name: folder / own[name] if len(names) > 1 else folder for name in names}
    summaries = {name: summary_of(compilation, name) for name in names}
    files = {name: write_system(compilation, name, folders[name]) for name in names}
    if said is not None:
        from unifiedbus_dsl.diagnostics.json import to_data

        data = {n: {**s.to_data(), "files": [str(f) for f in files[n]]} for n, s in summaries.items()}
        return indented({**to_data(said), "systems": data})
    return "\n".join(f"{s.text()}\nWritten\n{_listed(files[n])}" for n, s in summaries.items())


def _listed(files: list[Path]) -> str:
    return "".join(f"  {file}\n" for file in files)
