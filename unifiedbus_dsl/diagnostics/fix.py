"""Apply the machine fixes of diagnostics to texts. Nothing here touches a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import frozen

from unifiedbus_dsl.diagnostics import Diagnostic, Edit
from unifiedbus_dsl.source import Source

__all__ = ["Mended", "apply_edits", "mend"]


@frozen
class Mended:
    """A source and its text with `fixes` fixes applied."""

    source: Source
    text: str
    fixes: int


def mend(diagnostics: Iterable[Diagnostic]) -> tuple[Mended, ...]:
    """The new texts of all sources that some fix changes, in order of name.

    Fixes are taken in file order. One is taken whole or not at all: it is left for another run where one of its edits
    overlaps an edit already taken.
    """
    taken: dict[int, list[Edit]] = {}
    sources: dict[int, Source] = {}
    counts: dict[int, int] = {}
    for diagnostic in sorted(diagnostics, key=lambda d: d.order):
        edits = diagnostic.fix.edits if diagnostic.fix else ()
        if not edits or not _fits(edits, taken):
            continue
        for edit in edits:
            key = id(edit.span.source)
            sources[key] = edit.span.source
            taken.setdefault(key, []).append(edit)
        for key in {id(edit.span.source) for edit in edits}:
            counts[key] = counts.get(key, 0) + 1
    mended = [Mended(s, apply_edits(s.text, taken[key]), counts[key]) for key, s in sources.items()]
    return tuple(sorted(mended, key=lambda m: m.source.name))


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """`text` with the edits done, the highest first so that the places of the others stay right.

    New line ends are written as the text writes its own.

    Raises:
        ValueError: two edits overlap, or one lies outside the text.
    """
    ordered = sorted(edits, key=lambda e: (e.span.start, e.span.end))
    for edit, following in pairwise(ordered):
        if _overlap(edit, following):
            raise ValueError(f"edits overlap at {edit.span!r} and {following.span!r}")
    if any(not 0 <= e.span.start <= e.span.end <= len(text) for e in ordered):
        raise ValueError("an edit lies outside the text")
    windows = "\r\n" in text
    for edit in reversed(ordered):
        piece = edit.text.replace("\r\n", "\n").replace("\n", "\r\n") if windows else edit.text
        text = text[: edit.span.start] + piece + text[edit.span.end :]
    return text


def _fits(edits: Sequence[Edit], taken: dict[int, list[Edit]]) -> bool:
    others = [(edit, other) for edit in edits for other in taken.get(id(edit.span.source), ())]
    own = [(edit, other) for n, edit in enumerate(edits) for other in edits[:n]]
    return not any(_overlap(a, b) for a, b in [*others, *own])


def _overlap(a: Edit, b: Edit) -> bool:
    """Whether the order of doing the two would matter."""
    if a.span.source is not b.span.source:
        return False
    if a.span.start == b.span.start:  # two insertions at one place as well: which comes first is not said
        return True
    return a.span.start < b.span.end and b.span.start < a.span.end
