"""Traffic: who sends to whom, from `traffic moe of superpod = alltoall(all npu, within = rack)`.

Groups: `within = rack` makes one group in each rack, `across = rack` one for each position in the racks (both may be
given), `groups = g, stride = s` cuts the ordered end points into g groups whose members are s apart. Without any, all
are one group.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.random import StablePermutation
from unifiedbus_dsl.measures.traffic.matrix import read_matrix
from unifiedbus_dsl.semantic.names.bind import dotted_name
from unifiedbus_dsl.semantic.queries.check_queries import expect_pattern
from unifiedbus_dsl.semantic.select.arguments import check_arguments
from unifiedbus_dsl.semantic.select.fabric_selection import DeviceRanges, FabricSelector
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.solver.demand import Demand, Groups, Pairs, pairs
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes

COLLECTIVES = ("allreduce", "allgather", "reducescatter", "broadcast")
"""Traffic that is steps of a schedule rather than a matrix."""


@frozen(eq=False)
class Traffic:
    """A traffic on a machine.

    `members` are end points in order, `group[i]` the group of member i. `demand` is its matrix, None for a collective
    whose steps depend on the algorithm. `size_bytes` is None where none is stated. `roots` [groups] are the end points
    that broadcast, None for the first of each group.
    """

    name: str
    pattern: str
    members: Ints
    group: Ints
    demand: Demand | None
    size_bytes: float | None
    roots: Ints | None = None
    stated: bool = False
    """Whether the rates of `demand` are stated, and not only in proportion to each other."""

    def groups(self, ends: int) -> Ints:
        """The group of each end point of the machine, -1 where it takes no part, [E]."""
        return _on_ends(self.members, self.group, ends)


@frozen(eq=False)
class TrafficReader:
    """Reads the call behind `traffic NAME of SYSTEM =` against a machine."""

    machine: NetworkContext
    selector: FabricSelector
    on: Ints | None = None
    """The devices that traffic is confined to, in any order; None for all."""

    def _devices(self, node: tree.Expr) -> Ints | None:
        """The devices that an expression selects, those of `on` alone; None after a diagnostic."""
        devices = self.selector.devices(node)
        if devices is None or self.on is None:
            return devices
        left = devices[np.isin(devices, self.on)]
        if not len(left):
            self._wrong(node, "no end point of the traffic is among those of `on`", "choose others")
            return None
        return np.asarray(left)

    @property
    def _evaluator(self) -> Evaluator:
        return self.selector.evaluator

    def read(self, name: str, node: tree.Expr) -> Traffic | None:
        """The traffic; None after a diagnostic."""
        if not expect_pattern(node, self._evaluator.sink) or not isinstance(node, tree.Call):
            return None
        pattern = ".".join(dotted_name(node.function))
        if not check_arguments(node, self._evaluator.sink):
            return None
        named = {arg.name.text: arg.value for arg in node.args if arg.name is not None}
        plain = [arg.value for arg in node.args if arg.name is None]
        if len(plain) != 1:
            self._wrong(node, f"`{pattern}` takes one selection", f"write `{pattern}(all npu)`")
            return None
        make = {"incast": self._arrow, "pairs": self._arrow, "matrix": self._matrix}.get(pattern, self._grouped)
        return make(name, pattern, plain[0], named)

    def _wrong(self, node: tree.Node, message: str, help: str) -> None:
        self._evaluator.sink.error("UB0710", message, node.span, "here", help=(help,))

    # -- patterns over groups

    def _grouped(self, name: str, pattern: str, node: tree.Expr, named: Mapping[str, tree.Expr]) -> Traffic | None:
        devices = self._devices(node)
        if devices is None:
            return None
        group = self._groups(node, devices, named)
        size = self._size(named)
        if group is None or size is False:
            return None
        members = self.machine.ends(devices)
        if len(members) != len(devices):
            self._wrong(node, "switches send nothing: name end points", "write `all npu`")
            return None
        demand = None
        if pattern not in COLLECTIVES:
            demand = self._demand(pattern, node, members, group, named)
            if demand is None:
                return None
        roots = self._roots(named["from"], members, group) if "from" in named else None
        if "from" in named and roots is None:
            return None
        stated = pattern == "uniform" and "rate" in named
        return Traffic(name, pattern, members, group, demand, size or None, roots, stated)

    def _roots(self, node: tree.Expr, members: Ints, group: Ints) -> Ints | None:
        """The end point of each group that an expression selects, one each."""
        devices = self.selector.devices(node)
        if devices is None:
            return None
        at = np.flatnonzero(np.isin(members, self.machine.ends(devices)))
        if not np.array_equal(np.sort(group[at]), np.unique(group)):
            groups = int(group.max()) + 1
            wanted = "one of the end points" if groups == 1 else f"one end point of each of the {groups:,} groups"
            named = "1 is named" if len(at) == 1 else f"{len(at):,} are named"
            self._wrong(node, f"a broadcast goes from {wanted}, and {named}", "such as `from = npu[0]`")
            return None
        return np.asarray(members[at[np.argsort(group[at])]])

    def _demand(
        self, pattern: str, node: tree.Expr, members: Ints, group: Ints, named: Mapping[str, tree.Expr]
    ) -> Demand | None:
        if pattern in ("alltoall", "uniform"):
            whole = _on_ends(members, group, self.machine.network.ends)
            rate = self._uniform_rate(node, group, named) if pattern == "uniform" else 1.0
            return None if rate is None else Groups(whole, rate)
        return self._permuted(pattern, node, members, group, named)

    def _uniform_rate(self, node: tree.Expr, group: Ints, named: Mapping[str, tree.Expr]) -> float | None:
        size = np.bincount(group)
        if size.min() != size.max() or size[0] < 2:
            self._wrong(node, "`uniform` wants groups of one size, of at least two", "choose other groups")
            return None
        if "rate" not in named:
            return 1.0 / (int(size[0]) - 1)
        rate = self._evaluator.quantity(named["rate"], units.RATE)
        return None if rate is None else float(rate) / (int(size[0]) - 1)

    def _permuted(
        self, pattern: str, node: tree.Expr, members: Ints, group: Ints, named: Mapping[str, tree.Expr]
    ) -> Pairs | None:
        """One target for each member, inside its group."""
        target = np.empty_like(members)
        for number in np.unique(group):
            at = np.flatnonzero(group == number)
            to = self._order(pattern, node, len(at), named, int(number))
            if to is None:
                return None
            target[at] = members[at[to]]
        return pairs(members, target)

    def _order(self, pattern: str, node: tree.Expr, n: int, named: Mapping[str, tree.Expr], number: int) -> Ints | None:
        if pattern == "shift":
            k = self._evaluator.integer(named["k"]) if "k" in named else 1
            return None if k is None else (np.arange(n) + k % n) % n
        if pattern == "transpose":
            side = isqrt(n)
            if side * side != n:
                self._wrong(node, f"`transpose` wants a square number of end points, found {n}", "choose other groups")
                return None
            return np.arange(n).reshape(side, side).T.ravel()
        seed = self._evaluator.integer(named["seed"], low=0)
        return None if seed is None else StablePermutation((seed, number))(np.arange(n))

    # -- groups

    def _groups(self, node: tree.Expr, devices: Ints, named: Mapping[str, tree.Expr]) -> Ints | None:
        """Number of the group of each device, dense."""
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
            return self._cut(node, key, named)
        return key

    def _level(self, node: tree.Expr) -> DeviceRanges | None:
        if not isinstance(node, tree.Name | tree.Member):
            self._wrong(node, "a level is wanted: a kind such as `rack`, or a type", "write `within = rack`")
            return None
        words = tuple(tree.Word(word, span=node.span) for word in dotted_name(node))
        return self.selector.blocks(tree.All(words, span=node.span))

    def _home(self, node: tree.Expr, devices: Ints, blocks: DeviceRanges) -> Ints | None:
        """Number of the block that each device is in."""
        at = blocks.home(devices)
        if (at < 0).any():
            name = self.machine.fabric.device_name(int(devices[np.argmax(at < 0)]))
            self._wrong(node, f"`{name}` is in no {node.span.text}", "choose a level that holds every end point")
            return None
        return at

    def _same_positions(self, node: tree.Expr, position: Ints, home: Ints) -> bool:
        """Whether every block has members at the same positions."""
        order = np.lexsort((position, home))
        counts = np.bincount(home)
        counts = counts[counts > 0]
        equal = counts.min() == counts.max()
        if equal:
            table = position[order].reshape(len(counts), -1)
            equal = bool((table == table[0]).all())
        if not equal:
            text = node.span.text
            self._wrong(
                node, f"the {text}s have end points at different positions", f"`across = {text}` wants them alike"
            )
        return bool(equal)

    def _cut(self, node: tree.Expr, key: Ints, named: Mapping[str, tree.Expr]) -> Ints | None:
        count = self._evaluator.integer(named["groups"], low=1) if "groups" in named else None
        stride = self._evaluator.integer(named["stride"], low=1) if "stride" in named else 1
        if count is None or stride is None:
            return None
        n = len(key)
        if n % count or n % (n // count * stride):
            self._wrong(
                named["groups"], f"{n} end points can't be cut into {count} groups with stride {stride}",
                "the size of a group times the stride must divide the number of end points",
            )  # fmt: skip
            return None
        at, span = np.arange(n), n // count * stride
        return _joined(key, at // span * stride + at % stride)

    def _size(self, named: Mapping[str, tree.Expr]) -> float | bool | None:
        """Bytes; None where none is stated, False after a diagnostic."""
        if "size" not in named:
            return None
        size = self._evaluator.quantity(named["size"], units.SIZE)
        if size is not None and not 0 <= size <= attributes.LARGEST[units.SIZE]:
            self._wrong(named["size"], "`size` is out of range", "a size is from 0 B to 10^24 B")
            return False
        return False if size is None else float(size)

    # -- listed pairs

    def _arrow(self, name: str, pattern: str, node: tree.Expr, named: Mapping[str, tree.Expr]) -> Traffic | None:
        if not isinstance(node, tree.Arrow):
            self._wrong(node, f"`{pattern}` goes from some end points to others", f"write `{pattern}(A -> B)`")
            return None
        a = self._devices(node.left)
        b = None if a is None else self._devices(node.right)
        size = self._size(named)
        if a is None or b is None or size is False:
            return None
        if pattern == "incast" and len(b) != 1:
            self._wrong(node.right, f"an incast ends at one end point, found {len(b):,}", "name a single one")
            return None
        one, two = self.machine.ends(a), self.machine.ends(b)
        demand = pairs(np.repeat(one, len(two)), np.tile(two, len(one)))
        members = np.union1d(one, two)
        return Traffic(name, pattern, members, np.zeros(len(members), np.int64), demand, size or None)

    def _matrix(self, name: str, pattern: str, node: tree.Expr, named: Mapping[str, tree.Expr]) -> Traffic | None:
        if not isinstance(node, tree.String):
            self._wrong(node, "`matrix` takes the name of a file", 'write `matrix("rates.csv")`')
            return None
        found = read_matrix(node, self.machine.fabric.plan, self._evaluator.sink)
        if found is None:
            return None
        left = ~(self.selector.lost[found.source] | self.selector.lost[found.target])
        if self.on is not None:
            left &= np.isin(found.source, self.on) & np.isin(found.target, self.on)
        ends = self.machine.end_of_device
        demand = pairs(ends[found.source[left]], ends[found.target[left]], found.rate_Bps[left])
        members = np.union1d(demand.source, demand.target)
        return Traffic(name, pattern, members, np.zeros(len(members), np.int64), demand, None, stated=True)


def _on_ends(members: Ints, group: Ints, ends: int) -> Ints:
    found = np.full(ends, -1, dtype=np.int64)
    found[members] = group
    return found


def _joined(key: Ints, part: Ints) -> Ints:
    """Dense numbers of the pairs (key, part)."""
    _, number = np.unique(key * (int(part.max(initial=0)) + 1) + part, return_inverse=True)
    return np.asarray(number.ravel(), dtype=np.int64)
