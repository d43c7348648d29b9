"""Which device of a design is which of a network that was found, by their cables alone.

Devices that nothing else is like, in what they are and how their cables run, are the same; from them on along the
cables: what is in the same port of the same device is the same, where most cables say so. Of devices that are all alike
the first two stand for each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from attrs import define, field

from unifiedbus_dsl.importer.listing import Listing

ROUNDS = 4
MOST_CABLES = 400_000

_Ways: TypeAlias = dict[str, dict[int, tuple[str, int]]]
"""For each device and port number the far device and its port number."""


def by_structure(
    wanted: Listing, found: Listing, known: Mapping[str, str], ports: Mapping[str, list[str]]
) -> dict[str, str]:
    """Return the design's name of each found device that only the cables tell; `known` are those that are told
    already."""
    if max(len(wanted.cables), len(found.cables)) > MOST_CABLES:
        return {}
    types = {device.name: device.type for device in wanted.devices}
    numbers = {key: {name: n + 1 for n, name in enumerate(names)} for key, names in ports.items()}

    def ours(device: str, port: str) -> int:
        return numbers.get(types.get(device, ""), {}).get(port, 0)

    def theirs(_: str, port: str) -> int:
        return int(port) if port.isdigit() else 0

    if not found.numbered:
        return {}
    match = _Match(_ways(wanted, ours), _ways(found, theirs), _sorts(wanted), _sorts(found))
    for there, here in known.items():
        match.join(here, there)
    match.spread()
    while match.seed():
        match.spread()
    return {there: here for there, here in match.theirs.items() if there not in known}


def _ways(listing: Listing, number: Callable[[str, str], int]) -> _Ways:
    ways: _Ways = defaultdict(dict)
    for cable in listing.cables:
        (a, ap), (b, bp) = ((end[0], number(*end)) for end in (cable.a, cable.b))
        ways[a][ap], ways[b][bp] = (b, bp), (a, ap)
    return ways


def _sorts(listing: Listing) -> dict[str, bool]:
    """Return whether each device is a switch."""
    return {device.name: device.kind == "switch" for device in listing.devices}


@define(eq=False)
class _Match:
    """Pairs that are found so far, both ways."""

    our_ways: _Ways
    their_ways: _Ways
    our_sorts: dict[str, bool]
    their_sorts: dict[str, bool]
    ours: dict[str, str] = field(factory=dict)
    theirs: dict[str, str] = field(factory=dict)
    _new: list[str] = field(factory=list)

    def join(self, here: str, there: str) -> None:
        """Take a pair."""
        self.ours[here], self.theirs[there] = there, here
        self._new.append(here)

    def spread(self) -> None:
        """Follow the cables of what is new, until nothing is."""
        while self._new:
            votes: Counter[tuple[str, str]] = Counter()
            for here in self._new:
                votes.update(self._neighbours(here))
            self._new = []
            for (one, two), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
                if one not in self.ours and two not in self.theirs:
                    self.join(one, two)

    def _neighbours(self, here: str) -> Iterator[tuple[str, str]]:
        """Yield pairs of devices in the same port of a pair, one time more where their own ports are the same too."""
        there = self.their_ways.get(self.ours[here], {})
        for port, (one, one_port) in self.our_ways.get(here, {}).items():
            two, two_port = there.get(port, ("", 0))
            if not port or not two or one in self.ours or two in self.theirs:
                continue
            if self.our_sorts.get(one) != self.their_sorts.get(two):
                continue
            yield one, two
            if one_port and one_port == two_port:
                yield one, two

    def seed(self) -> bool:
        """Find two that nothing else is like; else take the first of those that fewest are like. False where none is
        left that has cables."""
        here = _classes(self.our_ways, self.our_sorts, self.ours)
        there = _classes(self.their_ways, self.their_sorts, self.theirs)
        both = sorted(
            (len(here[key]), min(here[key]), key) for key in here if len(here[key]) == len(there.get(key, ()))
        )
        if not both:
            return False
        single = [key for size, _, key in both if size == 1]
        for key in single or [both[0][2]]:
            self.join(min(here[key]), min(there[key]))
        return True


def _classes(ways: _Ways, sorts: Mapping[str, bool], done: Mapping[str, str]) -> dict[int, list[str]]:
    """Return devices that are left, by what they are and how their cables run, some rounds deep."""
    colour = {name: hash((sort, len(ways.get(name, ())))) for name, sort in sorts.items()}
    for _ in range(ROUNDS):
        before = colour
        colour = {}
        for name in before:
            around = sorted(
                (port, far_port, before.get(far, 0)) for port, (far, far_port) in ways.get(name, {}).items()
            )
            colour[name] = hash((before[name], tuple(around)))
    classes: dict[int, list[str]] = defaultdict(list)
    for name, value in colour.items():
        if name not in done and name in ways:
            classes[value].append(name)
    return classes
