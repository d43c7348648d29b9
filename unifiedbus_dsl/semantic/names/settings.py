"""Values given beside a text, as by `--set racks=64`: they stand in place of what the text says.

A name is that of a `let` of the main file, or of a parameter of the types of its systems; with a dot it is a parameter
of one system (`lab.racks`), or a field, `let` or default of a parameter of a type, protocol or link (`UB.lane`). The
value is an expression of the language, checked as if it stood in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs
from attrs import evolve, frozen

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.base.work import spend
from unifiedbus_dsl.diagnostics import Diagnostic, Label, Severity, Sink
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.names.model import Definition, Model
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse
from unifiedbus_dsl.vocabulary import attributes
from unifiedbus_dsl.vocabulary.limits import MAX_EXTENDS

COMPARED = 20
"""Steps of a parameter that is compared with a name."""

SETTING = "--set"
"""The name of the source that a value given beside the text is shown from."""
MOST_NAMED = 8
"""Names that a help line lists."""

_PATH = re.compile(r"\s*[A-Za-z_]\w*\s*(?:\.\s*[A-Za-z_]\w*\s*)*", re.ASCII)
T = TypeVar("T")


@frozen(eq=False)
class Setting:
    """`racks = 64`: what is set, as words with their places, and the value."""

    source: Source
    words: tuple[tree.Word, ...]
    value: tree.Expr

    @property
    def name(self) -> str:
        """`racks`, `lab.racks`."""
        return ".".join(word.text for word in self.words)

    def systems(self, model: Model) -> tuple[str, ...]:
        """Return the systems of which it sets a parameter or field of a part by its path, `lab.rack.plane.n` of one,
        `rack.plane.n` of each; none where it names something else."""
        first = self.words[0].text
        if first in model.main.systems:
            return (first,) if len(self.words) > 2 else ()
        named = model.main.lookup((first,)) is not None
        if named or len(self.words) < 2:
            return ()
        return tuple(name for name in model.main.systems if first in _parts(model, name))

    def line(self, model: Model) -> tree.Set:
        """Return the line of a scenario that sets the same."""
        first, *rest = self.words[1:] if self.words[0].text in model.main.systems else self.words
        target: tree.Expr = tree.Name(first.text, span=first.span)
        for word in rest:
            target = tree.Member(target, word, span=first.span.to(word.span))
        return tree.Set(target, self.value, span=first.span.to(self.value.span))


def read_settings(given: Mapping[str, str], sink: Sink) -> tuple[Setting, ...]:
    """Return the settings, by name with the text of each value; what can't be read is told to the sink and left out."""
    settings = (_read(name, value, sink) for name, value in given.items())
    return tuple(setting for setting in settings if setting is not None)


def _read(name: str, value: str, sink: Sink) -> Setting | None:
    source = Source(SETTING, f"{name}={value}")
    if not _PATH.fullmatch(name):
        message = f"`{name.strip()}` is no name that can be set"
        dotted = "a parameter of a system is `SYSTEM.NAME`, a field of a type or link `TYPE.NAME`, of parts `PART.NAME`"
        help = dotted if "." in name else "write `NAME=VALUE`"
        sink.error("UB0612", message, Span(source, 0, len(name)), "no name", help=(help,))
        return None
    words = tuple(
        tree.Word(word.group(), span=Span(source, word.start(), word.end())) for word in re.finditer(r"\w+", name)
    )
    expression = _expression(source, len(name) + 1, sink)
    return None if expression is None else Setting(source, words, expression)


_BEFORE = "ubus 1\nlet value = "


def _expression(source: Source, start: int, sink: Sink) -> tree.Expr | None:
    """Return the expression that a text holds from an offset to its end; None after a diagnostic."""
    value = source.text[start:]
    read, errors = Source(SETTING, f"{_BEFORE}{value}"), Sink()
    move = _mover(source, start - len(_BEFORE))
    statements = parse(read, errors).statements
    for each in errors:
        if each.severity is Severity.ERROR and each.primary is not None:
            sink.add(Diagnostic(each.code, each.message, move(each.primary), help=each.help))
    if errors.has_errors:
        return None
    first = statements[0] if statements else None
    if len(statements) != 1 or not isinstance(first, tree.Let):
        sink.error("UB0612", "a setting has one value", Span(source, start, len(source.text)), "not one value")
        return None
    return move(first.value)


def _mover(source: Source, shift: int) -> Callable[[T], T]:
    """Return what gives nodes and labels that were read elsewhere their places in a source."""

    def place(span: Span) -> Span:
        end = len(source.text)
        return Span(source, min(max(span.start + shift, 0), end), min(max(span.end + shift, 0), end))

    def move(value: Any) -> Any:
        if isinstance(value, Span):
            return place(value)
        if isinstance(value, tuple):
            return tuple(move(item) for item in value)
        if isinstance(value, tree.Node | Label):
            changes = {field.name: move(getattr(value, field.name)) for field in attrs.fields(type(value))}
            return type(value)(**changes)
        return value

    return move


