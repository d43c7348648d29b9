"""What ports of one cage carry must be one thing that fits into it, with ends that some cable has.

Once per type, as all links of a cable are connected in one assembly. Where no plug holds several ports, and the ports
of an array all have one link, nothing is listed.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Label, Sink
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Plan, PortRef, Rule
from unifiedbus_dsl.ir.plan.index import IntArray, flat_index
from unifiedbus_dsl.ir.plan.labels import groups_of
from unifiedbus_dsl.ir.plan.physical import Links, cage_size, list_links, shared_rules
from unifiedbus_dsl.semantic.checks.coincidence import subscript_text


def cages(plan: Plan, sink: Sink) -> None:
    """UB0523 for cables that have no such ends, UB0524 for cages with two sorts of cable, UB0525 for cables that are
    connected in two assemblies."""
    if not plan.has_cages:
        return
    for key, assembly in plan.assemblies.items():
        if not assembly.spoilt:
            _check(_Cages(plan, assembly, list_links(plan, key, _caged_rules(plan, key))), sink)


def _caged_rules(plan: Plan, key: str) -> list[int]:
    """Return the rules whose links must be looked at: those of shared plugs, and all of an array with several sorts."""
    shared = set(shared_rules(plan, key))
    sorts: dict[tuple[str, str], set[tuple[str, int]]] = {}
    rules = plan.assemblies[key].rules
    for rule in rules:
        for ref in (rule.left, rule.right):
            sorts.setdefault((ref.child, ref.port), set()).add((rule.link, rule.lanes))
    for number, rule in enumerate(rules):
        for ref in (rule.left, rule.right):
            if len(sorts[ref.child, ref.port]) > 1 and cage_size(plan, key, ref) > 1:
                shared.add(number)
    return sorted(shared)


@frozen(eq=False)
class _Cages:
    plan: Plan
    assembly: AssemblyType
    links: Links

    def rule(self, link: int) -> Rule:
        return self.assembly.rules[int(self.links.rule[link])]

    def span(self, link: int) -> Span | None:
        return self.rule(link).span

    def end(self, link: int, side: int) -> str:
        """Return one end of a link as the text names it: `tor[0].osfp[3, 1]`."""
        number = int(self.links.rule[link])
        rule, at = self.rule(link), self.plan.numbering.rule_points(self.assembly.key, number)
        place = link - int(np.searchsorted(self.links.rule, number))
        grids = {name: value[:1] for name, value in at.at(np.asarray([place])).items()}
        return _name(self.plan, self.assembly, (rule.left, rule.right)[side], grids)


def _name(plan: Plan, assembly: AssemblyType, ref: PortRef, grids: dict[str, IntArray]) -> str:
    child = assembly.by_name[ref.child]
    of = plan.type(child.type)
    array = of.by_name[ref.port] if isinstance(of, DeviceType) else of.exports_by_name[ref.port]
    outer = int(np.ravel(flat_index(ref.at, child.shape, grids))[0])
    inner = int(np.ravel(flat_index(ref.port_at, array.shape, grids))[0])
    return f"{child.name}{subscript_text(groups_of(child), outer)}.{ref.port}{subscript_text(groups_of(array), inner)}"


def _check(here: _Cages, sink: Sink) -> None:
    ports = np.concatenate(here.links.ports)
    work.spend(len(ports), work.SORTED)
    if len(np.unique(ports)) == len(ports):  # else two cables in a port, which has been said
        good = _one_sort(here, sink)
        if good and _in_one_assembly(here, sink):
            _has_ends(here, sink)


# ---- one thing in a cage ------------------------------------------------------------------------------------------


def _one_sort(here: _Cages, sink: Sink) -> bool:
    """Return whether each cage and each cable has links of one sort; else say so of the first."""
    rules = here.assembly.rules
    sorts = sorted({(rule.link, rule.lanes) for rule in rules})
    sort = np.asarray([sorts.index((rule.link, rule.lanes)) for rule in rules] or [0])[here.links.rule]
    for things in (np.concatenate(here.links.cages), np.concatenate([here.links.first, here.links.first])):
        unlike = _unlike(things, np.concatenate([sort, sort]))
        if unlike is not None:
            _say_two_sorts(here, unlike, sink)
            return False
    return True


def _unlike(things: IntArray, sort: IntArray) -> tuple[int, int] | None:
    """Return two places of one thing with different sorts."""
    order = np.lexsort((sort, things))
    apart = np.flatnonzero((np.diff(things[order]) == 0) & (np.diff(sort[order]) != 0))
    return (int(order[apart[0]]), int(order[apart[0] + 1])) if len(apart) else None


def _say_two_sorts(here: _Cages, ends: tuple[int, int], sink: Sink) -> None:
    count = len(here.links.rule)
    placed = sorted(((end % count, end // count) for end in ends), key=lambda end: _place(here.span(end[0])))
    (one, one_side), (two, two_side) = placed
    texts = [f"{here.rule(link).link} x{here.rule(link).lanes}" for link in (one, two)]
    names = here.end(one, one_side), here.end(two, two_side)
    first, second = here.span(one), here.span(two)
    if second is None:
        return
    sink.error(
        "UB0524",
        f"one cage, two sorts of cable: `{names[0]}` is of {texts[0]}, `{names[1]}` of {texts[1]}",
        second,
        f"{texts[1]} here",
        labels=(Label(first, f"{texts[0]} here"),) if first is not None and first != second else (),
        help=("a cage takes one plug or one module: connect all its ports over one link",),
    )


def _place(span: Span | None) -> tuple[str, int]:
    return ("", 0) if span is None else (span.source.name, span.start)


# ---- in one assembly ----------------------------------------------------------------------------------------------


def _in_one_assembly(here: _Cages, sink: Sink) -> bool:
    """Return whether no cable that is connected here has further ports exported; else say so."""
    links, plan, key = here.links, here.plan, here.assembly.key
    connectors = np.asarray([plan.links[rule.link].connectors for rule in here.assembly.rules] or [1])[links.rule]
    used, first = np.unique(np.concatenate(links.cages), return_index=True)
    plugs = np.unique(np.concatenate(links.plugs))
    for export in here.assembly.exports if len(used) else ():
        cages = links.tables.of(key, export.name)
        at = np.minimum(np.searchsorted(used, cages.anchor), len(used) - 1)
        own = cages.plugs(np.tile(connectors, 2)[first[at]])
        both = np.flatnonzero((used[at] == cages.anchor) & np.isin(own, plugs))
        if len(both):
            end = int(np.flatnonzero(np.concatenate(links.plugs) == own[both[0]])[0])
            _say_two_assemblies(here, end, export.name, export.span, sink)
            return False
    return True


def _say_two_assemblies(here: _Cages, end: int, name: str, exported: Span | None, sink: Sink) -> None:
    count = len(here.links.rule)
    link, side = end % count, end // count
    span = here.span(link)
    if span is None:
        return
    sink.error(
        "UB0525",
        f"one cable, two assemblies: `{here.end(link, side)}` is connected in `{here.assembly.key}`, and port `{name}` "
        "exports others of its plug",
        span,
        "connected here",
        labels=(Label(exported, "exported here"),) if exported is not None else (),
        help=("export all ports of a plug, and connect them in the assembly around",),
    )


# ---- ends that a cable has ----------------------------------------------------------------------------------------


def _has_ends(here: _Cages, sink: Sink) -> None:
    """Say of the first cable that is neither straight nor a breakout which ends it would have."""
    links, count = here.links, len(here.links.rule)
    plugs, place = np.unique(np.concatenate(links.plugs), return_inverse=True)
    width = np.bincount(place, minlength=len(plugs))
    cable = np.zeros(len(plugs), np.int64)
    cable[place] = np.tile(links.first, 2)
    ends = np.bincount(cable, minlength=count)
    wide = np.bincount(cable[width > 1], minlength=count)
    wrong = np.flatnonzero((wide > 1) & (ends > 2))
    if not len(wrong):
        return
    legs = np.flatnonzero(links.first == wrong[0])
    names = list(dict.fromkeys(here.end(int(leg), side) for leg in legs.tolist()[:_SHOWN] for side in (0, 1)))
    span = here.span(int(legs[0]))
    if span is not None:
        listed = ", ".join(f"`{name}`" for name in names) + (", …" if len(legs) > _SHOWN else "")
        sink.error(
            "UB0523",
            f"no cable has these {int(ends[wrong[0]])} ends, which would join {listed}",
            span,
            "plugs that share cages",
            notes=(f"{len(wrong):,} such cable{'s' * (len(wrong) != 1)}",),
            help=(
                "join two cages whole, or one cage with ports that have cages of their own",
                "where each port of a cage has a fibre of its own, say so in the link: `connectors = 2`",
            ),
        )


_SHOWN = 3
"""Links of a cable that are named."""
