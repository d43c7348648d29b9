"""By what cables are coloured: their medium, their protocol, the plane or the rail that they belong to, or the
dimension along which they run. Where a view doesn't say, what tells most of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log2

import numpy as np
from attrs import evolve

from unifiedbus_dsl.base.arrays import Ints
from unifiedbus_dsl.ir.fabric.expand import expand
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.groups import Groups
from unifiedbus_dsl.render.marks import Mark, identifier
from unifiedbus_dsl.render.parallel import planes, rails
from unifiedbus_dsl.render.plan_summary import (
    Bundle,
    PlanSummary,
    bundle_name,
    by_dimension,
    child_named,
    type_name,
)
from unifiedbus_dsl.render.sheet import line_entry

FOLDED = ("medium", "protocol")
"""What the cables of a folded picture are told apart by: a line of it stands for several planes."""
DEVICES = ("medium", "protocol", "plane", "rail")
LAST = "dimension"
"""What they are told apart by where all else is alike: the statement that lays them, and the dimension in it."""
MOST_STATEMENTS = 6
MOST_LINES = 3_000
"""Pairs of devices up to which each has a line of its own: what joins two parts is of several planes and rails."""
MOST_DEVICES = 20_000
"""Devices up to which planes and rails are looked for."""


class NotSuchError(ValueError):
    """Cables can't be coloured by that here; the message says why."""


def coloured(survey: PlanSummary, key: str, choice: Sequence[str]) -> PlanSummary:
    """Return what a picture of a type shows, its cables coloured by what its view says, or by that of `choice` that
    tells most: by which the cables that the type itself lays fall into groups of the largest entropy, the first of
    several. What has its own legend, its loads or its losses stays as it is.

    Raises:
        NotSuchError: what the view says tells no two cables apart, or more than there are colours.
    """
    look = survey.look
    if look.legend or look.loads or look.lost:
        return survey
    if look.by:
        return _by(survey, key, look.by)[1]
    found = [each for by in choice for each in _tried(survey, key, by) if each[0] > 0]
    if not found and len(choice) > len(FOLDED):
        found = [each for each in _tried(survey, key, LAST) if len(each[1].look.legend) <= MOST_STATEMENTS]
    return max(found, key=lambda each: round(each[0], 6))[1] if found else survey


def _tried(survey: PlanSummary, key: str, by: str) -> list[tuple[float, PlanSummary]]:
    try:
        return [_by(survey, key, by)]
    except NotSuchError:
        return []


def _by(survey: PlanSummary, key: str, by: str) -> tuple[float, PlanSummary]:
    """Return the entropy of the groups of cables by one of `DEVICES` or `LAST`, and the same with these in colours.

    Raises:
        NotSuchError: that tells no two cables apart, or more than there are colours.
    """
    match by:
        case "medium":
            named = [(*each, each[1].medium) for each in _bundles(survey, key)]
            return _entropy(_counted(survey, key, named)), survey
        case "protocol":
            links = survey.plan.links
            named = [(*each, links[each[1].link].protocol) for each in _bundles(survey, key)]
        case "dimension":
            named = list(_dimensions(survey, key))
        case _:
            return _by_device(survey, key, by)
    return _entropy(_counted(survey, key, named)), _by_statement(survey, named)


def _counted(survey: PlanSummary, key: str, named: Sequence[tuple[str, Bundle, str]]) -> Sequence[int]:
    """Return how many cables there are of each name, of those that the type lays; if it lays none, of those inside."""
    own = survey.bundles[key]
    counts: Counter[str] = Counter()
    for holder, bundle, name in named:
        if holder == key or not own:
            counts[name] += bundle.cables * survey.plan.instances[holder]
    return list(counts.values())


def _entropy(counts: Sequence[int]) -> float:
    """Return the entropy of parts of a whole, in bits."""
    whole = sum(counts)
    return sum(each / whole * log2(whole / each) for each in counts if each)


