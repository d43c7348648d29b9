"""Selections on a fabric: which devices `all npu in cabinet[3]` are, and which cables `all link where …`."""

from __future__ import annotations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl import schema
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.references import Step, steps
from unifiedbus_dsl.elaborate.selections import Machine as PlanMachine
from unifiedbus_dsl.elaborate.selections import Parts, Selector, elements, fields_of, fields_of_cables, holds, port_step
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.fabric.names import spares
from unifiedbus_dsl.model import Model
from unifiedbus_dsl.network import Bools, Ints, ranges
from unifiedbus_dsl.plan import AssemblyType, DeviceType, PlanType
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class Blocks:
    """Instances of parts: devices `start[i] … stop[i] - 1` each, in order of `start`. `noun` says what they are."""

    start: Ints
    stop: Ints
    noun: str

    def devices(self) -> Ints:
        """All devices inside, ascending."""
        return np.unique(ranges(self.start, self.stop))

    def home(self, devices: NDArray[np.integer]) -> Ints:
        """Number of the instance that each of these devices is in, -1 where it is in none."""
        at = np.searchsorted(self.start, devices, side="right") - 1
        return np.where(devices < np.append(self.stop, 0)[at], at, -1)  # before the first one: below 0 is nothing


@frozen(eq=False)
class _Side:
    """Parts, or the ports of these numbers on them."""

    blocks: Blocks
    ports: Ints | None

    def holds(self, device: NDArray[np.integer], port: NDArray[np.integer]) -> Bools:
        """Which of these ends of cables are meant, [C]."""
        found = self.blocks.home(device) >= 0
        return found if self.ports is None else found & np.isin(port, self.ports)


