"""What the compiler knows of the things of a text: values, shapes, counts. All of it is exact, or it is not said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from math import prod

from attrs import field, frozen

from unifiedbus_dsl.base.units import RATE, Quantity, counted, format_quantity
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.editor.entries import Key, Symbol, key_of
from unifiedbus_dsl.ir.plan import AssemblyType, Plan, PlanType
from unifiedbus_dsl.ir.plan.labels import called, range_text
from unifiedbus_dsl.ir.plan.totals import count_cables
from unifiedbus_dsl.semantic.connect.port_views import port_view
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.semantic.types.elaborator import Elaborator
from unifiedbus_dsl.semantic.values.values import EvalValue, Poison, TypeValue, value_text
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes

MOST_TYPES = 8
"""Types with their arguments of which a value is said one by one."""
MOST_LETTERS = 120
_FEW = 4
"""Runs of alike elements of an array that are listed."""


@frozen(eq=False, slots=False)
class Values:
    """What a compilation has worked out, by the places where things are defined."""

    done: Compilation
    _known: dict[str, dict[str, EvalValue]] = field(factory=dict)
    _counts: dict[str, Counter[str]] = field(factory=dict)

    @property
    def elaborator(self) -> Elaborator | None:
        return None if self.done.elaborated is None else self.done.elaborated.elaborator

    @cached_property
    def _types(self) -> dict[Key, list[str]]:
        """The types with their arguments by where their definition is."""
        types: dict[Key, list[str]] = {}
        for key, origin in self.elaborator.origins.items() if self.elaborator else ():
            types.setdefault(key_of(origin.definition.span), []).append(key)
        return types

    @cached_property
    def plans(self) -> dict[str, Plan]:
        return {} if self.done.elaborated is None else dict(self.done.elaborated.plans)

    def types(self, definition: Definition) -> list[PlanType]:
        """Return a type as often as it occurs with other arguments."""
        keys = self._types.get(key_of(definition.span), [])
        known = self.elaborator.types if self.elaborator else {}
        return [known[key] for key in keys if key in known]

    def of_type(self, definition: Definition, value: Callable[[PlanType], str]) -> list[str]:
        """Return what is to be said of each type of a definition: once if it is the same for all."""
        said = {kind.key: text for kind in self.types(definition) if (text := value(kind))}
        if len(set(said.values())) == 1:
            return [next(iter(said.values()))]
        more = [f"… and {len(said) - MOST_TYPES} more"] if len(said) > MOST_TYPES else []
        return [f"{text} in `{key}`" for key, text in list(said.items())[:MOST_TYPES]] + more

    # -- values

    def member(self, kind: PlanType, name: str) -> str:
        """Return the value of a field or `let` of a type as text; empty where there is none."""
        assert self.elaborator is not None
        if kind.key not in self._known:
            self._known[kind.key] = self.elaborator.values_of(kind.key)
        return shown(self._known[kind.key].get(name))

    def argument(self, kind: PlanType, name: str) -> str:
        """Return what a parameter stands for in a type."""
        origin = self.elaborator.origins.get(kind.key) if self.elaborator else None
        return shown(dict(origin.args).get(name)) if origin is not None else ""

    def let(self, symbol: Symbol) -> str:
        """Return the value of a `let` of a file."""
        for definition, lazy in self.elaborator.lets.items() if self.elaborator else ():
            if key_of(definition.span) == symbol.key:
                assert self.elaborator is not None
                return shown(lazy.get(self.elaborator.without_diagnostics().sink))
        return ""

    def field(self, symbol: Symbol) -> list[str]:
        """Return the values of a field or `let` of a type, protocol or link."""
        assert symbol.definition is not None
        node = symbol.definition.node
        if isinstance(node, tree.TypeDef):
            return self.of_type(symbol.definition, lambda kind: self.member(kind, symbol.name))
        technology = self.elaborator.technology if self.elaborator else None
        table = (
            {} if technology is None else technology.links if isinstance(node, tree.LinkDef) else technology.protocols
        )
        for each in table.values():
            if each.span is not None and node.span.source.name == each.span.source.name and each.name == node.name.text:
                return [shown(each.fields.get(symbol.name))] if symbol.name in each.fields else []
        return []

    # -- shapes and counts

    def port(self, kind: PlanType, name: str) -> str:
        """Return a port array of a type: shape, lanes, rates each way."""
        assert self.elaborator is not None
        view = port_view(self.elaborator.types, kind.key, name)
        protocol = self.elaborator.technology.protocols.get(view.protocol) if view is not None else None
        if view is None or protocol is None:
            return ""
        one = protocol.lane_rate * view.lanes
        shape = f"[{', '.join(map(str, view.shape))}], " if view.shape else ""
        rate = format_quantity(Quantity(one, RATE))
        each = f"{counted(view.count, 'port')} of `{protocol.name}` x{view.lanes}, {rate} each way"
        total = f", {format_quantity(Quantity(one * view.count, RATE))} together" if view.count > 1 else ""
        return f"{shape}{each}{total}"

    def port_shape(self, kind: PlanType, name: str) -> str:
        """Return the shape of a port array as a text has it: `[4, 64]`; empty for a single port."""
        view = port_view(self.elaborator.types, kind.key, name) if self.elaborator else None
        return f"[{', '.join(map(str, view.shape))}]" if view is not None and view.shape else ""

    def part(self, kind: PlanType, name: str) -> str:
        """Return how many a part is, and of what type."""
        children = kind.arrays.get(name, ()) if isinstance(kind, AssemblyType) else ()
        if len(children) > 1:
            return ", ".join(f"`{called(child)}` : `{child.type}`" for child in children[:_FEW]) + (
                f", … {len(children) - _FEW} more" if len(children) > _FEW else ""
            )
        if not children:
            return ""
        (child,) = children
        holes = "" if not child.labels else f", numbered {', '.join(range_text(each) for each in child.labels)}"
        return f"{child.count:,} × `{child.type}`{holes}" if prod(child.shape) > 1 else f"one `{child.type}`"

    def part_count(self, kind: PlanType, name: str) -> str:
        """Return how many a part is; empty where there is none."""
        children = kind.arrays.get(name, ()) if isinstance(kind, AssemblyType) else ()
        return f"{sum(child.count for child in children):,}" if children else ""

    def contents(self, kind: PlanType) -> str:
        """Return what one of a type holds, or has: `64 NPUs, 4 switches`, `18 ports, 1.008 TB/s each way`."""
        if isinstance(kind, AssemblyType):
            count: Counter[str] = Counter()
            for key, many in self._inside(kind.key).items():
                count[self._plan_type(key).kind] += many
            return _kinds(count)
        protocols = self.elaborator.technology.protocols if self.elaborator else {}
        rates = [
            protocols[port.protocol].lane_rate * port.lanes * port.count
            for port in kind.ports
            if port.protocol in protocols
        ]
        total = f", {format_quantity(Quantity(sum(rates, Fraction(0)), RATE))} each way" if rates else ""
        return f"{counted(kind.radix, 'port')}{total}"

    def _plan_type(self, key: str) -> PlanType:
        assert self.elaborator is not None
        return self.elaborator.types[key]

    def _inside(self, key: str) -> Counter[str]:
        """Return how many of each type one of a type holds at all levels, spares included."""
        if key not in self._counts:
            kind, inside = self._plan_type(key), Counter[str]()
            for child in kind.children if isinstance(kind, AssemblyType) else ():
                inside[child.type] += child.count
                for inner, many in self._inside(child.type).items():
                    inside[inner] += many * child.count
            self._counts[key] = inside
        return self._counts[key]

    def system(self, name: str) -> str:
        """Return what a system is made of, with its cables."""
        plan = self.plans.get(name)
        if plan is None:
            return ""
        count: Counter[str] = Counter()
        for key, many in plan.instances.items():
            if key != plan.root:
                count[plan.type(key).kind] += many
        cables = sum(row.in_service + row.spares for row in count_cables(plan))
        return f"{_kinds(count)}, {counted(cables, 'cable')}"

    def instances(self, definition: Definition) -> Iterator[str]:
        """Yield how many of a type there are in each system."""
        keys = set(self._types.get(key_of(definition.span), ()))
        for name, plan in self.plans.items():
            many = sum(count for key, count in plan.instances.items() if key in keys)
            if many and plan.root not in keys:
                yield f"{many:,} in `{name}`"


ORDER = (*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY)
_PLURALS = {"npu": "NPUs", "cpu": "CPUs", "nic": "NICs", "switch": "switches"}


def _kinds(count: Counter[str]) -> str:
    """`8,192 NPUs, 768 switches, 160 racks`."""
    return ", ".join(f"{count[kind]:,} {kind_word(kind, count[kind])}" for kind in ORDER if count[kind])


def kind_word(kind: str, count: int) -> str:
    """Return a kind as a noun: `NPU`, `racks`."""
    if count != 1:
        return _PLURALS.get(kind, f"{kind}s")
    return kind.upper() if kind in ("npu", "cpu", "nic") else kind


def shown(value: EvalValue | None) -> str:
    """Return a value as a reader would write it, cut where it is long; empty where there is none."""
    if value is None or isinstance(value, Poison):
        return ""
    text = value.text if isinstance(value, TypeValue) else value_text(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"
