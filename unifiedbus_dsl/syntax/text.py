"""The canonical text of nodes on one line: expressions with no bracket too many, headers, statements without blocks.

An expression is put in brackets where it binds looser than its place wants. The levels are those of the grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import attrs

from unifiedbus_dsl.syntax import tree

__all__ = ["clauses", "contains_all", "expression", "header", "is_path", "leaf", "sign_at", "string"]

LOOSE, UNION, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGNED, POWER, OPERAND, POSTFIX = range(12)

_BINARY = {
    "|": (UNION, UNION, OR),
    "or": (OR, OR, AND),
    "and": (AND, AND, NOT),
    "+": (SUM, SUM, PRODUCT),
    "-": (SUM, SUM, PRODUCT),
    "*": (PRODUCT, PRODUCT, SIGNED),
    "/": (PRODUCT, PRODUCT, SIGNED),
    "div": (PRODUCT, PRODUCT, SIGNED),
    "mod": (PRODUCT, PRODUCT, SIGNED),
    "of": (PRODUCT, PRODUCT, SIGNED),
    "^": (POWER, OPERAND, SIGNED),
}
"""The level of an operator, and those of its left and right side."""

_UNARY = {"-": (SIGNED, POWER), "not": (NOT, NOT)}


def string(node: tree.String) -> str:
    """Return a text as a literal."""
    value = node.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{value}"'


def expression(node: tree.Expr | tree.Star | tree.Range, level: int = LOOSE, *, tight: bool = False) -> str:
    """Return the text of an expression where the grammar wants one that binds at least as tight as `level`.

    `tight`: it is a term of a sum, where a product has no blanks around its sign: `8*b + s`.
    """
    own, text = _EXPRESSIONS[type(node)](node, tight)
    return f"({text})" if own < level else text


def _number(node: tree.Number, tight: bool) -> tuple[int, str]:
    return OPERAND, node.text


def _quantity(node: tree.Quantity, tight: bool) -> tuple[int, str]:
    blank = "" if node.unit == "%" else " "
    return OPERAND, f"{node.number.text}{blank}{node.unit}{' bidir' if node.bidir else ''}"


def _string(node: tree.String, tight: bool) -> tuple[int, str]:
    return OPERAND, string(node)


def _bool(node: tree.Bool, tight: bool) -> tuple[int, str]:
    return OPERAND, "true" if node.value else "false"


def _name(node: tree.Name, tight: bool) -> tuple[int, str]:
    return POSTFIX, node.text


def _member(node: tree.Member, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"{expression(node.base, POSTFIX)}.{node.name.text}"


def _star(node: tree.Star, tight: bool) -> tuple[int, str]:
    return POSTFIX, "*"


def _range(node: tree.Range, tight: bool) -> tuple[int, str]:
    high = "" if node.high is None else expression(node.high, SUM)
    step = "" if node.step is None else f" step {expression(node.step, SUM)}"
    return LOOSE, f"{expression(node.low, SUM)}{'..' if node.inclusive else '..<'}{high}{step}{_gap(node.gap)}"


def _gap(node: tree.Expr | tree.Range | None) -> str:
    return "" if node is None else f" except {_axis(node)}"


def _index(node: tree.Index, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"{expression(node.base, POSTFIX)}[{', '.join(_axis(s) for s in node.subscripts)}]"


def _axis(node: tree.Subscript) -> str:
    return expression(node, LOOSE if isinstance(node, tree.Range) else SUM)


def _call(node: tree.Call, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"{expression(node.function, POSTFIX)}{_args(node.args)}"


def _arrow(node: tree.Arrow, tight: bool) -> tuple[int, str]:
    return LOOSE, f"{_selection(node.left)} -> {_selection(node.right)}"


def _selection(node: tree.Expr) -> str:
    return expression(node, LOOSE if isinstance(node, tree.All) else UNION)


def _unary(node: tree.Unary, tight: bool) -> tuple[int, str]:
    own, inner = _UNARY[node.op]
    return own, f"{node.op}{' ' if node.op == 'not' else ''}{expression(node.operand, inner)}"


def _binary(node: tree.Binary, tight: bool) -> tuple[int, str]:
    own, left, right = _BINARY[node.op]
    if is_of_system(node):
        own = SIGNED
    if node.op == "of" and takes_of(node.left) and isinstance(node.right, tree.Name):
        left = POSTFIX  # `(x / f(y)) of b`: without brackets the `of` would be said of `f(y)` alone
    is_sum = own == SUM
    sides = expression(node.left, left, tight=is_sum or tight), expression(node.right, right, tight=is_sum)
    # `4 GB/s` would be a rate: a quotient of a quantity keeps its blanks.
    closed = node.op == "^" or (tight and node.op in "*/" and not _ends_in_unit(node.left))
    return own, f"{sides[0]}{node.op}{sides[1]}" if closed else f"{sides[0]} {node.op} {sides[1]}"


def is_of_system(node: tree.Expr) -> bool:
    """Return whether it has the form of a measure of a system, `f(x) of b`, which binds tighter than a product."""
    return (
        isinstance(node, tree.Binary)
        and node.op == "of"
        and isinstance(node.left, tree.Call)
        and isinstance(node.right, tree.Name)
    )


def takes_of(node: tree.Expr) -> TypeGuard[tree.Binary]:
    """Return whether it is a product or quotient that ends with a call: an `of NAME` behind it is said of that call."""
    return isinstance(node, tree.Binary) and _BINARY[node.op][0] == PRODUCT and isinstance(node.right, tree.Call)


def _ends_in_unit(node: tree.Expr) -> bool:
    while isinstance(node, (tree.Binary, tree.Unary)):
        node = node.right if isinstance(node, tree.Binary) else node.operand
    return isinstance(node, tree.Quantity)


def _compare(node: tree.Compare, tight: bool) -> tuple[int, str]:
    within = "" if node.within is None else f" within {expression(node.within, SUM)}"
    return COMPARE, f"{expression(node.left, SUM)} {node.op} {expression(node.right, SUM)}{within}"


def _conditional(node: tree.Conditional, tight: bool) -> tuple[int, str]:
    return LOOSE, f"if {expression(node.test)} then {expression(node.yes)} else {expression(node.no)}"


def _all(node: tree.All, tight: bool) -> tuple[int, str]:
    scope = "" if node.scope is None else f" in {_place_text(node.scope)}"
    text = f"all {dotted(node.path)}{scope}"
    return (OPERAND, text) if node.where is None else (LOOSE, f"{text}{_where(node.where)}")


def _place_text(node: tree.Expr) -> str:
    """Return a path, or a selection in brackets."""
    return expression(node) if is_path(node) else f"({expression(node)})"


def _list(node: tree.ListExpr, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"[{', '.join(expression(item) for item in node.items)}]"


def _slab(node: tree.Slab, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"[{', '.join(expression(item) for item in node.items)}]"


def _record(node: tree.Record, tight: bool) -> tuple[int, str]:
    return OPERAND, f"{{{', '.join(_arg(arg) for arg in node.fields)}}}"


_EXPRESSIONS: dict[type[Any], Callable[[Any, bool], tuple[int, str]]] = {
    tree.Number: _number,
    tree.Quantity: _quantity,
    tree.String: _string,
    tree.Bool: _bool,
    tree.Name: _name,
    tree.Member: _member,
    tree.Star: _star,
    tree.Range: _range,
    tree.Index: _index,
    tree.Call: _call,
    tree.Arrow: _arrow,
    tree.Unary: _unary,
    tree.Binary: _binary,
    tree.Compare: _compare,
    tree.Conditional: _conditional,
    tree.All: _all,
    tree.ListExpr: _list,
    tree.Slab: _slab,
    tree.Record: _record,
}


# ---- parts of statements ------------------------------------------------------------------------------------------


def dotted(path: Iterable[tree.Word]) -> str:
    return ".".join(word.text for word in path)


def _arg(node: tree.Arg) -> str:
    name = "" if node.name is None else f"{node.name.text} = "
    return f"{name}{expression(node.value)}"


def _args(nodes: Iterable[tree.Arg]) -> str:
    return f"({', '.join(_arg(arg) for arg in nodes)})"


def _args_if_any(nodes: tuple[tree.Arg, ...]) -> str:
    return _args(nodes) if nodes else ""


def _type(node: tree.TypeRef) -> str:
    return dotted(node.path) + (_args(node.args) if node.args or node.parens else "")


def _annotations(nodes: Iterable[tree.Annotation]) -> str:
    return "".join(f" @{node.name.text}{_args_if_any(node.args)}" for node in nodes)


def _shape(nodes: tuple[tree.Expr, ...], holes: tuple[tree.Expr | tree.Range, ...] = ()) -> str:
    without = f" except {', '.join(map(_axis, holes))}" if holes else ""
    return f"[{', '.join(expression(node) for node in nodes)}{without}]" if nodes else ""


def _where(node: tree.Expr | None) -> str:
    return "" if node is None else f" where {expression(node, OR)}"


def contains_all(node: object) -> bool:
    """Is there an `all …` in a node, that would take a `where` behind it for its own?"""
    if isinstance(node, tree.All):
        return True
    if isinstance(node, tuple):
        return any(contains_all(part) for part in node)
    if not isinstance(node, tree.Node):
        return False
    return any(contains_all(getattr(node, field.name)) for field in attrs.fields(type(node)) if field.name != "span")


def _before_where(node: tree.Expr | tree.Star, level: int) -> str:
    return expression(node, POSTFIX if contains_all(node) else level)


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


def is_path(node: tree.Selector) -> bool:
    """Is it a path: a name, its members and their subscripts?"""
    while isinstance(node, (tree.Member, tree.Index)):
        node = node.base
    return isinstance(node, tree.Name)


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


def _traffic(node: tree.Traffic) -> str:
    return f"traffic {node.name.text} of {node.of.text} = {expression(node.value)}"


def _measure(node: tree.Measure) -> str:
    return expression(node.value, OR)


def _fail(node: tree.Fail) -> str:
    return f"fail {_quota(node.quota)}{_selectors(node.targets)}{_where(node.where)}"


def _quota(node: tree.Expr | None) -> str:
    if node is None:
        return ""
    is_plain = isinstance(node, (tree.Number, tree.Quantity)) or is_path(node)
    return f"any {expression(node) if is_plain else f'({expression(node)})'} of "


def _degrade(node: tree.Degrade) -> str:
    return f"degrade {_selectors(node.targets)} to {_before_where(node.to, OR)}{_where(node.where)}"


def _set(node: tree.Set) -> str:
    return f"set {expression(node.target)} = {expression(node.value)}"


def _show(node: tree.Show) -> str:
    return f"show {_selectors(node.targets)}{_where(node.where)}"


def _hide(node: tree.Hide) -> str:
    return f"hide {_selectors(node.targets)}{_where(node.where)}"


def _collapse(node: tree.Collapse) -> str:
    return f"collapse {_selectors(node.targets)}"


def _fold(node: tree.Fold) -> str:
    return f"fold {expression(node.target)}{'' if node.keep is None else f' keep {expression(node.keep)}'}"


def _colour(node: tree.Colour) -> str:
    return f"color {node.what.text} by {expression(node.by)}"


def _label(node: tree.LabelBy) -> str:
    return f"label {node.what.text} by {expression(node.by)}"


def _layout(node: tree.Layout) -> str:
    return f"layout {node.name.text}{_args_if_any(node.args)}"


def _title(node: tree.Title) -> str:
    return f"title {string(node.text)}"


def _port(node: tree.PortDecl) -> str:
    return f"{_port_head(node)} : {_type(node.protocol)} x{node.lanes.text}{_annotations(node.annotations)}"


def _port_head(node: tree.PortDecl) -> str:
    return f"port {node.name.text}{_shape(node.shape)}"


def _export(node: tree.PortExport) -> str:
    return f"port {node.name.text} = {expression(node.value)}"


def _transit(node: tree.Transit) -> str:
    sides = (node.ports, node.others) if node.others else (node.ports,)
    return f"transit {' -- '.join(', '.join(map(expression, side)) for side in sides)}"


def _instance(node: tree.Instance) -> str:
    condition = "" if node.condition is None else f" if {expression(node.condition)}"
    return f"{_instance_head(node)} : {_type(node.type)}{condition}{_annotations(node.annotations)}"


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
        if node.binders:
            parts.append(f"for {', '.join(_binder(binder) for binder in node.binders)}")
        if node.where is not None:
            parts.append(_where(node.where).lstrip())
    parts[-1] += _annotations(node.annotations)
    return parts


_LEAVES: dict[type[Any], Callable[[Any], str]] = {
    tree.Use: _use,
    tree.Let: _let,
    tree.Field: _field,
    tree.System: _system,
    tree.Traffic: _traffic,
    tree.Measure: _measure,
    tree.Fail: _fail,
    tree.Degrade: _degrade,
    tree.Set: _set,
    tree.Show: _show,
    tree.Hide: _hide,
    tree.Collapse: _collapse,
    tree.Fold: _fold,
    tree.Colour: _colour,
    tree.LabelBy: _label,
    tree.Layout: _layout,
    tree.Title: _title,
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
    tree.View: _view_header,
    tree.If: _if_header,
}


def header(node: tree.Statement) -> str:
    """Return what stands before the `{` of a statement's block."""
    return _HEADERS[type(node)](node)
