"""One port, at most one cable; no port left over.

A rule uses ports of a child through subscripts over its axes. That no two points meet the same port is first tried by
proof (mixed-radix subscripts, ranges apart); only what can't be proved is listed, per type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from unifiedbus_dsl.base import work
from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Edit, Fix, Label, Sink
from unifiedbus_dsl.ir.plan import (
    AssemblyType,
    Axis,
    Child,
    DeviceType,
    IndexExpr,
    Labels,
    Listed,
    Plan,
    PortRef,
    Rule,
    Var,
    algebra,
)
from unifiedbus_dsl.ir.plan.index import Points, count_points, evaluate, flat_index, lookups, points
from unifiedbus_dsl.ir.plan.labels import groups_of
from unifiedbus_dsl.semantic.checks.coincidence import subscript_text, tuple_text, values_at, where_equal


@frozen(eq=False)
class Use:
    """One side of a rule, an export or an opening: ports of one array of a child, over axes."""

    ref: PortRef
    axes: tuple[Axis, ...]
    where: IndexExpr | None
    span: Span | None
    rule: Rule | None = None

    @property
    def subscripts(self) -> tuple[IndexExpr, ...]:
        return (*self.ref.at, *self.ref.port_at)

    def points(self) -> Points:
        return points(self.axes, self.where)

    def flat(self, shape: Sequence[int]) -> NDArray[np.int64]:
        """Row-major port numbers in the array of this shape, one for each point."""
        at = self.points()
        work.spend(at.size, work.LISTED)
        return np.broadcast_to(flat_index(self.subscripts, shape, at.grids), at.shape).ravel()


@frozen(eq=False)
class _Array:
    """The ports `child.port` of an assembly, all elements of the child together, and what uses them."""

    assembly: AssemblyType
    child: Child
    port: str
    port_name: str
    """What the text calls it."""
    labels: tuple[Labels, ...]
    """Those of the port's dimensions."""
    shape: tuple[int, ...]
    open: bool
    span: Span | None
    uses: tuple[Use, ...]
    openings: tuple[Use, ...]

    @property
    def named(self) -> str:
        """`plane.down`."""
        return f"{self.child.text_name}.{self.port_name}"

    def name(self, flat: int) -> str:
        """`plane[0].down[7]`."""
        inside = prod(labels.count for labels in self.labels)
        own, port = divmod(flat, inside)
        outer = subscript_text(groups_of(self.child), own)
        return f"{self.child.text_name}{outer}.{self.port_name}{subscript_text(self.labels, port)}"


def ports(plan: Plan, sink: Sink) -> None:
    """UB0501 for ports with two cables, UB0506 for ports left over, UB0508 for cables that end where they begin."""
    for assembly in plan.assemblies.values():
        looped = {rule.left.child for rule in assembly.rules if not _ends_apart(rule, assembly, sink)}
        whole = [array for array in _arrays(plan, assembly) if array.child.name not in looped]
        whole = [array for array in whole if not _spoilt(assembly, array)]
        met = {array.child.name for array in whole if not _no_collision(array, sink)}
        doubtful = met | {child for child, _ in assembly.spoilt}
        texts: dict[tuple[str, str], list[_Array]] = {}
        for array in whole:
            # a cable that went wrong may have been meant for another port of the same part
            if array.child.name not in doubtful:
                texts.setdefault((array.child.text_name, array.port_name), []).append(array)
        for several in texts.values():
            _nothing_left(several, sink)


def _spoilt(assembly: AssemblyType, array: _Array) -> bool:
    names = {(array.child.name, array.port), (array.child.name, "*"), ("*", "*")}
    return bool(names & assembly.spoilt)


def _arrays(plan: Plan, assembly: AssemblyType) -> list[_Array]:
    uses: dict[tuple[str, str], list[Use]] = {}
    for rule in assembly.rules:
        for ref, span in ((rule.left, rule.left_span), (rule.right, rule.right_span)):
            uses.setdefault((ref.child, ref.port), []).append(Use(ref, rule.axes, rule.where, span or rule.span, rule))
    for export in assembly.exports:
        use = Use(export.ref, export.axes, None, export.span)
        uses.setdefault((export.ref.child, export.ref.port), []).append(use)
    opened: dict[tuple[str, str], list[Use]] = {}
    for opening in assembly.openings:
        use = Use(opening.ref, opening.axes, opening.where, opening.span)
        opened.setdefault((opening.ref.child, opening.ref.port), []).append(use)
    return [
        _Array(
            assembly,
            child,
            name,
            port_name,
            labels,
            (*child.shape, *(each.count for each in labels)),
            is_open,
            span,
            tuple(uses.get((child.name, name), ())),
            tuple(opened.get((child.name, name), ())),
        )
        for child in assembly.children
        for name, port_name, labels, is_open, span in _ports_of(plan, child.type)
    ]


