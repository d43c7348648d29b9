"""What the lines of a scenario take from a fabric, one after another: what fails leaves every later selection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import define, evolve, field, frozen

from unifiedbus_dsl.bind import walk
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.failures import no_part, quota, seed, several_sorts, share, targets, too_many
from unifiedbus_dsl.elaborate.set_reader import is_set
from unifiedbus_dsl.elaborate.values import Any
from unifiedbus_dsl.network import Bools, Ints
from unifiedbus_dsl.selections import Blocks, FabricSelector
from unifiedbus_dsl.shuffle import Shuffle
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class Taken:
    """What a line takes: devices and cables that fail, or cables that keep a `share` of their capacity."""

    devices: Ints
    cables: Ints
    share: float = 0.0


NOTHING: Ints = np.zeros(0, dtype=np.int64)


def taken(selector: FabricSelector, items: Sequence[tree.Statement]) -> tuple[list[Taken], dict[str, Any]] | None:
    """What each `fail` and `degrade` line takes, and the values of the `let` lines; None after a diagnostic.

    A value may be used before the line that gives it; where several lines give one, from each line on its own.
    """
    taker = _Taker(selector, selector.lost.copy(), np.zeros(selector.fabric.cable_count, dtype=bool))
    for item in items:
        if isinstance(item, tree.Let):
            taker.lets.setdefault(item.name.text, taker.evaluator.eval(item.value))
    found = [taker.line(item) for item in items]
    steps = [step for step in found if step is not None]
    return (steps, taker.lets) if taker.good else None


@define(eq=False)
class _Taker:
    selector: FabricSelector
    lost: Bools
    """Devices taken so far, [D]."""
    dead: Bools
    """Cables taken so far, [C]."""
    lets: dict[str, Any] = field(factory=dict)
    draws: int = 0
    good: bool = True

    @property
    def evaluator(self) -> Evaluator:
        return evolve(self.selector.evaluator, extra=dict(self.lets))

    def line(self, item: tree.Statement) -> Taken | None:
        """What a line takes; None where it takes nothing, or after a diagnostic."""
        found: Taken | None = None
        match item:
            case tree.Let():
                self.lets[item.name.text] = self.evaluator.eval(item.value)
                return None
            case tree.Fail():
                found = self._fail(item)
            case tree.Degrade():
                found = self._degrade(item)
            case _:
                return None
        self.good &= found is not None
        return found

    def _fail(self, item: tree.Fail) -> Taken | None:
        chosen = self._chosen(item)
        if chosen is None:
            return None
        blocks = [each for each in chosen if isinstance(each, Blocks)]
        cables = [each for each in chosen if not isinstance(each, Blocks)]
        found: Taken | None
        if item.quota is not None:
            found = self._drawn(item, blocks, cables)
        else:
            found = Taken(_union([each.devices() for each in blocks]), _union(cables))
        if found is not None:
            fabric = self.selector.fabric
            self.lost[found.devices] = True
            self.dead[found.cables] = True
            self.dead |= self.lost[fabric.a_device] | self.lost[fabric.b_device]
        return found

    def _drawn(self, item: tree.Fail, blocks: list[Blocks], cables: list[Ints]) -> Taken | None:
        """So many at random of those that are left."""
        if blocks and cables:
            several_sorts(item, self.selector.evaluator.sink)
            return None
        many, start = quota(item, self.evaluator), seed(item, self.lets, self.evaluator)
        if many is None or start is None:
            return None
        found = _union(cables)
        pairs = np.zeros((0, 2), dtype=np.int64)
        if blocks:
            pairs = np.unique(np.concatenate([np.stack([each.start, each.stop], axis=1) for each in blocks]), axis=0)
            gone = np.concatenate([[0], np.cumsum(self.lost)])
            pairs = pairs[gone[pairs[:, 1]] - gone[pairs[:, 0]] < pairs[:, 1] - pairs[:, 0]]
        count = len(pairs) if blocks else len(found)
        if many > count:
            too_many(item, many, count, self.selector.evaluator.sink)
            return None
        self.draws += 1
        picked = np.sort(Shuffle((start, self.draws))(np.arange(count))[:many])
        if blocks:
            return Taken(Blocks(pairs[picked, 0], pairs[picked, 1], blocks[0].noun).devices(), NOTHING)
        return Taken(NOTHING, found[picked])

    def _degrade(self, item: tree.Degrade) -> Taken | None:
        chosen, part = self._chosen(item), share(item, self.evaluator)
        if chosen is None or part is None:
            return None
        cables = [self._cables_of(each) if isinstance(each, Blocks) else each for each in chosen]
        return Taken(NOTHING, _union(cables), float(part))

    def _cables_of(self, blocks: Blocks) -> Ints:
        """The cables with an end in the parts."""
        fabric = self.selector.fabric
        inside = np.zeros(fabric.device_count, dtype=bool)
        inside[blocks.devices()] = True
        return np.flatnonzero(inside[fabric.a_device] | inside[fabric.b_device])

    def _chosen(self, item: tree.Fail | tree.Degrade) -> list[Blocks | Ints] | None:
        """What the targets of a line select; None after a diagnostic."""
        selector = evolve(self.selector, evaluator=self.evaluator, lost=self.lost)
        found: list[Blocks | Ints] = []
        for target in targets(item, selector.evaluator.sink) or ():
            parts = parts_of(selector, target)
            if parts is None:
                return None
            if not isinstance(parts, Blocks) and (isinstance(target, tree.All) or is_set(target)):
                assert not isinstance(target, tree.LinkBetween)
                parts = parts[~self.dead[parts]]
                if not len(parts):
                    selector.nothing(target)
                    return None
            found.append(parts)
        return found or None


def _union(ids: list[Ints]) -> Ints:
    """Each id once, ascending."""
    return np.unique(np.concatenate(ids)) if ids else NOTHING


def parts_of(selector: FabricSelector, target: tree.Selector) -> Blocks | Ints | None:
    """The parts, or the cables by their ids, that can fail by this name; None after a diagnostic. A port stands for its
    cable."""
    if isinstance(target, tree.LinkBetween):
        return selector.between(target.left, target.right)
    sort = selector.sort(target)
    if sort == "link":
        return selector.cables(target)
    if sort == "port":
        if any(isinstance(each, tree.All) for each in walk(target)):
            no_part(target, "all ports", selector.evaluator.sink)
            return None
        return selector.cables_at(target)
    blocks = selector.blocks(target)
    if blocks is not None and not len(blocks.start):
        selector.nothing(target)
        return None
    return blocks
