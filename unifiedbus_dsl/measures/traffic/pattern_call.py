"""A pattern of traffic as a call states it: who takes part, in which groups, and who sends to whom.

Groups: `within = rack` makes one group in each rack, `across = rack` one for each position in the racks (both may be
given), `groups = g, stride = s` cuts the ordered end points into g groups whose members are s apart. Without any, all
are one group.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import Dimension, format_quantity
from unifiedbus_dsl.measures.traffic.matrix import read_matrix
from unifiedbus_dsl.semantic.select.device_ranges import DeviceRanges
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.solver.demand import Demand, Groups, Pairs, pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.signatures import TrafficSignature


@frozen(eq=False)
class Traffic:
    """A traffic on a machine.

    `members` are end points in order, `group[i]` the group of member i. `demand` is its matrix, None for a collective
    whose steps depend on the algorithm. `size_bytes` is None where none is stated. `roots` [groups] are the end points
    that broadcast, None for the first of each group.
    """

    name: str
    definition: TrafficSignature
    members: Ints
    group: Ints
    demand: Demand | None
    size_bytes: float | None
    roots: Ints | None = None
    stated: bool = False
    """Whether the rates of `demand` are stated, and not only in proportion to each other."""

    @property
    def pattern(self) -> str:
        """The name of its pattern."""
        return self.definition.name

    def groups(self, ends: int) -> Ints:
        """Return the group of each end point of the machine, -1 where it takes no part, [E]."""
        return _on_ends(self.members, self.group, ends)


@frozen(eq=False)
class PatternCall:
    """The call of a pattern against a machine: `node` is its positional argument, `named` are the others. What is wrong
    goes to the sink, and None stands for what is not there then.
    """

    definition: TrafficSignature
    machine: NetworkContext
    selector: FabricSelector
    name: str
    node: tree.Expr
    named: Mapping[str, tree.Expr]
    on: Ints | None = None
    """The devices that traffic is confined to, in any order; None for all."""

    @property
    def evaluator(self) -> Evaluator:
        return self.selector.evaluator

    @property
    def arguments(self) -> tuple[tree.Arg, ...]:
        """All arguments, as a call of the language has them."""
        plain = tree.Arg(None, self.node, span=self.node.span)
        return (
            plain,
            *(tree.Arg(tree.Word(name, span=node.span), node, span=node.span) for name, node in self.named.items()),
        )

    def wrong(self, node: tree.Node, message: str, help: str) -> None:
        """Say what is wrong at a place, and what to do."""
        self.evaluator.sink.error("UB0710", message, node.span, "here", help=(help,))

    def _devices(self, node: tree.Expr) -> Ints | None:
        """Return the devices that an expression selects, those of `on` alone; None after a diagnostic."""
        devices = self.selector.devices(node)
        if devices is None or self.on is None:
            return devices
        left = devices[np.isin(devices, self.on)]
        if not len(left):
            self.wrong(node, "no end point of the traffic is among those of `on`", "choose others")
            return None
        return np.asarray(left)

    def integer(self, name: str, default: int, low: int | None = None) -> int | None:
        """Return a whole number; the default where it is not given."""
        return self.evaluator.integer(self.named[name], low=low) if name in self.named else default

    def quantity(self, name: str, dimension: Dimension, default: float) -> float | None:
        """Return a quantity in SI units, the default where it is not given; None after a diagnostic."""
        if name not in self.named:
            return default
        value, max_value = self.evaluator.quantity(self.named[name], dimension), attributes.largest_argument(dimension)
        if value is not None and not 0 <= value <= max_value.value:
            self.wrong(
                self.named[name], f"`{name}` is out of range", f"it is from nothing to {format_quantity(max_value)}"
            )
            return None
        return None if value is None else float(value)

    # -- patterns over groups

    def grouped(self, demand: Callable[[Ints, Ints], Demand | None] | None, *, stated: bool = False) -> Traffic | None:
        """Return the traffic of groups: `demand(members, group)` is its matrix, None after a diagnostic; without one it
        is steps of a schedule. `stated` says that its rates are."""
        devices = self._devices(self.node)
        if devices is None:
            return None
        group = self._groups(devices)
        size = self._size()
        if group is None or size is False:
            return None
        members = self.machine.ends(devices)
        if len(members) != len(devices):
            self.wrong(self.node, "switches send nothing: name end points", "write `all npu`")
            return None
        matrix = None if demand is None else demand(members, group)
        if demand is not None and matrix is None:
            return None
        roots = self._roots(self.named["from"], members, group) if "from" in self.named else None
        if "from" in self.named and roots is None:
            return None
        return Traffic(self.name, self.definition, members, group, matrix, size or None, roots, stated)

    def all_pairs(self, members: Ints, group: Ints, rate: float = 1.0) -> Groups:
        """Return the demand of each member to each other of its group."""
        return Groups(_on_ends(members, group, self.machine.network.ends), rate)

    def permuted(self, order: Callable[[int, int], Ints | None]) -> Traffic | None:
        """Return the traffic in which each member sends to one of its group: `order(n, number)` has the place of the
        target of each of n members of a group by number; None after a diagnostic."""

        def demand(members: Ints, group: Ints) -> Demand | None:
            target = np.empty_like(members)
            for number in np.unique(group):
                at = np.flatnonzero(group == number)
                to = order(len(at), int(number))
                if to is None:
                    return None
                target[at] = members[at[to]]
            return pairs(members, target)

        return self.grouped(demand)

    def _roots(self, node: tree.Expr, members: Ints, group: Ints) -> Ints | None:
        """Return the end point of each group that an expression selects, one each."""
        devices = self.selector.devices(node)
        if devices is None:
            return None
        at = np.flatnonzero(np.isin(members, self.machine.ends(devices)))
        if not np.array_equal(np.sort(group[at]), np.unique(group)):
            groups = int(group.max()) + 1
            wanted = "one of the end points" if groups == 1 else f"one end point of each of the {groups:,} groups"
            named = "1 is named" if len(at) == 1 else f"{len(at):,} are named"
            self.wrong(node, f"a broadcast goes from {wanted}, and {named}", "such as `from = npu[0]`")
            return None
        return np.asarray(members[at[np.argsort(group[at])]])

    # -- groups

    def _groups(self, devices: Ints) -> Ints | None:
        """Return number of the group of each device, dense."""
        named = self.named
        key = np.zeros(len(devices), dtype=np.int64)
        for word in ("within", "across"):
            if word not in named:
                continue
            blocks = self._level(named[word])
            home = None if blocks is None else self._home(named[word], devices, blocks)
            if blocks is None or home is None:
                return None
            part = home if word == "within" else devices - blocks.start[home]
            if word == "across" and not self._same_positions(named[word], part, home):
                return None
            key = _joined(key, part)
        if "groups" in named or "stride" in named:
            return self._cut(key)
        return key

    def _level(self, node: tree.Expr) -> DeviceRanges | None:
        if not isinstance(node, tree.Name | tree.Member):
            self.wrong(node, "a level is wanted: a kind such as `rack`, or a type", "write `within = rack`")
            return None
        words = tuple(tree.Word(word, span=node.span) for word in dotted_name(node))
        return self.selector.blocks(tree.All(words, span=node.span))

    def _home(self, node: tree.Expr, devices: Ints, blocks: DeviceRanges) -> Ints | None:
        """Return number of the block that each device is in."""
        at = blocks.home(devices)
        if (at < 0).any():
            name = self.machine.fabric.device_name(int(devices[np.argmax(at < 0)]))
            self.wrong(node, f"`{name}` is in no {node.span.text}", "choose a level that holds every end point")
            return None
        return at

    def _same_positions(self, node: tree.Expr, position: Ints, home: Ints) -> bool:
        """Return whether every block has members at the same positions."""
        order = np.lexsort((position, home))
        counts = np.bincount(home)
        counts = counts[counts > 0]
        equal = counts.min() == counts.max()
        if equal:
            table = position[order].reshape(len(counts), -1)
            equal = bool((table == table[0]).all())
        if not equal:
            text = node.span.text
            self.wrong(
                node, f"the {text}s have end points at different positions", f"`across = {text}` wants them alike"
            )
        return bool(equal)

    def _cut(self, key: Ints) -> Ints | None:
        count, stride = self.evaluator.integer(self.named["groups"], low=1), self.integer("stride", 1, low=1)
        if count is None or stride is None:
            return None
        n = len(key)
        if n % count or n % (n // count * stride):
            self.wrong(
                self.named["groups"], f"{n} end points can't be cut into {count} groups with stride {stride}",
                "the size of a group times the stride must divide the number of end points",
            )  # fmt: skip
            return None
        at, span = np.arange(n), n // count * stride
        return _joined(key, at // span * stride + at % stride)

    def _size(self) -> float | bool | None:
        """Bytes; None where none is stated, False after a diagnostic."""
        if "size" not in self.named:
            return None
        size = self.quantity("size", units.SIZE, 0.0)
        return False if size is None else size

    # -- listed pairs

    def arrow(self, single: bool = False) -> Traffic | None:
        """Return the traffic of each of `A` to each of `B`, to a `single` one of `A -> b`."""
        node, pattern = self.node, self.definition.name
        if not isinstance(node, tree.Arrow):
            self.wrong(node, f"`{pattern}` goes from some end points to others", f"write `{pattern}(A -> B)`")
            return None
        a = self._devices(node.left)
        b = None if a is None else self._devices(node.right)
        size = self._size()
        if a is None or b is None or size is False:
            return None
        if single and len(b) != 1:
            self.wrong(node.right, f"an {pattern} ends at one end point, found {len(b):,}", "name a single one")
            return None
        one, two = self.machine.ends(a), self.machine.ends(b)
        return self._listed(pairs(np.repeat(one, len(two)), np.tile(two, len(one))), np.union1d(one, two), size or None)

    def listed(self) -> Traffic | None:
        """Return the traffic of a file of pairs with their rates."""
        if not isinstance(self.node, tree.String):
            pattern = self.definition.name
            self.wrong(self.node, f"`{pattern}` takes the name of a file", f'write `{pattern}("rates.csv")`')
            return None
        matrix = read_matrix(self.node, self.machine.fabric.plan, self.evaluator.sink)
        if matrix is None:
            return None
        left = ~(self.selector.lost[matrix.source] | self.selector.lost[matrix.target])
        if self.on is not None:
            left &= np.isin(matrix.source, self.on) & np.isin(matrix.target, self.on)
        ends = self.machine.end_of_device
        demand = pairs(ends[matrix.source[left]], ends[matrix.target[left]], matrix.rate_Bps[left])
        return self._listed(demand, np.union1d(demand.source, demand.target), None, stated=True)

    def _listed(self, demand: Pairs, members: Ints, size: float | None, *, stated: bool = False) -> Traffic:
        group = np.zeros(len(members), np.int64)
        return Traffic(self.name, self.definition, members, group, demand, size, stated=stated)


def _on_ends(members: Ints, group: Ints, ends: int) -> Ints:
    group_of = np.full(ends, -1, dtype=np.int64)
    group_of[members] = group
    return group_of


def _joined(key: Ints, part: Ints) -> Ints:
    """Dense numbers of the pairs (key, part)."""
    _, number = np.unique(key * (int(part.max(initial=0)) + 1) + part, return_inverse=True)
    return np.asarray(number.ravel(), dtype=np.int64)
