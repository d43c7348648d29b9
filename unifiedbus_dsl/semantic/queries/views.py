"""A `view` block against a plan: what is left out, folded and closed, and how the rest looks.

A view speaks of arrays of parts, as a picture does: all elements of an array look alike. Names mean a kind, a type, a
part at any level, or a path from the system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from attrs import define, evolve, field

from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import Child, Plan, Rule, Value
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.cable_colours import NotSuchError, coloured
from unifiedbus_dsl.render.filters import Place, around, arrays, inside, kind_of, link_kinds, without
from unifiedbus_dsl.render.marks import identifier
from unifiedbus_dsl.render.plan_summary import (
    PlanSummary,
    cable_rate,
    child_named,
    medium,
    rate_text,
    sum_text,
    type_name,
)
from unifiedbus_dsl.render.sheet import box_entry, line_entry
from unifiedbus_dsl.render.style import THEMES, LinkText, Style
from unifiedbus_dsl.render.view import LAYOUTS, LINK_COLOURS, LINK_LABELS, Layout, View
from unifiedbus_dsl.semantic.connect.references import Step, path_steps
from unifiedbus_dsl.semantic.select.picking import children_picked
from unifiedbus_dsl.semantic.select.plan_selection import count_inside, fields_of, fields_of_cables
from unifiedbus_dsl.semantic.select.set_reader import is_set
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import value_text
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk

T = TypeVar("T")
WHOLE_ARRAYS = "a view shows and hides whole arrays: equal parts look alike"
PART_WORDS = ("type", "kind", "name", "none")
LEAST_CONTRAST = 3.0
"""Of lines with the paper (WCAG 2)."""
MOST_CELLS = 100
"""More parts of one array side by side are no overview."""


class _Refused(Exception):  # noqa: N818 - carries no message: the diagnostic is in the sink
    """The view is wrong, and a diagnostic says so."""


def read_view(view: tree.View, plan: Plan, evaluator: Evaluator, layout: Layout | None = None) -> View | None:
    """Return what a view asks for; None after a diagnostic. `layout` goes before what the view says."""
    try:
        return _ViewReader(plan, evaluator).read(view, layout)
    except _Refused:
        return None


# ---- reading ----------------------------------------------------------------------------------------------------


@define(eq=False)
class _ViewReader:
    plan: Plan
    evaluator: Evaluator
    hidden: set[Place] = field(factory=set)
    lost: list[Callable[[str, Rule], bool]] = field(factory=list)
    look: Style = field(factory=Style)
    load: tree.Expr | None = None
    by: tree.Expr | None = None
    """Where the view says by what cables are to be coloured."""
    key: str = ""
    notes: list[tuple[str, str]] = field(factory=list)

    def read(self, view: tree.View, layout: Layout | None) -> View:
        self.key = self.plan.root
        own_layout: Layout = "overview"
        shown = [item for item in view.items if isinstance(item, tree.Show)]
        if shown:
            self._show([(target, item.where) for item in shown for target in item.targets])
        for item in view.items:
            match item:
                case tree.Hide():
                    self._hide(item)
                case tree.Collapse():
                    self._collapse(item)
                case tree.Fold():
                    self._fold(item)
                case tree.Colour():
                    self._colour(item)
                case tree.LabelBy():
                    self._label(item)
                case tree.Layout():
                    own_layout = self._layout(item)
                case tree.Title():
                    self.look = evolve(self.look, title=item.text.value)
                case tree.Theme():
                    self._one_of(item.name, THEMES, "the theme")
                    self.look = evolve(self.look, theme=next(name for name in THEMES if name == item.name.text))
        plan = self.plan
        if self.hidden or self.lost:
            plan = without(plan, frozenset(self.hidden), self.lost)
            if self.key not in plan.assemblies or not plan.assemblies[self.key].children:
                self._refuse(view.name, "this view hides everything", "show some part, or hide less")
        look = evolve(self.look, notes=self.notes)
        survey = PlanSummary(plan, look, None if plan is self.plan else self.plan)
        self._tells_apart(survey)
        return View(
            survey,
            self.key,
            layout or own_layout,
            self.load,
            view.name.span,
        )

    def _refuse(self, node: tree.Node, message: str, help: str = "", word: str | None = None) -> None:
        fix = rename(node.span, word)
        self.evaluator.sink.error("UB0810", message, node.span, "here", help=(help,) if help else (), fix=fix)
        raise _Refused

    def _one_of(self, node: tree.Node, legal: Sequence[str], what: str) -> str:
        word = node.span.one_line
        if word not in legal:
            guess = did_you_mean(word, legal)
            listed = ", ".join(f"`{name}`" for name in legal)
            help = f"did you mean `{guess}`?" if guess else f"there are {listed}"
            self._refuse(node, f"{what} `{word}` is unknown", help, guess)
        return word

    # -- filters

    def _show(self, targets: Sequence[tuple[tree.Selector, tree.Expr | None]]) -> None:
        links = [self._rules(target, where) for target, where in targets if _of_links(target)]
        if links:
            self.lost.append(lambda key, rule: not any(test(key, rule) for test in links))
        parts = [(target, where) for target, where in targets if not _of_links(target)]
        if not parts:
            return
        if len(targets) == 1 and parts[0][1] is None and self._zoom(parts[0][0]):
            return
        wanted = {place for target, where in parts for place in self._filtered(target, where)}
        self.hidden |= {place for place, _ in arrays(self.plan)} - around(self.plan, wanted)
        said = (" where ".join(n.span.one_line for n in pair if n is not None) for pair in targets)
        self.notes.append((f"only {', '.join(said)}", ""))

    def _zoom(self, target: tree.Selector) -> bool:
        """`show cabinet[0]`: a picture of that part alone."""
        path = None if isinstance(target, tree.All | tree.LinkBetween) else path_steps(target)
        if path is None or not _picks(path):
            return False
        key, name = self._element(path)
        child = child_named(self.plan.assemblies[key], name)
        if child.type not in self.plan.assemblies:
            self._refuse(target, f"`{child.type}` is a device, which has no parts to draw", "show what holds it")
        self.key = child.type
        return True

    def _hide(self, item: tree.Hide) -> None:
        for target in item.targets:
            if _of_links(target):
                self.lost.append(self._rules(target, item.where))
                continue
            path = None if isinstance(target, tree.All | tree.LinkBetween) else path_steps(target)
            if path is not None and _picks(path):
                self._refuse(target, WHOLE_ARRAYS, "leave the subscripts out")
            self.hidden |= self._filtered(target, item.where)
        self.notes.append((f"without {item.span.one_line.removeprefix('hide ')}", ""))

    def _rules(self, target: tree.Selector, where: tree.Expr | None) -> Callable[[str, Rule], bool]:
        """Return which cables a target means, of those for which `where` holds."""
        if isinstance(target, tree.Binary):
            one, other = self._rules(target.left, where), self._rules(target.right, where)
            if target.op == "|":
                return lambda key, rule: one(key, rule) or other(key, rule)
            return lambda key, rule: one(key, rule) and not other(key, rule)
        kept = self._kinds(target.where if isinstance(target, tree.All) and target.where is not None else where)
        if not isinstance(target, tree.LinkBetween):
            return lambda key, rule: (rule.link, rule.lanes) in kept
        left, right = (self._places(side) for side in (target.left, target.right))

        def joins(key: str, rule: Rule) -> bool:
            a, b = (key, rule.left.child), (key, rule.right.child)
            return (rule.link, rule.lanes) in kept and ((a in left and b in right) or (a in right and b in left))

        return joins

    def _kinds(self, where: tree.Expr | None) -> set[tuple[str, int]]:
        """Links and lanes of the cables for which a condition holds."""
        kinds = sorted(link_kinds(self.plan))
        if where is None:
            return set(kinds)
        return self._such(kinds, [fields_of_cables(self.plan.links[link], lanes) for link, lanes in kinds], where)

    def _filtered(self, target: tree.Selector, where: tree.Expr | None) -> set[Place]:
        """Return the arrays that a target means, of those for which `where` holds."""
        places = self._places(target)
        if where is None:
            return places
        kept = self._such_places(places, where)
        if not kept:
            self._refuse(where, f"no `{target.span.one_line}` is such", "it matches nothing")
        return kept

    def _such_places(self, places: set[Place], where: tree.Expr) -> set[Place]:
        listed = sorted(places)
        return self._such(listed, [self._fields(place) for place in listed], where)

    def _such(self, named: Sequence[T], fields: Sequence[Mapping[str, Value]], where: tree.Expr) -> set[T]:
        """Return those for whose fields a condition holds."""
        held = count_inside(where, fields, self.evaluator, self._words)
        if held is None:
            raise _Refused
        return {each for each, yes in zip(named, held, strict=True) if yes}

    @property
    def _words(self) -> frozenset[str]:
        """What `kind`, `type` and `name` of a part may be compared with."""
        parts = [(kind_of(self.plan, child), child.type, child.text_name) for _, child in arrays(self.plan)]
        return frozenset(word for each in parts for word in each)

    def _fields(self, place: Place) -> dict[str, Value]:
        key, name = place
        child = child_named(self.plan.assemblies[key], name)
        return {"name": child.text_name, **fields_of(self.plan.type(child.type))}

    # -- what targets mean

    def _places(self, target: tree.Selector) -> set[Place]:
        """Return the arrays that a target means."""
        if isinstance(target, tree.Binary) and is_set(target):
            self._whole_arrays(target)
            left, right = self._places(target.left), self._places(target.right)
            places = left | right if target.op == "|" else left - inside(self.plan, right)
        elif isinstance(target, tree.All):
            name = ".".join(word.text for word in target.path)
            places = {place for place, child in arrays(self.plan) if self._is_called(child, name, parts=False)}
            if target.scope is not None:
                path = path_steps(target.scope)
                holders = self._path(path) if path else self._places(target.scope)
                places &= inside(self.plan, holders)
            if target.where is not None:
                places = self._such_places(places, target.where)
        else:
            path = None if isinstance(target, tree.LinkBetween) else path_steps(target)
            if path is None:
                self._refuse(target, "a view names parts: a kind, a type, a part, or a path")
                return set()
            if len(path) == 1:
                name = path[0].word.text
                places = {place for place, child in arrays(self.plan) if self._is_called(child, name, parts=True)}
            else:
                places = self._path(path)
        if not places:
            self._refuse(target, f"`{target.span.one_line}` is not in this system", "it matches nothing")
        return places

    def _whole_arrays(self, target: tree.Binary) -> None:
        """Refuse a selection of several that picks elements."""
        for each in walk(target):
            if isinstance(each, tree.Index) and not all(isinstance(at, tree.Star) for at in each.subscripts):
                self._refuse(each, WHOLE_ARRAYS, "leave the subscripts out")

    def _is_called(self, child: Child, name: str, *, parts: bool) -> bool:
        own = type_name(child.type)
        return name in (kind_of(self.plan, child), own, own.rpartition(".")[2]) or (parts and name == child.text_name)

    def _path(self, path: Sequence[Step]) -> set[Place]:
        keys, places = {self.plan.root}, set[Place]()
        for step in path:
            places = {(key, child.name) for key in keys for child in self._arrays(key).get(step.word.text, ())}
            if not places:
                listed = ", ".join(f"`{key}`" for key in sorted(keys))
                self._refuse(step.word, f"{listed} has no part `{step.word.text}`")
            keys = {child_named(self.plan.assemblies[key], name).type for key, name in places}
        return places

    def _arrays(self, key: str) -> Mapping[str, tuple[Child, ...]]:
        kind = self.plan.assemblies.get(key)
        return kind.arrays if kind is not None else {}

    def _element(self, path: Sequence[Step]) -> Place:
        """Return the array that holds the first of the elements that a path names."""
        key, place = self.plan.root, ("", "")
        for step in path:
            children = self._arrays(key).get(step.word.text)
            if children is None:
                self._refuse(step.word, f"`{key}` has no part `{step.word.text}`")
            picked = children_picked(step, children or (), self.evaluator)
            if picked is None:
                raise _Refused
            child = picked[0][0]
            place, key = (key, child.name), child.type
        return place

    # -- folding

    def _collapse(self, item: tree.Collapse) -> None:
        places = {place for target in item.targets for place in self._places(target)}
        self.look = evolve(self.look, closed=self.look.closed | places)

    def _fold(self, item: tree.Fold) -> None:
        keep = 2 if item.keep is None else self.evaluator.integer(item.keep, low=1)
        if keep is None:
            raise _Refused
        places = self._places(item.target)
        if keep + 1 > MOST_CELLS and any(
            max(child.shape, default=1) > MOST_CELLS for place, child in arrays(self.plan) if place in places
        ):
            node = item.keep or item.target
            self.evaluator.sink.error(
                "UB0801",
                f"this view would draw {keep:,} parts side by side, and {MOST_CELLS} are the most",
                node.span,
                "too many marks",
                help=(f"`fold {item.target.span.one_line} keep 8`",),
            )
            raise _Refused
        self.look = evolve(self.look, kept={**self.look.kept, **dict.fromkeys(places, keep + 1)})

    # -- looks

    def _tells_apart(self, survey: PlanSummary) -> None:
        """Refuse to colour cables by what does not tell them apart."""
        if self.by is None:
            return
        try:
            coloured(survey, self.key, ())
        except NotSuchError as error:
            self._refuse(self.by, f"cables can't be coloured by `{survey.look.by}`: {error}", "`color link by medium`")

    def _own_colour(self, what: tree.Word, colour: tree.String) -> None:
        """`color npu "#dbe9f6"`, `color link "#0072b2"`, `color Optic "#0072b2"`."""
        chosen = colour.value.lower()
        if re.fullmatch("#[0-9a-f]{6}", chosen) is None:
            self._refuse(colour, f'"{colour.value}" is no colour', 'red, green and blue in hexadecimal: `"#0072b2"`')
        links = [kind for kind in link_kinds(self.plan) if what.text in ("link", kind[0])]
        if links:
            if palette.contrast(chosen, palette.PAPER) < LEAST_CONTRAST:
                self._refuse(colour, f"lines of {chosen} could hardly be seen on white", "take a darker colour")
            name = "all cables" if what.text == "link" else what.text
            self.look = evolve(
                self.look,
                by="medium",
                rule_colours={**self.look.rule_colours, **dict.fromkeys(links, chosen)},
                legend=[*self.look.legend, line_entry(f"legend-{identifier(name)}", name, chosen)],
            )
            return
        types = self._types(what)
        shapes = {palette.kind_style(self.plan.type(key).kind).shape for key in types if key in self.plan.devices}
        shape = shapes.pop() if len(shapes) == 1 else "rounded"
        look = palette.KindStyle(chosen, palette.ink(chosen), shape)
        self.look = evolve(
            self.look,
            part_looks={**self.look.part_looks, **dict.fromkeys(types, look)},
            part_legend=[*self.look.part_legend, box_entry(f"legend-part-{identifier(what.text)}", what.text, look)],
        )

    def _colour(self, item: tree.Colour) -> None:
        if isinstance(item.by, tree.String):
            self._own_colour(item.what, item.by)
            return
        if item.what.text != "link":
            self._colour_parts(item)
            return
        if isinstance(item.by, tree.Call) or item.by.span.text in ("load", "utilisation"):
            self.load = item.by
            return
        by = self._one_of(item.by, LINK_COLOURS, "cables can be coloured by several things;")
        if by not in ("link", "lanes"):
            self.look, self.by = evolve(self.look, by=by), item.by
            return
        kinds = list(link_kinds(self.plan))
        names = sorted({_sort(self.plan, kind, by) for kind in kinds})
        colour = {name: palette.LINES[i % len(palette.LINES)] for i, name in enumerate(names)}
        legend = [line_entry(f"legend-{identifier(name)}", name, colour[name]) for name in names]
        colours = {kind: colour[_sort(self.plan, kind, by)] for kind in kinds}
        self.look = evolve(self.look, rule_colours=colours, legend=legend)

    def _types(self, what: tree.Word) -> list[str]:
        """Return the types that a word of `color` or `label` means, in order of key."""
        name = tree.Name(what.text, span=what.span)
        places = self._places(name)
        return sorted({child.type for place, child in arrays(self.plan) if place in places})

    def _colour_parts(self, item: tree.Colour) -> None:
        types = self._types(item.what)
        texts = {key: self._part_text(key, item.by) for key in types}
        names = sorted(set(texts.values()))
        looks = {name: palette.SORTS[i % len(palette.SORTS)] for i, name in enumerate(names)}
        legend = [box_entry(f"legend-part-{identifier(name)}", name, look) for name, look in looks.items()]
        self.look = evolve(
            self.look,
            part_looks={**self.look.part_looks, **{key: looks[text] for key, text in texts.items()}},
            part_legend=[*self.look.part_legend, *legend],
        )

    def _label(self, item: tree.LabelBy) -> None:
        if item.what.text != "link":
            texts = {key: self._part_text(key, item.by) for key in self._types(item.what)}
            self.look = evolve(self.look, part_texts={**self.look.part_texts, **texts})
            return
        by = self._one_of(item.by, LINK_LABELS, "cables can be labelled by several things;")
        if by != "bandwidth":
            self.look = evolve(self.look, link_text=link_text(by))

    def _part_text(self, key: str, by: tree.Expr) -> str:
        kind = self.plan.type(key)
        word = self._one_of(by, [*PART_WORDS, *kind.fields], f"of `{key}`,")
        if word == "none":
            return ""
        if word in ("type", "name"):
            return key
        if word == "kind":
            return kind.kind
        return value_text(kind.fields[word])

    def _layout(self, item: tree.Layout) -> Layout:
        word = self._one_of(item.name, LAYOUTS, "the layout")
        return next(name for name in LAYOUTS if name == word)


def link_text(by: str) -> LinkText:
    """Return what is written on a bundle, by one of `LINK_LABELS`."""

    def write(plan: Plan, key: str, rules: Sequence[Rule], cables: int) -> str:
        rule = rules[0]
        many = "cable" if cables == 1 else "cables"
        match by:
            case "bandwidth":
                return sum_text(cables, cable_rate(plan, rule.link, rule.lanes))
            case "count":
                return f"{cables:,} {many}"
            case "rate":
                return f"{cables:,} × {rate_text(cable_rate(plan, rule.link, rule.lanes))}"
            case "none":
                return f"{cables:,}"
        return f"{cables:,} × {_sort(plan, (rule.link, rule.lanes), by)}"

    return write


def _sort(plan: Plan, kind: tuple[str, int], by: str) -> str:
    link, lanes = kind
    match by:
        case "link":
            return link
        case "protocol":
            return plan.links[link].protocol
        case "lanes":
            return f"{lanes} lanes"
    return palette.medium_name(medium(plan, link))


def _picks(path: Sequence[Step]) -> bool:
    """Return whether a path names some elements of an array and not others."""
    return any(not isinstance(each, tree.Star) for step in path for each in step.subscripts)


def _of_links(target: tree.Selector) -> bool:
    match target:
        case tree.LinkBetween():
            return True
        case tree.All():
            return target.path[0].text == "link"
        case tree.Name():
            return target.text == "link"
        case tree.Binary():
            return _of_links(target.left)
    return False
