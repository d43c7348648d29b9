"""How a picture is to look: what a view asks for, in terms of the plan. Nothing is laid out here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import field, frozen

from unifiedbus_dsl.ir.plan import Plan, Rule
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.groups import Groups
from unifiedbus_dsl.render.marks import Mark, Theme

THEMES: tuple[Theme, ...] = ("auto", "light", "dark")

_ALIKE = 1e-9
"""Relative difference of loads that are one."""

LinkText = Callable[[Plan, str, Sequence[Rule], int], str]
"""(plan, assembly type, rules of a bundle, its cables) -> what is written on it."""


@frozen(eq=False)
class Loads:
    """Utilisation of cables under a traffic: `worst` of each rule of an assembly type, over all its instances.

    `of_pair(a, b)` is that of the busiest cable between two devices of the system, 0 where there is none.
    """

    worst: Mapping[tuple[str, int], float]
    """By assembly type and `id` of the rule: views leave rules out, and change none."""
    least: float
    """Of all cables of the system, and `most`."""
    most: float
    of_pair: Callable[[int, int], float]

    def share(self, key: str, rule: Rule) -> float:
        return self.worst.get((key, id(rule)), 0.0)

    def colour(self, value: float) -> str:
        """Return the colour of a load on the one scale of all pictures."""
        step = sum(value > limit * (1 + _ALIKE) for limit in palette.LOAD_LIMITS)
        return palette.LOADS[step]

    def is_busiest(self, value: float) -> bool:
        """Return whether no cable carries more, and some carry less."""
        return value >= self.most * (1 - _ALIKE) > self.least


@frozen(eq=False)
class Lost:
    """What a scenario takes from the whole machine. It is marked where it is `shown`, and not in the picture of what
    was before, which is else alike."""

    within: Callable[[int, int], int]
    """(first device, devices) -> how many of these are gone."""
    places: Callable[[int, int, int], Sequence[int]]
    """(first device, devices of an element, elements) -> the elements in which something is gone: a device, or a cable
    at one of its devices while both its ends are left."""
    between: Callable[[int, int], bool]
    """(device, device) -> whether no cable is left between the two."""
    cables: Callable[[range, range, str, int], int]
    """(devices, devices, link, lanes) -> cables between these that are gone."""
    shown: bool = True


@frozen
class Added:
    """A line between two devices of the picture beside its own cables, and what it is: `{}` stands for its ends."""

    left: int
    right: int
    colour: str
    words: str


@frozen(eq=False)
class Style:
    """What a view asks for.

    `kept` says how many cells an array of an assembly type is folded into, `closed` which arrays are not opened;
    both by (assembly type, name of the array). `rule_colours` are by link; `part_texts` and `part_looks` by type.
    `legend` stands in place of that of the media.
    """

    title: str = ""
    kept: Mapping[tuple[str, str], int] = field(factory=dict)
    closed: frozenset[tuple[str, str]] = frozenset()
    by: str = ""
    """By what cables are to be coloured; by default what tells most."""
    theme: Theme = "auto"
    rule_colours: Mapping[tuple[str, int], str] = field(factory=dict)
    """By link and lanes."""
    own_colours: Mapping[tuple[str, int], str] = field(factory=dict)
    """By assembly type and `id` of the rule: these go before those by link."""
    link_text: LinkText | None = None
    part_texts: Mapping[str, str] = field(factory=dict)
    part_looks: Mapping[str, palette.KindStyle] = field(factory=dict)
    notes: Sequence[tuple[str, str]] = ()
    headline: Sequence[tuple[str, str]] = ()
    """Figures of the whole system and their names, in place of what all its ports carry."""
    legend: Sequence[Sequence[Mark]] = ()
    part_legend: Sequence[Sequence[Mark]] = ()
    groups: Groups | None = None
    """Groups of devices by which cables are coloured, in place of the colours of rules."""
    loads: Loads | None = None
    lost: Lost | None = None
    """What is lost, or will be: folds open there. `losses` are those to mark."""
    added: Sequence[Added] = ()
    """Lines of a detail picture beside the cables of the plan."""
    opened: int = 3
    """Elements of an array that lose something and are shown for it; the others are counted."""
    tight: int = 0
    """How many cells fewer than eight an array folds into at most, for a picture that would be too wide: six leaves
    two."""

    @property
    def losses(self) -> Lost | None:
        """Return what is lost where it is to be marked."""
        return self.lost if self.lost is not None and self.lost.shown else None

    def load(self, key: str, rule: Rule) -> float:
        """Utilisation of the busiest cable of a rule; 0 where no load was asked for."""
        return self.loads.share(key, rule) if self.loads else 0.0

    def rule_colour(self, key: str, rule: Rule) -> str | None:
        """Return the colour of a rule's cables; None for that of their medium."""
        if self.loads:
            return self.loads.colour(self.load(key, rule))
        return self.own_colours.get((key, id(rule))) or self.rule_colours.get((rule.link, rule.lanes))

    def bundle_text(self, plan: Plan, key: str, rules: Sequence[Rule], cables: int) -> str | None:
        """Return what is written on a bundle; None for its bandwidth."""
        return self.link_text(plan, key, rules, cables) if self.link_text else None


PLAIN = Style()
