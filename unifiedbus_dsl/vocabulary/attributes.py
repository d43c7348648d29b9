"""The fields that the compiler itself understands: one table with unit, meaning and default.

The manual, hover texts and checks read this table. Any other field is the writer's own: it may have any value and is
summed by `sum(all npu.memory)` like these.
"""

from __future__ import annotations

from fractions import Fraction

from attrs import frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Dimension, Quantity
from unifiedbus_dsl.vocabulary.limits import MOST_CONNECTORS

MEDIA = ("pcb", "backplane", "copper", "active_copper", "optical")
"""What a link can be made of: board traces, backplane, passive and active electrical cable, fibre."""

KINDS_OF_DEVICE = ("npu", "cpu", "switch", "nic", "device")
KINDS_OF_ASSEMBLY = ("board", "node", "rack", "superpod", "supercluster", "module")


LARGEST = {
    units.NUMBER: Fraction(10**9),
    units.RATE: Fraction(10**18),
    units.TIME: Fraction(10**6),
    units.LENGTH: Fraction(10**9),
    units.DELAY: Fraction(1),
    units.SIZE: Fraction(10**24),
    units.COMPUTE: Fraction(10**30),
    units.MONEY: Fraction(10**15),
    units.POWER: Fraction(10**15),
}
"""The largest value of a field by its dimension, SI base units."""


def largest_argument(dimension: Dimension) -> Quantity:
    """Return the largest value of an argument of a measure: a thousand times that of a field, such as a repair that
    takes months."""
    return Quantity(1000 * LARGEST[dimension], dimension)


TALLEST = 100 * units.UNITS["U"][0]
"""Metres; no rack is taller."""

MODEL_SIZES = Fraction(10**7)
"""The largest dimension of a model: beyond any that is trained, and its parameters fit an integer of 64 bits."""
LEAST_RATE = Fraction(1)
"""Byte/s: a lane that carries nothing is no lane, and an end point that sends nothing is none."""


@frozen
class Attribute:
    """A field known to the compiler.

    `dimension` is None for a word out of `words`. `default` is None where there is none; a `required` field without a
    value is an error. `low` and `high` bound the value (SI base units), both included; without `high` the bound is
    that of the dimension, beyond anything that is built and far inside what a float can hold.
    """

    name: str
    owner: str
    dimension: Dimension | None
    meaning: str
    default: Quantity | str | None = None
    required: bool = False
    words: tuple[str, ...] = ()
    low: Fraction | None = Fraction(0)
    high: Fraction | None = None
    whole: bool = False
    truth: bool = False
    """Whether the value is true or false."""

    @property
    def max(self) -> Fraction | None:
        """The largest value that is legal, SI base units."""
        return self.high if self.high is not None or self.dimension is None else LARGEST.get(self.dimension)


def _zero(dimension: Dimension) -> Quantity:
    return Quantity(Fraction(0), dimension)


