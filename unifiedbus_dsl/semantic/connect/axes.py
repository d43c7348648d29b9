"""The axes of a connect: what each index after `for` runs over, and whether each name in a subscript is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve

from unifiedbus_dsl.base.source import Span
from unifiedbus_dsl.diagnostics import Edit, Fix, Label, Sink
from unifiedbus_dsl.ir.plan import Axis
from unifiedbus_dsl.semantic.connect.references import AssemblyScope, Dimension, Reference, range_axis
from unifiedbus_dsl.semantic.values.tables import index_names, sizes_where_alone
from unifiedbus_dsl.syntax import tree


def find_axes(binders: Sequence[tree.Binder], refs: Sequence[Reference], wall: AssemblyScope) -> dict[str, Axis] | None:
    """Return the axis of each index name after `for`: its own range, or the dimension where it stands alone."""
    axes: dict[str, Axis] = {}
    good = True
    for binder in binders:
        name = binder.name.text
        if name in axes:
            wall.sink.error("UB0202", f"index `{name}` is listed twice", binder.name.span, "listed again")
            good = False
            continue
        if binder.range is not None and not _said(name, refs):
            _not_used(binder, wall)
            axis = None
        else:
            # indices that are swapped have two ranges each: one of them is said
            sink = Sink()
            there = evolve(wall, evaluator=evolve(wall.evaluator, sink=sink))
            axis = _bound_axis(binder, wall) if binder.range is not None else _inferred_axis(binder, refs, there)
            for each in sink:
                if good or each.code != "UB0403":
                    wall.sink.add(each)
        if axis is None:
            good = False
        else:
            axes[name] = axis
    return axes if good else None


def _bound_axis(binder: tree.Binder, wall: AssemblyScope) -> Axis | None:
    if isinstance(binder.range, tree.Range):
        return range_axis(wall.evaluator, binder.range, binder.name.text, None)
    assert binder.range is not None
    wall.sink.error(
        "UB0415",
        f"index `{binder.name.text}` needs a range",
        binder.range.span,
        "not a range",
        help=(f"write `{binder.name.text} in 0..7`",),
    )
    return None


def _inferred_axis(binder: tree.Binder, refs: Sequence[Reference], wall: AssemblyScope) -> Axis | None:
    name = binder.name.text
    alone = [dimension for ref in refs for dimension in ref.dimensions if dimension.name == name]
    if not alone:
        return _axis_of_tables(binder, refs, wall)
    sizes = {dimension.size for dimension in alone}
    if len(sizes) == 1:
        return Axis(name, 0, alone[0].size - 1)
    other = next(d for d in alone if d.size != alone[0].size)
    least = next(ref.range_text(d) for ref in refs for d in ref.dimensions if d.name == name and d.size == min(sizes))
    wall.sink.error(
        "UB0403",
        f"index `{name}` has two ranges: 0..{min(sizes) - 1} and 0..{max(sizes) - 1}",
        other.span,
        f"so `{name}` runs 0..{other.size - 1} here",
        labels=(Label(alone[0].span, f"so `{name}` runs 0..{alone[0].size - 1} here"), *_sizes((alone[0], other))),
        help=(f"say which: `for {name} in {least}`, or connect arrays of one size",),
    )
    return None


def _axis_of_tables(binder: tree.Binder, refs: Sequence[Reference], wall: AssemblyScope) -> Axis | None:
    """Return the axis of an index that stands alone in tables only: their size there."""
    name, axis_of_tables = binder.name.text, list[tuple[int, Span]]()
    for subscript in (d.subscript for ref in refs for d in ref.dimensions if d.subscript is not None):
        sizes = sizes_where_alone(name, subscript, wall.evaluator)
        if sizes is None:
            return None
        axis_of_tables += sizes
    if not axis_of_tables:
        _rangeless(binder, refs, wall)
        return None
    (first, place), (other, again) = (
        axis_of_tables[0],
        next((f for f in axis_of_tables if f[0] != axis_of_tables[0][0]), axis_of_tables[0]),
    )
    if first == other:
        return Axis(name, 0, first - 1)
    wall.sink.error(
        "UB0403",
        f"index `{name}` has two ranges: 0..{min(first, other) - 1} and 0..{max(first, other) - 1}",
        again,
        f"so `{name}` runs 0..{other - 1} here",
        labels=(Label(place, f"so `{name}` runs 0..{first - 1} here"),),
        help=(f"say which: `for {name} in 0..{min(first, other) - 1}`",),
    )
    return None


def _sizes(dimensions: Sequence[Dimension]) -> Iterator[Label]:
    """Where the arrays of these dimensions get their sizes."""
    for dimension in dimensions:
        if dimension.origin is not None:
            yield Label(dimension.origin, f"{dimension.size} here")


def _rangeless(binder: tree.Binder, refs: Sequence[Reference], wall: AssemblyScope) -> None:
    name = binder.name.text
    if _said(name, refs):
        wall.sink.error(
            "UB0405",
            f"index `{name}` never stands alone as a subscript, so its range is not known",
            binder.name.span,
            "range unknown",
            help=(f"write `{name} in 0..7` after `for`, with the range that is meant",),
        )
    else:
        _not_used(binder, wall)


def _said(name: str, refs: Sequence[Reference]) -> bool:
    return any(name in _names_in(dimension) for ref in refs for dimension in ref.dimensions)


def _not_used(binder: tree.Binder, wall: AssemblyScope) -> None:
    wall.sink.error(
        "UB0408",
        f"index `{binder.name.text}` is listed after `for` and used in no subscript",
        binder.name.span,
        "not used",
        help=("delete it, or write it where it belongs",),
        fix=_unlisted(binder),
    )


def _unlisted(binder: tree.Binder) -> Fix | None:
    """Take a binder off the list after `for`, with the comma beside it; None where it is the only one."""
    text, start, end = binder.span.source.text, binder.span.start, binder.span.end
    before, after = text[:start].rstrip(), text[end:].lstrip(" \t")
    if before.endswith(","):
        start = len(before) - 1
    elif after.startswith(","):
        end = len(text) - len(after.removeprefix(",").lstrip(" \t"))
    else:
        return None
    return Fix(f"delete `{binder.name.text}`", (Edit(Span(binder.span.source, start, end), ""),))


def _names_in(dimension: Dimension) -> set[str]:
    if dimension.subscript is None:
        return set()
    return {each.text for each in index_names(dimension.subscript)}


def names_known(
    node: tree.Connect | tree.ConnectPattern, refs: Sequence[Reference], axes: Mapping[str, Axis], wall: AssemblyScope
) -> bool:
    """Return whether each name in a subscript is an index or a value; else say, once for each, that it is not
    listed."""
    scope = wall.evaluator.scope
    unknown: dict[str, list[Span]] = {}
    parts: list[tree.Node] = [d.subscript for ref in refs for d in ref.dimensions if d.subscript is not None]
    parts += [node.where] if node.where is not None else []
    for part in parts:
        for each in index_names(part):
            if each.text in axes or scope.local(each.text):
                continue
            if scope.definition((each.text,)) or scope.is_quiet(each.text) or each.text in wall.evaluator.extra:
                continue
            unknown.setdefault(each.text, []).append(each.span)
    if unknown:
        first, *others = unknown
        spans = [(name, span) for name in unknown for span in unknown[name]]
        names = " and ".join(f"`{name}`" for name in unknown)
        listed = ", ".join([*(binder.span.text.strip() for binder in node.binders), *unknown])
        wall.sink.error(
            "UB0404",
            f"ind{'ices' if others else 'ex'} {names} {'are' if others else 'is'} not listed after `for`",
            unknown[first][0],
            "not bound",
            labels=tuple(Label(span, "nor here") for _, span in spans[1:]),
            help=(f"write `for {listed}`",),
            fix=_listing(node, ", ".join(unknown)),
        )
    return not unknown


def _listing(node: tree.Connect | tree.ConnectPattern, names: str) -> Fix:
    """Add indices to the list after `for`, which begins behind the link where there is none yet."""
    if node.binders:
        at, text = node.binders[-1].span.end, f", {names}"
    else:
        before = node.over.span if node.over is not None else node.span
        at, text = before.end, f" for {names}"
    return Fix(f"list {names} after `for`", (Edit(Span(node.span.source, at, at), text),))
