"""Elaborate an assembly: its parts, then its ports, cables, openings and places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from attrs import define, evolve, field

from unifiedbus_dsl.base import work
from unifiedbus_dsl.diagnostics import Label
from unifiedbus_dsl.ir.plan import AssemblyType, Child, Export, Opening, Placement, Rule
from unifiedbus_dsl.ir.plan.index import text, texts
from unifiedbus_dsl.semantic.connect.cable_list import listed_rules
from unifiedbus_dsl.semantic.connect.ends import ChooseLink
from unifiedbus_dsl.semantic.connect.exports import exports, openings, over_free
from unifiedbus_dsl.semantic.connect.pattern_rules import pattern_rules
from unifiedbus_dsl.semantic.connect.placement import evaluate_placement
from unifiedbus_dsl.semantic.connect.port_views import PortView, port_names, port_view
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Step, path_steps, shape_text
from unifiedbus_dsl.semantic.connect.rules import compile_rules
from unifiedbus_dsl.semantic.types.body import Body, ScopedStatement
from unifiedbus_dsl.semantic.types.context import Elaboration, Part
from unifiedbus_dsl.semantic.types.members import evaluate_cage, evaluate_fields, known_annotations, misplaced_statement
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.semantic.values.values import Poison, TypeValue
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk

NO_PLACE = ("@", "place")
"""Among what is spoilt: a `place` that failed, so that a missing length is no news."""


@define(eq=False)
class _AssemblyBuilder:
    elaborator: Elaboration
    key: str
    node: tree.TypeDef
    body: Body
    children: dict[str, Child] = field(factory=dict)
    pieces: dict[str, tuple[Child, ...]] = field(factory=dict)
    """What each child is in the plan: several where its elements differ in type."""
    exports: list[Export] = field(factory=list)
    rules: list[tuple[Rule, ...]] = field(factory=list)
    openings: list[Opening] = field(factory=list)
    placements: list[Placement] = field(factory=list)
    spoilt: set[tuple[str, str]] = field(factory=set)
    _told: set[tuple[str, int]] = field(factory=set)
    _of_children: Mapping[str, AbstractSet[str]] | None = None

    def build(self) -> AssemblyType:
        for placed in self.body.statements:
            if isinstance(placed.statement, tree.Instance):
                self._child(placed.statement, placed)
        self.failed.update(self._meant_as_parts())
        self.failed.update(self._meant_as_exports())
        for placed in self.body.statements:
            self._statement(placed)
        if "*" in self.failed:
            self.spoilt |= {("*", "*"), NO_PLACE}
        own = evaluate_fields(self.elaborator, self.node.kind.text, self.key, self.body)
        return AssemblyType(
            self.key,
            self.node.kind.text,
            tuple(sorted((piece for several in self.pieces.values() for piece in several), key=lambda c: c.name)),
            tuple(sorted(self.exports, key=lambda e: e.name)),
            _in_order(self.rules),
            tuple(sorted((piece for each in self.placements for piece in self._placed(each)), key=lambda p: p.child)),
            tuple(self.openings),
            own,
            frozenset(self._spoilt_pieces()),
            self.node.doc,
            self.node.span,
        )

    @property
    def failed(self) -> set[str]:
        return self.elaborator.failed[self.key]

    def _meant_as_parts(self) -> Iterator[str]:
        """Yield the names of fields that are given a type, and so have no value: `cpu = Host()`, `npu = 8 * Chip`."""
        for placed in self.body.statements:
            if isinstance(placed.statement, tree.Field) and _names_a_type(placed.statement.value, placed.scope):
                name = placed.statement.name.text
                if isinstance(self.body.members[name].get(self.elaborator.sink), TypeValue | Poison):
                    yield name

    def _meant_as_exports(self) -> Iterator[str]:
        """Yield the names of fields that are given a port of a part, so not left over by mistake: `up = npu.up`."""
        for placed in self.body.statements:
            if not isinstance(placed.statement, tree.Field) or not isinstance(placed.statement.value, tree.Member):
                continue
            path = path_steps(placed.statement.value)
            if path is not None and path[0].word.text in self.children and len(path) > 1:
                self.spoilt.add((path[0].word.text, path[-1].word.text))
                yield placed.statement.name.text

    def _child(self, statement: tree.Instance, placed: ScopedStatement) -> None:
        if statement.name.text in self.body.clashes:
            return
        if statement.condition is not None and not statement.binders:
            there = Evaluator(placed.scope, self.elaborator.sink).truth(statement.condition)
            if there is None:
                self.failed.add(statement.name.text)
            elif not there:
                self.body.absent[statement.name.text] = statement.condition
            if not there:
                return
        part = self.elaborator.part(statement, placed.scope)
        if part is not None and not part.pieces and statement.condition is not None:
            self.body.absent[statement.name.text] = statement.condition
            return
        if part is not None and placed.replaces is not None and not self._keeps_ports(part, placed):
            part = None
        if part is None:
            self.failed.add(statement.name.text)
        elif part.whole.name not in self.children:
            self.children[part.whole.name] = part.whole
            self.pieces[part.whole.name] = part.pieces

    def _placed(self, placement: Placement) -> Iterator[Placement]:
        """Yield where the pieces of a part stand; the positions are those of all its elements, in order."""
        at = 0
        for piece in self.pieces[placement.child]:
            own = placement.positions[at : at + piece.count]
            at += piece.count
            yield evolve(placement, child=piece.name, positions=own)

    def _spoilt_pieces(self) -> Iterator[tuple[str, str]]:
        """Yield what is spoilt, by the names that the plan has."""
        for child, port in self.spoilt:
            for piece in self.pieces.get(child, ()):
                kind = self.elaborator.types[piece.type]
                inner = kind.exported_arrays.get(port, ()) if isinstance(kind, AssemblyType) else ()
                yield from ((piece.name, each.name) for each in inner)
                if not inner:
                    yield piece.name, port
            if child not in self.pieces:
                yield child, port

    def _keeps_ports(self, part: Part, placed: ScopedStatement) -> bool:
        """Return whether a part that replaces another has every port that the statements here use; else say which
        not."""
        assert placed.replaces is not None
        first, again = placed.replaces.statement, placed.statement
        assert isinstance(first, tree.Instance)
        assert isinstance(again, tree.Instance)
        quiet = self.elaborator.without_diagnostics()
        old = quiet.part(first, placed.replaces.scope)
        if old is None:
            return True
        used = self._ports_used(part.whole.name)
        keys, new = ({piece.type for piece in each.pieces} for each in (old, part))
        for key in sorted(keys):
            for name in (each for each in port_names(quiet.types[key]) if each in used):
                before = port_view(quiet.types, key, name)
                for child in part.pieces:
                    now = port_view(self.elaborator.types, child.type, name)
                    if before is not None and len(keys) == len(new) == 1 and (now is None or not _holds(now, before)):
                        self._lacks(again, child, name, before, used[name])
                        return False
        return True

    def _ports_used(self, child: str) -> dict[str, tree.Expr]:
        """Return the ports of a part that cables, exports and openings name, with one place each."""
        ports_used: dict[str, tree.Expr] = {}
        for placed in self.body.statements:
            for side in _sides(placed.statement):
                path = path_steps(side)
                if path is not None and len(path) > 1 and path[0].word.text == child:
                    ports_used.setdefault(path[1].word.text, side)
        return ports_used

    def _lacks(self, again: tree.Instance, child: Child, port: str, before: PortView, used: tree.Expr) -> None:
        now = port_view(self.elaborator.types, child.type, port)
        self.elaborator.sink.error(
            "UB0608",
            f"`{child.type}` can't replace the type of `{child.text_name}`: "
            + (f"it has no port `{port}`" if now is None else f"its port `{port}` is another"),
            again.type.span,
            f"has no port `{port}`" if now is None else f"`{port}` is {_port_text(now)}",
            labels=(Label(used.span, f"`{port}` is used here, as {_port_text(before)}"),),
            help=("what replaces a part has at least its ports that are in use",),
        )

    def _wall(self, scope: Scope) -> AssemblyScope:
        failed_ports = self._failed_ports()
        evaluator = Evaluator(scope, self.elaborator.sink)
        return AssemblyScope(
            self.elaborator.types,
            self.children,
            self.pieces,
            self.failed,
            failed_ports,
            evaluator,
            self.body.absent,
            self._told,
        )

    def _failed_ports(self) -> Mapping[str, AbstractSet[str]]:
        """By type of a part, the ports that could not be understood: the same for all statements."""
        if self._of_children is None:
            pieces = [piece for several in self.pieces.values() for piece in several]
            self._of_children = {piece.type: self.elaborator.failed[piece.type] for piece in pieces}
        return self._of_children

    def _statement(self, placed: ScopedStatement) -> None:
        work.about(placed.statement.span)
        wall = self._wall(placed.scope)
        if isinstance(placed.statement, tree.Connect | tree.ConnectPattern | tree.ConnectCables):
            known_annotations(placed.statement.annotations, ["draw"], self.elaborator.sink)
        match placed.statement:
            case tree.PortExport():
                self._export(placed, placed.statement, wall)
            case tree.Connect():
                self._rules(placed.statement, compile_rules(placed.statement, wall, self._cable))
            case tree.ConnectPattern():
                made = pattern_rules(placed.statement, wall, self._cable)
                self._rules(placed.statement, made.rules if made else None)
                self.openings += made.openings if made else ()
            case tree.ConnectCables():
                self._rules(
                    placed.statement,
                    listed_rules(placed.statement, wall, self._cable, self.elaborator.limits.source_bytes),
                )
            case tree.Open():
                for port in placed.statement.ports:
                    self._open(port, wall)
            case tree.Place():
                self._place(placed.statement, wall)
            case tree.PortDecl() | tree.Transit():
                misplaced_statement(placed.statement, self.node.kind.text, self.elaborator.sink)
            case _:
                pass

    @property
    def _cable(self) -> ChooseLink:
        return self.elaborator.technology.cable

    def _rules(self, statement: tree.Statement, rules: tuple[Rule, ...] | None) -> None:
        if rules is None:
            self._spoil(statement)
        else:
            self.rules.append(rules)

    def _spoil(self, statement: tree.Node) -> None:
        """What a failed statement was about stays quiet."""
        sides = _sides(statement)
        if not sides:
            self.spoilt.add(("*", "*"))
        for side in sides:
            path = path_steps(side)
            known = path is not None and path[0].word.text in self.children
            if not known or path is None:
                self.spoilt.add(("*", "*"))
            else:
                name = path[0].word.text
                port = path[1].word.text if len(path) > 1 else "*"
                self.spoilt.add((name, port if _has_port(self, name, port) else "*"))
                for key in dict.fromkeys(piece.type for piece in self.pieces[name]):
                    self._spoil_inside(key, path[1:])

    def _spoil_inside(self, key: str, path: Sequence[Step]) -> None:
        """What a cable through a wall was to reach stays quiet too: the port is no longer left over by mistake."""
        types = self.elaborator.types
        while len(path) > 1:
            kind = types[key]
            children = kind.arrays.get(path[0].word.text, ()) if isinstance(kind, AssemblyType) else ()
            if not children or not isinstance(kind, AssemblyType):
                return
            if len(path) == 2:
                types[key] = evolve(kind, spoilt=kind.spoilt | {(child.name, path[1].word.text) for child in children})
            key, path = children[0].type, path[1:]

    def _export(self, placed: ScopedStatement, statement: tree.PortExport, wall: AssemblyScope) -> None:
        known_annotations(statement.annotations, ["cage"], self.elaborator.sink)
        ref = wall.reference(statement.value)
        free = None if ref is None else over_free(ref, wall)
        made = None if free is None else exports(statement, free, wall)
        caged = [
            evolve(each, cage=cage)
            for each in made or ()
            if (cage := evaluate_cage(placed, each.shape, self.elaborator.sink)) is not None
        ]
        if made is None or len(caged) < len(made):
            self.failed.add(statement.name.text)
            self._spoil(statement)
            return
        self.exports += caged

    def _open(self, port: tree.Expr, wall: AssemblyScope) -> None:
        ref = wall.reference(port)
        free = None if ref is None else over_free(ref, wall)
        if free is None:
            self._spoil(port)
        else:
            self.openings += openings(port.span, free, wall)

    def _place(self, statement: tree.Place, wall: AssemblyScope) -> None:
        made = evaluate_placement(statement, wall)
        if made is None:
            self.spoilt.add(NO_PLACE)
            return
        first = next((p for p in self.placements if p.child == made.child), None)
        if first is not None:
            assert made.span is not None
            wall.sink.error(
                "UB0521",
                f"`{made.child}` is placed twice",
                made.span,
                "placed again",
                labels=(Label(first.span, "placed first here"),) if first.span else (),
            )
            return
        self.placements.append(made)


def _sides(statement: tree.Node) -> list[tree.Expr]:
    """Return the references to ports in a statement."""
    match statement:
        case tree.Connect():
            return [statement.left, statement.right]
        case tree.ConnectPattern():
            return [statement.left, *([statement.right] if statement.right is not None else [])]
        case tree.PortExport():
            return [statement.value]
        case tree.Open():
            return list(statement.ports)
        case tree.Name() | tree.Member() | tree.Index():
            return [statement]
    return []


def _holds(now: PortView, before: PortView) -> bool:
    """Return whether a port array can stand for another: same protocol and width, at least its size in each
    dimension."""
    same = (now.protocol, now.lanes, len(now.shape)) == (before.protocol, before.lanes, len(before.shape))
    if any(labels.absent for view in (now, before) for labels in view.groups):
        return same and now.groups == before.groups
    return same and all(a >= b for a, b in zip(now.shape, before.shape, strict=True))


def _port_text(view: PortView) -> str:
    return f"{shape_text(view.shape)} of {view.protocol} x{view.lanes}"


def _has_port(builder: _AssemblyBuilder, child: str, port: str) -> bool:
    return any(port in port_names(builder.elaborator.types[piece.type]) for piece in builder.pieces[child])


def _in_order(groups: list[tuple[Rule, ...]]) -> tuple[Rule, ...]:
    """Rules in canonical order, whatever the order of the statements: by their text."""
    ordered = sorted(groups, key=lambda rules: [rule_text(rule) for rule in rules])
    return tuple(evolve(rule, origin=at) for at, rules in enumerate(ordered) for rule in rules)


def rule_text(rule: Rule) -> str:
    """Return a rule as text, the same for the same rule: what canonical order goes by."""
    ends = [f"{r.child}{texts(r.at)}.{r.port}{texts(r.port_at)}" for r in (rule.left, rule.right)]
    axes = ", ".join(f"{a.name} in {a.low}..{a.high} step {a.step}" for a in rule.axes)
    where = f" where {text(rule.where)}" if rule.where is not None else ""
    return f"{ends[0]} -- {ends[1]} over {rule.link}({rule.length}) for {axes}{where}"


def build_assembly(elaborator: Elaboration, key: str, node: tree.TypeDef, body: Body) -> AssemblyType:
    """Return the plan type of an assembly; what could not be understood is left out and remembered as spoilt."""
    return _AssemblyBuilder(elaborator, key, node, body).build()


def _names_a_type(value: tree.Expr, scope: Scope) -> bool:
    """Return whether a type of the file stands in an expression."""
    found = (scope.definition((each.text,)) for each in walk(value) if isinstance(each, tree.Name))
    return any(each is not None and isinstance(each.node, tree.TypeDef) for each in found)
