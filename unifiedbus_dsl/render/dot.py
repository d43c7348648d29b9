"""A picture as DOT text in which every position is given, for `neato -n2`.

Graphviz draws clusters, then edges, then nodes. So boxes that lie behind become clusters with their rectangle given,
lines become edges with their curve given, all else becomes nodes. Text is escaped here: what a spec says can never be
markup.
"""

from __future__ import annotations

from collections.abc import Mapping

from unifiedbus_dsl.render.marks import Box, Line, Mark, Picture, Text, printable, text_width

FONT = "Helvetica,Arial,Liberation Sans,Arimo,DejaVu Sans,sans-serif"
BOLD = "Helvetica-Bold"
_JUSTIFY = {"start": "\\l", "middle": "", "end": "\\r"}


def dot_text(picture: Picture) -> str:
    """The picture in the DOT language."""
    height = picture.height
    lines = [
        "graph picture {",
        f'graph [bb="0,0,{_n(picture.width)},{_n(height)}", outputorder=edgesfirst, bgcolor="#ffffff", '
        f"pad=0, splines=true, fontname={_quoted(FONT)}, label={_quoted('')}];",
        f"node [fixedsize=true, margin=0, fontname={_quoted(FONT)}, label={_quoted('')}];",
        f"from [pos={_quoted('0,0')}, width=0, height=0, style=invis];",
        f'to [pos="{_n(picture.width)},{_n(height)}", width=0, height=0, style=invis];',
    ]
    lines += [_statement(number, mark, height) for number, mark in enumerate(picture.marks)]
    return "\n".join([*lines, "}", ""])


def _statement(number: int, mark: Mark, height: float) -> str:
    if isinstance(mark, Line):
        return f"from -- to [{_attributes(_line(mark, height))}];"
    if isinstance(mark, Text):
        return f"t{number} [{_attributes(_text(mark, height))}];"
    if mark.behind:
        return f"subgraph cluster{number} {{ graph [{_attributes(_cluster(mark, height))}]; }}"
    return f"b{number} [{_attributes(_node(mark, height))}];"


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
        "label": escaped(mark.text) + _JUSTIFY[mark.anchor],
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
        "shape": "ellipse" if mark.shape == "ellipse" else "box",
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
    link = {"URL": escaped(href)} if href else {}
    hint = {"tooltip": escaped(tip)} if tip else {}
    return {"id": id, "class": role, **link, **hint}


def escaped(text: str) -> str:
    """Text for a label or a tooltip, in which Graphviz knows `\\N` and `&lt;`: both lose their meaning."""
    safe = printable(text).replace("&", "&amp;")
    return safe.replace("\\", "\\\\").replace("\t", " ").replace("\n", "\\n")


def _attributes(values: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def _n(value: float) -> str:
    """A number in at most three decimals, the same on every machine."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
