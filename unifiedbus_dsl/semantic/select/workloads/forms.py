"""The forms of a workload with their arguments, each registered with who reads its call."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from unifiedbus_dsl.base.units import NUMBER
from unifiedbus_dsl.semantic.select.workloads.call import WorkloadCall
from unifiedbus_dsl.semantic.select.workloads.stated import StatedWorkload
from unifiedbus_dsl.vocabulary.signatures import SCHEDULES, WORKLOADS, Argument, Signature, Takes
from unifiedbus_dsl.workload.chip import ELEMENT_BYTES
from unifiedbus_dsl.workload.legality import WORDS
from unifiedbus_dsl.workload.pipeline import Name
from unifiedbus_dsl.workload.serving import Serving
from unifiedbus_dsl.workload.training import DEFAULT_OVERLAP, EXCHANGED, Training


@frozen(kw_only=True)
class WorkloadForm(Signature):
    """A form of workload: its signature, and

    read: what a call of it states; its arguments are ones that the signature has.
    """

    read: Callable[[WorkloadCall], StatedWorkload]


def form_named(name: str) -> WorkloadForm | None:
    """Return the form of a name; None where there is none."""
    form = WORKLOADS.get(name)
    return form if isinstance(form, WorkloadForm) else None


SCHEDULE_NAMES: dict[str, Name] = {
    "one_f_one_b": "1f1b", "gpipe": "gpipe", "interleaved": "interleaved", "zero_bubble": "zero_bubble"
}  # fmt: skip
"""Schedules as the language says them: a word of it begins with a letter."""

CHUNKS = Argument("chunks", Takes.NUMBER, "chunks of layers on each stage", positional=True)
SCHEDULES.register(Signature("one_f_one_b", "1F1B: as few microbatches in flight as there are stages", ()))
SCHEDULES.register(Signature("gpipe", "all microbatches forward, then all backward", ()))
SCHEDULES.register(Signature("interleaved", "1F1B over several chunks of layers a stage", (CHUNKS,)))
SCHEDULES.register(Signature("zero_bubble", "ZB-H1: gradients of weights where stages would wait", ()))


def train(call: WorkloadCall) -> StatedWorkload:
    """Return the training step that a call states."""
    layout, along = call.layout()
    named, chunks = call.option("schedule", ("one_f_one_b", 1))
    asked = Training(
        call.model(),
        batch=call.number("batch"),
        sequence=call.number("sequence"),
        microbatch=call.number("microbatch"),
        layout=layout,
        schedule=SCHEDULE_NAMES[named],
        chunks=chunks,
        precision=call.word("precision", "bf16"),
        recompute=call.word("recompute", "none"),  # type: ignore[arg-type]  # one of its words
        shard=call.word("shard", "none"),  # type: ignore[arg-type]  # one of its words
        sequence_parallel=call.truth("sequence_parallel", True),
        fused_attention=call.truth("fused_attention", True),
        gradient_bytes=call.number("gradient_bytes", 4),
        overlap=call.words("overlap", DEFAULT_OVERLAP),
        skew=call.share("skew", 1.0),
    )
    return StatedWorkload(asked, call.named.get("on"), along, call.node)


def serve(call: WorkloadCall) -> StatedWorkload:
    """Return the serving that a call states."""
    layout, along = call.layout()
    asked = Serving(
        call.model(),
        prompt=call.number("prompt"),
        output=call.number("output"),
        concurrency=call.number("concurrency"),
        layout=layout,
        precision=call.word("precision", "fp8"),
        prompts=call.number("prompts"),
        cache=ELEMENT_BYTES[call.word("cache", "bf16")],
        drafted=call.number("drafted", 0, low=0),
        accepted=call.share("accepted", 0.0),
        skew=call.share("skew", 1.0),
        overlap=call.words("overlap", frozenset()),
    )
    return StatedWorkload(asked, call.named.get("on"), along, call.node)


def _ranks(axis: str, doc: str) -> Argument:
    return Argument(axis, Takes.NUMBER, doc, default="1")


MODEL = Argument("model", Takes.MODEL, "the model, of the text or of `specs/models`", positional=True)
ON = Argument("on", Takes.SELECTION, "the end points that it runs on, of one type", default="all")
ORDER = Argument(
    "order", Takes.ORDER, "axes from the innermost, over the end points in their order; `tensor along board`: along a "
    "dimension of the machine", default="[tensor, context, expert, data, pipeline]",
)  # fmt: skip
AXES = (
    _ranks("tensor", "ranks that share the matrices of a layer"),
    _ranks("context", "ranks that share a sequence"),
    _ranks("pipeline", "stages"),
    _ranks("expert", "ranks that share the experts of a layer, folded into a stage"),
    Argument("data", Takes.NUMBER, "replicas", default="what the end points are enough for"),
    ORDER,
)
SKEW = Argument(
    "skew", Takes.QUANTITY, "tokens of the busiest rank's experts over the mean of all", dimension=NUMBER, default="1"
)


def _precision(default: str) -> Argument:
    return Argument("precision", Takes.WORD, "of the matrix products", words=WORDS["precision"], default=default)


def _overlap(default: str) -> Argument:
    return Argument(
        "overlap", Takes.WORDS, "exchanges that may run under computation", words=EXCHANGED, default=default
    )


WORKLOADS.register(
    WorkloadForm(
        "train",
        "a training step of a model",
        (
            MODEL,
            Argument("batch", Takes.NUMBER, "sequences of a step, of all replicas"),
            Argument("sequence", Takes.NUMBER, "tokens of a sequence"),
            Argument("microbatch", Takes.NUMBER, "sequences that go through the pipeline together", default="1"),
            *AXES,
            Argument("schedule", Takes.WORD, "of the pipeline", words=SCHEDULES, default="one_f_one_b"),
            _precision("bf16"),
            Argument(
                "recompute", Takes.WORD, "what backward computes again", words=WORDS["recompute"], default="none"
            ),
            Argument(
                "shard", Takes.WORD, "what replicas share out, all up to this", words=WORDS["shard"], default="none"
            ),
            _overlap(f"[{', '.join(sorted(DEFAULT_OVERLAP))}]"),
            SKEW,
            Argument(
                "sequence_parallel", Takes.TRUTH, "whether tensor ranks share what they don't divide", default="true"
            ),
            Argument("fused_attention", Takes.TRUTH, "whether scores never leave the chip", default="true"),
            Argument("gradient_bytes", Takes.NUMBER, "bytes of an element of a gradient", default="4"),
            ON,
        ),
        read=train,
    )
)  # fmt: skip
WORKLOADS.register(
    WorkloadForm(
        "serve",
        "the serving of a model: prompts that are taken in, then a token of every sequence in each decode step",
        (
            MODEL,
            Argument("prompt", Takes.NUMBER, "tokens of a prompt"),
            Argument("output", Takes.NUMBER, "tokens that a sequence gets"),
            Argument("concurrency", Takes.NUMBER, "sequences at the same time, of all replicas"),
            Argument("prompts", Takes.NUMBER, "prompts that a replica takes in one prefill pass", default="1"),
            *AXES,
            _precision("fp8"),
            Argument("cache", Takes.WORD, "of keys and values", words=WORDS["precision"], default="bf16"),
            Argument("drafted", Takes.NUMBER, "tokens of a draft in each decode step of a sequence", default="0"),
            Argument(
                "accepted", Takes.QUANTITY, "part of the draft that is kept", dimension=NUMBER, default="0%",
                beside="drafted",
            ),
            SKEW,
            _overlap("none"),
            ON,
        ),
        read=serve,
    )
)  # fmt: skip
