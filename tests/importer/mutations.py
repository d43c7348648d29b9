"""Files as they come: cut, doubled, with noise between the lines, with letters changed, in other encodings."""

from __future__ import annotations

import random
from collections.abc import Callable

NOISE = (
    "ibwarn: [4711] _do_madrpc: recv failed: Connection timed out", "user@mgmt1:~$ ", "", "   \t ", "Warning: timeout",
    "\x1b[31mERROR\x1b[0m", "--- more ---", "\ufeff", "'=1+1", "\x00", "[1]", "Switch", '"', "{", "}", "<", ",,,,,,",
    ";;;",
)  # fmt: skip


def _cut(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _tail(text: str, rng: random.Random) -> str:
    return text[rng.randrange(len(text) + 1) :]


def _lines(change: Callable[[list[str], random.Random], None]) -> Callable[[str, random.Random], str]:
    def mutate(text: str, rng: random.Random) -> str:
        lines = text.split("\n")
        change(lines, rng)
        return "\n".join(lines)

    return mutate


def _noise(lines: list[str], rng: random.Random) -> None:
    for _ in range(rng.randrange(1, 4)):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(NOISE))


def _double(lines: list[str], rng: random.Random) -> None:
    at = rng.randrange(len(lines))
    lines.insert(rng.randrange(len(lines) + 1), lines[at])


def _drop(lines: list[str], rng: random.Random) -> None:
    del lines[rng.randrange(len(lines))]


def _swap(lines: list[str], rng: random.Random) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _blanks(lines: list[str], rng: random.Random) -> None:
    for at in range(len(lines)):
        if rng.random() < 0.3:
            lines[at] += rng.choice((" ", "\t", "  ", "\r"))


def _letters(text: str, rng: random.Random) -> str:
    found = list(text)
    for _ in range(rng.randrange(1, 6)):
        if found:
            found[rng.randrange(len(found))] = rng.choice("\"'[]{}<>,;:\t\n\x00é0123456789aSH-")
    return "".join(found)


MUTATIONS = (_cut, _tail, _letters, *map(_lines, (_noise, _double, _drop, _swap, _blanks)))


def mutated(text: str, rng: random.Random) -> bytes:
    """Return a file after one to three such changes."""
    for _ in range(rng.randrange(1, 4)):
        text = rng.choice(MUTATIONS)(text, rng)
    return text.encode(rng.choice(("utf-8", "utf-8", "utf-8", "utf-16", "latin-1")), "replace")
