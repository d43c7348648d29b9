"""Symmetries of a network, each proved on its arcs, and the orbits that they generate.

Arrays of the plan say where to look: along each axis of an array the elements are rotated by one, two neighbours
swapped, the order reversed; in one instance first, else in all instances inside one that is further out, and so on.
A candidate on the devices of an array is extended to the switches outside it by matching neighbours, level by level
outward from the end points. Then it is checked: each row of arcs must come back as the row of the image, arc by arc. A
candidate that doesn't is dropped; what is missed costs time later, never correctness.

An automorphism in one instance is enough for all of them where another one carries that instance to each other, so
most checks touch few arcs (see docs/decisions/symmetry-search.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import TypeAlias

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import ArrayLike, NDArray

from unifiedbus_dsl.network import Hashes, Ids, Ints, Network, frozen_array, ranges, row_arcs, row_chunks
from unifiedbus_dsl.plan import AssemblyType, Const, IndexExpr, Op, Plan, Var

SAMPLE = 64
"""Vertices on which a candidate is tried before all of it."""
PIECE = 1 << 20
"""Arcs that are worked on at a time: what they need stays in the cache."""
MAX_INSTANCES = 64
"""How many differing instances of an array are searched, each for itself."""


@frozen
class Array:
    """An array of devices or assemblies at one place in the plan.

    Element e (row-major in `shape`) has the devices `base + sum(i * stride) + e * size + 0 … size - 1`, with i over the
    `loops` (count, stride) of the arrays around it, outermost first. `strides[k]` are steps that index arithmetic takes
    along dimension k (`2048*i + 16*c + e`: 2048, 16), which is searched as if it were several.
    """

    base: int
    loops: tuple[tuple[int, int], ...]
    shape: tuple[int, ...]
    size: int
    strides: tuple[tuple[int, ...], ...] = ()


@frozen
class Axis:
    """One dimension of an array: element i is `block` devices from `base + sum(loops) + i * block`."""

    base: int
    loops: tuple[tuple[int, int], ...]
    length: int
    block: int


@frozen(eq=False)
class Generator:
    """A proved automorphism: vertex `moved[i]` goes to `image[i]`, the others stay; `moved` is sorted.

    `arc_image` is the image of each arc out of a moved vertex, row by row, the first of row i at `start[i]`. Any other
    arc that moves is the opposite of one of these, and so is its image.
    """

    moved: Ids
    image: Ids
    start: Ints
    arc_image: Ids


Keep: TypeAlias = Callable[[Generator], bool]
"""A demand on symmetries: true of those that are to stay."""


@frozen(eq=False, slots=False)
class Symmetry:
    """Orbits of vertices ([V]) and of directed arcs ([A]) under `generators`, numbered densely."""

    network: Network = field(repr=False)
    generators: tuple[Generator, ...] = field(repr=False)
    vertex_orbit: Ids = field(repr=False)
    arc_orbit: Ids = field(repr=False)
    tried: int
    arrays: tuple[Array, ...] = field(default=(), repr=False)
    colour: Ids | None = field(default=None, repr=False)
    keeps: tuple[Keep, ...] = field(default=(), repr=False)

    @cached_property
    def vertex_orbits(self) -> int:
        return int(self.vertex_orbit.max(initial=-1)) + 1

    @cached_property
    def arc_orbits(self) -> int:
        return int(self.arc_orbit.max(initial=-1)) + 1

    @cached_property
    def arc_orbit_size(self) -> Ints:
        """Arcs in each orbit."""
        return frozen_array(np.bincount(self.arc_orbit, minlength=self.arc_orbits))

    @cached_property
    def end_orbit(self) -> Ids:
        """Orbit of each end point, numbered densely, [E]: the orbit of its first vertex."""
        first = self.network.end_order[self.network.end_start[:-1]]
        return frozen_array(dense(self.vertex_orbit[first]))

    def representatives(self, members: NDArray[np.integer] | None = None) -> tuple[Ints, Ints]:
        """One end point of each orbit and the size of the orbit, among the `members` (default: all)."""
        ends = np.arange(self.network.ends) if members is None else np.sort(np.asarray(members, dtype=np.int64))
        _, first, size = np.unique(self.end_orbit[ends], return_index=True, return_counts=True)
        return ends[first], size

    def restricted(
        self, colour: ArrayLike | None = None, partition: ArrayLike | None = None, keep: Keep | None = None
    ) -> Symmetry:
        """Those symmetries only that keep a colour of the end points ([E]), that map the parts of a partition of them
        ([E], -1: in no part) to parts, and of which `keep` is true.

        Where a generator doesn't, all are searched anew: what one instance does not allow may hold in all at once.
        """
        coloured = self.colour
        if colour is not None:
            coloured = self._coloured(np.asarray(colour)[self.network.end], self.network.end >= 0)
        keeps = self.keeps
        if partition is not None:
            parts = np.asarray(partition)
            keeps = (*keeps, lambda generator: _keeps_parts(self.network, generator, parts))
        if keep is not None:
            keeps = (*keeps, keep)
        if all(_keeps_colour(g, coloured) and all(test(g) for test in keeps) for g in self.generators):
            return evolve(self, colour=coloured, keeps=keeps)
        return find(self.network, self.arrays, coloured, keeps)

    def stabiliser(self, ends: Sequence[int]) -> Symmetry:
        """Symmetries that keep each of the end points, searched anew; none where none were."""
        if not self.generators:
            return self
        number = np.zeros(self.network.ends, dtype=np.int64)
        number[list(ends)] = np.arange(len(ends)) + 1
        coloured = self._coloured(number[self.network.end], self.network.end >= 0)
        return find(self.network, self.arrays, coloured, self.keeps)

    def _coloured(self, values: NDArray[np.generic], where: NDArray[np.bool_]) -> Ids:
        """The colour so far, parted by `values` ([V]) at the vertices `where`."""
        new = dense(np.where(where, dense(values) + 1, 0))
        return new if self.colour is None else dense(self.colour.astype(np.int64) * (int(new.max()) + 1) + new)


def end_images(network: Network, generator: Generator) -> Ints:
    """Image of each end point, [E]."""
    image = np.arange(network.ends)
    ends = network.end[generator.moved]
    real = ends >= 0
    image[ends[real]] = network.end[generator.image[real]]
    return image


def _keeps_colour(generator: Generator, colour: Ids | None) -> bool:
    return colour is None or bool((colour[generator.image] == colour[generator.moved]).all())


def _keeps_parts(network: Network, generator: Generator, part: NDArray[np.integer]) -> bool:
    """Whether the images of the end points of each part are a part."""
    after = part[end_images(network, generator)]
    if ((after < 0) != (part < 0)).any():
        return False
    inside = part >= 0
    goes = np.full(int(part.max(initial=0)) + 1, -1, dtype=np.int64)
    goes[part[inside]] = after[inside]
    used = goes[goes >= 0]
    return bool((goes[part[inside]] == after[inside]).all()) and len(np.unique(used)) == len(used)


def trivial(network: Network) -> Symmetry:
    """No symmetry at all: each vertex and each arc its own orbit."""
    return Symmetry(
        network,
        (),
        frozen_array(np.arange(network.vertices, dtype=np.int32)),
        frozen_array(np.arange(network.arcs, dtype=np.int32)),
        0,
    )


def find(
    network: Network, arrays: Iterable[Array], colour: ArrayLike | None = None, keeps: tuple[Keep, ...] = ()
) -> Symmetry:
    """Search the arrays for automorphisms that keep `colour` ([V], default: none) and pass all of `keeps`, and give
    their orbits.

    With a colour, as after a failure, elements are only exchanged within classes that refinement cannot tell apart.
    Where an axis can't be rotated as a whole it is cut into equal parts, the longest that can be.
    """
    arrays = tuple(arrays)
    kinds = vertex_kinds(network, colour)
    looks = refine(network, kinds, network.label) if colour is not None else None
    search = _Search(network, kinds, tiers(network), keeps)
    twin = search.prove(*twins(network, kinds))
    found = [twin] if twin is not None else []
    tried = 1
    alike: list[Axis] = []
    seen: set[Axis] = set()
    for axis in axes(arrays):
        if axis in seen:
            continue
        seen.add(axis)
        turned, attempts = _explored(search, axis, looks, alike, found)
        tried += attempts
        for inner, across in () if turned else _parts(axis):
            if inner in seen:
                continue
            seen.add(inner)
            turned, attempts = _explored(search, inner, looks, alike, found)
            tried += attempts
            if turned and across not in seen:
                seen.add(across)
                before = len(found)
                tried += _explored(search, across, looks, alike, found)[1]
                if len(found) > before:
                    break
    return evolve(
        orbits(network, found, tried, arrays), colour=None if colour is None else dense(np.asarray(colour)), keeps=keeps
    )


def twins(network: Network, kinds: Ids) -> tuple[Ids, Ids]:
    """Vertices with the same neighbours over the same arcs, each going to the next of its like: (vertices, images).

    Sought among switches and end points of one vertex. By hash: what is no twin is found out in the proof.
    """
    hashes = _mix(np.arange(network.vertices))
    salts = _mix(np.arange(int(network.label.max(initial=0)) + 1)) | np.uint64(1)
    sums = np.zeros(network.vertices, dtype=np.uint64)
    for begin, end in row_chunks(network, PIECE):
        arcs = slice(int(network.indptr[begin]), int(network.indptr[end]))
        terms = hashes[network.head[arcs]] * salts[network.label[arcs]]
        sums[begin:end] = _sums(terms, network.indptr[begin + 1 : end + 1] - network.indptr[begin:end])
    alone = np.ones(network.vertices, dtype=bool)
    real = network.end >= 0
    alone[real] = np.diff(network.end_start)[network.end[real]] == 1
    some = np.flatnonzero(alone & (np.diff(network.indptr) > 0))
    order = some[np.lexsort((some, sums[some], kinds[some]))]
    if not len(order):
        return np.empty(0, np.int32), np.empty(0, np.int32)
    first = np.ones(len(order), dtype=bool)
    first[1:] = (sums[order[1:]] != sums[order[:-1]]) | (kinds[order[1:]] != kinds[order[:-1]])
    start = np.flatnonzero(first)
    onward = np.arange(1, len(order) + 1)
    onward[np.append(start[1:], len(order)) - 1] = start
    moving = onward != np.arange(len(order))
    return order[moving].astype(np.int32), order[onward[moving]].astype(np.int32)


def _parts(axis: Axis) -> Iterator[tuple[Axis, Axis]]:
    """Ways to cut an axis into equal parts, longest parts first: the axis inside the parts and the one across them."""
    for length in range(axis.length // 2, 1, -1):
        if axis.length % length == 0:
            cut = axis.length // length, axis.block * length
            yield Axis(axis.base, (*axis.loops, cut), length, axis.block), Axis(axis.base, axis.loops, *cut)


def _explored(
    search: _Search, axis: Axis, looks: Ids | None, alike: list[Axis], found: list[Generator]
) -> tuple[bool, int]:
    """Add to `found` what is proved along an axis and to `alike` the axis if its elements are interchangeable; whether
    every instance could be rotated, and how many candidates were tried."""
    tried = 0
    swapped = turned = False
    for method in ("rotate", "swap", "reverse"):
        if method == "reverse" and (swapped or axis.length < 3):
            continue
        proved, attempts, all_proved = _along(search, axis, method, looks, _alike_loops(axis, alike))
        tried += attempts
        found += proved
        swapped = method == "swap" and bool(proved)
        turned |= method == "rotate" and all_proved
        if proved and (method == "rotate" or (swapped and axis.length == 2)):
            alike.append(axis)
    return turned, tried


def _along(
    search: _Search, axis: Axis, method: str, looks: Ids | None, alike: int
) -> tuple[list[Generator], int, bool]:
    """Automorphisms along an axis that touch as few instances at once as will do, how many were tried, and whether at
    the last level none failed.

    The first `alike` loops around the axis have interchangeable elements: what is proved in one of them holds in all.
    Where one instance is not enough for the others (racks at different distances), all are moved at once too.
    """
    tried = 0
    found: list[Generator] = []
    all_proved = False
    for outer in range(len(axis.loops), -1, -1):
        if found and outer > alike:
            continue
        attempts = [search.prove(*pair) for pair in candidates(search.network, axis, method, outer, looks)]
        tried += len(attempts)
        proved = [generator for generator in attempts if generator is not None]
        found += proved
        all_proved = len(proved) == len(attempts)
        if proved and (outer <= alike or looks is not None):
            break
    return found, tried, all_proved


def _alike_loops(axis: Axis, alike: Sequence[Axis]) -> int:
    """How many of the loops around an axis, from the outermost, run over elements known to be interchangeable."""
    for number, (length, block) in enumerate(axis.loops):
        around = axis.loops[:number]
        if not any(
            a.loops == around and (a.length, a.block) == (length, block) and a.base <= axis.base < a.base + block
            for a in alike
        ):
            return number
    return len(axis.loops)


# ---- arrays of a plan ---------------------------------------------------------------------------------------------


def arrays_of(plan: Plan) -> list[Array]:
    """Every array of the plan where it occurs, outermost first, with the steps of index arithmetic in its rules."""
    found: list[Array] = []

    def visit(key: str, base: int, loops: tuple[tuple[int, int], ...]) -> None:
        assembly = plan.assemblies[key]
        steps = _strides(assembly)
        for child in assembly.children:
            size = plan.device_count[child.type]
            by_dimension = tuple(tuple(sorted(steps.get((child.name, k), ()))) for k in range(len(child.shape)))
            found.append(Array(base, loops, child.shape, size, by_dimension))
            if child.type in plan.assemblies:
                visit(child.type, base, (*loops, (child.count, size)) if child.count > 1 else loops)
            base += child.count * size

    if plan.root in plan.assemblies:
        visit(plan.root, 0, ())
    return found


def _strides(assembly: AssemblyType) -> dict[tuple[str, int], set[int]]:
    """Steps along dimension k of a child that the rules of an assembly take: factors of index names in its subscript
    (`16*c + e`), and divisors of an index name that is its subscript (`leaf[h div 16] … host[h]`)."""
    steps: dict[tuple[str, int], set[int]] = {}
    for rule in assembly.rules:
        ends = (rule.left, rule.right)
        divisors: dict[str, set[int]] = {}
        for ref in ends:
            for expression in (*ref.at, *ref.port_at):
                _divisors(expression, divisors)
        for ref in ends:
            for k, expression in enumerate(ref.at):
                some = steps.setdefault((ref.child, k), set())
                _factors(expression, some)
                if isinstance(expression, Var):
                    some |= divisors.get(expression.name, set())
    return steps


def _factors(expression: IndexExpr, found: set[int]) -> None:
    """Constants that something is multiplied by."""
    if isinstance(expression, Op):
        for side, other in ((expression.left, expression.right), (expression.right, expression.left)):
            if expression.op == "*" and isinstance(side, Const) and not isinstance(other, Const):
                found.add(abs(side.value))
            _factors(side, found)


def _divisors(expression: IndexExpr, found: dict[str, set[int]]) -> None:
    """Constants by which an index name is divided, or taken modulo."""
    if isinstance(expression, Op):
        if expression.op in ("div", "mod") and isinstance(expression.left, Var) and isinstance(expression.right, Const):
            found.setdefault(expression.left.name, set()).add(expression.right.value)
        _divisors(expression.left, found)
        _divisors(expression.right, found)


# ---- candidates ---------------------------------------------------------------------------------------------------


def axes(arrays: Iterable[Array]) -> Iterator[Axis]:
    """Dimensions longer than one, of arrays as they are and split along their strides; equal ones once."""
    seen: set[Axis] = set()
    for array in arrays:
        shapes = [array.shape]
        if any(array.strides):
            parts = zip(array.shape, array.strides, strict=True)
            shapes.append(tuple(length for n, steps in parts for length in _split(n, steps)))
        for shape in shapes:
            for k, length in enumerate(shape):
                block = array.size * prod(shape[k + 1 :])
                inner = [(n, array.size * prod(shape[i + 1 :])) for i, n in enumerate(shape[:k])]
                axis = Axis(array.base, tuple(loop for loop in (*array.loops, *inner) if loop[0] > 1), length, block)
                if length > 1 and axis not in seen:
                    seen.add(axis)
                    yield axis


def _split(length: int, strides: Sequence[int]) -> tuple[int, ...]:
    """`length` as a product along those strides that divide each other, from the smallest up."""
    steps = [1]
    for stride in sorted({s for s in strides if 1 < s < length}):
        if stride % steps[-1] == 0 and length % stride == 0:
            steps.append(stride)
    steps.append(length)
    return tuple(big // small for small, big in pairwise(steps))[::-1]


def candidates(network: Network, axis: Axis, method: str, outer: int, looks: Ids | None) -> Iterator[tuple[Ids, Ids]]:
    """Permutations of vertices along an axis: in one instance of the `outer` loops, in all of the inner ones.

    With `looks` ([V], the same for vertices that may be images of each other): one candidate for each way an instance
    can look, and within it only elements that look the same are exchanged.
    """
    outside, inside = _offsets(axis.loops[:outer]), _offsets(axis.loops[outer:])
    if looks is None:
        instances = [(int(outside[0]), [np.arange(axis.length)])]
    else:
        instances = _differing(_signatures(network, axis, looks).reshape(len(outside), -1, axis.length), outside)
    for start, classes in instances:
        places = axis.base + start + inside
        before, after = _exchanged(classes, method)
        if len(before):
            yield (
                _vertices(network, places, before * axis.block, axis.block),
                _vertices(network, places, after * axis.block, axis.block),
            )


def _differing(signs: Hashes, starts: Ints) -> list[tuple[int, list[Ints]]]:
    """One instance for each way to look, with its elements in classes that look the same.

    `signs` [instances, inner instances, elements]. Inner instances count together: an element looks as it does in all
    of them, in order.
    """
    weight = _mix(np.arange(signs.shape[1]) + 0xA11) | np.uint64(1)
    elements = (signs * weight[None, :, None]).sum(axis=1, dtype=np.uint64)
    whole = _mix(np.sort(elements, axis=1)).sum(axis=1, dtype=np.uint64)
    _, first = np.unique(whole, return_index=True)
    chosen = np.sort(first)[:MAX_INSTANCES]
    return [(int(starts[i]), [np.flatnonzero(elements[i] == s) for s in np.unique(elements[i])]) for i in chosen]


def _exchanged(classes: list[Ints], method: str) -> tuple[Ints, Ints]:
    """Elements that move and where to, each class for itself."""
    pairs = []
    for members in classes:
        if len(members) < 2 or (method == "rotate" and len(members) == 2):
            continue
        if method == "rotate":
            pairs.append((members, np.roll(members, -1)))
        elif method == "reverse":
            pairs.append((members, members[::-1]))
        else:
            pairs.append((members[:2], members[1::-1]))
    if not pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    before, after = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return before[before != after], after[before != after]


def _offsets(loops: Sequence[tuple[int, int]]) -> Ints:
    total = np.zeros(1, dtype=np.int64)
    for count, stride in loops:
        total = (total[:, None] + np.arange(count) * stride).ravel()
    return total


def _vertices(network: Network, places: Ints, shift: Ints, block: int) -> Ids:
    """Vertices of the devices `place + shift + 0 … block - 1`, for each shift and place."""
    first = (places + shift[:, None]).ravel()
    starts = network.device_start
    return ranges(starts[first], starts[first + block]).astype(np.int32)


def _signatures(network: Network, axis: Axis, looks: Ids) -> Hashes:
    """Hash of how the devices of each element look, in order inside it, [all instances, elements]."""
    first = network.device_start[:-1]
    size = np.diff(network.device_start)
    vertex = _mix(looks.astype(np.uint64)) * (_mix(np.arange(len(looks)) - np.repeat(first, size)) | np.uint64(1))
    device = np.add.reduceat(vertex, first)
    places = axis.base + _offsets((*axis.loops, (axis.length, axis.block)))
    salt = _mix(np.arange(axis.block)) | np.uint64(1)
    total = np.zeros(len(places), dtype=np.uint64)
    step = max(1, (1 << 22) // axis.block)
    for begin in range(0, len(places), step):
        some = places[begin : begin + step, None] + np.arange(axis.block)
        total[begin : begin + step] = (_mix(device[some]) * salt).sum(axis=1, dtype=np.uint64)
    return _mix(total).reshape(-1, axis.length)


# ---- proof --------------------------------------------------------------------------------------------------------


@frozen(eq=False)
class _Search:
    """What every check of one network shares. `tier`: hops from the nearest end point."""

    network: Network
    kinds: Ids
    tier: Ids
    keeps: tuple[Keep, ...]

    def prove(self, moved: Ids, image: Ids) -> Generator | None:
        """The automorphism that begins with moved -> image, None where there is none to be found."""
        if not len(moved) or (self.kinds[moved] != self.kinds[image]).any():
            return None
        full = np.arange(self.network.vertices, dtype=np.int32)
        full[moved] = image
        settled = np.zeros(self.network.vertices, dtype=bool)
        settled[moved] = True
        if not extend(self.network, self.kinds, self.tier, full, settled):
            return None
        proved = verify(self.network, self.kinds, full)
        return proved if proved is not None and all(keep(proved) for keep in self.keeps) else None


def extend(network: Network, kinds: Ids, tier: Ids, image: Ids, settled: NDArray[np.bool_]) -> bool:
    """Find the images of switches whose neighbours move, level by level outward; fills `image`, False if there is none.

    `settled` vertices and end points have their image already. Switch b goes to the b' with the same sum, over
    neighbours, of hashes as the images of b's neighbours have; ties keep their order.
    """
    everyone = np.arange(network.vertices)
    hashes = _mix(everyone)
    salts = _mix(np.arange(int(network.label.max(initial=0)) + 1)) | np.uint64(1)
    time = np.where(settled, 0, tier)
    for level in range(1, int(tier.max(initial=0)) + 1):
        pending = np.flatnonzero((time == level) & ~settled)
        moving = np.flatnonzero((image != everyone) & (time < level))
        if not len(pending) or not len(moving):
            continue
        change = _changes(network, hashes, salts, image, moving, pending, time < level)
        switches = pending[change[pending] != 0]
        arcs = row_arcs(network, switches)
        terms = np.where(time[network.head[arcs]] < level, hashes[network.head[arcs]], np.uint64(0))
        terms *= salts[network.label[arcs]]
        before = _sums(terms, network.indptr[switches + 1] - network.indptr[switches])
        after = before + change[switches]
        wanted = np.lexsort((switches, after, kinds[switches]))
        offered = np.lexsort((switches, before, kinds[switches]))
        if (after[wanted] != before[offered]).any() or (kinds[switches[wanted]] != kinds[switches[offered]]).any():
            return False
        image[switches[wanted]] = switches[offered]
    return True


def _changes(
    network: Network, hashes: Hashes, salts: Hashes, image: Ids, moving: Ints, pending: Ints, known: NDArray[np.bool_]
) -> Hashes:
    """By how much the hash sum over known neighbours changes, for the `pending` switches at least, [V]: added up along
    the arcs of what moves or of the switches, whichever are fewer."""
    change = np.zeros(network.vertices, dtype=np.uint64)
    degree = np.diff(network.indptr)
    if degree[moving].sum() < degree[pending].sum():
        arcs = row_arcs(network, moving)
        gain = np.repeat(hashes[image[moving]] - hashes[moving], degree[moving])
        np.add.at(change, network.head[arcs], gain * salts[network.label[arcs]])
        return change
    arcs = row_arcs(network, pending)
    heads = network.head[arcs]
    gain = np.where(known[heads], hashes[image[heads]] - hashes[heads], np.uint64(0))
    change[pending] = _sums(gain * salts[network.label[arcs]], degree[pending])
    return change


def verify(network: Network, kinds: Ids, image: Ids) -> Generator | None:
    """The generator of a permutation of vertices if each arc goes to an arc of the same kind and count, else None."""
    moved = np.flatnonzero(image != np.arange(len(image))).astype(np.int32)
    if not len(moved) or (kinds[moved] != kinds[image[moved]]).any():
        return None
    if (np.sort(image[moved]) != moved).any() or not _keeps_ends(network, moved, image):
        return None
    sample = moved[:: max(1, len(moved) // SAMPLE)]
    small = sample[network.indptr[sample + 1] - network.indptr[sample] <= 1024]
    if row_images(network, image, small) is None:
        return None
    images = row_images(network, image, moved)
    if images is None:
        return None
    start = np.cumsum(network.indptr[moved + 1] - network.indptr[moved])
    start -= network.indptr[moved + 1] - network.indptr[moved]
    return Generator(frozen_array(moved), frozen_array(image[moved]), frozen_array(start), frozen_array(images))


def _keeps_ends(network: Network, moved: Ids, image: Ids) -> bool:
    """Whether vertices of one end point go to the vertices of one, and to as many."""
    if network.simple:
        return True
    ends = np.unique(network.end[moved])
    ends = ends[ends >= 0]
    size = network.end_start[ends + 1] - network.end_start[ends]
    mine = network.end_order[ranges(network.end_start[ends], network.end_start[ends + 1])]
    first = network.end[image[network.end_order[network.end_start[ends]]]]
    same = network.end[image[mine]] == np.repeat(first, size)
    return bool(same.all() and (np.diff(network.end_start)[first] == size).all())


def row_images(network: Network, image: Ids, rows: Ids) -> Ids | None:
    """For each arc (v, h) out of the vertices `rows`, the arc (image v, image h) of the same kind and count; None if
    any of them has none. [sum of degrees], O(arcs log arcs), exact; piece by piece."""
    degree = network.indptr[rows + 1] - network.indptr[rows]
    there = image[rows]
    if (network.indptr[there + 1] - network.indptr[there] != degree).any():
        return None
    images = np.empty(int(degree.sum()), dtype=np.int32)
    ends = np.cumsum(degree)
    begin = 0
    while begin < len(rows):
        end = max(begin + 1, int(np.searchsorted(ends, ends[begin] + PIECE)))
        part = _piece_images(network, image, rows[begin:end], there[begin:end], degree[begin:end])
        if part is None:
            return None
        images[ends[begin] - degree[begin] : ends[end - 1]] = part
        begin = end
    return images


def _piece_images(network: Network, image: Ids, rows: Ids, there: Ids, degree: Ints) -> NDArray[np.integer] | None:
    arcs, target = row_arcs(network, rows), row_arcs(network, there)
    heads = image[network.head[arcs]]
    kinds = int(network.kind.max(initial=0)) + 1
    if len(rows) * network.vertices * kinds >= 2**63:
        raise OverflowError("too many vertices and kinds of arc for 64-bit keys")
    key = np.repeat(np.arange(len(rows)) * network.vertices, degree) + heads
    key *= kinds
    key += network.kind[arcs]
    if (key[1:] > key[:-1]).all():
        same = (heads == network.head[target]).all() and (network.label[arcs] == network.label[target]).all()
        return target if same else None
    order = np.argsort(key)
    source = arcs[order]
    if (heads[order] != network.head[target]).any() or (network.label[source] != network.label[target]).any():
        return None
    images = np.empty_like(target)
    images[order] = target
    return images


# ---- orbits -------------------------------------------------------------------------------------------------------


def orbits(network: Network, generators: Sequence[Generator], tried: int, arrays: tuple[Array, ...] = ()) -> Symmetry:
    """Orbits of vertices and of arcs under the group that the generators make."""
    vertex = np.arange(network.vertices, dtype=np.int32)
    for generator in generators:
        vertex = joined(vertex, vertex[generator.moved], vertex[generator.image])
    vertex = dense(vertex)
    arc = _arc_orbits(network, generators, vertex)
    return Symmetry(network, tuple(generators), frozen_array(vertex), frozen_array(arc), tried, arrays)


def joined(label: Ids, one: NDArray[np.integer], two: NDArray[np.integer]) -> Ids:
    """`label` with the labels `one[i]` and `two[i]` made the same (and all renumbered densely)."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    differ = one != two
    if not differ.any():
        return label
    n = int(label.max()) + 1
    edges = coo_matrix((np.ones(int(differ.sum()), np.int8), (one[differ], two[differ])), shape=(n, n))
    _, part = connected_components(edges, directed=False)
    return np.asarray(part[label], dtype=np.int32)


