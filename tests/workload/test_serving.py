"""Bounds."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.workload.test_model import DEEPSEEK, LLAMA
from unifiedbus_dsl.workload.chip import Chip, Constants
from unifiedbus_dsl.workload.exchange import Exchange
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.model import total_parameters
from unifiedbus_dsl.workload.serving import (
    Decode,
    Serving,
    cache_bytes,
    find_serving_misfits,
    most_sequences,
    serving_memory,
)
from unifiedbus_dsl.workload.serving_bound import bound_decode, bound_prefill, exchange_seconds
from unifiedbus_dsl.workload.serving_time import estimate_decode, estimate_prefill

H800 = Chip({"bf16": 989e12, "fp8": 1979e12}, 80e9, 3.35e12, Constants(1, 1, 0, 1))


def test_decode_of_deepseek_on_two_networks() -> None:
    """arXiv:2505.09343, 2.3.2: 32 tokens, nine experts, 7,000 elements, two halves of 61 layers: 120.96 us a half and
    14.76 ms, 67 tokens/s, with 50 GB/s; 0.82 ms and 1,200 tokens/s with 900 GB/s."""
    assert exchange_seconds(32, 9, 7_000, 1, 50e9) == pytest.approx(120.96e-6, rel=1e-12)
    whole = exchange_seconds(2 * 32, 9, 7_000, 61, 50e9)
    assert round(whole * 1e3, 2) == 14.76
    assert int(1 / whole) == 67
    fast = exchange_seconds(2 * 32, 9, 7_000, 61, 900e9)
    assert round(fast * 1e3, 2) == 0.82
    assert round(1 / fast, -2) == 1_200


def test_exchange_binds_where_it_is_most() -> None:
    """64 sequences a rank on 256 ranks, 255 of 256 choices elsewhere, 58 layers with experts."""
    asked = Decode(DEEPSEEK, 64, 4096, Layout(data=256, expert=256))
    slow, fast = bound_decode(asked, H800, 50e9), bound_decode(asked, H800, 900e9)
    assert slow.binding == "exchange"
    assert slow.step_s == pytest.approx(3 * 64 * 8 * 255 / 256 * 7_168 * 58 / 50e9)
    assert fast.binding == "memory"
    assert fast.tokens_per_s == 1 / fast.step_s


def test_weights_and_cache_are_read() -> None:
    """Llama 3.1 8B on one rank: 8.03e9 parameters but for the table of tokens, keys and values of 8 heads of 128 in 32
    layers, two bytes each."""
    model = LLAMA["8B"]
    found = bound_decode(Decode(model, 16, 1000, Layout(), precision="bf16"), H800, 1e12)
    table = model.vocab * model.hidden
    matrices = total_parameters(model) - table - 65 * model.hidden  # two norms a layer and the last one
    scores = 1000 * 32 * 4 * 32 * 128
    cache = 16 * 1000 * 32 * 2 * 8 * 128 * 2
    assert found.bounds["memory"] == pytest.approx((2 * (total_parameters(model) - table) + cache) / 3.35e12)
    assert found.bounds["compute"] == pytest.approx(16 * (2 * matrices + scores) / 989e12)
    assert found.binding == "memory"
    assert cache_bytes(model, tensor=8) == cache_bytes(model) / 8
    assert cache_bytes(DEEPSEEK) == 61 * 576 * 2  # arXiv:2505.09343, table 1: 70.272 KB a token


def test_experts_without_a_token_are_not_read() -> None:
    """One token reads 8 of 256 experts of each layer."""
    bare = evolve(DEEPSEEK, dense_layers=0)
    one = bound_decode(Decode(bare, 1, 1, Layout()), H800, 1e12).bounds["memory"]
    dense = bound_decode(Decode(evolve(bare, top_k=0, experts=256), 1, 1, Layout()), H800, 1e12).bounds["memory"]
    assert (one - dense) * 3.35e12 == pytest.approx(61 * 8 * 3 * 7_168 * 2_048)


def test_a_token_comes_once_to_a_rank_with_two_of_its_experts() -> None:
    """All pairs of 8 experts on 4 ranks, in a plain loop."""
    model = evolve(DEEPSEEK, experts=8, top_k=2)
    pairs = [(a, b) for a in range(8) for b in range(8) if a != b]
    ranks = sum(len({a // 2, b // 2} - {0}) for a, b in pairs) / len(pairs)
    found = bound_decode(Decode(model, 10, 1, Layout(data=4, expert=4)), H800, 1e9).bounds["exchange"]
    assert found == pytest.approx(3 * 10 * ranks * 7_168 * 58 / 1e9)


def test_experts_of_a_replica_are_met_by_its_own_tokens() -> None:
    """Two ranks with all experts each: a token of one reads nothing on the other."""
    bare = evolve(DEEPSEEK, dense_layers=0)
    alone = bound_decode(Decode(bare, 1, 1, Layout()), H800, 1e12).bounds["memory"]
    assert bound_decode(Decode(bare, 1, 1, Layout(data=2)), H800, 1e12).bounds["memory"] == alone


def test_stages_are_read_one_after_another() -> None:
    """One sequence reads the weights of all stages; many keep each stage busy with a part."""
    model = LLAMA["8B"]
    whole = bound_decode(Decode(model, 1, 1, Layout(), precision="bf16"), H800, 1e12)
    piped = bound_decode(Decode(model, 1, 1, Layout(pipeline=4), precision="bf16"), H800, 1e12)
    assert piped.bounds["memory"] == pytest.approx(whole.bounds["memory"], rel=1e-4)  # but for the cache
    assert piped.bounds["compute"] == pytest.approx(whole.bounds["compute"] / 4)


# ---- estimates ------------------------------------------------------------------------------------------------------

IDEAL = Chip({"bf16": 1e12}, 160e9, 1e30, Constants(1.0, 1.0, 0.0, 1.0))
READS = Chip({"bf16": 1e30}, 160e9, 1e12, Constants(1.0, 1.0, 0.0, 1.0))
CHAT = Serving(LLAMA["8B"], 1024, 200, 16, Layout(), precision="bf16")


def nothing(_: Exchange) -> float:
    return 0.0


def nanosecond(exchange: Exchange) -> float:
    """One byte takes a nanosecond, whatever the exchange."""
    return exchange.size_bytes * 1e-9


def test_prefill_computes_a_prompt() -> None:
    """2 FLOPs for each weight of a layer and token, the causal half of the scores, and the head of one token."""
    model = CHAT.model
    layer = model.hidden * (2 * 32 + 2 * 8) * 128 + 3 * model.hidden * model.ffn
    flops = 32 * 1024 * (2 * layer + 4 * 32 * 128 * 1024 / 2) + 2 * model.hidden * model.vocab
    found = estimate_prefill(CHAT, IDEAL, nothing)
    assert found.seconds == pytest.approx(flops / 1e12, rel=1e-9)
    assert found.parts["matrix"] == pytest.approx(found.seconds)
    assert bound_prefill(CHAT, IDEAL, 1e12).bounds["compute"] == pytest.approx(flops / 1e12)


def test_decode_reads_weights_and_cache() -> None:
    """16 sequences, 1,124 tokens each in the middle of their output: weights, cache, rows that kernels move."""
    model, n, h, f = CHAT.model, 16, CHAT.model.hidden, CHAT.model.ffn
    weights = 32 * (h * 80 * 128 + 3 * h * f) + h * model.vocab
    cache = n * 1124 * 32 * 2 * 8 * 128
    rows = 32 * n * (2 * 2 * h + 2 * 3 * h)  # norms read and write, residuals have three rows
    rows += 32 * n * ((h + 48 * 128) + (32 * 128 + h) + (h + 2 * f) + (f + h) + 3 * f)
    rows += n * (2 * h + h + model.vocab + 6 * model.vocab)  # embedding, head, and its loss in four bytes
    found = estimate_decode(CHAT.decode_step(), READS, nothing)
    assert found.seconds == pytest.approx(2 * (weights + cache + rows) / 1e12, rel=1e-9)
    assert bound_decode(CHAT.decode_step(), READS, 1e12).step_s <= found.seconds


def test_decode_of_latent_attention_computes_on_latent_vectors() -> None:
    """A token's scores of 128 heads: 576 elements against each latent vector, 512 summed up."""
    step = Decode(evolve(DEEPSEEK, layers=1, dense_layers=1), 4, 2048, Layout(), precision="bf16")
    far, near = (estimate_decode(evolve(step, context=c), IDEAL, nothing).seconds for c in (2048, 1024))
    assert far - near == pytest.approx(4 * 1024 * 2 * 128 * (576 + 512) / 1e12, rel=1e-9)
    far, near = (estimate_decode(evolve(step, context=c), READS, nothing).seconds for c in (2048, 1024))
    assert far - near == pytest.approx(4 * 1024 * 576 * 2 / 1e12, rel=1e-9)


