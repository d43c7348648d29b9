"""From `A | B` and `A - B` to the sets of `unifiedbus_dsl.semantic.select.sets`, with what is wrong about them."""

from __future__ import annotations

from functools import reduce
from typing import Protocol

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, PlanType
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.labels import groups_of
from unifiedbus_dsl.semantic.connect.references import Step, path_steps
from unifiedbus_dsl.semantic.select.picking import children_picked, elements
from unifiedbus_dsl.semantic.select.sets import Every, Joined, Named, Node, Parted, Sets, Target
from unifiedbus_dsl.semantic.select.type_scope import Selection, TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree

OPERATORS = ("|", "-")
SORTS = {"part": "parts", "link": "cables", "port": "ports"}


class PathSelector(Protocol):
    """Selects what has no operator: paths, and all of a kind."""

    @property
    def machine(self) -> TypeScope: ...

    @property
    def evaluator(self) -> Evaluator: ...

    def targets(self, node: tree.All) -> tuple[list[Target], tree.Word | None] | None:
        """Return what `all NAME where …` means in the machine, and the field behind it; None after a diagnostic."""

    def select(self, node: tree.Expr) -> Selection | None:
        """Return what an expression selects; None after a diagnostic."""

    def nothing(self, node: tree.Expr) -> None:
        """Say that a selection matches nothing."""


def is_set(node: tree.Selector) -> bool:
    """Return whether an expression joins or parts selections, or looks for something in a part."""
    match node:
        case tree.Binary():
            return node.op in OPERATORS
        case tree.Member():
            return isinstance(node.base, tree.All) or is_set(node.base)
        case tree.All():
            return node.scope is not None
    return False


def help_for(node: tree.Expr) -> tuple[str, ...]:
    """Return a help line on what is no selection."""
    match node:
        case tree.Binary():
            return ("`A | B` holds what is in one of two selections or in both, `A - B` what is in A alone",)
        case tree.ListExpr():
            return (f"write `{' | '.join(item.span.text.strip() for item in node.items)}`",) if node.items else ()
    return ()


@frozen(eq=False)
class Read:
    """A selection that was understood; `field` is the field that it ends in."""

    sets: Sets
    sort: str
    """`part`, `link` or `port`."""
    field: tree.Word | None

    def broken(self) -> tree.Binary | None:
        """Return a difference that takes something out of a part and leaves the rest; None where there is none."""
        self.sets.count()
        differences = [self.sets.nodes[number] for number in sorted(self.sets.broken)]
        return differences[0].source if differences and isinstance(differences[0], Parted) else None


class _Refused(Exception):  # noqa: N818 - not an error of the program
    """Said already."""


