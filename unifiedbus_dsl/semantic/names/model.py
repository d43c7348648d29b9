"""The model: modules, and what each name in them stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from attrs import field, frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.work import VISITED, spend
from unifiedbus_dsl.syntax import tree

Defining: TypeAlias = tree.TypeDef | tree.FieldsDef | tree.Let
Query: TypeAlias = tree.Traffic | tree.Workload | tree.Analyze | tree.Scenario | tree.Explore | tree.View
BLOCKS = (tree.Analyze, tree.Scenario, tree.Explore, tree.View)
"""The queries that have a block of lines."""
QueryStatement = TypeVar("QueryStatement", bound=Query)

NOUNS: dict[type, str] = {
    tree.TypeDef: "type",
    tree.ProtocolDef: "protocol",
    tree.LinkDef: "link",
    tree.ModelDef: "model",
    tree.Let: "value",
    tree.System: "system",
    tree.Traffic: "traffic",
    tree.Workload: "workload",
    tree.Analyze: "analyze block",
    tree.Scenario: "scenario",
    tree.Explore: "explore block",
    tree.View: "view",
}


@frozen(eq=False)
class Definition:
    """A name of a module: a type, protocol, link or value, with the module whose names its text uses."""

    node: Defining
    module: Module = field(repr=False)

    @property
    def name(self) -> str:
        return self.node.name.text

    @property
    def span(self) -> Span:
        return self.node.name.span

    @property
    def noun(self) -> str:
        return NOUNS[type(self.node)]


@frozen(eq=False)
class Module:
    """One file after binding.

    `names` holds what can be said without a prefix: own definitions and what `use` brought in by name. `prefixes`
    holds modules under the dotted name or alias by which this file reaches them.
    """

    source: Source
    file: tree.File = field(repr=False)
    own: dict[str, Definition] = field(factory=dict, repr=False)
    names: dict[str, Definition] = field(factory=dict, repr=False)
    prefixes: dict[tuple[str, ...], Module] = field(factory=dict, repr=False)
    systems: dict[str, tuple[tree.System, Module]] = field(factory=dict, repr=False)
    questions: dict[str, dict[str, Query]] = field(factory=dict, repr=False)
    """By noun (`traffic`, `workload`, `analyze block`, `scenario`, `explore block`, `view`), then by name."""
    damaged_words: frozenset[str] = frozenset()
    _of_sort: dict[type, Mapping[str, Definition]] = field(factory=dict, repr=False)

    def lookup(self, path: tuple[str, ...]) -> Definition | None:
        """Return the definition that a dotted name stands for, None if there is none."""
        if len(path) == 1:
            return self.names.get(path[0])
        prefix = self.prefixes.get(path[:-1])
        return prefix.own.get(path[-1]) if prefix else None

    def of_sort(self, sort: type) -> Mapping[str, Definition]:
        """Return what of `reachable` is of one sort, such as `tree.LinkDef`."""
        if sort not in self._of_sort:
            self._of_sort[sort] = {name: d for name, d in self.reachable() if isinstance(d.node, sort)}
        return self._of_sort[sort]

    def reachable(self) -> Iterator[tuple[str, Definition]]:
        """Yield everything that can be said here, by the name under which it is said."""
        yield from self.names.items()
        for prefix, module in self.prefixes.items():
            for name, definition in module.own.items():
                yield ".".join((*prefix, name)), definition


@frozen(eq=False, slots=False)
class Model:
    """The main module and all that it uses, the main one first."""

    main: Module
    modules: tuple[Module, ...]

    @cached_property
    def names(self) -> Mapping[Definition, str]:
        """A name for each type, protocol and link that no other one has: its own, with its file where files share it.

        The main file keeps its names. Which others get a suffix depends on the files alone, not on what asks first.
        """
        same: dict[tuple[str, str], list[Definition]] = {}
        for module in sorted(self.modules, key=lambda each: (each is not self.main, each.source.name)):
            for name, definition in module.own.items():
                same.setdefault((definition.noun, name), []).append(definition)
        return {d: name for (_, plain), found in same.items() for d, name in _told_apart(plain, found, self.main)}

    @cached_property
    def _extended(self) -> Mapping[Definition, list[Definition]]:
        """For each type that is extended, those that extend it directly."""
        below: dict[Definition, list[Definition]] = {}
        for definition in self.names:
            base = definition.node.base if isinstance(definition.node, tree.TypeDef) else None
            above = definition.module.lookup(tuple(word.text for word in base.path)) if base is not None else None
            if above is not None:
                below.setdefault(above, []).append(definition)
        return below

    def sort_of(self, definition: Definition) -> frozenset[str]:
        """Return the names of all that are of a type: its own, and those of the types that extend it."""
        definitions = {definition}
        waiting = [definition]
        while waiting:
            more = [each for each in self._extended.get(waiting.pop(), ()) if each not in definitions]
            spend(len(more), VISITED)
            definitions.update(more)
            waiting += more
        return frozenset(self.names[each] for each in definitions)

    @cached_property
    def modules_by_source(self) -> Mapping[Source, Module]:
        return {module.source: module for module in self.modules}

    def asked(self, sort: type[QueryStatement], system: str | None = None) -> Mapping[str, QueryStatement]:
        """Return the questions of the main file of one sort, such as `tree.Scenario`, by name; by default of all
        systems."""
        return self._asked.get((sort, system), {})

    @cached_property
    def _asked(self) -> Mapping[tuple[type, str | None], dict[str, Any]]:
        by_kind: dict[tuple[type, str | None], dict[str, Any]] = {}
        for questions in self.main.questions.values():
            for name, question in questions.items():
                for system in (None, question.of.text):
                    by_kind.setdefault((type(question), system), {})[name] = question
        return by_kind

    @property
    def sources(self) -> Mapping[str, Source]:
        return {module.source.name: module.source for module in self.modules}


def _told_apart(plain: str, found: Sequence[Definition], main: Module) -> Iterator[tuple[Definition, str]]:
    """`Switch` alone, or `Switch@parts`, `Switch@parts-2`, … where several files define it."""
    taken: set[str] = set()
    for definition in found:
        name = plain
        if len(found) > 1 and definition.module is not main:
            name = f"{plain}@{definition.module.source.name.rsplit('/', 1)[-1].removesuffix('.ubus')}"
        number = 2
        while name in taken:
            name, number = f"{name.removesuffix(f'-{number - 1}')}-{number}", number + 1
        taken.add(name)
        yield definition, name
