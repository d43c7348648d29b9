"""What the measures, the patterns of traffic, the routings and the collective algorithms of the language may be asked
with: their signatures, each registered once by the file that holds all that is known of it.

`unifiedbus_dsl.measures` registers its own when it is imported, which the compiler does; what checks a text asks here
alone. A signature without one of its parts can't be registered, nor a second one of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import Generic, TypeVar

from attrs import field, frozen

from unifiedbus_dsl.base.units import Dimension, dimension_name

FUNCTIONS = ("min", "max", "abs", "floor", "ceil", "log2", "product", "len")
"""What is worked out of values alone."""

OVER = "over"
"""Confines a measure or a traffic to planes: protocols or links."""


class Takes(Enum):
    """What stands in an argument."""

    SELECTION = "a selection"
    TRAFFIC = "a traffic"
    TRAFFICS = "traffics"
    COLLECTIVE = "a collective"
    WORKLOAD = "a workload"
    QUANTITY = "a quantity"
    NUMBER = "a whole number"
    WORD = "one of some words"
    WORDS = "some of some words"
    ORDER = "an order of axes"
    LEVEL = "a kind of assembly"
    PLANE = "a protocol or link"
    LIST = "a list of whole numbers"
    MEASURE = "a measure"
    FIELD = "the name of a field"
    MODEL = "a model"
    TRUTH = "true or false"


@frozen
class Argument:
    """One argument: its name (that of a positional one is for Python and the docs), what it takes, and what it means.

    `dimension` is that of a quantity, `words` are those that a word may be (or the registry of them), `default` is what
    holds where it is not given: without one it must be. A `positional` one comes first and without its name. One that
    is given only with another one names that: `beside`.
    """

    name: str
    takes: Takes
    doc: str
    dimension: Dimension | None = None
    words: tuple[str, ...] | Registry[Signature] = ()
    default: str = ""
    positional: bool = False
    beside: str = ""

    @property
    def required(self) -> bool:
        """Whether it must be given by its name."""
        return not self.positional and not self.default

    def __attrs_post_init__(self) -> None:
        if not self.name or not self.doc:
            raise ValueError(f"an argument needs a name and its meaning: {self!r}")
        if (self.takes is Takes.QUANTITY) != (self.dimension is not None):
            raise ValueError(f"`{self.name}`: a quantity has a dimension, and nothing else has")
        if (self.takes in (Takes.WORD, Takes.WORDS)) != (self.words != ()):
            raise ValueError(f"`{self.name}`: a word is one of some words, and nothing else is")


@frozen
class Signature:
    """A name of the language with what it may be asked with; `doc` is its sentence in help, hover and docs."""

    name: str
    doc: str
    arguments: tuple[Argument, ...]

    def __attrs_post_init__(self) -> None:
        if not self.name.isidentifier() or not self.doc:
            raise ValueError(f"a signature needs a name and a sentence: {self!r}")
        names = [each.name for each in self.arguments]
        if len(set(names)) < len(names):
            raise ValueError(f"`{self.name}` takes an argument twice")

    @property
    def named(self) -> tuple[str, ...]:
        """The arguments that are given by name."""
        return tuple(each.name for each in self.arguments if not each.positional)

    @property
    def positional(self) -> tuple[Argument, ...]:
        return tuple(each for each in self.arguments if each.positional)

    def argument(self, name: str) -> Argument | None:
        return next((each for each in self.arguments if each.name == name), None)


S = TypeVar("S", bound=Signature)


class Registry(Mapping[str, S], Generic[S]):
    """Signatures by name, in the order in which they were registered; each has the `parts` that evaluate it."""

    def __init__(self, noun: str, *parts: str) -> None:
        self.noun, self.parts = noun, parts
        self._entries: dict[str, S] = {}

    def register(self, entry: S) -> S:
        """Take an entry in; gives it back.

        Raises:
            ValueError: there is one of that name.
            TypeError: it lacks a part.
        """
        for part in self.parts:
            if not hasattr(entry, part):
                raise TypeError(f"the {self.noun} `{entry.name}` lacks `{part}`")
        if entry.name in self._entries:
            raise ValueError(f"there is a {self.noun} `{entry.name}` already")
        self._entries[entry.name] = entry
        return entry

    @contextmanager
    def registered(self, entry: S) -> Iterator[S]:
        """Have an entry for as long as the block runs."""
        self.register(entry)
        try:
            yield entry
        finally:
            del self._entries[entry.name]

    def __getitem__(self, name: str) -> S:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


@frozen
class MeasureSignature(Signature):
    """A measure as checks see it: `dimension` is that of the result where it is a quantity of one dimension whatever
    is asked; `from_plan` says that the plan alone answers it."""

    dimension: Dimension | None
    from_plan: bool = field(default=False, kw_only=True)

    @property
    def of_traffic(self) -> bool:
        """Whether its subject is a traffic."""
        return any(each.takes in (Takes.TRAFFIC, Takes.COLLECTIVE) for each in self.positional)


@frozen
class TrafficSignature(Signature):
    """A pattern of traffic as checks see it: `ordered` says that it depends on the order of its end points, and not
    only on which they are; `collective` that it can be timed as a collective, by the name of the pattern."""

    ordered: bool = field(kw_only=True)
    collective: bool = field(default=False, kw_only=True)


MEASURES: Registry[MeasureSignature] = Registry("measure", "evaluate", "better", "invariance", "rests_on")
TRAFFICS: Registry[TrafficSignature] = Registry("traffic pattern", "make", "ordered")
ROUTINGS: Registry[Signature] = Registry("routing", "make")
ALGORITHMS: Registry[Signature] = Registry("collective algorithm", "schedule")
WORKLOADS: Registry[Signature] = Registry("workload", "read")
SCHEDULES: Registry[Signature] = Registry("pipeline schedule")


def signature_of(name: str) -> Signature | None:
    """Return the signature of a measure, a pattern of traffic or a form of a workload; None where there is none."""
    return MEASURES.get(name) or TRAFFICS.get(name) or WORKLOADS.get(name)


def words_of(argument: Argument) -> tuple[str, ...]:
    """Return the words that an argument may be, as they are registered now."""
    return tuple(argument.words)


MODEL_FUNCTIONS: Registry[Signature] = Registry("function of a model")
"""What is worked out of a model alone."""
_MODEL = Argument("model", Takes.MODEL, "a model of the text", positional=True)
for _name, _doc, _more in (
    ("parameters", "parameters of a model, embeddings included", ()),
    ("active_parameters", "parameters of a model that a token passes", ()),
    (
        "token_flops",
        "FLOPs of one token in a training step, forward and backward",
        (
            Argument("sequence", Takes.NUMBER, "tokens of a sequence"),
            Argument("causal", Takes.TRUTH, "whether scores under a causal mask count alone", default="false"),
        ),
    ),
):
    MODEL_FUNCTIONS.register(Signature(_name, _doc, (_MODEL, *_more)))


# ---- as they are told of --------------------------------------------------------------------------------------------


def signature_text(signature: Signature, without: tuple[str, ...] = ()) -> str:
    """Return a signature as it is called, some arguments left out: `throughput(traffic, routing = ecmp, over = all)`.

    A default that is no value, such as that of the traffic, is not written.
    """
    shown = [
        each.name if each.positional else f"{each.name} = {each.default if _is_value(each) else '…'}"
        for each in signature.arguments
        if each.name not in without
    ]
    return f"{signature.name}({', '.join(shown)})"


def _is_value(argument: Argument) -> bool:
    """Return whether a default stands for itself in the language."""
    default = argument.default
    return default[:1].isdigit() or default in (*words_of(argument), "all")


def takes_text(argument: Argument) -> str:
    """Return what stands in an argument: `a rate`, `one of ecmp, wcmp`."""
    if argument.dimension is not None:
        return dimension_name(argument.dimension)
    words = words_of(argument)
    return f"one of {', '.join(words)}" if words else argument.takes.value
