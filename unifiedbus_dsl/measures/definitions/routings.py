"""The routings: how a traffic is shared among paths."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve

from unifiedbus_dsl.measures.registry import RoutingDefinition, register
from unifiedbus_dsl.vocabulary.signatures import Argument, Takes

if TYPE_CHECKING:
    from unifiedbus_dsl.measures.routing_call import RoutingCall
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
    from unifiedbus_dsl.solver.routing.interface import Routing

VIA = Argument("via", Takes.WORD, "what is between the two legs", words=("end", "switch", "group"), default="end")
DETOUR = evolve(VIA, default="a switch, or an end point where there is none")
IN_GROUPS = Argument("groups", Takes.SELECTION, "the groups: `all group`", default="those that the machine has")
ORDER = Argument("order", Takes.LIST, "the dimensions in the order in which they are gone along", default="theirs")


def ecmp(call: RoutingCall) -> Routing:
    """Return `ecmp`."""
    from unifiedbus_dsl.solver.routing import ecmp
    from unifiedbus_dsl.solver.routing.interface import LinearRouting
    from unifiedbus_dsl.verify.routed import Direct
    from unifiedbus_dsl.verify.ways import Shortest

    by_pairs = partial(ecmp.ecmp_by_pairs_if_cheaper, routing="ecmp")
    return LinearRouting("ecmp", "ecmp", ecmp.ecmp, by_pairs, verified=lambda _: Direct(Shortest()))


def wcmp(call: RoutingCall) -> Routing:
    """Return `wcmp`."""
    from unifiedbus_dsl.solver.routing import ecmp
    from unifiedbus_dsl.solver.routing.interface import LinearRouting
    from unifiedbus_dsl.verify.routed import Direct
    from unifiedbus_dsl.verify.ways import Shortest

    by_pairs = partial(ecmp.ecmp_by_pairs_if_cheaper, routing="wcmp")
    return LinearRouting("wcmp", "wcmp", ecmp.wcmp, by_pairs, verified=lambda _: Direct(Shortest(by_capacity=True)))


def group_minimal(call: RoutingCall) -> Routing:
    """Return `group_minimal` over the groups that are named."""
    from unifiedbus_dsl.solver.routing import dragonfly
    from unifiedbus_dsl.verify.routed import Direct

    return dragonfly.group_routing(call.name, call.text, dragonfly.group_minimal, call.grouping(), Direct)


def valiant(call: RoutingCall) -> Routing:
    """Return `valiant` over what `via` names."""
    from unifiedbus_dsl.solver.routing import dragonfly, ecmp
    from unifiedbus_dsl.solver.routing.interface import LinearRouting
    from unifiedbus_dsl.verify.routed import OverGroups, OverMembers, OverSwitches
    from unifiedbus_dsl.verify.ways import Shortest

    via = call.options.word("via", VIA.default)
    groups = call.grouping(via == "group")
    if via == "group":
        return dragonfly.group_routing(call.name, call.text, dragonfly.valiant_over_groups, groups, OverGroups)
    legs = OverSwitches(Shortest()) if via == "switch" else OverMembers(Shortest())
    return LinearRouting(call.name, call.text, partial(ecmp.valiant, via=via), relays=True, verified=lambda _: legs)


def ugal(call: RoutingCall) -> Routing:
    """Return `ugal` over what `via` names."""
    from unifiedbus_dsl.solver.routing.dragonfly import grouping_of
    from unifiedbus_dsl.solver.routing.ugal import Ugal

    via = call.options.word("via", "switch" if call.has_switches else "end")
    groups = call.grouping(via == "group")
    return Ugal(call.name, call.text, via, lambda network: grouping_of(network, groups))


def updown(call: RoutingCall) -> Routing:
    """Return `updown`."""
    from unifiedbus_dsl.solver.routing import up_down
    from unifiedbus_dsl.solver.routing.interface import LinearRouting
    from unifiedbus_dsl.verify.routed import Direct
    from unifiedbus_dsl.verify.ways import UpAndDown

    return LinearRouting("updown", "updown", up_down.updown, verified=lambda _: Direct(UpAndDown()))


def dor(call: RoutingCall) -> Routing:
    """Return `dor` along the arrays of the machine."""
    from unifiedbus_dsl.solver.routing import up_down
    from unifiedbus_dsl.solver.routing.interface import LinearRouting
    from unifiedbus_dsl.verify.routed import Direct
    from unifiedbus_dsl.verify.ways import DimensionByDimension

    arrays, order = call.arrays, call.order()
    return LinearRouting(
        "dor",
        call.text,
        partial(up_down.dor_over_arrays, arrays=arrays, order=order),
        keep=lambda symmetry: None,
        verified=lambda network: Direct(DimensionByDimension(up_down.places_in_order(network, arrays, order))),
    )


def minimal(call: RoutingCall) -> Routing:
    """Return `minimal`."""
    from unifiedbus_dsl.solver.flow.optimised_routing import OptimisedRouting

    return OptimisedRouting("minimal", "minimal", shortest=True)


def optimal(call: RoutingCall) -> Routing:
    """Return `optimal`."""
    from unifiedbus_dsl.solver.flow.optimised_routing import OptimisedRouting

    return OptimisedRouting("optimal", "optimal", shortest=False)


# ---- all paths that they may take -----------------------------------------------------------------------------------


def shortest_paths(call: RoutingCall) -> PathRule:
    """Return all shortest paths."""
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule

    return PathRule("shortest")


def any_shortest_paths(call: RoutingCall) -> PathRule:
    """Return all shortest paths, some of which may stay unused."""
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule

    return PathRule("shortest", note="all shortest paths, any of which it may use")


def group_minimal_paths(call: RoutingCall) -> PathRule:
    """Return the paths of `group_minimal`."""
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
    from unifiedbus_dsl.solver.routing import dragonfly

    return PathRule("groups", grouping=dragonfly.grouping_of(call.call.machine.network, call.grouping()))


def valiant_paths(call: RoutingCall) -> PathRule:
    """Return the two legs of `valiant`."""
    return _paths_over(call, call.options.word("via", VIA.default))


def ugal_paths(call: RoutingCall) -> PathRule:
    """Return the paths of `ugal`: those of `valiant`, among which, over a source or target, are the minimal ones."""
    return _paths_over(call, call.options.word("via", "switch" if call.has_switches else "end"))


def _paths_over(call: RoutingCall, via: str) -> PathRule:
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
    from unifiedbus_dsl.solver.routing import dragonfly

    if via == "group":
        grouping = dragonfly.grouping_of(call.call.machine.network, call.grouping())
        return PathRule("groups", "group", grouping=grouping)
    if via == "switch":
        return PathRule("shortest", "switch")
    note = "an end point that relays takes in what it relays, so that its two legs do not depend on each other"
    return PathRule("shortest", "end", note=note)


def updown_paths(call: RoutingCall) -> PathRule:
    """Return the paths of `updown`."""
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule

    return PathRule("updown")


def dor_paths(call: RoutingCall) -> PathRule:
    """Return the paths of `dor`."""
    from unifiedbus_dsl.solver.deadlock.path_rules import PathRule
    from unifiedbus_dsl.solver.routing import up_down

    return PathRule("dor", place=up_down.places_in_order(call.call.machine.network, call.arrays, call.order()))


for name, doc, arguments, make, paths in (
    ("ecmp", "equally over all shortest paths, at each device by cables", (), ecmp, shortest_paths),
    ("wcmp", "over all shortest paths, at each device by capacity", (), wcmp, shortest_paths),
    (
        "group_minimal",
        "as in a dragonfly: inside a group, over one link between groups, inside a group",
        (IN_GROUPS,),
        group_minimal,
        group_minimal_paths,
    ),
    (
        "valiant",
        "two legs over a random intermediate: an end point, a switch, or a group",
        (VIA, IN_GROUPS),
        valiant,
        valiant_paths,
    ),
    (
        "ugal",
        "a minimal path or one of `valiant`, by the queues on both, in equilibrium: an estimate",
        (DETOUR, IN_GROUPS),
        ugal,
        ugal_paths,
    ),
    ("updown", "up to the lowest tier from which the target can be reached, then down", (), updown, updown_paths),
    ("dor", "along the dimensions of the array of end points, one after another", (ORDER,), dor, dor_paths),
    ("minimal", "best over shortest paths: a linear program, with a certificate", (), minimal, any_shortest_paths),
    ("optimal", "best over all paths: a linear program, with a certificate", (), optimal, None),
):
    register(RoutingDefinition(name, doc, arguments, make=make, paths=paths))
