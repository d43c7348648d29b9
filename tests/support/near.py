"""Lines of the pages that the build makes, compared: word for word but for the ends of intervals.

The two proved bounds of an interval come from searches and first-order methods that add up in floating point; another
processor may end elsewhere. Exact figures may not differ at all.
"""

from __future__ import annotations

import re

WITHIN = 0.01
"""By how much of itself an end may differ."""
END = re.compile(r"([\d,]+(?:\.\d+)?)( ?\S.*)?")


def same(made: str, shown: str) -> bool:
    """Whether two lines of a table say the same, cell by cell."""
    if made == shown:
        return True
    pairs = list(zip(made.split(" | "), shown.split(" | "), strict=False))
    return made.count(" | ") == shown.count(" | ") and all(one == other or _near(one, other) for one, other in pairs)


def _near(one: str, other: str) -> bool:
    """Two intervals `A to B`, each end in the same unit and near the other's."""
    ends = [cell.split(" to ") for cell in (one, other)]
    return all(len(each) == 2 for each in ends) and all(_close(*pair) for pair in zip(*ends, strict=True))


def _close(one: str, other: str) -> bool:
    found = END.fullmatch(one), END.fullmatch(other)
    if found[0] is None or found[1] is None or found[0][2] != found[1][2]:
        return False
    a, b = (float(each[1].replace(",", "")) for each in found if each is not None)
    return abs(a - b) <= WITHIN * max(a, b)
