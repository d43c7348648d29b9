"""From reductions to nodes: one method for each rule of the grammar, named `on_` and the rule (or its alias).

A method gets the span that the rule covers and the rule's children: tokens as they were read, nodes as they were built,
None for what was left out. Lists are tuples without None. A statement whose header was damaged, so that its name is
empty, becomes None, and with that vanishes from the list it would stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from unifiedbus_dsl.base.source import Source, Span
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.expression_text import takes_of
from unifiedbus_dsl.syntax.lexer import Lexer, Token
from unifiedbus_dsl.syntax.values_in_text import holes

Children: TypeAlias = Sequence[Any]
Action: TypeAlias = Callable[[Span, Children], Any]

_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def unescape(literal: str) -> str:
    """Return the value of a string literal. A backslash before any other character stands for itself."""
    parts = literal[1:-1].split("\\\\")
    for at, part in enumerate(parts):
        pieces = part.split("\\")
        rest = [_ESCAPES[p[0]] + p[1:] if p and p[0] in _ESCAPES else "\\" + p for p in pieces[1:]]
        parts[at] = "".join([pieces[0], *rest])
    return "\\".join(parts)


def _present(children: Children) -> tuple[Any, ...]:
    return tuple([child for child in children if child is not None])


class Builder:
    """Builds the nodes of one source; `value` reads an expression that stands inside a string."""

    def __init__(self, source: Source, lexer: Lexer, value: Callable[[Span], tree.Expr | None]) -> None:
        self.source = source
        self.value = value
        self.claimed: set[int] = set()
        self.docs = lexer.docs

    def actions(self, names: list[str]) -> list[Action]:
        """Return the method for each of the named rules."""
        return [getattr(self, f"on_{name}", self._none_such) for name in names]

    def _none_such(self, span: Span, c: Children) -> Any:
        raise AssertionError(f"a rule of the grammar has no builder: {span!r}, {c!r}")

    def _doc(self, span: Span) -> str | None:
        comments = self.docs.get(span.start)
        if comments is None:
            return None
        self.claimed.add(span.start)
        return "\n".join(comment.text[2:].removeprefix(" ") for comment in comments)

    def _span(self, token: Token) -> Span:
        return Span(self.source, token.start, token.end)

    def _token_word(self, token: Token) -> tree.Word:
        return tree.Word(token.text, span=self._span(token))

    # ---- lists --------------------------------------------------------------------------------------------------

    def on_list_of(self, span: Span, c: Children) -> tuple[Any, ...]:
        return _present(c)

    on_sizes = on_holes = on_fields = on_params = on_body = on_shape = on_binders = on_annotations = on_list_of
    on_analyze_items = on_scenario_items = on_view_items = on_targets = on_subscripts = on_args = on_list_of
    on_use_names = on_dotted = on_type_name = on_explore_items = on_trends = on_list_of

    def on_only(self, span: Span, c: Children) -> Any:
        return c[0]

    on_over = on_where = on_only

    def on_scope(self, span: Span, c: Children) -> Any:
        return c[0] if c else None

    on_gaps = on_scope

    def on_args_or_none(self, span: Span, c: Children) -> tuple[tree.Arg, ...]:
        return c[0] if c else ()

    # ---- the file, names, imports ---------------------------------------------------------------------------------

    def on_start(self, span: Span, c: Children) -> tuple[tree.Number | None, tuple[tree.FileStatement, ...]]:
        edition = c[0] if c and isinstance(c[0], tree.Number) else None
        return edition, _present(c[1:] if edition is not None else c)

    def on_edition(self, span: Span, c: Children) -> tree.Number:
        return tree.Number(c[0].text, span=self._span(c[0]))

    def on_word(self, span: Span, c: Children) -> tree.Word:
        return tree.Word(c[0].text, span=span)

    def on_use_module(self, span: Span, c: Children) -> tree.Use:
        return tree.Use((c[0],), None, c[1], doc=self._doc(span), span=span)

    def on_use_dotted(self, span: Span, c: Children) -> tree.Use:
        return tree.Use(tuple(c[:-1]), None, c[-1], doc=self._doc(span), span=span)

    def on_use_file(self, span: Span, c: Children) -> tree.Use:
        return tree.Use(None, self._string(c[0]), c[1], doc=self._doc(span), span=span)

    def on_use_from_module(self, span: Span, c: Children) -> tree.Use:
        return tree.Use(c[1], None, None, c[0], doc=self._doc(span), span=span)

    def on_use_from_file(self, span: Span, c: Children) -> tree.Use:
        return tree.Use(None, self._string(c[1]), None, c[0], doc=self._doc(span), span=span)

    def on_use_name(self, span: Span, c: Children) -> tree.UseName:
        return tree.UseName(c[0], c[1], span=span)

    def on_let(self, span: Span, c: Children) -> tree.Let:
        return tree.Let(c[0], c[1], doc=self._doc(span), span=span)

    # ---- parts and assemblies -------------------------------------------------------------------------------------

    def on_protocol(self, span: Span, c: Children) -> tree.ProtocolDef | None:
        doc = self._doc(span)
        return tree.ProtocolDef(c[0], c[1], doc=doc, span=span) if c[0].text else None

    def on_link(self, span: Span, c: Children) -> tree.LinkDef | None:
        doc = self._doc(span)
        return tree.LinkDef(*c, doc=doc, span=span) if c[0].text else None

    def on_model(self, span: Span, c: Children) -> tree.ModelDef | None:
        doc = self._doc(span)
        return tree.ModelDef(*c, doc=doc, span=span) if c[0].text else None

    def on_field(self, span: Span, c: Children) -> tree.Field:
        return tree.Field(c[0], c[1], doc=self._doc(span), span=span)

    def on_type(self, span: Span, c: Children) -> tree.TypeDef | None:
        doc = self._doc(span)
        return tree.TypeDef(self._token_word(c[0]), *c[1:], doc=doc, span=span) if c[1].text else None

    def on_param(self, span: Span, c: Children) -> tree.Param:
        return tree.Param(c[0], c[1], span=span)

    def on_type_ref(self, span: Span, c: Children) -> tree.TypeRef:
        if len(c) == 1:
            return tree.TypeRef(c[0], span=span)
        return tree.TypeRef(c[0], c[1], True, span=span)

    def on_type_choice(self, span: Span, c: Children) -> tree.TypeChoice:
        return tree.TypeChoice(*c, span=span)

    def on_port(self, span: Span, c: Children) -> tree.PortDecl:
        name, shape, protocol, width, annotations = c
        lanes = tree.Number(width.text[1:], span=Span(self.source, width.start + 1, width.end))
        path = tree.TypeRef(protocol, span=protocol[0].span.to(protocol[-1].span))
        return tree.PortDecl(name, shape, path, lanes, annotations, doc=self._doc(span), span=span)

    def on_export(self, span: Span, c: Children) -> tree.PortExport:
        return tree.PortExport(*c, doc=self._doc(span), span=span)

    def on_transit(self, span: Span, c: Children) -> tree.Transit:
        return tree.Transit(c[0], c[1] or (), doc=self._doc(span), span=span)

    def on_ports(self, span: Span, c: Children) -> tuple[tree.Expr, ...]:
        return tuple(c)

    def on_instance(self, span: Span, c: Children) -> tree.Instance:
        return self._instance(span, c, spare=False)

    def on_spare(self, span: Span, c: Children) -> tree.Instance:
        return self._instance(span, c, spare=True)

    def _instance(self, span: Span, c: Children, spare: bool) -> tree.Instance:
        name, (shape, holes), type_ref, condition, binders, annotations = c
        return tree.Instance(
            name, shape, type_ref, condition, spare, annotations, holes, binders, doc=self._doc(span), span=span
        )

    def on_shape_with_holes(self, span: Span, c: Children) -> tuple[Any, Any]:
        return (c[0], c[1]) if c and c[0] is not None else ((), ())

    def on_open(self, span: Span, c: Children) -> tree.Open:
        return tree.Open(tuple(c), doc=self._doc(span), span=span)

    def on_place(self, span: Span, c: Children) -> tree.Place:
        return tree.Place(*c, doc=self._doc(span), span=span)

    def on_if(self, span: Span, c: Children) -> tree.If | None:
        doc = self._doc(span)
        if isinstance(c[0], tree.Name) and not c[0].text:
            return None
        return tree.If(*c, doc=doc, span=span)

    def on_else_block(self, span: Span, c: Children) -> tuple[tree.BodyStatement, ...]:
        return c[0] or ()

    def on_else_if(self, span: Span, c: Children) -> tuple[tree.BodyStatement, ...]:
        return _present(c)

    def on_connect_pair(self, span: Span, c: Children) -> tree.Connect:
        return tree.Connect(*c, doc=self._doc(span), span=span)

    def on_connect_pattern(self, span: Span, c: Children) -> tree.ConnectPattern:
        return tree.ConnectPattern(*c, doc=self._doc(span), span=span)

    def on_connect_cables(self, span: Span, c: Children) -> tree.ConnectCables:
        return tree.ConnectCables(self._string(c[0]), c[1], c[2], doc=self._doc(span), span=span)

    def on_binder(self, span: Span, c: Children) -> tree.Binder:
        return tree.Binder(c[0], c[1], span=span)

    def on_annotation(self, span: Span, c: Children) -> tree.Annotation:
        return tree.Annotation(c[0], c[1], span=span)

    # ---- systems, questions, scenarios, views ---------------------------------------------------------------------

    def on_system(self, span: Span, c: Children) -> tree.System:
        return tree.System(c[0], c[1], doc=self._doc(span), span=span)

    def on_naming(self, span: Span, c: Children) -> tree.Naming:
        path, of, token, binders, where = c
        text = self._string(token)
        values = _present([self.value(hole.span) for hole in holes(text.span)])
        return tree.Naming(path, of, text, values, binders, where, doc=self._doc(span), span=span)

    def on_traffic(self, span: Span, c: Children) -> tree.Traffic:
        return tree.Traffic(*c, doc=self._doc(span), span=span)

    def on_workload(self, span: Span, c: Children) -> tree.Workload:
        return tree.Workload(*c, doc=self._doc(span), span=span)

    def on_expect(self, span: Span, c: Children) -> tree.Expect:
        condition, source, differs = c
        return tree.Expect(
            condition,
            None if source is None else self._string(source),
            None if differs is None else self._string(differs),
            doc=self._doc(span),
            span=span,
        )

    def on_analyze(self, span: Span, c: Children) -> tree.Analyze | None:
        doc = self._doc(span)
        return tree.Analyze(*c, doc=doc, span=span) if c[0].text else None

    def on_measure(self, span: Span, c: Children) -> tree.Measure:
        return tree.Measure(c[0], doc=self._doc(span), span=span)

    def on_scenario(self, span: Span, c: Children) -> tree.Scenario | None:
        doc = self._doc(span)
        return tree.Scenario(*c, doc=doc, span=span) if c[0].text else None

    def on_fail(self, span: Span, c: Children) -> tree.Fail:
        targets, where = _filtered(c[0], c[1])
        return tree.Fail(targets, None, where, doc=self._doc(span), span=span)

    def on_fail_any(self, span: Span, c: Children) -> tree.Fail:
        targets, where = _filtered(c[1], c[2])
        return tree.Fail(targets, c[0], where, doc=self._doc(span), span=span)

    def on_degrade(self, span: Span, c: Children) -> tree.Degrade:
        targets, before, to, after = c
        targets, where = _filtered(targets, before)
        if where is not None and after is not None:
            where = tree.Binary("and", where, after, span=where.span.to(after.span))
        return tree.Degrade(targets, to, where or after, doc=self._doc(span), span=span)

    def on_set(self, span: Span, c: Children) -> tree.Set:
        return tree.Set(c[0], c[1], doc=self._doc(span), span=span)

    def on_explore(self, span: Span, c: Children) -> tree.Explore | None:
        doc = self._doc(span)
        return tree.Explore(*c, doc=doc, span=span) if c[0].text else None

    def on_vary(self, span: Span, c: Children) -> tree.Vary:
        return tree.Vary(tuple(c[:-1]), c[-1], doc=self._doc(span), span=span)

    def on_require(self, span: Span, c: Children) -> tree.Require:
        return tree.Require(c[0], c[1], doc=self._doc(span), span=span)

    def on_objective(self, span: Span, c: Children) -> tree.Objective:
        return tree.Objective(c[0].text == "maximize", c[1], c[2], doc=self._doc(span), span=span)

    def on_sample(self, span: Span, c: Children) -> tree.Sample:
        return tree.Sample(c[0], doc=self._doc(span), span=span)

    def on_trend(self, span: Span, c: Children) -> tree.Trend:
        names = tuple(tree.Dotted(words, span=words[0].span.to(words[-1].span)) for words in c[1:])
        return tree.Trend(c[0].text == "increasing", names, span=span)

    def on_between(self, span: Span, c: Children) -> tree.LinkBetween:
        return tree.LinkBetween(c[0], c[1], span=span)

    def on_view(self, span: Span, c: Children) -> tree.View | None:
        doc = self._doc(span)
        return tree.View(*c, doc=doc, span=span) if c[0].text else None

    def on_show(self, span: Span, c: Children) -> tree.Show:
        targets, where = _filtered(c[0], c[1])
        return tree.Show(targets, where, doc=self._doc(span), span=span)

    def on_hide(self, span: Span, c: Children) -> tree.Hide:
        targets, where = _filtered(c[0], c[1])
        return tree.Hide(targets, where, doc=self._doc(span), span=span)

    def on_collapse(self, span: Span, c: Children) -> tree.Collapse:
        return tree.Collapse(c[0], doc=self._doc(span), span=span)

    def on_fold(self, span: Span, c: Children) -> tree.Fold:
        return tree.Fold(c[0], c[1], doc=self._doc(span), span=span)

    def on_colour(self, span: Span, c: Children) -> tree.Colour:
        by = self._string(c[1]) if isinstance(c[1], Token) else c[1]
        return tree.Colour(c[0], by, doc=self._doc(span), span=span)

    def on_label(self, span: Span, c: Children) -> tree.LabelBy:
        return tree.LabelBy(c[0], c[1], doc=self._doc(span), span=span)

    def on_layout(self, span: Span, c: Children) -> tree.Layout:
        return tree.Layout(c[0], c[1], doc=self._doc(span), span=span)

    def on_title(self, span: Span, c: Children) -> tree.Title:
        return tree.Title(self._string(c[0]), doc=self._doc(span), span=span)

    def on_theme(self, span: Span, c: Children) -> tree.Theme:
        return tree.Theme(c[0], doc=self._doc(span), span=span)

    # ---- paths and expressions ------------------------------------------------------------------------------------

    def on_name(self, span: Span, c: Children) -> tree.Name:
        return tree.Name(c[0].text, span=span)

    def on_word_name(self, span: Span, c: Children) -> tree.Name:
        return tree.Name(c[0].text, span=span)

    def on_member_of(self, span: Span, c: Children) -> tree.Member:
        return tree.Member(c[0], c[1], span=span)

    def on_index(self, span: Span, c: Children) -> tree.Index:
        return tree.Index(c[0], c[1], span=span)

    def on_call(self, span: Span, c: Children) -> tree.Call:
        return tree.Call(c[0], c[1], span=span)

    def on_star(self, span: Span, c: Children) -> tree.Star:
        return tree.Star(span=span)

    def on_range_inclusive(self, span: Span, c: Children) -> tree.Range:
        return tree.Range(c[0], c[1], True, c[2], c[3], span=span)

    def on_gap_inclusive(self, span: Span, c: Children) -> tree.Range:
        return tree.Range(c[0], c[1], True, span=span)

    def on_gap_exclusive(self, span: Span, c: Children) -> tree.Range:
        return tree.Range(c[0], c[1], False, span=span)

    def on_range_exclusive(self, span: Span, c: Children) -> tree.Range:
        return tree.Range(c[0], c[1], False, c[2], c[3], span=span)

    def on_range_open(self, span: Span, c: Children) -> tree.Range:
        return tree.Range(c[0], None, True, c[1], c[2], span=span)

    def on_conditional(self, span: Span, c: Children) -> tree.Conditional:
        return tree.Conditional(*c, span=span)

    def on_all(self, span: Span, c: Children) -> tree.All:
        return tree.All(c[0], c[1], span=span)

    def on_all_where(self, span: Span, c: Children) -> tree.All:
        return tree.All(*c, span=span)

    def on_binary(self, span: Span, c: Children) -> tree.Binary:
        left, operator, right = c
        in_brackets = left.span.start != span.start
        if operator.text == "of" and isinstance(right, tree.Name) and takes_of(left) and not in_brackets:
            # `1.3 * throughput(t) of b`: what is said of a system is the measure alone
            asked = tree.Binary("of", left.right, right, span=left.right.span.to(right.span))
            return tree.Binary(left.op, left.left, asked, span=span)
        return tree.Binary(operator.text, left, right, span=span)

    def on_unary(self, span: Span, c: Children) -> tree.Unary:
        return tree.Unary(c[0].text, c[1], span=span)

    def on_compare(self, span: Span, c: Children) -> tree.Compare:
        left, operator, right, within = c
        return tree.Compare(operator.text, left, right, within, span=span)

    def on_arrow(self, span: Span, c: Children) -> tree.Arrow:
        return tree.Arrow(c[0], c[1], span=span)

    def on_named(self, span: Span, c: Children) -> tree.Arg:
        return tree.Arg(c[0], c[1], span=span)

    def on_positional(self, span: Span, c: Children) -> tree.Arg:
        return tree.Arg(None, c[0], span=span)

    def on_list(self, span: Span, c: Children) -> tree.ListExpr | tree.Slab:
        items = _present(c)
        if any(isinstance(item, tree.Star | tree.Range) for item in items):
            return tree.Slab(items, span=span)
        return tree.ListExpr(items, span=span)

    def on_along(self, span: Span, c: Children) -> tree.Along:
        return tree.Along(*c, span=span)

    def on_record(self, span: Span, c: Children) -> tree.Record:
        return tree.Record(_present(c), span=span)

    def on_number(self, span: Span, c: Children) -> tree.Number:
        return tree.Number(c[0].text, span=self._span(c[0]))

    def on_quantity(self, span: Span, c: Children) -> tree.Quantity:
        return tree.Quantity(self.on_number(span, c), c[1].text, span=span)

    def on_quantity_bidir(self, span: Span, c: Children) -> tree.Quantity:
        return tree.Quantity(self.on_number(span, c), c[1].text, True, span=span)

    def on_string(self, span: Span, c: Children) -> tree.String:
        return self._string(c[0])

    def _string(self, token: Token) -> tree.String:
        return tree.String(unescape(token.text), span=self._span(token))

    def on_bool(self, span: Span, c: Children) -> tree.Bool:
        return tree.Bool(c[0].text == "true", span=span)


def _filtered(targets: tuple[Any, ...], where: Any) -> tuple[tuple[Any, ...], Any]:
    """`all link where …` filters what the last `all` selects; after a path the filter is the statement's own."""
    last = None if where is None else _where_filtered(targets[-1], where)
    return (targets, where) if last is None else ((*targets[:-1], last), None)


def _where_filtered(node: Any, where: tree.Expr) -> Any:
    """Return a target whose last word is an `all …`, with the filter behind it; None for one that ends otherwise."""
    span = node.span.to(where.span)
    if ")" in node.span.source.text[node.span.end : where.span.start]:
        return None
    match node:
        case tree.All(where=None):
            return tree.All(node.path, node.scope, where, span=span)
        case tree.Binary():
            right = _where_filtered(node.right, where)
            return None if right is None else tree.Binary(node.op, node.left, right, span=span)
    return None
