"""Names after `--set`, `vary`, `increasing in` and `decreasing in`: values, parameters, fields along paths of parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unifiedbus_dsl.editor.entries import Entry, Layer, Space, Symbol, terms
from unifiedbus_dsl.editor.expressions import PLANES, TYPES, Expressions, Where, merged
from unifiedbus_dsl.editor.members import attribute_terms
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes

VALUES = (tree.Let,)


class SettableNames:
    """Takes such names down into the mentions of a file."""

    def __init__(self, into: Expressions, file: Where) -> None:
        self.into, self.types, self.file = into, into.types, file
        self.module, self.systems = file.module, file.systems

    def roots_of(self, system: str) -> list[Definition]:
        """Return the types that a system of the file is of."""
        roots = self.module.systems.get(system)
        types = self.into.system_types(roots[0], self.module) if roots is not None else set()
        return [each for each in types if isinstance(each.node, tree.TypeDef)]

    def trends(self, trends: Iterable[tree.Trend], roots: Sequence[Definition]) -> None:
        """Take down the names of `increasing in` and `decreasing in`."""
        for trend in trends:
            for name in trend.names:
                self._settable(name.words, roots)

    def vary(self, item: tree.Vary, roots: Sequence[Definition]) -> None:
        """Take down `vary NAME in VALUES`."""
        owner, attribute = self._settable(item.path, roots), None
        if owner is not None:
            attribute = attributes.attributes(_owner_noun(owner)).get(item.path[-1].text)
        words: Layer = {} if attribute is None else terms("word", attribute.words)
        self.into.visit(item.values, self.file.with_values(words, self.types.named_here(self.module, *TYPES, *PLANES)))

    def _settable(self, words: Sequence[tree.Word], roots: Sequence[Definition]) -> Definition | None:
        """Take down a name as after `--set`; gives back the definition whose field it is, if it is one's."""
        into, types = self.into, self.types
        parameters, parts = (merged(map(each, roots)) for each in (types.parameters, types.members))
        definitions = types.named_here(self.module, *TYPES, *PLANES, *VALUES)
        if len(words) == 1:
            into.mention(words[0], Space((*parameters, *_lets(definitions))).beyond(self.systems, definitions, *parts))
            return None
        into.mention(words[0], Space((definitions, self.systems, *parts)))
        definition = self.module.lookup((words[0].text,))
        held = [definition] if definition is not None else self._held(words[:-1], roots)
        for word in words[1:-1]:
            into.mention(word, Space(parts))
        layers = [layer for each in held for layer in (types.parameters(each), types.members(each))]
        space = Space(merged(layers))
        into.mention(words[-1], space.beyond(*(attribute_terms(_owner_noun(each)) for each in held)))
        return definition

    def _held(self, words: Sequence[tree.Word], roots: Sequence[Definition]) -> list[Definition]:
        """Return the types of the parts that a path leads to, of one system where it begins with one."""
        if words[0].text in self.module.systems:
            held, rest = set(self.roots_of(words[0].text)), words[1:]
        else:
            held, rest = set(roots), words
        for word in rest:
            parts = [self.types.part_types(self.types.members(each).get(word.text, ())) for each in held]
            held = set().union(*parts)
        return sorted(held, key=lambda each: (each.span.source.name, each.span.start))


def _lets(definitions: Layer) -> tuple[Layer, ...]:
    """Return the values among some definitions, which can be set by their name alone."""
    return ({name: entries for name, entries in definitions.items() if _is_let(entries)},)


def _is_let(entries: Sequence[Entry]) -> bool:
    return isinstance(entries[0], Symbol) and entries[0].noun == "value"


def _owner_noun(definition: Definition) -> str:
    """Return what owns the fields of a definition in the table of attributes."""
    node = definition.node
    if isinstance(node, tree.TypeDef):
        return attributes.owner_of(node.kind.text)
    return tree.OWNERS.get(type(node), "")