def _bundles(survey: PlanSummary, key: str) -> list[tuple[str, Bundle]]:
    """Return the bundles of a type and of what is in it, each with the type that lays it, the outermost first."""
    plan = survey.plan
    inside = set(evolve(plan, root=key).bottom_up)
    return [(name, bundle) for name in reversed(plan.bottom_up) if name in inside for bundle in survey.bundles[name]]


def _dimensions(survey: PlanSummary, key: str) -> list[tuple[str, Bundle, str]]:
    """Return the cables of each statement, and of each dimension in it, with what they are called."""
    plan = survey.plan

    def called(name: str, bundle: Bundle) -> str:
        where = "" if name == key else f"in {type_name(name)}: "
        return f"{where}{bundle_name(plan, name, bundle)} · {bundle.text}"

    return [
        (name, bundle, called(name, bundle))
        for name, whole in _bundles(survey, key)
        for bundle in by_dimension(whole, child_named(plan.assemblies[name], whole.left))
    ]


def _by_statement(survey: PlanSummary, named: Sequence[tuple[str, Bundle, str]]) -> PlanSummary:
    """Return the same with a colour for each name, of cables statement by statement."""
    colours = _colours(list(dict.fromkeys(name for _, _, name in named)))
    chosen = {(key, id(rule)): colours[name] for key, bundle, name in named for rule in bundle.rules}
    return evolve(survey, look=evolve(survey.look, own_colours=chosen, legend=_legend(colours)))


def _by_device(survey: PlanSummary, key: str, by: str) -> tuple[float, PlanSummary]:
    """Return the entropy of the cables of each plane, or rail, and the same with a colour for each.

    Raises:
        NotSuchError: as `_by`.
    """
    plan = evolve(survey.plan, root=key)
    if plan.device_count[key] > MOST_DEVICES:
        raise NotSuchError(f"{by}s are looked for in up to {MOST_DEVICES:,} devices")
    fabric = expand(plan)
    names = (planes if by == "plane" else rails)(fabric)
    distinct = sorted(set(names) - {""}, key=lambda name: (len(name), name))
    colours = _colours(distinct, by)
    number = {name: at for at, name in enumerate(distinct)}
    group = np.array([number.get(name, -1) for name in names], dtype=np.int64)
    of_cables = _of_cables(group[fabric.a_device], group[fabric.b_device])
    own = of_cables[plan.numbering.cable_starts[key][len(plan.assemblies[key].children)] :]
    told = own if len(own) else of_cables
    pairs = np.unique(
        fabric.a_device.astype(np.int64)[-len(told) :] * fabric.device_count + fabric.b_device[-len(told) :]
    )
    covered = int((told >= 0).sum()) * 2 >= len(told) and len(pairs) <= MOST_LINES
    legend = _legend(colours)
    if (of_cables < 0).any():
        legend.append(line_entry("legend-sort-none", f"of no {by}, or of several", palette.QUIET))
    look = evolve(survey.look, groups=Groups(group, tuple(colours.values())), legend=legend)
    counts = np.unique(told[told >= 0], return_counts=True)[1].tolist()
    return (_entropy(counts) * sum(counts) / len(told) if covered else 0.0), evolve(survey, look=look)


def _of_cables(one: Ints, other: Ints) -> Ints:
    """Return the group of each cable by those of its ends: -1 where they are of none, or of two."""
    return np.where((one < 0) | (other < 0) | (one == other), np.maximum(one, other), -1)


def _colours(names: Sequence[str], what: str = "kind") -> dict[str, str]:
    """Return a colour for each name.

    Raises:
        NotSuchError: there is one name, or there are more than colours.
    """
    if len(names) < 2:
        raise NotSuchError(f"all cables are of one {what}" if names else f"no cable is of a {what}")
    if len(names) > len(palette.LINES):
        raise NotSuchError(f"there are {len(names):,}, and {len(palette.LINES)} colours that can be told apart")
    return dict(zip(names, palette.LINES, strict=False))


def _legend(colours: Mapping[str, str]) -> list[list[Mark]]:
    return [
        line_entry(f"legend-sort-{i}-{identifier(name)[:20]}", name, colour)
        for i, (name, colour) in enumerate(colours.items())
    ]
