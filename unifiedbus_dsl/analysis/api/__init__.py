"""Ask a fabric from Python: each measure of the language is a function here, and gives a frozen result in NumPy.

    from unifiedbus_dsl import solve

    solve.throughput(fabric, "alltoall(all npu, within = rack)", routing="ecmp").mean_Bps
    solve.hops(fabric, "all npu").largest

Selections, traffic and routings are said as in the language, and a wrong one raises `QuestionError` with what the
language says about it. Columns are those of the fabric: see `unifiedbus_dsl.measures.results`.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from keyword import iskeyword

from unifiedbus_dsl.analysis.api.asking import QuestionError, answered, measure
from unifiedbus_dsl.analysis.api.collectives import availability, mtbf, optimal_time, sweep, time
from unifiedbus_dsl.analysis.api.pairs import connected, diameter, disjoint_paths, hops, latency, paths, reachable
from unifiedbus_dsl.analysis.api.parts import bisection, oversubscription, tiers
from unifiedbus_dsl.analysis.api.traffic import deadlock_free, fair, loads, throughput
from unifiedbus_dsl.analysis.api.workloads import best_layouts, serving_step, training_step
from unifiedbus_dsl.analysis.build_call import check_text
from unifiedbus_dsl.ir.fabric import Fabric
from unifiedbus_dsl.measures import results
from unifiedbus_dsl.measures.answers import Answer
from unifiedbus_dsl.measures.reference import argument_text
from unifiedbus_dsl.measures.registry import Measure, measure_named
from unifiedbus_dsl.vocabulary.signatures import Argument

__all__ = [
    "QuestionError",
    "availability",
    "best_layouts",
    "bisection",
    "connected",
    "deadlock_free",
    "diameter",
    "disjoint_paths",
    "fair",
    "hops",
    "latency",
    "loads",
    "measure",
    "mtbf",
    "optimal_time",
    "oversubscription",
    "paths",
    "reachable",
    "results",
    "serving_step",
    "sweep",
    "throughput",
    "tiers",
    "time",
    "training_step",
]


def __getattr__(name: str) -> Callable[..., Answer]:
    """Return each other measure that is registered, with its arguments by name in SI units."""
    measure = measure_named(name)
    if measure is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    positional = [each.name for each in measure.positional]

    def ask(fabric: Fabric, *texts: str, **named: object) -> Answer:
        if len(texts) > len(positional):
            raise TypeError(f"`{name}` takes {len(positional)} text(s) by position, not {len(texts)}")
        for text in texts:
            check_text(name, text)
        unknown = [word for word in named if word.removesuffix("_") not in measure.named]
        if unknown:
            raise TypeError(f"`{name}` has no argument `{unknown[0]}`; it takes {', '.join(measure.named) or 'none'}")
        return answered(fabric, name, ", ".join(texts), **named)

    ask.__name__, ask.__doc__ = name, _doc(measure)
    ask.__signature__ = _signature(measure)  # type: ignore[attr-defined]
    return ask


def _signature(measure: Measure) -> Signature:
    """Return how a measure is called from Python: its texts by position, its other arguments by name."""
    texts = [
        Parameter(each.name, Parameter.POSITIONAL_ONLY, default="" if each.default else Parameter.empty, annotation=str)
        for each in measure.positional
    ]
    named = [
        Parameter(_python_name(each), Parameter.KEYWORD_ONLY, default=Parameter.empty if each.required else None)
        for each in measure.arguments
        if not each.positional
    ]
    fabric = Parameter("fabric", Parameter.POSITIONAL_ONLY, annotation=Fabric)
    return Signature([fabric, *texts, *named], return_annotation=Answer)


def _python_name(argument: Argument) -> str:
    return f"{argument.name}_" if iskeyword(argument.name) else argument.name


def _doc(measure: Measure) -> str:
    """Return the docstring of a measure: its sentence, and what its arguments are."""
    told = [
        ("fabric", "the machine."),
        *((_python_name(each), argument_text(each) + ".") for each in measure.arguments),
    ]
    lines = [f"    {name}: {text}" for name, text in told]
    return "\n".join(
        (f"Return {measure.doc}.", "", "Args:", *lines, "", "Raises:", "    QuestionError: no answer.", "")
    )
