"""What a floor plan holds: things placed, rack by rack or pod by pod, and the cables between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.ir.plan import AssemblyType, Child, Plan
from unifiedbus_dsl.ir.plan.labels import element_text
from unifiedbus_dsl.render.detail import TooManyMarksError
from unifiedbus_dsl.render.places import rule_ends
from unifiedbus_dsl.render.plan_summary import medium

MOST_PLACES = 5_000

RACK = 0.6, 1.2
"""Width and depth in metres of what stands on the floor, where the places do not leave less."""


@frozen
class Spot:
    """Something placed: where its origin is, in metres, and which devices it holds."""

    path: str
    child: str
    key: str
    kind: str
    x: float
    y: float
    start: int
    devices: int
    spare: bool = False
    size: tuple[float, float] = RACK
    """Width and depth in metres, where the places leave as much."""


@frozen(eq=False)
class Runs:
    """Cables of one medium between spots: `left[k]` to `right[k]` run `cables[k]` cables of `length[k]` metres."""

    medium: str
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    cables: NDArray[np.int64]
    length: NDArray[np.float64]


def placed_spots(plan: Plan, assembly: AssemblyType) -> tuple[Spot, ...]:
    """Return what is placed in an assembly: rack by rack, or pod by pod where that would be more than can be drawn."""
    racks = tuple(islice(_spots(plan, assembly, "", 0.0, 0.0, 0), MOST_PLACES + 1))
    if len(racks) <= MOST_PLACES:
        return racks
    return tuple(islice(_spots(plan, assembly, "", 0.0, 0.0, 0, deep=False), MOST_PLACES + 1))


def _extent(plan: Plan, key: str) -> tuple[float, float]:
    """Width and depth in metres of what a type places, or of one rack."""
    inner = list(_spots(plan, plan.assemblies[key], "", 0.0, 0.0, 0)) if key in plan.assemblies else []
    return max((s.x + s.size[0] for s in inner), default=RACK[0]), max(
        (s.y + s.size[1] for s in inner), default=RACK[1]
    )


def _spots(
    plan: Plan,
    assembly: AssemblyType,
    path: str,
    x: float,
    y: float,
    start: int,
    spare: bool = False,
    deep: bool = True,
) -> Iterator[Spot]:
    """Yield what is placed in an assembly, at the deepest level that places anything, or else at the first."""
    places = {placement.child: placement.positions for placement in assembly.floor_places}
    sizes = (
        {} if deep else {child.name: _extent(plan, child.type) for child in assembly.children if child.name in places}
    )
    for child in assembly.children:
        size = plan.device_count[child.type]
        for element in range(child.count):
            name = _element(child, element, path)
            at = places[child.name][element] if child.name in places else None
            if at is None and child.count > 1:
                break
            left, top = x + float(at[0] if at else 0), y + float(at[1] if at else 0)
            inner = plan.assemblies.get(child.type)
            first, idle = start + element * size, spare or child.spare
            closed = inner is None or (at is not None and not deep)
            below = [] if closed or inner is None else list(_spots(plan, inner, name, left, top, first, idle, deep))
            if below:
                yield from below
            elif at is not None:
                kind = plan.type(child.type).kind
                extent = sizes.get(child.name, RACK)
                yield Spot(name, child.text_name, child.type, kind, left, top, first, size, idle, extent)
        start += child.count * size


def _element(child: Child, element: int, path: str) -> str:
    own = child.text_name + element_text(child, np.unravel_index(element, child.shape) if child.shape else ())
    return f"{path}.{own}" if path else own


# ---- cables -----------------------------------------------------------------------------------------------------


def cable_runs(plan: Plan, key: str, spots: Sequence[Spot]) -> Iterator[Runs]:
    """Yield the cables that leave a spot, rule by rule and instance by instance."""
    if len(spots) > MOST_PLACES:
        raise TooManyMarksError(f"`{key}` places {len(spots):,} things, more than the {MOST_PLACES:,} of a floor plan")
    starts = np.array([spot.start for spot in spots])
    ends = starts + np.array([spot.devices for spot in spots])
    order = np.argsort(starts)
    for name, offset in _instances(plan, key, 0, int(max(spot.devices for spot in spots))):
        assembly = plan.assemblies[name]
        for number, rule in enumerate(assembly.rules):
            lefts, rights = rule_ends(plan, assembly, number)
            length = _lengths(plan, assembly, number)
            a, b = (_spot_of(devices + offset, starts, ends, order) for devices in (lefts, rights))
            outside = (a >= 0) & (b >= 0) & (a != b) & (length >= 0)
            codes, first, cables = np.unique(
                a[outside] * len(spots) + b[outside], return_index=True, return_counts=True
            )
            if len(codes):
                metres = length[outside][first]
                yield Runs(medium(plan, rule.link), codes // len(spots), codes % len(spots), cables, metres)


def _instances(plan: Plan, key: str, start: int, least: int) -> Iterator[tuple[str, int]]:
    """Assemblies larger than a spot, with the first device of each."""
    yield key, start
    for child in plan.assemblies[key].children:
        size = plan.device_count[child.type]
        if child.type in plan.assemblies and size > least:
            for element in range(child.count):
                yield from _instances(plan, child.type, start + element * size, least)
        start += child.count * size


def _spot_of(
    devices: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64], order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the spot that holds each device, -1 where none does."""
    at = order[np.maximum(np.searchsorted(starts[order], devices, side="right") - 1, 0)]
    held = (devices >= starts[at]) & (devices < ends[at])
    return np.where(held, at, -1)


def _lengths(plan: Plan, assembly: AssemblyType, number: int) -> NDArray[np.float64]:
    """Length in metres of each cable of a rule; negative where there is none."""
    at = plan.numbering.rule_points(assembly.key, number)
    stated = assembly.rules[number].length
    if stated is not None:
        return np.full(at.size, float(stated))
    lengths = plan.numbering.lengths(assembly.key, number, at)
    return np.broadcast_to(lengths, at.shape).ravel() / 1000


def longest_run(runs: Sequence[Runs]) -> tuple[Runs, int] | None:
    """Return the longest run: which, and its place there; the first of several."""
    best = max(runs, key=lambda run: float(run.length.max()), default=None)
    return (best, int(best.length.argmax())) if best else None
