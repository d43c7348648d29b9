"""Parts whose elements differ: `cell[23] : Cell(leafs = if c < 19 then 18 else 16) for c`.

Type, arguments and condition are worked out for each element. Elements that follow each other and are alike are one
child of the plan, so that their order in the machine is that of the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TypeAlias

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base import units, work
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Child, Labels
from unifiedbus_dsl.ir.plan.labels import labels_without, piece_name, to_labels
from unifiedbus_dsl.semantic.types.context import Part
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk

MAX_ELEMENTS = 1 << 17
"""Elements of an array whose types are worked out one by one."""
MAX_RUNS = 1 << 10
"""Runs of alike elements of an array: each is a part of its own to all that reads the plan."""
ELEMENT = 2_500
"""Steps of work for an element."""

KeyOf: TypeAlias = Callable[[tree.TypeRef, Scope], "str | None"]
"""Gives the key of the type that is named in a scope; None after a diagnostic."""


def chosen_type(node: tree.TypeRef | tree.TypeChoice, scope: Scope, sink: Sink) -> tree.TypeRef | None:
    """Return the type that a choice comes down to; None after a diagnostic, or where that is not known."""
    while isinstance(node, tree.TypeChoice):
        truth = Evaluator(scope, sink).truth(node.test)
        if truth is None:
            return None
        node = node.yes if truth else node.no
    return node


@frozen(eq=False)
class Elements:
    """The elements of an instance line, in the scope of its type. `labels` are those that it does not leave out."""

    statement: tree.Instance
    scope: Scope
    sink: Sink
    sizes: tuple[int, ...]
    labels: tuple[Labels, ...]

    def part(self, key_of: KeyOf) -> Part | None:
        """Return the part, without a piece where its condition holds for no element; None after a diagnostic."""
        if not self.statement.binders:
            ref = chosen_type(self.statement.type, self.scope, self.sink)
            key = None if ref is None else key_of(ref, self.scope)
            return None if key is None else self._alike(key)
        if not self._indices_fit() or not self._few():
            return None
        keys: dict[int, str] = {}
        for label, scope in self._scopes():
            there = self.statement.condition is None or Evaluator(scope, self.sink).truth(self.statement.condition)
            ref = chosen_type(self.statement.type, scope, self.sink) if there else None
            key = None if ref is None else key_of(ref, scope)
            if there is None or (there and key is None):
                return None
            if key is not None:
                keys[label] = key
        return self._in_runs(keys)

    # -- the elements one by one

    def _scopes(self) -> Iterator[tuple[int, Scope]]:
        """Yield each element that is there by its row-major number, with the scope in which its index is known."""
        names = [binder.name.text for binder in self.statement.binders]
        labels = to_labels(self._child(""), np.arange(self._count))
        work.about(self.statement.span)
        work.spend(len(labels), ELEMENT)
        at = np.stack(np.unravel_index(labels, self.sizes), axis=-1)[:, : len(names)]
        for label, row in zip(labels.tolist(), at.tolist(), strict=True):
            yield label, self._at({name: units.number(k) for name, k in zip(names, row, strict=True)})

    def _at(self, values: dict[str, EvalValue]) -> Scope:
        spans = {binder.name.text: binder.name.span for binder in self.statement.binders}
        own = {name: Lazy(lambda v=value: v, spans[name], name) for name, value in values.items()}  # type: ignore[misc]
        return evolve(self.scope, params={**self.scope.params, **own})

    @property
    def _count(self) -> int:
        return self._child("").count

    # -- the children that they are

    def _child(self, key: str, labels: tuple[Labels, ...] | None = None) -> Child:
        own, node = self.labels if labels is None else labels, self.statement
        shape = tuple(each.count for each in own) or self.sizes
        return Child(node.name.text, shape, key, node.spare, node.doc, node.span, own)

    def _alike(self, key: str) -> Part:
        child = self._child(key)
        return Part(child, (child,))

    def _in_runs(self, keys: dict[int, str]) -> Part | None:
        """Return a part of these elements, each of the type of that key."""
        if not keys:
            return Part(self._child(""), ())
        labels = self.labels if len(keys) == self._count else self._labels(list(keys))
        whole = self._child(next(iter(keys.values())), labels)
        runs = [(key, list(run)) for key, run in groupby(keys, key=keys.__getitem__)]
        if len(runs) == 1:
            return Part(whole, (whole,))
        if len(runs) > MAX_RUNS:
            self._say_many(len(runs))
            return None
        pieces = [
            evolve(
                self._child(key, self._labels(run)), name=piece_name(whole.name, number), array=whole.name
            )
            for number, (key, run) in enumerate(runs)
        ]  # fmt: skip
        return Part(whole, tuple(pieces))

    def _labels(self, there: list[int]) -> tuple[Labels, ...]:
        gone = np.ones(self.sizes, dtype=bool)
        gone.reshape(-1)[there] = False
        return labels_without(gone)

    # -- what is wrong

    def _indices_fit(self) -> bool:
        """Return whether each index is one of a dimension, and said somewhere; else say so."""
        node, rank = self.statement, len(self.sizes)
        said = {
            each.text
            for part in (node.type, node.condition)
            if part is not None
            for each in walk(part)
            if isinstance(each, tree.Name)
        }
        seen = set[str]()
        for at, binder in enumerate(node.binders):
            name = binder.name.text
            if binder.range is not None:
                message = f"`{name}` runs over the elements of `{node.name.text}`, and takes no range"
                help = ("leave the range out; `if` and `except` leave elements out",)
                self.sink.error("UB0415", message, binder.range.span, "not here", help=help)
            elif at >= rank:
                dimensions = f"{rank or 'no'} dimension{'s' * (rank != 1)}"
                message = f"`{node.name.text}` has {dimensions}, and {len(node.binders)} are counted here"
                self.sink.error("UB0414", message, binder.span, "one too many")
            elif name in seen:
                self.sink.error("UB0202", f"index `{name}` is listed twice", binder.name.span, "listed again")
            elif name not in said and not self._names_dimension(at, said):
                message = f"index `{name}` is listed after `for` and used nowhere before it"
                help = ("say by it what differs: `: Cell(leafs = if c < 19 then 18 else 16) for c`",)
                self.sink.error("UB0408", message, binder.name.span, "not used", help=help)
            else:
                seen.add(name)
                continue
            return False
        return True

    def _names_dimension(self, at: int, said: set[str]) -> bool:
        """Return whether an index is there so that one behind it names its own dimension."""
        return any(binder.name.text in said for binder in self.statement.binders[at + 1 :])

    def _few(self) -> bool:
        if self._count <= MAX_ELEMENTS:
            return True
        name, span = self.statement.name.text, self.statement.binders[0].span
        message = f"`{name}` has {self._count:,} elements; at most {MAX_ELEMENTS:,} may differ one by one"
        help = ("write one array for each sort of element",)
        self.sink.error("UB0437", message, span, "too many to tell apart", help=help)
        return False

    def _say_many(self, runs: int) -> None:
        name, binders = self.statement.name.text, self.statement.binders
        self.sink.error(
            "UB0437",
            f"the elements of `{name}` change their type {runs - 1:,} times, and the limit is {MAX_RUNS - 1:,}",
            binders[0].span.to(binders[-1].span),
            f"{runs:,} runs of alike elements",
            help=("number the elements so that those of one sort follow each other, or write an array for each sort",),
        )


def check_names(statement: tree.Instance, scope: Scope, sink: Sink, key_of: KeyOf) -> None:
    """Check what does not depend on the size of an array, which is not known."""
    inside = Elements(statement, scope, sink, (), ())._at({b.name.text: POISON for b in statement.binders})
    for each in walk(statement.type):
        if isinstance(each, tree.TypeChoice):
            Evaluator(inside, sink).truth(each.test)
        elif isinstance(each, tree.TypeRef):
            key_of(each, inside)
