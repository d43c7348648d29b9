"""Estimates against measured steps: what the docs say of every row, and the goals that the sets are held to."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve
from scipy.optimize import least_squares

from tests.workload.oracle_page import BEGIN, END, PAGE, error, page, table
from tests.workload.oracle_rows import Row, all_rows, machine, megatron, predicted, vtrain
from unifiedbus_dsl.base.arrays import Floats
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.steps import TrainingStep
from unifiedbus_dsl.workload.chip import Constants
from unifiedbus_dsl.workload.step import estimate_step


def errors(rows: list[tuple[Row, TrainingStep]]) -> Floats:
    return np.array([abs(error(row, step)) for row, step in rows])


def test_megatron_rows() -> None:
    """Predicted: nothing is fitted on them."""
    rows = [(row, step) for row in megatron() if isinstance(step := predicted(row), TrainingStep)]
    found = {row.name: error(row, step) for row, step in rows}
    assert len(found) == 4
    assert max(abs(each) for each in found.values()) < 0.05
    assert all(step.bound_s <= row.measured_s for row, step in rows)


@pytest.mark.slow
def test_every_row_is_as_the_page_says_and_no_bound_is_beaten() -> None:
    rows = [(row, predicted(row)) for row in all_rows()]
    steps = [(row, step) for row, step in rows if isinstance(step, TrainingStep)]
    assert len(steps) == len(rows) - 1  # one row is no full step
    assert all(step.bound_s <= row.measured_s and step.bound_s <= step.step_s for row, step in steps)
    for source, goal in (("A100", 0.10), ("H100", 0.15), ("GB200", 0.15)):
        assert errors([(row, step) for row, step in steps if row.source == source and not row.fitted]).mean() < goal
    large = [(row, step) for row, step in steps if row.source == "A100" and not row.fitted]
    picked = min(large, key=lambda each: each[1].step_s)[0]
    assert picked.measured_s <= 1.05 * min(row.measured_s for row, _ in large)
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, table(rows)), "run `python -m tests.workload.oracle_page --accept`"


def test_the_page_has_its_tables() -> None:
    rows = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0]
    assert sum(line.startswith("| ") and " · " in line and " s |" in line for line in rows.splitlines()) == 88 + 4 + 33


@pytest.mark.slow
def test_constants_of_the_a100_are_those_of_the_fit() -> None:
    """Three constants on the 3.6B and 18.4B rows; the fourth is published."""
    rows = [row for row in vtrain() if row.fitted]
    context, ends = machine("a100")
    chip = chip_of(context, ends, "bf16")
    timers = {
        row.asked.layout: FabricTimer(context, ends[: row.asked.layout.ranks], row.asked.layout, 0.74) for row in rows
    }

    def off(x: Floats) -> Floats:
        constants = Constants(float(x[0]), float(x[1]), float(x[2]) * 1e-6, 0.74)
        tried = evolve(chip, constants=constants)
        return np.array(
            [np.log(estimate_step(row.asked, tried, timers[row.asked.layout]).step_s / row.measured_s) for row in rows]
        )

    fit = least_squares(
        off, [0.75, 0.75, 30.0], bounds=([0.4, 0.3, 0.0], [1, 1, 200]), loss="soft_l1", f_scale=0.05, diff_step=1e-3
    )
    stated = chip.constants
    assert fit.x == pytest.approx([stated.gemm_efficiency, stated.hbm_efficiency, stated.launch_s * 1e6], rel=0.02)
