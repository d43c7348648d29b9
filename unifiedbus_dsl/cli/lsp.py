"""`ubusc lsp`: the language server, over standard input and output."""

from __future__ import annotations

import importlib.util
import os
import sys

import click

NEEDED = "pygls"


@click.command("lsp")
@click.option("--stdio", is_flag=True, help="Speak over standard input and output, which is what is done anyway.")
def command(stdio: bool) -> None:
    """Serve an editor: diagnostics, completion, hover, definition, references, rename, outline, formatting.

    An editor starts this itself and speaks the language server protocol with it over standard input and output.
    docs/editors.md says how VS Code, Neovim, Helix and Emacs are told to.

    \b
    Examples:
      pip install 'unifiedbus-dsl[lsp]'    what it takes
      ubusc lsp                            what an editor runs
    """
    if importlib.util.find_spec(NEEDED) is None:
        raise click.ClickException("the language server needs pygls: pip install 'unifiedbus-dsl[lsp]'")
    from unifiedbus_dsl.editor.server import make_server

    if sys.stdin is None or sys.stdout is None:
        raise OSError(None, "is closed: an editor speaks over it", "standard input or output")
    with os.fdopen(os.dup(0), "rb") as stdin, os.fdopen(os.dup(1), "wb") as stdout:
        os.dup2(2, 1)  # what is printed by mistake is no message
        make_server().start_io(stdin, stdout)