def _ports_of(plan: Plan, key: str) -> list[tuple[str, str, tuple[Labels, ...], bool, Span | None]]:
    kind = plan.type(key)
    if isinstance(kind, DeviceType):
        return [(port.name, port.name, groups_of(port), port.open, port.span) for port in kind.ports]
    return [(e.name, e.text_name, groups_of(e), _is_open(plan, kind, e.ref), e.span) for e in kind.exports]


def _is_open(plan: Plan, kind: AssemblyType, ref: PortRef) -> bool:
    inner = plan.type(kind.by_name[ref.child].type)
    if isinstance(inner, DeviceType):
        return inner.by_name[ref.port].open
    return _is_open(plan, inner, inner.exports_by_name[ref.port].ref)


def _connected(array: _Array) -> list[Label]:
    """Return the statements that connect some of these ports, at most two."""
    spans = dict.fromkeys(use.span for use in array.uses if use.span is not None)
    counts = dict.fromkeys(list(spans)[:2], 0)
    for use in array.uses:
        if use.span in counts:
            counts[use.span] += count_points(use.axes, use.where)
    return [Label(span, f"takes {count:,}") for span, count in counts.items()]


# ---- two cables -------------------------------------------------------------------------------------------------


def _no_collision(array: _Array, sink: Sink) -> bool:
    good = True
    for use in array.uses:
        work.about(use.span)
        if not algebra.is_injective(use.subscripts, use.axes):
            good = _alone(array, use, sink) and good
    if not good:
        return False
    if len(array.uses) > PAIRED:
        return _all_apart(array, sink)
    for one, other in combinations(array.uses, 2):
        work.about(other.span)
        apart = algebra.are_disjoint(one.subscripts, one.axes, one.where, other.subscripts, other.axes, other.where)
        if not apart:
            good = _apart(array, one, other, sink) and good
    return good


LISTED_USE = 2_000
"""Steps of a use whose ports are listed."""
PAIRED = 32
"""More uses of one port array than these are listed, all at once: pairs of them grow by the square."""


def _all_apart(array: _Array, sink: Sink) -> bool:
    """Return whether no two of many uses meet one port, by listing all; each use is held against those that stand above
    it."""
    uses = sorted(array.uses, key=lambda use: (use.rule is None, _place(use)))
    work.spend(len(uses), LISTED_USE)
    flats = [use.flat(array.shape) for use in uses]
    ports = np.concatenate(flats)
    work.spend(len(ports), work.SORTED)
    owners = np.repeat(np.arange(len(uses)), [len(flat) for flat in flats])
    order = np.argsort(ports, kind="stable")
    again = np.flatnonzero(ports[order][1:] == ports[order][:-1]) + 1
    for owner, at, count in zip(*np.unique(owners[order][again], return_index=True, return_counts=True), strict=True):
        place = int(again[at])
        first = uses[int(owners[order][place - 1])]
        _say_shared(array, first, uses[int(owner)], int(ports[order][place]), int(count), sink)
    return not len(again)


def _alone(array: _Array, use: Use, sink: Sink) -> bool:
    """Return whether the points of one use meet different ports, by listing them."""
    flat = use.flat(array.shape)
    work.spend(len(flat), work.SORTED)
    order = np.argsort(flat, kind="stable")
    same = np.flatnonzero(flat[order][1:] == flat[order][:-1])
    if not len(same):
        return True
    first, second = int(order[same[0]]), int(order[same[0] + 1])
    at = use.points()
    a, b = values_at(at, first), values_at(at, second)
    repeated = list(_repeated(use, a, b))
    if repeated:
        _say_repeated(array, use, repeated, (a, b), len(same), sink)
        return False
    span = use.span
    help, fix = _stride_help(use)
    sink.error(
        "UB0501",
        f"one port, two cables: {array.name(_again(use, array, a))}",
        span,
        f"equal for {tuple_text(a)} and {tuple_text(b)}",
        notes=(f"{len(same):,} collision{'s' * (len(same) != 1)}",),
        help=help,
        fix=fix,
    )
    return False


