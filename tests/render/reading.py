"""Shared helpers: reading a picture back from its SVG."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar
from xml.etree import ElementTree

from attrs import frozen

T = TypeVar("T")

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@frozen
class Shown:
    """One mark as the SVG has it."""

    role: str
    text: str
    tip: str
    href: str
    pieces: int


def read_back(svg: str) -> Mapping[str, Shown]:
    """Every mark of a picture by its id."""
    found: dict[str, Shown] = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if "class" not in group.attrib or group.get("class") == "graph":
            continue
        id = group.attrib["id"]
        assert id not in found, f"two marks with the id {id}"
        text = "".join(part.text or "" for part in group.iter(f"{SVG}text"))
        link = next((a.get(LINK, "") for a in group.iter(f"{SVG}a")), "")
        pieces = sum(1 for part in group.iter() if part.tag in {f"{SVG}path", f"{SVG}polygon", f"{SVG}ellipse"})
        found[id] = Shown(group.attrib["class"], text, group.findtext(f"{SVG}title") or "", link, pieces)
    return found


def timed(work: Callable[[], T], tries: int = 3) -> tuple[float, T]:
    """Seconds of processors, those of programs that it ran included, of the fastest of some tries, and what came out:
    the wall clock would tell of what else this machine does."""
    best = float("inf")
    for _ in range(tries):
        start = sum(os.times()[:4])
        result = work()
        best = min(best, sum(os.times()[:4]) - start)
    return best, result
