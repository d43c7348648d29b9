"""What a picture claims, read back from its SVG alone and held against the fabric.

A drawn cable names how many cables it stands for and the two boxes that it joins; its line runs from one of them to the
other, behind no box that is not around one of its ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from xml.etree import ElementTree

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from tests.render.reading import SVG
from unifiedbus_dsl.ir.fabric import Fabric

BOXES = {"part", "device", "gap", "array"}
_CABLE = re.compile(r"([\d,]+) × (\S+): (.+) -- ([^\n]+?)(?:, lost)?$", re.MULTILINE)
_NUMBERS = re.compile(r"-?[\d.]+")
_EDGE = 1.5
"""Points by which a line may touch a box."""

Rect = tuple[float, float, float, float]


@frozen
class Drawn:
    """A box as it is drawn: its name and its rectangle."""

    id: str
    name: str
    rect: Rect


@frozen(eq=False)
class Cable:
    """A line as it is drawn: what it says and the points that it passes, shape (n, 2)."""

    id: str
    link: str
    cables: int
    ends: tuple[str, str]
    points: NDArray[np.float64]


@frozen(eq=False, slots=False)
class Drawing:
    """The boxes and cables of an SVG."""

    boxes: Sequence[Drawn]
    cables: Sequence[Cable]
    silent: Sequence[str] = field(factory=tuple)
    """Lines drawn as cables that do not say what they are."""

    @cached_property
    def by_name(self) -> Mapping[str, Drawn]:
        return {box.name: box for box in self.boxes if box.name}


def drawing(svg: str, panel: str = "") -> Drawing:
    """Read the boxes and the cables of an SVG, or of one of its panels: marks whose ids begin with its name."""
    boxes, cables, silent = [], [], []
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if not group.get("id", "").startswith(panel):
            continue
        role = group.get("class", "").partition(" ")[0]
        tip = group.findtext(f"{SVG}title") or ""
        if role in BOXES:
            name = tip.partition(" : ")[0].removeprefix("spare ")
            boxes.append(Drawn(group.attrib["id"], name, _rect(group)))
        elif role in ("cable", "cable-lost"):
            said = _CABLE.search(tip)
            if said is None:
                silent.append(group.attrib["id"])
                continue
            path = next(p.attrib["d"] for p in group.iter(f"{SVG}path"))
            count = int(said[1].replace(",", ""))
            cables.append(Cable(group.attrib["id"], said[2], count, (said[3], said[4]), _curve(path)))
    return Drawing(boxes, cables, silent)


def _rect(group: ElementTree.Element) -> Rect:
    for shape in group.iter():
        if shape.tag == f"{SVG}ellipse":
            x, y, rx, ry = (float(shape.attrib[key]) for key in ("cx", "cy", "rx", "ry"))
            return x - rx, y - ry, x + rx, y + ry
        if shape.tag in (f"{SVG}path", f"{SVG}polygon"):
            text = shape.get("d") or shape.get("points") or ""
            at = np.array([float(n) for n in _NUMBERS.findall(text)]).reshape(-1, 2)
            return (*at.min(axis=0).tolist(), *at.max(axis=0).tolist())
    raise AssertionError(f"{group.get('id')} has no shape")


def _curve(path: str) -> NDArray[np.float64]:
    """Points along a Bézier curve, about 3 apart."""
    at = np.array([float(n) for n in _NUMBERS.findall(path)]).reshape(-1, 2)
    pieces = [at[:1]]
    for k in range(0, len(at) - 1, 3):
        a, b, c, d = at[k : k + 4]
        count = int(min(300, max(4, np.abs(np.diff(at[k : k + 4], axis=0)).sum() / 3)))
        t = np.linspace(0, 1, count)[1:, None]
        pieces.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)
    return np.concatenate(pieces)


def crossings(shown: Drawing) -> list[tuple[str, str]]:
    """Return each cable with a box that it runs behind and that is not around one of its ends."""
    rects = np.array([box.rect for box in shown.boxes]).reshape(-1, 4)
    found = []
    for cable in shown.cables:
        own = np.zeros(len(rects), bool)
        for name in cable.ends:
            if name in shown.by_name:
                x0, y0, x1, y1 = shown.by_name[name].rect
                x, y = (x0 + x1) / 2, (y0 + y1) / 2
                own |= (rects[:, 0] < x) & (x < rects[:, 2]) & (rects[:, 1] < y) & (y < rects[:, 3])
        low, high = cable.points.min(axis=0), cable.points.max(axis=0)
        near = (
            ~own & (rects[:, 0] < high[0]) & (low[0] < rects[:, 2]) & (rects[:, 1] < high[1]) & (low[1] < rects[:, 3])
        )
        boxes = np.flatnonzero(near)
        x, y = cable.points.T[:, :, None]
        x0, y0, x1, y1 = rects[boxes].T
        inside = (x0 + _EDGE < x) & (x < x1 - _EDGE) & (y0 + _EDGE < y) & (y < y1 - _EDGE)
        found += [(cable.id, shown.boxes[k].id) for k in boxes[inside.any(axis=0)].tolist()]
    return found


def astray(shown: Drawing) -> list[tuple[str, str]]:
    """Return each cable with an end that it names and does not reach, or that is no box."""
    found = []
    for cable in shown.cables:
        tips = cable.points[[0, -1]]
        for name in cable.ends:
            box = shown.by_name.get(name)
            if box is None:
                found.append((cable.id, name))
                continue
            x0, y0, x1, y1 = box.rect
            reached = (x0 - 4 <= tips[:, 0]) & (tips[:, 0] <= x1 + 4) & (y0 - 7 <= tips[:, 1]) & (tips[:, 1] <= y1 + 4)
            if not reached.any():
                found.append((cable.id, name))
    return found


def _pattern(name: str) -> re.Pattern[str]:
    """A pattern of the devices in a box: `tray[0..3].npu[1, *]`."""
    text = re.escape(name)
    text = re.sub(r"\\\*", r"\\d+", text)
    text = re.sub(
        r"(\d+)\\\.\\\.(\d+)", lambda m: "(?:" + "|".join(map(str, range(int(m[1]), int(m[2]) + 1))) + ")", text
    )
    return re.compile(text + r"(?:\..*)?\Z")


def _contents(boxes: Sequence[str], devices: Sequence[str]) -> Mapping[str, frozenset[int]]:
    """The devices in each box, by number."""
    found: dict[str, set[int]] = {name: set() for name in boxes}
    for number, device in enumerate(devices):
        parts = device.split(".")
        for end in range(1, len(parts) + 1):
            name = ".".join(parts[:end])
            if name in found:
                found[name].add(number)
    for name in boxes:
        if "*" in name or ".." in name:
            pattern = _pattern(name)
            found[name] = {number for number, device in enumerate(devices) if pattern.match(device)}
    return {name: frozenset(numbers) for name, numbers in found.items()}


def differences(shown: Drawing, fabric: Fabric) -> list[str]:
    """Return in what the cables of a picture of a whole machine differ from those of its fabric: for each link and each
    two innermost boxes, how many cables there are and how many are drawn."""
    names = [str(name) for name in fabric.device_names(np.arange(fabric.device_count)).tolist()]
    boxes = [box for box in shown.boxes if box.name]
    inside = _contents([box.name for box in boxes], names)
    order = sorted(boxes, key=lambda box: -len(inside[box.name]))
    innermost = np.full(len(names), -1)
    for number, box in enumerate(order):
        innermost[list(inside[box.name])] = number
    said = [f"{names[i]} is in no box" for i in np.flatnonzero(innermost < 0).tolist()]
    links = fabric.kinds.link[fabric.kind]
    link_names = list(fabric.plan.links)
    there: Counter[tuple[int, int, str]] = Counter()
    ends = innermost[fabric.a_device], innermost[fabric.b_device]
    codes, counts = np.unique(np.stack([np.minimum(*ends), np.maximum(*ends), links]), axis=1, return_counts=True)
    for (a, b, link), count in zip(codes.T.tolist(), counts.tolist(), strict=True):
        if a != b:
            there[a, b, link_names[link]] += count
    drawn: Counter[frozenset[tuple[int, int, str]]] = Counter()
    for cable in shown.cables:
        sides = [set(innermost[list(inside.get(name, ()))].tolist()) for name in cable.ends]
        pairs = frozenset((min(a, b), max(a, b), cable.link) for a in sides[0] for b in sides[1])
        drawn[pairs & set(there)] += cable.cables
    covered: set[tuple[int, int, str]] = set()
    for some, count in drawn.items():
        real = sum(there[pair] for pair in some)
        what = sorted(f"{order[a].name} -- {order[b].name} over {link}" for a, b, link in some)
        if some & covered:
            said.append(f"drawn twice: {what}")
        if real != count:
            said.append(f"{count} cables are drawn, {real} are there: {what}")
        covered |= some
    missing = set(there) - covered
    return said + [f"{order[a].name} -- {order[b].name}: {there[a, b, c]} × {c} not drawn" for a, b, c in missing]
