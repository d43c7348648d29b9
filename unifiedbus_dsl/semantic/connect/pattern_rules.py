"""`connect A [to B] as PATTERN(args)`: members and bundles are read off the references, the pattern gives the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from attrs import frozen

from unifiedbus_dsl.base.work import STATEMENT, spend
from unifiedbus_dsl.diagnostics import Label, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Axis, IndexExpr, Opening, PortRef, Rule, Var, algebra
from unifiedbus_dsl.ir.plan.index import count_points
from unifiedbus_dsl.semantic import patterns
from unifiedbus_dsl.semantic.connect.axes import find_axes, names_known
from unifiedbus_dsl.semantic.connect.ends import Cable, ChooseLink
from unifiedbus_dsl.semantic.connect.holes import binder_condition, misses_holes, running_condition, said_ranges
from unifiedbus_dsl.semantic.connect.leaves import Side, cut_opening, cut_rule
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Reference
from unifiedbus_dsl.semantic.connect.rules import in_range
from unifiedbus_dsl.semantic.connect.slots import Slot, read_slots
from unifiedbus_dsl.semantic.connect.subscripts import IndexCompiler, reads_in_range
from unifiedbus_dsl.semantic.patterns import Edges, Pattern, PatternError, TooFewPortsError
from unifiedbus_dsl.semantic.values.values import Poison, is_whole, value_text
from unifiedbus_dsl.syntax import tree


@frozen
class Patterned:
    """The rules of a pattern, and the ports that it leaves free by nature."""

    rules: tuple[Rule, ...]
    openings: tuple[Opening, ...] = ()


@frozen(eq=False)
class _Side:
    """A reference read as members with bundles: which dimensions are fixed by indices, which are members."""

    ref: Reference
    slots: tuple[Slot, ...]
    condition: IndexExpr | None
    """Which values of the indices are at elements that are there; None where all are."""
    bundle: int | None
    """The slot that is the port bundle; None where a member has a single port."""

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(s.size for d, s in enumerate(self.slots) if s.fixed is None and d != self.bundle)

    @property
    def ports(self) -> int:
        return self.slots[self.bundle].size if self.bundle is not None else 1

    def side(self, there: PortRef, axes: Sequence[Axis], pattern: str | None) -> Side:
        """Return the subscripts of a port at places among what is there, as the text has them.

        A `pattern` needs each port that it names; without one, ports that are not there are passed over.
        """
        at = self.ref.labels_of((*there.at, *there.port_at), axes)
        return Side(self.ref, at, frozenset(), pattern, passes=pattern is None)

    def end(self, member: IndexExpr, port: IndexExpr, axes: Sequence[Axis]) -> PortRef:
        """Return a member (row-major number) with a port of its bundle."""
        inner = iter(algebra.unflatten(member, self.members, axes))
        places = [
            slot.fixed if slot.fixed is not None else slot.place(port if d == self.bundle else next(inner))
            for d, slot in enumerate(self.slots)
        ]
        return self.ref.at_places(places)


def pattern_rules(node: tree.ConnectPattern, wall: AssemblyScope, choose: ChooseLink) -> Patterned | None:
    """Return the rules of a pattern; None after a diagnostic."""
    left = wall.reference(node.left)
    right = wall.reference(node.right) if node.right is not None else None
    cable = choose(node.over, node, wall)
    pattern = _pattern(node, wall)
    if pattern is None or left is None or (node.right is not None and right is None):
        return None
    refs = [left] if right is None else [left, right]
    outer = find_axes(node.binders, refs, wall)
    arguments = _arguments(node, pattern, wall)
    if outer is None or arguments is None or not _clauses_fit(node, wall) or not names_known(node, refs, outer, wall):
        return None
    sides = [_side(ref, node, outer, wall) for ref in refs]
    if None in sides:
        return None
    known = [side for side in sides if side is not None]
    lowered = _lower(node, pattern, known, arguments, wall)
    if lowered is None or cable is None:
        return None
    made = [_rules(node, edges, known, tuple(outer.values()), cable, wall) for edges in lowered.edges]
    if None in made:
        return None
    rules = tuple(rule for several in made for rule in several or ())
    openings = _openings(known[0], lowered.ports[0], tuple(outer.values()), wall) if lowered.leaves_open else ()
    return Patterned(rules, openings)


def _pattern(node: tree.ConnectPattern, wall: AssemblyScope) -> Pattern | None:
    known = patterns.PATTERNS.get(node.pattern.text)
    sides = 1 if node.right is None else 2
    if known is not None and known.sides == sides:
        return known
    legal = [name for name, pattern in patterns.PATTERNS.items() if pattern.sides == sides]
    guess = did_you_mean(node.pattern.text, legal)
    if known is not None:
        message = f"`{known.name}` joins " + ("two arrays" if known.sides == 2 else "the members of one array")
        help = f"write `connect A to B as {known.name}`" if known.sides == 2 else f"write `connect A as {known.name}`"
    else:
        message = f"there is no pattern `{node.pattern.text}`"
        help = f"did you mean `{guess}`?" if guess else "patterns here: " + ", ".join(legal)
    label = "unknown pattern" if known is None else ""
    wall.sink.error("UB0412", message, node.pattern.span, label, help=(help,), fix=rename(node.pattern.span, guess))
    return None


def _clauses_fit(node: tree.ConnectPattern, wall: AssemblyScope) -> bool:
    if node.where is not None:
        wall.sink.error("UB0418", "a pattern takes no `where`: it states its own cables", node.where.span, "not here")
        return False
    return True


def _arguments(node: tree.ConnectPattern, pattern: Pattern, wall: AssemblyScope) -> dict[str, patterns.Argument] | None:
    params = {p.name: p for p in pattern.parameters}
    order = [p.name for p in pattern.parameters]
    arguments: dict[str, patterns.Argument] = {}
    for at, arg in enumerate(node.args):
        name = arg.name.text if arg.name else order[at] if at < len(order) else None
        if name is None or name not in params:
            guess = did_you_mean(name, params) if name else None
            takes = ", ".join(f"`{p}`" for p in params)
            message = f"has no argument `{name}`" if arg.name else f"takes {takes} only"
            wall.sink.error(
                "UB0602" if arg.name else "UB0603",
                f"pattern `{pattern.name}` {message}",
                arg.span,
                f"takes {takes}",
                help=(f"did you mean `{guess}`?",) if guess else (),
                fix=rename(arg.name.span, guess) if arg.name else None,
            )  # fmt: skip
            return None
        value = wall.evaluator.eval(arg.value)
        if isinstance(value, Poison):
            return None
        items = value if isinstance(value, tuple) else (value,)
        numbers = [int(item.value) for item in items if is_whole(item)]
        if len(numbers) != len(items) or (isinstance(value, tuple) and not params[name].many):
            wanted = "a list of whole numbers" if params[name].many else "a whole number"
            wall.sink.error("UB0310", f"`{name}` wants {wanted}, found {value_text(value)}", arg.value.span, "here")
            return None
        arguments[name] = tuple(numbers) if isinstance(value, tuple) else numbers[0]
    for name, parameter in params.items():
        if parameter.required and name not in arguments:
            wall.sink.error(
                "UB0601", f"pattern `{pattern.name}` needs `{name}`: {parameter.doc}", node.pattern.span, "missing",
                help=(f"write `{pattern.name}({name} = …)`",),
            )  # fmt: skip
            return None
    return arguments


def _side(ref: Reference, node: tree.ConnectPattern, outer: Mapping[str, Axis], wall: AssemblyScope) -> _Side | None:
    compiler = IndexCompiler(wall.evaluator, frozenset(outer))
    read = read_slots(ref, compiler, wall)
    axes = tuple(outer.values())
    if read is None or not reads_in_range(compiler, axes, None):
        return None
    slots, written = read
    if not in_range([(ref, written)], axes, None, wall):
        return None
    condition = running_condition(ref, written, said_ranges(node.binders), fixed=True)
    said, understood = binder_condition(node.binders, wall)
    condition = algebra.both(condition, said)
    if not understood or not misses_holes(ref, written, axes, condition, wall, fixed=True):
        return None
    free = [d for d, slot in enumerate(slots) if slot.fixed is None]
    bundle = free[-1] if free and free[-1] >= len(ref.child.shape) else None
    return _Side(ref, tuple(slots), condition, bundle)


def _lower(
    node: tree.ConnectPattern,
    pattern: Pattern,
    sides: list[_Side],
    arguments: dict[str, patterns.Argument],
    wall: AssemblyScope,
) -> patterns.Lowered | None:
    try:
        lowered = patterns.lower(pattern, [s.members for s in sides], [s.ports for s in sides], arguments)
    except TooFewPortsError as few:
        side = sides[few.side]
        wall.sink.error(
            "UB0413",
            f"pattern `{pattern.name}` needs {few.needed} ports a member, and `{side.ref.span.text}` has {few.given}",
            side.ref.span,
            f"has {few.given} ports for it",
            labels=(Label(node.pattern.span, f"needs {few.needed}"), *_arrays(sides)),
            help=(f"give `{side.ref.child.type}` a port `{side.ref.port}[{few.needed}]`",),
        )
        return None
    except PatternError as wrong:
        labels = tuple(_arrays(sides))
        wall.sink.error("UB0416", str(wrong), node.pattern.span, "can't be built", labels=labels)
        return None
    if not any(count_points(edges.axes, edges.where) for edges in lowered.edges):
        wall.sink.error("UB0406", f"pattern `{pattern.name}` makes no cable here", node.pattern.span, "no cables")
        return None
    return lowered


def _arrays(sides: Sequence[_Side]) -> Iterator[Label]:
    """Where the members of a pattern and their ports are defined."""
    for span, dimensions in groupby(
        (dimension for side in sides for dimension in side.ref.dimensions), key=lambda dimension: dimension.origin
    ):
        if span is not None:
            yield Label(span, " by ".join(str(dimension.size) for dimension in dimensions) + " here")


def _rules(
    node: tree.ConnectPattern,
    edges: Edges,
    sides: list[_Side],
    outer: tuple[Axis, ...],
    cable: Cable,
    wall: AssemblyScope,
) -> tuple[Rule, ...] | None:
    spend(1 + sum(len(side.members) for side in (sides[0], sides[-1])), STATEMENT)
    edges = patterns.rename(edges, {axis.name for axis in outer})
    axes = (*outer, *edges.axes)
    left, right = sides[0], sides[-1]
    rule = Rule(
        left.end(edges.left, edges.left_port, axes),
        right.end(edges.right, edges.right_port, axes),
        axes,
        algebra.both(edges.where, left.condition if left is right else algebra.both(left.condition, right.condition)),
        cable.link.name,
        cable.lanes,
        cable.length,
        node.pattern.text,
        span=node.span,
        left_span=left.ref.span,
        right_span=right.ref.span,
        link_span=cable.span,
    )
    ends = (left.side(rule.left, axes, node.pattern.text), right.side(rule.right, axes, node.pattern.text))
    return cut_rule(rule, ends, cable, wall)


def _openings(side: _Side, needed: int, outer: tuple[Axis, ...], wall: AssemblyScope) -> tuple[Opening, ...]:
    """Return all ports that the pattern asks for: those that it leaves free stay so."""
    count = 1
    for size in side.members:
        count *= size
    axes = (*outer, Axis("_m", 0, count - 1), Axis("_p", 0, needed - 1))
    opening = Opening(axes, side.end(Var("_m"), Var("_p"), axes), side.ref.span, side.condition)
    return cut_opening(opening, side.side(opening.ref, axes, None), wall)
