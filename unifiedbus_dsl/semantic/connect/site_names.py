"""What a site calls the parts of a system: the `name … of SYSTEM = "…"` lines, as a map from paths to names.

The path of a line is one part, or one port of a type of device, at each point of its indices; the text is a template
whose values are index arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn, TypeAlias

import numpy as np
from attrs import field, frozen

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Label, Severity, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import AssemblyType, Axis, Child, IndexExpr, Plan, Port
from unifiedbus_dsl.ir.plan.algebra import within
from unifiedbus_dsl.ir.plan.index import Points, evaluate, points
from unifiedbus_dsl.ir.plan.labels import text_shape
from unifiedbus_dsl.semantic.connect.magnitude import stay_small
from unifiedbus_dsl.semantic.connect.references import Step, path_steps, range_axis
from unifiedbus_dsl.semantic.connect.subscripts import IndexCompiler, outside, reads_in_range
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.tables import index_names
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.build import unescape
from unifiedbus_dsl.syntax.values_in_text import BadBrace, Hole, pieces

CODE = "UB0613"
NO_PARTS = 'a device has no parts; its ports are named for all of its type: `name Leaf.p[n] of … = "{n}" for n`'
Piece: TypeAlias = "str | tuple[IndexExpr, str]"
"""What a path or a name consists of: text, or a value and how it is written."""


class _SaidError(Exception):
    """What is wrong with a rule is in the sink."""


def site_names(plan: Plan, rules: Sequence[tuple[tree.Naming, Evaluator]]) -> dict[str, str] | None:
    """Return the site's name of each path that the rules name; None after a diagnostic. The evaluator of a rule knows
    the names that it may use."""
    names: dict[str, str] = {}
    by: dict[str, tree.Naming] = {}
    good = True
    for node, evaluator in rules:
        rows = _Rule(plan, node, evaluator).rows()
        if rows is None:
            good = False
            continue
        twice = next((path for path in rows if path in names), None)
        if twice is not None:
            message = f"`{twice}` is called `{names[twice]}` and `{rows[twice]}`"
            labels = (Label(by[twice].span, "named here"),)
            help = ("leave it out of one: `where g != 3`",)
            evaluator.sink.error(CODE, message, node.span, "named again", labels=labels, help=help)
            good = False
        names |= rows
        by |= dict.fromkeys(rows, node)
    return names if good else None


@frozen(eq=False)
class _Array:
    """An array of the path: its step and its sizes."""

    step: Step
    sizes: tuple[int, ...]


@frozen(eq=False)
class _Rule:
    """A `name` line that is being read."""

    plan: Plan
    node: tree.Naming
    evaluator: Evaluator
    compiler: IndexCompiler = field(init=False)

    @compiler.default
    def _compiler(self) -> IndexCompiler:
        return IndexCompiler(self.evaluator, frozenset(binder.name.text for binder in self.node.binders))

    def rows(self) -> dict[str, str] | None:
        """Return the name of each path; None after a diagnostic."""
        try:
            return self._rows()
        except _SaidError:
            return None

    def _rows(self) -> dict[str, str]:
        work.about(self.node.span)
        arrays = self._arrays()
        self._must_be_one_part(arrays)
        self._must_be_listed(arrays)
        self._warn_of_dollar()
        axes = self._axes(arrays)
        where = self._where(axes)
        grid = points(axes, where)
        if not grid.size:
            self._wrong("UB0406", "this names nothing: no index is left", self.node.span, "no part")
        path, text = self._path(arrays, axes, where), self._text(axes, where)
        work.spend(grid.size, work.LISTED)
        made = dict(zip(_texts(path, grid), _texts(text, grid), strict=True))
        if len(made) < grid.size:
            message = f"two of the {grid.size:,} values of the indices are about one part"
            self._wrong(CODE, message, self.node.path.span, "named again", "let each index stand in the path")
        names = Counter(made.values())
        if len(names) < len(made):
            again = names.most_common(1)[0][0]
            one, two = [path for path, name in made.items() if name == again][:2]
            message = f"`{again}` is the name of `{one}` and of `{two}`"
            self._wrong(CODE, message, self.node.text.span, "the same for both", "let each index stand in the name")
        return self._existing(made, arrays)

    def _warn_of_dollar(self) -> None:
        """Say that `${…}` of other tools has a sign too many."""
        written = self.node.text.span
        at = written.text.find("${")
        if at >= 0:
            sign = Span(written.source, written.start + at, written.start + at + 1)
            help = ("a value stands between braces alone: `{r + 1}`",)
            message = "the `$` before a value is a letter of the name"
            self.evaluator.sink.error(CODE, message, sign, "in the name", help=help, severity=Severity.WARNING)

    def _wrong(self, code: str, message: str, span: Span, label: str, *help: str) -> NoReturn:
        self.evaluator.sink.error(code, message, span, label, help=help)
        raise _SaidError

    def _sure(self, expr: IndexExpr | None) -> IndexExpr:
        """Return an expression that could be read; of another it is said what is wrong."""
        if expr is None:
            raise _SaidError
        return expr

    def _worked_out(
        self, expr: IndexExpr | None, span: Span, axes: Sequence[Axis], where: IndexExpr | None
    ) -> IndexExpr:
        """Return an expression that could be read, stays inside 64 bits and reads inside its tables; of another it is
        said what is wrong."""
        sure = self._sure(expr)
        if not stay_small([sure], axes, span, self.evaluator.sink) or not reads_in_range(self.compiler, axes, where):
            raise _SaidError
        return sure

    def _where(self, axes: Sequence[Axis]) -> IndexExpr | None:
        said = self.node.where
        return None if said is None else self._worked_out(self.compiler.condition(said), said.span, axes, None)

    # -- the path

    def _arrays(self) -> list[_Array]:
        """Return the arrays of the path: parts, or a type of device and its port."""
        steps = path_steps(self.node.path)
        if steps is None:
            self._wrong(CODE, "what is named is a part or a port", self.node.path.span, "not a path")
        first = steps[0].word.text
        if self._is_type(first) and len(steps) == 2 and not steps[0].subscripts:
            ports = {port.name: port for port in self.plan.devices[first].ports}
            port = ports.get(steps[1].word.text)
            if port is None:
                self._unknown(steps[1].word, ports, f"`{first}` has no port `{steps[1].word.text}`")
            return [_Array(steps[0], ()), _Array(steps[1], port.shape)]
        arrays, keys = list[_Array](), {self.plan.root}
        for step in steps:
            children = [child for key in sorted(keys) for child in self._children(key, step.word.text)]
            if not children:
                there = {child.text_name for key in keys for child in self._all(key)}
                there |= self.plan.devices.keys() if not arrays else set()
                self._unknown(step.word, there, f"there is no part `{step.word.text}` here")
            arrays.append(_Array(step, text_shape(children[0])))
            keys = {child.type for child in children}
        return arrays

    def _is_type(self, name: str) -> bool:
        """Return whether a path that begins so is of a port of a type of device."""
        return name in self.plan.devices and not any(self._children(self.plan.root, name))

    def _all(self, key: str) -> Sequence[Child]:
        kind = self.plan.type(key)
        return kind.children if isinstance(kind, AssemblyType) else ()

    def _children(self, key: str, name: str) -> Iterator[Child]:
        return (child for child in self._all(key) if child.text_name == name)

    def _unknown(self, word: tree.Word, there: Mapping[str, Port] | set[str], message: str) -> NoReturn:
        if self.evaluator.scope.is_quiet(word.text):
            raise _SaidError
        guess = did_you_mean(word.text, there)
        listed = ", ".join(f"`{name}`" for name in sorted(there)[:8])
        help = f"did you mean `{guess}`?" if guess else f"here is {listed}" if listed else NO_PARTS
        sink = self.evaluator.sink
        sink.error("UB0220", message, word.span, "unknown", help=(help,), fix=rename(word.span, guess))
        raise _SaidError

    def _must_be_one_part(self, arrays: Sequence[_Array]) -> None:
        """Each dimension has a subscript, an expression."""
        for array in arrays:
            name, given, rank = array.step.word.text, array.step.subscripts, len(array.sizes)
            for each in given:
                if isinstance(each, tree.Star | tree.Range):
                    help = "write an index, and its range after `for`: `name leaf[l] of … for l in 0..3`"
                    self._wrong(CODE, "a line names one part for each index", each.span, "several parts", help)
            if len(given) != rank:
                indices = ", ".join("ijklmn"[:rank])
                dimensions = f"{rank or 'no'} dimension{'s' * (rank != 1)}"
                message = f"`{name}` has {dimensions}, and {len(given) or 'no'} subscript{'s' * (len(given) != 1)} here"
                help = f"write `{name}[{indices}]` and `for {indices}`" if rank else f"write `{name}`"
                self._wrong("UB0414", message, array.step.span, "another number", help)

    def _must_be_listed(self, arrays: Sequence[_Array]) -> None:
        """Each name is an index or a value."""
        scope, known = self.evaluator.scope, self.compiler.names
        said: list[tree.Node] = [*_subscripts(arrays), *self.node.values]
        said += [] if self.node.where is None else [self.node.where]
        for each in (name for part in said for name in index_names(part)):
            if each.text in known or scope.local(each.text) or scope.definition((each.text,)):
                continue
            if scope.is_quiet(each.text):
                raise _SaidError
            listed = ", ".join([*(binder.span.text.strip() for binder in self.node.binders), each.text])
            message = f"index `{each.text}` is not listed after `for`"
            self._wrong("UB0404", message, each.span, "not bound", f"write `for {listed}`")

    def _axes(self, arrays: Sequence[_Array]) -> list[Axis]:
        """Return what each index runs over: its own range, or the dimension where it stands alone."""
        axes: dict[str, Axis] = {}
        used = {name.text for each in _subscripts(arrays) for name in index_names(each)}
        for binder in self.node.binders:
            name, span = binder.name.text, binder.name.span
            if name in axes:
                self._wrong("UB0202", f"index `{name}` is listed twice", span, "listed again")
            if name not in used:
                message = f"index `{name}` is listed after `for` and used in no subscript"
                self._wrong("UB0408", message, span, "not used", "delete it, or write it where it belongs")
            axes[name] = self._own_axis(binder) if binder.range is not None else self._dimension(binder, arrays)
        return list(axes.values())

    def _own_axis(self, binder: tree.Binder) -> Axis:
        if isinstance(binder.range, tree.Range):
            axis = range_axis(self.evaluator, binder.range, binder.name.text, None)
            if axis is None:
                raise _SaidError
            return axis
        assert binder.range is not None
        message, help = f"index `{binder.name.text}` needs a range", f"write `{binder.name.text} in 0..7`"
        self._wrong("UB0415", message, binder.range.span, "not a range", help)

    def _dimension(self, binder: tree.Binder, arrays: Sequence[_Array]) -> Axis:
        name = binder.name.text
        sizes = sorted({size for size, at in _dimensions(arrays) if isinstance(at, tree.Name) and at.text == name})
        if len(sizes) == 1:
            return Axis(name, 0, sizes[0] - 1)
        if sizes:
            message = f"index `{name}` has two ranges: 0..{sizes[0] - 1} and 0..{sizes[-1] - 1}"
            self._wrong("UB0403", message, binder.name.span, "which?", f"say: `{name} in 0..{sizes[0] - 1}`")
        message = f"index `{name}` never stands alone as a subscript, so its range is not known"
        self._wrong("UB0405", message, binder.name.span, "range unknown", f"write `{name} in 0..7` after `for`")

    def _path(self, arrays: Sequence[_Array], axes: Sequence[Axis], where: IndexExpr | None) -> list[Piece]:
        """Return the template of the path."""
        made = list[Piece]()
        for number, array in enumerate(arrays):
            made.append(("." if number else "") + array.step.word.text)
            for at, (size, subscript) in enumerate(zip(array.sizes, array.step.subscripts, strict=True)):
                assert not isinstance(subscript, tree.Star | tree.Range)
                expr = self._worked_out(self.compiler.subscript(subscript), subscript.span, axes, where)
                self._must_stay(expr, size, subscript.span, axes, where)
                made += [", " if at else "[", (expr, "")]
            made.append("]" if array.sizes else "")
        return made

    def _must_stay(self, expr: IndexExpr, size: int, span: Span, axes: Sequence[Axis], where: IndexExpr | None) -> None:
        """A subscript stays inside its dimension."""
        if not within(expr, axes, 0, size - 1, where):
            found = outside(expr, size, axes, where)
            message = f"{found.value} is outside an array of {size}"
            self._wrong("UB0401", message, span, f"is {found.value}{found.when}", f"elements are 0..{size - 1}")

    # -- the name

    def _text(self, axes: Sequence[Axis], where: IndexExpr | None) -> list[Piece]:
        """Return the template of the name."""
        made = list[Piece]()
        for piece in pieces(self.node.text.span):
            if isinstance(piece, str):
                made.append(unescape(f'"{piece}"'))
            elif isinstance(piece, Hole):
                made.append(self._hole(piece, axes, where))
            else:
                self._bad_brace(piece)
        if not any(not isinstance(piece, str) or piece.strip() for piece in made):
            self._wrong(CODE, "a part has a name, or keeps its path", self.node.text.span, "empty")
        return made

    def _bad_brace(self, piece: BadBrace) -> NoReturn:
        if piece.form:
            help = "write `{g:02}` for two digits, `{g:x}` for hexadecimal ones, `{g}` for as many as there are"
            self._wrong(CODE, f"a number is not written as `{piece.span.text}`", piece.span, "no form", help)
        help = "write `{g + 1}` for a value, and a brace of the name twice: `{{`"
        self._wrong(CODE, f"this `{piece.span.text}` belongs to no value", piece.span, "alone", help)

    def _hole(self, hole: Hole, axes: Sequence[Axis], where: IndexExpr | None) -> Piece:
        inside = (v for v in self.node.values if hole.span.start <= v.span.start and v.span.end <= hole.span.end)
        value = next(inside, None)
        if value is None:
            said = f"`{hole.span.text}` is no value" if hole.span.text else "there is no value between these braces"
            self._wrong(CODE, said, hole.span, "can't be read", "write index arithmetic, such as `{g + 1}`")
        return self._worked_out(self.compiler.subscript(value), value.span, axes, where), hole.form

    # -- what there is

    def _existing(self, made: dict[str, str], arrays: Sequence[_Array]) -> dict[str, str]:
        """Return the rows about what is there: an array may have holes."""
        from unifiedbus_dsl.ir.fabric.site import parts_at

        if self._is_type(arrays[0].step.word.text):
            return made
        there = parts_at(self.plan, len(arrays))
        kept = {path: name for path, name in made.items() if path in there}
        if kept:
            return kept
        self._wrong("UB0406", "this names nothing: no such part is there", self.node.path.span, "no part")


def _dimensions(arrays: Sequence[_Array]) -> Iterator[tuple[int, tree.Subscript]]:
    for array in arrays:
        yield from zip(array.sizes, array.step.subscripts, strict=True)


def _subscripts(arrays: Sequence[_Array]) -> list[tree.Subscript]:
    return [at for _, at in _dimensions(arrays)]


def _texts(template: Sequence[Piece], grid: Points) -> list[str]:
    """Return what a template comes out as at each point."""
    columns: list[list[str]] = []
    for piece in template:
        if isinstance(piece, str):
            columns.append([piece] * grid.size)
            continue
        expr, form = piece
        values = np.broadcast_to(evaluate(expr, grid.grids), grid.shape).ravel()
        columns.append([format(value, form) for value in values.tolist()])
    return ["".join(row) for row in zip(*columns, strict=True)]
