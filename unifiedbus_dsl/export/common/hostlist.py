"""Slurm's host lists: `s[0-127]`, `rack[00-07,12]` (slurm/src/common/hostlist.c). Only the last number is folded.

Numbers that begin with a zero have a fixed width: `s007` and `s7` are two hosts, and `fold` keeps them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod

_LAST_NUMBER = re.compile(r"(.*?)(\d+)\Z", re.DOTALL)
_BRACKETS = re.compile(r"\[([^\]]*)\]")

MOST_NAMES = 2**20
"""Names of a list at the most: sixteen of the longest ranges that Slurm takes (MAX_RANGE)."""


def fold(names: Iterable[str]) -> str:
    """Return the shortest such list of these names; they are unfolded in order of prefix (as first met) and number."""
    return ",".join(folded(names))


def fold_in_order(names: Iterable[str]) -> str:
    """Return a list that unfolds to these names in this order: only numbers that follow each other are folded."""
    runs: list[tuple[str, int, int]] = []
    for name in names:
        match = _LAST_NUMBER.match(name)
        number = int(match[2]) if match and (match[2] == "0" or match[2][0] != "0") else -1
        prefix = match[1] if match and number >= 0 else name
        if runs and number > 0 and runs[-1][0] == prefix and runs[-1][2] == number - 1:
            runs[-1] = prefix, runs[-1][1], number
        else:
            runs.append((prefix, number, number))
    texts = []
    for prefix, low, high in runs:
        texts.append(prefix if low < 0 else f"{prefix}{low}" if low == high else f"{prefix}[{low}-{high}]")
    return ",".join(texts)


def folded(names: Iterable[str]) -> list[str]:
    """Return one text for each prefix and width."""
    return [
        f"{prefix}{texts[0]}" if len(texts) == 1 and "-" not in texts[0] else f"{prefix}[{','.join(texts)}]"
        if texts else prefix
        for prefix, texts in ((prefix, _texts(runs, width)) for prefix, width, runs in ranges(names))
    ]  # fmt: skip


def ranges(names: Iterable[str]) -> Iterator[tuple[str, int, list[tuple[int, int]]]]:
    """Prefix, width of padded numbers (0 for plain ones) and ranges of numbers; no ranges for a name without number."""
    groups: dict[str, list[str]] = {}
    for name in names:
        match = _LAST_NUMBER.match(name)
        prefix, digits = (match[1], match[2]) if match else (name, "")
        groups.setdefault(prefix, []).append(digits)
    for prefix, texts in groups.items():
        if "" in texts:
            yield prefix, 0, []
        wide = {len(text) for text in texts if len(text) > 1 and text[0] == "0"}
        for width in sorted({len(text) if len(text) in wide else 0 for text in texts if text}):
            numbers = {int(text) for text in texts if text and (len(text) if len(text) in wide else 0) == width}
            yield prefix, width, _runs(sorted(numbers))


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for value in numbers:
        if runs and runs[-1][1] == value - 1:
            runs[-1] = runs[-1][0], value
        else:
            runs.append((value, value))
    return runs


def _texts(runs: list[tuple[int, int]], width: int) -> list[str]:
    return [f"{a:0{width}}" if a == b else f"{a:0{width}}-{b:0{width}}" for a, b in runs]


def unfold(text: str) -> list[str]:
    """Return the names of a list, in its order.

    Raises:
        ValueError: a bracket is not closed, or holds no numbers; or there are more than `MOST_NAMES`.
    """
    if re.sub(_BRACKETS, "", text).strip(",") != re.sub(r"[\[\]]", "", re.sub(_BRACKETS, "", text)).strip(","):
        raise ValueError(f"`{text}` has a bracket without its counterpart")
    words = re.findall(r"(?:[^,\[]|\[[^\]]*\])+", text)
    parts = [_BRACKETS.split(word) for word in words]
    if sum(prod(_count(inside) for inside in each[1::2]) for each in parts) > MOST_NAMES:
        raise ValueError(f"`{text[:40]}` stands for more than {MOST_NAMES:,} names")
    return [name for each in parts for name in _names(each)]


def _names(parts: list[str]) -> Iterator[str]:
    choices = [[part] if n % 2 == 0 else list(_numbers(part)) for n, part in enumerate(parts)]
    return ("".join(choice) for choice in product(*choices))


def _count(inside: str) -> int:
    return sum(max(0, int(high) + 1 - int(low)) for low, high in _bounds(inside))


def _numbers(inside: str) -> Iterator[str]:
    for low, high in _bounds(inside):
        width = len(low) if low[0] == "0" and len(low) > 1 else 0
        yield from (f"{value:0{width}}" for value in range(int(low), int(high) + 1))


def _bounds(inside: str) -> Iterator[tuple[str, str]]:
    """Yield the ends of each range in brackets, as they are written."""
    for part in inside.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        if match is None:
            raise ValueError(f"`{part}` in brackets is no number or range")
        yield match[1], match[2] or match[1]


def pattern(names: Iterable[str]) -> str:
    """Return a regular expression (RE2, as Kubernetes has) that matches these names and no others."""
    words = []
    for prefix, width, runs in ranges(names):
        choices = [c for low, high in runs for c in _digits(low, high, width)]
        inner = "" if not choices else choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"
        words.append(re.escape(prefix).replace("\\-", "-") + inner)
    return f"^{words[0]}$" if len(words) == 1 else f"^(?:{'|'.join(words)})$"


def _digits(low: int, high: int, width: int) -> Iterator[str]:
    """Expressions for `low..high`, one for each stretch that differs in a free tail of digits."""
    while low <= high:
        size = 1
        while low % (size * 10) == 0 and low + size * 10 - 1 <= high and (width or low > 0):
            size *= 10
        max_count = min(high - low + 1, size * (10 - low // size % 10)) // size
        if not width and low == 0:
            size, max_count = 1, min(high, 9) + 1
        yield _stretch(f"{low:0{width}}", len(str(size)) - 1, max_count)
        low += max_count * size


def _stretch(first: str, free: int, count: int) -> str:
    """Return numbers whose last `free` digits are any and whose digit before runs over `count` values from that of
    `first`."""
    head, digit = first[: len(first) - free - 1], int(first[len(first) - free - 1])
    middle = str(digit) if count == 1 else f"[{digit}-{digit + count - 1}]"
    return head + middle + "[0-9]" * free
