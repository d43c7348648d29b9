"""The patterns of traffic: who sends to whom."""

from __future__ import annotations

from unifiedbus_dsl.base.units import RATE, SIZE
from unifiedbus_dsl.measures.registry import PLANE, selection
from unifiedbus_dsl.vocabulary.signatures import TRAFFICS, Argument, Signature, Takes

MEMBERS = selection("the end points that take part", "ends")
ARROW = selection("`A -> B`: from whom to whom", "pairs")
BYTES = Argument("size", Takes.QUANTITY, "bytes of it", dimension=SIZE, default="none: it has rates alone")
GROUPS = (
    Argument("within", Takes.LEVEL, "a group in each of these assemblies", default="one group"),
    Argument("across", Takes.LEVEL, "a group for each position in these assemblies", default="one group"),
    Argument("groups", Takes.NUMBER, "so many groups of the end points in order", default="1"),
    Argument("stride", Takes.NUMBER, "how far apart the members of such a group are", default="1"),
)
ROOT = Argument("from", Takes.SELECTION, "who has the data", default="the first of each group")
STEP = Argument("k", Takes.NUMBER, "to whom: so many places further on", default="1")
SEED = Argument("seed", Takes.NUMBER, "which of the random orders")
INJECTED = Argument(
    "rate", Takes.QUANTITY, "what each end point injects", dimension=RATE, default="what its ports carry"
)
FILE = Argument("file", Takes.FIELD, "a list with the columns `from`, `to` and `rate`", positional=True)

for name, doc, arguments in (
    ("alltoall", "each to each other of its group, alike", (MEMBERS, *GROUPS, BYTES)),
    ("allreduce", "the sum over a group, to each of it", (MEMBERS, *GROUPS, BYTES)),
    ("allgather", "the parts of a group, to each of it", (MEMBERS, *GROUPS, BYTES)),
    ("reducescatter", "the sum over a group, a part of it to each", (MEMBERS, *GROUPS, BYTES)),
    ("broadcast", "from one of a group to each of it", (MEMBERS, ROOT, *GROUPS, BYTES)),
    ("incast", "all of `A` to one", (ARROW, BYTES)),
    ("shift", "each to the one that is `k` further on", (MEMBERS, STEP, *GROUPS, BYTES)),
    ("transpose", "row by column: place `(i, j)` of a square to `(j, i)`", (MEMBERS, *GROUPS, BYTES)),
    ("permutation", "each to one, at random", (MEMBERS, SEED, *GROUPS, BYTES)),
    ("uniform", "each to each other at a stated rate", (MEMBERS, INJECTED, *GROUPS)),
    ("pairs", "each of `A` to each of `B`", (ARROW, BYTES)),
    ("matrix", "rates from a list, a line for each pair", (FILE,)),
):
    TRAFFICS.register(Signature(name, doc, (*arguments, PLANE)))
