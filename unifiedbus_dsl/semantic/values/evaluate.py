"""Evaluate expressions to exact values; every mismatch of units is found here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from attrs import define, field

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import RATE, Quantity, number
from unifiedbus_dsl.diagnostics import Edit, Fix, Label, Sink
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.semantic.values import operators, tables
from unifiedbus_dsl.semantic.values.messages import expected_value, unknown_unit, wrong_dimension
from unifiedbus_dsl.semantic.values.model_functions import apply_model_function
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.semantic.values.unknown_names import (
    no_machine,
    no_system,
    unknown_argument,
    unknown_function,
    unknown_name,
)
from unifiedbus_dsl.semantic.values.values import (
    POISON,
    EvalValue,
    Interval,
    Poison,
    TypeValue,
    describe,
    is_whole,
    same_sort,
    value_text,
)
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name, walk
from unifiedbus_dsl.vocabulary.signatures import FUNCTIONS, MEASURES, MODEL_FUNCTIONS
from unifiedbus_dsl.workload.model import Model

readers_of_models: list[Callable[[Definition, dict[Definition, Lazy], Sink], Model | None]] = []
"""Who reads a model of the text; registered by `semantic.types.model_types`, which builds on this."""


class NeedsSolver(Exception):  # noqa: N818 - not an error: the question is put off
    """An expression asks for a measure that only the solver can give."""

    def __init__(self, measure: str) -> None:
        super().__init__(measure)
        self.measure = measure


@define(eq=False)
class Evaluator:
    """Evaluates expressions in a scope.

    `measure` answers calls such as `count(all npu)`; None where there is no machine to ask yet. `words` are names
    that stand for themselves here (`copper`), `extra` are names with a value here only.
    """

    scope: Scope
    sink: Sink
    measure: Callable[[tree.Call, Evaluator], EvalValue] | None = None
    words: frozenset[str] = frozenset()
    extra: Mapping[str, EvalValue] = field(factory=dict)
    asked: Callable[[tree.Call, Evaluator], None] | None = None
    """Where given, called with a measure that only the solver can answer, to check the names in it."""
    solved: Callable[[tree.Call, Evaluator], EvalValue] | None = None
    """Where given, answers the measures that only the solver can."""
    systems: Callable[[str, Evaluator], Evaluator | None] | None = None
    """Where given, who evaluates about the system of this name, for `bisection(all npu) of b`; None for no system."""
    seen: dict[Span, EvalValue] | None = None
    """Where given, the value of every part of the expression is kept here, for a message that shows them."""

    def eval(self, node: tree.Expr) -> EvalValue:
        """Return the value of an expression; POISON after a diagnostic.

        Raises:
            NeedsSolver: the expression asks for what only the solver can answer.
            Undecided: an interval is too wide for a condition.
        """
        value = self._eval(node)
        if self.seen is not None and not isinstance(value, Poison):
            self.seen[node.span] = value
        return value

    def _eval(self, node: tree.Expr) -> EvalValue:
        match node:
            case tree.Number():
                return number(node.value)
            case tree.Quantity():
                return self._quantity(node)
            case tree.String():
                return node.value
            case tree.Bool():
                return node.value
            case tree.Name():
                return self._name(node)
            case tree.Member():
                return self._member(node)
            case tree.Call():
                return self._call(node)
            case tree.Unary():
                return self._unary(node)
            case tree.Binary():
                return self._binary(node)
            case tree.Compare():
                return self._compare(node)
            case tree.Conditional():
                return self._conditional(node)
            case tree.ListExpr():
                return tables.list_value(self, node)
            case tree.Index():
                return tables.element(self, node)
        return self.no_value(node)

    # -- literals and names

    def _quantity(self, node: tree.Quantity) -> EvalValue:
        try:
            factor, dimension = units.parse_unit(node.unit)
        except units.UnknownUnitError as unknown:
            return unknown_unit(self.sink, node, unknown.part)
        value = node.number.value * factor
        if not node.bidir:
            return Quantity(value, dimension)
        if dimension != RATE:
            self.sink.error(
                "UB0305",
                f"`bidir` is said of {units.dimension_name(dimension)}, and only a rate has two directions",
                node.span,
                "not a rate",
                help=("leave `bidir` out",),
                fix=Fix("leave `bidir` out", (Edit(node.span, _without_bidir(node)),)),
            )
            return POISON
        return Quantity(value / 2, dimension)

    def has(self, name: str) -> bool:
        """Return whether the name stands for a value here."""
        definition = self.scope.definition((name,))
        let = definition is not None and isinstance(definition.node, tree.Let)
        return name in self.extra or self.scope.local(name) is not None or let

    def _name(self, node: tree.Name) -> EvalValue:
        name = node.text
        if name in self.extra:
            return self.extra[name]
        local = self.scope.local(name)
        if local is not None:
            return local.get(self.sink)
        definition = self.scope.definition((name,))
        if definition is not None:
            return self._defined(definition)
        if name in self.words:
            return name
        return unknown_name(self.scope, self.sink, name, node.span, self.words, self.extra)

    def _defined(self, definition: Definition) -> EvalValue:
        if isinstance(definition.node, tree.Let):
            return self.let(definition, definition.node)
        return TypeValue(definition)

    def let(self, definition: Definition, node: tree.Let) -> EvalValue:
        """Return the value of a `let` of a module, worked out when first asked for."""
        lets = self.scope.lets
        if definition not in lets:
            scope = Scope(definition.module, lets=lets)
            lets[definition] = Lazy(
                lambda: Evaluator(scope, self.sink).eval(node.value), node.name.span, node.name.text
            )
        return lets[definition].get(self.sink)

    def origins(self, node: tree.Node) -> tuple[Label, ...]:
        """For the names in an expression, where they get their values and what these are."""
        origins: dict[str, Label] = {}
        for each in walk(node):
            if not isinstance(each, tree.Name) or each.text in origins:
                continue
            lazy = self.scope.local(each.text)
            definition = self.scope.definition((each.text,))
            if lazy is None and definition is not None and isinstance(definition.node, tree.Let):
                self.let(definition, definition.node)
                lazy = self.scope.lets.get(definition)
            if lazy is not None:
                origins[each.text] = Label(lazy.span, f"`{each.text}` is {value_text(lazy.get(self.sink))}")
        return tuple(origins[name] for name in sorted(origins))

    def _member(self, node: tree.Member) -> EvalValue:
        path = dotted_name(node)
        definition = self.scope.definition(path) if path else None
        if definition is not None:
            return self._defined(definition)
        return self.no_value(node)

    def no_value(self, node: tree.Node) -> EvalValue:
        """Say that this is no value; POISON."""
        text = node.span.one_line
        help: tuple[str, ...] = ()
        if isinstance(node, tree.All):
            help = (f"`count({text})` counts them, `sum({text}.memory)` adds a field up",)
        elif isinstance(node, tree.Member) and node.name.text in (*MODEL_FUNCTIONS, *MEASURES, *FUNCTIONS):
            help = (f"write `{node.name.text}({node.base.span.one_line})`",)
        elif isinstance(node, tree.Member) and isinstance(node.base, tree.Call):
            help = (f"an answer has no parts: write `{node.base.span.one_line}`",)
        elif (
            isinstance(node, tree.Member)
            and isinstance(node.base, tree.Name)
            and node.base.text in self.scope.structure
        ):
            help = (f"a port of a part is handed on by `port {node.name.text} = {text}`",)
        self.sink.error("UB0210", f"`{text}` is not a value here", node.span, "no value", help=help)
        return POISON

    # -- operators

    def _unary(self, node: tree.Unary) -> EvalValue:
        value = self.eval(node.operand)
        if isinstance(value, Poison):
            return POISON
        return operators.apply_unary(self.sink, node, value)

    def _binary(self, node: tree.Binary) -> EvalValue:
        if node.op in ("and", "or"):
            return self._logic(node)
        if isinstance(node.right, tree.Name) and self.of_system(node):
            return self._of(node, node.right)
        left, right = self.eval(node.left), self.eval(node.right)
        if isinstance(left, Poison) or isinstance(right, Poison):
            return POISON
        return operators.apply_binary(self.sink, node, left, right)

    def of_system(self, node: tree.Binary) -> bool:
        """Return whether it is something asked of a system: a name that is no value stands behind the `of`, and no
        share before it."""
        share = isinstance(node.left, tree.Number | tree.Quantity)
        return node.op == "of" and isinstance(node.right, tree.Name) and not share and not self.has(node.right.text)

    def _of(self, node: tree.Binary, system: tree.Name) -> EvalValue:
        """Return the value of an expression asked of a system."""
        there = self.systems(system.text, self) if self.systems is not None else None
        if there is not None:
            return there.eval(node.left)
        if system.text not in self.scope.module.systems:
            return no_system(self.scope, self.sink, system, self.extra)
        self.sink.error(
            "UB0211",
            f"`of {system.text}` asks about a system, and there is none here",
            system.span,
            "a system",
            help=("put the line into `analyze NAME of SYSTEM { … }`, or outside of all types",),
        )
        return POISON

    def _logic(self, node: tree.Binary) -> EvalValue:
        values = []
        for part in (node.left, node.right):
            value = self.eval(part)
            if isinstance(value, Poison):
                return POISON
            if not isinstance(value, bool):
                return expected_value(self.sink, part, value, "a truth value")
            values.append(value)
        return all(values) if node.op == "and" else any(values)

    def _compare(self, node: tree.Compare) -> EvalValue:
        left, right = self.eval(node.left), self.eval(node.right)
        tolerance = self.eval(node.within) if node.within is not None else number(0)
        if isinstance(left, Poison) or isinstance(right, Poison) or isinstance(tolerance, Poison):
            return POISON
        return operators.compare_values(self.sink, node, left, right, tolerance)

    def _conditional(self, node: tree.Conditional) -> EvalValue:
        test = self.eval(node.test)
        if isinstance(test, Poison):
            return POISON
        if not isinstance(test, bool):
            return expected_value(self.sink, node.test, test, "a truth value")
        return self.eval(node.yes if test else node.no)

    # -- calls

    def _call(self, node: tree.Call) -> EvalValue:
        path = dotted_name(node.function)
        name = ".".join(path)
        definition = self.scope.definition(path) if path else None
        if definition is not None and isinstance(definition.node, tree.TypeDef):
            args = [(arg.name.text if arg.name else "", self.eval(arg.value)) for arg in node.args]
            return self._typed(node, definition, args)
        measure = MEASURES.get(name)
        if measure is not None and not measure.from_plan:
            if self.solved is not None:
                return self.solved(node, self)
            if self.asked is None:
                return no_machine(self.sink, node, name)
            self.asked(node, self)
            raise NeedsSolver(name)
        if measure is not None and not (name == "sum" and self._sums_a_list(node)):
            return no_machine(self.sink, node, name) if self.measure is None else self.measure(node, self)
        if name in FUNCTIONS or name == "sum":
            return self._function(node, name)
        if name in MODEL_FUNCTIONS:
            return self._model_function(node, name)
        unknown_function(self.scope, self.sink, node, name, (*FUNCTIONS, *MODEL_FUNCTIONS, *MEASURES))
        return POISON

    def _sums_a_list(self, node: tree.Call) -> bool:
        if len(node.args) != 1:
            return False
        value = node.args[0].value
        if isinstance(value, tree.ListExpr):
            return True
        return isinstance(value, tree.Name) and self.scope.local(value.text) is not None

    def _typed(self, node: tree.Call, definition: Definition, args: list[tuple[str, EvalValue]]) -> EvalValue:
        params = [p.name.text for p in definition.node.params] if isinstance(definition.node, tree.TypeDef) else []
        named = tuple((name or (params[i] if i < len(params) else ""), value) for i, (name, value) in enumerate(args))
        if any(isinstance(value, Poison) for _, value in named):
            return POISON
        for (name, value), arg in zip(named, node.args, strict=True):
            if name not in params:
                unknown_argument(self.sink, definition, arg, params)
                return POISON
            if not self.fits_parameter(definition, name, value, arg):
                return POISON
        return TypeValue(definition, named)

    def fits_parameter(self, definition: Definition, name: str, value: EvalValue, arg: tree.Arg) -> bool:
        """Return whether an argument is of the sort of the parameter's default; else say so where it is given."""
        assert isinstance(definition.node, tree.TypeDef)
        param = next(p for p in definition.node.params if p.name.text == name)
        if param.default is None:
            return True
        default = Evaluator(Scope(definition.module, lets=self.scope.lets), Sink()).eval(param.default)
        if same_sort(value, default):
            return True
        self.sink.error(
            "UB0604",
            f"parameter `{name}` of `{definition.name}` is {describe(default)}, found {describe(value)}",
            arg.value.span,
            f"is {describe(value)}",
            labels=(Label(param.name.span, f"its default is {describe(default)}"),),
        )
        return False

    def _function(self, node: tree.Call, name: str) -> EvalValue:
        values = [self.eval(arg.value) for arg in node.args]
        if any(isinstance(value, Poison) for value in values):
            return POISON
        items = list(values[0]) if len(values) == 1 and isinstance(values[0], tuple) else values
        if name == "len":
            return number(len(items))
        if not items:
            self.sink.error("UB0229", f"`{name}` needs at least one value", node.span, "has none")
            return POISON
        for item in items:
            if not isinstance(item, Quantity | Interval):
                return expected_value(self.sink, node.args[0].value, item, "numbers")
        return operators.apply(self.sink, node, name, [item for item in items if isinstance(item, Quantity | Interval)])

    def _model_function(self, node: tree.Call, name: str) -> EvalValue:
        plain = [arg for arg in node.args if arg.name is None]
        if len(plain) != 1:
            self.sink.error("UB0229", f"`{name}` takes one model", node.span, f"has {len(plain)}")
            return POISON
        model = self.model(plain[0].value)
        named = {arg.name.text: (arg, self.eval(arg.value)) for arg in node.args if arg.name is not None}
        if model is None or any(isinstance(each, Poison) for _, each in named.values()):
            return POISON
        return apply_model_function(self.sink, node, name, model, named)

    def model(self, node: tree.Expr) -> Model | None:
        """Return the model of the text that an expression names; None after a diagnostic."""
        value = self.eval(node)
        if isinstance(value, Poison):
            return None
        if not isinstance(value, TypeValue) or not isinstance(value.definition.node, tree.ModelDef):
            expected_value(self.sink, node, value, "a model")
            return None
        return readers_of_models[0](value.definition, self.scope.lets, self.sink)

    # -- what callers ask for

    def constant(self, node: tree.Expr) -> EvalValue:
        """Return the value of an expression that no measure may be in; POISON after a diagnostic."""
        try:
            return self.eval(node)
        except NeedsSolver as solver:
            called = next((each for each in walk(node) if isinstance(each, tree.Call)), node)
            no_machine(self.sink, called, solver.measure)
            return POISON

    def integer(self, node: tree.Expr, low: int | None = None) -> int | None:
        """Return the whole number that an expression stands for; None after a diagnostic."""
        value = self.constant(node)
        if isinstance(value, Poison):
            return None
        if not is_whole(value):
            expected_value(self.sink, node, value, "a whole number")
            return None
        if low is not None and value.value < low:
            expected_value(self.sink, node, value, f"a whole number of at least {low}")
            return None
        return int(value.value)

    def truth(self, node: tree.Expr) -> bool | None:
        """Return whether an expression holds; None after a diagnostic."""
        value = self.constant(node)
        if isinstance(value, bool | Poison):
            return value if isinstance(value, bool) else None
        expected_value(self.sink, node, value, "a truth value")
        return None

    def quantity(self, node: tree.Expr, dimension: units.Dimension) -> Fraction | None:
        """Return the value in SI base units, of the given dimension; None after a diagnostic."""
        value = self.constant(node)
        if isinstance(value, Poison):
            return None
        if isinstance(value, Quantity) and value.dimension == dimension:
            return value.value
        wrong_dimension(self.sink, node, value, dimension, labels=self.origins(node))
        return None


def _without_bidir(node: tree.Quantity) -> str:
    return node.span.text.removesuffix("bidir").rstrip()
