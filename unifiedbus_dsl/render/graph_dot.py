"""A picture as a graph in the DOT language without places, for Graphviz to lay out: boxes are nodes, what holds others
is a cluster, lines are edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from unifiedbus_dsl.escape import dot
from unifiedbus_dsl.render.marks import Box, Line, Picture
from unifiedbus_dsl.render.palette import KindStyle

_SHAPES = {"rounded": "box", "square": "box"}


class NoGraphError(ValueError):
    """The picture has no cables between parts: a map, a chart or a floor plan."""


@frozen(eq=False)
class _Node:
    """A box of the picture with those that stand in it."""

    box: Box
    inside: list[_Node]

    @property
    def id(self) -> str:
        return f"n_{self.box.id}".replace("-", "_").replace(".", "_").replace(":", "_")

    @property
    def leaf(self) -> _Node:
        """The first box inside that holds no other: where edges to a cluster end."""
        return self.inside[0].leaf if self.inside else self


def graph_text(picture: Picture) -> str:
    """Return the graph: what stands in what, and what is joined with what, by how many cables.

    Raises:
        NoGraphError: the picture is none of a network.
    """
    nodes = _nested([mark for mark in picture.marks if isinstance(mark, Box) and mark.name])
    by_name = {node.box.name: node for node in _all(nodes)}
    lines = [mark for mark in picture.marks if isinstance(mark, Line) and mark.ends is not None]
    if not nodes:
        raise NoGraphError("`--format dot` is of the parts of a machine and their cables: an overview or a detail")
    statements: list[dot.Statement | dot.Edge | dot.Subgraph] = [
        dot.Statement("graph", {"label": dot.label(picture.title), "compound": "true", "rankdir": "BT"}),
        dot.Statement("node", {"fontname": "Helvetica", "fontsize": "11", "style": "filled"}),
        dot.Statement("edge", {"fontname": "Helvetica", "fontsize": "9"}),
    ]
    statements += [_statement(node) for node in nodes]
    statements += [_edge(line, by_name) for line in lines]
    return dot.written(dot.Graph("picture", statements))


def _nested(boxes: Sequence[Box]) -> list[_Node]:
    """Return the boxes that stand in no other, each with those in it: in the smallest that lies behind around them."""
    nodes = [_Node(box, []) for box in boxes]
    frames = sorted((n for n in nodes if n.box.behind), key=lambda n: n.box.width * n.box.height)
    outermost: list[_Node] = []
    for node in nodes:
        x, y = node.box.center
        area = node.box.width * node.box.height
        holder = next(
            (
                f
                for f in frames
                if f is not node
                and f.box.width * f.box.height > area
                and f.box.x < x < f.box.x + f.box.width
                and f.box.y < y < f.box.y + f.box.height
            ),
            None,
        )
        (holder.inside if holder is not None else outermost).append(node)
    return outermost


def _all(nodes: Sequence[_Node]) -> list[_Node]:
    return [each for node in nodes for each in (node, *_all(node.inside))]


def _statement(node: _Node) -> dot.Statement | dot.Subgraph:
    box = node.box
    if node.inside:
        look = {"label": dot.label(box.name), "style": "rounded", "color": box.stroke, "fontname": "Helvetica"}
        return dot.Subgraph(f"cluster_{node.id}", look, [_statement(each) for each in node.inside])
    shape = _SHAPES.get(box.shape, box.shape)
    style = ",".join(["filled", *(["rounded"] if box.shape == "rounded" else []), *(["dashed"] if box.dashed else [])])
    return dot.Statement(
        node.id,
        {
            "label": dot.label(box.name),
            "shape": shape,
            "style": style,
            "fillcolor": box.fill,
            "color": box.stroke,
            "fontcolor": KindStyle(box.fill, box.stroke).ink,
            "tooltip": dot.label(box.tip),
        },
    )


def _edge(line: Line, by_name: Mapping[str, _Node]) -> dot.Edge:
    """Return an edge between two boxes, or from or to the frame of one."""
    assert line.ends is not None
    tail, head = (by_name[name] for name in line.ends)
    clusters = {key: f"cluster_{node.id}" for key, node in (("ltail", tail), ("lhead", head)) if node.inside}
    label = line.tip.partition(": ")[0]
    look = {"label": label, "color": line.colour[:7], "style": "dashed" if line.dashed else "solid"}
    return dot.Edge(tail.leaf.id, head.leaf.id, {**look, **clusters, "tooltip": dot.label(line.tip)})
