"""The patterns of traffic: who sends to whom."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from unifiedbus_dsl.base.units import RATE, SIZE
from unifiedbus_dsl.measures.registry import PLANE, ROUTING, register, selection
from unifiedbus_dsl.measures.traffic.definition import TrafficPattern
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.base.arrays import Ints
    from unifiedbus_dsl.measures.traffic.pattern_call import PatternCall, Traffic
    from unifiedbus_dsl.solver.demand import Demand

MEMBERS = selection("the end points that take part", "ends")
ARROW = selection("`A -> B`: from whom to whom", "pairs")
BYTES = Argument("size", Takes.QUANTITY, "bytes of it", dimension=SIZE, default="none: it has rates alone")
GROUPS = (
    Argument("within", Takes.LEVEL, "a group in each of these assemblies", default="one group"),
    Argument("across", Takes.LEVEL, "a group for each position in these assemblies", default="one group"),
    Argument("groups", Takes.NUMBER, "so many groups of the end points in order", default="1"),
    Argument("stride", Takes.NUMBER, "how far apart the members of such a group are", default="1", beside="groups"),
)
ROOT = Argument("from", Takes.SELECTION, "who has the data", default="the first of each group")
STEP = Argument("k", Takes.NUMBER, "to whom: so many places further on", default="1")
SEED = Argument("seed", Takes.NUMBER, "which of the random orders")
INJECTED = Argument("rate", Takes.QUANTITY, "what each end point injects", dimension=RATE, default="1 B/s")
FILE = Argument("file", Takes.FIELD, "a list with the columns `from`, `to` and `rate`", positional=True)


def all_to_all(call: PatternCall) -> Traffic | None:
    """Return the traffic of each to each other, at a rate of 1."""
    return call.grouped(call.all_pairs)


def uniform(call: PatternCall) -> Traffic | None:
    """Return the traffic of each to each other, at the rate that each injects."""

    def demand(members: Ints, group: Ints) -> Demand | None:
        size = [int(each) for each in np.bincount(group)]
        if min(size) != max(size) or size[0] < 2:
            call.wrong(call.node, "`uniform` wants groups of one size, of at least two", "choose other groups")
            return None
        rate = call.quantity("rate", RATE, 1.0)
        return None if rate is None else call.all_pairs(members, group, rate / (size[0] - 1))

    return call.grouped(demand, stated="rate" in call.named)


def scheduled(call: PatternCall) -> Traffic | None:
    """Return the traffic of a collective, steps of a schedule."""
    return call.grouped(None)


def shift(call: PatternCall) -> Traffic | None:
    """Return the traffic of each to the one that is `k` further on."""
    k = call.integer("k", 1)
    return None if k is None else call.permuted(lambda n, _: (np.arange(n) + k % n) % n)


def transpose(call: PatternCall) -> Traffic | None:
    """Return the traffic of row by column."""

    def order(n: int, number: int) -> Ints | None:
        side = isqrt(n)
        if side * side == n:
            return np.arange(n).reshape(side, side).T.ravel()
        call.wrong(call.node, f"`transpose` wants a square number of end points, found {n}", "choose other groups")
        return None

    return call.permuted(order)


def bit_reverse(call: PatternCall) -> Traffic | None:
    """Return the traffic of each to the place whose binary digits are its own backwards (Dally and Towles, 2004)."""

    def order(n: int, number: int) -> Ints | None:
        digits = n.bit_length() - 1
        if n == 1 << digits:
            place = np.arange(n)
            return sum(((place >> k & 1) << (digits - 1 - k) for k in range(digits)), np.zeros(n, dtype=np.int64))
        call.wrong(call.node, f"`bit_reverse` wants a power of two of end points, found {n}", "choose other groups")
        return None

    return call.permuted(order)


def permutation(call: PatternCall) -> Traffic | None:
    """Return the traffic of each to one, at random."""
    from unifiedbus_dsl.base.random import StablePermutation

    seed = call.integer("seed", 0, low=0)
    return None if seed is None else call.permuted(lambda n, number: StablePermutation((seed, number))(np.arange(n)))


def worst_permutation(call: PatternCall) -> Traffic | None:
    """Return the traffic of each to one, of which a routing carries least."""
    from unifiedbus_dsl.measures.worst_throughput import worst_pattern

    return worst_pattern(call)


def incast(call: PatternCall) -> Traffic | None:
    """Return the traffic of all to one."""
    return call.arrow(single=True)


def each_to_each(call: PatternCall) -> Traffic | None:
    """Return the traffic of each of `A` to each of `B`."""
    return call.arrow()


def matrix(call: PatternCall) -> Traffic | None:
    """Return the traffic of a list of rates."""
    return call.listed()


for name, doc, arguments, make, ordered, collective in (
    ("alltoall", "each to each other of its group, alike", (MEMBERS, *GROUPS, BYTES), all_to_all, False, True),
    ("allreduce", "the sum over a group, to each of it", (MEMBERS, *GROUPS, BYTES), scheduled, False, True),
    ("allgather", "the parts of a group, to each of it", (MEMBERS, *GROUPS, BYTES), scheduled, False, True),
    ("reducescatter", "the sum over a group, a part of it to each", (MEMBERS, *GROUPS, BYTES), scheduled, False, True),
    ("broadcast", "from one of a group to each of it", (MEMBERS, ROOT, *GROUPS, BYTES), scheduled, True, True),
    ("incast", "all of `A` to one", (ARROW, BYTES), incast, False, False),
    ("shift", "each to the one that is `k` further on", (MEMBERS, STEP, *GROUPS, BYTES), shift, True, False),
    ("transpose", "row by column: place `(i, j)` of a square to `(j, i)`", (MEMBERS, *GROUPS, BYTES), transpose, True,
     False),
    ("bit_reverse", "each to the place with its binary digits backwards", (MEMBERS, *GROUPS, BYTES), bit_reverse, True,
     False),
    ("permutation", "each to one, at random", (MEMBERS, SEED, *GROUPS, BYTES), permutation, True, False),
    ("worst_permutation", "each to one, so that `routing` carries the least: that of `worst_throughput`",
     (MEMBERS, ROUTING, BYTES), worst_permutation, True, False),
    ("uniform", "each to each other at a stated rate", (MEMBERS, INJECTED, *GROUPS), uniform, False, False),
    ("pairs", "each of `A` to each of `B`", (ARROW, BYTES), each_to_each, False, False),
    ("matrix", "rates from a list, a line for each pair", (FILE,), matrix, False, False),
):  # fmt: skip
    register(TrafficPattern(name, doc, (*arguments, PLANE), make=make, ordered=ordered, collective=collective))
