"""Subscripts over index names, as index expressions of the plan: arithmetic, and numbers read from tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Label, rename
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Not, Op, Var, algebra
from unifiedbus_dsl.ir.plan.index import axes_used, evaluate, points
from unifiedbus_dsl.semantic.values import tables
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import Poison, describe, is_whole
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name, walk

_ARITHMETIC = {"+": algebra.add, "-": algebra.sub, "*": algebra.mul, "div": algebra.div, "mod": algebra.mod}


@frozen
class Read:
    """A subscript of a table that depends on an index: it must stay inside the dimension of that size."""

    table: str
    at: IndexExpr
    size: int
    span: Span
    noun: str


@define(eq=False)
class IndexCompiler:
    """Turns subscripts and `where` conditions over index names into index expressions of the plan.

    `reads` are the subscripts of tables met so far, the inner ones first.
    """

    evaluator: Evaluator
    names: frozenset[str]
    reads: list[Read] = field(factory=list)
    _tables: dict[tuple[str, ...], tables.Table | None] = field(factory=dict)

    def subscript(self, node: tree.Expr) -> IndexExpr | None:
        """Return an integer expression; None after a diagnostic."""
        if not self._uses_index(node):
            return self._constant(node)
        match node:
            case tree.Name():
                return Var(node.text)
            case tree.Unary(op="-"):
                inner = self.subscript(node.operand)
                return None if inner is None else algebra.sub(Const(0), inner)
            case tree.Binary(op=op) if op in _ARITHMETIC:
                return self._arithmetic(node)
            case tree.Binary(op="/"):
                self._refuse(node, "`/` may leave a fraction", "`div` divides whole numbers and rounds down")
                return None
            case tree.Index():
                return self._lookup(tables.reading(node), node.span)
        message = "a subscript is made of index names, numbers, tables and `+ - * div mod`"
        self._refuse(node, message, self._as_table(node))
        return None

    def _as_table(self, node: tree.Expr) -> str:
        """Return how to read a table, where a call was written for it; else nothing."""
        if not isinstance(node, tree.Call) or not isinstance(node.function, tree.Name):
            return ""
        read = ", ".join(arg.span.one_line for arg in node.args)
        return f"an element of a table stands in brackets: `{node.function.text}[{read}]`"

    def _lookup(self, read: tables.Reading, span: Span) -> IndexExpr | None:
        """Return a number read from a table at a place that depends on an index."""
        if isinstance(read.base, tree.Name) and read.base.text in self.names:
            self._refuse(read.base, f"`{read.base.text}` is an index, and has no elements", "")
            return None
        table = self._table(read)
        if table is None or not self._fits(table, read, span):
            return None
        place: IndexExpr = Const(0)
        for at, size, noun in zip(read.subscripts, table.shape, _nouns(table.shape), strict=True):
            assert not isinstance(at, tree.Star | tree.Range)
            expr = self.subscript(at)
            if expr is None:
                return None
            self.reads.append(Read(read.name, expr, size, at.span, noun))
            place = algebra.add(algebra.mul(Const(size), place), expr)
        return algebra.lookup(table.numbers, place, table.listed)

    def _table(self, read: tables.Reading) -> tables.Table | None:
        """Return the table, made once where it has a name."""
        name = dotted_name(read.base)
        if not name:
            return tables.table(self.evaluator, read)
        if name not in self._tables:
            self._tables[name] = tables.table(self.evaluator, read)
        return self._tables[name]

    def _fits(self, table: tables.Table, read: tables.Reading, span: Span) -> bool:
        """Return whether each dimension of a table has one subscript, an expression; else say so."""
        given, rank = len(read.subscripts), len(table.shape)
        for at in read.subscripts:
            if isinstance(at, tree.Star | tree.Range):
                self._refuse(at, f"one element of `{read.name}` is read, not several", "write an index here")
                return False
        if given > rank:
            many = f"{rank} dimension{'s' * (rank != 1)}"
            message = f"`{read.name}` has {many}, and {given} subscripts"
            self.evaluator.sink.error("UB0414", message, read.subscripts[rank].span, "one too many")
        elif given < rank:
            help = f"`{read.name}` has {rank} dimensions: `{read.name}[{', '.join('ijklmn'[:rank])}]`"
            message = f"a subscript is a whole number, and this is a row of `{read.name}`"
            self.evaluator.sink.error("UB0407", message, span, "a list", help=(help,))
        return given == rank

    def _arithmetic(self, node: tree.Binary) -> IndexExpr | None:
        left, right = self.subscript(node.left), self.subscript(node.right)
        if left is None or right is None:
            return None
        if node.op in ("div", "mod"):
            if not isinstance(right, Const):
                self._refuse(node.right, f"`{node.op}` wants a number that is the same for every index", "")
                return None
            if right.value <= 0:
                self._refuse(node.right, f"`{node.op}` wants a positive number, found {right.value}", "")
                return None
        return _ARITHMETIC[node.op](left, right)

    def condition(self, node: tree.Expr) -> IndexExpr | None:
        """Return a truth value over index names; None after a diagnostic."""
        match node:
            case tree.Binary(op="and" | "or" as op):
                left, right = self.condition(node.left), self.condition(node.right)
                return None if left is None or right is None else Op(op, left, right)
            case tree.Unary(op="not"):
                inner = self.condition(node.operand)
                return None if inner is None else Not(inner)
            case tree.Compare(within=None):
                a, b = self.subscript(node.left), self.subscript(node.right)
                return None if a is None or b is None else algebra.compare(node.op, a, b)
        if not self._uses_index(node):
            truth = self.evaluator.truth(node)
            return None if truth is None else (algebra.TRUE if truth else Not(algebra.TRUE))
        self._refuse(node, "a condition compares index arithmetic, with `and`, `or`, `not`", "such as `i < j`")
        return None

    def _uses_index(self, node: tree.Node) -> bool:
        return any(isinstance(each, tree.Name) and each.text in self.names for each in walk(node))

    def _constant(self, node: tree.Expr) -> Const | None:
        value = self.evaluator.constant(node)
        if isinstance(value, Poison):
            return None
        if is_whole(value):
            return Const(int(value.value))
        factor = isinstance(node, tree.Quantity) and node.unit in self.names
        if factor and isinstance(node, tree.Quantity):
            product = f"{node.number.text}*{node.unit}"
            message = f"a product has its sign: `{product}`"
            help = (f"write `{product}`",)
            self.evaluator.sink.error(
                "UB0407", message, node.span, f"{describe(value)}", help=help, fix=rename(node.span, product)
            )
            return None
        self._refuse(node, f"a subscript is a whole number, found {describe(value)}", "")
        return None

    def _refuse(self, node: tree.Node, message: str, help: str) -> None:
        self.evaluator.sink.error("UB0407", message, node.span, "not index arithmetic", help=(help,) if help else ())


def _nouns(shape: Sequence[int]) -> Sequence[str]:
    """Return what a table has so many of in each dimension."""
    return {1: ("element",), 2: ("row", "column")}.get(len(shape), ("element",) * len(shape))


# ---- what must hold of them -------------------------------------------------------------------------------------


@frozen
class Outside:
    """The value farthest outside a range, with the index values for which it comes out."""

    value: int
    at: dict[str, int]
    one_sided: bool
    """Whether all values that are outside are on one side."""

    @property
    def when(self) -> str:
        """` for i=7, k=0`; nothing where it depends on no index."""
        return " for " + ", ".join(f"{name}={value}" for name, value in self.at.items()) if self.at else ""


def outside(expr: IndexExpr, size: int, axes: Sequence[Axis], where: IndexExpr | None) -> Outside:
    """Return the worst value of an expression that leaves 0..size - 1 somewhere."""
    used = set(axes_used(expr)) | (set(axes_used(where)) if where is not None else set())
    grid = points([axis for axis in axes if axis.name in used], where)
    values = np.broadcast_to(evaluate(expr, grid.grids), grid.shape).ravel()
    bad = np.flatnonzero((values < 0) | (values >= size))
    worst = int(bad[np.argmax(np.abs(values[bad] - size / 2))])
    at = {name: int(value[0]) for name, value in grid.at(np.array([worst])).items() if not name.startswith("_")}
    return Outside(int(values[worst]), at, bool(values[bad].min() >= 0 or values[bad].max() < 0))


def reads_in_range(compiler: IndexCompiler, axes: Sequence[Axis], where: IndexExpr | None) -> bool:
    """Return whether every subscript of a table stays inside it; else say of the first that does not."""
    for read in compiler.reads:
        if not algebra.within(read.at, axes, 0, read.size - 1, where):
            _leaves_table(read, outside(read.at, read.size, axes, where), compiler.evaluator)
            return False
    return True


def _leaves_table(read: Read, found: Outside, evaluator: Evaluator) -> None:
    many = f"{read.size} {read.noun}{'s' * (read.size != 1)}"
    help = [f"{read.noun}s are 0..{read.size - 1}"]
    if isinstance(read.at, Var):
        fewer = f"`{read.at.name} in 0..{read.size - 1}`"
        help.append(f"give the table more {read.noun}s, or let the index run over fewer: {fewer}")
    elif found.one_sided:
        help.append(f"to wrap around, say so: `({read.span.text.strip()}) mod {read.size}`")
    evaluator.sink.error(
        "UB0401",
        f"the table `{read.table}` has {many} and no {read.noun} {found.value}",
        read.span,
        f"is {found.value}{found.when}",
        labels=tuple(table_label(evaluator, read.table)),
        help=tuple(help),
    )


def table_label(evaluator: Evaluator, name: str) -> Iterator[Label]:
    """Where a table is defined."""
    local = evaluator.scope.local(name)
    definition = evaluator.scope.definition(tuple(name.split(".")))
    span = local.span if local is not None else definition.span if definition is not None else None
    if span is not None:
        yield Label(span, f"`{name}` is defined here")
