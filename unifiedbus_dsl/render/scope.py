"""An SVG that shares a page with others, as in a notebook: its ids and its styles are its own."""

from __future__ import annotations

import hashlib
import re

_ID = re.compile(r'(<[^<>]*?\sid=")([^"]*")')
_LABELS = re.compile(r'(<svg [^>]*?aria-labelledby=")([^"]*)"')
_STYLE = re.compile(r"(<style>)(.*?)(</style>)", re.DOTALL)
_SELECTORS = re.compile(r"(^|[{}])(\s*)([^{}@]+?)(\s*\{)")


def scoped(svg: str) -> str:
    """Return the SVG with ids that begin with a name of its own, made of what it shows, and styles that hold inside of
    it alone."""
    own = f"u{hashlib.sha256(svg.encode()).hexdigest()[:12]}"
    named = _ID.sub(rf"\g<1>{own}-\g<2>", svg)
    named = _LABELS.sub(lambda found: f'{found[1]}{" ".join(f"{own}-{each}" for each in found[2].split())}"', named, 1)
    named = _STYLE.sub(lambda found: found[1] + within(f"#{own}", found[2]) + found[3], named)
    return named.replace("<svg ", f'<svg id="{own}" ', 1)


def within(own: str, rules: str) -> str:
    """Return the rules of a style sheet, each selector below what `own` selects; those in `@media` too."""

    def below(found: re.Match[str]) -> str:
        inside = ", ".join(f"{own} {each.strip()}" for each in found[3].split(","))
        return f"{found[1]}{found[2]}{inside}{found[4]}"

    return _SELECTORS.sub(below, rules)
