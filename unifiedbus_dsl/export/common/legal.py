"""Names as a target wants them: those that its rule allows stay to the letter, the others are made legal and told."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from unifiedbus_dsl.escape.csv import table
from unifiedbus_dsl.export.common.words import own_name, plain


@frozen
class Rule:
    """What names a target takes: an expression for the whole of one, and how long it may be."""

    pattern: str
    longest: int

    def allows(self, name: str) -> bool:
        """Return whether a name may stay."""
        return len(name) <= self.longest and re.fullmatch(self.pattern, name) is not None


HOST = Rule(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", 63)
"""Host names as RFC 952 and 1123 have them, with the underscore and in capitals; what Slurm and most files take."""
DNS = Rule(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", 63)
"""Kubernetes: small letters, digits, `-` and `.`."""

ANY = Rule(r"(?s).+", 1 << 20)
"""Whatever there is: lists for people."""


def legal(names: Iterable[str], rule: Rule) -> list[str]:
    """Return a legal and distinct name for each of these, in order; equal names give one."""
    every = list(names)
    legal_of = {name: name for name in every if rule.allows(name)}
    taken = set(legal_of)
    for name in every:
        if name in legal_of:
            continue
        own = own_name(name)
        base = own if rule.allows(own) else plain(own)[: rule.longest - 8].rstrip("-")
        new, number = base, 1
        while new in taken:
            number += 1
            new = f"{base}-{number}"
        taken.add(new)
        legal_of[name] = new
    return [legal_of[name] for name in every]


def map_text(changed: Iterable[tuple[str, str]]) -> str:
    """Return the map of names that had to change, as CSV: the site's name, and the one in the file."""
    return table([("name", "written_as"), *changed])