def _arc_orbits(network: Network, generators: Sequence[Generator], vertex_orbit: Ids) -> Ids:
    """Orbits of arcs: carry the arcs of one vertex of each orbit to all others, then join what generators join."""
    _, first = np.unique(vertex_orbit, return_index=True)
    label = np.full(network.arcs, -1, dtype=np.int32)
    base = row_arcs(network, first)
    label[base] = np.arange(len(base))
    done = np.zeros(network.vertices, dtype=bool)
    done[first] = True
    full = np.arange(network.vertices, dtype=np.int32)
    while not done.all():
        for generator in generators:
            full[generator.moved] = generator.image
            here = generator.moved[done[generator.moved] & ~done[generator.image]]
            while len(here):
                label[_images_of(network, generator, here)] = label[row_arcs(network, here)]
                there = full[here]
                done[there] = True
                here = there[~done[full[there]]]
            full[generator.moved] = generator.moved
    part = np.arange(len(base), dtype=np.int32)
    for generator in generators:
        arcs, images = row_arcs(network, generator.moved), generator.arc_image
        for begin in range(0, len(arcs), PIECE):
            some, after = arcs[begin : begin + PIECE], images[begin : begin + PIECE]
            part = joined(part, part[label[some]], part[label[after]])
            part = joined(part, part[label[network.opposite[some]]], part[label[network.opposite[after]]])
    return np.asarray(dense(part)[label])


