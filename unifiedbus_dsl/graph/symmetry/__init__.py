"""Symmetries of a network, each proved on its arcs, and the orbits that they generate.

Arrays of the plan say where to look: along each axis of an array the elements are rotated by one, two neighbours
swapped, the order reversed; in one instance first, else in all instances inside one that is further out, and so on.
A candidate on the devices of an array is extended to the vertices outside it by matching neighbours, level by level
outward. Then it is checked: each row of arcs must come back as the row of the image, arc by arc. A candidate that
doesn't is dropped; what is missed costs time later, never correctness.

An automorphism in one instance is enough for all of them where another one carries that instance to each other, so
most checks touch few arcs (see docs/decisions/symmetry-search.md).
"""

from unifiedbus_dsl.graph.symmetry.colour_refinement import (
    refine_once,
    refine_to_stable,
    relabel,
    segment_sums,
    splitmix64,
    tiers_of_vertices,
    vertex_kinds,
)
from unifiedbus_dsl.graph.symmetry.orbits import merge_labels
from unifiedbus_dsl.graph.symmetry.plan_arrays import Array, Axis, arrays_of, axes, locate_arrays
from unifiedbus_dsl.graph.symmetry.search import Symmetry, endpoint_images, find_symmetry, trivial_symmetry
from unifiedbus_dsl.graph.symmetry.verify_automorphism import Automorphism, Invariant, arc_images

__all__ = [
    "Array",
    "Automorphism",
    "Axis",
    "Invariant",
    "Symmetry",
    "arc_images",
    "arrays_of",
    "axes",
    "endpoint_images",
    "find_symmetry",
    "locate_arrays",
    "merge_labels",
    "refine_once",
    "refine_to_stable",
    "relabel",
    "segment_sums",
    "splitmix64",
    "tiers_of_vertices",
    "trivial_symmetry",
    "vertex_kinds",
]
