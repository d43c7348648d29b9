"""Whether a training step fits the end points, the model and its batch: what does not, with the nearest that does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from attrs import frozen

from unifiedbus_dsl.workload.chip import PRECISIONS
from unifiedbus_dsl.workload.flops import Recompute
from unifiedbus_dsl.workload.layout import ORDER
from unifiedbus_dsl.workload.memory import Shard
from unifiedbus_dsl.workload.pipeline import Name
from unifiedbus_dsl.workload.stages import EMBEDDINGS
from unifiedbus_dsl.workload.training import EXCHANGED, Training

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "precision": tuple(PRECISIONS),
    "schedule": get_args(Name),
    "recompute": get_args(Recompute),
    "shard": get_args(Shard),
}
"""Fields that take a word, with the words that they take."""


MOST_PASSES = 1_000_000
"""Passes of a pipeline whose times are worked out, forward or backward."""


@frozen
class Misfit:
    """What does not fit: of which field, in a sentence, and what to do."""

    field: str
    wrong: str
    help: str


class MisfitError(ValueError):
    """A training step that does not fit; `misfits` has all reasons."""

    def __init__(self, misfits: list[Misfit]) -> None:
        super().__init__("; ".join(f"{each.wrong}: {each.help}" for each in misfits))
        self.misfits = tuple(misfits)


def find_misfits(asked: Training, ends: int) -> list[Misfit]:
    """Return what of a step does not fit each other, its model and so many end points."""
    at_least_one = [(name, getattr(asked, name)) for name in ("batch", "sequence", "microbatch", "chunks")]
    at_least_one += [(name, asked.layout.size(name)) for name in ("tensor", "context", "pipeline", "data", "expert")]
    small = [Misfit(name, f"`{name}` is {value}", "it is 1 or more") for name, value in at_least_one if value < 1]
    if asked.skew < 1:
        small.append(Misfit("skew", f"`skew` is {asked.skew:g}", "it is 1 or more: the busiest rank over the mean"))
    if small:
        return small
    return [*_words(asked), *_of_ends(asked, ends), *_of_model(asked), *_of_batch(asked)]


def _words(asked: Training) -> list[Misfit]:
    said = [(name, getattr(asked, name), legal) for name, legal in WORDS.items()]
    said += [("overlap", word, EXCHANGED) for word in sorted(asked.overlap)]
    found = [
        Misfit(name, f"there is no {name} `{word}`", f"it is one of {', '.join(legal)}")
        for name, word, legal in said
        if word not in legal
    ]
    if sorted(asked.layout.order) != sorted(ORDER):
        found.append(Misfit("order", "`order` names each axis once", f"such as [{', '.join(ORDER)}]"))
    return found


def _of_ends(asked: Training, ends: int) -> list[Misfit]:
    layout = asked.layout
    if layout.ranks == ends:
        return []
    inner = layout.tensor * layout.context * layout.pipeline
    wrong = f"tensor · context · pipeline · data is {layout.ranks:,}, and there are {ends:,} end points"
    if ends % inner == 0:
        return [Misfit("data", wrong, f"`data = {ends // inner}` fits")]
    wanted = layout.pipeline
    rest = layout.tensor * layout.context
    if ends % rest == 0:
        return [Misfit("pipeline", wrong, f"`pipeline` divides {ends // rest:,}: {_nearest(ends // rest, wanted)}")]
    return [Misfit("tensor", wrong, f"`tensor` divides {ends:,}: {_nearest(ends, layout.tensor)}")]


def _of_model(asked: Training) -> list[Misfit]:
    model, layout, found = asked.model, asked.layout, []
    if model.heads % layout.tensor:
        wrong = f"{model.heads:,} heads don't divide among {layout.tensor:,} tensor ranks"
        found.append(Misfit("tensor", wrong, f"legal are {_nearest(model.heads, layout.tensor)}"))
    if asked.parts > model.layers + EMBEDDINGS:
        wrong = f"{model.layers:,} layers are too few for {asked.parts:,} parts, pipeline · chunks"
        max_pipeline = max(1, (model.layers + EMBEDDINGS) // asked.chunks)
        found.append(Misfit("pipeline", wrong, f"at most `pipeline = {max_pipeline}`"))
    if asked.sequence % layout.context:
        wrong = f"a sequence of {asked.sequence:,} tokens doesn't divide among {layout.context:,} context ranks"
        found.append(Misfit("context", wrong, f"legal are {_nearest(asked.sequence, layout.context)}"))
    if layout.expert > 1 and not model.experts:
        found.append(Misfit("expert", "the model has no experts", "leave `expert` out"))
    elif layout.expert > 1 and (model.experts % layout.expert or layout.stage_ranks % layout.expert):
        wrong = f"{model.experts:,} experts on {layout.stage_ranks:,} ranks of a stage can't be {layout.expert:,} ways"
        both = [k for k in divisors(model.experts) if layout.stage_ranks % k == 0]
        found.append(Misfit("expert", wrong, f"legal are {_listed(both, layout.expert)}"))
    elif layout.expert > 1 and layout.tensor > 1 and not asked.sequence_parallel:
        wrong = "tensor ranks that have the same tokens would each send them to the experts"
        found.append(Misfit("sequence_parallel", wrong, "leave it true, as Megatron-LM wants it with experts"))
    return found


def nearest_multiples(number: int, of: int) -> str:
    """Return which multiples of `of` are nearest to a number that is none, as a sentence."""
    lower = number // of * of
    return f"the nearest are {lower:,} or {lower + of:,}" if lower else f"the least is {of:,}"


def _of_batch(asked: Training) -> list[Misfit]:
    layout = asked.layout
    if asked.batch % layout.data:
        wrong = f"a batch of {asked.batch:,} sequences doesn't divide among {layout.data:,} replicas"
        return [Misfit("batch", wrong, nearest_multiples(asked.batch, layout.data))]
    own = asked.batch // layout.data
    if own % asked.microbatch:
        wrong = f"{own:,} sequences of a replica don't divide into microbatches of {asked.microbatch:,}"
        return [Misfit("microbatch", wrong, f"legal are {_nearest(own, asked.microbatch)}")]
    if asked.microbatches * asked.parts > MOST_PASSES:
        wrong = f"{asked.microbatches:,} microbatches in {asked.parts:,} parts are more than {MOST_PASSES:,} passes"
        return [Misfit("batch", wrong, "raise `microbatch`, or lower `batch`")]
    if asked.chunks > 1 and asked.schedule != "interleaved":
        wrong = f"`{asked.schedule}` has one chunk of layers a stage, not {asked.chunks}"
        return [Misfit("chunks", wrong, "take the schedule `interleaved`")]
    if asked.chunks > 1 and asked.microbatches % layout.pipeline:
        wrong = (
            f"{asked.microbatches:,} microbatches are no multiple of {layout.pipeline:,} stages, as interleaving wants"
        )
        lower = asked.microbatches // layout.pipeline * layout.pipeline
        batches = [each * layout.data * asked.microbatch for each in (lower, lower + layout.pipeline) if each]
        return [Misfit("batch", wrong, "the nearest batch is " + " or ".join(f"{each:,}" for each in batches))]
    return []


def divisors(number: int) -> list[int]:
    """Return the divisors of a number, in order."""
    low = [k for k in range(1, int(number**0.5) + 1) if number % k == 0]
    return sorted({*low, *(number // k for k in low)})


def _nearest(number: int, wanted: int) -> str:
    """Return the divisors of a number that are next to what is wanted."""
    return _listed(divisors(number), wanted)


def _listed(legal: list[int], wanted: int) -> str:
    near = sorted(sorted(legal, key=lambda each: abs(each - wanted))[:3])
    return ", ".join(f"{each:,}" for each in near)
