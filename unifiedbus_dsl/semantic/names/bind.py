"""Bind: from syntax trees to a model in which every name has a meaning.

Loads what `use` names, finds what is defined twice, what is unknown and what is not used. Names whose meaning depends
on a type's arguments (ports of a child whose type is a parameter) are left to the elaboration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import define, field

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Label, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.library import Library
from unifiedbus_dsl.semantic.names.model import NOUNS, Definition, Model, Module, Query
from unifiedbus_dsl.semantic.names.name_check import NameCheck
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse

Read: TypeAlias = Callable[[Source, Sink], tree.File]

MAX_USES = 64
"""How deep files may use each other."""


@define
class _Binder:
    library: Library
    sink: Sink
    read: Read
    modules: dict[Source, Module] = field(factory=dict)
    stack: list[Source] = field(factory=list)

    def module(self, source: Source) -> Module:
        if source in self.modules:
            return self.modules[source]
        file = self.read(source, self.sink)
        words = frozenset().union(*(damage.words for damage in file.damage)) if file.damage else frozenset()
        module = Module(source, file, damaged_words=words)
        self.modules[source] = module
        self.stack.append(source)
        self._define(module)
        for use in file.statements:
            if isinstance(use, tree.Use):
                self._use(module, use)
        self.stack.pop()
        return module

    def _define(self, module: Module) -> None:
        for statement in module.file.statements:
            if isinstance(statement, tree.TypeDef | tree.FieldsDef | tree.Let):
                self._unique(module, Definition(statement, module))
            elif isinstance(statement, tree.System):
                first = module.systems.setdefault(statement.name.text, (statement, module))[0]
                if first is not statement:
                    self._twice(statement.name, first.name, "system")
            elif isinstance(statement, Query):
                noun = NOUNS[type(statement)]
                other = module.questions.setdefault(noun, {}).setdefault(statement.name.text, statement)
                if other is not statement:
                    self._twice(statement.name, other.name, noun)
        module.names.update((name, d) for name, d in module.own.items() if name not in module.damaged_words)

    def _unique(self, module: Module, definition: Definition) -> None:
        first = module.own.setdefault(definition.name, definition)
        if first is not definition:
            self._twice(definition.node.name, first.node.name, definition.noun)
            _damage(module, {definition.name})  # which of the two is meant is not known

    def _twice(self, again: tree.Word, first: tree.Word, noun: str) -> None:
        self.sink.error(
            "UB0202",
            f"{noun} `{again.text}` is defined twice",
            again.span,
            "defined again here",
            labels=(Label(first.span, "first defined here"),),
            help=("rename one of them, or delete it",),
        )

    def _use(self, module: Module, use: tree.Use) -> None:
        source = self.library.find(use, module.source, self.sink)
        if source is None:
            self._poison(module, use)
            return
        if source in self.stack:
            chain = [s.name for s in self.stack[self.stack.index(source) :]] + [source.name]
            self.sink.error(
                "UB0205",
                "files use each other in a circle: " + " -> ".join(chain),
                use.span,
                "closes the circle",
                help=("move what both need into a third file",),
            )
            self._poison(module, use)
            return
        if len(self.stack) >= MAX_USES and source not in self.modules:
            self.sink.error(
                "UB0232",
                f"files use each other more than {MAX_USES} deep",
                use.span,
                "one too deep",
                help=("let the file that needs a definition use the file that has it",),
            )
            self._poison(module, use)
            return
        self._bring(module, use, self.module(source))

    def _poison(self, module: Module, use: tree.Use) -> None:
        """What a failed `use` would have brought in is not unknown: it is not known."""
        words = {word.text for name in use.names for word in (name.alias or name.name,)}
        words |= {use.alias.text} if use.alias else set()
        words |= {use.path[0].text, "std"} if use.path else set()
        damaged = module.damaged_words | words
        if use.file is not None and not use.names and use.alias is None:
            damaged |= {"*"}
        object.__setattr__(module, "damaged_words", damaged)

    def _bring(self, module: Module, use: tree.Use, other: Module) -> None:
        if use.names:
            for name in use.names:
                self._bring_name(module, name, other)
        elif use.alias is not None:
            module.prefixes[(use.alias.text,)] = other
        elif use.path is not None:
            module.prefixes[tuple(word.text for word in use.path)] = other
        else:
            for here, definition in other.own.items():
                self._bring_definition(module, here, definition, use.span)
            for here, system in other.systems.items():
                module.systems.setdefault(here, system)

    def _bring_name(self, module: Module, name: tree.UseName, other: Module) -> None:
        wanted = name.name.text
        here = (name.alias or name.name).text
        if wanted in other.systems:
            module.systems.setdefault(here, other.systems[wanted])
        elif wanted in other.own:
            self._bring_definition(module, here, other.own[wanted], name.span)
        elif wanted not in other.damaged_words:
            guess = did_you_mean(wanted, [*other.own, *other.systems])
            self.sink.error(
                "UB0203",
                f"`{other.source.name}` defines no `{wanted}`",
                name.name.span,
                "not found there",
                labels=(Label(other.own[guess].span, f"`{guess}` is defined here"),) if guess in other.own else (),
                help=(f"did you mean `{guess}`?",) if guess else (),
                fix=rename(name.name.span, guess),
            )
            object.__setattr__(module, "damaged_words", module.damaged_words | {here})

    def _bring_definition(self, module: Module, here: str, definition: Definition, span: Span) -> None:
        first = module.names.setdefault(here, definition)
        if first is not definition:
            self.sink.error(
                "UB0202",
                f"`{here}` is defined twice: here and by `use`",
                span,
                "brings it in",
                labels=(Label(first.span, "also defined here"), Label(definition.span, "and here")),
                help=(f"give one another name: `use {here} as other from …`",),
            )
            module.names.pop(here)
            _damage(module, {here})


def _damage(module: Module, words: set[str]) -> None:
    """Say nothing about these words: they are already in error."""
    object.__setattr__(module, "damaged_words", module.damaged_words | words)


def bind(main: Source, library: Library, sink: Sink, read: Read = parse) -> Model:
    """Parse `main` and all that it uses, and give every name a meaning.

    What is wrong goes to the sink; the model is complete as far as it could be understood. `read` gives the tree of a
    source: who has it already need not parse again.
    """
    binder = _Binder(library, sink, read)
    module = binder.module(main)
    model = Model(module, tuple(binder.modules.values()))
    for each in model.modules:
        NameCheck(each, sink).run()
    return model


def unused(model: Model, sink: Sink) -> None:
    """Warn of what is defined or brought in and never said.

    Not asked where there are errors: a name with a slip in it makes another one look unused.
    """
    for each in model.modules:
        NameCheck(each, sink).unused(is_main=each is model.main)
