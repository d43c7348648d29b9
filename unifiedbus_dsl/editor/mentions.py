"""Every word of a file that names something, with what it stands for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property

from attrs import evolve, field, frozen

from unifiedbus_dsl.base.units import Dimension
from unifiedbus_dsl.editor.entries import Layer, Mention, Space, Symbol, terms
from unifiedbus_dsl.editor.expressions import (
    PLANES,
    PORTS,
    SORTS_OF_PARTS,
    TYPES,
    Expressions,
    Where,
    measure_terms,
    merged,
    traffic_terms,
    word_of,
    workload_terms,
)
from unifiedbus_dsl.editor.members import Types, attribute_terms, kind_terms
from unifiedbus_dsl.editor.settable_names import VALUES, SettableNames
from unifiedbus_dsl.render.style import THEMES
from unifiedbus_dsl.render.view import LAYOUTS, LINK_COLOURS, LINK_LABELS
from unifiedbus_dsl.semantic.connect.placement import METHODS
from unifiedbus_dsl.semantic.names.model import NOUNS, Definition, Module, Query
from unifiedbus_dsl.semantic.patterns import PATTERNS
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes


@frozen(eq=False, slots=False)
class Mentions:
    """The mentions of a file in order of place, and what is wanted where."""

    all: tuple[Mention, ...]
    wanted: dict[int, Dimension] = field(factory=dict, repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        return [each.span.start for each in self.all]

    def at(self, offset: int) -> Mention | None:
        """Return the mention at an offset, or the one that ends there."""
        at = bisect_right(self._starts, offset) - 1
        mention = self.all[at] if at >= 0 else None
        return mention if mention is not None and mention.span.end >= offset else None


def read_mentions(module: Module, types: Types) -> Mentions:
    """Return the mentions of a file."""
    reader = _Reader(types, module)
    for statement in module.file.statements:
        reader.statement(statement)
    mentions = sorted(reader.into.mentions, key=lambda each: (each.span.start, each.span.end))
    return Mentions(tuple(mentions), reader.into.wanted)


class _Reader:
    def __init__(self, types: Types, module: Module) -> None:
        self.types = types
        self.module = module
        self.into = Expressions(types)
        lets = types.named_here(module, *VALUES)
        self.systems: Layer = {**self._systems_of(module), **self._aliased_systems()}
        self.traffic: Layer = {
            name: (self._question(node),)
            for sort in (tree.Workload, tree.Traffic)
            for name, node in module.questions.get(NOUNS[sort], {}).items()
        }
        self.file = Where(Space((lets,)), Space((self.systems,)), module, None, self.traffic, self.systems)
        self.settable = SettableNames(self.into, self.file)

    def _aliased_systems(self) -> Layer:
        return {
            name: (symbol,)
            for name, symbol in self.types.aliases(self.module).items()
            if symbol.target is not None and isinstance(symbol.target.node, tree.System)
        }

    def _systems_of(self, module: Module) -> Layer:
        return {name: (self.types.system(node),) for name, (node, _) in module.systems.items()}

    def _question(self, node: Query) -> Symbol:
        return self.types.symbol(node.name, NOUNS[type(node)], node)

    # -- statements of the file

    def statement(self, node: tree.FileStatement) -> None:
        match node:
            case tree.Use():
                self._use(node)
            case tree.Let():
                self._definition(node)
                self.into.visit(node.value, self.file)
            case tree.ProtocolDef():
                self._definition(node)
                self._fields(node.fields, "protocol", self.file, self._own(node))
            case tree.LinkDef():
                self._definition(node)
                self.into.type_ref(node.protocol, self.file, tree.ProtocolDef)
                self.into.type_ref(node.base, self.file, tree.LinkDef)
                self._fields(node.fields, "link", self.file, self._own(node))
            case tree.ModelDef():
                self._definition(node)
                self.into.type_ref(node.base, self.file, tree.ModelDef)
                self._fields(node.fields, "model", self.file, self._own(node))
            case tree.TypeDef():
                self._type(node)
            case tree.System():
                self.into.define(self.types.system(node))
                self.into.type_ref(node.type, self.file, *TYPES)
            case tree.Naming():
                self._naming(node)
            case tree.Expect():
                self.into.visit(node.condition, _asking(self.file))
            case _:
                self._asked(node)

    def _definition(self, node: tree.Let | tree.FieldsDef | tree.TypeDef) -> None:
        self.into.define(self.types.symbol(node.name, NOUNS[type(node)], node, None, self._own(node)))

    def _own(self, node: tree.Statement) -> Definition | None:
        """Return the definition of a statement; of one that is defined twice, its own all the same."""
        own = self.module.own.get(node.name.text)  # type: ignore[attr-defined]  # only asked of what has a name
        if own is not None and own.node is node:
            return own
        return Definition(node, self.module)  # type: ignore[arg-type]

    def _use(self, node: tree.Use) -> None:
        aliases = self.types.aliases(self.module)
        other = self.types.module_of(node, self.module)
        there: Layer = {} if other is None else {**self.into.exported(other), **self._systems_of(other)}
        for name in node.names:
            self.into.mention(name.name, Space((there,)))
            if name.alias is not None and name.alias.text in aliases:
                self.into.define(aliases[name.alias.text])
        if node.alias is not None:
            self.into.define(self.types.symbol(node.alias, "import", node))

    # -- types

    def _type(self, node: tree.TypeDef) -> None:
        self._definition(node)
        definition = self._own(node)
        assert definition is not None
        members, params = self.types.members(definition), self.types.parameters(definition)
        lets = self.types.named_here(self.module, *VALUES)
        device = node.kind.text in attributes.KINDS_OF_DEVICE
        parts = Space((members, PORTS) if device else (members,))
        inner = Where(Space((params, members, lets)), parts, self.module, definition)
        for param in node.params:
            self.into.define(self.types.symbol(param.name, "parameter", param, node, definition))
            self.into.visit(param.default, inner.with_values(self.types.named_here(self.module, *TYPES, *PLANES)))
        self.into.type_ref(node.base, inner, *TYPES)
        self._annotations(node.annotations, ("draw",), inner)
        self._body(node.body, inner, attributes.owner_of(node.kind.text))

    def _body(self, body: Iterable[tree.BodyStatement], where: Where, owner: str) -> None:
        for statement in body:
            if isinstance(statement, tree.If):
                self.into.visit(statement.test, where)
                self._body(statement.then, where, owner)
                self._body(statement.otherwise, where, owner)
            elif isinstance(statement, tree.Field):
                self._fields((statement,), owner, where, where.inside)
            else:
                self._line(statement, where)

    def _line(self, node: tree.BodyStatement, where: Where) -> None:
        into = self.into
        match node:
            case tree.Let():
                into.define(self._member(node, "value", where))
                into.visit(node.value, where)
            case tree.Expect():
                into.visit(node.condition, _asking(where))
            case tree.PortDecl():
                into.define(self._member(node, "port", where))
                self._all(node.shape, where)
                into.type_ref(node.protocol, where, tree.ProtocolDef)
                self._annotations(node.annotations, ("open", "cage"), where)
            case tree.PortExport():
                into.define(self._member(node, "port", where))
                into.visit_target(node.value, where)
                self._annotations(node.annotations, ("cage",), where)
            case tree.Transit():
                self._targets((*node.ports, *node.others), where)
            case tree.Instance():
                into.define(self._member(node, "part", where))
                self._all((*node.shape, *node.holes), where)
                inner = self._with_indices(node, where)
                self._type_of_part(node.type, inner)
                into.visit(node.condition, inner)
                self._annotations(node.annotations, ("draw",), inner)
            case tree.Open():
                self._targets(node.ports, where)
            case tree.Place():
                into.visit_target(node.target, where)
                into.mention(node.method, Space((terms("way to place", list(METHODS)),)))
                self._named(node.args, METHODS.get(node.method.text, ()), where)
            case tree.Connect() | tree.ConnectPattern() | tree.ConnectCables():
                self._connect(node, where)

    def _member(self, node: tree.Statement, noun: str, where: Where) -> Symbol:
        assert where.inside is not None
        word: tree.Word = node.name  # type: ignore[attr-defined]  # only asked of what has a name
        return self.types.symbol(word, noun, node, where.inside.node, where.inside)

    def _type_of_part(self, node: tree.TypeRef | tree.TypeChoice, where: Where) -> None:
        if isinstance(node, tree.TypeRef):
            self.into.type_ref(node, where, *TYPES)
            return
        self.into.visit(node.test, where)
        self._type_of_part(node.yes, where)
        self._type_of_part(node.no, where)

    def _naming(self, node: tree.Naming) -> None:
        self.into.mention(node.of, Space((self.systems,)))
        parts = merged(self.types.members(each) for each in self.settable.roots_of(node.of.text))
        types = self.types.named_here(self.module, tree.TypeDef)
        inner = self._with_indices(node, evolve(self.file, parts=Space((*parts, types))))
        self.into.visit(node.path, inner)
        for each in (*node.values, node.where):
            self.into.visit(each, evolve(inner, parts=Space()))

    def _with_indices(
        self, node: tree.Connect | tree.ConnectPattern | tree.Instance | tree.Naming, where: Where
    ) -> Where:
        """Return where the indices that a statement lists are known."""
        binders: dict[str, tuple[Symbol, ...]] = {}
        for binder in node.binders:
            symbol = self.types.symbol(binder.name, "index", binder, node)
            self.into.define(symbol)
            self.into.visit(binder.range, where)
            binders.setdefault(binder.name.text, (symbol,))
        return where.with_values(binders)

    def _connect(self, node: tree.Connect | tree.ConnectPattern | tree.ConnectCables, where: Where) -> None:
        into, inner = self.into, where
        if not isinstance(node, tree.ConnectCables):
            inner = self._with_indices(node, where)
            into.visit_target(node.left, inner)
            into.visit_target(node.right, inner)
            into.visit(node.where, inner)
        if isinstance(node, tree.ConnectPattern):
            patterns = {name: " ".join(pattern.doc.split()) for name, pattern in PATTERNS.items()}
            into.mention(node.pattern, Space((terms("pattern", patterns),)))
            pattern = PATTERNS.get(node.pattern.text)
            self._named(node.args, [] if pattern is None else [each.name for each in pattern.parameters], inner)
        into.type_ref(node.over, inner, tree.LinkDef)
        self._annotations(node.annotations, ("draw",), where)

    def _fields(self, fields: Iterable[tree.Field], owner: str, where: Where, definition: Definition | None) -> None:
        known, names = attributes.attributes(owner), Space((attribute_terms(owner),))
        for each in fields:
            symbol = self.types.symbol(
                each.name, "field", each, definition.node if definition is not None else None, definition
            )
            self.into.define(symbol, names)
            attribute = known.get(each.name.text)
            words: Layer = {} if attribute is None else terms("word", attribute.words)
            if attribute is not None and attribute.dimension is not None:
                self.into.wanted[each.value.span.start] = attribute.dimension
            only = bool(words) and isinstance(each.value, tree.Name)
            self.into.visit(
                each.value, evolve(where, values=Space((words,)), parts=Space()) if only else where.with_values(words)
            )

    # -- questions

    def _asked(self, node: tree.FileStatement) -> None:
        if not isinstance(node, Query):
            return
        into = self.into
        into.define(self._question(node))
        into.mention(node.of, Space((self.systems,)))
        roots = self.settable.roots_of(node.of.text)
        parts = merged(self.types.members(each) for each in roots)
        lets: dict[str, tuple[Symbol, ...]] = {}
        where = evolve(self.file.with_values(lets), parts=Space(parts))
        match node:
            case tree.Traffic():
                into.visit(node.value, evolve(where, values=Space((traffic_terms(),)), traffic={}))
            case tree.Workload():
                into.visit(node.value, evolve(where, values=Space((workload_terms(),)), traffic={}))
            case tree.Analyze():
                self._items(node.items, lets, where, node)
            case tree.Explore():
                self._items(node.items, lets, where, node, roots)
            case tree.Scenario():
                if node.base is not None:
                    scenarios = self.module.questions.get(NOUNS[tree.Scenario], {})
                    into.mention(node.base, Space(({n: (self._question(each),) for n, each in scenarios.items()},)))
                    lets.update(self._inherited_lets(node))
                base = terms("machine", {"base": "The undamaged system: the same measure, asked of it."})
                self._items(node.items, lets, where.with_values(base), node, roots)
            case tree.View():
                self._annotations(node.annotations, (), where)
                for item in node.items:
                    self._view(item, where, roots)

    def _inherited_lets(self, node: tree.Scenario) -> dict[str, tuple[Symbol, ...]]:
        inherited_lets: dict[str, tuple[Symbol, ...]] = {}
        scenarios = self.module.questions.get(NOUNS[tree.Scenario], {})
        seen: set[str] = {node.name.text}
        base = node.base
        while base is not None and base.text not in seen:
            seen.add(base.text)
            other = scenarios.get(base.text)
            if not isinstance(other, tree.Scenario):
                break
            for item in other.items:
                if isinstance(item, tree.Let):
                    inherited_lets.setdefault(item.name.text, (self.types.symbol(item.name, "value", item, other),))
            base = other.base
        return inherited_lets

    def _items(
        self,
        items: Iterable[tree.Statement],
        lets: dict[str, tuple[Symbol, ...]],
        where: Where,
        owner: tree.Node,
        roots: Sequence[Definition] = (),
    ) -> None:
        into, items = self.into, list(items)
        for item in items:
            if isinstance(item, tree.Let):
                symbol = self.types.symbol(item.name, "value", item, owner)
                into.define(symbol)
                lets[item.name.text] = (symbol,)
        for item in items:
            match item:
                case tree.Let() | tree.Measure():
                    into.visit(item.value, _asking(where))
                case tree.Expect():
                    into.visit(item.condition, _asking(where))
                case tree.Require():
                    into.visit(item.condition, _asking(where))
                    self.settable.trends(item.trends, roots)
                case tree.Objective():
                    into.visit(item.value, _asking(where))
                    self.settable.trends(item.trends, roots)
                case tree.Vary():
                    self.settable.vary(item, roots)
                case tree.Fail() | tree.Degrade():
                    self._targets(item.targets, where)
                    into.visit(item.quota if isinstance(item, tree.Fail) else item.to, where)
                    if item.where is not None:
                        word = _word_of_targets(item.targets)
                        into.condition(item.where, where, self._every(word, where), word)
                case tree.Set():
                    settable = merged(
                        layer for each in roots for layer in (self.types.parameters(each), self.types.members(each))
                    )
                    self._set(item, evolve(where, parts=Space(settable)))

    def _set(self, item: tree.Set, where: Where) -> None:
        """Take down `set PATH = VALUE`: behind a part stand its fields, and the parameters of its type."""
        target, into = item.target, self.into
        if isinstance(target, tree.Member):
            held = sorted(into.path(target.base, where), key=lambda each: (each.span.source.name, each.span.start))
            layers = [layer for each in held for layer in (self.types.parameters(each), self.types.members(each))]
            into.mention(target.name, Space(merged(layers)).beyond(attribute_terms("device")))
        else:
            into.visit_target(target, where)
        into.visit(item.value, where.with_values(self.types.named_here(self.module, *TYPES)))

    # -- views

    def _view(self, item: tree.ViewItem, where: Where, roots: Sequence[Definition]) -> None:
        into = self.into
        anywhere = evolve(where, parts=self._picked(roots, where), values=Space(), traffic={}, systems={})
        match item:
            case tree.Show() | tree.Hide() | tree.Collapse():
                for target in item.targets:
                    self._pick(target, where, anywhere)
                if not isinstance(item, tree.Collapse) and item.where is not None:
                    word = _word_of_targets(item.targets)
                    into.condition(item.where, where, self._every(word, where), word)
            case tree.Fold():
                self._pick(item.target, where, anywhere)
                into.visit(item.keep, where)
            case tree.Colour() | tree.LabelBy():
                words = LINK_COLOURS if isinstance(item, tree.Colour) else LINK_LABELS
                legal = self._picked(roots, where)
                mention = into.mention(item.what, legal)
                types = self.types.part_types(mention) | self._every(item.what.text, where)
                by = into.fields_of(types, item.what.text)
                layers = (terms("word", words),) if item.what.text == "link" else (PART_WORDS, *by.layers)
                into.visit(item.by, evolve(where, values=Space(layers), parts=Space(), traffic=self.traffic))
            case tree.Layout():
                into.mention(item.name, Space((terms("layout", LAYOUTS),)))
            case tree.Theme():
                into.mention(item.name, Space((terms("theme", THEMES),)))

    def _pick(self, target: tree.Node, where: Where, anywhere: Where) -> None:
        """Take down what a view names: alone a kind, a type or a part at any level, else a path from the system."""
        match target:
            case tree.Name():
                self.into.mention(word_of(target), anywhere.parts)
            case tree.LinkBetween() | tree.Binary():
                self._pick(target.left, where, anywhere)
                self._pick(target.right, where, anywhere)
            case _:
                self.into.visit_target(target, where)

    def _picked(self, roots: Sequence[Definition], where: Where) -> Space:
        """Return what a view can name by a word: kinds, types, and the parts at all levels.

        A part may be called as a kind is of which there is none.
        """
        below = self.types.below(roots)
        kinds = {each.node.kind.text for each in below if isinstance(each.node, tree.TypeDef)}
        there = {name: entries for name, entries in kind_terms().items() if name in kinds}
        parts = merged(
            {
                name: [e for e in entries if isinstance(e, Symbol) and e.noun == "part"]
                for name, entries in layer.items()
            }
            for layer in (self.types.members(each) for each in _in_order(below))
        )
        named = self.types.named_here(self.module, *TYPES)
        return Space((SORTS_OF_PARTS, there, named, *parts, kind_terms()))

    def _every(self, word: str, where: Where) -> set[Definition]:
        """Return the types that a kind, a type or `link` means."""
        return self.into.selected((word,), where)

    # -- what several have

    def _all(self, nodes: Iterable[tree.Node], where: Where) -> None:
        for node in nodes:
            self.into.visit(node, where)

    def _targets(self, nodes: Iterable[tree.Node], where: Where) -> None:
        for node in nodes:
            self.into.visit_target(node, where)

    def _named(self, args: Iterable[tree.Arg], names: Iterable[str], where: Where) -> None:
        legal = terms("argument", list(names))
        for arg in args:
            if arg.name is not None:
                self.into.mention(arg.name, Space((legal,)))
                self.into.visit(arg.value, where)
            else:
                self.into.visit(arg.value, evolve(where, values=where.values.beyond(legal)))

    def _annotations(self, annotations: Iterable[tree.Annotation], known: Sequence[str], where: Where) -> None:
        for each in annotations:
            self.into.mention(each.name, Space((terms("annotation", known),)))
            for arg in each.args if each.name.text == "cage" else ():
                self.into.visit(arg.value, where)


PART_WORDS = terms("word", {"name": "", "type": "", "kind": "", "none": ""})


def _asking(where: Where) -> Where:
    """Return a place where measures can be asked."""
    return evolve(where, measures=measure_terms())


def _word_of_targets(targets: Sequence[tree.Node]) -> str:
    """Return the kind or type that a list of targets begins with; `link` for what lies between two parts."""
    first = targets[0] if targets else None
    if isinstance(first, tree.All):
        return first.path[0].text
    return first.text if isinstance(first, tree.Name) else "link"


def _in_order(definitions: Iterable[Definition]) -> list[Definition]:
    return sorted(definitions, key=lambda each: (each.span.source.name, each.span.start))
