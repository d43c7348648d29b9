"""A picture as DOT text in which every position is given, for `neato -n2`.

Graphviz draws clusters, then edges, then nodes. So boxes that lie behind become clusters with their rectangle given,
lines become edges with their curve given, all else becomes nodes. It is built as a tree of statements;
`unifiedbus_dsl.escape.dot` writes it, so that what a spec says can never be markup.
"""

from __future__ import annotations

from urllib.parse import quote

from unifiedbus_dsl.escape import dot
from unifiedbus_dsl.render.dark import PAPER, darkened
from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, text_width

FONT = "Helvetica,Arial,Liberation Sans,Arimo,DejaVu Sans,sans-serif"
BOLD = "Helvetica-Bold"
_JUSTIFY = {"start": "\\l", "middle": "", "end": "\\r"}


PIXELS = 96
"""Pixels of an inch in a PNG."""


def dot_text(picture: Picture, scale: float = 1.0) -> str:
    """Return the picture in the DOT language; pixels drawn from it are `scale` times as many each way."""
    height = picture.height
    dark = picture.theme == "dark"
    corners = {"bb": f"0,0,{_n(picture.width)},{_n(height)}"}
    frame = {"outputorder": "edgesfirst", "bgcolor": PAPER if dark else "#ffffff", "pad": "0", "splines": "true"}
    frame |= {"dpi": _n(PIXELS * scale)} if scale != 1 else {}
    font = {"fontname": FONT, "label": ""}
    ends = {"width": "0", "height": "0", "style": "invis"}
    statements: list[dot.Statement | dot.Edge | dot.Subgraph] = [
        dot.Statement("graph", corners | frame | font),
        dot.Statement("node", {"fixedsize": "true", "margin": "0"} | font),
        dot.Statement("from", {"pos": "0,0"} | ends),
        dot.Statement("to", {"pos": f"{_n(picture.width)},{_n(height)}"} | ends),
    ]
    marks = [darkened(mark) for mark in picture.marks] if dark else picture.marks
    statements += [_statement(number, mark, height) for number, mark in enumerate(marks)]
    return dot.written(dot.Graph("picture", statements))


def _statement(number: int, mark: Mark, height: float) -> dot.Statement | dot.Edge | dot.Subgraph:
    if isinstance(mark, Line):
        return dot.Edge("from", "to", _line(mark, height))
    if isinstance(mark, Text):
        return dot.Statement(f"t{number}", _text(mark, height))
    if mark.behind:
        return dot.Subgraph(f"cluster{number}", _cluster(mark, height))
    return dot.Statement(f"b{number}", _node(mark, height))


def _line(mark: Line, height: float) -> dict[str, str]:
    return {
        "pos": " ".join(f"{_n(x)},{_n(height - y)}" for x, y in mark.points),
        "color": mark.colour,
        "penwidth": _n(mark.width),
        "style": "dashed" if mark.dashed else "solid",
        **_common(mark.id, mark.role),
    }


def _text(mark: Text, height: float) -> dict[str, str]:
    width = text_width(mark.text, mark.size, mark.bold) + 2
    x = mark.x + {"start": width / 2, "middle": 0.0, "end": -width / 2}[mark.anchor]
    return {
        "pos": f"{_n(x)},{_n(height - mark.y)}",
        "width": _n(width / 72),
        "height": _n(mark.size * 1.2 / 72),
        "shape": "plaintext",
        "label": dot.label(mark.text) + _JUSTIFY[mark.anchor],
        "fontname": f"{BOLD},{FONT}" if mark.bold else FONT,
        "fontsize": _n(mark.size),
        "fontcolor": mark.colour,
        **_common(mark.id, mark.role, mark.tip, mark.href),
    }


def _node(mark: Box, height: float) -> dict[str, str]:
    x, y = mark.center
    return {
        "pos": f"{_n(x)},{_n(height - y)}",
        "width": _n(mark.width / 72),
        "height": _n(mark.height / 72),
        "shape": "box" if mark.shape in ("rounded", "square") else mark.shape,
        **_look(mark),
        **_common(mark.id, mark.role, mark.tip, mark.href),
    }


def _cluster(mark: Box, height: float) -> dict[str, str]:
    x, top = mark.x, height - mark.y
    return {
        "bb": ",".join(map(_n, (x, top - mark.height, x + mark.width, top))),
        **_look(mark),
        **_common(mark.id, mark.role, mark.tip, mark.href),
    }


def _look(mark: Box) -> dict[str, str]:
    styles = ["filled", *(["rounded"] if mark.shape == "rounded" else []), *(["dashed"] if mark.dashed else [])]
    return {"style": ",".join(styles), "fillcolor": mark.fill, "color": mark.stroke, "penwidth": _n(mark.line)}


def _common(id: str, role: str, tip: str = "", href: str = "") -> dict[str, str]:
    # a link goes to a file beside the picture and nowhere else: what would say more is a part of its name
    link = {"URL": dot.label(quote(href))} if href else {}
    hint = {"tooltip": dot.label(tip)} if tip else {}
    return {"id": mark_id(id), "class": dot.identifier(role), **link, **hint}


def mark_id(id: str) -> str:
    """Return the id of a mark as it stands in the drawing."""
    return dot.identifier(id)


def _n(value: float) -> str:
    """Return a number in at most three decimals, the same on every machine."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
