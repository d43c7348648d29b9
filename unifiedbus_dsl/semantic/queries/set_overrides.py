"""The machine of a scenario with `set` lines: the system's type elaborated anew with other parameters and fields.

`set racks = 64` gives the type of the system another argument. `set cabinet.plane.latency = 500 ns` stands for an
extension of the type of `plane`, at that place, in which the field has another value, and so do the fields that are
worked out from it. A `set` is of all elements of an array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, evolve, field, frozen

from unifiedbus_dsl.base.work import VISITED, spend
from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import UnknownNameError, did_you_mean, no_such
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan, PlanType
from unifiedbus_dsl.semantic.connect.references import Step, path_steps
from unifiedbus_dsl.semantic.select.picking import children_picked
from unifiedbus_dsl.semantic.systems import with_names
from unifiedbus_dsl.semantic.types.overrides import Overrides, PartOverrides
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import EvalValue, Poison, TypeValue, describe, same_sort
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes

if TYPE_CHECKING:
    from unifiedbus_dsl.semantic.types.elaborator import Elaborator


def resolve_items(name: str, all_of: Mapping[str, tree.Scenario]) -> list[tree.Statement]:
    """Return the lines of a scenario after those of the ones that it extends.

    Raises:
        UnknownNameError: no such scenario.
    """
    if name not in all_of:
        raise UnknownNameError(no_such("scenario", name, list(all_of)))
    items: list[tree.Statement] = []
    seen: set[str] = set()
    here: tree.Scenario | None = all_of[name]
    while here is not None and here.name.text not in seen:
        spend(1 + len(here.items), VISITED)
        seen.add(here.name.text)
        items += reversed(here.items)
        here = all_of.get(here.base.text) if here.base is not None else None
    return items[::-1]


@frozen(eq=False)
class _Target:
    """A member of the type at a path of parts: a parameter or a field, to be set to a value."""

    item: tree.Set
    path: tuple[str, ...]
    word: tree.Word
    kind: PlanType
    parameter: bool


@define(eq=False)
class _Tree:
    """Changes as they are gathered."""

    parameters: dict[str, EvalValue] = field(factory=dict)
    fields: dict[str, tuple[tree.Field, EvalValue]] = field(factory=dict)
    parts: dict[str, _Tree] = field(factory=dict)

    def at(self, path: Sequence[str]) -> _Tree:
        here = self
        for name in path:
            here = here.parts.setdefault(name, _Tree())
        return here

    def frozen(self) -> Overrides:
        parts = {
            name: PartOverrides(tuple(sorted(part.parameters.items())), part.frozen())
            for name, part in sorted(self.parts.items())
        }
        return Overrides(tuple(self.fields[name] for name in sorted(self.fields)), tuple(parts.items()))


def plan_with_overrides(
    elaborator: Elaborator,
    plan: Plan,
    items: Sequence[tree.Statement],
    evaluator: Evaluator,
) -> Plan | None:
    """Return the plan of the system of `plan` with what the `set` lines among the items change; None after a
    diagnostic.

    `evaluator` knows the names that the values may use. Later lines go before earlier ones. Names are understood in
    the machine with the other parameters of the system's type.
    """
    sets = [item for item in items if isinstance(item, tree.Set)]
    maker = _Maker(elaborator, evaluator)
    root = plan.root
    own = [item for item in sets if maker.is_parameter(root, item)]
    value = elaborator.origins[root]
    good = True
    for item in own:
        name = item.target.span.text.strip()
        changed = maker.value(_Target(item, (), tree.Word(name, span=item.target.span), elaborator.types[root], True))
        if changed is None:
            good = False
        else:
            value = TypeValue(value.definition, tuple({**dict(value.args), name: changed}.items()))
    if not good:
        return None
    if own:
        again = elaborator.elaborate(value, own[-1].span)
        if again is None or not _fits(elaborator, again, own[-1], plan):
            return None
        root = again
    changes = _Tree()
    for item in sets:
        if item not in own:
            good &= maker.gather(root, item, changes)
    if not good:
        return None
    if changes.parts or changes.fields:
        last = next(item for item in sets[::-1] if item not in own)
        again = elaborator.elaborate(value, last.span, changes.frozen())
        if again is None or not _fits(elaborator, again, last, plan):
            return None
        root = again
    made = evolve(elaborator.plan(plan.system, root), doc=plan.doc)
    return with_names(made, elaborator, Sink())  # a machine that has other parts keeps its paths


def _fits(elaborator: Elaborator, root: str, item: tree.Set, plan: Plan) -> bool:
    """Return whether the changed machine is not too large; else say so."""
    changed = elaborator.plan(plan.system, root)
    count = changed.device_count[root]
    if count <= elaborator.limits.devices:
        return True
    elaborator.sink.error(
        "UB0411",
        f"system `{plan.system}` would have {count:,} devices, and the limit is {elaborator.limits.devices:,}",
        item.span,
        "too many devices",
        help=("raise the limit with `--max-devices`",),
    )
    return False


@frozen(eq=False)
class _Maker:
    elaborator: Elaborator
    evaluator: Evaluator

    def _parameters(self, key: str) -> dict[str, tree.Param]:
        node = self.elaborator.origins[key].definition.node
        assert isinstance(node, tree.TypeDef)
        return {param.name.text: param for param in node.params}

    def is_parameter(self, root: str, item: tree.Set) -> bool:
        return isinstance(item.target, tree.Name) and item.target.text in self._parameters(root)

    def gather(self, root: str, item: tree.Set, changes: _Tree) -> bool:
        """Add what a line changes; False after a diagnostic."""
        target = self._named(root, item)
        value = None if target is None else self.value(target)
        if target is None or value is None:
            return False
        here = changes.at(target.path)
        if target.parameter:
            here.parameters[target.word.text] = value
        else:
            statement = tree.Field(target.word, item.value, span=item.span)
            here.fields[target.word.text] = statement, value
        return True

    # -- what is set

    def _named(self, root: str, item: tree.Set) -> _Target | None:
        """Return the member that a line names, None after a diagnostic."""
        path = path_steps(item.target)
        if path is None:
            self._nothing(item)
            return None
        kind = self.elaborator.types[root]
        part = []
        for step in path[:-1]:
            arrays = kind.arrays if isinstance(kind, AssemblyType) else {}
            if step.word.text not in arrays:
                self._nothing(item, step.word, [*arrays])
                return None
            if not self._whole(step, arrays[step.word.text]):
                part.append(step)
            kind = self.elaborator.types[arrays[step.word.text][0].type]
        names = tuple(step.word.text for step in path[:-1])
        target = self._target(item, names, path[-1].word, kind)
        if target is None or path[-1].subscripts:
            self._nothing(item, path[-1].word, self._members(kind))
            return None
        if part:
            self._one_of_many(part[0])
            return None
        return target

    def _target(self, item: tree.Set, path: tuple[str, ...], word: tree.Word, kind: PlanType) -> _Target | None:
        if path and word.text in self._parameters(kind.key):
            return _Target(item, path, word, kind, True)
        if word.text in kind.fields or word.text in attributes.attributes(attributes.owner_of(kind.kind)):
            return _Target(item, path, word, kind, False)
        return None

    def _whole(self, step: Step, children: Sequence[Child]) -> bool:
        """Return whether the subscripts take every element; what is wrong with them is said."""
        picked = children_picked(step, children, self.evaluator)
        return picked is None or sum(len(each) for _, each in picked) == sum(child.count for child in children)

    def _members(self, kind: PlanType) -> list[str]:
        known = [name for name in attributes.attributes(attributes.owner_of(kind.kind)) if name not in kind.fields]
        return [
            *self._parameters(kind.key),
            *kind.fields,
            *(kind.arrays if isinstance(kind, AssemblyType) else ()),
            *known,
        ]

    # -- values

    def value(self, target: _Target) -> EvalValue | None:
        """Return the value of a line, of the sort that its target wants; None after a diagnostic."""
        known = attributes.attributes(attributes.owner_of(target.kind.kind)).get(target.word.text)
        words = frozenset(known.words) if known is not None and not target.parameter else frozenset()
        value = evolve(self.evaluator, words=words).constant(target.item.value)
        if isinstance(value, Poison):
            return None
        if not target.parameter:
            return value
        before = dict(self.elaborator.origins[target.kind.key].args)[target.word.text]
        if same_sort(value, before):
            return value
        param = self._parameters(target.kind.key)[target.word.text]
        self.evaluator.sink.error(
            "UB0604",
            f"parameter `{target.word.text}` of `{target.kind.key}` is {describe(before)}, found {describe(value)}",
            target.item.value.span,
            f"is {describe(value)}",
            labels=(Label(param.name.span, "the parameter"),),
        )
        return None

    # -- what is wrong

    def _nothing(self, item: tree.Set, word: tree.Word | None = None, names: Sequence[str] = ()) -> None:
        guess = did_you_mean(word.text, names) if word is not None else None
        help = "name a field or parameter of a part, such as `plane.latency`, or a parameter of the system's type"
        self.evaluator.sink.error(
            "UB0609",
            f"`set` finds nothing called `{item.target.span.one_line}`",
            item.target.span if word is None else word.span,
            "matches nothing",
            help=(f"did you mean `{guess}`?",) if guess else (help,),
            fix=rename(word.span, guess) if word is not None else None,
        )

    def _one_of_many(self, step: Step) -> None:
        self.evaluator.sink.error(
            "UB0611",
            f"`set` changes all elements of `{step.word.text}` or none",
            step.span,
            "some of them",
            help=(f"write `{step.word.text}` without subscripts; to slow down single cables there is `degrade`",),
        )
