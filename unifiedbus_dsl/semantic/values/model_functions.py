"""What is worked out of a model of the text alone: its parameters and FLOPs."""

from __future__ import annotations

from collections.abc import Mapping

from unifiedbus_dsl.base.units import number
from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.values.messages import expected_value
from unifiedbus_dsl.semantic.values.values import POISON, EvalValue, is_whole
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.signatures import MODEL_FUNCTIONS
from unifiedbus_dsl.workload.flops import model_flops
from unifiedbus_dsl.workload.model import Model, active_parameters, total_parameters


def apply_model_function(
    sink: Sink, node: tree.Call, name: str, model: Model, named: Mapping[str, tuple[tree.Arg, EvalValue]]
) -> EvalValue:
    """Return the value of a function of a model; POISON after a diagnostic about its arguments."""
    legal = MODEL_FUNCTIONS[name].named
    for word, (arg, _) in named.items():
        if word not in legal:
            guess = did_you_mean(word, legal)
            listed = ", ".join(f"`{each}`" for each in legal) or "no argument by name"
            help = (f"did you mean `{guess}`?" if guess else f"it takes {listed}",)
            span = arg.name.span if arg.name is not None else arg.span
            sink.error(
                "UB0229", f"`{name}` has no argument `{word}`", span, "unknown", help=help, fix=rename(span, guess)
            )
            return POISON
    if name == "parameters":
        return number(total_parameters(model))
    if name == "active_parameters":
        return number(active_parameters(model))
    return _token_flops(sink, node, model, named)


def _token_flops(
    sink: Sink, node: tree.Call, model: Model, named: Mapping[str, tuple[tree.Arg, EvalValue]]
) -> EvalValue:
    if "sequence" not in named:
        help = ("write `token_flops(MODEL, sequence = 4096)`; `causal = true` counts half of the attention",)
        sink.error("UB0229", "`token_flops` needs the tokens of a sequence", node.span, "no `sequence`", help=help)
        return POISON
    arg, sequence = named["sequence"]
    if not is_whole(sequence) or sequence.value < 1:
        return expected_value(sink, arg.value, sequence, "a whole number of tokens")
    arg, causal = named.get("causal", (arg, False))
    if not isinstance(causal, bool):
        return expected_value(sink, arg.value, causal, "a truth value")
    return number(round(model_flops(model, int(sequence.value), causal=causal)))
