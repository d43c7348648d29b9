"""The difference between two machines by name: a design against what the network found, or against its new version.

Cables are compared by their ends, in the words of the first side (`unifiedbus_dsl.importer.match_names`). Of those that
only one side has, two that have each other's ends are a swap, another that shares an end with one is in the wrong port;
the others are missing or extra. Cables on the same ends
may have another rate, and where both sides know it, another length. Rates of a tool that knows nominal ones only are
held against ours within what lies between the two.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

from attrs import evolve, frozen

from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.base.units import counted
from unifiedbus_dsl.importer.listing import Cable, Listing
from unifiedbus_dsl.importer.match_names import match_names
from unifiedbus_dsl.importer.swaps import find_swaps

_Cables: TypeAlias = "dict[frozenset[tuple[str, str]], Cable]"

RATE_TOLERANCE = 1e-6
"""Relative."""
NOMINAL_TOLERANCE = 0.08
"""Relative. 4xHDR is 200 Gbps by name and 212.5 on the wire; the next speeds are twice and half of it."""
LENGTH_TOLERANCE = 0.001
"""Metres."""


@frozen
class Moved:
    """A cable of which one end is where it should be and the other is not."""

    wanted: Cable
    found: Cable


@frozen
class Swap:
    """Two cables that have each other's ends: where `wanted` has a -- b and c -- d, `found` has a -- d and c -- b."""

    wanted: tuple[Cable, Cable]
    found: tuple[Cable, Cable]

    def __str__(self) -> str:
        return f"{self.wanted[0]} and {self.wanted[1]}, found {self.found[0]} and {self.found[1]}"


@frozen
class Difference:
    """What has to be done to get from the first machine to the second. All in order of name."""

    missing_devices: tuple[str, ...]
    extra_devices: tuple[str, ...]
    changed_devices: tuple[tuple[str, str, str], ...]
    """Name, type wanted, type found."""
    missing: tuple[Cable, ...]
    extra: tuple[Cable, ...]
    moved: tuple[Moved, ...]
    rates: tuple[Moved, ...]
    lengths: tuple[Moved, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    """Name wanted, name found, of one GUID."""
    matched: tuple[tuple[str, str], ...] = ()
    """Name wanted, name found, of those that only their cables tell; no difference."""
    swapped: tuple[Swap, ...] = ()

    def __bool__(self) -> bool:
        return any(self.counts().values())

    def counts(self) -> Mapping[str, int]:
        """Return how many there are of each sort."""
        return {
            "missing devices": len(self.missing_devices),
            "extra devices": len(self.extra_devices),
            "devices of another type": len(self.changed_devices),
            "missing cables": len(self.missing),
            "extra cables": len(self.extra),
            "swapped pairs of cables": len(self.swapped),
            "cables in the wrong port": len(self.moved),
            "cables at another rate": len(self.rates),
            "cables of another length": len(self.lengths),
            "renamed devices": len(self.renamed),
        }

    def to_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "version": 1,
            "same": not self,
            "missing_devices": list(self.missing_devices),
            "extra_devices": list(self.extra_devices),
            "changed_devices": [{"device": n, "wanted": w, "found": f} for n, w, f in self.changed_devices],
            "renamed": [{"wanted": w, "found": f} for w, f in self.renamed],
            "matched": [{"wanted": w, "found": f} for w, f in self.matched],
            "missing": [str(cable) for cable in self.missing],
            "extra": [str(cable) for cable in self.extra],
            "swapped": [{"wanted": [*map(str, s.wanted)], "found": [*map(str, s.found)]} for s in self.swapped],
            "moved": [{"wanted": str(m.wanted), "found": str(m.found)} for m in self.moved],
            "rates": [{"cable": str(m.wanted), "wanted": m.wanted.rate, "found": m.found.rate} for m in self.rates],
            "lengths": [
                {"cable": str(m.wanted), "wanted": m.wanted.length, "found": m.found.length} for m in self.lengths
            ],
        }

    def text(self, limit: int = 20) -> str:
        """For people: counts, and the first of each sort; a limit of 0 means all."""
        max_lines = limit or 10**9
        lines = [*self._matched(max_lines), *(self._lines(max_lines) if self else ["no difference"])]
        return "".join(f"{line}\n" for line in lines)

    def _matched(self, limit: int) -> Iterator[str]:
        if self.matched:
            yield f"{counted(len(self.matched), 'device')} of other names, matched by their cables"
            yield from (f"  {wanted} is {found}" for wanted, found in self.matched[:limit])
            if len(self.matched) > limit:
                yield f"  … and {len(self.matched) - limit:,} more"

    def _lines(self, limit: int) -> Iterator[str]:
        shown = {
            "missing devices": (f"- {name}" for name in self.missing_devices),
            "extra devices": (f"+ {name}" for name in self.extra_devices),
            "devices of another type": (f"! {n}: {w} wanted, {f} found" for n, w, f in self.changed_devices),
            "missing cables": (f"- {cable}" for cable in self.missing),
            "extra cables": (f"+ {cable}" for cable in self.extra),
            "swapped pairs of cables": (f"! {swap}" for swap in self.swapped),
            "cables in the wrong port": (f"! {m.wanted}, found {m.found}" for m in self.moved),
            "cables at another rate": (
                f"! {m.wanted}: {_gbps(m.wanted.rate)} wanted, {_gbps(m.found.rate)} found" for m in self.rates
            ),
            "renamed devices": (f"! {wanted} is called {found}" for wanted, found in self.renamed),
            "cables of another length": (
                f"! {m.wanted}: {m.wanted.length:g} m wanted, {m.found.length:g} m found" for m in self.lengths
            ),
        }
        for sort, lines in shown.items():
            count = self.counts()[sort]
            if count:
                yield f"{count:,} {sort if count > 1 else _singular(sort)}"
                yield from (f"  {line}" for line, _ in zip(lines, range(limit), strict=False))
                if count > limit:
                    yield f"  … and {count - limit:,} more"


