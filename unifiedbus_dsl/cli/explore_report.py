"""An exploration as people read it, as JSON and as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unifiedbus_dsl.analysis.explore.explorations import Design, Explored, Method
from unifiedbus_dsl.analysis.explore.front import Standing
from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.diagnostics.display_width import text_width
from unifiedbus_dsl.escape import csv, shell
from unifiedbus_dsl.escape.json import indented
from unifiedbus_dsl.measures.answers import Answer

NONE = "no answer"
MOST_REASONS = 8
MOST_VALUES = 6
MOST_LISTED = 1_000
"""Values of an axis that JSON lists."""


# ---- text ---------------------------------------------------------------------------------------------------------


def as_text(explored: Explored, again: Callable[[Design], str], *, whole: bool) -> str:
    """Return what was asked, then a line for each design on the front; of all designs if they are wanted."""
    problem = explored.problem
    lines = [f"{problem.system}: {problem.block}, {_method(explored)}", ""]
    lines += [f"  vary {axis.name}: {_values(axis.values)}" for axis in problem.space.axes]
    lines += [f"  require {each.text}" for each in problem.requirements]
    lines += [f"  [{number}] {text}" for number, text in enumerate(_titles(explored), 1)]
    lines += ["", f"{explored.claim()[:1].upper()}{explored.claim()[1:]}: {counted(len(explored.front), 'design')}"]
    designs = explored.designs if whole else explored.front
    if designs:
        lines += _table(explored, designs)
    if any(design.estimated for design in designs):
        lines.append("  estimate: rests on a model or an assumption, and so does its place")
    if any(design.standing is Standing.POSSIBLY for design in designs):
        lines.append(
            "  possibly: within the bounds that are proved another design may beat it, or a condition may fail"
        )
    lines += _left_out(explored)
    if explored.front:
        lines += ["", "Any of them again, here the first:", f"  {again(explored.front[0])}"]
    return "\n".join(lines) + "\n"


def _method(explored: Explored) -> str:
    size, done = explored.problem.space.size, len(explored.solved)
    said = f"{explored.method.value}: {done:,} of {counted(size, 'design')} solved"
    if explored.complete:
        return said
    if explored.limit is not None:
        return f"{said}; stopped: more than {explored.limit:,} would have to be"
    return f"{said}; stopped" + ("" if explored.method is Method.BRANCH_AND_BOUND else f" of {explored.total:,}")


def _values(values: Any) -> str:
    """Return the values of an axis, the middle of many left out."""
    count = len(values)
    if count <= MOST_VALUES:
        return ", ".join(values[k] for k in range(count))
    return f"{values[0]}, {values[1]}, …, {values[count - 1]} ({count:,} values)"


def _titles(explored: Explored) -> list[str]:
    problem = explored.problem
    return [*(goal.text for goal in problem.goals), *(question.text for question in problem.further)]


def _table(explored: Explored, designs: Sequence[Design]) -> list[str]:
    problem = explored.problem
    head = ["#", *(axis.name for axis in problem.space.axes)]
    head += [f"[{number}]" for number in range(1, len(problem.questions) + 1)]
    rows = [[*head, "standing", "settings"], *(_cells(explored, design) for design in designs)]
    widths = [max(text_width(row[k]) for row in rows) for k in range(len(rows[0]))]
    right = {0, *range(1 + len(problem.space.axes), len(rows[0]) - 2)}
    return [f"  {'  '.join(_cell(cell, widths[k], k in right) for k, cell in enumerate(row))}".rstrip() for row in rows]


def _cell(text: str, width: int, right: bool) -> str:
    padding = " " * (width - text_width(text))
    return padding + text if right else text + padding


def _cells(explored: Explored, design: Design) -> list[str]:
    values = [design.settings[axis.name] for axis in explored.problem.space.axes]
    answers: Sequence[Answer | None] = design.solved.answers or (None,) * len(explored.problem.questions)
    shown = [(NONE if design.solved.answers else "") if each is None else each.shown for each in answers]
    return [f"{design.number:,}", *values, *shown, _standing(explored, design), _settings(design)]


def _standing(explored: Explored, design: Design) -> str:
    words = {Standing.ON: "on", Standing.POSSIBLY: "possibly", Standing.OFF: "dominated", None: "not feasible"}
    said = words[design.standing]
    if design.standing is None:
        return said
    if not explored.problem.goals and design.standing is Standing.ON:
        said = "feasible"
    kinds = {each.kind for each in design.solved.answers if each is not None}
    kind = "estimate" if design.estimated else "interval" if "interval" in kinds else "exact"
    return f"{said}, {kind}"


def _settings(design: Design) -> str:
    return " ".join(f"--set {shell.word(f'{name}={value}')}" for name, value in design.settings.items())


def _left_out(explored: Explored) -> list[str]:
    dominated = sum(design.standing is Standing.OFF for design in explored.designs)
    lines = [f"{counted(dominated, 'design')} dominated"] if dominated else []
    if explored.excluded:
        lines.append(f"{counted(explored.excluded, 'design')} excluded by bounds, unsolved")
    failures = explored.failures()
    lines += [
        f"{counted(count, 'design')} not feasible{', such as' * (count > 1)}: {reason}"
        for reason, count in failures[:MOST_REASONS]
    ]
    rest = sum(count for _, count in failures[MOST_REASONS:])
    lines += [f"{counted(rest, 'design')} not feasible for other reasons"] if rest else []
    return ["", *lines] if lines else []


# ---- JSON and CSV -------------------------------------------------------------------------------------------------


def as_json(explored: Explored, again: Callable[[Design], str]) -> str:
    """Measures have the form that `ubusc analyze --json` gives them, without the time that they took."""
    problem = explored.problem
    data: dict[str, Any] = {
        "version": 1,
        "system": problem.system,
        "block": problem.block,
        "method": explored.method.value,
        "heuristic": explored.heuristic,
        "claim": explored.claim(),
        "complete": explored.complete,
        "seed": problem.seed if explored.method is Method.SAMPLE else None,
        "space": problem.space.size,
        "solved": len(explored.solved),
        "excluded": explored.excluded,
        "vary": [
            {"name": axis.name, "count": axis.count, "values": [axis.values[k] for k in range(axis.count)]}
            if axis.count <= MOST_LISTED
            else {"name": axis.name, "count": axis.count, "first": axis.values[0], "last": axis.values[axis.count - 1]}
            for axis in problem.space.axes
        ],
        "require": [each.text for each in problem.requirements],
        "objectives": [
            {"measure": goal.question.text, "sense": "maximize" if goal.maximize else "minimize"}
            for goal in problem.goals
        ],
        "let": [each.span.one_line for each in problem.lets],
        "front": [design.number for design in explored.front],
        "designs": [_design(design, again) for design in explored.designs],
    }
    return indented(data)


def _design(design: Design, again: Callable[[Design], str]) -> dict[str, Any]:
    data: dict[str, Any] = {
        "number": design.number,
        "set": dict(design.settings),
        "feasible": design.solved.feasible,
        "standing": None if design.standing is None else design.standing.value,
        "estimate": design.estimated,
        "measures": [
            {"value": None, "reason": reason} if answer is None else _timeless(answer)
            for answer, reason in zip(design.solved.answers, design.solved.reasons, strict=True)
        ],
    }
    if design.reason:
        data["reason"] = design.reason
    return {**data, "command": again(design)} if design.on_front else data


def _timeless(answer: Answer) -> dict[str, Any]:
    return {key: value for key, value in answer.to_json().items() if key not in ("seconds", "block", "detail")}


def as_csv(explored: Explored) -> str:
    """Return a row for each design that was solved, numbers in SI units, with both bounds where they differ."""
    problem = explored.problem
    head = ["design", *(axis.name for axis in problem.space.axes)]
    for question in problem.questions:
        head += [question.text, f"{question.text} lower", f"{question.text} upper", f"{question.text} kind"]
    rows: list[Sequence[object]] = [[*head, "feasible", "standing", "reason"]]
    words = {True: "yes", False: "no", None: "open"}
    for design in explored.designs:
        row: list[object] = [design.number, *(design.settings[axis.name] for axis in problem.space.axes)]
        for answer in design.solved.answers or (None,) * len(problem.questions):
            row += ["", "", "", ""] if answer is None else [answer.value, answer.lower, answer.upper, answer.kind]
        standing = "" if design.standing is None else design.standing.value
        rows.append([*row, words[design.solved.feasible], standing, design.reason])
    return csv.table(rows)
