"""Lists and tables (lists of lists): what they are made of, and what their subscripts read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.ir.plan import Listed, Value
from unifiedbus_dsl.semantic.values.evaluation import Evaluation
from unifiedbus_dsl.semantic.values.messages import expected_value
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, Interval, Poison, TypeValue, describe, is_whole
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import children, dotted_name

MAX_LIST = 100_000
"""Elements of a list, those of the lists in it counted."""


def list_value(evaluator: Evaluation, node: tree.ListExpr) -> EvalValue:
    """Return the value of `[a, b, …]`; POISON after a diagnostic."""
    items: list[Value] = []
    for part in node.items:
        item = evaluator.eval(part)
        if isinstance(item, Poison):
            return POISON
        if isinstance(item, TypeValue | Interval):
            return expected_value(evaluator.sink, part, item, "a number, a quantity or a text")
        items.append(item)
    size = _size(items, MAX_LIST)
    if size > MAX_LIST:
        evaluator.sink.error(
            "UB0411",
            f"this list would have more than {MAX_LIST:,} elements, those of the lists in it counted",
            node.span,
            "too many elements",
        )
        return POISON
    work.spend(size, steps=100)
    return tuple(items)


def _size(items: Sequence[EvalValue], limit: int) -> int:
    """Return how many elements a list has, those of lists in it counted; something beyond the limit where it has
    more."""
    total = len(items)
    for item in items:
        if total > limit:
            break
        if isinstance(item, tuple):
            total += _size(item, limit - total)
    return total


# ---- subscripts -------------------------------------------------------------------------------------------------


@frozen
class Reading:
    """`t[i, j]` or `t[i][j]`: what is read, and all its subscripts."""

    base: tree.Expr
    subscripts: tuple[tree.Subscript, ...]

    @property
    def name(self) -> str:
        """What messages call the table."""
        return ".".join(dotted_name(self.base)) or "the list"


def reading(node: tree.Index) -> Reading:
    """Return the parts of an expression with subscripts."""
    base: tree.Expr = node.base
    subscripts = node.subscripts
    while isinstance(base, tree.Index):
        subscripts = (*base.subscripts, *subscripts)
        base = base.base
    return Reading(base, subscripts)


def element(evaluator: Evaluation, node: tree.Index) -> EvalValue:
    """Return the value of `t[3]` or `t[1, 2]`; POISON after a diagnostic."""
    read = reading(node)
    if not isinstance(read.base, tree.ListExpr) and not dotted_name(read.base):
        return evaluator.no_value(node)
    value = evaluator.eval(read.base)
    if isinstance(value, Poison):
        return POISON
    if not isinstance(value, tuple) or any(isinstance(at, tree.Star | tree.Range) for at in read.subscripts):
        return evaluator.no_value(node)
    for depth, at in enumerate(read.subscripts):
        if not isinstance(value, tuple):
            return _too_many(evaluator, read, depth)
        assert not isinstance(at, tree.Star | tree.Range)
        place = evaluator.integer(at)
        if place is None:
            return POISON
        if not 0 <= place < len(value):
            return _outside(evaluator, at, place, len(value))
        value = value[place]
    return value


def _outside(evaluator: Evaluation, at: tree.Expr, place: int, size: int) -> EvalValue:
    evaluator.sink.error(
        "UB0401",
        f"the list has {size} element{'s' * (size != 1)} and no element {place}",
        at.span,
        f"is {place}",
        help=(f"elements are 0..{size - 1}",) if size else (),
    )
    return POISON


def _too_many(evaluator: Evaluation, read: Reading, depth: int) -> EvalValue:
    many = f"{depth} dimension{'s' * (depth != 1)}"
    evaluator.sink.error(
        "UB0414",
        f"`{read.name}` has {many}, and {len(read.subscripts)} subscripts",
        read.subscripts[depth].span,
        "one too many" if len(read.subscripts) == depth + 1 else "too many from here on",
    )
    return POISON


# ---- tables of whole numbers ------------------------------------------------------------------------------------


@frozen
class Table:
    """A rectangular table of whole numbers: its sizes and its numbers in row-major order."""

    shape: tuple[int, ...]
    numbers: tuple[int, ...]
    listed: Listed


def table(evaluator: Evaluation, read: Reading) -> Table | None:
    """Return the table that is read; None after a diagnostic."""
    value = evaluator.constant(read.base)
    if isinstance(value, Poison):
        return None
    if not isinstance(value, tuple):
        expected_value(evaluator.sink, read.base, value, "a list of whole numbers")
        return None
    shape = _shape(value)
    flat = value
    for _ in shape[1:]:
        if not _is_even(evaluator, read, flat):
            return None
        flat = tuple(item for row in flat if isinstance(row, tuple) for item in row)
    if not flat:
        evaluator.sink.error("UB0407", f"`{read.name}` is empty: it has nothing to read", read.base.span, "no elements")
        return None
    wrong = next((item for item in flat if not is_whole(item)), None)
    if wrong is not None:
        message = f"a subscript is a whole number, and `{read.name}` has {describe(wrong)} in it"
        evaluator.sink.error("UB0407", message, read.base.span, "not only whole numbers")
        return None
    numbers = tuple([int(item.value) for item in flat if is_whole(item)])
    listed = Listed(read.name, shape, _spans(evaluator, read.base, shape))
    return Table(shape, numbers, listed)


def _shape(value: Value) -> tuple[int, ...]:
    """Return the sizes of a list of lists, by its first elements."""
    if not isinstance(value, tuple):
        return ()
    return (len(value), *_shape(value[0])) if value else (0,)


def _is_even(evaluator: Evaluation, read: Reading, rows: tuple[Value, ...]) -> bool:
    """Return whether all rows are lists of one length; else say which is not."""
    sizes = [len(row) if isinstance(row, tuple) else None for row in rows]
    for at, row in enumerate(rows):
        if sizes[at] == sizes[0]:
            continue
        differs = f"has {len(row)}" if isinstance(row, tuple) else f"is {describe(row)}"
        evaluator.sink.error(
            "UB0407",
            f"the rows of `{read.name}` differ: the first has {sizes[0]} elements, row {at} {differs}",
            read.base.span,
            "no table of rows and columns",
            labels=_row_label(evaluator, read.base, at),
            help=("give all rows as many elements",),
        )
        return False
    return True


def _row_label(evaluator: Evaluation, base: tree.Expr, at: int) -> tuple[Label, ...]:
    rows = _literal(evaluator, base)
    return (Label(rows.items[at].span, f"row {at}"),) if rows is not None and at < len(rows.items) else ()


def _spans(evaluator: Evaluation, base: tree.Expr, shape: tuple[int, ...]) -> tuple[Span, ...]:
    """Where each number stands; nothing where the list is not written out."""
    node = _literal(evaluator, base)
    if node is None:
        return ()
    items: Sequence[tree.Expr] = node.items
    for _ in shape[1:]:
        if not all(isinstance(item, tree.ListExpr) for item in items):
            return ()
        items = [inner for item in items if isinstance(item, tree.ListExpr) for inner in item.items]
    return tuple([item.span for item in items])


def _literal(evaluator: Evaluation, base: tree.Expr) -> tree.ListExpr | None:
    """Return the list as it is written, where the name stands for one."""
    node: tree.Expr | None = base
    if isinstance(base, tree.Name) and (local := evaluator.scope.local(base.text)) is not None:
        node = local.text
    elif (definition := evaluator.scope.definition(dotted_name(base))) is not None:
        node = definition.node.value if isinstance(definition.node, tree.Let) else None
    return node if isinstance(node, tree.ListExpr) else None


def sizes_where_alone(name: str, node: tree.Node, evaluator: Evaluation) -> list[tuple[int, Span]] | None:
    """Return the sizes of the dimensions of tables where an index stands alone, each with the place; None after a
    diagnostic."""
    found_sizes: list[tuple[int, Span]] = []
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if not isinstance(here, tree.Index):
            waiting.extend(children(here))
            continue
        read = reading(here)
        waiting.extend(read.subscripts)
        alone = [at for at in read.subscripts if isinstance(at, tree.Name) and at.text == name]
        if alone:
            read_table = table(evaluator, read)
            if read_table is None:
                return None
            sizes = dict(zip(read.subscripts, read_table.shape, strict=False))
            found_sizes += [(sizes[at], at.span) for at in alone if at in sizes]
    return found_sizes


def index_names(node: tree.Node) -> Iterator[tree.Name]:
    """Yield the names in a subscript that may be indices: not those of the tables and functions in it."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, tree.Name):
            yield here
        elif isinstance(here, tree.Index):
            read = reading(here)
            waiting.extend([*read.subscripts, *([] if dotted_name(read.base) else [read.base])])
        elif isinstance(here, tree.Call):
            waiting.extend(here.args)
        elif not isinstance(here, tree.Member):
            waiting.extend(children(here))
