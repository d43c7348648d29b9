"""A routing as a call asks for it: its options read against the machine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from unifiedbus_dsl.graph.symmetry import Array, arrays_of
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.solver.routing.dragonfly import DefaultGroups, Grouping
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.signatures import Signature


@frozen(eq=False)
class RoutingCall:
    """A routing as it is asked for in the call of a measure; the arguments of `options` are its own."""

    signature: Signature
    call: MeasureCall
    options: MeasureCall

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def text(self) -> str:
        """The routing with its options as they are written, without those that would hold anyway."""
        given = [
            f"{name} = {node.span.one_line}"
            for name, node in self.options.named.items()
            if (argument := self.signature.argument(name)) is None or node.span.text != argument.default
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name

    @property
    def arrays(self) -> Sequence[Array]:
        """The arrays of the machine."""
        return arrays_of(self.call.machine.fabric.plan)

    @property
    def has_switches(self) -> bool:
        return bool((self.call.machine.network.end < 0).any())

    def order(self) -> tuple[int, ...] | None:
        """Return `order = [2, 0, 1]`, each dimension once; None where none is given."""
        node = self.options.named.get("order")
        if node is None:
            return None
        if not isinstance(node, tree.ListExpr):
            raise self.call.refuse(node, "`order` is a list of dimensions", "such as `order = [1, 0]`")
        numbers = [self.call.evaluator.integer(item, low=0) for item in node.items]
        order = tuple(each for each in numbers if each is not None)
        if len(order) != len(numbers):
            raise RefusedError
        if sorted(order) != list(range(len(order))):
            usual = list(range(len(order)))[::-1]
            raise self.call.refuse(node, "`order` names each dimension once, from 0", f"such as `order = {usual}`")
        return order

    def grouping(self, taken: bool = True) -> Grouping | DefaultGroups:
        """Return `groups = all cell`, at least two assemblies, none in another one; those that the arrays say where
        none are named. `taken` says whether the routing goes by groups.
        """
        node = self.options.named.get("groups")
        if node is None:
            return DefaultGroups(self.arrays)
        if not taken:
            help = f"write `{self.name}(via = group, groups = …)`"
            raise self.call.refuse(node, "`groups` goes with `via = group`", help)
        blocks = self.call.selector.blocks(node)
        if blocks is None:
            raise RefusedError
        if blocks.noun not in attributes.KINDS_OF_ASSEMBLY:
            help = "such as `groups = all module`"
            raise self.call.refuse(node, "groups are assemblies, which hold the switches", help)
        if len(blocks.start) < 2 or (blocks.depth > 0).any():
            message = f"at least two groups are wanted, none inside another, and these are {len(blocks.start)}"
            raise self.call.refuse(node, message, "name assemblies of one level")
        devices = self.call.machine.fabric.device_count
        return Grouping(blocks.home(np.arange(devices)))
