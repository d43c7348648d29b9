"""Who answers about a machine in the words of a compilation, and questions that are given as text."""

from __future__ import annotations

from attrs import evolve

from unifiedbus_dsl.base.source import Source
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.evaluator import MeasureEvaluator
from unifiedbus_dsl.semantic.select.fabric_selection import FabricSelector
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.scope import Scope
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.parse import parse


def evaluator_of(compilation: Compilation, sink: Sink) -> Evaluator:
    """Return an evaluator that knows the names of the main file."""
    model, done = compilation.model, compilation.elaborated
    assert model is not None
    assert done is not None
    return Evaluator(Scope(model.main, lets=done.elaborator.lets), sink)


def make_evaluator(
    compilation: Compilation, machine: NetworkContext, sink: Sink, system: str | None = None, block: str = ""
) -> MeasureEvaluator:
    """Who answers about a machine that is not damaged, by default in the name of its own system, whose traffic and
    workloads can be named."""
    model = compilation.model
    assert model is not None
    name = machine.fabric.plan.system if system is None else system
    selector = FabricSelector.of(machine.fabric, model, evaluator_of(compilation, sink))
    return MeasureEvaluator(
        machine, selector, model.asked(tree.Traffic, name), model.asked(tree.Workload, name), name, block
    )


def naming_all(asker: MeasureEvaluator, compilation: Compilation) -> MeasureEvaluator:
    """Who answers about another system than that of the question: all traffic and workloads of the file can be named,
    whatever system they are of."""
    model = compilation.model
    assert model is not None
    return evolve(asker, traffics=model.asked(tree.Traffic), workloads=model.asked(tree.Workload))


def items_of(text: str, sink: Sink) -> tuple[tree.Measure | tree.Expect | tree.Let, ...]:
    """Return the items of an analyze block given as text; none after a diagnostic about how they are written.

    What the machine is called is no part of the text: its name may be any.
    """
    source = Source("<question>", f"ubus 1\nanalyze question of it {{ {text} }}\n")
    written = Sink()
    statements = parse(source, written).statements
    if len(statements) > 1 and not written.has_errors:
        help = ("separate measures by `;`",)
        written.error("UB0708", "a question is measures and expectations alone", statements[1].span, "here", help=help)
    for each in written:
        sink.add(each)
    blocks = [s for s in statements if isinstance(s, tree.Analyze)]
    return blocks[0].items if blocks and not written.has_errors else ()


def measure_calls(text: str, sink: Sink) -> list[tree.Call]:
    """Return the measures of a text; what else is in it is left out."""
    items = items_of(text, sink)
    return [item.value for item in items if isinstance(item, tree.Measure) and isinstance(item.value, tree.Call)]


def routed_question(measure: str, traffic: str, routing: str) -> tree.Call:
    """`MEASURE(TRAFFIC, routing = ROUTING)` as a call of the language.

    Raises:
        ValueError: the routing is not written as one.
    """
    calls = measure_calls(f"{measure}({traffic}, routing = {routing})", sink := Sink())
    if sink.has_errors or len(calls) != 1 or len(calls[0].args) != 2:
        raise ValueError(f"`{routing}` is not written as a routing is, such as `valiant(via = switch)`")
    return calls[0]
