"""Bind: from syntax trees to a model in which every name has a meaning.

Loads what `use` names, finds what is defined twice, what is unknown and what is not used. Names whose meaning depends
on a type's arguments (ports of a child whose type is a parameter) are left to the elaboration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol as Interface
from typing import TypeAlias

import attrs
from attrs import define, field, frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.diagnostics import Edit, Fix, Label, Severity, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.model import NOUNS, Definition, Model, Module
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.load import begins_as_text, is_file, unreadable
from unifiedbus_dsl.syntax.parse import parse

Read: TypeAlias = Callable[[Source, Sink], tree.File]

MAX_USES = 64
"""How deep files may use each other."""


class Library(Interface):
    """Where `use` finds texts."""

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        """Return the text that a `use` names; None after a diagnostic. The same file gives the same Source each
        time."""


@frozen
class FileLibrary:
    """Files: beside the importing file, then in the search folders, then among the specs that come along.

    `read` loads a file and reports what is wrong with it.
    """

    folders: tuple[Path, ...]
    read: Callable[[Path, Sink], Source | None]
    _known: dict[Path, Source | None] = field(factory=dict, eq=False)

    def know(self, source: Source) -> None:
        """A file that is read already: one that uses it meets the same text again."""
        if source.path is not None:
            self._known[source.path.resolve()] = source

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        wanted = path_of_use(use)
        beside = (importer.path.parent,) if importer.path else ()
        for folder in (*beside, *self.folders):
            path = folder / wanted
            if is_file(path):
                return self._read(path, use, sink)
        report_missing_file(use, [str(folder) for folder in (*beside, *self.folders)], self._near(wanted, beside), sink)
        return None

    def _read(self, path: Path, use: tree.Use, sink: Sink) -> Source | None:
        """Return the text of a file that is there; None after a diagnostic, which shows nothing of what is no text of
        ours."""
        span = use.file.span if use.file else use.path[0].span.to(use.path[-1].span)  # type: ignore[index]
        reason = unreadable(path, (".ubus",))
        if reason is not None:
            sink.error("UB0204", f"can't use `{path_of_use(use)}`: {reason}", span, "not read")
            return None
        key = path.resolve()
        if key not in self._known:
            source = self.read(path, sink)
            if source is not None and not begins_as_text(source.text):
                message = f"can't use `{path_of_use(use)}`: it does not begin with `ubus 1`"
                sink.error("UB0204", message, span, "no text of this language")
                source = None
            self._known[key] = source
        return self._known[key]

    def _near(self, wanted: str, beside: tuple[Path, ...]) -> list[str]:
        parent = Path(wanted).parent
        near: list[str] = []
        for folder in (*beside, *self.folders):
            with suppress(OSError, ValueError):  # the path of a folder that can't be one
                near += [str(parent / p.name) if parent.name else p.name for p in (folder / parent).glob("*.ubus")]
                near += [f"std/{wanted}"] if (folder / "std" / wanted).is_file() else []
        return near


@frozen
class TextLibrary:
    """Texts given by name, then another library."""

    sources: Mapping[str, Source]
    rest: Library

    def find(self, use: tree.Use, importer: Source, sink: Sink) -> Source | None:
        source = self.sources.get(path_of_use(use))
        return source if source is not None else self.rest.find(use, importer, sink)


def path_of_use(use: tree.Use) -> str:
    """Return the relative file name that a `use` asks for: `std.clos` is `std/clos.ubus`."""
    if use.file is not None:
        return use.file.value
    assert use.path is not None
    return "/".join(word.text for word in use.path) + ".ubus"


def report_missing_file(use: tree.Use, folders: list[str], near: list[str], sink: Sink) -> None:
    span = use.file.span if use.file else use.path[0].span.to(use.path[-1].span)  # type: ignore[index]
    wanted = path_of_use(use)
    guess = did_you_mean(wanted, near)
    if guess and use.file is None:
        guess = guess.removesuffix(".ubus").replace("/", ".")
    sink.error(
        "UB0204",
        f"no file `{wanted}` to use",
        span,
        "not found",
        notes=("looked in " + ", ".join(folders or ["no folder"]),),
        help=(f"did you mean `{guess}`?",) if guess else ("`-I FOLDER` adds a folder to look in",),
        # another file is only suggested: its text may be quite another thing
    )


# ---- modules ----------------------------------------------------------------------------------------------------


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
            elif isinstance(statement, tree.Traffic | tree.Analyze | tree.Scenario | tree.View):
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


# ---- names ------------------------------------------------------------------------------------------------------


def children(node: tree.Node) -> Iterator[tree.Node]:
    """Yield the nodes directly below a node."""
    for name in _field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, tree.Node):
            yield value
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, tree.Node))


def _field_names(kind: type[tree.Node]) -> tuple[str, ...]:
    if kind not in _FIELD_NAMES:
        _FIELD_NAMES[kind] = tuple(attribute.name for attribute in attrs.fields(kind))
    return _FIELD_NAMES[kind]


_FIELD_NAMES: dict[type, tuple[str, ...]] = {}


def walk(node: tree.Node) -> Iterator[tree.Node]:
    """Yield a node and all below it."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(children(here))


