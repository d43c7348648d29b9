"""Elaborate types: arguments filled in, shapes evaluated, one plan node for each distinct type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field, frozen

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Label, Severity, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import AssemblyType, Plan, PlanType
from unifiedbus_dsl.ir.plan.physical import merge_cables
from unifiedbus_dsl.semantic.connect.holes import read_holes
from unifiedbus_dsl.semantic.names.model import Definition, Model
from unifiedbus_dsl.semantic.types.assembly import build_assembly
from unifiedbus_dsl.semantic.types.body import Body
from unifiedbus_dsl.semantic.types.context import Part
from unifiedbus_dsl.semantic.types.device import build_device
from unifiedbus_dsl.semantic.types.elements import Elements, check_names
from unifiedbus_dsl.semantic.types.link_types import LinkRegistry
from unifiedbus_dsl.semantic.types.make_plan import make_plan
from unifiedbus_dsl.semantic.types.members import annotation_words, evaluate_shape, known_annotations
from unifiedbus_dsl.semantic.types.overrides import NO_OVERRIDES, Overrides
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.semantic.values.unknown_names import unknown_argument
from unifiedbus_dsl.semantic.values.values import (
    POISON,
    EvalValue,
    Poison,
    TypeValue,
    article,
    describe,
    same_sort,
    value_text,
)
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.limits import MAX_EXTENDS, Limits

TYPE = 40_000
"""Steps of work for a type."""
ARGUMENT = 2_000
"""And for each of its arguments."""

Args = tuple[tuple[str, EvalValue], ...]


@frozen(eq=False)
class Expectation:
    """An `expect` line of a type, to be evaluated once the machine is known."""

    key: str
    statement: tree.Expect
    scope: Scope


@define(eq=False)
class Elaborator:
    """Turns types of the model into plan types, each (definition, arguments) once.

    `types` are the plan types so far by key; `failed` are the members of a type that could not be understood.
    """

    model: Model
    sink: Sink
    limits: Limits
    types: dict[str, PlanType] = field(factory=dict)
    failed: dict[str, set[str]] = field(factory=dict)
    failed_fields: dict[str, set[str]] = field(factory=dict)
    asked: dict[str, Span] = field(factory=dict)
    """By type: the place that asked for it first."""
    expectations: list[Expectation] = field(factory=list)
    technology: LinkRegistry = field(init=False)
    lets: dict[Definition, Lazy] = field(factory=dict)
    used: set[Definition] = field(factory=set)
    """The types that were asked for so far."""
    origins: dict[str, TypeValue] = field(factory=dict)
    """By type: the definition and all its arguments."""
    _keys: dict[tuple[Definition, Args], str | None] = field(factory=dict)
    _changed: dict[tuple[Definition, Args, Overrides], str | None] = field(factory=dict)
    _changes: list[Overrides] = field(factory=lambda: [NO_OVERRIDES])
    _stack: list[tuple[Definition, Args]] = field(factory=list)
    _heights: dict[str, int] = field(factory=dict)
    """By type: how deep parts lie in one another in it, itself included."""
    _circles: set[Definition] = field(factory=set)
    _too_deep: bool = False
    _caged: bool = False
    """Whether ports of any type so far share a cage."""
    _overridden: set[tuple[Span, str]] = field(factory=set)
    """Arguments of which it is said that they are replaced."""

    def __attrs_post_init__(self) -> None:
        self.technology = LinkRegistry(self.sink, self.lets, self.model.names)

    def without_diagnostics(self) -> Elaborator:
        """Return an elaborator of the same model that says nothing."""
        return Elaborator(self.model, Sink(), self.limits)

    # -- which type is meant

    def type_value(self, ref: tree.TypeRef, scope: Scope) -> TypeValue | None:
        """Return the type that a reference names, with the arguments written there; None after a diagnostic."""
        path = tuple(word.text for word in ref.path)
        base: EvalValue = POISON
        local = scope.local(path[0]) if len(path) == 1 else None
        if local is not None:
            base = local.get(self.sink)
            if not isinstance(base, TypeValue | Poison):
                self.sink.error(
                    "UB0604",
                    f"`{ref.text}` is {describe(base)}, and a type is wanted",
                    ref.span,
                    f"is {value_text(base)}",
                    labels=(Label(local.span, "defined here"),),
                )
                return None
        else:
            definition = scope.definition(path)
            if definition is None:
                self._unknown_type(ref, scope)
                return None
            base = TypeValue(definition)
        if isinstance(base, Poison):
            return None
        assert isinstance(base, TypeValue)
        if not isinstance(base.definition.node, tree.TypeDef):
            self._no_type(ref, base.definition)
            return None
        args = self._arguments(base.definition, ref.args, scope)
        if args is not None and local is not None:
            self._overrides(ref, dict(base.args), args, local)
        return None if args is None else TypeValue(base.definition, tuple({**dict(base.args), **args}.items()))

    def _overrides(
        self, ref: tree.TypeRef, given: Mapping[str, EvalValue], args: Mapping[str, EvalValue], local: Lazy
    ) -> None:
        """Say which arguments of a type that was handed in are replaced where it is used."""
        for name, value in args.items():
            before = given.get(name, value)
            if before == value or (ref.span, name) in self._overridden:
                continue
            self._overridden.add((ref.span, name))
            self.sink.error(
                "UB0610",
                f"`{name} = {value_text(before)}` of what is given for `{ref.text}` is replaced by {value_text(value)}",
                ref.span,
                f"sets `{name}`",
                labels=(Label(local.span, f"given with `{name} = {value_text(before)}`"),),
                help=(f"leave `{name}` out where the type is handed over: it is set here",),
                severity=Severity.WARNING,
            )

    def _no_type(self, ref: tree.TypeRef, definition: Definition) -> None:
        self.sink.error(
            "UB0604",
            f"`{ref.text}` is a {definition.noun}, and a type is wanted",
            ref.span,
            f"a {definition.noun}",
            labels=(Label(definition.span, "defined here"),),
        )

    def _unknown_type(self, ref: tree.TypeRef, scope: Scope) -> None:
        if scope.is_quiet(ref.path[0].text):
            return
        around = {definition for definition, _ in self._stack}
        types = {name: d for name, d in scope.module.of_sort(tree.TypeDef).items() if d not in around}
        guess = did_you_mean(ref.text, [*types, *scope.params])
        if guess is None:
            last = ref.path[-1].text
            guess = next((name for name in types if name.rsplit(".", 1)[-1] == last), None)
        library = ref.path[0].text == "std" and len(ref.path) > 2
        define = f'define it, or bring it in: `use {ref.path[-1].text} from "FILE.ubus"`'
        if library:
            define = f"bring it in: `use {'.'.join(word.text for word in ref.path[:-1])}`"
            guess = guess if guess is not None and guess.startswith(f"std.{ref.path[1].text}.") else None
        self.sink.error(
            "UB0222",
            f"there is no type `{ref.text}`",
            ref.path[0].span.to(ref.path[-1].span),
            "unknown type",
            labels=(Label(types[guess].span, f"`{guess}` is defined here"),) if guess in types else (),
            help=(f"did you mean `{guess}`?" if guess else define,),
            fix=rename(ref.path[0].span.to(ref.path[-1].span), guess),
        )

    def _arguments(self, definition: Definition, args: Sequence[tree.Arg], scope: Scope) -> dict[str, EvalValue] | None:
        assert isinstance(definition.node, tree.TypeDef)
        params = [param.name.text for param in definition.node.params]
        evaluator = Evaluator(scope, self.sink)
        given: dict[str, EvalValue] = {}
        good = True
        for at, arg in enumerate(args):
            name = arg.name.text if arg.name else params[at] if at < len(params) else None
            if (compared := _compared(arg, params)) is not None:
                message = f"`{compared}` is compared here, and an argument is given"
                help = (f"write `{compared} = …`",)
                self.sink.error("UB0602", message, arg.span, "`==` compares", help=help)
                good = False
                continue
            if name is None or name not in params:
                unknown_argument(evaluator.sink, definition, arg, params)
                good = False
                continue
            if name in given:
                self.sink.error("UB0610", f"argument `{name}` is given twice", arg.span, "given again")
                good = False
                continue
            value = evaluator.eval(arg.value)
            good = good and not isinstance(value, Poison) and evaluator.fits_parameter(definition, name, value, arg)
            given[name] = value
        return given if good else None

    # -- one type with its arguments

    def elaborate(self, value: TypeValue, span: Span, changes: Overrides = NO_OVERRIDES) -> str | None:
        """Return the key of the plan type that a type value stands for; None after a diagnostic.

        `span` is the place that asks for it. `changes` are what a scenario sets otherwise in the type and below.
        """
        args = self._complete(value, span)
        if args is None:
            return None
        identity = (value.definition, args)
        if identity in self._stack:
            self._contains_itself(identity, span)
            return None
        node = value.definition.node
        assert isinstance(node, tree.TypeDef)
        if len(self._stack) >= self.limits.nesting and node.kind.text in attributes.KINDS_OF_ASSEMBLY:
            self._nested_too_deep(span)
            return None
        if changes != NO_OVERRIDES:
            return self._of_changed(identity, changes, span)
        if identity not in self._keys:
            self.used.add(value.definition)
            self._keys[identity] = self._built(identity, NO_OVERRIDES, span)
        return self._keys[identity]

    def _of_changed(self, identity: tuple[Definition, Args], changes: Overrides, span: Span) -> str | None:
        """Return the same for a type that a scenario changes."""
        known = (*identity, changes)
        if known not in self._changed:
            self._changed[known] = self._built(identity, changes, span)
        return self._changed[known]

    def _built(self, identity: tuple[Definition, Args], changes: Overrides, span: Span) -> str | None:
        work.about(span)
        work.spend(1, TYPE + ARGUMENT * len(identity[1]))
        self._stack.append(identity)
        self._changes.append(changes)
        key = self._build(*identity)
        self._changes.pop()
        self._stack.pop()
        if key is not None and not self._is_of_height(key, span):
            return None
        if key is not None:
            self.asked.setdefault(key, span)
            self.origins.setdefault(key, TypeValue(*identity))
        return key

    def _is_of_height(self, key: str, span: Span) -> bool:
        """Return whether the parts in a type lie no deeper in one another than they may, also where some were known
        before."""
        kind = self.types[key]
        inner = {child.type for child in kind.children} if isinstance(kind, AssemblyType) else ()
        self._heights[key] = 1 + max((self._heights[each] for each in inner), default=0)
        if self._heights[key] <= self.limits.nesting + 1:
            return True
        self._nested_too_deep(span)
        return False

    def _nested_too_deep(self, span: Span) -> None:
        self.sink.error(
            "UB0213",
            f"types contain each other more than {self.limits.nesting} deep",
            span,
            "one too deep",
            help=("a type that contains itself with other arguments needs an `if` that ends it",),
        )

    def values_of(self, key: str) -> dict[str, EvalValue]:
        """Return the fields and `let`s of a type by name, worked out anew and without a diagnostic."""
        origin, quiet = self.origins[key], self.without_diagnostics()
        node = origin.definition.node
        assert isinstance(node, tree.TypeDef)
        body = Body(quiet.sink, quiet.lets, lambda name: annotation_words(node.kind.text, name))
        quiet._assemble(body, origin.definition, origin.args, ())
        return {name: value.get(quiet.sink) for name, value in body.members.items()}

    def only_names(self, definition: Definition) -> None:
        """Check a type that nothing gives arguments to: what depends on them stays open, all else is checked."""
        node = definition.node
        assert isinstance(node, tree.TypeDef)
        args = tuple((param.name.text, POISON) for param in node.params)
        self._stack.append((definition, args))
        self._build(definition, args)
        self._stack.pop()

    def _contains_itself(self, identity: tuple[Definition, Args], span: Span) -> None:
        chain = [d.name for d, _ in self._stack[self._stack.index(identity) :]] + [identity[0].name]
        self.sink.error(
            "UB0214",
            f"type `{identity[0].name}` contains itself: " + " -> ".join(chain),
            span,
            "contains it again",
            labels=(Label(identity[0].span, "defined here"),),
        )

    def _for_missing(self, definition: Definition, name: str) -> str:
        """Return what to do where a parameter has no value; one called as a type was meant to be extended."""
        of_file = definition.module.names.get(name)
        if of_file is not None and isinstance(of_file.node, tree.TypeDef):
            kind = definition.node.kind.text if isinstance(definition.node, tree.TypeDef) else ""
            return f"what a type takes over stands behind `extends`: `{kind} {definition.name} extends {name} {{`"
        return f"write `{definition.name}({name} = …)`"

    def _complete(self, value: TypeValue, span: Span) -> Args | None:
        """Return all arguments in order of the parameters, defaults filled in and sorts checked."""
        node = value.definition.node
        assert isinstance(node, tree.TypeDef)
        given = dict(value.args)
        scope = Scope(value.definition.module, lets=self.lets)
        args: list[tuple[str, EvalValue]] = []
        for param in node.params:
            name = param.name.text
            default = Evaluator(scope, self.sink).eval(param.default) if param.default is not None else None
            if name not in given and default is None:
                self.sink.error(
                    "UB0601",
                    f"`{node.name.text}` needs a value for `{name}`",
                    span,
                    f"`{name}` is missing",
                    labels=(Label(param.name.span, "has no default"),),
                    help=(self._for_missing(value.definition, name),),
                )
                return None
            chosen = given.get(name, default)
            if chosen is None or isinstance(chosen, Poison):
                return None
            if default is not None and not isinstance(default, Poison) and not same_sort(chosen, default):
                self.sink.error(
                    "UB0604",
                    f"parameter `{name}` of `{node.name.text}` is {describe(default)}, found {describe(chosen)}",
                    span,
                    f"`{name}` is {value_text(chosen)}",
                    labels=(Label(param.name.span, f"its default is {describe(default)}"),),
                )
                return None
            args.append((name, chosen))
            scope.params[name] = Lazy(lambda v=chosen: v, param.name.span, name)  # type: ignore[misc]
        return tuple(args)

    def _key(self, definition: Definition, args: Args) -> str:
        """`LRS(n = 64)`: the name with the arguments that differ from their defaults."""
        node = definition.node
        assert isinstance(node, tree.TypeDef)
        name = self.model.names[definition]
        scope = Scope(definition.module, lets=self.lets)
        shown = []
        for param, (text, value) in zip(node.params, args, strict=True):
            default = Evaluator(scope, Sink()).eval(param.default) if param.default is not None else None
            if value != default:
                shown.append(f"{text} = {value_text(value)}")
            scope.params[text] = Lazy(lambda v=value: v, param.name.span, text)  # type: ignore[misc]
        shown += self._changes[-1].texts()
        return f"{name}({', '.join(shown)})" if shown else name

    def _build(self, definition: Definition, args: Args) -> str | None:
        node = definition.node
        assert isinstance(node, tree.TypeDef)
        body = Body(self.sink, self.lets, lambda name: annotation_words(node.kind.text, name))
        scope = self._assemble(body, definition, args, ())
        if scope is None:
            return None
        body.change(self._changes[-1].fields, scope)
        known_annotations(node.annotations, ["draw"], self.sink)
        key = self._key(definition, args)
        self.failed.setdefault(key, set()).update(body.clashes)
        if scope.quiet:
            self.failed[key].add("*")
        device = node.kind.text in attributes.KINDS_OF_DEVICE
        made: PlanType | None = build_device(self, key, node, body) if device else build_assembly(self, key, node, body)
        if made is None:
            return None
        self.types[key] = made
        self._caged |= made.has_cages
        if not device and self._caged:
            self.types[key] = merge_cables(self.plan("", key), key).assemblies[key]
        for placed in body.statements:
            if isinstance(placed.statement, tree.Expect):
                self.expectations.append(Expectation(key, placed.statement, placed.scope))
        return key

    def _assemble(self, body: Body, definition: Definition, args: Args, chain: tuple[Definition, ...]) -> Scope | None:
        """Fill the body with what the type extends, then with its own statements."""
        node = definition.node
        assert isinstance(node, tree.TypeDef)
        scope = body.scope(definition, args)
        if node.base is not None:
            base = self.type_value(node.base, scope)
            if base is None:
                return None
            if len(chain) >= MAX_EXTENDS:
                message = f"types extend each other more than {MAX_EXTENDS} deep"
                if not self._too_deep:
                    self.sink.error("UB0213", message, node.base.span, "one too deep")
                self._too_deep = True
                return None
            if base.definition in (definition, *chain):
                self._extends_itself(node, (*chain, definition, base.definition))
                return None
            assert isinstance(base.definition.node, tree.TypeDef)
            if base.definition.node.kind.text != node.kind.text:
                self._other_kind(node, base.definition)
                return None
            base_args = self._complete(base, node.base.span)
            if base_args is None:
                return None
            inherited = self._assemble(body, base.definition, base_args, (*chain, definition))
            if inherited is None:
                return None
            object.__setattr__(scope, "quiet", scope.quiet or inherited.quiet)
        body.add(node.body, scope)
        return scope

    def _extends_itself(self, node: tree.TypeDef, chain: tuple[Definition, ...]) -> None:
        """Say so once for each circle."""
        assert node.base is not None
        if not self._circles & set(chain):
            names = " -> ".join(definition.name for definition in chain)
            message = f"type `{node.name.text}` extends itself: {names}"
            self.sink.error("UB0227", message, node.base.span, "extends it again")
        self._circles.update(chain)

    def _other_kind(self, node: tree.TypeDef, base: Definition) -> None:
        assert isinstance(base.node, tree.TypeDef)
        assert node.base is not None
        self.sink.error(
            "UB0605",
            f"{node.kind.text} `{node.name.text}` can't extend {base.node.kind.text} `{base.name}`",
            node.base.span,
            f"is {article(base.node.kind.text)}",
            labels=(Label(node.kind.span, f"is {article(node.kind.text)}"), Label(base.span, "defined here")),
        )

    def plan(self, system: str, root: str) -> Plan:
        """Return the plan of a type, as a system of this name."""
        return make_plan(system, root, self.types, self.technology)

    # -- parts

    def part(self, statement: tree.Instance, scope: Scope) -> Part | None:
        """Return the part that an instance line adds; None after a diagnostic."""
        evaluator = Evaluator(scope, self.sink)
        sizes = evaluate_shape(statement.shape, evaluator, statement.name.text, self.limits.array)
        known_annotations(statement.annotations, ["draw"], self.sink)
        changes = self._changes[-1].of(statement.name.text)

        def key_of(ref: tree.TypeRef, there: Scope) -> str | None:
            value = self.type_value(ref, there)
            if value is not None and changes.parameters:
                value = TypeValue(value.definition, tuple({**dict(value.args), **dict(changes.parameters)}.items()))
            return self.elaborate(value, ref.span, changes.below) if value is not None else None

        if sizes is None:
            check_names(statement, scope, self.sink, key_of)
            return None
        labels = read_holes(statement, sizes, evaluator)
        made = Elements(statement, scope, self.sink, sizes, labels or ()).part(key_of)
        return None if labels is None else made


def _compared(arg: tree.Arg, params: Sequence[str]) -> str | None:
    """Return the parameter that `racks == 2` was meant to give."""
    node = arg.value
    if arg.name is not None or not isinstance(node, tree.Compare) or node.op != "==":
        return None
    return node.left.text if isinstance(node.left, tree.Name) and node.left.text in params else None
