"""Parts that stand in a wrong place because a swapped cable led to them: moved to where most of their cables say."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from unifiedbus_dsl.importer.lift.arrays import Array
from unifiedbus_dsl.importer.lift.classes import rows_of
from unifiedbus_dsl.importer.lift.machine import Ints
from unifiedbus_dsl.importer.lift.rules import IndexRule, Lift, Listed

Votes = dict[int, Counter[tuple[int, ...]]]


def moved(lift: Lift) -> dict[int, Array] | None:
    """Return the arrays with parts moved to where the rules want them by most of their cables; None where none is."""
    arrays, row = lift.arrays, lift.row
    votes: Votes = defaultdict(Counter)
    suspects = _suspects(lift)
    for part in lift.parts:
        if isinstance(part, IndexRule):
            _count(lift, part, row, suspects, votes)
        elif not isinstance(part, Listed):
            for end in (part.of.left, part.of.right):
                for each in end.part[part.good & np.isin(end.part, suspects)].tolist():
                    votes[each][tuple(_own(arrays[end.role], row, each))] += 1
    moved_arrays, any_moved = {}, False
    for role, array in arrays.items():
        at = _rearranged(array, votes)
        any_moved |= at is not None
        moved_arrays[role] = array if at is None else Array(array.parts, at, array.sizes)
    return moved_arrays if any_moved else None


def _own(array: Array, row: Ints, part: int) -> list[int]:
    own: list[int] = array.at[row[part]].tolist()
    return own


def _suspects(lift: Lift) -> Ints:
    """Return the parts at the ends of cables that keep to no rule."""
    ends = []
    for part in lift.parts:
        if not isinstance(part, Listed):
            bad = ~part.good if not isinstance(part, IndexRule) else ~part.fit.good
            ends += [part.of.left.part[bad], part.of.right.part[bad]]
    return np.unique(np.concatenate(ends)) if ends else np.empty(0, np.int64)


def _count(lift: Lift, rule: IndexRule, row: Ints, suspects: Ints, votes: Votes) -> None:
    """What a rule says of each suspect: from the other end of each of its cables, if that is where it should be."""
    of, fit = rule.of, rule.fit
    rank = [len(lift.arrays[end.role].sizes) for end in (of.left, of.right)]
    some = np.flatnonzero(np.isin(of.left.part, suspects) | np.isin(of.right.part, suspects))
    if not len(some):
        return
    left, right = (rows_of(lift.machine, lift.arrays, row, end) for end in (of.left, of.right))
    whole = len(rule.digits) == left.shape[1]
    back = (
        {
            tuple(r): tuple(a)
            for r, a in zip(_mapped(rule, left[fit.good]).tolist(), left[fit.good].tolist(), strict=True)
        }
        if whole
        else {}
    )
    ahead = _mapped(rule, left) if whole else None
    for n in some.tolist():
        a, b = tuple(left[n].tolist()), tuple(right[n].tolist())
        if fit.good[n]:
            votes[int(of.left.part[n])][a[: rank[0]]] += 1
            votes[int(of.right.part[n])][b[: rank[1]]] += 1
            continue
        if ahead is not None and tuple(ahead[n, rank[1] :].tolist()) == b[rank[1] :]:
            votes[int(of.right.part[n])][tuple(ahead[n, : rank[1]].tolist())] += 1
        origin = back.get(b) or (_origin(rule, left, b) if whole else None)
        if origin is not None and origin[rank[0] :] == a[rank[0] :]:
            votes[int(of.left.part[n])][origin[: rank[0]]] += 1


def _mapped(rule: IndexRule, rows: Ints) -> Ints:
    return (
        np.stack([each.at(rows) for each in rule.fit.maps], axis=1)
        if rule.fit.maps
        else np.empty((len(rows), 0), np.int64)
    )


def _origin(rule: IndexRule, left: Ints, wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """Return the row of the box that the rule carries to a row, among those without a cable."""
    lacking = rule.fit.lacking
    if not len(lacking):
        return None
    to = _mapped(rule, lacking)
    hit = np.flatnonzero((to == np.asarray(wanted)).all(axis=1))
    return tuple(lacking[hit[0]].tolist()) if len(hit) else None


def _rearranged(array: Array, votes: Votes) -> Ints | None:
    """Return the subscripts of the parts, those moved that most of their cables want elsewhere; None where none is."""
    place = {tuple(at): part for part, at in zip(array.parts.tolist(), array.at.tolist(), strict=True)}
    own = {part: at for at, part in place.items()}
    wanted = {}
    for part, at in own.items():
        if votes.get(part):
            best, count = votes[part].most_common(1)[0]
            if (
                best != at
                and count > votes[part][at]
                and all(0 <= v < s for v, s in zip(best, array.sizes, strict=True))
            ):
                wanted[part] = best
    while wanted:
        free = {own[part] for part in wanted}
        target = Counter(wanted.values())
        kept = {p: at for p, at in wanted.items() if target[at] == 1 and (at not in place or at in free)}
        if len(kept) == len(wanted):
            break
        wanted = kept
    if not wanted:
        return None
    return np.asarray([wanted.get(part, own[part]) for part in array.parts.tolist()], dtype=np.int64)
