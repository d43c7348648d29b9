"""Options that raise what the compiler takes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from unifiedbus_dsl.compiler import Limits

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = {
    "--max-source": ("source_bytes", "Largest source that is read, in bytes; by default 4 MiB."),
    "--max-array": ("array", "Most elements of one array; by default 16,777,216."),
    "--max-devices": ("devices", "Most devices of a system; by default 2,147,483,647."),
    "--max-errors": ("errors", "Most errors, and most warnings, of a text; by default 1,000."),
    "--max-work": ("work", "Most steps of checking, about 10 ns each; by default 400,000,000."),
}


def limit_options(command: Command) -> Command:
    """Adds `--max-source`, `--max-array`, `--max-devices`, `--max-errors` and `--max-work`."""
    for option, (name, words) in reversed(_OPTIONS.items()):
        command = click.option(option, name, type=click.IntRange(min=1), metavar="N", help=words)(command)
    return command


def limits(**given: int | None) -> Limits:
    """The limits of the compiler with those that were given in their place."""
    from unifiedbus_dsl.compiler import Limits

    return Limits(**{name: value for name, value in given.items() if value is not None})
