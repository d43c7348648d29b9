"""Did you mean: the nearest of the words that are legal at a place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from itertools import islice

from unifiedbus_dsl.base.work import may_guess

__all__ = ["UnknownNameError", "did_you_mean", "distance", "names_there", "no_such"]

_LONGEST = 64
"""Words longer than this are only compared letter for letter without their case."""

_NAMED = 24
"""Names that are written out where all of some are told of."""


class UnknownNameError(KeyError):
    """There is nothing of this name; the sentence says what there is."""

    def __str__(self) -> str:
        return str(self.args[0])


def no_such(noun: str, name: str, names: Sequence[str], where: str = "") -> str:
    """Return the sentence that says that there is no `noun` of this name, and which one was meant or what there is."""
    meant = did_you_mean(name, names)
    there = f"there are {', '.join(names)}" if len(names) > 1 else f"there is {names[0]}" if names else "there is none"
    return f"no {noun} `{name}`{where}; " + (f"did you mean `{meant}`?" if meant else there)


def names_there(names: Collection[str], before: str = "") -> str:
    """Return the first names, each behind `before`, and how many more there are; `none` where there are none."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{before}{name}`" for name in islice(names, _NAMED)) + more or "none"


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` was probably meant to be, or None.

    First one that differs by case only; then the nearest by edit distance, if it is near enough (a third of the
    longer word, at least one edit; a single letter is never taken for another); then the only one that `word`
    begins. The same candidates in any order give the same answer.
    """
    if not may_guess(0):
        return None
    distinct = set(candidates) - {word, ""}
    if not may_guess(len(distinct)):
        return None
    words = sorted(distinct)
    folded = word.casefold()
    same = [candidate for candidate in words if candidate.casefold() == folded]
    if same:
        return same[0]
    comparable = [(c, _allowed(folded, c)) for c in words if _comparable(folded, c)]
    near = [(distance(folded, c.casefold(), most), most, c) for c, most in comparable]
    close = [(edits, _unlike(word, c), c) for edits, most, c in near if edits <= most]
    if close:
        return min(close)[2]
    longer = [candidate for candidate in words if candidate.casefold().startswith(folded)]
    return longer[0] if len(longer) == 1 and len(word) >= 3 else None


def _comparable(word: str, candidate: str) -> bool:
    longest, shortest = max(len(word), len(candidate)), min(len(word), len(candidate))
    return longest <= _LONGEST and longest - shortest <= _allowed(word, candidate)


def _allowed(word: str, candidate: str) -> int:
    if len(word) < 2 or len(candidate) < 2:
        return 0
    return max(1, max(len(word), len(candidate)) // 3)


def _unlike(word: str, candidate: str) -> int:
    """0 where the first letters agree: people seldom get those wrong."""
    return int(word[:1].casefold() != candidate[:1].casefold())


@lru_cache(maxsize=4096)
def distance(a: str, b: str, most: int | None = None) -> int:
    """Edits from `a` to `b`: a letter added, left out, changed, or two neighbours swapped (each stretch once).

    Stops as soon as there are surely more than `most`, and then gives some number above it.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        if most is not None and min(row) > most and min(last) > most:
            return most + 1
        before, last = last, row
    return last[-1]
