"""Names in the arguments of measures and traffic, held against the machine that they are asked of."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve, frozen

from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.select.arguments import check_arguments
from unifiedbus_dsl.semantic.select.plan_selection import Selector, empty_selection
from unifiedbus_dsl.semantic.select.planes import read_plane
from unifiedbus_dsl.semantic.select.set_reader import is_set
from unifiedbus_dsl.semantic.select.type_scope import TypeScope
from unifiedbus_dsl.semantic.select.workloads.end_points import count_end_points
from unifiedbus_dsl.semantic.select.workloads.read import is_workload, read_workload, say_misfits
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.unknown_names import no_system, unknown_function
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary.signatures import (
    FUNCTIONS,
    MEASURES,
    OVER,
    TRAFFICS,
    WORKLOADS,
    Argument,
    Takes,
    signature_of,
)

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
        room = len(signature.positional) if signature is not None and not fits else len(node.args)
        plain = [arg for arg in node.args if arg.name is None]
        if name in MEASURES and any(each.takes is Takes.WORKLOAD for each in MEASURES[name].positional):
            for arg in plain[:1]:
                self.workload(arg.value, evaluator)
            return
        for arg in (*plain[:room], *(arg for arg in node.args if arg.name is not None)):
            self._argument(
                arg, evaluator, of_traffic=name in MEASURES and MEASURES[name].of_traffic, maybe_none=name == "count"
            )

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
            self.selection(arg.value, evaluator, of_traffic=of_traffic, maybe_none=maybe_none)

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
            case tree.Name() if of_traffic:
                self._no_traffic(node, evaluator)
            case tree.All() | tree.Name() | tree.Member() | tree.Index() if self.whole:
                self._selected(node, evaluator, maybe_none=maybe_none)
            case tree.Binary():
                self.selection(node.left, evaluator, of_traffic=of_traffic)
                self.selection(node.right, evaluator, of_traffic=of_traffic)

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
        ends = count_end_points(self.machine, stated.on, evaluator) if self.whole else None
        say_misfits(stated, stated.misfits(ends), evaluator.sink)

    def _no_workload(self, node: tree.Name, evaluator: Evaluator) -> None:
        if evaluator.scope.is_quiet(node.text):
            return
        guess = did_you_mean(node.text, self.workloads)
        known = ", ".join(f"`{name}`" for name in sorted(self.workloads)) or "none"
        evaluator.sink.error(
            "UB0241",
            f"this system has no workload `{node.text}`",
            node.span,
            "unknown workload",
            help=(f"did you mean `{guess}`?" if guess else f"its workloads: {known}",),
            fix=rename(node.span, guess),
        )

    def _no_traffic(self, node: tree.Name, evaluator: Evaluator) -> None:
        module = evaluator.scope.module
        stated = module.questions.get("traffic", {}).get(node.text)
        if evaluator.scope.is_quiet(node.text) or (stated is not None and stated.of.text not in module.systems):
            return
        workload = module.questions.get("workload", {}).get(node.text)
        if isinstance(workload, tree.Workload) and not is_workload(workload.value):
            return  # a traffic that was called a workload is in error where it stands
        guess = did_you_mean(node.text, self.traffic)
        known = ", ".join(f"`{name}`" for name in sorted(self.traffic)) or "none"
        evaluator.sink.error(
            "UB0230",
            f"this system has no traffic `{node.text}`",
            node.span,
            "unknown traffic",
            help=(f"did you mean `{guess}`?" if guess else f"its traffic: {known}",),
            fix=rename(node.span, guess),
        )

    def call(self, node: tree.Call, evaluator: Evaluator) -> None:
        """Check a measure, traffic or function and the names in its arguments."""
        name = ".".join(dotted_name(node.function))
        legal = (*MEASURES, *TRAFFICS, *WORKLOADS, *FUNCTIONS)
        if name not in legal:
            unknown_function(evaluator.scope, evaluator.sink, node, name, legal)
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


def _value(node: tree.Expr, argument: Argument | None, evaluator: Evaluator) -> None:
    """Check the dimension of a quantity, and that a number is whole."""
    if argument is None or not isinstance(node, tree.Number | tree.Quantity | tree.String | tree.Unary):
        return
    if argument.dimension is not None:
        evaluator.quantity(node, argument.dimension)
    elif argument.takes is Takes.NUMBER:
        evaluator.integer(node)


def _level_of(node: tree.Expr) -> str:
    return ".".join(word.text for word in node.path) if isinstance(node, tree.All) else "rack"
