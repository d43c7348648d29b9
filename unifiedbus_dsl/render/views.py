"""A `view` block against a plan: what is left out, folded and closed, and how the rest looks.

A view speaks of arrays of parts, as a picture does: all elements of an array look alike. Names mean a kind, a type, a
part at any level, or a path from the system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

from attrs import define, evolve, field, frozen

from unifiedbus_dsl import schema
from unifiedbus_dsl.diagnostics import rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.elaborate.evaluate import Evaluator
from unifiedbus_dsl.elaborate.references import Step, steps
from unifiedbus_dsl.elaborate.values import value_text
from unifiedbus_dsl.plan import AssemblyType, Child, DeviceType, Plan, Port, Rule, Value
from unifiedbus_dsl.render import palette
from unifiedbus_dsl.render.facts import (
    Survey,
    cable_rate,
    has_end_point,
    has_npu,
    medium,
    port_kind,
    rate_text,
    sum_text,
)
from unifiedbus_dsl.render.look import LinkText, Look
from unifiedbus_dsl.render.marks import Box, Line, Mark, Text, identifier, straight
from unifiedbus_dsl.source import Span
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.units import number

_Type = TypeVar("_Type")
Layout: TypeAlias = Literal["overview", "detail", "floor"]
LAYOUTS: tuple[Layout, ...] = ("overview", "detail", "floor")
Place: TypeAlias = tuple[str, str]
"""An array: the assembly type that has it, and its name there."""

LINK_LABELS = ("bandwidth", "count", "rate", "link", "medium", "protocol", "lanes", "none")
LINK_COLOURS = ("medium", "link", "protocol", "lanes", "load")
PART_WORDS = ("type", "kind", "name", "none")
MOST_CELLS = 100
"""More parts of one array side by side are no overview."""


@frozen(eq=False)
class View:
    """A view that was understood. `key` is the type to draw; `load` asks for utilisation of cables in that colour."""

    survey: Survey
    key: str
    layout: Layout
    load: tree.Expr | None = None
    span: Span | None = None
    """Where the view is written."""

    @property
    def plan(self) -> Plan:
        return self.survey.plan

    def looking(self, look: Look) -> View:
        """The same with another look."""
        return evolve(self, survey=evolve(self.survey, look=look))


class _Refused(Exception):  # noqa: N818 - carries no message: the diagnostic is in the sink
    """The view is wrong, and a diagnostic says so."""


def read_view(view: tree.View, plan: Plan, evaluator: Evaluator, layout: Layout | None = None) -> View | None:
    """What a view asks for; None after a diagnostic. `layout` goes before what the view says."""
    try:
        return _Reader(plan, evaluator).read(view, layout)
    except _Refused:
        return None


def collapsed(plan: Plan, places: frozenset[Place]) -> Plan:
    """The plan in which the assemblies of these arrays are boxes with ports and nothing inside."""
    keys = {child.type for place, child in _arrays(plan) if place in places and child.type in plan.assemblies}
    boxes = {key: _as_device(plan, plan.assemblies[key]) for key in keys}
    rest = {key: a for key, a in plan.assemblies.items() if key not in keys}
    return _reachable(evolve(plan, devices=_sorted({**plan.devices, **boxes}), assemblies=rest))


def helpful_collapse(plan: Plan, most: int) -> tuple[str, int] | None:
    """The kind of assembly whose collapse leaves most devices and no more than `most`, and how many these are."""
    found: list[tuple[int, str]] = []
    for kind in schema.KINDS_OF_ASSEMBLY:
        places = frozenset(
            place for place, child in _arrays(plan) if child.type in plan.assemblies and _kind(plan, child) == kind
        )
        if places:
            smaller = collapsed(plan, places)
            count = smaller.device_count[smaller.root]
            if count <= most:
                found.append((count, kind))
    return max(((kind, count) for count, kind in found), key=lambda each: each[1], default=None)


# ---- reading ----------------------------------------------------------------------------------------------------


@define(eq=False)
class _Reader:
    plan: Plan
    evaluator: Evaluator
    hidden: set[Place] = field(factory=set)
    lost: list[Callable[[str, Rule], bool]] = field(factory=list)
    look: Look = field(factory=Look)
    load: tree.Expr | None = None
    key: str = ""
    notes: list[tuple[str, str]] = field(factory=list)

    def read(self, view: tree.View, layout: Layout | None) -> View:
        self.key = self.plan.root
        found: Layout = "overview"
        shown = [item for item in view.items if isinstance(item, tree.Show)]
        if shown:
            self._show([target for item in shown for target in item.targets])
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
                    found = self._layout(item)
                case tree.Title():
                    self.look = evolve(self.look, title=item.text.value)
        plan = self.plan
        if self.hidden or self.lost:
            plan = _without(plan, frozenset(self.hidden), self.lost)
            if self.key not in plan.assemblies or not plan.assemblies[self.key].children:
                self._refuse(view.name, "this view hides everything", "show some part, or hide less")
        look = evolve(self.look, notes=self.notes)
        return View(
            Survey(plan, look, None if plan is self.plan else self.plan),
            self.key,
            layout or found,
            self.load,
            view.name.span,
        )

    def _refuse(self, node: tree.Node, message: str, help: str = "", word: str | None = None) -> None:
        fix = rename(node.span, word)
        self.evaluator.sink.error("UB0810", message, node.span, "here", help=(help,) if help else (), fix=fix)
        raise _Refused

    def _one_of(self, node: tree.Node, legal: Sequence[str], what: str) -> str:
        word = " ".join(node.span.text.split())
        if word not in legal:
            guess = did_you_mean(word, legal)
            listed = ", ".join(f"`{name}`" for name in legal)
            help = f"did you mean `{guess}`?" if guess else f"there are {listed}"
            self._refuse(node, f"{what} `{word}` is unknown", help, guess)
        return word

    # -- filters

    def _show(self, targets: Sequence[tree.Selector]) -> None:
        links = [self._rules(target) for target in targets if _of_links(target)]
        if links:
            self.lost.append(lambda key, rule: not any(test(key, rule) for test in links))
        parts = [target for target in targets if not _of_links(target)]
        if not parts:
            return
        if len(targets) == 1 and self._zoom(parts[0]):
            return
        wanted = {place for target in parts for place in self._places(target)}
        self.hidden |= {place for place, _ in _arrays(self.plan)} - _around(self.plan, wanted)
        self.notes.append((f"only {', '.join(' '.join(t.span.text.split()) for t in targets)}", ""))

    def _zoom(self, target: tree.Selector) -> bool:
        """`show cabinet[0]`: a picture of that part alone."""
        path = None if isinstance(target, tree.All | tree.LinkBetween) else steps(target)
        if path is None or not _picks(path):
            return False
        (place,) = self._path(path)
        child = next(child for at, child in _arrays(self.plan) if at == place)
        if child.type not in self.plan.assemblies:
            self._refuse(target, f"`{child.type}` is a device, which has no parts to draw", "show what holds it")
        self.key = child.type
        return True

    def _hide(self, item: tree.Hide) -> None:
        for target in item.targets:
            if _of_links(target):
                self.lost.append(self._rules(target))
                continue
            path = None if isinstance(target, tree.All | tree.LinkBetween) else steps(target)
            if path is not None and _picks(path):
                self._refuse(target, "a view hides whole arrays: equal parts look alike", "leave the subscripts out")
            places = self._places(target)
            if item.where is not None:
                places = {place for place in places if self._holds(item.where, self._fields(place))}
            self.hidden |= places
        self.notes.append((f"without {' '.join(item.span.text.split()).removeprefix('hide ')}", ""))

    def _rules(self, target: tree.Selector) -> Callable[[str, Rule], bool]:
        """Which cables a target means."""
        if isinstance(target, tree.LinkBetween):
            left, right = (self._places(side) for side in (target.left, target.right))

            def joins(key: str, rule: Rule) -> bool:
                a, b = (key, rule.left.child), (key, rule.right.child)
                return (a in left and b in right) or (a in right and b in left)

            return joins
        if not isinstance(target, tree.All) or target.where is None:
            return lambda key, rule: True
        where, plan = target.where, self.plan
        kept: dict[tuple[str, int], bool] = {}
        for kind in _link_kinds(plan):
            link = plan.links[kind[0]]
            fields: dict[str, Value] = {"link": link.name, "protocol": link.protocol, **link.fields}
            kept[kind] = self._holds(where, {**fields, "lanes": number(kind[1])})
        return lambda key, rule: kept[rule.link, rule.lanes]

    def _holds(self, where: tree.Expr, fields: Mapping[str, Value]) -> bool:
        words = frozenset(schema.MEDIA) | {value for value in fields.values() if isinstance(value, str)}
        inner = Evaluator(self.evaluator.scope, self.evaluator.sink, words=words, extra=fields)
        before = len(list(self.evaluator.sink))
        truth = inner.truth(where)
        if len(list(self.evaluator.sink)) > before:
            raise _Refused
        return truth is True

    def _fields(self, place: Place) -> dict[str, Value]:
        child = next(child for at, child in _arrays(self.plan) if at == place)
        kind = self.plan.type(child.type)
        return {"kind": kind.kind, "type": kind.key, "name": child.name, **kind.fields}

    # -- what targets mean

    def _places(self, target: tree.Selector) -> set[Place]:
        """The arrays that a target means."""
        if isinstance(target, tree.All):
            name = ".".join(word.text for word in target.path)
            found = {place for place, child in _arrays(self.plan) if self._is_called(child, name, parts=False)}
            if target.scope is not None:
                path = steps(target.scope)
                around = self._path(path) if path else set()
                found &= {place for place in _around(self.plan, around) if place not in around}
            if target.where is not None:
                found = {place for place in found if self._holds(target.where, self._fields(place))}
        else:
            path = None if isinstance(target, tree.LinkBetween) else steps(target)
            if path is None:
                self._refuse(target, "a view names parts: a kind, a type, a part, or a path")
                return set()
            if len(path) == 1:
                name = path[0].word.text
                found = {place for place, child in _arrays(self.plan) if self._is_called(child, name, parts=True)}
            else:
                found = self._path(path)
        if not found:
            self._refuse(target, f"`{' '.join(target.span.text.split())}` is not in this system", "it matches nothing")
        return found

    def _is_called(self, child: Child, name: str, *, parts: bool) -> bool:
        own = child.type.split("(")[0].split("@")[0]
        return name in (_kind(self.plan, child), own, own.rpartition(".")[2]) or (parts and name == child.name)

    def _path(self, path: Sequence[Step]) -> set[Place]:
        key = self.plan.root
        place: Place = ("", "")
        for step in path:
            kind = self.plan.assemblies.get(key)
            child = next((c for c in kind.children if c.name == step.word.text), None) if kind else None
            if child is None:
                self._refuse(step.word, f"`{key}` has no part `{step.word.text}`")
                break
            place, key = (key, child.name), child.type
        return {place}

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
            max(child.shape, default=1) > MOST_CELLS for place, child in _arrays(self.plan) if place in places
        ):
            node = item.keep or item.target
            self.evaluator.sink.error(
                "UB0801",
                f"this view would draw {keep:,} parts side by side, and {MOST_CELLS} are the most",
                node.span,
                "too many marks",
                help=(f"`fold {' '.join(item.target.span.text.split())} keep 8`",),
            )
            raise _Refused
        self.look = evolve(self.look, kept={**self.look.kept, **dict.fromkeys(places, keep + 1)})

    # -- looks

    def _colour(self, item: tree.Colour) -> None:
        if item.what.text != "link":
            self._colour_parts(item)
            return
        if isinstance(item.by, tree.Call) or item.by.span.text in ("load", "utilisation"):
            self.load = item.by
            return
        by = self._one_of(item.by, LINK_COLOURS, "cables can be coloured by several things;")
        if by == "medium":
            return
        kinds = list(_link_kinds(self.plan))
        names = sorted({_sort(self.plan, kind, by) for kind in kinds})
        colour = {name: palette.LINES[i % len(palette.LINES)] for i, name in enumerate(names)}
        legend = [_line_entry(f"legend-{identifier(name)}", name, colour[name]) for name in names]
        colours = {kind: colour[_sort(self.plan, kind, by)] for kind in kinds}
        self.look = evolve(self.look, rule_colours=colours, legend=legend)

    def _types(self, what: tree.Word) -> list[str]:
        """The types that a word of `color` or `label` means, in order of key."""
        name = tree.Name(what.text, span=what.span)
        places = self._places(name)
        return sorted({child.type for place, child in _arrays(self.plan) if place in places})

    def _colour_parts(self, item: tree.Colour) -> None:
        types = self._types(item.what)
        texts = {key: self._part_text(key, item.by) for key in types}
        names = sorted(set(texts.values()))
        looks = {name: palette.SORTS[i % len(palette.SORTS)] for i, name in enumerate(names)}
        self.look = evolve(
            self.look,
            part_looks={**self.look.part_looks, **{key: looks[text] for key, text in texts.items()}},
            part_legend=[*self.look.part_legend, *(_box_entry(name, looks[name]) for name in names)],
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
    """What is written on a bundle, by one of `LINK_LABELS`."""

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


def _line_entry(id: str, text: str, colour: str) -> list[Mark]:
    line = Line(f"{id}-line", straight((0.0, 0.0), (22.0, 0.0)), colour, 3.0, role="legend")
    return [line, Text(id, 28, 0, text, 11, False, palette.QUIET, "start", role="legend")]


def _box_entry(text: str, look: palette.Look) -> list[Mark]:
    id = f"legend-part-{identifier(text)}"
    box = Box(f"{id}-box", 0, -6, 18, 12, look.fill, look.stroke, role="legend")
    return [box, Text(id, 24, 0, text, 11, False, palette.QUIET, "start", role="legend")]


# ---- plans with parts left out -----------------------------------------------------------------------------------


def _arrays(plan: Plan) -> Iterator[tuple[Place, Child]]:
    """Every array below the root, by where it is."""
    for key in plan.bottom_up:
        for child in plan.assemblies[key].children:
            yield (key, child.name), child


def _kind(plan: Plan, child: Child) -> str:
    return plan.type(child.type).kind


def _picks(path: Sequence[Step]) -> bool:
    """Whether a path names some elements of an array and not others."""
    return any(not isinstance(each, tree.Star) for step in path for each in step.subscripts)


def _of_links(target: tree.Selector) -> bool:
    match target:
        case tree.LinkBetween():
            return True
        case tree.All():
            return target.path[0].text == "link"
        case tree.Name():
            return target.text == "link"
    return False


def _link_kinds(plan: Plan) -> Iterator[tuple[str, int]]:
    """Link and lanes of all cables, each once."""
    rules = (rule for key in plan.bottom_up for rule in plan.assemblies[key].rules)
    yield from dict.fromkeys((rule.link, rule.lanes) for rule in rules)


def _around(plan: Plan, wanted: Iterable[Place]) -> set[Place]:
    """These arrays, what is in them, and what they are in."""
    arrays = dict(_arrays(plan))
    chosen = set(wanted)
    inside: set[str] = set()

    def visit(key: str) -> None:
        if key in plan.assemblies and key not in inside:
            inside.add(key)
            for child in plan.assemblies[key].children:
                visit(child.type)

    for place in chosen:
        visit(arrays[place].type)
    holding: set[str] = set()
    kept = chosen | {place for place in arrays if place[0] in inside}
    for place, child in arrays.items():  # parts before what holds them
        if place in chosen or child.type in holding:
            holding.add(place[0])
            kept.add(place)
    return kept


def _without(plan: Plan, hidden: frozenset[Place], lost: Sequence[Callable[[str, Rule], bool]]) -> Plan:
    """The plan without these arrays and cables, and without what then has no end or nothing in it."""
    made: dict[str, AssemblyType] = {}
    empty: set[str] = set()
    for key in plan.bottom_up:
        old = plan.assemblies[key]
        children = tuple(c for c in old.children if (key, c.name) not in hidden and c.type not in empty)
        if old.children and not children:
            empty.add(key)
        there = {c.name: c.type for c in children}

        def has(child: str, port: str, there: Mapping[str, str] = there) -> bool:
            if child not in there:
                return False
            inner = made.get(there[child])
            return inner is None or any(export.name == port for export in inner.exports)

        made[key] = evolve(
            old,
            children=children,
            exports=tuple(e for e in old.exports if has(e.ref.child, e.ref.port)),
            rules=tuple(
                rule
                for rule in old.rules
                if has(rule.left.child, rule.left.port)
                and has(rule.right.child, rule.right.port)
                and not any(test(key, rule) for test in lost)
            ),
            placements=tuple(p for p in old.placements if p.child in there),
            openings=(),
        )
    return _reachable(evolve(plan, assemblies=_sorted(made)))


def _reachable(plan: Plan) -> Plan:
    """The plan without types that nothing uses any more."""
    used = {plan.root, *plan.bottom_up}
    below = {child.type for key in plan.bottom_up for child in plan.assemblies[key].children}
    devices = {key: device for key, device in plan.devices.items() if key in below}
    return evolve(plan, devices=devices, assemblies={k: a for k, a in plan.assemblies.items() if k in used})


def _sorted(types: dict[str, _Type]) -> dict[str, _Type]:
    return {key: types[key] for key in sorted(types)}


def _as_device(plan: Plan, assembly: AssemblyType) -> DeviceType:
    """An assembly as a box with its exported ports; it looks like the most telling of what it holds."""
    key = assembly.key
    kind = "npu" if has_npu(plan, key) else "device" if has_end_point(plan, key) else "switch"
    ports = []
    for export in assembly.exports:
        lanes, protocol = port_kind(plan, assembly, export.ref.child, export.ref.port)
        ports.append(Port(export.name, export.shape, protocol, lanes, open=True))
    return DeviceType(key, kind, tuple(ports), doc=assembly.doc)