@frozen
class _Repeated:
    """A number that a table has at two places."""

    listed: Listed
    number: int
    places: tuple[int, int]

    def element(self, side: int) -> str:
        """`inv[2]`."""
        at = np.unravel_index(self.places[side], self.listed.shape)
        return f"`{self.listed.name}[{', '.join(map(str, at))}]`"

    @property
    def labels(self) -> tuple[Label, ...]:
        """Where the two elements stand, if it is known."""
        spans = self.listed.spans
        return tuple(Label(spans[at], f"{self.number} here") for at in self.places) if spans else ()


def _repeated(use: Use, a: Mapping[str, int], b: Mapping[str, int]) -> Iterator[_Repeated]:
    """Yield the tables in a rule that have one number at the different places where they are read for two points."""
    grids = [{name: np.asarray(value) for name, value in values.items()} for values in (a, b)]
    for expr in use.subscripts:
        for read in lookups(expr):
            one, other = (int(evaluate(read.at, grid)) for grid in grids)
            if read.listed is not None and one != other and read.table[one] == read.table[other]:
                yield _Repeated(read.listed, read.table[one], (one, other))


def _say_repeated(
    array: _Array,
    use: Use,
    repeated: Sequence[_Repeated],
    values: tuple[Mapping[str, int], Mapping[str, int]],
    count: int,
    sink: Sink,
) -> None:
    first = repeated[0]
    sink.error(
        "UB0419",
        f"a table leads two cables to {array.name(_again(use, array, values[0]))}: {first.element(0)} and "
        f"{first.element(1)} are both {first.number}",
        use.span,
        f"equal for {tuple_text(values[0])} and {tuple_text(values[1])}",
        labels=tuple(label for each in repeated for label in each.labels),
        notes=(f"{count:,} collision{'s' * (count != 1)}",),
        help=("no number may stand twice in the part of a table that numbers the ports of one device",),
    )


def _again(use: Use, array: _Array, values: Mapping[str, int]) -> int:
    """Return the port at these index values, worked out again from the rule itself."""
    grids = {name: np.asarray(value) for name, value in values.items()}
    return int(flat_index(use.subscripts, array.shape, grids))


def _stride_help(use: Use) -> tuple[tuple[str, ...], Fix | None]:
    """`n` has 8 values, so the stride is 8: `8*b + n`."""
    sizes = {axis.name: axis.size for axis in use.axes}
    for expr in use.subscripts:
        form = algebra.affine(expr)
        names = [(c, a.name) for a, c in form.terms.items() if isinstance(a, Var)]
        if len(names) != 2 or len(form.terms) != 2 or min(c for c, _ in names) != 1:
            continue
        (_, inner), (stride, outer) = sorted(names)
        need = sizes.get(inner, 0)
        if 0 < stride < need and not inner.startswith("_"):
            help = f"`{inner}` has {need} values, so the stride is {need}: `{need}*{outer} + {inner}`"
            return (help,), _stride_fix(use, stride, need)
    return ("let each index that counts cables take part in the subscripts of both sides",), None


def _stride_fix(use: Use, stride: int, need: int) -> Fix | None:
    """Write the stride that is needed, where the one that is written stands there once."""
    if use.span is None or len(stride_fix := list(re.finditer(rf"\b{stride}\b", use.span.text))) != 1:
        return None
    at = use.span.start + stride_fix[0].start()
    return Fix(f"make the stride {need}", (Edit(Span(use.span.source, at, at + len(str(stride))), str(need)),))


def _apart(array: _Array, one: Use, other: Use, sink: Sink) -> bool:
    """Return whether two uses meet different ports, by listing both."""
    a, b = one.flat(array.shape), other.flat(array.shape)
    work.spend(len(a) + len(b), work.SORTED)
    common = np.intersect1d(a, b)
    if not len(common):
        return True
    first, second = (one, other) if _place(one) <= _place(other) else (other, one)
    if first.rule is None and second.rule is not None:
        first, second = second, first
    _say_shared(array, first, second, int(common[0]), len(common), sink)
    return False


