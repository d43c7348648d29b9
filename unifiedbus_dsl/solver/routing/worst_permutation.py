"""The permutation of end points under which a routing that shares in fixed parts carries least.

What each end point sends to one other puts on an arc the sum of the chances to cross it, so the most that any
permutation puts there is an assignment problem (Towles and Dally, SPAA 2002): one for each orbit of arcs. Traffic in
which nobody sends or receives more than 1 is a mixture of permutations (Birkhoff), so none of it is worse either.

Symmetries that keep an arc make end points alike: the assignment is one of their classes, whose weight is that of the
pair of two classes most likely to cross it. The permutation itself is put together for the arc that is worst.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.arrays import Floats, Ints
from unifiedbus_dsl.base.progress import track
from unifiedbus_dsl.graph.symmetry import Symmetry, endpoint_images, trivial_symmetry
from unifiedbus_dsl.solver.bounds import NotAdmittedError
from unifiedbus_dsl.solver.routing.crossings import Crossings
from unifiedbus_dsl.solver.routing.transport import Prices, best_prices, rough_prices

FEW_ARCS = 64
"""Orbits of arcs up to which end points are looked at that are alike to each."""
MOST_WORK = 3e9
"""Targets times vertices times arcs up to which chances are worked out."""
MOST_HELD = 60_000_000
"""Prices, or pairs of end points, that are held."""
TIGHT = 1e-9
"""Part of the largest chance by which a pair may be below its prices and still be one of a best assignment."""


@frozen(eq=False)
class ArcPrices:
    """What no permutation puts more on than `bound`, an arc: that each end point s sends t is at most `out[s] +
    into[t]` likely to cross it, [E] each. `symmetry` keeps the arc and both prices."""

    arc: int
    out: Floats
    into: Floats
    bound: float
    symmetry: Symmetry


@frozen(eq=False)
class WorstPermutation:
    """End point `source[i]` sends to `target[i]`, the others nothing; `prices` are those of an arc of each orbit under
    `group`."""

    source: Ints
    target: Ints
    prices: tuple[ArcPrices, ...]
    group: Symmetry


@frozen(eq=False)
class _Weights:
    """The chances of classes of end points to cross an arc: column `number` of a sparse `table`, whose rows are targets
    and for each of them sources."""

    arc: int
    number: int
    table: Any
    label: Ints
    """Class of each end point, -1 for what is no member, [E]."""
    size: Ints
    symmetry: Symmetry

    @property
    def weight(self) -> Floats:
        """The largest chance from one class to another, [classes, classes]."""
        column = self.table.getcol(self.number).toarray()
        return np.ascontiguousarray(column.reshape(len(self.size), -1).T)

    def spread(self, prices: Prices) -> ArcPrices:
        """Return prices of classes as those of end points."""
        inside = self.label >= 0
        out, into = (np.where(inside, each[self.label], 0.0) for each in (prices.out, prices.into))
        return ArcPrices(self.arc, out, into, prices.bound, self.symmetry)


def worst_permutation(group: Symmetry, crossings: Crossings, room: Floats, enough: float) -> WorstPermutation:
    """Return the permutation of members that fills an arc, whose capacity is `room` [A], most; `group` keeps the
    routing and the members. What fills no arc at `enough` times its rates is not looked for.

    Raises:
        NotAdmittedError: a pair has no path, or the machine is too large.
    """
    network = group.network
    arcs = np.unique(group.arc_orbit, return_index=True)[1].astype(np.int64)
    members = np.flatnonzero(crossings.members)
    if len(arcs) * network.ends > MOST_HELD:
        raise NotAdmittedError(
            f"{len(arcs):,} arcs that are not alike, each with {len(members):,} end points, are too many: select fewer"
        )
    every = list(_weights_of_all(group, crossings, arcs))
    rough = [rough_prices(each.weight, each.size) for each in every]
    order = np.argsort([-each.bound / room[of.arc] for each, of in zip(rough, every, strict=True)], kind="stable")
    prices, worst, max_load = list[ArcPrices](), None, 1.0 / enough
    for number in track(order.tolist(), "worst permutations of arcs"):
        of, found = every[number], rough[number]
        if found.bound / room[of.arc] > max_load:
            found = best_prices(of.weight, of.size)
        prices.append(of.spread(found))
        if found.bound / room[of.arc] > max_load:
            max_load, worst = found.bound / room[of.arc], prices[-1]
    if worst is None:  # any permutation is limited by its end points alone
        return WorstPermutation(members, np.roll(members, -1), tuple(prices), group)
    return WorstPermutation(*_permutation(worst, crossings, members), tuple(prices), group)


# ---- weights --------------------------------------------------------------------------------------------------------


def _weights_of_all(group: Symmetry, crossings: Crossings, arcs: Ints) -> Iterator[_Weights]:
    """Yield the weights of each of some arcs."""
    network = group.network
    alone = trivial_symmetry(network)
    kept = [alone] * len(arcs)
    if len(arcs) <= FEW_ARCS:
        kept = [
            group.stabiliser_of_vertices((int(network.tail[arc]), int(network.head[arc])))
            for arc in track(arcs.tolist(), "end points alike to an arc")
        ]
    apart = np.array([not each.generators for each in kept])
    work = sum(_work(each, crossings, 1) for each in kept if each.generators)
    work += _work(alone, crossings, int(apart.sum()))
    if work > MOST_WORK:
        raise NotAdmittedError(
            f"the chances of all pairs of {int(crossings.members.sum()):,} end points to cross each of {len(arcs):,} "
            "arcs are too many: select fewer end points"
        )
    yield from _weights(alone, crossings, arcs[apart])
    for number in np.flatnonzero(~apart).tolist():
        yield from _weights(kept[number], crossings, arcs[number : number + 1])


def _work(kept: Symmetry, crossings: Crossings, arcs: int) -> float:
    """Return targets times what each costs, about, for chances to cross some arcs."""
    targets, _ = kept.representatives(np.flatnonzero(crossings.members))
    return len(targets) * (float(arcs) * kept.network.vertices + kept.network.arcs) if arcs else 0.0


def _weights(kept: Symmetry, crossings: Crossings, arcs: Ints) -> Iterator[_Weights]:
    """Yield the weights of arcs that all symmetries `kept` leave in place."""
    from scipy.sparse import vstack

    if not len(arcs):
        return
    members = np.flatnonzero(crossings.members)
    first, size = kept.representatives(members)
    label = np.full(kept.network.ends, -1)
    label[members] = np.searchsorted(np.unique(kept.end_orbit[members]), kept.end_orbit[members])
    targets = track(first.tolist(), "chances to cross arcs")
    table = vstack([_by_class(crossings.toward(target, arcs), label, len(first)) for target in targets]).tocsc()
    for number, arc in enumerate(arcs.tolist()):
        yield _Weights(arc, number, table, label, size, kept)


def _by_class(chance: Floats, label: Ints, classes: int) -> Any:
    """Return the largest chance of each class, sparse [classes, arcs]."""
    from scipy.sparse import csr_matrix

    max_load = np.zeros((classes, chance.shape[1]))
    inside = label >= 0
    if classes == int(inside.sum()):
        max_load[label[inside]] = chance[inside]
    else:
        np.maximum.at(max_load, label[inside], chance[inside])
    return csr_matrix(max_load)


# ---- the permutation ------------------------------------------------------------------------------------------------


def _permutation(worst: ArcPrices, crossings: Crossings, members: Ints) -> tuple[Ints, Ints]:
    """Return the sources and targets of a permutation that puts on an arc what its prices say.

    In a best assignment all pairs are as likely to cross as their prices say, and whoever has a price is in one. With
    an end point beside each that has none, to stay alone with, that is a matching of all.
    """
    from scipy.sparse import bmat, csr_matrix, diags_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    out, into = worst.out[members], worst.into[members]
    one, two = _tight_pairs(worst, crossings, members)
    pairs = csr_matrix((np.ones(len(one)), (one, two)), shape=(len(members),) * 2)
    free_out, free_into = (diags_array((each <= TIGHT).astype(np.float64)) for each in (out, into))
    match = maximum_bipartite_matching(bmat([[pairs, free_out], [free_into, pairs.T]]).tocsr(), perm_type="column")
    to = match[: len(members)]
    to = np.where((to >= 0) & (to < len(members)), to, -1)
    _send_the_rest(to)
    sends = to != np.arange(len(to))
    return members[sends], members[to[sends]]


def _tight_pairs(worst: ArcPrices, crossings: Crossings, members: Ints) -> tuple[Ints, Ints]:
    """Return the pairs, by place among the members, that cross an arc and are as likely to as their prices say."""
    out, into = worst.out[members], worst.into[members]
    one, two = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    held = 0
    for target, chance in _chances_of_all(worst, crossings, members):
        tight = (chance > 0) & (out + into[target] - chance <= TIGHT * max(1.0, float(chance.max(initial=0.0))))
        one.append(np.flatnonzero(tight))
        two.append(np.full(len(one[-1]), target))
        held += len(one[-1])
        if held > MOST_HELD:
            raise NotAdmittedError("too many pairs cross the worst arc: select fewer end points")
    return np.concatenate(one), np.concatenate(two)


def _chances_of_all(worst: ArcPrices, crossings: Crossings, members: Ints) -> Iterator[tuple[int, Floats]]:
    """Yield each member by its place, and the chances of all to cross the arc on the way to it: of one of each orbit
    they are worked out, and carried to the others by the symmetries that keep the arc."""
    network = crossings.network
    place = np.full(network.ends, -1)
    place[members] = np.arange(len(members))
    images = [place[endpoint_images(network, each)[members]] for each in worst.symmetry.generators]
    first, _ = worst.symmetry.representatives(members)
    arcs = np.array([worst.arc])
    for target in track(place[first].tolist(), "the worst permutation"):
        chances = {target: crossings.toward(int(members[target]), arcs)[members, 0]}
        left = [target]
        seen = {target}
        while left:
            here = left.pop()
            chance = chances.pop(here)
            yield here, chance
            for image in images:
                there = int(image[here])
                if there not in seen:
                    seen.add(there)
                    moved = np.empty_like(chance)
                    moved[image] = chance
                    chances[there] = moved
                    left.append(there)


def _send_the_rest(to: Ints) -> None:
    """Let those that send nothing (-1) send to those that nothing is sent to, and to themselves only where a single one
    is left."""
    source = np.flatnonzero(to < 0)
    target = np.setdiff1d(np.arange(len(to)), to)
    both = np.intersect1d(source, target)
    source = np.concatenate([both, np.setdiff1d(source, both)])
    target = np.concatenate([both, np.setdiff1d(target, both)])
    to[source] = np.roll(target, -1)
