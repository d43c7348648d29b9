"""Names in the arguments of measures and traffic, held against the machine that they are asked of."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.select.aggregates import Aggregates
from unifiedbus_dsl.semantic.select.arguments import check_arguments
from unifiedbus_dsl.semantic.select.plan_selection import Selector, empty_selection
from unifiedbus_dsl.semantic.select.planes import read_plane
from unifiedbus_dsl.semantic.select.set_reader import OPERATORS, is_set
from unifiedbus_dsl.semantic.select.type_scope import TypeScope
from unifiedbus_dsl.semantic.select.workloads.end_points import count_end_points
from unifiedbus_dsl.semantic.select.workloads.read import is_workload, read_workload, say_misfits
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.unknown_names import no_system, unknown_function
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name, walk
from unifiedbus_dsl.vocabulary.signatures import (
    FUNCTIONS,
    MEASURES,
    MODEL_FUNCTIONS,
    OVER,
    TRAFFICS,
    WORKLOADS,
    Argument,
    Signature,
    Takes,
    signature_of,
)
from unifiedbus_dsl.workload.training import EXCHANGED

SELECTING = frozenset(("from", "to", "in", "on"))
LEVELS = frozenset(("within", "across"))


@frozen(eq=False)
class NameChecker:
    """Checks the names in the arguments of measures and traffic.

    `traffic` and `workloads` are the names of those that can be said here. `whole` is False for a machine in error,
    whose parts are not all known: then only kinds and types are checked.
    """

    machine: TypeScope
    traffic: frozenset[str] = frozenset()
    workloads: frozenset[str] = frozenset()
    whole: bool = True
    others: Callable[[str], NameChecker | None] | None = None
    """Who checks names in the system of this name, None for no system."""

    def __call__(self, node: tree.Call, evaluator: Evaluator) -> None:
        name = ".".join(dotted_name(node.function))
        fits = check_arguments(node, evaluator.sink)
        signature = signature_of(name)
        for arg in node.args:
            if signature is not None and arg.name is not None:
                _value(arg.value, signature.argument(arg.name.text), evaluator)
        if signature is not None and fits:
            _collective(node, signature, evaluator)
        if self.whole and (name in TRAFFICS or (name in MEASURES and not MEASURES[name].from_plan)):
            self._without_field(node, evaluator)
        if self.whole and name == "sum" and fits:
            self._added_up(node, evaluator)
        max_arguments = len(signature.positional) if signature is not None and not fits else len(node.args)
        plain = [arg for arg in node.args if arg.name is None]
        if name in MEASURES and any(each.takes is Takes.WORKLOAD for each in MEASURES[name].positional):
            for arg in plain[:1]:
                self.workload(arg.value, evaluator)
            return
        for arg in (*plain[:max_arguments], *(arg for arg in node.args if arg.name is not None)):
            self._argument(
                arg, evaluator, of_traffic=name in MEASURES and MEASURES[name].of_traffic, maybe_none=name == "count"
            )

    def _added_up(self, node: tree.Call, evaluator: Evaluator) -> None:
        """Check that each of what is selected states the field that is added up."""
        sink = Sink()
        Aggregates(self.machine)(node, evolve(evaluator, sink=sink))
        for diagnostic in sink:
            if diagnostic.code == "UB0221":
                evaluator.sink.add(diagnostic)

    def _without_field(self, node: tree.Call, evaluator: Evaluator) -> None:
        """Check that the selections of a measure that only the solver answers, or of a traffic, end in no field."""
        quiet = Selector(self.machine, evolve(evaluator, sink=Sink()))
        for arg in node.args:
            for each in walk(arg.value) if not isinstance(arg.value, tree.Call) else ():
                sorted_out = quiet.sort(each, {self.machine.subject: 1}) if isinstance(each, tree.All) else None
                if sorted_out is not None and sorted_out[1] is not None:
                    message = "devices or assemblies are wanted: `all npu`, or a part by its path"
                    evaluator.sink.error("UB0518", message, each.span, "a field of them")

    def instead(self, node: tree.Call, evaluator: Evaluator) -> EvalValue:
        """Check the names of a measure in place of answering it."""
        evolve(self, whole=False)(node, evaluator)
        return POISON

    def _argument(self, arg: tree.Arg, evaluator: Evaluator, *, of_traffic: bool, maybe_none: bool) -> None:
        name = arg.name.text if arg.name else ""
        if name in LEVELS and not isinstance(arg.value, tree.Name | tree.Member):
            message = "a level is wanted: a kind such as `rack`, or a type"
            help = f"write `{name} = {_level_of(arg.value)}`"
            evaluator.sink.error("UB0705", message, arg.value.span, "no level", help=(help,))
        elif name in LEVELS:
            self._level(arg.value, evaluator)
        elif name == "beside":
            for item in arg.value.items if isinstance(arg.value, tree.ListExpr) else (arg.value,):
                if not isinstance(item, tree.Star | tree.Range):
                    self.selection(item, evaluator, of_traffic=True)
        elif name == OVER:
            self._plane(arg.value, evaluator)
        elif not name or name in SELECTING:
            self.selection(arg.value, evaluator, of_traffic=of_traffic and not name, maybe_none=maybe_none)

    def _level(self, node: tree.Expr, evaluator: Evaluator) -> None:
        if isinstance(node, tree.Name):
            word = tree.Word(node.text, span=node.span)
            all_of_it = tree.All((word,), span=node.span)
            if self.whole:
                self._something(all_of_it, evaluator)
            else:
                Selector(self.machine, evaluator).sort(all_of_it, {})

    def _plane(self, node: tree.Expr, evaluator: Evaluator) -> None:
        if self.whole:
            used = self.machine.rules({self.machine.subject: 1})
            read_plane(node, {each.rule.link: each.link for each in used if each.count}, evaluator.sink)

    def _something(self, node: tree.Expr, evaluator: Evaluator) -> None:
        self._selected(node, evaluator, maybe_none=False)

    def _selected(self, node: tree.Expr, evaluator: Evaluator, *, maybe_none: bool) -> None:
        selection = Selector(self.machine, evaluator).select(node)
        if selection is not None and not maybe_none and not sum(part.count for part in selection.items):
            empty_selection(node, self.machine, evaluator.sink)

    def selection(
        self, node: tree.Expr, evaluator: Evaluator, *, of_traffic: bool = False, maybe_none: bool = False
    ) -> None:
        """Check what an argument selects; it may be nothing only where `maybe_none` says so."""
        match node:
            case tree.Arrow():
                self.selection(node.left, evaluator)
                self.selection(node.right, evaluator)
            case tree.Call():
                self.call(node, evaluator)
            case tree.All() if not self.whole:
                Selector(self.machine, evaluator).sort(node, {})
            case _ if self.whole and is_set(node):
                self._selected(node, evaluator, maybe_none=maybe_none)
            case tree.Name() if (of_traffic and node.text in self.traffic) or evaluator.has(node.text):
                pass
            case tree.Member(base=tree.Name() as base) if of_traffic and base.text in self.workloads:
                self._exchange(node, evaluator)
            case tree.Name() if of_traffic:
                self._no_traffic(node, evaluator)
            case tree.All() | tree.Name() | tree.Member() | tree.Index() if self.whole:
                self._selected(node, evaluator, maybe_none=maybe_none)
            case tree.Binary() if node.op in OPERATORS and not of_traffic:
                self.selection(node.left, evaluator)
                self.selection(node.right, evaluator)
            case tree.Binary(op="and" | "or"):
                pass  # said of the arguments as they are written
            case tree.Binary() if of_traffic:
                _no_sum_of_traffic(node, evaluator)
            case tree.Binary():
                _no_set(node, evaluator)

    def workload(self, node: tree.Expr, evaluator: Evaluator) -> None:
        """Check the name of a workload, or one that is stated in its place."""
        if isinstance(node, tree.Call):
            self.workload_form(node, evaluator)
        elif isinstance(node, tree.Name) and node.text not in self.workloads:
            self._no_workload(node, evaluator)

    def workload_form(self, node: tree.Expr, evaluator: Evaluator) -> None:
        """Check what a workload states, and that it fits as many end points as it runs on."""
        stated = read_workload(node, evaluator)
        if stated is None:
            return
        if stated.on is not None:
            self.selection(stated.on, evaluator)
        if not stated.is_laid_out:
            return  # a layout may be looked for: only a question needs one that fits
        ends = count_end_points(self.machine, stated.on, evaluator) if self.whole else None
        say_misfits(stated, stated.misfits(ends), evaluator.sink)

    def _exchange(self, node: tree.Member, evaluator: Evaluator) -> None:
        """Check the axis of what a workload exchanges."""
        word = node.name
        if word.text not in EXCHANGED:
            guess = did_you_mean(word.text, EXCHANGED)
            help = f"did you mean `{guess}`?" if guess else f"it is one of {', '.join(EXCHANGED)}"
            message = f"a workload exchanges nothing along `{word.text}`"
            evaluator.sink.error("UB0709", message, word.span, "no axis", help=(help,), fix=rename(word.span, guess))

    def _no_workload(self, node: tree.Name, evaluator: Evaluator) -> None:
        if not evaluator.scope.is_quiet(node.text):
            _not_of_system(node, "UB0241", "workload", "workloads", self.workloads, evaluator.sink)

    def _no_traffic(self, node: tree.Name, evaluator: Evaluator) -> None:
        module = evaluator.scope.module
        stated = module.questions.get("traffic", {}).get(node.text)
        if evaluator.scope.is_quiet(node.text) or (stated is not None and stated.of.text not in module.systems):
            return
        workload = module.questions.get("workload", {}).get(node.text)
        if isinstance(workload, tree.Workload) and not is_workload(workload.value):
            return  # a traffic that was called a workload is in error where it stands
        _not_of_system(node, "UB0230", "traffic", "traffic", self.traffic, evaluator.sink)

    def call(self, node: tree.Call, evaluator: Evaluator) -> None:
        """Check a measure, traffic or function and the names in its arguments."""
        name = ".".join(dotted_name(node.function))
        legal = (*MEASURES, *TRAFFICS, *WORKLOADS, *FUNCTIONS, *MODEL_FUNCTIONS)
        if name not in legal:
            unknown_function(evaluator.scope, evaluator.sink, node, name, legal)
        elif name in MODEL_FUNCTIONS:
            evaluator.eval(node)
        elif name in FUNCTIONS:
            for arg in node.args:
                self.expression(arg.value, evaluator)
        else:
            self(node, evaluator)

    def expression(self, node: tree.Expr, evaluator: Evaluator) -> None:
        """Check every name in a condition or measure."""
        match node:
            case tree.Binary(op="of", right=tree.Name() as name) if evaluator.of_system(node):
                there = self.others(name.text) if self.others is not None else None
                if there is not None:
                    there.expression(node.left, evaluator)
                else:
                    self.expression(node.left, evaluator)
                    no_system(evaluator.scope, evaluator.sink, name, evaluator.extra)
            case tree.Call():
                self.call(node, evaluator)
            case tree.Binary() | tree.Compare():
                self.expression(node.left, evaluator)
                self.expression(node.right, evaluator)
            case tree.Unary():
                self.expression(node.operand, evaluator)
            case tree.Conditional():
                for part in (node.test, node.yes, node.no):
                    self.expression(part, evaluator)
            case tree.Name() if node.text not in self.traffic:
                evaluator.eval(node)
            case tree.Quantity():
                evaluator.eval(node)
            case tree.Member() | tree.Index() if isinstance(node.base, tree.Call):
                evaluator.no_value(node)


def _not_of_system(node: tree.Name, code: str, noun: str, several: str, known: frozenset[str], sink: Sink) -> None:
    """Say that a system has no traffic or workload of this name; `known` are the names that it has."""
    guess = did_you_mean(node.text, known)
    listed = ", ".join(f"`{name}`" for name in sorted(known)) or "none"
    sink.error(
        code,
        f"this system has no {noun} `{node.text}`",
        node.span,
        f"unknown {noun}",
        help=(f"did you mean `{guess}`?" if guess else f"its {several}: {listed}",),
        fix=rename(node.span, guess),
    )


def _value(node: tree.Expr, argument: Argument | None, evaluator: Evaluator) -> None:
    """Check the dimension of a quantity, and that a number is whole."""
    if argument is None or not isinstance(node, tree.Number | tree.Quantity | tree.String | tree.Unary):
        return
    if argument.dimension is not None:
        evaluator.quantity(node, argument.dimension)
    elif argument.takes is Takes.NUMBER:
        evaluator.integer(node)


def _collective(node: tree.Call, signature: Signature, evaluator: Evaluator) -> None:
    """Check that a measure of collectives is about one, and that its size is stated, there or here."""
    if not signature.positional or signature.positional[0].takes is not Takes.COLLECTIVE:
        return
    asked = node.args[0].value
    stated = (
        evaluator.scope.module.questions.get("traffic", {}).get(asked.text) if isinstance(asked, tree.Name) else None
    )
    called = stated.value if isinstance(stated, tree.Traffic) else asked
    pattern = TRAFFICS.get(".".join(dotted_name(called.function))) if isinstance(called, tree.Call) else None
    if pattern is None or not isinstance(called, tree.Call) or not check_arguments(called, Sink()):
        return
    if not pattern.collective:
        message, help = f"`{pattern.name}` is no collective", "such as `allreduce(all npu, size = 1 GiB)`"
        evaluator.sink.error("UB0709", message, asked.span, "here", help=(help,))
    elif signature.argument("size") and not {"size"} & {
        arg.name.text for arg in (*node.args, *called.args) if arg.name
    }:
        message, help = f"`{signature.name}` needs a size", "write `size = 512 MiB` in the traffic, or here"
        evaluator.sink.error("UB0705", message, asked.span, "here", help=(help,))


def _no_set(node: tree.Binary, evaluator: Evaluator) -> None:
    left, right = (side.span.one_line for side in (node.left, node.right))
    message = "selections are joined by `|` and parted by `-`"
    path = f"{left}.{right}".replace("/", ".")
    if node.op == "of" and isinstance(node.left, tree.All):
        help = f"what is inside a part stands behind `in`: `{left} in {right}`"
        evaluator.sink.error("UB0518", message, node.span, "`of` is of numbers", help=(help,))
        return
    help = f"what is inside a part stands behind `.`: `{path}`" if node.op == "/" else f"write `{left} | {right}`"
    evaluator.sink.error("UB0518", message, node.span, f"`{node.op}` is of numbers", help=(help,))


def _no_sum_of_traffic(node: tree.Binary, evaluator: Evaluator) -> None:
    right = node.right.span.one_line
    help = (f"what runs meanwhile is an argument: `beside = {right}`",)
    evaluator.sink.error("UB0709", "a traffic is wanted, and traffic has no operators", node.span, "here", help=help)


def _level_of(node: tree.Expr) -> str:
    return ".".join(word.text for word in node.path) if isinstance(node, tree.All) else "rack"
