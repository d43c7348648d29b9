"""Symmetries of a network, each proved on its arcs, and the orbits that they generate.

Arrays of the plan say where to look: along each axis of an array the elements are rotated by one, two neighbours
swapped, the order reversed; in one instance first, else in all instances inside one that is further out, and so on.
A candidate on the devices of an array is extended to the vertices outside it by matching neighbours, level by level
outward. Then it is checked: each row of arcs must come back as the row of the image, arc by arc. A candidate that
doesn't is dropped; what is missed costs time later, never correctness.

An automorphism in one instance is enough for all of them where another one carries that instance to each other, so
most checks touch few arcs (see docs/decisions/symmetry-search.md).
"""

from unifiedbus_dsl.symmetry.arrays import Array, Axis, arrays_of, axes, located
from unifiedbus_dsl.symmetry.colours import dense, mix, refine, refined, sums, tiers, vertex_kinds
from unifiedbus_dsl.symmetry.orbits import joined
from unifiedbus_dsl.symmetry.proof import Generator, Keep, arc_images
from unifiedbus_dsl.symmetry.search import Symmetry, end_images, find, trivial

__all__ = [
    "Array",
    "Axis",
    "Generator",
    "Keep",
    "Symmetry",
    "arc_images",
    "arrays_of",
    "axes",
    "dense",
    "end_images",
    "find",
    "joined",
    "located",
    "mix",
    "refine",
    "refined",
    "sums",
    "tiers",
    "trivial",
    "vertex_kinds",
]
