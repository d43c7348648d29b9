"""Selections on the plan: `all npu in pod[3] where …`, `cabinet[0].board`, `up[0..1]`, with multiplicities.

Nothing is listed: a selection is a handful of (type, how many) pairs, whatever the size of the machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from unifiedbus_dsl.base.units import number
from unifiedbus_dsl.diagnostics import Sink, rename
from unifiedbus_dsl.diagnostics.suggest import did_you_mean
from unifiedbus_dsl.ir.plan import AssemblyType, DeviceType, Link, PlanType, Value
from unifiedbus_dsl.ir.plan.index import count_points
from unifiedbus_dsl.semantic.connect.port_views import port_names, port_pieces
from unifiedbus_dsl.semantic.connect.references import Step, path_steps
from unifiedbus_dsl.semantic.select.picking import children_picked, port_numbers, ports_picked
from unifiedbus_dsl.semantic.select.set_reader import Read, SetReader, help_for, is_set
from unifiedbus_dsl.semantic.select.sets import Target
from unifiedbus_dsl.semantic.select.type_scope import Cables, Item, Parts, Ports, Selection, TypeScope
from unifiedbus_dsl.semantic.values.evaluate import Evaluator
from unifiedbus_dsl.semantic.values.values import Poison
from unifiedbus_dsl.syntax import tree
from unifiedbus_dsl.syntax.traversal import walk
from unifiedbus_dsl.vocabulary import attributes, foreign

MOST_LISTED = 8
"""Names that a help line lists."""


# ---- selections -------------------------------------------------------------------------------------------------


@frozen(eq=False)
class Selector:
    """Reads selections against a machine."""

    machine: TypeScope
    evaluator: Evaluator

    def select(self, node: tree.Expr) -> Selection | None:
        """Return what an expression selects; None after a diagnostic."""
        if is_set(node):
            return self._set(node)
        if isinstance(node, tree.All):
            return self._all(node)
        path = path_steps(node)
        if path is None:
            self.evaluator.sink.error(
                "UB0518",
                "a selection is wanted: `all npu`, a part or a port",
                node.span,
                "selects nothing",
                help=help_for(node),
            )
            return None
        subject = self.machine.types[self.machine.subject]
        if isinstance(subject, DeviceType):
            numbers = port_numbers(subject, node, self.evaluator, set())
            return None if numbers is None else Selection(tuple(_device_ports(subject, numbers)), node.span)
        return self._path(node, path, subject)

    # -- joined and parted

    def read_set(self, node: tree.Expr) -> Read | None:
        """Return a selection of several; None after a diagnostic."""
        return SetReader(self).read(node)

    def _set(self, node: tree.Expr) -> Selection | None:
        read = self.read_set(node)
        if read is None:
            return None
        items = [self._item(target, count) for target, count in read.sets.count().items()]
        return Selection(tuple(items), node.span, read.field, whole=False, broken=read.broken())

    def _item(self, target: Target, count: int) -> Item:
        kind = self.machine.types[target[1]]
        if target[0] == "part":
            return Parts(kind, count)
        if isinstance(kind, DeviceType):
            port = kind.by_name[target[2]]
            return Ports(port.protocol, port.lanes, count)
        rule = kind.rules[int(target[2])]
        each = count_points(rule.axes, rule.where)
        begun = count // each * (each - rule.merged) if each else 0
        return Cables(self.machine.links[rule.link], rule, begun, count)

    def targets(self, node: tree.All) -> tuple[list[Target], tree.Word | None] | None:
        """Return what `all NAME where …` means anywhere in the machine, and the field behind it; None after a
        diagnostic."""
        sorted_out = self.sort(node, {self.machine.subject: 1})
        if sorted_out is None:
            return None
        words = [word.text for word in node.path]
        listed = self._target_fields(words[0]) if words[0] in ("link", "port") else {
            ("part", item.type.key): _fields(item) for item in sorted_out[0] if isinstance(item, Parts)
        }  # fmt: skip
        if node.where is None:
            return list(listed), sorted_out[1]
        held = count_inside(node.where, list(listed.values()), self.evaluator)
        if held is None:
            return None
        return [target for target, yes in zip(listed, held, strict=True) if yes], sorted_out[1]

    def _target_fields(self, word: str) -> dict[Target, dict[str, Value]]:
        """Return all port arrays, or the rules of all cables, with what a condition may ask of them."""
        machine, target_fields = self.machine, dict[Target, dict[str, Value]]()
        for key in machine.census(machine.subject):
            kind = machine.types[key]
            if isinstance(kind, DeviceType) and word == "port":
                for port in kind.ports:
                    target_fields["port", key, port.name] = _fields(Ports(port.protocol, port.lanes, 1))
            elif isinstance(kind, AssemblyType) and word == "link":
                for number, rule in enumerate(kind.rules):
                    if rule.link in machine.links:
                        target_fields["link", key, str(number)] = fields_of_cables(machine.links[rule.link], rule.lanes)
        return target_fields

    def nothing(self, node: tree.Expr) -> None:
        """Say that a selection matches nothing."""
        empty_selection(node, self.machine, self.evaluator.sink)

    def _path(self, node: tree.Expr, path: list[Step], subject: AssemblyType) -> Selection | None:
        found = self._below(node, path, 0, subject, 1)
        if found is None:
            return None
        items, word = tuple(item for each in found for item in each.items), found[0].field
        return Selection(items, node.span, word, whole=False)

    def _below(self, node: tree.Expr, path: list[Step], at: int, here: PlanType, count: int) -> list[Selection] | None:
        """Return what a path selects from a step on, in so many instances of a type: one selection for each type that
        its parts are of. None after a diagnostic."""
        if at == len(path):
            return [Selection((Parts(here, count),), node.span, whole=False)]
        children = here.arrays.get(path[at].word.text) if isinstance(here, AssemblyType) else None
        if children is None:
            last = self._last(node, path, at, here, count)
            return None if last is None else [last]
        picked = children_picked(path[at], children, self.evaluator)
        if picked is None:
            return None
        found = list[Selection]()
        for child, elements in picked:
            inside = self._below(node, path, at + 1, self.machine.types[child.type], count * len(elements))
            if inside is None:
                return None
            found += inside
        return found

    def _last(self, node: tree.Expr, path: list[Step], at: int, here: PlanType, count: int) -> Selection | None:
        """Return the last step of a path that is no part: a port, or a field."""
        step = path[at]
        pieces = port_pieces(self.machine.types, here.key, step.word.text)
        if pieces and at == len(path) - 1:
            picked = ports_picked(step, pieces, self.evaluator)
            if picked is None:
                return None
            items = tuple(Ports(piece.protocol, piece.lanes, count * len(places)) for piece, places in picked)
            return Selection(items, node.span, whole=False)
        if at == len(path) - 1 and step.word.text in here.fields:
            return Selection((Parts(here, count),), node.span, step.word, whole=False)
        if at == len(path) - 1 and step.word.text == "ports" and isinstance(here, DeviceType):
            return Selection(tuple(_device_ports(here, list(range(here.radix)), count)), node.span, whole=False)
        if not self.evaluator.scope.is_quiet(step.word.text):
            legal = [*here.arrays] if isinstance(here, AssemblyType) else []
            legal += port_names(here)
            guess = did_you_mean(step.word.text, legal) or self._of_a_kind(path, at)
            self.evaluator.sink.error(
                "UB0220",
                f"`{here.key}` has no part or port `{step.word.text}`",
                step.word.span,
                "unknown",
                help=(f"did you mean `{guess}`?" if guess else self._there(step, here, legal),),
                fix=rename(step.word.span, guess) if len(path) == at + 1 else None,
            )
        return None

    def _of_a_kind(self, path: Sequence[Step], at: int) -> str | None:
        """`all npu` where the name of a kind stands alone or behind that of the system, or a word of another trade for
        one."""
        if at == 0 and len(path) == 2 and path[0].word.text in self.evaluator.scope.module.systems:
            path = path[1:]
        step, length = path[at], len(path)
        word = foreign.KINDS.get(step.word.text.casefold(), step.word.text)
        kinds = (*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY, "link", "port")
        types = [key.rpartition(".")[2] for key in self._type_names()]
        same = next((name for name in types if name.casefold() == step.word.text.casefold()), None)
        if same is not None and at == 0 and length == 1 and not step.subscripts:
            return f"all {same}"
        there = self._named((word,), {self.machine.subject: 1}) if word in kinds else None
        if there and at == 0 and length == 2 and not any(each.subscripts for each in path):
            return f"all {word}.{path[1].word.text}"
        return f"all {word}" if at == 0 and length == 1 and not step.subscripts and there else None

    def _deeper(self, name: str, start: str) -> str:
        """Return the path to the nearest part of a name inside a type; empty where there is none."""
        paths, known = [("", start)], {start}
        for path, key in paths:
            kind = self.machine.types[key]
            for child in kind.children if isinstance(kind, AssemblyType) else ():
                below = f"{path}{child.name}{'[*]' if child.shape else ''}"
                if child.name == name:
                    return below
                if child.type not in known:
                    known.add(child.type)
                    paths.append((f"{below}.", child.type))
        return ""

    def _type_names(self) -> list[str]:
        """Return the names of the types that are inside the subject, in order."""
        return sorted({key.partition("(")[0] for key in self.machine.contents(self.machine.subject)})

    def _there(self, step: Step, here: PlanType, legal: Sequence[str]) -> str:
        """Return what a path may go on with."""
        module = self.evaluator.scope.module
        if step.word.text in module.questions.get("traffic", {}):
            return f"`{step.word.text}` is a traffic, and a selection is wanted, such as `all npu`"
        if here.key == self.machine.subject and step.word.text in module.systems:
            return "a path begins inside the system: leave the name of the system out"
        if here.key == self.machine.subject and step.word.text in attributes.attributes("device"):
            return f"a field stands behind a selection: `all npu.{step.word.text}`"
        deeper = self._deeper(step.word.text, here.key)
        if deeper:
            return f"`{step.word.text}` is deeper inside: `{deeper}`"
        more = ", …" if len(legal) > MOST_LISTED else ""
        listed = ", ".join(f"`{name}`" for name in legal[:MOST_LISTED]) + more
        return f"`{here.key}` has {listed or 'neither'}"

    # -- all …

    def _all(self, node: tree.All) -> Selection | None:
        sorted_out = self.sort(node, {self.machine.subject: 1})
        if sorted_out is None:
            return None
        items, field_name = sorted_out
        if node.where is not None:
            kept = self._filter(items, node.where)
            if kept is None:
                return None
            items = kept
        return Selection(tuple(items), node.span, field_name)

    def sort(self, node: tree.All, roots: dict[str, int]) -> tuple[list[Item], tree.Word | None] | None:
        """Return what the dotted name after `all` means: its longest beginning that is a kind or type, then a field."""
        words = [word.text for word in node.path]
        for length in range(len(words), max(0, len(words) - 2), -1):
            items = self._named(tuple(words[:length]), roots)
            if items is not None:
                return items, node.path[length] if length < len(words) else None
        name = ".".join(words)
        if self.evaluator.scope.is_quiet(words[0]):
            return None
        types = self.evaluator.scope.module.of_sort(tree.TypeDef) or self._built_types()
        kinds = [*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY, "link", "port"]
        guess = foreign.KINDS.get(words[0].casefold()) or did_you_mean(
            words[0] if len(words) > 1 else name, [*kinds, *types]
        )
        span = node.path[0].span.to(node.path[-1].span)
        other = self._other(tuple(words), node)
        self.evaluator.sink.error(
            "UB0224",
            f"`all {name}` names no kind or type",
            span,
            "unknown kind or type",
            help=(other or (f"did you mean `all {guess}`?" if guess else "kinds are " + ", ".join(kinds)),),
            fix=None if other else rename(span if len(words) == 1 else node.path[0].span, guess),
        )
        return None

    def _other(self, name: tuple[str, ...], node: tree.All) -> str:
        """Return what to write where the name is that of something else; empty where it is of nothing."""
        definition = self.evaluator.scope.definition(name)
        noun = {tree.LinkDef: "link", tree.ProtocolDef: "protocol"}.get(type(definition.node)) if definition else None
        if noun is not None:
            return f"`{'.'.join(name)}` is a {noun}: write `all link where {noun} == {'.'.join(name)}`"
        subject = self.machine.types.get(self.machine.subject)
        if isinstance(subject, AssemblyType) and name[0] in subject.arrays:
            kind = self.machine.types[subject.arrays[name[0]][0].type].kind
            return f"`{name[0]}` is a part: leave `all` out, or write `all {kind}`, which is its kind"
        return ""

    def _named(self, name: tuple[str, ...], roots: dict[str, int]) -> list[Item] | None:
        if name == ("link",):
            return list(self.machine.rules(roots))
        totals: dict[str, int] = {}
        for root, times in roots.items():
            for key, count in self.machine.contents(root).items():
                totals[key] = totals.get(key, 0) + times * count
        kinds = {key: self.machine.types[key] for key in totals}
        if name == ("port",):
            return [
                port
                for key, kind in kinds.items()
                if isinstance(kind, DeviceType)
                for port in _device_ports(kind, list(range(kind.radix)), totals[key])
            ]
        if len(name) == 1 and name[0] in (*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY):
            return [Parts(kind, totals[key]) for key, kind in kinds.items() if kind.kind == name[0]]
        wanted = self._sort_of(name)
        if wanted is None:
            return None
        return [Parts(kind, totals[key]) for key, kind in kinds.items() if is_of_kind(key, wanted)]

    def _sort_of(self, name: tuple[str, ...]) -> frozenset[str] | None:
        """Return the names of all types that are of the one named; None where there is no such type.

        A machine without its text, as a fabric file is, has the types that it is built of.
        """
        definition = self.evaluator.scope.definition(name)
        if definition is not None:
            return self.machine.sort_of(definition) if isinstance(definition.node, tree.TypeDef) else None
        built = ".".join(name)
        return frozenset({built}) if built in self._built_types() else None

    def _built_types(self) -> frozenset[str]:
        """Return the names of the types that a machine without its text is built of."""
        if self.evaluator.scope.module.of_sort(tree.TypeDef):
            return frozenset()
        return frozenset(key.partition("(")[0] for key in self.machine.types)

    def _filter(self, items: list[Item], where: tree.Expr) -> list[Item] | None:
        """Return the items for which a condition on their fields holds; those without such a field are left out."""
        held = count_inside(where, [_fields(item) for item in items], self.evaluator)
        return None if held is None else [item for item, yes in zip(items, held, strict=True) if yes]


def empty_selection(node: tree.Expr, machine: TypeScope, sink: Sink) -> None:
    """Say that a selection matches nothing, and what there is."""
    sink.error("UB0417", "the selection matches nothing", node.span, "empty", help=(_what_there_is(node, machine),))


def _what_there_is(node: tree.Expr, machine: TypeScope) -> str:
    subject = machine.types[machine.subject]
    inside = sorted({machine.types[key].kind for key in machine.contents(machine.subject)})
    listed = ", ".join(f"`all {kind}`" for kind in inside) or "nothing"
    if not isinstance(node, tree.All):
        return f"inside there are {listed}"
    word = node.path[0].text
    if word == subject.kind or is_of_kind(subject.key, frozenset({word})):
        return f"this {subject.kind} is what is asked about, and `all` names what is inside it: {listed}"
    if node.scope is not None and node.where is None:
        return f"nothing of the sort is inside `{node.scope.span.text.strip()}`"
    if node.where is not None:
        return f"the condition holds for none of `all {'.'.join(word.text for word in node.path)}`"
    return f"inside there are {listed}"


def is_of_kind(key: str, names: frozenset[str]) -> bool:
    """Return whether a type of the plan bears one of these names, with whatever arguments."""
    return key.partition("(")[0] in names


def count_inside(
    where: tree.Expr,
    parts: Sequence[Mapping[str, Value]],
    evaluator: Evaluator,
    words: frozenset[str] = frozenset(),
) -> list[bool] | None:
    """For which parts, each given by its fields, a condition holds; None after a diagnostic.

    It does not hold for a part without one of the fields that are asked for and that other parts have. The fields may
    be compared with media, with what they say themselves, and with `words`.
    """
    known = {name for fields in parts for name in fields}
    asked = {each.text for each in walk(where) if isinstance(each, tree.Name)} & known
    if "kind" in asked:
        words |= frozenset((*attributes.KINDS_OF_DEVICE, *attributes.KINDS_OF_ASSEMBLY))
    words |= frozenset(attributes.MEDIA) | {v for fields in parts for v in fields.values() if isinstance(v, str)}
    inside = []
    for fields in parts:
        if asked - set(fields):
            inside.append(False)
            continue
        truth = Evaluator(evaluator.scope, evaluator.sink, words=words, extra=dict(fields)).truth(where)
        if truth is None or isinstance(truth, Poison):
            return None
        inside.append(truth)
    return inside


def fields_of(kind: PlanType) -> dict[str, Value]:
    """Return what a condition may ask of a device or assembly."""
    return {"kind": kind.kind, "type": kind.key, **kind.fields}


def fields_of_cables(link: Link, lanes: int) -> dict[str, Value]:
    """Return what a condition may ask of the cables of a rule."""
    return {"link": link.name, "protocol": link.protocol, "lanes": number(lanes), **link.fields}


def _fields(item: Item) -> dict[str, Value]:
    match item:
        case Parts(kind, _):
            return fields_of(kind)
        case Cables(link=link, rule=rule):
            return fields_of_cables(link, rule.lanes)
        case Ports(protocol, lanes, _):
            return {"protocol": protocol, "lanes": number(lanes)}


def _device_ports(device: DeviceType, numbers: list[int], times: int = 1) -> list[Ports]:
    """Return the chosen ports of `times` devices, by port array."""
    device_ports, start = [], 0
    chosen = np.array(numbers)
    for port in device.ports:
        inside = int(np.count_nonzero((chosen >= start) & (chosen < start + port.count)))
        if inside:
            device_ports.append(Ports(port.protocol, port.lanes, inside * times))
        start += port.count
    return device_ports


def ports_of(items: tuple[Item, ...]) -> list[Ports] | None:
    """Return the ports of a selection: of its devices, or themselves; None if it has neither."""
    ports: list[Ports] = []
    for item in items:
        match item:
            case Ports():
                ports.append(item)
            case Parts(DeviceType() as device, count):
                ports += _device_ports(device, list(range(device.radix)), count)
            case _:
                return None
    return ports
