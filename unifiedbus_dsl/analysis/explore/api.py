"""`unifiedbus_dsl.explore`: the designs of a machine from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve

from unifiedbus_dsl.analysis.api.asking import QuestionError
from unifiedbus_dsl.analysis.explore.explorations import (
    MAX_DESIGNS,
    Explored,
    block_named,
    explore_block,
    journal_at,
    lines_of,
)
from unifiedbus_dsl.analysis.explore.problem import Goal, parse_block
from unifiedbus_dsl.analysis.survey.engines import engine_of
from unifiedbus_dsl.compiler import Compilation
from unifiedbus_dsl.diagnostics import Sink
from unifiedbus_dsl.syntax import tree


def explore(
    compilation: Compilation,
    block: str | None = None,
    *,
    vary: Mapping[str, str | Sequence[object]] | None = None,
    require: Sequence[str] = (),
    minimize: Sequence[str] = (),
    maximize: Sequence[str] = (),
    measures: Sequence[str] = (),
    objectives: Sequence[Goal] = (),
    samples: int | None = None,
    seed: int | None = None,
    system: str | None = None,
    max_designs: int = MAX_DESIGNS,
    workers: int = 1,
    engine: str = "processes",
    budget: float | None = None,
    resume: str | Path | None = None,
) -> Explored:
    """Return what comes of varying parameters of a system: the Pareto front, and every design that was solved.

    Args:
        compilation: a text without errors, as `compile` gives it.
        block: an `explore` block of the text by name; default: the only one, or what `vary` and the others say.
        vary: by name as after `--set`, the values: `{"racks": [16, 32]}`, `{"racks": "16..64 step 16"}`.
        require: conditions that every design must meet.
        minimize: objectives, measures of the language.
        maximize: objectives, measures of the language.
        measures: further measures, which decide nothing.
        objectives: further objectives, of whatever can be found of a machine.
        samples: how many designs are drawn in place of solving all.
        seed: of the draws.
        system: the system that `vary` is about; default: the first.
        max_designs: the most designs that are solved.
        workers: processes; default: this one alone.
        engine: `processes`, or `dask://HOST:PORT`.
        budget: seconds that each optimum may take.
        resume: a file in which what is solved is kept, and from which the same call goes on.

    Raises:
        CompilationFailed: the text has errors, or no system.
        UnknownNameError: no such system or block; a `KeyError`.
        QuestionError: what is asked is wrong.
        ExploreError: nothing says which of too many designs to solve.
        JournalError: the file of `resume` is of something else.
    """
    name = compilation.pick(system).system
    sink = Sink()
    if vary is None:
        found: tree.Explore | None = block_named(compilation, block)
        name = found.of.text if found is not None else name
        drawn = parse_block(lines_of(sample=samples, seed=seed), sink) if samples is not None else None
        found = with_sample(found, drawn) if found is not None and drawn is not None else found
    else:
        if block is not None:
            raise TypeError("`block` names one of the text, and `vary` makes one: give one of them")
        said = [f"{key} in {values if isinstance(values, str) else _listed(values)}" for key, values in vary.items()]
        found = parse_block(lines_of(said, minimize, maximize, require, measures, samples, seed), sink)
    made = None
    if found is not None:
        made = explore_block(
            compilation, found, name, sink=sink, engine=engine_of(engine, workers if engine == "processes" else None),
            objectives=objectives, max_designs=max_designs, budget=budget,
            journal=None if resume is None else journal_at(Path(resume)),
        )  # fmt: skip
    if made is None:
        raise QuestionError(tuple(sink))
    return made


def with_sample(block: tree.Explore, drawn: tree.Explore) -> tree.Explore:
    """Return a block with the sample and the seed of another one in place of its own."""
    kept = [
        item
        for item in block.items
        if not (isinstance(item, tree.Sample) or (isinstance(item, tree.Let) and item.name.text == "seed"))
    ]
    return evolve(block, items=(*kept, *drawn.items))


def _listed(values: Sequence[object]) -> str:
    return f"[{', '.join(map(str, values))}]"
