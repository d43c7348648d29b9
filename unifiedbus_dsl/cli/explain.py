"""`ubusc explain`: the page of a code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from unifiedbus_dsl.cli.terminal import wants_colour

if TYPE_CHECKING:
    from unifiedbus_dsl.diagnostics.catalogue import Page


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain an error: what it means, why it matters, a wrong and a right example, the fix.

    Or a measure, a traffic pattern, a routing, an algorithm, a workload: what it is, and its arguments. Without a name,
    lists all of them.

    \b
    Examples:
      ubusc explain UB0501
      ubusc explain throughput
      ubusc explain            all codes with their titles, all measures with what they are
    """
    from unifiedbus_dsl.diagnostics import catalogue
    from unifiedbus_dsl.diagnostics.suggest import did_you_mean

    if code is None:
        click.echo("\n".join((*_list(catalogue.pages()), *_registered())))
        return
    page = catalogue.find(catalogue.normal(code))
    if page is None and (text := _told(code)):
        click.echo(text, nl=False)
        return
    if page is None:
        meant = catalogue.nearest(code) or did_you_mean(code, _names())
        hint = f"; did you mean `{meant}`?" if meant else f"; {_elsewhere(code)}"
        raise click.UsageError(f"no code `{code}`{hint}")
    click.echo(_painted(page.text) if wants_colour(sys.stdout) else page.text, nl=False)


def _elsewhere(word: str) -> str:
    """Return who tells of a word that is none of these."""
    from unifiedbus_dsl.cli.help import sections, topics

    if next(sections(topics(), word.lower().split()), None) is not None:
        return f"the manual has it: `ubusc help {word}`"
    return "`ubusc explain` lists all"


def _told(name: str) -> str:
    """Return the page of a measure, traffic pattern, routing or algorithm; nothing where there is none."""
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers them
    from unifiedbus_dsl.measures.reference import told

    return told(name)


def _names() -> tuple[str, ...]:
    """Return all of their names."""
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers them
    from unifiedbus_dsl.measures.reference import names

    return names()


def _registered() -> Iterator[str]:
    """Yield all measures, traffic patterns, routings and algorithms with their sentences."""
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers them
    from unifiedbus_dsl.measures.reference import REGISTRIES

    for registry in REGISTRIES:
        yield f"\n{registry.noun}s"
        yield from (f"  {name:<16}  {each.doc}" for name, each in registry.items())


def _list(pages: tuple[Page, ...]) -> Iterator[str]:
    """Yield the titles, a heading before each family."""
    family = ""
    for page in pages:
        if page.family != family:
            yield f"{'' if not family else chr(10)}{page.code[:4]}xx  {page.family}"
            family = page.family
        yield f"  {page.code}  {page.title}"


def _painted(text: str) -> str:
    """Headings bold, the place marked in an example red; the words stay as they are."""
    lines = []
    for line in text.splitlines():
        if line.startswith("#") and line.lstrip("#").startswith(" ") and "[UB" not in line:
            lines.append(f"\x1b[1m{line.lstrip('# ')}\x1b[0m")
        elif "# error: [" in line:
            before, _, after = line.partition("# error: [")
            lines.append(f"{before}\x1b[1;31m# error: [{after}\x1b[0m")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