# ---- what is set ------------------------------------------------------------------------------------------------


def apply(model: Model, settings: tuple[Setting, ...], sink: Sink) -> None:
    """Put the values of settings in place of those in the text; what they find nothing for is told to the sink."""
    for setting in settings:
        if not setting.systems(model) and not _apply(model, setting):
            _finds_nothing(model, setting, sink)


def _apply(model: Model, setting: Setting) -> bool:
    """Return whether a setting found what it names."""
    first, last = setting.words[0], setting.words[-1]
    definition = model.main.lookup((first.text,))
    if len(setting.words) == 1:
        if definition is not None and isinstance(definition.node, tree.Let):
            _change(definition, evolve(definition.node, name=first, value=setting.value))
            return True
        applied = [_set_parameter(model, system, last, setting.value) for system in model.main.systems]
        return any(applied)
    if first.text in model.main.systems:
        return _set_parameter(model, first.text, last, setting.value)
    if definition is None or isinstance(definition.node, tree.Let):
        return False
    changed = _with_member(definition.node, last, setting.value)
    if changed is None:
        return False
    _change(definition, changed)
    return True


def can_set(model: Model, words: tuple[tree.Word, ...]) -> bool:
    """Return whether a dotted name is one that a setting finds; of parts by their path only the first is looked up."""
    first, last = words[0], words[-1]
    definition = model.main.lookup((first.text,))
    own = [system for system in model.main.systems if len(words) == 1 or system == first.text]
    for system in own if len(words) < 3 else ():
        parameters = _parameters(model, system)
        spend(len(parameters), COMPARED)
        if last.text in [parameter.name.text for parameter in parameters]:
            return True
    if len(words) == 1:
        return definition is not None and isinstance(definition.node, tree.Let)
    if Setting(last.span.source, words, tree.Name(last.text, span=last.span)).systems(model):
        return True
    if definition is None or isinstance(definition.node, tree.Let) or len(words) > 2:
        return False
    return _with_member(definition.node, last, tree.Name(last.text, span=last.span)) is not None


def words_for(model: Model, words: tuple[tree.Word, ...]) -> frozenset[str]:
    """Return the words that the language knows as values of the field of a definition, `medium` of a link."""
    definition = model.main.lookup((words[0].text,)) if len(words) == 2 else None
    node = definition.node if definition is not None else None
    if isinstance(node, tree.TypeDef):
        owner = attributes.owner_of(node.kind.text)
    elif isinstance(node, tree.FieldsDef):
        owner = tree.OWNERS[type(node)]
    else:
        return frozenset()
    attribute = attributes.attributes(owner).get(words[1].text)
    return frozenset() if attribute is None else frozenset(attribute.words)


def _change(definition: Definition, node: tree.Node) -> None:
    object.__setattr__(definition, "node", node)


def _parameters(model: Model, system: str) -> tuple[tree.Param, ...]:
    """Return the parameters of the type of a system."""
    node, module = model.main.systems[system]
    definition = module.lookup(tuple(word.text for word in node.type.path))
    return definition.node.params if definition is not None and isinstance(definition.node, tree.TypeDef) else ()


def _parts(model: Model, system: str) -> set[str]:
    """Return the names of the parts of the type of a system, those that it extends another type by among them."""
    node, module = model.main.systems[system]
    parts, path = set[str](), tuple(word.text for word in node.type.path)
    for _ in range(MAX_EXTENDS):
        definition = module.lookup(path)
        if definition is None or not isinstance(definition.node, tree.TypeDef):
            break
        parts |= {each.name.text for each in _instances(definition.node.body)}
        if definition.node.base is None:
            break
        module, path = definition.module, tuple(word.text for word in definition.node.base.path)
    return parts


def _instances(body: Sequence[tree.BodyStatement]) -> Iterator[tree.Instance]:
    for each in body:
        if isinstance(each, tree.Instance):
            yield each
        elif isinstance(each, tree.If):
            yield from _instances(each.then)
            yield from _instances(each.otherwise)


def _set_parameter(model: Model, system: str, word: tree.Word, value: tree.Expr) -> bool:
    """Return whether the type of a system has this parameter, which gets the value."""
    names = [param.name.text for param in _parameters(model, system)]
    if word.text not in names:
        return False
    node, module = model.main.systems[system]
    # what is given by position gets its name, so that the ones after it stay what they are
    named = [
        arg if arg.name is not None or k >= len(names) else evolve(arg, name=tree.Word(names[k], span=arg.span))
        for k, arg in enumerate(node.type.args)
    ]
    kept = [arg for arg in named if arg.name is None or arg.name.text != word.text]
    new = tree.Arg(word, value, span=word.span.to(value.span))
    model.main.systems[system] = (evolve(node, type=evolve(node.type, args=(*kept, new))), module)
    return True


