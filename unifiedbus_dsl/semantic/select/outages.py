"""What the lines of a scenario take from a machine, as far as its plan can tell: parts, seeds, quotas and shares."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve, frozen

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.semantic.select.plan_selection import Selector, empty_selection
from unifiedbus_dsl.semantic.select.set_reader import refuse_broken
from unifiedbus_dsl.semantic.select.type_scope import Parts, Ports, Selection, TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, Poison, is_whole
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk

BASE = "base"
SEED = "seed"


@frozen(eq=False)
class OutageReader:
    """Checks `fail` and `degrade` lines. `whole` is False for a machine in error, whose parts are not all known."""

    machine: TypeScope
    evaluator: Evaluator
    lets: Mapping[str, EvalValue]
    whole: bool = True

    def fail(self, item: tree.Fail) -> bool:
        """Check a `fail` line; whether only the cables themselves tell if it can be followed."""
        targets = self._targets(item)
        if item.quota is None:
            return self._by_cables(item, targets)
        many = read_quota(item, self.evaluator)
        read_seed(item, self.lets, self.evaluator)
        if targets is None or many is None:
            return many is not None
        if len({isinstance(part, Parts) for each in targets for part in each.items}) > 1:
            mixed_selection(item, self.evaluator.sink)
            return False
        total = sum(part.count for each in targets for part in each.items)
        if many > total:
            quota_too_large(item, many, total, self.evaluator.sink)
        return len(targets) > 1 or self._by_cables(item, targets)

    def degrade(self, item: tree.Degrade) -> bool:
        """Check a `degrade` line; whether only the cables themselves tell if it can be followed."""
        share(item, self.evaluator)
        return self._by_cables(item, self._targets(item))

    @staticmethod
    def _by_cables(item: tree.Fail | tree.Degrade, found: list[Selection] | None) -> bool:
        """Return whether a pair or a port is meant, which may be without a cable."""
        pairs = any(isinstance(target, tree.LinkBetween) for target in item.targets)
        return pairs or any(isinstance(part, Ports) for each in found or () for part in each.items)

    def _targets(self, item: tree.Fail | tree.Degrade) -> list[Selection] | None:
        """Return what the targets of a line select; None where that is not known for all."""
        targets = [self._target(target) for target in outage_targets(item, self.evaluator.sink) or ()]
        known = [each for each in targets if each is not None]
        return known if known and len(known) == len(targets) else None

    def _target(self, target: tree.Selector) -> Selection | None:
        selector, sink = Selector(self.machine, self.evaluator), self.evaluator.sink
        if isinstance(target, tree.LinkBetween):
            for side in (target.left, target.right) if self.whole else ():
                selector.select(side)
            return None
        if not self.whole:
            for each in walk(target):
                if isinstance(each, tree.All):
                    selector.sort(each, {})
            return None
        selection = selector.select(target)
        if selection is None:
            return None
        if not sum(part.count for part in selection.items):
            empty_selection(target, self.machine, sink)
        elif selection.field is not None:
            not_a_part(target, "a field", sink)
        elif selection.broken is not None:
            refuse_broken(selection.broken, sink)
        elif isinstance(selection.items[0], Ports) and any(isinstance(each, tree.All) for each in walk(target)):
            not_a_part(target, "all ports", sink)
        else:
            return selection
        return None


def outage_targets(item: tree.Fail | tree.Degrade, sink: Sink) -> list[tree.Selector] | None:
    """Return the targets of a line, each with the `where` that the line has at its end; None after a diagnostic."""
    if item.where is None:
        return list(item.targets)
    targets: list[tree.Selector] = []
    for target in item.targets:
        if not isinstance(target, tree.All):
            word = "fail" if isinstance(item, tree.Fail) else "degrade"
            help = (f"write `{word} all npu where …`, or leave the `where` out",)
            sink.error("UB0711", "`where` goes with `all`", item.where.span, "here", help=help)
            return None
        where = item.where
        if target.where is not None:
            where = tree.Binary("and", target.where, where, span=target.where.span.to(where.span))
        targets.append(evolve(target, where=where))
    return targets


def not_a_part(target: tree.Expr, what: str, sink: Sink) -> None:
    """Say that what a line names can't fail."""
    sink.error(
        "UB0518",
        f"devices, assemblies or cables can fail, and this names {what}",
        target.span,
        "here",
        help=("write `all npu` or `all link where …`, or name a port by its path: its cable goes with it",),
    )


