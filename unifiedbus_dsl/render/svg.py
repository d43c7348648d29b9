"""From what Graphviz writes to what a page shows: scales with the page, names itself to those who hear it, says on
hover what each mark is. Deterministic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from unifiedbus_dsl.base.platform import HAS_PROGRAMS
from unifiedbus_dsl.escape import xml
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.dark import HALOED, by_night, dark_rules
from unifiedbus_dsl.render.dot import BOLD, FONT, dot_text, mark_id
from unifiedbus_dsl.render.engine import DrawingError, draw
from unifiedbus_dsl.render.graph_dot import graph_text
from unifiedbus_dsl.render.marks import Picture
from unifiedbus_dsl.render.painted import painted

_HEAD = re.compile(r'.*?<svg [^>]*viewBox="0\.00 0\.00 ([\d.]+) ([\d.]+)"[^>]*>\n', re.DOTALL)
_FIRST_TITLE = re.compile(r"<title>picture</title>\n")
_GROUP = re.compile(r'<g id="([^"]*)" class="(?:node|edge|cluster)([^"]*)">\n<title>.*?</title>\n')
_COMMENT = re.compile(r"<!--.*?-->\n")
_EMPTY_LINK = re.compile(r'<g id="a_[^"]*"><a xlink:title="[^"]*">\n(.*?)</a>\n</g>\n', re.DOTALL)


def svg(picture: Picture, program: str | Path | None = None) -> str:
    """Return the picture as SVG text, drawn by Graphviz, to stand in a page that has its own colours. Where no program
    can be run it is written here."""
    raw = draw(dot_text(picture), "svg", program).decode() if HAS_PROGRAMS else painted(picture)
    return polished(raw, picture)


def drawn(
    picture: Picture,
    format: Literal["svg", "png", "pdf", "dot"],
    program: str | Path | None = None,
    *,
    scale: float = 1.0,
) -> bytes:
    """Return the picture in a file format; an SVG has the colours of a dark page too. PDF takes a `dot` of Graphviz
    itself; `dot` is a graph for Graphviz to lay out; a PNG is `scale` times as large.

    Raises:
        NoGraphvizError: there is nothing to draw with.
        DrawingError: what there is cannot write this format.
        NoGraphError: a `dot` of what is no picture of a network.
    """
    if format == "dot":
        return graph_text(picture).encode()
    if format == "svg":
        text = svg(picture, program)
        return (with_dark_mode(text) if picture.theme == "auto" else text).encode()
    return draw(dot_text(picture, scale), format, program)


def with_dark_mode(text: str) -> str:
    """Return an SVG that stands alone, with rules for readers who ask for a dark page."""
    return text.replace("</style>\n", f"\n{dark_rules(text)}</style>\n", 1)


def polished(raw: str, picture: Picture) -> str:
    """Graphviz' SVG with a responsive head, the title and description of the picture, and a title on each mark."""
    tips = {mark_id(mark.id): mark.tip for mark in picture.marks if mark.tip}
    head = _HEAD.match(raw)
    if head is None:
        raise DrawingError("Graphviz wrote no SVG")
    body = _COMMENT.sub("", raw[head.end() :])
    body = _FIRST_TITLE.sub("", body, count=1)
    body = body.replace(f' font-family="{BOLD},{FONT}"', ' font-weight="bold"').replace(f' font-family="{FONT}"', "")
    body = _GROUP.sub(lambda found: _group(found, tips), _EMPTY_LINK.sub(r"\1", body))
    return _head(picture, head[1], head[2]) + body


def _head(picture: Picture, width: str, height: str) -> str:
    ground = palette.LEVELS[0]
    halo = by_night(ground, "fill") if picture.theme == "dark" else ground
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="picture-title picture-description" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" style="max-width: 100%; height: auto" font-family="{FONT}">\n'
        f'<title id="picture-title">{xml.text(picture.title)}</title>\n'
        f'<desc id="picture-description">{xml.text(picture.description)}</desc>\n'
        "<style>a:hover path, a:hover polygon, a:hover ellipse { stroke-width: 2.5px }\n"
        f"{', '.join(f'.{role} text' for role in HALOED)} "
        f"{{ paint-order: stroke; stroke: {halo}; stroke-width: 4px }}</style>\n"
    )


def _group(found: re.Match[str], tips: Mapping[str, str]) -> str:
    id, role = found[1].replace("&#45;", "-"), found[2].strip()
    tip = tips.get(id)
    title = f"<title>{xml.text(tip)}</title>\n" if tip else ""
    return f'<g id="{id}" class="{role}">\n{title}'
