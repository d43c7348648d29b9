"""A lift as text of the language: types, arrays, rules, and what keeps to none of them one by one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np
from attrs import define, field, frozen

from unifiedbus_dsl.base import units
from unifiedbus_dsl.base.units import Quantity
from unifiedbus_dsl.importer.lift.arrays import Array
from unifiedbus_dsl.importer.lift.classes import Class, End, ports_of, rows_of
from unifiedbus_dsl.importer.lift.fit import Affine, Range
from unifiedbus_dsl.importer.lift.machine import Ints, Machine
from unifiedbus_dsl.importer.lift.meshes import Mesh
from unifiedbus_dsl.importer.lift.rules import IndexRule, Lift, Listed
from unifiedbus_dsl.importer.lift.types_text import (
    Names,
    device_text,
    host_text,
    link_text,
    protocol_text,
    quantity_text,
    words_of_ports,
)

LETTERS = "ijklmnopqrstuvw"
MOST_LISTED = 24
"""Cables of a class that are written one by one; more are a list in a file of its own."""
LONGEST_LIST = 30_000
"""Cables in one file."""
MOST_EXCLUDED = 200
"""Cables that a rule may leave out; a class that lacks more of them is a list."""
HEAD = "# A network as it was found; see the map of its names beside this text."
"""What a text of a lift begins with."""
TIERS = {1: "leaf", 2: "spine", 3: "core"}


@frozen
class Exceptions:
    """Cables outside of the rules: `extra` are there and no rule has them, `lacking` a rule has and are not there, each
    as its two ends. `listed` cables are of classes without a rule."""

    extra: tuple[tuple[str, str], ...]
    lacking: tuple[tuple[str, str], ...]
    listed: int


@frozen(eq=False)
class Written:
    """The text, files beside it by name, the path of each part, the word for each type of device, and the exceptions
    to its rules."""

    text: str
    files: Mapping[str, str]
    paths: tuple[str, ...]
    types: Mapping[str, str]
    exceptions: Exceptions
    lengths_left_out: int

    @property
    def lines(self) -> int:
        """Lines that say something."""
        return sum(1 for line in self.text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def written(lift: Lift, tiers: Ints, stem: str) -> Written:
    """Return the text of a lift; `stem` begins the names of the files beside it."""
    return _Writer(lift, tiers, stem).run()


@define(eq=False)
class _Writer:
    lift: Lift
    tiers: Ints
    stem: str
    names: Names = field(factory=Names)
    files: dict[str, str] = field(factory=dict)
    words: dict[str, dict[str, str]] = field(init=False)
    array_names: dict[int, str] = field(factory=dict)
    extra: list[tuple[str, str]] = field(factory=list)
    lacking: list[tuple[str, str]] = field(factory=list)
    listed: int = 0
    row: Ints = field(init=False)

    @property
    def machine(self) -> Machine:
        return self.lift.machine

    def run(self) -> Written:
        machine, plan = self.machine, self.machine.plan
        self.row = self.lift.row
        self.words = words_of_ports(machine)
        self._name_arrays()
        lines = ["ubus 1", "", HEAD, ""]
        used = {machine.sorts[part.of.what][0] for part in self.lift.parts}
        kinds = [machine.kinds[number] for number in np.unique(machine.kind).tolist()]
        inner = {c.type for k in kinds if k.key in plan.assemblies for c in plan.assemblies[k.key].children}
        devices = [of for key, of in plan.devices.items() if key in inner or any(k.key == key for k in kinds)]
        spoken = {plan.links[link].protocol for link in used} | {p.protocol for of in devices for p in of.ports}
        lines += [protocol_text(plan.protocols[name], self.names) for name in sorted(spoken)]
        lines += [link_text(plan.links[name], self.names) for name in sorted(used)]
        free = self._free_ports()
        for of in devices:
            lines += device_text(of, self.names, self._device_words(of.key), free.get(of.key, ()))
        words = {**self.words, **{of.key: self._device_words(of.key) for of in devices}}
        for kind in kinds:
            if kind.key in plan.assemblies:
                lines += host_text(plan.assemblies[kind.key], self.names, kind, words, plan)
        words_of_types = {of.key: self.names.of(of.key, "T") for of in devices}
        root, system = self.names.free("Machine"), self.names.free(plan.system, "machine")
        lines += ["", f"module {root} {{"]
        lines += [f"  {text}" for text in (*self._arrays(), *self._cables())]
        lines += ["}", "", f"system {system} : {root}", ""]
        exceptions = Exceptions(tuple(self.extra), tuple(self.lacking), self.listed)
        left_out = sum(len(part.of.cables) for part in self.lift.parts if part.of.lengths > 1)
        return Written("\n".join(lines), dict(self.files), tuple(self._paths()), words_of_types, exceptions, left_out)

    # ---- types and arrays

    def _device_words(self, key: str) -> dict[str, str]:
        if key not in self.words:
            names = Names()
            self.words[key] = {p.name: names.of(p.name, "p") for p in self.machine.plan.devices[key].ports}
        return self.words[key]

    def _free_ports(self) -> dict[str, set[str]]:
        """Return the port arrays of each type of device of which some port has no cable somewhere."""
        machine = self.machine
        free_ports: dict[str, set[str]] = {}
        used = np.zeros(
            (machine.parts, int(max(machine.a_port.max(initial=0), machine.b_port.max(initial=0))) + 1), bool
        )
        used[machine.a, machine.a_port] = True
        used[machine.b, machine.b_port] = True
        for number, kind in enumerate(machine.kinds):
            mine = used[machine.kind == number]
            for array in kind.arrays:
                inside = mine[:, array.start : array.start + array.count]
                if inside.shape[1] < array.count or not inside.all():
                    self._open(free_ports, kind.key, array.name)
        return free_ports

    def _open(self, found: dict[str, set[str]], key: str, name: str) -> None:
        plan = self.machine.plan
        if key in plan.devices:
            found.setdefault(key, set()).add(name)
            return
        for child in plan.assemblies[key].children:
            if name.startswith(f"{child.name}_"):
                found.setdefault(child.type, set()).add(name.removeprefix(f"{child.name}_"))

    def _name_arrays(self) -> None:
        machine, arrays = self.machine, self.lift.arrays
        wanted = {}
        for role, array in arrays.items():
            kind = machine.kinds[int(machine.kind[array.parts[0]])]
            tier = int(self.tiers[array.parts[0]])
            wanted[role] = TIERS.get(tier, "switch") if kind.noun == "switch" else kind.noun
        for role, word in wanted.items():
            kind = machine.kinds[int(machine.kind[arrays[role].parts[0]])]
            alone = list(wanted.values()).count(word) == 1
            self.array_names[role] = self.names.free(word if alone else kind.key[:1].lower() + kind.key[1:], "part")

    def _arrays(self) -> Iterator[str]:
        for role, array in self.lift.arrays.items():
            kind = self.machine.kinds[int(self.machine.kind[array.parts[0]])]
            holes = ", ".join(_bracket(at) for at in _absent(array))
            sizes = ", ".join(map(str, array.sizes))
            shape = f"[{sizes}{f' except {holes}' if holes else ''}]" if array.sizes else ""
            yield f"{self.array_names[role]}{shape} : {self.names.of(kind.key, 'T')}"

    def _paths(self) -> list[str]:
        paths = [""] * self.machine.parts
        for role, array in self.lift.arrays.items():
            for part, at in zip(array.parts.tolist(), array.at.tolist(), strict=True):
                paths[part] = self.array_names[role] + _subscripts(at)
        return paths

    # ---- cables

    def _cables(self) -> Iterator[str]:
        for part in self.lift.parts:
            if isinstance(part, IndexRule):
                yield from self._index_rule(part)
            elif isinstance(part, Mesh):
                yield from self._mesh(part)
            else:
                yield from self._list(part)

    def _over(self, of: Class) -> str:
        word = self.names.of(self.machine.sorts[of.what][0], "L")
        if of.length is None:
            return f"{word}(1 m)"  # no length is known, and the language wants one
        return f"{word}({quantity_text(Quantity(_metres(of.length), units.LENGTH))})"

    def _port_word(self, end: End) -> str:
        kind = self.machine.kinds[int(self.machine.kind[self.lift.arrays[end.role].parts[0]])]
        return self.words[kind.key][kind.arrays[end.array].name]

    def _side(self, end: End, subscripts: list[str]) -> str:
        rank = len(self.lift.arrays[end.role].sizes)
        return (
            f"{self.array_names[end.role]}{_bracketed(subscripts[:rank])}.{self._port_word(end)}"
            f"{_bracketed(subscripts[rank:])}"
        )

    def _one(self, of: Class, chosen: Ints) -> Iterator[tuple[str, str]]:
        """Yield the two ends of some cables, by name."""
        rows = [rows_of(self.machine, self.lift.arrays, self.row, end)[chosen].tolist() for end in (of.left, of.right)]
        for a, b in zip(*rows, strict=True):
            yield self._side(of.left, [*map(str, a)]), self._side(of.right, [*map(str, b)])

    def _index_rule(self, rule: IndexRule) -> Iterator[str]:
        fit, of = rule.fit, rule.of
        sizes = (*self.lift.arrays[of.left.role].sizes, *ports_of(self.machine, self.lift.arrays, of.left).shape)
        letter = iter(LETTERS)
        ranges, low = fit.ranges, tuple(each.low for each in fit.ranges)
        words = [next(letter) if each.low != each.high else "" for each in ranges]
        left, bare = [], set[int]()
        for column, size in enumerate(sizes):
            own = [n for n, digit in enumerate(rule.digits) if digit.column == column]
            left.append(_affine([(rule.digits[n].weight, words[n], low[n]) for n in own], rule.shift[column]))
            n = own[0]
            if len(own) == 1 and left[-1] == words[n] and ranges[n] == Range(0, size - 1):
                bare.add(n)
        right = [_map(each, words, low) for each in fit.maps]
        other = (*self.lift.arrays[of.right.role].sizes, *ports_of(self.machine, self.lift.arrays, of.right).shape)
        for text, size in zip(right, other, strict=True):  # an index that stands alone in several has one range
            bare -= {n for n in bare if text == words[n] and size != ranges[n].high + 1}
        binders = [word if n in bare else _binder(word, ranges[n]) for n, word in enumerate(words) if word]
        cut = [f"{text} <= {last}" for text, last in zip([*left, *right], rule.last, strict=True) if last is not None]
        cut += [_period(word, each) for word, each in zip(words, ranges, strict=True) if not each.step]
        before = len(self.lacking)
        conditions = [
            "not (" + " and ".join(f"{word} == {value}" for word, value in zip(words, row, strict=True) if word) + ")"
            for row in self._excluded(rule)
        ]
        if len(conditions) > MOST_EXCLUDED:
            del self.lacking[before:]
            yield from self._list(Listed(of))
            return
        where = _all_of([*cut, *conditions])
        yield self._connect(of, self._side(of.left, left), self._side(of.right, right), binders, where)
        yield from self._exceptions(of, np.flatnonzero(~fit.good))

    def _connect(self, of: Class, left: str, right: str, binders: list[str], where: str) -> str:
        text = f"connect {left} -- {right} over {self._over(of)}"
        text += f" for {', '.join(binders)}" if binders else ""
        text += f" where {where}" if where else ""
        return text + (f"  # the longest of {of.lengths:,} lengths" if of.lengths > 1 else "")

    def _exceptions(self, of: Class, chosen: Ints) -> Iterator[str]:
        for a, b in self._one(of, chosen):
            self.extra.append((a, b))
            yield f"connect {a} -- {b} over {self._over(of)}  # exception"

    def _excluded(self, rule: IndexRule) -> Iterator[list[int]]:
        """Rows of the box of a rule without a cable; those without a part on the left side fall out by themselves."""
        fit, of = rule.fit, rule.of
        for row in fit.lacking.tolist():
            left = rule.left(np.asarray([row]))[0].tolist()
            right = [int(each.at(np.asarray([row]))[0]) for each in fit.maps]
            here = self._there(of.left, left)
            if here and self._there(of.right, right):
                self.lacking.append((self._side(of.left, [*map(str, left)]), self._side(of.right, [*map(str, right)])))
            if here:
                yield row

    def _there(self, end: End, row: list[int]) -> bool:
        array = self.lift.arrays[end.role]
        at = row[: len(array.sizes)]
        return all(0 <= v < size for v, size in zip(at, array.sizes, strict=True)) and tuple(at) in self._present(
            end.role
        )

    def _present(self, role: int) -> set[tuple[int, ...]]:
        if role not in self._known:
            self._known[role] = set(map(tuple, self.lift.arrays[role].at.tolist()))
        return self._known[role]

    _known: dict[int, set[tuple[int, ...]]] = field(factory=dict)

    def _mesh(self, mesh: Mesh) -> Iterator[str]:
        of, array = mesh.of, self.lift.arrays[mesh.of.left.role]
        rank, sizes = len(array.sizes), (*array.sizes, *ports_of(self.machine, self.lift.arrays, of.left).shape)
        rows = rows_of(self.machine, self.lift.arrays, self.row, of.left)
        letter = iter(LETTERS)
        words, binders = {}, []
        for column in mesh.shared:
            values = np.unique(rows[mesh.good][:, column])
            if len(values) == 1:
                words[column] = str(int(values[0]))
                continue
            words[column] = next(letter)
            whole = len(values) == sizes[column] or column < rank
            binders.append(words[column] + ("" if whole else f" in {values[0]}..{values[-1]}"))
        n = array.sizes[mesh.member]
        if (
            mesh.good.all()
            and not len(mesh.lacking)
            and not array.absent
            and len(mesh.slots) == 1
            and mesh.slots[0] >= rank
        ):
            yield self._pattern(mesh, words, binders, n, sizes)
            return
        one, two, strand = next(letter), next(letter), next(letter) if mesh.width > 1 else ""
        sides = []
        for own, other, shift in ((one, two, -mesh.width), (two, one, 0)):
            terms = [(mesh.width, other, 0), (1, strand, 0)] if strand else [(mesh.width, other, 0)]
            slot = _affine(terms, mesh.first + shift)
            at = {**words, mesh.member: own} | _slot_texts(mesh, slot)
            sides.append([at[column] for column in range(len(at))])
        if len(mesh.lacking) > MOST_EXCLUDED:
            yield from self._list(Listed(of))
            return
        excluded = []
        for row in mesh.lacking.tolist():
            known = [*(words[c] for c in mesh.shared), one, two, strand]
            same = [f"{w} == {v}" for w, v in zip(known, row, strict=True) if w and not w.isdigit()]
            excluded.append(f"not ({' and '.join(same)})")
            ends = mesh.ends(tuple(row), rank)
            assert ends is not None
            self.lacking.append((self._side(of.left, [*map(str, ends[0])]), self._side(of.right, [*map(str, ends[1])])))
        bound = [one, two] if array.absent else [f"{word} in 0..{n - 1}" for word in (one, two)]
        binders += bound + ([f"{strand} in 0..{mesh.width - 1}"] if strand else [])
        where = _all_of([f"{one} < {two}", *excluded])
        yield self._connect(of, self._side(of.left, sides[0]), self._side(of.right, sides[1]), binders, where)
        yield from self._exceptions(of, np.flatnonzero(~mesh.good))

    def _pattern(self, mesh: Mesh, words: dict[int, str], binders: list[str], n: int, sizes: tuple[int, ...]) -> str:
        """Return a full mesh by its name."""
        of, slot = mesh.of, mesh.slots[0]
        first, many = mesh.first + mesh.low[0], mesh.width * (n - 1)
        at = {
            **words,
            mesh.member: "*",
            slot: "*" if (first, many) == (0, sizes[slot]) else f"{first}..{first + many - 1}",
        }
        side = [at[column] for column in range(len(at))]
        rank = len(self.lift.arrays[of.left.role].sizes)
        if side[rank:] == ["*"]:
            side = side[:rank]
        pattern = "fullmesh" if mesh.width == 1 else f"fullmesh(width = {mesh.width})"
        text = f"connect {self._side(of.left, side)} as {pattern} over {self._over(of)}"
        text += f" for {', '.join(binders)}" if binders else ""
        return text + (f"  # the longest of {of.lengths:,} lengths" if of.lengths > 1 else "")

    def _list(self, part: Listed) -> Iterator[str]:
        of = part.of
        if part.stray:
            yield from self._exceptions(of, np.arange(len(of.cables)))
            return
        self.listed += len(of.cables)
        ends = list(self._one(of, np.arange(len(of.cables))))
        if len(ends) <= MOST_LISTED:
            yield from (f"connect {a} -- {b} over {self._over(of)}" for a, b in ends)
            return
        for first in range(0, len(ends), LONGEST_LIST):
            name = f"{self.stem}.cables{len(self.files) + 1 if self.files else ''}.csv"
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows([("a", "b"), *ends[first : first + LONGEST_LIST]])
            self.files[name] = out.getvalue()
            yield f'connect cables("{name}") over {self._over(of)}'


def _binder(word: str, values: Range) -> str:
    return f"{word} in {values.low}..{values.high}{f' step {values.step}' * (values.step > 1)}"


def _period(word: str, values: Range) -> str:
    """`(i + 1) mod 5 < 4`, of a range in runs."""
    ahead = (values.phase - values.low) % values.period
    return f"{f'({word} + {ahead})' if ahead else word} mod {values.period} < {values.width}"


def _all_of(conditions: list[str]) -> str:
    """Conditions joined; many in brackets half by half, as none may lie deep in others."""
    if len(conditions) <= 8:
        return " and ".join(conditions)
    half = len(conditions) // 2
    return f"({_all_of(conditions[:half])}) and ({_all_of(conditions[half:])})"


def _slot_texts(mesh: Mesh, slot: str) -> dict[int, str]:
    """Return the subscripts that make the number of a slot."""
    if len(mesh.slots) == 1:
        low = mesh.low[0]
        return {mesh.slots[0]: slot if not low else f"{slot} + {low}"}
    outer, inner = (f" + {low}" * (low > 0) for low in mesh.low)
    bracketed = slot if slot.isalpha() else f"({slot})"
    return {
        mesh.slots[0]: f"{bracketed} div {mesh.radix[1]}{outer}",
        mesh.slots[1]: f"{bracketed} mod {mesh.radix[1]}{inner}",
    }


def _absent(array: Array) -> list[list[int]]:
    if not array.absent:
        return []
    there = np.zeros(array.sizes, dtype=bool)
    there[tuple(array.at.T)] = True
    absent: list[list[int]] = np.argwhere(~there).tolist()
    return absent


def _bracket(at: list[int]) -> str:
    return str(at[0]) if len(at) == 1 else f"[{', '.join(map(str, at))}]"


def _subscripts(at: list[int]) -> str:
    return _bracketed([*map(str, at)])


def _bracketed(subscripts: list[str]) -> str:
    return f"[{', '.join(subscripts)}]" if subscripts else ""


def _affine(terms: list[tuple[int, str, int]], const: int) -> str:
    """`8*i + j + 32`; a term without a word is its value."""
    const += sum(weight * value for weight, word, value in terms if not word)
    said = ""
    for weight, word, _ in sorted((t for t in terms if t[1] and t[0]), key=lambda term: -term[0]):
        size = word if abs(weight) == 1 else f"{abs(weight)}*{word}"
        if weight > 0:
            said += f" + {size}" if said else size
        elif said:
            said += f" - {size}"
        else:
            said, const = f"{const} - {size}", 0
    if not said:
        return str(const)
    return said if not const else f"{said} {'+' if const > 0 else '-'} {abs(const)}"


def _map(each: Affine, words: list[str], low: tuple[int, ...]) -> str:
    text = _affine(list(zip(each.slopes, words, low, strict=True)), each.const)
    if not each.modulus or text.isdigit():
        return text if not each.modulus else str(int(text) % each.modulus)
    return f"({text}) mod {each.modulus}" if not text.isalpha() else f"{text} mod {each.modulus}"


def _metres(length: float) -> Fraction:
    return Fraction(round(length * 1000), 1000)
