"""Super-terminals: a vertex through which all end points of a group send or receive, and what it does to symmetries."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base.arrays import Bools, Ids, Ints, frozen_array
from unifiedbus_dsl.graph.network import ArcKinds, Network
from unifiedbus_dsl.graph.symmetry import Automorphism, Invariant, Symmetry, relabel, trivial_symmetry
from unifiedbus_dsl.graph.symmetry.verify_automorphism import PIECE

# ---- one vertex an end point ----------------------------------------------------------------------------------------


@frozen(eq=False)
class _SuperTerminals:
    """How `single` numbers anew: the vertex `new[v]` for each vertex v, the hub of each end point (-1: none, it has one
    vertex), and which end points got a hub `created` for them."""

    new: Ints
    hub: Ints
    created: Bools
    network: Network


def without_super_terminals(network: Network) -> Network:
    """Return the same network with one vertex for each end point, so that flows begin and end at a vertex.

    An end point of several vertices gets a hub, which does not forward: its vertex of ports in no `transit` line, or a
    new one; free arcs (of infinite capacity) join the hub and each of its other vertices. Arcs that are cables keep
    their order.
    """
    return network if network.simple else add_super_terminals(network).network


@frozen(eq=False)
class _Numbers:
    """Which end points have a hub: those of `many` vertices, one of them where they have a `lone` one; the last vertex
    of each; which vertices are `inside` such an end point; and the `new` number of each vertex, of `count`."""

    many: Bools
    lone: Bools
    last: Ids
    inside: Bools
    new: Ints
    count: int

    @classmethod
    def of(cls, network: Network, apart: Bools | None = None) -> _Numbers:
        many = np.diff(network.end_start) > 1
        if apart is not None:
            many |= apart & network.forwards[network.end_order[network.end_start[:-1]]]
        inside = (network.end >= 0) & many[network.end]
        lone = np.zeros(network.ends, dtype=bool)
        lone[network.end[inside & ~network.forwards]] = True
        last = network.end_order[network.end_start[1:] - 1]
        added = np.zeros(network.vertices, dtype=np.int64)
        added[last[many & ~lone]] = 1
        new = np.arange(network.vertices) + np.concatenate([[0], np.cumsum(added)[:-1]])
        return cls(many, lone, last, inside, new, network.vertices + int(added.sum()))


def add_super_terminals(network: Network, apart: Bools | None = None) -> _SuperTerminals:
    """Return the network with a hub for each end point of several vertices, and where its only vertex forwards for each
    of `apart` ([E])."""
    numbers = _Numbers.of(network, apart)
    many, last, of_vertex, new, n = numbers.many, numbers.last, numbers.inside, numbers.new, numbers.count
    hub = np.full(network.ends, -1)
    hub[network.end[of_vertex & ~network.forwards]] = new[of_vertex & ~network.forwards]
    created = many & ~numbers.lone
    hub[created] = new[last[created]] + 1

    end = np.full(n, -1, dtype=np.int32)
    end[new] = np.where(of_vertex & network.forwards, -1, network.end)
    end[hub[many]] = np.flatnonzero(many)
    forwards = np.zeros(n, dtype=bool)
    forwards[new] = network.forwards
    group = np.zeros(n, dtype=np.int32)
    group[new] = network.group * 2
    group[hub[created]] = network.group[last[created]] * 2 + 1
    latency = np.zeros(n)
    latency[new] = network.latency_s
    dies = np.flatnonzero(of_vertex & network.forwards)
    hubs = hub[network.end[dies]]
    tails, heads = np.append(new[dies], hubs), np.append(hubs, new[dies])
    degree = np.zeros(n, dtype=np.int64)
    degree[new] = np.diff(network.indptr)
    indptr = np.concatenate([[0], np.cumsum(degree + np.bincount(tails, minlength=n))])
    head, kind, count = _insert_arcs(network, new, indptr, tails, heads)
    kinds = network.kinds
    turned = None
    if network.turned is not None:
        turned = np.arange(n, dtype=np.int32)
        turned[new] = new[network.turned]
    return _SuperTerminals(
        new,
        hub,
        created,
        Network(
            device_start=frozen_array(np.append(new, n)[network.device_start]),
            end=frozen_array(end),
            forwards=frozen_array(forwards),
            latency_s=frozen_array(latency),
            group=frozen_array(group),
            injection_Bps=network.injection_Bps,
            indptr=frozen_array(indptr),
            head=frozen_array(head),
            kind=frozen_array(kind),
            count=frozen_array(count),
            kinds=ArcKinds(
                np.append(kinds.capacity_Bps, np.inf),
                np.append(kinds.rate_Bps, np.inf),
                np.append(kinds.latency_s, 0.0),
                np.append(kinds.link, -1),
            ),
            turned=turned if turned is None else frozen_array(turned),
        ),
    )


def vertices_with_hubs(network: Network, apart: Bools | None = None) -> Ints:
    """Return the number of each vertex in the network of `add_super_terminals`, [V]."""
    if network.simple and (apart is None or not apart.any()):
        return np.arange(network.vertices)
    return _Numbers.of(network, apart).new


def _insert_arcs(
    network: Network, new: Ints, indptr: Ints, tails: Ints, heads: Ints
) -> tuple[Ids, NDArray[np.unsignedinteger[Any]], NDArray[np.unsignedinteger[Any]]]:
    """Heads, kinds and counts of the arcs of a network, renumbered, with free arcs put in their places among them."""
    order = np.lexsort((heads, tails))
    tails, heads = tails[order], heads[order]
    # where a free arc goes: after the arcs of its row with no larger head, and after the free arcs before it
    old = np.full(len(indptr) - 1, -1)
    old[new] = np.arange(len(new))
    before = network.indptr[np.searchsorted(new, tails)]
    there = old[tails] >= 0
    before[there] = _places_in_rows(network, old[tails[there]], np.searchsorted(new, heads[there], side="right"))
    place = before + np.arange(len(tails))
    cable = np.ones(int(indptr[-1]), dtype=bool)
    cable[place] = False
    head = np.empty(len(cable), dtype=np.int32)
    kind = np.empty(len(cable), dtype=np.result_type(network.kind, np.min_scalar_type(len(network.kinds.link))))
    count = np.ones(len(cable), dtype=network.count.dtype)
    head[place], kind[place] = heads, len(network.kinds.link)
    done = 0
    for begin in range(0, len(cable), PIECE):
        at = begin + np.flatnonzero(cable[begin : begin + PIECE])
        some = slice(done, done + len(at))
        head[at], kind[at], count[at] = new[network.head[some]], network.kind[some], network.count[some]
        done += len(at)
    return head, kind, count


def _places_in_rows(network: Network, rows: Ints, heads: Ints) -> Ints:
    """Return the first arc of each of these rows whose head is no smaller than `heads`, or the end of the row; by
    halving."""
    low, high = network.indptr[rows], network.indptr[rows + 1]
    while (low < high).any():
        middle = (low + high) // 2
        smaller = (low < high) & (network.head[np.minimum(middle, network.arcs - 1)] < heads)
        low, high = np.where(smaller, middle + 1, low), np.where(smaller, high, middle)
    return low


def flow_symmetry(symmetry: Symmetry, apart: Bools | None = None) -> Symmetry:
    """Return the symmetry on `single(network)`: an automorphism that carries an end point to another carries its hub
    along, and the free arcs with it, so orbits and generators are those that were proved.

    End points `apart` ([E], kept by the symmetries) have a hub also where their only vertex forwards: what passes
    through it and what ends there are then told apart.
    """
    before = symmetry.network
    if before.simple and (apart is None or not apart.any()):
        return symmetry
    made = add_super_terminals(before, apart)
    after, new, created = made.network, made.new, made.created
    if not symmetry.generators:
        return trivial_symmetry(after, symmetry.arrays)
    orbits = symmetry.vertex_orbits
    of_end = np.minimum.reduceat(symmetry.vertex_orbit[before.end_order], before.end_start[:-1])
    vertex = np.empty(after.vertices, dtype=np.int64)
    vertex[new] = symmetry.vertex_orbit
    vertex[made.hub[created]] = orbits + of_end[created]
    cable = after.kind < len(before.kinds.link)
    free = np.flatnonzero(~cable)
    tail, head = (np.searchsorted(after.indptr, free, side="right") - 1).astype(np.int32), after.head[free]
    inward = after.end[head] >= 0
    arc = np.empty(after.arcs, dtype=np.int32)
    arc[cable] = symmetry.arc_orbit
    die = np.where(inward, tail, head)
    arc[free] = symmetry.arc_orbits + relabel(2 * vertex[die] + inward)
    colour = None
    if symmetry.colour is not None:
        colour = np.zeros(after.vertices, dtype=np.int64)
        colour[new] = symmetry.colour
    return evolve(
        symmetry,
        network=after,
        generators=tuple(lift_generator(before, made, generator) for generator in symmetry.generators),
        vertex_orbit=frozen_array(relabel(vertex)),
        arc_orbit=frozen_array(arc),
        colour=None if colour is None else relabel(colour),
        keeps=tuple(_on_original(keep, new, after.vertices) for keep in symmetry.keeps),
    )


def _on_original(keep: Invariant, new: Ints, vertices: int) -> Invariant:
    """Return a demand on symmetries of the network before, asked of symmetries of the one with hubs."""
    old = np.full(vertices, -1, dtype=np.int32)
    old[new] = np.arange(len(new))

    def kept_before(generator: Automorphism) -> bool:
        there = old[generator.moved] >= 0
        return keep(Automorphism(old[generator.moved[there]], old[generator.image[there]]))

    return kept_before


def lift_generator(network: Network, made: _SuperTerminals, generator: Automorphism) -> Automorphism:
    """Return the generator with the hubs that it carries along."""
    ends = network.end[generator.moved]
    with_hub = np.flatnonzero((ends >= 0) & made.created[ends])
    with_hub = with_hub[np.append(True, np.diff(ends[with_hub]) != 0)[: len(with_hub)]]  # one vertex of each end point
    moved, hubs = made.new[generator.moved], made.hub[ends[with_hub]]
    place = np.searchsorted(moved, hubs)  # hubs are numbered as their end points are
    image = np.insert(made.new[generator.image], place, made.hub[network.end[generator.image[with_hub]]])
    return Automorphism(
        frozen_array(np.insert(moved, place, hubs).astype(np.int32)), frozen_array(image.astype(np.int32))
    )