@define(eq=False)
class SetReader:
    """Reads one selection against a machine."""

    selector: PathSelector
    nodes: list[Node] = field(factory=list)
    leaves: list[tuple[tree.Expr, str, tree.Word | None]] = field(factory=list)
    """Each leaf with its sort and the field that it ends in."""
    alone: bool = False
    """Whether it is one `all X in …`, of which there may be none."""

    def read(self, node: tree.Expr) -> Read | None:
        """Return the selection; None after a diagnostic."""
        try:
            field_name, base = (node.name, node.base) if isinstance(node, tree.Member) else (None, node)
            self.alone = isinstance(base, tree.All)
            self._add(base)
            machine = self.selector.machine
            sets = Sets(machine.types, machine.subject, tuple(self.nodes))
            sort = self._sort()
            own = self._field()
        except _Refused:
            return None
        sets.count()
        for number, each in enumerate(self.nodes):
            if isinstance(each, Parted) and number not in sets.effective:
                self._without_effect(each.source)
                return None
        return Read(sets, sort, field_name or own)

    @property
    def _sink(self) -> Sink:
        return self.selector.evaluator.sink

    def _append(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _add(self, node: tree.Expr, *, inner: bool = False) -> int:
        """Return the number of a node; `inner` for one that only says where something is looked for."""
        match node:
            case tree.Binary() if node.op in OPERATORS:
                left, right = self._add(node.left, inner=inner), self._add(node.right, inner=inner)
                return self._append(Joined(left, right) if node.op == "|" else Parted(left, right, node))
            case tree.All():
                return self._every(node, inner=inner)
        path = path_steps(node)
        if path is None:
            self._sink.error(
                "UB0518",
                "a selection is wanted: `all npu`, a part or a port",
                node.span,
                "selects nothing",
                help=help_for(node),
            )
            raise _Refused
        return self._named(node, path, inner=inner)

    # -- leaves

    def _every(self, node: tree.All, *, inner: bool) -> int:
        from_scope = None if node.scope is None else self._add(node.scope, inner=True)
        meant = self.selector.targets(node)
        if meant is None:
            raise _Refused
        targets, field_name = meant
        if not targets and (inner or not self.alone):
            self.selector.nothing(node)
            raise _Refused
        word = node.path[0].text
        self._add_leaf(node, word if word in ("link", "port") else "part", field_name, inner=inner)
        return self._append(Every(frozenset(targets), from_scope))

    def _named(self, node: tree.Expr, path: list[Step], *, inner: bool) -> int:
        plain = self.selector.select(node)
        if plain is None:
            raise _Refused
        machine = self.selector.machine
        steps = path[: -1 if plain.field is not None else None]
        found, sorts = list[Named](), set[str]()
        waiting: list[tuple[Named, PlanType]] = [(Named((), ()), machine.types[machine.subject])]
        while waiting:
            named, here = waiting.pop()
            if len(named.steps) == len(steps):
                found.append(named)
                sorts.add("part")
            elif isinstance(here, DeviceType):
                step = steps[len(named.steps)]
                port = here.by_name.get(step.word.text)
                picked = None if port is None else elements(step, groups_of(port), self.selector.evaluator)
                found.append(named.then(step.word.text, np.zeros(0, np.int64) if picked is None else picked))
                sorts.add("port")
            else:
                waiting += [
                    (named.then(child.name, picked), machine.types[child.type])
                    for child, picked in self._children(node, here, steps[len(named.steps)])
                ]
        self._add_leaf(node, min(sorts, default="part"), plain.field, inner=inner)
        numbers = [self._append(each) for each in found]
        return reduce(lambda left, right: self._append(Joined(left, right)), numbers)

    def _children(self, node: tree.Expr, here: AssemblyType, step: Step) -> list[tuple[Child, IntArray]]:
        children = here.arrays.get(step.word.text)
        if children is None:
            self._exported(node, step)
        assert children is not None
        return children_picked(step, children, self.selector.evaluator) or []

    def _add_leaf(self, node: tree.Expr, sort: str, field_name: tree.Word | None, *, inner: bool) -> None:
        """Keep a leaf with what it is; one that says where something is looked for is parts."""
        if not inner:
            self.leaves.append((node, sort, field_name))
        elif sort != "part" or field_name is not None:
            self._sink.error("UB0518", "`in` wants a part", node.span, "not a part")
            raise _Refused

    # -- what leaves have in common

    def _sort(self) -> str:
        """Return what all leaves are: parts, cables or ports."""
        first, sort, _ = self.leaves[0]
        for node, other, _ in self.leaves:
            if other != sort:
                self._sink.error(
                    "UB0430",
                    f"one selection holds {SORTS[sort]} or {SORTS[other]}, not both",
                    node.span,
                    SORTS[other],
                    labels=(Label(first.span, SORTS[sort]),),
                    help=("ask for each by itself",),
                )
                raise _Refused
        return sort

    def _field(self) -> tree.Word | None:
        """Return the field that all leaves end in."""
        first, _, word = self.leaves[0]
        for node, _, other in self.leaves:
            if (word and word.text) != (other and other.text):
                self._sink.error(
                    "UB0430",
                    "the sides of a selection end in different fields",
                    node.span,
                    f"`{other.text}`" if other else "no field",
                    labels=(Label(first.span, f"`{word.text}`" if word else "no field"),),
                    help=("the field of all of it stands behind a bracket: `(all npu | all cpu).memory`",),
                )
                raise _Refused
        return word

    def _without_effect(self, node: tree.Binary) -> None:
        left, right = (side.span.one_line for side in (node.left, node.right))
        self._sink.error(
            "UB0432",
            f"`{right}` takes nothing away from `{left}`",
            node.right.span,
            "nothing of it is there",
            labels=(Label(node.left.span, "from these"),),
            help=("leave the difference out, or name what is among the others",),
        )

    def _exported(self, node: tree.Expr, step: Step) -> None:
        self._sink.error(
            "UB0430",
            f"`{step.word.text}` stands for ports of other parts, which a selection of several names directly",
            node.span,
            "exported ports",
            help=("name the ports on their devices, such as `npu.up`",),
        )
        raise _Refused


def refuse_broken(node: tree.Binary, sink: Sink) -> None:
    """Say that a difference would leave a part of a part."""
    left, right = (side.span.one_line for side in (node.left, node.right))
    sink.error(
        "UB0431",
        f"`{right}` is inside of `{left}`, of which a piece would be left",
        node.right.span,
        "inside of a part",
        labels=(Label(node.left.span, "whole parts are meant here"),),
        help=(f"name what is left: `all npu in {left} - {right}`, say",),
    )