def _images_of(network: Network, generator: Generator, vertices: Ids) -> Ids:
    """Images of all arcs out of the vertices, which are among those that move."""
    start = generator.start[np.searchsorted(generator.moved, vertices)]
    degree = network.indptr[vertices + 1] - network.indptr[vertices]
    return generator.arc_image[ranges(start, start + degree)]


# ---- colours ------------------------------------------------------------------------------------------------------


def vertex_kinds(network: Network, colour: ArrayLike | None = None) -> Ids:
    """Dense colour of vertices that differ in anything but their arcs: group, forwarding, latency, end point or not,
    injection, and `colour`. [V]"""
    real = network.end >= 0
    injection = np.zeros(network.vertices)
    injection[real] = network.injection_Bps[network.end[real]]
    kinds = dense(network.group)
    for column in (network.forwards, real, network.latency_s, injection, colour):
        if column is not None:
            values = dense(np.asarray(column))
            kinds = dense(kinds.astype(np.int64) * (int(values.max(initial=0)) + 1) + values)
    return kinds


def tiers(network: Network) -> Ids:
    """Hops to the nearest end point, passing through anything, [V]; -1 where there is none."""
    tier = np.where(network.end >= 0, 0, -1).astype(np.int32)
    frontier = np.flatnonzero(tier == 0)
    level = 0
    while len(frontier) and (tier < 0).any():
        level += 1
        near = np.zeros(network.vertices, dtype=bool)
        near[network.head[row_arcs(network, frontier)]] = True
        frontier = np.flatnonzero(near & (tier < 0))
        tier[frontier] = level
    return tier


