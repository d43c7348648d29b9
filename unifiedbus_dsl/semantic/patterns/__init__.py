"""Patterns: `connect npu.x as fullmesh`, `connect leaf to spine as all`.

A pattern has no special powers: it becomes index rules over its members, as a writer could have written them. Use
`lower` for the rules, `unflatten` of `unifiedbus_dsl.plan.algebra` for the subscripts of members in several dimensions,
and `rename` where axis names are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unifiedbus_dsl.semantic.patterns.base import (
    Argument,
    Arguments,
    Edges,
    Lowered,
    Parameter,
    Pattern,
    PatternError,
    Shape,
    TooFewPortsError,
    number_argument,
    rename,
    widen,
)
from unifiedbus_dsl.semantic.patterns.hypercube import HYPERCUBE
from unifiedbus_dsl.semantic.patterns.meshes import FULLMESH, HYPERX
from unifiedbus_dsl.semantic.patterns.pairs import ALL, PAIRWISE, RAILS
from unifiedbus_dsl.semantic.patterns.regular import REGULAR
from unifiedbus_dsl.semantic.patterns.rings import CIRCULANT, LINE, MESH, RING, TORUS

__all__ = [
    "PATTERNS",
    "Argument",
    "Arguments",
    "Edges",
    "Lowered",
    "Parameter",
    "Pattern",
    "PatternError",
    "TooFewPortsError",
    "lower",
    "rename",
]

PATTERNS: Mapping[str, Pattern] = {
    pattern.name: pattern
    for pattern in (
        ALL,
        CIRCULANT,
        FULLMESH,
        HYPERCUBE,
        HYPERX,
        LINE,
        MESH,
        PAIRWISE,
        RAILS,
        REGULAR,
        RING,
        TORUS,
    )
}
"""Every pattern by name."""


def lower(pattern: Pattern, shapes: Sequence[Shape], bundles: Sequence[int], arguments: Arguments) -> Lowered:
    """Return the rules of a pattern over members of these shapes with bundles of so many ports, one of each for each
    side.

    The arguments are those of `pattern.parameters`, with values of their sort; required ones must be there.

    Raises:
        TooFewPortsError: a bundle is too small.
        PatternError: the pattern cannot be built over these members with these arguments.
    """
    lowered = pattern.lower(shapes, arguments)
    lowered = widen(lowered, number_argument(arguments, "width") if "width" in arguments else 1)
    for side, (needed, given) in enumerate(zip(lowered.ports, bundles, strict=True)):
        if needed > given:
            raise TooFewPortsError(pattern.name, needed, given, side)
    return lowered
