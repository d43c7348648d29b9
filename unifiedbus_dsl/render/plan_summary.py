"""What a picture says, read from the plan: bundles of cables, who meets whom, figures of a whole assembly.

Nothing here touches a single cable of a big machine: counts are products of axis sizes (or of the points of a `where`),
and who meets whom is worked out over the axes that choose the child, never over those that choose the port.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from math import prod

import numpy as np
from attrs import evolve, field, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity, format_quantity
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Export, Plan, PortRef, Rule
from unifiedbus_dsl.ir.plan.index import IntArray, axes_used, count_points, evaluate, points
from unifiedbus_dsl.ir.plan.labels import called
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.marks import clipped
from unifiedbus_dsl.render.palette import medium_colours
from unifiedbus_dsl.render.style import PLAIN, Style

LARGEST_GRID = 2_000_000
"""Points that a picture may look at to learn who meets whom; beyond it draws one line for a bundle."""

KIND_NAMES = {"npu": ("NPU", "NPUs"), "cpu": ("CPU", "CPUs"), "nic": ("NIC", "NICs"), "switch": ("switch", "switches")}
_SUBSCRIPTS = "ijklmn"
PATTERN_NAMES = {"fullmesh": "full mesh", "all": "all to all"}


def split_type(key: str) -> tuple[str, str]:
    """Return the name of a type as its file calls it, without the name of the file where there are namesakes, and its
    arguments: `FatTree` and `(k = 8)`."""
    name, bracket, rest = key.partition("(") if key.endswith(")") else (key, "", "")
    own = re.sub(r"(?<=\w)@\w+$", "", name.rstrip())
    return (own, bracket + rest) if own else (key, "")


def type_called(key: str) -> str:
    """Return a type as its file calls it, with its arguments."""
    return "".join(split_type(key))


def type_name(key: str) -> str:
    """Return a type without its arguments."""
    return split_type(key)[0]


def kind_name(kind: str, count: int) -> str:
    """`NPU`, `NPUs`, `switches`, `racks`."""
    one, many = KIND_NAMES.get(kind, (kind, kind + "s"))
    return one if count == 1 else many


def counted(kind: str, count: int) -> str:
    """`8,192 NPUs`."""
    return f"{count:,} {kind_name(kind, count)}"


def with_spares(count: int, spares: int) -> str:
    """Return `64 + 2 spare`."""
    return f"{count:,} + {spares:,} spare" if spares else f"{count:,}"


def rate_text(rate: Fraction) -> str:
    """`56 GB/s`: in each direction."""
    return format_quantity(Quantity(rate, units.RATE))


@frozen(slots=False, eq=False)
class Bundle:
    """All cables of one kind between two child arrays of an assembly (or inside one, where both are the same).

    `rate` is that of one cable in byte/s, each direction.
    """

    left: str
    right: str
    link: str
    medium: str
    lanes: int
    rate: Fraction
    cables: int
    rules: tuple[Rule, ...]
    colour: str = palette.QUIET
    label: str | None = None
    """What is written on it in place of `text`."""

    @property
    def inner(self) -> bool:
        return self.left == self.right

    @property
    def total(self) -> Fraction:
        return self.cables * self.rate

    @property
    def pattern(self) -> str | None:
        names = {rule.pattern for rule in self.rules}
        return names.pop() if len(names) == 1 else None

    @property
    def text(self) -> str:
        """`28 × 56 GB/s = 1.568 TB/s`, or what a view wants there."""
        return sum_text(self.cables, self.rate) if self.label is None else self.label

    @cached_property
    def ends(self) -> tuple[Ends, ...] | None:
        """The ends of all rules, turned so that `left` is on the left; None where there are too many to look at."""
        turned: list[Ends] = []
        for rule in self.rules:
            these = ends(rule)
            if these is None:
                return None
            turned.append(these if rule.left.child == self.left else Ends(these.right, these.left, these.each))
        return tuple(turned)


def sum_text(count: int, rate: Fraction) -> str:
    """`28 × 56 GB/s = 1.568 TB/s`."""
    return f"{count:,} × {rate_text(rate)} = {rate_text(count * rate)}" if count != 1 else rate_text(rate)


def bundle_name(plan: Plan, key: str, bundle: Bundle) -> str:
    """Return what a bundle joins: `npu – plane`, or `full mesh along npu[i, *]`."""
    left, right = ends_called(plan.assemblies[key], bundle)
    if not bundle.inner:
        return f"{left} – {right}"
    name = pattern_name(bundle, child_named(plan.assemblies[key], bundle.left))
    return name if "[" in name else f"{left}, {name}"


def ends_called(assembly: AssemblyType, bundle: Bundle) -> tuple[str, str]:
    """Return what the two sides of a bundle are called."""
    return called(child_named(assembly, bundle.left)), called(child_named(assembly, bundle.right))


def pattern_name(bundle: Bundle, child: Child) -> str:
    """Return how the cables inside an array run: `full mesh along npu[i, *]`."""
    name = PATTERN_NAMES.get(bundle.pattern or "", bundle.pattern or "cables")
    moving = moving_dimensions(bundle, child) or ()
    if len(moving) != 1 or not 1 < len(child.shape) <= len(_SUBSCRIPTS):
        return name
    at = ["*" if d == moving[0] else letter for d, letter in zip(range(len(child.shape)), _SUBSCRIPTS, strict=False)]
    return f"{name} along {clipped(child.text_name, 11, 90)}[{', '.join(at)}]"


def bundles(plan: Plan, assembly: AssemblyType) -> tuple[Bundle, ...]:
    """Return the bundles of an assembly. Cables inside one child array stay apart by the statement that they come
    from."""
    groups: dict[tuple[str, str, str, int, int], list[Rule]] = {}
    for rule in assembly.rules:
        left, right = sorted((rule.left.child, rule.right.child))
        statement = rule.origin if left == right else -1
        groups.setdefault((left, right, rule.link, rule.lanes, statement), []).append(rule)
    return tuple(_bundle(plan, key[:2], rules) for key, rules in sorted(groups.items(), key=lambda item: item[0]))


def _bundle(plan: Plan, ends: tuple[str, str], rules: Sequence[Rule]) -> Bundle:
    first = rules[0]
    cables = sum(count_points(rule.axes, rule.where) for rule in rules)
    rate = cable_rate(plan, first.link, first.lanes)
    return Bundle(*ends, first.link, medium(plan, first.link), first.lanes, rate, cables, tuple(rules))


def cable_rate(plan: Plan, link: str, lanes: int) -> Fraction:
    """byte/s of a cable, each direction."""
    return lanes * plan.protocols[plan.links[link].protocol].lane_rate


def medium(plan: Plan, link: str) -> str:
    """Return what the link is made of; its name where the spec does not say."""
    value = plan.links[link].fields.get("medium")
    return value if isinstance(value, str) else link


# ---- who meets whom ---------------------------------------------------------------------------------------------


@frozen(eq=False)
class Ends:
    """The elements that the cables of a rule join: at each point `left[k][p]` and `right[k][p]` are the subscripts in
    dimension k, and `each` cables join them there."""

    left: tuple[IntArray, ...]
    right: tuple[IntArray, ...]
    each: int


def ends(rule: Rule) -> Ends | None:
    """Return the ends of a rule, or None where there are too many points to look at."""
    subscripts = [*rule.left.at, *rule.right.at, *([rule.where] if rule.where is not None else [])]
    used = {name for expr in subscripts for name in axes_used(expr)}
    axes = [axis for axis in rule.axes if axis.name in used]
    if prod(axis.size for axis in axes) > LARGEST_GRID:
        return None
    grid = points(axes, rule.where)
    each = prod(axis.size for axis in rule.axes if axis.name not in used)

    def listed(ref: PortRef) -> tuple[IntArray, ...]:
        return tuple(np.broadcast_to(evaluate(expr, grid.grids), grid.shape).ravel() for expr in ref.at)

    return Ends(listed(rule.left), listed(rule.right), each)


def moving_dimensions(bundle: Bundle, child: Child) -> tuple[int, ...] | None:
    """Return the dimensions in which the two ends of some cable inside the array differ: `(1,)` for a mesh along the
    rows."""
    ends_of_rules = bundle.ends
    if ends_of_rules is None:
        return None
    return tuple(
        k
        for k in range(len(child.shape))
        if any(bool((these.left[k] != these.right[k]).any()) for these in ends_of_rules)
    )


def by_dimension(bundle: Bundle, child: Child) -> tuple[Bundle, ...]:
    """Return the cables inside an array, those along each of its dimensions as a bundle of their own; the bundle itself
    where some change several dimensions at once, or all the same."""
    if not bundle.inner or len(bundle.rules) < 2:
        return (bundle,)
    rules: dict[tuple[int, ...], list[Rule]] = {}
    for rule in bundle.rules:
        moving = moving_dimensions(evolve(bundle, rules=(rule,)), child)
        if moving is None or len(moving) != 1:
            return (bundle,)
        rules.setdefault(moving, []).append(rule)
    if len(rules) == 1:
        return (bundle,)
    counts = {at: sum(count_points(rule.axes, rule.where) for rule in each) for at, each in rules.items()}
    return tuple(evolve(bundle, rules=tuple(rules[at]), cables=counts[at]) for at in sorted(rules))


# ---- ports that leave -------------------------------------------------------------------------------------------


@frozen
class Outlet:
    """An exported port array: `ports` of `rate` each (byte/s, each direction), from the child array `child`.

    `name` is that in the plan; the text calls it `export.text_name`.
    """

    name: str
    child: str
    ports: int
    lanes: int
    protocol: str
    rate: Fraction
    export: Export

    @property
    def total(self) -> Fraction:
        return self.ports * self.rate

    @property
    def text(self) -> str:
        return sum_text(self.ports, self.rate)


def outlets(plan: Plan, assembly: AssemblyType) -> tuple[Outlet, ...]:
    """Return the ports that leave an assembly."""
    return tuple(_outlet(plan, assembly, export) for export in assembly.exports)


def _outlet(plan: Plan, assembly: AssemblyType, export: Export) -> Outlet:
    lanes, protocol = port_kind(plan, assembly, export.ref.child, export.ref.port)
    rate = lanes * plan.protocols[protocol].lane_rate
    return Outlet(export.name, export.ref.child, prod(export.shape), lanes, protocol, rate, export)


def port_kind(plan: Plan, assembly: AssemblyType, child: str, port: str) -> tuple[int, str]:
    """Lanes and protocol of a child's port, followed through exports down to the device that has it."""
    key = child_named(assembly, child).type
    while key in plan.assemblies:
        inner = plan.assemblies[key]
        export = next(e for e in inner.exports if e.name == port)
        key, port = child_named(inner, export.ref.child).type, export.ref.port
    named_port = next(p for p in plan.devices[key].ports if p.name == port)
    return named_port.lanes, named_port.protocol