def refine(network: Network, colour: ArrayLike, label: NDArray[np.integer]) -> Ids:
    """Coarsest equitable partition of the vertices finer than `colour` ([V]), arcs told apart by `label` ([A]).

    Colour of v next round: its colour and the sum over arcs out of w(label) · h(colour of head), in 64-bit arithmetic
    with random odd w and random h. Arcs in say nothing new: each arc has its opposite, and labels that part opposite
    arcs part them from both ends. A collision (odds about colours squared in 2^64) would leave it too coarse.
    """
    from scipy.sparse import csr_matrix

    n = network.vertices
    salt = _mix(np.arange(int(label.max(initial=0)) + 1) + 0x5EED) | np.uint64(1)
    matrix = csr_matrix((salt[label], network.head, network.indptr.astype(np.int32)), shape=(n, n))
    now = dense(np.asarray(colour))
    count = int(now.max(initial=-1)) + 1
    while True:
        key = _mix(now) + np.asarray(matrix @ _mix(now.astype(np.uint64) + np.uint64(1 << 40)))
        now = dense(key)
        more = int(now.max(initial=-1)) + 1
        if more == count:
            return now
        count = more


def dense(values: NDArray[np.generic]) -> Ids:
    """Numbers 0, 1, … for the distinct values, in order of value."""
    if values.dtype == np.bool_:
        return dense(values.astype(np.int8))
    if values.dtype.kind in "iu" and len(values):
        low, high = int(values.min()), int(values.max())
        if high - low <= 4 * len(values):
            place = np.asarray(values.astype(np.uint64).astype(np.int64))
            place -= low if low < 2**63 else low - 2**64
            present = np.zeros(high - low + 1, dtype=np.int32)
            present[place] = 1
            return np.asarray((np.cumsum(present, dtype=np.int32) - 1)[place], dtype=np.int32)
    return np.searchsorted(np.unique(values), values).astype(np.int32)


def _sums(values: Hashes, sizes: Ints) -> Hashes:
    """Sums of the first `sizes[0]` values, of the `sizes[1]` next, …, modulo 2^64."""
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])
    return np.asarray(total[bounds[1:]] - total[bounds[:-1]])


def _mix(values: NDArray[np.generic]) -> Hashes:
    """64-bit hash of integers, element by element (splitmix64)."""
    x = np.asarray(values).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
