"""The table of `docs/workloads.md`: every measured row with its estimate, bound and error. `--accept` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tests.workload.oracle_rows import Row, all_rows, predicted
from unifiedbus_dsl.measures.workloads.steps import TrainingStep
from unifiedbus_dsl.workload.legality import MisfitError

PAGE = Path(__file__).parents[2] / "docs" / "workloads.md"
BEGIN, END = "<!-- rows -->\n", "<!-- end of rows -->\n"
TITLES = {
    "A100": "vTrain on DGX A100", "Megatron": "Megatron on DGX A100", "H100": "Megatron-Bridge on DGX H100",
    "GB200": "Megatron-Bridge on GB200",
}  # fmt: skip


def error(row: Row, step: TrainingStep) -> float:
    """Return how far the estimate of a step's time is from the measured one."""
    return step.step_s / row.measured_s - 1


def table(rows: list[tuple[Row, TrainingStep | MisfitError]]) -> str:
    """Return the rows of all sets, a table each, below a table of their errors."""
    lines = ["| set | rows | which | mean error | median | worst |", "| --- | --- | --- | --- | --- | --- |"]
    for source, title in TITLES.items():
        for fitted in (True, False):
            errors = [
                abs(error(row, step)) for row, step in rows
                if row.source == source and row.fitted is fitted and isinstance(step, TrainingStep)
            ]  # fmt: skip
            if errors:
                kind = "fitted" if fitted else "predicted"
                mean, median, worst = (f"{100 * f(errors):.1f} %" for f in (np.mean, np.median, np.max))
                lines.append(f"| {title} | {len(errors)} | {kind} | {mean} | {median} | {worst} |")
    for source, title in TITLES.items():
        lines += ["", f"### {title}", "", HEAD, "| --- " * HEAD.count(" | ") + "| --- |"]
        lines += [_line(row, step) for row, step in rows if row.source == source]
    return "\n".join(lines) + "\n"


HEAD = "| model | t · c · p · d · e | microbatch | schedule | measured | estimate | error | which | bound | it binds |"


def _line(row: Row, step: TrainingStep | MisfitError) -> str:
    layout, asked = row.asked.layout, row.asked
    axes = " · ".join(str(layout.size(axis)) for axis in ("tensor", "context", "pipeline", "data", "expert"))
    schedule = f"{asked.schedule}({asked.chunks})" if asked.chunks > 1 else asked.schedule
    left = f"| {row.name} | {axes} | {asked.microbatch} | {schedule} | {row.measured_s:.2f} s "
    if isinstance(step, MisfitError):
        return left + "| no full step: it would not fit the memory | | | | |"
    which = "fitted" if row.fitted else "predicted"
    return (
        f"{left}| {step.step_s:.2f} s | {100 * error(row, step):+.1f} % | {which} | {step.bound_s:.2f} s | "
        f"{step.bound.binding} |"
    )


def page(text: str, rows: str) -> str:
    """Return the page with the tables in their place."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + rows + END + rest.split(END)[1]


def main() -> None:
    """Write the page, or say whether it is as it would be."""
    text = PAGE.read_text(encoding="utf-8")
    made = page(text, table([(row, predicted(row)) for row in all_rows()]))
    if "--accept" in sys.argv:
        PAGE.write_text(made, encoding="utf-8")
    elif made != text:
        sys.exit("docs/workloads.md is old: run `python -m tests.workload.oracle_page --accept`")


if __name__ == "__main__":
    main()