ATTRIBUTES = (
    Attribute("lane", "protocol", units.RATE, "Raw rate of one lane, each direction.", required=True, low=LEAST_RATE),
    Attribute("latency", "protocol", units.TIME, "Time that both ends of a cable add.", _zero(units.TIME)),
    Attribute(
        "efficiency",
        "protocol",
        units.NUMBER,
        "Share of the raw rate that carries data.",
        units.number(1),
        low=Fraction(1, 10**6),
        high=Fraction(1),
    ),
    Attribute("medium", "link", None, "What the cable is made of.", words=MEDIA),
    Attribute("reach", "link", units.LENGTH, "Longest cable of this kind."),
    Attribute("delay", "link", units.DELAY, "Time of flight per length.", _zero(units.DELAY)),
    Attribute(
        "latency", "link", units.TIME, "Time that the ends of the link add (optics, retimers).", _zero(units.TIME)
    ),
    Attribute(
        "slack",
        "link",
        units.LENGTH,
        "Length added to one taken from the floor plan.",
        _zero(units.LENGTH),
        high=Fraction(10**7),
    ),
    Attribute("optics", "link", units.NUMBER, "Optical modules of one cable, both ends together.", units.number(0)),
    Attribute(
        "connectors",
        "link",
        units.NUMBER,
        "Cables that the module in one cage takes; 1: a plug fills the cage.",
        units.number(1),
        low=Fraction(1),
        high=Fraction(MOST_CONNECTORS),
        whole=True,
    ),
    Attribute("cost", "link", units.MONEY, "Price of one cable with its ends."),
    Attribute("power", "link", units.POWER, "Power of one cable with its ends."),
    Attribute("afr", "link", units.NUMBER, "Failures a year of one cable with its ends."),
    Attribute("latency", "device", units.TIME, "Time to pass through when forwarding.", _zero(units.TIME)),
    Attribute("injection", "device", units.RATE, "Most that the device sends, and that it receives.", low=LEAST_RATE),
    Attribute("lanes", "device", units.NUMBER, "Lanes that the device has; its ports may not need more.", whole=True),
    Attribute("memory", "device", units.SIZE, "Memory of one."),
    Attribute("io", "device", units.RATE, "Published rate of all ports together."),
    *(
        Attribute(name, "device", units.COMPUTE, f"Compute rate in {name}, dense.")
        for name in ("fp4", "fp8", "fp16", "bf16", "fp32", "fp64", "int8")
    ),
    Attribute("hbm", "device", units.RATE, "Rate of the memory."),
    Attribute("launch", "device", units.TIME, "Time that a kernel takes to start, of estimates of workloads."),
    *(
        Attribute(
            name,
            "device",
            units.NUMBER,
            f"Share of {what} that kernels reach, of estimates of workloads.",
            high=Fraction(1),
        )
        for name, what in (
            ("gemm_efficiency", "the peak"),
            ("hbm_efficiency", "the memory's rate"),
            ("fabric_efficiency", "the cables' rates"),
        )
    ),
    Attribute("cost", "device", units.MONEY, "Price of one."),
    Attribute("power", "device", units.POWER, "Power of one."),
    Attribute("afr", "device", units.NUMBER, "Failures a year of one."),
    *(
        attribute
        for owner in ("device", "assembly")
        for attribute in (
            Attribute(
                "height",
                owner,
                units.LENGTH,
                "Height in a rack, such as 2 U; of a rack, of the room in it.",
                low=Fraction(1, 1000),
                high=TALLEST,
            ),
            Attribute("face", owner, None, "Side of a rack that it fills; without it, both.", words=("front", "rear")),
        )
    ),
    Attribute("cost", "assembly", units.MONEY, "Price of the assembly beside what it contains."),
    Attribute("power", "assembly", units.POWER, "Power of the assembly beside what it contains."),
    Attribute("afr", "assembly", units.NUMBER, "Failures a year of the assembly beside what it contains."),
    *(
        Attribute(name, "model", units.NUMBER, meaning, required=True, low=Fraction(1), high=MODEL_SIZES, whole=True)
        for name, meaning in (
            ("layers", "Layers of the decoder."),
            ("hidden", "Elements of a token between layers."),
            ("heads", "Heads of attention, of queries."),
            ("ffn", "Inner elements of a feed-forward network, of layers without experts."),
            ("vocab", "Tokens of the vocabulary."),
        )
    ),
    *(
        Attribute(name, "model", units.NUMBER, meaning, units.number(0), high=MODEL_SIZES, whole=True)
        for name, meaning in (
            ("head_dim", "Elements of a head; 0: hidden / heads."),
            ("kv_heads", "Heads of keys and values; 0: as many as of queries."),
            ("positions", "Learned position embeddings."),
            ("experts", "Experts of a layer that tokens are routed to."),
            ("top_k", "Experts that a token is sent to."),
            ("shared_experts", "Experts that every token passes."),
            ("expert_ffn", "Inner elements of an expert."),
            ("dense_layers", "Layers without experts, before those with."),
            ("q_rank", "Latent attention: elements of a compressed query."),
            ("kv_rank", "Latent attention: elements of compressed keys and values."),
            ("rope_dim", "Latent attention: elements of a head that carry the position."),
        )
    ),
    *(
        Attribute(name, "model", None, meaning, truth=True)
        for name, meaning in (
            ("gated", "Whether feed-forward networks have three matrices."),
            ("tied", "Whether input and output embedding are one matrix."),
            ("biases", "Whether linear layers and norms add a bias."),
            ("qk_norm", "Whether queries and keys are normalised by head."),
            ("dropout", "Whether blocks end in dropout, whose masks are kept."),
        )
    ),
    Attribute(
        "attention", "model", None, "Multi-head attention, or multi-head latent attention.", words=("mha", "mla")
    ),
)

_BY_OWNER: dict[str, dict[str, Attribute]] = {}
for _attribute in ATTRIBUTES:
    _BY_OWNER.setdefault(_attribute.owner, {})[_attribute.name] = _attribute


def attributes(owner: str) -> dict[str, Attribute]:
    """Return the known fields of a `protocol`, `link`, `model`, `device` or `assembly`, by name."""
    return _BY_OWNER[owner]


def owner_of(kind: str) -> str:
    """`device` or `assembly`, for the keyword of a type."""
    return "device" if kind in KINDS_OF_DEVICE else "assembly"
