"""The measures that are sums: `count ports lanes free_ports bandwidth sum power cost`, exact on the plan."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from attrs import frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity, number
from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, PortRef, Value
from unifiedbus_dsl.ir.plan.index import count_points
from unifiedbus_dsl.ir.plan.totals import add_up
from unifiedbus_dsl.semantic.connect.port_views import port_pieces
from unifiedbus_dsl.semantic.select.plan_selection import Selector, ports_of
from unifiedbus_dsl.semantic.select.set_reader import refuse_broken
from unifiedbus_dsl.semantic.select.type_scope import Cables, Item, Parts, Ports, Selection, TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary import attributes

_EMPTY = "nothing of the sort is in this machine; `count(…)` of it is 0"


@frozen(eq=False)
class Aggregates:
    """Answers calls of sum measures about one machine."""

    machine: TypeScope

    def __call__(self, node: tree.Call, evaluator: Evaluator) -> EvalValue:
        """Return the value of the call; POISON after a diagnostic."""
        name = ".".join(dotted_name(node.function))
        selector = Selector(self.machine, evaluator)
        if name in ("power", "cost") and not node.args:
            return self.everything(name, node, self.all_items(), evaluator)
        if len(node.args) != 1 or node.args[0].name is not None:
            evaluator.sink.error(
                "UB0229", f"`{name}` takes one selection", node.span, "write `all npu`, a part or a port"
            )
            return POISON
        selection = selector.select(node.args[0].value)
        if selection is None:
            return POISON
        return self.measure(name, node, selection, evaluator)

    def _ports_named(self, selection: Selection, word: tree.Word, evaluator: Evaluator) -> list[Ports] | None:
        """Return the ports that `all npu.up` means; None after a diagnostic."""
        ports_named: list[Ports] = []
        for item in selection.items:
            pieces = port_pieces(self.machine.types, item.type.key, word.text) if isinstance(item, Parts) else ()
            if not pieces or not isinstance(item, Parts):
                what = f"`{item.type.key}`" if isinstance(item, Parts) else "a cable or a port"
                evaluator.sink.error("UB0212", f"{what} has no port `{word.text}`", word.span, "unknown port")
                return None
            ports_named += [Ports(piece.protocol, piece.lanes, item.count * piece.count) for piece in pieces]
        return ports_named

    def measure(self, name: str, node: tree.Call, selection: Selection, evaluator: Evaluator) -> EvalValue:
        """Return the value of a measure for what is selected; POISON after a diagnostic."""
        if selection.broken is not None:
            refuse_broken(selection.broken, evaluator.sink)
            return POISON
        if selection.field is not None and name in ("count", "free_ports", "power", "cost"):
            evaluator.sink.error(
                "UB0229", f"`{name}` takes a selection without a field", selection.field.span, "not wanted",
                help=("leave it out",),
            )  # fmt: skip
            return POISON
        if name == "count":
            return number(sum(item.count for item in selection.items))
        if not selection.items:
            evaluator.sink.error("UB0417", "the selection matches nothing", selection.span, "empty", help=(_EMPTY,))
            return POISON
        if selection.field is not None and name in ("ports", "lanes", "bandwidth"):
            named = self._ports_named(selection, selection.field, evaluator)
            return POISON if named is None else self._of_ports(name, named)
        if name in ("sum", "power", "cost"):
            return self._sum(name, node, selection, evaluator)
        if name == "lanes" and all(isinstance(item, Cables) for item in selection.items):
            return number(sum(item.links * item.rule.lanes for item in selection.items if isinstance(item, Cables)))
        if name == "free_ports":
            return self.free_ports(selection, evaluator)
        ports = ports_of(selection.items)
        if ports is None:
            evaluator.sink.error("UB0518", f"`{name}` wants devices or ports", selection.span, "has no ports")
            return POISON
        return self._of_ports(name, ports)

    def _of_ports(self, name: str, ports: list[Ports]) -> Quantity:
        if name == "ports":
            return number(sum(port.count for port in ports))
        if name == "lanes":
            return number(sum(port.count * port.lanes for port in ports))
        rates = self.machine.protocols
        total = sum((port.count * port.lanes * rates[port.protocol].lane_rate for port in ports), Fraction(0))
        return Quantity(total, units.RATE)

    # -- fields

    def _sum(self, name: str, node: tree.Call, selection: Selection, evaluator: Evaluator) -> EvalValue:
        word = selection.field
        field = word.text if word is not None else name
        if name == "sum" and word is None:
            evaluator.sink.error(
                "UB0229", "`sum` adds up a field, and none is named", node.span, "no field",
                help=(f"write `sum({node.args[0].span.text.strip()}.memory)`",),
            )  # fmt: skip
            return POISON
        total: Quantity | None = None
        for item in selection.items:
            value = self._field(item, field)
            if not isinstance(value, Quantity):
                if isinstance(item, Parts) and field in self.machine.failed_fields.get(item.type.key, ()):
                    return POISON
                self._without(item, field, word or node, evaluator)
                return POISON
            amount = Quantity(value.value * item.count, value.dimension)
            if total is not None and total.dimension != value.dimension:
                evaluator.sink.error("UB0309", f"`{field}` has different units in different types", node.span, "here")
                return POISON
            total = amount if total is None else Quantity(total.value + amount.value, total.dimension)
        return POISON if total is None else total

    @staticmethod
    def _field(item: Item, field: str) -> Value | None:
        """Return what an item states, or what is taken where it states nothing: a cable without `optics` has none."""
        match item:
            case Parts(kind, _):
                owner, fields = attributes.owner_of(kind.kind), kind.fields
            case Cables(link=link):
                owner, fields = "link", link.fields
            case _:
                return None
        known = attributes.attributes(owner).get(field)
        return fields.get(field, known.default if known is not None else None)

    @staticmethod
    def _without(item: Item, field: str, node: tree.Node, evaluator: Evaluator) -> None:
        what = {Parts: lambda: item.type.key, Cables: lambda: item.link.name}.get(type(item), lambda: "a port")()  # type: ignore[union-attr]
        names = (
            list(item.type.fields)
            if isinstance(item, Parts)
            else list(item.link.fields)
            if isinstance(item, Cables)
            else []
        )
        guess = did_you_mean(field, names)
        evaluator.sink.error(
            "UB0221",
            f"`{what}` states no `{field}` that could be added up",
            node.span,
            "not stated",
            help=(f"did you mean `{guess}`?",) if guess else (f"add `{field} = …` to `{what}`",),
            fix=rename(node.span, guess) if isinstance(node, tree.Word) else None,
        )

    def all_items(self) -> list[Item]:
        """Return all that is in the machine, itself included, spares left out: parts and cables with their counts."""
        machine = self.machine
        parts: list[Item] = [Parts(machine.types[k], count) for k, count in machine.census(machine.subject).items()]
        return [*parts, *machine.rules({machine.subject: 1})]

    @staticmethod
    def total(name: str, items: list[Item]) -> Quantity | None:
        """Return the sum of a field over all items that state it; None where none does."""
        parts = [(item.type.fields, item.count) for item in items if isinstance(item, Parts)]
        return add_up(name, [*parts, *((item.link.fields, item.count) for item in items if isinstance(item, Cables))])

    def everything(self, name: str, node: tree.Call, items: list[Item], evaluator: Evaluator) -> EvalValue:
        """Power or cost of all items that state it: parts, the assemblies around them, and cables."""
        total = self.total(name, items)
        if total is None:
            evaluator.sink.error("UB0221", f"nothing here states its `{name}`", node.span, "nothing to add up")
            return POISON
        return total

    # -- free ports

    def free_ports(
        self, selection: Selection, evaluator: Evaluator, used: Mapping[str, int] | None = None
    ) -> EvalValue:
        """Return how many ports of whole device types carry no cable and are not exported by the machine itself. `used`
        are those that are not free, by device type; default what the plan says."""
        devices = [
            item.type for item in selection.items if isinstance(item, Parts) and isinstance(item.type, DeviceType)
        ]
        if len(devices) != len(selection.items) or not selection.whole:
            evaluator.sink.error(
                "UB0518", "`free_ports` wants all devices of a kind or type", selection.span, "not such a selection",
                help=("write `free_ports(all switch)`",),
            )  # fmt: skip
            return POISON
        ports = ports_of(selection.items) or []
        used = self._used() if used is None else used
        total = sum(port.count for port in ports)
        return number(total - sum(used.get(device.key, 0) for device in devices))

    def _used(self) -> dict[str, int]:
        """By device type: how many of its ports carry a cable here or are exported by the machine."""
        machine, used = self.machine, dict[str, int]()
        for key, count in machine.census(machine.subject).items():
            kind = machine.types[key]
            if not isinstance(kind, AssemblyType):
                continue
            for rule in kind.rules:
                cables = count * count_points(rule.axes, rule.where)
                for ref in (rule.left, rule.right):
                    self._add(used, kind, ref, cables)
            if key == machine.subject:
                for export in kind.exports:
                    self._add(used, kind, export.ref, count_points(export.axes))
        return used

    def _add(self, used: dict[str, int], kind: AssemblyType, ref: PortRef, count: int) -> None:
        child = next(c for c in kind.children if c.name == ref.child)
        if child.spare:
            return
        inner = self.machine.types[child.type]
        if isinstance(inner, DeviceType):
            used[inner.key] = used.get(inner.key, 0) + count
            return
        export = next(e for e in inner.exports if e.name == ref.port)
        self._add(used, inner, export.ref, count)
