"""The layouts of a workload of the text that are fastest on its system, and each as the text would state it."""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.analysis.evaluators import make_evaluator
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.measures.measure_call import RefusedError
from unifiedbus_dsl.measures.workloads.best_layouts import BestLayouts, best_layouts
from unifiedbus_dsl.measures.workloads.read_workload import read_for_layouts
from unifiedbus_dsl.semantic.select.workloads.layout_text import layout_text
from unifiedbus_dsl.semantic.select.workloads.stated import StatedWorkload
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree


@frozen(eq=False)
class Layouts:
    """The fastest layouts of a workload on the `ends` end points that it runs on."""

    name: str
    system: str
    ends: int
    stated: StatedWorkload
    best: BestLayouts

    def statement(self, number: int) -> str:
        """Return the workload of the text with the layout of a step in place of its own."""
        return f"workload {self.name} of {self.system} = {layout_text(self.stated, self.best.steps[number].asked)}"


def explore_layouts(
    compilation: Compilation, name: str, *, top: int = 10, seconds: float = 60.0, sink: Sink
) -> Layouts | None:
    """Return the layouts of a workload with the least estimates, best first; None after a diagnostic.

    Raises:
        KeyError: no such workload.
    """
    assert compilation.model is not None
    statement = compilation.model.asked(tree.Workload)[name]
    system = statement.of.text
    asker = make_evaluator(compilation, NetworkContext(compilation.fabric(system)), sink)
    node = tree.Name(name, span=statement.name.span)
    asking = tree.Name("step_time", span=node.span)
    call = asker.call(tree.Call(asking, (tree.Arg(None, node, span=node.span),), span=node.span))
    try:
        stated, asked, ends = read_for_layouts(call)
        best = best_layouts(call.machine, ends, asked, top=top, seconds=seconds)
        return Layouts(name, system, len(ends), stated, best)
    except RefusedError:
        return None
    except NotAdmittedError as why:
        sink.error("UB0706", f"`{name}` has no time here: {why}", statement.value.span, "no answer")
        return None
