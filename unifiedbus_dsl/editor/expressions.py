"""The names in expressions, each with what it stands for where it is said.

Paths are followed from a part to the types that it can be of; arguments are read by the signatures that the registry
has of measures, traffic patterns and routings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from attrs import define, evolve, field, frozen

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import Dimension
from unifiedbus_dsl.editor.entries import Entry, Layer, Mention, Space, Symbol, Term, terms
from unifiedbus_dsl.editor.members import Types, attribute_terms, kind_terms, path_text
from unifiedbus_dsl.semantic.names.model import Definition, Module
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import children, dotted_name, walk
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.signatures import (
    FUNCTIONS,
    MEASURES,
    MODEL_FUNCTIONS,
    TRAFFICS,
    WORKLOADS,
    Argument,
    Signature,
    Takes,
    signature_of,
    words_of,
)

TYPES = (tree.TypeDef,)
PLANES = (tree.ProtocolDef, tree.LinkDef)
SORTS_OF_PARTS = terms("selection", {"link": "All cables.", "port": "All ports."})
ASKED_FIELDS = terms(
    "field",
    {
        "kind": "Its kind: `npu`, `rack`, …",
        "type": "Its type.",
        "name": "Its name.",
        "link": "The link that a cable is made of.",
        "protocol": "The protocol that a port or cable speaks.",
        "lanes": "How many lanes it has.",
    },
)
"""What a condition may ask of parts, ports and cables beside their fields."""


@frozen(eq=False)
class Where:
    """What is legal at a place: `values` as names of values, `parts` as beginnings of paths."""

    values: Space
    parts: Space
    module: Module
    inside: Definition | None = None
    traffic: Layer = field(factory=dict)
    """Traffic and workloads."""
    systems: Layer = field(factory=dict)
    measures: Layer = field(factory=dict)
    """What can be asked, where something can."""

    def with_values(self, *layers: Layer) -> Where:
        """Return the same with nearer values."""
        return evolve(self, values=self.values.within(*layers))

    @property
    def names(self) -> Space:
        """Everything that a lone name may be: a value, a part or port, a traffic, a workload."""
        return self.values.beyond(self.traffic, *self.parts.layers, self.systems, self.measures, function_terms())


@define(eq=False)
class Expressions:
    """Collects the mentions in expressions; `wanted` holds the dimension of the value that stands at a place."""

    types: Types
    mentions: list[Mention] = field(factory=list)
    wanted: dict[int, Dimension] = field(factory=dict)
    """By the offset where an expression begins: the dimension of the quantity that is wanted there."""

    def mention(self, word: tree.Word, space: Space, *, defines: bool = False) -> tuple[Entry, ...]:
        """Take a word down; gives back what it stands for."""
        entries = space.get(word.text)
        self.mentions.append(Mention(word, entries, space, defines))
        return entries

    def define(self, symbol: Symbol, space: Space | None = None) -> None:
        """Take down a word that defines something, and stands for what it takes the place of in a base as well."""
        definition = symbol.definition
        members = self.types.members(definition) if definition is not None else {}
        same = [each for each in members.get(symbol.name, ()) if each is not symbol]
        overridden = same if symbol.owner is not None and symbol.noun in ("part", "port", "value") else ()
        self.mentions.append(Mention(symbol.word, (symbol, *overridden), space or Space(), True))

    # -- expressions

    def visit(self, node: tree.Node | None, where: Where) -> None:
        """Take down all names below a node."""
        match node:
            case None:
                pass
            case tree.Name():
                self.mention(word_of(node), where.names)
            case tree.Member() | tree.Index():
                self.path(node, where)
            case tree.Call():
                self.call(node, where)
            case tree.All():
                self.all(node, where)
            case tree.Binary(op="of", right=tree.Name()) if not isinstance(node.left, tree.Number | tree.Quantity):
                self.visit(node.left, where)
                self.mention(word_of(node.right), Space((where.systems, *where.values.layers)))  # type: ignore[arg-type]
            case tree.Record():
                for arg in node.fields:
                    self.visit(arg.value, where)
            case tree.Arg():
                self.visit(node.value, where)
            case _:
                for child in children(node):
                    self.visit(child, where)

    def path(self, node: tree.Node, where: Where) -> set[Definition]:
        """Take down a path such as `npu[b, *].up`; gives back the types of the parts that it leads to."""
        if isinstance(node, tree.Name):
            space = where.parts.beyond(*where.names.layers)
            return self._types_of(self.mention(word_of(node), space), where)
        if isinstance(node, tree.Index):
            definitions = self.path(node.base, where)
            for subscript in node.subscripts:
                self.visit(subscript, where)
            return definitions
        if not isinstance(node, tree.Member):
            self.visit(node, where)
            return set()
        module_path = dotted_name(node)
        definition = where.module.lookup(module_path) if module_path else None
        if definition is not None and len(module_path) > 1:
            self.mention(node.name, Space(({node.name.text: (self.types.of(definition),)},)))
            return {definition}
        prefix = where.module.prefixes.get(dotted_name(node.base))
        if prefix is not None:
            self.mention(node.name, Space((self.exported(prefix),)))
            return set()
        space = Space(merged(self.types.members(each) for each in sorted(self.path(node.base, where), key=_place)))
        return self._types_of(self.mention(node.name, space.beyond(PORTS)), where)

    def _types_of(self, entries: Iterable[Entry], where: Where) -> set[Definition]:
        entries = tuple(entries)
        part_types = self.types.part_types(entries)
        for entry in entries:
            if isinstance(entry, Symbol) and isinstance(entry.node, tree.System):
                part_types |= self.system_types(entry.node, where.module)
        return part_types

    def system_types(self, node: tree.System, module: Module) -> set[Definition]:
        """Return the type of a system; empty where it is unknown."""
        there = next((m for n, m in module.systems.values() if n is node), module)
        return self.types.named(path_text(node.type.path), there, None)

    def exported(self, module: Module) -> Layer:
        """Return what a file defines itself, for who reaches it by a prefix."""
        return {name: (self.types.of(definition),) for name, definition in module.own.items()}

    # -- selections

    def all(self, node: tree.All, where: Where) -> None:
        """Take down `all NAME[.field] [in PATH] [where CONDITION]`."""
        types = self.types.named_here(where.module, *TYPES)
        first = Space((SORTS_OF_PARTS, kind_terms(), types, self._prefixes(where.module)))
        words = node.path
        head = self._dotted(words, first, where)
        if head < len(words):
            selected = self.selected(path_text(words[:head]), where)
            ports = merged(self.types.ports(each) for each in sorted(selected, key=_place))
            self.mention(words[head], self.fields_of(selected, words[0].text).beyond(*ports, PORTS))
        if node.scope is not None:
            self.visit_target(node.scope, where)
        if node.where is not None:
            self.condition(node.where, where, self.selected(path_text(words[:head]), where), words[0].text)

    def _dotted(self, words: Sequence[tree.Word], first: Space, where: Where) -> int:
        """Take down the words that name a kind or type; gives back how many they are."""
        for length in range(len(words), 1, -1):
            definition = where.module.lookup(path_text(words[:length]))
            if definition is not None:
                self._prefix(words[: length - 1], where.module)
                self.mention(words[length - 1], Space(({words[length - 1].text: (self.types.of(definition),)},)))
                return length
        if path_text(words[:1]) in where.module.prefixes and len(words) > 1:
            self._prefix(words[:1], where.module)
            self.mention(words[1], Space((self.exported(where.module.prefixes[path_text(words[:1])]),)))
            return 2
        self.mention(words[0], first)
        return 1

    def _prefix(self, words: Sequence[tree.Word], module: Module) -> None:
        """Take down the name by which a file knows another."""
        if len(words) == 1:
            self.mention(words[0], Space((self._prefixes(module),)))

    def _prefixes(self, module: Module) -> Layer:
        return {
            use.alias.text: (self.types.symbol(use.alias, "import", use),)
            for use in module.file.statements
            if isinstance(use, tree.Use) and use.alias is not None
        }

    def selected(self, path: tuple[str, ...], where: Where) -> set[Definition]:
        """Return the types that `all NAME` can mean, those that extend the named one included."""
        if len(path) == 1 and path[0] in (*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY):
            return self.types.of_kind(path[0])
        if path == ("link",):
            return {d for m in self.types.model.modules for d in m.own.values() if isinstance(d.node, tree.LinkDef)}
        definition = where.module.lookup(path)
        if definition is None or not isinstance(definition.node, tree.TypeDef):
            return set()
        return {each for each in self.types.of_kind(definition.node.kind.text) if definition in self.types.chain(each)}

    def fields_of(self, selected: Iterable[Definition], word: str) -> Space:
        """Return the fields that some types have, and those that the language knows of their kind."""
        owner = "link" if word == "link" else "device"
        layers = [
            {name: entries for name, entries in self.types.members(each).items() if is_field(entries)}
            for each in sorted(selected, key=_place)
        ]
        if word in attributes.KINDS_OF_ASSEMBLY or any(
            isinstance(each.node, tree.TypeDef) and each.node.kind.text in attributes.KINDS_OF_ASSEMBLY
            for each in selected
        ):
            owner = "assembly"
        return Space(merged(layers)).beyond(attribute_terms(owner))

    def condition(self, node: tree.Expr, where: Where, selected: Iterable[Definition], word: str) -> None:
        """Take down what stands behind `where`: fields of what is selected, media, names of links and types."""
        fields = self.fields_of(selected, word)
        planes = self.types.named_here(where.module, *PLANES, *TYPES)
        outer = where.values.layers
        inner = Space((*fields.layers, ASKED_FIELDS, *outer, planes, terms("medium", attributes.MEDIA), kind_terms()))
        self.visit(node, evolve(where, values=inner, parts=Space(), traffic={}, systems={}))
        for each in walk(node):
            if isinstance(each, tree.String):
                self.quoted(each, Space((planes,)))

    def quoted(self, node: tree.String, space: Space) -> None:
        """Take down a name that a condition has in quotes: `link == "Fibre"`."""
        if space.get(node.value):
            span = Span(node.span.source, node.span.start + 1, node.span.end - 1)
            self.mention(tree.Word(node.value, span=span), space)

    def visit_target(self, node: tree.Node | None, where: Where) -> None:
        """Take down a selection: a path, `all …`, a set of them, `A -- B`."""
        match node:
            case tree.Name() | tree.Member() | tree.Index():
                self.path(node, where)
            case tree.LinkBetween() | tree.Binary() | tree.Arrow():
                self.visit_target(node.left, where)
                self.visit_target(node.right, where)
            case _:
                self.visit(node, where)

    # -- calls

    def call(self, node: tree.Call, where: Where) -> None:
        """Take down a call: a measure, a traffic, a function, or a type with arguments."""
        path = dotted_name(node.function)
        definition = where.module.lookup(path) if path else None
        if definition is not None and isinstance(definition.node, tree.TypeDef):
            self.path(node.function, where)
            self.type_arguments(node.args, {definition}, where)
            return
        legal = Space((signature_terms(), *where.values.layers, self.types.named_here(where.module, *TYPES)))
        if isinstance(node.function, tree.Name):
            self.mention(word_of(node.function), legal)
        else:
            self.visit(node.function, where)
        name = ".".join(path)
        self.arguments(node.args, signature_of(name) or MODEL_FUNCTIONS.get(name), where)

    def arguments(self, args: Sequence[tree.Arg], signature: Signature | None, where: Where) -> None:
        """Take down the arguments of a measure, traffic or workload by its signature."""
        names: Layer = {} if signature is None else argument_terms(signature)
        positional = iter(signature.positional if signature is not None else ())
        for arg in args:
            known = None
            if arg.name is not None:
                self.mention(arg.name, Space((names,)))
                known = signature.argument(arg.name.text) if signature is not None else None
            else:
                known = next(positional, None)
            self.argument(arg, known, where if arg.name is not None else self._or_named(where, names))

    def _or_named(self, where: Where, names: Layer) -> Where:
        """Return what is legal where an argument begins: its value, or the name of another one."""
        return evolve(where, values=where.values.beyond(names))

    def argument(self, arg: tree.Arg, known: Argument | None, where: Where) -> None:
        """Take down the value of an argument by what it takes."""
        value = arg.value
        if known is not None and known.dimension is not None:
            self.wanted[value.span.start] = known.dimension
        takes = known.takes if known is not None else None
        if takes is Takes.MODEL:
            self.visit(value, evolve(where, values=Space((self.types.named_here(where.module, tree.ModelDef),))))
        elif takes in (Takes.WORD, Takes.WORDS) and known is not None:
            for item in value.items if isinstance(value, tree.ListExpr) else (value,):
                if isinstance(item, tree.Name | tree.Call):
                    self._word_or_call(item, known, where)
        elif takes is Takes.ORDER and isinstance(value, tree.ListExpr):
            self._order(value, where)
        elif takes is Takes.LEVEL and isinstance(value, tree.Name):
            assemblies = terms("kind", attributes.KINDS_OF_ASSEMBLY)
            self.mention(word_of(value), Space((assemblies, self.types.named_here(where.module, *TYPES))))
        elif takes is Takes.PLANE:
            self.visit(value, evolve(where, values=Space((self.types.named_here(where.module, *PLANES),))))
        elif takes in SUBJECTS or known is None:
            self._selection(value, where)
        else:
            self.visit(value, where)

    def _order(self, value: tree.ListExpr, where: Where) -> None:
        """Take down the axes of a layout, each perhaps along a dimension of the machine."""
        axes = Space((terms("axis", AXES),))
        for item in value.items:
            if isinstance(item, tree.Along):
                self.mention(item.axis, axes)
                self.visit(item.dimension, evolve(where, values=Space(), traffic={}, systems={}, measures={}))
            elif isinstance(item, tree.Name):
                self.mention(word_of(item), axes)

    def _selection(self, value: tree.Node, where: Where) -> None:
        if isinstance(value, tree.Name):
            self.visit(value, where)
        else:
            self.visit_target(value, where)

    def _word_or_call(self, value: tree.Name | tree.Call, known: Argument, where: Where) -> None:
        """Take down one of the words of an argument, which may have arguments of its own: `valiant(via = group)`."""
        registry = None if isinstance(known.words, tuple) else known.words
        docs = {name: registry[name].doc if registry is not None else "" for name in words_of(known)}
        said = value.function if isinstance(value, tree.Call) else value
        if isinstance(said, tree.Name):
            self.mention(word_of(said), Space((terms("word", docs),)))
            if isinstance(value, tree.Call):
                self.arguments(value.args, registry.get(said.text) if registry is not None else None, where)

    # -- types with arguments

    def type_ref(self, ref: tree.TypeRef | None, where: Where, *sorts: type) -> None:
        """Take down a type, protocol or link by its name, with its arguments."""
        if ref is None:
            return
        params = self.types.type_parameters(where.inside) if where.inside is not None else {}
        first = Space((params, self.types.named_here(where.module, *sorts), self._prefixes(where.module)))
        if self._dotted(ref.path, first, where) < len(ref.path):
            return
        self.type_arguments(ref.args, self.types.named(path_text(ref.path), where.module, where.inside), where)

    def type_arguments(self, args: Sequence[tree.Arg], definitions: Iterable[Definition], where: Where) -> None:
        """Take down arguments of a type, or the fields for one cable of a link."""
        named = sorted(definitions, key=_place)
        layers = [self.types.parameters(each) for each in named]
        if any(isinstance(each.node, tree.LinkDef) for each in named):
            layers += [self.types.members(each) for each in named]
            layers.append(attribute_terms("link"))
        names = Space(merged(layers))
        inner = evolve(where, values=where.values.beyond(self.types.named_here(where.module, *TYPES, *PLANES)))
        for arg in args:
            if arg.name is not None:
                self.mention(arg.name, names)
                self.visit(arg.value, inner)
            else:
                self.visit(arg.value, evolve(inner, values=inner.values.beyond(*names.layers)))


SUBJECTS = (Takes.SELECTION, Takes.TRAFFIC, Takes.TRAFFICS, Takes.COLLECTIVE, Takes.WORKLOAD)
AXES = {
    "tensor": "Ranks that share the matrices of a layer.",
    "context": "Ranks that share a sequence.",
    "expert": "Ranks that share the experts of a layer.",
    "data": "Replicas.",
    "pipeline": "Stages.",
}
PORTS = terms("port", {"ports": "All ports of a device."})


def signature_terms() -> Layer:
    """Return the measures, the patterns of traffic, the forms of a workload and the functions of values, as words with
    what they do."""
    return {**measure_terms(), **traffic_terms(), **workload_terms(), **function_terms()}


def measure_terms() -> Layer:
    """Return the measures as words with what they do."""
    return _terms_of("measure", tuple(MEASURES))


def traffic_terms() -> Layer:
    """Return the patterns of traffic as words with what they do."""
    return _terms_of("traffic pattern", tuple(TRAFFICS))


def workload_terms() -> Layer:
    """Return the forms of a workload as words with what they do."""
    return _terms_of("form of a workload", tuple(WORKLOADS))


@cache
def _terms_of(noun: str, names: tuple[str, ...]) -> Layer:
    docs = {name: signature.doc for name in names if (signature := signature_of(name)) is not None}
    return {name: (Term(name, noun, doc, f"{name}("),) for name, doc in docs.items()}


@cache
def function_terms() -> Layer:
    """Return the functions that are worked out of values alone."""
    of_models = {name: (Term(name, "function", of.doc, f"{name}("),) for name, of in MODEL_FUNCTIONS.items()}
    return {name: (Term(name, "function", "", f"{name}("),) for name in FUNCTIONS} | of_models


def argument_terms(signature: Signature) -> Layer:
    """Return the arguments of a signature that are given by name."""
    return {
        each.name: (Term(each.name, "argument", each.doc, f"{each.name} = "),)
        for each in signature.arguments
        if not each.positional
    }


def word_of(node: tree.Name) -> tree.Word:
    """Return a name in an expression as a word."""
    return tree.Word(node.text, span=node.span)


def merged(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Return layers as one, in which a name stands for what it does in each of them."""
    layer_of_all: dict[str, list[Entry]] = {}
    for layer in layers:
        for name, entries in layer.items():
            known = layer_of_all.setdefault(name, [])
            known += [entry for entry in entries if entry not in known]
    return (layer_of_all,) if layer_of_all else ()


def is_field(entries: Sequence[Entry]) -> bool:
    """Return whether entries are fields of a type."""
    return any(isinstance(entry, Symbol) and isinstance(entry.node, tree.Field) for entry in entries)


def _place(definition: Definition) -> tuple[str, int]:
    return (definition.span.source.name, definition.span.start)
