"""Bounds on a decode step against published ones, and by hand."""

from __future__ import annotations

import pytest
from attrs import evolve

from tests.workload.test_model import DEEPSEEK, LLAMA
from unifiedbus_dsl.workload.chip import Chip, Constants
from unifiedbus_dsl.workload.layout import Layout
from unifiedbus_dsl.workload.model import total_parameters
from unifiedbus_dsl.workload.serving import Decode, bound_decode, cache_bytes, exchange_seconds

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
    cache = 16 * 1000 * 32 * 2 * 8 * 128 * 2
    assert found.bounds["memory"] == pytest.approx((2 * (total_parameters(model) - table) + cache) / 3.35e12)
    assert found.bounds["compute"] == pytest.approx(2 * 16 * (total_parameters(model) - table) / 989e12)
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
