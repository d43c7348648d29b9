"""Protocols and links: what lanes and cables are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from attrs import define, evolve, field

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.units import Quantity, format_quantity
from unifiedbus_dsl.diagnostics import Label, Severity, Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Link, Protocol, Value
from unifiedbus_dsl.semantic.connect.ends import Cable
from unifiedbus_dsl.semantic.connect.placement import MAX_METRES
from unifiedbus_dsl.semantic.connect.references import AssemblyScope
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.messages import wrong_dimension
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.semantic.values.values import EvalValue, Interval, Poison, TypeValue, describe, value_text
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary import attributes, foreign
from unifiedbus_dsl.vocabulary.attributes import Attribute
from unifiedbus_dsl.vocabulary.limits import MAX_EXTENDS


@define(eq=False)
class LinkRegistry:
    """The protocols and links of a compilation, each definition understood once.

    `links` also holds those made on the spot by arguments: `Optic(cost = 700 USD)`.
    """

    sink: Sink
    lets: dict[Definition, Lazy]
    names: Mapping[Definition, str]
    protocols: dict[str, Protocol] = field(factory=dict)
    links: dict[str, Link] = field(factory=dict)
    _protocols: dict[Definition, Protocol | None] = field(factory=dict, init=False)
    _links: dict[Definition, Link | None] = field(factory=dict, init=False)

    # -- fields

    def checked(
        self, node: tree.Field, value: EvalValue, known: Mapping[str, Attribute], scope: Scope, owner: str
    ) -> Value | None:
        """Return the value of a field, checked against the table; None if it is not to be used."""
        name = node.name.text
        if isinstance(value, Poison):
            return None
        attribute = known.get(name)
        if attribute is None:
            self._near_miss(node, known, owner)
            return self._own_value(node, value)
        return self._known_value(node.value, value, attribute, scope)

    def _near_miss(self, node: tree.Field, known: Mapping[str, Attribute], owner: str) -> None:
        meant = foreign.FIELDS.get(node.name.text.casefold())
        guess = meant if meant in known else did_you_mean(node.name.text, known)
        if guess is not None and len(node.name.text) >= 4:
            self.sink.error(
                "UB0218",
                f"{owner} gets a field `{node.name.text}` of its own; the compiler knows `{guess}`",
                node.name.span,
                "not a known field",
                help=(f"did you mean `{guess}`?",),
                fix=None if guess == meant else rename(node.name.span, guess),
                severity=Severity.WARNING,
            )

    def _own_value(self, node: tree.Field, value: EvalValue) -> Value | None:
        if isinstance(value, TypeValue | Interval | Poison):
            self.sink.error(
                "UB0311",
                f"a field has a number, a quantity, a text or a list; `{node.name.text}` is {describe(value)}",
                node.value.span,
                f"is {describe(value)}",
                help=_as_part(node) if isinstance(value, TypeValue) else (),
            )
            return None
        return value

    def _known_value(self, node: tree.Expr, value: EvalValue, attribute: Attribute, scope: Scope) -> Value | None:
        if attribute.truth:
            return self._truth(node, value, attribute)
        if attribute.dimension is None:
            if isinstance(value, str) and value in attribute.words:
                return value
            guess = did_you_mean(str(value), attribute.words) if isinstance(value, str) else None
            self.sink.error(
                "UB0307",
                f"`{attribute.name}` is one of " + ", ".join(attribute.words),
                node.span,
                "not one of them",
                help=(f"did you mean `{guess}`?",) if guess else (),
                fix=rename(node.span, guess),
            )
            return None
        if not isinstance(value, Quantity) or value.dimension != attribute.dimension:
            wrong_dimension(self.sink, node, value, attribute.dimension, attribute.name)
            return None
        low, high = attribute.low, attribute.max
        below = low is not None and value.value < low
        if below or (high is not None and value.value > high):
            limits = f"at least {_shown(low, attribute)}" if below else f"at most {_shown(high, attribute)}"
            if attribute.high is not None:
                limits = f"{_shown(low, attribute)} to {_shown(high, attribute)}"
            self.sink.error(
                "UB0308",
                f"`{attribute.name}` is {limits}, found {value_text(value)}",
                node.span,
                "out of range",
                help=(f"as a share it is `{node.text}%`",)
                if attribute.high == 1 and isinstance(node, tree.Number)
                else (),
            )
            return None
        if attribute.whole and not value.is_integer:
            self.sink.error("UB0308", f"`{attribute.name}` is a whole number", node.span, f"is {value_text(value)}")
            return None
        return value

    def _truth(self, node: tree.Expr, value: EvalValue, attribute: Attribute) -> bool | None:
        if isinstance(value, bool):
            return value
        self.sink.error(
            "UB0307",
            f"`{attribute.name}` is true or false, found {describe(value)}",
            node.span,
            "neither",
            help=(f"write `{attribute.name} = true`",),
        )
        return None

    def fields(self, nodes: Iterable[tree.Field], owner: str, name: str, scope: Scope) -> dict[str, Value]:
        known = attributes.attributes(owner)
        values: dict[str, Value] = {}
        for node in nodes:
            words = frozenset(known[node.name.text].words) if node.name.text in known else frozenset()
            value = Evaluator(scope, self.sink, words=words).eval(node.value)
            checked = self.checked(node, value, known, scope, f"{owner} `{name}`")
            if checked is not None:
                values[node.name.text] = checked
        return values

    def understand(self, definition: Definition) -> None:
        """Check a protocol or link that nothing may have asked for."""
        if isinstance(definition.node, tree.ProtocolDef) and definition not in self._protocols:
            self._protocols[definition] = self._protocol(definition)
        elif isinstance(definition.node, tree.LinkDef):
            self._link_of(definition)

    # -- protocols

    def protocol(self, ref: tree.TypeRef, scope: Scope) -> Protocol | None:
        """Return the protocol that a port or link names; None after a diagnostic."""
        definition = self.find(ref, scope, tree.ProtocolDef, "protocol")
        if definition is None:
            return None
        if definition not in self._protocols:
            self._protocols[definition] = self._protocol(definition)
        return self._protocols[definition]

    def _protocol(self, definition: Definition) -> Protocol | None:
        node = definition.node
        assert isinstance(node, tree.ProtocolDef)
        name = self.names[definition]
        fields = self.fields(node.fields, "protocol", name, Scope(definition.module, lets=self.lets))
        lane = fields.get("lane")
        if not isinstance(lane, Quantity):
            damaged = definition.module.file.damaged.any_in(node.span)
            if not damaged and not any(f.name.text == "lane" for f in node.fields):
                self.sink.error(
                    "UB0219",
                    f"protocol `{name}` states no `lane` rate",
                    node.name.span,
                    "no `lane`",
                    help=("add `lane = 112 Gbps`: the raw rate of one lane, each direction",),
                )
            return None
        made = Protocol(
            name, lane.value, _number(fields, "latency", 0), _number(fields, "efficiency", 1), fields, node.name.span
        )
        self.protocols[name] = made
        return made

    def find(self, ref: tree.TypeRef, scope: Scope, sort: type, noun: str) -> Definition | None:
        local = scope.local(ref.path[0].text) if len(ref.path) == 1 else None
        if local is not None:
            return self._given(ref, local, sort, noun)
        definition = scope.definition(tuple(word.text for word in ref.path))
        if definition is not None and isinstance(definition.node, sort):
            return definition
        if definition is not None:
            self.sink.error(
                "UB0604",
                f"`{ref.text}` is a {definition.noun}, and a {noun} is wanted",
                ref.span,
                f"a {definition.noun}",
                labels=(Label(definition.span, "defined here"),),
                help=(f"a link is of a protocol: `link NAME : {ref.text} {{ … }}`",) if noun == "link" else (),
            )
            return None
        if scope.is_quiet(ref.path[0].text) or noun in scope.module.damaged_words:
            return None
        legal = scope.module.of_sort(sort)
        guess = did_you_mean(ref.text, legal)
        self.sink.error(
            "UB0223",
            f"there is no {noun} `{ref.text}`",
            ref.path[0].span.to(ref.path[-1].span),
            f"unknown {noun}",
            labels=(Label(legal[guess].span, f"`{guess}` is defined here"),) if guess else (),
            help=(f"did you mean `{guess}`?",) if guess else _listed(noun, legal),
            fix=rename(ref.path[0].span.to(ref.path[-1].span), guess),
        )
        return None

    def base_of(
        self, node: tree.LinkDef | tree.ModelDef, ref: tree.TypeRef, scope: Scope, chain: tuple[Definition, ...]
    ) -> Definition | None:
        """Return what a definition extends, the last of a `chain` of those that extend it; None after a diagnostic."""
        noun = tree.OWNERS[type(node)]
        base = self.find(ref, scope, type(node), noun)
        if base is not None and base in chain:
            self.sink.error("UB0227", f"{noun} `{node.name.text}` extends itself", ref.span, "extends it again")
            return None
        if base is not None and len(chain) > MAX_EXTENDS:
            if not any(each.code == "UB0213" for each in self.sink):
                message = f"{noun}s extend each other more than {MAX_EXTENDS} deep"
                self.sink.error("UB0213", message, ref.span, "one too deep")
            return None
        return base

    def _given(self, ref: tree.TypeRef, local: Lazy, sort: type, noun: str) -> Definition | None:
        """Return the protocol or link that a parameter stands for: `over link(2 m)` with `link = Optic`."""
        value = local.get(self.sink)
        if isinstance(value, Poison):
            return None
        if isinstance(value, TypeValue) and isinstance(value.definition.node, sort):
            return value.definition
        self.sink.error(
            "UB0604",
            f"`{ref.text}` is {describe(value)}, and a {noun} is wanted",
            ref.span,
            f"is {value_text(value)}",
            labels=(Label(local.span, "defined here"),),
        )
        return None

    # -- links

    def cable(self, over: tree.TypeRef | None, statement: tree.Statement, wall: AssemblyScope) -> Cable | None:
        """Return the link and length that `over` asks for; None after a diagnostic."""
        scope = wall.evaluator.scope
        if over is None:
            legal = list(scope.module.of_sort(tree.LinkDef))
            self.sink.error(
                "UB0513",
                "a cable needs a link to run over",
                statement.span,
                "no `over`",
                help=("write " + " or ".join(f"`over {name}`" for name in legal[:4]),)
                if legal
                else ("define one: `link Copper : UB { medium = copper; reach = 2 m }`, then `over Copper(1 m)`",),
            )
            return None
        definition = self.find(over, scope, tree.LinkDef, "link")
        link = self._link_of(definition) if definition is not None else None
        return self._with_arguments(link, over, wall)

    def _with_arguments(self, link: Link | None, over: tree.TypeRef, wall: AssemblyScope) -> Cable | None:
        """Return the link with the length and the fields given here; those of a link in error are read all the same."""
        length: Fraction | None = None
        fields: dict[str, Value] = {}
        known = attributes.attributes("link")
        for at, arg in enumerate(over.args):
            name = arg.name.text if arg.name else "length" if at == 0 else None
            if name is None:
                self.sink.error(
                    "UB0603", "a link takes its length, then named fields", arg.span, "one too many",
                    help=(f"write `{over.text}(1 m, cost = 20 USD)`",),
                )  # fmt: skip
                return None
            if name == "length":
                length = wall.evaluator.quantity(arg.value, units.LENGTH)
                if length is None or (link is not None and not self._fits(link, length, arg, wall)):
                    return None
                continue
            if name not in known:
                guess = did_you_mean(name, ["length", *known])
                self.sink.error(
                    "UB0602", f"a link has no field `{name}`", arg.span, "unknown field",
                    help=(f"did you mean `{guess}`?",) if guess else (),
                    fix=rename(arg.name.span, guess) if arg.name else None,
                )  # fmt: skip
                return None
            value = Evaluator(wall.evaluator.scope, self.sink, words=frozenset(known[name].words)).eval(arg.value)
            checked = (
                None
                if isinstance(value, Poison)
                else self._known_value(arg.value, value, known[name], wall.evaluator.scope)
            )
            if checked is None:
                return None
            fields[name] = checked
        return None if link is None else self._cable(self._variant(link, fields), length, over.span)

    def _cable(self, link: Link, length: Fraction | None, span: Span) -> Cable:
        lanes = {name: protocol.lane_rate for name, protocol in self.protocols.items()}
        return Cable(link, length, span, lanes, self._carried)

    def _carried(self, link: Link, protocol: str) -> Link:
        """Return the link as it runs at the speed of another protocol."""
        if link.protocol == protocol:
            return link
        made = evolve(link, name=f"{link.name} at {protocol}", protocol=protocol)
        return self.links.setdefault(made.name, made)

    def _variant(self, link: Link, fields: dict[str, Value]) -> Link:
        if not fields:
            return link
        text = ", ".join(f"{name} = {value_text(value)}" for name, value in sorted(fields.items()))
        made = evolve(link, name=f"{link.name}({text})", fields=dict(sorted({**link.fields, **fields}.items())))
        return self.links.setdefault(made.name, made)

    def _fits(self, link: Link, length: Fraction, arg: tree.Arg, wall: AssemblyScope) -> bool:
        if length <= 0:
            self.sink.error("UB0308", "a cable is longer than 0 m", arg.span, "no length")
            return False
        if length > MAX_METRES:
            self.sink.error("UB0308", f"a cable is at most {MAX_METRES:,} m long", arg.span, "too long")
            return False
        reach = link.fields.get("reach")
        if not isinstance(reach, Quantity) or length <= reach.value:
            return True
        self.sink.error(
            "UB0504",
            f"a cable of {format_quantity(Quantity(length, units.LENGTH))} is beyond the reach of `{link.name}`",
            arg.span,
            f"`{link.name}` reaches {format_quantity(reach)}",
            labels=(Label(link.span, "defined here"),) if link.span else (),
            help=self.reaching(link, length, wall.evaluator.scope),
        )
        return False

    def reaching(self, link: Link, length: Fraction, scope: Scope) -> tuple[str, ...]:
        """Return a help line that names the links of the same protocol that do reach."""
        names = []
        for name, definition in scope.module.reachable():
            if isinstance(definition.node, tree.LinkDef):
                other = self._link_of(definition)
                if other is not None and other.protocol == link.protocol:
                    reach = other.fields.get("reach")
                    if not isinstance(reach, Quantity) or reach.value >= length:
                        names.append(f"`{name}`")
        return ("links that reach: " + ", ".join(names),) if names else ()

    def _link_of(self, definition: Definition, chain: tuple[Definition, ...] = ()) -> Link | None:
        if definition not in self._links:
            self._links[definition] = self._link(definition, chain)
        return self._links[definition]

    def _without_protocol(self, node: tree.LinkDef, scope: Scope) -> None:
        """Say that a link names no protocol, and which one its fields or the file suggest."""
        of_file = [name for name, d in scope.module.reachable() if isinstance(d.node, tree.ProtocolDef)]
        in_fields = [f for f in node.fields if isinstance(f.value, tree.Name) and f.value.text in of_file]
        meant = in_fields[0].value.span.text.strip() if in_fields else of_file[0] if of_file else "UB"
        self.sink.error(
            "UB0228",
            f"link `{node.name.text}` names no protocol",
            node.name.span,
            "no protocol",
            labels=tuple(Label(each.span, "no field") for each in in_fields[:1]),
            help=(f"write `link {node.name.text} : {meant} {{ … }}`",),
        )

    def _link(self, definition: Definition, chain: tuple[Definition, ...]) -> Link | None:
        node = definition.node
        assert isinstance(node, tree.LinkDef)
        scope = Scope(definition.module, lets=self.lets)
        name = self.names[definition]
        if node.base is None and node.protocol is None:
            self._without_protocol(node, scope)
            return None
        own = self.fields(node.fields, "link", name, scope)
        inherited: dict[str, Value] = {}
        protocol: str | None = None
        if node.base is not None:
            base = self.base_of(node, node.base, scope, (*chain, definition))
            if base is None:
                return None
            parent = self._link_of(base, (*chain, definition))
            if parent is None:
                return None
            inherited, protocol = dict(parent.fields), parent.protocol
        if node.protocol is not None:
            link = self.protocol(node.protocol, scope)
            if link is None:
                return None
            protocol = link.name
        assert protocol is not None  # its own, or that of what it extends
        made = Link(name, protocol, dict(sorted({**inherited, **own}.items())), node.name.span)
        self.links[name] = made
        return made


def _number(fields: Mapping[str, Value], name: str, default: int) -> Fraction:
    value = fields.get(name)
    return value.value if isinstance(value, Quantity) else Fraction(default)


def _shown(value: Fraction | None, attribute: Attribute) -> str:
    assert attribute.dimension is not None
    return value_text(Quantity(value, attribute.dimension)) if value else "0"


def _listed(noun: str, legal: Mapping[str, Definition]) -> tuple[str, ...]:
    if legal:
        return (f"{noun}s known here: " + ", ".join(f"`{name}`" for name in list(legal)[:8]),)
    example = {
        "protocol": "protocol UB { lane = 112 Gbps; latency = 100 ns }",
        "link": "link Copper : UB { medium = copper; reach = 2 m }",
        "model": "model Small { layers = 32; hidden = 4096; heads = 32; ffn = 14336; vocab = 32000 }",
    }
    return (f"define one: `{example[noun]}`",)


def _as_part(node: tree.Field) -> tuple[str, ...]:
    """Return how a part is written, for a field that was given a type."""
    made = node.value.span.one_line.removesuffix("()")
    return (
        f"a part has its type behind `:`: `{node.name.text} : {made}`, and how many there are in brackets:"
        f" `{node.name.text}[8] : {made}`",
    )
