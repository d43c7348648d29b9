"""Models of the text: their fields checked, and the model that they make."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from attrs import define, fields

from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.base.work import LINE, spend
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.ir.plan import Value
from unifiedbus_dsl.semantic.names.model import Definition
from unifiedbus_dsl.semantic.types.link_types import LinkRegistry
from unifiedbus_dsl.semantic.values.evaluate import readers_of_models
from unifiedbus_dsl.semantic.values.scope import Lazy, Scope
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.attributes import attributes
from unifiedbus_dsl.workload.model import Model

NAMES = frozenset(each.name for each in fields(Model))


OwnFields: TypeAlias = "dict[Definition, dict[str, Value] | None]"
"""By model the fields that it states itself, read once for all that extend it; None where one is wrong."""


def read_model(
    definition: Definition, lets: dict[Definition, Lazy], sink: Sink, known: OwnFields | None = None
) -> Model | None:
    """Return the model of a definition; None after a diagnostic. `known` is filled."""
    own = Sink()
    model = _ModelReader(own, lets, {} if known is None else known).model(definition)
    said = {each.code for each in sink} & {"UB0213"}  # of a long chain each model would say it anew
    for each in own:
        if each.code not in said:
            sink.add(each)
    return model


readers_of_models.append(read_model)


@define(eq=False)
class _ModelReader:
    """Reads a model; `sink` has what is wrong with it alone."""

    sink: Sink
    lets: dict[Definition, Lazy]
    known: OwnFields

    def model(self, definition: Definition) -> Model | None:
        values = self._values(definition, ())
        if values is None or self.sink.has_errors:
            return None
        node = definition.node
        assert isinstance(node, tree.ModelDef)
        required = [each.name for each in attributes("model").values() if each.required]
        missing = [name for name in required if name not in values]
        if missing:
            self._incomplete(node, missing)
            return None
        model = Model(**{name: _plain(value) for name, value in values.items() if name in NAMES})  # type: ignore[arg-type]
        return model if self._fits(model, node) else None

    def _values(self, definition: Definition, chain: tuple[Definition, ...]) -> dict[str, Value] | None:
        """Return the fields of a model and of those that it extends."""
        node = definition.node
        assert isinstance(node, tree.ModelDef)
        spend(1)
        scope = Scope(definition.module, lets=self.lets)
        registry = LinkRegistry(self.sink, self.lets, {})
        own = self._own(definition, node, scope)
        if node.base is None or own is None:
            return own
        base = registry.base_of(node, node.base, scope, (*chain, definition))
        if base is None:
            return None
        inherited = self._values(base, (*chain, definition))
        return None if inherited is None else {**inherited, **own}

    def _own(self, definition: Definition, node: tree.ModelDef, scope: Scope) -> dict[str, Value] | None:
        """Return the fields that a model states itself; None where one is wrong, which is said the first time."""
        if definition not in self.known:
            spend(1 + len(node.fields), LINE)
            sink = Sink()
            own = LinkRegistry(sink, self.lets, {}).fields(node.fields, "model", definition.name, scope)
            self.known[definition] = None if sink.has_errors else own
            for each in sink:
                self.sink.add(each)
        return self.known[definition]

    def _incomplete(self, node: tree.ModelDef, missing: list[str]) -> None:
        meaning = attributes("model")[missing[0]].meaning
        listed = ", ".join(f"`{name}`" for name in missing)
        self.sink.error(
            "UB0240",
            f"model `{node.name.text}` states no {listed}",
            node.name.span,
            f"no `{missing[0]}`",
            help=(f"add `{missing[0]} = …`: {meaning[0].lower()}{meaning[1:-1]}",),
        )

    def _fits(self, model: Model, node: tree.ModelDef) -> bool:
        """Return whether the dimensions fit each other; they say so otherwise."""
        for name, wrong, help_line in misfits(model):
            at = next((each.value for each in node.fields if each.name.text == name), node.name)
            self.sink.error("UB0240", f"model `{node.name.text}`: {wrong}", at.span, "does not fit", help=(help_line,))
            return False
        return True


def misfits(model: Model) -> list[tuple[str, str, str]]:
    """Return what of a model's dimensions does not fit: the field, what is wrong, and what to do."""
    faults = []
    if not model.head_dim and model.hidden % model.heads:
        fit = f"{model.hidden:,} elements don't divide among {model.heads:,} heads"
        faults.append(("heads", fit, "state `head_dim`, the elements of a head"))
    if model.heads % model.key_heads:
        fit = f"{model.heads:,} heads don't divide among {model.key_heads:,} heads of keys"
        faults.append(("kv_heads", fit, "each head of keys serves as many heads of queries"))
    if bool(model.experts) != bool(model.expert_ffn) or bool(model.experts) != bool(model.top_k):
        fit = "experts go with `top_k` and `expert_ffn`, and these with `experts`"
        faults.append(("experts", fit, "state all three, or none"))
    if model.top_k > model.experts:
        fit = f"a token is sent to {model.top_k:,} of {model.experts:,} experts"
        faults.append(("top_k", fit, f"`top_k` is at most {model.experts:,}"))
    if model.dense_layers > model.layers:
        fit = f"{model.dense_layers:,} of {model.layers:,} layers are without experts"
        faults.append(("dense_layers", fit, f"`dense_layers` is at most {model.layers:,}"))
    if (model.attention == "mla") != bool(model.kv_rank):
        fit = "`kv_rank` is that of latent attention, and latent attention has one"
        faults.append(("kv_rank", fit, "state `attention = mla` and `kv_rank`, or neither"))
    return faults


def _plain(value: Value) -> int | bool | str:
    if isinstance(value, Quantity):
        return int(Fraction(value.value))
    assert isinstance(value, bool | str)
    return value
