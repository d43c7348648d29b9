"""Colours. Those of cables are from the palette of Okabe and Ito, but for the dark purple of the backplane. People with
any kind of colour blindness tell them apart, and every label names the medium too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from attrs import frozen

INK = "#1c2733"
QUIET = "#55626f"
HAIR = "#c3cad2"
PAPER = "#ffffff"
BLACK = "#000000"
LIGHT = 0.82
"""Lightness from which a fill is a ground."""
_READABLE = 4.5
LEVELS = ("#f4f6f8", "#ffffff", "#f4f6f8", "#ffffff", "#f4f6f8")
FRAME = "#8893a1"


def ink(colour: str) -> str:
    """Return a colour as text takes it: darker, where on white it would be hard to read (contrast 4.5 of WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    while 1.05 / (_luminance(parts) + 0.05) < 4.6:
        parts = [int(part * 0.95) for part in parts]
    return "#" + "".join(f"{part:02x}" for part in parts) + colour[7:]


def is_dark(fill: str) -> bool:
    """Return whether a fill is no light ground, which by night becomes a dark one: text on it is white or black."""
    parts = [int(fill[i : i + 2], 16) for i in (1, 3, 5)]
    return (max(parts) + min(parts)) / 510 < LIGHT or contrast(INK, fill) < _READABLE


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2), at least 1."""
    dark, light = sorted(_luminance([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) + 0.05 for colour in (a, b))
    return light / dark


def _luminance(parts: Sequence[int]) -> float:
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


_MEDIA = {
    "pcb": "#009e73",
    "backplane": "#4d194d",
    "copper": "#d55e00",
    "active_copper": "#cc79a7",
    "optical": "#0072b2",
}
_OTHERS = ("#e69f00", "#56b4e9", "#7f3c8d", "#3d3d3d", "#8c6d31")


Shape: TypeAlias = Literal["rounded", "square", "ellipse", "octagon", "note"]


@frozen
class KindStyle:
    """Fill, outline and shape."""

    fill: str
    stroke: str
    shape: Shape = "rounded"

    @property
    def ink(self) -> str:
        """Return the colour in which a text on the fill can be read: contrast 4.5 of WCAG 2, by day and by night."""
        if not is_dark(self.fill):
            return INK
        return PAPER if contrast(PAPER, self.fill) >= _READABLE else BLACK


KINDS = {
    "npu": KindStyle("#dbe9f6", "#2b5c8a"),
    "switch": KindStyle("#fdebc8", "#8a5a00", "octagon"),
    "cpu": KindStyle("#e8e0f3", "#5b3b8c", "note"),
    "nic": KindStyle("#dcefe4", "#1e6b45", "ellipse"),
    "device": KindStyle("#e6e9ec", "#55626f", "square"),
}
"""Kinds of devices: each of a shape of its own too, which grey and every eye leave."""


def kind_style(kind: str) -> KindStyle:
    """Return how devices of a kind look; one that a file of another tool made up looks like any other device."""
    return KINDS.get(kind, KINDS["device"])


def medium_colours(media: Sequence[str]) -> dict[str, str]:
    """Return a colour for each medium, the known ones always the same."""
    unknown = [name for name in sorted(set(media)) if name not in _MEDIA]
    spare = {name: _OTHERS[i % len(_OTHERS)] for i, name in enumerate(unknown)}
    return {name: _MEDIA.get(name) or spare[name] for name in sorted(set(media))}


def medium_name(medium: str) -> str:
    """As people write it."""
    return {"pcb": "PCB", "active_copper": "active copper"}.get(medium, medium)


STEPS = ("#eff3ff", "#c6dbef", "#9ecae1", "#6baed6", "#4d9dd0", "#2171b5", "#084594")
"""From little to much: `Blues` of ColorBrewer (Brewer, 2003), which grow darker for every eye; the fifth is a little
lighter, so that text on it can be read."""
DARK_STEPS = STEPS[5:]
"""Those on which text is white."""

LOAD_LIMITS = (0.25, 0.5, 0.75, 1.0, 2.0)
LOADS = ("#8393a3", "#328ccc", "#b77a00", "#9f2608", "#6a1b9a", "#42000b")
"""Load of a cable in parts of what it carries, the same in every picture; the last two are of more than it carries."""

LOST = "#e60050"
"""What a scenario has taken: parts and cables."""
GONE = KindStyle(PAPER, LOST)
"""A part that a scenario has taken."""

SORTS = (
    KindStyle("#dbe9f6", "#2b5c8a"),
    KindStyle("#fdebc8", "#8a5a00"),
    KindStyle("#dcefe4", "#1e6b45"),
    KindStyle("#f6dfea", "#8a2b5c"),
    KindStyle("#e8e0f3", "#5b3b8c"),
    KindStyle("#e6e9ec", "#55626f"),
)
"""Parts coloured by what they are."""
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#3d3d3d", "#8c00f0", "#643c00", "#3c00a0")
"""Cables coloured by something other than their medium: as far apart as eight can be for every eye."""
