"""`connect A [to B] as PATTERN(args)`: members and bundles are read off the references, the pattern gives the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from attrs import frozen

from unifiedbus_dsl.diagnostics import Label, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Axis, Const, IndexExpr, Opening, Rule, Var, algebra
from unifiedbus_dsl.ir.plan.index import count_points
from unifiedbus_dsl.semantic import patterns
from unifiedbus_dsl.semantic.connect.axes import find_axes, names_known
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Dimension, Reference
from unifiedbus_dsl.semantic.connect.rules import Cable, ChooseLink, ends_match, in_range
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
    axes: tuple[Axis | None, ...]
    """For each dimension the axis of its free elements (low, step), None where an index fixes it."""
    fixed: tuple[IndexExpr | None, ...]
    bundle: int | None
    """The dimension that is the port bundle; None where a member has a single port."""

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(a.size for d, a in enumerate(self.axes) if a is not None and d != self.bundle)

    @property
    def ports(self) -> int:
        axis = self.axes[self.bundle] if self.bundle is not None else None
        return axis.size if axis is not None else 1

    def subscripts(self, member: IndexExpr, port: IndexExpr, axes: Sequence[Axis]) -> tuple[IndexExpr, ...]:
        """The subscript of each dimension for a member (row-major number) and a port of its bundle."""
        inner = iter(algebra.unflatten(member, self.members, axes))
        result: list[IndexExpr] = []
        for d, axis in enumerate(self.axes):
            fixed = self.fixed[d]
            if axis is None:
                assert fixed is not None
                result.append(fixed)
                continue
            position = port if d == self.bundle else next(inner)
            result.append(algebra.add(algebra.mul(Const(axis.step), position), Const(axis.low)))
        return tuple(result)


def pattern_rules(node: tree.ConnectPattern, wall: AssemblyScope, choose: ChooseLink) -> Patterned | None:
    """The rules of a pattern; None after a diagnostic."""
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
    sides = [_side(ref, outer, wall) for ref in refs]
    if None in sides:
        return None
    known = [side for side in sides if side is not None]
    lowered = _lower(node, pattern, known, arguments, wall)
    if lowered is None or cable is None or not ends_match(refs[0], refs[-1], cable, wall):
        return None
    rules = tuple(_rule(node, edges, known, tuple(outer.values()), cable) for edges in lowered.edges)
    if not _all_in_range(rules, refs, wall):
        return None
    openings = _openings(known[0], lowered.ports[0], tuple(outer.values())) if lowered.leaves_open else ()
    return Patterned(rules, openings)


def _pattern(node: tree.ConnectPattern, wall: AssemblyScope) -> Pattern | None:
    found = patterns.PATTERNS.get(node.pattern.text)
    sides = 1 if node.right is None else 2
    if found is not None and found.sides == sides:
        return found
    legal = [name for name, pattern in patterns.PATTERNS.items() if pattern.sides == sides]
    guess = did_you_mean(node.pattern.text, legal)
    if found is not None:
        message = f"`{found.name}` joins " + ("two arrays" if found.sides == 2 else "the members of one array")
        help = f"write `connect A to B as {found.name}`" if found.sides == 2 else f"write `connect A as {found.name}`"
    else:
        message = f"there is no pattern `{node.pattern.text}`"
        help = f"did you mean `{guess}`?" if guess else "patterns here: " + ", ".join(legal)
    label = "unknown pattern" if found is None else ""
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
    found: dict[str, patterns.Argument] = {}
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
        found[name] = tuple(numbers) if isinstance(value, tuple) else numbers[0]
    for name, parameter in params.items():
        if parameter.required and name not in found:
            wall.sink.error(
                "UB0601", f"pattern `{pattern.name}` needs `{name}`: {parameter.doc}", node.pattern.span, "missing",
                help=(f"write `{pattern.name}({name} = …)`",),
            )  # fmt: skip
            return None
    return found


def _side(ref: Reference, outer: dict[str, Axis], wall: AssemblyScope) -> _Side | None:
    compiler = IndexCompiler(wall.evaluator, frozenset(outer))
    axes: list[Axis | None] = []
    fixed: list[IndexExpr | None] = []
    for dimension in ref.dimensions:
        if dimension.is_free:
            axis = wall.free_axis(dimension, "_")
            if axis is None:
                return None
            axes.append(axis)
            fixed.append(None)
            continue
        expr = _fixed(dimension, compiler)
        if expr is None:
            return None
        axes.append(None)
        fixed.append(expr)
    if not reads_in_range(compiler, tuple(outer.values()), None):
        return None
    free = [d for d, axis in enumerate(axes) if axis is not None]
    bundle = free[-1] if free and free[-1] >= ref.rank else None
    return _Side(ref, tuple(axes), tuple(fixed), bundle)


def _fixed(dimension: Dimension, compiler: IndexCompiler) -> IndexExpr | None:
    assert not isinstance(dimension.subscript, tree.Star | tree.Range | None)
    return compiler.subscript(dimension.subscript)


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


def _rule(node: tree.ConnectPattern, edges: Edges, sides: list[_Side], outer: tuple[Axis, ...], cable: Cable) -> Rule:
    edges = patterns.rename(edges, {axis.name for axis in outer})
    axes = (*outer, *edges.axes)
    left, right = sides[0], sides[-1]
    return Rule(
        left.ref.ref(left.subscripts(edges.left, edges.left_port, axes)),
        right.ref.ref(right.subscripts(edges.right, edges.right_port, axes)),
        axes,
        edges.where,
        cable.link.name,
        left.ref.view.lanes,
        cable.length,
        node.pattern.text,
        span=node.span,
        left_span=left.ref.span,
        right_span=right.ref.span,
        link_span=cable.span,
    )


def _all_in_range(rules: tuple[Rule, ...], refs: list[Reference], wall: AssemblyScope) -> bool:
    """Indices that the writer put beside the pattern must stay inside, as in any connect."""
    for rule in rules:
        for ref, side in ((refs[0], rule.left), (refs[-1], rule.right)):
            if not in_range(ref, (*side.at, *side.port_at), rule.axes, rule.where, wall, refs):
                return False
    return True


def _openings(side: _Side, needed: int, outer: tuple[Axis, ...]) -> tuple[Opening, ...]:
    """All ports that the pattern asks for: those that it leaves free stay so."""
    count = 1
    for size in side.members:
        count *= size
    axes = (*outer, Axis("_m", 0, count - 1), Axis("_p", 0, needed - 1))
    return (Opening(axes, side.ref.ref(side.subscripts(Var("_m"), Var("_p"), axes)), side.ref.span),)