def test_decode_exchanges_a_token_a_sequence() -> None:
    """Two gathers and two scatters a layer of 16 rows over four tensor ranks; eight copies out, in 1 byte, and back in
    2, of what each of eight ranks has in 58 layers."""
    found = estimate_decode(evolve(CHAT, layout=Layout(tensor=4)).decode_step(), IDEAL, nanosecond)
    assert found.parts["tensor"] == pytest.approx(32 * 4 * 16 * 4096 * 2 * 1e-9)
    chip = evolve(IDEAL, peaks={"fp8": 1e15, "bf16": 1e15})
    step = Decode(DEEPSEEK, 16, 100, Layout(data=8, expert=8))
    found = estimate_decode(step, chip, nanosecond)
    assert found.parts["expert"] == pytest.approx(58 * 16 * 8 * 7168 * 3 * 1e-9)
    skewed = estimate_decode(evolve(step, skew=1.5), chip, nanosecond)
    assert skewed.parts["expert"] == pytest.approx(1.5 * found.parts["expert"])
    assert skewed.parts["matrix"] > found.parts["matrix"]
    hidden = estimate_decode(evolve(step, overlap=frozenset(("expert",))), chip, nanosecond)
    assert hidden.parts["expert"] < found.parts["expert"] == hidden.whole["expert"]


