"""Elaborate every system of the main file, and the types that no system reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve, field, frozen

from unifiedbus_dsl.base.source import Places, Span
from unifiedbus_dsl.base.work import SYSTEM, about, spend
from unifiedbus_dsl.diagnostics import Label, Severity, Sink
from unifiedbus_dsl.ir.plan import AssemblyType, Child, DeviceType, Plan, PlanType
from unifiedbus_dsl.semantic.names.model import Model
from unifiedbus_dsl.semantic.select.aggregates import Aggregates
from unifiedbus_dsl.semantic.select.check_names import NameChecker
from unifiedbus_dsl.semantic.select.type_scope import TypeScope
from unifiedbus_dsl.semantic.types.elaborator import Elaborator
from unifiedbus_dsl.semantic.types.expectations import ExpectResult, evaluate_expectation, names_of_expectation
from unifiedbus_dsl.semantic.types.model_types import OwnFields, read_model
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.semantic.values.values import TypeValue, article
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import all_statements, children, dotted_name
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.limits import Limits
from unifiedbus_dsl.vocabulary.signatures import MEASURES

WHOLE_FILE = "this file"


@frozen(eq=False)
class Elaborated:
    """What a model stands for.

    `plans` by name of system. `others` are plans of types that no system reaches, so that a library is checked too.
    Plans are complete only where the sink has no errors.
    """

    plans: Mapping[str, Plan]
    others: tuple[Plan, ...]
    elaborator: Elaborator
    variants: dict[str, Plan] = field(factory=dict)
    """By scenario: the plan with what its `set` lines change, of scenarios that have some. Filled by `questions`."""


def elaborate(model: Model, sink: Sink, limits: Limits) -> Elaborated:
    """Plans of all systems; what is wrong goes to the sink."""
    elaborator = Elaborator(model, sink, limits)
    roots: dict[str, str] = {}
    for name, (node, module) in model.main.systems.items():
        about(node.span)
        spend(1, SYSTEM)
        value = elaborator.type_value(node.type, Scope(module, lets=elaborator.lets))
        key = elaborator.elaborate(value, node.type.span) if value is not None else None
        if key is None:
            continue
        if isinstance(elaborator.types[key], DeviceType):
            _no_assembly(node, elaborator.types[key], sink)
            continue
        roots[name] = key
    _what_nothing_asks_for(model, elaborator)
    docs = {name: node.doc for name, (node, _) in model.main.systems.items()}
    plans = {name: evolve(elaborator.plan(name, key), doc=docs[name]) for name, key in roots.items()}
    plans = {name: plan for name, plan in plans.items() if _size_fits(name, plan, model, limits, sink)}
    plans = {name: with_names(plan, elaborator, sink) for name, plan in plans.items()}
    return Elaborated(plans, _others(model, elaborator), elaborator)


def with_names(plan: Plan, elaborator: Elaborator, sink: Sink) -> Plan:
    """Return a plan whose parts are called as the lines of its file, and of the main one, say; as it is where they
    don't fit it."""
    model = elaborator.model
    if plan.system not in model.main.systems:  # a type that no system uses
        return plan
    node, home = model.main.systems[plan.system]
    rules = [
        (each, Evaluator(Scope(module, lets=elaborator.lets), sink))
        for module in dict.fromkeys((home, model.main))
        for each in module.file.statements
        if isinstance(each, tree.Naming) and module.systems.get(each.of.text, (None,))[0] is node
    ]
    if not rules or broken(elaborator, elaborator.sink) & {*plan.devices, *plan.assemblies}:
        return plan
    from unifiedbus_dsl.ir.fabric.site import NamesError, named
    from unifiedbus_dsl.semantic.connect.site_names import CODE, site_names

    names = site_names(plan, rules)
    if names is None:
        return plan
    try:
        return named(plan, names)
    except NamesError as error:
        first = rules[0][0]
        help = "give each part a name of its own: let each index stand in it"
        sink.error(CODE, f"`{plan.system}`: {error}", first.text.span, "among these", help=(help,))
        return plan


