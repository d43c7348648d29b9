"""What constant subscripts pick: elements of an array, ports of a device."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.base.work import PICKED, spend
from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean, names_there
from unifiedbus_dsl.ir.plan import Child, DeviceType, Labels
from unifiedbus_dsl.ir.plan.index import IntArray
from unifiedbus_dsl.ir.plan.labels import ABSENT, groups_of, labels_of, labels_together, place_in_groups, places_of
from unifiedbus_dsl.semantic.connect.holes import say_absent, subscript_values
from unifiedbus_dsl.semantic.connect.port_views import PortPiece, view_of
from unifiedbus_dsl.semantic.connect.references import Step, path_steps
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.syntax import tree


def port_numbers(device: DeviceType, ref: tree.Expr, evaluator: Evaluator, failed: set[str]) -> list[int] | None:
    """Port numbers that `up`, `up[0..1]` or `ports` name on a device; None after a diagnostic."""
    path = path_steps(ref)
    if path is None or len(path) != 1:
        evaluator.sink.error("UB0518", "a port of this device is wanted", ref.span, "not a port")
        return None
    return port_step(device, path[0], evaluator, failed)


def port_step(device: DeviceType, step: Step, evaluator: Evaluator, failed: Collection[str] = ()) -> list[int] | None:
    """Port numbers that a step of a path names on a device; None after a diagnostic."""
    if step.word.text == "ports" and not step.subscripts:
        return list(range(device.radix))
    start = 0
    for port in device.ports:
        if port.name == step.word.text:
            inside = elements(step, groups_of(port), evaluator)
            return None if inside is None else [start + int(k) for k in inside]
        start += port.count
    if step.word.text not in failed and not evaluator.scope.is_quiet(step.word.text):
        names = [port.name for port in device.ports]
        guess = did_you_mean(step.word.text, [*names, "ports"])
        evaluator.sink.error(
            "UB0212",
            f"`{device.key}` has no port `{step.word.text}`",
            step.span,
            "unknown port",
            help=(f"did you mean `{guess}`?",) if guess else (f"its ports: {names_there(names)}",),
            fix=rename(step.word.span, guess),
        )
    return None


def children_picked(step: Step, children: Sequence[Child], evaluator: Evaluator) -> list[tuple[Child, IntArray]] | None:
    """Return which elements of an array constant subscripts select: the children that it is, as far as some of each
    are meant, with their row-major numbers there. None after a diagnostic."""
    if len(children) == 1:
        picked = elements(step, groups_of(children[0]), evaluator, children[0].span)
        return None if picked is None else [(children[0], picked)]
    groups = labels_together(children)
    chosen = elements(step, groups, evaluator, children[0].span)
    if chosen is None:
        return None
    at = labels_of(groups, chosen)
    places = [(child, place_in_groups(groups_of(child), at)) for child in children]
    return [(child, place[place != ABSENT]) for child, place in places if (place != ABSENT).any()]


def ports_picked(
    step: Step, pieces: Sequence[PortPiece], evaluator: Evaluator
) -> list[tuple[PortPiece, IntArray]] | None:
    """Return the same of an exported port array, by the exports that it is."""
    groups = view_of(pieces).groups
    chosen = elements(step, groups, evaluator)
    if chosen is None:
        return None
    at = labels_of(groups, chosen)
    places = [(piece, place_in_groups(piece.groups, at)) for piece in pieces]
    return [(piece, place[place != ABSENT]) for piece, place in places if (place != ABSENT).any()]


def elements(step: Step, groups: Sequence[Labels], evaluator: Evaluator, made: Span | None = None) -> IntArray | None:
    """Row-major numbers, among those that are there, of the elements that constant subscripts select; None after a
    diagnostic. `made`: where the array is defined."""
    spend(1, PICKED)
    shape = [size for labels in groups for size in labels.sizes]
    if len(step.subscripts) > len(shape):
        evaluator.sink.error(
            "UB0414",
            f"`{step.word.text}` has {len(shape) or 'no'} dimension{'s' * (len(shape) != 1)}, "
            f"and {len(step.subscripts)} subscript{'s' * (len(step.subscripts) != 1)}",
            step.subscripts[len(shape)].span,
            "one too many",
        )
        return None
    picks: list[IntArray] = []
    at = 0
    for labels in groups:
        dimensions = range(at, at + len(labels.sizes))
        at += len(labels.sizes)
        picked = _in_group(step, labels, dimensions, evaluator, made)
        if picked is None:
            return None
        picks.append(picked)
    if not picks:
        return np.zeros(1, dtype=np.int64)
    return np.ravel_multi_index(np.ix_(*picks), tuple(labels.count for labels in groups)).ravel()


def _in_group(
    step: Step, labels: Labels, dimensions: range, evaluator: Evaluator, made: Span | None
) -> IntArray | None:
    """Return the places along one dimension, or along several that leave elements out together."""
    chosen, running = list[IntArray](), False
    for at, size in zip(dimensions, labels.sizes, strict=True):
        subscript = step.subscripts[at] if at < len(step.subscripts) else None
        running |= subscript is None or isinstance(subscript, tree.Star)
        values = np.arange(size) if subscript is None else subscript_values(evaluator, subscript, size, step.word.text)
        if values is None:
            return None
        chosen.append(values)
    flat = np.ravel_multi_index(np.ix_(*chosen), labels.sizes).ravel()
    places = places_of(labels, flat)
    absent = np.flatnonzero(places == ABSENT)
    if len(absent) and not running:
        span = step.subscripts[dimensions[0]].span.to(step.subscripts[dimensions[-1]].span)
        say_absent(evaluator, step.word.text, labels, int(flat[absent[0]]), span, made=made)
        return None
    return np.delete(places, absent)
