"""Name check of a module: what is defined twice, questions of unknown systems, scenarios in a circle, and what is
defined or brought in and never used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from attrs import define

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Edit, Fix, Label, Severity, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.model import Module
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import all_statements, head_names


@define
class NameCheck:
    """The check of the names of a module."""

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
        self._namings()

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
                of = question.of.text
                self._of_system(question.of, f"{noun} `{name}` is of `{of}`, and there is no such system")
                if isinstance(question, tree.Scenario) and question.base is not None:
                    self._base(question, question.base)
                if isinstance(question, tree.Scenario | tree.Analyze | tree.Explore):
                    self._duplicate_words([each.name for each in question.items if isinstance(each, tree.Let)], "name")

    def _namings(self) -> None:
        """Names for the parts of systems that there are not."""
        for node in self.module.file.statements:
            if isinstance(node, tree.Naming):
                what = node.path.span.text.strip()
                self._of_system(node.of, f"`{what}` is named in `{node.of.text}`, and there is no such system")

    def _of_system(self, word: tree.Word, message: str) -> None:
        """Say so where there is no system of that name."""
        systems = self.module.systems
        if word.text in systems or self._quiet(word.text) or self._quiet("system"):
            return
        guess = did_you_mean(word.text, systems)
        self.sink.error(
            "UB0206",
            message,
            word.span,
            "unknown system",
            labels=(Label(systems[guess][0].name.span, "defined here"),) if guess else (),
            help=(f"did you mean `{guess}`?" if guess else f"add `system {word.text} : TYPE`",),
            fix=rename(word.span, guess),
        )

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
    return Fix(f"delete `{span.one_line}`", (Edit(Span(span.source, start, end), ""),))


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
