"""What constant subscripts pick: elements of an array, ports of a device."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import DeviceType
from unifiedbus_dsl.semantic.connect.references import Step, path_steps, range_axis
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
            inside = elements(step, port.shape, evaluator)
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
            help=(f"did you mean `{guess}`?",)
            if guess
            else ("its ports: " + (", ".join(f"`{n}`" for n in names) or "none"),),
            fix=rename(step.word.span, guess),
        )
    return None


def elements(step: Step, shape: tuple[int, ...], evaluator: Evaluator) -> np.ndarray | None:
    """Row-major numbers of the elements that constant subscripts select; None after a diagnostic."""
    if len(step.subscripts) > len(shape):
        evaluator.sink.error(
            "UB0414",
            f"`{step.word.text}` has {len(shape) or 'no'} dimension{'s' * (len(shape) != 1)}, "
            f"and {len(step.subscripts)} subscript{'s' * (len(step.subscripts) != 1)}",
            step.subscripts[len(shape)].span,
            "one too many",
        )
        return None
    picks = []
    for at, size in enumerate(shape):
        subscript = step.subscripts[at] if at < len(step.subscripts) else None
        if subscript is None or isinstance(subscript, tree.Star):
            picks.append(np.arange(size))
        elif isinstance(subscript, tree.Range):
            axis = range_axis(evaluator, subscript, "_", size)
            if axis is None:
                return None
            picks.append(np.arange(axis.low, axis.high + 1, axis.step))
        else:
            value = evaluator.integer(subscript)
            if value is None:
                return None
            if not 0 <= value < size:
                evaluator.sink.error(
                    "UB0401",
                    f"subscript {value} is outside the {size} elements of `{step.word.text}`",
                    subscript.span,
                    f"is {value}",
                    help=(f"elements are 0..{size - 1}",),
                )
                return None
            picks.append(np.array([value]))
    if not picks:
        return np.zeros(1, dtype=np.int64)
    return np.ravel_multi_index(np.ix_(*picks), shape).ravel()
