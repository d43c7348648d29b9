"""The body of a type as one list of statements: what it extends first, branches of `if` taken, overrides in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define, field, frozen

from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class ScopedStatement:
    """A statement with the scope in which its names are read, and the statement that it replaces, if any."""

    statement: tree.BodyStatement
    scope: Scope
    replaces: ScopedStatement | None = None


@define(eq=False)
class Body:
    """All statements of a type. `members` (fields and lets) is the table that the scopes of the chain share."""

    sink: Sink
    lets: dict[Definition, Lazy]
    words_of: Callable[[str], frozenset[str]]
    statements: list[ScopedStatement] = field(factory=list)
    _replaceable: dict[tuple[type, str], int] = field(factory=dict)
    """Where the statement stands that another may replace, by its sort and name: the first of several."""
    _named: dict[str, ScopedStatement] = field(factory=dict)
    """The first statement that gives a member this name."""
    members: dict[str, Lazy] = field(factory=dict)
    structure: dict[str, str] = field(factory=dict)
    clashes: set[str] = field(factory=set)
    """Names defined twice: nothing is said about what uses them."""
    absent: dict[str, tree.Expr] = field(factory=dict)
    """Parts that a condition leaves out, with the condition."""

    def scope(self, definition: Definition, args: tuple[tuple[str, EvalValue], ...]) -> Scope:
        node = definition.node
        assert isinstance(node, tree.TypeDef)
        spans = {param.name.text: param.name.span for param in node.params}
        params = {name: Lazy(lambda v=value: v, spans[name], name) for name, value in args}  # type: ignore[misc]
        damaged = definition.module.file.damaged.any_in(node.span)
        return Scope(definition.module, params, self.members, self.structure, self.lets, quiet=damaged)

    def add(self, statements: tuple[tree.BodyStatement, ...], scope: Scope) -> None:
        """Append the statements of one type of the chain; call for the base before what extends it."""
        for statement in statements:
            self._name(statement, scope)
        for statement in statements:
            if isinstance(statement, tree.If):
                test = Evaluator(scope, self.sink).truth(statement.test)
                if test is None:
                    object.__setattr__(scope, "quiet", True)
                    continue
                taken, left = statement.then, statement.otherwise
                if not test:
                    taken, left = left, taken
                self.absent.update((s.name.text, statement.test) for s in left if isinstance(s, tree.Instance))
                self.add(taken, scope)
            else:
                self._append(ScopedStatement(statement, scope))

    def change(self, fields: Iterable[tuple[tree.Field, EvalValue]], scope: Scope) -> None:
        """Give fields other values, as a type that extends this one would; those that are not stated are added."""
        for statement, value in fields:
            name = statement.name.text
            self.members[name] = Lazy(lambda v=value: v, statement.name.span, name)  # type: ignore[misc]
            at = self._replaceable.get((tree.Field, name))
            if at is None:
                self._keep(ScopedStatement(statement, scope))
            else:
                self._replace(at, ScopedStatement(statement, scope, self.statements[at]))

    def _name(self, statement: tree.BodyStatement, scope: Scope) -> None:
        match statement:
            case tree.Field() | tree.Let():
                words = self.words_of(statement.name.text) if isinstance(statement, tree.Field) else frozenset()
                evaluator = Evaluator(scope, self.sink, words=words)
                value = statement.value
                self.members[statement.name.text] = Lazy(
                    lambda: evaluator.eval(value), statement.name.span, statement.name.text, value
                )
            case tree.Instance():
                self.structure[statement.name.text] = "a part"
            case tree.PortDecl() | tree.PortExport():
                self.structure[statement.name.text] = "a port"

    def _append(self, placed: ScopedStatement) -> None:
        name = replaceable(placed.statement)
        at = self._replaceable.get(name) if name is not None else None
        if at is not None and self.statements[at].scope is not placed.scope:
            self._replace(at, ScopedStatement(placed.statement, placed.scope, self.statements[at]))
            return
        if self._clash(placed):
            word = member(placed.statement)
            assert word is not None
            self.clashes.add(word.text)
            if word.text in self.members:
                self.members[word.text] = Lazy(lambda: POISON, word.span, word.text)
        else:
            self._keep(placed)

    def _keep(self, placed: ScopedStatement) -> None:
        """Append a statement."""
        name, word = replaceable(placed.statement), member(placed.statement)
        if name is not None:
            self._replaceable.setdefault(name, len(self.statements))
        if word is not None:
            self._named.setdefault(word.text, placed)
        self.statements.append(placed)

    def _replace(self, at: int, placed: ScopedStatement) -> None:
        """Put a statement in the place of the one of its name."""
        word, old = member(placed.statement), self.statements[at]
        self.statements[at] = placed
        if word is not None and self._named.get(word.text) is old:
            self._named[word.text] = placed

    def _clash(self, placed: ScopedStatement) -> bool:
        """Return whether the type, or what it extends, has a member of this name already."""
        word = member(placed.statement)
        if word is None:
            return False
        other = self._named.get(word.text)
        first = member(other.statement) if other is not None else None
        if other is None or first is None:
            return False
        if other.scope is not placed.scope:  # within one text the names are checked as they are bound
            self.sink.error(
                "UB0202",
                f"`{word.text}` is defined twice: here and in the type that is extended",
                word.span,
                "defined again here",
                labels=(Label(first.span, "first defined here"),),
                help=("fields and parts can be replaced by the same sort of statement; all else needs its own name",),
            )
        return True


def member(statement: tree.BodyStatement) -> tree.Word | None:
    """Return the name that a statement gives to a member of the type."""
    if isinstance(statement, tree.Field | tree.PortDecl | tree.PortExport | tree.Instance | tree.Let):
        return statement.name
    return None


def replaceable(statement: tree.BodyStatement) -> tuple[type, str] | None:
    """Return what `extends` may replace: a field, a let or a part, by a statement of the same sort and name."""
    if isinstance(statement, tree.Field | tree.Instance | tree.Let):
        return type(statement), statement.name.text
    return None
