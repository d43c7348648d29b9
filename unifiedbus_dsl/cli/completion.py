"""`ubusc completion`: what a shell reads to complete the command line."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, /, shell: str) -> None:
    """Print the script with which a shell completes commands, options, files, systems, formats, measures and codes.

    \b
    Examples:
      eval "$(ubusc completion bash)"            in ~/.bashrc
      eval "$(ubusc completion zsh)"             in ~/.zshrc, after compinit
      ubusc completion fish > ~/.config/fish/completions/ubusc.fish
    """
    from unifiedbus_dsl.cli.complete import script

    click.echo(script(context.find_root().command, shell))
