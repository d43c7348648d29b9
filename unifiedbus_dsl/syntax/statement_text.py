"""The canonical text of statements: those without a block on one line, and the headers of those with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.expression_text import (
    OR,
    POSTFIX,
    SUM,
    arguments,
    dotted,
    expression,
    is_path,
    string,
    subscript,
    where_clause,
)
from unifiedbus_dsl.syntax.traversal import walk


def _args_if_any(nodes: tuple[tree.Arg, ...]) -> str:
    return arguments(nodes) if nodes else ""


def _type(node: tree.TypeRef) -> str:
    return dotted(node.path) + (arguments(node.args) if node.args or node.parens else "")


def type_text(node: tree.TypeRef | tree.TypeChoice) -> str:
    """Return the type of a part as it is written."""
    if isinstance(node, tree.TypeRef):
        return _type(node)
    return f"if {expression(node.test)} then {type_text(node.yes)} else {type_text(node.no)}"


def _annotations(nodes: Iterable[tree.Annotation]) -> str:
    return "".join(f" @{node.name.text}{_args_if_any(node.args)}" for node in nodes)


def _shape(nodes: tuple[tree.Expr, ...], holes: tuple[tree.Expr | tree.Range, ...] = ()) -> str:
    without = f" except {', '.join(map(subscript, holes))}" if holes else ""
    return f"[{', '.join(expression(node) for node in nodes)}{without}]" if nodes else ""


def _contains_all(node: tree.Node) -> bool:
    """Return whether there is an `all …` in a node, that would take a `where` behind it for its own."""
    return any(isinstance(each, tree.All) for each in walk(node))


def _before_where(node: tree.Expr | tree.Star, level: int) -> str:
    return expression(node, POSTFIX if _contains_all(node) else level)


def _binder(node: tree.Binder) -> str:
    axis = node.range
    if axis is None:
        return node.name.text
    if not isinstance(axis, tree.Range):
        return f"{node.name.text} in {_before_where(axis, SUM)}"
    low, high, step = (None if x is None else _before_where(x, SUM) for x in (axis.low, axis.high, axis.step))
    sign = ".." if axis.inclusive else "..<"
    without = "" if axis.gap is None else f" except {_before_where_axis(axis.gap)}"
    return f"{node.name.text} in {low}{sign}{high or ''}{'' if step is None else f' step {step}'}{without}"


def _before_where_axis(node: tree.Expr | tree.Range) -> str:
    if not isinstance(node, tree.Range):
        return _before_where(node, SUM)
    low, high = (_before_where(each, SUM) for each in (node.low, node.high) if each is not None)
    return f"{low}{'..' if node.inclusive else '..<'}{high}"


def _selector(node: tree.Selector) -> str:
    if isinstance(node, tree.LinkBetween):
        return f"{expression(node.left)} -- {expression(node.right)}"
    return expression(node)


def _selectors(nodes: Iterable[tree.Selector]) -> str:
    return ", ".join(_selector(node) for node in nodes)


# ---- statements without blocks ------------------------------------------------------------------------------------


def _use(node: tree.Use) -> str:
    origin = string(node.file) if node.file is not None else dotted(node.path or ())
    if not node.names:
        return f"use {origin}{_alias(node.alias)}"
    return f"use {', '.join(name.name.text + _alias(name.alias) for name in node.names)} from {origin}"


def _alias(word: tree.Word | None) -> str:
    return "" if word is None else f" as {word.text}"


def _let(node: tree.Let) -> str:
    return f"let {node.name.text} = {expression(node.value)}"


def _field(node: tree.Field) -> str:
    return f"{node.name.text} = {expression(node.value)}"


def _system(node: tree.System) -> str:
    return f"system {node.name.text} : {_type(node.type)}"


def _naming(node: tree.Naming) -> str:
    parts = [f"name {expression(node.path)} of {node.of.text} = {string(node.text)}", *_which(node)]
    return " ".join(parts)


def _traffic(node: tree.Traffic) -> str:
    return f"traffic {node.name.text} of {node.of.text} = {expression(node.value)}"


def _workload(node: tree.Workload) -> str:
    return f"workload {node.name.text} of {node.of.text} = {expression(node.value)}"


def _measure(node: tree.Measure) -> str:
    return expression(node.value, OR)


def _fail(node: tree.Fail) -> str:
    return f"fail {_quota(node.quota)}{_selectors(node.targets)}{where_clause(node.where)}"


def _quota(node: tree.Expr | None) -> str:
    if node is None:
        return ""
    is_plain = isinstance(node, (tree.Number, tree.Quantity)) or is_path(node)
    return f"any {expression(node) if is_plain else f'({expression(node)})'} of "


def _degrade(node: tree.Degrade) -> str:
    return f"degrade {_selectors(node.targets)} to {_before_where(node.to, OR)}{where_clause(node.where)}"


def _set(node: tree.Set) -> str:
    return f"set {expression(node.target)} = {expression(node.value)}"


def _vary(node: tree.Vary) -> str:
    return f"vary {node.name} in {subscript(node.values)}"


def _require(node: tree.Require) -> str:
    return f"require {expression(node.condition, OR)}{_trends(node.trends)}"


def _objective(node: tree.Objective) -> str:
    return f"{'maximize' if node.maximize else 'minimize'} {expression(node.value, OR)}{_trends(node.trends)}"


def _trends(trends: Sequence[tree.Trend]) -> str:
    return "".join(f" {_way(each)} in {', '.join(name.text for name in each.names)}" for each in trends)


def _way(node: tree.Trend) -> str:
    return "increasing" if node.increasing else "decreasing"


def _sample(node: tree.Sample) -> str:
    return f"sample {expression(node.count)}"


def _show(node: tree.Show) -> str:
    return f"show {_selectors(node.targets)}{where_clause(node.where)}"


def _hide(node: tree.Hide) -> str:
    return f"hide {_selectors(node.targets)}{where_clause(node.where)}"


def _collapse(node: tree.Collapse) -> str:
    return f"collapse {_selectors(node.targets)}"


def _fold(node: tree.Fold) -> str:
    return f"fold {expression(node.target)}{'' if node.keep is None else f' keep {expression(node.keep)}'}"


def _colour(node: tree.Colour) -> str:
    own = string(node.by) if isinstance(node.by, tree.String) else f"by {expression(node.by)}"
    return f"color {node.what.text} {own}"


def _label(node: tree.LabelBy) -> str:
    return f"label {node.what.text} by {expression(node.by)}"


def _layout(node: tree.Layout) -> str:
    return f"layout {node.name.text}{_args_if_any(node.args)}"


def _title(node: tree.Title) -> str:
    return f"title {string(node.text)}"


def _theme(node: tree.Theme) -> str:
    return f"theme {node.name.text}"


def _port(node: tree.PortDecl) -> str:
    return f"{_port_head(node)} : {_type(node.protocol)} x{node.lanes.text}{_annotations(node.annotations)}"


def _port_head(node: tree.PortDecl) -> str:
    return f"port {node.name.text}{_shape(node.shape)}"


def _export(node: tree.PortExport) -> str:
    return f"port {node.name.text} = {expression(node.value)}{_annotations(node.annotations)}"


def _transit(node: tree.Transit) -> str:
    sides = (node.ports, node.others) if node.others else (node.ports,)
    return f"transit {' -- '.join(', '.join(map(expression, side)) for side in sides)}"


def _instance(node: tree.Instance) -> str:
    condition = "" if node.condition is None else f" if {expression(node.condition)}"
    indices = f" for {', '.join(map(_binder, node.binders))}" if node.binders else ""
    return f"{_instance_head(node)} : {type_text(node.type)}{condition}{indices}{_annotations(node.annotations)}"


def _instance_head(node: tree.Instance) -> str:
    return f"{'spare ' if node.spare else ''}{node.name.text}{_shape(node.shape, node.holes)}"


def _open(node: tree.Open) -> str:
    return f"open {', '.join(expression(port) for port in node.ports)}"


def _place(node: tree.Place) -> str:
    return f"place {expression(node.target)} as {node.method.text}{_args_if_any(node.args)}"


def _expect(node: tree.Expect) -> str:
    source = "" if node.source is None else f" {string(node.source)}"
    differs = "" if node.differs is None else f" differs {string(node.differs)}"
    return f"expect {expression(node.condition)}{source}{differs}"


def _connect_any(node: tree.Connect | tree.ConnectPattern | tree.ConnectCables) -> str:
    return " ".join(clauses(node))


def clauses(node: tree.Connect | tree.ConnectPattern | tree.ConnectCables) -> list[str]:
    """Return a connect as what may stand on lines of their own: the ends, then `over …`, `for …`, `where …`."""
    if isinstance(node, tree.Connect):
        ends = f"{expression(node.left)} -- {expression(node.right)}"
    elif isinstance(node, tree.ConnectPattern):
        other = "" if node.right is None else f" to {expression(node.right)}"
        ends = f"{expression(node.left)}{other} as {node.pattern.text}{_args_if_any(node.args)}"
    else:
        ends = f"cables({string(node.file)})"
    parts = [f"connect {ends}"]
    if node.over is not None:
        parts.append(f"over {_type(node.over)}")
    if not isinstance(node, tree.ConnectCables):
        parts += _which(node)
    parts[-1] += _annotations(node.annotations)
    return parts


def _which(node: tree.Connect | tree.ConnectPattern | tree.Naming) -> list[str]:
    """Return the clauses that say for which elements a statement holds."""
    parts = [f"for {', '.join(_binder(binder) for binder in node.binders)}"] if node.binders else []
    return parts if node.where is None else [*parts, where_clause(node.where).lstrip()]


_LEAVES: dict[type[Any], Callable[[Any], str]] = {
    tree.Use: _use,
    tree.Let: _let,
    tree.Field: _field,
    tree.System: _system,
    tree.Naming: _naming,
    tree.Traffic: _traffic,
    tree.Workload: _workload,
    tree.Measure: _measure,
    tree.Fail: _fail,
    tree.Degrade: _degrade,
    tree.Set: _set,
    tree.Vary: _vary,
    tree.Require: _require,
    tree.Objective: _objective,
    tree.Sample: _sample,
    tree.Show: _show,
    tree.Hide: _hide,
    tree.Collapse: _collapse,
    tree.Fold: _fold,
    tree.Colour: _colour,
    tree.LabelBy: _label,
    tree.Layout: _layout,
    tree.Title: _title,
    tree.Theme: _theme,
    tree.PortDecl: _port,
    tree.PortExport: _export,
    tree.Transit: _transit,
    tree.Instance: _instance,
    tree.Open: _open,
    tree.Place: _place,
    tree.Expect: _expect,
    tree.Connect: _connect_any,
    tree.ConnectPattern: _connect_any,
    tree.ConnectCables: _connect_any,
}


def leaf(node: tree.Statement) -> str | None:
    """Return a statement on one line, without its documentation; None for one with a block."""
    write = _LEAVES.get(type(node))
    return None if write is None else write(node)


def sign_at(node: tree.Statement) -> int | None:
    """Where in its line the ` =` or ` :` of a statement stands that is lined up with its neighbours."""
    match node:
        case tree.Field():
            return len(node.name.text)
        case tree.PortExport():
            return len(f"port {node.name.text}")
        case tree.PortDecl():
            return len(_port_head(node))
        case tree.Instance():
            return len(_instance_head(node))
    return None


# ---- headers of statements with a block ---------------------------------------------------------------------------


def _param(node: tree.Param) -> str:
    return node.name.text if node.default is None else f"{node.name.text} = {expression(node.default)}"


def _extends(node: tree.TypeRef | None) -> str:
    return "" if node is None else f" extends {_type(node)}"


def _protocol_header(node: tree.ProtocolDef) -> str:
    return f"protocol {node.name.text}"


def _link_header(node: tree.LinkDef) -> str:
    protocol = "" if node.protocol is None else f" : {_type(node.protocol)}"
    return f"link {node.name.text}{protocol}{_extends(node.base)}"


def _model_header(node: tree.ModelDef) -> str:
    return f"model {node.name.text}{_extends(node.base)}"


def _type_header(node: tree.TypeDef) -> str:
    params = f"({', '.join(_param(param) for param in node.params)})" if node.params else ""
    return f"{node.kind.text} {node.name.text}{params}{_extends(node.base)}{_annotations(node.annotations)}"


def _analyze_header(node: tree.Analyze) -> str:
    return f"analyze {node.name.text} of {node.of.text}"


def _scenario_header(node: tree.Scenario) -> str:
    base = "" if node.base is None else f" extends {node.base.text}"
    return f"scenario {node.name.text} of {node.of.text}{base}"


def _explore_header(node: tree.Explore) -> str:
    return f"explore {node.name.text} of {node.of.text}"


def _view_header(node: tree.View) -> str:
    return f"view {node.name.text} of {node.of.text}{_annotations(node.annotations)}"


def _if_header(node: tree.If) -> str:
    return f"if {expression(node.test)}"


_HEADERS: dict[type[Any], Callable[[Any], str]] = {
    tree.ProtocolDef: _protocol_header,
    tree.LinkDef: _link_header,
    tree.ModelDef: _model_header,
    tree.TypeDef: _type_header,
    tree.Analyze: _analyze_header,
    tree.Scenario: _scenario_header,
    tree.Explore: _explore_header,
    tree.View: _view_header,
    tree.If: _if_header,
}


def header(node: tree.Statement) -> str:
    """Return what stands before the `{` of a statement's block."""
    return _HEADERS[type(node)](node)
