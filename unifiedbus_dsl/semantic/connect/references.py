"""References to ports of children: `board[b].up[n, k]`, as the text writes them and as the plan keeps them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import accumulate, chain

from attrs import field, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean, names_there
from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Child,
    DeviceType,
    IndexExpr,
    Labels,
    PlanType,
    PortRef,
    algebra,
)
from unifiedbus_dsl.ir.plan.labels import (
    groups_of,
    label_table,
    place_at,
    range_text,
    text_shape,
)
from unifiedbus_dsl.semantic.connect.port_views import (
    PortView,
    port_names,
    port_pieces,
    sizes_of,
    view_of,
)
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree

_SIZES = re.compile(r"\s*(?:spare\s+)?\w+\s*\[([^\]]*)\]")
_SUM = re.compile(r"(?=.*[a-zA-Z])\w+( *[-+*/^] *\w+)+")  # arithmetic on names and numbers
"""The sizes in the statement of a part."""


@frozen
class Leaf:
    """The elements of a reference that are of one child of the plan, with the port array of that child that it means;
    None where the child has no such port."""

    child: Child
    port: str | None
    groups: tuple[Labels, ...]
    """Of the dimensions of the child, then of those of the port."""
    view: PortView


@frozen
class Dimension:
    """One dimension of `child[…].port[…]`: its size, and the subscript written for it (None where left out)."""

    size: int
    subscript: tree.Subscript | None
    span: Span
    origin: Span | None = None
    """Where the array is defined."""

    @property
    def is_free(self) -> bool:
        return self.subscript is None or isinstance(self.subscript, tree.Star | tree.Range)

    @property
    def name(self) -> str | None:
        """The name that stands alone as the subscript."""
        return self.subscript.text if isinstance(self.subscript, tree.Name) else None


@frozen
class Reference:
    """A port of a child with its dimensions, those of the child first.

    Where elements differ in type, `child` stands for all of them and `leaves` are what the plan has.
    """

    child: Child
    port: str
    view: PortView
    dimensions: tuple[Dimension, ...]
    span: Span
    leaves: tuple[Leaf, ...]

    @property
    def is_plain(self) -> bool:
        """Whether it is one port array of one child of the plan."""
        return len(self.leaves) == 1

    @property
    def rank(self) -> int:
        """How many dimensions are the child's."""
        return len(text_shape(self.child))

    @cached_property
    def grouped(self) -> tuple[tuple[Labels, range], ...]:
        """The labels of the child's dimensions, then of the port's, each with the numbers of the dimensions."""
        groups = (*groups_of(self.child), *self.view.groups)
        starts = accumulate((len(labels.sizes) for labels in groups), initial=0)
        return tuple((labels, range(at, at + len(labels.sizes))) for labels, at in zip(groups, starts, strict=False))

    def range_text(self, dimension: Dimension) -> str:
        """Return the range of a dimension, as it is written after `for`."""
        size = self.size_text(dimension)
        if not size.isdigit():
            return f"0..<{size}"
        for labels, at in self.grouped:
            if len(at) == 1 and self.dimensions[at[0]] is dimension:
                return range_text(labels)
        return f"0..{dimension.size - 1}"

    def size_text(self, dimension: Dimension) -> str:
        """Return the size of a dimension as the text gives it, `q` or `(q + 1)`; a number where it is one."""
        at = next(number for number, each in enumerate(self.dimensions) if each is dimension)
        match = _SIZES.match(self.child.span.text) if self.child.span is not None else None
        sizes = match[1].split(",") if match is not None else []
        text = sizes[at].strip() if at < self.rank == len(sizes) else ""
        if text.isidentifier():
            return text
        return f"({text})" if _SUM.fullmatch(text) else str(dimension.size)

    def ref(self, subscripts: Sequence[IndexExpr]) -> PortRef:
        """Return the port at subscripts as the text has them, which meet no hole."""
        return self.at_places([place_at(labels, [subscripts[d] for d in at]) for labels, at in self.grouped])

    def at_places(self, places: Sequence[IndexExpr]) -> PortRef:
        """Return the port at places among the elements that are there."""
        rank = len(self.child.shape)
        return PortRef(self.child.name, tuple(places[:rank]), self.leaves[0].port or "", tuple(places[rank:]))

    def labels_of(self, places: Sequence[IndexExpr], axes: Sequence[Axis]) -> tuple[IndexExpr, ...]:
        """Return the subscripts, as the text has them, of places among what is there."""
        at = list[IndexExpr]()
        for (labels, _), place in zip(self.grouped, places, strict=True):
            label = algebra.lookup(label_table(labels), place) if labels.absent else place
            at += [label] if len(labels.sizes) == 1 else algebra.unflatten(label, labels.sizes, axes)
        return tuple(at)

    @property
    def blame(self) -> Span:
        """The subscript that does arithmetic, if there is one only; else the whole reference."""
        busy = [
            d.span
            for d in self.dimensions
            if d.subscript is not None and not isinstance(d.subscript, tree.Name | tree.Star | tree.Range | tree.Number)
        ]
        return busy[0] if len(busy) == 1 else self.span


