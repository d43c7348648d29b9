"""Planes: the cables of some protocols or links, to which `over = UB` or `over = [PCIe, RoCE]` confines a question."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean, names_there
from unifiedbus_dsl.ir.plan import Link
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name


def read_plane(node: tree.Expr, links: Mapping[str, Link], sink: Sink) -> tuple[str, ...] | None:
    """Return the names of protocols and links that `over = …` states, each once; None after a diagnostic.

    `links` are the links that the machine has cables of, by key: a name of none of these, and of none of their
    protocols, has no cable.
    """
    items = node.items if isinstance(node, tree.ListExpr) else (node,)
    legal = {name for link in links.values() for name in (link.name, link.protocol)}
    names: list[str] = []
    for item in items:
        if not isinstance(item, tree.Name | tree.Member):
            _refuse(item, "a plane is named by a protocol or a link", legal, sink)
            return None
        name = ".".join(dotted_name(item))
        if name not in legal:
            name = name.rpartition(".")[2]  # of a module: `parts.NVLink5`
        if name not in legal:
            _unknown(item, legal, sink)
            return None
        if name in names:
            sink.error("UB0235", f"`over` names `{name}` twice", item.span, "named before", help=("delete it",))
            return None
        names.append(name)
    if not names:
        _refuse(node, "`over` names no plane", legal, sink)
        return None
    return tuple(names)


def plane_links(names: Collection[str], links: Mapping[str, Link]) -> tuple[str, ...]:
    """Return the keys of the links of a plane."""
    return tuple(key for key, link in links.items() if link.name in names or link.protocol in names)


def _refuse(node: tree.Expr, message: str, legal: Collection[str], sink: Sink) -> None:
    sink.error("UB0235", message, node.span, "here", help=(_listed(legal),))


def _unknown(node: tree.Expr, legal: Collection[str], sink: Sink) -> None:
    text = node.span.one_line
    guess = did_you_mean(text, legal)
    sink.error(
        "UB0235",
        f"no cable of this machine is of a protocol or link `{text}`",
        node.span,
        "joins nothing",
        help=(f"did you mean `{guess}`?" if guess else _listed(legal),),
        fix=rename(node.span, guess),
    )


def _listed(legal: Collection[str]) -> str:
    return f"its protocols and links: {names_there(sorted(legal))}"
