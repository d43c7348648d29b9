"""Hypothesis strategies that make syntax trees: every tree here is one that some text has.

They go node by node, not by the grammar, so that they know nothing of its rules; what a text can't say is left out and
named where it is. Spans are all one empty span: they take no part in equality.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.syntax import tree

__all__ = ["docs", "expressions", "files", "members", "paths", "statements", "words"]

_SOURCE = Source("generated", "")
_SPAN = Span(_SOURCE, 0, 0)

# Names that are keywords in other places stand among them on purpose.
_PLAIN = ("a", "b", "x4", "npu1", "Ascend950DT", "_", "e3", "GB", "m")
_SOFT = ("npu", "rack", "switch", "port", "link", "connect", "spare", "open", "transit", "place", "to", "by", "keep")
_SOFTER = ("any", "cables", "from", "in", "has", "differs", "bidir", "ubus", "use", "set", "fail", "label", "system")
_SOFTEST = ("workload", "along")
_RESERVED = ("if", "then", "else", "all", "true", "not", "and", "or", "div", "mod", "of", "within", "over")
_RESERVED_TOO = ("for", "where", "as", "step", "let", "expect", "except")


def _node(kind: Any, *parts: st.SearchStrategy[Any], **named: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, *parts, span=st.just(_SPAN), **named)


def _some(strategy: st.SearchStrategy[Any], low: int = 0, high: int = 2) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=low, max_size=high).map(tuple)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


words = _node(tree.Word, st.sampled_from(_PLAIN + _SOFT + _SOFTER + _SOFTEST))
"""What may name a thing."""

members = words | _node(tree.Word, st.sampled_from(_RESERVED + _RESERVED_TOO))
"""What may stand behind a dot, or name an argument."""

numbers = _node(tree.Number, st.sampled_from(("0", "1", "64", "0.4", "93.75", "1_000", "1e6", "2.5E-3")))
units = st.sampled_from(("GB", "Gbps", "GB/s", "ns/m", "m", "s", "%", "µs", "GBps", "furlong", "x10"))
quantities = _node(tree.Quantity, numbers, units, st.booleans())
strings = _node(tree.String, st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
names = _node(tree.Name, st.sampled_from(_PLAIN + _SOFT + _SOFTER + _SOFTEST))
booleans = _node(tree.Bool, st.booleans())
dotted = st.tuples(words, members) | st.tuples(words)

expressions: st.SearchStrategy[tree.Expr] = st.deferred(lambda: _expressions)
"""Any expression but an arrow, which is an argument only."""

_gap_range = _node(tree.Range, expressions, expressions, st.booleans())
_slab = st.tuples(_node(tree.Star) | _gap_range, expressions).flatmap(
    lambda pair: _node(tree.Slab, st.permutations(pair).map(tuple))
)
_gap = expressions | _gap_range | _slab
_range = _node(tree.Range, expressions, expressions, st.booleans(), _maybe(expressions), _maybe(_gap)) | _node(
    tree.Range, expressions, st.none(), st.just(True), _maybe(expressions), _maybe(_gap)
)
_subscripts = _some(expressions | _range | _node(tree.Star), 1)

paths: st.SearchStrategy[tree.Expr] = st.recursive(
    names, lambda base: _node(tree.Member, base, members) | _node(tree.Index, base, _subscripts), max_leaves=3
)
"""Names with members and subscripts."""

_all = _node(tree.All, dotted, _maybe(paths | expressions))
_all_where = _node(tree.All, dotted, _maybe(paths | expressions), expressions)
_arrow = _node(tree.Arrow, expressions, expressions)
_args = _some(_node(tree.Arg, _maybe(members), expressions | _arrow))
_leaves = numbers | quantities | strings | booleans | names | _node(tree.All, dotted)


def _extend(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        _node(
            tree.Binary, st.sampled_from(("+", "-", "*", "/", "div", "mod", "^", "of", "and", "or", "|")), inner, inner
        ),
        _node(tree.Unary, st.sampled_from(("-", "not")), inner),
        _node(tree.Compare, st.sampled_from(("==", "!=", "<=", ">=", "<", ">")), inner, inner, _maybe(inner)),
        _node(tree.Conditional, inner, inner, inner),
        _node(tree.All, dotted, _maybe(inner), inner),
        _node(tree.Member, inner, members),
        _node(tree.Index, inner, _some(inner | _node(tree.Star) | _node(tree.Range, inner, _maybe(inner)), 1)),
        _node(tree.Call, inner, _some(_node(tree.Arg, _maybe(members), inner | _node(tree.Arrow, inner, inner)))),
        _node(tree.ListExpr, _some(inner)),
        _node(tree.ListExpr, _some(inner | _node(tree.Along, words, paths))),
        _node(tree.Record, _some(_node(tree.Arg, members, inner))),
    )


_expressions: st.SearchStrategy[tree.Expr] = st.recursive(_leaves, _extend, max_leaves=6)

# ---- parts of statements ----------------------------------------------------------------------------------------

_doc_line = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]) | st.just(" "), max_size=10).map(str.rstrip)
docs = st.lists(_doc_line, min_size=1, max_size=2).map("\n".join)
"""Documentation: lines without blanks at their ends."""

_doc = st.none() | docs
_types = _node(tree.TypeRef, dotted, _args)
_annotations = _some(_node(tree.Annotation, words, _args))
_shapes = _some(expressions)
_binders = _some(_node(tree.Binder, words, _maybe(expressions | _range)))


_type_choices = st.recursive(
    _types, lambda inner: inner | _node(tree.TypeChoice, expressions, inner, inner), max_leaves=3
)


def _statement(kind: Any, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, *parts, span=st.just(_SPAN), doc=_doc)


# A filter behind the last target belongs to that target where it is `all …`, to the statement where it is a path.
_between = _node(tree.LinkBetween, paths, paths)
_places = paths | _between
_sets = st.recursive(
    paths | _all, lambda inner: _node(tree.Binary, st.sampled_from("|-"), inner | _all_where, inner), max_leaves=4
)
_targets = _some(_places | _all | _sets, 1)
_targets_with_filter = st.tuples(_some(_places | _all | _sets), _places).map(lambda both: (*both[0], both[1]))
_targets_ending_in_all = st.tuples(_some(_places | _all), _all | _all_where | _sets).map(
    lambda both: (*both[0], both[1])
)

# ---- statements -------------------------------------------------------------------------------------------------

_let = _statement(tree.Let, words, expressions)
_expect = _statement(tree.Expect, expressions, _maybe(strings), _maybe(strings))
_field = _statement(tree.Field, words, expressions)
_fields = _some(_field)
_lanes = _node(tree.Number, st.sampled_from(("1", "4", "16")))
_connect_tail = (_maybe(_types), _binders, _maybe(expressions), _annotations)

_body: st.SearchStrategy[tuple[Any, ...]] = st.deferred(lambda: _some(_body_statements, 0, 3))
_body_statements: st.SearchStrategy[Any] = st.one_of(
    _field,
    _let,
    _expect,
    _statement(tree.PortDecl, words, _shapes, _node(tree.TypeRef, dotted), _lanes, _annotations),
    _statement(tree.PortExport, words, expressions),
    _statement(tree.Transit, _some(paths, 1)),
    _statement(tree.Instance, words, _shapes, _type_choices, _maybe(expressions), st.booleans(), _annotations),
    _statement(
        tree.Instance,
        words,
        _some(expressions, 1),
        _type_choices,
        _maybe(expressions),
        st.booleans(),
        _annotations,
        _some(_gap),
        _binders,
    ),
    _statement(tree.Connect, paths, paths, *_connect_tail),
    _statement(tree.ConnectPattern, paths, _maybe(paths), members, _args, *_connect_tail),
    _statement(tree.ConnectCables, strings, _maybe(_types), _annotations),
    _statement(tree.Open, _some(paths, 1)),
    _statement(tree.Place, paths, members, _args),
    _statement(tree.If, expressions, _body, _body),
)


def _begins_with_a_name(node: tree.Expr) -> bool:
    """Return whether a line of a scenario may be this expression: it begins with a name that begins no other line, or
    with a number or a sign."""
    while isinstance(node, tree.Binary | tree.Compare | tree.Member | tree.Index | tree.Call):
        if isinstance(node, tree.Binary | tree.Compare):
            node = node.left
        else:
            node = node.function if isinstance(node, tree.Call) else node.base
    plain = isinstance(node, tree.Name) and node.text in _PLAIN + _SOFT
    return plain or isinstance(node, tree.Number | tree.Quantity | tree.Unary)


_scenario_items = _some(
    st.one_of(
        _let,
        _expect,
        _statement(tree.Fail, _targets_ending_in_all, _maybe(expressions)),
        _statement(tree.Fail, _targets_with_filter, _maybe(expressions), _maybe(expressions)),
        _statement(tree.Degrade, _targets | _targets_ending_in_all, expressions, _maybe(expressions)),
        _statement(tree.Set, paths, expressions),
        _statement(tree.Measure, expressions.filter(_begins_with_a_name)),
    )
)
_view_items = _some(
    st.one_of(
        _statement(tree.Show, _targets_ending_in_all),
        _statement(tree.Show, _targets_with_filter, _maybe(expressions)),
        _statement(tree.Hide, _targets_ending_in_all),
        _statement(tree.Hide, _targets_with_filter, _maybe(expressions)),
        _statement(tree.Collapse, _targets),
        _statement(tree.Fold, paths, _maybe(expressions)),
        _statement(tree.Colour, words, expressions),
        _statement(tree.LabelBy, words, expressions),
        _statement(tree.Layout, words, _args),
        _statement(tree.Title, strings),
    )
)
_analyze_items = _some(_let | _expect | _statement(tree.Measure, expressions))

_kinds = _node(tree.Word, st.sampled_from(("npu", "cpu", "switch", "nic", "device", "board", "rack", "superpod")))
_use_names = _some(_node(tree.UseName, words, _maybe(words)), 1)

statements = st.one_of(
    _let,
    _expect,
    _statement(tree.Use, dotted, st.none(), _maybe(words)),
    _statement(tree.Use, st.none(), strings, _maybe(words)),
    _statement(tree.Use, dotted, st.none(), st.none(), _use_names),
    _statement(tree.Use, st.none(), strings, st.none(), _use_names),
    _statement(tree.ProtocolDef, words, _fields),
    _statement(tree.LinkDef, words, _maybe(_types), _maybe(_types), _fields),
    _statement(
        tree.TypeDef, _kinds, words, _some(_node(tree.Param, words, _maybe(expressions))), _maybe(_types), _annotations,
        _body,
    ),
    _statement(tree.System, words, _types),
    _statement(tree.Traffic, words, words, expressions),
    _statement(tree.Workload, words, words, expressions),
    _statement(tree.Analyze, words, words, _analyze_items),
    _statement(tree.Scenario, words, words, _maybe(words), _scenario_items),
    _statement(tree.View, words, words, _annotations, _view_items),
)  # fmt: skip
"""Statements of a file."""

files = _node(tree.File, st.just(_SOURCE), _node(tree.Number, st.just("1")), _some(statements, 0, 4))
"""Whole files, without comments."""