def _what_nothing_asks_for(model: Model, elaborator: Elaborator) -> None:
    """Values, protocols and links are checked even where no system needs them."""
    evaluator = Evaluator(Scope(model.main, lets=elaborator.lets), elaborator.sink)
    models: OwnFields = {}
    for definition in model.main.own.values():
        if isinstance(definition.node, tree.Let):
            evaluator.let(definition, definition.node)
        if isinstance(definition.node, tree.ModelDef):
            read_model(definition, elaborator.lets, elaborator.sink, models)
        elaborator.technology.understand(definition)


def _no_assembly(node: tree.System, kind: PlanType, sink: Sink) -> None:
    sink.error(
        "UB0607",
        f"a system is an assembly, and `{kind.key}` is a device ({kind.kind})",
        node.type.span,
        f"is {article(kind.kind)}",
        labels=(Label(kind.span, "defined here"),) if kind.span else (),
        help=("put it into a `rack`, `node` or `module`, and make that the system",),
    )


def _size_fits(name: str, plan: Plan, model: Model, limits: Limits, sink: Sink) -> bool:
    count = plan.device_count[plan.root]
    if count <= limits.devices:
        return True
    node, _ = model.main.systems[name]
    sink.error(
        "UB0411",
        f"system `{name}` would have {count:,} devices, and the limit is {limits.devices:,}",
        node.span,
        "too many devices",
        help=("raise the limit with `--max-devices`",),
    )
    return False


def _others(model: Model, elaborator: Elaborator) -> tuple[Plan, ...]:
    """Plans of the types of the main file that no system uses and that need no arguments."""
    plans = []
    for definition in model.main.own.values():
        node = definition.node
        if not isinstance(node, tree.TypeDef) or definition in elaborator.used:
            continue
        if any(param.default is None for param in node.params):
            elaborator.only_names(definition)
            continue
        key = elaborator.elaborate(TypeValue(definition), node.name.span)
        if key is not None and node.kind.text in attributes.KINDS_OF_ASSEMBLY:
            plans.append(elaborator.plan("", key))
    return tuple(plans)


def expectations(done: Elaborated, model: Model, sink: Sink) -> tuple[ExpectResult, ...]:
    """Evaluate every expectation of the types that were elaborated, then those of the file."""
    elaborator = done.elaborator
    spoilt = broken(elaborator, sink)
    results = []
    for each in elaborator.expectations:
        machine = _machine(elaborator, elaborator.types, each.key)
        if spoilt & machine.census(each.key).keys():
            names_of_expectation(each.statement, each.scope, machine, sink)
        else:
            results.append(evaluate_expectation(each.key, each.statement, each.scope, machine, sink))
    machine = whole_file(done)
    complete = len(done.plans) == len(model.main.systems) and not spoilt & machine.census(WHOLE_FILE).keys()
    for statement in model.main.file.statements:
        if isinstance(statement, tree.Expect):
            scope = Scope(model.main, lets=elaborator.lets)
            if complete:
                systems, asked = _asked_of(done, model), with_questions_of(NameChecker(machine), model)
                result = evaluate_expectation(WHOLE_FILE, statement, scope, machine, sink, systems=systems, asked=asked)
                results.append(result)
                if result is not None and result.needs is not None and (call := _of_none(statement.condition)):
                    _of_no_system(statement, ".".join(dotted_name(call.function)), sink)
            else:
                names_of_expectation(statement, scope, machine, sink, model.main.systems)
    return tuple(result for result in results if result is not None)


def _asked_of(done: Elaborated, model: Model) -> Callable[[str, Evaluator], Evaluator | None]:
    """Who evaluates about the system of a name, in lines of the file."""
    names = names_of(done, model, frozenset())

    def there(name: str, evaluator: Evaluator) -> Evaluator | None:
        if name not in done.plans:
            return None
        asked = names(done.plans[name])
        return evolve(evaluator, measure=Aggregates(asked.machine), asked=asked)

    return there


