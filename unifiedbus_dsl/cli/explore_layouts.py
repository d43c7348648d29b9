"""The layouts of a workload as people read them, as JSON and as CSV: what `ubusc explore --workload` gives."""

from __future__ import annotations

from typing import Any

from unifiedbus_dsl.analysis.explore.layouts import Layouts
from unifiedbus_dsl.base.units import TIME, counted, format_share
from unifiedbus_dsl.escape import csv
from unifiedbus_dsl.escape.json import indented
from unifiedbus_dsl.measures.answers import shown
from unifiedbus_dsl.measures.workloads.answer_text import bytes_text, constants_of
from unifiedbus_dsl.measures.workloads.steps import TrainingStep
from unifiedbus_dsl.workload.step import PARTS

AXES = ("tensor", "context", "pipeline", "expert", "data")


def as_text(found: Layouts) -> str:
    """Return a line for each layout, best first, with the parts of its time; and how the text would state the best."""
    best = found.best
    if not best.steps:
        return f"{found.system}: no layout of {found.name} is legal and fits the memory of {found.ends:,} end points\n"
    lines = [f"{found.system}: layouts of {found.name} on {counted(found.ends, 'end point')}, the fastest first", ""]
    lines += _table(best.steps)
    lines += ["", f"  estimate: {constants_of(best.steps[0].chip)}", f"  {_claim(found)}", "", "The first of them:"]
    return "\n".join((*lines, f"  {found.statement(0)}")) + "\n"


def _claim(found: Layouts) -> str:
    """Return how the layouts were found, and whether others may be faster."""
    best = found.best
    looked = f"{counted(best.legal, 'layout')} {'is' if best.legal == 1 else 'are'} legal and fit the memory"
    if best.proved:
        return f"{looked}; {best.estimated:,} were timed, the others can't be faster by their floors"
    if best.interrupted:
        return f"{looked}; {best.estimated:,} were timed when it was stopped: others may be faster"
    return f"{looked}; {best.estimated:,} were timed when the time was over: others may be faster (`--budget`)"


def _table(steps: tuple[TrainingStep, ...]) -> list[str]:
    axes = [axis for axis in AXES if any(step.asked.layout.size(axis) > 1 for step in steps)]
    parts = [part for part in PARTS if any(step.estimate.parts[part] > 0 for step in steps)]
    head = ["#", *axes, "microbatch", "schedule", "step", "bound", "MFU", "memory", *parts]
    rows = [head, *(_row(number, step, axes, parts) for number, step in enumerate(steps, 1))]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return ["  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]


def _row(number: int, step: TrainingStep, axes: list[str], parts: list[str]) -> list[str]:
    asked = step.asked
    shares = [format_share(step.estimate.parts[part] / step.step_s, places=1) for part in parts]
    return [
        str(number), *(f"{asked.layout.size(axis):,}" for axis in axes), str(asked.microbatch), _schedule(step),
        shown(step.step_s, TIME), shown(step.bound_s, TIME), format_share(step.mfu, places=1),
        bytes_text(step.memory.total), *shares,
    ]  # fmt: skip


def _schedule(step: TrainingStep) -> str:
    asked = step.asked
    return f"{asked.schedule}({asked.chunks})" if asked.chunks > 1 else asked.schedule


def as_json(found: Layouts) -> str:
    """Return all of it as JSON, in SI units."""
    best = found.best
    return indented({
        "workload": found.name,
        "system": found.system,
        "end_points": found.ends,
        "legal": best.legal,
        "estimated": best.estimated,
        "proved": best.proved,
        "kind": "estimate",
        "assumptions": [constants_of(best.steps[0].chip)] if best.steps else [],
        "layouts": [_record(found, number) for number in range(len(best.steps))],
    })  # fmt: skip


def _record(found: Layouts, number: int) -> dict[str, Any]:
    step = found.best.steps[number]
    return {
        **_fields(step),
        "parts_s": step.estimate.parts,
        "binding": {part: list(links) for part, links in step.binding.items()},
        "statement": found.statement(number),
    }


def _fields(step: TrainingStep) -> dict[str, Any]:
    asked = step.asked
    return {
        **{axis: asked.layout.size(axis) for axis in AXES},
        "microbatch": asked.microbatch,
        "schedule": asked.schedule,
        "chunks": asked.chunks,
        "step_s": step.step_s,
        "bound_s": step.bound_s,
        "mfu": step.mfu,
        "tokens_per_s": step.tokens_per_s,
        "memory_bytes": step.memory.total,
    }


def as_csv(found: Layouts) -> str:
    """Return a row for each layout, in SI units."""
    steps = found.best.steps
    rows = [{**_fields(step), **{f"{part}_s": step.estimate.parts[part] for part in PARTS}} for step in steps]
    head = list(rows[0]) if rows else [*AXES]
    return csv.table([head, *([row[name] for name in head] for row in rows)])
