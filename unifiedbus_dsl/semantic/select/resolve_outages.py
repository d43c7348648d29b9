"""What the lines of a scenario take from a fabric, one after another: what fails leaves every later selection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import define, evolve, field, frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.base.random import StablePermutation
from unifiedbus_dsl.ir.fabric.physical import one_a_cable, whole_cables
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.select.outages import (
    mixed_selection,
    not_a_part,
    outage_targets,
    quota_too_large,
    read_quota,
    read_seed,
    share,
)
from unifiedbus_dsl.semantic.select.set_reader import is_set
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import EvalValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk


@frozen(eq=False)
class ResolvedOutage:
    """What a line takes: devices and cables that fail, or cables that keep a `share` of their capacity. `parts` are the
    ranges of devices of the parts that it names, None where it takes something else too."""

    devices: Ints
    cables: Ints
    share: float = 0.0
    parts: tuple[tuple[int, int], ...] | None = None


NO_OUTAGE: Ints = np.zeros(0, dtype=np.int64)


def resolve_outages(
    selector: FabricSelector, items: Sequence[tree.Statement]
) -> tuple[list[ResolvedOutage], dict[str, EvalValue]] | None:
    """Return what each `fail` and `degrade` line takes, and the values of the `let` lines; None after a diagnostic.

    A value may be used before the line that gives it; where several lines give one, from each line on its own.
    """
    taker = _OutageResolver(selector, selector.lost.copy())
    for item in items:
        if isinstance(item, tree.Let):
            taker.lets.setdefault(item.name.text, taker.evaluator.eval(item.value))
    outages = [taker.line(item) for item in items]
    steps = [step for step in outages if step is not None]
    return (steps, taker.lets) if taker.good else None


@define(eq=False)
class _OutageResolver:
    selector: FabricSelector
    lost: Bools
    """Devices taken so far, [D]."""
    cut: list[Ints] = field(factory=list)
    """Cables taken so far by themselves."""
    lets: dict[str, EvalValue] = field(factory=dict)
    draws: int = 0
    good: bool = True

    @property
    def evaluator(self) -> Evaluator:
        return evolve(self.selector.evaluator, extra=dict(self.lets))

    def line(self, item: tree.Statement) -> ResolvedOutage | None:
        """Return what a line takes; None where it takes nothing, or after a diagnostic."""
        outage: ResolvedOutage | None = None
        match item:
            case tree.Let():
                self.lets[item.name.text] = self.evaluator.eval(item.value)
                return None
            case tree.Fail():
                outage = self._fail(item)
            case tree.Degrade():
                outage = self._degrade(item)
            case _:
                return None
        self.good &= outage is not None
        return outage

    def _fail(self, item: tree.Fail) -> ResolvedOutage | None:
        chosen = self._chosen(item)
        if chosen is None:
            return None
        blocks = [each for each in chosen if isinstance(each, DeviceRanges)]
        cables = [each for each in chosen if not isinstance(each, DeviceRanges)]
        outage: ResolvedOutage | None
        if item.quota is not None:
            outage = self._drawn(item, blocks, cables)
        else:
            ranges = [pair for each in blocks for pair in zip(each.start.tolist(), each.stop.tolist(), strict=True)]
            whole = whole_cables(self.selector.fabric, _union(cables))
            outage = ResolvedOutage(
                _union([each.devices() for each in blocks]), whole, parts=None if cables else tuple(ranges)
            )
        if outage is not None:
            self.lost[outage.devices] = True
            self.cut.append(outage.cables)
        return outage

    def _dead(self) -> Bools:
        """Return which cables are taken so far, [C]."""
        fabric = self.selector.fabric
        dead = self.lost[fabric.a_device] | self.lost[fabric.b_device]
        dead[_union(self.cut)] = True
        return np.asarray(dead)

    def _drawn(self, item: tree.Fail, blocks: list[DeviceRanges], cables: list[Ints]) -> ResolvedOutage | None:
        """So many at random of those that are left."""
        if blocks and cables:
            mixed_selection(item, self.selector.evaluator.sink)
            return None
        many, start = read_quota(item, self.evaluator), read_seed(item, self.lets, self.evaluator)
        if many is None or start is None:
            return None
        fabric = self.selector.fabric
        parts = one_a_cable(fabric, _union(cables))
        pairs = np.zeros((0, 2), dtype=np.int64)
        if blocks:
            pairs = np.unique(np.concatenate([np.stack([each.start, each.stop], axis=1) for each in blocks]), axis=0)
            gone = np.concatenate([[0], np.cumsum(self.lost)])
            pairs = pairs[gone[pairs[:, 1]] - gone[pairs[:, 0]] < pairs[:, 1] - pairs[:, 0]]
        count = len(pairs) if blocks else len(parts)
        if many > count:
            quota_too_large(item, many, count, self.selector.evaluator.sink)
            return None
        self.draws += 1
        picked = np.sort(StablePermutation((start, self.draws))(np.arange(count))[:many])
        if blocks:
            return ResolvedOutage(DeviceRanges(pairs[picked, 0], pairs[picked, 1], blocks[0].noun).devices(), NO_OUTAGE)
        return ResolvedOutage(NO_OUTAGE, whole_cables(fabric, parts[picked]))

    def _degrade(self, item: tree.Degrade) -> ResolvedOutage | None:
        chosen, part = self._chosen(item), share(item, self.evaluator)
        if chosen is None or part is None:
            return None
        cables = [self._cables_of(each) if isinstance(each, DeviceRanges) else each for each in chosen]
        return ResolvedOutage(NO_OUTAGE, _union(cables), float(part))

    def _cables_of(self, blocks: DeviceRanges) -> Ints:
        """Return the cables with an end in the parts."""
        fabric = self.selector.fabric
        inside = np.zeros(fabric.device_count, dtype=bool)
        inside[blocks.devices()] = True
        return np.flatnonzero(inside[fabric.a_device] | inside[fabric.b_device])

    def _chosen(self, item: tree.Fail | tree.Degrade) -> list[DeviceRanges | Ints] | None:
        """Return what the targets of a line select; None after a diagnostic."""
        selector = evolve(self.selector, evaluator=self.evaluator, lost=self.lost)
        chosen: list[DeviceRanges | Ints] = []
        for target in outage_targets(item, selector.evaluator.sink) or ():
            parts = parts_of(selector, target)
            if parts is None:
                return None
            if not isinstance(parts, DeviceRanges) and (isinstance(target, tree.All) or is_set(target)):
                assert not isinstance(target, tree.LinkBetween)
                parts = parts[~self._dead()[parts]]
                if not len(parts):
                    selector.nothing(target)
                    return None
            chosen.append(parts)
        return chosen or None


def _union(ids: list[Ints]) -> Ints:
    """Return each id once, ascending."""
    return np.unique(np.concatenate(ids)) if ids else NO_OUTAGE


def parts_of(selector: FabricSelector, target: tree.Selector) -> DeviceRanges | Ints | None:
    """Return the parts, or the cables by their ids, that can fail by this name; None after a diagnostic. A port stands
    for its cable."""
    if isinstance(target, tree.LinkBetween):
        return selector.between(target.left, target.right)
    sort = selector.sort(target)
    if sort == "link":
        return selector.cables(target)
    if sort == "port":
        if any(isinstance(each, tree.All) for each in walk(target)):
            not_a_part(target, "all ports", selector.evaluator.sink)
            return None
        return selector.cables_at(target)
    blocks = selector.blocks(target)
    if blocks is not None and not len(blocks.start):
        selector.nothing(target)
        return None
    return blocks