def _of_none(node: tree.Node) -> tree.Call | None:
    """Return the first measure of a condition that wants a machine solved and is asked of no system."""
    if isinstance(node, tree.Call) and _is_solved(".".join(dotted_name(node.function))):
        return node
    if isinstance(node, tree.Binary) and node.op == "of" and isinstance(node.right, tree.Name):
        return None
    return next((inner for child in children(node) if (inner := _of_none(child)) is not None), None)


def _is_solved(name: str) -> bool:
    """Return whether a measure wants a machine solved."""
    return name in MEASURES and not MEASURES[name].from_plan


def whole_file(done: Elaborated) -> TypeScope:
    """Return the machine of all systems that lines of the file are about."""
    types = {**done.elaborator.types, WHOLE_FILE: _whole_file(done)}
    return _machine(done.elaborator, types, WHOLE_FILE)


def _of_no_system(statement: tree.Expect, measure: str, sink: Sink) -> None:
    sink.error(
        "UB0211",
        f"`{measure}(…)` asks about one system, and this line is of the whole file",
        statement.condition.span,
        "of no system",
        help=(f"say of which: `{measure}(…) of SYSTEM`, or put it into the type that it is about",),
    )


def _machine(elaborator: Elaborator, types: Mapping[str, PlanType], subject: str) -> TypeScope:
    technology, sort_of = elaborator.technology, elaborator.model.sort_of
    return TypeScope(types, technology.protocols, technology.links, subject, sort_of, elaborator.failed_fields)


def broken(elaborator: Elaborator, sink: Sink) -> set[str]:
    """Return types with an error in their parts, ports or cables: no number is taken from a machine that contains
    one."""
    apart = Places((span, None) for span in _fields_and_expectations(elaborator.model))
    errors = (d.primary.span for d in sink if d.primary is not None and d.severity is Severity.ERROR)
    wrong = Places((span, None) for span in errors if not apart.around(span))
    return {
        key
        for key, kind in elaborator.types.items()
        if elaborator.failed.get(key)
        or (isinstance(kind, AssemblyType) and kind.spoilt)
        or (kind.span is not None and wrong.any_in(kind.span))
    }


def _fields_and_expectations(model: Model) -> list[Span]:
    """Statements in which an error says nothing about the shape of the machine."""
    return [
        statement.span
        for module in model.modules
        for node in module.file.statements
        if isinstance(node, tree.TypeDef)
        for statement in all_statements(node.body)
        if isinstance(statement, tree.Field | tree.Expect)
    ]


def _whole_file(done: Elaborated) -> AssemblyType:
    """Return an assembly of all systems, so that `count(all npu in superpod)` can be asked outside of any type."""
    children = tuple(Child(name, (), plan.root) for name, plan in sorted(done.plans.items()))
    return AssemblyType(WHOLE_FILE, "module", children)


def with_questions_of(names: NameChecker, model: Model, system: str | None = None) -> NameChecker:
    """Return who checks names where the traffic and the workloads of a system can be said, by default those of all
    systems of the file."""
    traffic, workloads = (frozenset(model.asked(sort, system)) for sort in (tree.Traffic, tree.Workload))
    return evolve(names, traffic=traffic, workloads=workloads)


def names_of(done: Elaborated, model: Model, broken: frozenset[str]) -> Callable[[Plan], NameChecker]:
    """Who checks the names in questions about a plan; of another system all traffic of the file can be asked."""

    def others(name: str) -> NameChecker | None:
        return names(done.plans[name]) if name in done.plans else None

    def names(plan: Plan) -> NameChecker:
        machine = _machine(done.elaborator, done.elaborator.types, plan.root)
        inside = machine.census(plan.root).keys()
        whole = not broken & inside and not any(done.elaborator.failed.get(key) for key in inside)
        return with_questions_of(NameChecker(machine, whole=whole, others=others), model)

    return names
