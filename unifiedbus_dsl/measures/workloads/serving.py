"""Serving on a machine: prefill and decode as estimates, their lower bounds, the memory, and the rates that follow."""

from __future__ import annotations

from attrs import frozen

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.measures.workloads.fabric_timer import FabricTimer
from unifiedbus_dsl.measures.workloads.part import chip_of
from unifiedbus_dsl.measures.workloads.steps import binding_links, require_memory
from unifiedbus_dsl.measures.workloads.walls import max_port_Bps
from unifiedbus_dsl.solver.network_context import NetworkContext
from unifiedbus_dsl.workload.chip import Chip
from unifiedbus_dsl.workload.legality import MisfitError
from unifiedbus_dsl.workload.memory import Kept
from unifiedbus_dsl.workload.serving import Serving, find_serving_misfits, most_sequences, serving_memory
from unifiedbus_dsl.workload.serving_bound import ServingBound, bound_decode, bound_prefill
from unifiedbus_dsl.workload.serving_time import ServingTime, estimate_decode, estimate_prefill


@frozen(eq=False)
class ServingStep:
    """Prefill and decode of what is asked: `prefill` and `decode` rest on the constants of `chip`, the bounds on its
    peaks and ports alone. `binding` are the links that bind each sort of exchange, by part."""

    asked: Serving
    chip: Chip
    prefill: ServingTime
    prefill_bound: ServingBound
    decode: ServingTime
    decode_bound: ServingBound
    memory: Kept
    binding: dict[str, tuple[str, ...]]

    @property
    def prefill_s(self) -> float:
        """From a prompt to its first token."""
        return self.prefill.seconds

    @property
    def decode_s(self) -> float:
        """Of a decode step, in the middle of an output."""
        return self.decode.seconds

    @property
    def token_s(self) -> float:
        """From one token of a sequence to the next, with those of a draft that are kept."""
        return self.decode.seconds / self.asked.kept_tokens

    @property
    def prompt_tokens_per_s(self) -> float:
        """Tokens of prompts that all end points together take in a second of prefill alone."""
        return self.asked.prompts * self.asked.prompt * self.asked.layout.data / self.prefill.period_s

    @property
    def tokens_per_s(self) -> float:
        """Tokens that all sequences together get in a second of decode alone."""
        return self.asked.concurrency / self.token_s

    @property
    def most_sequences(self) -> int:
        """Sequences that the memory holds at the most."""
        return most_sequences(self.asked, self.chip.memory_bytes)


def time_serving(machine: NetworkContext, ends: Ints, asked: Serving) -> ServingStep:
    """Return prefill and decode of a model whose rank r stands on end point `ends[r]`.

    Raises:
        MisfitError: it does not fit the end points, the model or the memory.
        NotAdmittedError: the part lacks a field, or end points that exchange are not joined.
    """
    misfits = find_serving_misfits(asked, len(ends))
    if misfits:
        raise MisfitError(misfits)
    chip = chip_of(machine, ends, asked.precision)
    memory = serving_memory(asked)
    require_memory(memory, chip)
    timer = FabricTimer(machine, ends, asked.layout, chip.constants.fabric_efficiency)
    prefill = estimate_prefill(asked, chip, timer)
    decode = estimate_decode(asked.decode_step(), chip, timer)
    port = max_port_Bps(machine, ends)
    return ServingStep(
        asked, chip, prefill, bound_prefill(asked, chip, port), decode,
        bound_decode(asked.decode_step(), chip, port), memory,
        binding_links(machine, timer, (*prefill.exchanges, *decode.exchanges)),
    )  # fmt: skip
