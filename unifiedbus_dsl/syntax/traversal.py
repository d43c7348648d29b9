"""Tree traversal: the nodes below a node, the statements of a body, and the names that are said in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import attrs

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.syntax import tree

NodeType = TypeVar("NodeType", bound=tree.Node)


def children(node: tree.Node) -> Iterator[tree.Node]:
    """Yield the nodes directly below a node."""
    for name in _field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, tree.Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, tree.Node))


def _field_names(kind: type[tree.Node]) -> tuple[str, ...]:
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(attribute.name for attribute in attrs.fields(kind))
    return _FIELD_NAMES[kind]


_FIELD_NAMES: dict[type, tuple[str, ...]] = {}


def walk(node: tree.Node) -> Iterator[tree.Node]:
    """Yield a node and all below it."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(children(here))


def moved(node: NodeType, source: Source, by: int) -> NodeType:
    """Return a node as it stands in another source, so many characters further on."""

    def there(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(there, value))
        return moved(value, source, by) if isinstance(value, tree.Node) else value

    parts = {name: there(getattr(node, name)) for name in _field_names(type(node)) if name != "span"}
    return attrs.evolve(node, **parts, span=Span(source, node.span.start + by, node.span.end + by))


def all_statements(body: tuple[tree.BodyStatement, ...]) -> Iterator[tree.BodyStatement]:
    """Yield the statements of a body, those inside `if` included."""
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from all_statements(statement.then)
            yield from all_statements(statement.otherwise)


def head_names(node: tree.Node) -> Iterator[tuple[str, ...]]:
    """Yield every name that is said below a node, as far as it is a dotted path of words."""
    for each in walk(node):
        if isinstance(each, tree.Name):
            yield (each.text,)
        elif isinstance(each, tree.TypeRef | tree.All):
            yield tuple(word.text for word in each.path)
        elif isinstance(each, tree.Member):
            path = dotted_name(each)
            if path:
                yield path
        elif isinstance(
            each, tree.Naming | tree.Traffic | tree.Workload | tree.Analyze | tree.Scenario | tree.Explore | tree.View
        ):
            yield (each.of.text,)
        elif isinstance(each, tree.Vary):
            yield tuple(word.text for word in each.path)


def dotted_name(node: tree.Node) -> tuple[str, ...]:
    if isinstance(node, tree.Name):
        return (node.text,)
    if isinstance(node, tree.Member):
        base = dotted_name(node.base)
        return (*base, node.name.text) if base else ()
    return ()
