"""Arrays of a plan as places to look for symmetries: their dimensions, as they are and split by index arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import prod

from attrs import frozen

from unifiedbus_dsl.base.arrays import Bools, Ints
from unifiedbus_dsl.ir.plan import AssemblyType, Const, IndexExpr, Op, Plan, Var


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


def locate_arrays(around: Array | Axis, device: Ints) -> tuple[list[Ints], Ints, Bools]:
    """Where devices stand: their index in each of the loops, how many devices after the first of that instance of the
    array, and whether the loops reach that far. [devices] each."""
    rest = device - around.base
    inside = rest >= 0
    columns = []
    for count, stride in around.loops:
        columns.append(rest // stride)
        inside &= columns[-1] < count
        rest = rest % stride
    return columns, rest, inside


def arrays_of(plan: Plan) -> list[Array]:
    """Return every array of the plan where it occurs, outermost first, with the steps of index arithmetic in its
    rules."""
    arrays: list[Array] = []

    def visit(key: str, base: int, loops: tuple[tuple[int, int], ...]) -> None:
        assembly = plan.assemblies[key]
        steps = _strides(assembly)
        for child in assembly.children:
            size = plan.device_count[child.type]
            by_dimension = tuple(tuple(sorted(steps.get((child.name, k), ()))) for k in range(len(child.shape)))
            arrays.append(Array(base, loops, child.shape, size, by_dimension))
            if child.type in plan.assemblies:
                visit(child.type, base, (*loops, (child.count, size)) if child.count > 1 else loops)
            base += child.count * size

    if plan.root in plan.assemblies:
        visit(plan.root, 0, ())
    return arrays


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


def range_cuts(axis: Axis) -> Iterator[tuple[Axis, Axis]]:
    """Ways to cut an axis into equal parts, longest parts first: the axis inside the parts and the one across them."""
    for length in range(axis.length // 2, 1, -1):
        if axis.length % length == 0:
            cut = axis.length // length, axis.block * length
            yield Axis(axis.base, (*axis.loops, cut), length, axis.block), Axis(axis.base, axis.loops, *cut)
