"""A measure as it is asked: the call with its arguments, read against a machine.

Everything that is wrong with a question goes to the sink of the evaluator; `Refused` then ends the question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeGuard

from attrs import field, frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.base.units import Dimension, format_quantity
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.measures.answers import Answer, shown
from unifiedbus_dsl.measures.traffic.pattern_call import Traffic
from unifiedbus_dsl.measures.traffic.patterns import TrafficReader
from unifiedbus_dsl.semantic.select.arguments import check_arguments
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.solver.bounds import BoundedValue, NotAdmittedError
from unifiedbus_dsl.solver.demand import Demand, row_sums
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary.attributes import largest_argument
from unifiedbus_dsl.vocabulary.signatures import TRAFFICS


class RefusedError(Exception):
    """The question is wrong, and a diagnostic says so."""


def is_exchange(node: tree.Expr, workloads: Collection[str]) -> TypeGuard[tree.Member]:
    """Return whether an expression is what a workload exchanges: its name and an axis."""
    return isinstance(node, tree.Member) and isinstance(node.base, tree.Name) and node.base.text in workloads


@frozen(eq=False)
class MeasureCall:
    """A call with its arguments apart, positional ones and named ones, and the machine that it is about.

    `traffics` and `workloads` are the statements that can be named.
    """

    node: tree.Call
    machine: NetworkContext
    selector: FabricSelector
    traffics: Mapping[str, tree.Traffic]
    workloads: Mapping[str, tree.Workload] = field(factory=dict)
    exchange: Callable[[MeasureCall, tree.Member], Traffic] | None = None
    """Who reads what a workload exchanges, `pretrain.data`, as traffic."""

    @property
    def name(self) -> str:
        return ".".join(dotted_name(self.node.function))

    @property
    def plain(self) -> tuple[tree.Expr, ...]:
        return tuple(arg.value for arg in self.node.args if arg.name is None)

    @property
    def named(self) -> Mapping[str, tree.Expr]:
        return {arg.name.text: arg.value for arg in self.node.args if arg.name is not None}

    @property
    def arguments(self) -> str:
        """The arguments as they are written, on one line."""
        return ", ".join(arg.span.one_line for arg in self.node.args)

    @property
    def evaluator(self) -> Evaluator:
        return self.selector.evaluator

    # -- what is wrong

    def refuse(self, node: tree.Node, message: str, help: str = "", code: str = "UB0705") -> RefusedError:
        self.evaluator.sink.error(code, message, node.span, "here", help=(help,) if help else ())
        return RefusedError()

    def check_arguments(self, legal: tuple[str, ...] | None = None) -> None:
        """Refuse named arguments that the measure does not take, or that are not among `legal` ones."""
        if not check_arguments(self.node, self.evaluator.sink, legal):
            raise RefusedError

    # -- arguments

    def one(self) -> tree.Expr:
        """Return the only positional argument."""
        if len(self.plain) != 1:
            raise self.refuse(self.node, f"`{self.name}` takes one selection", f"write `{self.name}(all npu)`")
        return self.plain[0]

    def ends(self, node: tree.Expr) -> Ints:
        """Return the end points that an expression selects, at least one."""
        devices = self.selector.devices(node)
        if devices is None:
            raise RefusedError
        ends = self.machine.ends(devices)
        if not len(ends):
            raise self.refuse(
                node, "these are no end points: switches neither send nor receive", "such as `all npu`", "UB0709"
            )
        return ends

    def pair(self) -> tuple[Ints, Ints]:
        """From which end points to which: `A -> B`, or all pairs of one selection."""
        node = self.one()
        if isinstance(node, tree.Arrow):
            return self.ends(node.left), self.ends(node.right)
        ends = self.ends(node)
        return ends, ends

    def single_pair(self) -> tuple[int, int]:
        """From which end point to which: `A -> B`, one each."""
        node = self.one()
        if not isinstance(node, tree.Arrow):
            raise self.refuse(node, f"`{self.name}` is about one pair", f"write `{self.name}(A -> B)`", "UB0709")
        sides = [(side, self.ends(side)) for side in (node.left, node.right)]
        for side, ends in sides:
            if len(ends) != 1:
                message = f"`{self.name}` is about one pair, and these are {len(ends):,} end points"
                raise self.refuse(side, message, code="UB0709")
        return int(sides[0][1][0]), int(sides[1][1][0])

    def word(self, name: str, default: str) -> str:
        """Return a word that is one of some."""
        node = self.named.get(name)
        return node.text if isinstance(node, tree.Name) else default

    def quantity(self, name: str, dimension: Dimension) -> float | None:
        """Return a named quantity in SI units, None where it isn't given."""
        node = self.named.get(name)
        if node is None:
            return None
        value = self.evaluator.quantity(node, dimension)
        if value is None:
            raise RefusedError
        if value < 0:
            raise self.refuse(node, f"`{name}` can't be less than nothing")
        max_value = largest_argument(dimension)
        if value > max_value.value:
            raise self.refuse(
                node, f"`{name}` is at most {format_quantity(max_value)}, found {shown(float(value), dimension)}"
            )
        return float(value)

    def integer(self, name: str, low: int = 0) -> int | None:
        """Return a named whole number, None where it isn't given."""
        node = self.named.get(name)
        if node is None:
            return None
        value = self.evaluator.integer(node, low=low)
        if value is None:
            raise RefusedError
        return value

    # -- traffic

    def on(self) -> Ints | None:
        """Return the devices of `on`, None where a traffic has all of its end points."""
        node = self.named.get("on")
        devices = None if node is None else self.selector.devices(node)
        if node is not None and devices is None:
            raise RefusedError
        return devices

    def traffic(self, node: tree.Expr) -> Traffic:
        """Return the traffic that an argument names or states."""
        reader = TrafficReader(self.machine, self.selector, self.on())
        if isinstance(node, tree.Name) and node.text in self.traffics:
            traffic = reader.read(node.text, self.traffics[node.text].value)
        elif isinstance(node, tree.Call) and ".".join(dotted_name(node.function)) in TRAFFICS:
            traffic = reader.read(node.span.one_line, node)
        elif self.exchange is not None and is_exchange(node, self.workloads):
            traffic = self.exchange(self, node)
        else:
            guess = did_you_mean(node.span.text, self.traffics)
            raise self.refuse(
                node,
                "a traffic is wanted: the name of one of this system, or a pattern",
                f"did you mean `{guess}`?" if guess else "such as `alltoall(all npu)`",
                "UB0709",
            )
        if traffic is None:
            raise RefusedError
        return traffic

    def matrix(self) -> tuple[Traffic, Demand]:
        """Return the traffic that is the only positional argument, with its matrix of rates."""
        node = self.one()
        traffic = self.traffic(node)
        if traffic.demand is None:
            raise self.refuse(
                node,
                f"`{traffic.pattern}` is steps of a schedule, not a matrix of rates",
                "ask for `time(…)`, or use `alltoall`",
                "UB0709",
            )
        if not (row_sums(traffic.demand, self.machine.network.ends) > 0).any():
            raise NotAdmittedError("nothing is sent")
        return traffic, traffic.demand

    # -- answers

    def exact(
        self,
        value: float,
        dimension: Dimension,
        *,
        binding: tuple[str, ...] = (),
        assumptions: tuple[str, ...] = (),
        detail: dict[str, Any] | None = None,
        text: str = "",
        lines: tuple[str, ...] = (),
        binds: str = "limited by",
    ) -> Answer:
        """Return an answer that is exact. The system, the block and the time are filled in by who asks."""
        value = float(value)
        return Answer(
            "", "", self.name, self.arguments, value, dimension, "exact", value, value, binding, assumptions, 0.0,
            detail or {}, text, lines, binds,
        )  # fmt: skip

    def number(
        self,
        found: BoundedValue,
        dimension: Dimension,
        *,
        binding: tuple[str, ...] = (),
        assumptions: tuple[str, ...] = (),
        detail: dict[str, Any] | None = None,
        lines: tuple[str, ...] = (),
    ) -> Answer:
        """Return an answer that says itself what it is; its reason is the last of the assumptions."""
        return Answer(
            "", "", self.name, self.arguments, found.value, dimension, found.kind, found.lower, found.upper, binding,
            (*assumptions, found.reason), 0.0, detail or {}, "", lines,
        )  # fmt: skip
