"""`ubusc help`: the manual of the language, page by page or by what a section is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
from attrs import frozen

_NUMBERED = re.compile(r"(\d+)-(.+)")
_HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)
_ENDING = re.compile(r"(?:ings?|es|e|s)$")
"""Of a word of which the manual may have another form."""
SHORT = 4
"""Letters up to which a word has no other form."""
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@frozen
class Topic:
    """A page of the manual: its number, the name by which it is asked for, its title and text."""

    number: int
    name: str
    title: str
    text: str

    @property
    def first_sentence(self) -> str:
        paragraph = self.text.split("\n\n")[1] if "\n\n" in self.text else ""
        return " ".join(paragraph.split()).split(". ")[0].rstrip(".")


@click.command("help")
@click.argument("topic", nargs=-1, metavar="[TOPIC]")
def command(topic: tuple[str, ...]) -> None:
    """Read the manual of the language: a page by its name or number, or the sections whose headings have some words.

    Without a topic, lists the pages.

    \b
    Examples:
      ubusc help                    what there is
      ubusc help patterns           a page
      ubusc help left over          the sections about it
    """
    pages = topics()
    if not pages:
        raise click.ClickException("the manual is not here: it comes with the wheel and with the source tree")
    asked = " ".join(topic).strip().lower()
    if not asked:
        width = max(len(page.name) for page in pages)
        click.echo("\n".join(f"{page.number:>2}  {page.name:<{width}}  {page.first_sentence}" for page in pages))
        return
    text = about(pages, asked) or ("" if _explained(asked) else mentions(pages, asked))
    if not text:
        raise click.UsageError(_unknown(asked, pages))
    click.echo(text.rstrip())


def about(pages: list[Topic], asked: str) -> str:
    """Return the page or the sections whose headings have some words, in this form or another; empty where none has."""
    words, stems = asked.split(), _stems(asked)
    page = next((each for each in pages if asked in (each.name, each.title.lower(), str(each.number))), None)
    found = page.text if page is not None else "\n".join(sections(pages, words))
    if found:
        return found
    near = next((each for each in pages if each.name.startswith(" ".join(stems))), None)
    return near.text if near is not None else "\n".join(sections(pages, stems))


def mentions(pages: list[Topic], asked: str) -> str:
    """Return a list of the sections that speak of some words, by page and heading; empty where none does."""
    stems = _stems(asked)
    listed = [f"  {page.name}: {heading}" for page, heading, text in _sections(pages) if _has(text, stems)]
    return "\n".join([f"no heading has `{asked}`; these sections speak of it:", *listed]) if listed else ""


def _stems(asked: str) -> list[str]:
    return [_ENDING.sub("", word) if len(word) > SHORT else word for word in asked.split()]


def _has(text: str, stems: list[str]) -> bool:
    """Return whether a text has words that begin so, all of them."""
    return all(re.search(rf"\b{re.escape(stem)}", text, re.IGNORECASE) for stem in stems)


def _explained(asked: str) -> bool:
    """Return whether `ubusc explain` tells of a word."""
    import unifiedbus_dsl.measures.definitions  # noqa: F401 - registers what `told` knows
    from unifiedbus_dsl.measures.reference import told

    return bool(told(asked))


def _unknown(asked: str, pages: list[Topic]) -> str:
    from unifiedbus_dsl.diagnostics.suggest import did_you_mean

    if _explained(asked):
        return f"no page or heading about `{asked}`; `ubusc explain {asked}` tells what it is"
    meant = did_you_mean(asked, [page.name for page in pages])
    return f"no page or heading about `{asked}`" + (
        f"; did you mean `{meant}`?" if meant else "; `ubusc help` lists all"
    )


def folder() -> Path | None:
    """Return where the manual is: in the package, as in an installed wheel, else in the source tree."""
    package = Path(__file__).resolve().parents[1]
    return next((each for each in (package / "manual", package.parent / "tests" / "lang") if each.is_dir()), None)


def topics() -> list[Topic]:
    """Return the pages of the manual in order; none where it is not here."""
    here = folder()
    pages = []
    for path in sorted(here.glob("*.md")) if here is not None else ():
        named = _NUMBERED.fullmatch(path.stem)
        if named is not None:
            text = path.read_text(encoding="utf-8")
            heading = _HEADING.search(text)
            pages.append(Topic(int(named[1]), named[2], heading[2] if heading else named[2], text))
    return pages


def sections(pages: list[Topic], words: list[str]) -> Iterator[str]:
    """Yield the sections whose headings have all of some words, each with the name of its page."""
    for page, heading, text in _sections(pages):
        if all(word in heading.lower() for word in words):
            yield f"[{page.name}]\n{text}\n"


def _sections(pages: list[Topic]) -> Iterator[tuple[Topic, str, str]]:
    """Yield each section of the manual: its page, its heading and its text, heading included."""
    for page in pages:
        fences = [found.span() for found in _FENCED.finditer(page.text)]
        headings = [
            found for found in _HEADING.finditer(page.text) if not any(a <= found.start() < b for a, b in fences)
        ]
        for at, heading in enumerate(headings):
            end = headings[at + 1].start() if at + 1 < len(headings) else len(page.text)
            yield page, heading[2], page.text[heading.start() : end].rstrip()
