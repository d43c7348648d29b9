"""Utilisation of cables as pictures show it: of each cable, of the cables between two devices, and of each rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Bools, Floats, Ints
from unifiedbus_dsl.base.units import format_number, format_share
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.plan import Plan, Rule
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.explorer import ShownLoads
from unifiedbus_dsl.render.marks import Line, Mark, Text, straight, text_width
from unifiedbus_dsl.render.style import Loads, Lost, Style
from unifiedbus_dsl.semantic.queries.views import link_text
from unifiedbus_dsl.solver.network_context import NetworkContext


@frozen(eq=False)
class Utilisation:
    """Utilisation of each cable of a fabric, [cables], under `what`, where each end point sends `rate` byte/s, or
    where they are not `alike` those that send most do."""

    fabric: Fabric
    each: Floats
    what: str
    rate: float
    alike: bool = True

    @classmethod
    def of(cls, machine: NetworkContext, shares: Floats, what: str, rate: float, *, alike: bool = True) -> Utilisation:
        """From that of each arc of the machine's network, [A]."""
        return cls(machine.fabric, of_each_cable(machine, shares), what, rate, alike)

    @property
    def most(self) -> float:
        return float(self.each.max(initial=0.0))

    @property
    def least(self) -> float:
        return float(self.each.min(initial=np.inf))

    @property
    def busiest(self) -> str:
        """The busiest cable: its load, its name, and how many are as busy."""
        first = self.each >= self.most * (1 - 1e-9)
        if first.all():
            return f"all cables alike, {percent(self.most)}"
        more = f" and {int(first.sum()) - 1:,} more" if first.sum() > 1 else ""
        return f"busiest: {percent(self.most)} at {self.fabric.cable_name(int(np.argmax(first)))}{more}"

    @property
    def said(self) -> str:
        who = "each end point" if self.alike else "the end points that send most"
        return f"load of cables under {self.what}, {who} sending {format_number(self.rate / 1e9)} GB/s"


def loaded(look: Style, found: Utilisation, *, alone: bool = True) -> Style:
    """Return the look with cables coloured by load, on one scale of all pictures. A picture that is not `alone` has its
    notes and its legend beside it."""
    pairs = _PairLoads(found.fabric, found.each)
    loads = Loads(_worst(found.fabric.plan, found.each), found.least, found.most, pairs)
    lines = [(found.said, ""), (found.busiest, "")] if alone else []

    def text(plan: Plan, key: str, rules: Sequence[Rule], cables: int) -> str:
        worst = max(loads.share(key, rule) for rule in rules)
        base = link_text("rate")(plan, key, rules, cables)
        return f"{base} · {percent(worst)}" + (" · busiest" if loads.is_busiest(worst) else "")

    legend = [load_scale()] if alone else []
    return evolve(look, loads=loads, link_text=look.link_text or text, legend=legend, notes=[*look.notes, *lines])


def of_each_cable(machine: NetworkContext, shares: Floats) -> Floats:
    """Utilisation of each cable, [cables], by that of each arc, [A]: cables of one kind and the same two vertices
    share an arc. Of its two directions the busier; 0 for a cable that is lost."""
    padded = np.append(shares, 0.0)
    forth, back = machine.cable_arcs()
    return np.asarray(np.maximum(padded[forth], padded[back]))