def test_stages_decode_a_part_of_the_sequences_each() -> None:
    """Four equal stages are as fast as one rank where products alone take time: four are at work at once, on a quarter
    of the sequences of a quarter of the layers, four times a token."""
    model = evolve(LLAMA["8B"], vocab=1)
    one = estimate_decode(Decode(model, 16, 100, Layout(), precision="bf16"), IDEAL, nothing)
    four = estimate_decode(Decode(model, 16, 100, Layout(pipeline=4), precision="bf16"), IDEAL, nothing)
    assert four.seconds == pytest.approx(one.seconds / 4, rel=1e-4)
    assert sum(four.parts.values()) == pytest.approx(four.seconds)


def test_a_draft_that_is_kept_saves_steps() -> None:
    drafted = evolve(CHAT, drafted=1, accepted=0.7)
    assert drafted.kept_tokens == 1.7
    assert drafted.decode_step().tokens == 32
    reads = [estimate_decode(each.decode_step(), READS, nothing).seconds for each in (CHAT, drafted)]
    assert reads[0] < reads[1] < 1.1 * reads[0]  # weights and cache are read once for both tokens


def test_memory_of_serving() -> None:
    """Weights in two bytes, keys and values of 1,224 tokens of 16 sequences; a layer's tensors of one prompt."""
    kept = serving_memory(CHAT)
    assert kept.weights == 2 * total_parameters(CHAT.model)
    assert kept.cache == 16 * 1224 * 32 * 2 * 8 * 128 * 2
    assert kept.total == kept.weights + kept.cache + kept.activations
    most = most_sequences(CHAT, 80e9)
    assert serving_memory(evolve(CHAT, concurrency=most)).total <= 80e9
    assert serving_memory(evolve(CHAT, concurrency=most + 1)).total > 80e9
    assert most_sequences(CHAT, 10e9) == 0


@pytest.mark.parametrize(
    ("more", "field", "says"),
    [
        ({"concurrency": 0}, "concurrency", "`concurrency` is 0"),
        ({"output": 0}, "output", "`output` is 0"),
        ({"accepted": 1.5}, "accepted", "`accepted` is 1.5"),
        ({"skew": 0.5}, "skew", "`skew` is 0.5"),
        ({"concurrency": 15, "layout": Layout(data=4)}, "concurrency", "15 sequences don't divide among 4 replicas"),
        ({"layout": Layout(tensor=3)}, "tensor", "32 heads don't divide among 3 tensor ranks"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(more: dict[str, object], field: str, says: str) -> None:
    asked = evolve(CHAT, **more)
    misfits = find_serving_misfits(asked, asked.layout.ranks)
    assert [(each.field, each.wrong) for each in misfits] == [(field, says)]


@pytest.mark.parametrize("layout", [
    Layout(), Layout(tensor=4), Layout(data=8, expert=8), Layout(tensor=2, data=4, expert=2),
    Layout(pipeline=2, data=2), Layout(context=2, data=2, expert=4),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("concurrency", [8, 512])
def test_no_estimate_beats_its_bound(layout: Layout, concurrency: int) -> None:
    """Ports of 1 GB/s, and exchanges that take as long as the least of what each rank must send."""
    chip = Chip({"fp8": 1e15, "bf16": 5e14}, 1e15, 1e12, Constants(1.0, 1.0, 0.0, 1.0))
    asked = Serving(DEEPSEEK, 512, 64, concurrency, layout)

    def least(exchange: Exchange) -> float:
        n = 2 if exchange.pattern == "shift" else layout.size(exchange.axis)
        return exchange.size_bytes / 1e9 * (n - 1) / n

    prefill, decode = estimate_prefill(asked, chip, least), estimate_decode(asked.decode_step(), chip, least)
    assert bound_prefill(asked, chip, 1e9).step_s <= prefill.seconds * (1 + 1e-9)
    assert bound_decode(asked.decode_step(), chip, 1e9).step_s <= decode.seconds * (1 + 1e-9)
    assert prefill.period_s <= prefill.seconds
    assert min(*prefill.parts.values(), *decode.parts.values()) >= 0