SAME = Difference((), (), (), (), (), (), (), ())


def _singular(sort: str) -> str:
    """`missing device` of `missing devices`: the first plural is that of what is counted."""
    return re.sub(r"\b(device|cable|pair)s\b", r"\1", sort, count=1)


def _gbps(rate: float | None) -> str:
    return "?" if rate is None else f"{rate * 8e-9:g} Gbps"


def compare_listings(wanted: Listing, found: Listing, only: Collection[str] = ()) -> Difference:
    """Return what `found` has otherwise than `wanted`. Devices without a cable count only where both lists could have
    them.

    With `only`, the cables of these links (or of links of these protocols) and the devices on them.

    Raises:
        KeyError: the design has no such link or protocol.
    """
    aligned = match_names(wanted, found)
    found = aligned.found
    if only:
        wanted, found = _part(wanted, only), _part(found, only) if found.types is not None else found
    tolerance = NOMINAL_TOLERANCE if found.numbered or wanted.numbered else RATE_TOLERANCE
    types = {device.name: device.type for device in wanted.devices}
    other = {device.name: device.type for device in found.devices}
    cabled = {end[0] for cable in wanted.cables for end in (cable.a, cable.b)}
    whole = all(device.type for device in found.devices)  # a cable list knows no devices without a cable
    ours, theirs = ({cable.ends: cable for cable in track(side.cables, "compare cables")} for side in (wanted, found))
    missing = {ends: cable for ends, cable in ours.items() if ends not in theirs}
    extra = {ends: cable for ends, cable in theirs.items() if ends not in ours}
    swapped = sorted(_swapped(missing, extra), key=str)
    moved = list(_moved(missing, extra))
    same = [(ours[ends], theirs[ends]) for ends in ours if ends in theirs]
    return Difference(
        tuple(sorted(n for n in types if n not in other and (whole or n in cabled))),
        tuple(sorted(n for n in other if n not in types)),
        tuple(sorted((n, types[n], other[n]) for n in types if types[n] and other.get(n) and types[n] != other[n])),
        tuple(sorted(missing.values(), key=str)),
        tuple(sorted(extra.values(), key=str)),
        tuple(sorted(moved, key=lambda m: str(m.wanted))),
        tuple(Moved(a, b) for a, b in same if _rates_differ(a, b, tolerance)),
        tuple(Moved(a, b) for a, b in same if _lengths_differ(a, b)),
        aligned.renamed,
        aligned.matched,
        tuple(swapped),
    )


def _part(listing: Listing, only: Collection[str]) -> Listing:
    known = listing.types.links.values() if listing.types is not None else ()
    for name in only:
        if all(name not in (link.name, link.protocol) for link in known):
            raise KeyError(name)
    links = {link.name for link in known if {link.name, link.protocol} & set(only)}
    cables = tuple(cable for cable in listing.cables if cable.link in links)
    ends = {end[0] for cable in cables for end in (cable.a, cable.b)}
    return evolve(listing, cables=cables, devices=tuple(d for d in listing.devices if d.name in ends))


def _swapped(missing: _Cables, extra: _Cables) -> Iterator[Swap]:
    """Yield two missing and two extra cables on the same four ends; they are taken out of both."""
    for wanted, swapped in find_swaps(missing, extra):
        one, two = (missing.pop(ends) for ends in wanted)
        yield Swap((one, two), (extra.pop(swapped[0]), extra.pop(swapped[1])))


def _moved(missing: _Cables, extra: _Cables) -> Iterator[Moved]:
    """Yield pairs of a missing and an extra cable with one end in common; they are taken out of both."""
    at = {end: ends for ends in extra for end in ends}
    for ends in sorted(missing, key=lambda e: str(missing[e])):
        for end in sorted(ends):
            other = at.get(end)
            if other is not None and other in extra:
                yield Moved(missing.pop(ends), extra.pop(other))
                break


def _rates_differ(a: Cable, b: Cable, tolerance: float) -> bool:
    return a.rate is not None and b.rate is not None and abs(a.rate - b.rate) > tolerance * a.rate


def _lengths_differ(a: Cable, b: Cable) -> bool:
    return a.length is not None and b.length is not None and abs(a.length - b.length) > LENGTH_TOLERANCE
