"""Nodes of expressions: numbers, names, paths, selections, operators and calls."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from attrs import field, frozen

from unifiedbus_dsl.base.source import Span


@frozen(kw_only=True)
class Node:
    span: Span = field(eq=False, repr=False)


@frozen
class Word(Node):
    """A name where it is written: its text and its place."""

    text: str


# ---- expressions ------------------------------------------------------------------------------------------------


@frozen
class Number(Node):
    """`64`, `1_000`, `0.4`, `1e6`; the text is kept as written."""

    text: str

    @property
    def value(self) -> Fraction:
        return Fraction(self.text.replace("_", ""))


@frozen
class Quantity(Node):
    """`112 Gbps`, `2 TB/s bidir`, `2%`; `unit` is the text of the unit (`GB/s`, `ns/m`, `%`)."""

    number: Number
    unit: str
    bidir: bool = False


@frozen
class String(Node):
    """A string by its value; escapes are `\\"`, `\\\\`, `\\n`, `\\t`."""

    value: str


@frozen
class Bool(Node):
    value: bool


@frozen
class Name(Node):
    text: str


@frozen
class Member(Node):
    """`base.name`."""

    base: Expr
    name: Word


@frozen
class Star(Node):
    """`*` as a subscript: all of a dimension."""


@frozen
class Range(Node):
    """`0..7` (inclusive), `0..<8`, `0..63 step 8`, and the half-open end `96..` (`high` is None).

    `gap` is what stands behind `except`: a number, a range, or a list of numbers.
    """

    low: Expr
    high: Expr | None
    inclusive: bool = True
    step: Expr | None = None
    gap: Expr | Range | None = None


@frozen
class Index(Node):
    """`base[subscripts]`."""

    base: Expr
    subscripts: tuple[Subscript, ...]


@frozen
class Arg(Node):
    """An argument; `name` is None where it is given by position."""

    name: Word | None
    value: Expr


@frozen
class Call(Node):
    function: Expr
    args: tuple[Arg, ...]


@frozen
class Arrow(Node):
    """`A -> B`, from the end points A to the end points B."""

    left: Expr
    right: Expr


@frozen
class Unary(Node):
    """`op` is `-` or `not`."""

    op: str
    operand: Expr


@frozen
class Binary(Node):
    """`op` is one of `+ - * / div mod ^ of and or |`. `70% of base` is `of`; `|` and `-` join and part selections."""

    op: str
    left: Expr
    right: Expr


@frozen
class Compare(Node):
    """`left op right [within tolerance]`; `op` is one of `== != <= >= < >`."""

    op: str
    left: Expr
    right: Expr
    within: Expr | None = None


@frozen
class Conditional(Node):
    """`if test then yes else no`."""

    test: Expr
    yes: Expr
    no: Expr


@frozen
class All(Node):
    """`all npu`, `all Ascend950DT in pod[3]`, `all npu.memory`, `all link where medium == optical`.

    `path` is the dotted name after `all`: a kind, a type, `link` or `port`, then possibly a field.
    """

    path: tuple[Word, ...]
    scope: Expr | None = None
    where: Expr | None = None


@frozen
class ListExpr(Node):
    items: tuple[Expr, ...]


@frozen
class Along(Node):
    """`tensor along board`: an axis of a layout over a dimension of the machine, in the list that is an `order`."""

    axis: Word
    dimension: Expr


@frozen
class Slab(Node):
    """`[3, *]`, `[0..1, 5]`: elements of an array, behind `except`."""

    items: tuple[Subscript, ...]


@frozen
class Record(Node):
    """`{a = 1, b = 2}`."""

    fields: tuple[Arg, ...]


Expr: TypeAlias = (
    Number | Quantity | String | Bool | Name | Member | Index | Call | Arrow | Unary | Binary | Compare | Conditional
    | All | ListExpr | Along | Slab | Record
)  # fmt: skip
Subscript: TypeAlias = Expr | Star | Range