def mixed_selection(item: tree.Fail, sink: Sink) -> None:
    """Say that a draw is from parts and cables at once."""
    span = item.targets[0].span.to(item.targets[-1].span)
    help = ("write a line for each",)
    sink.error("UB0711", "a draw is from parts or from cables, not from both", span, "here", help=help)


# ---- what is compared with the undamaged system ---------------------------------------------------------------------


def base_scenario(condition: tree.Expr, sink: Sink) -> tree.Expr | Poison | None:
    """Return what a condition compares with `base`: that of which `base` is the value on the undamaged system. None
    where it does not say `base`, POISON after a diagnostic."""
    said = [node for node in walk(condition) if isinstance(node, tree.Name) and node.text == BASE]
    compared = [node for node in walk(condition) if isinstance(node, tree.Compare)]
    right = {id(name): node for node in compared for name in walk(node.right)}
    for name in said:
        if id(name) not in right:
            sink.error(
                "UB0711",
                "`base` stands for what it is compared with, on the undamaged system",
                name.span,
                "not on the right of a comparison",
                help=("write `bisection(all npu) >= 98% of base`, say",),
            )
            return POISON
    left = [right[id(name)].left for name in said]
    if len({node.span.one_line for node in left}) > 1:
        message = "`base` stands for one measure in a line"
        sink.error("UB0711", message, condition.span, "several", help=("write a line for each",))
        return POISON
    return left[0] if left else None


# ---- numbers of a line ----------------------------------------------------------------------------------------------


def read_quota(item: tree.Fail, evaluator: Evaluator) -> int | None:
    """Return how many of its targets a `fail any` line takes; None after a diagnostic."""
    assert item.quota is not None
    return evaluator.integer(item.quota, low=0)


def read_seed(item: tree.Fail, lets: Mapping[str, EvalValue], evaluator: Evaluator) -> int | None:
    """Return the seed of the scenario of a `fail any` line; None after a diagnostic."""
    value = lets.get(SEED)
    if isinstance(value, Poison):
        return None
    if value is None and not evaluator.scope.is_quiet(SEED):
        evaluator.sink.error(
            "UB0703",
            "a random draw needs a seed, so that it is the same every time",
            item.span,
            "no seed",
            help=("write `let seed = 7` into the scenario",),
        )
    if value is None:
        return None
    if is_whole(value) and value.value >= 0:
        return int(value.value)
    return None  # said once, where the seed is written


def check_let(node: tree.Let, value: EvalValue, sink: Sink) -> None:
    """Refuse a `let seed` that draws can't start from, and any `let base`."""
    if node.name.text == BASE:
        message = "`base` is the undamaged system here, and takes no other value"
        sink.error("UB0711", message, node.name.span, "here", help=("give it another name",))
    if node.name.text != SEED or isinstance(value, Poison) or (is_whole(value) and value.value >= 0):
        return
    help = ("write `let seed = 7`",)
    sink.error("UB0711", "a seed is a whole number from 0", node.value.span, "no seed", help=help)


def share(item: tree.Degrade, evaluator: Evaluator) -> Fraction | None:
    """Return the part of its capacity that a `degrade` line leaves a cable; None after a diagnostic."""
    quantity = evaluator.quantity(item.to, NUMBER)
    if quantity is None or 0 < quantity <= 1:
        return quantity
    help = "what is at 0% has failed: write `fail`" if quantity == 0 else "write a part of its capacity, such as `75%`"
    if isinstance(item.to, tree.Number) and 1 < quantity <= 100:
        help = f"did you mean `{item.to.text}%`?"
    message = "a part is degraded to more than 0% and at most 100%"
    evaluator.sink.error("UB0711", message, item.to.span, "here", help=(help,))
    return None


def quota_too_large(item: tree.Fail, many: int, total: int, sink: Sink) -> None:
    """Say that a `fail any` line takes more than there are."""
    assert item.quota is not None
    sink.error(
        "UB0704",
        f"{many:,} are to fail, and there are {total:,}",
        item.quota.span,
        f"more than the {total:,} there are",
        labels=(Label(item.targets[0].span.to(item.targets[-1].span), f"{total:,} of them"),),
    )