def all_statements(body: tuple[tree.BodyStatement, ...]) -> Iterator[tree.BodyStatement]:
    """Yield the statements of a body, those inside `if` included."""
    for statement in body:
        yield statement
        if isinstance(statement, tree.If):
            yield from all_statements(statement.then)
            yield from all_statements(statement.otherwise)


def head_names(node: tree.Node) -> Iterator[tuple[str, ...]]:
    """Yield every name that is said below a node, as far as it is a dotted path of words."""
    for each in walk(node):
        if isinstance(each, tree.Name):
            yield (each.text,)
        elif isinstance(each, tree.TypeRef | tree.All):
            yield tuple(word.text for word in each.path)
        elif isinstance(each, tree.Member):
            path = dotted_name(each)
            if path:
                yield path
        elif isinstance(each, tree.Traffic | tree.Analyze | tree.Scenario | tree.View):
            yield (each.of.text,)


def dotted_name(node: tree.Node) -> tuple[str, ...]:
    if isinstance(node, tree.Name):
        return (node.text,)
    if isinstance(node, tree.Member):
        base = dotted_name(node.base)
        return (*base, node.name.text) if base else ()
    return ()


@define
class NameCheck:
    """What a module says that it has not defined, and defines that it does not say."""

    module: Module
    sink: Sink

    def run(self) -> None:
        """What is defined twice, and questions of unknown systems."""
        for statement in self.module.file.statements:
            if isinstance(statement, tree.TypeDef):
                self._type(statement)
            elif isinstance(statement, tree.FieldsDef):
                self._duplicates(statement.fields)
        self._questions()

    def unused(self, *, is_main: bool) -> None:
        """Definitions, parameters, local values and imports that nothing says."""
        for statement in self.module.file.statements:
            if isinstance(statement, tree.TypeDef):
                self._unused_locals(statement)
        if is_main:
            self._unused_definitions()
        self._unused_imports()

    # -- inside types

    def _type(self, node: tree.TypeDef) -> None:
        self._duplicate_words([param.name for param in node.params], "parameter")
        self._duplicates(node.body)
        params = {param.name.text: param.name for param in node.params}
        for statement in all_statements(node.body):
            if isinstance(statement, tree.Let) and statement.name.text in params:
                self._twice(statement.name, params[statement.name.text], "parameter")

    def _damaged(self, node: tree.Node) -> bool:
        return self.module.file.damaged.any_in(node.span)

    def _duplicates(self, body: tuple[tree.BodyStatement, ...] | tuple[tree.Field, ...]) -> None:
        """Members of one name. The two branches of an `if` may define the same one."""
        self._duplicate_members(body, {})

    def _duplicate_members(
        self, body: tuple[tree.BodyStatement, ...] | tuple[tree.Field, ...], around: dict[str, tree.Word]
    ) -> None:
        """The same among the members of a body and those `around` it, which are left as they were."""
        own = []
        for word in filter(None, map(_member_name, body)):
            seen = around.setdefault(word.text, word)
            if seen is word:
                own.append(word.text)
            else:
                first, again = sorted((seen, word), key=lambda w: w.span.start)
                self._twice(again, first, "name")
        for statement in body:
            if isinstance(statement, tree.If):
                self._duplicate_members(statement.then, around)
                self._duplicate_members(statement.otherwise, around)
        for name in own:
            del around[name]

    def _duplicate_words(self, words: list[tree.Word], noun: str) -> None:
        first: dict[str, tree.Word] = {}
        for word in sorted(words, key=lambda w: w.span.start):
            seen = first.setdefault(word.text, word)
            if seen is not word:
                self._twice(word, seen, noun)

    def _twice(self, word: tree.Word, first: tree.Word, noun: str) -> None:
        self.sink.error(
            "UB0202",
            f"{noun} `{word.text}` is defined twice",
            word.span,
            "defined again here",
            labels=(Label(first.span, "first defined here"),),
            help=("rename one of them, or delete it",),
        )

    def _unused_locals(self, node: tree.TypeDef) -> None:
        if self._damaged(node):
            return
        said = {path[0] for path in head_names(node)}
        for param in node.params:
            if param.name.text not in said:
                self._unused(param.name, f"parameter `{param.name.text}` of `{node.name.text}` is never used")
        for statement in all_statements(node.body):
            if isinstance(statement, tree.Let) and statement.name.text not in said:
                self._unused(statement.name, f"`let {statement.name.text}` is never used", fix=delete_line(statement))

    def _unused(self, word: tree.Word, message: str, code: str = "UB0208", fix: Fix | None = None) -> None:
        self.sink.error(
            code, message, word.span, "not used", severity=Severity.WARNING, help=("delete it, or use it",), fix=fix
        )

    # -- systems, questions and what is not used

    def _questions(self) -> None:
        module = self.module
        for noun, questions in module.questions.items():
            for name, question in questions.items():
                if question.of.text not in module.systems and not (
                    self._quiet(question.of.text) or self._quiet("system")
                ):
                    guess = did_you_mean(question.of.text, module.systems)
                    self.sink.error(
                        "UB0206",
                        f"{noun} `{name}` is of `{question.of.text}`, and there is no such system",
                        question.of.span,
                        "unknown system",
                        labels=(Label(module.systems[guess][0].name.span, "defined here"),) if guess else (),
                        help=(f"did you mean `{guess}`?" if guess else f"add `system {question.of.text} : TYPE`",),
                        fix=rename(question.of.span, guess),
                    )
                if isinstance(question, tree.Scenario) and question.base is not None:
                    self._base(question, question.base)
                if isinstance(question, tree.Scenario | tree.Analyze):
                    self._duplicate_words([each.name for each in question.items if isinstance(each, tree.Let)], "name")

    def _base(self, scenario: tree.Scenario, base: tree.Word) -> None:
        known = self.module.questions["scenario"]
        if base.text in known:
            if not self._circle(scenario, base) and known[base.text].of.text != scenario.of.text:
                self.sink.error(
                    "UB0225",
                    f"scenario `{scenario.name.text}` is of `{scenario.of.text}`, and `{base.text}` is of "
                    f"`{known[base.text].of.text}`",
                    base.span,
                    "of another system",
                    labels=(Label(known[base.text].of.span, "of this one"),),
                    help=("a scenario extends one of the same system: write its lines here",),
                )
            return
        if self._quiet(base.text):
            return
        guess = did_you_mean(base.text, [name for name in known if name != scenario.name.text])
        self.sink.error(
            "UB0225",
            f"scenario `{scenario.name.text}` extends `{base.text}`, and there is no such scenario",
            base.span,
            "unknown scenario",
            help=(f"did you mean `{guess}`?",) if guess else (),
            fix=rename(base.span, guess),
        )

    def _circle(self, scenario: tree.Scenario, base: tree.Word) -> bool:
        """Return whether what a scenario extends leads back to it; said where the first scenario of the circle
        stands."""
        circle = self._circles.get(scenario.name.text, ())
        known = self.module.questions["scenario"]
        if circle and scenario.name.span.start == min(known[name].name.span.start for name in circle):
            at = circle.index(scenario.name.text)
            names = " -> ".join((*circle[at:], *circle[: at + 1]))
            message = f"scenario `{scenario.name.text}` extends itself: {names}"
            self.sink.error("UB0227", message, base.span, "extends it again")
        return bool(circle)

    @cached_property
    def _circles(self) -> dict[str, tuple[str, ...]]:
        scenarios = self.module.questions["scenario"].items()
        return _circles({name: s.base.text for name, s in scenarios if isinstance(s, tree.Scenario) and s.base})

    def _quiet(self, word: str) -> bool:
        return bool({word, "*"} & self.module.damaged_words)

    def _said(self) -> set[str]:
        """First words of every name said outside the statement that defines it."""
        said: set[str] = set()
        for statement in self.module.file.statements:
            own = statement.name.text if isinstance(statement, tree.TypeDef) else None
            said |= {path[0] for path in head_names(statement) if path[0] != own}
        return said | self.module.damaged_words

    def _unused_definitions(self) -> None:
        if not self.module.systems or self.module.file.damage:
            return  # a file without a system is a library: its definitions are for others
        said = self._said()
        for name, definition in self.module.own.items():
            if name not in said:
                fix = delete_line(definition.node) if isinstance(definition.node, tree.Let) else None
                self._unused(definition.node.name, f"{definition.noun} `{name}` is never used", fix=fix)

    def _unused_imports(self) -> None:
        if self.module.file.damage:
            return
        said = {
            path[:k]
            for statement in self.module.file.statements
            for path in head_names(statement)
            for k in range(1, len(path) + 1)
        }
        for use in self.module.file.statements:
            if not isinstance(use, tree.Use):
                continue
            for name in use.names:
                word = name.alias or name.name
                if (word.text,) not in said:
                    self._unused(word, f"`{word.text}` is brought in and never used", "UB0226", _unbring(use, name))
            if use.names:
                continue
            if use.alias is not None or use.path is not None:
                prefix = (use.alias.text,) if use.alias else tuple(word.text for word in use.path or ())
                if prefix not in said and not self._quiet(prefix[0]):
                    last = use.alias or use.path[-1]  # type: ignore[index]
                    said_as = ".".join(prefix)
                    self._unused(last, f"`{said_as}` is brought in and never used", "UB0226", delete_line(use))