@frozen
class Step:
    """A name of a path with the subscripts behind it."""

    word: tree.Word
    subscripts: tuple[tree.Subscript, ...]
    span: Span


def path_steps(node: tree.Expr) -> list[Step] | None:
    """`a[i].b[j].c` as steps; None if the expression is no path."""
    match node:
        case tree.Name():
            return [Step(tree.Word(node.text, span=node.span), (), node.span)]
        case tree.Member():
            base = path_steps(node.base)
            return None if base is None else [*base, Step(node.name, (), node.name.span)]
        case tree.Index():
            base = path_steps(node.base)
            if base is None:
                return None
            last = base[-1]
            return [*base[:-1], Step(last.word, (*last.subscripts, *node.subscripts), last.span.to(node.span))]
    return None


@frozen(eq=False)
class AssemblyScope:
    """What a statement of an assembly sees: its direct children and their ports."""

    types: Mapping[str, PlanType]
    children: Mapping[str, Child]
    pieces: Mapping[str, tuple[Child, ...]]
    """What each child is in the plan: several where its elements differ in type."""
    failed: AbstractSet[str]
    """Children that could not be understood."""
    failed_ports: Mapping[str, AbstractSet[str]]
    """By type: ports that could not be understood; `*` stands for any."""
    evaluator: Evaluator
    absent: Mapping[str, tree.Expr] = field(factory=dict)
    """Parts that a condition leaves out."""
    told: set[tuple[str, int]] = field(factory=set)
    """Arrays of which it is said that they have fewer dimensions than a statement thinks."""

    @property
    def sink(self) -> Sink:
        return self.evaluator.sink

    def child(self, word: tree.Word) -> Child | None:
        """Return the child of this name; None after a diagnostic, or quietly if it is already in error."""
        child = self.children.get(word.text)
        if child is None and word.text in self.absent and word.text not in self.failed:
            self.sink.error(
                "UB0220",
                f"the part `{word.text}` is not there: its condition does not hold",
                word.span,
                "not there",
                labels=(Label(self.absent[word.text].span, "does not hold"),),
                help=("put this statement under the same `if`",),
            )
        elif child is None and word.text not in self.failed and not self.evaluator.scope.is_quiet(word.text):
            guess = did_you_mean(word.text, [*self.children, *self.failed])
            near = self.children.get(guess or "")
            self.sink.error(
                "UB0220",
                f"there is no part `{word.text}` here",
                word.span,
                "unknown part",
                labels=(Label(near.span, f"`{guess}` is defined here"),) if near and near.span else (),
                help=(f"did you mean `{guess}`?",) if guess else (self._parts(),),
                fix=rename(word.span, guess),
            )
        return child

    def _parts(self) -> str:
        names = ", ".join(f"`{name}`" for name in list(self.children)[:8])
        return f"the parts here are {names}" if names else "this type has no parts yet: `npu[8] : TYPE` adds some"

    def reference(self, node: tree.Expr) -> Reference | None:
        """Return a port of a child; None after a diagnostic."""
        path = path_steps(node)
        if path is None:
            self.sink.error(
                "UB0507", "a cable end is a port of a part", node.span, "not a port", help=("write `part[i].port[j]`",)
            )
            return None
        child = self.child(path[0].word)
        if child is None:
            return None
        if len(path) == 1:
            self._no_port(node, child)
            return None
        view = self._view(node, child, path)
        if view is None:
            return None
        if self._index_of_the_part(path, child, view):
            return None
        port = path[1].word.text
        dimensions = self._dimensions(path[0], text_shape(child), child.span)
        inner = self._dimensions(path[1], view.shape, self._port_span(child, port))
        if dimensions is None or inner is None:
            return None
        return Reference(child, port, view, (*dimensions, *inner), node.span, tuple(self._leaves(child, port, view)))

    def _leaves(self, child: Child, port: str, view: PortView) -> Iterator[Leaf]:
        for piece in self.pieces[child.name]:
            own = groups_of(piece)
            ports = port_pieces(self.types, piece.type, port)
            if not ports:
                yield Leaf(piece, None, own, view)
            for each in ports:
                there = PortView(each.groups, each.protocol, each.lanes, each.open)
                yield Leaf(piece, each.name, (*own, *each.groups), there)

    def _index_of_the_part(self, path: list[Step], child: Child, view: PortView) -> bool:
        """Return whether `npu.host[i]` gives a single port the index of its part; said if so."""
        part, port = path
        if part.subscripts or view.shape or not port.subscripts or len(port.subscripts) > len(text_shape(child)):
            return False
        index = ", ".join(each.span.text.strip() for each in port.subscripts)
        self.sink.error(
            "UB0414",
            f"`{port.word.text}` is a single port of each `{child.name}`, and has a subscript",
            port.subscripts[0].span,
            "belongs to the part",
            help=(f"write `{child.name}[{index}].{port.word.text}`",),
        )
        return True

    def _no_port(self, node: tree.Expr, child: Child) -> None:
        names = port_names(self.types[child.type])
        self.sink.error(
            "UB0507",
            f"a cable end is a port, and `{child.name}` is a part",
            node.span,
            "names no port",
            labels=(Label(child.span, f"`{child.name}` is defined here"),) if child.span else (),
            help=(f"ports of `{child.type}`: {names_there(names, before=f'{node.span.text}.')}",) if names else (),
        )

    def _port_span(self, child: Child, port: str) -> Span | None:
        for piece in self.pieces[child.name]:
            kind = self.types[piece.type]
            span = (
                (kind.by_name[port].span if port in kind.by_name else None)
                if isinstance(kind, DeviceType)
                else next((m.span for m in kind.exported_arrays.get(port, ())), None)
            )
            if span is not None:
                return span
        return None

    def _view(self, node: tree.Expr, child: Child, path: list[Step]) -> PortView | None:
        port = path[1].word
        keys = dict.fromkeys(piece.type for piece in self.pieces[child.name])
        for key in keys:
            if len(path) > 2 or self._is_part(self.types[key], port.text):
                self._through_wall(child, self.types[key], path)
                return None
        pieces = [piece for key in keys for piece in port_pieces(self.types, key, port.text)]
        if any({port.text, "*"} & self.failed_ports.get(key, frozenset()) for key in keys):
            pieces = pieces if len(keys) == 1 else []
        elif not pieces:
            names = _joined([port_names(self.types[key]) for key in keys])
            guess = did_you_mean(port.text, names)
            span = self._port_span(child, guess) if guess else None
            self.sink.error(
                "UB0212",
                f"`{child.type}` has no port `{port.text}`",
                port.span,
                "unknown port",
                labels=(Label(span, f"`{guess}` is defined here"),) if span else (),
                help=(f"did you mean `{guess}`?",) if guess else (self._without_port(port.text, keys, names),),
                fix=rename(port.span, guess),
            )
        ranks = {len(labels) for labels in (sizes_of(piece.groups) for piece in pieces)}
        if len(ranks) > 1:
            self._ranks_differ(child, port, ranks)
            return None
        return view_of(pieces) if pieces else None

    def _without_port(self, port: str, keys: Iterable[str], names: Collection[str]) -> str:
        """Return what to do where types have no port of a name: hand on that of a part inside, or name another."""
        for key in keys:
            kind = self.types[key]
            for child in kind.children if isinstance(kind, AssemblyType) else ():
                if port in port_names(self.types[child.type]):
                    return f"hand it on in `{key.partition('(')[0]}`: `port {port} = {child.text_name}.{port}`"
        return f"its ports: {names_there(names)}"

    def _ranks_differ(self, child: Child, port: tree.Word, ranks: AbstractSet[int]) -> None:
        listed = " and ".join(str(rank) for rank in sorted(ranks))
        self.sink.error(
            "UB0436",
            f"the elements of `{child.name}` differ in `{port.text}`: it has {listed} dimensions",
            port.span,
            "of different shapes",
            labels=(Label(child.span, "elements of several types"),) if child.span else (),
            help=("give the port as many dimensions in each type, or another name in one",),
        )

    @staticmethod
    def _is_part(kind: PlanType, name: str) -> bool:
        return isinstance(kind, AssemblyType) and name in kind.arrays

    def _through_wall(self, child: Child, kind: PlanType, path: list[Step]) -> None:
        inner = ".".join(step.word.text for step in path[1:])
        name = path[-1].word.text
        span = path[1].word.span.to(path[-1].word.span)
        if not isinstance(kind, AssemblyType):
            self.sink.error("UB0212", f"`{child.type}` has no port `{inner}`", span, "unknown port")
            return
        self.sink.error(
            "UB0505",
            f"a cable can't go through the wall of {kind.kind} `{kind.key}`",
            span,
            f"is inside `{child.name}`",
            labels=(Label(kind.span, "the wall"),) if kind.span else (),
            help=(f"export it: add `port {name} = {inner}` to `{kind.key}`, and connect `{child.name}.{name}`",),
        )

    def _dimensions(self, step: Step, shape: tuple[int, ...], defined: Span | None) -> tuple[Dimension, ...] | None:
        if len(step.subscripts) > len(shape):
            extra = step.subscripts[len(shape)]
            if (step.word.text, len(shape)) in self.told:
                return None
            self.told.add((step.word.text, len(shape)))
            size = f"{len(shape)} dimension{'s' * (len(shape) != 1)}" if shape else "no dimensions"
            self.sink.error(
                "UB0414",
                f"`{step.word.text}` has {size}, and {_many(len(step.subscripts), 'subscript')}",
                extra.span,
                "one too many" if len(step.subscripts) == len(shape) + 1 else "too many from here on",
                labels=(Label(defined, f"its shape is {shape_text(shape)}"),) if defined else (),
                help=(f"write `{step.word.text}[{', '.join('ijklmn'[: len(shape)])}]`",)
                if shape
                else (f"write `{step.word.text}` without brackets",),
            )
            return None
        padded = [*step.subscripts, *[None] * (len(shape) - len(step.subscripts))]
        return tuple(
            Dimension(size, subscript, subscript.span if subscript is not None else step.span, defined)
            for size, subscript in zip(shape, padded, strict=True)
        )

    # -- subscripts

    def free_axis(self, dimension: Dimension, name: str) -> Axis | None:
        """Return the axis that a `*`, a range or a subscript left out runs over; None after a diagnostic."""
        if dimension.subscript is None or isinstance(dimension.subscript, tree.Star):
            return Axis(name, 0, dimension.size - 1)
        assert isinstance(dimension.subscript, tree.Range)
        return range_axis(self.evaluator, dimension.subscript, name, dimension.size)