def _say_shared(array: _Array, first: Use, second: Use, port: int, count: int, sink: Sink) -> None:
    """Say that two uses meet so many ports, of which this is the first."""
    name = array.name(port)
    message = _said_of(name, first, second)
    values = [values_at(use.points(), int(np.flatnonzero(use.flat(array.shape) == port)[0])) for use in (first, second)]
    where = [f" for {tuple_text(v)}" if any(not n.startswith("_") for n in v) else "" for v in values]
    sink.error(
        "UB0501" if second.rule is not None else "UB0517",
        message,
        second.span,
        f"{_verb(second)}{' again' if _verb(first) == _verb(second) else ''}{where[1]}",
        labels=(Label(first.span, f"{_verb(first)} here{where[0]}"),) if first.span else (),
        notes=(f"{count:,} such port{'s' * (count != 1)}",),
        help=("give each its own ports: a slice such as `p[0..3]` here and `p[4..7]` there",),
    )


def _verb(use: Use) -> str:
    return "exported" if use.rule is None else "connected"


def _said_of(name: str, first: Use, second: Use) -> str:
    if second.rule is not None:
        return f"one port, two cables: {name}"
    if first.rule is not None:
        return f"port {name} carries a cable and is exported"
    return f"port {name} is exported twice"


def _place(use: Use) -> tuple[str, int]:
    return (use.span.source.name, use.span.start) if use.span else ("", 0)


def _ends_apart(rule: Rule, assembly: AssemblyType, sink: Sink) -> bool:
    """Return whether each cable of a rule ends at another port than it begins; else say so."""
    if rule.left.child != rule.right.child or rule.left.port != rule.right.port:
        return True
    pairs = zip((*rule.left.at, *rule.left.port_at), (*rule.right.at, *rule.right.port_at), strict=True)
    at, hits = where_equal(rule, tuple(pairs))
    if len(hits):
        sink.error(
            "UB0508",
            f"a cable begins and ends at the same port of `{assembly.by_name[rule.left.child].text_name}`",
            rule.span,
            f"for {tuple_text(values_at(at, int(hits[0])))}",
            notes=(f"{len(hits):,} such cable{'s' * (len(hits) != 1)} in {assembly.kind} `{assembly.key}`",),
            help=("leave these out: `where i < j`",),
        )
    return not len(hits)


MAX_LISTED = 1 << 28


def _many_left(array: _Array, count: int, sink: Sink) -> None:
    """Ports left over in an array too large to list: how many, without a name."""
    if count > 0:
        sink.error(
            "UB0506",
            f"ports left over: {count:,} of `{array.named}` have no cable",
            array.child.span,
            f"`{array.port_name}` is not all connected",
            labels=(Label(array.span, "the port"),) if array.span else (),
            help=(f"say that they may stay free: `open {array.named}`",),
        )


# ---- ports left over --------------------------------------------------------------------------------------------


def _nothing_left(several: Sequence[_Array], sink: Sink) -> None:
    """Say of the ports of an array, as the text has it, that some are left over."""
    total = sum(prod(array.shape) for array in several)
    left = [found for array in several if (found := _left(array, sink)) is not None]
    if not left:
        return
    array, count = several[0], sum(found.count for found in left)
    used = any(found.used for found in left) or len(left) < len(several)
    first = left[0].first
    more = f" and {count - 1:,} more" if count > 1 else ""
    sink.error(
        "UB0506",
        f"ports left over: {first}{more} of {total:,} have no cable"
        if more
        else f"port left over: {first} has no cable",
        array.child.span,
        f"`{array.port_name}` is not all connected" if used else f"`{array.port_name}` is not connected",
        labels=(*([Label(array.span, "the port")] if array.span else []), *_connected(array)),
        help=(
            f"connect it, export it (`port {array.port_name} = {array.named}`), "
            f"or say that it may stay free: `open {array.named}`",
        ),
    )


@frozen(eq=False)
class _Left:
    """Ports without a cable: how many, the first by name, and whether others have one."""

    count: int
    first: str
    used: bool


def _left(array: _Array, sink: Sink) -> _Left | None:
    total = prod(array.shape)
    used = sum(count_points(use.axes, use.where) for use in array.uses)
    if array.open or array.child.spare or used >= total:
        return None
    if total > MAX_LISTED:
        _many_left(array, total - used - sum(count_points(each.axes, each.where) for each in array.openings), sink)
        return None
    work.about(array.child.span)
    work.spend(total)
    free = np.ones(total, dtype=bool)
    for use in (*array.uses, *array.openings):
        free[use.flat(array.shape)] = False
    left = np.flatnonzero(free)
    return _Left(len(left), array.name(int(left[0])), used > 0) if len(left) else None
