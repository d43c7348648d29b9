"""Parameters and FLOPs against published figures, which are rounded: half of their last digit is allowed."""

from __future__ import annotations

import pytest

from unifiedbus_dsl.workload.flops import hardware_flops, model_flops
from unifiedbus_dsl.workload.model import Model, active_parameters, attention_matrices, total_parameters


def gpt(layers: int, hidden: int, heads: int, vocab: int = 51_200, positions: int = 2_048) -> Model:
    return Model(layers, hidden, heads, 4 * hidden, vocab, tied=True, biases=True, positions=positions, dropout=True)


GPT3 = gpt(96, 12_288, 96, 50_257)
LLAMA = {
    "8B": Model(32, 4_096, 32, 14_336, 128_256, kv_heads=8, gated=True),
    "70B": Model(80, 8_192, 64, 28_672, 128_256, kv_heads=8, gated=True),
    "405B": Model(126, 16_384, 128, 53_248, 128_256, kv_heads=8, gated=True),
}
DEEPSEEK = Model(
    61, 7_168, 128, 18_432, 129_280, head_dim=128, gated=True, experts=256, top_k=8, shared_experts=1, expert_ffn=2_048,
    dense_layers=3, attention="mla", q_rank=1_536, kv_rank=512, rope_dim=64,
)  # fmt: skip
QWEN = Model(
    94, 4_096, 64, 12_288, 151_936, head_dim=128, kv_heads=4, gated=True, experts=128, top_k=8, expert_ffn=1_536,
    qk_norm=True,
)  # fmt: skip
MIXTRAL = Model(32, 4_096, 32, 14_336, 32_000, kv_heads=8, gated=True, experts=8, top_k=2, expert_ffn=14_336)


@pytest.mark.parametrize(
    ("model", "published"),
    [
        (GPT3, 174.6e9),  # arXiv:2005.14165, table 2.1 and its released sizes
        (LLAMA["8B"], 8.03e9),  # arXiv:2407.21783
        (LLAMA["70B"], 70.6e9),
        (LLAMA["405B"], 405.9e9),
        (DEEPSEEK, 671e9),  # arXiv:2412.19437
        (QWEN, 235e9),  # arXiv:2505.09388
        (MIXTRAL, 46.7e9),  # arXiv:2401.04088
        (gpt(48, 6_144, 64), 22e9),  # arXiv:2205.05198, table 3
        (gpt(96, 12_288, 96), 175e9),
        (gpt(105, 20_480, 128), 530e9),
        (gpt(128, 25_600, 160), 1008e9),
    ],
)
def test_published_sizes(model: Model, published: float) -> None:
    assert total_parameters(model) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(
    ("model", "published", "within"), [(DEEPSEEK, 37, 0.5), (QWEN, 22, 0.5), (MIXTRAL, 12.9, 0.05)]
)
def test_published_active_sizes(model: Model, published: float, within: float) -> None:
    """DeepSeek's count leaves the input embedding out, which is looked up."""
    count = active_parameters(model) - (model.vocab * model.hidden if model is DEEPSEEK else 0)
    assert count / 1e9 == pytest.approx(published, abs=within)


def test_gpt3_to_the_parameter() -> None:
    """12 h^2 + 13 h a layer, the embeddings of words and positions, and the last norm."""
    assert total_parameters(GPT3) == 96 * (12 * 12_288**2 + 13 * 12_288) + (50_257 + 2_048) * 12_288 + 2 * 12_288


def test_flops_of_a_step_are_those_of_megatron() -> None:
    """72 B s l h^2 (1 + s / 6h + V / 12 h l): arXiv:2205.05198, appendix A. With selective recomputation the core of
    the attention runs forward once more, with full recomputation all layers do."""
    layers, hidden, sequence, vocab = 96, 12_288, 2_048, 51_200
    model = gpt(layers, hidden, 96)
    one = 72 * layers * hidden**2
    assert model_flops(model, sequence) == pytest.approx(
        one * (1 + sequence / (6 * hidden) + vocab / (12 * hidden * layers)), rel=1e-12
    )
    selective = one * (1 + sequence * 4 / 3 / (6 * hidden) + vocab / (12 * hidden * layers))
    assert hardware_flops(model, sequence, "selective") == pytest.approx(selective, rel=1e-12)
    full = one * 4 / 3 * (1 + sequence / (6 * hidden)) + 6 * vocab * hidden
    assert hardware_flops(model, sequence, "full") == pytest.approx(full, rel=1e-12)


def test_flops_of_a_token_are_those_of_palm() -> None:
    """6 N + 12 L H Q T (arXiv:2204.02311, appendix B), N the parameters of matrices."""
    model = LLAMA["405B"]
    matrices = model.layers * (attention_matrices(model) + 3 * model.hidden * model.ffn) + model.vocab * model.hidden
    attention = 12 * model.layers * model.heads * model.width * 8_192
    assert model_flops(model, 8_192) == pytest.approx(6 * matrices + attention, rel=1e-12)
    assert model_flops(model, 8_192, causal=True) == pytest.approx(6 * matrices + attention / 2, rel=1e-12)


@pytest.mark.parametrize(("model", "published"), [(DEEPSEEK, 250e9), (LLAMA["405B"], 2_448e9)])
def test_training_cost_of_a_token(model: Model, published: float) -> None:
    """FLOPs a token of training at sequences of 4,096, causal: arXiv:2505.09343, table 2."""
    assert model_flops(model, 4_096, causal=True) == pytest.approx(published, rel=0.03)
