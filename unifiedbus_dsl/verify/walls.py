"""What end points can send toward the wall of their assembly, and what gets through it, added up anew.

An assembly is *plain* where all its cables are of one plane, its senders do not forward, and nothing else in it is an
end point: then a sender offers the raw rate of those of its cables that lead out, straight or to switches that are
joined to a way out inside, within its `injection`; and the wall is as wide as the cables by which these leave. Others
are held to bounds: no sender offers more than all its cables, no wall is wider than its cables.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.verify import Proved, require
from unifiedbus_dsl.verify.cables import Bools, Cables, Floats, Ints
from unifiedbus_dsl.verify.components import components

SAME = 1e-9
"""Relative difference of two sums that are the same but for the order of addition."""


@frozen(eq=False)
class Layer:
    """Assemblies that are disjoint: `row[i]` has the devices `start[i]` to before `stop[i]`."""

    row: Ints
    start: Ints
    stop: Ints


@frozen(eq=False)
class WallsCertificate:
    """Of each assembly, a row, what the end points `members` [E] in it offer toward its wall, the width of that, and
    their ratio, infinite where they reach no way out. The answer is the largest, with `finite` the largest of those
    that are finite where there are any."""

    layers: Sequence[Layer]
    members: Bools
    inside_Bps: Floats  # noqa: N815
    wall_Bps: Floats  # noqa: N815
    ratio: Floats
    finite: bool

    def prove(self, cables: Cables) -> Proved:
        count = len(self.ratio)
        rows = np.sort(np.concatenate([layer.row for layer in self.layers]))
        require(np.array_equal(rows, np.arange(count)), "each assembly has one row")
        for layer in self.layers:
            self._check(cables, layer)
        claimed = np.divide(self.inside_Bps, self.wall_Bps, out=np.zeros(count), where=self.wall_Bps > 0)
        known = np.isfinite(self.ratio)
        require(np.allclose(self.ratio[known], claimed[known], rtol=SAME, atol=0.0), "a ratio is another")
        require(not (self.inside_Bps[~known] > 0).any(), "something is sent where nothing gets out")
        if self.finite and known.any():
            return Proved.exactly(float(self.ratio[known].max()))
        return Proved.exactly(float(self.ratio.max()))

    def _check(self, cables: Cables, layer: Layer) -> None:
        home = _home(cables, layer)
        layers = _Layer(cables, home, len(layer.row), self.members)
        inside, wall = self.inside_Bps[layer.row], self.wall_Bps[layer.row]
        require(not (inside > layers.most * (1 + SAME)).any(), "end points offer more than all their cables")
        require(not (wall > layers.width * (1 + SAME)).any(), "a wall is wider than the cables through it")
        plain = layers.plain & np.isfinite(self.ratio[layer.row]) & (inside > 0)
        require(np.allclose(inside[plain], layers.offered[plain], rtol=SAME, atol=0.0), "end points offer another rate")
        require(np.allclose(wall[plain], layers.used[plain], rtol=SAME, atol=0.0), "a wall has another width")
        shut = layers.plain & ~np.isfinite(self.ratio[layer.row])
        require(not layers.offered[shut].any(), "end points have a way out")


def _home(cables: Cables, layer: Layer) -> Ints:
    """Return the place in a layer of the assembly of each vertex, -1: in none, [V]."""
    size = layer.stop - layer.start
    first = np.cumsum(size) - size
    device = np.full(cables.fabric.device_count, -1, dtype=np.int64)
    at = np.repeat(layer.start - first, size) + np.arange(int(size.sum()))
    require(len(np.unique(at)) == len(at), "assemblies overlap")
    device[at] = np.repeat(np.arange(len(size)), size)
    return device[cables.device]


class _Layer:
    """The assemblies of a layer, added up: `most` that senders could offer, `width` of all cables through the wall, and
    of plain ones (`plain`) what is `offered` and the width that is `used`."""

    def __init__(self, cables: Cables, home: Ints, count: int, members: Bools) -> None:
        rate = cables.rate_Bps[cables.kind] * (1.0 if cables.health is None else cables.health)
        left = cables.left(slice(None)) & (cables.a != cables.b)
        a, b, rate = cables.a[left], cables.b[left], rate[left]
        tail, head, rate = np.append(a, b), np.append(b, a), np.append(rate, rate)
        end, own = cables.end, np.append(members, False)[cables.end]  # -1: of a switch
        exits = (home[tail] >= 0) & (home[tail] != home[head])
        sends = own[tail] & (home[tail] >= 0)

        def by_row(some: NDArray[np.bool_], rate: Floats) -> Floats:
            return np.asarray(np.bincount(home[tail[some]], weights=rate[some], minlength=count))

        def offered(some: NDArray[np.bool_]) -> Floats:
            sums = np.bincount(end[tail[some]], weights=rate[some], minlength=cables.ends)
            able = np.minimum(sums, cables.injection_Bps)
            first = np.full(cables.ends, -1, dtype=np.int64)
            at = np.flatnonzero(end >= 0)
            first[end[at]] = home[at]
            there = members & (first >= 0)
            return np.asarray(np.bincount(first[there], weights=able[there], minlength=count))

        self.most, self.width = offered(sends), by_row(exits, rate)
        switch = end < 0
        within = ~exits & (home[tail] >= 0)
        joins = within & switch[tail] & switch[head]
        part = components(cables.vertices, tail[joins], head[joins])
        out = np.zeros(cables.vertices, dtype=bool)
        out[part[tail[exits & switch[tail]]]] = True
        leads = sends & (exits | (within & switch[head] & out[part[head]]))
        self.offered = offered(leads)
        touched = np.zeros(cables.vertices, dtype=bool)
        touched[part[head[leads & within]]] = True
        self.used = by_row(exits & np.where(switch[tail], touched[part[tail]], own[tail]), rate)
        self.plain = self._plain(cables, home, count, own)

    @staticmethod
    def _plain(cables: Cables, home: Ints, count: int, own: Bools) -> Bools:
        if len({link.protocol for link in cables.fabric.plan.links.values()}) > 1:
            return np.zeros(count, dtype=bool)
        other = (cables.end >= 0) & (~own | cables.forwards) & (home >= 0)
        return np.asarray(np.bincount(home[other], minlength=count) == 0)
