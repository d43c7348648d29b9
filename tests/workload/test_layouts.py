"""Layouts that are illegal say what is legal; the search for the best finds what plain enumeration does."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from tests.workload.oracle_rows import LLAMA70, QWEN30, machine
from unifiedbus_dsl import solve
from unifiedbus_dsl.compiler import compile_text
from unifiedbus_dsl.measures.workloads.best_layouts import best_layouts
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.steps import time_step
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.workload.candidates import candidates
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.legality import MisfitError, find_misfits, nearest_multiples
from unifiedbus_dsl.workload.model import Model
from unifiedbus_dsl.workload.pipeline import make_schedule, passes_in_flight, run_schedule
from unifiedbus_dsl.workload.step import estimate_step
from unifiedbus_dsl.workload.training import Training

TINY = Model(layers=8, hidden=1024, heads=8, ffn=4096, vocab=32000)


def asked(**more: object) -> Training:
    given = {"model": TINY, "batch": 64, "sequence": 1024, "microbatch": 1, "layout": Layout(data=8)} | more
    return Training(**given)  # type: ignore[arg-type]  # mypy sees objects


@pytest.mark.parametrize(
    ("step", "ends", "field", "said"),
    [
        (asked(), 16, "data", "`data = 16` fits"),
        (asked(layout=Layout(pipeline=3)), 16, "pipeline", "2, 4"),
        (asked(layout=Layout(tensor=3)), 16, "tensor", "2, 4"),
        (asked(layout=Layout(tensor=16)), 16, "tensor", "8"),
        (asked(layout=Layout(pipeline=16)), 16, "pipeline", "at most `pipeline = 10`"),
        (asked(layout=Layout(data=12)), 12, "batch", "60 or 72"),
        (asked(microbatch=3), 8, "microbatch", "2, 4"),
        (asked(layout=Layout(data=8, expert=2)), 8, "expert", "leave `expert` out"),
        (asked(model=QWEN30, layout=Layout(data=8, expert=3)), 8, "expert", "2, 4"),
        (asked(model=QWEN30, layout=Layout(tensor=2, data=4, expert=2), sequence_parallel=False), 8,
         "sequence_parallel", "leave it true"),
        (asked(layout=Layout(context=3, data=1)), 3, "context", "legal are"),
        (asked(chunks=2), 8, "chunks", "interleaved"),
        (asked(batch=24, layout=Layout(pipeline=4, data=4), schedule="interleaved", chunks=2), 16, "batch", "16 or 32"),
        (asked(microbatch=0), 8, "microbatch", "1 or more"),
        (asked(precision="fp7"), 8, "precision", "fp8"),
        (asked(schedule="1b1f"), 8, "schedule", "1f1b"),
        (asked(recompute="all"), 8, "recompute", "full"),
        (asked(shard="weight"), 8, "shard", "weights"),
        (asked(overlap=frozenset(("data", "pipelines"))), 8, "overlap", "pipeline"),
        (asked(layout=Layout(data=8, order=("data",))), 8, "order", "tensor, context"),
    ],
)  # fmt: skip
def test_what_is_illegal_says_what_is_legal(step: Training, ends: int, field: str, said: str) -> None:
    first = find_misfits(step, ends)[0]
    assert first.field == field
    assert said in first.help


@pytest.mark.parametrize("name", ["gpipe", "1f1b", "interleaved", "zero_bubble"])
def test_passes_in_flight_are_those_of_the_timeline(name: str) -> None:
    random = np.random.default_rng(5)
    for _ in range(40):
        stages, chunks = int(random.integers(1, 7)), int(random.integers(2, 5)) if name == "interleaved" else 1
        microbatches = stages * int(random.integers(1, 5)) if chunks > 1 else int(random.integers(1, 20))
        ones = np.ones(stages * chunks)
        line = run_schedule(make_schedule(name, stages, microbatches, chunks), ones, ones, 0.0, ones)  # type: ignore[arg-type]
        assert passes_in_flight(name, stages, microbatches, chunks).tolist() == line.in_flight().tolist()  # type: ignore[arg-type]


def test_the_best_layouts_are_those_of_plain_enumeration() -> None:
    context, ends = machine("h100")
    small = evolve(LLAMA70, layers=4)
    step = asked(model=small, batch=16, sequence=4096, precision="fp8", shard="optimizer")
    found = best_layouts(context, ends[:8], step, top=3)
    chip = chip_of(context, ends, "fp8")
    every = []
    for each in candidates(step, 8, chip):
        timer = FabricTimer(context, ends[:8], each.layout, chip.constants.fabric_efficiency)
        every.append(estimate_step(each, chip, timer).step_s)
    assert found.proved
    assert found.legal == len(every)
    assert found.estimated < len(every)
    assert [each.step_s for each in found.steps] == pytest.approx(sorted(every)[:3])


def test_a_step_that_does_not_fit_the_memory_says_what_takes_it() -> None:
    context, ends = machine("h100")
    with pytest.raises(MisfitError, match=r"optimizer [\d,.]+ GB, activations"):
        time_step(context, ends[:8], asked(model=LLAMA70, precision="fp8"))


BARE = "ubus 1\nprotocol P { lane = 100 Gbps }\nlink L : P {}\nnpu Chip {%s port p : P x1 }\nnode Two { npu[2] : Chip\n"
BARE += "connect npu[0].p -- npu[1].p over L(1 m) }\nsystem two : Two\n"
FIELDS = "bf16 = 100 TFLOPS; memory = 64 GB; hbm = 2 TB/s; gemm_efficiency = 80%%; hbm_efficiency = 80%%; "
FIELDS += "launch = 5 us; fabric_efficiency = 80%%; "


@pytest.mark.parametrize("missing", ["bf16", "memory", "hbm", "gemm_efficiency", "launch", "fabric_efficiency"])
def test_a_part_without_a_field_is_refused_by_name(missing: str) -> None:
    fields = FIELDS.replace("%%", "%")
    rest = "; ".join(each for each in fields.split("; ") if not each.startswith(missing))
    fabric = compile_text(BARE % rest).fabric()
    with pytest.raises(NotAdmittedError, match=f"`Chip` states no `{missing}`"):
        solve.training_step(fabric, asked(layout=Layout(data=2)))


def test_a_selection_that_is_wrong_is_said_as_the_language_says_it() -> None:
    fabric = compile_text(BARE % FIELDS.replace("%%", "%")).fabric()
    with pytest.raises(solve.QuestionError, match="npx"):
        solve.training_step(fabric, asked(layout=Layout(data=2)), "all npx")
    assert solve.training_step(fabric, asked(layout=Layout(data=2))).bound_s > 0


@pytest.mark.parametrize(
    ("number", "of", "says"),
    [
        (7, 4, "the nearest are 4 or 8"),
        (3, 4, "the least is 4"),
        (4097, 2048, "the nearest are 4,096 or 6,144"),
    ],
)
def test_nearest_multiples(number: int, of: int, says: str) -> None:
    assert nearest_multiples(number, of) == says
