"""What is registered, told to readers: a page of text for each name, and the tables of the docs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import unifiedbus_dsl.semantic.select.workloads.forms  # noqa: F401 - registers them
from unifiedbus_dsl.base.units import dimension_name
from unifiedbus_dsl.measures.registry import Measure
from unifiedbus_dsl.vocabulary.signatures import (
    ALGORITHMS,
    MEASURES,
    OVER,
    ROUTINGS,
    SCHEDULES,
    TRAFFICS,
    WORKLOADS,
    Argument,
    Registry,
    Signature,
    signature_text,
    takes_text,
)

REGISTRIES: tuple[Registry[Signature], ...] = (  # type: ignore[assignment]
    MEASURES, TRAFFICS, ROUTINGS, ALGORITHMS, WORKLOADS, SCHEDULES
)  # fmt: skip
IN_GROUPS = ("within", "across", "groups", "stride")
"""Arguments of most traffic patterns, which the docs tell of once."""


def told(name: str) -> str:
    """Return the page of a name, as it stands in all registries; nothing where it is in none."""
    return "\n".join(page(registry[name], registry.noun) for registry in REGISTRIES if name in registry)


def names() -> tuple[str, ...]:
    """Return all names that there is a page of."""
    return tuple(dict.fromkeys(name for registry in REGISTRIES for name in registry))


def page(signature: Signature, noun: str) -> str:
    """Return how something is called, its sentence, its arguments and what it gives."""
    lines = [signature_text(signature), "", f"  A {noun}: {signature.doc}."]
    width = max((len(each.name) for each in signature.arguments), default=0)
    if signature.arguments:
        lines += ["", *(f"  {each.name:<{width}}  {argument_text(each)}" for each in signature.arguments)]
    if isinstance(signature, Measure):
        gives = "" if signature.dimension is None else f"Gives {dimension_name(signature.dimension)}; "
        lines += ["", f"  {gives}{signature.better.value} is better."]
    return "\n".join(lines) + "\n"


def argument_text(argument: Argument) -> str:
    """Return what an argument means, what stands in it, and what holds without it."""
    without = f"; without it {argument.default}" if argument.default else ""
    return f"{argument.doc} ({takes_text(argument)}{without}{', required' if argument.required else ''})"


# ---- tables of the docs ---------------------------------------------------------------------------------------------


def table(registry: Registry[Signature], heads: tuple[str, str], without: tuple[str, ...] = (OVER, *IN_GROUPS)) -> str:
    """Return a table of what is registered: how it is called, without some arguments, and its sentence."""
    rows = [(f"`{signature_text(each, without)}`", each.doc) for each in registry.values()]
    return _markdown(heads, rows)


def argument_table() -> str:
    """Return a table of all named arguments: of what, what stands in them, what they mean, what holds without them."""
    return _markdown(("argument", "of", "what it is", "takes", "without it"), list(_argument_rows()))


def _argument_rows() -> Iterator[tuple[str, ...]]:
    owners: dict[tuple[str, ...], list[str]] = {}
    for registry in REGISTRIES:
        for signature in registry.values():
            for each in signature.arguments:
                if not each.positional:
                    key = f"`{each.name}`", each.doc, takes_text(each), each.default or "must be given"
                    owners.setdefault(key, []).append(f"`{signature.name}`")
    for (name, *said), of in owners.items():
        yield name, ", ".join(of) if len(of) <= 4 else f"{', '.join(of[:3])} and {len(of) - 3} more", *said


def _markdown(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows)) + "\n"
