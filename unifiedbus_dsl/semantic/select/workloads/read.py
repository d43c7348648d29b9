"""Reading the workload of a statement or of a question."""

from __future__ import annotations

from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.semantic.select.arguments import check_arguments
from unifiedbus_dsl.semantic.select.workloads.call import NotReadError, WorkloadCall
from unifiedbus_dsl.semantic.select.workloads.forms import form_named
from unifiedbus_dsl.semantic.select.workloads.stated import StatedWorkload
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name
from unifiedbus_dsl.vocabulary import foreign
from unifiedbus_dsl.vocabulary.signatures import TRAFFICS, WORKLOADS
from unifiedbus_dsl.workload.legality import Misfit


def read_workload(node: tree.Expr, evaluator: Evaluator) -> StatedWorkload | None:
    """Return the workload that an expression states; None after a diagnostic."""
    sink = evaluator.sink
    if not isinstance(node, tree.Call):
        help = ("write `train(MODEL, batch = 1024, sequence = 4096, tensor = 8)`",)
        sink.error("UB0712", "a workload is the training or the serving of a model", node.span, "here", help=help)
        return None
    name = ".".join(dotted_name(node.function))
    form = form_named(name)
    if form is None:
        guess = foreign.CALLS.get(name.casefold()) or did_you_mean(name, WORKLOADS)
        guess = guess if guess in WORKLOADS else None
        listed = ", ".join(f"`{each}(…)`" for each in WORKLOADS)
        what = f"did you mean `{guess}`?" if guess else f"a workload is one of {listed}"
        if name in TRAFFICS:
            what = f"`{name}` says who sends to whom: begin the line with `traffic`"
        message, at = f"there is no workload `{name}`", node.function.span
        sink.error("UB0712", message, at, "here", help=(what,), fix=rename(at, guess))
        return None
    if not check_arguments(node, sink):
        return None
    try:
        return form.read(WorkloadCall(node, evaluator))
    except NotReadError:
        return None


def is_workload(node: tree.Expr) -> bool:
    """Return whether an expression is a form of workload."""
    return isinstance(node, tree.Call) and ".".join(dotted_name(node.function)) in WORKLOADS


def say_misfits(stated: StatedWorkload, misfits: list[Misfit], sink: Sink) -> None:
    """Say what of a workload does not fit, where it stands."""
    looked_for = () if stated.is_laid_out else ("`ubusc explore FILE --workload NAME` looks for a layout that fits",)
    for each in misfits:
        at = stated.place_of(each.field).span
        sink.error("UB0713", each.wrong, at, "does not fit", help=(each.help, *looked_for))