def delete_line(statement: tree.Statement) -> Fix:
    """Take a statement away, with its line where nothing else stands on it."""
    span = statement.span
    text = span.source.text
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    end = len(text) if end < 0 else end + 1
    alone = not text[start : span.start].strip() and not text[span.end : end].split("#")[0].strip()
    if not alone:
        start, end = span.start, span.end
        rest = text[end:].lstrip(" \t")
        if rest.startswith(";"):
            end = len(text) - len(rest.removeprefix(";").lstrip(" \t"))
    return Fix(f"delete `{' '.join(span.text.split())}`", (Edit(Span(span.source, start, end), ""),))


def _unbring(use: tree.Use, name: tree.UseName) -> Fix:
    """Take a name off a `use`, or the whole of it where it brings in nothing else."""
    if len(use.names) == 1:
        return delete_line(use)
    at = use.names.index(name)
    if at:
        start, end = use.names[at - 1].span.end, name.span.end
    else:
        start, end = name.span.start, use.names[1].span.start
    return Fix(f"leave `{name.name.text}` out", (Edit(Span(name.span.source, start, end), ""),))


def _member_name(statement: tree.Statement) -> tree.Word | None:
    if isinstance(statement, tree.Field | tree.PortDecl | tree.PortExport | tree.Instance | tree.Let):
        return statement.name
    return None


def _circles(leads_to: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the circles of names that lead from one to the next, in that order, by each name that is on one."""
    circle_of: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for name in leads_to:
        path: dict[str, int] = {}
        here = name
        while here in leads_to and here not in seen:
            seen.add(here)
            path[here] = len(path)
            here = leads_to[here]
        if here in path:
            circle = tuple(path)[path[here] :]
            circle_of.update(dict.fromkeys(circle, circle))
    return circle_of
