"""Swapped cables: two that are missing and two that are extra on the same four ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Protocol, TypeAlias, TypeVar


class _Ordered(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


End = TypeVar("End", bound=_Ordered)
Pair: TypeAlias = "tuple[frozenset[End], frozenset[End]]"


def find_swaps(
    missing: Collection[frozenset[End]], extra: Collection[frozenset[End]]
) -> Iterator[tuple[Pair[End], Pair[End]]]:
    """Yield the two missing and the two extra cables of each swap, in order; no cable is in two."""
    left, there = dict.fromkeys(sorted(missing, key=sorted)), set(extra)
    at = {end: ends for ends in extra for end in ends}
    of = {end: ends for ends in missing for end in ends}
    for ends in list(left):
        if ends not in left or len(ends) < 2:
            continue
        first, second = (at.get(end) for end in sorted(ends))
        if first is None or second is None or not {first, second} <= there or len(first | second) != 4:
            continue
        other = frozenset((first | second) - ends)
        if of.get(min(other)) == other and other in left:
            del left[ends], left[other]
            there -= {first, second}
            yield (ends, other), (first, second)