class NotAnAssemblyError(ValueError):
    """A picture was asked for of a type that is no assembly of the plan."""


def assembly_named(plan: Plan, key: str) -> AssemblyType:
    """Return the assembly type.

    Raises:
        NotAnAssemblyError: there is none of this key: a device has no parts to draw.
    """
    if key not in plan.assemblies:
        what = "is a device, which has no parts to draw" if key in plan.devices else "is no type of this system"
        raise NotAnAssemblyError(f"`{key}` {what}; there are {', '.join(plan.assemblies) or 'no assemblies'}")
    return plan.assemblies[key]


def child_named(assembly: AssemblyType, name: str) -> Child:
    return next(child for child in assembly.children if child.name == name)


# ---- figures of a whole assembly --------------------------------------------------------------------------------


@frozen
class Wiring:
    """All cables of one medium inside an assembly, at every level, without the `spares`, those inside spare parts.
    `rate` is their sum, byte/s each direction."""

    medium: str
    cables: int
    rate: Fraction
    spares: int = 0


@frozen
class Figures:
    """Key figures of one instance of a type, all levels together, spares left out.

    `devices` and `assemblies` count by kind, the larger kinds first; `spares` both of them. `injection` is the sum over
    all ports of the NPUs, byte/s each direction.
    """

    devices: Mapping[str, int]
    assemblies: Mapping[str, int]
    wiring: tuple[Wiring, ...]
    injection: Fraction
    spares: Mapping[str, int] = field(factory=dict)

    @property
    def cables(self) -> int:
        return sum(w.cables for w in self.wiring)

    @property
    def spare_cables(self) -> int:
        return sum(w.spares for w in self.wiring)

    @property
    def contents(self) -> tuple[str, ...]:
        """What it holds, in short: `64 NPUs`, `32 switches`."""
        order = ("npu", "cpu", "nic", "device", "switch")
        present = [kind for kind in order if self.devices.get(kind) or self.spares.get(kind)]
        return tuple(
            f"{with_spares(self.devices.get(kind, 0), self.spares.get(kind, 0))} {self.name(kind)}" for kind in present
        )

    def name(self, kind: str) -> str:
        """Return `NPU` or `NPUs`, by how many there are."""
        return kind_name(kind, self.devices.get(kind, 0) + self.assemblies.get(kind, 0) + self.spares.get(kind, 0))


