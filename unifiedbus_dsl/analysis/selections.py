"""Selections on a fabric: which devices `all npu in cabinet[3]` are, and which cables `all link where …`."""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl import schema
from unifiedbus_dsl.bind import walk
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.references import Step, range_axis, steps
from unifiedbus_dsl.elaborate.values import Poison
from unifiedbus_dsl.fabric import Fabric
from unifiedbus_dsl.network import Bools, Ints
from unifiedbus_dsl.plan import AssemblyType, Child, Value
from unifiedbus_dsl.plan.index import axis_values
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.units import number


@frozen(eq=False)
class Blocks:
    """Instances of parts: devices `start[i] … stop[i] - 1` each, in order of `start`. `noun` says what they are."""

    start: Ints
    stop: Ints
    noun: str

    def devices(self) -> Ints:
        """All devices inside, ascending."""
        size = self.stop - self.start
        first = np.repeat(self.start - np.concatenate([[0], np.cumsum(size)[:-1]]), size)
        return np.unique(first + np.arange(int(size.sum())))


@frozen(eq=False)
class FabricSelector:
    """Reads selections against a fabric; paths begin at the system."""

    fabric: Fabric
    evaluator: Evaluator
    spare: Bools
    """Devices declared spare, [D]: `all` leaves them out."""
    lost: Bools
    """Devices that a scenario has taken away, [D]."""

    def devices(self, node: tree.Expr, kinds: tuple[str, ...] = ()) -> Ints | None:
        """The devices that an expression selects, ascending; of an assembly those in it that are no switch.

        None after a diagnostic. `kinds` restricts what is taken from inside assemblies.
        """
        blocks = self.blocks(node)
        if blocks is None:
            return None
        ids = blocks.devices()
        ids = ids[~self.lost[ids]]
        if blocks.noun in schema.KINDS_OF_ASSEMBLY:
            ids = ids[self._of_kinds(kinds or tuple(k for k in schema.KINDS_OF_DEVICE if k != "switch"))[ids]]
            ids = ids[~self.spare[ids]]
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

    def _of_kinds(self, kinds: tuple[str, ...]) -> Bools:
        chosen = np.array([device.kind in kinds for device in self.fabric.plan.devices.values()])
        return np.asarray(chosen[self.fabric.device_type])

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
            elements = self._elements(step, child)
            if elements is None:
                return None
            assert isinstance(kind, AssemblyType)
            size = plan.device_count[child.type]
            first = plan.numbering.child_starts[key][plan.numbering.child_number(key, child.name)]
            start = (start[:, None] + first + elements * size).ravel()
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

    def _elements(self, step: Step, child: Child) -> Ints | None:
        """Row-major numbers of the elements that constant subscripts select; None after a diagnostic."""
        if len(step.subscripts) > len(child.shape):
            self.evaluator.sink.error(
                "UB0402",
                f"`{child.name}` has {len(child.shape)} dimension(s), and {len(step.subscripts)} subscripts",
                step.subscripts[len(child.shape)].span,
                "one too many",
            )
            return None
        picks: list[Ints] = []
        for at, size in enumerate(child.shape):
            picked = self._picked(step.subscripts[at] if at < len(step.subscripts) else None, size, child.name)
            if picked is None:
                return None
            picks.append(picked)
        flat = np.zeros((), dtype=np.int64)
        for dimension, (values, size) in enumerate(zip(picks, child.shape, strict=True)):
            shape = tuple(-1 if k == dimension else 1 for k in range(len(picks)))
            flat = flat * size + values.reshape(shape)
        return np.broadcast_to(flat, tuple(len(p) for p in picks)).ravel()

    def _picked(self, subscript: tree.Subscript | None, size: int, name: str) -> Ints | None:
        if subscript is None or isinstance(subscript, tree.Star):
            return np.arange(size)
        if isinstance(subscript, tree.Range):
            axis = range_axis(self.evaluator, subscript, "_", size)
            return None if axis is None else axis_values(axis)
        value = self.evaluator.integer(subscript)
        if value is None:
            return None
        if not 0 <= value < size:
            self.evaluator.sink.error(
                "UB0401",
                f"subscript {value} is outside the {size} elements of `{name}`",
                subscript.span,
                f"is {value}",
                help=(f"elements are 0..{size - 1}",),
            )
            return None
        return np.array([value])

    # -- all …

    def _all(self, node: tree.All) -> Blocks | None:
        name = ".".join(word.text for word in node.path)
        keys = self._keys(node, name)
        if keys is None:
            return None
        plan = self.fabric.plan
        if node.where is not None:
            kept = [key for key in keys if self._holds(node.where, key)]
            keys = kept
        found = [self.fabric.blocks(key) for key in keys]
        start = np.concatenate([f[0] for f in found]) if found else np.zeros(0, np.int64)
        stop = np.concatenate([f[1] for f in found]) if found else np.zeros(0, np.int64)
        order = np.argsort(start, kind="stable")
        start, stop = start[order], stop[order]
        if node.scope is not None:
            around = self.blocks(node.scope)
            if around is None:
                return None
            inside = _inside(start, stop, around)
            start, stop = start[inside], stop[inside]
        keep = ~(self.spare[start] | self.lost[start])
        noun = plan.type(keys[0]).kind if keys else name
        return Blocks(start[keep], stop[keep], noun)

    def _keys(self, node: tree.All, name: str) -> list[str] | None:
        """The types that `all NAME` means: of a kind, or of a name with any arguments."""
        plan = self.fabric.plan
        types = [*plan.devices, *(key for key in plan.bottom_up if key != plan.root)]
        if name in (*schema.KINDS_OF_DEVICE, *schema.KINDS_OF_ASSEMBLY):
            found = [key for key in types if plan.type(key).kind == name]
            if not found:
                self.evaluator.sink.error("UB0406", f"there is no {name} in this system", node.span, "matches nothing")
                return None
            return found
        last = node.path[-1].text
        found = [key for key in types if key == last or key.startswith((last + "(", last + "@"))]
        if found:
            return found
        guess = did_you_mean(name, [*schema.KINDS_OF_DEVICE, *schema.KINDS_OF_ASSEMBLY, *types])
        self.evaluator.sink.error(
            "UB0201",
            f"`all {name}` names no kind or type of this system",
            node.span,
            "unknown kind or type",
            help=(f"did you mean `all {guess}`?",) if guess else (),
        )
        return None

    def _holds(self, where: tree.Expr, key: str) -> bool:
        kind = self.fabric.plan.type(key)
        fields: dict[str, Value] = {"kind": kind.kind, "type": kind.key, **kind.fields}
        return self._condition(where, fields)

    def _condition(self, where: tree.Expr, fields: dict[str, Value]) -> bool:
        names = {each.text for each in walk(where) if isinstance(each, tree.Name)}
        words = frozenset(schema.MEDIA) | {v for v in fields.values() if isinstance(v, str)}
        if not names & fields.keys():
            return False
        inner = Evaluator(self.evaluator.scope, self.evaluator.sink, words=words, extra=fields)
        truth = inner.truth(where)
        return truth is True and not isinstance(truth, Poison)

    # -- cables

    def cables(self, node: tree.All) -> Ints | None:
        """Ids of the cables that `all link where …` selects; None after a diagnostic."""
        fabric, plan = self.fabric, self.fabric.plan
        mask = np.ones(len(fabric.kinds.link), dtype=bool)
        if node.where is not None:
            links = list(plan.links.values())
            for row in range(len(mask)):
                link = links[int(fabric.kinds.link[row])]
                fields: dict[str, Value] = {"link": link.name, "protocol": link.protocol, **link.fields}
                fields["lanes"] = number(int(fabric.kinds.lanes[row]))
                mask[row] = self._condition(node.where, fields)
        chosen = mask[fabric.kind]
        if node.scope is not None:
            around = self.blocks(node.scope)
            if around is None:
                return None
            chosen &= _contains(around, fabric.a_device) & _contains(around, fabric.b_device)
        found = np.flatnonzero(chosen)
        if not len(found):
            self.evaluator.sink.error("UB0406", "the selection matches no cable", node.span, "empty")
            return None
        return found

    def between(self, left: tree.Expr, right: tree.Expr) -> Ints | None:
        """Ids of the cables that join the two sides; None after a diagnostic."""
        a, b = self.blocks(left), self.blocks(right)
        if a is None or b is None:
            return None
        ends = self.fabric.a_device, self.fabric.b_device
        here = _contains(a, ends[0]) & _contains(b, ends[1])
        back = _contains(b, ends[0]) & _contains(a, ends[1])
        found = np.flatnonzero(here | back)
        if not len(found):
            self.evaluator.sink.error("UB0406", "no cable joins these", left.span.to(right.span), "matches nothing")
            return None
        return found

    def without(self, lost: Bools) -> FabricSelector:
        """The same after these devices have been taken away."""
        return evolve(self, lost=self.lost | lost)


def _inside(start: Ints, stop: Ints, around: Blocks) -> Bools:
    """Which ranges lie within one of the blocks."""
    order = np.argsort(around.start, kind="stable")
    at = np.searchsorted(around.start[order], start, side="right") - 1
    return np.asarray((at >= 0) & (stop <= around.stop[order][np.maximum(at, 0)]))


def _contains(blocks: Blocks, devices: NDArray[np.integer]) -> Bools:
    order = np.argsort(blocks.start, kind="stable")
    at = np.searchsorted(blocks.start[order], devices, side="right") - 1
    return np.asarray((at >= 0) & (devices < blocks.stop[order][np.maximum(at, 0)]))
