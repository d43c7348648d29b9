"""The canonical text of expressions, on one line and with no bracket too many.

An expression is put in brackets where it binds looser than its place wants. The levels are those of the grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

from unifiedbus_dsl.syntax import tree

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
    return "" if node is None else f" except {subscript(node)}"


def _index(node: tree.Index, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"{expression(node.base, POSTFIX)}[{', '.join(subscript(s) for s in node.subscripts)}]"


def subscript(node: tree.Subscript) -> str:
    return expression(node, LOOSE if isinstance(node, tree.Range) else SUM)


def _call(node: tree.Call, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"{expression(node.function, POSTFIX)}{arguments(node.args)}"


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
    return (OPERAND, text) if node.where is None else (LOOSE, f"{text}{where_clause(node.where)}")


def _place_text(node: tree.Expr) -> str:
    """Return a path, or a selection in brackets."""
    return expression(node) if is_path(node) else f"({expression(node)})"


def _list(node: tree.ListExpr, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"[{', '.join(expression(item) for item in node.items)}]"


def _along(node: tree.Along, tight: bool) -> tuple[int, str]:
    return LOOSE, f"{node.axis.text} along {expression(node.dimension)}"


def _slab(node: tree.Slab, tight: bool) -> tuple[int, str]:
    return POSTFIX, f"[{', '.join(expression(item) for item in node.items)}]"


def _record(node: tree.Record, tight: bool) -> tuple[int, str]:
    return OPERAND, f"{{{', '.join(argument(arg) for arg in node.fields)}}}"


def dotted(path: Iterable[tree.Word]) -> str:
    return ".".join(word.text for word in path)


def argument(node: tree.Arg) -> str:
    name = "" if node.name is None else f"{node.name.text} = "
    return f"{name}{expression(node.value)}"


def arguments(nodes: Iterable[tree.Arg]) -> str:
    return f"({', '.join(argument(arg) for arg in nodes)})"


def where_clause(node: tree.Expr | None) -> str:
    return "" if node is None else f" where {expression(node, OR)}"


def is_path(node: tree.Selector) -> bool:
    """Is it a path: a name, its members and their subscripts?"""
    while isinstance(node, (tree.Member, tree.Index)):
        node = node.base
    return isinstance(node, tree.Name)


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
    tree.Along: _along,
    tree.Slab: _slab,
    tree.Record: _record,
}
