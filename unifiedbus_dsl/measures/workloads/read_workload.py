"""The workload of a question on its machine: the step that is asked, and the end points that its ranks stand on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from attrs import evolve, frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan.end_points import end_kind
from unifiedbus_dsl.measures.measure_call import MeasureCall, RefusedError
from unifiedbus_dsl.measures.workloads.placement import (
    Dimension,
    PlacementError,
    after_outage,
    dimensions_of,
    place_along,
)
from unifiedbus_dsl.semantic.select.workloads.read import read_workload as read_statement
from unifiedbus_dsl.semantic.select.workloads.read import say_misfits
from unifiedbus_dsl.semantic.select.workloads.stated import Asked, StatedWorkload, sequences_of
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.vocabulary.signatures import WORKLOADS
from unifiedbus_dsl.workload.legality import MisfitError
from unifiedbus_dsl.workload.serving import Serving
from unifiedbus_dsl.workload.training import Training

T = TypeVar("T")
A = TypeVar("A", bound=Asked)


@frozen(eq=False)
class PlacedWorkload:
    """A workload whose rank r stands on end point `ends[r]`. `said` is what failures have made of it."""

    stated: StatedWorkload
    asked: Asked
    ends: Ints
    said: tuple[str, ...] = ()


def read_workload(call: MeasureCall) -> PlacedWorkload:
    """Return the workload that is the only positional argument of a measure.

    Raises:
        RefusedError: it does not fit, and a diagnostic says so.
        NotAdmittedError: failures have left no replica.
    """
    node = call.one()
    stated = read_statement(_statement(call, node), call.evaluator)
    if stated is None:
        raise RefusedError
    ends = _end_points(call, stated)
    misfits = stated.misfits(len(ends))
    if misfits:
        say_misfits(stated, misfits, call.evaluator.sink)
        raise RefusedError
    asked = stated.on_ends(len(ends))
    placed = ends[_placed(call, stated, asked, ends)] if stated.along else ends
    lost = np.isin(placed, call.machine.lost_ends)
    return _left(stated, asked, placed, lost) if lost.any() else PlacedWorkload(stated, asked, placed)


def read_for_layouts(call: MeasureCall) -> tuple[StatedWorkload, Training, Ints]:
    """Return the training step of a measure as it is stated, whether it fits or not, and the end points that layouts of
    it are over, in their order.

    Raises:
        RefusedError: it is none, or lies along dimensions of the machine; a diagnostic says so.
    """
    stated = read_statement(_statement(call, call.one()), call.evaluator)
    if stated is None:
        raise RefusedError
    if not isinstance(stated.asked, Training):
        wrong = "layouts are looked for of a training step, and this is serving"
        raise call.refuse(stated.node, wrong, "ask for `decode_time`", "UB0709")
    if stated.along:
        raise call.refuse(
            stated.along[0], "layouts are looked for over the order of the end points", "leave `along` out", "UB0713"
        )
    ends = _end_points(call, stated)
    return stated, stated.asked, ends[~np.isin(ends, call.machine.lost_ends)]


def of_form(call: MeasureCall, form: type[A]) -> tuple[PlacedWorkload, A]:
    """Return a workload of one form, a training step or serving.

    Raises:
        RefusedError: it is of another form or does not fit, and a diagnostic says so.
        NotAdmittedError: failures have left no replica.
    """
    placed = read_workload(call)
    if isinstance(placed.asked, form):
        return placed, placed.asked
    other = "the serving of a model" if isinstance(placed.asked, Serving) else "a training step"
    fits = "`prefill_time`, `decode_time`, `token_rate`" if isinstance(placed.asked, Serving) else "`step_time`"
    message = f"`{call.name}` is not asked of {other}"
    raise call.refuse(call.one(), message, f"ask for {fits} or `memory`", "UB0709")


def timed_once(
    call: MeasureCall, form: type[A], time: Callable[[NetworkContext, Ints, A], T]
) -> tuple[PlacedWorkload, T]:
    """Return a workload of one form and its times on the machine, worked out once for all measures of it.

    Raises:
        RefusedError: it is of another form or does not fit, and a diagnostic says so.
        NotAdmittedError: failures have left no replica; the part lacks a field, or end points are not joined.
    """
    placed, asked = of_form(call, form)
    made: dict[tuple[Asked, bytes], T] = vars(call.machine).setdefault("_workload_times", {})
    key = asked, placed.ends.tobytes()
    if key not in made:
        made[key] = fitting(call, placed, lambda: time(call.machine, placed.ends, asked))
    return placed, made[key]


def fitting(call: MeasureCall, placed: PlacedWorkload, work: Callable[[], T]) -> T:
    """Return what is worked out of a workload; `RefusedError` after a diagnostic where it does not fit."""
    try:
        return work()
    except MisfitError as wrong:
        say_misfits(placed.stated, list(wrong.misfits), call.evaluator.sink)
        raise RefusedError from None


def _statement(call: MeasureCall, node: tree.Expr) -> tree.Expr:
    """Return what states the workload that an argument names or is."""
    if isinstance(node, tree.Name) and node.text in call.workloads:
        return call.workloads[node.text].value
    if isinstance(node, tree.Call):
        return node
    guess = did_you_mean(node.span.text, call.workloads)
    example = f"{call.name}(train(MODEL, batch = 1024, sequence = 4096))"
    help = f"did you mean `{guess}`?" if guess else f"such as `{example}`"
    message = f"a workload is wanted: the name of one of this system, or one of {', '.join(WORKLOADS)}"
    raise call.refuse(node, message, help, "UB0241" if isinstance(node, tree.Name) else "UB0709")


def _end_points(call: MeasureCall, stated: StatedWorkload) -> Ints:
    """Return the end points that a workload was laid over before anything failed."""
    node = stated.on
    if node is None:
        word = tree.Word(end_kind(call.machine.fabric.plan), span=stated.node.span)
        node = tree.All((word,), span=stated.node.span)
    whole = evolve(call.selector, lost=np.zeros_like(call.selector.lost))
    return evolve(call, selector=whole).ends(node)


def _placed(call: MeasureCall, stated: StatedWorkload, asked: Asked, ends: Ints) -> Ints:
    """Return which end point each rank stands on where axes lie along dimensions of the machine."""
    machine = call.machine
    devices = machine.network.end_device[ends]
    here: tree.Node = stated.node
    try:
        dimensions = dimensions_of(machine.fabric.plan, devices)
        along: dict[str, Dimension] = {}
        for here in stated.along:
            along[here.axis.text] = _dimension(here, dimensions)
        return place_along(asked.layout, along, dimensions)
    except PlacementError as wrong:
        here = next((each for each in stated.along if f" {each.axis.text} " in f" {wrong} "), here)
        raise call.refuse(here, str(wrong), wrong.help, "UB0713") from None


def _dimension(node: tree.Along, dimensions: Sequence[Dimension]) -> Dimension:
    """Return the dimension that an item of an order names: by the name or the kind of its parts."""
    said = node.dimension.span.one_line
    for matches in (
        [each for each in dimensions if said in (each.text, f"{each.name}[{each.number}]")],
        [each for each in dimensions if said == each.kind and each.of == 1],
    ):
        if len(matches) == 1:
            return matches[0]
    legal = [each.text for each in dimensions]
    guess = did_you_mean(said, legal)
    help = f"did you mean `{guess}`?" if guess else f"it is one of {', '.join(f'`{each}`' for each in legal)}"
    raise PlacementError(f"there is no dimension `{said}` around these end points", help)


def _left(stated: StatedWorkload, asked: Asked, placed: Ints, lost: Bools) -> PlacedWorkload:
    """Return the step that goes on after a failure."""
    going_on = after_outage(asked, lost)
    if going_on is None:
        raise NotAdmittedError(f"{counted(int(lost.sum()), 'end point')} of it failed, and no replica is left")
    fewer, ranks = going_on
    left, were = sequences_of(fewer), sequences_of(asked)
    said = f"{fewer.layout.data:,} of {asked.layout.data:,} replicas go on, with {left:,} of {were:,} sequences"
    return PlacedWorkload(stated, fewer, placed[ranks], (said,))
