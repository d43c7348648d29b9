"""Selections on a fabric: which devices `all npu in cabinet[3]` are, and which cables `all link where …`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.base.units import number as quantity
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.ir.fabric.names import spares
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, PlanType, Value
from unifiedbus_dsl.semantic.connect.port_views import port_pieces
from unifiedbus_dsl.semantic.connect.references import Step, path_steps
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.semantic.select.picking import children_picked, port_step, ports_picked
from unifiedbus_dsl.semantic.select.plan_selection import (
    Selector,
    count_inside,
    empty_selection,
    fields_of,
    fields_of_cables,
)
from unifiedbus_dsl.semantic.select.set_reader import help_for, is_set, refuse_broken
from unifiedbus_dsl.semantic.select.type_scope import Parts, TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes


@frozen(eq=False)
class _Ports:
    """Single ports: `device * radix + port` each, with a `radix` that no device exceeds."""

    keys: Ints
    radix: int

    def holds(self, device: NDArray[np.integer], port: NDArray[np.integer]) -> Bools:
        """Return which of these ends of cables are meant, [C]."""
        return np.isin(device.astype(np.int64) * self.radix + port, self.keys)


@frozen(eq=False)
class FabricSelector:
    """Reads selections against a fabric; paths begin at the system."""

    fabric: Fabric
    machine: TypeScope
    """The types of the fabric's plan, by which names are understood."""
    evaluator: Evaluator
    spare: Bools
    """Devices declared spare, [D]: `all` leaves them out."""
    lost: Bools
    """Devices that a scenario has taken away, [D]."""

    @classmethod
    def of(cls, fabric: Fabric, model: Model, evaluator: Evaluator) -> FabricSelector:
        """Return a selector on an undamaged fabric, which understands names as the main file does."""
        plan = fabric.plan
        types: dict[str, PlanType] = {**plan.devices, **plan.assemblies}
        machine = TypeScope(types, plan.protocols, plan.links, plan.root, model.sort_of)
        return cls(fabric, machine, evaluator, spares(plan), np.zeros(fabric.device_count, dtype=bool))

    def devices(self, node: tree.Expr) -> Ints | None:
        """Return the devices that an expression selects, ascending; of an assembly those in it that are no switch.

        None after a diagnostic.
        """
        if is_set(node) and Selector(self.machine, self.evaluator).read_set(node) is None:
            return None
        ids = self._end_points(node)
        if ids is not None and not len(ids):
            self.nothing(node)
            return None
        return ids

    def _end_points(self, node: tree.Expr) -> Ints | None:
        """Return the same, which may be none."""
        if isinstance(node, tree.Binary) and is_set(node):
            left, right = (
                self._end_points(node.left),
                self._end_points(node.right) if node.op == "|" else self._inside(node.right),
            )
            if left is None or right is None:
                return None
            mask = np.zeros(self.fabric.device_count, dtype=bool)
            mask[left] = True
            mask[right] = node.op == "|"
            return np.flatnonzero(mask)
        blocks = self.blocks(node)
        if blocks is None:
            return None
        ids = blocks.devices()
        ids = ids[~self.lost[ids]]
        if blocks.noun in attributes.KINDS_OF_ASSEMBLY:
            ends = np.array([device.kind != "switch" for device in self.fabric.plan.devices.values()])
            ids = ids[ends[self.fabric.device_type[ids]] & ~self.spare[ids]]
        return ids

    def _inside(self, node: tree.Expr) -> Ints | None:
        """Return all devices in what an expression selects; None after a diagnostic."""
        if isinstance(node, tree.Binary) and is_set(node):
            left, right = self._inside(node.left), self._inside(node.right)
            if left is None or right is None:
                return None
            return np.union1d(left, right) if node.op == "|" else np.setdiff1d(left, right)
        blocks = self.blocks(node)
        return None if blocks is None else blocks.devices()

    def nothing(self, node: tree.Expr) -> None:
        """Say that a selection matches nothing, or nothing that is left."""
        if self.lost.any():
            message = "nothing of this selection is left after the failures"
            self.evaluator.sink.error("UB0417", message, node.span, "empty")
        else:
            empty_selection(node, self.machine, self.evaluator.sink)

    def blocks(self, node: tree.Expr) -> DeviceRanges | None:
        """Return the instances that an expression selects; None after a diagnostic."""
        if is_set(node):
            return self._set(node)
        if isinstance(node, tree.All):
            return self._all(node)
        path = path_steps(node)
        if path is None:
            self.evaluator.sink.error(
                "UB0518",
                "a selection is wanted: `all npu`, or a part by its path",
                node.span,
                "selects nothing",
                help=help_for(node),
            )
            return None
        return self._path(path)

    def _set(self, node: tree.Expr) -> DeviceRanges | None:
        """Return the instances that a selection of several selects, without those of which nothing is left."""
        read = Selector(self.machine, self.evaluator).read_set(node)
        if read is None:
            return None
        if read.sort != "part" or read.field is not None:
            message = "devices or assemblies are wanted: `all npu`, or a part by its path"
            self.evaluator.sink.error("UB0518", message, node.span, "selects none")
            return None
        broken = read.broken()
        if broken is not None:
            refuse_broken(broken, self.evaluator.sink)
            return None
        start, stop, keys = read.sets.blocks(self.fabric.plan)
        gone = np.concatenate([[0], np.cumsum(self.lost)])
        keep = gone[stop] - gone[start] < stop - start
        kinds = {self.fabric.plan.type(key).kind for key in keys}
        return DeviceRanges(start[keep], stop[keep], min(kinds, default=""), keys)

    # -- paths

    def _path(self, path: list[Step]) -> DeviceRanges | None:
        plan = self.fabric.plan
        ends = self._starts(path)
        if ends is None:
            return None
        start = np.concatenate([each for _, each in ends])
        size = np.repeat([plan.device_count[key] for key, _ in ends], [len(each) for _, each in ends])
        order = np.argsort(start, kind="stable")
        keys = tuple(dict.fromkeys(key for key, _ in ends))
        kind = min(plan.type(key).kind for key in keys)
        return DeviceRanges(start[order], (start + size)[order], kind, keys)

    def _starts(self, path: Sequence[Step]) -> list[tuple[str, Ints]] | None:
        """Return the first device of each part that a path names, by its type; None after a diagnostic."""
        plan = self.fabric.plan
        ends: list[tuple[str, Ints]] = [(plan.root, np.zeros(1, dtype=np.int64))]
        for step in path:
            below = list[tuple[str, Ints]]()
            for key, start in ends:
                kind = plan.type(key)
                children = kind.arrays.get(step.word.text) if isinstance(kind, AssemblyType) else None
                if children is None:
                    self._unknown(step, key)
                    return None
                picked = children_picked(step, children, self.evaluator)
                if picked is None:
                    return None
                for child, places in picked:
                    first = plan.numbering.child_starts[key][plan.numbering.child_number(key, child.name)]
                    inside = start[:, None] + first + places * plan.device_count[child.type]
                    below.append((child.type, inside.ravel()))
            ends = below
        return ends

    def _unknown(self, step: Step, key: str) -> None:
        if self.evaluator.scope.is_quiet(step.word.text):
            return
        kind = self.fabric.plan.type(key)
        names = [*kind.arrays] if isinstance(kind, AssemblyType) else []
        guess = did_you_mean(step.word.text, names)
        listed = ", ".join(f"`{name}`" for name in names[:8])
        self.evaluator.sink.error(
            "UB0220",
            f"`{key}` has no part `{step.word.text}`",
            step.word.span,
            "unknown part",
            help=(f"did you mean `{guess}`?",) if guess else ((f"its parts are {listed}",) if names else ()),
        )

    # -- all …

    def _all(self, node: tree.All) -> DeviceRanges | None:
        keys = self.type_keys(node)
        if keys is None:
            return None
        plan = self.fabric.plan
        start, stop = self._instances(keys)
        gone = np.concatenate([[0], np.cumsum(self.spare | self.lost)])
        keep = gone[stop] - gone[start] < stop - start  # something of it is there
        noun = plan.type(keys[0]).kind if keys else ""
        return DeviceRanges(start[keep], stop[keep], noun, tuple(keys))

    def _instances(self, keys: list[str]) -> tuple[Ints, Ints]:
        """Where the instances of these types begin and end: in order, outer ones before what is in them."""
        instances = [self.fabric.blocks(key) for key in keys]
        start = np.concatenate([each[0] for each in instances]) if instances else np.zeros(0, np.int64)
        stop = np.concatenate([each[1] for each in instances]) if instances else np.zeros(0, np.int64)
        number = np.repeat(np.arange(len(keys)), [len(each[0]) for each in instances])
        inner = {key: -height for height, key in enumerate(self.fabric.plan.bottom_up, 1)}
        order = np.lexsort((np.array([inner.get(key, 0) for key in keys], dtype=np.int64)[number], -stop, start))
        return start[order], stop[order]

    def type_keys(self, node: tree.All) -> list[str] | None:
        """Return the types that `all NAME where …` means; None after a diagnostic."""
        plan, evaluator = self.fabric.plan, self.evaluator
        sorted_out = Selector(self.machine, evaluator).sort(node, {plan.root: 1})
        if sorted_out is None:
            return None
        items, field = sorted_out
        kinds = [item.type for item in items if isinstance(item, Parts)]
        if field is not None or len(kinds) < len(items):
            message = "devices or assemblies are wanted: `all npu`, or a part by its path"
            evaluator.sink.error("UB0518", message, node.span, "selects none")
            return None
        if not kinds:
            empty_selection(node, self.machine, evaluator.sink)
            return None
        held = [True] * len(kinds)
        if node.where is not None:
            answered = count_inside(node.where, [fields_of(kind) for kind in kinds], evaluator)
            if answered is None:
                return None
            held = answered
        return [kind.key for kind, yes in zip(kinds, held, strict=True) if yes]

    # -- cables

    def cables(self, node: tree.Expr) -> Ints | None:
        """Return ids of the cables that `all link where …`, or several such joined and parted, select; None after a
        diagnostic."""
        if is_set(node):
            read = Selector(self.machine, self.evaluator).read_set(node)
            cables = None if read is None else read.sets.cables(self.fabric.plan)
            if cables is not None and not len(cables):
                self.nothing(node)
                return None
            return cables
        assert isinstance(node, tree.All)
        return self._cables(node)

    @staticmethod
    def _combined(node: tree.Binary, left: Ints | None, right: Ints | None) -> Ints | None:
        if left is None or right is None:
            return None
        return np.union1d(left, right) if node.op == "|" else np.setdiff1d(left, right)

    def _cables(self, node: tree.All) -> Ints | None:
        fabric, plan = self.fabric, self.fabric.plan
        mask = np.ones(len(fabric.kinds.link), dtype=bool)
        if node.where is not None:
            links = list(plan.links.values())
            asked = zip(fabric.kinds.link.tolist(), fabric.kinds.lanes.tolist(), strict=True)
            held = count_inside(
                node.where, [fields_of_cables(links[link], lanes) for link, lanes in asked], self.evaluator
            )
            if held is None:
                return None
            mask[:] = held
        chosen = mask[fabric.kind]
        cables = np.flatnonzero(chosen)
        if not len(cables):
            empty_selection(node, self.machine, self.evaluator.sink)
            return None
        return cables

    def between(self, left: tree.Expr, right: tree.Expr) -> Ints | None:
        """Return ids of the cables that join the two sides, parts or ports of them; None after a diagnostic."""
        one, two = self._side(left), self._side(right)
        if one is None or two is None:
            return None
        cables = np.flatnonzero(self._ends(one, 0) & self._ends(two, 1) | self._ends(two, 0) & self._ends(one, 1))
        if not len(cables):
            span = left.span.to(right.span)
            help = self._neighbours(one, left)
            self.evaluator.sink.error("UB0417", "no cable joins these", span, "matches nothing", help=(help,))
            return None
        return cables

    def cables_at(self, node: tree.Expr) -> Ints | None:
        """Return ids of the cables on the ports that a path names, or several paths; None after a diagnostic."""
        if isinstance(node, tree.Binary):
            if Selector(self.machine, self.evaluator).read_set(node) is None:
                return None
            return self._combined(node, self.cables_at(node.left), self.cables_at(node.right))
        side = self._side(node)
        if side is None:
            return None
        cables = np.flatnonzero(self._ends(side, 0) | self._ends(side, 1))
        if not len(cables):
            help = ("the port is open; name one that a `connect` uses",)
            self.evaluator.sink.error("UB0417", "no cable is on this port", node.span, "matches nothing", help=help)
            return None
        return cables

    def _ends(self, side: DeviceRanges | _Ports, which: int) -> Bools:
        """Of which cables the first or the second end is meant, [C]."""
        fabric = self.fabric
        if which == 0:
            return side.holds(fabric.a_device, fabric.a_port)
        return side.holds(fabric.b_device, fabric.b_port)

    def _neighbours(self, side: DeviceRanges | _Ports, node: tree.Expr, most: int = 3) -> str:
        """Where the cables of one side go to, by name."""
        here, there = self._ends(side, 0), self._ends(side, 1)
        others = np.unique(
            np.concatenate([self.fabric.b_device[here & ~there], self.fabric.a_device[there & ~here]])
        ).astype(np.int64)
        if not len(others):
            return f"`{node.span.text.strip()}` has no cable to anything else"
        names = ", ".join(f"`{name}`" for name in self.fabric.device_names(others[:most]))
        more = f" and {len(others) - most:,} more" if len(others) > most else ""
        return f"the cables of `{node.span.text.strip()}` go to {names}{more}"

    def sort(self, node: tree.Expr) -> str:
        """Return what an expression is about: `link`, `port`, or `part` also for what is none of these."""
        if isinstance(node, tree.Binary):
            return self.sort(node.left)
        if isinstance(node, tree.All):
            return {"link": "link", "port": "port"}.get(".".join(word.text for word in node.path), "part")
        return "port" if self.names_ports(node) else "part"

    def names_ports(self, node: tree.Expr) -> bool:
        """Return whether a path names ports: of a device, or those that an assembly exports."""
        path = path_steps(node)
        kinds = self._before(path) if path else []
        if path is None or not kinds:
            return False
        name = path[-1].word.text
        return any(isinstance(kind, DeviceType) or _exports(kind, name) for kind in kinds)

    def ports(self, node: tree.Expr) -> tuple[Ints, Ints] | None:
        """Single ports that an expression selects, the device of each and its number there: `all npu.up`, `all port
        where …`, a path that names ports, or several such joined and parted; None after a diagnostic."""
        if isinstance(node, tree.Binary):
            left, right = self.ports(node.left), self.ports(node.right)
            if left is None or right is None:
                return None
            radix = self.fabric.plan.max_radix
            keys = self._combined(node, *(device * radix + port for device, port in (left, right)))
            return None if keys is None else (keys // radix, keys % radix)
        if not isinstance(node, tree.All):
            side = self._side(node)
            return (side.keys // side.radix, side.keys % side.radix) if isinstance(side, _Ports) else None
        if node.path[0].text == "port":
            return self._every_port(node)
        bare = evolve(node, path=node.path[:-1])
        blocks = self.blocks(bare)
        chosen: list[tuple[Ints, Ints]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        if blocks is None:
            return None
        for key in blocks.keys:
            start, stop = self.fabric.blocks(key)
            size = self.fabric.device_count + 1
            own = start[np.isin(start * size + stop, blocks.start * size + blocks.stop)]
            for piece in port_pieces(self.machine.types, key, node.path[-1].text):
                table = self.fabric.plan.numbering.table(key, piece.name)
                chosen.append(((own[:, None] + table.device.ravel()).ravel(), np.tile(table.port.ravel(), len(own))))
        return np.concatenate([each[0] for each in chosen]), np.concatenate([each[1] for each in chosen])

    def _every_port(self, node: tree.All) -> tuple[Ints, Ints] | None:
        """Return the ports of all devices but spares, or of those inside a part, for which a condition holds."""
        plan = self.fabric.plan
        around = None if node.scope is None else self.blocks(node.scope)
        if node.scope is not None and around is None:
            return None
        there = ~self.spare if around is None else around.home(np.arange(self.fabric.device_count)) >= 0
        every_port: list[tuple[Ints, Ints]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
        for number, device in enumerate(plan.devices.values()):
            own, first = np.flatnonzero(there & (self.fabric.device_type == number)), 0
            for port in device.ports:
                fields: dict[str, Value] = {"protocol": port.protocol, "lanes": quantity(port.lanes)}
                held = [True] if node.where is None else count_inside(node.where, [fields], self.evaluator)
                if held is None:
                    return None
                if held[0]:
                    numbers = np.arange(first, first + port.count)
                    every_port.append((np.repeat(own, port.count), np.tile(numbers, len(own))))
                first += port.count
        return np.concatenate([each[0] for each in every_port]), np.concatenate([each[1] for each in every_port])

    def _side(self, node: tree.Expr) -> DeviceRanges | _Ports | None:
        """Parts, or with a last step that names a port array, ports; None after a diagnostic."""
        path = path_steps(node) if self.names_ports(node) else None
        if path is None:
            return self.blocks(node)
        ends = self._starts(path[:-1])
        if ends is None:
            return None
        radix = self.fabric.plan.max_radix
        keys = list[Ints]()
        for key, start in ends:
            within = self._within(key, path[-1])
            if within is None:
                return None
            keys.append(((start[:, None] + within[0]) * radix + within[1]).ravel())
        return _Ports(np.concatenate(keys), radix)

    def _within(self, key: str, step: Step) -> tuple[Ints, Ints] | None:
        """Return the devices, counted from that of a type, and the ports that the last step of a path names there; None
        after a diagnostic."""
        plan = self.fabric.plan
        kind = plan.type(key)
        if isinstance(kind, DeviceType):
            numbers = port_step(kind, step, self.evaluator)
            return None if numbers is None else (np.zeros(len(numbers), dtype=np.int64), np.array(numbers))
        pieces = port_pieces(self.machine.types, key, step.word.text)
        if not pieces:
            self._unknown(step, key)
            return None
        picked = ports_picked(step, pieces, self.evaluator)
        if picked is None:
            return None
        tables = [(plan.numbering.table(key, piece.name), places) for piece, places in picked]
        return (
            np.concatenate([table.device[places] for table, places in tables]),
            np.concatenate([table.port[places] for table, places in tables]),
        )

    def _before(self, path: list[Step]) -> list[PlanType]:
        """Return the types that the last step of a path is taken from; none where there is none of this name."""
        plan = self.fabric.plan
        kinds: list[PlanType] = [plan.type(plan.root)]
        for step in path[:-1]:
            kinds = [
                plan.type(key)
                for kind in kinds
                if isinstance(kind, AssemblyType)
                for key in dict.fromkeys(child.type for child in kind.arrays.get(step.word.text, ()))
            ]
        return kinds


def _exports(kind: PlanType, name: str) -> bool:
    return isinstance(kind, AssemblyType) and name not in kind.arrays and name in kind.exported_arrays