@frozen(slots=False, eq=False)
class PlanSummary:
    """What the pictures of one plan share: what is drawn, and how it is to look. `whole` is the machine where only a
    part of it is drawn; the figures are always of the whole."""

    plan: Plan
    look: Style = PLAIN
    whole: Plan | None = field(default=None)

    @cached_property
    def bundles(self) -> Mapping[str, tuple[Bundle, ...]]:
        """The bundles of each assembly type."""
        return {
            key: tuple(self._dressed(key, bundle) for bundle in bundles(self.plan, assembly))
            for key, assembly in self.plan.assemblies.items()
        }

    def _dressed(self, key: str, bundle: Bundle) -> Bundle:
        colours = [self.rule_colour(key, rule) for rule in bundle.rules]
        at = max(range(len(colours)), key=lambda i: self.look.load(key, bundle.rules[i]))
        label = self.look.bundle_text(self.plan, key, bundle.rules, bundle.cables)
        return evolve(bundle, colour=colours[at], label=label)

    def rule_colour(self, key: str, rule: Rule) -> str:
        """Return the colour of the cables of a rule of an assembly type."""
        return self.look.rule_colour(key, rule) or self.colours[medium(self.plan, rule.link)]

    @cached_property
    def figures(self) -> Mapping[str, Figures]:
        """The key figures of each type."""
        if self.whole is not None:
            return PlanSummary(self.whole).figures
        figures_of = {key: _device_figures(self.plan, key) for key in self.plan.devices}
        for key in self.plan.bottom_up:
            parts = [(child, figures_of[child.type]) for child in self.plan.assemblies[key].children]
            figures_of[key] = _assembly_figures(self.plan, parts, self.bundles[key])
        return figures_of

    @cached_property
    def colours(self) -> Mapping[str, str]:
        """A colour for each medium of the system."""
        return medium_colours([medium(self.plan, name) for name in self.plan.links])


