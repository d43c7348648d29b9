"""Which symmetries keep a question: only under these do images of a failure give the same answer.

A symmetry of the machine that moves the target of an incast tells nothing of that incast. And where end points may be
lost, a traffic that counts its end points (`shift`, `groups = 32`) is read anew against those that are left, so that
images need not be images any more.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.graph.symmetry import Symmetry
from unifiedbus_dsl.measures.measure_call import MeasureCall
from unifiedbus_dsl.measures.planes import keep_plane, plane_names
from unifiedbus_dsl.measures.read_routing import read_routing
from unifiedbus_dsl.measures.registry import Invariance, measure_named
from unifiedbus_dsl.solver.demand import Groups, invariant_symmetries
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import dotted_name

_BY_POSITION = frozenset(("across", "groups", "stride"))


def invariant_subgroup(symmetry: Symmetry, call: MeasureCall, *, ends_fail: bool) -> Symmetry | None:
    """Return the symmetries that keep the question too; None where that is not known, and each part stands for itself.

    `ends_fail`: whether end points are among the parts that may fail.

    Raises:
        Refused: the question is wrong; a diagnostic says so.
    """
    names = plane_names(call)
    if names:
        symmetry = keep_plane(symmetry, call.machine, names)
    return _invariant_subgroup(symmetry, call, ends_fail)


def _invariant_subgroup(symmetry: Symmetry, call: MeasureCall, ends_fail: bool) -> Symmetry | None:
    measure = measure_named(call.name)
    match measure.invariance if measure is not None else Invariance.NONE:
        case Invariance.SELECTION:
            source, target = call.pair()
            return symmetry.restricted(colour=_marked(symmetry, source) + 2 * _marked(symmetry, target))
        case Invariance.RATES:
            return _of_rates(symmetry, call, ends_fail)
        case Invariance.GROUPS:
            return _of_groups(symmetry, call, ends_fail)
        case Invariance.INNER if isinstance(inner := call.one(), tree.Call):
            return _invariant_subgroup(symmetry, evolve(call, node=inner), ends_fail)
    return None


def _marked(symmetry: Symmetry, ends: Ints) -> Ints:
    marked = np.zeros(symmetry.network.ends, dtype=np.int64)
    marked[ends] = 1
    return marked


def _of_rates(symmetry: Symmetry, call: MeasureCall, ends_fail: bool) -> Symmetry | None:
    traffic, demand = call.matrix()
    by_machine = traffic.definition.argument("routing") is not None  # it is worked out anew of what is left
    if "beside" in call.named or "hash" in call.named or by_machine:
        return None
    if ends_fail and (traffic.definition.ordered or _counts(call)):
        return None
    routed = read_routing(call).invariant_symmetries(symmetry)
    return None if routed is None else invariant_symmetries(routed, demand)


def _of_groups(symmetry: Symmetry, call: MeasureCall, ends_fail: bool) -> Symmetry | None:
    traffic = call.traffic(call.one())
    if traffic.definition.ordered or (ends_fail and _counts(call)):
        return None
    return invariant_symmetries(symmetry, Groups(traffic.groups(symmetry.network.ends)))


def _counts(call: MeasureCall) -> bool:
    """Return whether the groups of the traffic come from the positions of its end points."""
    node = call.one()
    if isinstance(node, tree.Name) and node.text in call.traffics:
        node = call.traffics[node.text].value
    if isinstance(node, tree.Member):
        return True  # what a workload exchanges: its ranks stand in order
    assert isinstance(node, tree.Call)
    assert dotted_name(node.function)
    return any(arg.name is not None and arg.name.text in _BY_POSITION for arg in node.args)