def _largest(codes: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Return the codes, which are in order, each once, with the largest of its values."""
    if not len(codes):
        return codes, values
    starts = np.flatnonzero(np.r_[True, np.diff(codes) > 0])
    return codes[starts], np.maximum.reduceat(values, starts)


class _PairLoads:
    """Utilisation of the busiest cable between two devices."""

    def __init__(self, fabric: Fabric, each: Floats) -> None:
        self._count = fabric.device_count
        code = _pair_codes(fabric)
        order = np.argsort(code, kind="stable")
        self._codes, self._most = _largest(code[order], each[order])

    def __call__(self, a: int, b: int) -> float:
        code = min(a, b) * self._count + max(a, b)
        at = int(np.searchsorted(self._codes, code))
        known = at < len(self._codes) and self._codes[at] == code
        return float(self._most[at]) if known else 0.0


def _pair_codes(fabric: Fabric) -> Ints:
    """Return a number for the two devices of each cable, [cables]."""
    a, b = fabric.a_device.astype(np.int64), fabric.b_device.astype(np.int64)
    return np.minimum(a, b) * fabric.device_count + np.maximum(a, b)


def lost_of(machine: NetworkContext) -> Lost:
    """Return what a damaged machine lacks, as pictures ask for it."""
    fabric = machine.fabric
    gone = np.asarray(machine.lost_devices, dtype=bool)
    dead = np.flatnonzero(machine.cable_health <= 0)
    alive = _PairLoads(fabric, np.where(machine.cable_health <= 0, 0.0, 1.0))
    a, b = fabric.a_device[dead].astype(np.int64), fabric.b_device[dead].astype(np.int64)
    link, lanes = fabric.kinds.link[fabric.kind[dead]], fabric.kinds.lanes[fabric.kind[dead]]
    number = {name: at for at, name in enumerate(fabric.plan.links)}
    touched = gone.copy()
    alone = ~gone[a] & ~gone[b]
    touched[a[alone]] = touched[b[alone]] = True
    before, marked = (np.concatenate([[0], np.cumsum(each)]) for each in (gone, touched))

    def places(start: int, size: int, count: int) -> list[int]:
        at = marked[start + size * np.arange(count + 1)]
        return [int(k) for k in np.flatnonzero(np.diff(at))]

    def cables(one: range, other: range, name: str, width: int) -> int:
        forth = _within(a, one) & _within(b, other)
        back = _within(a, other) & _within(b, one)
        return int(((forth | back) & (link == number[name]) & (lanes == width)).sum())

    return Lost(
        lambda start, count: int(before[start + count] - before[start]),
        places,
        lambda one, other: alive(one, other) == 0.0,
        cables,
    )


def _within(devices: Ints, span: range) -> Bools:
    return np.asarray((devices >= span.start) & (devices < span.stop))


def _worst(plan: Plan, each: Floats) -> dict[tuple[str, int], float]:
    """Return the busiest cable of each rule of each assembly type, over all instances."""
    worst = _by_rule(plan, each, lambda part: part.max(initial=0.0))
    return {place: float(value) for place, value in worst.items()}


MOST_RUNS = 20_000
"""Runs of cables of equal load up to which a page holds the load of each."""


def shown_loads(plan: Plan, found: Utilisation) -> ShownLoads:
    """Return the loads of cables as the page to explore holds them."""
    each = found.each
    worst = _worst(plan, each)
    least = _by_rule(plan, each, lambda part: part.min(initial=np.inf))
    rules = {
        key: [
            (_rounded(min(least.get((key, id(rule)), 0.0), most)), _rounded(most))
            for rule in plan.assemblies[key].rules
            for most in [worst.get((key, id(rule)), 0.0)]
        ]
        for key in plan.assemblies
    }
    return ShownLoads(found.said, rules, _runs(each))


def _runs(each: Floats) -> list[tuple[float, int]] | None:
    """Return runs of equal loads, (load, cables); None where these are too many."""
    steps = np.flatnonzero(~np.isclose(np.diff(each), 0.0, rtol=1e-7, atol=0.0)) + 1
    starts = np.concatenate([[0], steps])
    if not len(each) or len(starts) > MOST_RUNS:
        return None
    sizes = np.diff(np.append(starts, len(each)))
    return [(_rounded(float(each[at])), int(size)) for at, size in zip(starts, sizes, strict=True)]


def _rounded(share: float) -> float:
    """Return a load to six digits, so that equal ones are equal."""
    return float(f"{share:.6g}")


def _by_rule(plan: Plan, each: Floats, summed: Callable[[Floats], Any]) -> dict[tuple[str, int], Any]:
    """Return a sum or a maximum of the cables of each rule of each assembly type, over all its instances."""
    numbering = plan.numbering
    parts: dict[tuple[str, int], list[Any]] = {}

    def visit(key: str, rows: Floats) -> None:
        """`rows` [instances, cables of one] of an assembly type."""
        assembly, starts = plan.assemblies[key], numbering.cable_starts[key]
        for at, child in enumerate(assembly.children):
            inside = numbering.cable_count.get(child.type, 0)
            if child.type in plan.assemblies and inside:
                part = rows[:, starts[at] : starts[at] + child.count * inside]
                visit(child.type, part.reshape(-1, inside))
        for number, rule in enumerate(assembly.rules):
            first = starts[len(assembly.children) + number]
            part = rows[:, first : first + numbering.rule_size(key, number)]
            parts.setdefault((key, id(rule)), []).append(summed(part))

    visit(plan.root, each.reshape(1, -1))
    return {place: summed(np.array(values)) for place, values in parts.items()}


def percent(share: float) -> str:
    return format_share(share, digits=3).replace("%", " %")


_STEP = 46.0
"""Length of a step on the scale of loads."""


def load_scale() -> list[Mark]:
    """Return the scale of loads, the same in every picture, with a mark at what a cable carries."""
    head = "load of a cable"
    x = text_width(head, 11) + 24
    marks: list[Mark] = [Text("legend-load", 0, 0, head, 11, False, palette.QUIET, "start", role="legend")]
    for i, colour in enumerate(palette.LOADS):
        at = x + i * _STEP
        line = straight((at + 1, -4.0), (at + _STEP - 1, -4.0))
        marks.append(Line(f"legend-load-{i}-line", line, colour, 5.0, role="scale"))
    for i, limit in enumerate((0.0, *palette.LOAD_LIMITS)):
        at, full = x + i * _STEP, limit == 1.0
        if full:
            marks.append(
                Line("legend-load-full", straight((at, -10.0), (at, 2.0)), palette.INK, 1.6, role="legend-mark")
            )
        text = percent(limit)
        marks.append(
            Text(f"legend-load-{i}", at, 8, text, 10, full, palette.INK if full else palette.QUIET, role="legend")
        )
    return marks