def _with_member(node: tree.Node, word: tree.Word, value: tree.Expr) -> tree.Node | None:
    """Return a definition with another value of a field, `let` or parameter; None where it has none of this name."""
    if isinstance(node, tree.TypeDef):
        if word.text in [param.name.text for param in node.params]:
            changed = {word.text: tree.Param(word, value, span=word.span.to(value.span))}
            return evolve(node, params=tuple(changed.get(param.name.text, param) for param in node.params))
        body = _with_field(node.body, word, value, attributes.owner_of(node.kind.text))
        return None if body is None else evolve(node, body=body)
    if isinstance(node, tree.FieldsDef):
        fields = _with_field(node.fields, word, value, tree.OWNERS[type(node)])
        return None if fields is None else evolve(node, fields=fields)
    return None


def _with_field(statements: tuple[Any, ...], word: tree.Word, value: tree.Expr, owner: str) -> tuple[Any, ...] | None:
    """Return the statements with another value of the field or `let` of a name, which is added where the language knows
    it."""
    named = [each for each in statements if isinstance(each, tree.Field | tree.Let) and each.name.text == word.text]
    if named:
        return tuple(evolve(each, name=word, value=value) if each in named else each for each in statements)
    if word.text not in attributes.attributes(owner):
        return None
    return (*statements, tree.Field(word, value, span=word.span.to(value.span)))


# ---- what is wrong ----------------------------------------------------------------------------------------------


def _names(model: Model) -> Iterator[str]:
    """Yield what can be set by a single name."""
    yield from (name for name, found in model.main.names.items() if isinstance(found.node, tree.Let))
    for system in model.main.systems:
        yield from (param.name.text for param in _parameters(model, system))


def _members(model: Model, name: str) -> Iterator[str]:
    """Yield what can be set of a system or a definition."""
    if name in model.main.systems:
        yield from (param.name.text for param in _parameters(model, name))
        return
    definition = model.main.lookup((name,))
    node = definition.node if definition is not None else None
    if isinstance(node, tree.TypeDef):
        yield from (param.name.text for param in node.params)
        yield from (each.name.text for each in node.body if isinstance(each, tree.Field | tree.Let))
        yield from attributes.attributes(attributes.owner_of(node.kind.text))
    elif isinstance(node, tree.FieldsDef):
        yield from (each.name.text for each in node.fields)
        yield from attributes.attributes(tree.OWNERS[type(node)])


def settable_names(model: Model, words: tuple[tree.Word, ...]) -> tuple[list[str], str, tree.Word]:
    """Return what could stand where a dotted name finds nothing, what stands before it, and the word to blame."""
    word, names, before = words[-1], list(dict.fromkeys(_names(model))), ""
    if len(words) == 2:
        first = words[0]
        names, before = list(dict.fromkeys(_members(model, first.text))), f"{first.text}."
        if not names:
            known = [name for name, _ in model.main.reachable()]
            word, names, before = first, [*model.main.systems, *known], ""
    return names, before, word


def _finds_nothing(model: Model, setting: Setting, sink: Sink) -> None:
    """Say that nothing has the name of a setting, with what was probably meant."""
    names, before, word = settable_names(model, setting.words)
    if {setting.words[0].text, "*"} & model.main.damaged_words:
        return
    guess = did_you_mean(word.text, names)
    some = ", ".join(f"`{before}{name}`" for name in names[:MOST_NAMED]) or "nothing"
    more = "" if len(names) <= MOST_NAMED else f" and {len(names) - MOST_NAMED} more"
    help = f"did you mean `{before}{guess}`?" if guess else f"what can be set here: {some}{more}"
    message = f"the command line sets `{setting.name}`, and there is nothing of this name"
    sink.error("UB0612", message, word.span, "finds nothing", help=(help,))


def noting(diagnostic: Diagnostic, settings: tuple[Setting, ...]) -> Diagnostic:
    """Return an error with a note of what was set beside the text: what is wrong may come of it. One in what was set
    itself can't be mended in a file."""
    if of_settings(diagnostic):
        return evolve(diagnostic, fix=None)
    if not settings or diagnostic.severity is not Severity.ERROR:
        return diagnostic
    said = ", ".join(f"`{setting.source.text}`" for setting in settings)
    return evolve(diagnostic, notes=(*diagnostic.notes, f"set on the command line: {said}"))


def of_settings(diagnostic: Diagnostic) -> bool:
    """Return whether the place to blame is in a value that was given beside the text."""
    return diagnostic.code == "UB0612" or (
        diagnostic.primary is not None and diagnostic.primary.span.source.name == SETTING
    )