def _device_figures(plan: Plan, key: str) -> Figures:
    device = plan.devices[key]
    rates = (p.count * p.lanes * plan.protocols[p.protocol].lane_rate for p in device.ports)
    injection = sum(rates, Fraction(0)) if device.kind == "npu" else Fraction(0)
    return Figures({device.kind: 1}, {}, (), injection)


def _assembly_figures(plan: Plan, parts: Sequence[tuple[Child, Figures]], own: Sequence[Bundle]) -> Figures:
    devices: Counter[str] = Counter()
    assemblies: Counter[str] = Counter()
    spares: Counter[str] = Counter()
    for child, _ in parts:
        if child.type in plan.assemblies:
            kind = plan.assemblies[child.type].kind
            assemblies[kind] += 0 if child.spare else child.count
            spares[kind] += child.count if child.spare else 0
    for child, figures in parts:
        devices.update({kind: 0 if child.spare else child.count * n for kind, n in figures.devices.items()})
        assemblies.update({kind: 0 if child.spare else child.count * n for kind, n in figures.assemblies.items()})
        spares.update({kind: child.count * count for kind, count in figures.spares.items()})
        if child.spare:
            spares.update({kind: child.count * count for kind, count in figures.devices.items()})
            spares.update({kind: child.count * count for kind, count in figures.assemblies.items()})
    used = [(child, figures) for child, figures in parts if not child.spare]
    injection = sum((child.count * figures.injection for child, figures in used), Fraction(0))
    return Figures(dict(devices), dict(assemblies), _wiring(parts, own), injection, dict(spares))


def _wiring(parts: Sequence[tuple[Child, Figures]], own: Sequence[Bundle]) -> tuple[Wiring, ...]:
    """Return the physical cables by medium: those that an assembly lays itself, and those inside its parts."""
    cables: Counter[str] = Counter()
    spares: Counter[str] = Counter()
    rates: dict[str, Fraction] = {}
    for child, figures in parts:
        for wiring in figures.wiring:
            spares[wiring.medium] += child.count * wiring.spares
            (spares if child.spare else cables)[wiring.medium] += child.count * wiring.cables
            rate = Fraction(0) if child.spare else child.count * wiring.rate
            rates[wiring.medium] = rates.get(wiring.medium, Fraction(0)) + rate
    for bundle in own:
        cables[bundle.medium] += bundle.cables - sum(rule.merged for rule in bundle.rules)
        rates[bundle.medium] = rates.get(bundle.medium, Fraction(0)) + bundle.total
    return tuple(Wiring(name, cables[name], rates[name], spares[name]) for name in sorted(rates))


def holders(plan: Plan, key: str) -> tuple[str, ...]:
    """Return the types that contain this one directly."""
    return tuple(name for name, upper in plan.assemblies.items() if any(c.type == key for c in upper.children))


def has_npu(plan: Plan, key: str) -> bool:
    return _has_kind(plan, [key], {"npu"})


def has_end_point(plan: Plan, key: str) -> bool:
    """Return whether there is something in it that computes."""
    return _has_kind(plan, [key], {"npu", "cpu", "device"})


def _has_kind(plan: Plan, keys: Iterable[str], kinds: set[str]) -> bool:
    for key in keys:
        if key in plan.devices:
            if plan.devices[key].kind in kinds:
                return True
        elif _has_kind(plan, [child.type for child in plan.assemblies[key].children], kinds):
            return True
    return False