@frozen(eq=False)
class FabricSelector:
    """Reads selections against a fabric; paths begin at the system."""

    fabric: Fabric
    machine: PlanMachine
    """The types of the fabric's plan, by which names are understood."""
    evaluator: Evaluator
    spare: Bools
    """Devices declared spare, [D]: `all` leaves them out."""
    lost: Bools
    """Devices that a scenario has taken away, [D]."""

    @classmethod
    def of(cls, fabric: Fabric, model: Model, evaluator: Evaluator) -> FabricSelector:
        """A selector on an undamaged fabric, which understands names as the main file does."""
        plan = fabric.plan
        types: dict[str, PlanType] = {**plan.devices, **plan.assemblies}
        machine = PlanMachine(types, plan.protocols, plan.links, plan.root, model.sorts)
        return cls(fabric, machine, evaluator, spares(plan), np.zeros(fabric.device_count, dtype=bool))

    def devices(self, node: tree.Expr) -> Ints | None:
        """The devices that an expression selects, ascending; of an assembly those in it that are no switch.

        None after a diagnostic.
        """
        blocks = self.blocks(node)
        if blocks is None:
            return None
        ids = blocks.devices()
        ids = ids[~self.lost[ids]]
        if blocks.noun in schema.KINDS_OF_ASSEMBLY:
            ends = np.array([device.kind != "switch" for device in self.fabric.plan.devices.values()])
            ids = ids[ends[self.fabric.device_type[ids]] & ~self.spare[ids]]
        if not len(ids):
            gone = bool(self.lost.any())
            message = (
                "nothing of this selection is left after the failures" if gone else "the selection matches nothing"
            )
            self.evaluator.sink.error("UB0406", message, node.span, "empty")
            return None
        return ids

    def blocks(self, node: tree.Expr) -> Blocks | None:
        """The instances that an expression selects; None after a diagnostic."""
        if isinstance(node, tree.All):
            return self._all(node)
        path = steps(node)
        if path is None:
            self.evaluator.sink.error(
                "UB0507",
                "a selection is wanted: `all npu`, or a part by its path",
                node.span,
                "selects nothing",
            )
            return None
        return self._path(path)

    # -- paths

    def _path(self, path: list[Step]) -> Blocks | None:
        plan = self.fabric.plan
        key, start = plan.root, np.zeros(1, dtype=np.int64)
        for step in path:
            kind = plan.type(key)
            child = next((c for c in kind.children if c.name == step.word.text), None) if isinstance(
                kind, AssemblyType
            ) else None  # fmt: skip
            if child is None:
                self._unknown(step, key)
                return None
            picked = elements(step, child.shape, self.evaluator)
            if picked is None:
                return None
            size = plan.device_count[child.type]
            first = plan.numbering.child_starts[key][plan.numbering.child_number(key, child.name)]
            start = (start[:, None] + first + picked * size).ravel()
            key = child.type
        return Blocks(start, start + plan.device_count[key], plan.type(key).kind)

    def _unknown(self, step: Step, key: str) -> None:
        if self.evaluator.scope.is_quiet(step.word.text):
            return
        kind = self.fabric.plan.type(key)
        names = [c.name for c in kind.children] if isinstance(kind, AssemblyType) else []
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

    def _all(self, node: tree.All) -> Blocks | None:
        keys = self._keys(node)
        if keys is None:
            return None
        plan = self.fabric.plan
        found = [self.fabric.blocks(key) for key in keys]
        start = np.concatenate([f[0] for f in found]) if found else np.zeros(0, np.int64)
        stop = np.concatenate([f[1] for f in found]) if found else np.zeros(0, np.int64)
        order = np.argsort(start, kind="stable")
        start, stop = start[order], stop[order]
        if node.scope is not None:
            around = self.blocks(node.scope)
            if around is None:
                return None
            at = around.home(start)
            inside = (at >= 0) & (stop <= around.stop[at])
            start, stop = start[inside], stop[inside]
        gone = np.concatenate([[0], np.cumsum(self.spare | self.lost)])
        keep = gone[stop] - gone[start] < stop - start  # something of it is there
        noun = plan.type(keys[0]).kind if keys else ""
        return Blocks(start[keep], stop[keep], noun)

    def _keys(self, node: tree.All) -> list[str] | None:
        """The types that `all NAME where …` means; None after a diagnostic."""
        plan, evaluator = self.fabric.plan, self.evaluator
        found = Selector(self.machine, evaluator).sort(node, {plan.root: 1})
        if found is None:
            return None
        items, field = found
        kinds = [item.type for item in items if isinstance(item, Parts)]
        if field is not None or len(kinds) < len(items):
            message = "devices or assemblies are wanted: `all npu`, or a part by its path"
            evaluator.sink.error("UB0507", message, node.span, "selects none")
            return None
        if not kinds:
            name = ".".join(word.text for word in node.path)
            evaluator.sink.error("UB0406", f"there is no {name} in this system", node.span, "matches nothing")
            return None
        held = [True] * len(kinds)
        if node.where is not None:
            answered = holds(node.where, [fields_of(kind) for kind in kinds], evaluator)
            if answered is None:
                return None
            held = answered
        return [kind.key for kind, yes in zip(kinds, held, strict=True) if yes]

    # -- cables

    def cables(self, node: tree.All) -> Ints | None:
        """Ids of the cables that `all link where …` selects; None after a diagnostic."""
        fabric, plan = self.fabric, self.fabric.plan
        mask = np.ones(len(fabric.kinds.link), dtype=bool)
        if node.where is not None:
            links = list(plan.links.values())
            asked = zip(fabric.kinds.link.tolist(), fabric.kinds.lanes.tolist(), strict=True)
            held = holds(node.where, [fields_of_cables(links[link], lanes) for link, lanes in asked], self.evaluator)
            if held is None:
                return None
            mask[:] = held
        chosen = mask[fabric.kind]
        if node.scope is not None:
            around = self.blocks(node.scope)
            if around is None:
                return None
            chosen &= (around.home(fabric.a_device) >= 0) & (around.home(fabric.b_device) >= 0)
        found = np.flatnonzero(chosen)
        if not len(found):
            self.evaluator.sink.error("UB0406", "the selection matches no cable", node.span, "empty")
            return None
        return found

    def between(self, left: tree.Expr, right: tree.Expr) -> Ints | None:
        """Ids of the cables that join the two sides, parts or ports of them; None after a diagnostic."""
        one, two = self._side(left), self._side(right)
        if one is None or two is None:
            return None
        fabric = self.fabric
        ends = (fabric.a_device, fabric.a_port), (fabric.b_device, fabric.b_port)
        here = one.holds(*ends[0]) & two.holds(*ends[1])
        back = two.holds(*ends[0]) & one.holds(*ends[1])
        found = np.flatnonzero(here | back)
        if not len(found):
            self.evaluator.sink.error("UB0406", "no cable joins these", left.span.to(right.span), "matches nothing")
            return None
        return found

    def _side(self, node: tree.Expr) -> _Side | None:
        """One side of `a -- b`: parts, or with a last step that names a port array, ports of devices."""
        path = None if isinstance(node, tree.All) else steps(node)
        device = self._device_before(path) if path else None
        if path is None or device is None:
            blocks = self.blocks(node)
            return None if blocks is None else _Side(blocks, None)
        ports = port_step(device, path[-1], self.evaluator)
        blocks = None if ports is None else self._path(path[:-1])
        return None if ports is None or blocks is None else _Side(blocks, np.array(ports))

    def _device_before(self, path: list[Step]) -> DeviceType | None:
        """The type of the device that the last step of a path is taken from; None where it is from an assembly."""
        plan, key = self.fabric.plan, self.fabric.plan.root
        for step in path[:-1]:
            kind = plan.type(key)
            children = kind.children if isinstance(kind, AssemblyType) else ()
            found = next((child.type for child in children if child.name == step.word.text), None)
            if found is None:
                return None
            key = found
        return plan.devices.get(key)
