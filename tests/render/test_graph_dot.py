"""A picture as a graph: read back, and laid out by plain `dot`."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.render import machines
from unifiedbus_dsl.render.detail import detail_picture
from unifiedbus_dsl.render.engine import find_dot
from unifiedbus_dsl.render.graph_dot import NoGraphError, graph_text
from unifiedbus_dsl.render.marks import Box, Line, Picture
from unifiedbus_dsl.render.overview import overview_picture

MACHINES = {name: plan for name, plan in machines.all_machines().items() if plan.device_count[plan.root] < 2_000}
_NODE = re.compile(r'(?<!-- )\b(n_\w+) \[label="([^"]*)"')
_EDGE = re.compile(r'(n_\w+) -- (n_\w+) \[label="([^"]*)"')


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("draw", [overview_picture, detail_picture])
def test_nodes_and_edges_are_the_boxes_and_lines(name: str, draw: object) -> None:
    assert callable(draw)
    picture: Picture = draw(MACHINES[name])
    text = graph_text(picture)
    lines = [mark for mark in picture.marks if isinstance(mark, Line) and mark.role == "cable"]
    assert all(line.ends is not None for line in lines)
    nodes = dict(_NODE.findall(text))
    assert len(nodes) == len(set(nodes.values()))
    boxes = [mark.name for mark in picture.marks if isinstance(mark, Box) and mark.name]
    assert len(boxes) == len(set(boxes)) == len(nodes) + text.count("subgraph cluster_")
    drawn = Counter(line.tip.partition(": ")[0] for line in lines)
    assert Counter(label for _, _, label in _EDGE.findall(text)) == drawn
    for tail, head, _ in _EDGE.findall(text):
        assert {tail, head} <= set(nodes)


def test_edges_end_where_cables_do() -> None:
    picture = detail_picture(MACHINES["board"])
    nodes = dict(_NODE.findall(graph_text(picture)))
    ends = Counter(frozenset((nodes[a], nodes[b])) for a, b, _ in _EDGE.findall(graph_text(picture)))
    assert len(ends) == 28
    assert set(ends.values()) == {1}


@pytest.mark.parametrize("name", ["board", "cab"])
def test_plain_dot_draws_it(name: str) -> None:
    import graphviz
    from graphviz.backend import dot_command

    before = dot_command.DOT_BINARY
    dot_command.DOT_BINARY = find_dot()
    try:
        drawn = graphviz.Source(graph_text(overview_picture(MACHINES[name])), engine="dot").pipe(format="svg")
    finally:
        dot_command.DOT_BINARY = before
    assert drawn.count(b'class="edge"') == graph_text(overview_picture(MACHINES[name])).count(" -- n_")


def test_a_map_is_no_graph() -> None:
    with pytest.raises(NoGraphError):
        graph_text(Picture("a", "b", 1, 1, ()))
