"""The catalogue: one page for each code, in `codes/`, read when asked for.

A page is Markdown with fixed headings, so that the manual, `ubusc explain` and the tests can all be made from it:
`# UB0501: title`, `## What it means`, `## Why it matters`, `## Wrong`, `## Right`, `## Fix`. Under Wrong stands one
```ubus block with `# error: [UB0501]` on the line that is to blame (a ```text block where no text can show it), under
Right one ```ubus block without a finding.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from attrs import frozen

from unifiedbus_dsl.diagnostics.suggest import did_you_mean

__all__ = ["FAMILIES", "HEADINGS", "Page", "PageError", "codes", "find", "nearest", "normal", "pages", "read"]

HEADINGS = ("What it means", "Why it matters", "Wrong", "Right", "Fix")

FAMILIES = {
    "UB01": "text",
    "UB02": "names",
    "UB03": "units",
    "UB04": "shapes and indices",
    "UB05": "cables and ports",
    "UB06": "parameters and overrides",
    "UB07": "expectations and scenarios",
    "UB08": "views and exports",
}

_TITLE = re.compile(r"# (UB\d{4}): (\S.*)")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class PageError(ValueError):
    """A page does not follow the headings."""


@frozen
class Block:
    """A fenced block: its language and its text."""

    language: str
    text: str


@frozen
class Page:
    """One code. `meaning`, `why` and `fix` are Markdown; `text` is the whole page."""

    code: str
    title: str
    meaning: str
    why: str
    wrong: tuple[Block, ...]
    right: tuple[Block, ...]
    fix: str
    text: str

    @property
    def family(self) -> str:
        return FAMILIES[self.code[:4]]


def _folder() -> Traversable:
    return files("unifiedbus_dsl.diagnostics") / "codes"


@cache
def codes() -> tuple[str, ...]:
    """Return every code that has a page, in order."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".md") for name in names if re.fullmatch(r"UB\d{4}\.md", name)))


def pages() -> tuple[Page, ...]:
    """Return all pages in order of code."""
    return tuple(_load(code) for code in codes())


def find(code: str) -> Page | None:
    """Return the page of a code, None where there is none."""
    return _load(code) if code in codes() else None


def normal(word: str) -> str:
    """Return a code as people type it (`ub501`, `0501`, `[UB0501]`) in its one spelling."""
    match = re.fullmatch(r"\W*(?:ub)?(\d{1,4})\W*", word, re.IGNORECASE)
    return f"UB{int(match[1]):04}" if match else word


def nearest(word: str) -> str | None:
    """Return the code, or the code of the title, that `word` was probably meant to be."""
    return did_you_mean(normal(word).upper(), codes())


@cache
def _load(code: str) -> Page:
    page = read((_folder() / f"{code}.md").read_text(encoding="utf-8"))
    if page.code != code:
        raise PageError(f"{code}.md: its title says {page.code}")
    return page


def read(text: str) -> Page:
    """Return a page from its Markdown.

    Raises:
        PageError: the title or a heading is missing, in another order or more than there should be, a section is
            empty, or an example has no block.
    """
    head, *rest = re.split(r"^## ", text, flags=re.MULTILINE)
    title = _TITLE.fullmatch(head.strip())
    if title is None:
        raise PageError(f"wants a first line like `# UB0501: one port, two cables`, found {head.strip()!r}")
    code = title[1]
    sections = [tuple(part.strip() for part in section.partition("\n")[::2]) for section in rest]
    headings = tuple(heading for heading, _ in sections)
    if headings != HEADINGS:
        raise PageError(f"{code}: wants the headings {', '.join(HEADINGS)}, found {', '.join(headings) or 'none'}")
    for heading, body in sections:
        if not body:
            raise PageError(f"{code}: `{heading}` is empty")
    meaning, why, wrong, right, fix = (body for _, body in sections)
    return Page(code, title[2], meaning, why, _blocks(code, wrong), _blocks(code, right), fix, text)


def _blocks(code: str, body: str) -> tuple[Block, ...]:
    blocks = tuple(Block(match[1], match[2]) for match in _BLOCK.finditer(body + "\n"))
    if not blocks or any(block.language not in ("ubus", "text") for block in blocks):
        raise PageError(f"{code}: an example wants a ```ubus block, or a ```text block where no text can show it")
    return blocks
