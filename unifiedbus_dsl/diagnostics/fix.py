"""Apply the machine fixes of diagnostics to texts. Nothing here touches a file."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from attrs import define, field, frozen

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.diagnostics import Diagnostic, Edit

__all__ = ["FixedText", "apply_edits", "apply_fixes"]


@frozen
class FixedText:
    """A source and its text with `fixes` fixes applied."""

    source: Source
    text: str
    fixes: int


def apply_fixes(diagnostics: Iterable[Diagnostic]) -> tuple[FixedText, ...]:
    """Return the new texts of all sources that some fix changes, in order of name.

    Fixes are taken in file order. One is taken whole or not at all: it is left for another run where one of its edits
    overlaps an edit already taken.
    """
    taken: dict[int, _TakenFixes] = {}
    for diagnostic in sorted(diagnostics, key=lambda d: d.order):
        edits = diagnostic.fix.edits if diagnostic.fix else ()
        if edits and _fits(edits, taken):
            _take(edits, taken)
    mended = [FixedText(each.source, apply_edits(each.source.text, each.edits), each.fixes) for each in taken.values()]
    return tuple(sorted(mended, key=lambda m: m.source.name))


@define
class _TakenFixes:
    """The edits taken of one source, and their ranges in order."""

    source: Source
    edits: list[Edit] = field(factory=list)
    ranges: list[tuple[int, int]] = field(factory=list)
    fixes: int = 0

    def is_free(self, edit: Edit) -> bool:
        """Return whether no range that is taken, of which only the neighbours can be in the way, overlaps the edit."""
        own = (edit.span.start, edit.span.end)
        at = bisect(self.ranges, own)
        return not any(_overlap(own, other) for other in self.ranges[max(0, at - 1) : at + 1])


def _take(edits: Sequence[Edit], taken: dict[int, _TakenFixes]) -> None:
    for edit in edits:
        of = taken.setdefault(id(edit.span.source), _TakenFixes(edit.span.source))
        of.edits.append(edit)
        insort(of.ranges, (edit.span.start, edit.span.end))
    for key in {id(edit.span.source) for edit in edits}:
        taken[key].fixes += 1


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """`text` with the edits done; their places are those of the text as it was.

    New line ends are written as the text writes its own.

    Raises:
        ValueError: two edits overlap, or one lies outside the text.
    """
    ordered = sorted(edits, key=lambda e: (e.span.start, e.span.end))
    for edit, following in pairwise(ordered):
        if _overlap((edit.span.start, edit.span.end), (following.span.start, following.span.end)):
            raise ValueError(f"edits overlap at {edit.span!r} and {following.span!r}")
    if any(not 0 <= e.span.start <= e.span.end <= len(text) for e in ordered):
        raise ValueError("an edit lies outside the text")
    windows = "\r\n" in text
    parts, at = [], 0
    for edit in ordered:
        parts += [text[at : edit.span.start], _with_line_ends(edit.text, windows)]
        at = edit.span.end
    return "".join([*parts, text[at:]])


def _with_line_ends(text: str, windows: bool) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if windows else text


def _fits(edits: Sequence[Edit], taken: dict[int, _TakenFixes]) -> bool:
    alone = not any(
        a.span.source is b.span.source and _overlap((a.span.start, a.span.end), (b.span.start, b.span.end))
        for a, b in combinations(edits, 2)
    )
    return alone and all(of is None or of.is_free(edit) for edit in edits for of in [taken.get(id(edit.span.source))])


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    """Return whether the order of doing the two would matter."""
    if a[0] == b[0]:  # two insertions at one place as well: which comes first is not said
        return True
    return a[0] < b[1] and b[0] < a[1]
