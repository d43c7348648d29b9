"""The types of a model as texts have them: members, what they extend, and which types a part can be of.

Nothing is evaluated: a part whose type is a parameter may be of each type that some text gives to that parameter. So
names have a meaning in a text with errors too, and in every branch of an `if`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

from attrs import frozen

from unifiedbus_dsl.editor.entries import Entry, Layer, Symbol, real_path, terms
from unifiedbus_dsl.semantic.names.library import path_of_use
from unifiedbus_dsl.semantic.names.model import NOUNS, Definition, Model, Module
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import all_statements, dotted_name, walk
from unifiedbus_dsl.vocabulary import attributes

MEMBER_NOUNS: dict[type, str] = {
    tree.Field: "field",
    tree.PortDecl: "port",
    tree.PortExport: "port",
    tree.Instance: "part",
    tree.Let: "value",
}
ANYWHERE = 4096
"""Types that are looked at below a system, at most: a text that is being written may contain itself."""


@cache
def attribute_terms(owner: str) -> Layer:
    """Return the fields that the compiler itself understands, of a `protocol`, `link`, `device` or `assembly`."""
    return terms("field", {name: known.meaning for name, known in attributes.attributes(owner).items()})


def path_text(path: Iterable[tree.Word]) -> tuple[str, ...]:
    """Return a dotted name as its words."""
    return tuple(word.text for word in path)


@frozen(eq=False, slots=False)
class Types:
    """What the types of a model have in them, worked out once for each text."""

    model: Model

    @cached_property
    def _symbols(self) -> dict[int, Symbol]:
        return {}

    def symbol(
        self,
        word: tree.Word,
        noun: str,
        node: tree.Node,
        owner: tree.Node | None = None,
        definition: Definition | None = None,
        target: Symbol | None = None,
    ) -> Symbol:
        """Return the symbol of a word that defines something, the same each time."""
        symbol = self._symbols.get(id(word))
        if symbol is None:
            symbol = self._symbols[id(word)] = Symbol(word, noun, node, owner, definition, target)
        return symbol

    def of(self, definition: Definition) -> Symbol:
        """Return the symbol of a definition."""
        return self.symbol(definition.node.name, definition.noun, definition.node, None, definition)

    # -- what a type has in it

    @cached_property
    def _members(self) -> dict[Definition, Layer]:
        return {}

    def members(self, definition: Definition) -> Layer:
        """Return the fields, ports, parts and values of a type, what it extends included.

        A name that a type and its base both give stands for both: one takes the place of the other.
        """
        if definition not in self._members:
            layer: dict[str, list[Entry]] = {}
            for each in self.chain(definition):
                for name, symbols in self.own_members(each).items():
                    layer.setdefault(name, []).extend(symbols)
            self._members[definition] = layer
        return self._members[definition]

    def own_members(self, definition: Definition) -> Layer:
        """Return the same of its own text alone."""
        node = definition.node
        layer: dict[str, list[Entry]] = {}
        body: Iterable[tree.Statement] = ()
        if isinstance(node, tree.TypeDef):
            body = all_statements(node.body)
        elif isinstance(node, tree.FieldsDef):
            body = node.fields
        for statement in body:
            noun = MEMBER_NOUNS.get(type(statement))
            if noun is not None:
                word: tree.Word = statement.name  # type: ignore[attr-defined]  # each of them has one
                layer.setdefault(word.text, []).append(self.symbol(word, noun, statement, node, definition))
        return layer

    def chain(self, definition: Definition) -> list[Definition]:
        """Return a definition and what it extends, the nearest first; a circle ends where it closes."""
        chain: list[Definition] = []
        here: Definition | None = definition
        while here is not None and here not in chain:
            chain.append(here)
            base = here.node.base if isinstance(here.node, tree.TypeDef | tree.LinkDef | tree.ModelDef) else None
            here = here.module.lookup(path_text(base.path)) if base is not None else None
        return chain

    def parameters(self, definition: Definition) -> Layer:
        """Return the parameters of a type; a link has none."""
        node = definition.node
        params = node.params if isinstance(node, tree.TypeDef) else ()
        layer: dict[str, list[Entry]] = {}
        for param in params:
            layer.setdefault(param.name.text, []).append(self.symbol(param.name, "parameter", param, node, definition))
        return layer

    def ports(self, definition: Definition) -> Layer:
        """Return the ports of a type alone."""
        return {name: entries for name, entries in self.members(definition).items() if _is(entries, "port")}

    @cached_property
    def parts(self) -> Layer:
        """The parts of all types of the model, by name."""
        layer: dict[str, list[Entry]] = {}
        for module in self.model.modules:
            for definition in module.own.values():
                for name, entries in self.own_members(definition).items():
                    if _is(entries, "part"):
                        layer.setdefault(name, []).extend(entries)
        return layer

    def type_parameters(self, definition: Definition) -> Layer:
        """Return the parameters that can stand for a type, protocol or link: those without another sort of default."""
        return {
            name: entries
            for name, entries in self.parameters(definition).items()
            if not isinstance(
                _default(entries[0]), tree.Number | tree.Quantity | tree.String | tree.ListExpr | tree.Binary
            )
        }

    # -- which type is meant

    def named(self, path: tuple[str, ...], module: Module, inside: Definition | None) -> set[Definition]:
        """Return the types that a name can stand for: one, or all that a parameter is given somewhere."""
        if inside is not None and len(path) == 1 and path[0] in self.parameters(inside):
            return self._given.get((inside, path[0]), set())
        definition = module.lookup(path)
        return {definition} if definition is not None else set()

    @cached_property
    def _given(self) -> dict[tuple[Definition, str], set[Definition]]:
        """The types that each parameter is given: by its default, and wherever its type is named."""
        direct: dict[tuple[Definition, str], set[Definition]] = {}
        passed: dict[tuple[Definition, str], set[tuple[Definition, str]]] = {}
        for module in self.model.modules:
            for statement in module.file.statements:
                inside = module.own.get(statement.name.text) if isinstance(statement, tree.TypeDef) else None
                for key, value in self._arguments(statement, module, inside):
                    for path in _said(value):
                        if inside is not None and len(path) == 1 and path[0] in self.parameters(inside):
                            passed.setdefault(key, set()).add((inside, path[0]))
                        elif (definition := module.lookup(path)) is not None and isinstance(
                            definition.node, tree.TypeDef
                        ):
                            direct.setdefault(key, set()).add(definition)
        return _closure(direct, passed)

    def _arguments(
        self, statement: tree.Statement, module: Module, inside: Definition | None
    ) -> Iterator[tuple[tuple[Definition, str], tree.Expr]]:
        """Yield each argument that a statement gives to a parameter of a type, defaults included."""
        if inside is not None and isinstance(statement, tree.TypeDef):
            for param in statement.params:
                if param.default is not None:
                    yield (inside, param.name.text), param.default
        for node in walk(statement):
            if isinstance(node, tree.TypeRef):
                path = path_text(node.path)
            elif isinstance(node, tree.Call):
                path = dotted_name(node.function)
            else:
                continue
            arguments = module.lookup(path) if path else None
            if arguments is None or not isinstance(arguments.node, tree.TypeDef):
                continue
            names = [param.name.text for param in arguments.node.params]
            for at, arg in enumerate(node.args):
                name = arg.name.text if arg.name else names[at] if at < len(names) else None
                if name is not None:
                    yield (arguments, name), arg.value

    # -- what parts there are below a type

    def part_types(self, entries: Iterable[Entry]) -> set[Definition]:
        """Return the types that the parts among some entries can be of."""
        definitions: set[Definition] = set()
        for entry in entries:
            if isinstance(entry, Symbol) and isinstance(entry.node, tree.Instance) and entry.definition is not None:
                module = entry.definition.module
                for ref in tree.types_of(entry.node.type):
                    definitions |= self.named(path_text(ref.path), module, entry.definition)
        return {each for each in definitions if isinstance(each.node, tree.TypeDef)}

    def below(self, roots: Iterable[Definition]) -> set[Definition]:
        """Return some types and all that can lie in them."""
        definitions = set(roots)
        waiting = list(definitions)
        while waiting and len(definitions) < ANYWHERE:
            inner = {each for entries in self.members(waiting.pop()).values() for each in self.part_types(entries)}
            waiting += inner - definitions
            definitions |= inner
        return definitions

    def of_kind(self, kind: str) -> set[Definition]:
        """Return the types of a kind, such as `npu`, in all files."""
        return {
            definition
            for module in self.model.modules
            for definition in module.own.values()
            if isinstance(definition.node, tree.TypeDef) and definition.node.kind.text == kind
        }

    def named_here(self, module: Module, *sorts: type) -> Layer:
        """Return the definitions of some sorts that a file can name without a prefix, an alias as such."""
        aliases = self.aliases(module)
        return {
            name: (aliases.get(name) or self.of(definition),)
            for name, definition in module.names.items()
            if isinstance(definition.node, sorts)
        }

    def module_of(self, use: tree.Use, importer: Module) -> Module | None:
        """Return the file that a `use` names, as far as it could be read."""
        wanted = Path(path_of_use(use))
        near = None if importer.source.path is None else importer.source.path.parent
        named = [
            module
            for module in self.model.modules
            if (Path(module.source.path or module.source.name)).parts[-len(wanted.parts) :] == wanted.parts
            or (near is not None and module.source.path is not None and _same(near / wanted, module.source.path))
        ]
        beside = [each for each in named if each.source.path is not None and each.source.path.parent == near]
        return next(iter(beside or named), None)

    def aliases(self, module: Module) -> dict[str, Symbol]:
        """Return the names under which a file knows what another file calls otherwise."""
        symbols: dict[str, Symbol] = {}
        for use in module.file.statements:
            if isinstance(use, tree.Use):
                for name in use.names:
                    if name.alias is not None:
                        target = module.names.get(name.alias.text)
                        meant = None if target is None else self.of(target)
                        system = module.systems.get(name.alias.text)
                        if system is not None:
                            meant = self.system(system[0])
                        symbols[name.alias.text] = self.symbol(name.alias, "import", use, None, target, meant)
        return symbols

    def system(self, node: tree.System) -> Symbol:
        """Return the symbol of a system."""
        return self.symbol(node.name, NOUNS[tree.System], node)


def _same(path: Path, other: Path) -> bool:
    return real_path(str(path)) == real_path(str(other))


def _said(value: tree.Expr) -> Iterator[tuple[str, ...]]:
    """Yield the dotted names in an expression that may name a type."""
    for node in walk(value):
        if isinstance(node, tree.Name | tree.Member):
            path = dotted_name(node)
            if path:
                yield path


def _closure(
    direct: dict[tuple[Definition, str], set[Definition]],
    passed: dict[tuple[Definition, str], set[tuple[Definition, str]]],
) -> dict[tuple[Definition, str], set[Definition]]:
    """Return what each parameter is given, once parameters that are handed on are followed."""
    closure = {key: set(value) for key, value in direct.items()}
    changed = True
    while changed:
        changed = False
        for key, sources in passed.items():
            here = closure.setdefault(key, set())
            more = {each for source in sources for each in closure.get(source, ())} - here
            here |= more
            changed |= bool(more)
    return closure


@cache
def kind_terms() -> Layer:
    """Return the kinds of devices and assemblies as words."""
    return {
        **terms("kind", dict.fromkeys(attributes.KINDS_OF_DEVICE, "A kind of device.")),
        **terms("kind", dict.fromkeys(attributes.KINDS_OF_ASSEMBLY, "A kind of assembly.")),
    }


def _default(entry: Entry) -> tree.Expr | None:
    node = entry.node if isinstance(entry, Symbol) else None
    return node.default if isinstance(node, tree.Param) else None


def _is(entries: Iterable[Entry], noun: str) -> bool:
    return any(entry.noun == noun for entry in entries)
