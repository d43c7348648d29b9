"""Colours of a picture where a reader asks for a dark page: rules by `prefers-color-scheme`, for an SVG that stands
in a file of its own.

Grounds become dark in the same hue, lines and text light enough to be read on them. Steps that grow darker by day grow
lighter by night. Tables of colours stay as they are, with the text in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from colorsys import hls_to_rgb, rgb_to_hls

from attrs import evolve

from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import Box, Mark, Text
from unifiedbus_dsl.render.palette import contrast
from unifiedbus_dsl.render.scope import within

KEPT = ("cell", "value", "no-cell")
"""Roles of marks that keep their colours."""
PAPER = "#10161d"
HALOED = ("array-name", "array-note", "frame-name", "open-name")
"""Roles of texts that have the ground around their letters."""
_READABLE = 4.6
_NAMED: Mapping[str, str] = {
    palette.PAPER: PAPER,
    palette.LEVELS[0]: "#18212b",
    palette.HAIR: "#3b4856",
    palette.FRAME: "#6f7d8c",
    palette.INK: "#e9eef4",
    palette.QUIET: "#a9b6c3",
    palette.BLACK: PAPER,
    **dict(zip(palette.LOADS, ("#3e6b7b", "#40c4e9", "#b69d04", "#d77260", "#a072ff", "#ebffe7"), strict=True)),
    "#cc79a7": "#ac72b1",
    "#4d194d": "#fbe5ff",
    "#d55e00": "#d45f00",
    "#0072b2": "#3378ff",
    "#009e73": "#5bea92",
    "#3d3d3d": "#c8f0f0",
    "#8c00f0": "#f0f000",
    "#643c00": "#f0b450",
    "#3c00a0": "#788c64",
}

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_OWN = frozenset(
    [
        *(("fill", colour) for colour in (palette.PAPER, palette.INK, palette.QUIET)),
        *(("fill", style.fill) for style in palette.KINDS.values()),
        *(("stroke", style.stroke) for style in palette.KINDS.values()),
        *(("stroke", colour) for colour in (palette.FRAME, *palette.LOADS)),
    ]
)
"""What a page draws itself."""
_COLOUR = re.compile(r'(fill|stroke)="(#[0-9a-f]{6})"')


def dark_rules(svg: str) -> str:
    """Return the rules for the colours that an SVG uses, in the order of their names."""
    return "@media (prefers-color-scheme: dark) {\n" + night_rules(set(_COLOUR.findall(svg))) + "\n}"


def page_style(svgs: Iterable[str]) -> str:
    """Return the styles that pictures in the element `sheet` of a page bring along, with those of the night where the
    page is dark, by its `data-theme`."""
    own = {rules for svg in svgs for rules in _STYLE.findall(svg)}
    by_day = "\n".join(within("#sheet", rules) for rules in sorted(own))
    return by_day + "\n" + within(':root[data-theme="dark"] #sheet', night_rules(()))


def night_colours(svgs: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the counterpart of each colour of pictures, and of what a page draws itself, by what it is of."""
    used = _OWN.union(*(_COLOUR.findall(svg) for svg in svgs))
    return {what: {c: by_night(c, what) for of, c in sorted(used) if of == what} for what in ("fill", "stroke")}


def night_rules(colours: Iterable[tuple[str, str]]) -> str:
    """Return a rule for each colour, given with what it is of, `fill` or `stroke`."""
    used = sorted(set(colours))
    kept = "".join(f":not(.{role})" for role in KEPT)
    rules = [f'g{kept} > [{what}="{colour}"] {{ {what}: {by_night(colour, what)} }}' for what, colour in used]
    halo = ", ".join(f".{role} text" for role in HALOED) + f" {{ stroke: {_NAMED[palette.LEVELS[0]]} }}"
    linked = [f'a > [{what}="{colour}"] {{ {what}: {by_night(colour, what)} }}' for what, colour in used]
    return "\n".join([*rules, *linked, halo])


def darkened(mark: Mark) -> Mark:
    """Return a mark in the colours of a dark page."""
    if mark.role in KEPT:
        return mark
    if isinstance(mark, Box):
        return evolve(mark, fill=by_night(mark.fill, "fill"), stroke=by_night(mark.stroke, "stroke"))
    own, shade = mark.colour[:7], mark.colour[7:]
    return evolve(mark, colour=by_night(own, "fill" if isinstance(mark, Text) else "stroke") + shade)


def by_night(colour: str, what: str) -> str:
    """Return the counterpart of a colour of a fill or a stroke."""
    if colour in _NAMED:
        return _NAMED[colour]
    hue, lightness, saturation = rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    if what == "fill" and not palette.is_dark(colour):
        return _hex(hls_to_rgb(hue, 0.21, min(saturation, 0.45)))
    while contrast(_hex(hls_to_rgb(hue, lightness, saturation)), PAPER) < _READABLE and lightness < 1:
        lightness += 0.01
    return _hex(hls_to_rgb(hue, min(lightness, 1.0), saturation))


def _hex(parts: Iterable[float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