def range_axis(evaluator: Evaluator, node: tree.Range, name: str, size: int | None) -> Axis | None:
    """Return the axis of `0..7`, `0..<8`, `96..`, `0..63 step 8`; None after a diagnostic.

    Checked against an array dimension of `size` elements where one is given.
    """
    low = evaluator.integer(node.low)
    high = evaluator.integer(node.high) if node.high is not None else (size or 0) - 1
    step = evaluator.integer(node.step, low=1) if node.step is not None else 1
    if low is None or high is None or step is None:
        return None
    if node.high is None and size is None:
        evaluator.sink.error("UB0415", "a range without an end needs an array to end at", node.span, "no end")
        return None
    if not node.inclusive:
        high -= 1
    if high < low:
        labels = evaluator.origins(node)
        message = f"the range `{node.span.text}` is empty"
        help = ("a range goes up: `0..7` ends at 7, `0..<8` before 8",)
        evaluator.sink.error("UB0406", message, node.span, f"{low} to {high}", labels=labels, help=help)
        return None
    high = low + (high - low) // step * step
    if size is not None and (low < 0 or high >= size):
        outside = high if high >= size else low
        evaluator.sink.error(
            "UB0401",
            f"{outside} is outside an array of {size}",
            node.span,
            f"runs to {outside}" if outside == high else f"starts at {low}",
            labels=evaluator.origins(node),
            help=(f"elements are 0..{size - 1}",),
        )
        return None
    return Axis(name, low, high, step)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def shape_text(shape: Sequence[int]) -> str:
    return "[" + ", ".join(map(str, shape)) + "]" if shape else "a single one"


def _joined(several: Sequence[Collection[str]]) -> Collection[str]:
    """Return all names of several types, each once; those of a single one as they are, however many."""
    return several[0] if len(several) == 1 else dict.fromkeys(chain.from_iterable(several))
